"""Depthwise convolutions: ``nnet_sepconv1d*.h`` and ``nnet_sepconv2d*.h``, channels last.

Their kernels have the latency strategy alone; the resource strategy asserts false.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.fixed import Fixed, concatenated
from harness.hls.layers.layer import Shape, ShapeError, Sum, TypedLayer, as_type
from harness.hls.layers.products import Product
from harness.hls.layers.windows import Axis, Windows, image_shape, weight_shape
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed

__all__ = ["DepthwiseConv1D", "DepthwiseConv2D", "channelwise", "depthwise_window"]


class _Depthwise(TypedLayer):
    """Every output is the sum of one window's products in its own channel."""

    source = "layers/separable.h"
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
        n_partitions: int,
        product: str,
    ) -> None:
        channels = input_shape[-1]
        name = type(self).__name__
        windows = Windows(name, axes, channels)
        super().__init__([input], [input_shape], result, (*windows.out, channels))
        self.windows, self.n_partitions = windows, windows.in_partitions(n_partitions)
        self.accum = as_type(accum, "accum")
        window = tuple(axis.window for axis in axes)
        self.product = Product(name, product, input, weight_type)
        kept = self.product.weights(weight)
        self.parameter("weight", kept, self.product.stored, (*window, channels, 1))
        bias = np.zeros(channels) if bias is None else bias
        self.parameter("bias", bias, bias_type, (channels,))
        # hls4ml counts the products of all channels, and of single pixels in a row those of all.
        whole = len(axes) == 1 and window == (1,) and n_partitions == 1
        self.n_in = math.prod(window) * channels * (axes[0].size if whole else 1)

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        weight, bias = self.fixed("weight"), self.fixed("bias")

        def some(x: Fixed) -> Fixed:
            sums = channelwise(self.windows, x, weight, bias, self.accum, self.product)
            return self.product.concluded(sums, self.n_in, self.result)

        return self.windows.in_parts(inputs[0], some).reshape(-1, *self.output_shape)

    def summed(self, inputs: Sequence[Fixed], index: tuple[int, ...]) -> Sum | None:
        """See :meth:`TypedLayer.summed`."""
        pixel, j = np.ravel_multi_index(index[:-1], self.windows.out), index[-1]
        seen = self.windows.at(inputs[0], int(pixel))[:, j]
        weight = self.fixed("weight").reshape(len(seen), -1)[:, j]
        return self.product.sum(seen, weight, self.fixed("bias")[j], self.accum, self.result)

    def constants(self) -> tuple[Fixed, ...]:
        """Weights and biases."""
        return self.fixed("weight"), self.fixed("bias")

    def kernel(self) -> LayerKernel:
        """``depthwise``."""
        weight, product = self.product.cpp
        arguments = (
            self.input_types[0],
            weight,
            self.parameter_types["bias"],
            self.accum,
            self.result,
            self.n_partitions,
            self.windows.channels,
            *self.windows.cpp,
            product,
        )
        return LayerKernel(self.source, "depthwise", arguments)


class DepthwiseConv1D(_Depthwise):
    """``result[i, c] = b[c] + sum(x[i * stride + k * dilation - pad_left, c] * w[k, c])``.

    Products and sums are converted to the accumulator's type one by one.

    Args:
        weight: (filt_width, channels, 1), floats or ``Fixed``: the kernel has one filter a channel.
        bias: (channels,); zeros if ``None``.
        input: the type of the input.
        input_shape: (in_width, channels).
        weight_type, bias_type: the types of the parameters.
        accum: the type of products and accumulator.
        result: the type of the output.
        stride_width: from one window to the next.
        pad_left, pad_right: the padding.
        dilation: from one element of a window to the next.
        n_partitions: in how many parts the kernel computes; changes no result.
        product: see :class:`Dense`.

    Source:
        hls4ml ``nnet::depthwise_conv_1d_cl``.
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
        n_partitions: int = 1,
        product: str = "mult",
    ) -> None:
        width, _ = image_shape("DepthwiseConv1D", input_shape, 1)
        (window,) = depthwise_window("DepthwiseConv1D", weight, ("filt_width",))
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
            n_partitions=n_partitions,
            product=product,
        )


class DepthwiseConv2D(_Depthwise):
    """:class:`DepthwiseConv1D` with windows over two axes.

    Args:
        weight: (filt_height, filt_width, channels, 1), floats or ``Fixed``.
        bias: (channels,); zeros if ``None``.
        input: the type of the input.
        input_shape: (in_height, in_width, channels).
        weight_type, bias_type: the types of the parameters.
        accum: the type of products and accumulator.
        result: the type of the output.
        stride_height, stride_width: from one window to the next.
        pad_top, pad_bottom, pad_left, pad_right: the padding.
        dilation_height, dilation_width: from one element of a window to the next.
        n_partitions: in how many parts the kernel computes; changes no result.
        product: see :class:`Dense`.

    Source:
        hls4ml ``nnet::depthwise_conv_2d_cl``.
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
        n_partitions: int = 1,
        product: str = "mult",
    ) -> None:
        height, width, _ = image_shape("DepthwiseConv2D", input_shape, 2)
        parts = ("filt_height", "filt_width")
        rows, columns = depthwise_window("DepthwiseConv2D", weight, parts)
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
            n_partitions=n_partitions,
            product=product,
        )


def channelwise(
    windows: Windows, x: Fixed, w: Fixed, b: Fixed, accum: ApFixed, product: Product
) -> Fixed:
    """The sums of each channel: (rows, windows, channels) of type ``accum``."""
    channels = windows.channels
    seen = windows.of(x).reshape(-1, windows.places.shape[1], channels)
    weight = w.reshape(-1, channels)
    sums = [
        product.sums(seen[:, :, c], weight[:, c : c + 1], b[c : c + 1], accum)
        for c in range(channels)
    ]
    return concatenated(sums, axis=1).reshape(-1, len(windows.places), channels)


def depthwise_window(name: str, weight: Any, sizes: tuple[str, ...]) -> Shape:
    """The window of a weight (window, channels, 1).

    Raises:
        ShapeError: for another rank, and for more than one filter a channel.
    """
    shape = weight_shape(name, weight, (*sizes, "channels", "1"))
    if shape[-1] != 1:
        raise ShapeError(
            f"{name}: a weight of shape {shape} has {shape[-1]} filters a channel; allowed: 1, "
            "the kernel asserts it"
        )
    return shape[:-2]
