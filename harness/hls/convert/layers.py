"""The torch modules that have typed layers: how each becomes them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import nn

from harness.fixed import Fixed
from harness.hls.convert.functions import Squeeze, Unsqueeze, View
from harness.hls.convert.layout import turning
from harness.hls.convert.registry import Site, builder, numbers
from harness.hls.layers.accumulate import bounds
from harness.hls.layers.batchnorm import BatchNorm
from harness.hls.layers.conv import Conv1D, Conv2D
from harness.hls.layers.dense import Dense
from harness.hls.layers.layer import TypedLayer, as_fixed
from harness.hls.layers.merge import Add, Maximum, Minimum, Multiply, Subtract
from harness.hls.layers.shape import Reshape, Transpose
from harness.hls.ranges import smallest_type
from harness.nn.functional import MODULES
from harness.types import ApFixed

__all__: list[str] = []

Layers = Sequence[TypedLayer]


@builder(nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d)
def _nothing(_: Site) -> Layers:
    """In evaluation these give what they get."""
    return []


@builder(nn.Linear)
def _linear(s: Site) -> Layers:
    weight, bias = parameters(s, lambda w: w.T)
    accum = s.types.own("accum") or lossless(s.input, weight, bias)
    given: dict[str, Any] = {
        "input": s.input,
        "weight_type": weight.type,
        "bias_type": bias.type,
        "accum": accum,
        "result": s.result or accum,
        **s.strategy,
    }
    axes = len(s.shape) - 1
    if axes == 0:
        return [Dense(weight, bias, **given)]
    if s.turned or axes > 2:
        raise s.refused("multiplies one axis of images; allowed: of vectors and of sequences")
    # Of every step, as hls4ml has it: a convolution with windows of one.
    kernel = weight.reshape(*[1] * axes, *weight.shape)
    kind: type[Any] = (Conv1D, Conv2D)[axes - 1]
    return [kind(kernel, bias, input_shape=s.shape, **given)]


@builder(nn.Conv1d)
def _conv1d(s: Site) -> Layers:
    m = s.module
    (left, right), *_ = _padding(s)
    return [
        Conv1D(
            **_convolved(s, (2, 1, 0)),
            stride_width=m.stride[0],
            pad_left=left,
            pad_right=right,
            dilation=m.dilation[0],
        )
    ]


@builder(nn.Conv2d)
def _conv2d(s: Site) -> Layers:
    m = s.module
    (top, bottom), (left, right) = _padding(s)
    return [
        Conv2D(
            **_convolved(s, (2, 3, 1, 0)),
            stride_height=m.stride[0],
            stride_width=m.stride[1],
            pad_top=top,
            pad_bottom=bottom,
            pad_left=left,
            pad_right=right,
            dilation_height=m.dilation[0],
            dilation_width=m.dilation[1],
        )
    ]


def _convolved(s: Site, axes: tuple[int, ...]) -> dict[str, Any]:
    """The arguments that convolutions share; ``axes`` turns torch's weights channels last."""
    if s.module.groups != 1:
        raise s.refused(f"has {s.module.groups} groups; allowed: 1")
    if s.module.padding_mode != "zeros":
        raise s.refused(f"pads by {s.module.padding_mode}; allowed: zeros")
    weight, bias = parameters(s, lambda w: w.transpose(axes))
    accum = s.types.own("accum") or lossless(s.input, weight, bias)
    return {
        "weight": weight,
        "bias": bias,
        "input": s.input,
        "input_shape": s.shape,
        "weight_type": weight.type,
        "bias_type": bias.type,
        "accum": accum,
        "result": s.result or accum,
        **s.strategy,
    }


