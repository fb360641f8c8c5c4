"""What a layer means: its law in float64, without the types that its kernel computes in.

The weights are those of the typed layer.  Where no law is written here a layer is what it computes,
on inputs converted to its types: decisions, such as a binary tanh, and given tables.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness.hls.layers import activations, hard, lookup, merge, pooling
from harness.hls.layers.batchnorm import BatchNorm
from harness.hls.layers.cells import Cell
from harness.hls.layers.conv import Conv1D, Conv2D
from harness.hls.layers.dense import Dense
from harness.hls.layers.depthwise import DepthwiseConv1D, DepthwiseConv2D
from harness.hls.layers.einsum import Einsum, EinsumDense
from harness.hls.layers.embedding import Embedding
from harness.hls.layers.garnet import GarNet, GarNetStack
from harness.hls.layers.garnet_parts import PARTS
from harness.hls.layers.layer import TypedLayer, as_fixed
from harness.hls.layers.norm import LayerNorm
from harness.hls.layers.recurrent import GRU, LSTM, Bidirectional
from harness.hls.layers.separable import SeparableConv1D, SeparableConv2D
from harness.hls.layers.shape import Broadcast, Reshape, Transpose
from harness.hls.layers.softmax import Softmax
from harness.hls.layers.spatial import (
    Cropping1D,
    Cropping2D,
    Resize,
    ZeroPadding1D,
    ZeroPadding2D,
)
from harness.hls.layers.windows import Windows
from harness.hls.layers.wrappers import TimeDistributed
from harness.hls.model import Model

__all__ = ["ideal", "ideal_trace"]

Array = np.ndarray[Any, Any]
#: Numbers that windows show at a time.
GATHERED = 1 << 22


@functools.singledispatch
def ideal(layer: TypedLayer, *x: Array) -> Array:
    """The layer's output in float64, (rows, *output_shape).

    Args:
        layer: the layer.
        x: its inputs in float64, (rows, *input_shape) each.
    """
    inputs = (as_fixed(v, t, layer.name) for v, t in zip(x, layer.input_types, strict=True))
    return np.asarray(layer.run(*inputs).values())


def ideal_trace(model: Model, values: Mapping[str, Array]) -> dict[str, Array]:
    """Every value of a model by name, each layer in float64.

    Args:
        model: the model.
        values: the inputs; what else is given is taken, and not computed.
    """
    found = dict(values)
    for step in model.steps:
        if step.output not in found:
            found[step.output] = ideal(step.layer, *(found[name] for name in step.inputs))
    return found


def _enter(law: Callable[..., Array], *kinds: type[TypedLayer]) -> None:
    for kind in kinds:
        ideal.register(kind, law)


def _weights(layer: TypedLayer, name: str) -> Array:
    """A parameter's values."""
    return np.asarray(layer.fixed(name).values())


def _dense(layer: Dense, x: Array) -> Array:
    x, w = layer.product.meant(x, layer.fixed("weight"))
    return np.asarray(x @ w + _weights(layer, "bias"))


def _seen(windows: Windows, x: Array, pad: float = 0.0) -> Array:
    """What windows see of rows, (rows, windows, window, channels)."""
    pixels = x.reshape(len(x), -1, windows.channels)
    edge = np.full((len(x), 1, windows.channels), pad)
    return np.take(np.concatenate([pixels, edge], axis=1), windows.places, axis=1)


