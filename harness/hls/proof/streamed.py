"""Layers of streams to draw: those that compute otherwise, and matrix products, which do not."""

from __future__ import annotations

from dataclasses import replace

from harness.hls.layers import streamed
from harness.hls.layers.conv import Conv1D, Conv2D
from harness.hls.layers.depthwise import DepthwiseConv1D, DepthwiseConv2D
from harness.hls.layers.layer import TypedLayer
from harness.hls.layers.shape import Broadcast
from harness.hls.proof.activations import plain, tabled
from harness.hls.proof.conv import convolution
from harness.hls.proof.dense import dense
from harness.hls.proof.draw import Draw, family
from harness.hls.proof.pooling import globally, pooled_types
from harness.hls.proof.separable import depthwise
from harness.oracle.layers import LayerKernel

__all__ = ["streamed_kernel"]


@family("ternary_tanh, stream")
def _ternary_tanh(draw: Draw) -> TypedLayer:
    return streamed.StreamedTernaryTanh(**plain(draw))


@family("selu, stream")
def _selu(draw: Draw) -> TypedLayer:
    return streamed.StreamedSELU(**tabled(draw))


@family("pooling1d, stream")
def _pooling1d(draw: Draw) -> TypedLayer:
    kinds = [streamed.StreamedMaxPooling1D, streamed.StreamedAveragePooling1D]
    window = draw.integer(1, 5)
    return draw.choice(kinds)(
        **pooled_types(draw),
        input_shape=(window + draw.integer(0, 6), draw.integer(1, 3)),
        pool_width=window,
        stride_width=draw.integer(1, window),
    )


@family("pooling2d, stream")
def _pooling2d(draw: Draw) -> TypedLayer:
    kinds = [streamed.StreamedMaxPooling2D, streamed.StreamedAveragePooling2D]
    rows, columns = draw.integer(1, 3), draw.integer(1, 3)
    sizes = (rows + draw.integer(0, 4), columns + draw.integer(0, 4))
    return draw.choice(kinds)(
        **pooled_types(draw),
        input_shape=(*sizes, draw.integer(1, 3)),
        pool_height=rows,
        pool_width=columns,
    )


@family("global_pooling, Max, stream")
def _global_max(draw: Draw) -> TypedLayer:
    rank = draw.integer(1, 2)
    given = globally(draw, rank, 12 if rank == 1 else 5)
    # A maximum starts from the lowest value, which types with saturation bits do not have.
    given["accum"] = replace(given["accum"], n=0)
    kinds = [streamed.StreamedGlobalMaxPooling1D, streamed.StreamedGlobalMaxPooling2D]
    return kinds[rank - 1](**given)


@family("global_pooling, Average, stream")
def _global_average(draw: Draw) -> TypedLayer:
    rank = draw.integer(1, 2)
    kinds = [streamed.StreamedGlobalAveragePooling1D, streamed.StreamedGlobalAveragePooling2D]
    return kinds[rank - 1](**globally(draw, rank, 12 if rank == 1 else 5))


@family("broadcast_stream")
def _broadcast(draw: Draw) -> TypedLayer:
    shape = (draw.integer(1, 4), draw.integer(1, 4), draw.integer(1, 4))
    source = draw.choice([(1, 1, shape[2]), (*shape[:2], 1)])
    return Broadcast(shape, input=draw.type(), input_shape=source, result=draw.type())


def streamed_kernel(kernel: LayerKernel) -> LayerKernel:
    """The kernel for streams that computes what one for arrays does."""
    return replace(kernel, source="layers/streamed_conv.h", template=f"streamed_{kernel.template}")


@family("dense_latency, stream", streamed_kernel)
def _dense(draw: Draw) -> TypedLayer:
    return dense(draw, draw.integer(1, 12), draw.integer(1, 8))


@family("conv1d, stream", streamed_kernel)
def _conv1d(draw: Draw) -> TypedLayer:
    return Conv1D(**convolution(draw, (draw.integer(1, 4),), _strategy(draw), plain=True))


@family("conv2d, stream", streamed_kernel)
def _conv2d(draw: Draw) -> TypedLayer:
    window = (draw.integer(1, 3), draw.integer(1, 3))
    return Conv2D(**convolution(draw, window, _strategy(draw), plain=True))


@family("depthwise_conv, stream", streamed_kernel)
def _depthwise(draw: Draw) -> TypedLayer:
    if draw.integer(0, 1):
        return DepthwiseConv1D(**depthwise(draw, (draw.integer(1, 4),), plain=True))
    window = (draw.integer(1, 3), draw.integer(1, 3))
    return DepthwiseConv2D(**depthwise(draw, window, plain=True))


def _strategy(draw: Draw) -> str:
    return draw.choice(["latency", "resource"])
