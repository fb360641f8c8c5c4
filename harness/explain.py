"""One value on its way into a type, step by step, as people would do it on paper."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness import reference
from harness.oracle import Oracle, OracleError
from harness.reference.fixed import ROUND
from harness.types import ApFixed

__all__ = ["Explanation", "explain", "print_explanation"]

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
        return self.code * self.type.lsb

    @property
    def overflows(self) -> bool:
        """Whether the rounded code is out of range."""
        return not self.type.min_code <= self.rounded <= self.type.max_code


def explain(x: float, t: ApFixed) -> Explanation:
    """Take ``x`` into ``t`` by the exact reference, keeping every step."""
    exact = reference.as_header_reads(x)
    y = exact / t.lsb
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


def print_explanation(steps: Explanation, console: Console, oracle: Oracle | None) -> bool:
    """Print every step; whether the C++ gave the same code (true if it could not be asked)."""
    t = steps.type
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, text in _rows(steps):
        table.add_row(name, escape(text))
    agrees = True
    if oracle is not None:
        try:
            answer = int(oracle.codes(steps.value, t)[()]) % (1 << t.width)
            agrees = answer == steps.code % (1 << t.width)
            verdict = "the same" if agrees else f"DIFFERENT: {answer:#x}"
            table.add_row("C++", f"{verdict}   ({oracle.headers.label})")
        except OracleError as error:
            table.add_row("C++", escape(f"no answer: {error}"))
    console.print(f"{t}  <-  {steps.value!r}", style="bold", highlight=False, markup=False)
    console.print(table, highlight=False)
    return agrees


def _rows(steps: Explanation) -> list[tuple[str, str]]:
    t = steps.type
    moved = "+1" if steps.rounded != steps.floor else "stays"
    kind = "ap_fixed" if t.signed else "ap_ufixed"
    rows = [
        ("type", f"{kind}: {t.integer} integer bits, {t.frac} fractional bits, LSB 2**{-t.frac}"),
        ("range", f"{_number(t.min)} to {_number(t.max)}, codes {t.min_code} to {t.max_code}"),
        ("input", f"{_hex(steps.value)} = {_number(steps.exact)}"),
        ("in LSBs", _number(steps.exact / t.lsb)),
        ("bits", _window(steps)),
        ("floor", f"code {steps.floor}, guard bit {steps.guard}, sticky {int(steps.sticky)}"),
        (
            "rounding",
            f"{t.rounding.cpp}, {t.rounding.law}: {moved} -> {steps.rounded}",
        ),
    ]
    if steps.overflows:
        deleted = steps.rounded >> t.width
        n = f", N = {t.n}" if t.n else ""
        law = f"{t.overflow.cpp}{n}, {t.overflow.law}"
        rows.append(("overflow", f"{law}; bits above the window: {deleted} -> {steps.code}"))
    elif steps.code != steps.rounded:
        rows.append(("overflow", f"{t.overflow.cpp}, {t.overflow.law} -> {steps.code}"))
    else:
        rows.append(("overflow", "none"))
    error = steps.result - steps.exact
    rows += [
        ("code", f"{steps.code} = 0x{steps.code % (1 << t.width):0{(t.width + 3) // 4}x}"),
        ("value", _number(steps.result)),
        ("error", f"{_number(error)} = {_number(error / t.lsb)} LSB"),
    ]
    rows += [("quirk", f"{name}: {reference.QUIRKS[name]}") for name in steps.quirks]
    return rows


def _hex(x: float) -> str:
    return x.hex() if math.isfinite(x) else str(x)


def _number(value: Fraction) -> str:
    """Decimal where that is short and exact; otherwise about how much."""
    if value.denominator == 1 and abs(value.numerator) < 10**20:
        return str(value.numerator)
    if 2**-30 <= abs(value) < 10**9 and value.denominator <= 2**30:
        places = value.denominator.bit_length() - 1
        digits = f"{abs(value.numerator) * 10**places // value.denominator:0{places + 1}d}"
        return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}".rstrip("0")
    if value == 0:
        return "0"
    try:
        nearest = float(value)
    except OverflowError:
        nearest = math.inf
    if nearest and math.isfinite(nearest):
        return f"about {nearest:.6g}"
    exponent = abs(value.numerator).bit_length() - value.denominator.bit_length()
    return f"about {'-' if value < 0 else ''}2**{exponent}"


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
    y = steps.exact / t.lsb
    rest = y - steps.floor
    below = ""
    for _ in range(CONTEXT):
        rest *= 2
        below += str(int(rest >= 1))
        rest -= rest >= 1
    tail = f"{below[0]} {below[1:]}{'...' if rest else ''}"
    return f"...{deleted} [{bits}] {tail}   (deleted [kept] guard, below)"
