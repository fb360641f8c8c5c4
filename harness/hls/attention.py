"""Multi-head attention: the layers that hls4ml makes of it, one after the other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.hls.layers.einsum import Einsum, EinsumDense
from harness.hls.layers.layer import Shape, ShapeError, TypedLayer, as_type
from harness.hls.layers.softmax import Softmax
from harness.hls.model import Model, Step
from harness.types import ApFixed

__all__ = ["MultiHeadAttention"]

#: The projections, and what their weights' axes are.
PROJECTIONS = {
    "query": "(features, heads, key_dim)",
    "key": "(features, heads, key_dim)",
    "value": "(features, heads, value_dim)",
    "attention_output": "(heads, value_dim, outputs)",
}
STEPS = ("query", "key", "value", "QK", "softmax", "aV", "attention_output")

Input = tuple[ApFixed | str, Shape]
Types = Mapping[str, Mapping[str, Any]]


class MultiHeadAttention(Model):
    """Projections; ``softmax(scale * Q K)`` of each head, times V; a projection of all heads.

    Seven typed layers, as hls4ml lowers HGQ's ``QMultiHeadAttention``: ``query``, ``key`` and
    ``value`` (:class:`EinsumDense`), ``QK`` (:class:`Einsum`, the keys first), ``softmax``, ``aV``
    and ``attention_output``.  The scale is no layer of its own: the exponentials' table has it, so
    the scores, and the type that holds them, are unscaled.  There are no masks, as in hls4ml.

    Args:
        weights: ``query`` and ``key``, (features, heads, key_dim); ``value``, (features, heads,
            value_dim); ``attention_output``, (heads, value_dim, outputs).
        biases: by the same names, what broadcasts to the projection; a missing one is zero.
        query: type and shape (queries, features) of the input that asks.
        value: type and shape (keys, features) of the input that answers; by default the query: self
            attention.
        key: type and shape of the input that is compared with the query; by default the value.
        types: for each layer by name the arguments that are its types: of projections
            ``weight_type``, ``bias_type``, ``accum`` and ``result``, of ``QK`` and ``aV`` ``accum``
            and ``result``, of ``softmax`` ``result`` and what else :class:`Softmax` takes.
        scale: of the scores; by default one over the square root of ``key_dim``.
        name: what the layers' names start with, as hls4ml has it: ``name_query``.

    Attributes:
        inputs: ``query_input`` and, if given, ``value_input`` and ``key_input``, in this order.

    Raises:
        ShapeError: for weights and inputs that do not fit each other.
        ValueError: for missing weights or types; names them.
    """

    def __init__(
        self,
        weights: Mapping[str, Any],
        biases: Mapping[str, Any] | None = None,
        *,
        query: Input,
        value: Input | None = None,
        key: Input | None = None,
        types: Types,
        scale: float | None = None,
        name: str = "",
    ) -> None:
        biases = biases or {}
        _check_names("weights", weights, PROJECTIONS, PROJECTIONS)
        _check_names("biases", biases, (), PROJECTIONS)
        _check_names("types", types, STEPS, STEPS)
        key_dim = _check_shapes({k: _shape(weights[k]) for k in PROJECTIONS})
        given = {"query": query, "value": value, "key": key}
        inputs = {
            f"{k}_input": (as_type(v[0], f"{k} input"), tuple(v[1]))
            for k, v in given.items()
            if v is not None
        }
        sources = {"query": "query_input"}
        sources["value"] = "value_input" if value else "query_input"
        sources["key"] = "key_input" if key else sources["value"]
        made: dict[str, TypedLayer] = {}

        def project(step: str, equation: str, t: ApFixed, shape: Shape) -> None:
            arguments = {"input": t, "input_shape": shape, **types[step]}
            made[step] = EinsumDense(equation, weights[step], biases.get(step), **arguments)

        def pair(step: str, equation: str, first: str, second: str) -> None:
            a, b = made[first], made[second]
            shapes: dict[str, Any] = {
                "input1_shape": a.output_shape,
                "input2_shape": b.output_shape,
            }
            made[step] = Einsum(equation, input1=a.result, input2=b.result, **shapes, **types[step])

        for step in ("query", "key", "value"):
            t, shape = inputs[sources[step]]
            if len(shape) != 2:
                raise ShapeError(f"MultiHeadAttention: {step} has shape {shape}, not two axes")
            project(step, "bc,cde->bde", t, shape)
        # hls4ml's equations, which are Keras's without the batch; they fix the order of the sums.
        pair("QK", "ecd,bcd->cbe", "key", "query")
        scores = made["QK"]
        made["softmax"] = Softmax(
            input=scores.result,
            input_shape=scores.output_shape,
            exp_scale=1 / math.sqrt(key_dim) if scale is None else scale,
            **types["softmax"],
        )
        pair("aV", "cbe,ecd->bcd", "softmax", "value")
        answer = made["aV"]
        project("attention_output", "bcd,cde->be", answer.result, answer.output_shape)
        for step, layer in made.items():
            layer.name = f"{name}_{step}" if name else step
        read = {
            **{step: (sources[step],) for step in ("query", "key", "value")},
            "QK": ("key", "query"),
            "softmax": ("QK",),
            "aV": ("softmax", "value"),
            "attention_output": ("aV",),
        }
        super().__init__(inputs, [Step(layer, read[k], k) for k, layer in made.items()])


def _shape(weight: Any) -> Shape:
    return tuple(np.shape(getattr(weight, "codes", weight)))


def _check_names(what: str, given: Mapping[str, Any], needed: Any, known: Any) -> None:
    for name in (*needed, *given):
        if name not in given or name not in known:
            problem = "lack" if name not in given else "have an unknown"
            raise ValueError(
                f"MultiHeadAttention: the {what} {problem} {name!r}; there are: {', '.join(known)}"
            )


def _check_shapes(shapes: Mapping[str, Shape]) -> int:
    """The size of a key."""
    for name, axes in PROJECTIONS.items():
        if len(shapes[name]) != 3:
            raise ShapeError(
                f"MultiHeadAttention: weights of {name} have shape {axes}, not {shapes[name]}"
            )
    heads = {shapes[k][1] for k in ("query", "key", "value")} | {shapes["attention_output"][0]}
    keys = {shapes[k][2] for k in ("query", "key")}
    values = {shapes["value"][2], shapes["attention_output"][1]}
    for what, found in (("heads", heads), ("key_dim", keys), ("value_dim", values)):
        if len(found) > 1:
            numbers = " and ".join(map(str, sorted(found)))
            raise ShapeError(f"MultiHeadAttention: weights differ in {what}: {numbers}")
    return keys.pop()
