"""Certificates for a CI: a suite a subject, a case a question."""

from __future__ import annotations

from collections.abc import Sequence

from harness.prove.record import Certificate, Outcome
from harness.report import outcome as cases

__all__ = ["outcome"]


def outcome(
    command: str, found: Sequence[Certificate], verdict: str, again: str = ""
) -> cases.Outcome:
    """What is refuted or left open has failed.

    Args:
        command: such as ``harness prove``.
        found: the certificates.
        verdict: of all of them: proven, refuted or undecided.
        again: the command line that finds it again; may be left out.
    """
    subjects = dict.fromkeys(one.subject for one in found)
    suites = tuple(
        cases.Suite(subject, tuple(_case(one) for one in found if one.subject == subject))
        for subject in subjects
    )
    return cases.Outcome(command, _sentence(found, verdict), verdict == "proven", suites, again)


def _sentence(found: Sequence[Certificate], verdict: str) -> str:
    counts = ", ".join(
        f"{sum(one.outcome is outcome for one in found):,} {outcome.value}" for outcome in Outcome
    )
    return f"{verdict.upper()}: {len(found):,} questions: {counts}"


def _case(one: Certificate) -> cases.Case:
    word = one.outcome.value.upper()
    if one.outcome is Outcome.PROVEN:
        text = f"for all inputs, by {one.solver}; a planted fault was seen"
        return cases.Case(one.question, word, text)
    if one.codes is None:
        text = one.differs or f"no answer in {one.seconds:.0f} s"
        return cases.Case(one.question, word, text, cases.Kind.FAILED)
    inputs = ", ".join(f"{name} = {value:#x}" for name, value in one.inputs.items())
    text = f"{inputs}: {one.differs} gives {one.codes[0]:#x}, right is {one.codes[1]:#x}"
    return cases.Case(one.question, word, text, cases.Kind.FAILED)
