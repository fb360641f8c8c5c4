"""Quantizers that are bit for bit what ``ap_fixed`` computes in C++, and the proof.

Importing this package loads neither torch nor cppyy.
"""

from harness.quantize import cast_codes, compute_codes, decode, quantize, quantize_codes
from harness.types import ApFixed, Operation, Overflow, Rounding, result_type

__all__ = [
    "ApFixed",
    "Operation",
    "Overflow",
    "Rounding",
    "cast_codes",
    "compute_codes",
    "decode",
    "quantize",
    "quantize_codes",
    "result_type",
]

__version__ = "0.1.0"
