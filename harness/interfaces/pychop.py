"""The layers of pychop's interface: weights, bias and inputs in one ``(exp_bits, sig_bits)`` float.

``QuantizedLinear(10, 5, exp_bits=5, sig_bits=10, rmode=1)`` and its kin compute in the dtype of
their input on values of ``IeeeFloat(exp_bits, sig_bits)``.  ``rmode`` is the number or the name of
a rounding; 5 and 6 round by chance, from torch's seed.  Attention and recurrent layers take
``(batch, sequence, features)``, and round their states at every step.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from harness.nn import attention, norm, recurrent
from harness.nn.base import QuantizedModule
from harness.nn.quantizers import FloatQuantizer
from harness.types import IeeeFloat

__all__ = [
    "FloatPrecisionSimulator",
    "QuantizedBatchNorm2d",
    "QuantizedConv2d",
    "QuantizedGRU",
    "QuantizedLSTM",
    "QuantizedLinear",
    "QuantizedLinearNorm",
    "QuantizedMultiheadAttention",
    "QuantizedRNN",
]

Size = int | tuple[int, int]


class FloatPrecisionSimulator(FloatQuantizer):
    """A tensor in a float of ``exp_bits`` and ``sig_bits``, with a straight-through gradient.

    Args:
        exp_bits: exponent bits.
        sig_bits: significand bits without the hidden one.
        rmode: the rounding, by its number 1 to 9 or its name.

    Raises:
        ValueError: for sizes or roundings that do not exist.
    """

    def __init__(self, exp_bits: int, sig_bits: int, rmode: int | str = 1) -> None:
        t = IeeeFloat(exp_bits, sig_bits, rounding=rmode)
        rng = torch.Generator().manual_seed(torch.initial_seed() % 2**63)
        super().__init__(t, rng if t.rounding.stochastic else None)


def _in(module: Any, exp_bits: int, sig_bits: int, rmode: int | str, *states: str) -> None:
    """Give every input, every parameter and the named states of a module the same quantizer."""
    quantizer = FloatPrecisionSimulator(exp_bits, sig_bits, rmode)
    for each in module.modules():
        if isinstance(each, QuantizedModule):
            for k in range(len(each.input_quantizers)):
                each.input_quantizers[k] = quantizer
            for name in list(each.param_quantizers):
                each.param_quantizers[name] = quantizer
    for state in states:
        module.intermediate_quantizers[state] = quantizer


class QuantizedLinear(QuantizedModule, nn.Linear):
    """``Linear`` of quantized weight, bias and input."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        exp_bits: int,
        sig_bits: int,
        rmode: int | str = 1,
    ) -> None:
        super().__init__(in_features, out_features)
        _in(self, exp_bits, sig_bits, rmode)


class QuantizedConv2d(QuantizedModule, nn.Conv2d):
    """``Conv2d`` of quantized weight, bias and input."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        exp_bits: int,
        sig_bits: int,
        stride: Size = 1,
        padding: Size = 0,
        rmode: int | str = 1,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding)
        _in(self, exp_bits, sig_bits, rmode)


class QuantizedLinearNorm(norm.QuantizedLayerNorm):
    """``LayerNorm`` of quantized weight, bias and input."""

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...],
        exp_bits: int,
        sig_bits: int,
        eps: float = 1e-5,
        rmode: int | str = 1,
    ) -> None:
        super().__init__(normalized_shape, eps)
        _in(self, exp_bits, sig_bits, rmode)


class QuantizedBatchNorm2d(QuantizedModule, nn.BatchNorm2d):
    """``BatchNorm2d`` of quantized weight, bias and input."""

    def __init__(
        self,
        num_features: int,
        exp_bits: int,
        sig_bits: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        rmode: int | str = 1,
    ) -> None:
        super().__init__(num_features, eps, momentum)
        _in(self, exp_bits, sig_bits, rmode)


class QuantizedRNN(recurrent.QuantizedRNN):
    """``RNN`` of quantized weights, inputs and hidden states."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        exp_bits: int,
        sig_bits: int,
        num_layers: int = 1,
        bias: bool = True,
        nonlinearity: str = "tanh",
        rmode: int | str = 1,
    ) -> None:
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            nonlinearity=nonlinearity,
            bias=bias,
            batch_first=True,
        )
        _in(self, exp_bits, sig_bits, rmode, "hidden")


class _Gated:
    """What the constructors of the gated networks share; ``rounded`` names their states."""

    rounded: tuple[str, ...] = ("hidden",)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        exp_bits: int,
        sig_bits: int,
        num_layers: int = 1,
        bias: bool = True,
        rmode: int | str = 1,
    ) -> None:
        sizes: Any = (input_size, hidden_size, num_layers)
        super().__init__(*sizes, bias=bias, batch_first=True)  # type: ignore[call-arg]
        _in(self, exp_bits, sig_bits, rmode, *self.rounded)


class QuantizedLSTM(_Gated, recurrent.QuantizedLSTM):
    """``LSTM`` of quantized weights, inputs, hidden and cell states."""

    rounded = ("hidden", "cell")


class QuantizedGRU(_Gated, recurrent.QuantizedGRU):
    """``GRU`` of quantized weights, inputs and hidden states."""


class QuantizedMultiheadAttention(attention.QuantizedMultiheadAttention):
    """``MultiheadAttention`` of quantized projections, inputs and outputs."""

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        exp_bits: int,
        sig_bits: int,
        dropout: float = 0.0,
        rmode: int | str = 1,
    ) -> None:
        super().__init__(embed_dim, num_heads, dropout=dropout, batch_first=True)
        _in(self, exp_bits, sig_bits, rmode)
        quantizer = FloatPrecisionSimulator(exp_bits, sig_bits, rmode)
        self.output_quantizers[0] = quantizer
