"""torch's multi-head attention as the seven typed layers that hls4ml makes of one."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

from harness.hls.attention import MultiHeadAttention
from harness.hls.convert.activations import softmax_types
from harness.hls.convert.precision import Precision
from harness.hls.convert.registry import Site, builder, numbers
from harness.hls.model import Model

__all__: list[str] = []


@builder(nn.MultiheadAttention)
def _attention(s: Site) -> Model:
    m = s.module
    for name, only in (("batch_first", True), ("bias_k", None), ("add_zero_attn", False)):
        if getattr(m, name) is not only:
            raise s.refused(f"has {name}={getattr(m, name)}; allowed: {only}")
    if any(len(shape) != 2 for shape in s.shapes):
        raise s.refused(f"reads {s.shapes}; allowed: (steps, features)")
    query, key, value = zip(s.inputs, s.shapes, strict=True)
    weights, biases = _projections(m)
    steps = {k: Precision(f"{s.name}_{k}", None, s.types.config) for k in _STEPS}
    types: dict[str, dict[str, Any]] = {
        k: {"accum": t.need("accum"), "result": t.need("result")}
        for k, t in steps.items()
        if k != "softmax"
    }
    for k in weights:
        types[k] |= {f"{slot}_type": steps[k].need(slot) for slot in ("weight", "bias")}
    if s.result is not None:
        types["attention_output"]["result"] = s.result
    types["softmax"] = {"result": steps["softmax"].need("result")} | softmax_types(steps["softmax"])
    return MultiHeadAttention(
        weights, biases, query=query, value=value, key=key, types=types, name=s.name
    )


_STEPS = ("query", "key", "value", "QK", "softmax", "aV", "attention_output")


def _projections(m: nn.MultiheadAttention) -> tuple[dict[str, Any], dict[str, Any]]:
    """Weights and biases of the projections, head by head."""
    if m.in_proj_weight is not None:
        inward = np.split(numbers(m.in_proj_weight), 3)
    else:
        inward = [numbers(w) for w in (m.q_proj_weight, m.k_proj_weight, m.v_proj_weight)]
    heads = m.num_heads
    weights = {
        name: w.T.reshape(w.shape[1], heads, -1)
        for name, w in zip(("query", "key", "value"), inward, strict=True)
    }
    outward = numbers(m.out_proj.weight)
    weights["attention_output"] = outward.T.reshape(heads, -1, outward.shape[0])
    if m.in_proj_bias is None:
        return weights, {}
    biases = dict(zip(weights, np.split(numbers(m.in_proj_bias), 3), strict=False))
    biases = {name: b.reshape(heads, -1) for name, b in biases.items()}
    return weights, {**biases, "attention_output": numbers(m.out_proj.bias)}
