"""What was found of an hls4ml project, for a CI: a case a question and a layer."""

from __future__ import annotations

from harness.hls.check import Findings
from harness.hls.project.verify import LayerRow
from harness.report import junit
from harness.report.outcome import Case, Kind, Outcome, Suite
from harness.report.questions import Answer, answers

__all__ = ["as_junit", "outcome"]


def as_junit(findings: Findings, command: str = "") -> str:
    """The document: there is a failure exactly if something was found, with the reason.

    Args:
        findings: what was found.
        command: the command line that finds it again; may be left out.
    """
    return junit.as_junit(outcome(findings, command))


def outcome(findings: Findings, command: str = "") -> Outcome:
    """The questions, and the layers if the C++ ran.

    Args:
        findings: what was found.
        command: the command line that finds it again; may be left out.
    """
    suites = [Suite(f"{findings.name}: questions", tuple(map(_asked, answers(findings))))]
    if findings.cpp is not None:
        layers = tuple(_of(row, findings) for row in findings.cpp.layers)
        suites.append(Suite(f"{findings.name}: layers", layers))
    return Outcome(
        "harness verify-project", findings.summary, findings.agrees, tuple(suites), command
    )


def _asked(answer: Answer) -> Case:
    kind = Kind.PASSED
    if answer.mood == "bad":
        kind = Kind.FAILED
    elif answer.verdict in ("NOT ASKED", "NOT RUN"):
        kind = Kind.SKIPPED
    return Case(answer.question, answer.verdict, answer.text, kind)


def _of(row: LayerRow, findings: Findings) -> Case:
    """A layer fails if its codes differ, or if it is what loses the model."""
    name = f"{row.name} ({row.kernel})"
    model, walk = findings.model, None if findings.cpp is None else findings.cpp.walk
    if row.differences:
        first = None if walk is None else walk.first
        more = f"\n{first}" if first is not None and first.layer.name == row.name else ""
        text = f"{row.differences:,} of {row.codes:,} codes differ{more}"
        return Case(name, "DIFFER", text, Kind.FAILED)
    if model is not None and model.blames(row.name):
        return Case(name, "LOSES", model.reason, Kind.FAILED)
    if row.codes is None:
        text = "its codes are not compared; give --layers"
        return Case(name, "NOT COMPARED", text, Kind.SKIPPED)
    return Case(name)
