"""pychop: ``Chopf`` of fixed point, ``Chop`` of floats, and ``P3109``."""

from __future__ import annotations

from typing import Any

from pychop import P3109, Chop, Chopf, P3109Format

from harness.conformance.subject import floats, need
from harness.fixed import Fixed
from harness.types import ApFixed, FloatRounding, IeeeFloat, Overflow, Rounding

__all__ = ["quantize"]

ROUNDINGS = {Rounding.RND_CONV: 1, Rounding.TRN: 3, Rounding.TRN_ZERO: 4}
#: ``Chop`` numbers its roundings as we do.
OF_P3109 = {
    FloatRounding.NEAREST_EVEN: "nearest_even",
    FloatRounding.NEAREST_AWAY: "nearest_away",
    FloatRounding.TOWARD_ZERO: "toward_zero",
    FloatRounding.UP: "toward_positive",
    FloatRounding.DOWN: "toward_negative",
    FloatRounding.ODD: "to_odd",
}


def _p3109(t: IeeeFloat) -> Any:
    # Its signed finite formats have the bias and the one NaN of fnuz.
    need(t.subnormals, "P3109 has subnormals")
    need(t.rounding in OF_P3109, f"P3109 has no rounding {t.rounding}")
    saturates = t.overflow == "saturate"
    need(saturates or t.rounding.name != "ODD", "P3109 does not say where to_odd overflows to")
    need(t.width <= 32 and t.exp_bits <= 10, "P3109 has at most 32 bits, 10 of them exponent")
    made = P3109Format(t.width, t.precision, domain="finite")
    return P3109(made, OF_P3109[t.rounding], saturates)


def quantize(x: Any, t: Any) -> Any:
    """The values of ``x`` in ``t``, computed in the dtype of ``x``."""
    need(not isinstance(x, Fixed), "takes floats, not codes of another type")
    values = floats(x, t, x.dtype.name)
    if isinstance(t, ApFixed):
        need(t.signed, "fixed point is signed")
        need(t.rounding in ROUNDINGS, f"Chopf has no rounding {t.rounding}")
        need(t.overflow is Overflow.SAT, "Chopf clamps")
        return Chopf(t.integer, t.frac, ROUNDINGS[t.rounding])(values)
    need(isinstance(t, IeeeFloat), "has no such type")
    need(not t.rounding.stochastic, "draws its own numbers")
    if t.specials == "fnuz":
        return _p3109(t)(values)
    need(t.specials == "ieee" and t.overflow == "inf", "Chop has infinities, and no saturation")
    return Chop(t.exp_bits, t.sig_bits, int(t.rounding), t.subnormals)(values)
