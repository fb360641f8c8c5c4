"""Separable convolutions: ``nnet_sepconv1d.h`` and ``nnet_sepconv2d.h``, channels last.

hls4ml itself makes two layers of one, so that the code it writes does not call these kernels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.fixed import Fixed
from harness.hls.layers.accumulate import affine
from harness.hls.layers.depthwise import channelwise, depthwise_window
from harness.hls.layers.interval import Extent, Interval, added
from harness.hls.layers.layer import Shape, TypedLayer, as_type
from harness.hls.layers.products import Product
from harness.hls.layers.windows import Axis, Windows, image_shape, weight_shape
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed

__all__ = ["SeparableConv1D", "SeparableConv2D"]


class _Separable(TypedLayer):
    """A depthwise convolution, its conversion, and a convolution of single pixels."""

    source = "layers/separable.h"

    def __init__(
        self,
        depthwise: Any,
        pointwise: Any,
        bias: Any,
        zero_bias: Any,
        axes: Sequence[Axis],
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        depthwise_type: ApFixed | str,
        pointwise_type: ApFixed | str,
        bias_type: ApFixed | str,
        zero_bias_type: ApFixed | str,
        depthwise_accum: ApFixed | str,
        depthwise_result: ApFixed | str,
        pointwise_accum: ApFixed | str,
        result: ApFixed | str,
        n_partitions: int,
    ) -> None:
        name, channels = type(self).__name__, input_shape[-1]
        single = ("1",) * len(axes)
        *_, filters = weight_shape(name, pointwise, (*single, "channels", "filters"))
        windows = Windows(name, axes, channels)
        super().__init__([input], [input_shape], result, (*windows.out, filters))
        self.windows, self.n_partitions = windows, windows.in_partitions(n_partitions)
        self.depthwise_accum = as_type(depthwise_accum, "depthwise_accum")
        self.depthwise_result = as_type(depthwise_result, "depthwise_result")
        self.pointwise_accum = as_type(pointwise_accum, "pointwise_accum")
        self.product = Product(name, "mult", input, depthwise_type)
        window = tuple(axis.window for axis in axes)
        self.parameter("depthwise", depthwise, depthwise_type, (*window, channels, 1))
        pixel = (1,) * len(axes)
        self.parameter("pointwise", pointwise, pointwise_type, (*pixel, channels, filters))
        zero_bias = np.zeros(channels) if zero_bias is None else zero_bias
        self.parameter("zero_bias", zero_bias, zero_bias_type, (channels,))
        self.parameter("bias", np.zeros(filters) if bias is None else bias, bias_type, (filters,))

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        first, second = self.fixed("depthwise"), self.fixed("pointwise")
        zero_bias, bias = self.fixed("zero_bias"), self.fixed("bias")
        second = second.reshape(-1, self.output_shape[-1])

        def some(x: Fixed) -> Fixed:
            sums = channelwise(
                self.windows, x, first, zero_bias, self.depthwise_accum, self.product
            )
            middle = sums.to(self.depthwise_result).reshape(-1, self.windows.channels)
            return affine(middle, second, bias, self.pointwise_accum).to(self.result)

        return self.windows.in_parts(inputs[0], some).reshape(-1, *self.output_shape)

    def extent(self, *inputs: Interval) -> Extent:
        """See :meth:`TypedLayer.extent`: both stages, the second one of what the first may give."""
        t, result = self.depthwise_accum, self.depthwise_result
        seen = inputs[0].each(lambda end: self.windows.of(end[None])[0].transpose(0, 2, 1))
        weight = self.fixed("depthwise").reshape(-1, self.windows.channels).transpose()
        terms = (seen * Interval.at(weight)).rounded(t)
        held, sums = added(Interval.at(self.fixed("zero_bias")).rounded(t), terms, t)
        first = Interval.hull(held, terms.whole)
        if not first.within(t):
            sums = Interval.of(t, sums.shape)
        second = self.pointwise_accum
        weight = self.fixed("pointwise").reshape(self.windows.channels, -1).transpose()
        terms = (sums.to(result)[:, None] * Interval.at(weight)).rounded(second)
        held, out = added(Interval.at(self.fixed("bias")).rounded(second), terms, second)
        last = Interval.hull(held, terms.whole)
        if not last.within(second):
            out = Interval.of(second, out.shape)
        found = {
            "depthwise_accum": (t, first),
            "depthwise_result": (result, sums.whole),
            "pointwise_accum": (second, last),
        }
        return Extent(found, out.reshape(self.output_shape))

    def constants(self) -> tuple[Fixed, ...]:
        """Weights of both stages, biases of both."""
        return tuple(map(self.fixed, ("depthwise", "pointwise", "zero_bias", "bias")))

    def kernel(self) -> LayerKernel:
        """``separable``."""
        types = self.parameter_types
        arguments = (
            self.input_types[0],
            types["depthwise"],
            types["zero_bias"],
            self.depthwise_accum,
            self.depthwise_result,
            types["pointwise"],
            types["bias"],
            self.pointwise_accum,
            self.result,
            self.n_partitions,
            self.windows.channels,
            self.output_shape[-1],
            *self.windows.cpp,
        )
        return LayerKernel(self.source, "separable", arguments)


class SeparableConv1D(_Separable):
    """A :class:`DepthwiseConv1D`, converted to a type of its own, and a convolution of one pixel.

    Args:
        depthwise: (filt_width, channels, 1), floats or ``Fixed``.
        pointwise: (1, channels, filters).
        bias: of the second stage, (filters,); zeros if ``None``.
        zero_bias: of the first stage, (channels,); zeros, as hls4ml has it, if ``None``.
        input: the type of the input.
        input_shape: (in_width, channels).
        depthwise_type, pointwise_type, bias_type, zero_bias_type: the types of the parameters.
        depthwise_accum, depthwise_result: the types of the first stage.
        pointwise_accum: the type of products and accumulator of the second stage.
        result: the type of the output.
        stride_width: from one window to the next.
        pad_left, pad_right: the padding.
        dilation: from one element of a window to the next.
        n_partitions: in how many parts the kernel computes; changes no result.

    Source:
        hls4ml ``nnet::separable_conv_1d_cl``.
    """

    def __init__(
        self,
        depthwise: Any,
        pointwise: Any,
        bias: Any = None,
        zero_bias: Any = None,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        depthwise_type: ApFixed | str,
        pointwise_type: ApFixed | str,
        bias_type: ApFixed | str,
        zero_bias_type: ApFixed | str = "ap_ufixed<1, 1>",
        depthwise_accum: ApFixed | str,
        depthwise_result: ApFixed | str,
        pointwise_accum: ApFixed | str,
        result: ApFixed | str,
        stride_width: int = 1,
        pad_left: int = 0,
        pad_right: int = 0,
        dilation: int = 1,
        n_partitions: int = 1,
    ) -> None:
        width, _ = image_shape("SeparableConv1D", input_shape, 1)
        (window,) = depthwise_window("SeparableConv1D", depthwise, ("filt_width",))
        super().__init__(
            depthwise,
            pointwise,
            bias,
            zero_bias,
            [Axis(width, window, stride_width, pad_left, pad_right, dilation)],
            input=input,
            input_shape=input_shape,
            depthwise_type=depthwise_type,
            pointwise_type=pointwise_type,
            bias_type=bias_type,
            zero_bias_type=zero_bias_type,
            depthwise_accum=depthwise_accum,
            depthwise_result=depthwise_result,
            pointwise_accum=pointwise_accum,
            result=result,
            n_partitions=n_partitions,
        )


class SeparableConv2D(_Separable):
    """:class:`SeparableConv1D` with windows over two axes.

    Args:
        depthwise: (filt_height, filt_width, channels, 1), floats or ``Fixed``.
        pointwise: (1, 1, channels, filters).
        bias: of the second stage, (filters,); zeros if ``None``.
        zero_bias: of the first stage, (channels,); zeros, as hls4ml has it, if ``None``.
        input: the type of the input.
        input_shape: (in_height, in_width, channels).
        depthwise_type, pointwise_type, bias_type, zero_bias_type: the types of the parameters.
        depthwise_accum, depthwise_result: the types of the first stage.
        pointwise_accum: the type of products and accumulator of the second stage.
        result: the type of the output.
        stride_height, stride_width: from one window to the next.
        pad_top, pad_bottom, pad_left, pad_right: the padding.
        dilation_height, dilation_width: from one element of a window to the next.
        n_partitions: in how many parts the kernel computes; changes no result.

    Source:
        hls4ml ``nnet::separable_conv_2d_cl``.
    """

    def __init__(
        self,
        depthwise: Any,
        pointwise: Any,
        bias: Any = None,
        zero_bias: Any = None,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        depthwise_type: ApFixed | str,
        pointwise_type: ApFixed | str,
        bias_type: ApFixed | str,
        zero_bias_type: ApFixed | str = "ap_ufixed<1, 1>",
        depthwise_accum: ApFixed | str,
        depthwise_result: ApFixed | str,
        pointwise_accum: ApFixed | str,
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
    ) -> None:
        height, width, _ = image_shape("SeparableConv2D", input_shape, 2)
        parts = ("filt_height", "filt_width")
        rows, columns = depthwise_window("SeparableConv2D", depthwise, parts)
        axes = [
            Axis(height, rows, stride_height, pad_top, pad_bottom, dilation_height),
            Axis(width, columns, stride_width, pad_left, pad_right, dilation_width),
        ]
        super().__init__(
            depthwise,
            pointwise,
            bias,
            zero_bias,
            axes,
            input=input,
            input_shape=input_shape,
            depthwise_type=depthwise_type,
            pointwise_type=pointwise_type,
            bias_type=bias_type,
            zero_bias_type=zero_bias_type,
            depthwise_accum=depthwise_accum,
            depthwise_result=depthwise_result,
            pointwise_accum=pointwise_accum,
            result=result,
            n_partitions=n_partitions,
        )
