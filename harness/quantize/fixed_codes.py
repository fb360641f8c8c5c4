"""The exact core of fixed point: integer significand in, code out, for at most 64 bits.

The steps are the hardware's: shift to the target's LSB, look at the guard bit and the bits below
it, add one or not, see whether the result is in range, and repair it if not.  ``to_code`` is
written without branches on data, so that the same lines run as a compiled scalar loop over NumPy
arrays (Numba) and as tensor operations (torch).  All integers are 64-bit two's complement; the
source's sign travels beside its bits, which makes room for unsigned 64-bit codes and for the carry
of a rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

from harness.quantize.compiled import kernel
from harness.quantize.plan import Plan

__all__ = [
    "doubles_to_codes",
    "dropped",
    "integers_to_codes",
    "is_below",
    "logical_shift",
    "select",
    "split_double",
    "to_code",
    "udiv",
]

# Plain integers, because Numba compiles these as constants.
RND, RND_ZERO, RND_MIN_INF, RND_INF, RND_CONV, TRN, TRN_ZERO = range(7)
SAT, SAT_ZERO, SAT_SYM, WRAP, WRAP_SM = range(5)

FRACTION = (1 << 52) - 1
HIDDEN = 1 << 52
LARGEST = (1 << 63) - 1
BLOCK = 1024


@register_jitable
def select(condition: Any, a: Any, b: Any) -> Any:
    """``a`` where ``condition`` holds, else ``b``; exclusive or cannot leave 64 bits."""
    return b ^ ((a ^ b) & -(condition * 1))


@register_jitable
def least(a: Any, b: Any) -> Any:
    """The lesser of two integers."""
    return select(a < b, a, b)


@register_jitable
def logical_shift(bits: Any, count: Any) -> Any:
    """``bits >> count`` with zeros coming in, for any ``count >= 0``."""
    once = (bits >> 1) & LARGEST
    shifted = once >> least(select(count > 0, count - 1, 0), 63)
    return select(count > 0, shifted, bits) * (count < 64)


@register_jitable
def shift_right(bits: Any, count: Any, unsigned: int) -> Any:
    """Floor division by ``2**count``, for any ``count >= 0``."""
    if unsigned:
        return logical_shift(bits, count)
    return bits >> least(count, 63)


@register_jitable
def dropped(bits: Any, right: Any, unsigned: int) -> Any:
    """``bits`` without the low ``right`` ones; the highest of these; whether one below is set."""
    floor = shift_right(bits, right, unsigned)
    below = select(right > 0, right - 1, 0)  # the index of the guard bit
    guard = ((bits >> least(below, 63)) & 1) * (right > 0)
    if unsigned:
        guard = guard * (right < 65)
    rest = select(below < 64, (1 << least(below, 63)) - 1, -1)
    return floor, guard, ((bits & rest) != 0) * 1


@register_jitable
def round_up(q: int, guard: Any, sticky: Any, negative: Any, odd: Any) -> Any:
    """Whether the floor moves up by one: ``guard`` is the half bit, ``sticky`` any bit below."""
    if q == TRN:
        return guard * 0
    if q == TRN_ZERO:
        return negative * (guard | sticky)
    if q == RND:
        return guard
    if q == RND_ZERO:
        return guard * (negative | sticky)
    if q == RND_MIN_INF:
        return guard * sticky
    if q == RND_INF:
        return guard * ((1 - negative) | sticky)
    return guard * (odd | sticky)


@register_jitable
def wrapped(bits: Any, p: Plan) -> Any:
    """The low W bits as a code of the target."""
    if p.signed:
        return (bits << (64 - p.width)) >> (64 - p.width)
    return bits & p.mask


@register_jitable
def repaired(v: Any, negative: Any, deleted: Any, p: Plan) -> Any:
    """The code of an out-of-range ``v``; ``deleted`` is the lowest bit above the target's MSB."""
    if p.o == SAT or p.o == SAT_SYM:
        return select(negative, p.lower, p.upper)
    if p.o == SAT_ZERO:
        return v * 0
    code = wrapped(v, p)
    if p.o == WRAP_SM:
        if p.n == 0:
            flip = ((code < 0) * 1) ^ deleted
        elif p.n == 1:
            flip = ((code < 0) * 1) ^ negative
        else:
            flip = 1 - (((code >> (p.width - p.n)) & 1) ^ negative)
        code = code ^ -flip
    if p.n == 0:
        return code
    return (code & p.low_mask) | select(negative, p.top_neg, p.top_pos)


