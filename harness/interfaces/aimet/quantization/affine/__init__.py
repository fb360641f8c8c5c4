"""Affine quantization: quantizers, encodings and functions."""

from harness.interfaces.aimet.quantization.affine.backends import (
    dequantize,
    quantize,
    quantize_dequantize,
)
from harness.interfaces.aimet.quantization.affine.encoding import AffineEncoding
from harness.interfaces.aimet.quantization.affine.grouped import GroupedBlockQuantizeDequantize
from harness.interfaces.aimet.quantization.affine.quantizer import (
    AffineQuantizerBase,
    MinMaxQuantizer,
    Quantize,
    QuantizeDequantize,
)

__all__ = [
    "AffineEncoding",
    "AffineQuantizerBase",
    "GroupedBlockQuantizeDequantize",
    "MinMaxQuantizer",
    "Quantize",
    "QuantizeDequantize",
    "dequantize",
    "quantize",
    "quantize_dequantize",
]
