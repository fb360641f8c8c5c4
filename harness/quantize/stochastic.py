"""Rounding by chance: every value becomes one of its two neighbours before it is quantized.

The draw is against the exact remainder, with 53 random bits, so a value that the type has never
moves and the mean of the others is the value itself; for ``STOCHASTIC_EQUAL`` it is the middle of
the neighbours.  What is drawn is a value of the type, or beyond its range, and goes through the
deterministic quantizer, which brings it into range.  The same lines serve NumPy and torch.
"""

from __future__ import annotations

from typing import Any

from harness.types import ApFixed, FloatRounding, IeeeFloat, NumberType

__all__ = ["MAX_SHIFT", "check_rounding", "deterministic", "drawn", "drawn_on", "scaled"]

#: Beyond these a neighbour of a double may not be a double.
MAX_SHIFT = 900


def check_rounding(t: NumberType, rng: Any) -> bool:
    """Whether ``t`` rounds by chance; ``ValueError`` unless a generator is given just then."""
    stochastic = isinstance(t, ApFixed | IeeeFloat) and t.rounding.stochastic
    if stochastic and rng is None:
        raise ValueError(f"{t} rounds by chance and needs rng=, a generator")
    if rng is not None and not stochastic:
        raise ValueError(f"rng is for a type that rounds by chance, {t} does not")
    if isinstance(t, ApFixed) and stochastic and abs(t.frac) > MAX_SHIFT:
        raise ValueError(f"{t} cannot round by chance: |F| must be at most {MAX_SHIFT}")
    return stochastic


def deterministic(t: Any) -> Any:
    """The type with the same values that takes what was drawn as it is."""
    mode = "TRN" if isinstance(t, ApFixed) else FloatRounding.NEAREST_EVEN
    return t.with_modes(rounding=mode)


def drawn(x: Any, u: Any, t: Any, xp: Any) -> Any:
    """A neighbour of each ``x`` in the grid of ``t``, as if it had no upper end.

    Args:
        x: float64.
        u: uniform in [0, 1), float64, in the shape of ``x``.
        t: the type.
        xp: ``numpy`` or ``torch``, whose arrays they are.
    """
    if isinstance(t, ApFixed):
        return drawn_on(x, u, x.view(xp.int64) * 0 + t.frac, False, xp)
    exponent = ((x.view(xp.int64) >> 52) & 0x7FF) - 1023
    lowest = t.emin if t.subnormals else -1023
    shift = t.frac_bits - xp.where(exponent < lowest, lowest, exponent)
    return drawn_on(x, u, shift, t.rounding is FloatRounding.STOCHASTIC_EQUAL, xp)


def drawn_on(x: Any, u: Any, shift: Any, even_odds: bool, xp: Any) -> Any:
    """A neighbour of each ``x`` among the multiples of ``2**-shift``."""
    y = scaled(xp.abs(x), shift, xp)
    toward_zero = xp.floor(y)
    rest = y - toward_zero
    away = (u < 0.5) & (rest > 0) if even_odds else u < rest
    result = xp.copysign(scaled(toward_zero + away * 1.0, -shift, xp), x)
    return xp.where(y < 2.0**52, result, x)  # larger ones, infinities and NaN do not move


def scaled(x: Any, shift: Any, xp: Any) -> Any:
    """``x * 2**shift`` in two steps, each by a power of two that is a double."""
    half = shift >> 1
    return x * _power(half, xp) * _power(shift - half, xp)


def _power(exponent: Any, xp: Any) -> Any:
    return ((exponent + 1023) << 52).view(xp.float64)
