"""pychop's interface, as released in 0.6: ``import harness.interfaces.pychop as pychop``.

Names that pychop has in its own modules are all here: ``from pychop.tch.layers import ChopSTE``
becomes ``from harness.interfaces.pychop import ChopSTE``.  Arrays of NumPy and tensors of torch are
taken, and what comes in comes out.  Importing this loads no torch; what is made of it does when it
is asked for.
"""

from __future__ import annotations

import importlib
from typing import Any

from harness.extras import need
from harness.interfaces.pychop import math_func
from harness.interfaces.pychop.backends import backend, get_backend
from harness.interfaces.pychop.blocks import (
    BFP_FORMATS,
    MX_FORMATS,
    BFPSpec,
    BFPTensor,
    MXSpec,
    MXTensor,
    bfp_quantize,
    create_bfp_spec,
    create_mx_spec,
    mx_quantize,
)
from harness.interfaces.pychop.builtin import CPArray, CPFloat
from harness.interfaces.pychop.fixed import Chopf
from harness.interfaces.pychop.integer import Chopi
from harness.interfaces.pychop.params import float_params
from harness.interfaces.pychop.precisions import Customs
from harness.interfaces.pychop.simulators import Chop, FaultChop

#: pychop's names inside of its backends, and those of earlier releases.
LightChop = LightChop_ = Chop
Chop_ = FaultChop
FPRound_ = Chopf
Chopi_ = Chopi
MXTensor_, BFPTensor_ = MXTensor, BFPTensor

#: Where the names are that need torch.
_STRAIGHT = """
    BFPQuantizerSTE ChopSTE ChopfSTE ChopiSTE FloatPrecisionSimulator LightChopSTE MXQuantizerSTE
"""
#: The layers; those for integers have an I before.
_LAYERS = """
    AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d Attention AvgPool AvgPool1d AvgPool2d
    AvgPool3d BatchNorm1d BatchNorm2d BatchNorm3d Conv1d Conv2d Conv3d ConvTranspose1d
    ConvTranspose2d ConvTranspose3d Dropout ELU Embedding GELU GRU GroupNorm InstanceNorm1d
    InstanceNorm2d InstanceNorm3d LSTM LayerNorm LeakyReLU Linear MaxPool1d MaxPool2d MaxPool3d
    MultiheadAttention PReLU RNN ReLU Sigmoid SiLU Softmax Tanh
"""
_POST = """
    dynamic_post_quantization mixed_post_quantization post_quantization static_post_quantization
"""
_BLOCK_LAYERS = "BFPLinear MXLinear convert_linear_to_bfp convert_linear_to_mx"
_LAYERS_OF_TORCH = [f"{i}Quantized{name}" for name in _LAYERS.split() for i in ("", "I")]
_HOMES = {
    **dict.fromkeys(_STRAIGHT.split(), "straight"),
    **dict.fromkeys([*_LAYERS_OF_TORCH, "QuantizedLinearNorm"], "layers"),
    **dict.fromkeys(math_func.OPERATIONS, "math_func"),
    **dict.fromkeys(_POST.split(), "post"),
    **dict.fromkeys(_BLOCK_LAYERS.split(), "block_layers"),
    "CPTensor": "builtin_torch",
}

__all__ = [
    "BFP_FORMATS",
    "MX_FORMATS",
    "BFPSpec",
    "BFPTensor",
    "BFPTensor_",
    "CPArray",
    "CPFloat",
    "Chop",
    "Chop_",
    "Chopf",
    "Chopi",
    "Chopi_",
    "Customs",
    "FPRound_",
    "FaultChop",
    "LightChop",
    "LightChop_",
    "MXSpec",
    "MXTensor",
    "MXTensor_",
    "backend",
    "bfp_quantize",
    "create_bfp_spec",
    "create_mx_spec",
    "float_params",
    "get_backend",
    "mx_quantize",
]
__all__ += [name for name, home in _HOMES.items() if home != "math_func"]


def __getattr__(name: str) -> Any:
    """What needs torch, and the functions of ``math_func``."""
    if name in _HOMES:
        if _HOMES[name] != "math_func":
            need("torch", f"harness.interfaces.pychop.{name}", "torch")
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
