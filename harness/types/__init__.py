"""The vocabulary: number formats, their modes, and the types of expressions."""

from harness.types.binary import Binary
from harness.types.fixed import BOOL, MAX_WIDTH, ApFixed, ApInt, check_cast
from harness.types.floats import BinaryFloat, IeeeFloat, MiniFloat, VitisFloat
from harness.types.formats import FLOAT64, FORMATS, TERNARY, NumberType, parse_type
from harness.types.modes import (
    FloatOverflow,
    FloatRounding,
    Overflow,
    Rounding,
    StochasticRounding,
    parse_rounding,
)
from harness.types.operations import CLOSED, Operation, count_bounds, result_type

__all__ = [
    "BOOL",
    "CLOSED",
    "FLOAT64",
    "FORMATS",
    "MAX_WIDTH",
    "TERNARY",
    "ApFixed",
    "ApInt",
    "Binary",
    "BinaryFloat",
    "FloatOverflow",
    "FloatRounding",
    "IeeeFloat",
    "MiniFloat",
    "NumberType",
    "Operation",
    "Overflow",
    "Rounding",
    "StochasticRounding",
    "VitisFloat",
    "check_cast",
    "count_bounds",
    "parse_rounding",
    "parse_type",
    "result_type",
]
