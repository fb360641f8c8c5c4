"""Functions in a format: operands rounded, the operation in their dtype, its result rounded.

``sin(x, chop)``, ``add(x, y, chop)``, ``sum(x, chop, axis=0)``; simulators have them as methods,
``chop.sin(x)``.  What is between the roundings is NumPy's or torch's own function, so a result is
the rounding of *its* value, and not of the real one.  Of ``add``, ``subtract``, ``multiply``,
``divide`` and ``sqrt`` to nearest even it is both, if the dtype has 2 t + 2 bits of significand.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from harness.types import is_tensor

__all__ = ["OPERATIONS", "RoundedMath", "rounded"]

_UNARY = """
    sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh exp expm1 log log10 log2
    log1p sqrt cbrt abs fabs reciprocal square floor ceil round sign degrees radians sum prod mean
    std var cumsum cumprod diff ldexp clip
"""
_BINARY = """
    add subtract multiply divide floor_divide mod power hypot maximum minimum logaddexp dot matmul
"""
#: How many operands are rounded, by name.
OPERATIONS = dict.fromkeys(_UNARY.split(), 1) | dict.fromkeys(_BINARY.split(), 2)

#: What torch calls otherwise.
_TORCH = {
    "power": "pow",
    "mod": "remainder",
    "fabs": "abs",
    "degrees": "rad2deg",
    "radians": "deg2rad",
}

#: Where a function is defined; of two operands it is the last that counts.
_DOMAINS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    **dict.fromkeys(("arcsin", "arccos"), ("in [-1, 1]", lambda x: abs(x) <= 1)),
    "arctanh": ("in (-1, 1)", lambda x: abs(x) < 1),
    "arccosh": ("at least 1", lambda x: x >= 1),
    **dict.fromkeys(("log", "log10", "log2"), ("positive", lambda x: x > 0)),
    "log1p": ("above -1", lambda x: x > -1),
    "sqrt": ("0 or more", lambda x: x >= 0),
    **dict.fromkeys(("reciprocal", "divide", "floor_divide", "mod"), ("no zero", lambda x: x != 0)),
}


def rounded(name: str, chop: Callable[[Any], Any], *operands: Any, **options: Any) -> Any:
    """An operation of the table on rounded operands, its result rounded.

    Args:
        name: one of ``OPERATIONS``.
        chop: what rounds: a simulator, or any function of an array.
        operands: arrays or tensors, then what the function takes further, unrounded.
        options: as NumPy or torch takes them.

    Raises:
        AttributeError: for an operation that the library of the operands does not have.
        ValueError: for operands outside of the function's domain.
    """
    count = OPERATIONS[name]
    given = [chop(x) for x in operands[:count]]
    if name in _DOMAINS:
        told, holds = _DOMAINS[name]
        if not bool(holds(given[-1]).all()):
            raise ValueError(f"{name} takes what is {told}; an operand, once rounded, is not")
    return chop(_function(name, given[0])(*given, *operands[count:], **options))


def _function(name: str, x: Any) -> Callable[..., Any]:
    if not is_tensor(x):
        found: Callable[..., Any] = getattr(np, name)
        return found
    torch: Any = sys.modules["torch"]
    found = getattr(torch, _TORCH.get(name, name), None)  # type: ignore[assignment]
    if found is None:
        raise AttributeError(f"torch has no {name}; use arrays")
    return found


class RoundedMath:
    """What gives a simulator the operations of the table as methods."""

    def __getattr__(self, name: str) -> Any:
        if name in OPERATIONS:
            return functools.partial(rounded, name, self)  # type: ignore[arg-type]
        raise AttributeError(f"{type(self).__name__} has no {name}")


def __getattr__(name: str) -> Callable[..., Any]:
    """The functions: operands first, then ``chop``."""
    if name not in OPERATIONS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    count = OPERATIONS[name]

    def function(*operands: Any, **options: Any) -> Any:
        if "chop" in options:
            return rounded(name, options.pop("chop"), *operands, **options)
        if len(operands) <= count:
            raise TypeError(f"{name} takes {count} operands and a chop")
        return rounded(name, operands[count], *operands[:count], *operands[count + 1 :], **options)

    function.__name__ = function.__qualname__ = name
    return function
