"""QONNX's reference executions: ``int_quant`` by a power of two, and ``float_quant``."""

from __future__ import annotations

from typing import Any

import numpy as np
from qonnx.custom_op.general.floatquant import float_quant
from qonnx.custom_op.general.intquant import int_quant

from harness.conformance.subject import floats, need
from harness.types import ApFixed, BinaryFloat, FloatOverflow, FloatRounding, Overflow, Rounding

__all__ = ["quantize"]

#: Their names: ROUND is to even, DOWN toward zero, HALF_UP and HALF_DOWN are of magnitudes.
ROUNDINGS = {
    Rounding.RND_CONV: "ROUND",
    Rounding.TRN: "FLOOR",
    Rounding.TRN_ZERO: "DOWN",
    Rounding.RND_INF: "HALF_UP",
    Rounding.RND_ZERO: "HALF_DOWN",
}
FLOAT_ROUNDINGS = {
    FloatRounding.NEAREST_EVEN: "ROUND",
    FloatRounding.UP: "CEIL",
    FloatRounding.DOWN: "FLOOR",
}


def quantize(x: Any, t: Any) -> Any:
    """Values of ``x``, in the dtype of ``x``."""
    values = floats(x, t, str(getattr(x, "dtype", "float64")))
    if isinstance(t, BinaryFloat):
        return _float(values, t)
    need(isinstance(t, ApFixed), "has integers by a scale, and floats")
    need(t.rounding in ROUNDINGS, "rounds to even, down, to zero, and halves up or down")
    need(t.overflow in (Overflow.SAT, Overflow.SAT_SYM), "saturates")
    need(t.width > 1 or not t.signed, "has its own meaning of one signed bit")
    scale, zero = np.array(float(t.lsb_exact)), np.array(0.0)
    narrow = t.overflow is Overflow.SAT_SYM
    need(t.signed or not narrow, "narrows an unsigned range, too")
    return int_quant(
        values, scale, zero, np.array(float(t.width)), t.signed, narrow, ROUNDINGS[t.rounding]
    )


def _float(values: Any, t: BinaryFloat) -> Any:
    need(t.rounding in FLOAT_ROUNDINGS, "rounds to even, up and down")
    need(t.subnormals, "has subnormals")
    need(t.specials in ("fn", "none"), "gives infinities and NaN no codes of their own")
    saturates = t.overflow is FloatOverflow.SATURATE or t.specials == "none"
    directed = t.rounding is not FloatRounding.NEAREST_EVEN
    need(saturates or not directed, "has no overflow that depends on the rounding")
    return float_quant(
        values.copy(),
        np.array(1.0),
        float(t.exp_bits),
        float(t.frac_bits),
        float(t.bias),
        max_val=float(t.max_exact),
        has_nan=t.specials == "fn",
        has_subnormal=True,
        rounding_mode=FLOAT_ROUNDINGS[t.rounding],
        saturation=saturates,
    )
