"""Operators on words of at most 64 bits: the same expressions serve NumPy arrays and torch tensors.

Words are ``int64``; an unsigned code of 64 bits is the word with the same bits.  Additions wrap in
64 bits, which is exact because the result type holds every result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.quantize.fixed_codes import is_below, logical_shift, select, shift_right, udiv, wrapped
from harness.quantize.float_codes import pack, unpack
from harness.quantize.plan import as_int64, packing, plan
from harness.types import ApFixed, ApInt, BinaryFloat, Operation, Overflow

__all__ = ["compute_words", "division_wraps", "fits_words", "reads_as_unsigned", "unsigned_rules"]


def fits_words(op: Operation, ta: Any, tb: Any, target: Any) -> bool:
    """Whether :func:`compute_words` is exact."""
    if op in (Operation.DIV, Operation.MOD) and reads_as_unsigned(ta, tb):
        return bool(max(ta.width, tb.width) < 64)
    return all(t.width <= 64 for t in (ta, tb or ta, target))


def compute_words(op: Operation, a: Any, ta: Any, b: Any, tb: Any, target: Any) -> Any:
    """Words of ``a op b`` in the type ``target``.

    Args:
        op: any operation but compound assignments, ``++``, ``--`` and conversions.
        a: words of ``ta``.
        ta: the type of the left operand.
        b: words of ``tb``; counts or numbers of bits in the shape of ``a``; ``(hi, lo)``.
        tb: the type of the right operand, if it has one.
        target: the type of the result.
    """
    if op.shift:
        return _shift(a, b if op is Operation.LSHIFT else -b, ta)
    if isinstance(ta, BinaryFloat) or isinstance(tb, BinaryFloat):
        return _product(a, ta, b, tb, target)
    if op.comparison:
        return _compare(op, a, ta, b, tb) * 1
    if op in (Operation.DIV, Operation.MOD):
        if isinstance(target, ApInt):
            return _divide_integers(op, a, ta, b, tb, target)
        return _divide(a, ta, b, tb)
    if tb is None:
        return _unary(op, a, b, ta)
    if op is Operation.CONCAT:
        return (_bits(a, ta) << tb.width) | _bits(b, tb)
    if op is Operation.MUL:
        return a * b
    return _ALIGNED[op](a << (target.frac - ta.frac), b << (target.frac - tb.frac))


_ALIGNED: dict[Operation, Callable[[Any, Any], Any]] = {
    Operation.ADD: lambda a, b: a + b,
    Operation.SUB: lambda a, b: a - b,
    Operation.AND: lambda a, b: a & b,
    Operation.OR: lambda a, b: a | b,
    Operation.XOR: lambda a, b: a ^ b,
}


def _unary(op: Operation, a: Any, b: Any, t: ApFixed) -> Any:
    """Operators of one number; ``b`` is the number of a bit, or two of them."""
    match op:
        case Operation.NEG:
            return -a
        case Operation.NOT:
            return _wrap(~a, t)
        case Operation.AND_REDUCE:
            return (_bits(a, t) == as_int64((1 << t.width) - 1)) * 1
        case Operation.OR_REDUCE:
            return (a != 0) * 1
        case Operation.XOR_REDUCE:
            return _parity(a)
        case Operation.BIT:
            return (a >> b) & 1
        case Operation.SET:
            return _wrap(a | _one_at(b, a), t)
        case Operation.CLEAR:
            return _wrap(a & ~_one_at(b, a), t)
        case _:
            return _slice(a, *b)


def _one_at(place: Any, a: Any) -> Any:
    """The bit at ``place`` in words like ``a``: a number of Python would leave 64 bits."""
    return (a * 0 + 1) << place


def _wrap(bits: Any, t: ApFixed) -> Any:
    """The low W bits as a code."""
    return wrapped(bits, plan(t))


def _bits(a: Any, t: ApFixed) -> Any:
    """The raw bits, without the sign's extension."""
    return a & as_int64((1 << t.width) - 1)


