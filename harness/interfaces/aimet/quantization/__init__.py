"""Quantizers, encodings, analyzers, and tensors that know their encoding."""

from harness.interfaces.aimet.quantization import affine, base, encoding_analyzer, float, tensor
from harness.interfaces.aimet.quantization.tensor import (
    DequantizedTensor,
    EncodingError,
    QuantizedTensor,
    QuantizedTensorBase,
)

__all__ = [
    "DequantizedTensor",
    "EncodingError",
    "QuantizedTensor",
    "QuantizedTensorBase",
    "affine",
    "base",
    "encoding_analyzer",
    "float",
    "tensor",
]
