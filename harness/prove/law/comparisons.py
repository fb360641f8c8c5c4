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
    x, y = _values(a, ta, b, tb) if published else _as_c_has_them(op, a, ta, b, tb)
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


def _values(a: Word, ta: ApFixed, b: Word, tb: ApFixed) -> tuple[Integer, Integer]:
    """Both over the finer LSB."""
    frac = max(ta.frac, tb.frac)
    return decoded(a, ta) << (frac - ta.frac), decoded(b, tb) << (frac - tb.frac)


def _as_c_has_them(
    op: Operation, a: Word, ta: ApFixed, b: Word, tb: ApFixed
) -> tuple[Integer, Integer]:
    """What the header compares in their place."""
    (x, wide_a), (y, wide_b) = (
        _over(a, ta, tb.frac - ta.frac, 1),
        _over(b, tb, ta.frac - tb.frac, 0),
    )
    if ta.signed == tb.signed:
        return x, y
    if op in (Operation.EQ, Operation.NE):
        # Two of one width are compared in the words they are kept in, others in the wider's width.
        bits = max(wide_a, wide_b, 64 if wide_a == wide_b else 32)
        return x.low(bits), y.low(bits)
    signed, unsigned = (wide_a, wide_b) if ta.signed else (wide_b, wide_a)
    if unsigned < max(signed, 32):
        return x, y  # an int holds both, or the type of the signed one does
    bits = unsigned + 1
    return x.low(bits), y.low(bits)


def _over(code: Word, t: ApFixed, finer: int, more: int) -> tuple[Integer, int]:
    """A number over an LSB that is ``finer`` by so many places, and the width that it has there.

    The left operand gets one integer bit ``more``.  The modes of the type then apply: SAT_SYM takes
    the lowest code of the wider type away.
    """
    if finer <= 0:
        return decoded(code, t), t.width
    integer, modes = t.integer + more, (t.rounding, t.overflow, t.n)
    wider = ApFixed(t.width + finer + more, integer, t.signed, *modes)
    return decoded(cast(code, t, wider), wider), wider.width
