"""The exact core of floating point: significand and exponent in, code out, and back.

A float is rounded where its leading bit says, so the core counts bits first; from there it is the
fixed-point core's shift, guard and sticky bit.  The code of a magnitude is its significand plus its
exponent field in place, so that the carry of a rounding, subnormals and the overflow into infinity
need no cases.  Written without branches on data, for compiled scalar loops and for tensors.
"""

from __future__ import annotations

from typing import Any

from numba.extending import register_jitable

from harness.quantize.compiled import kernel
from harness.quantize.fixed_codes import dropped, is_below, logical_shift, select, to_code
from harness.quantize.plan import Packing, Plan

__all__ = [
    "double_to_code",
    "doubles_to_codes",
    "floats_to_fixed",
    "floats_to_floats",
    "integers_to_codes",
    "pack",
    "sign_code",
    "specials",
    "unpack",
]

EVEN, UP, DOWN, ZERO = 1, 2, 3, 4
TIES_ZERO, TIES_AWAY, ODD = 7, 8, 9

FRACTION = (1 << 52) - 1
LARGEST = (1 << 63) - 1
INFINITY = 0x7FF << 52


@register_jitable
def bit_length(bits: Any) -> Any:
    """How many bits an unsigned 64-bit integer has, leading zeros left out."""
    length = (bits != 0) * 1
    for step in (32, 16, 8, 4, 2, 1):
        high = logical_shift(bits, step)
        found = (high != 0) * 1
        bits = select(found != 0, high, bits)
        length = length + found * step
    return length


@register_jitable
def away(rounding: int, guard: Any, sticky: Any, negative: Any, odd: Any) -> Any:
    """1 if the neighbour away from zero is taken."""
    inexact = guard | sticky
    if rounding == EVEN:
        return guard & (sticky | odd)
    if rounding == ZERO:
        return inexact * 0
    if rounding == UP:
        return inexact & (1 - negative)
    if rounding == DOWN:
        return inexact & negative
    if rounding == TIES_ZERO:
        return guard & sticky
    if rounding == TIES_AWAY:
        return guard
    return inexact & (1 - odd)


@register_jitable
def pack(negative: Any, bits: Any, exponent: Any, p: Packing) -> Any:
    """The code of ``+-bits * 2**exponent``.

    Args:
        negative: 1 for a minus, also of a zero.
        bits: magnitudes, ``int64`` read as unsigned.
        exponent: ``int64``.
        p: the target.
    """
    place = exponent + bit_length(bits) - 1  # of the leading bit
    if not p.flush:
        place = select(place < p.emin, p.emin, place)
    drop = place - p.frac - exponent
    right, left = select(drop > 0, drop, 0), select(drop < 0, -drop, 0)
    floor, guard, sticky = dropped(bits, right, 1)
    significand = floor << select(left < 63, left, 63)
    significand = significand + away(p.rounding, guard, sticky, negative, significand & 1)

    # Fields are kept near the range, so that no shift overflows.
    field = select(place > p.emax, p.emax, place) - p.emin
    field = select(field < -2, -2, field)
    magnitude = (field << p.frac) + significand
    over = is_below(magnitude * 0 + p.top, magnitude) & (field >= 0) | (place > p.emax)
    magnitude = select(over, select(negative != 0, p.below, p.above), magnitude)
    if p.flush:
        magnitude = magnitude * ((field >= 0) | (magnitude >= (1 << p.frac)))
    magnitude = magnitude * (bits != 0)
    return signed(negative * (bits != 0), magnitude, p) | zero_sign(negative * (bits == 0), p)


@register_jitable
def signed(negative: Any, magnitude: Any, p: Packing) -> Any:
    """A whole code; NaN has no sign, nor has an unsigned zero."""
    minus = negative * (magnitude != p.nan)
    if not p.underflow_sign:
        minus = minus * (magnitude != 0)
    return (magnitude | (p.sign & -minus)) ^ p.flip


@register_jitable
def zero_sign(negative: Any, p: Packing) -> Any:
    """The sign bit of a zero that was one before."""
    return p.sign & -(negative * p.zero_sign)


