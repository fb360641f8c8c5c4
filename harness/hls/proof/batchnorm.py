"""Batch normalisation to draw."""

from __future__ import annotations

from harness.hls.layers.batchnorm import BatchNorm, BatchNormBinaryTanh, BatchNormTernaryTanh
from harness.hls.proof.draw import Draw, family

__all__: list[str] = []


@family("normalize, per channel")
def _channels(draw: Draw) -> BatchNorm:
    shape = _shape(draw)
    return _normalize(draw, shape, shape[-1:])


@family("normalize, per element")
def _elements(draw: Draw) -> BatchNorm:
    shape = _shape(draw)
    return _normalize(draw, shape, shape)


@family("normalize_binary_tanh")
def _binary(draw: Draw) -> BatchNormBinaryTanh:
    t, shape = draw.type(), _shape(draw)
    parameters = shape if draw.integer(0, 1) else shape[-1:]
    return BatchNormBinaryTanh(draw.codes(t, parameters), input=t, input_shape=shape)


@family("normalize_ternary_tanh")
def _ternary(draw: Draw) -> BatchNormTernaryTanh:
    t, shape = draw.type(), _shape(draw)
    parameters = shape if draw.integer(0, 1) else shape[-1:]
    high, low = draw.codes(t, parameters), draw.codes(t, parameters)
    return BatchNormTernaryTanh(high, low, input=t, input_shape=shape)


def _normalize(draw: Draw, shape: tuple[int, ...], parameters: tuple[int, ...]) -> BatchNorm:
    scale, bias = draw.type(), draw.type()
    return BatchNorm(
        draw.codes(scale, parameters),
        draw.codes(bias, parameters),
        input=draw.type(),
        input_shape=shape,
        scale_type=scale,
        bias_type=bias,
        result=draw.type(),
    )


def _shape(draw: Draw) -> tuple[int, ...]:
    return tuple(draw.integer(1, 5) for _ in range(draw.integer(1, 3)))
