"""Operators of fixed-point and integer types: the exact result, in the type that C++ gives it.

A result type holds every sum, difference, product and negation, and a quotient is cut toward zero
in it; ``a op= b`` computes that in full and then converts it, with the modes of ``a``.  Where the
headers do something else, ``published=False`` carries out what they do: it is the arithmetic of
words of a known width, and where a sign is lost is then seen and not said.
"""

from __future__ import annotations

from typing import Any

from harness.prove.law import bits, fixed, floats
from harness.prove.law.comparisons import compared
from harness.prove.terms import Integer, Truth, Word
from harness.types import (
    ApFixed,
    ApInt,
    BinaryFloat,
    MiniFloat,
    Operation,
    count_bounds,
    result_type,
)

__all__ = ["compute", "defined"]

_DIVISIONS = (Operation.DIV, Operation.MOD)


def compute(
    op: Operation | str,
    a: Word,
    ta: Any,
    b: Any = None,
    tb: Any = None,
    *,
    published: bool = False,
) -> Word:
    """The code of ``a op b`` in ``result_type(op, ta, tb)``.

    Args:
        op: any operation.
        a: a code of ``ta``.
        ta: its type: fixed point or integer; for a product a minifloat too.
        b: a code of ``tb``; where there is no ``tb``, the number that a shift or a bit takes, or
            the ``(hi, lo)`` of ``range``, which are known.
        tb: the type of ``b``.
        published: whether the definition is wanted, and not what the headers do.

    It means something where :func:`defined` holds.  Beyond 64 bits the headers' long division errs
    on some codes, which is no law: here it is right.

    Raises:
        ValueError: for what C++ does not have, or a count out of bounds.
    """
    op = Operation.parse(op)
    target: Any = result_type(op, ta, b if op is Operation.RANGE else tb)
    if op.counted:
        low, high = count_bounds(op, ta)
        if not low <= b <= high:
            raise ValueError(f"{op.value} of {ta} takes {low} to {high} on its right, not {b}")
    if op.assigned is not None and not op.shift:
        return _assigned(op.assigned, a, ta, b, tb, published)
    if tb is None:
        return _unary(op, a, ta, b, target, published)
    if isinstance(ta, BinaryFloat) or isinstance(tb, BinaryFloat):
        return _float_product(a, ta, b, tb, target)
    if op.comparison:
        return compared(op, a, ta, b, tb, published=published).word()
    if op is Operation.CONCAT:
        return a.above(b)
    if op in _DIVISIONS:
        return _divided(op, a, ta, b, tb, published).code(target.width)
    return _exact(op, a, ta, b, tb, target)


def defined(
    op: Operation | str, b: Any, ta: Any, tb: Any = None, *, published: bool = False
) -> Truth:
    """Whether there is an answer: no divisor is zero.

    The arguments are those of :func:`compute`, which does not look at them.
    """
    op = Operation.parse(op)
    if (op.assigned or op) not in _DIVISIONS:
        return Truth(True)
    if op.assigned is not None:
        b, tb = _right(b, ta, tb, published)
    divisor: Word = b
    return divisor != 0


def _assigned(op: Operation, a: Word, ta: Any, b: Word, tb: Any, published: bool) -> Word:
    """``a op= b``."""
    b, tb = _right(b, ta, tb, published)
    full = fixed.decoded(compute(op, a, ta, b, tb, published=published), result_type(op, ta, tb))
    return fixed.converted(full, result_type(op, ta, tb), ta, published=published)


def _right(b: Word, ta: Any, tb: Any, published: bool) -> tuple[Word, Any]:
    """The right side of a compound assignment: the header cuts it before it meets an ``ap_int``."""
    if isinstance(ta, ApInt) and not isinstance(tb, ApInt) and not published:
        return fixed.cast(b, tb, tb.whole), tb.whole
    return b, tb


