"""Types beyond 64 bits: the same conversions on Python integers, one element at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from harness.quantize.plan import loses_integer_bits
from harness.types import (
    ApFixed,
    ApInt,
    Binary,
    BinaryFloat,
    FloatOverflow,
    FloatRounding,
    MiniFloat,
    Overflow,
    Rounding,
)

__all__ = [
    "double_to_code",
    "float_to_integer",
    "integer_to_code",
    "map_codes",
    "number_to_code",
    "recode",
    "value",
    "wrapped",
]


def map_codes(function: Callable[[Any], Any], x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An object array of what ``function`` makes of the elements of ``x``, in its shape."""
    out = np.empty(x.shape, dtype=object)
    items: Iterable[Any] = x.ravel().tolist()
    out.ravel()[:] = [function(item) for item in items]
    return out


def double_to_code(x: float, t: Any) -> int:
    """The code of a double; fixed point reads NaN, infinities and subnormals as the header does."""
    if isinstance(t, BinaryFloat):
        return _special_to_code(x, t) if not math.isfinite(x) else _finite_to_code(x, t)
    negative = math.copysign(1.0, x) < 0
    if x == 0:
        return 0
    word = int(np.float64(x).view(np.uint64))
    if isinstance(t, ApInt) and -0.5 < x < 0:
        return wrapped(1, t)  # the header stores -1 and negates it
    significand = word % (1 << 52) + (1 << 52)
    exponent = (word >> 52) % 2048 - 1075
    return integer_to_code(-significand if negative else significand, -exponent, t)


def float_to_integer(word: int, t: ApInt) -> int:
    """The code of a ``float``'s bits in an integer type, which the header does not widen first.

    So NaN and infinities are ``2**128 * 1.fraction``, and not the 2**1024 of :func:`double_to_code`
    that no integer type has.
    """
    if word >> 23 & 0xFF == 0xFF:
        significand = word % (1 << 23) + (1 << 23)
        return integer_to_code(-significand if word >> 31 else significand, 23 - 128, t)
    return double_to_code(float(np.uint32(word).view(np.float32)), t)


def number_to_code(x: int | float | Fraction, t: Any) -> int:
    """The code of a Python number: a float as a double, anything else exactly, rounded once.

    Other than a subnormal double, a number has the same code as a float and as a fraction.
    """
    if isinstance(t, Binary):
        if isinstance(x, float) and math.isnan(x):
            raise ValueError(f"x has NaN, {t} has none")
        return integer_to_code((x > 0) - (x < 0), 0, t)
    if isinstance(x, float):
        return double_to_code(x, t)
    if isinstance(t, ApInt) and -1 < 2 * x < 0:
        return wrapped(1, t)  # as of a double
    return integer_to_code(*_dyadic(x, t), t)


def _dyadic(x: int | Fraction, t: Any) -> tuple[int, int]:
    """``m`` and ``frac``: ``m * 2**-frac`` is ``x``, or lies as ``x`` does between two of a grid.

    The grid is twice as fine as half an LSB, so that what is below it is a sticky bit.
    """
    p, q = x.numerator, x.denominator
    if q & (q - 1) == 0:
        return p, q.bit_length() - 1
    if isinstance(t, ApFixed):
        frac = max(t.frac, 0) + 1
    else:
        frac = t.precision + 2 + q.bit_length() - p.bit_length()
    floor = (p << max(frac, 0)) // (q << max(-frac, 0))
    return 2 * floor + 1, frac + 1


def integer_to_code(m: int, frac: int, t: Any) -> int:
    """The code of ``m * 2**-frac``."""
    if isinstance(t, Binary):
        return int(m > 0 or (m == 0 and t.zero == 1))
    if isinstance(t, BinaryFloat):
        return _pack(m < 0, abs(m), -frac, t)
    drop = frac - t.frac
    if drop <= 0:
        floor, rounded = m << -drop, m << -drop
    else:
        floor = m >> drop
        twice = 2 * (m - (floor << drop))  # twice the remainder, against the weight 2**drop
        rounded = floor + _up(t.rounding, floor, twice, 1 << drop)
    return _fit(rounded, floor, t)


def recode(code: int, source: Any, target: Any) -> int:
    """The code in ``target`` of the value that has ``code`` in ``source``."""
    if isinstance(source, ApFixed):
        if loses_integer_bits(source, target) and code < 0:
            return wrapped(-1, target)
        return integer_to_code(code, source.frac, target)
    if isinstance(source, Binary):
        return integer_to_code(2 * code - 1, 0, target)
    found = value(code, source)
    if isinstance(found, float):
        if isinstance(target, Binary) and not math.isnan(found):
            return int(found > 0)
        if not isinstance(target, BinaryFloat):
            raise ValueError(f"codes of {source} have NaN or infinity, {target} has none")
        return _special_to_code(found, target)
    negative, bits, exponent = _unpack(code, source)
    if isinstance(target, BinaryFloat):
        return _pack(negative, bits, exponent, target)
    return integer_to_code(-bits if negative else bits, -exponent, target)


def value(code: int, t: Any) -> Fraction | float:
    """The exact value of a code; a float for infinities and NaN."""
    if isinstance(t, ApFixed):
        return code * t.lsb_exact
    if isinstance(t, Binary):
        return Fraction(2 * code - 1)
    magnitude = (code ^ t.flip) & ~(1 << (t.width - 1))
    if t.nan_code is not None and (code == t.nan_code or magnitude > t.max_magnitude):
        infinite = t.has_inf and magnitude == t.max_magnitude + 1
        return math.copysign(math.inf, 1 - 2 * (code >> (t.width - 1))) if infinite else math.nan
    negative, bits, exponent = _unpack(code, t)
    return (-bits if negative else bits) * Fraction(2) ** exponent


