"""Types that differ from element to element: arrays of bit widths that broadcast against ``x``.

Every element goes through the same exact cores, with a plan made on the spot.  Elements of a type
of no bits, as pruned weights have, are 0.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from harness.quantize import arrays, stochastic
from harness.quantize.fixed_codes import split_double, to_code
from harness.quantize.float_codes import double_to_code, unpack
from harness.quantize.plan import FLOATS, Packing, Plan, float_misfit
from harness.types import ApFixed, MiniFloat, Overflow, Rounding, as_array, shown

__all__ = ["as_widths", "quantize_fixed", "quantize_minifloat"]

Array = np.ndarray[Any, Any]
SAT_SYM = int(Overflow.SAT_SYM)
LARGEST = (1 << 63) - 1
#: Rounded alone, codes up to here are exact.
UNBOUNDED = 64
#: A table of this many widths is quicker than sorting.
MANY = 1 << 20
#: No type has so many bits.
LIMIT = 1 << 31
#: The same record, for compiled code, which mypy cannot know the integers of.
_PLAN: Any = Plan


def as_widths(name: str, value: Any) -> Array:
    """Bit widths as ``int64``; whole floats are integers too.

    Raises:
        ValueError: for anything else.
    """
    array = as_array(value)
    whole = array.dtype.kind == "f" and bool((array == np.rint(array)).all())
    if not (whole or array.dtype.kind in "iub"):
        raise ValueError(f"{name} must be integers, not {shown(value)}")
    if bool((abs(array) >= LIMIT).any()):
        raise ValueError(f"{name} must be below 2**31, not {shown(value)}")
    return array.astype(np.int64)


def quantize_fixed(
    x: Any, k: Any, i: Any, f: Any, rounding: Any, overflow: Any, rng: Any = None
) -> Any:
    """See :func:`harness.quantize.quantize_fixed`."""
    k, i, f = as_widths("k", k), as_widths("i", i), as_widths("f", f)
    array = _floats(x)
    x64, k, i, f = np.broadcast_arrays(arrays.widened(array, np.float64), k, i, f)
    _check_fixed(k, i, f, rounding, overflow, array.dtype)
    x64 = np.array(x64, order="C")
    if rounding.stochastic:
        u = np.random.default_rng(rng).random(x64.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            x64 = stochastic.drawn_on(x64, u, f, False, np)
        rounding = Rounding.TRN
    out = np.empty(x64.size, np.float64)
    bounded = overflow is not None
    flat = x64.ravel()
    k, i, f = (np.ascontiguousarray(column).ravel() for column in (k, i, f))
    mode = int(overflow if bounded else Overflow.SAT)
    _fixed(flat, flat.view(np.int64), k, i, f, int(rounding), mode, int(bounded), out)
    return arrays.like(out.reshape(x64.shape).astype(array.dtype), x)


def quantize_minifloat(x: Any, m: Any, e: Any, e0: Any) -> Any:
    """See :func:`harness.quantize.quantize_minifloat`."""
    m, e, e0 = as_widths("m", m), as_widths("e", e), as_widths("e0", e0)
    array = _floats(x)
    x64, m, e, e0 = np.broadcast_arrays(arrays.widened(array, np.float64), m, e, e0)
    _check_minifloat(m, e, e0, array.dtype)
    flat = np.ascontiguousarray(x64).ravel()
    if np.isnan(flat).any():
        raise ValueError("x has NaN, a minifloat has none")
    out = np.empty(flat.size, np.float64)
    m, e, e0 = (np.ascontiguousarray(column).ravel() for column in (m, e, e0))
    _minifloat(flat.view(np.int64), m, e, e0, out)
    return arrays.like(out.reshape(x64.shape).astype(array.dtype), x)


def _floats(x: Any) -> Array:
    array = as_array(x)
    if array.dtype.kind != "f" or array.dtype.name not in FLOATS:
        raise TypeError(f"cannot quantize dtype {array.dtype}; allowed: float16, float32, float64")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _check_fixed(k: Array, i: Array, f: Array, rounding: Any, overflow: Any, dtype: Any) -> None:
    """Every distinct type is one that exists, and that ``dtype`` holds."""
    for facts in _distinct(k, i, f):
        sign, integer, frac = facts
        if sign not in (0, 1):
            raise ValueError(f"k must be 0 or 1, not {sign}")
        if (overflow is None or rounding.stochastic) and abs(frac) > stochastic.MAX_SHIFT:
            raise ValueError(f"f must lie within +-{stochastic.MAX_SHIFT}, not {frac}")
        if overflow is None or sum(facts) < 1:
            continue
        t = ApFixed.from_kif(bool(sign), integer, frac, overflow=overflow)
        if wrong := float_misfit(t, FLOATS[dtype.name]):
            raise ValueError(wrong)


def _check_minifloat(m: Array, e: Array, e0: Array, dtype: Any) -> None:
    for facts in _distinct(m, e, e0):
        if wrong := float_misfit(MiniFloat(*facts), FLOATS[dtype.name]):
            raise ValueError(wrong)


def _distinct(*columns: Array) -> list[tuple[int, ...]]:
    """The distinct rows of columns of widths."""
    if columns[0].size == 0:
        return []
    lows = [int(column.min()) for column in columns]
    spans = [int(column.max()) - low + 1 for column, low in zip(columns, lows, strict=True)]
    if math.prod(spans) > MANY:
        return [*map(tuple, np.unique([np.ravel(c) for c in columns], axis=1).T.tolist())]
    # Few widths are possible: mark those that occur, which takes no sorting.
    index = np.ravel_multi_index(
        tuple(np.ravel(c - low) for c, low in zip(columns, lows, strict=True)), spans
    )
    seen = np.zeros(math.prod(spans), bool)
    seen[index] = True
    found = np.unravel_index(np.flatnonzero(seen), spans)
    shifted = (axis + low for axis, low in zip(found, lows, strict=True))
    return list(zip(*(axis.tolist() for axis in shifted), strict=True))


@njit(cache=True, nogil=True)
def _fixed(
    x: Any, words: Any, k: Any, i: Any, f: Any, q: int, o: int, bounded: int, out: Any
) -> None:
    for n in range(x.size):
        signed = k[n] if bounded else np.int64(1)
        width = k[n] + i[n] + f[n] if bounded else np.int64(UNBOUNDED)
        if width < 1:
            out[n] = 0.0
            continue
        top = np.int64(LARGEST) if width - signed > 62 else (np.int64(1) << (width - signed)) - 1
        lower = -top - 1 if signed else np.int64(0)
        if o == SAT_SYM and signed and width > 1:
            lower = -top
        mask = np.int64(-1) if width > 63 else (np.int64(1) << width) - 1
        zero = np.int64(0)
        p = _PLAN(q, o, 0, signed, width, f[n], lower, top, mask, mask, zero, zero)
        bits, exponent = split_double(words[n])
        code = to_code(bits, 0, -exponent - f[n], p)
        value = math.ldexp(float(code), int(-f[n]))
        # Without a range, what is too large for a code has no bits to round.
        out[n] = value if bounded or -LARGEST < code < LARGEST else x[n]


@njit(cache=True, nogil=True)
def _minifloat(words: Any, m: Any, e: Any, e0: Any, out: Any) -> None:
    for n in range(words.size):
        one = np.int64(1)
        half = one << (e[n] - 1)
        emin, emax = 1 - half + e0[n], half - 1 + e0[n]
        top = (one << (e[n] + m[n])) - 1
        sign = one << (e[n] + m[n])
        flip = one << (e[n] - 1 + m[n])
        p = Packing(1, m[n], emin, emax, 0, top, top, top, top, -1, sign, flip, 0, 1)
        negative, significand, exponent = unpack(double_to_code(words[n], p), p)
        value = math.ldexp(float(significand), int(exponent))
        out[n] = -value if negative else value
