"""Walk a model and its twin layer by layer, and explain the first code that differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from harness.fixed import Fixed
from harness.hls.layers.layer import Sum, TypedLayer
from harness.hls.model import Model
from harness.hls.reproduce import reproducer
from harness.quantize import decode
from harness.types import ApFixed

__all__ = ["Comparison", "Difference", "LayerAgreement", "Walkable", "compare", "differing"]

#: Steps of an accumulator that a report shows around the first that differs.
SHOWN = 5


class Walkable(Protocol):
    """What can be compared layer by layer: a model, its C++ twin, an hls4ml project."""

    def layer_outputs(self, *inputs: Fixed) -> dict[str, Fixed]:
        """The output of every layer by name."""

    def layer(self, name: str) -> TypedLayer | None:
        """The typed layer of a name, if it is known."""


@dataclass(frozen=True)
class LayerAgreement:
    """What was found of one layer.

    Attributes:
        name: the layer's name.
        kind: its class.
        result: the type of its output.
        codes: how many codes were compared; 0 if the twin does not show this layer.
        differences: how many differ.
    """

    name: str
    kind: str
    result: ApFixed
    codes: int
    differences: int


@dataclass(frozen=True)
class Difference:
    """The first code that differs.

    Attributes:
        layer: the typed layer.
        other: the layer as the twin has it, if it is known.
        row: the row of the batch.
        index: the place in the layer's output.
        got: the typed layer's code, with its type.
        expected: the twin's code, with its type.
        inputs: what the layer got: the row of each input.
    """

    layer: TypedLayer
    other: TypedLayer | None
    row: int
    index: tuple[int, ...]
    got: Fixed
    expected: Fixed
    inputs: tuple[Fixed, ...]

    @property
    def cpp(self) -> str:
        """A C++ file that runs hls4ml's kernel on this row, and says what it finds."""
        return reproducer(self.layer, self.inputs, self.index, self.got, self.expected)

    @property
    def types(self) -> list[tuple[str, ApFixed, ApFixed]]:
        """The types in which the layers differ: name, the typed layer's, the twin's."""
        if self.other is None:
            return []
        pairs = zip(_types_of(self.layer).items(), _types_of(self.other).values(), strict=False)
        return [(name, mine, theirs) for (name, mine), theirs in pairs if mine != theirs]

    def __str__(self) -> str:
        place = ", ".join(map(str, self.index))
        lines = [
            f"{self.layer.name} ({type(self.layer).__name__}) differs first in row {self.row}, "
            f"output [{place}]:",
            f"  typed layer  {_shown(self.got)}",
            f"  twin         {_shown(self.expected)}",
        ]
        for name, mine, theirs in self.types:
            lines.append(f"  {name}: {mine} here, {theirs} in the twin")
        return "\n".join([*lines, *self._accumulation()])

    def _accumulation(self) -> list[str]:
        """The accumulator step by step, beside the twin's if it is another one."""
        mine = self.layer.summed(self.inputs, self.index)
        if mine is None:
            return []
        theirs = None if self.other is None else self.other.summed(self.inputs, self.index)
        return ["  the accumulator:", *_table(mine, theirs)]


@dataclass(frozen=True)
class Comparison:
    """The layers in order, up to the first that differs.

    Attributes:
        layers: what was found of each.
        first: the first difference; ``None`` if all agree.
    """

    layers: tuple[LayerAgreement, ...]
    first: Difference | None

    @property
    def agrees(self) -> bool:
        """Whether no code differs."""
        return self.first is None

    def __str__(self) -> str:
        if self.first is not None:
            return str(self.first)
        codes = sum(layer.codes for layer in self.layers)
        return f"{len(self.layers)} layers agree in {codes:,} codes"


