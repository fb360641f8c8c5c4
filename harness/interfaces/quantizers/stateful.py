"""Quantizers as objects, of one type each; they take arrays of every served kind."""

from __future__ import annotations

from typing import Any

from harness.interfaces.quantizers.kinds import either
from harness.interfaces.quantizers.stateless import (
    binary_quantize,
    float_quantize,
    get_fixed_quantizer,
    ternary_quantize,
)
from harness.types import (
    TERNARY,
    ApFixed,
    Binary,
    MiniFloat,
    Rounding,
    StochasticRounding,
    parse_rounding,
)

__all__ = ["BinaryQ", "FixedQ", "MinifloatQ", "TernaryQ"]


class FixedQ:
    """A fixed-point quantizer of one type.

    Args:
        width: total bits.
        integer: integer bits, the sign included; also ``integer_bits=``.
        signed: whether it is signed; also ``keep_negative=``.
        rounding: ``TRN`` if left out; also ``fixed_round_mode=``.  ``S_RND`` and ``S_RND_CONV``
            are ``RND`` and ``RND_CONV`` here, where nothing is trained.
        overflow: ``WRAP`` if left out; also ``fixed_overflow_mode=``.

    Attributes:
        type: the :class:`ApFixed`.

    Raises:
        ValueError: for a type that does not exist, or an argument that is given twice.
    """

    def __init__(
        self,
        width: int,
        integer: int | None = None,
        signed: bool | int | None = None,
        rounding: str | None = None,
        overflow: str | None = None,
        *,
        integer_bits: int | None = None,
        keep_negative: bool | int | None = None,
        fixed_round_mode: str | None = None,
        fixed_overflow_mode: str | None = None,
    ) -> None:
        self.width = width
        self.integer = either("integer", integer, "integer_bits", integer_bits)
        self.signed = either("signed", signed, "keep_negative", keep_negative, True)
        self.rounding = either("rounding", rounding, "fixed_round_mode", fixed_round_mode, "TRN")
        self.overflow = either(
            "overflow", overflow, "fixed_overflow_mode", fixed_overflow_mode, "WRAP"
        )
        _ = self.type

    @property
    def type(self) -> ApFixed:
        """The type that the attributes make."""
        mode = parse_rounding(self.rounding)
        hardware: Rounding = mode.hardware if isinstance(mode, StochasticRounding) else mode
        return ApFixed(self.width, self.integer, bool(self.signed), hardware, self.overflow)

    def __call__(self, x: Any) -> Any:
        """The values of ``x`` in the type."""
        t, k = self.type, int(bool(self.signed))
        quantizer = get_fixed_quantizer(t.rounding.name, t.overflow.name)
        return quantizer(x, k, t.integer - k, t.frac)

    def __repr__(self) -> str:
        return f"FixedQ({self.type})"


class MinifloatQ:
    """A minifloat quantizer of one type.

    Args:
        significant: bits of mantissa behind the point; also ``mantissa_bits=``.
        exponent: bits of exponent; also ``exponent_bits=``.
        exponent_bias: what is added to exponents; also ``exponent_zero=``; 0 if left out.

    Attributes:
        type: the :class:`MiniFloat`.

    Raises:
        ValueError: for a type that does not exist, or an argument that is given twice.
    """

    def __init__(
        self,
        significant: int | None = None,
        exponent: int | None = None,
        exponent_bias: int | None = None,
        *,
        mantissa_bits: int | None = None,
        exponent_bits: int | None = None,
        exponent_zero: int | None = None,
    ) -> None:
        self.significant = either("significant", significant, "mantissa_bits", mantissa_bits)
        self.exponent = either("exponent", exponent, "exponent_bits", exponent_bits)
        self.exponent_bias = either(
            "exponent_bias", exponent_bias, "exponent_zero", exponent_zero, 0
        )
        _ = self.type

    @property
    def type(self) -> MiniFloat:
        """The type that the attributes make."""
        return MiniFloat(self.significant, self.exponent, self.exponent_bias)

    def __call__(self, x: Any) -> Any:
        """The values of ``x`` in the type."""
        return float_quantize(x, self.significant, self.exponent, self.exponent_bias)

    def __repr__(self) -> str:
        return f"MinifloatQ({self.type})"


class BinaryQ:
    """:func:`binary_quantize` as an object, with its arguments."""

    def __init__(self, zero: int = 1, *, gradient: str = "tanh") -> None:
        self.type, self.gradient = Binary(zero), gradient

    def __call__(self, x: Any) -> Any:
        """-1 or 1 for each element."""
        return binary_quantize(x, self.type.zero, gradient=self.gradient)

    def __repr__(self) -> str:
        return f"BinaryQ(zero={self.type.zero})"


class TernaryQ:
    """:func:`ternary_quantize` as an object, with its argument."""

    type = TERNARY

    def __init__(self, *, gradient: str = "tanh") -> None:
        self.gradient = gradient

    def __call__(self, x: Any) -> Any:
        """-1, 0 or 1 for each element."""
        return ternary_quantize(x, gradient=self.gradient)

    def __repr__(self) -> str:
        return "TernaryQ()"