@register_jitable
def double_to_code(word: Any, p: Packing) -> Any:
    """The code of a double, given as its word; the caller has seen to NaN if there is none."""
    negative = (word < 0) * 1
    magnitude = word & LARGEST
    field = magnitude >> 52
    normal = (field > 0) * 1
    bits = (magnitude & FRACTION) | (normal << 52)
    code = pack(negative, bits, field - normal - 1074, p)
    code = select(magnitude == INFINITY, signed(negative, magnitude * 0 + p.inf, p), code)
    return select(magnitude > INFINITY, p.nan ^ p.flip, code)


@register_jitable
def unpack(code: Any, p: Packing) -> Any:
    """Sign (0 or 1), significand and exponent, ``value = +-significand * 2**exponent``.

    Infinities and NaN come out as the numbers their fields would be; see :func:`specials`.
    """
    word = code ^ p.flip
    magnitude = word & ~p.sign
    field = logical_shift(magnitude, p.frac)
    normal = (field > 0) * 1
    significand = (magnitude & ((1 << p.frac) - 1)) | (normal << p.frac)
    if p.flush:
        significand = significand * normal
    return ((word & p.sign) != 0) * 1, significand, field - normal + p.emin - p.frac


def sign_code(code: Any, zero: int, p: Packing) -> Any:
    """1 or 0 by the sign of a number; ``zero`` is what 0 becomes.  Arrays or tensors."""
    negative, significand, _ = unpack(code, p)
    return select(significand == 0, zero, 1 - negative)


@register_jitable
def specials(code: Any, p: Packing) -> Any:
    """Whether codes are infinities, and whether they are NaN."""
    magnitude = (code ^ p.flip) & ~p.sign
    if p.nan < 0 and p.nan != p.sign:
        return magnitude < 0, magnitude < 0
    if p.nan == p.sign:
        return magnitude < 0, code == p.sign
    if p.nan == p.top + 1:
        return magnitude < 0, magnitude == p.nan
    return magnitude == p.top + 1, magnitude > p.top + 1


@register_jitable
def to_fixed(code: Any, source: Packing, target: Plan) -> Any:
    """The fixed-point code of a finite float code."""
    negative, bits, exponent = unpack(code, source)
    return to_code(select(negative != 0, -bits, bits), 0, -exponent - target.frac, target)


@register_jitable
def to_float(code: Any, source: Packing, target: Packing) -> Any:
    """The code in another float type; the caller has seen to NaN if that has none."""
    negative, bits, exponent = unpack(code, source)
    infinite, nan = specials(code, source)
    found = pack(negative, bits, exponent, target)
    found = select(infinite, signed(negative, bits * 0 + target.inf, target), found)
    return select(nan, target.nan ^ target.flip, found)


@kernel(nogil=True)
def floats_to_fixed(codes: Any, out: Any, source: Packing, target: Plan) -> None:
    """Fixed-point codes of finite float codes."""
    for k in range(codes.size):
        out[k] = to_fixed(codes[k], source, target)


@kernel(nogil=True)
def floats_to_floats(codes: Any, out: Any, source: Packing, target: Packing) -> None:
    """Codes in one float type of codes in another."""
    for k in range(codes.size):
        out[k] = to_float(codes[k], source, target)


@kernel(nogil=True)
def doubles_to_codes(words: Any, out: Any, p: Packing) -> bool:
    """Codes of doubles, given as their words; whether all but NaN without a code were written."""
    nan = False
    for k in range(words.size):
        nan |= (words[k] & LARGEST) > INFINITY
        out[k] = double_to_code(words[k], p)
    return not (nan and p.nan == -1)


@kernel(nogil=True)
def integers_to_codes(x: Any, out: Any, unsigned: int, exponent: int, p: Packing) -> None:
    """Codes of ``x * 2**exponent`` for ``int64`` words, to be read as unsigned if that is 1."""
    for k in range(x.size):
        negative = (x[k] < 0) * (1 - unsigned)
        out[k] = pack(negative, select(negative != 0, -x[k], x[k]), exponent, p)
