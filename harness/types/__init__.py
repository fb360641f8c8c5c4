"""The vocabulary: number formats, their modes, and the types of expressions."""

from harness.types.fixed import MAX_WIDTH, ApFixed
from harness.types.modes import Overflow, Rounding
from harness.types.operations import Operation, result_type

__all__ = ["MAX_WIDTH", "ApFixed", "Operation", "Overflow", "Rounding", "result_type"]
