"""The fast path: floats in, quantized floats or codes out, at the speed of memory.

Where a type's codes and the scaled inputs are exact in the compute dtype, quantization is float
arithmetic without error: scale by a power of two, round to an integer, bring it into range, scale
back.  Each loop rounds, brings into range and writes, so memory is read once and written once.  The
loops are written once per rounding mode and compiled once per way of overflowing, without branches
on data, so that they vectorise.

Why each step is exact: ``2**F`` is a power of two, and a block in which the product could overflow,
underflow or be NaN is tamed first; ``y - rint(y)`` is exact by Sterbenz' lemma; codes, and
``r mod 2**W``, have at most ``precision`` significant bits.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from harness.quantize.compiled import kernel
from harness.quantize.plan import FLOATS, plan
from harness.types import ApFixed

__all__ = ["FloatPlan", "float_plan", "quantize_tame", "quantize_wild", "wild_limit"]

RND, RND_ZERO, RND_MIN_INF, RND_INF, RND_CONV, TRN, TRN_ZERO = range(7)
SAT, SAT_ZERO, SAT_SYM, WRAP, WRAP_SM = range(5)
#: A block is read twice, the second time from the first-level cache.
BLOCK = 1024
#: Beyond these the scaled value of a float64 could lose bits that matter.
MAX_SHIFT = 900


class FloatPlan(NamedTuple):
    """A type in the compute dtype.  Modes are integers; codes and factors are floats."""

    q: int
    o: int
    n: int
    signed: int
    rescue: int  # 1 if scaling may underflow, so that every block must be tamed
    scale: Any  # 2**F
    inverse: Any  # 2**-F
    huge: Any  # what stands for them: beyond every code, its low bits zeros
    lower: Any
    upper: Any
    modulus: Any  # 2**W
    inverse_modulus: Any
    low_modulus: Any  # 2**(W - N)
    inverse_low_modulus: Any
    top_pos: Any
    top_neg: Any
    zero: Any
    half: Any
    below_half: Any  # the float before it
    one: Any


@functools.lru_cache(maxsize=4096)
def float_plan(t: ApFixed, source: str) -> FloatPlan | None:
    """The plan for inputs of dtype ``source``; ``None`` if only the integer core is exact."""
    narrow = source != "float64" and 0 <= t.frac <= 126
    # One bit to spare lets a rounded code pass its bound exactly.
    narrow = narrow and t.significand_bits < FLOATS["float32"].precision
    dtype = FLOATS["float32" if narrow else "float64"]
    if abs(t.frac) > MAX_SHIFT or t.significand_bits >= dtype.precision:
        return None
    p = plan(t)
    as_float = np.dtype(dtype.name).type
    facts = (
        2.0**t.frac,
        2.0**-t.frac,
        2.0**dtype.emax,
        p.lower,
        p.upper,
        2.0**t.width,
        2.0**-t.width,
        2.0 ** (t.width - t.n),
        2.0 ** (t.n - t.width),
        p.top_pos,
        p.top_neg,
        0.0,
        0.5,
        np.nextafter(as_float(0.5), as_float(0.0)),
        1.0,
    )
    rescue = int(source == "float64" and t.frac < 0)
    return FloatPlan(p.q, p.o, p.n, p.signed, rescue, *map(as_float, facts))


def wild_limit(p: FloatPlan) -> Any:
    """Twice the word of the largest magnitude whose scaled value is finite and below ``huge``."""
    largest = p.huge * min(p.inverse, p.one)
    return largest.view(f"u{largest.itemsize}") << 1


@kernel(nogil=True)
def _is_wild(words: Any, limit: Any) -> bool:
    """Whether a block, given as its bits, has a magnitude above ``limit``, or a NaN.

    Doubling a word drops the sign; an integer maximum is the reduction that vectorises.
    """
    most = limit
    for k in range(words.size):
        most = max(most, type(limit)(words[k] + words[k]))
    return bool(most != limit)


@kernel(nogil=True)
def _tame(x: Any, y: Any, p: FloatPlan) -> None:
    """``y = x * 2**F`` with stand-ins where that is not finite, or is zero for a non-zero ``x``.

    The header reads NaN and infinity as 2**1024 and more, by their sign.
    """
    for k in range(x.size):
        scaled = x[k] * p.scale
        if not (abs(scaled) <= p.huge):
            scaled = np.copysign(p.huge, scaled)
        y[k] = x[k] if scaled == p.zero else scaled


@kernel(nogil=True)
def _saturate(r: Any, y: Any, p: FloatPlan) -> Any:
    code = p.upper if r > p.upper else r
    return p.lower if code < p.lower else code


@kernel(nogil=True)
def _saturate_to_zero(r: Any, y: Any, p: FloatPlan) -> Any:
    return r if p.lower <= r <= p.upper else p.zero


@kernel(nogil=True)
def _wrap_signed(r: Any, y: Any, p: FloatPlan) -> Any:
    code = r - p.modulus * np.rint(r * p.inverse_modulus)
    return p.lower if code > p.upper else code


@kernel(nogil=True)
def _low_bits(r: Any, y: Any, p: FloatPlan) -> Any:
    """``r`` modulo 2**(W - N), never negative: with N = 0 the unsigned wrap."""
    return r - p.low_modulus * np.floor(r * p.inverse_low_modulus)


@kernel(nogil=True)
def _wrap_saturated(r: Any, y: Any, p: FloatPlan) -> Any:
    code = _low_bits(r, y, p) + (p.top_neg if r < p.zero else p.top_pos)
    return r if p.lower <= r <= p.upper else code


@kernel(nogil=True)
def _sign_magnitude(r: Any, y: Any, p: FloatPlan) -> Any:
    """The lowest deleted bit as sign, and the rest inverted where that changes it.

    Seen from the start of its block of 2**W, a value counts up to the middle and down again; odd
    blocks count below zero.  The bit, so the block, is the one before rounding.
    """
    block = np.floor(y * p.inverse_modulus)
    most = p.modulus - p.one
    low = r - p.modulus * block
    low = most if low > most else low  # rounding carried out of the block
    low = most - low if most - low < low else low
    half = block * p.half
    code = low if np.floor(half) == half else -p.one - low
    return r if r == p.zero else code  # a negative value that rounds to zero is in range


@kernel(nogil=True)
def _sign_magnitude_one(r: Any, y: Any, p: FloatPlan) -> Any:
    code = _wrap_signed(r, y, p)
    return code if (code < p.zero) == (r < p.zero) else -p.one - code


@kernel(nogil=True)
def _sign_magnitude_saturated(r: Any, y: Any, p: FloatPlan) -> Any:
    code = _wrap_signed(r, y, p)
    kept = np.floor(code * p.inverse_low_modulus)  # the N top bits
    last = kept - (p.one + p.one) * np.floor(kept * p.half) == p.one
    low = _low_bits(code if last != (r < p.zero) else -p.one - code, y, p)
    code = low + (p.top_neg if r < p.zero else p.top_pos)
    return r if p.lower <= r <= p.upper else code


def _loops(fit: Any) -> Any:
    """The loop of each rounding mode, with ``fit`` to bring codes into range."""

    @kernel(nogil=True)
    def quantize(x: Any, scale: Any, out: Any, factor: Any, p: FloatPlan) -> None:
        # Most nearest modes round to even, then move the ties that q sends elsewhere.  Adding
        # zero turns the -0.0 of a rounded negative into the value of code 0.
        q = p.q
        if q == TRN:
            for k in range(x.size):
                y = x[k] * scale
                out[k] = fit(np.floor(y), y, p) * factor + p.zero
        elif q == TRN_ZERO:
            for k in range(x.size):
                y = x[k] * scale
                out[k] = fit(np.trunc(y), y, p) * factor + p.zero
        elif q == RND_CONV:
            for k in range(x.size):
                y = x[k] * scale
                out[k] = fit(np.rint(y), y, p) * factor + p.zero
        elif q == RND:
            for k in range(x.size):
                y = x[k] * scale
                even = np.rint(y)
                r = even + (p.one if y - even == p.half else p.zero)
                out[k] = fit(r, y, p) * factor + p.zero
        elif q == RND_MIN_INF:
            for k in range(x.size):
                y = x[k] * scale
                even = np.rint(y)
                r = even - (p.one if even - y == p.half else p.zero)
                out[k] = fit(r, y, p) * factor + p.zero
        elif q == RND_INF:
            for k in range(x.size):
                y = x[k] * scale
                r = np.trunc(y + np.copysign(p.below_half, y))
                out[k] = fit(r, y, p) * factor + p.zero
        else:
            for k in range(x.size):
                y = x[k] * scale
                even = np.rint(y)
                step = np.copysign(p.one, y)
                r = even - (step if even - y == step * p.half else p.zero)
                out[k] = fit(r, y, p) * factor + p.zero

    return quantize


_saturated = _loops(_saturate)
_zeroed = _loops(_saturate_to_zero)
_wrapped_signed = _loops(_wrap_signed)
_wrapped_unsigned = _loops(_low_bits)
_wrapped_saturated = _loops(_wrap_saturated)
_magnitude = _loops(_sign_magnitude)
_magnitude_one = _loops(_sign_magnitude_one)
_magnitude_saturated = _loops(_sign_magnitude_saturated)


@kernel(nogil=True)
def _block(x: Any, scale: Any, out: Any, factor: Any, p: FloatPlan) -> None:
    o, n = p.o, p.n
    if o == SAT or o == SAT_SYM:
        _saturated(x, scale, out, factor, p)
    elif o == SAT_ZERO:
        _zeroed(x, scale, out, factor, p)
    elif o == WRAP and n > 0:
        _wrapped_saturated(x, scale, out, factor, p)
    elif o == WRAP and p.signed:
        _wrapped_signed(x, scale, out, factor, p)
    elif o == WRAP:
        _wrapped_unsigned(x, scale, out, factor, p)
    elif n == 0:
        _magnitude(x, scale, out, factor, p)
    elif n == 1:
        _magnitude_one(x, scale, out, factor, p)
    else:
        _magnitude_saturated(x, scale, out, factor, p)


@kernel(nogil=True, error_model="numpy")
def quantize_tame(x: Any, words: Any, limit: Any, out: Any, factor: Any, p: FloatPlan) -> Any:
    """Write ``factor * code`` for each of the flat floats ``x``, up to a block that must be tamed.

    Args:
        x: float32 or float64, contiguous.
        words: the same memory as unsigned integers.
        limit: twice the word of the largest magnitude whose scaled value is finite.
        out: the results; float32, float64 or int64, contiguous.
        factor: the LSB for values and one for codes, in the compute dtype.
        p: the target type in the compute dtype.

    Returns:
        How many were written.
    """
    for start in range(0, x.size, BLOCK):
        if _is_wild(words[start : start + BLOCK], limit):
            return start
        _block(x[start : start + BLOCK], p.scale, out[start : start + BLOCK], factor, p)
    return x.size


@kernel(nogil=True, error_model="numpy")
def quantize_wild(x: Any, out: Any, factor: Any, p: FloatPlan) -> None:
    """:func:`quantize_tame` of any floats, all of which are tamed first."""
    tamed = np.empty(BLOCK, np.float64).astype(type(factor))
    for start in range(0, x.size, BLOCK):
        source = x[start : start + BLOCK]
        y = tamed[: source.size]
        _tame(source, y, p)
        _block(y, p.one, out[start : start + BLOCK], factor, p)
