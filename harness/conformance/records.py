"""What a conformance run found: frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from harness.conformance.levels import Level

__all__ = ["Cell", "Conformance", "Count", "Counterexample", "Judgement"]


class Cell(NamedTuple):
    """What a count is about.

    ``family`` is that of the types, ``path`` the way into them, ``mode`` rounding and overflow.
    """

    family: str
    path: str
    mode: str
    level: Level


class Count(NamedTuple):
    """Cases that were answered, those answered otherwise, and those that the library raised on."""

    answered: int = 0
    differ: int = 0
    raised: int = 0

    def __add__(self, other: tuple[int, ...]) -> Count:  # type: ignore[override]
        return Count(*(a + b for a, b in zip(self, other, strict=True)))


@dataclass(frozen=True)
class Counterexample:
    """The simplest input of its kind that is answered otherwise: of one level, by one rule.

    Attributes:
        level: how hard the case is.
        rule: the law that decides the answer.
        path: the way into the type.
        type: the type, as C++ spells it.
        input: the input, as a hexadecimal float or code of its type.
        value: the input, for people.
        got: what the library answers, for people.
        expected: the code.
        expected_value: what the code is.
        count: how many cases of this kind are answered otherwise.
    """

    level: Level
    rule: str
    path: str
    type: str
    input: str
    value: str
    got: str
    expected: int
    expected_value: str
    count: int


@dataclass(frozen=True)
class Judgement:
    """What became of one library.

    Attributes:
        name: the library.
        version: of it; ``None`` if it is not installed.
        call: its function that was asked.
        promise: what its documents say.
        remarks: why it answers otherwise where it does.
        counts: the counts of every cell that it offers.
        counterexamples: one of each kind, the easiest level first.
        raised: the first words of what it raised, and how often.
        unsupported: why it was not asked, and of how many cases.
    """

    name: str
    distribution: str
    version: str | None
    call: str
    promise: str
    counts: Mapping[Cell, Count]
    counterexamples: tuple[Counterexample, ...] = ()
    raised: Mapping[str, int] | None = None
    unsupported: Mapping[str, int] | None = None
    remarks: tuple[str, ...] = ()

    @property
    def total(self) -> Count:
        """Over all cells."""
        return sum(self.counts.values(), Count())

    def of(self, **wanted: object) -> Count:
        """Over the cells with these ``family``, ``path``, ``mode`` or ``level``."""
        found = (
            count
            for cell, count in self.counts.items()
            if all(getattr(cell, name) == value for name, value in wanted.items())
        )
        return sum(found, Count())


@dataclass(frozen=True)
class Conformance:
    """A run.

    Attributes:
        judgements: one a library, in the order asked.
        cases: how many vectors there were.
        types: of how many types.
        truth: who said what is right.
        notes: what was not asked.
        seed: of the fresh vectors.
        seconds: that all of it took.
    """

    judgements: tuple[Judgement, ...]
    cases: int
    types: int
    truth: tuple[str, ...]
    notes: tuple[str, ...]
    seed: int
    seconds: float

    @property
    def agrees(self) -> bool:
        """Whether something was asked, and whoever was asked answered as the headers do."""
        asked = [found.total for found in self.judgements if found.version is not None]
        return any(count.answered for count in asked) and not any(c.differ for c in asked)
