"""The vocabulary: number formats, their modes, and the types of expressions."""

from harness.types.binary import Binary
from harness.types.fixed import BOOL, MAX_WIDTH, ApFixed, ApInt, check_cast
from harness.types.floats import BinaryFloat, IeeeFloat, MiniFloat, VitisFloat
from harness.types.formats import (
    FLOAT64,
    FORMATS,
    TERNARY,
    NumberType,
    as_fixed_type,
    as_number_type,
    parse_type,
)
from harness.types.inputs import as_array, exact_number, is_tensor, plain, read_number
from harness.types.modes import (
    FloatOverflow,
    FloatRounding,
    Overflow,
    Rounding,
    StochasticRounding,
    parse_rounding,
)
from harness.types.operations import CLOSED, Operation, check_counts, count_bounds, result_type
from harness.types.texts import brief, not_a_code, number, shown

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
    "as_array",
    "as_fixed_type",
    "as_number_type",
    "brief",
    "check_cast",
    "check_counts",
    "count_bounds",
    "exact_number",
    "is_tensor",
    "not_a_code",
    "number",
    "parse_rounding",
    "parse_type",
    "plain",
    "read_number",
    "result_type",
    "shown",
]
