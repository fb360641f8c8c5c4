"""The arithmetic of affine quantization, on the exact one of ``harness.nn.steps``.

``q = clamp(round(x / scale) - round(offset), qmin, qmax)`` is the integer of the exact quotient,
ties to even, and ``(q + round(offset)) * scale`` is rounded once, to the dtype of the tensor.
A negative scale is the positive one of the negated tensor.  What the dtype does not hold is
refused, as AIMET does, with a ``RuntimeError``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from harness.interfaces.aimet.utils import ste_round
from harness.nn.exported import exported_affine
from harness.nn.steps import FAR, codes, narrowed, on_steps
from harness.nn.straight_through import is_traced

__all__ = [
    "dequantize",
    "get_encoding_shape_with_blocks",
    "quantize",
    "quantize_dequantize",
    "reshape_tensor_for_blocks",
]

Blocks = Sequence[int] | None
#: Integers up to which each dtype has all of them.
_WHOLE = {
    torch.float16: 2**11,
    torch.bfloat16: 2**8,
    torch.float32: 2**24,
    torch.float64: 2**53,
}


def quantize(
    tensor: Tensor, scale: Tensor, offset: Tensor, qmin: int, qmax: int, block_size: Blocks = None
) -> Tensor:
    """The integers of ``tensor``, in its shape and dtype, with the straight-through gradient.

    Args:
        tensor: of a float dtype.
        scale: not 0; it broadcasts against ``tensor``, or counts its blocks.
        offset: as ``scale``; the integer nearest to it counts.
        qmin: the lowest integer.
        qmax: the highest.
        block_size: elements of each of the last axes that share a scale, -1 for all there are.

    Raises:
        RuntimeError: for shapes that do not fit, and integers that the dtype does not hold.
    """
    largest = max(abs(qmin), abs(qmax))
    if largest > _WHOLE.get(tensor.dtype, 0):
        raise RuntimeError(f"{tensor.dtype} does not hold the integers {qmin} to {qmax}")
    x, scale, offset = _broadcast(tensor, scale, offset, block_size)
    sign, scale = _positive(scale, x)
    return _shaped(_quantize(_signed(x, sign), scale, offset, qmin, qmax, True), tensor)


def quantize_dequantize(
    tensor: Tensor, scale: Tensor, offset: Tensor, qmin: int, qmax: int, block_size: Blocks = None
) -> Tensor:
    """The values nearest to ``tensor`` on the steps; arguments and errors as :func:`quantize`."""
    if max(abs(qmin), abs(qmax)) > FAR:
        raise RuntimeError(f"integers beyond 2**45 are not computed, {qmin} to {qmax} are")
    x, scale, offset = _broadcast(tensor, scale, offset, block_size)
    sign, scale = _positive(scale, x)
    y = _quantize(_signed(x, sign), scale, offset, qmin, qmax, False)
    return _shaped(_signed(y, sign), tensor)


def dequantize(tensor: Tensor, scale: Tensor, offset: Tensor, block_size: Blocks = None) -> Tensor:
    """``(tensor + round(offset)) * scale``, rounded once to the dtype of ``tensor``."""
    x, scale, offset = _broadcast(tensor, scale, offset, block_size)
    value = (x.double() + ste_round(offset.double())) * scale.double()
    return _shaped(narrowed(value, tensor.dtype), tensor)


def _quantize(
    x: Tensor, scale: Tensor, offset: Tensor, qmin: int, qmax: int, integers: bool
) -> Tensor:
    if is_traced() and torch.onnx.is_in_onnx_export() and not integers:
        return exported_affine(x, scale, torch.round(offset), qmin, qmax)
    y: Tensor = _Quantize.apply(x, scale, offset, qmin, qmax, integers)  # type: ignore[no-untyped-call]
    return y


class _Quantize(torch.autograd.Function):
    """Integers, or their values; rounding passes gradients, and clamping by the integer.

    So a gradient passes up to half a step beyond the lowest and highest value, as in AIMET.
    """

    @staticmethod
    def forward(
        x: Tensor, scale: Tensor, offset: Tensor, qmin: int, qmax: int, integers: bool
    ) -> Tensor:
        facts = x.detach(), scale.detach(), torch.round(offset.detach()), qmin, qmax
        return codes(*facts).to(x.dtype) if integers else on_steps(*facts)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        # The output is not kept: a ReLU in place may follow.
        x, scale, offset, ctx.qmin, ctx.qmax, ctx.integers = inputs
        ctx.save_for_backward(x, scale, offset)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
        (gradient,), (x, scale, offset) = gradients, ctx.saved_tensors
        wide, step, upstream = x.double(), scale.double(), gradient.double()
        start = torch.round(offset.double())
        free = torch.round(wide / step) - start
        inside = torch.where((free >= ctx.qmin) & (free <= ctx.qmax), upstream, 0)
        if ctx.integers:
            to_x, to_scale, to_offset = inside / step, inside * -wide / step**2, -inside
        else:
            to_x, whole = inside, free.clamp(ctx.qmin, ctx.qmax) + start
            to_scale = upstream * whole - inside * wide / step
            to_offset = (upstream - inside) * step
        return (
            to_x.to(x.dtype),
            to_scale.sum_to_size(scale.shape).to(scale.dtype),
            to_offset.sum_to_size(offset.shape).to(offset.dtype),
            *(None,) * 3,
        )


def _positive(scale: Tensor, x: Tensor) -> tuple[Tensor | None, Tensor]:
    """The signs of a scale that has some negative elements, and its magnitude."""
    if not x.is_floating_point():
        raise RuntimeError(f"float tensors are quantized, {x.dtype} is none")
    if is_traced():
        return None, scale
    lowest = float(scale.detach().min())
    if lowest > 0:
        return None, scale
    if not bool((scale.abs() > 0).all()):
        raise RuntimeError("a scale must not be 0 or NaN")
    return torch.where(scale < 0, -1.0, 1.0).to(x.dtype), scale.abs()


def _signed(x: Tensor, sign: Tensor | None) -> Tensor:
    return x if sign is None else x * sign + 0.0


def _broadcast(
    tensor: Tensor, scale: Tensor, offset: Tensor, block_size: Blocks
) -> tuple[Tensor, Tensor, Tensor]:
    """The three as they broadcast against one another, split into blocks."""
    _validate_arguments(tensor, scale, offset, block_size=block_size)
    x = reshape_tensor_for_blocks(tensor, scale.shape, block_size)
    shape = get_encoding_shape_with_blocks(scale.shape, block_size)
    scale = scale.reshape(shape)
    if block_size is not None and offset.numel() > 1:
        offset = offset.reshape(shape)
    return x, scale, offset


def _shaped(y: Tensor, like: Tensor) -> Tensor:
    """``y`` in the shape and memory format that came in."""
    y = y.reshape(like.shape)
    for layout in (torch.channels_last, torch.channels_last_3d):
        dimensions = 4 if layout is torch.channels_last else 5
        if (
            like.dim() == dimensions
            and not like.is_contiguous()
            and like.is_contiguous(memory_format=layout)
        ):
            return y.contiguous(memory_format=layout)
    return y


def _validate_arguments(
    tensor: Tensor,
    scale: Tensor,
    offset: Tensor | None = None,
    block_size: Blocks = None,
) -> None:
    """Refuse devices, dtypes and shapes that do not fit one another, with a ``RuntimeError``."""
    for name, other in (("scale", scale), ("offset", offset)):
        if other is not None and other.device != tensor.device:
            raise RuntimeError(f"{name} is on {other.device}, the tensor on {tensor.device}")
    if block_size is None:
        if not _expands(scale.shape, tensor.shape):
            raise RuntimeError(
                f"a scale of shape {tuple(scale.shape)} does not expand to {tuple(tensor.shape)}"
            )
        return
    if len(block_size) != scale.dim() or scale.dim() > tensor.dim():
        raise RuntimeError(
            f"block_size {tuple(block_size)} needs a size for each axis of {tuple(scale.shape)}"
        )
    last = tensor.shape[tensor.dim() - scale.dim() :]
    for length, blocks, size in zip(last, scale.shape, block_size, strict=True):
        if length % blocks or (size != -1 and blocks * size != length):
            raise RuntimeError(f"an axis of {length} is not {blocks} blocks of {size}")


def _expands(shape: Sequence[int], to: Sequence[int]) -> bool:
    if len(shape) > len(to):
        return False
    last = to[len(to) - len(shape) :]
    return all(n in (1, m) for n, m in zip(shape, last, strict=True))


def reshape_tensor_for_blocks(
    tensor: Tensor, encoding_shape: Sequence[int], block_size: Blocks
) -> Tensor:
    """``tensor`` with each axis that has a block size split into blocks and what is in a block."""
    if block_size is None:
        return tensor
    kept = tensor.dim() - len(encoding_shape)
    split: list[int] = []
    for length, blocks, size in zip(tensor.shape[kept:], encoding_shape, block_size, strict=True):
        split += [blocks, length // blocks if size == -1 else size]
    return tensor.reshape(*tensor.shape[:kept], *split)


def get_encoding_shape_with_blocks(
    original_shape: Sequence[int], block_size: Blocks
) -> tuple[int, ...]:
    """A shape of encodings as it broadcasts against a tensor split into blocks."""
    if block_size is None:
        return tuple(original_shape)
    return tuple(n for blocks in original_shape for n in (blocks, 1))


@contextlib.contextmanager
def _use_compiled_impl(flag: bool) -> Iterator[None]:
    """There is one implementation here, whichever is asked for; ``flag`` must be a bool."""
    if not isinstance(flag, bool):
        raise TypeError(f"flag must be a bool, not {flag!r}")
    yield
