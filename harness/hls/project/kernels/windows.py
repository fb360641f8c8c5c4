"""Windows over images: ``nnet_conv1d.h``, ``nnet_sepconv1d.h``, ``nnet_pooling.h`` and the like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from harness.hls.layers import streamed
from harness.hls.layers.conv import Conv1D, Conv2D
from harness.hls.layers.depthwise import DepthwiseConv1D, DepthwiseConv2D
from harness.hls.layers.layer import TypedLayer
from harness.hls.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
    Pooling,
)
from harness.hls.project.kernels.generated import logic_conv_of_stream, shown
from harness.hls.project.kernels.products import product, strategy
from harness.hls.project.registry import Reader, Shape, kernel

__all__: list[str] = []


@kernel("conv_1d_cl", "pointwise_conv_1d_cl")
def _conv1d(r: Reader) -> TypedLayer:
    c = r.config
    pads = ("pad_left", "pad_right")
    if r.stream:
        _taken_by_streams(r, *pads)
        if (found := logic_conv_of_stream(r, "width")) is not None:
            return found
    how = strategy(r, c.inner("mult_config")) if r.stream else _of_arrays(r)
    window = (c.integer("filt_width"), c.integer("n_chan"))
    layer = Conv1D(
        **_weights(r, how, window),
        input_shape=(c.integer("in_width"), c.integer("n_chan")),
        **_common(r, how),
        **c.sides("stride_width", *pads),
        dilation=c.integer("dilation", 1),
    )
    r.only("out_width", c.integer("out_width"), layer.output_shape[0])
    _counted(r, layer)
    _dilated(r, layer)
    return layer


def _dilated(r: Reader, layer: Conv1D | DepthwiseConv1D) -> None:
    """Blame what fills the windows if it leaves out their dilation, as hls4ml's generator does."""
    c = r.config
    dilation = c.integer("dilation", 1)
    if r.stream or dilation == 1 or c.integer("filt_width") == 1:
        return
    filled, wanted = c.alias("fill_buffer"), shown(layer.windows)
    pixels, parts = c.integer("n_pixels"), c.integer("n_partitions")
    seen = r.project.generated.windows(filled, pixels, parts, wanted.shape[1])
    if not np.array_equal(seen, wanted):
        raise r.broken(f"{filled} fills windows without their dilation of {dilation}")


def _of_arrays(r: Reader) -> str:
    """The strategy of a convolution of one axis, from the class that computes it."""
    c = r.config
    found = c.alias("conv_kernel")
    classes = {
        "Conv1DLatency": "latency",
        "Conv1DResource": "resource",
        # The same sums for windows of one element.
        "BatchedDenseForConv1D": "latency",
    }
    r.only("the kernel", found, *classes)
    if found == "BatchedDenseForConv1D":
        r.only("the number of partitions", c.integer("n_partitions"), 1)
        r.only("the window", c.integer("filt_width"), 1)
    return classes[found]


def _taken_by_streams(r: Reader, *pads: str) -> None:
    """Refuse what the kernel asserts, and a dilation, which it ignores."""
    c = r.config
    for pad in pads:
        r.only(pad, c.integer(pad), 0)
    for name in ("dilation", "dilation_height", "dilation_width"):
        r.only(name, c.integer(name, 1), 1)
    if len(pads) == 4 and r.encoded:
        r.only("filt_width", c.integer("filt_width"), c.integer("filt_height"))
    if r.call.kernel == "conv_2d_cl":
        _skips_rows(r)


def _skips_rows(r: Reader) -> None:
    """Refuse windows of one row whose line buffer writes rows that the strides should skip."""
    c = r.config
    stride = c.integer("stride_height")
    if not r.encoded and c.integer("filt_height") == 1 and stride > 1:
        raise r.broken(
            f"of windows of one row its line buffer writes every row, and not every {stride}th"
        )


def _counted(r: Reader, layer: Conv1D | Conv2D) -> None:
    """The products that sums of bits are told apart by."""
    if layer.product.counts:
        r.only("n_in of the products", r.config.inner("mult_config").integer("n_in"), layer.n_in)


