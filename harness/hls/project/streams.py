"""Streams of an ``io_stream`` project: how much passes through them, and in what packs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from harness.hls.layers.layer import TypedLayer
from harness.hls.project.scope import number
from harness.hls.project.source import ProjectError
from harness.hls.project.top import Top, Variable

__all__ = ["misfit", "with_sizes"]

Shape = tuple[int, ...]
#: What hls4ml's bridge and test bench call on a port, with its size behind the types.
_SIZED = re.compile(r"\bnnet::\w+ ?<[^;()]*?,\s*(\d[\d *]*)>\s*\(([^;()]*)\)")
#: Kernels that take any number of elements at a time, and those that write them so.
_ANY_READ = {"dense", "transpose", "repack_stream", "concatenate1d"}
_ANY_WRITE = {"dense", "repack_stream"}
#: Kernels that write each pack as they read it, whatever its size.
_ELEMENTWISE = {
    "add", "average", "binary_tanh", "clone_stream", "elu", "hard_sigmoid", "hard_tanh",
    "leaky_relu", "linear", "maximum", "minimum", "multiply", "normalize", "prelu", "relu", "selu",
    "sigmoid", "softplus", "softsign", "subtract", "tanh", "ternary_tanh", "thresholded_relu",
    "unary_lut",
}  # fmt: skip
#: The others that hls4ml has for streams.
_OTHERS = {
    "broadcast_stream", "concatenate2d", "concatenate3d", "cropping1d_cl", "cropping2d_cl",
    "embedding", "global_pooling1d_cl", "global_pooling2d_cl", "gru_stack", "lstm_stack",
    "normalize_binary_tanh", "normalize_ternary_tanh", "pointwise_conv_1d_cl",
    "pointwise_conv_2d_cl", "resize_nearest", "softmax", "zeropad1d_cl", "zeropad2d_cl",
}  # fmt: skip
#: Kernels that, encoded, also take several pixels at a time, and give them.
_PIXELS = {"conv_1d_cl", "conv_2d_cl", "depthwise_conv_1d_cl", "depthwise_conv_2d_cl"}
_PIXELS |= {"pooling1d_cl", "pooling2d_cl"}


def with_sizes(top: Top, root: Path) -> Top:
    """The top function with the sizes of its streams, as its bridge or its test bench writes them.

    Raises:
        ProjectError: if neither tells.
    """
    if not any(v.stream for v in top.ports):
        return top
    files = [f"{top.name}_bridge.cpp", f"{top.name}_test.cpp"]
    told: dict[str, Shape] = {}
    for file in files:
        for name, shape in _told(root / file):
            told.setdefault(name, shape)
    ports = []
    for v in top.ports:
        if v.stream and v.name not in told:
            raise ProjectError(
                f"{v.place}: {v.name} is a stream, and neither {' nor '.join(files)} tells how "
                "many values pass through it"
            )
        ports.append(replace(v, shape=told[v.name]) if v.stream else v)
    return replace(top, ports=tuple(ports), arrays={**top.arrays, **{v.name: v for v in ports}})


def _told(path: Path) -> Iterator[tuple[str, Shape]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    for match in _SIZED.finditer(text):
        shape = tuple(number(part, path.name) for part in match[1].split("*"))
        for name in match[2].split(","):
            yield name.strip().removesuffix("_ap"), shape


def misfit(
    kernel: str,
    layer: TypedLayer,
    reads: tuple[Variable, ...],
    output: Variable,
    packs: Mapping[str, int],
    encoded: bool,
) -> str | None:
    """Why a kernel does not take or give packs of a stream's size; ``None`` if it does.

    A kernel that does would read beyond a pack, or leave some of it out.

    Args:
        kernel: its name.
        layer: what it computes.
        reads: what it reads.
        output: what it writes.
        packs: the size of the packs, by the names of their types.
        encoded: whether it is an encoded convolution or pooling.
    """
    if kernel not in _ANY_READ | _ELEMENTWISE | _PIXELS | _OTHERS:
        return "hls4ml's nnet_utils have none for streams, so the project does not compile"
    if kernel == "repack_stream":
        small, large = sorted(packs.get(v.type_name, 1) for v in (*reads, output))
        if large % small:
            return f"packs of {large} and of {small}: what does not fit is dropped"
    sides = [*zip(reads, layer.input_shapes, strict=True), (output, layer.output_shape)]
    first = packs.get(reads[0].type_name)
    for v, shape in sides:
        size = packs.get(v.type_name)
        if not v.stream:
            return f"{v.name} is no stream, but others are"
        if size is None:
            return f"{v.name} is a stream of {v.type_name}, not of nnet::array"
        if math.prod(shape) % size:
            return f"{v.name} has {math.prod(shape)} values in packs of {size}"
        wanted = shape[-1]
        if kernel in (_ANY_WRITE if v is output else _ANY_READ):
            wanted = size
        elif kernel in _ELEMENTWISE and first is not None:
            wanted = first
        elif encoded and kernel in _PIXELS and size % wanted == 0:
            wanted = size
        if size != wanted:
            return f"{v.name} has packs of {size}, {wanted} are wanted"
    return None
