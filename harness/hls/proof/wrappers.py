"""Layers around layers to draw."""

from __future__ import annotations

from harness.hls.layers.batchnorm import BatchNorm
from harness.hls.layers.wrappers import TimeDistributed
from harness.hls.proof.draw import FAMILIES, Draw, family

__all__: list[str] = []


@family("time_distributed, 2d")
def _vectors(draw: Draw) -> TimeDistributed:
    return TimeDistributed(FAMILIES["dense_latency"](draw), draw.integer(1, 6))


@family("time_distributed, 3d")
def _rows(draw: Draw) -> TimeDistributed:
    return _normalized(draw, 2)


@family("time_distributed, 4d")
def _images(draw: Draw) -> TimeDistributed:
    return _normalized(draw, 3)


def _normalized(draw: Draw, axes: int) -> TimeDistributed:
    shape = tuple(draw.integer(1, 4) for _ in range(axes))
    scale, bias = draw.type(), draw.type()
    layer = BatchNorm(
        draw.codes(scale, shape),
        draw.codes(bias, shape),
        input=draw.type(),
        input_shape=shape,
        scale_type=scale,
        bias_type=bias,
        result=draw.type(),
    )
    return TimeDistributed(layer, draw.integer(1, 5))
