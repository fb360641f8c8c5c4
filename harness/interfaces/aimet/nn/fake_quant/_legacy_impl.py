"""Quantized modules that compute with torch's functions, whatever kernel their class has."""

from __future__ import annotations

from typing import Any

from torch import nn

from harness.interfaces.aimet.nn.base import QuantizationMixin
from harness.interfaces.aimet.nn.true_quant import CLASSES

__all__ = ["FakeQuantizationMixin"]


class FakeQuantizationMixin(QuantizationMixin):
    """The mixin whose modules have no kernel."""

    @classmethod
    def from_module(cls, module: nn.Module) -> Any:
        """The quantized module of a module, on its very parameters, without a kernel."""
        made = super().from_module(module)
        made.set_kernel(None)
        return made


_FakeQuantizedUnaryOpMixin = FakeQuantizationMixin


def __getattr__(name: str) -> Any:
    if name in CLASSES:
        return CLASSES[name]
    raise AttributeError(f"aimet has no {name} here")
