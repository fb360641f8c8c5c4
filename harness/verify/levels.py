"""Where a number lies among the values of a type: from those that it has up to what none has."""

from __future__ import annotations

from enum import Enum
from fractions import Fraction
from typing import Any

from harness.reference.floats import exponent_of
from harness.types import ApFixed, BinaryFloat, Overflow

__all__ = ["Level", "level_of_number"]

HALF = Fraction(1, 2)


class Level(Enum):
    """Every case is of one level; ``about`` says which are."""

    def __init__(self, label: str, about: str) -> None:
        self.label, self.about = label, about

    VALUES = "values", "the input is a value of the type"
    BETWEEN = "between", "the input lies between two values, and nearer to one of them"
    TIES = "ties", "the input lies exactly between two values"
    EDGES = "edges", "less than one step beyond the range, or the end that SAT_SYM leaves out"
    BEYOND = "beyond", "at least one step beyond the range, and finite"
    QUIRKS = "quirks", "the headers depart from their own documentation, each by a named rule"
    SPECIALS = "specials", "NaN and infinities"

    @property
    def plain(self) -> bool:
        """Whether the input is a finite number, and the headers follow their documentation."""
        return self not in (Level.QUIRKS, Level.SPECIALS)

    def __str__(self) -> str:
        return self.label


def level_of_number(value: Fraction | None, target: Any) -> Level:
    """Where an exact value lies among those of a type; ``None`` is NaN and the infinities."""
    if value is None:
        return Level.SPECIALS
    if isinstance(target, ApFixed):
        return _of_fixed(value / target.lsb_exact, target)
    if isinstance(target, BinaryFloat):
        return _of_float(abs(value), target)
    return Level.VALUES if value in (target.min_exact, target.max_exact) else Level.BETWEEN


def _of_fixed(y: Fraction, t: ApFixed) -> Level:
    """Of a value in steps."""
    symmetric = t.overflow is Overflow.SAT_SYM and t.signed and t.width > 1
    low, high = t.min_code + symmetric, t.max_code
    if low <= y <= high:
        return _inside(y)
    return Level.EDGES if low - 1 <= y < high + 1 and (symmetric or y > low - 1) else Level.BEYOND


def _of_float(magnitude: Fraction, t: BinaryFloat) -> Level:
    largest = Fraction(t.max_exact)
    if magnitude > largest:
        step = Fraction(2) ** (t.emax - t.frac_bits)
        return Level.EDGES if magnitude < largest + step else Level.BEYOND
    if magnitude == 0:
        return Level.VALUES
    lowest = Fraction(2) ** t.emin
    if not t.subnormals and magnitude < lowest:
        return _inside(magnitude / lowest)
    return _inside(magnitude / Fraction(2) ** (exponent_of(magnitude, t) - t.frac_bits))


def _inside(y: Fraction) -> Level:
    rest = y % 1
    return Level.VALUES if rest == 0 else Level.TIES if rest == HALF else Level.BETWEEN
