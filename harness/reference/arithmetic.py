"""Operators on exact values: the result type holds the result, or says how it is cut."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

from harness.reference import fixed, floats
from harness.reference.comparisons import compare, comparison_quirks
from harness.reference.fixed import cast, decode, wrap
from harness.types import (
    ApFixed,
    ApInt,
    BinaryFloat,
    MiniFloat,
    Operation,
    as_number_type,
    count_bounds,
    result_type,
)

__all__ = ["accumulate", "assign", "compute", "operator_quirks"]

_STEPS = {Operation.INC: 1, Operation.DEC: -1}


def compute(
    op: Operation | str,
    a: int,
    ta: Any,
    b: Any = 0,
    tb: Any = None,
    *,
    published: bool = False,
) -> int:
    """The code of ``a op b`` in ``result_type(op, ta, tb)``.

    ``b`` is a code of ``tb``; the count of a shift, the number of a bit, or the ``(hi, lo)`` of
    ``range``, if there is no ``tb``.  The operands are fixed-point or integers, or for a product
    minifloats too.  Sums, differences, products and negations are exact.  A quotient is cut toward
    zero.  A shift keeps the type of ``a``: bits that leave it are lost, none is rounded.

    With ``published=True`` the answer is the definition's, without the headers' quirks.

    Raises:
        ZeroDivisionError: for a divisor of zero.
        ValueError: for what is no code, count, or number of a bit.
    """
    op, ta, tb = _read(op, ta, tb)
    target: Any = result_type(op, ta, b if op is Operation.RANGE else tb)
    if op.assigned is not None:
        return _assigned(op.assigned, a, ta, b, tb, published)
    if tb is None:
        return _unary(op, a, ta, b, target, published)
    if isinstance(target, MiniFloat) or isinstance(ta, BinaryFloat) or isinstance(tb, BinaryFloat):
        return _code(_value(a, ta) * _value(b, tb), target)
    if op.comparison:
        return int(compare(op, a, ta, b, tb, published=published))
    if op is Operation.CONCAT:
        return int(_bits(a, ta) << tb.width | _bits(b, tb))
    if op.bitwise:
        i, j = (int(decode(c, t) / target.lsb_exact) for c, t in ((a, ta), (b, tb)))
        return wrap({"&": i & j, "|": i | j, "^": i ^ j}[op.value], target)
    if op in (Operation.DIV, Operation.MOD):
        return _divided(op, a, ta, b, tb, target, published)
    x, y = decode(a, ta), decode(b, tb)
    return _code({"+": x + y, "-": x - y, "*": x * y}[op.value], target)


def assign(
    op: Operation | str, a: int, ta: ApFixed, b: int, tb: ApFixed, *, published: bool = False
) -> int:
    """The code of ``a`` after ``a op= b``: the full result, then converted to ``a``'s type."""
    op = Operation.parse(op)
    return compute(f"{op.value}=", a, ta, b, tb, published=published)


def accumulate(
    op: Operation | str, start: int, ta: ApFixed, addends: Iterable[int], tb: ApFixed
) -> list[int]:
    """The codes of an accumulator after each ``a op= b``: it rounds and overflows at every step."""
    steps = []
    for b in addends:
        start = assign(op, start, ta, b, tb)
        steps.append(start)
    return steps


def _assigned(op: Operation, a: int, ta: Any, b: int, tb: Any, published: bool) -> int:
    if op.shift:
        return compute(op, a, ta, b)
    if isinstance(ta, ApInt) and not isinstance(tb, ApInt) and not published:
        b, tb = cast(b, tb, tb.whole), tb.whole
    result = compute(op, a, ta, b, tb, published=published)
    return cast(result, result_type(op, ta, tb), ta, published=published)


def _unary(op: Operation, a: int, ta: Any, b: Any, target: Any, published: bool) -> int:
    """Operators of one number; ``b`` is a count, the number of a bit, or two of them."""
    if op.counted:
        low, high = count_bounds(op, ta)
        if not low <= b <= high:
            raise ValueError(f"{op.value} of {ta} takes {low} to {high} on its right, not {b}")
    if op.shift:
        left = b if op is Operation.LSHIFT else -b
        left = max(-ta.width, min(left, ta.width))  # by then every bit has left
        return wrap(math.floor(a * Fraction(2) ** left), ta)
    bits, stepped = _bits(a, ta), decode(a, ta) + _STEPS.get(op, 0)
    simple: dict[Operation, Callable[[], int]] = {
        Operation.NEG: lambda: _code(-decode(a, ta), target),
        Operation.NOT: lambda: wrap(~a, ta),
        Operation.INC: lambda: fixed.to_code(stepped, ta, published=published),
        Operation.DEC: lambda: fixed.to_code(stepped, ta, published=published),
        Operation.AND_REDUCE: lambda: int(bits == (1 << ta.width) - 1),
        Operation.OR_REDUCE: lambda: int(bits != 0),
        Operation.XOR_REDUCE: lambda: (bits if published else _stored(a, ta)).bit_count() % 2,
        Operation.BIT: lambda: bits >> b & 1,
        Operation.SET: lambda: wrap(bits | 1 << b, ta),
        Operation.CLEAR: lambda: wrap(bits & ~(1 << b), ta),
        Operation.RANGE: lambda: _slice(bits, *b),
    }
    if op in simple:
        return int(simple[op]())
    # What is left are the conversions to native numbers.
    if isinstance(target, BinaryFloat):
        return floats.to_code(decode(a, ta), target)
    return cast(a, ta, target, published=published)


