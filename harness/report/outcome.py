"""What a command found, as programs of a CI want it: suites of cases, each passed, failed or not.

Every command makes one :class:`Outcome`; JUnit XML, annotations and summaries are written of it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Case", "Kind", "Outcome", "Suite"]


class Kind(enum.Enum):
    """What became of a case."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Case:
    """One thing that was asked.

    Attributes:
        name: what, in a line.
        verdict: the answer in a word, such as ``DIFFER``; may be left out of what passed.
        text: the answer in full; its first line says the most.
        kind: passed, failed or skipped.
        file: where it stands, if it stands in a file of the user's.
        line: ... and on which line, from 1.
    """

    name: str
    verdict: str = ""
    text: str = ""
    kind: Kind = Kind.PASSED
    file: str = ""
    line: int | None = None

    @property
    def message(self) -> str:
        """Verdict and first line."""
        first = self.text.splitlines()[0] if self.text else ""
        return ": ".join(part for part in (self.verdict, first) if part)


@dataclass(frozen=True)
class Suite:
    """Cases that belong together."""

    name: str
    cases: tuple[Case, ...]

    def count(self, kind: Kind) -> int:
        """How many of its cases are of a kind."""
        return sum(case.kind is kind for case in self.cases)


@dataclass(frozen=True)
class Outcome:
    """What a command found.

    Attributes:
        command: its name, such as ``harness verify``.
        sentence: the verdict in a sentence, which begins with its word: ``AGREE: ...``.
        agrees: whether the exit status is 0.
        suites: what was asked.
        again: the command line that finds it again; may be left out.
    """

    command: str
    sentence: str
    agrees: bool
    suites: tuple[Suite, ...]
    again: str = ""

    @property
    def failures(self) -> Iterator[tuple[Suite, Case]]:
        """Every case that failed, with its suite."""
        for suite in self.suites:
            yield from ((suite, case) for case in suite.cases if case.kind is Kind.FAILED)
