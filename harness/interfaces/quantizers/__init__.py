"""The interface of calad0i's ``quantizers``, on the exact cores: change the import line alone.

Values are those of the vendor's headers, for NumPy arrays, torch tensors and jax arrays; the
``_np`` names give NumPy whatever they are given.  Positional arguments are in the order of the
released package, 1.2; the names of its README are taken by keyword.  What requires a gradient gets
one, by the released rules (:mod:`harness.interfaces.quantizers.surrogates`).
"""

from harness.interfaces.quantizers.stateful import BinaryQ, FixedQ, MinifloatQ, TernaryQ
from harness.interfaces.quantizers.stateless import (
    FixedPointQuantizer,
    binary_quantize,
    binary_quantize_np,
    float_decompose,
    float_decompose_np,
    float_quantize,
    float_quantize_np,
    get_fixed_quantizer,
    get_fixed_quantizer_np,
    ternary_quantize,
    ternary_quantize_np,
)

__all__ = [
    "BinaryQ",
    "FixedPointQuantizer",
    "FixedQ",
    "MinifloatQ",
    "TernaryQ",
    "binary_quantize",
    "binary_quantize_np",
    "float_decompose",
    "float_decompose_np",
    "float_quantize",
    "float_quantize_np",
    "get_fixed_quantizer",
    "get_fixed_quantizer_np",
    "ternary_quantize",
    "ternary_quantize_np",
]
