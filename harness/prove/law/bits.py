"""What operators do to single bits: codes are raw words here, and no value is rounded."""

from __future__ import annotations

from harness.prove.terms import Truth, Word
from harness.types import ApFixed, Operation

__all__ = ["cut", "reduced", "replaced", "shifted"]


def shifted(code: Word, left: int, signed: bool) -> Word:
    """The word after a shift, to the right if ``left`` is negative: bits that leave it are lost."""
    number = code.integer(signed)
    moved = number << min(left, code.width) if left >= 0 else number >> -left
    return moved.code(code.width)


def reduced(op: Operation, code: Word, t: ApFixed, published: bool) -> Truth:
    """Whether all bits are one, any is, or an odd number of them."""
    if op is Operation.AND_REDUCE:
        return code == -1
    if op is Operation.OR_REDUCE:
        return code != 0
    if not published:
        # The header counts the bits of the word that it keeps, of 64 at least.
        code = code.extended(max(t.width, 64), t.signed)
    odd = Truth(False)
    for place in range(code.width):
        odd = odd ^ (code.bits(place, place) == 1)
    return odd


def replaced(code: Word, place: int, bit: bool) -> Word:
    """The word with one bit set or cleared."""
    return code | 1 << place if bit else code & ~(1 << place)


def cut(code: Word, high: int, low: int) -> Word:
    """The bits from ``low`` up to ``high``; in reverse order if ``high`` is the lower one."""
    if high >= low:
        return code.bits(high, low)
    found = code.bits(high, high)
    for place in range(high + 1, low + 1):
        found = found.above(code.bits(place, place))
    return found
