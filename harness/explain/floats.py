"""One value on its way into a float, step by step; into binary; and into what rounds by chance."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from harness import reference
from harness.explain.numbers import dropped_bits, hexadecimal, number
from harness.oracle import Oracle, OracleError
from harness.oracle.domain import domain
from harness.oracle.kernels import OURS, VENDOR
from harness.reference import floats
from harness.types import Binary, BinaryFloat, MiniFloat
from harness.verify.witnesses import WITNESSES

__all__ = ["chances", "rows", "sign", "witnesses"]

Rows = list[tuple[str, str]]
#: Bits shown below the kept ones before the rest is summed up.
CONTEXT = 8


def rows(x: float, t: BinaryFloat) -> Rows:
    """What is printed: a name and a text for every step."""
    if t.rounding.stochastic:
        return chances(x, t)
    code = reference.from_double(x, t)
    found = [*_type(t), ("input", _input(x))]
    if math.isfinite(x) and x != 0:
        found += _placed(Fraction(x), t)
        found.append(("rounding", f"{t.rounding}, {t.rounding.law}"))
        found.append(("overflow", _brought_in(Fraction(x), code, t)))
    return found + _result(x, code, t)


def sign(x: float, t: Binary) -> Rows:
    """The same for one bit."""
    code = reference.from_double(x, t)
    return [
        ("type", f"-1 or 1 by the sign; 0 is {t.zero}"),
        ("input", _input(x)),
        ("code", str(code)),
        ("value", str(2 * code - 1)),
    ]


def chances(x: float, t: Any) -> Rows:
    """Both neighbours, and how likely each is."""
    if not math.isfinite(x):
        raise ValueError(f"{x} does not round by chance; allowed: finite values")
    value = Fraction(x)
    near, far = reference.neighbours(value, t)
    found = [
        ("type", f"{t.rounding}: {t.rounding.law}"),
        ("input", _input(x)),
        ("neighbour", f"code {near:#x} = {_value(near, t)}"),
    ]
    if near == far:
        return [*found, ("draw", "none: the type has this value, or overflow leaves no choice")]
    ends = [reference.decode(code, t) for code in (near, far)]
    shown = "1/2 for each"
    if "EQUAL" not in t.rounding.name and all(isinstance(end, Fraction) for end in ends):
        low, high = (Fraction(end) for end in ends)
        shown = f"{float((value - low) / (high - low)):.6g} for the second"
    return [*found, ("neighbour", f"code {far:#x} = {_value(far, t)}"), ("draw", shown)]


def witnesses(x: float, t: BinaryFloat, oracle: Oracle | None) -> list[tuple[str, str, bool]]:
    """Everyone who can say what is right: name, text, and whether it is the same code."""
    if t.rounding.stochastic:
        return []
    code = reference.from_double(x, t)
    if isinstance(t, MiniFloat):
        return [_by_header(header, x, t, code, oracle) for header in (OURS, VENDOR) if oracle]
    found = []
    for witness in WITNESSES:
        if not witness.accepts(t):
            continue
        if witness.inputs == "float32" and float(np.float32(x)) != x and not math.isnan(x):
            found.append((witness.name, "not asked: it would round twice", True))
            continue
        answer = int(witness.answers(np.array([x]), t)[0]) % (1 << t.width)
        name = f"{witness.name} {witness.version}".strip()
        found.append((name, _verdict(answer, code), answer == code))
    return found


def _type(t: BinaryFloat) -> Rows:
    kind = f"{t.exp_bits} exponent bits, {t.frac_bits} mantissa bits"
    reach = f"{number(t.smallest_exact)} to {number(t.max_exact)}"
    extras = "subnormals" if t.subnormals else "no subnormals"
    names = {"ieee": "infinities and NaN", "none": "neither infinities nor NaN"}
    return [
        ("type", f"{kind}, exponents {t.emin} to {t.emax}"),
        ("range", f"+-{reach}, {extras}, {names.get(t.specials, 'NaN, no infinities')}"),
    ]


def _input(x: float) -> str:
    return f"{hexadecimal(x)} = {number(Fraction(x))}" if math.isfinite(x) else str(x)


def _placed(value: Fraction, t: BinaryFloat) -> Rows:
    """The binade, and the bits that are kept and dropped."""
    exponent = floats.exponent_of(abs(value), t)
    y = abs(value) / Fraction(2) ** (exponent - t.frac_bits)
    floor = math.floor(y)
    kept = f"{floor:0{t.precision}b}"
    tail = dropped_bits(y - floor, CONTEXT)
    subnormal = ", subnormal" if floor >> t.frac_bits == 0 else ""
    return [
        ("exponent", f"{exponent}{subnormal}; one ulp is 2**{exponent - t.frac_bits}"),
        ("bits", f"[{kept[0]}.{kept[1:]}] {tail}   ([kept] guard, below)"),
    ]


def _brought_in(value: Fraction, code: int, t: BinaryFloat) -> str:
    found = reference.decode(code, t)
    if not isinstance(found, Fraction) or (abs(value) > t.max_exact and abs(found) == t.max_exact):
        return f"{t.overflow} -> {_value(code, t)}"
    if found == 0 and not t.subnormals:
        return "below the smallest normal: flushed to 0"
    return "none" if found else "none; rounds to 0"


def _result(x: float, code: int, t: BinaryFloat) -> Rows:
    negative, mantissa, _ = floats.unpack(code, t)
    word = f"{code:0{t.width}b}"
    fields = f"{word[0]} {word[1 : 1 + t.exp_bits]} {word[1 + t.exp_bits :]}".rstrip()
    found = [
        ("code", f"{code:#0{2 + (t.width + 3) // 4}x} = {fields}   (sign exponent mantissa)"),
        ("value", ("-" if negative and mantissa == 0 else "") + _value(code, t)),
    ]
    value = reference.decode(code, t)
    if math.isfinite(x) and isinstance(value, Fraction):
        found.append(("error", number(value - Fraction(x))))
    return found


def _value(code: int, t: Any) -> str:
    value = reference.decode(code, t)
    return number(value) if isinstance(value, Fraction) else str(value)


def _verdict(answer: int, code: int) -> str:
    return "the same" if answer == code else f"DIFFERENT: {answer:#x}"


def _by_header(
    header: str, x: float, t: MiniFloat, code: int, oracle: Oracle
) -> tuple[str, str, bool]:
    """Outside its domain the vendor's header may differ, and that is no disagreement."""
    try:
        answer = int(oracle.codes(x, t, header=header)[()]) % (1 << t.width)
    except OracleError as error:
        return header, f"no answer: {error}", True
    valid = domain(t, "double")
    clause = valid.broken(np.array([x]))[0] if header == VENDOR else ""
    if clause:
        outside = f"outside its domain ({clause}): {valid.describe()}"
        return header, f"{_verdict(answer, code)}, {outside}", True
    return header, _verdict(answer, code), answer == code
