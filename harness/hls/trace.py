"""The accumulator of one output, addition by addition, beside its twin's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from harness.fixed import Fixed
from harness.hls.layers.layer import Sum
from harness.report.columns import aligned

__all__ = ["accumulation"]

#: Additions that a table shows around the first that differs, and products that a line names.
SHOWN = 5


@dataclass(frozen=True)
class _Addition:
    """One product, what the accumulator's type makes of it, and the sum."""

    x: Fixed
    w: Fixed
    product: Fixed
    term: Fixed
    acc: Fixed
    note: str

    @property
    def factors(self) -> tuple[Fraction, Fraction]:
        return _value(self.x), _value(self.w)


@dataclass(frozen=True)
class _Run:
    """What an accumulator starts from, every addition to it, and the code that comes of it."""

    start: Fixed
    steps: list[_Addition]
    made: Fixed

    @classmethod
    def of(cls, total: Sum) -> _Run:
        acc = start = total.start.to(total.accum)
        steps = []
        for k in range(len(total.x)):
            x, w = total.x[k], total.w[k]
            product = x * w
            term = product if total.exact else product.to(total.accum)
            exact = acc + term
            acc = exact.to(total.accum)
            note = _note(product, term) or _note(exact, acc)
            steps.append(_Addition(x, w, product, term, acc, note))
        return cls(start, steps, acc.to(total.result))

    def says(self, code: Fixed) -> str:
        """Why the run is not what made a code; empty if it is."""
        if _value(self.made) == _value(code):
            return ""
        return (
            f"its inputs, weights and types make code {int(self.made.codes)} ({self.made.type}), "
            f"and not {int(code.codes)} ({code.type})"
        )

    @property
    def factors(self) -> list[tuple[Fraction, Fraction]]:
        return [step.factors for step in self.steps]

    @property
    def sums(self) -> list[Fraction]:
        return [_value(self.start), *(_value(step.acc) for step in self.steps)]


def accumulation(mine: Sum | None, got: Fixed, theirs: Sum | None, expected: Fixed) -> list[str]:
    """The accumulator of a typed layer, and its twin's where it takes another way.

    An accumulator is shown only if it ends at the code that it stands for; a line says if not.

    Args:
        mine: what the typed layer adds up; ``None`` for a layer without accumulator.
        got: its code.
        theirs: what the twin adds up, of its own inputs and weights; ``None`` if that is not known.
        expected: its code.
    """
    if mine is None:
        return []
    run = _Run.of(mine)
    if why := run.says(got):
        return [f"  no accumulator is shown, for {why}"]
    other = None if theirs is None else _Run.of(theirs)
    why = "its layer is not known" if other is None else other.says(expected)
    if other is None or why:
        return [f"  the twin's accumulator is not shown: {why}", "  the accumulator:", *_table(run)]
    lines = _exchanged(run.factors, other.factors)
    if len(run.steps) == len(other.steps):
        return [*lines, "  the accumulator:", *_table(run, other)]
    return [*lines, "  the accumulator:", *_table(run), "  the twin's:", *_table(other)]


def _note(before: Fixed, after: Fixed) -> str:
    """What a conversion did to a value."""
    error = _value(before) - _value(after)
    if error == 0:
        return ""
    return "rounded" if abs(error) < after.type.lsb_exact else "overflow"


def _exchanged(
    mine: Sequence[tuple[Fraction, Fraction]], theirs: Sequence[tuple[Fraction, Fraction]]
) -> list[str]:
    """Which products only one of two adds, or that they stand in another order."""
    if mine == theirs:
        return []
    here, there = Counter(mine) - Counter(theirs), Counter(theirs) - Counter(mine)
    if not here and not there:
        return ["  the twin adds the same products in another order"]
    found = (("here", here), ("in the twin", there))
    return [f"  added {where} alone: {_products(left.elements())}" for where, left in found if left]


def _products(found: Iterable[tuple[Fraction, Fraction]]) -> str:
    listed = [f"{_number(x)} * {_number(w)}" for x, w in found]
    left = len(listed) - SHOWN
    return ", ".join(listed[:SHOWN]) + (f" and {left} more" if left > 0 else "")


def _table(run: _Run, twin: _Run | None = None) -> list[str]:
    """Lines of one accumulator, with what is another in the twin in further columns."""
    names = ["x", "w", "product", "term"]
    columns = [["step", "start", *map(str, range(len(run.steps)))]]
    columns += [_column(name, run, name) for name in names]
    columns.append(["accumulator", *map(_number, run.sums)])
    notes, marked = [step.note for step in run.steps], None
    if twin is not None and (run.factors, run.sums) != (twin.factors, twin.sums):
        others = [_column(f"twin's {name}", twin, name) for name in names[:2]]
        columns += [
            new for new, old in zip(others, columns[1:], strict=False) if new[1:] != old[1:]
        ]
        columns.append(["twin's", *map(_number, twin.sums)])
        notes = [a or b.note for a, b in zip(notes, twin.steps, strict=True)]
        if [x for x, _ in run.factors] == [x for x, _ in twin.factors]:  # else each step is another
            pairs = zip(run.sums, twin.sums, strict=True)
            marked = next((k for k, (a, b) in enumerate(pairs) if a != b), None)
    marks = ["<- here" * (k == marked) for k in range(len(run.sums))]
    columns.append(
        ["note", *(f"{a} {b}".strip() for a, b in zip(["", *notes], marks, strict=True))]
    )
    chosen = _chosen(len(run.steps), None if marked is None else max(marked - 1, 0))
    shown = [[*column[:2], *column[2 + chosen.start : 2 + chosen.stop]] for column in columns]
    lines = ["    " + line for line in aligned(list(zip(*shown, strict=True)))]
    left = len(run.steps) - len(chosen)
    return lines + ([f"    ({left} steps not shown)"] if left else [])


def _column(head: str, run: _Run, name: str) -> list[str]:
    """A column of numbers that each step has."""
    return [head, "", *(_number(_value(getattr(step, name))) for step in run.steps)]


def _chosen(count: int, around: int | None) -> range:
    """Which steps to show: those around one, else the last ones."""
    middle = count - 1 if around is None else around
    low = max(min(middle - SHOWN, count - 2 * SHOWN - 1), 0)
    return range(low, min(low + 2 * SHOWN + 1, count))


def _value(x: Fixed) -> Fraction:
    """A scalar's value."""
    return int(x.codes) * Fraction(x.type.lsb_exact)


def _number(x: Fraction) -> str:
    return f"{float(x):.10g}"
