"""torch: ``fake_quantize_per_tensor_affine`` by a power of two, and ``to`` one of its dtypes."""

from __future__ import annotations

from typing import Any

import torch

from harness.conformance.subject import floats, need
from harness.types import FORMATS, ApFixed, Overflow, Rounding

__all__ = ["quantize"]

E4M3FN = FORMATS["float8_e4m3fn"]
#: Releases differ in what is beyond its largest value: NaN in earlier ones, the largest in later.
SATURATES = bool(torch.tensor(1e9).to(torch.float8_e4m3fn).float() == float(E4M3FN.max_exact))
DTYPES = {
    t.with_modes(overflow="saturate") if t == E4M3FN and SATURATES else t: getattr(
        torch, name, None
    )
    for name, t in FORMATS.items()
}


def quantize(x: Any, t: Any) -> Any:
    """Values of ``x``."""
    if not isinstance(t, ApFixed):
        dtype = DTYPES.get(t)
        need(dtype is not None, "has its own dtypes, each with one rounding and one overflow")
        tensor = torch.from_numpy(floats(x, t).astype(x.dtype))
        return tensor.to(dtype).to(torch.float64).numpy()
    values = floats(x, t, "float32")
    need(t.rounding is Rounding.RND_CONV, "rounds halves to even")
    need(t.overflow in (Overflow.SAT, Overflow.SAT_SYM), "saturates")
    low, high = (t.min_code, t.max_code)
    if t.overflow is Overflow.SAT_SYM and t.signed:
        low = -high
    tensor = torch.from_numpy(values)
    return torch.fake_quantize_per_tensor_affine(tensor, float(t.lsb_exact), 0, low, high).numpy()