def _unpack(code: int, t: BinaryFloat) -> tuple[bool, int, int]:
    word = code ^ t.flip
    field = (word >> t.frac_bits) % (1 << t.exp_bits)
    bits = word % (1 << t.frac_bits)
    if field:
        bits += 1 << t.frac_bits
    elif not t.subnormals:
        bits = 0
    return bool(word >> (t.width - 1)), bits, max(field, 1) - t.bias - t.frac_bits


def _finite_to_code(x: float, t: BinaryFloat) -> int:
    fraction, exponent = math.frexp(abs(x))
    return _pack(math.copysign(1.0, x) < 0, int(math.ldexp(fraction, 53)), exponent - 53, t)


def _special_to_code(x: float, t: BinaryFloat) -> int:
    if math.isnan(x):
        if t.nan_code is None:
            raise ValueError(f"x has NaN, {t} has none")
        return t.nan_code
    saturates = t.overflow is FloatOverflow.SATURATE
    return _signed(x < 0, t.max_magnitude if saturates else _beyond(t), t)


def _beyond(t: BinaryFloat) -> int:
    """The magnitude that stands for more than the largest: an infinity, or NaN."""
    return t.max_magnitude + 1 if t.specials in ("ieee", "fn") else t.nan_code or 0


def _signed(negative: bool, magnitude: int, t: BinaryFloat) -> int:
    drops = magnitude == t.nan_code or (magnitude == 0 and not t.negative_zero)
    return (magnitude | (negative and not drops) << (t.width - 1)) ^ t.flip


def _pack(negative: bool, bits: int, exponent: int, t: BinaryFloat) -> int:
    """The code of ``+-bits * 2**exponent``: place, drop, round, and bring into range."""
    if bits == 0:
        return _signed(negative and not isinstance(t, MiniFloat), 0, t)
    place = exponent + bits.bit_length() - 1
    if t.subnormals:
        place = max(place, t.emin)
    drop = place - t.frac_bits - exponent
    kept = bits >> drop if drop > 0 else bits << -drop
    twice = 2 * (bits - (kept << drop)) if drop > 0 else 0
    one = 1 << max(drop, 0)
    kept += _away(t.rounding, twice, one, negative, kept & 1)
    magnitude = ((place - t.emin) << t.frac_bits) + kept
    if magnitude > t.max_magnitude:
        grows = t.rounding not in (FloatRounding.TOWARD_ZERO, FloatRounding.ODD) and (
            t.rounding is not (FloatRounding.UP if negative else FloatRounding.DOWN)
        )
        stays = t.overflow is FloatOverflow.SATURATE or not grows
        return _signed(negative, t.max_magnitude if stays else _beyond(t), t)
    if magnitude < 1 << t.frac_bits and not t.subnormals:
        magnitude = 0
    return _signed(negative, magnitude, t)


def _away(mode: FloatRounding, twice: int, one: int, negative: bool, odd: int) -> bool:
    directed = {
        FloatRounding.TOWARD_ZERO: False,
        FloatRounding.UP: not negative,
        FloatRounding.DOWN: negative,
        FloatRounding.ODD: not odd,
    }
    if mode in directed:
        return twice > 0 and directed[mode]
    if twice != one:
        return twice > one
    return {FloatRounding.NEAREST_AWAY: True, FloatRounding.NEAREST_ZERO: False}.get(mode, odd == 1)


def _up(mode: Rounding, floor: int, twice: int, one: int) -> bool:
    if mode is Rounding.TRN:
        return False
    if mode is Rounding.TRN_ZERO:
        return floor < 0 and twice > 0
    if twice != one:
        return twice > one
    tie = {
        Rounding.RND: True,
        Rounding.RND_MIN_INF: False,
        Rounding.RND_ZERO: floor < 0,
        Rounding.RND_INF: floor >= 0,
        Rounding.RND_CONV: floor & 1 == 1,
    }
    return tie[mode]


def wrapped(bits: int, t: ApFixed) -> int:
    """The low W bits as a code."""
    bits &= (1 << t.width) - 1
    return bits - (1 << t.width) if t.signed and bits >> (t.width - 1) else bits


def _fit(v: int, floor: int, t: ApFixed) -> int:
    symmetric = t.overflow is Overflow.SAT_SYM and t.signed and t.width > 1
    lower = -t.max_code if symmetric else t.min_code
    if lower <= v <= t.max_code:
        return v
    if t.overflow in (Overflow.SAT, Overflow.SAT_SYM):
        return lower if v < 0 else t.max_code
    if t.overflow is Overflow.SAT_ZERO:
        return 0
    code = wrapped(v, t)
    if t.overflow is Overflow.WRAP_SM:
        if t.n == 0:
            flip = (code < 0) != bool(floor >> t.width & 1)
        elif t.n == 1:
            flip = (code < 0) != (v < 0)
        else:
            flip = bool(code >> (t.width - t.n) & 1) == (v < 0)
        code = ~code if flip else code
    if t.n == 0:
        return code
    top = (1 << t.n) - 1  # unsigned: all ones
    if t.signed:
        top = 1 << (t.n - 1) if v < 0 else (1 << (t.n - 1)) - 1
    low_width = t.width - t.n
    return wrapped(top << low_width | code & ((1 << low_width) - 1), t)
