"""FxPyTorch: ``quantize`` by a ``QType``."""

from __future__ import annotations

from typing import Any

import torch
from FxPyTorch.fxp.symmetric_quant import QMethod, QType
from FxPyTorch.fxp.symmetric_quant import quantize as fake_quantize

from harness.conformance.subject import floats, need
from harness.fixed import Fixed
from harness.types import ApFixed, Overflow, Rounding

__all__ = ["quantize"]

METHODS = {Rounding.RND_CONV: QMethod.ROUND_SATURATE, Rounding.TRN_ZERO: QMethod.TRUNC_SATURATE}


def quantize(x: Any, t: Any) -> Any:
    """The values of ``x`` in ``t``, computed in the dtype of ``x``."""
    need(isinstance(t, ApFixed) and t.signed, "has signed fixed point only")
    need(t.rounding in METHODS, f"has no rounding {t.rounding}")
    need(t.overflow is Overflow.SAT, "saturates")
    need(2 <= t.width <= 64, "has 2 to 64 bits")
    need(not isinstance(x, Fixed), "takes floats, not codes of another type")
    tensor = torch.from_numpy(floats(x, t, x.dtype.name))
    made = QType(total_bits=t.width, fractional_bits=t.frac, q_method=METHODS[t.rounding])
    return fake_quantize(tensor, made).numpy()
