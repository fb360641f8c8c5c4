"""Tallies of a path as rows and columns: roundings by overflows, operators by kinds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.report.columns import counted
from harness.types import Overflow, Rounding
from harness.verify.operator_questions import KINDS
from harness.verify.records import Tally, Verdict

__all__ = ["Cell", "FamilyRow", "Matrix", "family_rows", "matrix_of", "short"]


@dataclass(frozen=True)
class Cell:
    """What was compared in a row and a column.

    Attributes:
        types: how many distinct types.
        checks: codes compared.
        differences: ... that differed.
    """

    types: int
    checks: int
    differences: int

    @property
    def text(self) -> str:
        """Types and checks, or what differs."""
        if self.differences:
            return f"{short(self.differences)} differ"
        return f"{self.types}/{short(self.checks)}"


@dataclass(frozen=True)
class Matrix:
    """The tallies of one path.

    Attributes:
        path: its name.
        about: what was counted, in words.
        checks: codes compared on it.
        rows: names of the rows.
        columns: names of the columns, in groups: those of signed types, of unsigned ones.
        cells: what there is, by row, group and column.
        groups: what the groups are called; one empty name, if there is one group alone.
    """

    path: str
    about: str
    checks: int
    rows: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    cells: dict[tuple[str, int, str], Cell]
    groups: tuple[str, ...] = ("",)

    @property
    def operators(self) -> bool:
        """Whether the rows are operators."""
        return self.groups == ("",)


def matrix_of(path: str, tallies: Sequence[Tally]) -> Matrix:
    """The tallies of one path, each in its cell.

    Args:
        path: its name.
        tallies: all of it.
    """
    operators = any(tally.cell for tally in tallies)
    found: dict[tuple[Any, int, Any], list[Tally]] = {}
    for tally in tallies:
        t: Any = tally.type  # paths are those of fixed point
        row, column = tally.cell or (t.rounding, t.overflow)
        group = 0 if operators else int(not t.signed)
        found.setdefault((row, group, column), []).append(tally)
    keys = list(found)
    if operators:
        rows = list(dict.fromkeys(row for row, _, _ in keys))
        columns: list[list[Any]] = [[k for k in KINDS if any(k == c for _, _, c in keys)]]
        about = counted(len(rows), "operator")
    else:
        rows = [rounding for rounding in Rounding if any(rounding == row for row, _, _ in keys)]
        columns = [
            [o for o in Overflow if any((g, o) == (group, c) for _, g, c in keys)]
            for group in range(2)
        ]
        about = counted(len({tally.type for tally in tallies}), "type")
    cells = {(_name(r), g, _name(c)): _cell(many) for (r, g, c), many in found.items()}
    return Matrix(
        path,
        about,
        sum(tally.checks for tally in tallies),
        tuple(map(_name, rows)),
        tuple(tuple(map(_name, group)) for group in columns),
        cells,
        ("",) if operators else ("signed", "unsigned"),
    )


def _name(key: Any) -> str:
    return key if isinstance(key, str) else str(key.name)


def _cell(tallies: Sequence[Tally]) -> Cell:
    return Cell(
        len({tally.type for tally in tallies}),
        sum(tally.checks for tally in tallies),
        sum(tally.differences for tally in tallies),
    )


@dataclass(frozen=True)
class FamilyRow:
    """What was compared of a family, with one witness.

    Attributes:
        family: its name.
        witness: who said what is right.
        types: how many.
        checks: codes compared.
        exhausted: codes of which each was a case, with the midpoints beside it.
        differences: codes that differed.
    """

    family: str
    witness: str
    types: int
    checks: int
    exhausted: int
    differences: int


def family_rows(verdict: Verdict) -> Iterable[FamilyRow]:
    """The other families of types and their witnesses, in order."""
    for family, witness in verdict.families:
        tallies = [t for t in verdict.on(family) if t.witness == witness]
        seen = {t.type: t.exhausted for t in tallies}
        checks, differences = sum(t.checks for t in tallies), sum(t.differences for t in tallies)
        yield FamilyRow(family, witness, len(seen), checks, sum(seen.values()), differences)


def short(count: int) -> str:
    """A count in few letters."""
    for limit, unit in ((10**7, "M"), (10**4, "k")):
        if count >= limit:
            return f"{count // (limit // 10)}{unit}"
    return str(count)
