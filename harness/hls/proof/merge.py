"""Layers of two inputs to draw."""

from __future__ import annotations

import numpy as np

from harness.hls.layers.merge import (
    Add,
    Average,
    Concatenate,
    Dot,
    Maximum,
    Merge,
    Minimum,
    Multiply,
    Subtract,
)
from harness.hls.proof.draw import Draw, family

__all__: list[str] = []


def _merge(kind: type[Merge], draw: Draw) -> Merge:
    shape1 = _shape(draw)
    shape2 = draw.choice([shape1, shape1[-1:], _shape(draw)])
    if draw.integer(0, 1):
        shape1, shape2 = shape2, shape1
    # From 32 bits on the headers compare otherwise.
    widest = draw.choice([18, 63]) if kind in (Maximum, Minimum) else 18
    return kind(
        input1=draw.type(2, widest),
        input2=draw.type(2, widest),
        input1_shape=shape1,
        input2_shape=shape2,
        result=draw.type(),
    )


@family("add")
def _add(draw: Draw) -> Merge:
    return _merge(Add, draw)


@family("subtract")
def _subtract(draw: Draw) -> Merge:
    return _merge(Subtract, draw)


@family("multiply")
def _multiply(draw: Draw) -> Merge:
    return _merge(Multiply, draw)


@family("average")
def _average(draw: Draw) -> Merge:
    return _merge(Average, draw)


@family("maximum")
def _maximum(draw: Draw) -> Merge:
    return _merge(Maximum, draw)


@family("minimum")
def _minimum(draw: Draw) -> Merge:
    return _merge(Minimum, draw)


@family("dot1d")
def _dot(draw: Draw) -> Dot:
    return Dot(
        draw.integer(1, 12),
        input1=draw.type(),
        input2=draw.type(),
        accum=draw.accumulator(),
        result=draw.type(),
    )


def _concatenate(draw: Draw, rank: int) -> Concatenate:
    shape = tuple(draw.integer(1, 5) for _ in range(rank))
    axis = draw.integer(-rank, rank - 1)
    other = np.array(shape)
    other[axis] = draw.integer(1, 5)
    return Concatenate(
        axis,
        input1=draw.type(),
        input2=draw.type(),
        input1_shape=shape,
        input2_shape=tuple(other.tolist()),
        result=draw.type(),
    )


@family("concatenate1d")
def _concatenate1d(draw: Draw) -> Concatenate:
    return _concatenate(draw, 1)


@family("concatenate2d")
def _concatenate2d(draw: Draw) -> Concatenate:
    return _concatenate(draw, 2)


@family("concatenate3d")
def _concatenate3d(draw: Draw) -> Concatenate:
    return _concatenate(draw, 3)


def _shape(draw: Draw) -> tuple[int, ...]:
    return tuple(draw.integer(1, 5) for _ in range(draw.integer(1, 3)))
