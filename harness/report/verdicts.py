"""Verdicts for people (rich) and for programs (JSON): formatting, no decisions."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from harness.types import Overflow, Rounding
from harness.verify.operator_questions import KINDS
from harness.verify.records import Domain, Mismatch, Tally, Verdict

__all__ = ["as_json", "print_verdict"]

#: Differences and unwitnessed questions printed in full; the JSON has them all.
SHOWN = 5


def print_verdict(verdict: Verdict, console: Console) -> None:
    """The matrices, then what differs, what had no witness, and one sentence that says it all."""
    for path in verdict.paths:
        tallies = list(verdict.on(path))
        table = _operators if any(tally.cell for tally in tallies) else _matrix
        console.print(table(path, tallies))
    if verdict.families:
        console.print(_families(verdict))
    if verdict.domains:
        console.print(_domains(verdict.domains))
    for mismatch in _spread(verdict.mismatches):
        console.print(_difference(mismatch))
    if len(verdict.mismatches) > SHOWN:
        console.print(f"... and {len(verdict.mismatches) - SHOWN} more (--json has them all)\n")
    if verdict.unwitnessed:
        console.print(_unwitnessed(verdict))
    for note in (verdict.truth, *verdict.notes, f"profile {verdict.profile}, seed {verdict.seed}"):
        console.print(f"  {escape(note)}", style="dim", highlight=False)
    console.print(_sentence(verdict))


def as_json(verdict: Verdict) -> str:
    """The verdict as a JSON document; types are spelled as in C++."""
    facts = dataclasses.asdict(verdict)
    facts["tallies"] = [
        {
            "path": t.path,
            "type": str(t.type),
            "checks": t.checks,
            "differences": t.differences,
            "witness": t.witness,
            "exhausted": t.exhausted,
        }
        for t in verdict.tallies
    ]
    facts["domains"] = [
        {"type": str(d.type), "source": d.source, "domain": d.text} for d in verdict.domains
    ]
    summary: dict[str, Any] = {
        "agrees": verdict.agrees,
        "checks": verdict.checks,
        "differences": verdict.differences,
        "types": verdict.types,
    }
    return json.dumps(summary | facts, indent=2)


def _families(verdict: Verdict) -> RenderableType:
    """Each other family, and each witness of it: types, checks, and codes that were exhausted."""
    table = Table(box=None, pad_edge=False)
    for header in ("family", "witness"):
        table.add_column(header, no_wrap=True)
    for header in ("types", "checks", "codes exhausted", "differ"):
        table.add_column(header, justify="right", no_wrap=True)
    last = ""
    for family, witness in verdict.families:
        tallies = [t for t in verdict.on(family) if t.witness == witness]
        checks, differ = (sum(getattr(t, n) for t in tallies) for n in ("checks", "differences"))
        seen = {t.type: t.exhausted for t in tallies}
        table.add_row(
            family if family != last else "",
            witness,
            str(len(seen)),
            f"{checks:,}",
            f"{sum(seen.values()):,}",
            Text(f"{differ:,}", style="bold red" if differ else "green"),
        )
        last = family
    title = "other types: who said what is right (a code is exhausted with its midpoints)"
    closed = "the vendor's header is closed, MPFR with a flush to zero stands for it"
    note = [Text(f"vitis: {closed}", "dim")] if any(verdict.on("vitis")) else []
    return Group(Text(title, "bold"), table, *note, Text())


def _domains(domains: Sequence[Domain]) -> RenderableType:
    """Where the vendor's ap_float.h is valid, of a few types."""
    title = Text(
        "ap_float.h is right, and was asked, here; elsewhere minifloat.h is the truth", "bold"
    )
    table = Table(box=None, pad_edge=False, show_header=False)
    for found in domains[:SHOWN]:
        table.add_row(f"{found.source} -> {found.type}", found.text)
    more = len(domains) - SHOWN
    tail = Text(f"... and {more} more (--json has them all)\n" if more > 0 else "")
    return Group(title, table, tail)


def _matrix(path: str, tallies: Sequence[Tally]) -> RenderableType:
    """Rounding by overflow, signed before unsigned (``u:``): types and checks, or differences."""
    checks = sum(tally.checks for tally in tallies)
    cells: dict[tuple[Rounding, bool, Overflow], list[Tally]] = {}
    for tally in tallies:
        t: Any = tally.type  # paths are those of fixed point
        cells.setdefault((t.rounding, not t.signed, t.overflow), []).append(tally)
    columns = sorted({(unsigned, overflow) for _, unsigned, overflow in cells})
    title = f"{path}: {_count(tallies, 'type')}, {checks:,} checks (types/checks in a cell)"
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True, min_width=11)
    for unsigned, overflow in columns:
        header = f"{'u:' if unsigned else ''}{overflow.name}"
        table.add_column(header, justify="right", no_wrap=True)
    for rounding in sorted({rounding for rounding, _, _ in cells}):
        row = [_cell(cells.get((rounding, *column), [])) for column in columns]
        table.add_row(rounding.name, *row)
    return Group(Text(title, "bold"), table, Text())


