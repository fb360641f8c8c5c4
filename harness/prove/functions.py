"""The few functions that kernels call beside their own: Python's and NumPy's."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

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


def _end(op: ast.cmpop, a: Any, b: Any) -> Any:
    """``b`` where ``b op a`` holds, else ``a``."""
    beyond = compared(op, b, a)
    return merged(beyond, b, a) if isinstance(beyond, Truth) else (b if beyond else a)


def _absolute(a: Any) -> Any:
    if isinstance(a, Real):
        return a.magnitude()
    return abs(a) if isinstance(a, int) else merged(as_word(a).less(0, signed=True), -a, a)


def _number(a: Any) -> int:
    if not isinstance(a, int):
        raise TypeError("an array is no number")
    return int(a)


BUILTINS: Mapping[str, Callable[..., Any]] = {
    "abs": _absolute,
    "bool": truth_of,
    "enumerate": enumerate,
    "int": _number,
    "isinstance": isinstance,
    "len": lambda row: row.shape[0],
    "max": functools.partial(_end, ast.Gt()),
    "min": functools.partial(_end, ast.Lt()),
    "range": range,
    "type": type,
}
NUMPY: Mapping[str, Callable[..., Any]] = {
    "iinfo": np.iinfo,
    "int64": lambda a: a if isinstance(a, int) else as_word(a),
    "uint64": lambda a: Unsigned(as_word(a)),
    **{name: functools.partial(rounded, name) for name in ("floor", "rint", "trunc")},
}