def _slice(bits: int, hi: int, lo: int) -> int:
    """The bits from ``lo`` up to ``hi``, or in reverse order if ``hi`` is the lower one."""
    step = 1 if hi >= lo else -1
    return sum((bits >> place & 1) << k for k, place in enumerate(range(lo, hi + step, step)))


def _divided(op: Operation, a: int, ta: Any, b: int, tb: Any, target: Any, published: bool) -> int:
    """A quotient or a remainder, cut toward zero."""
    x, y = decode(a, ta), decode(b, tb)
    if y == 0:
        raise ZeroDivisionError("division by zero: the headers end the process")
    integers = isinstance(ta, ApInt) and isinstance(tb, ApInt)
    found = [] if published else _division_quirks(op, a, ta, b, tb)
    if "ap-int-remainder" in found:
        return wrap(a, target)
    if "ap-int-division" in found:
        width = max(ta.width, tb.width) + 1
        x, y = Fraction(a % (1 << width)), Fraction(b % (1 << width))
    quotient = math.trunc(x / y / (1 if integers else Fraction(target.lsb_exact)))
    if op is Operation.MOD:
        return wrap(int(x - quotient * y), target)
    if "division-of-minimum" in found:
        return -quotient
    return wrap(quotient, target)


def operator_quirks(
    op: Operation | str, a: int, ta: Any, b: Any = None, tb: Any = None
) -> list[str]:
    """The names of the quirks that could move ``a op b``: predicates, not answers.

    Wherever header and definition differ, at least one of these holds.
    """
    op, ta, tb = _read(op, ta, tb)
    kind, found = op.assigned or op, []
    if op.comparison:
        return comparison_quirks(op, a, ta, b, tb)
    if op is Operation.XOR_REDUCE and ta.signed and ta.width % 2 and ta.width < 64 and a < 0:
        found.append("ap-int-xor-reduce")
    if op in _STEPS:
        found += fixed.quirks(decode(a, ta) + _STEPS[op], ta)
    if op in (Operation.TO_INT, Operation.TO_UINT, Operation.TO_INT64, Operation.TO_UINT64):
        found += fixed.cast_quirks(decode(a, ta), ta, result_type(op, ta))
    if op is not kind and op.binary:
        if isinstance(ta, ApInt) and not isinstance(tb, ApInt):
            if decode(b, tb).denominator != 1:
                found.append("ap-int-assign-fixed")
            b, tb = cast(b, tb, tb.whole), tb.whole
        full = result_type(kind, ta, tb)
        found += fixed.quirks(decode(compute(kind, a, ta, b, tb), full), ta)
    if kind in (Operation.DIV, Operation.MOD):
        found += _division_quirks(kind, a, ta, b, tb)
    return found


def _read(op: Operation | str, ta: Any, tb: Any) -> tuple[Operation, Any, Any]:
    """An operation and the types of its operands, each of which may be a spelling."""
    return Operation.parse(op), as_number_type(ta), tb and as_number_type(tb)


def _division_quirks(op: Operation, a: int, ta: Any, b: int, tb: Any) -> list[str]:
    if not (isinstance(ta, ApInt) and isinstance(tb, ApInt)):
        return ["division-of-minimum"] if _has_no_opposite(a, ta, b, tb) else []
    if op is Operation.MOD and not ta.signed and b < 0:
        return ["ap-int-remainder"]
    # The header converts both operands to one type, whose sign is that of the wider operand.
    wider = max((ta, tb), key=lambda t: t.width)
    mixed = ta.signed != tb.signed and ta.width != tb.width and not wider.signed
    return ["ap-int-division"] if mixed and min(a, b) < 0 else []


def _value(code: int, t: Any) -> Fraction:
    """The exact value of an operand; minifloats have no other ones."""
    return Fraction(floats.decode(code, t)) if isinstance(t, BinaryFloat) else decode(code, t)


def _code(value: Fraction, t: Any) -> int:
    if isinstance(t, MiniFloat):
        return floats.to_code(value, t)
    code = value / t.lsb_exact
    assert code.denominator == 1, "a result type holds every result"
    return int(code)


def _bits(code: int, t: ApFixed) -> int:
    """The raw bits of a code, as an unsigned number; ``ValueError`` if it is none."""
    decode(code, t)
    return code % (1 << t.width)


def _stored(code: int, t: ApFixed) -> int:
    """The bits of a code as the headers keep it: up to 64 bits are sign-extended to 64."""
    return code % (1 << max(t.width, 64))


def _has_no_opposite(a: int, ta: ApFixed, b: int, tb: ApFixed) -> bool:
    """The quirk ``division-of-minimum``.

    The header divides two signed operands in as many bits as the wider one has, after the dividend
    was shifted by the divisor's fractional bits.  The most negative dividend has no opposite in
    that width, so dividing it by the code -1 returns it unchanged.
    """
    width = max(ta.width + max(tb.frac, 0), tb.width)
    dividend = a << max(tb.frac, 0)
    return ta.signed and tb.signed and b == -1 and dividend == -(1 << (width - 1))
