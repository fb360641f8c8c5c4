"""Embedding: ``nnet_embed.h``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.fixed import Fixed
from harness.hls.layers.interval import Extent, Interval
from harness.hls.layers.layer import Shape, TypedLayer
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed

__all__ = ["Embedding"]


class Embedding(TypedLayer):
    """A row of a table for each input, converted to the result's type.

    The kernel does not look whether the row exists: beyond the table it reads other memory.  Here
    such an input is an error.  It drops a fraction only after the product with the length of a row,
    so that 1.5 is the second half of row 1 and the first half of row 2.

    Args:
        embeddings: the table, (vocabulary, outputs), floats or ``Fixed``.
        input: the type of the rows' numbers, ``ap_uint<8>``; one with fraction bits is taken too.
        input_shape: the shape of the input; the output has one more axis.
        embeddings_type: the type of the table.
        result: the type of the output.

    Source:
        hls4ml ``nnet::embedding``.
    """

    source = "layers/embedding.h"

    def __init__(
        self,
        embeddings: Any,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        embeddings_type: ApFixed | str,
        result: ApFixed | str,
    ) -> None:
        shape = tuple(np.shape(getattr(embeddings, "codes", embeddings)))
        if len(shape) != 2:
            raise ValueError(f"Embedding: a table has shape (vocabulary, outputs), not {shape}")
        super().__init__([input], [input_shape], result, (*input_shape, shape[1]))
        self.parameter("embeddings", embeddings, embeddings_type, shape)
        self.vocabulary = shape[0]

    def code_range(self, place: int) -> tuple[int, int]:
        """See :meth:`TypedLayer.code_range`: what the table has rows for."""
        del place
        t, n = self.input_types[0], self.output_shape[-1]
        up, one = max(-t.frac, 0), 1 << max(t.frac, 0)
        # What is above -1 is number 0, and the last number is that of the end of the last row.
        low = -((one - 1) // (n << up))
        high = (((self.vocabulary - 1) * n + 1) * one - 1) // (n << up)
        return max(low, t.min_code), min(high, t.max_code)

    def check(self, inputs: Sequence[Fixed]) -> int:
        """See :meth:`TypedLayer.check`.

        Raises:
            ValueError: for a number that the table has no row for.
        """
        rows = super().check(inputs)
        codes = inputs[0].codes
        low, high = self.code_range(0)
        beyond = codes[(codes < low) | (codes > high)]
        if beyond.size:
            raise ValueError(
                f"{self.name}: code {beyond.flat[0]} is outside the vocabulary, {low} to {high}"
            )
        return rows

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        t, n = self.input_types[0], self.output_shape[-1]
        table = self.fixed("embeddings").to(self.result)
        if t.frac == 0:
            return table[inputs[0].codes]
        starts = (inputs[0].codes << max(-t.frac, 0))[..., None] * n
        places = starts + (np.arange(n) << max(t.frac, 0))
        return table.reshape(-1)[np.maximum(places, 0) >> max(t.frac, 0)]

    def extent(self, *inputs: Interval) -> Extent:
        """See :meth:`TypedLayer.extent`: any entry of the table."""
        del inputs
        return Extent({}, Interval.among(self.fixed("embeddings")).spread(self.output_shape))

    def constants(self) -> tuple[Fixed, ...]:
        """The table."""
        return (self.fixed("embeddings"),)

    def kernel(self) -> LayerKernel:
        """``embedding``."""
        table = self.parameter_types["embeddings"]
        sizes = (self.sizes[0], self.output_shape[-1], self.vocabulary)
        arguments = (self.input_types[0], table, self.result, *sizes)
        return LayerKernel(self.source, "embedding", arguments)
