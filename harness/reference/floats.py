"""Floating-point conversion, one exact scalar at a time.

The definition: a finite value lies between two neighbours of the same significand length, as if
exponents had no upper end; the rounding takes one of them; a magnitude beyond the largest is then
brought in by the overflow rule, and one below the smallest normal flushed, if there are no
subnormals.  IEEE 754 says so for its own formats, and the open ``ap_float`` follows it.
"""

from __future__ import annotations

import math
from fractions import Fraction

from harness.types import BinaryFloat, FloatOverflow, FloatRounding, MiniFloat, not_a_code

__all__ = ["decode", "exponent_of", "from_double", "neighbours", "to_code", "unpack"]

HALF = Fraction(1, 2)
#: The sign whose magnitudes a directed rounding keeps from growing: true for negative.
_KEPT = {FloatRounding.UP: True, FloatRounding.DOWN: False}


def from_double(x: float, t: BinaryFloat) -> int:
    """The code of ``x`` in ``t``.

    Raises:
        ValueError: for NaN if ``t`` has none, and if ``t`` rounds by chance.
    """
    if math.isnan(x):
        if t.nan_code is None:
            raise ValueError(f"{t} has no NaN")
        return t.nan_code
    negative = math.copysign(1.0, x) < 0
    if math.isinf(x):
        return _packed(_beyond(t, None), negative, t)
    return to_code(Fraction(x), t, negative)


def to_code(value: Fraction, t: BinaryFloat, negative: bool | None = None) -> int:
    """The code of an exact value; ``negative`` is the sign of a zero."""
    if negative is None or value != 0:
        negative = value < 0
    if value == 0:
        return _packed(0, negative and not isinstance(t, MiniFloat), t)
    return _packed(_rounded(abs(value), negative, t), negative, t)


def neighbours(value: Fraction, t: BinaryFloat) -> tuple[int, int]:
    """The codes of the neighbours of ``value`` toward zero and away from it; equal if it is one."""
    if value == 0:
        return (_packed(0, False, t),) * 2
    magnitude, exponent = abs(value), exponent_of(abs(value), t)
    y = magnitude / Fraction(2) ** (exponent - t.frac_bits)
    found = [_brought_in(n, exponent, t, None) for n in (math.floor(y), math.ceil(y))]
    low, high = (_packed(m, value < 0, t) for m in found)
    return low, high


def decode(code: int, t: BinaryFloat) -> Fraction | float:
    """The exact value of ``code``; a float for NaN and infinities.  ``ValueError`` if none."""
    negative, significand, exponent = unpack(code, t)
    if exponent is None:
        return math.nan if significand else (-math.inf if negative else math.inf)
    magnitude = significand * Fraction(2) ** exponent
    return -magnitude if negative else magnitude


def unpack(code: int, t: BinaryFloat) -> tuple[bool, int, int | None]:
    """Sign, significand and exponent, ``value = +-significand * 2**exponent``.

    An exponent of ``None`` marks an infinity, or NaN if the significand is not 0.
    """
    if not 0 <= code <= t.max_code:
        raise ValueError(not_a_code(code, t))
    word = code ^ t.flip
    negative = bool(word >> (t.width - 1))
    field = word >> t.frac_bits & ((1 << t.exp_bits) - 1)
    mantissa = word & ((1 << t.frac_bits) - 1)
    top = field == (1 << t.exp_bits) - 1
    if t.specials == "ieee" and top:
        return negative, mantissa, None
    if t.specials == "fn" and top and mantissa == (1 << t.frac_bits) - 1:
        return negative, mantissa, None
    if t.specials == "fnuz" and negative and field == mantissa == 0:
        return negative, 1, None
    if field == 0:
        return negative, mantissa * t.subnormals, t.emin - t.frac_bits
    return negative, mantissa | 1 << t.frac_bits, field - t.bias - t.frac_bits


def exponent_of(magnitude: Fraction, t: BinaryFloat) -> int:
    """The exponent of the binade in which a positive magnitude is rounded."""
    exponent = magnitude.numerator.bit_length() - magnitude.denominator.bit_length()
    if magnitude < Fraction(2) ** exponent:
        exponent -= 1
    return max(exponent, t.emin) if t.subnormals else exponent


def _rounded(magnitude: Fraction, negative: bool, t: BinaryFloat) -> int:
    """The magnitude's code without sign, exponent field biased."""
    exponent = exponent_of(magnitude, t)
    y = magnitude / Fraction(2) ** (exponent - t.frac_bits)
    floor = math.floor(y)
    return _brought_in(floor + _moves_up(y - floor, floor, negative, t), exponent, t, negative)


def _moves_up(rest: Fraction, floor: int, negative: bool, t: BinaryFloat) -> bool:
    """Whether the neighbour away from zero is taken, ``rest`` of the way to it."""
    match t.rounding:
        case FloatRounding.NEAREST_EVEN:
            return rest > HALF or (rest == HALF and floor % 2 == 1)
        case FloatRounding.NEAREST_AWAY:
            return rest >= HALF
        case FloatRounding.NEAREST_ZERO:
            return rest > HALF
        case FloatRounding.TOWARD_ZERO:
            return False
        case FloatRounding.UP:
            return rest > 0 and not negative
        case FloatRounding.DOWN:
            return rest > 0 and negative
        case FloatRounding.ODD:
            return rest > 0 and floor % 2 == 0
    raise ValueError(f"{t} rounds by chance: neighbours() gives the two codes")


def _brought_in(significand: int, exponent: int, t: BinaryFloat, negative: bool | None) -> int:
    """The code of ``significand * 2**(exponent - frac_bits)``, in range; sign left out."""
    if significand >> t.precision:
        significand, exponent = significand >> 1, exponent + 1
    if exponent > t.emax or (exponent == t.emax and significand > t.max_significand):
        return _beyond(t, negative)
    if exponent < t.emin:
        return 0  # flushed: with subnormals no exponent is below
    return ((exponent - t.emin) << t.frac_bits) + significand


def _beyond(t: BinaryFloat, negative: bool | None) -> int:
    """The code of a magnitude above the largest; ``negative`` is ``None`` for an infinity."""
    stays = t.rounding in (FloatRounding.TOWARD_ZERO, FloatRounding.ODD)
    stays = stays or _KEPT.get(t.rounding) is negative
    if t.overflow is FloatOverflow.SATURATE or (stays and negative is not None):
        return t.max_magnitude
    if t.has_inf:
        return ((1 << t.exp_bits) - 1) << t.frac_bits
    assert t.nan_code is not None
    return t.nan_code


def _packed(magnitude: int, negative: bool, t: BinaryFloat) -> int:
    """The whole code; a NaN and an unsigned zero have no sign."""
    if magnitude == t.nan_code or (magnitude == 0 and not t.negative_zero):
        return magnitude
    return (magnitude | negative << (t.width - 1)) ^ t.flip