def _unary(op: Operation, a: Word, ta: Any, b: Any, target: Any, published: bool) -> Word:
    """Operators of one number; ``b`` is a count, the number of a bit, or two of them."""
    number = fixed.decoded(a, ta)
    if op.shift:
        left = (op.assigned or op) is Operation.LSHIFT
        return bits.shifted(a, b if left else -b, ta.signed)
    if op is Operation.NEG:
        return (-number).code(target.width)
    if op is Operation.NOT:
        return ~a
    if op in (Operation.INC, Operation.DEC):
        one = 1 << ta.frac
        stepped = number + one if op is Operation.INC else number - one
        return fixed.to_code(stepped, ta.frac, ta, published=published)
    if op is Operation.BIT:
        return a.bits(b, b)
    if op in (Operation.SET, Operation.CLEAR):
        return bits.replaced(a, b, op is Operation.SET)
    if op is Operation.RANGE:
        return bits.cut(a, *b)
    if op in (Operation.AND_REDUCE, Operation.OR_REDUCE, Operation.XOR_REDUCE):
        return bits.reduced(op, a, ta, published).word()
    # What is left are the conversions to native numbers.
    if isinstance(target, BinaryFloat):
        return floats.to_code(number, ta.frac, target)
    return fixed.cast(a, ta, target, published=published)


def _exact(op: Operation, a: Word, ta: ApFixed, b: Word, tb: ApFixed, target: ApFixed) -> Word:
    """Sums, products, and bits of numbers over one LSB: the result type holds what comes of it."""
    x, y = fixed.decoded(a, ta), fixed.decoded(b, tb)
    if op is Operation.MUL:
        return (x * y).code(target.width)
    x, y = x << (target.frac - ta.frac), y << (target.frac - tb.frac)
    if op in (Operation.ADD, Operation.SUB):
        return (x + y if op is Operation.ADD else x - y).code(target.width)
    left, right = x.code(target.width), y.code(target.width)
    laws = {Operation.AND: left & right, Operation.OR: left | right, Operation.XOR: left ^ right}
    return laws[op]


def _divided(op: Operation, a: Word, ta: ApFixed, b: Word, tb: ApFixed, published: bool) -> Integer:
    """A quotient, or a remainder with the sign of the dividend; the divisor is not zero."""
    x, y = fixed.decoded(a, ta), fixed.decoded(b, tb)
    either = ta.signed or tb.signed
    if not (isinstance(ta, ApInt) and isinstance(tb, ApInt)):
        shift = max(tb.frac, 0)
        quotient = (x << shift).quotient(y)
        # The header divides in as many bits as the wider of dividend and divisor has, where the
        # lowest number has no opposite.
        width = max(ta.width + shift + (tb.signed and not ta.signed), tb.width)
        return quotient if published else quotient.code(width).integer(either)
    if not published:
        # The header brings both to one width, and the sign of the wider.
        width = max(ta.width, tb.width) + either
        signed = either if ta.width == tb.width else max(ta, tb, key=_width).signed
        if op is Operation.MOD and not ta.signed:
            signed = False  # it then takes the remainder of the bits
        x, y = x.code(width).integer(signed), y.code(width).integer(signed)
    return x.quotient(y) if op is Operation.DIV else x.remainder(y)


def _width(t: ApFixed) -> int:
    return t.width


def _float_product(a: Word, ta: Any, b: Word, tb: Any, target: Any) -> Word:
    """A product with a minifloat: nothing of it is lost."""
    (x, frac_x), (y, frac_y) = _number(a, ta), _number(b, tb)
    units, frac = x * y, frac_x + frac_y
    if isinstance(target, MiniFloat):
        return floats.to_code(units, frac, target)
    return fixed.to_code(units, frac, target)


def _number(code: Word, t: Any) -> tuple[Integer, int]:
    """An exact value in units, and how many places of them are below the point."""
    if isinstance(t, BinaryFloat):
        x = floats.unpack(code, t)
        return x.units, x.frac
    return fixed.decoded(code, t), t.frac
