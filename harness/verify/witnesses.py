"""Independent truths for floats: MPFR, NumPy, ml_dtypes and the C++ compiler's own types.

A witness makes codes of doubles without any code of ours behind the rounding.  Every NaN counts as
the type's own, because libraries differ in its bits.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from harness import reference
from harness.extras import Late, has
from harness.oracle import native
from harness.types import FORMATS, BinaryFloat, FloatOverflow, FloatRounding, IeeeFloat, VitisFloat

__all__ = ["MPFR", "WITNESSES", "Witness", "decoded", "exact_codes", "number"]

gmpy2: Any = Late("gmpy2", "MPFR", "verify")
ml_dtypes: Any = Late("ml_dtypes", "a witness of floats", "verify")

Array = np.ndarray[Any, Any]
EVEN, UP, DOWN, ZERO = (
    FloatRounding.NEAREST_EVEN,
    FloatRounding.UP,
    FloatRounding.DOWN,
    FloatRounding.TOWARD_ZERO,
)
_MODES = {
    EVEN: "RoundToNearest",
    UP: "RoundUp",
    DOWN: "RoundDown",
    ZERO: "RoundToZero",
}


@dataclass(frozen=True)
class Witness:
    """A library that rounds doubles to floats.

    Attributes:
        name: the library, and what of it.
        find_version: its version.
        answers: codes of float64 values in a type: ``int64``, Python integers beyond 64 bits.
        accepts: whether it knows a type in all its modes.
        inputs: the dtype that it takes without rounding twice.
    """

    name: str
    find_version: Callable[[], str]
    answers: Callable[[Array, Any], Array]
    accepts: Callable[[Any], bool]
    inputs: str = "float64"

    @property
    def version(self) -> str:
        """Its version."""
        return self.find_version()


def _mpfr(x: Array, t: BinaryFloat) -> Array:
    """Codes by MPFR: to the precision, and to the exponents where the format has an end there."""
    if not _in_doubles(t):
        codes = [_mpfr_code(v, t) for v in x.tolist()]
        if t.width > 64:
            return np.array(codes, dtype=object)
        return np.array(codes, dtype=np.uint64).view(np.int64)
    if t.rounding in _MODES:
        return _finished(_rounded(x, t, t.rounding), x, t)
    low, high = _rounded(x, t, DOWN), _rounded(x, t, UP)
    with np.errstate(invalid="ignore"):
        to_low, to_high = x - low, high - x  # exact wherever they can be equal
        if t.rounding is FloatRounding.ODD:
            take_high = _magnitudes(np.abs(low), t) % 2 == 0
        else:
            outward = (x > 0) == (t.rounding is FloatRounding.NEAREST_AWAY)
            take_high = (to_high < to_low) | ((to_high == to_low) & outward)
    return _finished(np.where((low != high) & take_high, high, low), x, t)


def _context(t: BinaryFloat, mode: FloatRounding) -> Any:
    """Precision, and a lower end of exponents if there are subnormals; no upper end."""
    context = gmpy2.context(precision=t.precision, round=getattr(gmpy2, _MODES[mode]))
    if t.subnormals:
        # MPFR counts exponents of significands below one.
        context.emin = t.emin - t.frac_bits + 1
        context.subnormalize = True
    return context


def _rounded(x: Array, t: BinaryFloat, mode: FloatRounding) -> Array:
    """Values by MPFR, as doubles, which hold them."""
    mpfr = gmpy2.mpfr
    with gmpy2.context(_context(t, mode)):
        return np.array([float(mpfr(v)) for v in x.tolist()])


def _in_doubles(t: BinaryFloat) -> bool:
    """Whether results of unbounded exponents are doubles, those of doubles out of range aside."""
    return t.frac_bits < 52 and t.emax <= 1020 and t.emin - t.frac_bits >= -1070


def _finished(r: Array, x: Array, t: BinaryFloat) -> Array:
    """Flush, overflow and pack rounded values."""
    magnitude, negative = np.abs(r), np.signbit(x)
    if not t.subnormals:
        magnitude = np.where(magnitude < 2.0**t.emin, 0.0, magnitude)
    over = magnitude > float(t.max_exact)
    stays = np.isin(negative, _stays(t)) & np.isfinite(x)
    codes = np.where(over, 0.0, np.nan_to_num(magnitude, posinf=0.0))
    packed = np.where(over, np.where(stays, t.max_magnitude, _beyond(t)), _magnitudes(codes, t))
    return _signed(packed, negative & ~np.isnan(x), np.isnan(x), t)


def _stays(t: BinaryFloat) -> list[bool]:
    """The signs whose overflow stays at the largest number."""
    return {
        ZERO: [False, True],
        FloatRounding.ODD: [False, True],
        UP: [True],
        DOWN: [False],
    }.get(t.rounding, [])


def _beyond(t: BinaryFloat) -> int:
    """The magnitude's code that overflow becomes."""
    if t.overflow is FloatOverflow.SATURATE:
        return t.max_magnitude
    return t.nan_code if t.specials == "fnuz" else t.max_magnitude + 1  # type: ignore[return-value]


