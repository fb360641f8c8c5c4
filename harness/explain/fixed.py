"""One value on its way into fixed point, step by step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from harness import reference
from harness.explain.numbers import dropped_bits, hexadecimal, number
from harness.reference.fixed import ROUND
from harness.types import ApFixed, brief

__all__ = ["Explanation", "explain", "explain_cast", "rows"]

#: Bits shown on either side of the type's window before the rest is summed up.
CONTEXT = 12


@dataclass(frozen=True)
class Explanation:
    """The steps of one conversion.

    Attributes:
        value: the input: a double, or of a cast the code of its operand.
        exact: its exact value, as the headers read it.
        type: the target.
        floor: the code before rounding, an unbounded integer.
        guard: the first bit that is dropped.
        sticky: whether any bit below it is set.
        rounded: the code after rounding, unbounded.
        code: the code after overflow.
        quirks: header quirks that may have moved it.
        source: the type of the operand, of a cast.
    """

    value: float
    exact: Fraction
    type: ApFixed
    floor: int
    guard: int
    sticky: bool
    rounded: int
    code: int
    quirks: tuple[str, ...]
    source: ApFixed | None = None

    @property
    def result(self) -> Fraction:
        """The value of the code."""
        return self.code * self.type.lsb_exact

    @property
    def overflows(self) -> bool:
        """Whether the rounded code is out of range."""
        return not self.type.min_code <= self.rounded <= self.type.max_code


def explain(x: float, t: ApFixed) -> Explanation:
    """Take ``x`` into ``t`` by the exact reference, keeping every step."""
    exact, code = reference.as_header_reads(x), reference.from_double(x, t)
    return _steps(x, exact, t, code, reference.quirks(x, t))


def explain_cast(code: int, source: ApFixed, t: ApFixed) -> Explanation:
    """The same for the ``source`` value with this code."""
    exact, answer = reference.decode(code, source), reference.cast(code, source, t)
    assert isinstance(exact, Fraction)
    return _steps(code, exact, t, answer, reference.cast_quirks(exact, source, t), source)


def _steps(
    given: float,
    exact: Fraction,
    t: ApFixed,
    code: int,
    quirks: list[str],
    source: ApFixed | None = None,
) -> Explanation:
    y = exact / t.lsb_exact
    floor = math.floor(y)
    rest = y - floor
    return Explanation(
        value=given,
        exact=exact,
        type=t,
        floor=floor,
        guard=int(rest >= Fraction(1, 2)),
        sticky=rest not in (0, Fraction(1, 2)),
        rounded=ROUND[t.rounding](y),
        code=code,
        quirks=tuple(quirks),
        source=source,
    )


def rows(steps: Explanation) -> list[tuple[str, str]]:
    """What is printed: a name and a text for every step."""
    t = steps.type
    moved = "+1" if steps.rounded != steps.floor else "stays"
    kind = t.cpp.partition("<")[0]
    rows = [
        ("type", f"{kind}: {t.integer} integer bits, {t.frac} fractional bits, LSB 2**{-t.frac}"),
        (
            "range",
            f"{number(t.min_exact)} to {number(t.max_exact)}, "
            f"codes {brief(t.min_code)} to {brief(t.max_code)}",
        ),
        ("input", f"{_given(steps)} = {number(steps.exact)}"),
        ("in LSBs", number(steps.exact / t.lsb_exact)),
        ("bits", _window(steps)),
        (
            "floor",
            f"code {brief(steps.floor)}, guard bit {steps.guard}, sticky {int(steps.sticky)}",
        ),
        (
            "rounding",
            f"{t.rounding.cpp}, {t.rounding.law}: {moved} -> {brief(steps.rounded)}",
        ),
    ]
    if {"ap-int-small-negative", "ap-int-no-integer-bits"} & {*steps.quirks}:
        rows.append(("overflow", "none"))
    elif steps.overflows:
        deleted = steps.rounded >> t.width
        n = f", N = {t.n}" if t.n else ""
        law = f"{t.overflow.cpp}{n}, {t.overflow.law}"
        rows.append(
            ("overflow", f"{law}; bits above the window: {brief(deleted)} -> {brief(steps.code)}")
        )
    elif steps.code != steps.rounded:
        rows.append(("overflow", f"{t.overflow.cpp}, {t.overflow.law} -> {brief(steps.code)}"))
    else:
        rows.append(("overflow", "none"))
    error = steps.result - steps.exact
    rows += [
        ("code", f"{brief(steps.code)} = 0x{steps.code % (1 << t.width):0{(t.width + 3) // 4}x}"),
        ("value", number(steps.result)),
        ("error", f"{number(error)} = {number(error / t.lsb_exact)} LSB"),
    ]
    rows += [("quirk", f"{name}: {reference.QUIRKS[name]}") for name in steps.quirks]
    return rows


def _given(steps: Explanation) -> str:
    if steps.source is None:
        return hexadecimal(steps.value)
    return f"{steps.source}: code {brief(int(steps.value))}"


def _window(steps: Explanation) -> str:
    """Two's complement bits: ``deleted [kept . kept] guard sticky``."""
    t = steps.type
    kept = steps.floor % (1 << t.width)
    bits = f"{kept:0{t.width}b}"
    if t.width > 64:
        bits = f"{bits[:24]}...{bits[-24:]}"
    elif 0 < t.integer < t.width:
        bits = f"{bits[: t.integer]}.{bits[t.integer :]}"
    above = steps.floor >> t.width
    deleted = "".join(str(above >> k & 1) for k in reversed(range(4)))
    y = steps.exact / t.lsb_exact
    tail = dropped_bits(y - steps.floor, CONTEXT)
    return f"...{deleted} [{bits}] {tail}   (deleted [kept] guard, below)"
