"""Fixed point: round, then bring into range, in whole numbers.

A value is ``units * 2**-frac``.  The published text says of every type: take the value in units of
the LSB, round it to a whole number as Q says, and bring that into ``[min, max]`` as O and N say.
Where the headers do something else, ``published=False`` follows them, and says so in its place.
"""

from __future__ import annotations

from harness.prove.terms import Integer, Truth, Word, any_of, choose
from harness.types import ApFixed, ApInt, Overflow, Rounding, check_cast

__all__ = ["cast", "clipped", "converted", "decoded", "to_code"]


def decoded(code: Word, t: ApFixed) -> Integer:
    """The units of the LSB that a code stands for."""
    return code.integer(t.signed)


def cast(code: Word, source: ApFixed, target: ApFixed, *, published: bool = False) -> Word:
    """The code in ``target`` of the value that has ``code`` in ``source``.

    Raises:
        ValueError: for what the headers leave undefined, or if ``target`` rounds by chance.
    """
    return converted(decoded(code, source), source, target, published=published)


def converted(units: Integer, source: ApFixed, target: ApFixed, *, published: bool = False) -> Word:
    """The code in ``target`` of a ``source`` value of so many units of its LSB.

    Raises:
        ValueError: for what the headers leave undefined, or if ``target`` rounds by chance.
    """
    if not published:
        check_cast(source, target)
    found = to_code(units, source.frac, target, published=published)
    into_integer = isinstance(target, ApInt) and not isinstance(source, ApInt)
    if into_integer and source.signed and source.integer == 0 and not published:
        # The header finds no integer bits to start from, and makes -1 of what is negative.
        found = choose(units < 0, Word.of(-1, target.width), found)
    return found


def to_code(units: Integer, frac: int, t: ApFixed, *, published: bool = False) -> Word:
    """The code in ``t`` of the value ``units * 2**-frac``.

    Raises:
        ValueError: if ``t`` rounds by chance.
    """
    if t.rounding.stochastic:
        raise ValueError(f"{t} rounds by chance: no law says which code")
    if frac <= t.frac:
        # Shifted beyond the width, what is not zero is out of range, and all bits looked at are 0.
        floor = whole = units << min(t.frac - frac, t.width + 1)
    else:
        # Below a quarter of the LSB a value is rounded by its sign, and by not being zero.
        drop = min(frac - t.frac, units.width + 1)
        floor = units >> drop
        up = _goes_up(units, floor, drop, t.rounding)
        whole = choose(up, floor + 1, floor)
    return _in_range(whole, floor, t, published)


def _goes_up(units: Integer, floor: Integer, drop: int, rounding: Rounding) -> Truth:
    """Whether ``units / 2**drop`` is rounded to the whole number above its floor."""
    rest, negative = units.low(drop), units < 0
    if rounding is Rounding.TRN:
        return Truth(False)
    if rounding is Rounding.TRN_ZERO:
        return negative & (rest != 0)
    nearer, tie = rest > (1 << drop >> 1), rest == (1 << drop >> 1)
    ties_up: dict[Rounding, Truth | bool] = {
        Rounding.RND: True,
        Rounding.RND_MIN_INF: False,
        Rounding.RND_ZERO: negative,
        Rounding.RND_INF: ~negative,
        Rounding.RND_CONV: floor.bit(0),
    }
    return nearer | (tie & ties_up[rounding])


def clipped(number: Integer, low: int, high: int) -> Integer:
    """The nearest number from ``low`` to ``high``."""
    number = choose(number < low, Integer.of(low), number)
    return choose(number > high, Integer.of(high), number)


def _in_range(whole: Integer, floor: Integer, t: ApFixed, published: bool) -> Word:
    """The code of a whole number of units; ``floor`` is what it was before rounding."""
    low, high = t.min_code, t.max_code
    if t.overflow is Overflow.SAT_SYM and t.signed:
        # Of one bit the header keeps the code -1: it has no other negative one.
        low = -1 if t.width == 1 and not published else -high
    if t.overflow in (Overflow.SAT, Overflow.SAT_SYM):
        return clipped(whole, low, high).code(t.width)
    code, negative = whole.code(t.width), whole < 0
    if t.overflow is Overflow.SAT_ZERO:
        beyond = Word.of(0, t.width)
    elif t.overflow is Overflow.WRAP:
        beyond = _saturated(code, negative, t)
    else:
        # Without saturated bits the lowest deleted bit becomes the sign: the header takes that of
        # the value before rounding.
        deleted = whole if published else floor
        beyond = _mirrored(code, negative, deleted.bit(t.width), t)
    return choose(any_of([whole < low, whole > high]), beyond, code)


def _mirrored(code: Word, negative: Truth, deleted: Truth, t: ApFixed) -> Word:
    """WRAP_SM: bits are inverted where the sign would change."""
    if t.n == 0:
        inverts = (_at(code, t.width - 1)) ^ deleted
    elif t.n == 1:
        inverts = (_at(code, t.width - 1)) ^ negative
    else:
        inverts = ~(_at(code, t.width - t.n) ^ negative)
    return _saturated(choose(inverts, ~code, code), negative, t)


def _saturated(code: Word, negative: Truth, t: ApFixed) -> Word:
    """The N highest bits: ones without a sign; with it the sign, then its inverse."""
    if t.n == 0:
        return code
    top = Word.of(-1, t.n)
    if t.signed:
        lowest = 1 << (t.n - 1)
        top = choose(negative, Word.of(lowest, t.n), Word.of(lowest - 1, t.n))
    return top if t.n == t.width else top.above(code.bits(t.width - t.n - 1, 0))


def _at(code: Word, place: int) -> Truth:
    return code.bits(place, place) == 1