def _by_parts(windows: Windows, x: Array, law: Callable[[Array], Array], pad: float = 0.0) -> Array:
    """A law on what windows see, some rows at a time."""
    rows = max(GATHERED // (windows.places.size * windows.channels), 1)
    parts = [law(_seen(windows, x[k : k + rows], pad)) for k in range(0, max(len(x), 1), rows)]
    return np.concatenate(parts)


def _conv(layer: Conv1D | Conv2D, x: Array) -> Array:
    weight = layer.fixed("weight").reshape(-1, layer.output_shape[-1])

    def law(seen: Array) -> Array:
        seen, w = layer.product.meant(seen, weight)
        return np.asarray(seen.reshape(*seen.shape[:2], -1) @ w)

    out = _by_parts(layer.windows, x, law) + _weights(layer, "bias")
    return out.reshape(len(x), *layer.output_shape)


def _depthwise(layer: DepthwiseConv1D | DepthwiseConv2D, x: Array) -> Array:
    weight = layer.fixed("weight").reshape(-1, layer.windows.channels)

    def law(seen: Array) -> Array:
        seen, w = layer.product.meant(seen, weight)
        return np.asarray((seen * w).sum(2))

    out = _by_parts(layer.windows, x, law) + _weights(layer, "bias")
    return out.reshape(len(x), *layer.output_shape)


def _separable(layer: SeparableConv1D | SeparableConv2D, x: Array) -> Array:
    w = _weights(layer, "depthwise")[..., 0].reshape(-1, layer.windows.channels)
    point = _weights(layer, "pointwise").reshape(layer.windows.channels, -1)
    inner = _by_parts(layer.windows, x, lambda seen: (seen * w).sum(2))
    inner = inner + _weights(layer, "zero_bias")
    return (inner @ point + _weights(layer, "bias")).reshape(len(x), *layer.output_shape)


def _highest(layer: Any, x: Array) -> Array:
    out = _by_parts(layer.windows, x, lambda seen: seen.max(2), -np.inf)
    return out.reshape(len(x), *layer.output_shape)


def _average(layer: Any, x: Array) -> Array:
    windows = layer.windows
    count = windows.places.shape[1] if layer.count_pad else windows.counts[:, None]
    out = _by_parts(windows, x, lambda seen: seen.sum(2) / count)
    return out.reshape(len(x), *layer.output_shape)


def _batchnorm(layer: BatchNorm, x: Array) -> Array:
    x, scale = layer.product.meant(x, layer.fixed("scale"))
    bias = _weights(layer, "bias")
    flat = x.reshape(len(x), -1, scale.size)
    return (flat * scale.ravel() + bias.ravel()).reshape(x.shape)


def _layernorm(layer: LayerNorm, x: Array) -> Array:
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    y: Array = (x - mean) / np.sqrt(var + 10.0**-layer.epsilon_power_of_10)
    return y * _weights(layer, "scale") + _weights(layer, "bias")


def _softmax(layer: Softmax, x: Array) -> Array:
    axis = layer.axis + 1
    if layer.implementation == "argmax":
        places = np.arange(x.shape[axis]).reshape(-1, *[1] * (x.ndim - axis - 1))
        return np.asarray(places == x.argmax(axis, keepdims=True), float)
    away: Array = np.exp((x - x.max(axis, keepdims=True)) * layer.exp_scale)
    return np.asarray(away / away.sum(axis, keepdims=True))


def _dot(layer: merge.Dot, x: Array, y: Array) -> Array:
    x, y = layer.product.meant_of(x, y)
    return np.asarray((x * y).sum(-1, keepdims=True))


def _einsum(layer: Einsum, x: Array, y: Array) -> Array:
    x, y = layer.product.meant_of(x, y)
    return _contracted(layer.equation, x, y, "Z").reshape(len(x), *layer.output_shape)


def _einsum_dense(layer: EinsumDense, x: Array) -> Array:
    out = _contracted(layer.equation, *layer.product.meant(x, layer.fixed("weight")), "")
    return out.reshape(len(x), *layer.output_shape) + _weights(layer, "bias")


def _contracted(equation: str, x: Array, y: Array, rows: str) -> Array:
    """An einsum of every row of ``x``, and with ``rows`` of every row of ``y``."""
    terms, out = equation.replace(" ", "").split("->")
    first, second = terms.split(",")
    return np.asarray(np.einsum(f"Z{first},{rows}{second}->Z{out}", x, y))


def _sigmoid(x: Array) -> Array:
    return np.exp(-np.logaddexp(0, -x))


#: What the gates of a recurrent layer can be.
_GATES: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": _sigmoid,
    "tanh": lambda x: np.asarray(np.tanh(x)),
}


