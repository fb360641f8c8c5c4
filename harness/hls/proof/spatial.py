"""Padding, cropping and resizing to draw."""

from __future__ import annotations

from typing import Any

from harness.hls.layers.spatial import (
    Cropping1D,
    Cropping2D,
    Resize,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
)
from harness.hls.proof.draw import Draw, family

__all__: list[str] = []

LAST, FIRST = "channels_last", "channels_first"


@family("zeropad1d_cl")
def _padded1d(draw: Draw) -> ZeroPadding1D:
    return ZeroPadding1D(**_framed(draw, 1, "pad"), result=draw.type())


@family("zeropad1d_cf")
def _padded1d_first(draw: Draw) -> ZeroPadding1D:
    return ZeroPadding1D(**_framed(draw, 1, "pad", FIRST), data_format=FIRST)


@family("zeropad2d_cl")
def _padded2d(draw: Draw) -> ZeroPadding2D:
    return ZeroPadding2D(**_framed(draw, 2, "pad"), result=draw.type())


@family("zeropad2d_cf")
def _padded2d_first(draw: Draw) -> ZeroPadding2D:
    return ZeroPadding2D(**_framed(draw, 2, "pad", FIRST), data_format=FIRST)


@family("cropping1d_cl")
def _cropped1d(draw: Draw) -> Cropping1D:
    return Cropping1D(**_framed(draw, 1, "crop"), result=draw.type())


@family("cropping2d_cl")
def _cropped2d(draw: Draw) -> Cropping2D:
    return Cropping2D(**_framed(draw, 2, "crop"), result=draw.type())


@family("cropping2d_cf")
def _cropped2d_first(draw: Draw) -> Cropping2D:
    return Cropping2D(**_framed(draw, 2, "crop", FIRST), result=draw.type(), data_format=FIRST)


@family("resize_nearest")
def _resized(draw: Draw) -> Resize:
    t, width, channels = draw.type(), draw.integer(1, 12), draw.integer(1, 3)
    kind = draw.integer(0, 3)
    if kind == 0:
        return UpSampling1D(input=t, input_shape=(width, channels), size=draw.integer(1, 6))
    shape = (draw.integer(1, 6), width, channels)
    if kind == 1:
        return UpSampling2D(input=t, input_shape=shape, size=(draw.integer(1, 3), 2))
    sizes = {"new_height": draw.integer(1, 9), "new_width": draw.integer(1, 20)}
    return Resize(input=t, input_shape=shape, **sizes)


def _framed(draw: Draw, rank: int, what: str, data_format: str = LAST) -> dict[str, Any]:
    """Margins, and an image of which cropping leaves something."""
    sides = ("left", "right", "top", "bottom")[: 2 * rank]
    margins = {f"{what}_{side}": draw.integer(0, 3) for side in sides}
    axes = (("top", "bottom"), ("left", "right"))[-rank:]
    lost = [sum(margins[f"{what}_{side}"] for side in axis) * (what == "crop") for axis in axes]
    sizes = tuple(draw.integer(1, 5) + margin for margin in lost)
    channels = draw.integer(1, 4)
    shape = (channels, *sizes) if data_format == FIRST else (*sizes, channels)
    return {**margins, "input": draw.type(), "input_shape": shape}
