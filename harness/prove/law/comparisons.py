"""Comparisons: those of the values; or as the headers have them, of bits that C compares.

The headers bring both operands to one LSB, each in a type with its own modes, and compare the raw
bits as a C compiler compares integers of these widths, of which one may be unsigned.
"""

from __future__ import annotations

from harness.prove.law.fixed import cast, decoded
from harness.prove.terms import Integer, Truth, Word
from harness.types import ApFixed, Operation

__all__ = ["compared"]


def compared(
    op: Operation, a: Word, ta: ApFixed, b: Word, tb: ApFixed, *, published: bool = False
) -> Truth:
    """Whether ``a op b`` holds in C++; with ``published=True`` whether it holds of the values.

    Raises:
        ValueError: if ``op`` is no comparison.
    """
    x, y = decoded(a, ta), decoded(b, tb)
    if published:
        frac = max(ta.frac, tb.frac)
        x, y = x << (frac - ta.frac), y << (frac - tb.frac)
        wide_a = wide_b = 0
    else:
        x, wide_a = _widened(a, ta, tb.frac - ta.frac, 1)
        y, wide_b = _widened(b, tb, ta.frac - tb.frac, 0)
        if ta.signed != tb.signed:
            x, y = _read_by_c(op, (x, wide_a, ta.signed), (y, wide_b, tb.signed))
    laws = {
        Operation.LT: lambda: x < y,
        Operation.LE: lambda: x <= y,
        Operation.GT: lambda: x > y,
        Operation.GE: lambda: x >= y,
        Operation.EQ: lambda: x == y,
        Operation.NE: lambda: x != y,
    }
    if op not in laws:
        raise ValueError(f"{op.value} is no comparison")
    return laws[op]()


def _widened(code: Word, t: ApFixed, finer: int, more: int) -> tuple[Integer, int]:
    """The code over an LSB that is ``finer`` by so many places, and the width that it has there.

    The left operand gets one more integer bit, the right one none: its modes then apply, and
    SAT_SYM takes the lowest code of the wider type away.
    """
    if finer <= 0:
        return decoded(code, t), t.width
    n = t.n
    wider = ApFixed(t.width + finer + more, t.integer + more, t.signed, t.rounding, t.overflow, n)
    return decoded(cast(code, t, wider), wider), wider.width


def _read_by_c(
    op: Operation, a: tuple[Integer, int, bool], b: tuple[Integer, int, bool]
) -> tuple[Integer, Integer]:
    """A signed and an unsigned operand, each with its width, as C reads them beside each other."""
    (x, wide_a, signed_a), (y, wide_b, _) = a, b
    if op in (Operation.EQ, Operation.NE):
        # Two of one width are compared in the words they are kept in, others in the wider's width.
        bits = max(wide_a, 64 if wide_a == wide_b else 32, wide_b)
        return x.low(bits), y.low(bits)
    signed, unsigned = (wide_a, wide_b) if signed_a else (wide_b, wide_a)
    if unsigned < signed or max(signed, unsigned) < 32:
        return x, y  # an int holds both, or the wider of them does
    bits = unsigned + 1
    return x.low(bits), y.low(bits)
