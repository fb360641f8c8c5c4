"""What a command found as GitHub shows it: annotations of a run, and a summary in Markdown."""

from __future__ import annotations

from itertools import islice

from harness.report.outcome import Case, Kind, Outcome, Suite

__all__ = ["as_annotations", "summary"]

#: Letters of an annotation's text: what differs, not all of a program.
LONG = 1000
#: GitHub shows no more annotations of one kind that come from one step.
SHOWN = 10


def as_annotations(outcome: Outcome) -> list[str]:
    """A line for each of the first cases that failed, as a runner reads them; none if it agrees.

    Args:
        outcome: what was found.
    """
    if outcome.agrees:
        return []
    found = [_annotation(outcome, suite, case) for suite, case in outcome.failures]
    return found[:SHOWN] or [f"::error title={_property(outcome.command)}::{_data(outcome)}"]


def _annotation(outcome: Outcome, suite: Suite, case: Case) -> str:
    facts = {"file": case.file, "line": "" if case.line is None else str(case.line)}
    facts["title"] = f"{outcome.command}: {suite.name}"
    named = ",".join(f"{key}={_property(text)}" for key, text in facts.items() if text)
    told = case.text if case.verdict == "" else f"{case.verdict}: {case.text}"
    text = f"{case.name}: {told}"
    return f"::error {named}::{_escaped(text[:LONG] + '...' * (len(text) > LONG))}"


def _data(outcome: Outcome) -> str:
    return _escaped(outcome.sentence)


def _escaped(text: str) -> str:
    """Text as the runner's commands carry it: what would end a line is a code."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Likewise, of a value before the message, which colons and commas would end."""
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def summary(outcome: Outcome) -> str:
    """The verdict, a table with a row for each suite, and the first cases that failed.

    Args:
        outcome: what was found.
    """
    lines = [f"### {outcome.command}", "", f"**{_plain(outcome.sentence)}**", ""]
    lines += ["| what was asked | cases | failed | skipped |", "|:--|--:|--:|--:|"]
    for suite in outcome.suites:
        failed, skipped = suite.count(Kind.FAILED), suite.count(Kind.SKIPPED)
        shown = f"**{failed:,}**" if failed else "0"
        lines.append(f"| {_plain(suite.name)} | {len(suite.cases):,} | {shown} | {skipped:,} |")
    failures = list(islice(outcome.failures, SHOWN + 1))
    if failures:
        lines += ["", *(f"- {_failure(suite, case)}" for suite, case in failures[:SHOWN])]
    if len(failures) > SHOWN:
        lines.append(f"- and {sum(1 for _ in outcome.failures) - SHOWN:,} more")
    if outcome.again:
        lines += ["", "Again:", "", *(f"    {line}" for line in outcome.again.splitlines())]
    return "\n".join(lines) + "\n"


def _failure(suite: Suite, case: Case) -> str:
    return f"{_plain(suite.name)}: `{case.name.replace('`', '')}`: {_plain(case.message)}"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line and in a cell."""
    shown = " ".join(text.split())
    for letter in "\\`*_[]<>|#":
        shown = shown.replace(letter, f"\\{letter}")
    return shown
