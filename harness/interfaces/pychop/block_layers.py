"""``Linear`` on blocks with a shared scale: ``MXLinear``, ``BFPLinear``, models made of them.

Weights and, unless told, inputs are rounded, outputs on request; the bias is not, as in pychop.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from torch import nn

from harness.interfaces.pychop.straight import BFPQuantizerSTE, MXQuantizerSTE
from harness.nn import QuantizedModule, Quantizer

__all__ = ["BFPLinear", "MXLinear", "convert_linear_to_bfp", "convert_linear_to_mx"]


class _BlockLinear(QuantizedModule, nn.Linear):
    def _round_by(
        self, of_weight: Quantizer, of_others: Quantizer, inputs: bool, outputs: bool
    ) -> None:
        self.param_quantizers["weight"] = of_weight
        self.input_quantizers[0] = of_others if inputs else None  # type: ignore[assignment]
        self.output_quantizers[0] = of_others if outputs else None  # type: ignore[assignment]


class MXLinear(_BlockLinear):
    """``Linear`` in microscaling formats.

    Args:
        in_features: as ``Linear``.
        out_features: likewise.
        bias: likewise.
        weight_format: the format of the weight, as ``MXTensor`` takes it.
        act_format: of inputs and outputs; the weight's, if there is none.
        block_size: of both.
        quantize_input: whether inputs are rounded.
        quantize_output: whether outputs are.
        kwargs: ``device`` and ``dtype``.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        weight_format: Any = "mxfp8_e4m3",
        act_format: Any = None,
        block_size: int = 32,
        quantize_input: bool = True,
        quantize_output: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(in_features, out_features, bias, **kwargs)
        self._round_by(
            MXQuantizerSTE(weight_format, block_size),
            MXQuantizerSTE(act_format or weight_format, block_size),
            quantize_input,
            quantize_output,
        )


class BFPLinear(_BlockLinear):
    """``Linear`` in block floating point; arguments as ``MXLinear``, formats as ``BFPTensor``."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        weight_format: Any = "bfp8",
        act_format: Any = None,
        quantize_input: bool = True,
        quantize_output: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(in_features, out_features, bias, **kwargs)
        self._round_by(
            BFPQuantizerSTE(weight_format),
            BFPQuantizerSTE(act_format or weight_format),
            quantize_input,
            quantize_output,
        )


def convert_linear_to_mx(
    module: nn.Module,
    format: Any = "mxfp8_e4m3",  # noqa: A002 - as pychop calls it
    block_size: int = 32,
    quantize_input: bool = True,
    quantize_output: bool = False,
    inplace: bool = True,
) -> nn.Module:
    """``module`` with every ``Linear`` below it an ``MXLinear`` of the very same parameters.

    With ``inplace=False`` it is a copy that is converted.
    """

    def convert(linear: nn.Module) -> nn.Module:
        made = MXLinear.from_module(linear)
        quantizer = MXQuantizerSTE(format, block_size)
        made._round_by(quantizer, quantizer, quantize_input, quantize_output)
        return made

    return _converted(module if inplace else copy.deepcopy(module), convert)


def convert_linear_to_bfp(
    module: nn.Module,
    format: Any = "bfp8",  # noqa: A002 - likewise
    quantize_input: bool = True,
    quantize_output: bool = False,
    inplace: bool = True,
) -> nn.Module:
    """... a ``BFPLinear``."""

    def convert(linear: nn.Module) -> nn.Module:
        made = BFPLinear.from_module(linear)
        quantizer = BFPQuantizerSTE(format)
        made._round_by(quantizer, quantizer, quantize_input, quantize_output)
        return made

    return _converted(module if inplace else copy.deepcopy(module), convert)


def _converted(module: nn.Module, convert: Callable[[nn.Module], nn.Module]) -> nn.Module:
    for name, child in module.named_children():
        if type(child) is nn.Linear:
            setattr(module, name, convert(child))
        else:
            _converted(child, convert)
    return module
