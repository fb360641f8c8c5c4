"""How many bits a tensor needs: open types decided, exactly, by the values."""

from __future__ import annotations

import enum
import math
from fractions import Fraction

import torch
from pydantic import BaseModel, ConfigDict, model_validator
from torch import Tensor

from harness.interfaces.fxpytorch.types import QType, quantize

__all__ = [
    "HIGH_PRECISION",
    "CalibrationType",
    "ValueRange",
    "alike",
    "get_high_precision_tensor_quant",
    "get_integer_bits_for_value_range",
    "get_min_mse_tensor_quant",
    "get_no_overflow_tensor_quant",
    "get_tensor_mse",
    "set_calibrated_activation_quant",
    "set_type",
    "tensor_to_value_range",
]

#: Fractional bits of ``set_high_precision_quant``, and of a tensor that is 0 everywhere.
HIGH_PRECISION = 24


class CalibrationType(str, enum.Enum):
    """How ``calibrate=True`` decides the types of activations."""

    NO_OVERFLOW = "no_overflow"
    MIN_MSE = "min_mse"

    def __str__(self) -> str:
        return self.value


class ValueRange(BaseModel):
    """The least and the largest value of a tensor."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_val: float
    max_val: float

    @model_validator(mode="after")
    def _in_order(self) -> ValueRange:
        if self.min_val > self.max_val:
            raise ValueError(f"min_val {self.min_val} is above max_val {self.max_val}")
        return self


def tensor_to_value_range(tensor: Tensor) -> ValueRange:
    """The range of a tensor; ``RuntimeError`` for an empty one, ``ValueError`` unless finite."""
    if tensor.numel() == 0:
        raise RuntimeError("an empty tensor has no range of values")
    low, high = (float(end) for end in tensor.detach().aminmax())
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError("a tensor with NaN or infinities has no range of values")
    return ValueRange(min_val=low, max_val=high)


def get_tensor_mse(tensor1: Tensor, tensor2: Tensor) -> float:
    """The mean squared difference of two tensors of one shape; ``ValueError`` for others."""
    if tensor1.shape != tensor2.shape:
        raise ValueError(f"shapes are {tuple(tensor1.shape)} and {tuple(tensor2.shape)}, not one")
    return float(torch.mean((tensor1.detach().double() - tensor2.detach().double()) ** 2))


def get_integer_bits_for_value_range(value_range: ValueRange, q_type: QType) -> int:
    """The fewest integer bits I, sign included, with which the type holds the range.

    That is ``-2**(I - 1) <= min`` and ``max <= 2**(I - 1) - LSB``.  The LSB is ``2**(I - T)`` where
    the total bits T are given, and ``2**-f`` where the fractional bits alone are; then there are
    two bits in all at least.  A range that is 0 alone leaves 24 fractional bits, or two bits.

    Raises:
        ValueError: for a float type.
    """
    total, fraction = q_type.total_bits, q_type.fractional_bits
    low, high = Fraction(value_range.min_val), Fraction(value_range.max_val)
    if total is not None:
        if low == high == 0:
            return total - HIGH_PRECISION
        needs = [high / (1 - Fraction(1, 1 << (total - 1)))] if high > 0 else []
        return max(_ceil_log2(need) for need in [*needs, *([-low] if low < 0 else [])]) + 1
    if fraction is None:
        raise ValueError("total_bits or fractional_bits must be given, this type is a float")
    needs = [high + Fraction(2) ** -fraction] if high > 0 else []
    found = [_ceil_log2(need) + 1 for need in [*needs, *([-low] if low < 0 else [])]]
    return max([2 - fraction, *found])


def _ceil_log2(x: Fraction) -> int:
    """The least n with ``x <= 2**n``, of a positive number."""
    n = x.numerator.bit_length() - x.denominator.bit_length() - 1
    while Fraction(2) ** n < x:
        n += 1
    return n


def get_high_precision_tensor_quant(x: Tensor, fractional_bits: int = HIGH_PRECISION) -> QType:
    """``fractional_bits`` behind the point, and as many before it as the tensor needs."""
    return get_no_overflow_tensor_quant(x, QType(total_bits=None, fractional_bits=fractional_bits))


def get_no_overflow_tensor_quant(x: Tensor, q_type: QType) -> QType:
    """The type with the total bits given, or else the fractional ones, that just holds ``x``."""
    integer = get_integer_bits_for_value_range(tensor_to_value_range(x), q_type)
    total, fraction = q_type.total_bits, q_type.fractional_bits
    if total is None and fraction is not None:
        total = integer + fraction
    assert total is not None
    return QType(total_bits=total, fractional_bits=total - integer, q_method=q_type.q_method)


def get_min_mse_tensor_quant(x: Tensor, q_type: QType, depth: int = 10) -> QType:
    """The type of the given total bits and method with the least mean squared error on ``x``.

    From the fractional bits of :func:`get_no_overflow_tensor_quant` on, up to ``depth`` more are
    tried; of equal ones the coarsest counts.

    Raises:
        ValueError: without total bits.
    """
    if q_type.total_bits is None:
        raise ValueError("total_bits must be given for the least mean squared error")
    start = get_no_overflow_tensor_quant(x, q_type)
    assert start.fractional_bits is not None
    exact = x.detach().double()
    tried = [
        start.model_copy(update={"fractional_bits": start.fractional_bits + more})
        for more in range(depth + 1)
    ]
    return min(tried, key=lambda candidate: get_tensor_mse(exact, quantize(exact, candidate)))


def set_calibrated_activation_quant(
    activation: Tensor,
    q_type: QType,
    calibration_type: str | CalibrationType = CalibrationType.NO_OVERFLOW,
) -> None:
    """Decide a type by a tensor, in place; a float stays one.

    Raises:
        ValueError: for an unknown kind of calibration.
    """
    if calibration_type not in list(CalibrationType):
        kinds = ", ".join(map(str, CalibrationType))
        raise ValueError(f"calibration_type is one of {kinds}, not {calibration_type!r}")
    if q_type.is_float():
        return
    least_error = CalibrationType(calibration_type) is CalibrationType.MIN_MSE
    decide = get_min_mse_tensor_quant if least_error else get_no_overflow_tensor_quant
    set_type(q_type, decide(activation, q_type))


def set_type(q_type: QType, found: QType) -> None:
    """Give a type, which others may hold too, the widths of another."""
    q_type.total_bits, q_type.fractional_bits = found.total_bits, found.fractional_bits


def alike(*q_types: QType) -> None:
    """One type for several: the most integer bits and the most total bits, of those decided."""
    decided = [q for q in q_types if q.integer_bits is not None]
    if not decided:
        return
    total = max(q.total_bits or 0 for q in decided)
    integer = max(q.integer_bits or 0 for q in decided)
    for q in decided:
        set_type(q, QType(total_bits=total, fractional_bits=total - integer))
