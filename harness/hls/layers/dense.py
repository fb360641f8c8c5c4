"""Dense layers: ``nnet_dense_latency.h`` and ``nnet_dense_resource.h``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.fixed import Array, Fixed
from harness.hls.layers.layer import Sum, TypedLayer, as_type
from harness.hls.layers.products import Product
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed

__all__ = ["Dense", "resource_order"]

STRATEGIES = ("latency", "resource")


class Dense(TypedLayer):
    """``result[j] = b[j] + sum(x[i] * w[i, j])``, step by step in the accumulator.

    Products are converted to the accumulator's type one by one, and so is every sum.  The latency
    strategy sums in the order of the inputs, the resource strategy in that of its reuse factor.

    Args:
        weight: (inputs, outputs), floats or ``Fixed``.
        bias: (outputs,); zeros if ``None``.
        input: the type of the input.
        weight_type, bias_type: the types of the parameters.
        accum: the type of products and accumulator.
        result: the type of the output.
        strategy: ``latency`` or ``resource``.
        reuse_factor: for ``resource``: up to the inputs a divisor of them; beyond, any number that
            the kernel accepts.
        product: how an input is multiplied by a weight, one of :data:`PRODUCTS`.  Weights of one
            bit are 0 for -1; for ``weight_exponential`` weights are powers of two and their
            negatives, and ``weight_type`` is that of the exponents.

    Source:
        hls4ml ``nnet::dense``.
    """

    source = "layers/dense.h"
    affine = told = True

    def __init__(
        self,
        weight: Any,
        bias: Any = None,
        *,
        input: ApFixed | str,  # noqa: A002
        weight_type: ApFixed | str,
        bias_type: ApFixed | str,
        accum: ApFixed | str,
        result: ApFixed | str,
        strategy: str = "latency",
        reuse_factor: int = 1,
        product: str = "mult",
    ) -> None:
        shape = tuple(np.shape(getattr(weight, "codes", weight)))
        if len(shape) != 2:
            raise ValueError(f"Dense: a weight has shape (inputs, outputs), not {shape}")
        super().__init__([input], [shape[:1]], result, shape[1:])
        self.accum = as_type(accum, "accum")
        self.product = Product("Dense", product, input, weight_type)
        self.parameter("weight", self.product.weights(weight), self.product.stored, shape)
        bias = np.zeros(shape[1]) if bias is None else bias
        self.parameter("bias", bias, bias_type, shape[1:])
        if strategy not in STRATEGIES:
            raise ValueError(f"unknown strategy {strategy!r}; allowed: {', '.join(STRATEGIES)}")
        self.strategy, self.reuse_factor = strategy, reuse_factor
        self.order = None if strategy == "latency" else resource_order(*shape, reuse_factor)

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        w, b = self.fixed("weight"), self.fixed("bias")
        sums = self.product.sums(inputs[0], w, b, self.accum, self.order)
        return self.product.concluded(sums, len(w), self.result)

    def summed(self, inputs: Sequence[Fixed], index: tuple[int, ...]) -> Sum | None:
        """See :meth:`TypedLayer.summed`."""
        (j,) = index
        order = slice(None) if self.order is None else self.order[j]
        w, b = self.fixed("weight"), self.fixed("bias")
        return self.product.sum(inputs[0][order], w[:, j][order], b[j], self.accum, self.result)

    def constants(self) -> tuple[Fixed, ...]:
        """Weights, as the kernel wants them, and biases."""
        weight = self.fixed("weight")
        return (weight if self.strategy == "latency" else weight.transpose()), self.fixed("bias")

    def kernel(self) -> LayerKernel:
        """``dense_latency`` or ``dense_resource``."""
        weight, product = self.product.cpp
        arguments: tuple[Any, ...] = (
            self.input_types[0],
            weight,
            self.parameter_types["bias"],
            self.accum,
            self.result,
            *self.sizes,
            product,
        )
        if self.strategy == "resource":
            arguments += (self.reuse_factor,)
        return LayerKernel(self.source, f"dense_{self.strategy}", arguments)


def resource_order(n_in: int, n_out: int, reuse: int) -> Array:
    """The order in which the resource kernel adds the products of each output.

    Its weights lie in one row, (outputs, inputs), and step ``k`` of the reuse loop takes every
    weight whose place has remainder ``k``.

    Returns:
        (outputs, inputs): the inputs of each output in order.

    Raises:
        ValueError: for a reuse factor that the kernel refuses, or reads wrong places with.
    """
    blocks = -(-n_in * n_out // min(n_in, reuse)) if reuse >= 1 else 0
    fits = reuse >= 1 and reuse <= n_in * n_out and (reuse >= n_in or blocks % n_out == 0)
    if reuse <= n_in:
        fits = fits and n_in % max(reuse, 1) == 0  # else the kernel reads other inputs
    if not fits:
        raise ValueError(
            f"Dense: reuse factor {reuse} does not fit {n_in} inputs and {n_out} outputs; "
            "allowed: a divisor of the inputs, or more than the inputs"
        )
    places = np.arange(n_out)[:, None] * n_in + np.arange(n_in)
    return np.argsort(places % reuse, axis=1, kind="stable")
