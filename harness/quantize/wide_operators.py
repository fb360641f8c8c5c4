"""Operators beyond 64 bits: the same results on Python integers, one element at a time."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from harness.quantize import wide
from harness.quantize.operators import division_wraps, reads_as_unsigned, unsigned_rules
from harness.types import ApFixed, ApInt, MiniFloat, Operation, Overflow

__all__ = ["binary", "unary"]


def unary(op: Operation, v: int, ta: ApFixed, b: Any) -> int:
    """The code of an operator of one number; ``b`` is a count, or ``(hi, lo)``."""
    if op is Operation.NEG:
        return -v
    if op.shift:
        left = b if op is Operation.LSHIFT else -b
        # A shift by more than the width has the same result as one by the width.
        left = max(min(left, ta.width), -ta.width)
        return wide.wrapped(v << left if left > 0 else v >> -left, ta)
    bits = v & ((1 << ta.width) - 1)
    if op is Operation.RANGE:
        hi, lo = b
        text = f"{bits:0{ta.width}b}"[::-1]
        return int(text[lo : hi + 1][::-1] if hi >= lo else text[hi : lo + 1], 2)
    match op:
        case Operation.NOT:
            return wide.wrapped(~v, ta)
        case Operation.AND_REDUCE:
            return int(bits == (1 << ta.width) - 1)
        case Operation.OR_REDUCE:
            return int(bits != 0)
        case Operation.XOR_REDUCE:
            return bits.bit_count() & 1
        case Operation.BIT:
            return bits >> int(b) & 1
        case Operation.SET:
            return wide.wrapped(bits | 1 << b, ta)
        case _:
            return wide.wrapped(bits & ~(1 << b), ta)


def binary(op: Operation, x: int, tx: Any, y: int, ty: Any, t: Any) -> int:
    """The code of ``x op y`` in ``t``."""
    if isinstance(tx, MiniFloat) or isinstance(ty, MiniFloat):
        return int(Fraction(wide.value(x, tx)) * Fraction(wide.value(y, ty)) / t.lsb_exact)
    if op.comparison:
        return int(_compare(op, x, tx, y, ty))
    if op is Operation.CONCAT:
        return int((x & ((1 << tx.width) - 1)) << ty.width | (y & ((1 << ty.width) - 1)))
    if op is Operation.MUL:
        return x * y
    if op in (Operation.DIV, Operation.MOD):
        return (
            _divide_integers(op, x, tx, y, ty, t) if isinstance(t, ApInt) else _divide(x, tx, y, ty)
        )
    x, y = x << (t.frac - tx.frac), y << (t.frac - ty.frac)
    return {
        Operation.ADD: x + y,
        Operation.SUB: x - y,
        Operation.AND: x & y,
        Operation.OR: x | y,
        Operation.XOR: x ^ y,
    }[op]


def _divide(x: int, tx: ApFixed, y: int, ty: ApFixed) -> int:
    dividend = x << max(ty.frac, 0)
    quotient = abs(dividend) // abs(y)
    wraps = dividend == division_wraps(tx, ty) and y == -1
    return -quotient if wraps or (dividend < 0) != (y < 0) else quotient


def _divide_integers(op: Operation, x: int, tx: ApFixed, y: int, ty: ApFixed, t: ApFixed) -> int:
    if op is Operation.MOD and not tx.signed and y < 0:
        return wide.wrapped(x, t)
    if reads_as_unsigned(tx, ty):
        modulus = 2 << max(tx.width, ty.width)
        x, y = x % modulus, y % modulus
    quotient, rest = divmod(abs(x), abs(y))
    if op is Operation.MOD:
        return wide.wrapped(-rest if x < 0 else rest, t)
    return wide.wrapped(-quotient if (x < 0) != (y < 0) else quotient, t)


def _compare(op: Operation, x: int, tx: ApFixed, y: int, ty: ApFixed) -> bool:
    high, modulo = unsigned_rules(op, tx, ty)
    symmetric = ty.signed and ty.overflow is Overflow.SAT_SYM and tx.frac > ty.frac
    step = int(symmetric and y == ty.min_code)
    if modulo:
        x, y = (c - (1 << t.width) if c >> (t.width - 1) > 0 else c for c, t in ((x, tx), (y, ty)))
    frac = max(tx.frac, ty.frac)
    x, y = x << (frac - tx.frac), (y << (frac - ty.frac)) + step
    left, right = (high and x < 0, x), (high and y < 0, y)
    return {
        Operation.LT: left < right,
        Operation.LE: left <= right,
        Operation.GT: left > right,
        Operation.GE: left >= right,
        Operation.EQ: left == right,
        Operation.NE: left != right,
    }[op]