def compare(model: Model, twin: Walkable, *inputs: Any) -> Comparison:
    """Hold every layer of ``model`` against ``twin``; stop at the first that differs.

    Args:
        model: the typed model.
        twin: a :class:`harness.hls.ModelTwin`, a :class:`harness.hls.Project`, another model.
        inputs: a batch of each input: values, or codes in a ``Fixed``.

    Raises:
        ValueError: if the twin shows none of the model's layers.
    """
    batch = model.batch(*inputs)
    values, theirs = model.trace(*batch), twin.layer_outputs(*batch)
    found: list[LayerAgreement] = []
    for step in model.steps:
        layer, mine = step.layer, values[step.output]
        other = theirs.get(layer.name)
        if other is None:
            found.append(LayerAgreement(layer.name, type(layer).__name__, layer.result, 0, 0))
            continue
        wrong = differing(mine, other.reshape(mine.shape))
        count = int(np.count_nonzero(wrong))
        found.append(
            LayerAgreement(layer.name, type(layer).__name__, layer.result, mine.codes.size, count)
        )
        if count:
            place = tuple(int(k) for k in np.argwhere(wrong)[0])
            rows = tuple(values[name][place[0]] for name in step.inputs)
            expected = other.reshape(mine.shape)[place]
            first = Difference(
                layer, twin.layer(layer.name), place[0], place[1:], mine[place], expected, rows
            )
            return Comparison(tuple(found), first)
    if not any(layer.codes for layer in found):
        raise ValueError("the twin has no layer of the model's names")
    return Comparison(tuple(found), None)


def differing(mine: Fixed, theirs: Fixed) -> Any:
    """Where codes differ; of types with another LSB, where values do."""
    if mine.type.frac == theirs.type.frac:
        return mine.codes != theirs.codes
    return (mine < theirs) | (mine > theirs)


def _types_of(layer: TypedLayer) -> dict[str, ApFixed]:
    """Every type of a layer by name."""
    names = {f"input {k}": t for k, t in enumerate(layer.input_types)}
    held = {k: v for k, v in vars(layer).items() if isinstance(v, ApFixed)}
    return {**names, **layer.parameter_types, **dict(sorted(held.items()))}


@dataclass(frozen=True)
class _Step:
    """One addition: the product, what the accumulator's type makes of it, and the sum."""

    product: Fixed
    term: Fixed
    acc: Fixed
    note: str


def _steps(total: Sum) -> tuple[Fixed, list[_Step]]:
    """What the accumulator starts from, and every step of it."""
    acc = start = total.start.to(total.accum)
    found = []
    for k in range(len(total.x)):
        product = total.x[k] * total.w[k]
        term = product if total.exact else product.to(total.accum)
        exact = acc + term
        after = exact.to(total.accum)
        note = _note(product, term) or _note(exact, after)
        found.append(_Step(product, term, after, note))
        acc = after
    return start, found


def _note(before: Fixed, after: Fixed) -> str:
    """What a conversion did to a value."""
    error = _value(before) - _value(after)
    if error == 0:
        return ""
    return "rounded" if abs(error) < after.type.lsb else "overflow"


def _table(mine: Sum, theirs: Sum | None) -> list[str]:
    start, steps = _steps(mine)
    other = _steps(theirs)[1] if theirs is not None and theirs.accum != mine.accum else None
    parts = next(
        (k for k, s in enumerate(steps) if other and _value(s.acc) != _value(other[k].acc)), None
    )
    rows = [["step", "x", "w", "product", "term", "accumulator", "note"]]
    rows.append(["start", "", "", "", "", _number(start), ""])
    if other:
        rows[0].insert(6, "twin's")
        rows[1].insert(6, _number(_steps(theirs)[0]) if theirs is not None else "")
    for k in _chosen(len(steps), parts):
        step = steps[k]
        row = [str(k), *map(_number, (mine.x[k], mine.w[k], step.product, step.term, step.acc))]
        note = step.note
        if other:
            row.append(_number(other[k].acc))
            note = " ".join(filter(None, (note or other[k].note, "<- here" * (k == parts))))
        rows.append([*row, note])
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = [
        "    " + "  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True))
        for row in rows
    ]
    left = len(steps) - (len(rows) - 2)
    return [line.rstrip() for line in lines] + ([f"    ({left} steps not shown)"] if left else [])


def _chosen(count: int, around: int | None) -> Sequence[int]:
    """Which steps to show: those around the first that differs, else the last ones."""
    middle = count - 1 if around is None else around
    low = max(min(middle - SHOWN, count - 2 * SHOWN - 1), 0)
    return range(low, min(low + 2 * SHOWN + 1, count))


def _value(x: Fixed) -> Any:
    return int(x.codes) * x.type.lsb


def _number(x: Fixed) -> str:
    return f"{float(_value(x)):.10g}"


def _shown(x: Fixed) -> str:
    value = decode(np.asarray(x.codes), x.type, object)
    return f"code {int(x.codes)} = {float(value.item()):.10g} ({x.type})"
