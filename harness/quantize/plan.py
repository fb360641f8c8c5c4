"""What the kernels need to know of a type: a flat record of 64-bit integers, computed once."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from harness.types import (
    ApFixed,
    ApInt,
    Binary,
    BinaryFloat,
    FloatOverflow,
    FloatRounding,
    MiniFloat,
    Overflow,
)

__all__ = [
    "FloatFormat",
    "Packing",
    "Plan",
    "as_int64",
    "float_misfit",
    "loses_integer_bits",
    "packing",
    "plan",
]


class Plan(NamedTuple):
    """A target type of at most 64 bits.  Every field fits ``int64``; masks are bit patterns."""

    q: int
    o: int
    n: int
    signed: int
    width: int
    frac: int
    lower: int  # lowest code that saturation leaves
    upper: int
    mask: int  # the low W bits
    low_mask: int  # the low W - N bits
    top_pos: int  # the N saturated bits, in place, for a value above the range
    top_neg: int  # ... and below it


class Packing(NamedTuple):
    """A float target of at most 64 bits.  Magnitudes are codes without sign, exponent biased."""

    rounding: int
    frac: int
    emin: int
    emax: int
    flush: int  # 1 if there are no subnormals
    top: int  # magnitude of the largest number
    above: int  # ... of what a positive overflow becomes
    below: int  # ... and a negative one
    inf: int  # ... of what an infinity becomes
    nan: int  # -1 if there is none
    sign: int  # the sign bit, in place
    flip: int  # what makes of a biased exponent the one in the code
    zero_sign: int  # 1 if a zero keeps its sign
    underflow_sign: int  # 1 if a negative value that becomes zero does


class FloatFormat(NamedTuple):
    """The facts of a binary floating dtype that decide whether a type fits it."""

    name: str
    precision: int  # significand bits, the hidden one included
    emax: int  # exponent of the largest value
    emin: int  # exponent of the smallest subnormal
    wider: str | None  # the dtype to recommend


#: By the names that NumPy and torch share.
FLOATS = {
    "float16": FloatFormat("float16", 11, 15, -24, "float32"),
    "bfloat16": FloatFormat("bfloat16", 8, 127, -133, "float32"),
    "float32": FloatFormat("float32", 24, 127, -149, "float64"),
    "float64": FloatFormat("float64", 53, 1023, -1074, None),
}


def as_int64(bits: int) -> int:
    """The ``int64`` with the same low 64 bits."""
    bits &= (1 << 64) - 1
    return bits - (1 << 64) if bits >> 63 else bits


def loses_integer_bits(source: Any, target: Any) -> bool:
    """Whether an ``ap_fixed<W,0>`` becomes an integer type: what is negative becomes -1."""
    into_integer = isinstance(target, ApInt) and not isinstance(source, ApInt)
    return into_integer and isinstance(source, ApFixed) and source.signed and source.integer == 0


@functools.lru_cache(maxsize=4096)
def plan(t: ApFixed) -> Plan:
    """The plan of a type with W <= 64."""
    w, n = t.width, t.n
    sign_bit, low = 1 << (w - 1), (1 << (w - n)) - 1
    saturated = ((1 << n) - 1) << (w - n)
    symmetric = t.overflow is Overflow.SAT_SYM and t.signed
    # With W = 1 the header's SAT_SYM keeps code -1: there is no other negative code.
    lower = -t.max_code if symmetric and w > 1 else t.min_code
    top_pos = saturated & ~sign_bit if t.signed else saturated
    top_neg = sign_bit - (1 << w) if t.signed else saturated
    return Plan(
        q=int(t.rounding),
        o=int(t.overflow),
        n=n,
        signed=int(t.signed),
        width=w,
        frac=t.frac,
        lower=lower,
        upper=as_int64(t.max_code),
        mask=as_int64((1 << w) - 1),
        low_mask=as_int64(low),
        top_pos=as_int64(top_pos),
        top_neg=as_int64(top_neg),
    )


@functools.lru_cache(maxsize=4096)
def packing(t: BinaryFloat) -> Packing:
    """The packing of a float type with W <= 64."""
    top = t.max_magnitude
    saturates = t.overflow is FloatOverflow.SATURATE
    beyond = top + 1 if t.specials in ("ieee", "fn") else t.nan_code or top
    inf = top if saturates else beyond
    never = saturates or t.rounding in (FloatRounding.TOWARD_ZERO, FloatRounding.ODD)
    return Packing(
        rounding=int(t.rounding),
        frac=t.frac_bits,
        emin=t.emin,
        emax=t.emax,
        flush=int(not t.subnormals),
        top=top,
        above=top if never or t.rounding is FloatRounding.DOWN else as_int64(beyond),
        below=top if never or t.rounding is FloatRounding.UP else as_int64(beyond),
        inf=as_int64(inf),
        nan=-1 if t.nan_code is None else as_int64(t.nan_code),
        sign=as_int64(1 << (t.width - 1)),
        flip=as_int64(t.flip),
        zero_sign=int(t.negative_zero and not isinstance(t, MiniFloat)),
        underflow_sign=int(t.negative_zero),
    )


def float_misfit(t: Any, dtype: FloatFormat) -> str | None:
    """Why ``dtype`` cannot hold every value of ``t``, with the remedy; ``None`` if it can."""
    lowest, highest = _reach(t)
    if t.significand_bits > dtype.precision:
        wrong = (
            f"needs {t.significand_bits} bits of significand, {dtype.name} has {dtype.precision}"
        )
    elif lowest < dtype.emin:
        wrong = f"has LSB 2**{lowest}, below {dtype.name}'s 2**{dtype.emin}"
    elif highest > dtype.emax + 1:
        wrong = f"reaches 2**{highest - t.signed}, beyond {dtype.name}"
    else:
        return None
    wider = dtype.wider
    while wider is not None and float_misfit(t, FLOATS[wider]) is not None:
        wider = FLOATS[wider].wider
    remedy = f"use {wider} or quantize_codes" if wider else "use quantize_codes"
    return f"{t} {wrong}; {remedy}"


def _reach(t: Any) -> tuple[int, int]:
    """Exponents of the smallest positive value and of what no magnitude exceeds."""
    if isinstance(t, ApFixed):
        return -t.frac, t.integer  # a signed minimum is the power of two itself
    if isinstance(t, Binary):
        return 0, 0
    return t.emin - t.frac_bits * t.subnormals, t.emax + 1
