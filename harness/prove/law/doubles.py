"""From C++'s ``double``, ``float`` and ``half`` to fixed point, exactly.

A word is sign, exponent field and fraction as IEEE 754 has them, and stands for
``significand * 2**(exponent - frac_bits)``; what is exact is then rounded once, in
:mod:`harness.prove.law.fixed`.  A ``float`` or ``half`` is widened to a ``double`` first, which
changes no value and makes a NaN quiet.

The headers read a double in their own way, which ``published=False`` follows: NaN and infinities
are ``+-2**1024 * 1.fraction``, a subnormal double has an implicit one as any other has, and what
lies between -0.5 and 0 becomes 1 in an ``ap_int`` or ``ap_uint``.  Into these a ``float`` goes
without becoming a ``double``, and a ``half`` as a ``float``, so that its infinity is ``+-2**128``
and the fraction of its NaN begins at 2**105: types of so many bits show them.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.prove.law.fixed import clipped, to_code
from harness.prove.terms import Integer, Truth, Word, choose
from harness.types import ApFixed, ApInt

__all__ = ["from_float", "from_float_parts", "is_finite"]

#: Bits of exponent and fraction.
DOUBLE, FLOAT = (11, 52), (8, 23)


def is_finite(word: Word, exp_bits: int, frac_bits: int) -> Truth:
    """Whether a word is neither NaN nor an infinity: where the definition gives a code.

    Raises:
        ValueError: for a word of another width, or a format that a double does not hold.
    """
    _, field, _ = _parts(word, exp_bits, frac_bits)
    return field != -1


def from_float(
    word: Word, exp_bits: int, frac_bits: int, t: ApFixed, *, published: bool = False
) -> Word:
    """The code in ``t`` of a word of any exponent.

    With ``published=True`` it is the definition's, and means nothing where :func:`is_finite` does
    not hold.

    Raises:
        ValueError: for a word of another width, a format that a double does not hold, or a type
            that rounds by chance.
    """
    negative, field, fraction = _parts(word, exp_bits, frac_bits)
    f = _Format.of(exp_bits, frac_bits, t, published)
    exponent = field.integer(signed=False) - f.bias
    exponent = choose(field == 0, Integer.of(f.first), exponent)
    exponent = choose(field == f.top, Integer.of(f.last), exponent)
    # An exponent beyond these gives the code that the nearest of them gives: either nothing but
    # the sign is left of the value, or no bit of it is as low as the width.
    low = max(f.first, -t.frac - 3)
    high = max(low, min(f.last, frac_bits - t.frac + t.width + 1))
    width = frac_bits + 1 + high - low
    significand = f.significand(field != 0, fraction, field == f.top).extended(width, signed=False)
    magnitude = significand << (clipped(exponent, low, high) - low).code(width)
    return _code(magnitude, negative, frac_bits - low, t, published)


def from_float_parts(
    negative: Truth,
    fraction: Word,
    field: int,
    exp_bits: int,
    frac_bits: int,
    t: ApFixed,
    *,
    published: bool = False,
) -> Word:
    """The same of a word whose exponent field is known, in a smaller term.

    Raises:
        ValueError: for a fraction of another width, a field that there is not, a format that a
            double does not hold, or a type that rounds by chance.
    """
    _check(exp_bits, frac_bits)
    f = _Format.of(exp_bits, frac_bits, t, published)
    if fraction.width != frac_bits or not 0 <= field <= f.top:
        raise ValueError(f"no word of {exp_bits} and {frac_bits} bits has these parts")
    exponent = f.first if field == 0 else f.last if field == f.top else field - f.bias
    magnitude = f.significand(Truth(field != 0), fraction, Truth(field == f.top))
    return _code(magnitude, negative, frac_bits - exponent, t, published)


def _parts(word: Word, exp_bits: int, frac_bits: int) -> tuple[Truth, Word, Word]:
    """Whether a word is negative, its exponent field, and its fraction."""
    _check(exp_bits, frac_bits)
    sign = exp_bits + frac_bits
    if word.width != sign + 1:
        raise ValueError(f"a word of {sign + 1} bits is wanted, not of {word.width}")
    field, fraction = word.bits(sign - 1, frac_bits), word.bits(frac_bits - 1, 0)
    return word.bits(sign, sign) == 1, field, fraction


def _check(exp_bits: int, frac_bits: int) -> None:
    if not (2 <= exp_bits <= DOUBLE[0] and 1 <= frac_bits <= DOUBLE[1]):
        raise ValueError(f"a double does not hold {exp_bits} and {frac_bits} bits")


def _code(magnitude: Word, negative: Truth, frac: int, t: ApFixed, published: bool) -> Word:
    """The code of the value ``+-magnitude * 2**-frac``."""
    units = magnitude.integer(signed=False)
    units = choose(negative, -units, units)
    code = to_code(units, frac, t, published=published)
    if isinstance(t, ApInt) and not published and frac > 0:
        # The header stores what is left of it, -1, and then the sign turns it.
        small = (units < 0) & (units > -(1 << (frac - 1)))
        code = choose(small, Word.of(1, t.width), code)
    return code


@dataclass(frozen=True)
class _Format:
    """How words of so many bits of exponent and fraction are read.

    Attributes:
        exp_bits, frac_bits: of the words.
        read: the bits of exponent and fraction of what the header reads: a double's or a float's.
        quirks: whether what the header reads has NaN, infinities and subnormals in its own way.
    """

    exp_bits: int
    frac_bits: int
    read: tuple[int, int]
    quirks: bool

    @classmethod
    def of(cls, exp_bits: int, frac_bits: int, t: ApFixed, published: bool) -> _Format:
        """The words that become a ``t``."""
        narrow = exp_bits <= FLOAT[0] and frac_bits <= FLOAT[1]
        read = FLOAT if isinstance(t, ApInt) and narrow else DOUBLE
        return cls(exp_bits, frac_bits, read, not published)

    @property
    def widened(self) -> bool:
        """Whether the words become others first."""
        return (self.exp_bits, self.frac_bits) != self.read

    @property
    def top(self) -> int:
        """The exponent field of NaN and infinities."""
        return (1 << self.exp_bits) - 1

    @property
    def bias(self) -> int:
        """What a field exceeds its exponent by."""
        return (1 << (self.exp_bits - 1)) - 1

    @property
    def hides(self) -> bool:
        """Whether the field 0 has a hidden one too, unless all of the word is 0."""
        return self.quirks and not self.widened

    @property
    def first(self) -> int:
        """The exponent of the field 0."""
        return -self.bias if self.hides else 1 - self.bias

    @property
    def last(self) -> int:
        """The exponent of the top field."""
        exp_bits = self.read[0] if self.quirks else self.exp_bits
        return 1 << (exp_bits - 1)

    def significand(self, normal: Truth, fraction: Word, top: Truth) -> Word:
        """The fraction below its hidden bit."""
        if self.hides:
            normal = normal | (fraction != 0)
        if self.widened:
            # NaN that was widened is quiet: the highest bit of its fraction is set.
            quiet = fraction | 1 << (self.frac_bits - 1)
            fraction = choose(top & (fraction != 0), quiet, fraction)
        return normal.word().above(fraction)
