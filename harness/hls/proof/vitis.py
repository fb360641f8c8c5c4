"""The kernels that hls4ml's Vitis backend has of its own, to draw.

Its ``nnet_utils`` lie over Vivado's, and replace thirteen files: all convolutions and poolings, and
what dense layers, convolutions and poolings do with streams.  They compute the same as Vivado's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.hls.layers.layer import TypedLayer
from harness.hls.proof.draw import FAMILIES, VARIANTS, Draw, family
from harness.oracle.layers import LayerKernel

__all__: list[str] = []

#: Kernels with Vitis' own text, by the names of Vivado's; those of a line have the same variant.
OWN = {
    "conv1d": ("conv1d, latency", "conv1d, resource", "pointwise_conv1d, latency"),
    "conv2d": ("conv2d, latency", "conv2d, resource", "pointwise_conv2d"),
    "pooling": ("pooling1d, Max", "pooling1d, Average", "pooling2d, Max", "pooling2d, Average"),
    "products, stream": (
        "dense_latency, stream",
        "conv1d, stream",
        "conv2d, stream",
        "depthwise_conv, stream",
    ),
    "pooling, stream": (
        "pooling1d, stream",
        "pooling2d, stream",
        "global_pooling, Max, stream",
        "global_pooling, Average, stream",
    ),
}


def _enter(name: str, kernels: Sequence[str]) -> None:
    first = VARIANTS.get(kernels[0])

    def variant(kernel: LayerKernel) -> LayerKernel:
        return replace(kernel if first is None else first(kernel), source="layers/vitis.h")

    @family(name, variant)
    def _(draw: Draw) -> TypedLayer:
        return FAMILIES[draw.choice(kernels)](draw)


for _name, _kernels in OWN.items():
    _enter(f"{_name}, Vitis", _kernels)
