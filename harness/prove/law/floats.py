"""Small binary floats: a code as an exact value, and the code of an exact value.

The law: a finite value lies between two neighbours that have the format's significand, as if
exponents had no upper end, and the rounding takes one of them.  Then a magnitude beyond the largest
is brought in by the overflow, and without subnormals one below the smallest normal becomes zero.
So every binade cuts the value at a place of its own, and where the leading bit stands says which.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.prove.terms import Integer, Truth, Word, choose
from harness.types import BinaryFloat, FloatOverflow, FloatRounding, MiniFloat

__all__ = ["Unpacked", "converted", "pack", "to_code", "unpack"]


@dataclass(frozen=True)
class Unpacked:
    """What a code stands for: ``+-magnitude * 2**-frac``, unless it is an infinity or NaN.

    Attributes:
        negative: its sign, which a zero has too.
        magnitude: an exact number; for an infinity not zero, and for NaN nothing.
        frac: the places of the magnitude below the point.
        infinite: whether it is an infinity.
        nan: whether it is NaN.
    """

    negative: Truth
    magnitude: Integer
    frac: int
    infinite: Truth
    nan: Truth

    @property
    def units(self) -> Integer:
        """The magnitude with its sign."""
        return choose(self.negative, -self.magnitude, self.magnitude)


def unpack(code: Word, t: BinaryFloat) -> Unpacked:
    """What each code stands for.

    Raises:
        ValueError: for a word of another width.
    """
    if code.width != t.width:
        raise ValueError(f"{t} has codes of {t.width} bits, not of {code.width}")
    word = code ^ t.flip
    negative = word.bits(t.width - 1, t.width - 1) == 1
    field = word.bits(t.width - 2, t.frac_bits)
    # A field counts from 1: that of subnormals is a 0, and weighs as much.
    width = t.precision + (1 << t.exp_bits) - 2
    places = choose(field == 0, Word.of(0, t.exp_bits), field - 1).extended(width, signed=False)
    normal = field != 0
    significand = normal.word()
    fraction = word.bits(t.frac_bits - 1, 0) if t.frac_bits else None
    if fraction is not None:
        kept = fraction if t.subnormals else choose(normal, fraction, Word.of(0, t.frac_bits))
        significand = significand.above(kept)
    magnitude = (significand.extended(width, signed=False) << places).integer(signed=False)
    infinite, nan = _specials(word, field, fraction, t)
    return Unpacked(negative, magnitude, t.frac_bits - t.emin, infinite, nan)


def _specials(
    word: Word, field: Word, fraction: Word | None, t: BinaryFloat
) -> tuple[Truth, Truth]:
    """Whether a word is an infinity, and whether it is NaN."""
    none = Truth(False)
    if t.specials == "fnuz":
        return none, word == 1 << (t.width - 1)
    if t.specials == "none" or fraction is None:
        return none, none
    top = field == -1
    if t.specials == "fn":
        return none, top & (fraction == -1)
    return top & (fraction == 0), top & (fraction != 0)


def converted(code: Word, source: BinaryFloat, t: BinaryFloat) -> Word:
    """The code in ``t`` of what has ``code`` in ``source``: the sign of a zero is kept.

    What is NaN means nothing in a type that has none.

    Raises:
        ValueError: for a word of another width, or a type that rounds by chance.
    """
    x = unpack(code, source)
    found = pack(x.magnitude, x.negative, x.frac, t)
    found = choose(x.infinite, _signed(_infinity(t), x.negative, t), found)
    return found if t.nan_code is None else choose(x.nan, Word.of(t.nan_code, t.width), found)


def to_code(units: Integer, frac: int, t: BinaryFloat) -> Word:
    """The code in ``t`` of the value ``units * 2**-frac``.

    Raises:
        ValueError: if ``t`` rounds by chance.
    """
    negative = units < 0
    return pack(choose(negative, -units, units), negative, frac, t)


def pack(magnitude: Integer, negative: Truth, frac: int, t: BinaryFloat) -> Word:
    """The code in ``t`` of ``+-magnitude * 2**-frac``; the magnitude is not negative.

    A zero keeps its sign where the type has two zeros, but a minifloat's exact zero has none.

    Raises:
        ValueError: if ``t`` rounds by chance.
    """
    if t.rounding.stochastic:
        raise ValueError(f"{t} rounds by chance: no law says which code")
    found, above = _rounded(magnitude, negative, frac, t)
    if not t.subnormals:
        found = choose(found < 1 << t.frac_bits, Integer.of(0), found)
    beyond = above | (found > t.max_magnitude)
    signed = negative
    if isinstance(t, MiniFloat):
        signed = negative & (magnitude != 0)
    stays = _stays(t.rounding, negative)
    largest = _signed(Integer.of(t.max_magnitude), negative, t)
    outside = choose(stays, largest, _signed(_infinity(t), negative, t))
    return choose(beyond, outside, _signed(found, signed, t))


def _rounded(
    magnitude: Integer, negative: Truth, frac: int, t: BinaryFloat
) -> tuple[Integer, Truth]:
    """The magnitude's code as if exponents had no upper end, and whether it is above all binades.

    Codes count on from one binade to the next, so that a carry needs nothing more.
    """
    # With room below the lowest bit, every binade cuts something off.
    room = t.frac_bits + 2
    magnitude, frac = magnitude << room, frac + room
    smallest = t.emin + frac  # where the leading bit of the smallest normal stands
    last = min(t.emax + frac, magnitude.width - 2)
    cut = Word.of(0, t.precision + 2)
    base = Integer.of(0)
    if t.subnormals and smallest >= room:
        cut = _cut(magnitude, smallest - t.frac_bits, t)
    start = smallest + 1 if t.subnormals else smallest - 1
    for place in range(max(start, room), last + 1):
        here = magnitude >= 1 << place
        cut = choose(here, _cut(magnitude, place - t.frac_bits, t), cut)
        base = choose(here, Integer.of((place - smallest) << t.frac_bits), base)
    floor = cut.bits(cut.width - 1, 2).integer(signed=False)
    up = _goes_up(floor.bit(0), cut.bits(1, 1) == 1, cut.bits(0, 0) == 1, negative, t.rounding)
    above = (magnitude >> max(t.emax + frac + 1, 0)) != 0
    return base + floor + up.word().integer(signed=False), above


def _cut(magnitude: Integer, drop: int, t: BinaryFloat) -> Word:
    """The significand above the lowest ``drop`` bits; the half below it; whether more is below."""
    drop = min(drop, magnitude.width)
    rest = magnitude.low(drop - 1) != 0
    return (magnitude >> (drop - 1)).code(t.precision + 1).above(rest.word())


def _goes_up(
    odd: Truth, half: Truth, more: Truth, negative: Truth, rounding: FloatRounding
) -> Truth:
    """Whether a magnitude takes its upper neighbour, half and more of the way to it."""
    inexact = half | more
    laws = {
        FloatRounding.NEAREST_EVEN: half & (more | odd),
        FloatRounding.NEAREST_AWAY: half,
        FloatRounding.NEAREST_ZERO: half & more,
        FloatRounding.TOWARD_ZERO: Truth(False),
        FloatRounding.UP: inexact & ~negative,
        FloatRounding.DOWN: inexact & negative,
        FloatRounding.ODD: inexact & ~odd,
    }
    return laws[rounding]


def _stays(rounding: FloatRounding, negative: Truth) -> Truth:
    """Whether what is beyond the largest is rounded to it, and not away from zero."""
    if rounding in (FloatRounding.TOWARD_ZERO, FloatRounding.ODD):
        return Truth(True)
    if rounding is FloatRounding.UP:
        return negative
    return ~negative if rounding is FloatRounding.DOWN else Truth(False)


def _infinity(t: BinaryFloat) -> Integer:
    """What an infinity becomes, without its sign."""
    if t.overflow is FloatOverflow.SATURATE:
        return Integer.of(t.max_magnitude)
    if t.has_inf:
        return Integer.of(t.max_magnitude + 1)
    assert t.nan_code is not None
    return Integer.of(t.nan_code)


def _signed(magnitude: Integer, negative: Truth, t: BinaryFloat) -> Word:
    """The code of a magnitude's; NaN, and a zero where there is one only, have no sign."""
    bare = magnitude.code(t.width)
    unsigned = Truth(False)
    if t.nan_code is not None:
        unsigned = unsigned | (bare == t.nan_code)
    if not t.negative_zero:
        unsigned = unsigned | (bare == 0)
    sign = choose(negative & ~unsigned, Word.of(1 << (t.width - 1), t.width), Word.of(0, t.width))
    return (bare | sign) ^ t.flip
