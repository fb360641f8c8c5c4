"""fxpmath: ``Fxp`` of an array, or of another ``Fxp``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from harness.conformance.subject import need
from harness.fixed import Fixed
from harness.types import ApFixed, Overflow, Rounding

__all__ = ["quantize"]

Fxp: Any = import_module("fxpmath").Fxp  # a name that its types do not export

ROUNDINGS = {
    Rounding.RND_CONV: "around",
    Rounding.TRN: "floor",
    Rounding.TRN_ZERO: "trunc",
    Rounding.RND: "nearest_posinf",
    Rounding.RND_MIN_INF: "nearest_neginf",
    Rounding.RND_ZERO: "nearest_zero",
    Rounding.RND_INF: "nearest_away",
}
OVERFLOWS = {Overflow.SAT: "saturate", Overflow.WRAP: "wrap"}


def quantize(x: Any, t: Any) -> Any:
    """Codes of ``x``."""
    need(isinstance(t, ApFixed), "has fixed point")
    need(t.overflow in OVERFLOWS and t.n == 0, "saturates or wraps, without N")
    modes = {"rounding": ROUNDINGS[t.rounding], "overflow": OVERFLOWS[t.overflow]}
    if isinstance(x, Fixed):
        x = Fxp(x.codes, x.type.signed, x.type.width, x.type.frac, raw=True)
    result = Fxp(x, t.signed, t.width, t.frac, **modes).val
    return np.asarray(result).astype(np.int64)
