"""Floating point of a processor, in whole numbers: IEEE 754, rounded to nearest even.

A float whose exponent is known is a whole number of known units, and so is what is made of it by
sums, scaling and rounding: that spares the solver a floating-point unit for each operation.  Where
a result has more bits than the format, it is rounded as IEEE 754 says, at the place of its leading
bit; bounds of its magnitude tell which places these can be.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from harness.prove.terms import Integer, Truth, Word, choose

__all__ = ["FORMATS", "Real", "as_real", "binary", "chosen", "compared", "copysign", "rounded"]

Condition = Truth | bool
#: Takes what must hold of the inputs.
Duty = Callable[[Truth], None]


class Format(NamedTuple):
    """A binary format."""

    exp_bits: int
    precision: int  # significand bits, the hidden one included

    @property
    def bias(self) -> int:
        """What is added to exponents; the largest exponent too."""
        return int((1 << (self.exp_bits - 1)) - 1)

    @property
    def largest(self) -> Fraction:
        """The largest finite number."""
        return ((1 << self.precision) - 1) * Fraction(2) ** (self.bias - self.precision + 1)

    @property
    def finest(self) -> int:
        """The place behind the point of the smallest subnormal."""
        return self.bias - 1 + self.precision - 1


FORMATS = {"float32": Format(8, 24), "float64": Format(11, 53)}


@dataclass(frozen=True, eq=False)
class Real:
    """A float: ``units * 2**-frac``, which its format has exactly, or an infinity.

    Attributes:
        units: a signed whole number.
        frac: the place of its last bit, behind the point.
        negative: its sign, of a zero too.
        least, most: bounds of its magnitude.
        kind: its dtype.
        infinite: whether it is an infinity, whatever the units.
    """

    units: Integer
    frac: int
    negative: Condition
    least: Fraction
    most: Fraction
    kind: str
    infinite: bool = False

    @classmethod
    def of(cls, value: np.floating[Any]) -> Real:
        """A constant."""
        kind, negative = value.dtype.name, bool(np.signbit(value))
        if not np.isfinite(value):
            return cls(Integer.of(0), 0, negative, Fraction(0), Fraction(0), kind, infinite=True)
        numerator, denominator = value.as_integer_ratio()
        trailing = (numerator & -numerator).bit_length() - 1 if numerator else 0
        exact = abs(Fraction(numerator, denominator))
        frac = denominator.bit_length() - 1 - trailing
        return cls(Integer.of(numerator >> trailing), frac, negative, exact, exact, kind)

    @classmethod
    def from_parts(cls, negative: Truth, fraction: Word, field: int, kind: str) -> Real:
        """A finite float, or an infinity, whose exponent field is known."""
        form = FORMATS[kind]
        top = 2 * form.bias + 1
        hidden, frac = int(field > 0), form.bias + form.precision - 1 - max(field, 1)
        magnitude = Word.of(hidden, 1).above(fraction).integer(signed=False)
        lsb = Fraction(2) ** -frac
        least, most = hidden << (form.precision - 1), (1 << (form.precision - 1 + hidden)) - 1
        units = choose(negative, -magnitude, magnitude)
        return cls(units, frac, negative, least * lsb, most * lsb, kind, infinite=field == top)

    @classmethod
    def within(
        cls, negative: Truth, magnitude: Word, frac: int, least: Fraction, kind: str
    ) -> Real:
        """Any number of so many units, however many bits it has: floats are some of these."""
        units = magnitude.integer(signed=False)
        most = ((1 << magnitude.width) - 1) * Fraction(2) ** -frac
        return cls(choose(negative, -units, units), frac, negative, least, most, kind)

    @property
    def format(self) -> Format:
        """The facts of its dtype."""
        return FORMATS[self.kind]

    def negated(self) -> Real:
        """With the other sign."""
        return replace(self, units=-self.units, negative=_not(self.negative))

    def magnitude(self) -> Real:
        """Without its sign."""
        return replace(self, units=choose(self.negative, -self.units, self.units), negative=False)

    def integer(self, duty: Duty) -> Word:
        """Cut toward zero, as ``int64``; a processor gives anything for what is beyond.

        Raises:
            ValueError: for an infinity.
        """
        if self.infinite:
            raise ValueError("an infinity becomes an integer")
        whole = rounded("trunc", self).at(0)
        if self.most >= 2**63:
            duty((whole < 2**63) & (whole >= -(2**63)))
        return whole.code(64)

    def at(self, frac: int) -> Integer:
        """Its units at a place that is at least as fine."""
        return self.units << (frac - self.frac)

    def absorbs(self, other: Real) -> bool:
        """Whether a sum with the other, which is not zero, is rounded back to this float.

        Its last place is no finer than that of its units if it has all bits above; below a power of
        two the places are half as far apart.
        """
        lsb = Fraction(2) ** -self.frac
        full = self.least >= lsb * (1 << (self.format.precision - 1))
        return full and 0 < other.most < lsb / 4

    def scaled(self, exponent: int, duty: Duty) -> Real:
        """Times a power of two, rounded where it becomes subnormal."""
        if self.infinite:
            return self
        factor, frac = Fraction(2) ** exponent, self.frac - exponent
        least, most = self.least * factor, self.most * factor
        beyond = Fraction(2) ** (self.format.bias + 1)
        if least >= beyond:
            return replace(self, infinite=True)
        if most >= beyond:  # as far as the bounds tell; that it is not is proven
            limit = int(beyond * Fraction(2) ** frac)
            duty((self.units < limit) & (self.units > -limit))
            most = self.format.largest
        found = replace(self, frac=frac, least=least, most=most)
        return found if frac <= self.format.finest else _nearest(found, frac - self.format.finest)

    def converted(self, kind: str) -> Real:
        """In another format, which is no narrower."""
        if FORMATS[kind].precision < self.format.precision:
            raise TypeError(f"a {self.kind} becomes a {kind}")
        return replace(self, kind=kind)


def as_real(value: Any, kind: str) -> Real:
    """A float as a term of one format, which has it."""
    if isinstance(value, (np.floating, float)):
        value = Real.of(np.float64(value) if isinstance(value, float) else value)
    if not isinstance(value, Real):
        raise TypeError(f"{type(value).__name__} is no float of a kernel")
    return value.converted(kind)


def binary(op: ast.operator, a: Any, b: Any, duty: Duty) -> Real:
    """A sum, a difference, or a product with a power of two; in the wider format."""
    kind = _common(a, b)
    if isinstance(op, ast.Mult):
        return _product(a, b, kind, duty)
    x, y = as_real(a, kind), as_real(b, kind)
    if isinstance(op, ast.Sub) and _same(x, y):
        zero = as_real(np.dtype(kind).type(0.0), kind)
        # Where both are zeros, -0.0 less 0.0 is -0.0; all else that is equal has one sign.
        lost = False if x.least > 0 else _and(x.negative, _not(y.negative))
        return replace(zero, negative=lost)
    if isinstance(op, (ast.Add, ast.Sub)):
        return _sum(x, y.negated() if isinstance(op, ast.Sub) else y, duty)
    raise TypeError(f"{type(op).__name__} of floats")


def _same(x: Real, y: Real) -> bool:
    """Whether two are one finite number for every input; a zero may have either sign in each."""
    finite = not (x.infinite or y.infinite)
    return bool(finite and x.frac == y.frac and x.units.word.term == y.units.word.term)


def _product(a: Any, b: Any, kind: str, duty: Duty) -> Real:
    factor, other = (a, b) if isinstance(a, (np.floating, float)) else (b, a)
    if not isinstance(factor, (np.floating, float)):
        raise TypeError("a product of two unknown floats")
    fraction, exponent = np.frexp(factor)
    if abs(fraction) != 0.5:
        raise TypeError(f"a product with {factor}, which is no power of two")
    found = as_real(other, kind).scaled(int(exponent) - 1, duty)
    return found.negated() if fraction < 0 else found


def _sum(x: Real, y: Real, duty: Duty) -> Real:
    if x.infinite or y.infinite:
        if x.infinite and y.infinite:
            raise ValueError("a sum of two infinities")
        return x if x.infinite else y
    if x.most < y.most:
        x, y = y, x
    if x.absorbs(y):
        return x
    frac = max(x.frac, y.frac)
    if y.most == 0:  # only the sign of a zero can change
        units, frac, least, most = x.units, x.frac, x.least, x.most
    else:
        units = x.at(frac) + y.at(frac)
        most = x.most + y.most
        least = max(x.least - y.most, y.least - x.most, Fraction(0))
    both = _and(x.negative, y.negative)
    negative: Condition = both
    if both is not True and (x.negative is not False or y.negative is not False):
        negative = (units < 0) | ((units == 0) & both)
    found = Real(units, frac, negative, least, most, x.kind)
    if y.most == 0:
        return found
    return _fitted(_within_range(found, duty))


def _within_range(x: Real, duty: Duty) -> Real:
    """A result that is finite: where its bounds do not tell, that is proven."""
    largest = x.format.largest
    if x.most <= largest:
        return x
    limit = int(largest * Fraction(2) ** x.frac)
    duty((x.units <= limit) & (x.units >= -limit))
    return replace(x, most=largest)


def _fitted(x: Real) -> Real:
    """An exact result below the end of its format, rounded to what that has."""
    precision, finest = x.format.precision, x.format.finest
    if x.frac > finest:
        raise ValueError("a sum of subnormals")
    lsb = Fraction(2) ** -x.frac
    # How many bits the number of units can have: below ``precision`` it is exact.
    low, high = (int(bound / lsb).bit_length() for bound in (x.least, x.most))
    found = x
    for bits in range(max(low, precision + 1), high + 1):
        cut = _nearest(x, bits - precision)
        least = bits > low or low <= precision
        if not least:
            found = cut
            continue
        longer = _magnitude(x.units) >= (1 << (bits - 1))
        found = chosen(longer, cut, found)
    return found


def _magnitude(units: Integer) -> Integer:
    return choose(units < 0, -units, units)


def _nearest(x: Real, drop: int) -> Real:
    """Without the last bits, to nearest even."""
    floor = x.units >> drop
    rest = x.units.low(drop)
    tie = rest == (1 << drop >> 1)
    up = (rest > (1 << drop >> 1)) | (tie & floor.bit(0))
    step = Fraction(2) ** (drop - x.frac)
    least, most = (x.least // step) * step, -(-x.most // step) * step
    units = choose(up, floor + 1, floor)
    return replace(x, units=units, frac=x.frac - drop, least=least, most=most)


def rounded(name: str, a: Real) -> Real:
    """``floor``, ``rint`` or ``trunc``: a whole number with the sign of the float."""
    if a.infinite or a.frac <= 0:
        return a
    if a.most < Fraction(1, 2) and name != "floor":
        return replace(a, units=Integer.of(0), frac=0, least=Fraction(0), most=Fraction(0))
    if name == "rint":
        return _nearest(a, a.frac)
    floor, rest = a.units >> a.frac, a.units.low(a.frac)
    units = floor
    if name == "trunc":
        units = choose((floor < 0) & (rest != 0), floor + 1, floor)
    least, most = Fraction(a.least // 1), Fraction(-(-a.most // 1))
    return replace(a, units=units, frac=0, least=least, most=most)


def copysign(a: Any, b: Real) -> Real:
    """The magnitude of one with the sign of the other."""
    magnitude = as_real(a, b.kind).magnitude()
    return chosen(b.negative, magnitude.negated(), magnitude)


def chosen(condition: Condition, a: Any, b: Any) -> Real:
    """``a`` where the condition holds, else ``b``."""
    kind = _common(a, b)
    x, y = as_real(a, kind), as_real(b, kind)
    if isinstance(condition, bool):
        return x if condition else y
    if x.infinite != y.infinite:
        raise ValueError("an infinity for some inputs only")
    frac = max(x.frac, y.frac)
    units = choose(condition, x.at(frac), y.at(frac))
    negative = _if_truth(condition, x.negative, y.negative)
    least, most = min(x.least, y.least), max(x.most, y.most)
    return Real(units, frac, negative, least, most, kind, x.infinite)


def compared(op: ast.cmpop, a: Any, b: Any) -> Condition:
    """A comparison of two floats."""
    kind = _common(a, b)
    x, y = as_real(a, kind), as_real(b, kind)
    if isinstance(op, (ast.Gt, ast.LtE)):
        x, y = y, x
    if isinstance(op, (ast.Eq, ast.NotEq)):
        found = _equal(x, y)
        return found if isinstance(op, ast.Eq) else _not(found)
    less = _less(x, y)
    return less if isinstance(op, (ast.Lt, ast.Gt)) else _not(less)


def _equal(x: Real, y: Real) -> Condition:
    if x.infinite or y.infinite:
        raise ValueError("infinities are compared")
    if x.most < y.least or y.most < x.least:
        return False
    frac = max(x.frac, y.frac)
    return x.at(frac) == y.at(frac)


def _less(x: Real, y: Real) -> Condition:
    if y.infinite:
        x, y = y.negated(), x.negated()
    if x.infinite:
        if y.infinite:
            raise ValueError("infinities are compared")
        return x.negative
    (low_x, high_x), (low_y, high_y) = _range(x), _range(y)
    if high_x < low_y:
        return True
    if low_x >= high_y:
        return False
    frac = max(x.frac, y.frac)
    return x.at(frac) < y.at(frac)


def _range(x: Real) -> tuple[Fraction, Fraction]:
    """What its value lies between."""
    if isinstance(x.negative, bool):
        return (-x.most, -x.least) if x.negative else (x.least, x.most)
    return -x.most, x.most


def _common(a: Any, b: Any) -> str:
    kinds = [
        x.kind if isinstance(x, Real) else getattr(x, "dtype", np.dtype(float)).name for x in (a, b)
    ]
    return "float64" if "float64" in kinds else kinds[0]


def _not(a: Condition) -> Condition:
    return not a if isinstance(a, bool) else ~a


def _and(a: Condition, b: Condition) -> Condition:
    if isinstance(a, bool):
        return b if a else False
    return a if b is True else a & b if isinstance(b, Truth) else False


def _if_truth(condition: Truth, a: Condition, b: Condition) -> Condition:
    if isinstance(a, bool) and isinstance(b, bool) and a == b:
        return a
    return choose(condition, *(Truth(x) if isinstance(x, bool) else x for x in (a, b)))
