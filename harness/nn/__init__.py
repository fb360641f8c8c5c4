"""Quantized layers for PyTorch, on the exact quantizers."""

from harness.nn.base import QuantizedModule, compute_encodings, quantizers_of
from harness.nn.quantizers import (
    BinaryQuantizer,
    FixedQuantizer,
    FloatQuantizer,
    NotInitializedError,
    Quantizer,
    TernaryQuantizer,
)
from harness.nn.straight_through import fake_quantize

__all__ = [
    "BinaryQuantizer",
    "FixedQuantizer",
    "FloatQuantizer",
    "NotInitializedError",
    "QuantizedModule",
    "Quantizer",
    "TernaryQuantizer",
    "compute_encodings",
    "fake_quantize",
    "quantizers_of",
]
