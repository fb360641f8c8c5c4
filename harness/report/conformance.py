"""What became of each library: a table, the simplest counterexamples, JSON, and cases of a CI."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from harness.conformance.levels import Level
from harness.conformance.records import Conformance, Count, Counterexample, Judgement
from harness.report.outcome import Case, Kind, Outcome, Suite
from harness.report.tables import fitted

__all__ = [
    "MODES",
    "as_json",
    "modes",
    "outcome",
    "print_conformance",
    "sentence",
    "spread",
    "told",
]

#: Counterexamples of one library that are printed; --json and --html have them all.
SHOWN = 4
#: Modes of ap_fixed: roundings times overflows.
MODES = 35


def print_conformance(found: Conformance, console: Console) -> None:
    """A row a library, what it answers otherwise, and one sentence."""
    console.print(fitted(_table(found), console))
    for judgement in found.judgements:
        if judgement.counterexamples:
            console.print(_differences(judgement))
        for words, count in (judgement.raised or {}).items():
            shown = f"{judgement.name} raised, {count:,} times: {words}"
            console.print(Text(shown, "yellow"))
    for line in (*found.truth, *found.notes, f"seed {found.seed}"):
        console.print(f"  {escape(line)}", style="dim", highlight=False)
    style = "bold green" if found.agrees else "bold red"
    console.print(Text(sentence(found), style))


def _table(found: Conformance) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="answers that are not the headers', by level")
    table.add_column("library")
    for name in ("modes", "asked", *(level.label for level in Level)):
        table.add_column(name, justify="right")
    for judgement in found.judgements:
        if judgement.version is None:
            table.add_row(Text(f"{judgement.name}: not installed", "dim"))
            continue
        cells = (_cell(judgement.of(level=level)) for level in Level)
        name = f"{judgement.name} {judgement.version}".strip()
        table.add_row(name, modes(judgement), f"{judgement.total.answered:,}", *cells)
    return table


def modes(judgement: Judgement) -> str:
    """How many of the modes of ap_fixed it offers; of floats, if it has those alone."""
    fixed = {cell.mode for cell, n in judgement.counts.items() if cell.family == "fixed" and n[0]}
    count = len({mode for mode in fixed if " " not in mode})
    return f"{count}/{MODES}" if count else "floats" if judgement.counts else "-"


def _cell(count: Count) -> Text:
    if count.differ:
        return Text(f"{count.differ:,}", "bold red")
    if count.answered:
        return Text("0", "green")
    return Text("raises" if count.raised else "-", "dim")


def _differences(judgement: Judgement) -> RenderableType:
    lines: list[Text] = [Text(judgement.name, "bold")]
    for example in spread(judgement.counterexamples, SHOWN):
        lines.append(Text.assemble(f"  {example.level}: ", (told(example), "red")))
        lines.append(Text(f"    {_count(example.count)}; {example.rule}", "dim"))
    more = len(judgement.counterexamples) - SHOWN
    if more > 0:
        lines.append(Text(f"  ... and {more} more kinds (--json has them all)", "dim"))
    return Group(*lines, Text())


def spread(examples: Sequence[Counterexample], count: int) -> list[Counterexample]:
    """A few that differ as much as they can: one of each level first."""
    first = {example.level: example for example in reversed(examples)}
    rest = [example for example in examples if example not in first.values()]
    return [*reversed(first.values()), *rest][:count]


def _count(count: int) -> str:
    return f"{count:,} such case{'' if count == 1 else 's'}"


def told(example: Counterexample) -> str:
    """``ap_fixed<8,3>(1.5) = 2.0, expected 1.0``."""
    return f"{example.type}({example.value}) = {example.got}, expected {example.expected_value}"


def sentence(found: Conformance) -> str:
    """The verdict."""
    asked = [j for j in found.judgements if j.total.answered]
    if not asked:
        return (
            "NOTHING ANSWERED: no library that is installed offers, and answers, one of these types"
        )
    differ = sum(j.total.differ > 0 for j in asked)
    cases = f"{found.cases:,} vectors of {found.types} types in {found.seconds:.1f} s"
    libraries = f"{len(asked)} librar{'y' if len(asked) == 1 else 'ies'}"
    if not differ:
        return f"AGREE: {libraries} with the headers, wherever they offer a type; {cases}"
    return f"DIFFER: {differ} of {libraries} somewhere; {cases}"


def as_json(found: Conformance) -> str:
    """A JSON document: every count by family, path, mode and level, and every counterexample."""
    document = {
        "agrees": found.agrees,
        "cases": found.cases,
        "types": found.types,
        "seed": found.seed,
        "seconds": round(found.seconds, 3),
        "truth": list(found.truth),
        "notes": list(found.notes),
        "levels": {level.label: level.about for level in Level},
        "libraries": [_library(judgement) for judgement in found.judgements],
    }
    return json.dumps(document, indent=2)


def _library(judgement: Judgement) -> dict[str, object]:
    return {
        "name": judgement.name,
        "distribution": judgement.distribution,
        "version": judgement.version,
        "call": judgement.call,
        "promise": judgement.promise,
        "remarks": list(judgement.remarks),
        "total": judgement.total._asdict(),
        "counts": [
            {**cell._asdict(), "level": cell.level.label, **count._asdict()}
            for cell, count in judgement.counts.items()
        ],
        "counterexamples": [
            {**dataclasses.asdict(example), "level": example.level.label}
            for example in judgement.counterexamples
        ],
        "raised": dict(judgement.raised or {}),
        "unsupported": dict(judgement.unsupported or {}),
    }


def outcome(found: Conformance, again: str = "") -> Outcome:
    """A suite a library, a case a level; one that is not installed is skipped.

    Args:
        found: the run.
        again: the command line that finds it again; may be left out.
    """
    suites = [Suite(j.name, tuple(_cases(j))) for j in found.judgements]
    return Outcome("harness conformance", sentence(found), found.agrees, tuple(suites), again)


def _cases(judgement: Judgement) -> Iterator[Case]:
    if judgement.version is None:
        why = f"pip install {judgement.distribution}"
        yield Case(judgement.call, "NOT INSTALLED", why, Kind.SKIPPED)
        return
    for level in Level:
        count = judgement.of(level=level)
        if count.differ:
            kinds = [e for e in judgement.counterexamples if e.level is level]
            text = "\n".join(f"{told(e)}; {_count(e.count)}; {e.rule}" for e in kinds)
            yield Case(level.label, "DIFFERS", text, Kind.FAILED)
        elif count.answered:
            yield Case(level.label, "AGREES", f"{count.answered:,} cases")
        else:
            yield Case(level.label, "NOT OFFERED", level.about, Kind.SKIPPED)
