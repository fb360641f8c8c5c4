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

from harness.quantize.compiled import kernel
from harness.quantize.float_codes import DOWN, EVEN, ODD, TIES_AWAY, TIES_ZERO, UP
from harness.quantize.plan import FLOATS, Packing
from harness.types import BinaryFloat, FloatOverflow, FloatRounding, MiniFloat

__all__ = ["ValuePlan", "quantize_values", "value_plan", "values_to_codes"]

BLOCK = 1024


class ValuePlan(NamedTuple):
    """A float type in the compute dtype.  The first are words or flags, the rest are floats."""

    rounding: int
    has_nan: int
    directed: int  # 1 if an infinity may become what an overflow does not
    flush: int  # 1 without subnormals
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
    normal: Any  # the smallest normal
    whole: Any  # what makes subnormals whole numbers
    source_zero: Any  # added to inputs: -0.0 changes nothing, 0.0 takes the sign of -0.0
    result_zero: Any  # likewise, to results


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
    top = float(t.max_exact)
    beyond = float("inf") if t.has_inf else float("nan")
    inf = top if t.overflow is FloatOverflow.SATURATE else beyond
    stays = t.rounding in (FloatRounding.TOWARD_ZERO, FloatRounding.ODD)
    stays = stays or t.overflow is FloatOverflow.SATURATE
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
        2.0**t.emin,
        2.0 ** (t.frac_bits - t.emin),
        0.0 if isinstance(t, MiniFloat) else -0.0,
        -0.0 if t.negative_zero else 0.0,
    )
    return ValuePlan(
        int(t.rounding),
        int(t.nan_code is not None),
        int(stays or t.rounding in (FloatRounding.UP, FloatRounding.DOWN)),
        int(not t.subnormals),
        word(((1 << (bits - precision)) - 1) << (precision - 1)),
        lowest.view(word),
        dtype(2.0 ** (t.emax + 1)).view(word),
        *map(dtype, facts),
    )


def _exact_in(t: BinaryFloat, name: str) -> bool:
    """Whether scaling, the magic sum and half an ulp stay normal and exact in a dtype."""
    dtype = FLOATS[name]
    highest = t.emax + 1 + dtype.precision - t.frac_bits
    normal = t.emin - 1 >= dtype.emin + dtype.precision - 1
    half_ulp = t.emin - t.frac_bits - 2 >= dtype.emin
    whole = t.frac_bits - t.emin <= dtype.emax
    fits = t.frac_bits <= dtype.precision - 3 and highest <= dtype.emax
    return fits and normal and half_ulp and whole


@kernel(nogil=True)
def _widen(x: Any, values: Any, p: ValuePlan) -> None:
    for k in range(x.size):
        values[k] = x[k] + p.source_zero


@kernel(nogil=True)
def _scales(words: Any, scale_words: Any, p: ValuePlan) -> None:
    """The power of two below each magnitude, within the range of the type; as words."""
    for k in range(words.size):
        word = words[k] & p.mask
        word = word if word > p.low else p.low
        scale_words[k] = word if word < p.high else p.high


@kernel(nogil=True)
def _has_nan(values: Any) -> bool:
    found = np.uint32(0)
    for k in range(values.size):
        found |= np.uint32(values[k] != values[k])
    return bool(found)


@kernel(nogil=True)
def _even(values: Any, scale: Any, out: Any, p: ValuePlan) -> None:
    """To nearest even, everything at once; nothing is flushed."""
    for k in range(values.size):
        a = abs(values[k])
        a = p.limit if a > p.limit else a
        magic = scale[k] * p.magic
        r = (a + magic) - magic
        r = p.above if r > p.top else r
        out[k] = np.copysign(r, values[k]) + p.result_zero


@kernel(nogil=True)
def _nearest(values: Any, scale: Any, r: Any, p: ValuePlan) -> None:
    """Magnitudes to nearest even, as if exponents had no upper end."""
    for k in range(values.size):
        a = abs(values[k])
        a = p.limit if a > p.limit else a
        magic = scale[k] * p.magic
        r[k] = (a + magic) - magic


@kernel(nogil=True)
def _move(values: Any, scale: Any, r: Any, p: ValuePlan) -> None:
    """From the nearest even magnitudes to those of another rounding."""
    q = p.rounding
    for k in range(values.size):
        a = abs(values[k])
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
        elif (q == UP and values[k] > p.zero) or (q == DOWN and values[k] < p.zero):
            step = ulp if even < a else p.zero
        else:
            step = -ulp if even > a else p.zero
        r[k] = even + step


@kernel(nogil=True)
def _finish(values: Any, r: Any, out: Any, p: ValuePlan) -> None:
    """Overflow, flushing and signs of rounded magnitudes."""
    for k in range(values.size):
        m = r[k]
        m = p.zero if m < p.least else m
        m = (p.above if values[k] > p.zero else p.below) if m > p.top else m
        out[k] = np.copysign(m, values[k]) + p.result_zero
    if p.directed:
        for k in range(values.size):
            if abs(values[k]) == p.infinity:
                out[k] = np.copysign(p.inf, values[k])


@kernel(nogil=True, error_model="numpy")
def quantize_values(x: Any, room: Any, words: Any, out: Any, p: ValuePlan) -> bool:
    """Write the values of ``x`` in a float type; false if there was a NaN and there may be none.

    Args:
        x: float32 or float64, flat and contiguous.
        room: work space in the compute dtype, ``3 * BLOCK`` values.
        words: the same memory as unsigned integers.
        out: the results, in the dtype of ``x``.
        p: the target type in the compute dtype.
    """
    nan = False
    for start in range(0, x.size, BLOCK):
        size = min(BLOCK, x.size - start)
        values, scale = room[:size], room[BLOCK : BLOCK + size]
        target = out[start : start + size]
        _widen(x[start : start + size], values, p)
        _scales(words[:size], words[BLOCK : BLOCK + size], p)
        if p.has_nan == 0:
            nan |= _has_nan(values)
        if p.rounding == EVEN and p.flush == 0:
            _even(values, scale, target, p)
            continue
        r = room[2 * BLOCK : 2 * BLOCK + size]
        _nearest(values, scale, r, p)
        if p.rounding != EVEN:
            _move(values, scale, r, p)
        _finish(values, r, target, p)
    return not nan


@kernel(nogil=True, error_model="numpy")
def values_to_codes(values: Any, words: Any, out: Any, p: ValuePlan, packing: Packing) -> None:
    """Codes of values of a float type.

    Args:
        values: values of the type, in the compute dtype.
        words: the same memory as signed integers.
        out: the codes, ``int64``.
        p: the type in the compute dtype.
        packing: the type.
    """
    word_bits = 8 * words.itemsize
    mantissa = 23 if word_bits == 32 else 52
    drop = mantissa - packing.frac
    bias = (1 << (word_bits - mantissa - 2)) - 1
    offset = (packing.emin + bias - 1) << packing.frac
    magnitude_bits = (1 << (word_bits - 1)) - 1
    for k in range(values.size):
        a = abs(values[k])
        small = np.int64(a * p.whole if a < p.normal else p.zero)
        field = np.int64((words[k] & magnitude_bits) >> drop) - offset
        magnitude = small if a < p.normal else field
        magnitude = packing.inf if a == p.infinity else magnitude
        signed = magnitude | (packing.sign if words[k] < 0 else 0)
        out[k] = (packing.nan if np.isnan(a) else signed) ^ packing.flip
