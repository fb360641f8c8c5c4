"""A verdict for a CI: a suite a path or a family, a case a type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.report.outcome import Case, Kind, Outcome, Suite
from harness.report.verdicts import sentence
from harness.verify.compare import told
from harness.verify.records import Mismatch, Tally, Verdict

__all__ = ["outcome"]


def outcome(verdict: Verdict, again: str = "") -> Outcome:
    """A case fails if codes differ; its text has the simplest input and a program.

    Args:
        verdict: what was found.
        again: the command line that finds it again; may be left out.
    """
    paths = dict.fromkeys(tally.path for tally in verdict.tallies)
    suites = [Suite(path, _cases(verdict, path)) for path in paths]
    if verdict.unwitnessed:
        cases = (Case(u.question, "NO WITNESS", u.why, Kind.SKIPPED) for u in verdict.unwitnessed)
        suites.append(Suite("no C++ witness", tuple(cases)))
    told = sentence(verdict)
    if not suites:
        word, _, text = told.partition(": ")
        suites.append(Suite("verdict", (Case("verdict", word, text, Kind.FAILED),)))
    return Outcome("harness verify", told, verdict.agrees, tuple(suites), again)


def _cases(verdict: Verdict, path: str) -> tuple[Case, ...]:
    found: dict[str, list[Tally]] = {}
    for tally in verdict.on(path):
        cell = f"{' of '.join(tally.cell)}: " if tally.cell else ""
        witness = f" ({tally.witness})" if tally.witness else ""
        found.setdefault(f"{cell}{tally.type}{witness}", []).append(tally)
    wrong = [m for m in verdict.mismatches if m.path == path]
    return tuple(_case(name, many, wrong) for name, many in found.items())


def _case(name: str, tallies: Sequence[Tally], wrong: Iterable[Mismatch]) -> Case:
    differences = sum(tally.differences for tally in tallies)
    checks = sum(tally.checks for tally in tallies)
    if not differences:
        return Case(name, "AGREE", f"{checks:,} codes")
    target = str(tallies[0].type)
    of_it = [m for m in wrong if target in m.question.split() or tallies[0].cell is not None]
    told = [f"{differences:,} of {checks:,} codes differ", *map(_told, of_it)]
    return Case(name, "DIFFER", "\n".join(told), Kind.FAILED)


def _told(m: Mismatch) -> str:
    return "\n".join([f"{m.subject}:", *told(m), m.snippet])