@kernel("conv_2d_cl", "pointwise_conv_2d_cl")
def _conv2d(r: Reader) -> TypedLayer:
    c = r.config
    pads = ("pad_top", "pad_bottom", "pad_left", "pad_right")
    if r.stream:
        _taken_by_streams(r, *pads)
        if (found := logic_conv_of_stream(r, "height", "width")) is not None:
            return found
    how = strategy(r, c.inner("mult_config")) if r.stream else c.word("strategy")
    r.only("the strategy", how, "latency", "resource")
    window = (c.integer("filt_height"), c.integer("filt_width"), c.integer("n_chan"))
    strides = ("stride_height", "stride_width")
    layer = Conv2D(
        **_weights(r, how, window),
        input_shape=(c.integer("in_height"), c.integer("in_width"), c.integer("n_chan")),
        **_common(r, how),
        **c.sides(*strides, *pads),
    )
    r.only("out_height", c.integer("out_height"), layer.output_shape[0])
    r.only("out_width", c.integer("out_width"), layer.output_shape[1])
    _counted(r, layer)
    return layer


@kernel("depthwise_conv_1d_cl")
def _depthwise1d(r: Reader) -> TypedLayer:
    c = r.config
    _one_filter(r)
    channels = c.integer("n_chan")
    layer = DepthwiseConv1D(
        r.weight(0, (c.integer("filt_width"), channels, 1)),
        r.weight(1, (channels,)),
        input_shape=(c.integer("in_width"), channels),
        **_depthwise(r),
        **c.sides("stride_width", "pad_left", "pad_right"),
        dilation=c.integer("dilation", 1),
    )
    r.only("out_width", c.integer("out_width"), layer.output_shape[0])
    _dilated(r, layer)
    return layer


@kernel("depthwise_conv_2d_cl")
def _depthwise2d(r: Reader) -> TypedLayer:
    c = r.config
    _one_filter(r)
    channels = c.integer("n_chan")
    strides = ("stride_height", "stride_width")
    layer = DepthwiseConv2D(
        r.weight(0, (c.integer("filt_height"), c.integer("filt_width"), channels, 1)),
        r.weight(1, (channels,)),
        input_shape=(c.integer("in_height"), c.integer("in_width"), channels),
        **_depthwise(r),
        **c.sides(*strides, "pad_top", "pad_bottom", "pad_left", "pad_right"),
    )
    r.only("out_height", c.integer("out_height"), layer.output_shape[0])
    r.only("out_width", c.integer("out_width"), layer.output_shape[1])
    return layer


def _one_filter(r: Reader) -> None:
    """Refuse what the kernels assert against; a project that has these kernels is broken."""
    c = r.config
    filters, channels = c.integer("n_filt"), c.integer("n_chan")
    if filters != channels and r.project.headers_have("only a depth multiplier of 1"):
        raise r.broken(f"has {filters} filters for {channels} channels; its kernel asserts as many")
    r.only("n_filt", filters, channels)
    if r.stream:
        r.only("the kernel", c.inner("mult_config").alias("kernel"), "DepthwiseDenseLatency")
        for name in ("pad_top", "pad_bottom", "pad_left", "pad_right"):
            r.only(name, c.integer(name, 0), 0)
        r.only("dilation", c.integer("dilation", 1), 1)
        if "stride_height" in c.values:
            _skips_rows(r)
        return
    strategy = c.word("strategy")
    if strategy == "resource" and r.project.headers_have("Resource strategy for Depthwise"):
        raise r.broken("its kernel asserts that the strategy is not resource")
    r.only("the strategy", strategy, "latency")


def _depthwise(r: Reader) -> dict[str, Any]:
    found = _common(r, "latency")
    return {k: v for k, v in found.items() if k not in ("strategy", "reuse_factor")}


