"""The poolings of torch as typed layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import nn

from harness.hls.convert.registry import Site, builder
from harness.hls.layers import pooling
from harness.hls.layers.layer import TypedLayer
from harness.hls.layers.shape import Reshape
from harness.types import ApFixed

__all__: list[str] = []

Layers = Sequence[TypedLayer]


@builder(nn.MaxPool1d, nn.MaxPool2d)
def _max_pool(s: Site) -> Layers:
    m = s.module
    if m.ceil_mode or _pair(s, m.dilation) != (1,) * _rank(s):
        raise s.refused("rounds sizes up or is dilated; allowed: neither")
    kind = (pooling.MaxPooling1D, pooling.MaxPooling2D)[_rank(s) - 1]
    return [kind(**_windows(s), **_types(s, s.input))]


@builder(nn.AvgPool1d, nn.AvgPool2d)
def _average_pool(s: Site) -> Layers:
    m = s.module
    if m.ceil_mode or getattr(m, "divisor_override", None):
        raise s.refused("rounds sizes up or overrides its divisor; allowed: neither")
    kind = (pooling.AveragePooling1D, pooling.AveragePooling2D)[_rank(s) - 1]
    windows = _windows(s)
    terms = math.prod(_pair(s, m.kernel_size))
    return [kind(**windows, count_pad=m.count_include_pad, **_types(s, _sum_type(s, terms)))]


@builder(nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)
def _global_average(s: Site) -> Layers:
    return _everything(s, (pooling.GlobalAveragePooling1D, pooling.GlobalAveragePooling2D), True)


@builder(nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d)
def _global_max(s: Site) -> Layers:
    return _everything(s, (pooling.GlobalMaxPooling1D, pooling.GlobalMaxPooling2D), False)


def _everything(s: Site, kinds: tuple[Any, Any], adds: bool) -> Layers:
    if _pair(s, s.module.output_size) != (1,) * _rank(s):
        raise s.refused(f"has output size {s.module.output_size}; allowed: 1")
    accum = _sum_type(s, math.prod(s.shape[:-1])) if adds else s.input
    layer = kinds[_rank(s) - 1](input=s.input, input_shape=s.shape, **_types(s, accum))
    kept = (*[1] * _rank(s), s.shape[-1])  # torch keeps the axes
    return [layer, Reshape(layer.result, layer.output_shape, kept)]


def _windows(s: Site) -> dict[str, Any]:
    """The arguments of windows, from torch's numbers or tuples of them."""
    m, rank = s.module, _rank(s)
    sizes = _pair(s, m.kernel_size)
    strides = _pair(s, m.stride if m.stride is not None else m.kernel_size)
    pads = _pair(s, m.padding)
    found: dict[str, Any] = {"input": s.input, "input_shape": s.shape}
    for k, (axis, before, after) in enumerate(_AXES[2 - rank :]):
        found |= {f"pool_{axis}": sizes[k], f"stride_{axis}": strides[k]}
        found |= {f"pad_{before}": pads[k], f"pad_{after}": pads[k]}
    return found


_AXES = (("height", "top", "bottom"), ("width", "left", "right"))


def _types(s: Site, accum: ApFixed) -> dict[str, Any]:
    return {"accum": s.types.own("accum") or accum, "result": s.result or s.input}


def _sum_type(s: Site, terms: int) -> ApFixed:
    """The accumulator of an average that holds every sum; a quotient has its fractional bits."""
    more = (terms - 1).bit_length()
    t = s.input
    return ApFixed(t.width + more, t.integer + more, t.signed)


def _rank(s: Site) -> int:
    return len(s.shape) - 1


def _pair(s: Site, value: Any) -> tuple[int, ...]:
    """A number for each axis."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * _rank(s)
