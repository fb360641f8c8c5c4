"""Inputs that find differences in floats: codes, midpoints and thresholds, and what lies beside."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.types import BinaryFloat
from harness.verify.cases import SPECIALS

__all__ = ["exhausted", "float_codes_for", "float_doubles_for"]

Array = np.ndarray[Any, Any]
Generator = np.random.Generator
#: Significands of doubles leave room for a midpoint up to here.
MAX_FRACTION = 51


def exhausted(t: BinaryFloat, exhaustive_width: int) -> int:
    """Codes of ``t`` of which each is an input, with the midpoints beside it: all, or none.

    None of a type that is too large, or whose midpoints are not all normal doubles.
    """
    doubles = t.frac_bits <= MAX_FRACTION and t.emin - t.frac_bits > -1022 and t.emax < 1022
    return 1 << t.width if t.width <= exhaustive_width and doubles else 0


def float_codes_for(t: BinaryFloat, size: int, rng: Generator, exhaustive_width: int) -> Array:
    """Every code of a small type; of a larger one ``size`` codes, as ``int64``, each bit random."""
    if t.width <= exhaustive_width:
        return np.arange(1 << t.width, dtype=np.int64)
    words = np.frombuffer(rng.bytes(8 * size), np.int64)
    return words if t.width == 64 else words & ((1 << t.width) - 1)


def float_doubles_for(
    t: BinaryFloat, size: int, rng: Generator, exhaustive_width: int = 16
) -> Array:
    """About ``size`` doubles for ``t``, and all that matter if it is small.

    Specials; every magnitude and every midpoint above it, exactly and one ulp to either side, in
    both signs, up to ``exhaustive_width``, and a sample of every exponent beyond; the thresholds of
    underflow and overflow; far outside; and random values over the type's range and all doubles.
    NaN is left out where the type has none.
    """
    with np.errstate(all="ignore"):  # the ends of the double range are meant to be reached
        centres = _magnitudes(t, size // 6, rng, exhaustive_width)
        centres = np.concatenate([centres, _thresholds(t)])
        near = np.concatenate(
            [centres, np.nextafter(centres, np.inf), np.nextafter(centres, -np.inf)]
        )
        near = np.concatenate([near, -near])
        rest = max(size - near.size, size // 8)
        spread = rng.integers(-1074, 1024, rest // 4)
        low, high = (int(np.clip(e, -1100, 1020)) for e in (t.emin - t.frac_bits, t.emax))
        local = rng.integers(low - 3, high + 4, rest - rest // 4)
        exponents = np.concatenate([spread, local])
        signs = rng.choice([-1.0, 1.0], rest)
        anywhere = np.ldexp(rng.uniform(1.0, 2.0, rest) * signs, exponents)
        x = np.concatenate([SPECIALS, near, anywhere])
    return x if t.nan_code is not None else x[~np.isnan(x)]


def _magnitudes(t: BinaryFloat, count: int, rng: Generator, exhaustive_width: int) -> Array:
    """Magnitudes and the midpoints above them, in the binades that doubles have."""
    if t.frac_bits > MAX_FRACTION:
        return np.zeros(0)
    low, high = max(t.emin, -1022 + t.frac_bits + 1), min(t.emax, 1022)
    if exhausted(t, exhaustive_width):
        exponents = np.arange(low, high + 1)
        significands = np.arange(1 << (t.frac_bits + 1), 1 << (t.frac_bits + 2))
        halves = np.ldexp(significands.astype(np.float64), exponents[:, None] - t.frac_bits - 1)
        below = np.arange(1 << (t.frac_bits + 1)).astype(np.float64)  # subnormals, or none
        return np.concatenate([np.ldexp(below, low - t.frac_bits - 1), halves.ravel()])
    exponents = rng.integers(low - t.frac_bits, high + 1, count)
    if high - low < count:
        exponents = np.concatenate([np.arange(low, high + 1), exponents])
    significands = rng.integers(1 << (t.frac_bits + 1), 1 << (t.frac_bits + 2), exponents.size)
    significands |= rng.integers(0, 2, exponents.size)  # as often a midpoint as a value
    return np.ldexp(significands.astype(np.float64), exponents - t.frac_bits - 1)


def _thresholds(t: BinaryFloat) -> Array:
    """Around the smallest normal, the smallest value and the largest, and far beyond it."""
    step = t.frac_bits
    exponents = [t.emin, t.emin - 1, t.emin - step, t.emin - step - 1, t.emax, t.emax + 1]
    exponents += [t.emax + 2, t.emax + 40, t.emin - 40 - step]
    powers = np.ldexp(1.0, np.clip(exponents, -1100, 1023))
    top = np.ldexp(float(2 * t.max_significand), int(np.clip(t.emax - step - 1, -1100, 970)))
    half = np.ldexp(1.0, int(np.clip(t.emax - step - 1, -1100, 970)))
    below_normal = np.ldexp(1.0, int(np.clip(t.emin - step - 2, -1100, 970)))
    smallest = np.ldexp(1.0, int(np.clip(t.emin, -1100, 970)))
    near = [top, top + half, top + 2 * half, smallest - below_normal, smallest - 2 * below_normal]
    return np.concatenate([powers, near])