def _single(layer: LSTM | GRU, x: Array, *start: Array) -> Array:
    states = _states(layer.cells[""], _cell_weights(layer, ""), x, start)
    return states if layer.return_sequences else states[:, -1]


def _bidirectional(layer: Bidirectional, x: Array) -> Array:
    found = []
    for backwards, (prefix, cell) in enumerate(layer.cells.items()):
        turned = x[:, ::-1] if backwards else x
        states = _states(cell, _cell_weights(layer, prefix), turned, ())
        if not layer.return_sequences:
            found.append(states[:, -1])
        else:
            found.append(states[:, ::-1] if backwards else states)
    return np.concatenate(found, axis=-1)


def _cell_weights(layer: LSTM | GRU | Bidirectional, prefix: str) -> list[Array]:
    names = ("weight", "recurrent_weight", "bias", "recurrent_bias")
    found = [_weights(layer, prefix + name) for name in names]
    for k, product in enumerate(layer.cells[prefix].products):
        _, found[k] = product.meant(np.empty(0), layer.fixed(prefix + names[k]))
    return found


def _states(cell: Cell, weights: list[Array], x: Array, start: tuple[Array, ...]) -> Array:
    """The output states after every step, (rows, length, states)."""
    w, wr, b, br = weights
    if cell.products[0].name in ("data_binary", "both_binary"):
        x = 2 * x - 1
    n = cell.states
    act, gate = (_GATES[name] for name in cell.names)
    h, *rest = start or [np.zeros((len(x), n))] * (cell.gates - 2)
    outputs = []
    for k in range(x.shape[1]):
        given, again = x[:, k] @ w + b, h @ wr + br
        if cell.kind == "lstm":
            i, f, c, o = np.split(given + again, 4, axis=1)
            rest = [act(c) * gate(i) + rest[0] * gate(f)]
            h = gate(o) * act(rest[0])
        else:
            update, reset = np.split(gate(given[:, : 2 * n] + again[:, : 2 * n]), 2, axis=1)
            if cell.pytorch_order:
                update, reset = reset, update
            new = act(given[:, 2 * n :] + reset * again[:, 2 * n :])
            h = new * (1 - update) + h * update
        outputs.append(h)
    return np.stack(outputs, axis=1)


def _garnet(layer: GarNet, x: Array, count: Array) -> Array:
    seen = np.arange(layer.n_vertices) < count  # what stands behind the last vertex is none
    total = count[:, :1] if layer.mean_by_nvert else float(layer.n_vertices)
    for k in range(layer.count_layers):
        part = functools.partial(_weights, layer)
        w, b, away, start, bias = (part(layer.parameter_name(k, name)) for name in PARTS)
        edges = np.exp(-((x @ away.T + start) ** 2)) * seen[..., None]
        mean = edges.sum(1) / total
        features = np.einsum("zva,zvf->zaf", edges, x) / np.reshape(total, (-1, 1, 1))
        base = mean[:, None, :] * b + np.einsum("zaf,oaf->zoa", features, w)
        x = np.asarray(edges @ base.transpose(0, 2, 1) + bias)
    if not layer.collapse:
        return x
    return np.asarray((mean[:, None, :] * base).sum(-1) + bias * (seen.sum(1)[:, None] / total))


def _moved(layer: Any, x: Array) -> Array:
    flat = np.concatenate([x.reshape(len(x), -1), np.zeros((len(x), 1))], axis=1)
    return flat[:, layer.places].reshape(len(x), *layer.output_shape)


def _distributed(layer: TimeDistributed, x: Array) -> Array:
    steps = x.reshape(len(x) * layer.length, *layer.layer.input_shapes[0])
    return ideal(layer.layer, *[steps]).reshape(len(x), *layer.output_shape)


