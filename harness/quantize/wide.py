"""Types beyond 64 bits: the same conversions on Python integers, one element at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from harness.types import ApFixed, Overflow, Rounding

__all__ = ["double_to_code", "integer_to_code", "map_codes"]


def map_codes(function: Callable[[Any], int], x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """An object array of Python integers with the shape of ``x``."""
    out = np.empty(x.shape, dtype=object)
    items: Iterable[Any] = x.ravel().tolist()
    out.ravel()[:] = [function(item) for item in items]
    return out


def double_to_code(x: float, t: ApFixed) -> int:
    """The code of a double; NaN, infinities and subnormals are read as the header reads them."""
    negative = math.copysign(1.0, x) < 0
    if x == 0:
        return 0
    word = int(np.float64(x).view(np.uint64))
    significand = word % (1 << 52) + (1 << 52)
    exponent = (word >> 52) % 2048 - 1075
    return integer_to_code(-significand if negative else significand, -exponent, t)


def integer_to_code(m: int, frac: int, t: ApFixed) -> int:
    """The code of ``m * 2**-frac``."""
    drop = frac - t.frac
    if drop <= 0:
        floor, rounded = m << -drop, m << -drop
    else:
        floor = m >> drop
        twice = 2 * (m - (floor << drop))  # twice the remainder, against the weight 2**drop
        rounded = floor + _up(t.rounding, floor, twice, 1 << drop)
    return _fit(rounded, floor, t)


def _up(mode: Rounding, floor: int, twice: int, one: int) -> bool:
    if mode is Rounding.TRN:
        return False
    if mode is Rounding.TRN_ZERO:
        return floor < 0 and twice > 0
    if twice != one:
        return twice > one
    tie = {
        Rounding.RND: True,
        Rounding.RND_MIN_INF: False,
        Rounding.RND_ZERO: floor < 0,
        Rounding.RND_INF: floor >= 0,
        Rounding.RND_CONV: floor & 1 == 1,
    }
    return tie[mode]


def _signed(bits: int, t: ApFixed) -> int:
    bits &= (1 << t.width) - 1
    return bits - (1 << t.width) if t.signed and bits >> (t.width - 1) else bits


def _fit(v: int, floor: int, t: ApFixed) -> int:
    symmetric = t.overflow is Overflow.SAT_SYM and t.signed and t.width > 1
    lower = -t.max_code if symmetric else t.min_code
    if lower <= v <= t.max_code:
        return v
    if t.overflow in (Overflow.SAT, Overflow.SAT_SYM):
        return lower if v < 0 else t.max_code
    if t.overflow is Overflow.SAT_ZERO:
        return 0
    code = _signed(v, t)
    if t.overflow is Overflow.WRAP_SM:
        if t.n == 0:
            flip = (code < 0) != bool(floor >> t.width & 1)
        elif t.n == 1:
            flip = (code < 0) != (v < 0)
        else:
            flip = bool(code >> (t.width - t.n) & 1) == (v < 0)
        code = ~code if flip else code
    if t.n == 0:
        return code
    top = (1 << t.n) - 1  # unsigned: all ones
    if t.signed:
        top = 1 << (t.n - 1) if v < 0 else (1 << (t.n - 1)) - 1
    low_width = t.width - t.n
    return _signed(top << low_width | code & ((1 << low_width) - 1), t)
