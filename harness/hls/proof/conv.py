"""Convolutions to draw."""

from __future__ import annotations

import math
from typing import Any

from harness.hls.conv import Conv1D, Conv2D
from harness.hls.proof.draw import Draw, family
from harness.hls.windows import Axis

__all__ = ["divisor", "drawn_axis"]


@family("conv1d, latency")
def _latency1d(draw: Draw) -> Conv1D:
    return _conv1d(draw, draw.integer(2, 4), "latency")


@family("conv1d, resource")
def _resource1d(draw: Draw) -> Conv1D:
    return _conv1d(draw, draw.integer(1, 4), "resource")


@family("pointwise_conv1d, latency")
def _pointwise1d(draw: Draw) -> Conv1D:
    return _conv1d(draw, 1, "latency")


@family("conv2d, latency")
def _latency2d(draw: Draw) -> Conv2D:
    return _conv2d(draw, draw.integer(1, 3), draw.integer(2, 3), "latency")


@family("conv2d, resource")
def _resource2d(draw: Draw) -> Conv2D:
    return _conv2d(draw, draw.integer(1, 3), draw.integer(2, 3), "resource")


@family("pointwise_conv2d")
def _pointwise2d(draw: Draw) -> Conv2D:
    return _conv2d(draw, 1, 1, draw.choice(["latency", "resource"]))


def drawn_axis(draw: Draw, window: int, longest: int, *, dilated: bool = True) -> Axis:
    """An axis with at least one window: any stride, padding wider than the window too."""
    stride, dilation = draw.choice([1, 1, 2, 3]), draw.choice([1, 1, 2]) if dilated else 1
    before, after = (draw.choice([0, 0, 1, 2]) for _ in range(2))
    shortest = max(dilation * (window - 1) + 1 - before - after, 1)
    return Axis(draw.integer(shortest, shortest + longest), window, stride, before, after, dilation)


def divisor(draw: Draw, n: int) -> int:
    """A number that divides ``n``."""
    return draw.choice([k for k in range(1, n + 1) if n % k == 0])


def _conv1d(draw: Draw, window: int, strategy: str) -> Conv1D:
    axis = drawn_axis(draw, window, 6)
    channels = draw.integer(1, 4)
    return Conv1D(
        **_parameters(draw, (window, channels), strategy),
        input=draw.type(),
        input_shape=(axis.size, channels),
        stride_width=axis.stride,
        pad_left=axis.before,
        pad_right=axis.after,
        dilation=axis.dilation,
        n_partitions=draw.choice([1, divisor(draw, axis.out)]),
    )


def _conv2d(draw: Draw, rows: int, columns: int, strategy: str) -> Conv2D:
    height, width = drawn_axis(draw, rows, 3), drawn_axis(draw, columns, 3)
    channels = draw.integer(1, 3)
    return Conv2D(
        **_parameters(draw, (rows, columns, channels), strategy),
        input=draw.type(),
        input_shape=(height.size, width.size, channels),
        stride_height=height.stride,
        stride_width=width.stride,
        pad_top=height.before,
        pad_bottom=height.after,
        pad_left=width.before,
        pad_right=width.after,
        dilation_height=height.dilation,
        dilation_width=width.dilation,
        n_partitions=draw.choice([1, divisor(draw, height.out * width.out)]),
    )


def _parameters(draw: Draw, window: tuple[int, ...], strategy: str) -> dict[str, Any]:
    weight, bias, filters = draw.type(), draw.type(), draw.integer(1, 4)
    return {
        "weight": draw.codes(weight, (*window, filters)),
        "bias": draw.codes(bias, (filters,)),
        "weight_type": weight,
        "bias_type": bias,
        "accum": draw.accumulator(),
        "result": draw.type(),
        "strategy": strategy,
        "reuse_factor": divisor(draw, math.prod(window)) if strategy == "resource" else 1,
    }
