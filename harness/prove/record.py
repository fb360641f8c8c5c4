"""What was proven, refuted or left open: frozen records."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Certificate", "Outcome", "VacuousError"]


class VacuousError(ValueError):
    """A question that could not have been answered otherwise: a fault of ours, never a proof."""


class Outcome(enum.Enum):
    """What came of a question; a solver that ran out of time has proven nothing."""

    PROVEN = "proven"
    REFUTED = "refuted"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Certificate:
    """One question, and what a solver said of it.

    Attributes:
        question: what was asked, in a line.
        subject: whose answers were held against the law.
        outcome: proven for all inputs, refuted, or undecided.
        claims: how many pairs were to be equal, such as one for each mode.
        inputs: if refuted, an input, as raw words by name.
        differs: ... and the pair that it tells apart,
        codes: ... whose subject and law are these, as raw words.
        planted: if proven, the input at which a planted fault was seen.
        solver: its name and version.
        query_sha256: of the question as SMT-LIB text.
        seconds: that everything took.
        query: the text, if it was to be kept; of the vendor's header it is a program.
    """

    question: str
    subject: str
    outcome: Outcome
    claims: int
    inputs: dict[str, int]
    differs: str
    codes: tuple[int, int] | None
    planted: dict[str, int]
    solver: str
    query_sha256: str
    seconds: float
    query: str = ""
