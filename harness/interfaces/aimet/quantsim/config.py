"""Configurations: which tensors of a model are quantized, by operation, as AIMET's files say it.

A file is JSON with ``defaults``, ``params``, ``op_type``, ``supergroups``, ``model_input`` and
``model_output``; flags are the texts ``"True"`` and ``"False"``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from harness.nn import functional

__all__ = ["Config", "op_type"]

_KEYS = ("defaults", "params", "op_type", "supergroups", "model_input", "model_output")
#: What carries no values of its own is not quantized again.
_AS_IT_IS = ("Cast", "Dropout", "Expand", "Squeeze", "Pad", "Mean", "Gather")
#: Chains whose inner results never leave the accumulator.
_CHAINS = (
    ("Conv", "Relu"),
    ("ConvTranspose", "Relu"),
    ("Conv", "Clip"),
    ("Add", "Relu"),
    ("Gemm", "Relu"),
)
_WHOLE = ("Gemm", "MatMul", "LayerNorm")

#: ONNX's names of operations, by the names of the modules.
_ONNX = {
    **dict.fromkeys(("Conv1d", "Conv2d", "Conv3d", "DynamicConv2d"), "Conv"),
    **dict.fromkeys(("ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"), "ConvTranspose"),
    **dict.fromkeys(("Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout"), "Dropout"),
    **dict.fromkeys(("BatchNorm1d", "BatchNorm2d", "BatchNorm3d"), "BatchNormalization"),
    **dict.fromkeys(
        ("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"), "InstanceNormalization"
    ),
    **dict.fromkeys(("MaxPool1d", "MaxPool2d", "MaxPool3d"), "MaxPool"),
    **dict.fromkeys(("AvgPool1d", "AvgPool2d", "AvgPool3d"), "AveragePool"),
    **dict.fromkeys(("ReLU6", "Hardtanh"), "Clip"),
    **dict.fromkeys(("CustomGather", "IndexSelect"), "Gather"),
    **dict.fromkeys(("Bmm", "MatMul"), "MatMul"),
    "AdaptiveAvgPool2d": "GlobalAveragePool",
    "Linear": "Gemm",
    "ReLU": "Relu",
    "PReLU": "PRelu",
    "Multiply": "Mul",
    "Subtract": "Sub",
    "Divide": "Div",
    "Permute": "Transpose",
    "LayerNorm": "LayerNorm",
}


def op_type(kind: type[nn.Module]) -> str:
    """ONNX's name of what modules of a class compute."""
    name = kind.__name__
    if issubclass(kind, nn.modules.padding._ConstantPadNd | functional.MODULES["Pad"]):
        return "Pad"
    return _ONNX.get(name, name)


def _packaged(per_channel: bool) -> dict[str, Any]:
    types: dict[str, Any] = {name: {"is_output_quantized": "False"} for name in _AS_IT_IS}
    if per_channel:
        types |= {name: {"per_channel_quantization": "False"} for name in _WHOLE}
    return {
        "defaults": {
            "ops": {"is_output_quantized": "True"},
            "params": {"is_quantized": "True", "is_symmetric": "True"},
            "per_channel_quantization": str(per_channel),
        },
        "params": {"bias": {"is_quantized": "False"}},
        "op_type": types,
        "supergroups": [{"op_list": list(chain)} for chain in _CHAINS],
        "model_input": {"is_input_quantized": "True"},
        "model_output": {},
    }


class Config:
    """A configuration, and the answers that it gives.

    Args:
        config: a path, a dictionary, or one of the names ``default`` and ``default_per_channel``.

    Raises:
        ValueError: for another document: what is wrong, and what is allowed.
    """

    def __init__(self, config: str | Path | Mapping[str, Any] | None = None) -> None:
        if config in (None, "default", "default_per_channel"):
            facts: Any = _packaged(config == "default_per_channel")
        elif isinstance(config, str | Path):
            facts = json.loads(Path(config).read_text(encoding="utf-8"))
        else:
            facts = config
        if not isinstance(facts, Mapping) or (wrong := sorted(set(facts) - set(_KEYS))):
            found = wrong if isinstance(facts, Mapping) else type(facts).__name__
            raise ValueError(f"a configuration has {', '.join(_KEYS)}, not {found}")
        self._facts = facts
        self.supergroups = [tuple(each["op_list"]) for each in facts.get("supergroups", [])]

    def _at(self, *path: str) -> Any:
        found: Any = self._facts
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    def _first(self, *paths: tuple[str, ...], default: bool = False) -> bool:
        """The first flag that is there; ``ValueError`` for one that is none."""
        for path in paths:
            value = self._at(*path)
            if value is not None:
                if str(value).lower() not in ("true", "false"):
                    raise ValueError(f"{'.'.join(path)} is 'True' or 'False', not {value!r}")
                return str(value).lower() == "true"
        return default

    def quantizes(self, kind: str, side: str) -> bool:
        """Whether the ``input`` or ``output`` of an operation is quantized."""
        key = f"is_{side}_quantized"
        return self._first(("op_type", kind, key), ("defaults", "ops", key))

    def symmetric(self, kind: str) -> bool:
        """Whether an operation's activations are symmetric."""
        key = "is_symmetric"
        return self._first(("op_type", kind, key), ("defaults", "ops", key))

    def quantizes_param(self, kind: str, name: str) -> bool:
        """Whether a parameter of an operation is quantized."""
        return self._of_param(kind, name, "is_quantized")

    def symmetric_param(self, kind: str, name: str) -> bool:
        """Whether a parameter is symmetric."""
        return self._of_param(kind, name, "is_symmetric")

    def _of_param(self, kind: str, name: str, key: str) -> bool:
        own = (("op_type", kind, "params", name, key), ("params", name, key))
        return self._first(*own, ("defaults", "params", key))

    def per_channel(self, kind: str) -> bool:
        """Whether an operation's parameters are quantized channel by channel."""
        key = "per_channel_quantization"
        return self._first(("op_type", kind, key), ("defaults", key))

    def quantizes_model(self, side: str) -> bool:
        """Whether the model's ``input`` or ``output`` is quantized."""
        return self._first((f"model_{side}", f"is_{side}_quantized"))

    def fixed_range(self, kind: str) -> tuple[float, float] | None:
        """The range that an operation's output has, whatever is observed."""
        ends = self._at("op_type", kind, "encoding_constraints")
        return None if ends is None else (float(ends["min"]), float(ends["max"]))
