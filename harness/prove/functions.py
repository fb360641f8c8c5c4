"""The few functions that kernels call beside their own: Python's and NumPy's."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Mapping
from typing import Any

from harness.prove.machine import Unsigned, as_word, compared, merged, truth_of
from harness.prove.reals import Real, rounded
from harness.prove.terms import Truth

__all__ = ["BUILTINS", "NUMPY", "both", "either"]


def both(a: Truth | bool, b: Truth | bool) -> Truth | bool:
    """Whether two conditions hold."""
    if isinstance(a, bool):
        return b if a else False
    return a & b


def either(a: Truth | bool, b: Truth | bool) -> Truth | bool:
    """Whether one of two conditions holds."""
    if isinstance(a, bool):
        return True if a else b
    return a | b


def _least(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int):
        return min(a, b)
    less = compared(ast.Lt(), b, a)
    return merged(less, b, a) if isinstance(less, Truth) else (b if less else a)


def _most(a: Any, b: Any) -> Any:
    if isinstance(a, int) and isinstance(b, int):
        return max(a, b)
    more = compared(ast.Gt(), b, a)
    return merged(more, b, a) if isinstance(more, Truth) else (b if more else a)


def _absolute(a: Any) -> Any:
    if isinstance(a, Real):
        return a.magnitude()
    return abs(a) if isinstance(a, int) else merged(as_word(a).less(0, signed=True), -a, a)


BUILTINS: Mapping[str, Callable[..., Any]] = {
    "abs": _absolute,
    "bool": truth_of,
    "len": lambda row: row.shape[0],
    "max": _most,
    "min": _least,
    "range": range,
    "type": type,
}
NUMPY: Mapping[str, Callable[..., Any]] = {
    "int64": lambda a: a if isinstance(a, int) else as_word(a),
    "uint64": lambda a: Unsigned(as_word(a)),
    **{name: functools.partial(rounded, name) for name in ("floor", "rint", "trunc")},
}
