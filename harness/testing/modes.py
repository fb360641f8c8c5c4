"""Which modes a strategy draws: one, its name, or a collection of them."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from harness.types import FloatOverflow, FloatRounding, Overflow, Rounding, shown

__all__ = [
    "FLOAT_OVERFLOWS",
    "FLOAT_ROUNDINGS",
    "OVERFLOWS",
    "ROUNDINGS",
    "Modes",
    "chosen",
    "having",
]

#: A mode or its name, or several.
Modes = str | enum.Enum | Iterable[str | enum.Enum]
_E = TypeVar("_E", bound=enum.Enum)
_T = TypeVar("_T")

OVERFLOWS, ROUNDINGS = tuple(Overflow), tuple(Rounding)
FLOAT_OVERFLOWS = tuple(FloatOverflow)
FLOAT_ROUNDINGS = tuple(mode for mode in FloatRounding if not mode.stochastic)


def chosen(what: str, given: Any, allowed: Sequence[_E]) -> tuple[_E, ...]:
    """The modes that ``given`` names, each once, in the order of ``allowed``; ``None`` is all.

    Raises:
        ValueError: for a name that is none of them, and for an empty collection.
    """
    if given is None:
        return tuple(allowed)
    single = isinstance(given, str | enum.Enum) or not isinstance(given, Iterable)
    found = [_member(what, each, allowed) for each in ([given] if single else given)]
    if not found:
        raise ValueError(f"{what} names no mode; {_listed(allowed)}")
    return tuple(mode for mode in allowed if mode in found)


def having(types: Iterable[_T], rounding: Sequence[Any], overflow: Sequence[Any]) -> list[_T]:
    """The types with one of the roundings and one of the overflows.

    Raises:
        ValueError: if there are none.
    """
    found = [t for t in types if _has(t, rounding, overflow)]
    if not found:
        names = (" or ".join(mode.name for mode in modes) for modes in (rounding, overflow))
        raise ValueError(f"the pool has no type with {' and '.join(names)}")
    return found


def _has(t: Any, rounding: Sequence[Any], overflow: Sequence[Any]) -> bool:
    return t.rounding in rounding and t.overflow in overflow


def _member(what: str, given: Any, allowed: Sequence[_E]) -> _E:
    parse: Callable[[Any], Any] = getattr(type(allowed[0]), "parse", type(allowed[0]))
    try:
        mode = parse(given.lower() if parse is FloatOverflow and type(given) is str else given)
    except ValueError:
        mode = None
    if mode not in allowed:
        raise ValueError(f"unknown {what} {shown(given)}; {_listed(allowed)}")
    return next(each for each in allowed if each is mode)


def _listed(allowed: Sequence[enum.Enum]) -> str:
    return f"allowed: {', '.join(mode.name for mode in allowed)}"
