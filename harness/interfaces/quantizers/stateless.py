"""Quantizers as functions, for arrays of every kind and widths that broadcast against them."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.interfaces.quantizers.kinds import (
    as_numpy,
    either,
    on_any_kind,
    seed_of,
    wants_gradient,
)
from harness.quantize import quantize, quantize_fixed, quantize_minifloat
from harness.types import (
    TERNARY,
    Binary,
    NumberType,
    Overflow,
    StochasticRounding,
    is_tensor,
    parse_rounding,
)

__all__ = [
    "GRADIENTS",
    "FixedPointQuantizer",
    "binary_quantize",
    "binary_quantize_np",
    "float_decompose",
    "float_decompose_np",
    "float_quantize",
    "float_quantize_np",
    "get_fixed_quantizer",
    "get_fixed_quantizer_np",
    "one_bit",
    "ternary_quantize",
    "ternary_quantize_np",
]

#: Of binary and ternary: the released one, and that of ``harness.nn``.
GRADIENTS = ("tanh", "straight_through")


class FixedPointQuantizer:
    """What :func:`get_fixed_quantizer` gives.

    Attributes:
        round_mode: the rounding, without ``S_``.
        overflow_mode: the overflow.
        stochastic: whether it rounds by chance while training.

    Raises:
        ValueError: for an unknown mode.
    """

    def __init__(
        self, round_mode: str = "TRN", overflow_mode: str = "WRAP", *, numpy: bool = False
    ) -> None:
        self._rounding, self._overflow = parse_rounding(round_mode), Overflow.parse(overflow_mode)
        found = self._rounding
        self._hardware = found.hardware if isinstance(found, StochasticRounding) else found
        self.round_mode, self.overflow_mode = self._hardware.name, self._overflow.name
        self.stochastic, self._numpy = self._rounding.stochastic, numpy

    def __call__(
        self,
        x: Any,
        k: Any = None,
        i: Any = None,
        f: Any = None,
        training: Any = False,
        seed_gen: Any = None,
        *,
        keep_negative: Any = None,
        integer_bits: Any = None,
        fractional_bits: Any = None,
        seed: Any = None,
    ) -> Any:
        """The values of ``x``, each in ``ap_[u]fixed<k + i + f, k + i>``.

        Args:
            x: floats of any shape, or integers, which become float64.
            k: 1 to keep the sign, else 0; 1 if it is left out and the others are given by keyword.
            i: integer bits without the sign; at least ``-f`` is used.
            f: fractional bits.
            training: whether ``S_`` modes round by chance; then ``WRAP`` does not happen.
            seed_gen: an integer, or a generator of NumPy, torch or keras; fresh draws without one.
            keep_negative: ``k``.
            integer_bits: ``i``.
            fractional_bits: ``f``.
            seed: ``seed_gen``.

        Returns:
            The kind and dtype of ``x``, in the shape that it and the widths have in common.

        Raises:
            TypeError: for a dtype that is no float.
            ValueError: for widths that are not integers, an unsigned ``WRAP_SM``, or a type that
                the dtype of ``x`` cannot hold.
        """
        k = either("keep_negative", keep_negative, "k", k, 1)
        i = either("integer_bits", integer_bits, "i", i)
        f = either("fractional_bits", fractional_bits, "f", f)
        source = either("seed", seed, "seed_gen", seed_gen, False)
        overflow = None if training and self._overflow is Overflow.WRAP else self._overflow
        chance = self.stochastic and bool(training)
        return self._quantized(x, k, i, f, overflow, chance, None if source is False else source)

    def round(self, x: Any, f: Any = 1, stochastic: Any = False, seed_gen: Any = None) -> Any:
        """``x`` rounded to multiples of ``2**-f``, without a range."""
        chance = self.stochastic and bool(stochastic)
        return self._quantized(x, 1, 0, f, None, chance, seed_gen)

    def _quantized(
        self, x: Any, k: Any, i: Any, f: Any, overflow: Any, chance: bool, source: Any
    ) -> Any:
        mode = self._rounding if chance else self._hardware
        seed = seed_of(source) if chance else None

        def fixed(x: Any, k: Any, i: Any, f: Any) -> Any:
            i = _at_least(i, f)
            if not wants_gradient(x, i, f):
                return quantize_fixed(x, k, i, f, mode, overflow, seed)
            from harness.interfaces.quantizers import surrogates

            return surrogates.fixed(x, k, i, f, mode, overflow, seed)

        operands = map(as_numpy, (x, k, i, f)) if self._numpy else (x, k, i, f)
        return on_any_kind(fixed, *operands, by_torch=chance)

    def __repr__(self) -> str:
        return f"FixedPointQuantizer({self._rounding.name}, {self.overflow_mode})"


def get_fixed_quantizer(round_mode: str = "TRN", overflow_mode: str = "WRAP") -> Any:
    """A quantizer ``q(x, k, i, f, training=False, seed_gen=None)``: a :class:`FixedPointQuantizer`.

    ``round_mode`` may be ``S_RND`` or ``S_RND_CONV``, which round by chance while ``training``, and
    as ``RND`` and ``RND_CONV`` otherwise.  Raises ``ValueError`` for an unknown mode.
    """
    return FixedPointQuantizer(round_mode, overflow_mode)


def get_fixed_quantizer_np(round_mode: str = "TRN", overflow_mode: str = "WRAP") -> Any:
    """:func:`get_fixed_quantizer` whose results are NumPy's."""
    return FixedPointQuantizer(round_mode, overflow_mode, numpy=True)


