"""Arithmetic on exact values: the result type holds the result, or says how it is cut."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from harness.reference import floats
from harness.reference.fixed import cast, decode, wrap
from harness.types import ApFixed, BinaryFloat, MiniFloat, Operation, result_type

__all__ = ["accumulate", "assign", "compute"]


def compute(
    op: Operation | str,
    a: int,
    ta: Any,
    b: int = 0,
    tb: Any = None,
    *,
    published: bool = False,
) -> int:
    """The code of ``a op b`` in ``result_type(op, ta, tb)``; for a shift ``b`` is the count.

    The operands are fixed-point, or for a product minifloats too.  Sums, differences, products and
    negations are exact.  A quotient is cut toward zero.  A shift
    keeps the type of ``a``: bits that leave it are lost, none is rounded.

    Raises:
        ZeroDivisionError: for ``b`` of zero.
    """
    op = Operation.parse(op)
    target: Any = result_type(op, ta, tb)
    if op is Operation.NEG:
        return _code(-decode(a, ta), target)
    if op.shift:
        left = b if op is Operation.LSHIFT else -b
        return wrap(math.floor(a * Fraction(2) ** left), ta)
    x, y = _value(a, ta), _value(b, tb)
    if isinstance(target, MiniFloat):
        return floats.to_code(x * y, target)
    if op is Operation.ADD:
        return _code(x + y, target)
    if op is Operation.SUB:
        return _code(x - y, target)
    if op is Operation.MUL:
        return _code(x * y, target)
    quotient = math.trunc(x / y / Fraction(target.lsb))
    if not published and _has_no_opposite(a, ta, b, tb):
        return -quotient
    return quotient


def assign(op: Operation | str, a: int, ta: ApFixed, b: int, tb: ApFixed) -> int:
    """The code of ``a`` after ``a op= b``: the full result, then converted to ``a``'s type."""
    return cast(compute(op, a, ta, b, tb), result_type(op, ta, tb), ta)


def accumulate(
    op: Operation | str, start: int, ta: ApFixed, addends: Iterable[int], tb: ApFixed
) -> list[int]:
    """The codes of an accumulator after each ``a op= b``: it rounds and overflows at every step."""
    steps = []
    for b in addends:
        start = assign(op, start, ta, b, tb)
        steps.append(start)
    return steps


def _value(code: int, t: Any) -> Fraction:
    """The exact value of an operand; minifloats have no other ones."""
    return Fraction(floats.decode(code, t)) if isinstance(t, BinaryFloat) else decode(code, t)


def _code(value: Fraction, t: ApFixed) -> int:
    code = value / t.lsb
    assert code.denominator == 1, "a result type holds every result"
    return int(code)


def _has_no_opposite(a: int, ta: ApFixed, b: int, tb: ApFixed) -> bool:
    """The quirk ``division-of-minimum``.

    The header divides two signed operands in as many bits as the wider one has, after the dividend
    was shifted by the divisor's fractional bits.  The most negative dividend has no opposite in
    that width, so dividing it by the code -1 returns it unchanged.  In exactly 64 bits the
    processor traps instead, and the definition is the only answer.
    """
    width = max(ta.width + max(tb.frac, 0), tb.width)
    dividend = a << max(tb.frac, 0)
    return ta.signed and tb.signed and width != 64 and b == -1 and dividend == -(1 << (width - 1))
