"""Layers that move values and compute none."""

from __future__ import annotations

import math
from typing import Any

from harness.hls.fixed import Fixed
from harness.hls.layer import ShapeError, TypedLayer
from harness.types import ApFixed

__all__ = ["Reshape"]


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
