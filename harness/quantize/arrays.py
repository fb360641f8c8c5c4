"""The NumPy face of the quantizers: any shape, strides, byte order; the kernels see flat memory."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from harness.quantize import codes as core
from harness.quantize import floats, wide
from harness.quantize.plan import FLOATS, as_int64, float_misfit, plan
from harness.types import ApFixed

__all__ = ["cast_codes", "check_codes", "decode", "quantize", "quantize_codes"]

Array = np.ndarray[Any, Any]


def quantize(x: Any, t: ApFixed) -> Any:
    """See :func:`harness.quantize.quantize`."""
    array = as_input(x)
    check_fits(t, array.dtype)
    if array.dtype.kind == "f":
        flat = native(array)
        values = _fast(flat, t, codes=False)
        if values is None:
            values = _scaled(_float_codes(flat, t), t, flat.dtype)
    else:
        values = _scaled(_integer_codes(array, t), t, array.dtype)
    return like(values.reshape(array.shape).astype(array.dtype, copy=False), x)


def quantize_codes(x: Any, t: ApFixed) -> Any:
    """See :func:`harness.quantize.quantize_codes`."""
    array = as_input(x)
    if t.width > 64:
        if array.dtype.kind == "f":
            doubles = widened(array, np.float64)
            return like(wide.map_codes(lambda v: wide.double_to_code(v, t), doubles), x)
        return like(wide.map_codes(lambda v: wide.integer_to_code(int(v), 0, t), array), x)
    if array.dtype.kind == "f":
        flat = native(array)
        fast = _fast(flat, t, codes=True)
        out = _float_codes(flat, t) if fast is None else fast.astype(np.int64)
    else:
        out = _integer_codes(array, t)
    return like(out.reshape(array.shape), x)


def decode(codes: Any, t: ApFixed, dtype: Any = None) -> Any:
    """See :func:`harness.quantize.decode`."""
    array = check_codes(codes, t)
    if dtype is object:
        out = np.empty(array.shape, dtype=object)
        unsigned = (1 << 64) - 1 if not t.signed and t.width == 64 else -1
        out.ravel()[:] = [Fraction(int(c) & unsigned) * t.lsb for c in array.ravel()]
        return like(out, codes)
    target = np.dtype(np.float64 if dtype is None else dtype)
    if target.kind != "f" or target.name not in FLOATS:
        raise TypeError(
            f"cannot decode to {target}; allowed: float16, float32, float64, or object for Fraction"
        )
    check_fits(t, target)
    return like(_scaled(array.astype(np.int64, copy=False), t, target), codes)


def cast_codes(codes: Any, source: ApFixed, target: ApFixed) -> Any:
    """See :func:`harness.quantize.cast_codes`."""
    array = check_codes(codes, source)
    if source.width > 64 or target.width > 64:
        values = exact(array, source)
        out = wide.map_codes(lambda c: wide.integer_to_code(c, source.frac, target), values)
        return like(out if target.width > 64 else narrowed(out), codes)
    flat = np.ascontiguousarray(array).ravel()
    out = np.empty(flat.size, np.int64)
    unsigned = int(not source.signed)
    core.integers_to_codes(flat, out, unsigned, source.frac, plan(target))
    return like(out.reshape(array.shape), codes)


def as_input(x: Any) -> Array:
    """``x`` as a float or integer array; ``TypeError`` for any other kind."""
    array = np.asarray(x)
    kind = array.dtype.kind
    if not (kind in "biu" or (kind == "f" and array.dtype.itemsize <= 8)):
        raise TypeError(
            f"cannot quantize dtype {array.dtype}; allowed: float16, float32, float64 and integers"
        )
    return array


def native(array: Array) -> Array:
    """Flat, contiguous, in native byte order, and at least float32: what the kernels read."""
    dtype = np.dtype(np.float32) if array.dtype.itemsize == 2 else array.dtype.newbyteorder("=")
    return np.ascontiguousarray(widened(array, dtype)).ravel()


def widened(array: Array, dtype: Any) -> Array:
    """Floats as another dtype that holds them; a signalling NaN is no reason for a warning."""
    with np.errstate(invalid="ignore"):
        return array.astype(dtype, copy=False)


def like(result: Array, x: Any) -> Any:
    """``result``, as a NumPy scalar if ``x`` was a scalar."""
    return result if isinstance(x, np.ndarray) or result.ndim else result[()]


def check_fits(t: ApFixed, dtype: np.dtype[Any]) -> None:
    """Raise ``ValueError`` unless ``dtype`` holds every value of ``t``."""
    if dtype.kind == "f":
        wrong = float_misfit(t, FLOATS[dtype.name])
    elif dtype.kind == "b":
        within = t.frac == 0 and t.min == 0 and t.max == 1
        wrong = None if within else f"{t} has values beyond 0 and 1; use float64 or quantize_codes"
    elif t.frac > 0:
        wrong = f"{t} has fractional bits, {dtype} has none; use float64 or quantize_codes"
    elif t.min < np.iinfo(dtype).min or t.max > np.iinfo(dtype).max:
        wrong = f"{t} exceeds the range of {dtype}; use a wider dtype or quantize_codes"
    else:
        return
    if wrong is not None:
        raise ValueError(wrong)


def check_codes(codes: Any, t: ApFixed) -> Array:
    """``codes`` as ``int64`` (W <= 64) or as they are; refuse what is not a code of ``t``."""
    array = np.asarray(codes)
    integers = array.dtype.kind == "O" and all(isinstance(c, int) for c in array.ravel())
    if array.dtype.kind not in "iu" and not integers:
        raise TypeError(f"codes must be integers, not {array.dtype}")
    if array.size:
        low, high = int(array.min()), int(array.max())
        # An unsigned 64-bit code travels as the int64 with the same bits.
        any_bits = t.width == 64 and not t.signed and array.dtype == np.int64
        if not any_bits and (low < t.min_code or high > t.max_code):
            wrong = low if low < t.min_code else high
            raise ValueError(f"{wrong} is not a code of {t}; allowed: {t.min_code} to {t.max_code}")
    if t.width > 64:
        return array
    if integers:
        return narrowed(array)
    return array.view(np.int64) if array.dtype == np.uint64 else array.astype(np.int64, copy=False)


def exact(array: Array, t: ApFixed) -> Array:
    """Codes as Python integers, an unsigned 64-bit one unfolded."""
    unfold = t.width == 64 and not t.signed
    return wide.map_codes(lambda c: int(c) % (1 << 64) if unfold else int(c), array)


def narrowed(codes: Array) -> Array:
    """Python integers of at most 64 bits as ``int64``."""
    out = np.empty(codes.shape, np.int64)
    out.ravel()[:] = [as_int64(int(c)) for c in codes.ravel()]
    return out


def _fast(flat: Array, t: ApFixed, *, codes: bool) -> Array | None:
    """Values, or codes as floats, by the float kernel; ``None`` where it would not be exact."""
    p = floats.float_plan(t, flat.dtype.name)
    if p is None:
        return None
    x = widened(flat, p.one.dtype)
    out = np.empty_like(x)
    words = x.view(f"u{x.itemsize}")
    floats.quantize_floats(x, words, floats.wild_limit(p), out, p.one if codes else p.inverse, p)
    return out


def _float_codes(flat: Array, t: ApFixed) -> Array:
    out = np.empty(flat.size, np.int64)
    core.doubles_to_codes(flat, out, plan(t))
    return out


def _integer_codes(array: Array, t: ApFixed) -> Array:
    unsigned = int(array.dtype.kind in "bu")
    wider = np.dtype(np.uint64 if unsigned else np.int64)
    flat = np.ascontiguousarray(array, dtype=wider).ravel().view(np.int64)
    out = np.empty(flat.size, np.int64)
    core.integers_to_codes(flat, out, unsigned, 0, plan(t))
    return out


def _scaled(codes: Array, t: ApFixed, dtype: np.dtype[Any]) -> Array:
    """Codes of a type that fits ``dtype``, as values; exact."""
    if dtype.kind != "f":
        return (codes << -t.frac).astype(dtype)
    # An intermediate double may be scaled out of the range of a narrower result, never rounded.
    return np.ldexp(codes.astype(np.float64), -t.frac).astype(dtype)
