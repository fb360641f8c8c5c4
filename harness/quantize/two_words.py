"""Fixed point in two words: conversions and arithmetic of up to 128 bits in compiled loops.

A number is a pair of 64-bit integers, the low word and the high one, which are the two's complement
of it in 128 bits.  Types that these hold are those of up to 128 bits with a sign, or 127 without.
The steps are those of :mod:`harness.quantize.fixed_codes`, written for scalars.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numba import njit, types
from numba.extending import intrinsic, register_jitable

from harness.quantize.fixed_codes import SAT, SAT_SYM, SAT_ZERO, TRN, WRAP, WRAP_SM, round_up
from harness.quantize.plan import as_int64
from harness.types import ApFixed, Overflow

__all__ = [
    "ADD",
    "AND",
    "DIV",
    "MUL",
    "OR",
    "SUB",
    "XOR",
    "WideTarget",
    "added",
    "cast_words",
    "clipped",
    "combine_words",
    "compare_words",
    "converted",
    "fits",
    "loaded",
    "multiplied",
    "product",
    "rounded",
    "shifted_left",
    "shifted_right",
    "stored",
    "target_of",
    "wrapped",
]

ADD, SUB, MUL, AND, OR, XOR, DIV = range(7)


class WideTarget(NamedTuple):
    """What the kernels need to know of a target type: ``int64`` all, words as bit patterns."""

    q: int
    o: int
    n: int
    signed: int
    width: int
    lower_low: int  # the lowest code that saturation leaves
    lower_high: int
    upper_low: int
    upper_high: int


def fits(t: Any) -> bool:
    """Whether two words hold every code of a fixed-point type, its sign beside it."""
    return isinstance(t, ApFixed) and t.width - t.signed < 128


@functools.lru_cache(maxsize=4096)
def target_of(t: ApFixed) -> WideTarget:
    """The facts of a type that :func:`fits`."""
    symmetric = t.overflow is Overflow.SAT_SYM and t.signed and t.width > 1
    lower, upper = -t.max_code if symmetric else t.min_code, t.max_code
    ends = (as_int64(lower), lower >> 64, as_int64(upper), upper >> 64)
    return WideTarget(int(t.rounding), int(t.overflow), t.n, int(t.signed), t.width, *ends)


def _high_word(typing: Any, a: Any, b: Any) -> Any:
    """What LLVM makes of the high word of the product of two signed words."""
    del typing, a, b

    def code(context: Any, builder: Any, signature: Any, words: Any) -> Any:
        del context, signature
        word = words[0].type
        double = type(word)(128)
        x, y = (builder.sext(w, double) for w in words)
        return builder.trunc(builder.ashr(builder.mul(x, y), double(64)), word)

    return types.int64(types.int64, types.int64), code


_high: Any = intrinsic(_high_word)


@register_jitable
def added(a_low: Any, a_high: Any, b_low: Any, b_high: Any) -> Any:
    """``a + b``."""
    low = a_low + b_low
    return low, a_high + b_high + (np.uint64(low) < np.uint64(a_low)) * 1


@register_jitable
def negated(low: Any, high: Any) -> Any:
    """``-a``."""
    return -low, ~high + (low == 0) * 1


@register_jitable
def product(a: Any, b: Any) -> Any:
    """The product of two signed words."""
    return a * b, _high(a, b)


@register_jitable
def multiplied(a_low: Any, a_high: Any, b_low: Any, b_high: Any) -> Any:
    """The low 128 bits of ``a * b``."""
    high = _high(a_low, b_low) + a_low * b_high + a_high * b_low
    high += (b_low & (a_low >> 63)) + (a_low & (b_low >> 63))  # the low words have no sign
    return a_low * b_low, high


@register_jitable
def _digit(rest: Any, digit: Any, divisor: Any) -> Any:
    """A digit of 32 bits of a quotient, and what is left."""
    dividend = (rest << np.uint64(32)) | digit
    quotient = dividend // divisor
    return quotient, dividend - quotient * divisor


@register_jitable
def divided(low: Any, high: Any, divisor: Any) -> Any:
    """``a / divisor`` toward zero, for a divisor of up to 32 bits that is not zero."""
    negative = (high < 0) != (divisor < 0)
    if high < 0:
        low, high = negated(low, high)
    d, half, ones = np.uint64(abs(divisor)), np.uint64(32), np.uint64((1 << 32) - 1)
    above, below = np.uint64(high), np.uint64(low)
    first, rest = _digit(np.uint64(0), above >> half, d)
    second, rest = _digit(rest, above & ones, d)
    third, rest = _digit(rest, below >> half, d)
    fourth, rest = _digit(rest, below & ones, d)
    low, high = np.int64((third << half) | fourth), np.int64((first << half) | second)
    return negated(low, high) if negative else (low, high)


@register_jitable
def shifted_left(low: Any, high: Any, count: Any) -> Any:
    """``a << count``, what leaves 128 bits lost, for any ``count >= 0``."""
    if count == 0:
        return low, high
    if count < 64:
        carried = np.int64(np.uint64(low) >> np.uint64(64 - count))
        return low << count, (high << count) | carried
    return low * 0, (low << (count - 64) if count < 128 else low * 0)


@register_jitable
def shifted_right(low: Any, high: Any, count: Any) -> Any:
    """Floor division by ``2**count``, for any ``count >= 0``."""
    if count == 0:
        return low, high
    if count < 64:
        carried = high << (64 - count)
        return np.int64(np.uint64(low) >> np.uint64(count)) | carried, high >> count
    return high >> min(count - 64, 63), high >> 63


@register_jitable
def bit(low: Any, high: Any, place: Any) -> Any:
    """The bit at ``place``, 0 the lowest; beyond 128 the sign, below 0 none."""
    if place < 0:
        return low * 0
    return ((low >> place) if place < 64 else (high >> min(place - 64, 63))) & 1


@register_jitable
def _any_below(low: Any, high: Any, place: Any) -> Any:
    """Whether a bit below ``place`` is set."""
    if place < 64:
        return (low & ((np.int64(1) << place) - 1)) != 0
    rest = high & ((np.int64(1) << (place - 64)) - 1) if place < 128 else high
    return low != 0 or rest != 0


@register_jitable
def less(a_low: Any, a_high: Any, b_low: Any, b_high: Any) -> Any:
    """Whether ``a < b``."""
    return a_high < b_high or (a_high == b_high and np.uint64(a_low) < np.uint64(b_low))


@register_jitable
def rounded(low: Any, high: Any, drop: Any, q: int) -> Any:
    """``a * 2**-drop`` as the rounding ``q`` has it, for ``drop >= 0``."""
    v_low, v_high = shifted_right(low, high, drop)
    if q == TRN or drop == 0:
        return v_low, v_high
    guard = bit(low, high, drop - 1)
    sticky = _any_below(low, high, drop - 1) * 1
    up = round_up(q, guard, sticky, (high < 0) * 1, v_low & 1)
    return added(v_low, v_high, up, np.int64(0))


@register_jitable
def wrapped(low: Any, high: Any, p: WideTarget) -> Any:
    """The low W bits as a code of the target."""
    if p.width > 64:
        free = 128 - p.width
        high = high << free
        return low, (high >> free if p.signed else np.int64(np.uint64(high) >> np.uint64(free)))
    free = 64 - p.width
    low = low << free
    if p.signed:
        low = low >> free
        return low, low >> 63
    return np.int64(np.uint64(low) >> np.uint64(free)), high * 0


@register_jitable
def clipped(low: Any, high: Any, p: WideTarget) -> Any:
    """The end of the target that a number is beyond, or the number."""
    if less(low, high, p.lower_low, p.lower_high):
        return p.lower_low, p.lower_high
    if less(p.upper_low, p.upper_high, low, high):
        return p.upper_low, p.upper_high
    return low, high


@register_jitable
def _repaired(low: Any, high: Any, negative: Any, deleted: Any, p: WideTarget) -> Any:
    """The code of a number out of range, whose sign is given: its words may have lost it."""
    if p.o == SAT or p.o == SAT_SYM:  # noqa: PLR1714 - Numba compiles it better
        return (p.lower_low, p.lower_high) if negative else (p.upper_low, p.upper_high)
    if p.o == SAT_ZERO:
        return low * 0, high * 0
    low, high = wrapped(low, high, p)
    if p.o == WRAP_SM:
        if p.n == 0:
            flip = ((high < 0) * 1) ^ deleted
        elif p.n == 1:
            flip = ((high < 0) * 1) ^ (negative * 1)
        else:
            flip = 1 - (bit(low, high, p.width - p.n) ^ (negative * 1))
        low, high = low ^ -flip, high ^ -flip
    if p.n == 0:
        return low, high
    # The top N bits are those of the end that was left, the low ones stay.
    keep_low, keep_high = shifted_left(np.int64(-1), np.int64(-1), p.width - p.n)
    sign_low, sign_high = shifted_left(np.int64(1), np.int64(0), p.width - 1)
    if not p.signed:
        top_low, top_high = keep_low, keep_high
    elif negative:
        top_low, top_high = sign_low, sign_high
    else:
        top_low, top_high = keep_low & ~sign_low, keep_high & ~sign_high
    return wrapped((low & ~keep_low) | top_low, (high & ~keep_high) | top_high, p)


@register_jitable
def converted(low: Any, high: Any, drop: Any, p: WideTarget) -> Any:
    """The code in the target of a number that has ``drop`` bits more behind the point than it."""
    lost = False
    if drop > 0:
        v_low, v_high = rounded(low, high, drop, p.q)
    else:
        v_low, v_high = shifted_left(low, high, -drop)
        back_low, back_high = shifted_right(v_low, v_high, -drop)
        lost = back_low != low or back_high != high
    if p.o == WRAP and p.n == 0:
        return wrapped(v_low, v_high, p)
    negative = high < 0 if lost else v_high < 0
    below = less(v_low, v_high, p.lower_low, p.lower_high)
    above = less(p.upper_low, p.upper_high, v_low, v_high)
    if not (lost or below or above):
        return v_low, v_high
    return _repaired(v_low, v_high, negative, bit(low, high, p.width + drop), p)


@register_jitable
def loaded(words: Any, k: int, unsigned: int) -> Any:
    """The number in row ``k`` of (n, 1) or (n, 2) words; one word may be ``unsigned``."""
    low = words[k, 0]
    if words.shape[1] == 2:
        return low, words[k, 1]
    return low, (low * 0 if unsigned else low >> 63)


@register_jitable
def stored(words: Any, k: int, low: Any, high: Any) -> None:
    """Write a number into row ``k``, or its low word."""
    words[k, 0] = low
    if words.shape[1] == 2:
        words[k, 1] = high


@njit(cache=True, nogil=True)
def cast_words(x: Any, unsigned: int, out: Any, drop: int, p: WideTarget) -> None:
    """Codes of a flat array in another type; words as :func:`loaded` reads them."""
    for k in range(len(x)):
        low, high = loaded(x, k, unsigned)
        low, high = converted(low, high, drop, p)
        stored(out, k, low, high)


@njit(cache=True, nogil=True)
def combine_words(
    op: int, a: Any, a_unsigned: int, a_left: int, b: Any, b_unsigned: int, b_left: int, out: Any
) -> None:
    """``(a << a_left) op (b << b_left)``, which must fit 128 bits; a divisor as :func:`divided`."""
    for k in range(len(a)):
        a_low, a_high = loaded(a, k, a_unsigned)
        b_low, b_high = loaded(b, k, b_unsigned)
        a_low, a_high = shifted_left(a_low, a_high, a_left)
        b_low, b_high = shifted_left(b_low, b_high, b_left)
        if op == SUB:
            b_low, b_high = negated(b_low, b_high)
        if op == MUL:
            low, high = multiplied(a_low, a_high, b_low, b_high)
        elif op == DIV:
            low, high = divided(a_low, a_high, b_low)
        elif op == AND:
            low, high = a_low & b_low, a_high & b_high
        elif op == OR:
            low, high = a_low | b_low, a_high | b_high
        elif op == XOR:
            low, high = a_low ^ b_low, a_high ^ b_high
        else:
            low, high = added(a_low, a_high, b_low, b_high)
        stored(out, k, low, high)


@njit(cache=True, nogil=True)
def compare_words(
    a: Any, a_unsigned: int, a_left: int, b: Any, b_unsigned: int, b_left: int, out: Any
) -> None:
    """-1, 0 or 1 where ``a << a_left`` is less than, equal to, or more than ``b << b_left``."""
    for k in range(len(a)):
        a_low, a_high = loaded(a, k, a_unsigned)
        b_low, b_high = loaded(b, k, b_unsigned)
        a_low, a_high = shifted_left(a_low, a_high, a_left)
        b_low, b_high = shifted_left(b_low, b_high, b_left)
        below = less(a_low, a_high, b_low, b_high)
        above = less(b_low, b_high, a_low, a_high)
        out[k] = above * 1 - below * 1
