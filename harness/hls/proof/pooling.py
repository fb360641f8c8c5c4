"""Poolings to draw."""

from __future__ import annotations

from typing import Any

from harness.hls.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
)
from harness.hls.layers.windows import Axis, Windows
from harness.hls.proof.conv import drawn_axis
from harness.hls.proof.draw import Draw, family

__all__ = ["globally", "pooled_types"]


@family("pooling1d, Max")
def _max1d(draw: Draw) -> MaxPooling1D:
    return MaxPooling1D(**_pooling1d(draw))


@family("pooling1d, Average")
def _average1d(draw: Draw) -> AveragePooling1D:
    return AveragePooling1D(**_pooling1d(draw))


@family("pooling2d, Max")
def _max2d(draw: Draw) -> MaxPooling2D:
    return MaxPooling2D(**_pooling2d(draw))


@family("pooling2d, Average")
def _average2d(draw: Draw) -> AveragePooling2D:
    return AveragePooling2D(**_pooling2d(draw))


@family("global_pooling1d, Max")
def _global_max1d(draw: Draw) -> GlobalMaxPooling1D:
    return GlobalMaxPooling1D(**globally(draw, 1, 12))


@family("global_pooling1d, Average")
def _global_average1d(draw: Draw) -> GlobalAveragePooling1D:
    return GlobalAveragePooling1D(**globally(draw, 1, 12))


@family("global_pooling2d, Max")
def _global_max2d(draw: Draw) -> GlobalMaxPooling2D:
    return GlobalMaxPooling2D(**globally(draw, 2, 5))


@family("global_pooling2d, Average")
def _global_average2d(draw: Draw) -> GlobalAveragePooling2D:
    return GlobalAveragePooling2D(**globally(draw, 2, 5))


def _pooling1d(draw: Draw) -> dict[str, Any]:
    axis = drawn_axis(draw, draw.integer(1, 5), 6, pooled=True)
    return {
        **pooled_types(draw),
        **_counted(draw, axis),
        "input_shape": (axis.size, draw.integer(1, 3)),
        "pool_width": axis.window,
        "stride_width": axis.stride,
        "pad_left": axis.before,
        "pad_right": axis.after,
    }


def _pooling2d(draw: Draw) -> dict[str, Any]:
    rows, columns = (drawn_axis(draw, draw.integer(1, 3), 3, pooled=True) for _ in range(2))
    return {
        **pooled_types(draw),
        **_counted(draw, rows, columns),
        "input_shape": (rows.size, columns.size, draw.integer(1, 3)),
        "pool_height": rows.window,
        "pool_width": columns.window,
        "stride_height": rows.stride,
        "stride_width": columns.stride,
        "pad_top": rows.before,
        "pad_bottom": rows.after,
        "pad_left": columns.before,
        "pad_right": columns.after,
    }


def _counted(draw: Draw, *axes: Axis) -> dict[str, bool]:
    """Padding must be counted where a window sees nothing else."""
    empty = not Windows("", axes, 1).counts.all()
    return {"count_pad": bool(draw.integer(0, 1)) or empty}


def globally(draw: Draw, rank: int, longest: int) -> dict[str, Any]:
    """Types, and an image of one or two axes."""
    sizes = (draw.integer(1, longest) for _ in range(rank))
    return {**pooled_types(draw), "input_shape": (*sizes, draw.integer(1, 3))}


def pooled_types(draw: Draw) -> dict[str, Any]:
    """Types of input, accumulator and output."""
    return {"input": draw.type(), "accum": draw.accumulator(), "result": draw.type()}
