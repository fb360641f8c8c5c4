"""Inputs that find differences: the neighbourhoods of breakpoints and bounds, then the rest.

All of it is a function of the type, the size and the generator, so a seed names the inputs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from harness.types import ApFixed

__all__ = ["SPECIALS", "codes_for", "doubles_for", "integers_for"]

Array = np.ndarray[Any, Any]
Generator = np.random.Generator

_TINY = 2.0**-1074
_NORMAL = 2.0**-1022
#: Zeros, subnormals, the ends of the double range, infinities and NaN, in both signs.
SPECIALS = np.array(
    [
        sign * x
        for x in (
            0.0,
            _TINY,
            _NORMAL - _TINY,
            _NORMAL,
            1e-30,
            1.0,
            1.7976931348623157e308,
            math.inf,
        )
        for sign in (1.0, -1.0)
    ]
    + [math.nan, math.copysign(math.nan, -1.0)]
)


def doubles_for(t: ApFixed, size: int, rng: Generator, exhaustive_width: int = 9) -> Array:
    """About ``size`` doubles for ``t``.

    Specials; every power of two near the type's window, exactly and one ulp to either side; the
    breakpoints (codes and midpoints, so every tie), exactly and one ulp to either side, all of
    them up to ``exhaustive_width`` and a sample beyond; the same far outside the range, so that
    wrapping shows; and random values over the window and over all exponents.
    """
    with np.errstate(all="ignore"):  # the ends of the double range are meant to be reached
        exponents = np.arange(-t.frac - 4, t.integer + 6, dtype=np.int64)
        powers = np.ldexp(1.0, np.clip(exponents, -1100, 1100))
        halves = _halves(t, size // 8, rng, exhaustive_width)
        centres = np.concatenate([powers, -powers, np.ldexp(halves, -t.frac - 1)])
        near = np.concatenate(
            [centres, np.nextafter(centres, np.inf), np.nextafter(centres, -np.inf)]
        )
        turns = rng.integers(-5, 6, near.size // 2) * 2.0 ** rng.integers(0, 12, near.size // 2)
        picked = rng.choice(near, near.size // 2)
        beyond = picked + np.ldexp(turns, t.integer)
        rest = max(size - near.size - beyond.size - SPECIALS.size, size // 8)
        window = rng.uniform(-4.0, 4.0, rest // 2) * np.ldexp(1.0, t.integer)
        mantissas = rng.uniform(1.0, 2.0, rest - rest // 2) * rng.choice([-1.0, 1.0])
        spread = rng.integers(-1074, 1024, mantissas.size)
        local = rng.integers(-t.frac - 60, t.integer + 60, mantissas.size)
        anywhere = np.ldexp(mantissas, np.where(rng.random(mantissas.size) < 0.5, spread, local))
        return np.concatenate([SPECIALS, near, beyond, window, anywhere])


def _halves(t: ApFixed, count: int, rng: Generator, exhaustive_width: int) -> Array:
    """Breakpoints as multiples of half an LSB; as floats, so exact up to 52 bits."""
    low, high = 2 * t.min_code - 8, 2 * t.max_code + 9
    if t.width <= exhaustive_width:
        return np.arange(low, high, dtype=np.float64)
    low, high = max(low, -(1 << 1000)), min(high, 1 << 1000)  # what a double reaches
    edges = [float(m + d) for m in (low + 8, 0, high - 9) for d in range(-8, 9)]
    sample = np.floor(rng.uniform(float(low), float(high), count))
    # Few significant bits reach the codes that a uniform sample never does.
    short = np.floor(
        np.ldexp(rng.uniform(-1, 1, count), rng.integers(1, min(t.width + 2, 1000), count))
    )
    return np.concatenate([np.array(edges), sample, short])


def codes_for(
    source: ApFixed, target: ApFixed, size: int, rng: Generator, exhaustive_width: int = 12
) -> Array:
    """About ``size`` codes of ``source`` for a conversion to ``target``.

    Every code up to ``exhaustive_width``; beyond, the ends, the breakpoints of the target and its
    bounds with their neighbours, and random codes of every length.  ``int64``, or Python integers
    for a source wider than 64 bits.
    """
    if source.width <= exhaustive_width:
        return np.arange(source.min_code, source.max_code + 1, dtype=np.int64)
    if source.width > 64:
        size = min(size, 400)
    drop = source.frac - target.frac
    count = min(size // 8, 512)
    found: set[int] = set()
    anchors = [source.min_code, source.max_code, 0]
    for bound in (target.min_code, target.max_code, 2 * target.max_code + 2):
        anchors.append(bound << drop if drop > 0 else bound >> min(-drop, 1100))
    for k in rng.integers(0, 1 << 62, count).tolist():
        half = k % (4 * target.max_code + 5) - (2 * target.max_code + 2)
        anchors.append(half << (drop - 1) if drop > 0 else half >> min(1 - drop, 1100))
    for anchor in anchors:
        found.update(anchor + step for step in range(-2, 3))
    lengths = rng.integers(1, source.width + 1, max(size - 5 * len(anchors), size // 4)).tolist()
    words = rng.bytes(8 * ((source.width + 63) // 64) * len(lengths))
    step = len(words) // len(lengths)
    for k, length in enumerate(lengths):
        bits = int.from_bytes(words[k * step : (k + 1) * step], "little") >> (8 * step - length)
        found.add(-bits - 1 if source.signed and k % 2 else bits)
    kept = sorted(c for c in found if source.min_code <= c <= source.max_code)
    if source.width > 64:
        out = np.empty(len(kept), dtype=object)
        out[:] = kept
        return out
    return np.array([c - (1 << 64) if c >> 63 > 0 else c for c in kept], dtype=np.int64)


def integers_for(t: ApFixed, size: int, rng: Generator, unsigned: bool) -> Array:
    """About ``size`` 64-bit integers for ``t``, as ``int64`` or ``uint64``."""
    codes = codes_for(ApFixed(64, 64, not unsigned), t, size, rng)
    return codes.view(np.uint64) if unsigned else codes
