"""The formats that have a name, and every type from its spelling."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable

from harness.types import spelling
from harness.types.binary import Binary
from harness.types.fixed import ApFixed
from harness.types.floats import BinaryFloat, IeeeFloat, MiniFloat, VitisFloat
from harness.types.texts import shown

__all__ = [
    "FLOAT64",
    "FORMATS",
    "TERNARY",
    "NumberType",
    "as_fixed_type",
    "as_number_type",
    "parse_type",
]

NumberType = ApFixed | BinaryFloat | Binary
"""Any type that numbers are cast to."""

TERNARY = ApFixed(2, 2, rounding="RND_CONV", overflow="SAT_SYM")
"""{-1, 0, 1}: to nearest, ties to even, so that -0.5 and 0.5 become 0."""

FLOAT64 = IeeeFloat(11, 52)
"""The words of C++ ``double``."""

FORMATS = {
    "float32": IeeeFloat(8, 23),
    "tf32": IeeeFloat(8, 10),
    "bfloat16": IeeeFloat(8, 7),
    "float16": IeeeFloat(5, 10),
    "float8_e5m2": IeeeFloat(5, 2),
    "float8_e5m2fnuz": IeeeFloat(5, 2, specials="fnuz"),
    "float8_e4m3": IeeeFloat(4, 3),
    "float8_e4m3fn": IeeeFloat(4, 3, specials="fn"),
    "float8_e4m3fnuz": IeeeFloat(4, 3, specials="fnuz"),
    "float8_e3m4": IeeeFloat(3, 4),
    "float6_e3m2fn": IeeeFloat(3, 2, specials="none"),
    "float6_e2m3fn": IeeeFloat(2, 3, specials="none"),
    "float4_e2m1fn": IeeeFloat(2, 1, specials="none"),
}
"""IEEE-style formats under the names that NumPy, ml_dtypes and torch share."""

_MORE: dict[str, NumberType] = {
    "half": FORMATS["float16"],
    "ternary": TERNARY,
    "binary": Binary(),
    "binary<-1>": Binary(zero=-1),
}


def parse_type(text: str) -> NumberType:
    """The type that ``text`` spells, of any family.

    ``ap_float<M,E,E0>`` is the open minifloat, ``ap_float<W,E>`` the one of Vitis; IEEE-style
    formats are ``ieee<E,S,...>`` or a name in :data:`FORMATS`.

    Raises:
        ValueError: says what was not understood and which spellings are allowed.
    """
    named: dict[str, NumberType] = {**FORMATS, **_MORE}
    if isinstance(text, str) and (name := spelling.cleaned(text)) in named:
        return named[name]
    if spelling.spells_fixed(text):
        return ApFixed.parse(text)
    family = spelling.float_family(text)
    if family is None:
        near = [t for t in spelling.nearest(text, list(named)) if _reads(parse_type, t)]
        raise ValueError(spelling.unreadable(text, list(named), near))
    if family[0] == "ieee":
        return IeeeFloat.parse(text)
    return _vitis(text) if family == ("ap_float", 2) else MiniFloat.parse(text)


def _vitis(text: str) -> VitisFloat:
    """The float of Vitis; where there is none, the minifloat with these numbers is named."""
    try:
        return VitisFloat.parse(text)
    except ValueError as error:
        meant = f"{spelling.cleaned(text)[:-1].rstrip()},0>"
        hint = f"; the open minifloat is {meant}" if _reads(MiniFloat.parse, meant) else ""
        raise ValueError(f"ap_float<W,E> of Vitis: {error}{hint}") from None


def _reads(parse: Callable[[str], object], text: str) -> bool:
    with contextlib.suppress(ValueError):
        parse(text)
        return True
    return False


_parse = functools.lru_cache(4096)(parse_type)


def as_number_type(t: NumberType | str) -> NumberType:
    """A type, or the one that a text spells: what every function takes that takes a type.

    Raises:
        TypeError: for anything else.
        ValueError: as :func:`parse_type` does.
    """
    if isinstance(t, NumberType):
        return t
    if isinstance(t, str):
        return _parse(t)
    raise TypeError(f"{shown(t)} is no type; give one, or the spelling of one")


def as_fixed_type(t: ApFixed | str) -> ApFixed:
    """The same where fixed point alone serves; ``TypeError`` for a type of another family."""
    found = as_number_type(t)
    if not isinstance(found, ApFixed):
        raise TypeError(f"{found} is no fixed-point type, which is wanted here")
    return found
