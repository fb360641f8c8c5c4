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

from harness.report.columns import counted
from harness.report.matrix import Cell, Matrix, family_rows, matrix_of
from harness.report.tables import fitted, laid_out
from harness.verify.compare import told
from harness.verify.records import Domain, Mismatch, Verdict

__all__ = ["as_json", "print_verdict", "reason", "sentence", "spread"]

#: Differences and unwitnessed questions printed in full; the JSON has them all.
SHOWN = 5


def print_verdict(verdict: Verdict, console: Console) -> None:
    """The matrices, then what differs, what had no witness, and one sentence that says it all."""
    for path in verdict.paths:
        tallies = list(verdict.on(path))
        console.print(_matrix(matrix_of(path, tallies), console))
    if verdict.families:
        console.print(_families(verdict, console))
    if verdict.domains:
        console.print(_domains(verdict.domains))
    for mismatch in spread(verdict.mismatches):
        console.print(_difference(mismatch))
    if len(verdict.mismatches) > SHOWN:
        console.print(f"... and {len(verdict.mismatches) - SHOWN} more (--json has them all)\n")
    if verdict.unwitnessed:
        console.print(_unwitnessed(verdict))
    for note in (verdict.truth, *verdict.notes, f"profile {verdict.profile}, seed {verdict.seed}"):
        console.print(f"  {escape(note)}", style="dim", highlight=False)
    console.print(Text(sentence(verdict), "bold green" if verdict.agrees else "bold red"))


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
            "cell": t.cell,
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


def _families(verdict: Verdict, console: Console) -> RenderableType:
    """Each other family, and each witness of it: types, checks, and codes that were exhausted."""
    table = Table(box=None, pad_edge=False)
    for header in ("family", "witness"):
        table.add_column(header, no_wrap=True)
    for header in ("types", "checks", "codes exhausted", "differ"):
        table.add_column(header, justify="right", no_wrap=True)
    last = ""
    for row in family_rows(verdict):
        table.add_row(
            row.family if row.family != last else "",
            row.witness,
            *(f"{n:,}" for n in (row.types, row.checks, row.exhausted)),
            Text(f"{row.differences:,}", style="bold red" if row.differences else "green"),
        )
        last = row.family
    title = "other types: who said what is right (a code is exhausted with its midpoints)"
    closed = "the vendor's header is closed, MPFR with a flush to zero stands for it"
    note = [Text(f"vitis: {closed}", "dim")] if any(verdict.on("vitis")) else []
    return Group(Text(title, "bold"), fitted(table, console), *note, Text())


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


def _matrix(matrix: Matrix, console: Console) -> RenderableType:
    """Rows by columns: types and checks, or differences; in halves where a screen is narrow."""
    title = f"{matrix.path}: {matrix.about}, {matrix.checks:,} checks (types/checks in a cell)"
    all_ = [(g, c) for g, columns in enumerate(matrix.columns) for c in columns]
    layouts: list[RenderableType] = [_cells(matrix, matrix.rows, all_)]
    if matrix.operators:
        # Two halves side by side: a screen is wider than these columns, and not as high.
        layouts.insert(0, _cells(matrix, matrix.rows, all_, halves=2))
    else:
        halves = [[(g, c) for g, c in all_ if g == group] for group in range(2)]
        layouts.append(Group(*(_cells(matrix, matrix.rows, half) for half in halves if half)))
    return Group(Text(title, "bold"), laid_out(console, *layouts), Text())


def _cells(
    matrix: Matrix, rows: Sequence[str], columns: Sequence[tuple[int, str]], halves: int = 1
) -> Table:
    table = Table(box=None, pad_edge=False)
    for _ in range(halves):
        table.add_column("", no_wrap=True, min_width=11)
        for group, name in columns:
            header = f"u:{name}" if matrix.groups[group] == "unsigned" else name
            table.add_column(header, justify="right", no_wrap=True)
    step = -(-len(rows) // halves)
    for k in range(step):
        row: list[Text] = []
        for name in rows[k::step]:
            row += [Text(name), *(_cell(matrix.cells.get((name, *place))) for place in columns)]
        table.add_row(*row)
    return table


def _cell(cell: Cell | None) -> Text:
    if cell is None:
        return Text("-", style="dim")
    return Text(cell.text, style="bold red" if cell.differences else "green")


def spread(mismatches: Sequence[Mismatch], count: int = SHOWN) -> list[Mismatch]:
    """A few mismatches that differ as much as they can: one of each path and rule first."""
    first = {(m.path, m.subject, m.rule): m for m in reversed(mismatches)}
    rest = [m for m in mismatches if m not in first.values()]
    return [*reversed(first.values()), *rest][:count]


def _difference(m: Mismatch) -> RenderableType:
    witness = "agrees with C++" if m.reference == m.expected else f"says {m.reference}"
    head, input_, answers, *rest = told(m)
    return Group(
        Text.assemble((f"{m.path}: ", "bold"), head),
        Text(f"  {input_}"),
        Text(f"  {answers}", "bold red"),
        Text(f"  by {m.subject}; the exact reference {witness}"),
        *(Text(f"  {line}") for line in rest),
        Text(_indented(m.snippet), style="cyan"),
    )


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
    reasons = dict.fromkeys(reason(u.why) for u in verdict.unwitnessed)
    lines += [Text(f"  because {reason}", style="dim") for reason in reasons]
    return Group(*lines, Text())


def reason(why: str) -> str:
    """A reason without the types that it is about."""
    _, shifts, rest = why.partition(" shifts ")
    return f"each{shifts}{rest}" if shifts else why


def sentence(verdict: Verdict) -> str:
    """The verdict, in a sentence that begins with its word."""
    types = counted(verdict.types, "type")
    compared = f"{verdict.checks:,} codes of {types} in {verdict.seconds:.1f} s"
    if verdict.checks == 0:
        return "NOTHING COMPARED: no question was asked"
    if verdict.agrees:
        return f"AGREE: {verdict.subject} and every witness, {compared}"
    return f"DIFFER: {verdict.subject} on {verdict.differences:,} of {compared}"