def _operators(path: str, tallies: Sequence[Tally]) -> RenderableType:
    """Operator by kind of operands: types of results and checks, or differences."""
    checks = sum(tally.checks for tally in tallies)
    cells: dict[tuple[str, str], list[Tally]] = {}
    for tally in tallies:
        assert tally.cell is not None
        cells.setdefault(tally.cell, []).append(tally)
    columns = [kind for kind in KINDS if any(kind == column for _, column in cells)]
    operators = list(dict.fromkeys(operator for operator, _ in cells))
    title = f"{path}: {len(operators)} operators, {checks:,} checks (types/checks in a cell)"
    table = Table(box=None, pad_edge=False)
    # Two halves side by side: a screen is wider than these columns, and not as high.
    middle = -(-len(operators) // 2)
    for _ in range(2):
        table.add_column("", no_wrap=True, min_width=11)
        for kind in columns:
            table.add_column(kind, justify="right", no_wrap=True)
    for k in range(middle):
        row: list[Text] = []
        for operator in operators[k::middle]:
            row += [Text(operator), *(_cell(cells.get((operator, c), [])) for c in columns)]
        table.add_row(*row)
    return Group(Text(title, "bold"), table, Text())


def _count(tallies: Sequence[Tally], noun: str) -> str:
    types = len({tally.type for tally in tallies})
    return f"{types} {noun}{'' if types == 1 else 's'}"


def _cell(tallies: Sequence[Tally]) -> Text:
    if not tallies:
        return Text("-", style="dim")
    if differences := sum(tally.differences for tally in tallies):
        return Text(f"{_short(differences)} differ", style="bold red")
    types = len({tally.type for tally in tallies})
    return Text(f"{types}/{_short(sum(t.checks for t in tallies))}", style="green")


def _short(count: int) -> str:
    for limit, unit in ((10**7, "M"), (10**4, "k")):
        if count >= limit:
            return f"{count // (limit // 10)}{unit}"
    return str(count)


def _spread(mismatches: Sequence[Mismatch]) -> list[Mismatch]:
    """A few mismatches that differ as much as they can: one of each path and rule first."""
    first = {(m.path, m.subject, m.rule): m for m in reversed(mismatches)}
    rest = [m for m in mismatches if m not in first.values()]
    return [*reversed(first.values()), *rest][:SHOWN]


def _difference(m: Mismatch) -> RenderableType:
    witness = "agrees with C++" if m.reference == m.expected else f"says {m.reference}"
    head = Text.assemble(
        (f"{m.path}: ", "bold"),
        f"{m.question}, {m.input}",
        (f" => got {m.got}, expected {m.expected}", "bold red"),
    )
    detail = Text(
        f"  {m.subject}; {m.count:,} such inputs; the exact reference {witness}\n  rule: {m.rule}"
    )
    return Group(head, detail, Text(_indented(m.snippet), style="cyan"))


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


def _unwitnessed(verdict: Verdict) -> RenderableType:
    """What C++ could not answer, by reason."""
    count = len(verdict.unwitnessed)
    lines = [Text(f"no C++ witness, the exact reference stood in: {count} conversions", "yellow")]
    for found in verdict.unwitnessed[:SHOWN]:
        lines.append(Text(f"  {found.question}"))
    if count > SHOWN:
        lines.append(Text(f"  ... and {count - SHOWN} more (--json has them all)"))
    reasons = dict.fromkeys(_reason(u.why) for u in verdict.unwitnessed)
    lines += [Text(f"  because {reason}", style="dim") for reason in reasons]
    return Group(*lines, Text())


def _reason(why: str) -> str:
    """A reason without the types that it is about."""
    _, shifts, rest = why.partition(" shifts ")
    return f"each{shifts}{rest}" if shifts else why


def _sentence(verdict: Verdict) -> Text:
    types = _count(verdict.tallies, "type")
    compared = f"{verdict.checks:,} codes of {types} in {verdict.seconds:.1f} s"
    if verdict.checks == 0:
        return Text("NOTHING COMPARED: no question was asked", style="bold red")
    if verdict.agrees:
        return Text(f"AGREE: {verdict.subject} and every witness, {compared}", "bold green")
    return Text(
        f"DIFFER: {verdict.subject} on {verdict.differences:,} of {compared}", style="bold red"
    )