def _magnitudes(values: Array, t: BinaryFloat) -> Array:
    """Codes of magnitudes that the format has, as if exponents had no upper end."""
    fraction, exponent = np.frexp(values)  # fraction in [1/2, 1)
    place = np.maximum(exponent - 1, t.emin)
    significand = np.ldexp(values, t.frac_bits - place).astype(np.int64)
    return np.where(
        fraction == 0, 0, ((place - t.emin).astype(np.int64) << t.frac_bits) + significand
    )


def _signed(magnitude: Array, negative: Array, nan: Array, t: BinaryFloat) -> Array:
    """Whole codes."""
    minus = negative & (magnitude != (t.nan_code or -1))
    if t.specials == "fnuz":
        minus = minus & (magnitude != 0)
    sign = np.int64(-(1 << 63) if t.width == 64 else 1 << (t.width - 1))
    codes = np.where(minus, magnitude | sign, magnitude)
    return np.where(nan, t.nan_code or 0, codes).astype(np.int64)


def exact_codes(values: Sequence[Fraction | float], t: BinaryFloat) -> Array:
    """Codes of exact values by MPFR, in a type with infinities and every deterministic rounding.

    ``int64``, Python integers beyond 64 bits; a float stands for NaN, an infinity or a zero.
    """
    codes = [_exact_code(gmpy2.mpq(v) if isinstance(v, Fraction) else v, t) for v in values]
    if t.width > 64:
        return np.array(codes, dtype=object)
    return np.array(codes, dtype=np.uint64).view(np.int64)


def _exact_code(v: Any, t: Any) -> int:
    if t.rounding in _MODES:
        return _mpfr_code(v, t)
    inward = _mpfr_code(v, t.with_modes(rounding="TOWARD_ZERO"))
    outward = _mpfr_code(v, t.with_modes(rounding="UP" if v > 0 else "DOWN"))
    if inward == outward:
        return inward
    if t.rounding is FloatRounding.ODD:
        return inward if inward % 2 else outward
    low = abs(Fraction(number(inward, t)))
    ends = math.isinf(number(outward, t))
    high = Fraction(2) ** (t.emax + 1) if ends else abs(Fraction(number(outward, t)))
    twice, middle = 2 * abs(v), gmpy2.mpq(low + high)
    away = t.rounding is FloatRounding.NEAREST_AWAY
    return outward if twice > middle or (away and twice == middle) else inward


def number(code: int, t: BinaryFloat) -> Fraction | float:
    """The value of a code by the exact reference; a zero is a float, and keeps its sign."""
    found = reference.decode(code, t)
    return found or (-0.0 if reference.floats.unpack(code, t)[0] else 0.0)


def decoded(codes: Array, t: BinaryFloat) -> Array:
    """The values of codes of at most 64 bits that are doubles; by a library that has the type."""
    dtype = _STORED.get(t) or (_names().get(t) if isinstance(t, IeeeFloat) else None)
    if dtype is None or np.dtype(dtype).itemsize * 8 != t.width:
        return np.array([float(number(int(c) % (1 << t.width), t)) for c in codes])
    words = codes.astype(np.int64).view(np.uint64).astype(f"u{t.width // 8}")
    with np.errstate(invalid="ignore"):  # a signalling NaN
        values: Array = words.view(dtype).astype(np.float64)
    return values


