"""Exact numbers as people read them."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from harness.types import number, read_number, shown

__all__ = ["dropped_bits", "hexadecimal", "number", "read_double"]


def read_double(text: str) -> tuple[float, bool]:
    """The double that a text spells, and whether it is that number: a decimal is the nearest one.

    Raises:
        ValueError: for no number, one beyond every double, and another spelling of no double.
    """
    try:
        exact = read_number(text)
        nearest = float(exact)
    except (ValueError, OverflowError) as error:
        why = "it is beyond every double" if isinstance(error, OverflowError) else str(error)
        raise ValueError(f"{shown(text)} is no double: {why}") from None
    same = not isinstance(exact, Fraction) or exact == nearest
    if not same and not (nearest and re.fullmatch(r"[-+.0-9eE_]+", text.strip())):
        raise ValueError(f"{shown(text)} is no double: the nearest is {nearest!r}")
    return nearest, same


def hexadecimal(x: float) -> str:
    """A double as people reproduce it."""
    return x.hex() if math.isfinite(x) else str(x)


def dropped_bits(rest: Fraction, count: int) -> str:
    """The first ``count`` bits of a fraction below 1: the guard, then those below it."""
    bits = ""
    for _ in range(count):
        rest *= 2
        bits += str(int(rest >= 1))
        rest -= rest >= 1
    return f"{bits[0]} {bits[1:]}{'...' if rest else ''}"