def _merged(law: Callable[[Array, Array], Array]) -> Callable[..., Array]:
    def merged(layer: TypedLayer, x: Array, y: Array) -> Array:
        places = np.arange(layer.sizes[-1])  # which the kernels meet by remainder
        flat = (v.reshape(len(v), -1) for v in (x, y))
        a, b = (v[:, places % v.shape[1]] for v in flat)
        return law(a, b).reshape(len(x), *layer.output_shape)

    return merged


def _line(layer: hard.HardSigmoid, x: Array) -> Array:
    return np.asarray(np.clip(_weights(layer, "slope") * x + _weights(layer, "shift"), 0, 1))


#: The scale and the slope of SELU, by its authors.
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772

_enter(_dense, Dense)
_enter(_conv, Conv1D, Conv2D)
_enter(_depthwise, DepthwiseConv1D, DepthwiseConv2D)
_enter(_separable, SeparableConv1D, SeparableConv2D)
_enter(
    _highest,
    pooling.MaxPooling1D,
    pooling.MaxPooling2D,
    pooling.GlobalMaxPooling1D,
    pooling.GlobalMaxPooling2D,
)
_enter(
    _average,
    pooling.AveragePooling1D,
    pooling.AveragePooling2D,
    pooling.GlobalAveragePooling1D,
    pooling.GlobalAveragePooling2D,
)
_enter(_batchnorm, BatchNorm)
_enter(_layernorm, LayerNorm)
_enter(_softmax, Softmax)
_enter(_einsum, Einsum)
_enter(_einsum_dense, EinsumDense)
_enter(_single, LSTM, GRU)
_enter(_bidirectional, Bidirectional)
_enter(_distributed, TimeDistributed)
_enter(_garnet, GarNet, GarNetStack)
_enter(_moved, ZeroPadding1D, ZeroPadding2D, Cropping1D, Cropping2D, Resize)
_enter(lambda layer, x: x.reshape(len(x), *layer.output_shape), Reshape)
_enter(lambda layer, x: np.broadcast_to(x, (len(x), *layer.output_shape)), Broadcast)
_enter(lambda layer, x: x.transpose(0, *(k + 1 for k in layer.perm)), Transpose)
_enter(lambda layer, x: _weights(layer, "embeddings")[np.rint(x).astype(int)], Embedding)
_enter(
    lambda layer, x, y: np.concatenate([x, y], axis=layer.axis + 1),
    merge.Concatenate,
)
_enter(_dot, merge.Dot)
_enter(_merged(np.add), merge.Add)
_enter(_merged(np.subtract), merge.Subtract)
_enter(_merged(np.multiply), merge.Multiply)
_enter(_merged(lambda x, y: (x + y) / 2), merge.Average)
_enter(_merged(np.maximum), merge.Maximum)
_enter(_merged(np.minimum), merge.Minimum)
_enter(lambda _, x: x, activations.Linear)
_enter(lambda _, x: np.maximum(x, 0), activations.ReLU)
_enter(lambda layer, x: np.clip(x, 0, layer.max_int), activations.ReLUMax)
_enter(
    lambda layer, x: np.where(x > 0, x, _weights(layer, "alpha") * x),
    activations.LeakyReLU,
    activations.PReLU,
)
_enter(lambda layer, x: np.where(x > _weights(layer, "theta"), x, 0), activations.ThresholdedReLU)
_enter(_line, hard.HardSigmoid)
_enter(lambda layer, x: 2 * _line(layer, x) - 1, hard.HardTanh)
_enter(lambda _, x: _sigmoid(x), lookup.Sigmoid)
_enter(lambda _, x: np.tanh(x), lookup.Tanh)
_enter(lambda _, x: np.logaddexp(0, x), lookup.Softplus)
_enter(lambda _, x: x / (1 + np.abs(x)), lookup.Softsign)
_enter(
    lambda layer, x: np.where(x >= 0, x, _weights(layer, "alpha") * np.expm1(np.minimum(x, 0))),
    lookup.ELU,
)
_enter(
    lambda _, x: SELU_SCALE * np.where(x >= 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0))),
    lookup.SELU,
)
