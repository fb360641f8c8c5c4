"""The numbers of C++ types, by their full names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from harness.types import FLOAT64, FORMATS, ApFixed, ApInt, NumberType, parse_type

__all__ = ["number_of"]

#: C++'s own numbers, as x86-64 Linux has them.
NATIVE: dict[str, NumberType] = {
    "bool": ApInt(1, signed=False),
    "char": ApInt(8),
    "signed char": ApInt(8),
    "unsigned char": ApInt(8, signed=False),
    "short": ApInt(16),
    "unsigned short": ApInt(16, signed=False),
    "int": ApInt(32),
    "unsigned int": ApInt(32, signed=False),
    "long": ApInt(64),
    "unsigned long": ApInt(64, signed=False),
    "long long": ApInt(64),
    "unsigned long long": ApInt(64, signed=False),
    "float": FORMATS["float32"],
    "double": FLOAT64,
}
_AC = re.compile(r"ac_(int|fixed)<([^<>]*)>")


def number_of(kind: Any, text: str) -> NumberType | None:
    """The numbers of a C++ type, if it is one of those that we know.

    Args:
        kind: the type, as libclang has it.
        text: its full name, without const.
    """
    if text.startswith("ap_float<"):
        return _minifloat(kind, text)
    if text in NATIVE:
        return NATIVE[text]
    if match := _AC.fullmatch(text):
        parts = [p.strip() for p in match[2].split(",")]
        if match[1] == "int":
            return ApInt(int(parts[0]), signed=_true(parts, 1))
        return ApFixed(int(parts[0]), int(parts[1]), signed=_true(parts, 2))
    if text.startswith(("ap_", "minifloat")):
        try:
            return parse_type(text)
        except ValueError:
            return None
    return None


def _minifloat(kind: Any, text: str) -> NumberType | None:
    """The open ``ap_float``, whose third argument is not spelled if it is its default.

    AMD's, which has two, is another type.
    """
    if kind.get_num_template_arguments() != 3:
        return None
    parts = text.removeprefix("ap_float<").rstrip(">").split(",")
    return parse_type(f"ap_float<{','.join((*parts, '0')[:3])}>")


def _true(parts: Sequence[str], place: int) -> bool:
    return len(parts) <= place or parts[place] in ("true", "1")
