"""Comparisons of two functions as people and programs read them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from harness.cosim.same import Compared, Difference

__all__ = ["as_json", "compared_text"]

COUNTS = ("count", "lowest", "highest", "zeros", "negative", "at_min", "at_max")

#: Numbers of an array that are printed.
SHOWN = 16


def compared_text(found: Compared) -> str:
    """A paragraph: the verdict, and the simplest inputs on which the sides differ."""
    a, b = found.names
    counted = f"{found.count:,} calls" if found.count != 1 else "one call"
    if found.difference is None:
        if found.count == 0:
            return f"NOTHING COMPARED: {a} and {b}"
        every = ", every input there is" if found.every else ""
        return "\n".join([f"AGREE: {a} and {b}, {counted}{every}", *_unseen(found)])
    lines = [f"DIFFER: {a} and {b}", *_told(found, found.difference)]
    return "\n".join(lines)


def _told(found: Compared, difference: Difference) -> list[str]:
    a, b = found.names
    lines = []
    for k, call in enumerate(difference.calls):
        head = f"call {k}: " if len(difference.calls) > 1 else ""
        lines += [
            f"  {head}{name} = {_shown(codes, _type(found, name))}" for name, codes in call.items()
        ]
        if not call:
            lines.append(f"  {head}(takes nothing)")
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
    return lines


def _answer(answer: Any) -> str:
    return answer.value if answer.code is None else f"{answer.value} (code {answer.code})"


def _type(found: Compared, name: str) -> Any:
    head, *rest = name.split(".")
    port = next(p for p in found.signature.inputs if p.name == head)
    for field in rest:
        port = next(f for f in port.fields if f.name == field)
    return port.type


def _shown(codes: Any, t: Any) -> str:
    from harness.cosim.numbers import values_of_codes

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


def as_json(found: Compared) -> str:
    """All of it, for programs."""
    difference = found.difference
    document: dict[str, Any] = {
        "verdict": "AGREE" if found.agrees else "DIFFER" if difference else "NOTHING COMPARED",
        "sides": list(found.names),
        "calls": found.count,
        "every_input": found.every,
        "difference": None,
        "seen": [
            {
                "name": name,
                "direction": direction,
                "type": str(seen.type),
                **{key: getattr(seen, key) for key in COUNTS},
            }
            for (direction, name), seen in found.seen.numbers.items()
        ],
    }
    if difference is not None:
        document["difference"] = {
            "calls": [{k: np.asarray(v).tolist() for k, v in c.items()} for c in difference.calls],
            "output": difference.port,
            "place": difference.place,
            "answers": [{"value": x.value, "code": x.code} for x in difference.answers],
        }
    return json.dumps(document, indent=2)