def _padding(s: Site) -> list[tuple[int, int]]:
    """Zeros before and after each axis."""
    m = s.module
    if m.padding == "valid":
        return [(0, 0)] * len(m.kernel_size)
    if m.padding == "same":
        spans = [d * (k - 1) for d, k in zip(m.dilation, m.kernel_size, strict=True)]
        return [(span // 2, span - span // 2) for span in spans]
    return [(p, p) for p in m.padding]


@builder(nn.BatchNorm1d, nn.BatchNorm2d)
def _batch_norm(s: Site) -> Layers:
    m = s.module
    for name in ("weight", "bias"):
        if name in getattr(m, "param_quantizers", {}) and m.param_quantizers[name] is not None:
            raise s.refused(
                f"quantizes its {name}, which the kernel does not have: it multiplies by "
                "weight / sqrt(var + eps); give types for scale and bias in the configuration"
            )
    if m.running_mean is None:
        raise s.refused("has no running statistics")
    mean, var = numbers(m.running_mean), numbers(m.running_var)
    scale = (numbers(m.weight) if m.affine else 1.0) / np.sqrt(var + m.eps)
    bias = (numbers(m.bias) if m.affine else 0.0) - mean * scale
    scale_type, bias_type = s.types.need("scale"), s.types.need("bias")
    exact = Fixed(0, s.input) * Fixed(0, scale_type) + Fixed(0, bias_type)
    return [
        BatchNorm(
            scale,
            bias,
            input=s.input,
            input_shape=s.shape,
            scale_type=scale_type,
            bias_type=bias_type,
            result=s.result or exact.type,
        )
    ]


@builder(nn.Flatten)
def _flatten(s: Site) -> Layers:
    if s.module.start_dim != 1 or s.module.end_dim not in (-1, len(s.shape)):
        raise s.refused("flattens some axes; allowed: all but the batch")
    return _reshaped(s, (math.prod(s.shape),))


@builder(View)
def _view(s: Site) -> Layers:
    sizes = s.module.sizes
    known = [n for n in sizes if n != -1]
    if any(n < 1 for n in known):
        raise s.refused(f"makes {sizes} of {s.torch_shape}; allowed: positive sizes, and one -1")
    shape = tuple(math.prod(s.shape) // math.prod(known) if n == -1 else n for n in sizes)
    if math.prod(shape) != math.prod(s.shape) or sizes.count(-1) > 1:
        raise s.refused(f"makes {sizes} of {s.torch_shape}, which has other elements")
    return _reshaped(s, shape)


@builder(Squeeze, Unsqueeze)
def _squeezed(s: Site) -> Layers:
    shape, dim = list(s.torch_shape), s.module.dim
    if not isinstance(dim, int | None):
        raise s.refused(f"takes {dim}; allowed: one axis")
    if dim is None:
        shape = [n for n in shape if n != 1]
    else:
        more = isinstance(s.module, Unsqueeze)
        place = (dim if dim >= 0 else len(shape) + 1 + more + dim) - 1  # torch counts the batch
        if not 0 <= place < len(shape) + more:
            raise s.refused(f"takes axis {dim} of {s.torch_shape}; allowed: any but the batch")
        if more:
            shape.insert(place, 1)
        elif shape[place] == 1:
            del shape[place]
    if not shape:
        raise s.refused(f"leaves no axis of {s.torch_shape}")
    return _reshaped(s, tuple(shape))


def _reshaped(s: Site, shape: tuple[int, ...]) -> Layers:
    """Another shape, as torch counts: channels first before and after."""
    made: list[TypedLayer] = []
    t, known = s.input, s.shape
    if shape == s.torch_shape:
        return made
    if s.turned and len(known) > 1:
        made.append(Transpose(turning(len(known), last=False), input=t, input_shape=known))
        known = made[-1].output_shape
    if known != shape:
        made.append(Reshape(t, known, shape))
    if s.turned and len(shape) > 1:
        made.append(Transpose(turning(len(shape), last=True), input=t, input_shape=shape))
    return made


def _merge(kind: type[Any]) -> Any:
    def build(s: Site) -> Layers:
        result = s.result
        if result is None:
            zeros = [Fixed(np.zeros(1, np.int64), t) for t in s.inputs]
            if kind in (Maximum, Minimum):
                raise s.refused("has no type for its result: quantize it, or configure one")
            result = {Add: zeros[0] + zeros[1], Subtract: zeros[0] - zeros[1]}.get(
                kind, zeros[0] * zeros[1]
            ).type
        return [
            kind(
                input1=s.inputs[0],
                input2=s.inputs[1],
                input1_shape=s.shapes[0],
                input2_shape=s.shapes[1],
                result=result,
            )
        ]

    return build


for _kind, _function, _module in (
    (Add, "add", "Add"),
    (Subtract, "sub", "Subtract"),
    (Multiply, "mul", "Multiply"),
    (Maximum, "maximum", "Maximum"),
    (Minimum, "minimum", "Minimum"),
):
    builder(_function, MODULES[_module])(_merge(_kind))


def parameters(s: Site, arranged: Any) -> tuple[Fixed, Fixed]:
    """Weight and bias of a module in their types; zeros if it has no bias."""
    weight = as_fixed(arranged(numbers(s.module.weight)), s.types.parameter("weight"), s.name)
    if s.module.bias is None:
        bias_type = s.types.find("bias") or weight.type
        return weight, Fixed(np.zeros(weight.shape[-1], np.int64), bias_type)
    return weight, as_fixed(numbers(s.module.bias), s.types.parameter("bias"), s.name)


def lossless(x: ApFixed, weight: Fixed, bias: Fixed) -> ApFixed:
    """The smallest accumulator that rounds no product and holds every partial sum, in any order.

    Args:
        x: the type of the inputs.
        weight: (..., outputs).
        bias: (outputs,).
    """
    flat = weight.reshape(-1, weight.shape[-1])
    none = Fixed(np.zeros_like(bias.codes), bias.type)
    ends = [end for b in (bias, none) for end in bounds(x, flat, b)]
    low, high = min(int(e.min()) for e in ends), max(int(e.max()) for e in ends)
    frac = x.frac + weight.type.frac
    finer = max(bias.type.frac - frac, 0)
    signed = x.signed or weight.type.signed or bias.type.signed
    like = ApFixed(1, 1 - frac - finer, signed)
    return smallest_type(low << finer, high << finer, like)
