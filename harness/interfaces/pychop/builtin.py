"""Scalars and arrays that stay in a format: what is computed of them is rounded, call by call.

An operation computes in the dtype and its result is rounded once; what is inside of one, such as
the sums of a product of matrices, is not.  ``CPTensor`` is in ``builtin_torch``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

__all__ = ["CPArray", "CPFloat", "mapped", "one_chopper"]


def _leaves(tree: Any) -> Iterator[Any]:
    """What lies in tuples, lists and dicts."""
    if isinstance(tree, (tuple, list)):
        for each in tree:
            yield from _leaves(each)
    elif isinstance(tree, dict):
        yield from _leaves(list(tree.values()))
    else:
        yield tree


def mapped(function: Any, tree: Any) -> Any:
    """``function`` of each leaf; named tuples stay such."""
    if isinstance(tree, (tuple, list)):
        members = [mapped(function, each) for each in tree]
        return type(tree)(*members) if hasattr(tree, "_fields") else type(tree)(members)
    if isinstance(tree, dict):
        return {key: mapped(function, each) for key, each in tree.items()}
    return function(tree)


def one_chopper(tree: Any, kind: Any) -> Any:
    """The chopper that all of a kind have; ``ValueError`` if there are two."""
    found = [leaf.chopper for leaf in _leaves(tree) if isinstance(leaf, kind)]
    if any(chopper is not found[0] for chopper in found):
        raise ValueError(f"operands of {kind.__name__} must have the same chopper")
    return found[0] if found else None


class CPFloat(NDArrayOperatorsMixin):
    """A number in a format.

    Args:
        value: a real number.
        chopper: what rounds it: a simulator, or any function of a float64.

    Attributes:
        value: the rounded number, a ``float``.
    """

    def __init__(self, value: Any, chopper: Any) -> None:
        self.chopper = chopper
        self.value = float(chopper(np.float64(value)))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        chopper = one_chopper(inputs, CPFloat)
        plain = [x.value if isinstance(x, CPFloat) else x for x in inputs]
        if method != "__call__" or kwargs or not all(np.isscalar(x) for x in plain):
            return NotImplemented
        return mapped(
            lambda y: CPFloat(y, chopper) if isinstance(y, np.floating) else y, ufunc(*plain)
        )

    def __float__(self) -> float:
        return self.value

    def __bool__(self) -> bool:
        return bool(self.value)

    def __hash__(self) -> int:
        return hash(self.value)

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else str(self)

    def __repr__(self) -> str:
        return f"CPFloat({self.value}, {self.chopper})"


class CPArray(np.ndarray[Any, Any]):
    """An array in a format; what is stored into it is rounded, too.

    What is computed of it is one again, if it is an array of floats; complex results are plain.

    Args:
        input_array: floats.
        chopper: what rounds them: a simulator, or any function of an array.

    Raises:
        ValueError: without a chopper, or for operands that have another one.
    """

    chopper: Any

    def __new__(cls, input_array: Any, chopper: Any = None) -> CPArray:
        """The rounded array."""
        if chopper is None:
            raise ValueError("a CPArray needs a chopper, such as Chop(5, 10)")
        made = np.asarray(chopper(np.asarray(input_array))).view(cls)
        made.chopper = chopper
        return made

    def __array_finalize__(self, obj: Any) -> None:
        self.chopper = getattr(obj, "chopper", None)

    def __setitem__(self, key: Any, value: Any) -> None:
        value = np.asarray(value, dtype=self.dtype)
        super().__setitem__(key, value if self.chopper is None else self.chopper(value))

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "at":
            raise TypeError("ufunc.at stores what is not rounded; use an operation and store that")
        out = kwargs.pop("out", None)
        chopper = one_chopper([inputs, out], CPArray)
        plain = mapped(_bare, [inputs, kwargs])
        result = mapped(lambda y: _kept(y, chopper), getattr(ufunc, method)(*plain[0], **plain[1]))
        if out is None:
            return result
        results = result if isinstance(result, tuple) else (result,)
        for place, values in zip(out, results, strict=True):
            if place is not None:
                place[...] = values
        return out[0] if len(out) == 1 else out

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if not all(issubclass(t, np.ndarray) for t in types):
            return NotImplemented
        if kwargs.get("out") is not None:
            raise TypeError(f"{func.__name__} with out= stores what is not rounded; leave it out")
        chopper = one_chopper([args, kwargs], CPArray)
        plain = mapped(_bare, [args, kwargs])
        return mapped(lambda y: _kept(y, chopper), func(*plain[0], **plain[1]))

    def to_regular(self) -> np.ndarray[Any, Any]:
        """A plain array of the same values."""
        return self.view(np.ndarray)

    def __repr__(self) -> str:
        return f"CPArray({np.array2string(self.to_regular())}, {self.chopper})"

    __str__ = __repr__


def _bare(x: Any) -> Any:
    return x.to_regular() if isinstance(x, CPArray) else x


def _kept(y: Any, chopper: Any) -> Any:
    """A result in the format: arrays as such, single floats rounded; all else as it is."""
    if isinstance(y, np.ndarray) and y.dtype.kind == "f":
        return CPArray(y, chopper)
    return chopper(y) if isinstance(y, np.floating) else y
