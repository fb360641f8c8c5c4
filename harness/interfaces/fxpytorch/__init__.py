"""The layers of FxPyTorch's interface: symmetric fixed point by configuration, a type per tensor.

A ``QType`` is an ``ap_fixed`` of ``total_bits``, ``fractional_bits`` of them behind the point;
without either it is a float, and quantizes nothing.  A layer's ``q_config`` has a type for each
tensor of the layer, under the released names, and is read at every forward.  Without ``q_config`` a
layer computes in floats.
"""

from harness.extras import need

need("torch", "harness.interfaces.fxpytorch", "torch")

from harness.interfaces.fxpytorch.attention import (
    FxPMultiheadAttention,
    MultiheadAttentionTransparent,
)
from harness.interfaces.fxpytorch.base import FxPModule, Transparent
from harness.interfaces.fxpytorch.calibration import (
    CalibrationType,
    ValueRange,
    get_high_precision_tensor_quant,
    get_integer_bits_for_value_range,
    get_min_mse_tensor_quant,
    get_no_overflow_tensor_quant,
    get_tensor_mse,
    set_calibrated_activation_quant,
    tensor_to_value_range,
)
from harness.interfaces.fxpytorch.configs import (
    Conv2DQConfig,
    DropoutQConfig,
    LayerNormQConfig,
    LinearQConfig,
    LSTMQConfig,
    MultiheadAttentionQConfig,
    QConfig,
    SigmoidQConfig,
    SoftmaxQConfig,
    TanhQConfig,
    TransformerEncoderLayerQConfig,
)
from harness.interfaces.fxpytorch.encoder import (
    FxPTransformerEncoderLayer,
    TransformerEncoderLayerTransparent,
)
from harness.interfaces.fxpytorch.layers import (
    Conv2DTransparent,
    DropoutTransparent,
    FxPConv2D,
    FxPDropout,
    FxPLayerNorm,
    FxPLinear,
    FxPSigmoid,
    FxPSoftmax,
    FxPTanh,
    LayerNormTransparent,
    LinearTransparent,
    SigmoidTransparent,
    SoftmaxTransparent,
    TanhTransparent,
)
from harness.interfaces.fxpytorch.logger import ActivationLogger, ActivationLoggingScope
from harness.interfaces.fxpytorch.lstm import FxPLSTM, LSTMTransparent
from harness.interfaces.fxpytorch.types import QMethod, QType, apply_quantize, quantize

__all__ = [
    "ActivationLogger",
    "ActivationLoggingScope",
    "CalibrationType",
    "Conv2DQConfig",
    "Conv2DTransparent",
    "DropoutQConfig",
    "DropoutTransparent",
    "FxPConv2D",
    "FxPDropout",
    "FxPLSTM",
    "FxPLayerNorm",
    "FxPLinear",
    "FxPModule",
    "FxPMultiheadAttention",
    "FxPSigmoid",
    "FxPSoftmax",
    "FxPTanh",
    "FxPTransformerEncoderLayer",
    "LSTMQConfig",
    "LSTMTransparent",
    "LayerNormQConfig",
    "LayerNormTransparent",
    "LinearQConfig",
    "LinearTransparent",
    "MultiheadAttentionQConfig",
    "MultiheadAttentionTransparent",
    "QConfig",
    "QMethod",
    "QType",
    "SigmoidQConfig",
    "SigmoidTransparent",
    "SoftmaxQConfig",
    "SoftmaxTransparent",
    "TanhQConfig",
    "TanhTransparent",
    "TransformerEncoderLayerQConfig",
    "TransformerEncoderLayerTransparent",
    "Transparent",
    "ValueRange",
    "apply_quantize",
    "get_high_precision_tensor_quant",
    "get_integer_bits_for_value_range",
    "get_min_mse_tensor_quant",
    "get_no_overflow_tensor_quant",
    "get_tensor_mse",
    "quantize",
    "set_calibrated_activation_quant",
    "tensor_to_value_range",
]
