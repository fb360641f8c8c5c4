"""How values are named in one-line messages: short, whatever they are."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

__all__ = ["brief", "not_a_code", "number", "shown"]

#: Decimal digits that are printed in full: a code of 128 bits.
DIGITS = 40
#: Characters of anything else.
LENGTH = 60


def brief(n: int) -> str:
    """An integer: in full if short, else exact as ``2**1023 - 1``, else ``about 2**1328``."""
    size = abs(n)
    if size < 10**DIGITS:
        return str(int(n))
    sign, bits = "-" if n < 0 else "", size.bit_length()
    for less, text in ((0, ""), (1, " + 1" if n < 0 else " - 1")):
        if (size + less).bit_count() == 1:
            return f"{sign}2**{(size + less).bit_length() - 1}{text}"
    return f"about {sign}2**{bits - 1}"


def shown(value: object) -> str:
    """Anything else, in one line."""
    if type(value) is int:
        return brief(value)
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python prints no integer of more than 4300 digits
        text = f"a {type(value).__name__} of long numbers"
    return text if len(text) <= LENGTH else f"{text[:LENGTH]}..."


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


def not_a_code(code: int, t: Any) -> str:
    """What is wrong with an integer that is no code of ``t``, and who reads raw words."""
    span = f"{brief(t.min_code)} to {brief(t.max_code)}"
    return f"{brief(code)} is not a code of {t}: {span}; a raw word? from_bits(words, t) reads it"
