"""Operations as modules, and their quantized classes: ``Add``, ``QuantizedAdd``, and so on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from harness.interfaces.aimet.nn.base import QuantizationMixin
from harness.interfaces.aimet.nn.true_quant import CLASSES
from harness.nn.functional import MODULES

__all__ = ["RmsNorm"]


class RmsNorm(nn.Module):
    """``x / sqrt(mean(x**2) + epsilon) * weight``, the mean over some axes.

    Args:
        input_shape: of what comes.
        axes: over which the mean is.
        epsilon: added to it.
    """

    def __init__(self, input_shape: Sequence[int], axes: Sequence[int], epsilon: float) -> None:
        super().__init__()
        self.axes, self.epsilon = tuple(axes), epsilon
        self.weight = nn.Parameter(torch.ones([input_shape[axis] for axis in self.axes]))

    def forward(self, x: Tensor) -> Tensor:
        """Normalized, in the shape of ``x``."""
        mean = (x * x).mean(self.axes, keepdim=True)
        return x * torch.rsqrt(mean + self.epsilon) * self.weight


QuantizedRmsNorm = QuantizationMixin.wrap(RmsNorm)


def __getattr__(name: str) -> Any:
    if name in MODULES:
        return MODULES[name]
    plain = name.removeprefix("Fake").removeprefix("Quantized")
    if plain != name and plain in MODULES:
        return QuantizationMixin.cls_to_qcls[MODULES[plain]]
    if name in CLASSES:
        return CLASSES[name]
    raise AttributeError(f"aimet has no {name} here")
