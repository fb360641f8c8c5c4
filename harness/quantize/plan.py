"""What the kernels need to know of a type: a flat record of 64-bit integers, computed once."""

from __future__ import annotations

import functools
from typing import NamedTuple

from harness.types import ApFixed, Overflow

__all__ = ["FloatFormat", "Plan", "as_int64", "float_misfit", "plan"]


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


def float_misfit(t: ApFixed, dtype: FloatFormat) -> str | None:
    """Why ``dtype`` cannot hold every value of ``t``, with the remedy; ``None`` if it can."""
    if t.significand_bits > dtype.precision:
        wrong = (
            f"needs {t.significand_bits} bits of significand, {dtype.name} has {dtype.precision}"
        )
    elif -t.frac < dtype.emin:
        wrong = f"has LSB 2**{-t.frac}, below {dtype.name}'s 2**{dtype.emin}"
    elif t.integer > dtype.emax + 1:  # a signed minimum is the power of two itself
        wrong = f"reaches 2**{t.integer - t.signed}, beyond {dtype.name}"
    else:
        return None
    wider = dtype.wider
    while wider is not None and float_misfit(t, FLOATS[wider]) is not None:
        wider = FLOATS[wider].wider
    remedy = f"use {wider} or quantize_codes" if wider else "use quantize_codes"
    return f"{t} {wrong}; {remedy}"