def _parity(a: Any) -> Any:
    """Whether the number of ones is odd, in 64 bits as the header keeps them."""
    for shift in (32, 16, 8, 4, 2, 1):
        a = a ^ (a >> shift)
    return a & 1


def _slice(a: Any, hi: int, lo: int) -> Any:
    """The bits from ``lo`` up to ``hi``, or in reverse order if ``hi`` is the lower one."""
    if hi >= lo:
        return logical_shift(a, lo) & as_int64((1 << (hi - lo + 1)) - 1)
    out = a * 0
    for k, place in enumerate(range(lo, hi - 1, -1)):
        out = out | (((a >> place) & 1) << k)
    return out


def _shift(a: Any, left: Any, t: ApFixed) -> Any:
    """Bits move, none is rounded and none saturates: what leaves the width is lost."""
    if isinstance(left, int):  # one count for all, at the speed of memory
        if left >= t.width:
            return a * 0
        if left > 0:
            free = 64 - t.width
            return (a << (left + free)) >> free if t.signed else _bits(a << left, t)
        return shift_right(a, min(-left, 64), int(not t.signed)) if left else a
    ahead, back = select(left > 0, left, 0), select(left < 0, -left, 0)
    moved = shift_right(a, back, int(not t.signed))
    return _wrap((moved << select(ahead < 64, ahead, 0)) * (ahead < 64), t)


def _product(a: Any, ta: Any, b: Any, tb: Any, target: Any) -> Any:
    """A product with minifloats: significands multiply and exponents add, nothing is lost."""
    (left, left_exponent), (right, right_exponent) = _exact(a, ta), _exact(b, tb)
    bits, exponent = left * right, left_exponent + right_exponent
    if isinstance(target, ApFixed):
        return bits << (exponent + target.frac)
    negative = (bits < 0) * 1
    return pack(negative, select(negative != 0, -bits, bits), exponent, packing(target))


def _exact(codes: Any, t: Any) -> tuple[Any, Any]:
    """Signed significands and exponents."""
    if isinstance(t, ApFixed):
        return codes, -t.frac
    negative, bits, exponent = unpack(codes, packing(t))
    return select(negative != 0, -bits, bits), exponent


def division_wraps(a: ApFixed, b: ApFixed) -> int | None:
    """The dividend that wraps when divided by the code -1, or ``None``.

    The header divides in as many bits as the wider operand has.  There the most negative dividend
    has no opposite, so its quotient by the code -1 comes out negative.  With a mixed or unsigned
    pair there is a bit to spare.
    """
    width = a.width + max(b.frac, 0)
    if not (a.signed and b.signed) or width < b.width:
        return None
    return -(1 << (width - 1))


def _divide(a: Any, ta: ApFixed, b: Any, tb: ApFixed) -> Any:
    dividend = a << max(tb.frac, 0)
    negative_a, negative_b = (dividend < 0) & ta.signed, (b < 0) & tb.signed
    quotient = udiv(select(negative_a, -dividend, dividend), select(negative_b, -b, b))
    opposite = negative_a ^ negative_b
    wrapping = division_wraps(ta, tb)
    if wrapping is not None:
        opposite = opposite | ((dividend == wrapping) & (b == -1))
    return select(opposite, -quotient, quotient)


def reads_as_unsigned(a: Any, b: Any) -> bool:
    """Whether ``a / b`` reads both as unsigned: both take the sign of the wider operand."""
    if not (isinstance(a, ApInt) and isinstance(b, ApInt)) or a.signed == b.signed:
        return False
    return (b.width > a.width) if a.signed else (a.width > b.width)