@register_jitable
def to_code(bits: Any, unsigned: int, drop: Any, p: Plan) -> Any:
    """The code of ``bits * 2**-(frac + drop)`` in the planned type, as ``int64``.

    Args:
        bits: source integers, ``int64``.
        unsigned: 1 if ``bits`` are to be read as unsigned 64-bit integers.
        drop: how many bits the target does not keep; negative to shift left.  ``int64``.
        p: the target.
    """
    negative = (bits < 0) * (1 - unsigned)
    right = select(drop > 0, drop, 0)
    left = select(drop < 0, -drop, 0)

    floor, guard, sticky = dropped(bits, right, unsigned)
    up = round_up(p.q, guard, sticky, negative, floor & 1)

    moved = (floor << least(left, 63)) * (left < 64)
    back = select(negative, moved >> least(left, 63), logical_shift(moved, left))
    lost = back != floor
    v = moved + up
    negative = negative * (1 - (floor == -1) * up)

    if p.signed:
        inside = ((v < 0) * 1 == negative) & (v >= p.lower) & (v <= p.upper)
    else:
        inside = (negative == 0) & ((v & ~p.mask) == 0)
    inside = (inside * 1) * (1 - lost * 1)
    if p.o == WRAP and p.n == 0:
        return wrapped(v, p)

    place = p.width + drop  # of the lowest deleted bit, in the source, before rounding
    deleted = (bits >> least(select(place > 0, place, 0), 63)) & 1
    deleted = deleted * (place >= 0)
    if unsigned:
        deleted = deleted * (place < 64)
    return select(inside, v, repaired(v, negative, deleted, p))


@register_jitable
def split_double(word: Any) -> Any:
    """A double's word as ``(signed significand, exponent)``: every field read as the header does.

    The implicit one is set for subnormals too, and NaN and infinity are numbers like others.
    """
    significand = (word & FRACTION) | HIDDEN
    significand = significand * ((word & LARGEST) != 0)
    exponent = ((word >> 52) & 0x7FF) - 1075
    return select(word < 0, -significand, significand), exponent


@register_jitable
def is_below(a: Any, b: Any) -> Any:
    """Whether ``a < b``, both read as unsigned 64-bit integers."""
    return (a ^ (-LARGEST - 1)) < (b ^ (-LARGEST - 1))


@register_jitable
def udiv(a: Any, b: Any) -> Any:
    """The unsigned 64-bit quotient ``a // b`` of a non-zero ``b``."""
    small = select(b < 0, 1, b)  # a divisor of 2**63 and more goes in once or not at all
    quotient = (((a >> 1) & LARGEST) // small) << 1
    rest = a - quotient * small
    quotient = quotient + (1 - is_below(rest, small) * 1)
    return select(b < 0, 1 - is_below(a, b) * 1, quotient)


@kernel(nogil=True)
def doubles_to_codes(x: Any, out: Any, p: Plan) -> None:
    """Codes of a flat float array (any float dtype Numba knows), in one pass."""
    block = np.empty(BLOCK, np.float64)
    words = block.view(np.int64)
    for start in range(0, x.size, BLOCK):
        size = min(BLOCK, x.size - start)
        for k in range(size):
            block[k] = x[start + k]
        for k in range(size):
            bits, exponent = split_double(words[k])
            out[start + k] = to_code(bits, 0, -exponent - p.frac, p)


@kernel(nogil=True)
def integers_to_codes(x: Any, out: Any, unsigned: int, frac: int, p: Plan) -> None:
    """Codes of a flat ``int64`` array of codes with ``frac`` fractional bits."""
    drop = np.int64(frac - p.frac)
    clips = p.o == SAT or p.o == SAT_SYM
    simple = clips or (p.o == WRAP and p.n == 0)
    if simple and not unsigned and 0 <= drop < 63 and p.width < 64:
        _drop_bits(x, out, drop, p)
        return
    for k in range(x.size):
        out[k] = to_code(x[k], unsigned, drop, p)


@kernel(nogil=True)
def _drop_bits(x: Any, out: Any, drop: Any, p: Plan) -> None:
    """:func:`to_code` of signed codes where bits are dropped, and what overflows wraps or clips."""
    q, signed, wraps = p.q, p.signed, p.o == WRAP
    lower, upper, mask, free = p.lower, p.upper, p.mask, 64 - p.width
    rest = (1 << max(drop - 1, 0)) - 1
    for k in range(x.size):
        bits = x[k]
        v = bits >> drop
        if drop > 0 and q != TRN:
            guard = (bits >> (drop - 1)) & 1
            v += round_up(q, guard, ((bits & rest) != 0) * 1, (bits < 0) * 1, v & 1)
        if not wraps:
            out[k] = min(max(v, lower), upper)
        elif signed:
            out[k] = (v << free) >> free
        else:
            out[k] = v & mask
