"""What differences have in common: where their inputs lie, how many of each, and the simplest.

A quantizer that is wrong on ties alone rounds to the wrong side, one that is wrong beyond the range
alone overflows otherwise: the breakdown says so before any input is looked at.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from harness import reference
from harness.reference.floats import unpack
from harness.types import ApFixed, BinaryFloat, NumberType, number
from harness.verify.levels import Level, level_of_number
from harness.verify.questions import unfold
from harness.verify.records import Mismatch

__all__ = ["WORDS", "by_level", "code_text", "complexity", "place_of", "told"]

#: What inputs of a level are called, one of them and many.
WORDS = {
    Level.VALUES: ("value of the type", "values of the type"),
    Level.BETWEEN: ("between two codes", "between two codes"),
    Level.TIES: ("tie", "ties"),
    Level.EDGES: ("at the edge of the range", "at the edges of the range"),
    Level.BEYOND: ("beyond the range", "beyond the range"),
    Level.SPECIALS: ("NaN or infinity", "NaN/infinities"),
}


def complexity(value: Fraction | None) -> tuple[int, Fraction, bool]:
    """How hard an input is to think about: significant bits, then magnitude, then sign."""
    if value is None:
        return (1 << 30, Fraction(0), False)
    odd = abs(value.numerator)
    return (odd // (odd & -odd) if odd else 0).bit_length(), abs(value), value < 0


def by_level(values: dict[int, Fraction | None], t: NumberType) -> dict[Level, tuple[int, int]]:
    """How many inputs are of each level, and the index of the simplest; most frequent first.

    Args:
        values: the exact value of each input by its index; ``None`` for NaN and infinities.
        t: the type that they come into.
    """
    found: dict[Level, list[int]] = {}
    for k, value in values.items():
        found.setdefault(level_of_number(value, t), []).append(k)
    most = sorted(found.items(), key=lambda item: (-len(item[1]), list(Level).index(item[0])))
    return {level: (len(ks), min(ks, key=lambda k: complexity(values[k]))) for level, ks in most}


def code_text(code: Any, t: NumberType) -> str:
    """An answer with its value, ``code 12 (0.75)``; what is no code, in its own words."""
    if not isinstance(code, int | np.integer):
        return f"{code!r}, not a value" if not isinstance(code, str) else code
    bits = unfold(code, t)
    try:
        value = reference.decode(bits, t)
    except ValueError:
        return f"{int(code)}, not a code"
    return f"code {bits} ({_shown(value, bits, t)})"


def _shown(value: Fraction | float, code: int, t: NumberType) -> str:
    if not isinstance(value, Fraction):
        return str(value)
    if value == 0 and isinstance(t, BinaryFloat) and unpack(code, t)[0]:
        return "-0"
    return number(value)


def place_of(value: Fraction | None, t: NumberType) -> str:
    """How an exact value lies between the two codes beside it, or beyond all of them."""
    level = level_of_number(value, t)
    if value is None:
        return "not a finite number"
    if not isinstance(t, ApFixed | BinaryFloat):
        return "of which the sign decides"
    if level is Level.EDGES and value == t.min_exact:
        return f"code {t.min_code}, which SAT_SYM leaves out"
    if level in (Level.EDGES, Level.BEYOND):
        end = "lowest" if value < t.min_exact else "highest"
        near = "less than a step " if level is Level.EDGES else ""
        return f"{near}beyond the {end}, {code_text(_end(end, t), t)}"
    low, high, share = _neighbours(value, t)
    if level is Level.VALUES:
        return f"a value of the type, {code_text(low, t)}"
    ends = f"{code_text(low, t)} and {code_text(high, t)}"
    if level is Level.TIES:
        return f"a tie: halfway between {ends}"
    return f"no tie: between {ends}, {number(share)} of the way"


def _end(end: str, t: ApFixed | BinaryFloat) -> int:
    if isinstance(t, ApFixed):
        return t.min_code if end == "lowest" else t.max_code
    return reference.neighbours(t.min_exact if end == "lowest" else t.max_exact, t)[0]


def _neighbours(value: Fraction, t: ApFixed | BinaryFloat) -> tuple[int, int, Fraction]:
    """The codes below and above a value in the range, and how far from the first to the second."""
    if isinstance(t, ApFixed):
        y = value / t.lsb_exact
        return math.floor(y), math.ceil(y), y % 1
    low, high = reference.neighbours(value, t)  # the first toward zero
    lowest = Fraction(2) ** t.emin
    if not t.subnormals and 0 < abs(value) < lowest:
        high = reference.neighbours(lowest if value > 0 else -lowest, t)[0]
    if low == high:
        return low, high, Fraction(0)
    start, stop = Fraction(reference.decode(low, t)), Fraction(reference.decode(high, t))
    return low, high, (value - start) / (stop - start)


def told(mismatch: Mismatch) -> list[str]:
    """A difference in lines: how many, the simplest input, both codes, the law, one of each kind.

    The program is left out.
    """
    m = mismatch
    same = "" if not m.number or m.number == m.input else f" = {m.number}"
    lines = [
        f"{m.question}: {m.breakdown}",
        f"input {m.input}{same}{f', {m.place}' if m.place else ''}",
        f"got {m.got_text or m.got}, expected {m.expected_text or m.expected}",
        f"rule: {m.rule}",
    ]
    others = [cause for cause in m.causes if cause.input != m.input]
    lines += [f"{c.kind}: {c.input} => got {c.got}, expected {c.expected}" for c in others]
    return lines
