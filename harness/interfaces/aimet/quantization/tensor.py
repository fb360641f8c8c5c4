"""Tensors that know their encoding: ``QuantizedTensor`` of integers, ``DequantizedTensor``.

What keeps every element as it is (views, copies, casts to other floats) keeps the encoding; if it
moves elements, one for the whole tensor stays, and one of channels or blocks does not.  Whatever
computes returns a plain tensor.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only

__all__ = [
    "DequantizedTensor",
    "EncodingError",
    "QuantizedTensor",
    "QuantizedTensorBase",
    "as_plain",
]


class EncodingError(RuntimeError):
    """A tensor without an encoding was asked for what needs one."""


def _functions(*names: str) -> set[Callable[..., Any]]:
    """What torch has under these names, as methods and as functions."""
    homes = (Tensor, torch)
    return {getattr(home, name) for home in homes for name in names if hasattr(home, name)}


_CASTS = _functions(
    *("half", "float", "double", "bfloat16", "char", "short", "int", "long", "bool"),
    *("byte", "cuda", "cpu", "to", "type", "type_as"),
)
_SAME = _functions("contiguous", "requires_grad_", "share_memory_", "pin_memory")
_MOVES = _functions(
    *("__getitem__", "as_strided", "as_strided_copy", "broadcast_to", "chunk", "dsplit", "expand"),
    *("expand_as", "expand_copy", "flatten", "flip", "fliplr", "flipud", "gather", "hsplit"),
    *("index_select", "kthvalue", "masked_select", "movedim", "moveaxis", "msort", "narrow"),
    *("narrow_copy", "permute", "permute_copy", "repeat", "reshape", "reshape_as", "resize"),
    *("resize_", "resize_as", "resize_as_", "select", "split", "squeeze", "squeeze_"),
    *("squeeze_copy", "swapaxes", "swapdims", "t", "t_", "t_copy", "take", "take_along_dim"),
    *("tensor_split", "tile", "transpose", "transpose_", "unbind", "unflatten", "unsqueeze"),
    *("unsqueeze_", "unsqueeze_copy", "view", "view_as", "view_copy", "vsplit"),
)


class QuantizedTensorBase(Tensor):
    """A float tensor with the encoding that it was quantized by.

    Attributes:
        encoding: an ``AffineEncoding``, or ``None``.

    Raises:
        RuntimeError: for a tensor that is no float.
    """

    encoding: Any

    @staticmethod
    def __new__(cls: Any, *args: Any, encoding: Any = None, **kwargs: Any) -> Any:
        """A tensor of what ``torch.Tensor`` takes, and an encoding."""
        made = super().__new__(cls, *args, **kwargs)
        if not made.is_floating_point():
            raise RuntimeError(f"a quantized tensor has a float dtype, not {made.dtype}")
        made.encoding = encoding
        return made

    def quantize(self) -> QuantizedTensor:
        """The integers; ``EncodingError`` without an encoding."""
        raise NotImplementedError

    def dequantize(self) -> DequantizedTensor:
        """The values; ``EncodingError`` without an encoding."""
        raise NotImplementedError

    def quantized_repr(self) -> Tensor:
        """The integers as a plain tensor of the encoding's dtype of integers."""
        integers = self.quantize()
        return integers.as_subclass(Tensor).to(self._given().dtype)

    def _given(self) -> Any:
        if self.encoding is None:
            raise EncodingError(f"{type(self).__name__} has no encoding")
        return self.encoding

    def _with(self, plain: Tensor, kind: Any, encoding: Any) -> Any:
        made = plain.as_subclass(kind)
        made.encoding = encoding
        return made

    def clone(self, *, memory_format: Any = torch.preserve_format) -> Any:
        """A copy, with a copy of the encoding; gradients pass both."""
        plain = self.as_subclass(Tensor).clone(memory_format=memory_format)
        return self._with(plain, type(self), self.encoding and self.encoding._clone())

    def detach(self) -> Any:
        """The same, and its encoding, apart from the graph."""
        plain = self.as_subclass(Tensor).detach()
        return self._with(plain, type(self), self.encoding and self.encoding._detach())

    def new_empty(self, size: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """A tensor of this class, without encoding; ``copy.deepcopy`` fills it."""
        return self._with(self.as_subclass(Tensor).new_empty(size, **kwargs), type(self), None)

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in (torch.clone, torch.detach) and isinstance(args[0], QuantizedTensorBase):
            return getattr(args[0], func.__name__)(*args[1:], **(kwargs or {}))
        result = super().__torch_function__(func, types, args, kwargs or {})  # type: ignore[no-untyped-call]
        source = args[0] if args else None
        if not isinstance(source, QuantizedTensorBase):
            return _each(result, lambda each: each.as_subclass(Tensor))
        if func in _CASTS:
            return _cast(source, result)
        if func in _SAME or func in _MOVES:
            # In place: the encoding is there already.
            whole = func in _SAME or getattr(source.encoding, "granularity", "") == "pertensor"
            return result if result is source else _each(result, _keep(source, whole))
        if result is source:
            result.encoding = None  # it holds other values now
            return result
        return _each(result, _plain_without_encoding)


def _each(result: Any, function: Callable[[Any], Any]) -> Any:
    return tree_map_only(QuantizedTensorBase, function, result)


def _cast(source: QuantizedTensorBase, result: Any) -> Any:
    if not result.is_floating_point():
        raise RuntimeError(
            f"a quantized tensor has no {result.dtype}; its integers are in quantized_repr()"
        )
    if result is not source:
        result.encoding = source.encoding and source.encoding.to(device=result.device)
    return result


def _keep(source: QuantizedTensorBase, whole: bool) -> Callable[[Any], Any]:
    def kept(each: Any) -> Any:
        each.encoding = copy.copy(source.encoding) if whole else None
        return each

    return kept


def _plain_without_encoding(each: Any) -> Any:
    return each if getattr(each, "encoding", None) is not None else each.as_subclass(Tensor)


class QuantizedTensor(QuantizedTensorBase):
    """Integers, in a float tensor; ``dequantize`` gives the values."""

    def quantize(self) -> QuantizedTensor:
        """Itself."""
        return self

    def dequantize(self) -> DequantizedTensor:
        """The values, with the same encoding."""
        encoding = self._given()
        values = encoding.dequantize(self.as_subclass(Tensor))
        made: DequantizedTensor = self._with(values, DequantizedTensor, copy.copy(encoding))
        return made


class DequantizedTensor(QuantizedTensorBase):
    """Values that an encoding has; ``quantize`` gives their integers."""

    def quantize(self) -> QuantizedTensor:
        """The integers, with the same encoding."""
        encoding = self._given()
        integers = encoding.quantize(self.as_subclass(Tensor))
        made: QuantizedTensor = self._with(integers, QuantizedTensor, copy.copy(encoding))
        return made

    def dequantize(self) -> DequantizedTensor:
        """Itself."""
        return self


def as_plain(x: Tensor) -> Tensor:
    """The tensor without its encoding; others as they are, for what exporters trace has a class."""
    return x.as_subclass(Tensor) if isinstance(x, QuantizedTensorBase) else x
