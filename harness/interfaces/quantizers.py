"""The interface of calad0i's ``quantizers``, on the exact cores: change the import line alone.

``get_fixed_quantizer``, ``float_quantize``, ``binary_quantize`` and ``ternary_quantize`` take NumPy
arrays and torch tensors; the ``_np`` names are the same functions.  Bit widths may be arrays that
broadcast against ``x``.  A tensor that requires a gradient gets one, by the rules of
``harness.nn``, and so do bit widths that do.  The stateful forms are :class:`FixedQ`,
:class:`MinifloatQ`, :class:`BinaryQ` and :class:`TernaryQ`.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

from harness.quantize import quantize, quantize_fixed, quantize_minifloat
from harness.types import (
    TERNARY,
    ApFixed,
    Binary,
    MiniFloat,
    Overflow,
    StochasticRounding,
    parse_rounding,
)

__all__ = [
    "BinaryQ",
    "FixedQ",
    "MinifloatQ",
    "TernaryQ",
    "binary_quantize",
    "binary_quantize_np",
    "float_quantize",
    "float_quantize_np",
    "get_fixed_quantizer",
    "get_fixed_quantizer_np",
    "ternary_quantize",
    "ternary_quantize_np",
]


def get_fixed_quantizer(round_mode: str = "TRN", overflow_mode: str = "WRAP") -> Callable[..., Any]:
    """A quantizer ``q(x, integer_bits, fractional_bits, keep_negative, training, seed)``.

    The last three default to 1, ``False`` and ``None``; the widths may be given as ``i``, ``f`` and
    ``k`` too, by keyword.  Integer bits do not count the sign: in C++, W = k + i + f and I = k + i.
    ``round_mode`` may be ``S_RND`` or ``S_RND_CONV``, which round by chance while ``training``, and
    as ``RND`` and ``RND_CONV`` otherwise.  While ``training``, ``WRAP`` does not happen.  ``seed``
    is an integer or a generator (NumPy's for arrays, torch's for tensors); without one the draws
    differ from run to run.

    Raises:
        ValueError: for an unknown mode.
    """
    rounding, overflow = parse_rounding(round_mode), Overflow.parse(overflow_mode)

    def quantizer(
        x: Any,
        integer_bits: Any = None,
        fractional_bits: Any = None,
        keep_negative: Any = None,
        training: bool = False,
        seed: Any = None,
        *,
        i: Any = None,
        f: Any = None,
        k: Any = None,
    ) -> Any:
        sign = _either("keep_negative", keep_negative, "k", k, 1)
        integer = _either("integer_bits", integer_bits, "i", i, None)
        fraction = _either("fractional_bits", fractional_bits, "f", f, None)
        mode = rounding
        if isinstance(rounding, StochasticRounding) and not training:
            mode = rounding.hardware
        bounded = None if training and overflow is Overflow.WRAP else overflow
        facts = (x, sign, integer, fraction, mode, bounded, seed)
        if _wants_gradient(x, integer, fraction):
            return _trainable().fixed_with_bits(*facts)
        return quantize_fixed(*facts)

    return quantizer


def float_quantize(x: Any, mantissa_bits: Any, exponent_bits: Any, exponent_zero: Any = 0) -> Any:
    """``x`` in ``MiniFloat(mantissa_bits, exponent_bits, exponent_zero)``, element by element.

    Raises:
        TypeError: for a dtype that is no float.
        ValueError: for NaN, widths that are not integers or out of range, or a type that the dtype
            of ``x`` cannot hold.
    """
    facts = (x, mantissa_bits, exponent_bits, exponent_zero)
    if _wants_gradient(*facts):
        return _trainable().minifloat_with_bits(*facts)
    return quantize_minifloat(*facts)


def binary_quantize(x: Any, zero: int = 1) -> Any:
    """-1 or 1 by the sign of ``x``; ``zero`` is what 0 becomes: 1 as hls4ml's C++ has it, or -1.

    The original gives -1: ``zero=-1``.  Raises ``ValueError`` for NaN.
    """
    return _quantize(x, Binary(zero))


def ternary_quantize(x: Any) -> Any:
    """-1, 0 or 1: ``ap_fixed<2,2,AP_RND_CONV,AP_SAT_SYM>``, so +-0.5 becomes 0."""
    return _quantize(x, TERNARY)


get_fixed_quantizer_np = get_fixed_quantizer
float_quantize_np = float_quantize
binary_quantize_np = binary_quantize
ternary_quantize_np = ternary_quantize


class FixedQ:
    """A fixed-point quantizer of one type.

    Args:
        width: total bits.
        integer_bits: integer bits, the sign included.
        keep_negative: whether it is signed.
        fixed_round_mode: of the seven of the hardware.
        fixed_overflow_mode: of the five.

    Attributes:
        type: the :class:`ApFixed`.

    Raises:
        ValueError: for a type that does not exist, or a rounding by chance.
    """

    def __init__(
        self,
        width: int,
        integer_bits: int,
        keep_negative: bool | int = True,
        fixed_round_mode: str = "TRN",
        fixed_overflow_mode: str = "WRAP",
    ) -> None:
        if parse_rounding(fixed_round_mode).stochastic:
            raise ValueError(f"FixedQ does not round by chance: {fixed_round_mode}")
        self.type = ApFixed(
            width, integer_bits, bool(keep_negative), fixed_round_mode, fixed_overflow_mode
        )

    def __call__(self, x: Any) -> Any:
        """The values of ``x`` in the type."""
        return _quantize(x, self.type)

    def __repr__(self) -> str:
        return f"FixedQ({self.type})"


class MinifloatQ:
    """A minifloat quantizer of one type, its attribute ``type``; arguments as ``MiniFloat``."""

    def __init__(self, mantissa_bits: int, exponent_bits: int, exponent_zero: int = 0) -> None:
        self.type = MiniFloat(mantissa_bits, exponent_bits, exponent_zero)

    def __call__(self, x: Any) -> Any:
        """The values of ``x`` in the type."""
        return _quantize(x, self.type)

    def __repr__(self) -> str:
        return f"MinifloatQ({self.type})"


class BinaryQ:
    """:func:`binary_quantize` as an object."""

    def __init__(self, zero: int = 1) -> None:
        self.type = Binary(zero)

    def __call__(self, x: Any) -> Any:
        """-1 or 1 for each element."""
        return _quantize(x, self.type)

    def __repr__(self) -> str:
        return f"BinaryQ(zero={self.type.zero})"


class TernaryQ:
    """:func:`ternary_quantize` as an object."""

    type = TERNARY

    def __call__(self, x: Any) -> Any:
        """-1, 0 or 1 for each element."""
        return _quantize(x, self.type)

    def __repr__(self) -> str:
        return "TernaryQ()"


def _wants_gradient(*operands: Any) -> bool:
    """Whether one is a tensor that requires a gradient, and gradients are recorded."""
    torch = sys.modules.get("torch")  # who holds a tensor has imported torch
    return torch is not None and any(
        isinstance(x, torch.Tensor) and x.requires_grad and torch.is_grad_enabled()
        for x in operands
    )


def _trainable() -> Any:
    return importlib.import_module("harness.nn.trainable")


def _quantize(x: Any, t: Any) -> Any:
    """``quantize``, straight through where a gradient is wanted."""
    if _wants_gradient(x):
        return importlib.import_module("harness.nn.straight_through").fake_quantize(x, t)
    return quantize(x, t)


def _either(name: str, value: Any, short: str, other: Any, default: Any) -> Any:
    """An argument that has two names."""
    if value is not None and other is not None:
        raise ValueError(f"{name} and {short} are the same argument; give one")
    found = other if value is None else value
    found = default if found is None else found
    if found is None:
        raise ValueError(f"{name} (or {short}=) is missing")
    return found
