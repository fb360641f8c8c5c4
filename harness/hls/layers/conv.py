"""Convolutions: ``nnet_conv1d*.h`` and ``nnet_conv2d*.h``, channels last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.fixed import Fixed
from harness.hls.layers.dense import STRATEGIES, resource_order
from harness.hls.layers.layer import Shape, Sum, TypedLayer, as_type
from harness.hls.layers.products import Product
from harness.hls.layers.windows import Axis, Windows, image_shape, weight_shape
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed

__all__ = ["Conv1D", "Conv2D"]


class _Conv(TypedLayer):
    """Every output is the sum of one window's products, added up as a dense layer does."""

    source = "layers/conv.h"
    affine = told = True

    def __init__(
        self,
        weight: Any,
        bias: Any,
        axes: Sequence[Axis],
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        weight_type: ApFixed | str,
        bias_type: ApFixed | str,
        accum: ApFixed | str,
        result: ApFixed | str,
        strategy: str,
        reuse_factor: int,
        n_partitions: int,
        product: str,
    ) -> None:
        name, shape = type(self).__name__, tuple(np.shape(getattr(weight, "codes", weight)))
        windows = Windows(name, axes, input_shape[-1])
        super().__init__([input], [input_shape], result, (*windows.out, shape[-1]))
        self.windows = windows
        self.accum = as_type(accum, "accum")
        self.product = Product(name, product, input, weight_type)
        weight_shape = (*shape[:-2], input_shape[-1], shape[-1])
        self.parameter("weight", self.product.weights(weight), self.product.stored, weight_shape)
        bias = np.zeros(shape[-1]) if bias is None else bias
        self.parameter("bias", bias, bias_type, shape[-1:])
        if strategy not in STRATEGIES:
            raise ValueError(f"unknown strategy {strategy!r}; allowed: {', '.join(STRATEGIES)}")
        terms = math.prod(shape[:-1])
        if strategy == "resource" and (reuse_factor < 1 or terms % reuse_factor):
            # More is asserted against; what is no divisor reads weights of other outputs.
            raise ValueError(
                f"{name}: reuse factor {reuse_factor} does not fit {terms} products; "
                "allowed: a divisor of them"
            )
        self.strategy, self.reuse_factor = strategy, reuse_factor
        self.n_partitions = windows.in_partitions(n_partitions)
        # hls4ml's kernel of single pixels counts the products of all of them.
        batched = len(axes) == 1 and terms == shape[-2] and strategy == "latency"
        self.n_in = terms * axes[0].size if batched and n_partitions == 1 else terms
        if batched and windows.padded and product in ("data_binary", "both_binary"):
            raise ValueError(f"{name}: {product} of single pixels takes no padding")
        self.order = None
        if strategy == "resource":
            self.order = resource_order(terms, shape[-1], reuse_factor)

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        weight, bias = self.fixed("weight"), self.fixed("bias")
        weight = weight.reshape(-1, self.output_shape[-1])

        def some(x: Fixed) -> Fixed:
            seen = self.windows.of(x).reshape(-1, len(weight))
            sums = self.product.sums(seen, weight, bias, self.accum, self.order)
            return self.product.concluded(sums, self.n_in, self.result)

        return self.windows.in_parts(inputs[0], some).reshape(-1, *self.output_shape)

    def summed(self, inputs: Sequence[Fixed], index: tuple[int, ...]) -> Sum | None:
        """See :meth:`TypedLayer.summed`."""
        pixel, j = np.ravel_multi_index(index[:-1], self.windows.out), index[-1]
        order = slice(None) if self.order is None else self.order[j]
        seen = self.windows.at(inputs[0], int(pixel)).reshape(-1)
        weight = self.fixed("weight").reshape(len(seen), -1)[:, j]
        start = self.fixed("bias")[j]
        return self.product.sum(seen[order], weight[order], start, self.accum, self.result)

    def constants(self) -> tuple[Fixed, ...]:
        """Weights, as the kernel wants them, and biases."""
        weight = self.fixed("weight")
        if self.strategy == "resource":
            rank = weight.codes.ndim
            weight = weight.transpose(rank - 1, *range(rank - 1))
        return weight, self.fixed("bias")

    def kernel(self) -> LayerKernel:
        """``conv``."""
        weight, product = self.product.cpp
        arguments = (
            self.input_types[0],
            weight,
            self.parameter_types["bias"],
            self.accum,
            self.result,
            self.reuse_factor if self.strategy == "resource" else 0,
            self.n_partitions,
            self.windows.channels,
            self.output_shape[-1],
            *self.windows.cpp,
            product,
        )
        return LayerKernel(self.source, "conv", arguments)


