"""What hls4ml needs to write the project of a typed model: types, and weights that survive text."""

from __future__ import annotations

import copy
from typing import Any

from torch import nn

from harness.hls.convert.graph import calls_of
from harness.hls.layers.batchnorm import BatchNorm
from harness.hls.layers.layer import TypedLayer
from harness.hls.model import Model
from harness.names import instead
from harness.nn.model import convert
from harness.quantize import quantize
from harness.types import ApFixed

__all__ = ["hls4ml_config", "types_by_slot", "with_typed_weights"]


#: hls4ml's names of parameters' types, where they are others.
_SLOTS = {"alpha": "param", "theta": "param"}


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
    *sizes, last = next(iter(model.inputs.values()))[1]
    return {
        "InputShape": (last, *sizes),  # torch counts channels first
        "Model": {
            "Precision": {"default": types[0].hls4ml},
            "Strategy": "Latency",
            "ReuseFactor": 1,
            # Without it hls4ml leaves the weights in torch's order, and says nothing.
            "ChannelsLastConversion": "internal",
            "TransposeOutputs": False,
        },
        "LayerName": layers,
    }


def with_typed_weights(model: nn.Module, typed: Model) -> nn.Module:
    """A copy of a torch model whose weights and biases are the values that they have in ``typed``.

    hls4ml writes weights as decimals with as many places as their type has fractional bits, and
    C++ converts these: a weight that is no value of its type may become another one on the way.

    Args:
        model: the model that :func:`from_torch` was given, quantized or not; it stays as it is.
        typed: what it became.

    Returns:
        Plain torch modules, without quantizers.

    Raises:
        ValueError: if ``typed`` is of another model: for a layer that only one of both has.
    """
    plain = convert(copy.deepcopy(model)).eval()
    calls = calls_of(plain)[1]
    names = [call.name for call in calls]
    for step in typed.steps:
        if step.layer.parameter_types and step.layer.name not in names:
            raise ValueError(f"the torch model has no {step.layer.name} with weights")
    for call in calls:
        layer = typed.layer(call.name)
        if layer is None and any(True for _ in getattr(call.what, "parameters", tuple)()):
            known = [step.layer.name for step in typed.steps]
            raise ValueError(
                f"{call.name} is no layer of the typed model, which has {instead(call.name, known)}"
            )
        for name, t in ({} if layer is None else layer.parameter_types).items():
            values = getattr(call.what, name, None)
            if isinstance(values, nn.Parameter) and not isinstance(layer, BatchNorm):
                values.data = quantize(values.data.double(), t).to(values.dtype)
    return plain


def types_by_slot(layer: TypedLayer) -> dict[str, ApFixed]:
    """The types of a layer by hls4ml's names of them."""
    held = {name: t for name, t in vars(layer).items() if isinstance(t, ApFixed)}
    found = {name.removesuffix("_type"): t for name, t in held.items()}
    return found | {_SLOTS.get(name, name): t for name, t in layer.parameter_types.items()}


def _entry(layer: TypedLayer) -> dict[str, Any]:
    """What hls4ml is to know of a layer."""
    entry: dict[str, Any] = {"Precision": {k: t.hls4ml for k, t in types_by_slot(layer).items()}}
    if isinstance(strategy := getattr(layer, "strategy", None), str):
        entry |= {"Strategy": strategy.capitalize(), "ReuseFactor": layer.reuse_factor}
    if isinstance(size := getattr(layer, "table_size", None), int):
        entry["TableSize"] = size
    return entry
