"""AIMET: ``affine.quantize_dequantize`` by a power of two, and ``FloatQuantizeDequantize``."""

from __future__ import annotations

from typing import Any

import torch
from aimet_torch.quantization import affine
from aimet_torch.quantization.float import FloatQuantizeDequantize

from harness.conformance.subject import floats, need
from harness.fixed import Fixed
from harness.types import ApFixed, IeeeFloat, Overflow, Rounding

__all__ = ["quantize"]

#: Those that it says it casts as ``x.to(dtype)`` does, which does not saturate.
DTYPES = {
    (8, 7, "ieee"): torch.bfloat16,
    (5, 10, "ieee"): torch.float16,
    (5, 2, "ieee"): torch.float8_e5m2,
    (5, 2, "fnuz"): torch.float8_e5m2fnuz,
    (4, 3, "fn"): torch.float8_e4m3fn,
    (4, 3, "fnuz"): torch.float8_e4m3fnuz,
}


def _fixed(x: Any, t: ApFixed) -> Any:
    need(t.rounding is Rounding.RND_CONV, "rounds to nearest, as torch.round")
    need(t.overflow in (Overflow.SAT, Overflow.SAT_SYM), "clamps")
    need(t.max_code or t.overflow is Overflow.SAT, "a symmetric range has more than one bit")
    low = -t.max_code if t.overflow is Overflow.SAT_SYM and t.signed else t.min_code
    scale, offset = (torch.tensor(v, dtype=x.dtype) for v in (float(t.lsb_exact), 0.0))
    return affine.quantize_dequantize(x, scale, offset, qmin=low, qmax=t.max_code)


def _float(x: Any, t: IeeeFloat) -> Any:
    need(t.subnormals and t.rounding.name == "NEAREST_EVEN", "rounds to nearest, ties to even")
    if t.overflow == "inf":
        dtype = DTYPES.get((t.exp_bits, t.sig_bits, t.specials))
        need(dtype, "formats made of their bits clamp")
        return FloatQuantizeDequantize(dtype=dtype)(x)
    finite = (t.exp_bits, t.sig_bits, t.specials) == (2, 1, "none")
    need(finite or t.specials == "ieee", "has no more formats without infinities, but by dtype")
    return FloatQuantizeDequantize(t.exp_bits, t.sig_bits, finite=finite)(x)


def quantize(x: Any, t: Any) -> Any:
    """The values of ``x`` in ``t``, computed in the dtype of ``x``."""
    need(not isinstance(x, Fixed), "takes floats, not codes of another type")
    need(isinstance(t, (ApFixed, IeeeFloat)), "has no such type")
    tensor = torch.from_numpy(floats(x, t, x.dtype.name))
    return (_fixed if isinstance(t, ApFixed) else _float)(tensor, t).detach().numpy()
