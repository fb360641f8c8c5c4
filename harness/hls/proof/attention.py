"""The layers of attentions to draw."""

from __future__ import annotations

from typing import Any

from harness.hls.attention import MultiHeadAttention
from harness.hls.layers.layer import TypedLayer
from harness.hls.proof.draw import Draw, family
from harness.types import ApFixed

__all__: list[str] = []


@family("multi-head attention, one of its layers")
def _layer(draw: Draw) -> TypedLayer:
    return draw.choice(_attention(draw).steps).layer


def _attention(draw: Draw) -> MultiHeadAttention:
    features, heads, key_dim, value_dim, outputs = (draw.integer(1, 4) for _ in range(5))
    shapes = {
        "query": (features, heads, key_dim),
        "key": (features, heads, key_dim),
        "value": (features, heads, value_dim),
        "attention_output": (heads, value_dim, outputs),
    }
    types: dict[str, dict[str, Any]] = {}
    for name in (*shapes, "QK", "aV"):
        types[name] = {"accum": draw.accumulator(), "result": _type(draw)}
    for name in shapes:
        types[name].update(weight_type=_type(draw), bias_type=_type(draw))
    types["softmax"] = {
        "result": _type(draw),
        "implementation": draw.choice(["latency", "stable", "stable"]),
    }
    keys = draw.integer(1, 5)
    others: dict[str, Any] = {
        name: (_type(draw), (keys, features))
        for name in draw.choice([(), ("value",), ("value", "key")])
    }
    return MultiHeadAttention(
        {name: draw.codes(types[name]["weight_type"], shape) for name, shape in shapes.items()},
        {
            name: draw.codes(types[name]["bias_type"], shape[-1:])
            for name, shape in shapes.items()
            if draw.integer(0, 2)
        },
        query=(_type(draw), (draw.integer(1, 4), features)),
        types=types,
        **others,
    )


def _type(draw: Draw) -> ApFixed:
    return draw.type(6, 18, integer=(1, 6), plain=draw.integer(0, 1) == 0)
