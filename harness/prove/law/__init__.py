"""The law of the types as terms: what every code must be, for all inputs at once.

Written from the published texts, in whole numbers that do not overflow; it shares no line with
reference, quantizers, C++ or RTL, which are held against it.
"""
