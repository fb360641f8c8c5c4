"""What a verification found: frozen records, from one difference up to the verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.types import NumberType

__all__ = ["FAMILIES", "PATHS", "Cause", "Domain", "Mismatch", "Tally", "Unwitnessed", "Verdict"]

#: The ways into a type, in the order of a report.
PATHS = ("double", "float", "integer", "cast", "arithmetic", "accumulate")
#: The other families of types, in the order of a report.
FAMILIES = ("ap_int", "minifloat", "ieee", "vitis", "binary", "ternary", "by chance")


@dataclass(frozen=True)
class Cause:
    """The differences whose inputs lie alike: all ties, or all beyond the range.

    Attributes:
        level: the name of the :class:`harness.verify.levels.Level`.
        kind: the same in words, one or many.
        count: how many there are.
        input: the simplest of them.
        got: the subject's answer to it, with its value.
        expected: the truth's.
    """

    level: str
    kind: str
    count: int
    input: str
    got: str
    expected: str


@dataclass(frozen=True)
class Mismatch:
    """One input on which subject and truth differ, the simplest found.

    Attributes:
        path: how values come into the type: ``double``, ``cast``, ...
        subject: who gave ``got``.
        question: the types, as C++: ``ap_fixed<8,4>`` or ``ap_fixed<9,3> -> ap_fixed<8,4>``.
        input: the input as hexadecimal float or code.
        got: the subject's code; text if it was no code of the type.
        expected: the truth's code.
        reference: the exact reference's code.
        rule: the law that ``got`` breaks.
        count: how many inputs of this question differed.
        snippet: a C++ program that prints ``expected``.
        checks: how many inputs of this question were asked.
        number: the exact value that comes into the type, of ``input``, or about how much; empty
            for NaN and infinities.
        place: how it lies between the two codes beside it; empty for operators.
        got_text: the subject's code with its value.
        expected_text: the truth's.
        causes: all differences of the question by where their inputs lie; none for operators.
    """

    path: str
    subject: str
    question: str
    input: str
    got: int | str
    expected: int
    reference: int
    rule: str
    count: int
    snippet: str
    checks: int = 0
    number: str = ""
    place: str = ""
    got_text: str = ""
    expected_text: str = ""
    causes: tuple[Cause, ...] = ()

    @property
    def breakdown(self) -> str:
        """How many inputs differ, and where they lie, the most frequent first.

        ``312 of 4,096 differ: 200 ties, 80 beyond the range, 32 NaN/infinities``
        """
        of = f" of {self.checks:,}" if self.checks else ""
        parts = ", ".join(f"{cause.count:,} {cause.kind}" for cause in self.causes)
        return f"{self.count:,}{of} differ" + (f": {parts}" if parts else "")


@dataclass(frozen=True)
class Tally:
    """The count of comparisons made on one path into one type.

    Attributes:
        path: one of :data:`PATHS`, or for other types than fixed point of :data:`FAMILIES`.
        type: the target.
        checks: codes compared.
        differences: ... that differed.
        witness: who said what is right.
        exhausted: codes of the type of which each was a case, with the midpoints beside it.
        cell: row and column of the report, if they are not the type's modes.
    """

    path: str
    type: NumberType
    checks: int
    differences: int
    witness: str = ""
    exhausted: int = 0
    cell: tuple[str, str] | None = None


@dataclass(frozen=True)
class Domain:
    """Where the vendor's ``ap_float.h`` was the truth for a type, and where it could not be."""

    type: NumberType
    source: str
    text: str


@dataclass(frozen=True)
class Unwitnessed:
    """A question that C++ could not answer; the exact reference was the truth instead."""

    question: str
    why: str
    checks: int


@dataclass(frozen=True)
class Verdict:
    """Everything a report needs; ``when`` it began is a date and a time of ISO 8601, in UTC."""

    tallies: tuple[Tally, ...]
    mismatches: tuple[Mismatch, ...]
    unwitnessed: tuple[Unwitnessed, ...] = ()
    domains: tuple[Domain, ...] = ()
    subject: str = "subject"
    truth: str = "truth"
    profile: str = ""
    seed: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    when: str = ""

    @property
    def checks(self) -> int:
        """How many codes were compared."""
        return sum(tally.checks for tally in self.tallies)

    @property
    def differences(self) -> int:
        """How many of them differed."""
        return sum(tally.differences for tally in self.tallies)

    @property
    def types(self) -> int:
        """How many distinct types took part."""
        return len({tally.type for tally in self.tallies})

    @property
    def agrees(self) -> bool:
        """Whether something was compared, and nothing differed."""
        return self.checks > 0 and self.differences == 0

    def _repr_html_(self) -> str:
        """For notebooks."""
        from harness.report.notebook import verdict_html

        return verdict_html(self)

    def on(self, path: str) -> Iterable[Tally]:
        """The tallies of one path."""
        return (tally for tally in self.tallies if tally.path == path)

    @property
    def paths(self) -> list[str]:
        """The paths that were taken, from numbers to arithmetic."""
        taken = {tally.path for tally in self.tallies}
        return [path for path in PATHS if path in taken]

    @property
    def families(self) -> list[tuple[str, str]]:
        """The families and the witnesses that were asked about each."""
        taken = {(tally.path, tally.witness): None for tally in self.tallies}
        return sorted(
            (key for key in taken if key[0] in FAMILIES), key=lambda key: FAMILIES.index(key[0])
        )
