"""Comparisons: those of the values, but for what C's conversions make of them.

The headers bring both operands to one LSB, each in its own type, and compare the bits as a C
compiler compares integers of these widths.
"""

from __future__ import annotations

from fractions import Fraction

from harness.reference.fixed import decode
from harness.types import ApFixed, Operation, Overflow

__all__ = ["compare", "comparison_quirks"]


def compare(
    op: Operation, a: int, ta: ApFixed, b: int, tb: ApFixed, *, published: bool = False
) -> bool:
    """Whether ``a op b`` in C++; with ``published=True`` whether it holds of the values."""
    found = [] if published else comparison_quirks(op, a, ta, b, tb)
    x, y = decode(a, ta), decode(b, tb)
    if "comparison-sat-sym" in found:
        y += ta.lsb_exact  # over the left operand's LSB it saturates to one above its lowest code
    if "equality-modulo" in found:
        unsigned = tb if ta.signed else ta
        x, y = (v + Fraction(2) ** unsigned.integer if v < 0 else v for v in (x, y))
    high_first = "comparison-unsigned" in found  # negative values come after all others
    left, right = (high_first and x < 0, x), (high_first and y < 0, y)
    return {
        Operation.LT: left < right,
        Operation.LE: left <= right,
        Operation.GT: left > right,
        Operation.GE: left >= right,
        Operation.EQ: left == right,
        Operation.NE: left != right,
    }[op]


def comparison_quirks(op: Operation, a: int, ta: ApFixed, b: int, tb: ApFixed) -> list[str]:
    """The names of the quirks that could move ``a op b``: predicates, not answers."""
    found = []
    width_a, width_b = ta.width, tb.width
    if ta.frac > tb.frac:
        width_b += ta.frac - tb.frac
        if tb.signed and tb.overflow is Overflow.SAT_SYM and b == tb.min_code:
            found.append("comparison-sat-sym")
    elif ta.frac < tb.frac:
        width_a += tb.frac - ta.frac + 1  # the left operand gets a bit that the right one does not
    if ta.signed == tb.signed or (a if ta.signed else b) >= 0:
        return found
    signed, unsigned = (width_a, width_b) if ta.signed else (width_b, width_a)
    if op in (Operation.EQ, Operation.NE):
        # Two of one width are compared in 64 bits, or in as many as they have beyond.  With a bit
        # of its own above its code, an unsigned number is below every negative one's bits.
        has_spare_bit = not ta.signed and ta.frac < tb.frac
        if not has_spare_bit and (
            unsigned >= 64 if unsigned == signed else unsigned > max(signed, 31)
        ):
            found.append("equality-modulo")
    elif unsigned >= max(signed, 32):
        found.append("comparison-unsigned")
    return found
