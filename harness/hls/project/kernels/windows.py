"""Windows over images: ``nnet_conv1d.h``, ``nnet_sepconv1d.h``, ``nnet_pooling.h`` and the like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
)
from harness.hls.project.registry import Reader, Shape, kernel
from harness.hls.project.scope import Config

__all__ = ["sides"]


@kernel("conv_1d_cl", "pointwise_conv_1d_cl")
def _conv1d(r: Reader) -> TypedLayer:
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
    window = (c.integer("filt_width"), c.integer("n_chan"))
    layer = Conv1D(
        **_weights(r, classes[found], window),
        input_shape=(c.integer("in_width"), c.integer("n_chan")),
        **_common(r, classes[found]),
        **sides(c, "stride_width", "pad_left", "pad_right"),
        dilation=c.integer("dilation", 1),
    )
    r.only("out_width", c.integer("out_width"), layer.output_shape[0])
    return layer


@kernel("conv_2d_cl", "pointwise_conv_2d_cl")
def _conv2d(r: Reader) -> TypedLayer:
    c = r.config
    strategy = c.word("strategy")
    r.only("the strategy", strategy, "latency", "resource")
    window = (c.integer("filt_height"), c.integer("filt_width"), c.integer("n_chan"))
    strides = ("stride_height", "stride_width")
    layer = Conv2D(
        **_weights(r, strategy, window),
        input_shape=(c.integer("in_height"), c.integer("in_width"), c.integer("n_chan")),
        **_common(r, strategy),
        **sides(c, *strides, "pad_top", "pad_bottom", "pad_left", "pad_right"),
    )
    r.only("out_height", c.integer("out_height"), layer.output_shape[0])
    r.only("out_width", c.integer("out_width"), layer.output_shape[1])
    return layer


@kernel("depthwise_conv_1d_cl")
def _depthwise1d(r: Reader) -> TypedLayer:
    c = r.config
    channels = c.integer("n_chan")
    layer = DepthwiseConv1D(
        r.weight(0, (c.integer("filt_width"), channels, 1)),
        r.weight(1, (channels,)),
        input_shape=(c.integer("in_width"), channels),
        **_depthwise(r),
        **sides(c, "stride_width", "pad_left", "pad_right"),
        dilation=c.integer("dilation", 1),
    )
    r.only("out_width", c.integer("out_width"), layer.output_shape[0])
    return layer


@kernel("depthwise_conv_2d_cl")
def _depthwise2d(r: Reader) -> TypedLayer:
    c = r.config
    channels = c.integer("n_chan")
    strides = ("stride_height", "stride_width")
    layer = DepthwiseConv2D(
        r.weight(0, (c.integer("filt_height"), c.integer("filt_width"), channels, 1)),
        r.weight(1, (channels,)),
        input_shape=(c.integer("in_height"), c.integer("in_width"), channels),
        **_depthwise(r),
        **sides(c, *strides, "pad_top", "pad_bottom", "pad_left", "pad_right"),
    )
    r.only("out_height", c.integer("out_height"), layer.output_shape[0])
    r.only("out_width", c.integer("out_width"), layer.output_shape[1])
    return layer


def _depthwise(r: Reader) -> dict[str, Any]:
    c = r.config
    r.only("the strategy", c.word("strategy"), "latency")
    r.only("n_filt", c.integer("n_filt"), c.integer("n_chan"))
    found = _common(r, "latency")
    return {k: v for k, v in found.items() if k not in ("strategy", "reuse_factor")}


@kernel("pooling1d_cl")
def _pooling1d(r: Reader) -> TypedLayer:
    c = r.config
    kind = _op(r, Max=MaxPooling1D, Average=AveragePooling1D)
    layer = kind(
        input_shape=(c.integer("n_in"), c.integer("n_filt")),
        **_pooled(r),
        **sides(c, "pool_width", "stride_width", "pad_left", "pad_right"),
        count_pad=bool(c.integer("count_pad")),
    )
    r.only("n_out", c.integer("n_out"), layer.output_shape[0])
    return layer


@kernel("pooling2d_cl")
def _pooling2d(r: Reader) -> TypedLayer:
    c = r.config
    kind = _op(r, Max=MaxPooling2D, Average=AveragePooling2D)
    sizes = ("pool_height", "pool_width", "stride_height", "stride_width")
    layer = kind(
        input_shape=(c.integer("in_height"), c.integer("in_width"), c.integer("n_filt")),
        **_pooled(r),
        **sides(c, *sizes, "pad_top", "pad_bottom", "pad_left", "pad_right"),
        count_pad=bool(c.integer("count_pad")),
    )
    r.only("out_height", c.integer("out_height"), layer.output_shape[0])
    r.only("out_width", c.integer("out_width"), layer.output_shape[1])
    return layer


@kernel("global_pooling1d_cl")
def _global_pooling1d(r: Reader) -> TypedLayer:
    c = r.config
    kind = _op(r, Max=GlobalMaxPooling1D, Average=GlobalAveragePooling1D)
    return kind(input_shape=(c.integer("n_in"), c.integer("n_filt")), **_pooled(r))


@kernel("global_pooling2d_cl")
def _global_pooling2d(r: Reader) -> TypedLayer:
    c = r.config
    kind = _op(r, Max=GlobalMaxPooling2D, Average=GlobalAveragePooling2D)
    shape = (c.integer("in_height"), c.integer("in_width"), c.integer("n_filt"))
    return kind(input_shape=shape, **_pooled(r))


def _op(r: Reader, **kinds: Callable[..., TypedLayer]) -> Callable[..., TypedLayer]:
    """The class for a pooling's operation."""
    found = r.config.word("pool_op")
    r.only("the operation", found, *kinds)
    return kinds[found]


def _pooled(r: Reader) -> dict[str, Any]:
    return {"input": r.input, "accum": r.config.type("accum_t"), "result": r.result}


def sides(c: Config, *names: str) -> dict[str, Any]:
    """Members that are arguments of the layer by the same names."""
    return {name: c.integer(name) for name in names}


def _weights(r: Reader, strategy: str, window: Shape) -> dict[str, Any]:
    """Weights (window, channels, filters), which lie the other way for resource, and biases."""
    filters = r.config.integer("n_filt")
    if strategy == "latency":
        weight = r.weight(0, (*window, filters))
    else:
        weight = r.weight(0, (filters, *window)).transpose(*range(1, len(window) + 1), 0)
    return {"weight": weight, "bias": r.weight(1, (filters,))}


def _common(r: Reader, strategy: str) -> dict[str, Any]:
    c = r.config
    r.only("the product", c.inner("mult_config").alias("product"), "mult")
    return {
        "input": r.input,
        "weight_type": c.type("weight_t"),
        "bias_type": c.type("bias_t"),
        "accum": c.type("accum_t"),
        "result": r.result,
        "strategy": strategy,
        "reuse_factor": c.integer("reuse_factor"),
        "n_partitions": c.integer("n_partitions"),
    }
