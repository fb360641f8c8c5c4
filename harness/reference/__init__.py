"""The exact reference: the published definition, one scalar at a time, in ``int`` and ``Fraction``."""

from harness.reference.arithmetic import accumulate, assign, compute
from harness.reference.fixed import QUIRKS, cast, decode, from_double, from_int, quirks

__all__ = [
    "QUIRKS",
    "accumulate",
    "assign",
    "cast",
    "compute",
    "decode",
    "from_double",
    "from_int",
    "quirks",
]
