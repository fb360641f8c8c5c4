"""The activations of torch as typed layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from harness.hls.convert.precision import Precision
from harness.hls.convert.registry import Site, builder, numbers
from harness.hls.layers import activations as typed
from harness.hls.layers import lookup
from harness.hls.layers.layer import TypedLayer
from harness.hls.layers.softmax import Softmax

__all__: list[str] = []

Layers = Sequence[TypedLayer]


#: Without parameters; the result is of the input's type by default.
_PLAIN: dict[type[nn.Module], type[Any]] = {nn.ReLU: typed.ReLU, nn.ReLU6: typed.ReLU6}
_TABLES: dict[type[nn.Module], type[Any]] = {
    nn.Sigmoid: lookup.Sigmoid,
    nn.Tanh: lookup.Tanh,
    nn.Softplus: lookup.Softplus,
    nn.Softsign: lookup.Softsign,
    nn.SELU: lookup.SELU,
}
#: Arguments of torch's softplus that its table does not have.
_FIXED = {"beta": 1, "threshold": 20}


@builder(*_PLAIN)
def _plain(s: Site) -> Layers:
    layer = kind_of(s, _PLAIN)
    return [layer(input=s.input, input_shape=s.shape, result=s.result)]


@builder(*_TABLES)
def _looked_up(s: Site) -> Layers:
    for name, only in _FIXED.items():
        if getattr(s.module, name, only) != only:
            raise s.refused(f"has {name} {getattr(s.module, name)}; allowed: {only}")
    return [kind_of(s, _TABLES)(**_table(s))]


def kind_of(s: Site, layers: Mapping[type[nn.Module], type[Any]]) -> type[Any]:
    """The typed layer of a module by its class; a quantized one inherits torch's."""
    return next(layers[kind] for kind in type(s.module).__mro__ if kind in layers)


def _table(s: Site) -> dict[str, Any]:
    """The arguments of activations by table."""
    return {"input": s.input, "input_shape": s.shape, "result": needed(s), **table_of(s)}


def table_of(s: Site) -> dict[str, Any]:
    """Type and size of a table, as far as the configuration tells."""
    found: dict[str, Any] = {}
    if (t := s.types.own("table")) is not None:
        found["table_type"] = t
    if (size := s.types.config.fact(s.name, "TableSize", None)) is not None:
        found["table_size"] = int(size)
    return found


@builder(nn.ELU)
def _elu(s: Site) -> Layers:
    return [lookup.ELU(s.module.alpha, param_type=s.types.need("param"), **_table(s))]


def _with_parameter(s: Site, kind: type[Any], value: Any) -> Layers:
    """An activation of one parameter, which has a type of its own."""
    t = s.types.need("param")
    return [kind(value, input=s.input, input_shape=s.shape, param_type=t, result=s.result)]


@builder(nn.LeakyReLU)
def _leaky_relu(s: Site) -> Layers:
    return _with_parameter(s, typed.LeakyReLU, s.module.negative_slope)


@builder(nn.PReLU)
def _prelu(s: Site) -> Layers:
    alpha = numbers(s.module.weight)
    if alpha.size > 1 and not s.turned and len(s.shape) > 1:  # torch's channels are the first axis
        alpha = alpha.reshape(-1, *[1] * (len(s.shape) - 1))
    if alpha.size not in (1, s.shape[-1] if s.turned or len(s.shape) == 1 else s.shape[0]):
        raise s.refused(f"has {alpha.size} slopes for {s.shape}; allowed: one, or one a channel")
    return _with_parameter(s, typed.PReLU, np.broadcast_to(alpha, s.shape))


@builder(nn.Threshold)
def _threshold(s: Site) -> Layers:
    if s.module.value != 0:
        raise s.refused(f"gives {s.module.value} below its threshold; allowed: 0")
    return _with_parameter(s, typed.ThresholdedReLU, s.module.threshold)


@builder(nn.Softmax)
def _softmax(s: Site) -> Layers:
    if s.module.dim not in (-1, 1) or len(s.shape) > 1:
        raise s.refused(f"is along axis {s.module.dim} of {len(s.shape)}; allowed: of one axis")
    implementation = str(s.types.config.fact(s.name, "Implementation", "stable")).lower()
    return [
        Softmax(
            input=s.input,
            input_shape=s.shape,
            implementation=implementation,
            result=needed(s),
            **softmax_types(s.types),
        )
    ]


def softmax_types(types: Precision) -> dict[str, Any]:
    """The types of a softmax's own parts, as far as the configuration tells."""
    found = ((argument, types.own(slot)) for slot, argument in _SOFTMAX.items())
    return {argument: t for argument, t in found if t is not None}


#: hls4ml's names of softmax's types, and ours.
_SOFTMAX = {
    "accum": "accum",
    "exp_table": "exp_table_type",
    "inv_table": "inv_table_type",
    "inv_inp": "inv_inp_type",
    "inp_norm": "inp_norm_type",
    "table": "table_type",
}


def needed(s: Site) -> Any:
    """The type of the result of a layer that has no better one than what it is told."""
    if s.result is None:
        raise s.refused("has no type for its result: quantize it, or configure one")
    return s.result
