"""The torch modules of sequences as typed layers: recurrences, normalisations, joins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import nn

from harness.fixed import Fixed
from harness.hls.convert.activations import needed, table_of
from harness.hls.convert.registry import Site, builder, numbers
from harness.hls.layers.layer import TypedLayer, as_fixed
from harness.hls.layers.merge import Concatenate
from harness.hls.layers.norm import LayerNorm
from harness.hls.layers.recurrent import GRU, LSTM
from harness.hls.layers.spatial import UpSampling1D, UpSampling2D

__all__: list[str] = []

Layers = Sequence[TypedLayer]
#: The parameters of a recurrent module, and the slots of their types.
_RECURRENT = {
    "weight_ih_l0": "weight",
    "weight_hh_l0": "recurrent_weight",
    "bias_ih_l0": "bias",
    "bias_hh_l0": "recurrent_bias",
}


@builder(nn.LSTM, nn.GRU)
def _recurrent(s: Site) -> Layers:
    m = s.module
    for name, only in (
        ("num_layers", 1),
        ("bidirectional", False),
        ("batch_first", True),
        ("proj_size", 0),
    ):
        if getattr(m, name) != only:
            raise s.refused(f"has {name}={getattr(m, name)}; allowed: {only}")
    if len(s.shape) != 2:
        raise s.refused(f"reads {s.shape}; allowed: (steps, features)")
    found: dict[str, Any] = {}
    for name, slot in _RECURRENT.items():
        t = s.types.need(slot)
        found[f"{slot}_type"] = t
        if hasattr(m, name):
            values = numbers(getattr(m, name))
            found[slot] = as_fixed(values.T if values.ndim > 1 else values, t, s.name)
    found |= {"table_type": "ap_fixed<18,8>", **table_of(s)}
    kind: type[Any] = LSTM if isinstance(m, nn.LSTM) else GRU
    return [
        kind(
            **found,
            input=s.input,
            length=s.shape[0],
            accum=s.types.need("accum"),
            result=needed(s),
            return_sequences=s.axis != -1,
            pytorch_order=kind is GRU,
            static=bool(s.types.config.fact(s.name, "Static", True)),
        )
    ]


@builder(nn.LayerNorm)
def _layer_norm(s: Site) -> Layers:
    m, power = s.module, -math.log10(s.module.eps)
    if len(s.shape) != 2 or tuple(m.normalized_shape) != s.shape[-1:]:
        raise s.refused(f"normalises {tuple(m.normalized_shape)} of {s.shape}; allowed: the last")
    if abs(power - round(power)) > 1e-9:
        raise s.refused(f"has eps {m.eps}; allowed: powers of ten")
    scale_type, bias_type = s.types.need("scale"), s.types.need("bias")
    ones = Fixed.of([1.0] * s.shape[-1], scale_type)
    affine = m.weight is not None
    more = table_of(s)
    if (reach := s.types.config.fact(s.name, "TableRangePower2", None)) is not None:
        more["table_range_power2"] = int(reach)
    return [
        LayerNorm(
            as_fixed(numbers(m.weight), scale_type, s.name) if affine else ones,
            as_fixed(numbers(m.bias), bias_type, s.name) if affine and m.bias is not None else None,
            input=s.input,
            input_shape=s.shape,
            scale_type=scale_type,
            bias_type=bias_type,
            accum=s.types.need("accum"),
            result=needed(s),
            epsilon_power_of_10=round(power),
            **more,
        )
    ]


@builder(nn.Upsample, nn.UpsamplingNearest2d)
def _upsample(s: Site) -> Layers:
    m = s.module
    factors = m.scale_factor if isinstance(m.scale_factor, tuple) else (m.scale_factor,)
    axes = len(s.shape) - 1
    if m.mode != "nearest" or m.scale_factor is None or any(f != int(f) for f in factors):
        raise s.refused(f"is {m.mode} by {m.scale_factor}; allowed: nearest by whole factors")
    sizes = tuple(int(f) for f in factors) * (axes // len(factors))
    if axes == 1:
        return [UpSampling1D(input=s.input, input_shape=s.shape, size=sizes[0])]
    if axes == 2:
        return [UpSampling2D(input=s.input, input_shape=s.shape, size=(sizes[0], sizes[1]))]
    raise s.refused(f"reads {s.shape}; allowed: one or two axes and channels")


@builder("cat")
def _cat(s: Site) -> Layers:
    if len(s.inputs) != 2:
        raise s.refused(f"joins {len(s.inputs)} tensors; allowed: two")
    rank = len(s.shape)
    axis = (s.axis if s.axis >= 0 else rank + 1 + s.axis) - 1  # torch counts the batch
    if not 0 <= axis < rank:
        raise s.refused(f"joins axis {s.axis} of {s.torch_shape}; allowed: any but the batch")
    if s.turned and rank > 1:  # and channels first, which are last here
        axis = [rank - 1, *range(rank - 1)][axis]
    exact = s.inputs[0] if s.inputs[0] == s.inputs[1] else None
    return [
        Concatenate(
            axis,
            input1=s.inputs[0],
            input2=s.inputs[1],
            input1_shape=s.shapes[0],
            input2_shape=s.shapes[1],
            result=s.result or exact or needed(s),
        )
    ]
