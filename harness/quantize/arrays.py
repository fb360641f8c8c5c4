"""The NumPy face of the quantizers: any shape, strides, byte order; the kernels see flat memory."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from harness.quantize import fixed_codes, float_codes, float_values, stochastic, wide
from harness.quantize.codes import check_codes, exact, like, narrowed
from harness.quantize.loops import Loop, loop_of
from harness.quantize.plan import (
    FLOATS,
    as_int64,
    float_misfit,
    loses_integer_bits,
    packing,
    plan,
)
from harness.types import (
    ApFixed,
    ApInt,
    Binary,
    BinaryFloat,
    NumberType,
    as_array,
    check_cast,
    plain,
)

__all__ = [
    "cast_codes",
    "check_codes",
    "decode",
    "decompose",
    "exact",
    "like",
    "narrowed",
    "quantize",
    "quantize_codes",
]

Array = np.ndarray[Any, Any]


def quantize(x: Any, t: NumberType, rng: Any = None) -> Any:
    """See :func:`harness.quantize.quantize`."""
    loop = loop_for(t, x.dtype) if type(x) is np.ndarray and rng is None else None
    if loop is not None:
        check_fits(t, x.dtype)
        return run_loop(x, loop)
    array = as_array(x)
    if array.dtype == object:
        return decode(like(quantize_codes(array, t, rng), x), t, object)
    check_fits(t, array.dtype)
    dtype, array = array.dtype, plain(array)
    if stochastic.check_rounding(t, rng):
        values = quantize(_drawn(array, t, rng), stochastic.deterministic(t))
        return like(values.astype(dtype), x)
    if array.dtype.kind == "f":
        flat = native(array)
        values = _fast_values(flat, t)
        if values is None:
            values = _values(_float_codes(flat, t), t, flat.dtype)
    else:
        values = _values(_integer_codes(array, t), t, array.dtype)
    return like(values.reshape(array.shape).astype(dtype, copy=False), x)


def quantize_codes(x: Any, t: NumberType, rng: Any = None) -> Any:
    """See :func:`harness.quantize.quantize_codes`."""
    loop = loop_for(t, x.dtype) if type(x) is np.ndarray and rng is None else None
    if loop is not None:
        return run_loop(x, loop, codes=True)
    array = plain(as_array(x))
    if stochastic.check_rounding(t, rng):
        return like(quantize_codes(_drawn(array, t, rng), stochastic.deterministic(t)), x)
    if array.dtype == object:
        codes = wide.map_codes(lambda number: wide.number_to_code(number, t), array)
        return like(codes if t.width > 64 else narrowed(codes), x)
    if t.width > 64:
        if array.dtype.kind == "f":
            return like(_wide_codes(array, t), x)
        return like(wide.map_codes(lambda v: wide.integer_to_code(int(v), 0, t), array), x)
    out = _float_codes(native(array), t) if array.dtype.kind == "f" else _integer_codes(array, t)
    return like(out.reshape(array.shape), x)


def _wide_codes(array: Array, t: NumberType) -> Array:
    """Codes of floats in a type of more than 64 bits; C++ has no constructor from a half."""
    if isinstance(t, ApInt) and array.dtype.itemsize < 8:
        words = widened(array, np.float32).view(np.uint32)
        return wide.map_codes(lambda word: wide.float_to_integer(word, t), words)
    doubles = widened(array, np.float64)
    return wide.map_codes(lambda v: wide.double_to_code(v, t), doubles)


def decode(codes: Any, t: NumberType, dtype: Any = None) -> Any:
    """See :func:`harness.quantize.decode`."""
    array = check_codes(codes, t)
    if dtype is object:
        return like(wide.map_codes(lambda c: wide.value(c, t), exact(array, t)), codes)
    target = np.dtype(np.float64 if dtype is None else dtype)
    if target.name not in FLOATS:
        raise TypeError(
            f"cannot decode to {target}; allowed: float16, float32, float64, or object for Fraction"
        )
    check_fits(t, target)
    return like(_values(array.astype(np.int64, copy=False), t, target), codes)


def decompose(x: Any, t: BinaryFloat) -> tuple[Any, Any]:
    """See :func:`harness.quantize.decompose`."""
    array = as_array(x)
    if array.dtype.name not in FLOATS:
        raise TypeError(f"cannot decompose {array.dtype}; allowed: float16, float32, float64")
    check_fits(t, array.dtype)
    dtype, array = array.dtype, plain(array)
    p = packing(t)
    codes = _float_codes(native(array), t)
    negative, significand, exponent = float_codes.unpack(codes, p)
    infinite, nan = float_codes.specials(codes, p)
    if bool((infinite | nan).any()):
        raise ValueError("NaN and infinities have no mantissa; x must be finite in the type")
    magnitude = np.ldexp(significand.astype(np.float64), -t.frac_bits)
    mantissa = np.where(negative != 0, -magnitude, magnitude).astype(dtype)
    exponent = exponent + t.frac_bits
    return like(mantissa.reshape(array.shape), x), like(exponent.reshape(array.shape), x)


def cast_codes(codes: Any, source: NumberType, target: NumberType) -> Any:
    """See :func:`harness.quantize.cast_codes`."""
    check_conversion(source, target)
    array = check_codes(codes, source)
    if source.width > 64 or target.width > 64:
        out = wide.map_codes(lambda c: wide.recode(c, source, target), exact(array, source))
        return like(out if target.width > 64 else narrowed(out), codes)
    flat = np.ascontiguousarray(array).ravel()
    if isinstance(source, BinaryFloat):
        out = _from_float(flat, source, target)
    elif isinstance(source, Binary):
        out = _integer_codes(2 * flat - 1, target)
    elif isinstance(target, Binary):
        out = _integer_codes(flat if source.signed else flat.view(np.uint64), target)
    elif isinstance(target, ApFixed) and _holds(target, source):
        out = flat << (target.frac - source.frac)
    else:
        # Below 64 bits an unsigned code is a signed one that happens not to be negative.
        unfolded = int(source.width == 64 and not source.signed)
        out = _from_words(flat, unfolded, source.frac, target)
        if loses_integer_bits(source, target):
            out[flat < 0] = as_int64(target.max_code if not target.signed else -1)
    return like(out.reshape(array.shape), codes)


def _holds(t: ApFixed, source: ApFixed) -> bool:
    """Whether a type has every value of another."""
    left = t.frac - source.frac
    lowest = plan(t).lower  # which a symmetric saturation does not leave alone
    return left >= 0 and lowest <= source.min_code << left and source.max_code << left <= t.max_code


def _from_float(flat: Array, source: BinaryFloat, target: NumberType) -> Array:
    """Codes of float codes in another type."""
    p = packing(source)
    infinite, nan = float_codes.specials(flat, p)
    if isinstance(target, Binary):
        refuse(nan, source, target)
        return np.asarray(float_codes.sign_code(flat, int(target.zero == 1), p))
    out = np.empty(flat.size, np.int64)
    if isinstance(target, ApFixed):
        refuse(nan | infinite, source, target)
        float_codes.floats_to_fixed(flat, out, p, plan(target))
        return out
    if target.nan_code is None:
        refuse(nan, source, target)
    float_codes.floats_to_floats(flat, out, p, packing(target))
    return out


def check_conversion(source: NumberType, target: NumberType) -> None:
    """Refuse a conversion into an integer type that C++ leaves undefined, or does not have."""
    check_cast(source, target)
    if isinstance(target, ApInt) and isinstance(source, BinaryFloat):
        raise ValueError(
            f"C++ converts no code of {source} to {target}; cast to an ap_fixed first, or quantize "
            "the values"
        )


def refuse(found: Any, source: BinaryFloat, target: NumberType) -> None:
    """``ValueError`` if any code was found that has no value in ``target``."""
    if bool(found.any()):
        raise ValueError(f"codes of {source} have NaN or infinity, {target} has none")


def native(array: Array) -> Array:
    """Flat, contiguous, in native byte order, and at least float32: what the kernels read."""
    dtype = np.dtype(np.float32) if array.dtype.itemsize == 2 else array.dtype.newbyteorder("=")
    return np.ascontiguousarray(widened(array, dtype)).ravel()


def widened(array: Array, dtype: Any) -> Array:
    """Floats as another dtype that holds them; a signalling NaN is no reason for a warning."""
    with np.errstate(invalid="ignore"):
        return array.astype(dtype, copy=False)


@functools.lru_cache(maxsize=4096)
def check_fits(t: NumberType, dtype: np.dtype[Any]) -> None:
    """Raise ``ValueError`` unless ``dtype`` holds every value of ``t``."""
    if dtype.name in FLOATS:
        wrong = float_misfit(t, FLOATS[dtype.name])
    elif dtype.isbuiltin == 2:
        wrong = f"quantize does not give {dtype} back; use float32 or quantize_codes"
    elif dtype.kind == "b":
        within = isinstance(t, ApFixed) and t.frac == 0 and t.min_exact == 0 and t.max_exact == 1
        wrong = None if within else f"{t} has values beyond 0 and 1; use float64 or quantize_codes"
    elif isinstance(t, BinaryFloat):
        wrong = f"{t} has fractions, {dtype} has none; use float64 or quantize_codes"
    elif isinstance(t, ApFixed) and t.frac > 0:
        wrong = f"{t} has fractional bits, {dtype} has none; use float64 or quantize_codes"
    elif t.min_exact < np.iinfo(dtype).min or t.max_exact > np.iinfo(dtype).max:
        wrong = f"{t} exceeds the range of {dtype}; use a wider dtype or quantize_codes"
    else:
        return
    if wrong is not None:
        raise ValueError(wrong)


def _drawn(array: Array, t: NumberType, rng: Any) -> Array:
    """A neighbour of each element in ``t``, by chance, as float64."""
    if array.dtype == object:
        raise TypeError(f"{t} rounds by chance, which takes floats of up to 64 bits")
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng must be a numpy.random.Generator, not {type(rng).__name__}")
    x = np.array(widened(array, np.float64), "=f8", order="C")
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        return np.asarray(stochastic.drawn(x, rng.random(x.shape), t, np))


def _fast_values(flat: Array, t: NumberType) -> Any:
    """Values by a float kernel; ``None`` where it would not be exact."""
    if isinstance(t, ApInt):
        return None  # by its codes, one of which is a quirk
    if isinstance(t, ApFixed):
        return _fast_fixed(flat, t, codes=False)
    if isinstance(t, Binary):
        return np.where(_is_one(flat, t), flat.dtype.type(1), flat.dtype.type(-1))
    p = float_values.value_plan(t, flat.dtype.name)
    return None if p is None else _run_values(flat, flat.dtype, t, p)


def _run_values(flat: Array, dtype: Any, t: BinaryFloat, p: float_values.ValuePlan) -> Array:
    """The values of a float type, as ``dtype``."""
    out = np.empty(flat.size, dtype)
    room = np.empty(3 * float_values.BLOCK, p.zero.dtype)
    loop = _float_loop(p.rounding, p.has_nan, p.directed, p.flush)
    if not loop(flat, room, room.view(f"u{room.itemsize}"), out, p):
        raise ValueError(f"x has NaN, {t} has none")
    return out


@functools.cache
def _float_loop(rounding: int, has_nan: int, directed: int, flush: int) -> Any:
    """The loop of a float type, which is compiled when it is first called."""
    known = {"rounding": rounding, "has_nan": has_nan, "directed": directed, "flush": flush}
    return float_values.quantize_values.given(**known)


def _fast_fixed(flat: Array, t: ApFixed, *, codes: bool) -> Array | None:
    """Fixed-point values, or codes as ``int64``, of a flat array."""
    loop = loop_of(t, flat.dtype.name)
    return None if loop is None else run_loop(widened(flat, loop.dtype), loop, codes=codes)


@functools.lru_cache(maxsize=4096)
def loop_for(t: NumberType, dtype: np.dtype[Any]) -> Loop | None:
    """The loop that takes floats of a dtype as they are; ``None`` where more is to be done."""
    if not isinstance(t, ApFixed) or isinstance(t, ApInt) or t.rounding.stochastic:
        return None
    if not dtype.isnative or dtype.name not in ("float32", "float64"):
        return None
    loop = loop_of(t, dtype.name)
    return None if loop is None or loop.dtype != dtype else loop


def run_loop(x: Array, loop: Loop, *, codes: bool = False, out: Array | None = None) -> Array:
    """Values in the loop's dtype, or codes as ``int64``, in the shape of ``x``.

    Args:
        x: of the loop's dtype.
        loop: of a type.
        codes: whether codes are wanted.
        out: where they go, flat and contiguous, if it is there already.
    """
    flat = x if x.ndim == 1 and x.flags.c_contiguous else np.ascontiguousarray(x).reshape(-1)
    if out is None:
        out = np.empty(flat.size, np.int64 if codes else loop.dtype)
    loop.write(flat, out, loop.codes if codes else loop.values)
    return out if x.ndim == 1 else out.reshape(x.shape)


def _float_codes(flat: Array, t: NumberType) -> Array:
    """Codes of floats in a type of at most 64 bits."""
    if isinstance(t, Binary):
        return _is_one(flat, t).astype(np.int64)
    if isinstance(t, ApFixed):
        return _with_quirk(_fixed_codes(flat, t), flat, t)
    out = np.empty(flat.size, np.int64)
    p = float_values.value_plan(t, flat.dtype.name)
    if p is not None:
        values = _run_values(widened(flat, p.zero.dtype), p.zero.dtype, t, p)
        words = values.view(f"i{values.itemsize}")
        float_values.values_to_codes(values, words, out, p, packing(t))
    elif not float_codes.doubles_to_codes(
        widened(flat, np.float64).view(np.int64), out, packing(t)
    ):
        raise ValueError(f"x has NaN, {t} has none")
    return out


def _fixed_codes(flat: Array, t: ApFixed) -> Array:
    fast = _fast_fixed(flat, t, codes=True)
    if fast is not None:
        return fast
    out = np.empty(flat.size, np.int64)
    fixed_codes.doubles_to_codes(flat, out, plan(t))
    return out


def _with_quirk(codes: Array, x: Array, t: ApFixed) -> Array:
    """An integer type's codes of floats: the header makes +1 of what is between -0.5 and 0."""
    if isinstance(t, ApInt):
        codes[(x < 0) & (x > -0.5)] = wide.wrapped(1, t)
    return codes


