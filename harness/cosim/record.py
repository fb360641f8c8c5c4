"""What came of holding two functions against each other, and how it reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from harness.cosim.answers import Answer
from harness.cosim.numbers import values_of_codes
from harness.cosim.seen import Lost, Seen
from harness.cosim.signature import Signature
from harness.report.columns import aligned
from harness.types import ApFixed

__all__ = ["Compared", "Difference"]

Array = np.ndarray[Any, Any]
#: Numbers of an array that are printed.
SHOWN = 16
#: Letters of a line, and of a source's line in a table.
LINE, WIDE = 90, 44


@dataclass(frozen=True)
class Difference:
    """Two answers that are not the same, for the simplest inputs that were found.

    Attributes:
        calls: codes that go in, by name, of each call of the run; the last one differs.
        port: the output, with the field of a struct; ``None`` if a side did not answer.
        place: where in it, as C++ writes an index: ``[3]``.
        answers: what each side gave there, or said.
        signature: whose names and types these are.
        account: where both are a conversion of one number into another type, its steps.
    """

    calls: tuple[dict[str, Array], ...]
    port: str | None
    place: str
    answers: tuple[Answer, Answer]
    signature: Signature
    account: tuple[tuple[str, str], ...] = ()


@dataclass
class Compared:
    """What was asked, and what came of it.

    Attributes:
        names: of both sides.
        signature: whose types the inputs were drawn by.
        count: calls that were compared.
        every: whether these are all inputs that there are.
        difference: ``None`` if there is none.
        seen: what numbers went in and came out.
        lost: what assignments of C++ sides lost that were compiled to count, by side.
    """

    names: tuple[str, str]
    signature: Signature
    count: int = 0
    every: bool = False
    difference: Difference | None = None
    seen: Seen = field(default_factory=Seen)
    lost: dict[str, list[Lost]] = field(default_factory=dict)

    @property
    def agrees(self) -> bool:
        """Whether something was compared, and was the same."""
        return self.difference is None and self.count > 0

    def __str__(self) -> str:
        return _text(self)


def _text(found: Compared) -> str:
    """A paragraph: the verdict, and the simplest inputs on which the sides differ."""
    a, b = found.names
    counted = f"{found.count:,} calls" if found.count != 1 else "one call"
    if found.difference is None:
        if found.count == 0:
            return f"NOTHING COMPARED: {a} and {b}"
        every = ", every input there is" if found.every else ""
        lines = [f"AGREE: {a} and {b}, {counted}{every}", *_unseen(found)]
    else:
        lines = [f"DIFFER: {a} and {b}", *_told(found, found.difference)]
    return "\n".join([*lines, *_losses(found)])


def _losses(found: Compared) -> list[str]:
    """What each assignment lost, with its line."""
    lines = []
    for name, losses in found.lost.items():
        rows: list[tuple[str, ...]] = [
            ("line", "", "type", "assigned", "out of range", "by a carry", "rounded", "ties")
        ]
        for lost in losses:
            path, _, number = lost.place.rpartition(":")
            counted = (lost.overflowed, lost.carried, lost.rounded, lost.tied)
            shares = (_share(part, lost.count) for part in counted)
            rows.append((number, _source(path, number), lost.type, f"{lost.count:,}", *shares))
        lines.append(f"  what the assignments of {name} lost")
        lines += [f"    {line}" for line in aligned(rows, text={1, 2})]
    return lines


def _share(part: int, whole: int) -> str:
    if part == 0:
        return "-"
    percent = 100 * part / whole
    return f"{percent:.1f} %" if percent >= 0.1 else f"{part:,}"


def _source(path: str, number: str) -> str:
    """The text of a line, without what is around it."""
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
        return text[int(number) - 1].strip()[:WIDE]
    except (OSError, ValueError, IndexError):
        return ""


def _told(found: Compared, difference: Difference) -> list[str]:
    a, b = found.names
    lines = []
    for k, call in enumerate(difference.calls):
        head = f"call {k}: " if len(difference.calls) > 1 else ""
        given = [f"{name} = {_shown(codes, _type(found, name))}" for name, codes in call.items()]
        short = ", ".join(given)
        if len(short) <= LINE:
            lines.append(f"  {head}{short or 'takes nothing'}")
        else:
            lines += [f"  {head}{each}" for each in given]
    x, y = difference.answers
    if difference.port is None:
        said = x if x.value != "answers" else y
        return [*lines, f"  {said.value}"]
    where = f"{difference.port}{difference.place}"
    lines += [f"  {where}: {a} gives {_answer(x)}", f"  {where}: {b} gives {_answer(y)}"]
    if x.code is not None and y.code is not None:
        steps = abs(x.code - y.code)
        apart = f"{steps:,} step{'s' if steps != 1 else ''} apart"
        lines.append(f"  {apart}; {found.count:,} calls were compared")
    if difference.account:
        lines.append("  as the conversion that it is:")
        lines += [f"    {line}" for line in aligned(difference.account, text={0, 1})]
    return lines


def _answer(answer: Any) -> str:
    return answer.value if answer.code is None else f"{answer.value} (code {answer.code})"


def _type(found: Compared, name: str) -> Any:
    head, *rest = name.split(".")
    port = next(p for p in found.signature.inputs if p.name == head)
    for part in rest:
        port = next(f for f in port.fields if f.name == part)
    return port.type


def _shown(codes: Any, t: Any) -> str:
    array = np.asarray(codes)
    values = values_of_codes(array, t)
    if array.ndim == 0:
        return f"{values.item() if hasattr(values, 'item') else values} (code {int(array)})"
    text = str(values.tolist())
    if array.size > SHOWN:
        places = np.argwhere(array != 0)
        few = ", ".join(
            f"{''.join(f'[{k}]' for k in at)} = {values[tuple(at)]}" for at in places[:SHOWN]
        )
        more = f" and {len(places) - SHOWN} more" if len(places) > SHOWN else ""
        return f"zeros of shape {array.shape}" + (f" but {few}{more}" if few else "")
    return f"{text} (codes {array.tolist()})"


def _unseen(found: Compared) -> list[str]:
    """Which ends of the types no number reached: what the verdict does not say."""
    lines = []
    for (direction, name), seen in found.seen.numbers.items():
        if not isinstance(seen.type, ApFixed):
            continue  # the ends of a float's codes are no ends of its numbers
        missing = [
            what
            for what, there in (
                ("its smallest", seen.at_min),
                ("its largest", seen.at_max),
                ("zero", seen.zeros),
                ("a negative", seen.negative or seen.type.min_code >= 0),
            )
            if not there
        ]
        if missing:
            verb = "was given" if direction == "in" else "gave"
            lines.append(f"  {name} never {verb} {', '.join(missing)} ({seen.type})")
    return lines
