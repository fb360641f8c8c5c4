"""What is special about a case: flags, each a predicate on exact numbers, each explained."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from harness import reference
from harness.reference.fixed import ROUND
from harness.reference.floats import exponent_of
from harness.types import ApFixed, ApInt, Binary, BinaryFloat, Overflow

__all__ = ["FLAGS", "conversion_flags", "explain"]

HALF = Fraction(1, 2)

FLAGS = {
    "tie": "exactly between two neighbours of the type",
    "tie+ulp": "the next input above a tie",
    "tie-ulp": "the next input below a tie",
    "carry": "rounding carried out of the range: into the sign, or past the largest value",
    "carry-binade": "rounding carried into the next power of two",
    "saturate-max": "clamped to the largest value",
    "saturate-min": "clamped to the lowest value",
    "at-bound": "less than one step beyond the largest magnitude, and back to it",
    "symmetric": "the lowest code, brought to the opposite of the highest by SAT_SYM",
    "zeroed": "out of range, made 0 by SAT_ZERO",
    "wrap": "out of range, the low bits kept by WRAP with N = 0",
    "wrap-n": "out of range, kept by WRAP with its N highest bits saturated",
    "wrap-sm": "out of range, kept by WRAP_SM with N = 0",
    "wrap-sm-n": "out of range, kept by WRAP_SM with its N highest bits saturated",
    "negative-to-unsigned": "a negative value, rounded, for an unsigned type",
    "zero": "the input is 0, which has no sign of its own",
    "minus-zero": "the input is -0.0",
    "subnormal-input": "the input is a subnormal number",
    "nan": "the input is not a number",
    "infinity": "the input is infinite",
    "subnormal": "the result is a subnormal number",
    "underflow": "a value other than 0 became 0",
    "overflow": "became infinity, or NaN in a format without infinities",
    "cut": "the quotient has more bits than its type, and is cut toward zero",
    "bits-lost": "bits left the word",
    "ap_float.h": "the vendor's ap_float.h was asked as well, in its validity domain, and agrees",
    **{f"quirk:{name}": f"header quirk: {text}" for name, text in reference.QUIRKS.items()},
}


def explain(used: set[str], more: dict[str, str] | None = None) -> dict[str, str]:
    """The explanations of the flags used, in a fixed order."""
    known = FLAGS | (more or {})
    return {name: known[name] for name in known if name in used}


def conversion_flags(
    value: Any, below: Any, above: Any, target: Any, code: int, source: Any = None
) -> list[str]:
    """The flags of one value on its way into ``target``.

    Args:
        value: the input: a float, or exact.
        below: the next input below it, or ``None``; for ties.
        above: the next one above it, or ``None``.
        target: the type.
        code: what the reference says.
        source: the type of the input, or the C++ number that it is, if any.
    """
    found = _input_flags(value)
    if isinstance(target, Binary):
        return found if value else ["zero", *found]
    exact, lower, upper = (_exact(x, target, source) for x in (value, below, above))
    if exact is not None:
        found += _tie_flags(exact, lower, upper, target)
        find = _fixed_flags if isinstance(target, ApFixed) else _float_flags
        found += find(exact, target, code)
    elif isinstance(target, BinaryFloat) and not math.isnan(value):
        found += _overflow_flags(value < 0, target, code)
    if isinstance(target, ApFixed):
        found += _quirk_flags(value, target, code, source)
    return found


def _exact(value: Any, target: Any, source: Any) -> Fraction | None:
    """The exact value that is converted; ``None`` for NaN and, into floats, infinities."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float):
        if isinstance(target, ApFixed):
            own = isinstance(target, ApInt) and str(source) == "float"
            return reference.as_header_reads(value, from_float=own)
        return None if math.isinf(value) else Fraction(value)
    return Fraction(value)


def _input_flags(value: Any) -> list[str]:
    if not isinstance(value, float):
        return []
    if math.isnan(value):
        return ["nan"]
    if math.isinf(value):
        return ["infinity"]
    if value == 0:
        return ["minus-zero"] if math.copysign(1, value) < 0 else []
    return ["subnormal-input"] if abs(value) < 2.0**-1022 else []


def _is_tie(exact: Fraction | None, t: Any) -> bool:
    if not exact:
        return False
    unit = t.lsb_exact if isinstance(t, ApFixed) else _unit(exact, t)
    return exact / unit % 1 == HALF


def _unit(exact: Fraction, t: BinaryFloat) -> Fraction:
    """The distance of the neighbours of a value, as if exponents had no upper end."""
    return Fraction(2) ** (exponent_of(abs(exact), t) - t.frac_bits)


def _tie_flags(exact: Fraction, below: Any, above: Any, t: Any) -> list[str]:
    checks = {"tie": exact, "tie+ulp": below, "tie-ulp": above}
    return [name for name, x in checks.items() if _is_tie(x, t)]


def _fixed_flags(exact: Fraction, t: ApFixed, code: int) -> list[str]:
    y = exact / t.lsb_exact
    rounded, floor = ROUND[t.rounding](y), math.floor(y)
    found = []
    fits = t.min_code <= rounded <= t.max_code
    if not fits and t.min_code <= floor <= t.max_code:
        found.append("carry")
    if rounded < 0 and not t.signed:
        found.append("negative-to-unsigned")
    if fits:
        if t.overflow is Overflow.SAT_SYM and code != rounded:
            found.append("symmetric")
        return found
    saturates = "saturate-min" if rounded < 0 else "saturate-max"
    names = {
        Overflow.SAT: saturates,
        Overflow.SAT_SYM: saturates,
        Overflow.SAT_ZERO: "zeroed",
        Overflow.WRAP: "wrap-n" if t.n else "wrap",
        Overflow.WRAP_SM: "wrap-sm-n" if t.n else "wrap-sm",
    }
    return [*found, names[t.overflow]]


def _quirk_flags(value: Any, t: ApFixed, code: int, source: Any) -> list[str]:
    """The quirks that explain why a code is not the definition's."""
    try:
        if isinstance(value, float):
            published = reference.from_double(value, t, published=True)
        else:
            published = reference.fixed.to_code(Fraction(value), t, published=True)
    except ValueError:  # NaN and infinities have no code by the definition
        published = None
    if published == code:
        return []
    names = reference.quirks(value, t)
    if isinstance(source, ApFixed):
        names = reference.fixed.cast_quirks(value, source, t)
    found = [f"quirk:{name}" for name in names]
    assert found, f"{value} in {t}: no quirk explains {code} instead of {published}"
    return found


def _float_flags(exact: Fraction, t: BinaryFloat, code: int) -> list[str]:
    if exact == 0:
        return []
    result = reference.decode(code, t)
    if isinstance(result, float) or abs(exact) >= t.max_exact + _unit(t.max_exact, t):
        return _overflow_flags(exact < 0, t, code)
    if abs(result) == t.max_exact < abs(exact):
        return ["at-bound"]
    if result == 0:
        return ["underflow"]
    found = []
    if abs(result) < Fraction(2) ** t.emin:
        found.append("subnormal")
    elif exponent_of(abs(result), t) > exponent_of(abs(exact), t):
        found.append("carry-binade")
    return found


def _overflow_flags(negative: bool, t: BinaryFloat, code: int) -> list[str]:
    if isinstance(reference.decode(code, t), float):
        return ["overflow"]
    return ["saturate-min" if negative else "saturate-max"]