def _divide_integers(op: Operation, a: Any, ta: Any, b: Any, tb: Any, target: Any) -> Any:
    """``ap_int / ap_int`` and ``%``, in one bit more than the wider operand has."""
    if reads_as_unsigned(ta, tb):
        mask = (2 << max(ta.width, tb.width)) - 1
        left, right = a & as_int64(mask), b & as_int64(mask)
        negative_a = negative_b = (a < 0) & False
    else:
        negative_a, negative_b = (a < 0) & ta.signed, (b < 0) & tb.signed
        left, right = select(negative_a, -a, a), select(negative_b, -b, b)
    quotient = udiv(left, right)
    if op is Operation.DIV:
        return _wrap(select(negative_a ^ negative_b, -quotient, quotient), target)
    rest = left - quotient * right
    if not ta.signed:  # a negative divisor counts as more than any dividend
        return _wrap(select((b < 0) & tb.signed, a, rest), target)
    return _wrap(select(negative_a, -rest, rest), target)


def unsigned_rules(op: Operation, a: ApFixed, b: ApFixed) -> tuple[bool, bool]:
    """What C's conversions make of a comparison of a signed and an unsigned number.

    The header brings both to one LSB, the left operand with a bit more if it is the coarser one,
    and compares as C does.

    Returns:
        Whether negative values are above every other; whether ``==`` takes the signed operand
        modulo 2**W of the unsigned one.
    """
    if a.signed == b.signed:
        return False, False
    width_a = a.width + (b.frac - a.frac + 1 if b.frac > a.frac else 0)
    width_b = b.width + max(a.frac - b.frac, 0)
    signed, unsigned = (width_a, width_b) if a.signed else (width_b, width_a)
    if op in (Operation.EQ, Operation.NE):
        modulo = unsigned >= 64 if signed == unsigned else unsigned >= 32 and unsigned > signed
        # The bit more of an unsigned left operand is clear, and that of a negative one is set.
        return False, modulo and (a.signed or b.frac <= a.frac)
    return unsigned >= 32 and unsigned >= signed, False


def _compare(op: Operation, a: Any, ta: ApFixed, b: Any, tb: ApFixed) -> Any:
    """Whether ``a op b``, without aligning them in more than 64 bits.

    The finer operand is split at the other's LSB into a floor and the bits below.
    """
    high, modulo = unsigned_rules(op, ta, tb)
    (a, signed_a), (b, signed_b) = (
        (_reread(x, t, modulo), t.signed or modulo) for x, t in ((a, ta), (b, tb))
    )
    drop = ta.frac - tb.frac
    fine, coarse = (a, b) if drop >= 0 else (b, a)
    signed_fine, signed_coarse = (signed_a, signed_b) if drop >= 0 else (signed_b, signed_a)
    drop = abs(drop)
    floor = shift_right(fine, drop, int(not signed_fine))
    below = fine & ((1 << drop) - 1 if drop < 64 else -1)
    negative_fine, negative_coarse = (fine < 0) & signed_fine, (coarse < 0) & signed_coarse
    differ = negative_fine ^ negative_coarse
    same = (floor == coarse) & ~differ
    less = (
        select(
            differ, (negative_coarse if high else negative_fine) * 1, is_below(floor, coarse) * 1
        )
        != 0
    )
    step = a * 0
    if ta.frac > tb.frac and tb.signed and tb.overflow is Overflow.SAT_SYM:
        # Over the left operand's LSB the right one's lowest code saturates to the next one.
        step = (b == tb.min_code) * 1
    less = less | (same & (step != 0) & (below == 0))
    equal = same & (below == step)
    if ta.frac < tb.frac:  # seen from the left operand
        less = ~(less | equal)
    return {
        Operation.LT: less,
        Operation.LE: less | equal,
        Operation.GT: ~(less | equal),
        Operation.GE: ~less,
        Operation.EQ: equal,
        Operation.NE: ~equal,
    }[op]


def _reread(a: Any, t: ApFixed, modulo: bool) -> Any:
    """Words, or what their bits are as a signed number."""
    return (a << (64 - t.width)) >> (64 - t.width) if modulo else a