def _integer_codes(array: Array, t: NumberType) -> Array:
    """Codes of integers in a type of at most 64 bits."""
    if isinstance(t, Binary):
        return _is_one(array, t).astype(np.int64).ravel()
    unsigned = int(array.dtype.kind in "bu")
    wider = np.dtype(np.uint64 if unsigned else np.int64)
    flat = np.ascontiguousarray(array, dtype=wider).ravel().view(np.int64)
    return _from_words(flat, unsigned, 0, t)


def _from_words(flat: Array, unsigned: int, frac: int, t: Any) -> Array:
    """Codes of ``flat * 2**-frac``."""
    out = np.empty(flat.size, np.int64)
    if isinstance(t, ApFixed):
        fixed_codes.integers_to_codes(flat, out, unsigned, frac, plan(t))
    else:
        float_codes.integers_to_codes(flat, out, unsigned, -frac, packing(t))
    return out


def _is_one(x: Array, t: Binary) -> Array:
    if x.dtype.kind == "f" and np.isnan(x).any():
        raise ValueError(f"x has NaN, {t} has none")
    return x >= 0 if t.zero == 1 else x > 0


def _values(codes: Array, t: NumberType, dtype: np.dtype[Any]) -> Array:
    """Codes of a type that fits ``dtype``, as values; exact."""
    if isinstance(t, Binary):
        return (2 * codes - 1).astype(dtype)
    if isinstance(t, BinaryFloat):
        return float_decoded(codes, t).astype(dtype)
    if dtype.kind != "f":
        return (codes << -t.frac).astype(dtype)
    # An intermediate double may be scaled out of the range of a narrower result, never rounded.
    return np.ldexp(codes.astype(np.float64), -t.frac).astype(dtype)


def float_decoded(codes: Array, t: BinaryFloat) -> Array:
    """Codes of a float type that fits a double, as doubles."""
    p = packing(t)
    negative, significand, exponent = float_codes.unpack(codes, p)
    with np.errstate(over="ignore"):  # as numbers, infinities and NaN may be beyond a double
        values = np.ldexp(significand.astype(np.float64), np.clip(exponent, -4096, 4096))
    infinite, nan = float_codes.specials(codes, p)
    values = np.where(nan, np.nan, np.where(infinite, np.inf, values))
    return np.where(negative != 0, -values, values)
