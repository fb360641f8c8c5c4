"""Quantized modules: ``QuantizedLinear``, the mixin, operations as modules."""

from __future__ import annotations

from typing import Any

from harness.interfaces.aimet.nn import true_quant
from harness.interfaces.aimet.nn.base import (
    BaseQuantizationMixin,
    NotRegisteredError,
    QuantizationMixin,
    compute_encodings,
    compute_param_encodings,
)
from harness.interfaces.aimet.nn.modules import custom

__all__ = [
    "BaseQuantizationMixin",
    "FakeQuantizationMixin",
    "NotRegisteredError",
    "QuantizationMixin",
    "compute_encodings",
    "compute_param_encodings",
    "custom",
]

#: One mixin serves for both of AIMET's.
FakeQuantizationMixin = QuantizationMixin


def __getattr__(name: str) -> Any:
    if not name.startswith("__"):
        return getattr(true_quant, name)
    raise AttributeError(name)
