"""Exact numbers as people read them."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from harness.types import read_number, shown

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


def number(value: Fraction) -> str:
    """Decimal where that is short and exact; otherwise about how much."""
    if value.denominator == 1 and abs(value.numerator) < 10**20:
        return str(value.numerator)
    if 2**-30 <= abs(value) < 10**9 and value.denominator <= 2**30:
        places = value.denominator.bit_length() - 1
        digits = f"{abs(value.numerator) * 10**places // value.denominator:0{places + 1}d}"
        return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}".rstrip("0")
    if value == 0:
        return "0"
    try:
        nearest = float(value)
    except OverflowError:
        nearest = math.inf
    if nearest and math.isfinite(nearest):
        return f"about {nearest:.6g}"
    exponent = abs(value.numerator).bit_length() - value.denominator.bit_length()
    return f"about {'-' if value < 0 else ''}2**{exponent}"


def dropped_bits(rest: Fraction, count: int) -> str:
    """The first ``count`` bits of a fraction below 1: the guard, then those below it."""
    bits = ""
    for _ in range(count):
        rest *= 2
        bits += str(int(rest >= 1))
        rest -= rest >= 1
    return f"{bits[0]} {bits[1:]}{'...' if rest else ''}"