@kernel("pooling1d_cl")
def _pooling1d(r: Reader) -> TypedLayer:
    c = r.config
    kind = _op(r, MaxPooling1D, AveragePooling1D)
    layer = kind(
        input_shape=(c.integer("n_in"), c.integer("n_filt")),
        **_pooled(r),
        **c.sides("pool_width", "stride_width", "pad_left", "pad_right"),
        count_pad=bool(c.integer("count_pad")),
    )
    r.only("n_out", c.integer("n_out"), layer.output_shape[0])
    return layer


@kernel("pooling2d_cl")
def _pooling2d(r: Reader) -> TypedLayer:
    c = r.config
    kind = _op(r, MaxPooling2D, AveragePooling2D)
    sizes = ("pool_height", "pool_width", "stride_height", "stride_width")
    layer = kind(
        input_shape=(c.integer("in_height"), c.integer("in_width"), c.integer("n_filt")),
        **_pooled(r),
        **c.sides(*sizes, "pad_top", "pad_bottom", "pad_left", "pad_right"),
        count_pad=bool(c.integer("count_pad")),
    )
    r.only("out_height", c.integer("out_height"), layer.output_shape[0])
    r.only("out_width", c.integer("out_width"), layer.output_shape[1])
    return layer


@kernel("global_pooling1d_cl")
def _global_pooling1d(r: Reader) -> TypedLayer:
    c = r.config
    kind = _op(r, GlobalMaxPooling1D, GlobalAveragePooling1D)
    return kind(input_shape=(c.integer("n_in"), c.integer("n_filt")), **_pooled(r))


@kernel("global_pooling2d_cl")
def _global_pooling2d(r: Reader) -> TypedLayer:
    c = r.config
    kind = _op(r, GlobalMaxPooling2D, GlobalAveragePooling2D)
    shape = (c.integer("in_height"), c.integer("in_width"), c.integer("n_filt"))
    return kind(input_shape=shape, **_pooled(r))


def _op(r: Reader, *kinds: type[Pooling]) -> Callable[..., TypedLayer]:
    """The class for a pooling's operation, of the one for arrays or for streams."""
    found = r.config.word("pool_op")
    classes = {kind.op: kind for kind in kinds}
    r.only("the operation", found, *classes)
    kind = classes[found]
    if not r.stream:
        return kind
    own = r.project.directory / "firmware/nnet_utils/nnet_pooling_stream.h"
    if r.encoded and "_encoded_cl" not in own.read_text(encoding="utf-8", errors="replace"):
        raise r.broken("its own nnet_utils, of Vitis, have no encoded pooling and assert it")
    if r.encoded and "stride_width" in r.config.values:
        for axis in ("height", "width"):
            stride = r.config.integer(f"stride_{axis}", 1)
            r.only(f"pool_{axis}", r.config.integer(f"pool_{axis}", 1), stride)
    variant: Callable[..., TypedLayer] = getattr(streamed, f"Streamed{kind.__name__}")
    return variant


def _pooled(r: Reader) -> dict[str, Any]:
    return {"input": r.input, "accum": r.config.type("accum_t"), "result": r.result}


def _weights(r: Reader, how: str, window: Shape) -> dict[str, Any]:
    """Weights (window, channels, filters), which lie the other way for resource, and biases."""
    filters = r.config.integer("n_filt")
    if how == "latency":
        weight = r.weight(0, (*window, filters))
    else:
        weight = r.weight(0, (filters, *window)).transpose(*range(1, len(window) + 1), 0)
    return {"weight": weight, "bias": r.weight(1, (filters,))}


def _common(r: Reader, how: str) -> dict[str, Any]:
    c = r.config
    return {
        "input": r.input,
        "product": product(r, c.inner("mult_config")),
        "weight_type": c.weight_type("weight_t"),
        "bias_type": c.type("bias_t"),
        "accum": c.type("accum_t"),
        "result": r.result,
        "strategy": how,
        "reuse_factor": c.integer("reuse_factor"),
        "n_partitions": 1 if r.stream else c.integer("n_partitions"),
    }
