"""Quantizers that are bit for bit what ``ap_fixed`` and ``ap_float`` compute, and the proof.

Importing this package loads neither torch nor cppyy.
"""

from harness import interrupts  # noqa: F401  # the command listens before all that takes time
from harness.fixed import Fixed
from harness.quantize import (
    cast_codes,
    compute_codes,
    decode,
    decompose,
    from_bits,
    from_hex,
    quantize,
    quantize_codes,
    quantize_fixed,
    quantize_minifloat,
    to_bits,
    to_hex,
)
from harness.types import (
    FORMATS,
    TERNARY,
    ApFixed,
    ApInt,
    Binary,
    FloatRounding,
    IeeeFloat,
    MiniFloat,
    Operation,
    Overflow,
    Rounding,
    StochasticRounding,
    VitisFloat,
    parse_type,
    result_type,
)

__all__ = [
    "FORMATS",
    "TERNARY",
    "ApFixed",
    "ApInt",
    "Binary",
    "Fixed",
    "FloatRounding",
    "IeeeFloat",
    "MiniFloat",
    "Operation",
    "Overflow",
    "Rounding",
    "StochasticRounding",
    "VitisFloat",
    "cast_codes",
    "compute_codes",
    "decode",
    "decompose",
    "from_bits",
    "from_hex",
    "parse_type",
    "quantize",
    "quantize_codes",
    "quantize_fixed",
    "quantize_minifloat",
    "result_type",
    "to_bits",
    "to_hex",
]

__version__ = "0.1.0"