def _mpfr_code(x: Any, t: BinaryFloat) -> int:
    """The code of one value where results are no doubles: by MPFR's own exponents."""
    if x != x:  # noqa: PLR0124  # a NaN, of whatever kind
        return t.nan_code or 0
    minus = bool(np.signbit(x)) if isinstance(x, float) else x < 0
    sign = minus << (t.width - 1)
    with gmpy2.context(_context(t, t.rounding)) as context:
        if t.specials == "ieee" and t.overflow is FloatOverflow.INF:
            context.emax = t.emax + 1
        r = gmpy2.mpfr(x)
        if gmpy2.is_infinite(r):
            return sign | t.max_magnitude + 1
        if r == 0:
            return sign
        digits, exponent = r.as_mantissa_exp()
        digits, exponent = abs(int(digits)), int(exponent)
    place = digits.bit_length() - 1 + exponent
    if place < t.emin and not t.subnormals:
        return sign
    place = max(place, t.emin)
    shift = exponent - place + t.frac_bits
    significand = digits << shift if shift >= 0 else digits >> -shift
    return sign | ((place - t.emin) << t.frac_bits) + significand


def _mpfr_accepts(t: Any) -> bool:
    if not isinstance(t, IeeeFloat | VitisFloat) or t.rounding.stochastic or not has("gmpy2"):
        return False
    plain = t.rounding in _MODES and t.specials == "ieee" and t.overflow is FloatOverflow.INF
    return _in_doubles(t) or plain


def _mpfr_version() -> str:
    return f"{gmpy2.mpfr_version().split()[-1]} (gmpy2 {gmpy2.version()})"


MPFR = Witness("MPFR", _mpfr_version, _mpfr, _mpfr_accepts)


def _cast(dtype: Any, x: Array, t: BinaryFloat) -> Array:
    """Codes by a NumPy cast, from float64 or, where that is exact, from float32."""
    with np.errstate(all="ignore"):
        found = x.astype(dtype)
    words = found.view(f"u{found.dtype.itemsize}").astype(np.int64) & t.max_code
    return np.where(np.isnan(found.astype(np.float64)), t.nan_code or 0, words)


def _numpy(x: Array, t: BinaryFloat) -> Array:
    return _cast(np.float16 if t.width == 16 else np.float32, x, t)


@functools.cache
def _names() -> dict[IeeeFloat, Any]:
    """The formats that ml_dtypes has, if it is there."""
    if not has("ml_dtypes"):
        return {}
    return {t: getattr(ml_dtypes, name) for name, t in FORMATS.items() if hasattr(ml_dtypes, name)}


def _ml_dtypes(x: Array, t: Any) -> Array:
    return _cast(_names()[t], x.astype(np.float32), t)


def _canonical(words: Array, x: Array, t: BinaryFloat) -> Array:
    return np.where(np.isnan(x), t.nan_code or 0, words)


def _native(x: Array, t: BinaryFloat) -> Array:
    if t.width == 16:
        return _canonical(native.native_float16(x), x, t)
    return _canonical(native.native_float(x, t.rounding.name), x, t)


def _native_accepts(t: Any) -> bool:
    if t == FORMATS["float16"]:
        return native.has_float16()
    float32 = FORMATS["float32"]
    return isinstance(t, IeeeFloat) and t in [float32.with_modes(rounding=m) for m in native.MODES]


_STORED: dict[Any, Any] = {
    FORMATS["float16"]: np.float16,
    FORMATS["float32"]: np.float32,
    IeeeFloat(11, 52): np.float64,
}
_NUMPY = (FORMATS["float16"], FORMATS["float32"])
#: In the order of a report.
WITNESSES = (
    MPFR,
    Witness("NumPy casts", lambda: np.__version__, _numpy, lambda t: t in _NUMPY),
    # From doubles ml_dtypes rounds twice, by way of float32; from float32 once.
    Witness(
        "ml_dtypes",
        lambda: str(ml_dtypes.__version__),
        _ml_dtypes,
        lambda t: t in _names(),
        "float32",
    ),
    Witness("C++ float, _Float16", str, _native, _native_accepts),
)
