"""Quantizers with one fault each, as people really write them.

Outside the doubles' exact range every mutant is correct, so that what is caught is the fault.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from harness import ApFixed, Overflow, Rounding, quantize_codes

Array = np.ndarray[Any, Any]
Mutant = Callable[[Array, ApFixed], Array]


def _correct_elsewhere(fault: Mutant, applies: Callable[[ApFixed], bool]) -> Mutant:
    """``fault`` on the types it concerns and on moderate inputs; the correct codes elsewhere."""

    def mutant(x: Array, t: ApFixed) -> Array:
        codes = quantize_codes(x, t)
        if t.width > 48 or not applies(t) or abs(t.frac) > 200:
            return codes
        with np.errstate(all="ignore"):
            y = np.ldexp(x, t.frac)
            tame = np.isfinite(x) & (np.abs(y) < 2.0**50) & (np.abs(x) > 2.0**-900)
        out = codes.copy()
        out[tame] = fault(x[tame], t)
        return out

    return mutant


def _other_modes(**modes: Any) -> Mutant:
    return lambda x, t: quantize_codes(x, t.with_modes(**modes))


def _scaled(x: Array, t: ApFixed) -> Array:
    return np.ldexp(x, t.frac)


def _overflowed(r: Array, t: ApFixed) -> Array:
    """Whole numbers brought into range correctly, as codes."""
    whole = ApFixed(t.width, t.width, t.signed, "TRN", t.overflow, t.n)
    return quantize_codes(r, whole)


def _half_up(x: Array, t: ApFixed) -> Array:
    y = _scaled(x.astype(np.float32).astype(np.float64), t)
    return _overflowed(np.floor((y.astype(np.float32) + np.float32(0.5)).astype(np.float64)), t)


def _saturate_first(x: Array, t: ApFixed) -> Array:
    """Judges the range on the value, not on the rounded code: max + 0.3 LSB becomes 0."""
    y = _scaled(x, t)
    inside = (y >= t.min_code) & (y <= t.max_code)
    return np.where(inside, quantize_codes(x, t), 0)


def _floor_log2(x: Array, t: ApFixed) -> Array:
    """Truncates to as many bits as floor(log2|x|) says there are above the LSB."""
    with np.errstate(divide="ignore"):
        exponent = np.floor(np.log2(np.abs(x)))
    unit = 2.0 ** np.maximum(-t.frac, exponent - 52)
    lost = np.abs(x) >= 2.0 ** (exponent + 1)
    just_below = np.abs(x) < 2.0**exponent  # log2 rounded up to the next power
    return _overflowed(
        np.floor(np.where(just_below | lost, 2.0**exponent * np.sign(x), x) / unit), t
    )


def _bit_after_rounding(x: Array, t: ApFixed) -> Array:
    rounded = quantize_codes(x, ApFixed(60, 60 - t.frac, True, t.rounding))
    return quantize_codes(rounded, ApFixed(t.width, t.width, True, "TRN", "WRAP_SM"))


def _sat_sym_off_by_one(x: Array, t: ApFixed) -> Array:
    return quantize_codes(x, t.with_modes(overflow="SAT"))


def _sign_lost(x: Array, t: ApFixed) -> Array:
    return quantize_codes(np.abs(x), t)


def _float32_scaling(x: Array, t: ApFixed) -> Array:
    scaled = x.astype(np.float32) * np.float32(2.0**t.frac if abs(t.frac) < 100 else 1.0)
    whole = ApFixed(t.width, t.width, t.signed, t.rounding, t.overflow, t.n)
    if abs(t.frac) >= 100:
        return quantize_codes(x, t)
    return quantize_codes(scaled.astype(np.float64), whole)


def _is(rounding: Rounding) -> Callable[[ApFixed], bool]:
    return lambda t: t.rounding is rounding


def _flipped(rounding: Rounding, other: Rounding) -> Mutant:
    """Ties of one mode go where another mode sends them."""
    return _correct_elsewhere(_other_modes(rounding=other), _is(rounding))


MUTANTS: dict[str, Mutant] = {
    "floor(x + 0.5) in float32": _correct_elsewhere(_half_up, _is(Rounding.RND)),
    "saturates before rounding": _correct_elsewhere(
        _saturate_first, lambda t: t.overflow is Overflow.SAT_ZERO
    ),
    "floor(log2|x|)": _correct_elsewhere(_floor_log2, _is(Rounding.TRN)),
    "TRN for TRN_ZERO": _flipped(Rounding.TRN_ZERO, Rounding.TRN),
    "TRN_ZERO for TRN": _flipped(Rounding.TRN, Rounding.TRN_ZERO),
    "RND ties down": _flipped(Rounding.RND, Rounding.RND_MIN_INF),
    "RND_MIN_INF ties up": _flipped(Rounding.RND_MIN_INF, Rounding.RND),
    "RND_ZERO ties away": _flipped(Rounding.RND_ZERO, Rounding.RND_INF),
    "RND_INF ties to zero": _flipped(Rounding.RND_INF, Rounding.RND_ZERO),
    "RND_CONV ties up": _flipped(Rounding.RND_CONV, Rounding.RND),
    "RND_CONV ties away": _flipped(Rounding.RND_CONV, Rounding.RND_INF),
    "WRAP_SM bit taken after rounding": _correct_elsewhere(
        _bit_after_rounding,
        lambda t: t.overflow is Overflow.WRAP_SM and t.n == 0 and t.rounding is not Rounding.TRN,
    ),
    "SAT_SYM reaches the minimum": _correct_elsewhere(
        _sat_sym_off_by_one, lambda t: t.overflow is Overflow.SAT_SYM and t.signed and t.width > 1
    ),
    "sign lost": _correct_elsewhere(_sign_lost, lambda t: t.signed),
    "scales in float32": _correct_elsewhere(_float32_scaling, lambda t: True),
    "N ignored": _correct_elsewhere(_other_modes(n=0), lambda t: t.n > 0),
}
