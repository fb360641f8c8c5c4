"""The layers of one operation: torch's, with a logger, and on a grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from harness.interfaces.fxpytorch.base import FxPModule, Pass, Transparent, WithParameters
from harness.interfaces.fxpytorch.configs import (
    Conv2DQConfig,
    DropoutQConfig,
    LayerNormQConfig,
    LinearQConfig,
    SigmoidQConfig,
    SoftmaxQConfig,
    TanhQConfig,
)
from harness.interfaces.fxpytorch.logger import ActivationLoggingScope, log

__all__ = [
    "Conv2DTransparent",
    "DropoutTransparent",
    "FxPConv2D",
    "FxPDropout",
    "FxPLayerNorm",
    "FxPLinear",
    "FxPSigmoid",
    "FxPSoftmax",
    "FxPTanh",
    "LayerNormTransparent",
    "LinearTransparent",
    "SigmoidTransparent",
    "SoftmaxTransparent",
    "TanhTransparent",
]


class LinearTransparent(Transparent, nn.Linear):
    """``Linear`` with a logger."""


class Conv2DTransparent(Transparent, nn.Conv2d):
    """``Conv2d`` with a logger."""


class LayerNormTransparent(Transparent, nn.LayerNorm):
    """``LayerNorm`` with a logger, which is told its statistics too; the result is torch's."""

    def forward(self, input: Tensor, logger: Any = None, **ignored: Any) -> Any:  # noqa: A002
        """The parent's forward."""
        if logger is not None:
            last = tuple(range(-len(self.normalized_shape), 0))
            mean = torch.mean(input, last, keepdim=True)
            variance = torch.var(input, last, unbiased=False, keepdim=True)
            normalized = (input - mean) / torch.sqrt(variance + self.eps)
            with ActivationLoggingScope(logger, self):
                log(logger, self, mean=mean, variance=variance, input_normalized=normalized)
        return super().forward(input, logger, **ignored)


class SoftmaxTransparent(Transparent, nn.Softmax):
    """``Softmax`` with a logger."""


class DropoutTransparent(Transparent, nn.Dropout):
    """``Dropout`` with a logger."""


class SigmoidTransparent(Transparent, nn.Sigmoid):
    """``Sigmoid`` with a logger."""


class TanhTransparent(Transparent, nn.Tanh):
    """``Tanh`` with a logger."""


def _affine(how: Pass, input: Tensor, compute: Callable[..., Tensor]) -> Tensor:  # noqa: A002
    """``compute(input, weight, bias)``, all of them in their types."""
    layer = how.layer
    x = how.activation("input", input)
    weight, bias = how.parameter("weight"), how.parameter("bias")
    before = compute(x, weight, bias)
    output = how.activation("activation", before)
    how.log(input=input, input_quant=x, weight=layer.weight, bias=layer.bias)
    how.log(weight_quant=weight, bias_quant=bias, activation=before, output=output)
    return output


class FxPLinear(WithParameters, LinearTransparent):
    """``Linear``: input, weight, bias and result each in a type."""

    config = LinearQConfig

    def on_grid(self, how: Pass, input: Tensor) -> Tensor:  # noqa: A002
        """``input`` of shape (*, in_features)."""
        return _affine(how, input, nn.functional.linear)


class FxPConv2D(WithParameters, Conv2DTransparent):
    """``Conv2d``: input, weight, bias and result each in a type; its padding modes too."""

    config = Conv2DQConfig

    def on_grid(self, how: Pass, input: Tensor) -> Tensor:  # noqa: A002
        """``input`` of shape (N, C, H, W)."""
        return _affine(how, input, self._conv_forward)


class FxPLayerNorm(WithParameters, LayerNormTransparent):  # type: ignore[misc]
    """``LayerNorm``: m = mean x, v = var x, n = (x - m) / √(v + ε), y = n w + b."""

    config = LayerNormQConfig

    def on_grid(self, how: Pass, input: Tensor) -> Tensor:  # noqa: A002
        """``input`` of shape (*, normalized_shape); the variance is of the input, not of x - m."""
        last = tuple(range(-len(self.normalized_shape), 0))
        x = how.activation("input", input)
        mean = torch.mean(x, last, keepdim=True)
        m = how.activation("mean_tensor", mean)
        variance = torch.var(x, last, unbiased=False, keepdim=True)
        v = how.activation("var_tensor", variance)
        normalized = (x - m) / torch.sqrt(v + self.eps)
        before = n = how.activation("input_normalized", normalized)
        for name in ("weight", "bias"):
            parameter = how.parameter(name)
            if parameter is not None:
                before = before * parameter if name == "weight" else before + parameter
                how.log(**{name: getattr(self, name), f"{name}_quant": parameter})
        output = how.activation("activation", before)
        how.log(input=input, input_quant=x, mean=mean, mean_quant=m)
        how.log(variance=variance, variance_quant=v)
        how.log(input_normalized=normalized, input_normalized_quant=n)
        how.log(output_pre_quant=before, output=output)
        return output


class FxPSoftmax(FxPModule, SoftmaxTransparent):
    """``Softmax`` of a quantized input, its result quantized."""

    config = SoftmaxQConfig


class FxPDropout(FxPModule, DropoutTransparent):
    """``Dropout``: quantized before and after."""

    config = DropoutQConfig


class FxPSigmoid(FxPModule, SigmoidTransparent):
    """``Sigmoid`` of a quantized input, its result quantized."""

    config = SigmoidQConfig


class FxPTanh(FxPModule, TanhTransparent):
    """``Tanh`` of a quantized input, its result quantized."""

    config = TanhQConfig
