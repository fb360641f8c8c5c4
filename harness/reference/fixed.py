"""Fixed-point conversion, one exact scalar at a time.

The published definition reads: take the exact value in units of the LSB, round it to an integer by
the quantization mode, and bring that integer into range by the overflow mode.  This module is that
sentence in ``int`` and ``Fraction``.  Where the vendor's headers do something else, the departure
is one of the named quirks below, and ``published=True`` switches them all off.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from fractions import Fraction

from harness.types import (
    ApFixed,
    ApInt,
    Overflow,
    Rounding,
    as_fixed_type,
    check_cast,
    not_a_code,
)

__all__ = [
    "QUIRKS",
    "as_header_reads",
    "cast",
    "cast_quirks",
    "decode",
    "from_double",
    "from_float",
    "from_int",
    "quirks",
    "to_code",
    "wrap",
]

HALF = Fraction(1, 2)

QUIRKS = {
    "sat-sym-one-bit": "SAT_SYM with W = 1, signed: a negative value gives code -1; -max is 0",
    "wrap-sm-unrounded-bit": (
        "WRAP_SM with N = 0 takes the lowest deleted bit from the value before rounding"
    ),
    "non-finite": (
        "NaN and the infinities are taken as +-2**1024 * 1.fraction, those of a float into an "
        "ap_[u]int as +-2**128 * 1.fraction"
    ),
    "division-of-minimum": "signed / signed: the most negative dividend by code -1 stays negative",
    "subnormal": "a subnormal double gets an implicit one: +-2**-1023 * 1.fraction",
    "ap-int-small-negative": "a float or double between -0.5 and 0 becomes +1 in an ap_[u]int",
    "ap-int-no-integer-bits": "a negative ap_fixed<W,0> becomes -1 in an ap_[u]int",
    "ap-int-division": (
        "ap_int / ap_int, %: of a signed and a wider unsigned operand both are read as unsigned"
    ),
    "ap-int-remainder": "ap_uint % a negative ap_int is the ap_uint, in the narrower one's width",
    "ap-int-xor-reduce": (
        "xor_reduce of a negative ap_int of an odd width up to 64 counts its sign in 64 bits"
    ),
    "ap-int-assign-fixed": "ap_int op= ap_fixed cuts the ap_fixed toward zero first",
    "comparison-unsigned": (
        "a signed and an unsigned operand of 32 bits or more, the signed one not the wider: a "
        "negative value is above every other"
    ),
    "equality-modulo": (
        "== takes a signed operand modulo 2**W of a wider, or as wide, unsigned one, unless that "
        "is on the left and has the coarser LSB"
    ),
    "comparison-sat-sym": (
        "the lowest code of a coarser SAT_SYM operand on the right is compared one step up"
    ),
}
"""What the headers do that the published definition does not say, by name."""


def decode(code: int, t: ApFixed) -> Fraction:
    """The exact value of ``code``; ``ValueError`` if ``t`` has no such code."""
    if not t.min_code <= code <= t.max_code:
        raise ValueError(not_a_code(code, t))
    return code * t.lsb_exact


def from_double(x: float, t: ApFixed, *, published: bool = False) -> int:
    """The code of ``t(x)`` for a C++ ``double``.

    With ``published=True`` the answer is the definition's, and ``ValueError`` is raised for NaN
    and infinities, which it does not define.
    """
    if published:
        if not math.isfinite(x):
            raise ValueError(f"the definition gives no code for {x}")
        return to_code(Fraction(x), t, published=True)
    return _as_read(as_header_reads(x), t)


def from_float(x: float, t: ApFixed, *, published: bool) -> int:
    """The code of ``t(x)`` for a C++ ``float``, given as the Python float of its value.

    It widens to a double, but for an ``ap_int`` or ``ap_uint``, which have a constructor of their
    own: there its NaN and infinities have their bits from 2**105 on, which wide types have too.
    What else it reads is what the other reads.  The fraction of a NaN is that of ``x``, so that a
    signalling one, which no Python float of another width is, counts as quiet.

    With ``published=True`` it is as in :func:`from_double`.
    """
    if published or not isinstance(t, ApInt) or math.isfinite(x):
        return from_double(x, t, published=published)
    return _as_read(as_header_reads(x, from_float=True), t)


def _as_read(value: Fraction, t: ApFixed) -> int:
    if isinstance(t, ApInt) and -HALF < value < 0:
        return wrap(1, t)
    return to_code(value, t)


def from_int(x: int, t: ApFixed, *, published: bool = False) -> int:
    """The code of ``t(x)`` for an integer of any width."""
    return to_code(Fraction(x), t, published=published)


def cast(code: int, source: ApFixed, t: ApFixed, *, published: bool = False) -> int:
    """The code of ``t(a)`` where ``a`` is the ``source`` value with this code.

    Raises:
        ValueError: if ``source`` has no such code, or the headers leave the conversion undefined.
    """
    value = decode(code, source)
    if not published:
        check_cast(source, t)
        if "ap-int-no-integer-bits" in cast_quirks(value, source, t):
            return wrap(-1, t)
    return to_code(value, t, published=published)


def cast_quirks(value: Fraction, source: ApFixed | str, t: ApFixed | str) -> list[str]:
    """The names of the quirks that could move the code of a ``source`` value in ``t``."""
    source, t = as_fixed_type(source), as_fixed_type(t)
    found = quirks(value, t)
    loses = isinstance(t, ApInt) and not isinstance(source, ApInt) and source.integer == 0
    return [*found, "ap-int-no-integer-bits"] if loses and value < 0 else found


def to_code(value: Fraction, t: ApFixed, *, published: bool = False) -> int:
    """Round, then overflow: the code of an exact ``value`` in ``t``."""
    y = value / t.lsb_exact
    rounded = ROUND[t.rounding](y)
    return _overflow(rounded, math.floor(y), t, published)


def quirks(x: float | Fraction, t: ApFixed | str) -> list[str]:
    """The names of the quirks that could move the code of ``x`` in ``t``: predicates, not answers.

    Wherever header and definition differ, at least one of these holds.
    """
    t, found = as_fixed_type(t), []
    if t.overflow is Overflow.SAT_SYM and t.signed and t.width == 1 and x < 0:
        found.append("sat-sym-one-bit")
    if t.overflow is Overflow.WRAP_SM and t.n == 0 and t.rounding is not Rounding.TRN:
        found.append("wrap-sm-unrounded-bit")
    if isinstance(x, float):
        if not math.isfinite(x):
            found.append("non-finite")
        elif 0 < abs(x) < 2.0**-1022:
            found.append("subnormal")
        if isinstance(t, ApInt) and -0.5 < x < 0:
            found.append("ap-int-small-negative")
    return found


def as_header_reads(x: float, *, from_float: bool = False) -> Fraction:
    """The value the double constructor sees: sign, exponent field and 1.fraction, no exceptions.

    With ``from_float`` that of a float's NaN or infinity, which has a narrower exponent field.
    """
    (bits,) = struct.unpack("<Q", struct.pack("<d", x))
    if bits << 1 & (1 << 64) - 1 == 0:
        return Fraction(0)
    exponent = (bits >> 52 & 0x7FF) - 1023
    if from_float and not math.isfinite(x):
        exponent = 128
    significand = Fraction(1 << 52 | bits & (1 << 52) - 1, 1 << 52)
    magnitude: Fraction = significand * Fraction(2) ** exponent
    return -magnitude if bits >> 63 else magnitude


def _toward(y: Fraction, tie: Callable[[int], bool]) -> int:
    """The nearest integer; at a tie the upper neighbour if ``tie(lower)``, else the lower."""
    lower = math.floor(y)
    remainder = y - lower
    if remainder == HALF:
        return lower + tie(lower)
    return lower + (remainder > HALF)


#: Each rounding mode as a function from the exact quotient to an integer.
ROUND: dict[Rounding, Callable[[Fraction], int]] = {
    Rounding.TRN: math.floor,
    Rounding.TRN_ZERO: math.trunc,
    Rounding.RND: lambda y: _toward(y, lambda lower: True),
    Rounding.RND_MIN_INF: lambda y: _toward(y, lambda lower: False),
    Rounding.RND_ZERO: lambda y: _toward(y, lambda lower: lower < 0),
    Rounding.RND_INF: lambda y: _toward(y, lambda lower: lower >= 0),
    Rounding.RND_CONV: lambda y: _toward(y, lambda lower: lower % 2 == 1),
}


def wrap(code: int, t: ApFixed) -> int:
    """The low W bits of ``code``, read as a code of ``t``."""
    low = code % (1 << t.width)
    return low - (1 << t.width) if low > t.max_code else low


def _overflow(v: int, floor: int, t: ApFixed, published: bool) -> int:
    """Bring the rounded code ``v`` into range; ``floor`` is the code before rounding."""
    if t.overflow is Overflow.SAT_SYM and t.signed:
        lowest = -1 if t.width == 1 and not published else -t.max_code
        return min(max(v, lowest), t.max_code)
    if t.min_code <= v <= t.max_code:
        return v
    match t.overflow:
        case Overflow.SAT | Overflow.SAT_SYM:
            return min(max(v, t.min_code), t.max_code)
        case Overflow.SAT_ZERO:
            return 0
        case Overflow.WRAP:
            return _wrap_saturated(v, t)
        case Overflow.WRAP_SM:
            return _wrap_sign_magnitude(v, v if published else floor, t)


def _with_top_bits(code: int, t: ApFixed, bits: int) -> int:
    """``code`` with its N highest bits replaced by ``bits``, an N-bit pattern."""
    low = code % (1 << (t.width - t.n))
    return wrap(bits << (t.width - t.n) | low, t)


def _saturated_bits(v: int, t: ApFixed) -> int:
    """The N saturated bits of a signed type: the sign of ``v``, then its inverse."""
    return 1 << (t.n - 1) if v < 0 else (1 << (t.n - 1)) - 1


def _wrap_saturated(v: int, t: ApFixed) -> int:
    if t.n == 0:
        return wrap(v, t)
    bits = _saturated_bits(v, t) if t.signed else (1 << t.n) - 1
    return _with_top_bits(wrap(v, t), t, bits)


def _wrap_sign_magnitude(v: int, deleted_from: int, t: ApFixed) -> int:
    code = wrap(v, t)
    if t.n == 0:
        # The lowest deleted bit becomes the sign; where that changes it, the rest is inverted.
        sign = -(deleted_from >> t.width & 1)
        return ~code if (code < 0) != (sign < 0) else code
    if t.n == 1:
        return ~code if (code < 0) != (v < 0) else code
    if (code >> (t.width - t.n) & 1) == (v < 0):
        code = ~code
    return _with_top_bits(code, t, _saturated_bits(v, t))
