"""Convolutions to draw."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from harness.hls.layers.conv import Conv1D, Conv2D
from harness.hls.layers.windows import Axis
from harness.hls.proof.draw import Draw, family

__all__ = ["convolution", "drawn_axis", "geometry"]


@family("conv1d, latency")
def _latency1d(draw: Draw) -> Conv1D:
    return Conv1D(**convolution(draw, (draw.integer(2, 4),), "latency"))


@family("conv1d, resource")
def _resource1d(draw: Draw) -> Conv1D:
    return Conv1D(**convolution(draw, (draw.integer(1, 4),), "resource"))


@family("pointwise_conv1d, latency")
def _pointwise1d(draw: Draw) -> Conv1D:
    return Conv1D(**convolution(draw, (1,), "latency"))


@family("conv2d, latency")
def _latency2d(draw: Draw) -> Conv2D:
    return Conv2D(**convolution(draw, (draw.integer(1, 3), draw.integer(2, 3)), "latency"))


@family("conv2d, resource")
def _resource2d(draw: Draw) -> Conv2D:
    return Conv2D(**convolution(draw, (draw.integer(1, 3), draw.integer(2, 3)), "resource"))


@family("pointwise_conv2d")
def _pointwise2d(draw: Draw) -> Conv2D:
    return Conv2D(**convolution(draw, (1, 1), draw.choice(["latency", "resource"])))


def drawn_axis(draw: Draw, window: int, longest: int, *, pooled: bool = False) -> Axis:
    """An axis with at least one window: any stride, dilation, padding wider than the window too.

    If ``pooled`` nothing is dilated, and windows often see more than padding.
    """
    stride, dilation = draw.choice([1, 1, 2, 3]), 1 if pooled else draw.choice([1, 1, 2])
    before, after = (draw.choice([0, 0, 1, 2]) for _ in range(2))
    if pooled and draw.integer(0, 3):
        before, after = min(before, window - 1), min(after, window - 1)
    shortest = max(dilation * (window - 1) + 1 - before - after, 1)
    return Axis(draw.integer(shortest, shortest + longest), window, stride, before, after, dilation)


def geometry(
    draw: Draw, window: tuple[int, ...], channels: int, *, plain: bool = False
) -> dict[str, Any]:
    """Shape, strides, padding, dilation and partitions of a convolution."""
    axes = [drawn_axis(draw, size, 6 // len(window)) for size in window]
    if plain:  # a line buffer's windows: neither padding nor dilation
        longest = 6 // len(window)
        axes = [Axis(n + draw.integer(0, longest), n, draw.integer(1, 3)) for n in window]
        if len(axes) == 2 and window[0] == 1:  # else the kernel writes rows that it should skip
            axes[0] = replace(axes[0], stride=1)
    pixels = math.prod(axis.out for axis in axes)
    found: dict[str, Any] = {
        "input_shape": (*(axis.size for axis in axes), channels),
        "n_partitions": draw.choice([1, _divisor(draw, pixels)]),
        "stride_width": axes[-1].stride,
        "pad_left": axes[-1].before,
        "pad_right": axes[-1].after,
    }
    if len(axes) == 1:
        return {**found, "dilation": axes[0].dilation}
    return {
        **found,
        "stride_height": axes[0].stride,
        "pad_top": axes[0].before,
        "pad_bottom": axes[0].after,
        "dilation_height": axes[0].dilation,
        "dilation_width": axes[1].dilation,
    }


def _divisor(draw: Draw, n: int) -> int:
    return draw.choice([k for k in range(1, n + 1) if n % k == 0])


def convolution(
    draw: Draw, window: tuple[int, ...], strategy: str, *, plain: bool = False
) -> dict[str, Any]:
    """A convolution, with windows as :func:`geometry` draws them."""
    weight, bias = draw.type(), draw.type()
    channels, filters = draw.integer(1, 4), draw.integer(1, 4)
    terms = math.prod(window) * channels
    return {
        **geometry(draw, window, channels, plain=plain),
        "weight": draw.codes(weight, (*window, channels, filters)),
        "bias": draw.codes(bias, (filters,)),
        "input": draw.type(),
        "weight_type": weight,
        "bias_type": bias,
        "accum": draw.accumulator(),
        "result": draw.type(),
        "strategy": strategy,
        "reuse_factor": _divisor(draw, terms) if strategy == "resource" else 1,
    }
