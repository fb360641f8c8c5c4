"""How hard a case is: where its input lies, and whether the headers keep to their documents."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from harness.golden.record import Case, Column, Number, code_of
from harness.reference import decode
from harness.verify.levels import Level, level_of_number

__all__ = ["Level", "exact_value", "level_of"]


def exact_value(word: int, source: Column) -> Fraction | None:
    """The number that a word of ``source`` is; ``None`` for NaN and infinities."""
    code = code_of(word, source)
    number = code if isinstance(source, Number) else decode(code, source)
    return Fraction(number) if math.isfinite(number) else None


def level_of(case: Case, source: Column, target: Any) -> Level:
    """The level of a conversion of one input into ``target``."""
    value = exact_value(case.inputs[0], source)
    if value is None:
        return Level.SPECIALS
    if any(flag.startswith("quirk:") for flag in case.flags):
        return Level.QUIRKS
    return level_of_number(value, target)
