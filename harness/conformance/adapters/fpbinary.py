"""fpbinary: ``FpBinary(...)`` and its ``resize``, value by value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from fpbinary import FpBinary, OverflowEnum, RoundingEnum

from harness.conformance.subject import need
from harness.fixed import Fixed
from harness.types import ApFixed, Overflow, Rounding

__all__ = ["quantize"]

ROUNDINGS = {
    Rounding.RND: RoundingEnum.near_pos_inf,
    Rounding.RND_ZERO: RoundingEnum.near_zero,
    Rounding.RND_CONV: RoundingEnum.near_even,
    Rounding.TRN: RoundingEnum.direct_neg_inf,
    Rounding.TRN_ZERO: RoundingEnum.direct_zero,
}
OVERFLOWS = {Overflow.SAT: OverflowEnum.sat, Overflow.WRAP: OverflowEnum.wrap}


def _exact(value: float, t: ApFixed) -> Any:
    # All 53 bits have room, and one more, without which the constructor rounds some that have.
    integer = math.frexp(value)[1] + t.signed
    frac = 54 + t.signed - integer
    # As wide as the target, but where that cannot be: past 64 bits resize raises SystemError for
    # negative numbers of bits, and the constructor ends the process if value * 2**frac overflows.
    if t.integer >= 0 and t.frac >= 0 and math.isfinite(value):
        integer = max(integer, t.integer)
        frac = max(frac, t.frac) if integer + t.frac < 1000 else frac
    return FpBinary(integer, frac, t.signed, value)


def quantize(x: Any, t: Any) -> Any:
    """The codes of ``x`` in ``t``; Python integers where ``int64`` does not hold them."""
    need(isinstance(t, ApFixed), "has fixed point only")
    need(t.rounding in ROUNDINGS, f"has no rounding {t.rounding}")
    need(t.overflow in OVERFLOWS and not t.n, "has no SAT_SYM, SAT_ZERO or WRAP_SM, and no N")
    if isinstance(x, Fixed):
        s = x.type
        need(s.signed == t.signed, "resize keeps the sign")
        codes, place = np.asarray(x.codes), (s.integer, s.frac, s.signed)
        found = [FpBinary(*place, bit_field=int(code)) for code in codes.ravel()]
        shape = codes.shape
    else:
        need(t.signed or t.overflow is Overflow.SAT, "unsigned numbers are made saturating")
        values, shape = x.ravel().tolist(), x.shape
        if (t.rounding, t.overflow, t.width <= 64) == (Rounding.RND, Overflow.SAT, True):
            # The constructor's own law.
            found = [FpBinary(t.integer, t.frac, t.signed, value) for value in values]
        else:
            found = [_exact(value, t) for value in values]
    modes = {"overflow_mode": OVERFLOWS[t.overflow], "round_mode": ROUNDINGS[t.rounding]}
    for number in found:
        number.resize((t.integer, t.frac), **modes)
    answers = [number.bits_to_signed() if t.signed else number.__index__() for number in found]
    dtype: Any = np.int64 if t.max_code < 2**63 else object
    return np.array(answers, dtype=dtype).reshape(shape)
