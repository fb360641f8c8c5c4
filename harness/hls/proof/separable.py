"""Depthwise and separable convolutions to draw."""

from __future__ import annotations

from typing import Any

from harness.hls.layers.depthwise import DepthwiseConv1D, DepthwiseConv2D
from harness.hls.layers.separable import SeparableConv1D, SeparableConv2D
from harness.hls.proof.conv import geometry
from harness.hls.proof.draw import Draw, family

__all__ = ["depthwise"]


@family("depthwise_conv1d")
def _depthwise1d(draw: Draw) -> DepthwiseConv1D:
    return DepthwiseConv1D(**depthwise(draw, (draw.integer(1, 4),)))


@family("depthwise_conv2d")
def _depthwise2d(draw: Draw) -> DepthwiseConv2D:
    return DepthwiseConv2D(**depthwise(draw, (draw.integer(1, 3), draw.integer(1, 3))))


@family("separable_conv1d")
def _separable1d(draw: Draw) -> SeparableConv1D:
    return SeparableConv1D(**_separable(draw, (draw.integer(1, 4),)))


@family("separable_conv2d")
def _separable2d(draw: Draw) -> SeparableConv2D:
    return SeparableConv2D(**_separable(draw, (draw.integer(1, 3), draw.integer(1, 3))))


def depthwise(draw: Draw, window: tuple[int, ...], *, plain: bool = False) -> dict[str, Any]:
    """A depthwise convolution, with windows as :func:`geometry` draws them."""
    weight, bias, channels = draw.type(), draw.type(), draw.integer(1, 4)
    return {
        **geometry(draw, window, channels, plain=plain),
        "weight": draw.codes(weight, (*window, channels, 1)),
        "bias": draw.codes(bias, (channels,)),
        "input": draw.type(),
        "weight_type": weight,
        "bias_type": bias,
        "accum": draw.accumulator(),
        "result": draw.type(),
    }


def _separable(draw: Draw, window: tuple[int, ...]) -> dict[str, Any]:
    depthwise, pointwise, zero_bias, bias = (draw.type() for _ in range(4))
    channels, filters = draw.integer(1, 4), draw.integer(1, 4)
    return {
        **geometry(draw, window, channels),
        "depthwise": draw.codes(depthwise, (*window, channels, 1)),
        "pointwise": draw.codes(pointwise, (*(1 for _ in window), channels, filters)),
        "bias": draw.codes(bias, (filters,)),
        "zero_bias": draw.codes(zero_bias, (channels,)),
        "input": draw.type(),
        "depthwise_type": depthwise,
        "pointwise_type": pointwise,
        "bias_type": bias,
        "zero_bias_type": zero_bias,
        "depthwise_accum": draw.accumulator(),
        "depthwise_result": draw.type(),
        "pointwise_accum": draw.accumulator(),
        "result": draw.type(),
    }
