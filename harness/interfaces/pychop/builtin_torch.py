"""Tensors that stay in a format: what torch computes of them is rounded, call by call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from harness.interfaces.pychop.builtin import mapped, one_chopper

__all__ = ["CPTensor"]

#: What changes a tensor in place without a name that says so.
_STORES = ("__setitem__", "__iadd__", "__isub__", "__imul__", "__itruediv__", "__ipow__")


class CPTensor(torch.Tensor):
    """A tensor in a format.

    What torch computes of it is one again, if it is of floats; complex results are plain.
    Gradients pass if the chopper lets them: ``ChopSTE`` does, ``Chop`` does not.

    Args:
        input_tensor: floats.
        chopper: what rounds them: a simulator, or any function of a tensor.

    Raises:
        ValueError: without a chopper, or for operands that have another one.
        TypeError: for an operation in place, which would store what is not rounded.
    """

    chopper: Any

    @staticmethod
    def __new__(cls: type[CPTensor], input_tensor: Any, chopper: Any = None) -> CPTensor:
        """The rounded tensor."""
        if chopper is None:
            raise ValueError("a CPTensor needs a chopper, such as Chop(5, 10)")
        made = _rounded(torch.as_tensor(input_tensor), chopper)
        made.chopper = chopper
        return made

    @classmethod
    def __torch_function__(
        cls, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """``func`` of plain tensors, the floats that it gives rounded."""
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if kwargs.get("out") is not None or name in _STORES or _in_place(name):
            raise TypeError(f"{name} stores what is not rounded; use an operation that returns it")
        chopper = one_chopper([args, kwargs], CPTensor)
        plain = mapped(_bare, [args, kwargs])
        with torch._C.DisableTorchFunctionSubclass():
            result = func(*plain[0], **plain[1])
        if func == torch.Tensor.grad.__get__:  # type: ignore[union-attr]
            return result
        return mapped(lambda y: _kept(y, chopper), result)

    def to_regular(self) -> torch.Tensor:
        """A plain tensor of the same values."""
        return _bare(self)  # type: ignore[no-any-return]

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override]
        return f"CPTensor({self.to_regular()}, {self.chopper})"

    def __format__(self, spec: str) -> str:
        return format(self.to_regular(), spec) if spec else repr(self)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return CPTensor, (self.to_regular(), self.chopper)


def _in_place(name: str) -> bool:
    """Whether torch's naming says so: ``add_``, and not ``__add__`` or ``requires_grad_``."""
    return name.endswith("_") and not name.endswith("__") and name != "requires_grad_"


def _bare(x: Any) -> Any:
    with torch._C.DisableTorchFunctionSubclass():
        return x.as_subclass(torch.Tensor) if isinstance(x, CPTensor) else x


def _rounded(x: torch.Tensor, chopper: Any) -> CPTensor:
    return chopper(_bare(x)).as_subclass(CPTensor)  # type: ignore[no-any-return]


def _kept(y: Any, chopper: Any) -> Any:
    """A result in the format, if it is a tensor of floats."""
    if not isinstance(y, torch.Tensor) or not y.is_floating_point():
        return y
    made = _rounded(y, chopper)
    made.chopper = chopper
    return made
