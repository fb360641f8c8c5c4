"""Values in other places: ``nnet_transpose.h``, ``nnet_padding.h``, ``nnet_embed.h`` and more."""

from __future__ import annotations

import math
from collections.abc import Callable

from harness.hls.layers.embedding import Embedding
from harness.hls.layers.layer import TypedLayer
from harness.hls.layers.merge import Concatenate
from harness.hls.layers.shape import Transpose
from harness.hls.layers.spatial import Cropping1D, Cropping2D, Resize, ZeroPadding1D, ZeroPadding2D
from harness.hls.project.registry import Reader, Shape, kernel
from harness.hls.project.scope import Config

__all__ = ["order"]


@kernel("transpose")
def _transpose(r: Reader) -> TypedLayer:
    shape, perm = order(r, r.config)
    if r.stream and len(shape) == 2:  # the kernel does not ask
        r.only("the permutation", str(perm), str((1, 0)))
    return Transpose(perm, input=r.input, input_shape=shape, result=r.result)


def order(r: Reader, c: Config) -> tuple[Shape, Shape]:
    """The shape that a transposition reads, and its permutation.

    The kernel computes with other tables, which hls4ml derives from these two.
    """
    shape, perm = c.integers("from_shape"), c.integers("perm")
    fits = sorted(perm) == list(range(len(shape))) and c.integer("dims") == len(shape)
    if fits:
        strides = tuple(math.prod(shape[k + 1 :]) for k in perm)
        fits = c.integers("perm_strides") == strides
        fits = fits and c.integers("to_shape") == tuple(shape[k] for k in perm)
    if not fits or c.integer("N") != math.prod(shape):
        raise r.refused(f"the tables of {c.name} do not tell one transposition")
    return shape, perm


@kernel("embedding")
def _embedding(r: Reader) -> TypedLayer:
    c = r.config
    return Embedding(
        r.weight(0, (c.integer("vocab_size"), c.integer("n_out"))),
        input=r.input,
        input_shape=r.shape(0, c.integer("n_in")),
        embeddings_type=c.type("embeddings_t"),
        result=r.result,
    )


@kernel("concatenate1d", "concatenate2d", "concatenate3d")
def _concatenate(r: Reader) -> TypedLayer:
    c = r.config
    rank = int(r.call.kernel[-2])
    first, second = (
        tuple(c.integer(f"n_elem{which}_{k}") for k in range(rank)) for which in (1, 2)
    )
    axis = c.integer("axis")
    # hls4ml counts the batch; what the kernel does not know is the first axis to it.
    last, middle = axis in (rank, -1), rank == 3 and axis in (2, -2)
    r.only("the number of inputs", len(r.inputs), 2)
    return Concatenate(
        rank - 1 if last or rank == 1 else 1 if middle else 0,
        input1=r.inputs[0],
        input2=r.inputs[1],
        input1_shape=first,
        input2_shape=second,
        result=r.result,
    )


@kernel("zeropad1d_cl", "zeropad1d_cf")
def _zeropad1d(r: Reader) -> TypedLayer:
    return _framed(r, ZeroPadding1D, "width", "pad_left", "pad_right")


@kernel("zeropad2d_cl", "zeropad2d_cf")
def _zeropad2d(r: Reader) -> TypedLayer:
    margins = ("pad_top", "pad_bottom", "pad_left", "pad_right")
    return _framed(r, ZeroPadding2D, "height width", *margins)


@kernel("cropping1d_cl")
def _cropping1d(r: Reader) -> TypedLayer:
    return _framed(r, Cropping1D, "width", "crop_left", "crop_right")


@kernel("cropping2d_cl", "cropping2d_cf")
def _cropping2d(r: Reader) -> TypedLayer:
    margins = ("crop_top", "crop_bottom", "crop_left", "crop_right")
    return _framed(r, Cropping2D, "height width", *margins)


def _framed(r: Reader, kind: Callable[..., TypedLayer], axes: str, *margins: str) -> TypedLayer:
    """An image with margins added or cut off, channels last or first."""
    c = r.config
    first = r.call.kernel.endswith("_cf")
    sizes = [tuple(c.integer(f"{way}_{axis}") for axis in axes.split()) for way in ("in", "out")]
    channels = c.integer("n_chan")
    shapes = [(channels, *n) if first else (*n, channels) for n in sizes]
    given: dict[str, str] = {}
    if first:
        given["data_format"] = "channels_first"
    layer = kind(
        input=r.input, input_shape=shapes[0], result=r.result, **c.sides(*margins), **given
    )
    r.only("the output's shape", str(shapes[1]), str(layer.output_shape))
    return layer


@kernel("resize_nearest")
def _resize(r: Reader) -> TypedLayer:
    c = r.config
    if r.stream:
        for side in ("height", "width"):
            left = c.integer(f"new_{side}") % c.integer(side)
            r.only(f"the remainder of new_{side} by {side}", left, 0)
    shape = (c.integer("height"), c.integer("width"), c.integer("n_chan"))
    return Resize(input=r.input, input_shape=shape, **c.sides("new_height", "new_width"))
