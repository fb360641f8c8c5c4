"""One value on its way into fixed point, step by step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from harness import reference
from harness.explain.numbers import dropped_bits, hexadecimal, number
from harness.reference.fixed import ROUND
from harness.types import ApFixed, brief

__all__ = ["Explanation", "explain", "rows"]

#: Bits shown on either side of the type's window before the rest is summed up.
CONTEXT = 12


@dataclass(frozen=True)
class Explanation:
    """The steps of one conversion from a double.

    Attributes:
        value: the input.
        exact: its exact value, as the headers read it.
        type: the target.
        floor: the code before rounding, an unbounded integer.
        guard: the first bit that is dropped.
        sticky: whether any bit below it is set.
        rounded: the code after rounding, unbounded.
        code: the code after overflow.
        quirks: header quirks that may have moved it.
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
    exact = reference.as_header_reads(x)
    y = exact / t.lsb_exact
    floor = math.floor(y)
    rest = y - floor
    return Explanation(
        value=x,
        exact=exact,
        type=t,
        floor=floor,
        guard=int(rest >= Fraction(1, 2)),
        sticky=rest not in (0, Fraction(1, 2)),
        rounded=ROUND[t.rounding](y),
        code=reference.from_double(x, t),
        quirks=tuple(reference.quirks(x, t)),
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
        ("input", f"{hexadecimal(steps.value)} = {number(steps.exact)}"),
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
    if "ap-int-small-negative" in steps.quirks:
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
