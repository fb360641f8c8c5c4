"""Layers that move values and compute none: ``nnet_transpose.h``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.fixed import Fixed
from harness.hls.layers.layer import ShapeError, TypedLayer
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed

__all__ = ["Broadcast", "Reshape", "Transpose", "channels_first", "permutation", "permuted"]


def channels_first(shape: Sequence[int], wanted: Sequence[int]) -> bool:
    """Whether a shape is the wanted one, whose channels are last, with its channels first."""
    turned = (*shape[1:], *shape[:1])
    return turned == tuple(wanted) != tuple(shape)


class Reshape(TypedLayer):
    """The same values in another shape, C order; in the hardware no operation, so no kernel.

    Args:
        input: the type, of input and output.
        input_shape: the shape of the input.
        shape: the shape of the output, of as many elements; by default flat.
    """

    monotone = True

    def __init__(
        self,
        input: ApFixed | str,  # noqa: A002
        input_shape: tuple[int, ...],
        shape: tuple[int, ...] | None = None,
    ) -> None:
        shape = (math.prod(input_shape),) if shape is None else shape
        super().__init__([input], [input_shape], input, shape)
        if math.prod(shape) != math.prod(input_shape):
            raise ShapeError(f"Reshape: {shape} does not have the elements of {input_shape}")

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        return inputs[0].reshape(-1, *self.output_shape)

    def kernel(self) -> Any:
        """None: nothing is computed."""
        return None


class Transpose(TypedLayer):
    """The axes in another order, each value converted to the result's type.

    Args:
        perm: the axes of the input in the order of the output, of the shape without the batch.
        input: the type of the input.
        input_shape: its shape, of any number of axes.
        result: the type of the output; by default the input's.

    Source:
        hls4ml ``nnet::transpose``.
    """

    source = "layers/shape.h"
    monotone = True

    def __init__(
        self,
        perm: Sequence[int],
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: tuple[int, ...],
        result: ApFixed | str | None = None,
    ) -> None:
        order = tuple(int(k) for k in perm)
        if sorted(order) != list(range(len(input_shape))):
            raise ShapeError(f"Transpose: {order} is no order of the axes of {tuple(input_shape)}")
        shape = tuple(input_shape[k] for k in order)
        super().__init__([input], [input_shape], input if result is None else result, shape)
        self.perm = order

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        return permuted(inputs[0].to(self.result), self.perm)

    def kernel(self) -> LayerKernel:
        """``transpose``."""
        order = permutation(self.input_shapes[0], self.perm)
        return LayerKernel(self.source, "transpose", (self.input_types[0], self.result, order))


class Broadcast(TypedLayer):
    """The same pixel everywhere, or the same value in every channel, converted to ``result``.

    Args:
        shape: the shape of the output, (height, width, channels).
        input: the type of the input.
        input_shape: (1, 1, channels) or (height, width, 1).
        result: the type of the output; by default the input's.

    Source:
        hls4ml ``nnet::broadcast_stream``; no kernel for arrays does this alone.
    """

    source = "layers/streamed.h"
    monotone = True

    def __init__(
        self,
        shape: tuple[int, ...],
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: tuple[int, ...],
        result: ApFixed | str | None = None,
    ) -> None:
        super().__init__([input], [input_shape], input if result is None else result, shape)
        allowed = [(1, 1, shape[-1]), (*shape[:2], 1)]
        if len(shape) != 3 or tuple(input_shape) not in allowed:
            raise ShapeError(
                f"Broadcast: {tuple(input_shape)} does not become {tuple(shape)}; allowed: "
                "(1, 1, channels) and (height, width, 1) to (height, width, channels)"
            )

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        x = inputs[0].to(self.result)
        return x.moved(lambda codes: np.broadcast_to(codes, (len(x), *self.output_shape)))

    def kernel(self) -> LayerKernel:
        """``broadcast``."""
        types = (self.input_types[0], self.result)
        sizes = (*self.input_shapes[0], *self.output_shape)
        return LayerKernel(self.source, "broadcast", (*types, *sizes))


def permuted(x: Fixed, perm: Sequence[int]) -> Fixed:
    """A batch with the axes after the first in another order."""
    return x.transpose(0, *(k + 1 for k in perm))


def permutation(shape: Sequence[int], perm: Sequence[int]) -> str:
    """The C++ type that tells ``nnet::transpose`` how to permute an array of ``shape``."""
    strides = [math.prod(shape[k + 1 :]) for k in perm]
    to_shape, steps = (_listed(v) for v in ([shape[k] for k in perm], strides))
    return f"harness::layers::permutation<{math.prod(shape)}, {to_shape}, {steps}>"


def _listed(values: Sequence[int]) -> str:
    return f"harness::layers::sizes<{', '.join(map(str, values))}>"
