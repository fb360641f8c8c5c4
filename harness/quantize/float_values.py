"""The fast path of floating point: floats in, quantized floats out, at the speed of memory.

Adding and taking away 1.5 * 2**(e + P - 1 - M), in a compute dtype of P significand bits, rounds a
value of exponent e to M mantissa bits, to nearest even, in the adder itself.  The other modes step
from there to the neighbour they want; the step is exact, and so is the difference that decides it.
Each block is widened and its exponents masked out in first-level cache; memory is read once and
written once.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from harness.quantize.plan import FLOATS
from harness.types import BinaryFloat, FloatOverflow, FloatRounding, MiniFloat

__all__ = ["ValuePlan", "quantize_values", "value_plan"]

EVEN, UP, DOWN, ZERO = 1, 2, 3, 4
TIES_ZERO, TIES_AWAY, ODD = 7, 8, 9
BLOCK = 1024


class ValuePlan(NamedTuple):
    """A float type in the compute dtype.  ``low`` and ``mask`` are words, the rest are floats."""

    rounding: int
    has_nan: int
    mask: Any  # the exponent field
    low: Any  # the word of the smallest power of two that stands below a value
    high: Any  # ... and of the largest
    magic: Any  # 1.5 * 2**(P - 1 - M)
    ulp: Any  # 2**-M
    limit: Any  # magnitudes are cut here, beyond every threshold
    least: Any  # smaller results are flushed; 0 with subnormals
    top: Any
    above: Any  # what a positive overflow becomes
    below: Any  # the magnitude of what a negative one becomes
    inf: Any  # ... and an infinity
    infinity: Any
    zero: Any
    half: Any
    signed_zero: int  # whether a zero keeps its sign
    signed_underflow: int  # whether a negative value that becomes zero does


@functools.lru_cache(maxsize=4096)
def value_plan(t: BinaryFloat, source: str) -> ValuePlan | None:
    """The plan for inputs of dtype ``source``; ``None`` if only the integer core is exact."""
    names = ("float64",) if source == "float64" else ("float32", "float64")
    name = next((name for name in names if _exact_in(t, name)), None)
    if name is None:
        return None
    dtype = np.dtype(name).type
    bits = 8 * np.dtype(name).itemsize
    precision = FLOATS[name].precision
    word = np.dtype(f"u{bits // 8}").type
    lowest = dtype(2.0 ** (t.emin - (not t.subnormals)))
    top = float(t.max)
    beyond = float("inf") if t.has_inf else float("nan")
    inf = top if t.overflow is FloatOverflow.SATURATE else beyond
    stays = t.rounding in (FloatRounding.TOWARD_ZERO, FloatRounding.ODD)
    facts = (
        1.5 * 2.0 ** (precision - 1 - t.frac_bits),
        2.0**-t.frac_bits,
        2.0 ** (t.emax + 1),
        0.0 if t.subnormals else 2.0**t.emin,
        top,
        top if stays or t.rounding is FloatRounding.DOWN else inf,
        top if stays or t.rounding is FloatRounding.UP else inf,
        inf,
        np.inf,
        0.0,
        0.5,
    )
    return ValuePlan(
        int(t.rounding),
        int(t.nan_code is not None),
        word(((1 << (bits - precision)) - 1) << (precision - 1)),
        lowest.view(word),
        dtype(2.0 ** (t.emax + 1)).view(word),
        *map(dtype, facts),
        signed_zero=int(t.negative_zero and not isinstance(t, MiniFloat)),
        signed_underflow=int(t.negative_zero),
    )


def _exact_in(t: BinaryFloat, name: str) -> bool:
    """Whether scaling, the magic sum and half an ulp stay normal and exact in a dtype."""
    dtype = FLOATS[name]
    highest = t.emax + 1 + dtype.precision - t.frac_bits
    normal = t.emin - 1 >= dtype.emin + dtype.precision - 1
    half_ulp = t.emin - t.frac_bits - 2 >= dtype.emin
    return t.frac_bits <= dtype.precision - 3 and highest <= dtype.emax and normal and half_ulp


@njit(nogil=True)
def _nearest(x: Any, scale: Any, r: Any, p: ValuePlan) -> None:
    """Magnitudes to nearest even; ``x`` are values, ``scale`` the powers of two below them."""
    for k in range(x.size):
        a = abs(x[k])
        a = p.limit if a > p.limit else a
        magic = scale[k] * p.magic
        r[k] = (a + magic) - magic


@njit(nogil=True)
def _moved(x: Any, scale: Any, r: Any, p: ValuePlan) -> None:
    """Magnitudes in the other modes, from the nearest even ones in ``r``."""
    q = p.rounding
    for k in range(x.size):
        a = abs(x[k])
        a = p.limit if a > p.limit else a
        even, ulp = r[k], scale[k] * p.ulp
        step = p.zero
        if q == TIES_ZERO:
            step = -ulp if even - a == ulp * p.half else p.zero
        elif q == TIES_AWAY:
            step = ulp if a - even == ulp * p.half else p.zero
        elif q == ODD:
            lower = even - ulp if even > a else even
            magic = (scale[k] + scale[k]) * p.magic
            is_even = (lower + magic) - magic == lower
            step = lower - even + (ulp if lower != a and is_even else p.zero)
        else:
            grows = (q == UP and x[k] > p.zero) or (q == DOWN and x[k] < p.zero)
            if grows:
                step = ulp if even < a else p.zero
            else:
                step = -ulp if even > a else p.zero
        r[k] = even + step


@njit(nogil=True)
def _finish(x: Any, r: Any, out: Any, p: ValuePlan) -> bool:
    """Range, infinities, flushing and signs; whether there was a NaN."""
    nan = False
    for k in range(x.size):
        a, m = abs(x[k]), r[k]
        over = p.above if x[k] > p.zero else p.below
        y = over if m > p.top else m
        y = p.zero if m < p.least else y
        y = p.inf if a == p.infinity else y
        keeps = p.signed_underflow if a > p.zero else p.signed_zero
        negative = np.copysign(y, x[k])
        out[k] = negative if (y != p.zero) | (keeps != 0) else p.zero
        nan |= a != a
    return nan


@njit(cache=True, nogil=True, error_model="numpy")
def quantize_values(x: Any, block: Any, scale: Any, words: Any, out: Any, p: ValuePlan) -> bool:
    """Write the values of ``x`` in a float type; false if there was a NaN and there may be none.

    Args:
        x: float32 or float64, flat and contiguous.
        block: room for ``BLOCK`` values of the compute dtype.
        scale: likewise.
        words: ``(2, BLOCK)``, the memory of ``block`` and of ``scale`` as unsigned integers.
        out: the results, in the dtype of ``x``.
        p: the target type in the compute dtype.
    """
    nan = False
    rounded = np.empty_like(block)
    for start in range(0, x.size, BLOCK):
        size = min(BLOCK, x.size - start)
        values, r = block[:size], rounded[:size]
        for k in range(size):
            values[k] = x[start + k]
        for k in range(size):
            word = words[0][k] & p.mask
            word = word if word > p.low else p.low
            words[1][k] = word if word < p.high else p.high
        _nearest(values, scale[:size], r, p)
        if p.rounding != EVEN:
            _moved(values, scale[:size], r, p)
        nan |= _finish(values, r, out[start : start + size], p)
    return not (nan and p.has_nan == 0)
