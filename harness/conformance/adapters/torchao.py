"""torchao: ``quantize_affine`` by a power of two, and its casts to floats of 4 to 8 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torchao.float8.float8_utils import to_fp8_saturated
from torchao.prototype.custom_fp_utils import _f32_to_floatx_unpacked
from torchao.prototype.mx_formats import kernels
from torchao.quantization.quant_primitives import quantize_affine

from harness.conformance.subject import floats, need
from harness.types import ApFixed, IeeeFloat, Overflow, Rounding

__all__ = ["quantize"]

CASTS = {
    (2, 1): kernels.f32_to_f4_unpacked,
    (2, 3): kernels.f32_to_f6_e2m3_unpacked,
    (3, 2): kernels.f32_to_f6_e3m2_unpacked,
}
FLOAT8 = {
    (5, 2, "ieee"): torch.float8_e5m2,
    (5, 2, "fnuz"): torch.float8_e5m2fnuz,
    (4, 3, "fn"): torch.float8_e4m3fn,
    (4, 3, "fnuz"): torch.float8_e4m3fnuz,
}


def _float(x: Any, t: IeeeFloat) -> Any:
    need(t.subnormals and t.rounding.name == "NEAREST_EVEN", "rounds to nearest, ties to even")
    need(t.overflow == "saturate", "saturates")
    tensor = torch.from_numpy(floats(x, t, "float32"))
    if dtype := FLOAT8.get((t.exp_bits, t.sig_bits, t.specials)):
        return to_fp8_saturated(tensor, dtype).float().numpy()
    need(t.specials == "none" and t.width < 8, "has four float8, and below no infinities nor NaN")
    cast = CASTS.get((t.exp_bits, t.sig_bits))
    codes = cast(tensor) if cast else _f32_to_floatx_unpacked(tensor, t.exp_bits, t.sig_bits)
    return codes.numpy().astype(np.int64)


def _dtype(t: ApFixed) -> Any:
    if t.signed and t.width <= 32:
        return next(d for d in (8, 16, 32) if d >= t.width)
    need(not t.signed and t.width <= 8, "has integers of 32 bits, and unsigned ones of 8")
    return "u8"


def quantize(x: Any, t: Any) -> Any:
    """The codes of ``x`` in ``t``."""
    if isinstance(t, IeeeFloat):
        return _float(x, t)
    need(isinstance(t, ApFixed), "has no such type")
    need(t.rounding is Rounding.RND_CONV, "rounds as torch.round")
    need(t.overflow in (Overflow.SAT, Overflow.SAT_SYM), "clamps")
    need(t.max_code or t.overflow is Overflow.SAT, "a symmetric range has more than one bit")
    low = -t.max_code if t.overflow is Overflow.SAT_SYM and t.signed else t.min_code
    tensor = torch.from_numpy(floats(x, t, "float32"))
    scale, zero = torch.tensor([float(t.lsb_exact)]), torch.tensor([0])
    dtype = {8: torch.int8, 16: torch.int16, 32: torch.int32, "u8": torch.uint8}[_dtype(t)]
    codes = quantize_affine(tensor, tuple(tensor.shape), scale, zero, dtype, low, t.max_code)
    return codes.numpy().astype(np.int64)
