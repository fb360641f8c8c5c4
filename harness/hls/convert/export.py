"""The hls4ml configuration that gives a project the types of a typed model."""

from __future__ import annotations

from typing import Any

from harness.hls.layer import TypedLayer
from harness.hls.model import Model
from harness.types import ApFixed

__all__ = ["hls4ml_config"]


def hls4ml_config(model: Model) -> dict[str, Any]:
    """A configuration for ``hls4ml.converters``, every type written out.

    Layers have the names of the typed model, which for one of :func:`from_torch` are those that
    hls4ml gives them.
    """
    types = [t for t, _ in model.inputs.values()]
    layers: dict[str, Any] = {
        name: {"Precision": {"result": t.hls4ml}} for name, (t, _) in model.inputs.items()
    }
    for step in model.steps:
        if step.layer.kernel() is not None:
            layers[step.layer.name] = _entry(step.layer)
    return {
        "Model": {
            "Precision": {"default": types[0].hls4ml},
            "Strategy": "Latency",
            "ReuseFactor": 1,
        },
        "LayerName": layers,
    }


def _entry(layer: TypedLayer) -> dict[str, Any]:
    """What hls4ml is to know of a layer."""
    held = {name: t for name, t in vars(layer).items() if isinstance(t, ApFixed)}
    precision = {n.removesuffix("_type"): t.hls4ml for n, t in held.items()}
    precision |= {name: t.hls4ml for name, t in layer.parameter_types.items()}
    entry: dict[str, Any] = {"Precision": precision}
    if isinstance(strategy := getattr(layer, "strategy", None), str):
        entry |= {"Strategy": strategy.capitalize(), "ReuseFactor": layer.reuse_factor}
    if isinstance(size := getattr(layer, "table_size", None), int):
        entry["TableSize"] = size
    return entry