class Conv1D(_Conv):
    """``result[i, j] = b[j] + sum(x[i * stride + k * dilation - pad_left, c] * w[k, c, j])``.

    Products and sums are converted to the accumulator's type one by one.  The latency strategy sums
    in the order of the weights, window before channels; the resource strategy in that of its reuse
    factor.  Zeros stand in the padding, and are multiplied and added like any input.

    Args:
        weight: (filt_width, channels, filters), floats or ``Fixed``.
        bias: (filters,); zeros if ``None``.
        input: the type of the input.
        input_shape: (in_width, channels).
        weight_type, bias_type: the types of the parameters.
        accum: the type of products and accumulator.
        result: the type of the output.
        stride_width: from one window to the next.
        pad_left, pad_right: the padding.
        dilation: from one element of a window to the next.
        strategy: ``latency`` or ``resource``.
        reuse_factor: for ``resource``: a divisor of the products that are added up.
        n_partitions: in how many parts the kernel computes; changes no result.
        product: see :class:`Dense`.

    Source:
        hls4ml ``nnet::conv_1d_cl``, ``nnet::pointwise_conv_1d_cl``.
    """

    def __init__(
        self,
        weight: Any,
        bias: Any = None,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        weight_type: ApFixed | str,
        bias_type: ApFixed | str,
        accum: ApFixed | str,
        result: ApFixed | str,
        stride_width: int = 1,
        pad_left: int = 0,
        pad_right: int = 0,
        dilation: int = 1,
        strategy: str = "latency",
        reuse_factor: int = 1,
        n_partitions: int = 1,
        product: str = "mult",
    ) -> None:
        width, _ = image_shape("Conv1D", input_shape, 1)
        window, *_ = weight_shape("Conv1D", weight, ("filt_width", "channels", "filters"))
        super().__init__(
            weight,
            bias,
            [Axis(width, window, stride_width, pad_left, pad_right, dilation)],
            input=input,
            input_shape=input_shape,
            weight_type=weight_type,
            bias_type=bias_type,
            accum=accum,
            result=result,
            strategy=strategy,
            reuse_factor=reuse_factor,
            n_partitions=n_partitions,
            product=product,
        )


class Conv2D(_Conv):
    """:class:`Conv1D` with windows over two axes; the order of a sum is rows, columns, channels.

    Args:
        weight: (filt_height, filt_width, channels, filters), floats or ``Fixed``.
        bias: (filters,); zeros if ``None``.
        input: the type of the input.
        input_shape: (in_height, in_width, channels).
        weight_type, bias_type: the types of the parameters.
        accum: the type of products and accumulator.
        result: the type of the output.
        stride_height, stride_width: from one window to the next.
        pad_top, pad_bottom, pad_left, pad_right: the padding.
        dilation_height, dilation_width: from one element of a window to the next.
        strategy: ``latency`` or ``resource``.
        reuse_factor: for ``resource``: a divisor of the products that are added up.
        n_partitions: in how many parts the kernel computes; changes no result.
        product: see :class:`Dense`.

    Source:
        hls4ml ``nnet::conv_2d_cl``, ``nnet::pointwise_conv_2d_cl``.
    """

    def __init__(
        self,
        weight: Any,
        bias: Any = None,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        weight_type: ApFixed | str,
        bias_type: ApFixed | str,
        accum: ApFixed | str,
        result: ApFixed | str,
        stride_height: int = 1,
        stride_width: int = 1,
        pad_top: int = 0,
        pad_bottom: int = 0,
        pad_left: int = 0,
        pad_right: int = 0,
        dilation_height: int = 1,
        dilation_width: int = 1,
        strategy: str = "latency",
        reuse_factor: int = 1,
        n_partitions: int = 1,
        product: str = "mult",
    ) -> None:
        height, width, _ = image_shape("Conv2D", input_shape, 2)
        parts = ("filt_height", "filt_width", "channels", "filters")
        rows, columns, *_ = weight_shape("Conv2D", weight, parts)
        axes = [
            Axis(height, rows, stride_height, pad_top, pad_bottom, dilation_height),
            Axis(width, columns, stride_width, pad_left, pad_right, dilation_width),
        ]
        super().__init__(
            weight,
            bias,
            axes,
            input=input,
            input_shape=input_shape,
            weight_type=weight_type,
            bias_type=bias_type,
            accum=accum,
            result=result,
            strategy=strategy,
            reuse_factor=reuse_factor,
            n_partitions=n_partitions,
            product=product,
        )
