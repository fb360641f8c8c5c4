"""Quantized layers for PyTorch, on the exact quantizers."""

from harness.extras import need

need("torch", "harness.nn", "torch")

from harness.nn import attention, norm, recurrent
from harness.nn.base import QuantizedModule, compute_encodings, quantizers_of
from harness.nn.quantizers import (
    BinaryQuantizer,
    FixedQuantizer,
    FloatQuantizer,
    NotInitializedError,
    Quantizer,
    TernaryQuantizer,
)
from harness.nn.registry import register
from harness.nn.straight_through import fake_quantize

# Those written by hand take the places of generated ones.
for _module in (attention, norm, recurrent):
    for _name in _module.__all__:
        _class = getattr(_module, _name)
        if _name.startswith("Quantized"):
            register(_class.parent(), _class)

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