def float_quantize(
    x: Any,
    m: Any = None,
    e: Any = None,
    e0: Any = None,
    *,
    mantissa_bits: Any = None,
    exponent_bits: Any = None,
    exponent_zero: Any = None,
) -> Any:
    """``x`` in ``MiniFloat(m, e, e0)``, element by element; ``e0`` is 0 if left out.

    Raises:
        TypeError: for a dtype that is no float.
        ValueError: for NaN, widths that are not integers or out of range, or a type that the dtype
            of ``x`` cannot hold.
    """
    m = either("mantissa_bits", mantissa_bits, "m", m)
    e = either("exponent_bits", exponent_bits, "e", e)
    e0 = either("exponent_zero", exponent_zero, "e0", e0, 0)
    return on_any_kind(_minifloat, x, m, e, e0)


def float_quantize_np(x: Any, *widths: Any, **named: Any) -> Any:
    """:func:`float_quantize` whose results are NumPy's."""
    return float_quantize(as_numpy(x), *map(as_numpy, widths), **named)


def float_decompose(x: Any, m: Any, e: Any, e0: Any = 0) -> tuple[Any, Any]:
    """Mantissa and exponent, ``float_quantize(x, m, e, e0) == mantissa * 2.0**exponent``.

    Both in the dtype of ``x``, and without a gradient.  The mantissa has a magnitude below 2, and
    from 1 but for subnormals, whose exponent is the smallest one.  Raises as
    :func:`float_quantize`.
    """
    found: tuple[Any, Any] = on_any_kind(_decomposed, x, m, e, e0, outputs=2)
    return found


def float_decompose_np(x: Any, m: Any, e: Any, e0: Any = 0) -> tuple[Any, Any]:
    """:func:`float_decompose` whose results are NumPy's."""
    return float_decompose(*map(as_numpy, (x, m, e, e0)))


def binary_quantize(x: Any, zero: int = 1, *, gradient: str = "tanh") -> Any:
    """-1 or 1 by the sign of ``x``.

    Args:
        x: floats.
        zero: what 0 becomes: 1 as the C++ has it, or -1 as the original.
        gradient: ``"tanh"`` as the original, or ``"straight_through"`` within the type's range.

    Raises:
        ValueError: for NaN, or an unknown gradient.
    """
    return one_bit(x, Binary(zero), gradient)


def ternary_quantize(x: Any, *, gradient: str = "tanh") -> Any:
    """-1, 0 or 1: ``ap_fixed<2,2,AP_RND_CONV,AP_SAT_SYM>``, so +-0.5 becomes 0; else as binary."""
    return one_bit(x, TERNARY, gradient)


def binary_quantize_np(x: Any, zero: int = 1) -> Any:
    """:func:`binary_quantize` whose result is NumPy's."""
    return binary_quantize(as_numpy(x), zero)


def ternary_quantize_np(x: Any) -> Any:
    """:func:`ternary_quantize` whose result is NumPy's."""
    return ternary_quantize(as_numpy(x))


def one_bit(x: Any, t: NumberType, gradient: str) -> Any:
    """``x`` in a binary or ternary type, for an array of any kind."""
    if gradient not in GRADIENTS:
        raise ValueError(f"gradient is one of {', '.join(GRADIENTS)}, not {gradient!r}")

    def quantized(x: Any) -> Any:
        if not wants_gradient(x):
            return quantize(x, t)
        from harness.interfaces.quantizers import surrogates

        return surrogates.one_bit(x, t, gradient)

    return on_any_kind(quantized, x)


def _minifloat(x: Any, m: Any, e: Any, e0: Any) -> Any:
    if not wants_gradient(x, m, e, e0):
        return quantize_minifloat(x, m, e, e0)
    from harness.interfaces.quantizers import surrogates

    return surrogates.minifloat(x, m, e, e0)


def _decomposed(x: Any, m: Any, e: Any, e0: Any) -> tuple[Any, Any]:
    """The quantized value taken apart: exact in doubles, whatever holds it."""
    q = quantize_minifloat(x.detach() if is_tensor(x) else x, m, e, e0)
    wide = np.asarray(q.double().cpu() if is_tensor(q) else q, np.float64)
    bits, offset = (np.asarray(as_numpy(w), np.float64) for w in (e, e0))
    lowest = 1 - 2.0 ** (bits - 1) + offset
    exponent = np.maximum(np.where(wide == 0, lowest, np.frexp(wide)[1] - 1), lowest)
    mantissa = np.ldexp(wide, -exponent.astype(np.int64))
    if is_tensor(q):
        return q.new_tensor(mantissa), q.new_tensor(exponent)
    return mantissa.astype(q.dtype)[()], exponent.astype(q.dtype)[()]


def _at_least(i: Any, f: Any) -> Any:
    """``max(i, -f)``, so that a type has its sign bit at least; its gradient is that of ``i``."""
    if isinstance(i, int) and isinstance(f, int):
        return max(i, -f)
    if is_tensor(i) or is_tensor(f):
        import torch

        i, f = torch.as_tensor(i), torch.as_tensor(f).detach().double()
        larger = torch.maximum(i.detach().double(), -f)
        return i + (larger - i.detach()) if i.requires_grad else larger
    try:
        # Doubles, as unsigned integers have no negative; ``quantize_fixed`` says what is no width.
        found: Any = np.maximum(np.asarray(i, np.float64), -np.asarray(f, np.float64))
    except (TypeError, ValueError):
        return i
    if not (found == np.rint(found)).all():
        return i
    return int(found) if found.ndim == 0 else found
