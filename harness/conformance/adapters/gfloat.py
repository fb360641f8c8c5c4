"""gfloat: ``round_ndarray`` to a ``FormatInfo`` made of the type's facts."""

from __future__ import annotations

from typing import Any

from gfloat import Domain, FormatInfo, RoundMode, round_ndarray

from harness.conformance.subject import floats, need
from harness.types import ApFixed, BinaryFloat, IeeeFloat, MiniFloat, Overflow

__all__ = ["quantize"]

#: By the names of both of our families of modes.
MODES = {
    "NEAREST_EVEN": RoundMode.TiesToEven,
    "RND_CONV": RoundMode.TiesToEven,
    "NEAREST_AWAY": RoundMode.TiesToAway,
    "RND_INF": RoundMode.TiesToAway,
    "UP": RoundMode.TowardPositive,
    "DOWN": RoundMode.TowardNegative,
    "TRN": RoundMode.TowardNegative,
    "TOWARD_ZERO": RoundMode.TowardZero,
    "TRN_ZERO": RoundMode.TowardZero,
}


def _float(t: BinaryFloat) -> Any:
    high_nans = {"ieee": 2**t.frac_bits - 1, "fn": 1}
    return FormatInfo(
        t.cpp,
        t.width,
        t.precision,
        bias=t.bias,
        is_signed=True,
        domain=Domain.Extended if t.has_inf else Domain.Finite,
        has_nz=t.negative_zero,
        num_high_nans=high_nans.get(t.specials, 0),
        has_subnormals=True,
        is_twos_complement=False,
    )


def _fixed(t: ApFixed) -> Any:
    # As its ocp_int8; unsigned ones as its p3109_k8p8uf, but without NaN.
    return FormatInfo(
        t.cpp,
        t.width,
        t.width,
        bias=2 - t.integer,
        is_signed=t.signed,
        domain=Domain.Finite,
        has_nz=False,
        num_high_nans=0,
        has_subnormals=True,
        is_twos_complement=t.signed,
    )


def quantize(x: Any, t: Any) -> Any:
    """The values of ``x`` in ``t``."""
    need(isinstance(t, (ApFixed, IeeeFloat, MiniFloat)), "has no such type")
    need(t.rounding.name in MODES, f"has no rounding {t.rounding}")
    mode = MODES[t.rounding.name]
    if isinstance(t, ApFixed):
        need(t.overflow is Overflow.SAT, "without infinities or NaN it saturates")
        need(t.max_code, "has no format without a positive value")
        return round_ndarray(_fixed(t), floats(x, t), mode, sat=True)
    need(t.subnormals, "without subnormals its lowest exponent is one of normal numbers")
    return round_ndarray(_float(t), floats(x, t), mode, sat=t.overflow == "saturate")
