"""Walk a model and its twin layer by layer, and explain the first code that differs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from harness.fixed import Fixed
from harness.hls.layers.batchnorm import BatchNorm
from harness.hls.layers.layer import TypedLayer
from harness.hls.model import Model, Step
from harness.hls.reproduce import reproducer
from harness.hls.trace import accumulation
from harness.quantize import decode
from harness.report.columns import aligned
from harness.types import ApFixed

__all__ = [
    "Comparison",
    "Difference",
    "LayerAgreement",
    "Walkable",
    "changed",
    "compare",
    "differing",
    "shaped_like",
    "types_of",
]


class Walkable(Protocol):
    """What can be compared layer by layer: a model, its C++ twin, an hls4ml project."""

    def layer_outputs(self, *inputs: Fixed) -> dict[str, Fixed]:
        """The output of every layer by name."""

    def layer(self, name: str) -> TypedLayer | None:
        """The typed layer of a name, if it is known."""

    def layer_inputs(self, name: str, *inputs: Fixed) -> tuple[Fixed, ...]:
        """What the typed layer of a name reads, for a batch."""


@dataclass(frozen=True)
class LayerAgreement:
    """What was found of one layer.

    Attributes:
        name: the layer's name.
        kind: its class, and what is folded into it.
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
        inputs: what the typed layer got: the row of each input.
        other_inputs: what the twin's layer got; empty if that is not known.
        folded: the batch normalisation behind the layer that the twin does not have, if so.
    """

    layer: TypedLayer
    other: TypedLayer | None
    row: int
    index: tuple[int, ...]
    got: Fixed
    expected: Fixed
    inputs: tuple[Fixed, ...]
    other_inputs: tuple[Fixed, ...] = ()
    folded: str = ""

    @property
    def cpp(self) -> str:
        """A C++ file that runs hls4ml's kernel on this row, and says what it finds."""
        return reproducer(self.layer, self.inputs, self.index, self.got, self.expected)

    @property
    def types(self) -> list[tuple[str, ApFixed, ApFixed]]:
        """The types that both layers have, and differ in: name, the typed layer's, the twin's."""
        if self.other is None:
            return []
        mine, theirs = types_of(self.layer), types_of(self.other)
        return [(k, t, theirs[k]) for k, t in mine.items() if theirs.get(k, t) != t]

    @property
    def weights(self) -> list[str]:
        """The parameters that both layers have, and of which a value differs, in lines."""
        if self.other is None:
            return []
        both = [name for name in self.layer.parameter_types if name in self.other.parameter_types]
        found = ((k, changed(self.layer.fixed(k), self.other.fixed(k))) for k in both)
        return [f"{name}: {why}" for name, why in found if why]

    def __str__(self) -> str:
        place = ", ".join(map(str, self.index))
        lines = [
            f"{self.layer.name} ({type(self.layer).__name__}) differs first in row {self.row}, "
            f"output [{place}]:",
            f"  typed layer  {_shown(self.got)}",
            f"  twin         {_shown(self.expected)}",
        ]
        if self.other is not None and type(self.other) is not type(self.layer):
            lines.append(f"  the twin's layer is of another kind: {type(self.other).__name__}")
        if self.folded:
            lines.append(
                f"  the twin has no {self.folded}: hls4ml folds it into {self.layer.name}, and so "
                "does from_torch(..., project=project)"
            )
        lines += [f"  {line}" for line in self.weights]
        for name, mine, theirs in self.types:
            lines.append(f"  {name}: {mine} here, {theirs} in the twin")
        return "\n".join([*lines, *self.steps])

    @property
    def steps(self) -> list[str]:
        """Lines: the accumulator step by step, beside the twin's if it takes another way."""
        mine = self.layer.summed(self.inputs, self.index)
        theirs = None
        if self.other is not None:
            place = np.ravel_multi_index(self.index, self.layer.output_shape)
            index = np.unravel_index(place, self.other.output_shape)
            theirs = self.other.summed(self.other_inputs, tuple(int(k) for k in index))
        return accumulation(mine, self.got, theirs, self.expected)


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
        rows = [("layer", "kind", "result", "codes", "differences")]
        for found in self.layers:
            counts = (f"{found.codes:,}", f"{found.differences:,}") if found.codes else ("-", "-")
            rows.append((found.name, found.kind, str(found.result), *counts))
        codes = sum(layer.codes for layer in self.layers)
        last = f"{len(self.layers)} layers agree in {codes:,} codes"
        return "\n".join(
            [*aligned(rows, range(3)), last if self.first is None else str(self.first)]
        )


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
            found.append(LayerAgreement(layer.name, _kind(layer), layer.result, 0, 0))
            continue
        other = shaped_like(other, mine.shape, layer.name)
        wrong = differing(mine, other)
        count = int(np.count_nonzero(wrong))
        found.append(LayerAgreement(layer.name, _kind(layer), layer.result, mine.codes.size, count))
        if count:
            row, *index = (int(k) for k in np.argwhere(wrong)[0])
            place = (row, *index)
            one = tuple(x[row : row + 1] for x in batch)
            there = twin.layer(layer.name)
            first = Difference(
                layer,
                there,
                row,
                place[1:],
                mine[place],
                other[place],
                tuple(values[name][row] for name in step.inputs),
                () if there is None else tuple(x[0] for x in twin.layer_inputs(layer.name, *one)),
                _folded(model, step, theirs),
            )
            return Comparison(tuple(found), first)
    if not any(layer.codes for layer in found):
        raise ValueError("the twin has no layer of the model's names")
    return Comparison(tuple(found), None)


def _kind(layer: TypedLayer) -> str:
    return " with ".join((type(layer).__name__, *layer.absorbed))


def _folded(model: Model, step: Step, theirs: Mapping[str, Fixed]) -> str:
    """The batch normalisation that alone reads a layer with weights, where the twin has none."""
    readers = [other.layer for other in model.steps if step.output in other.inputs]
    norms = [v.name for v in readers if isinstance(v, BatchNorm) and v.name not in theirs]
    return norms[0] if step.layer.affine and len(readers) == 1 and norms else ""


def changed(mine: Fixed, theirs: Fixed) -> str:
    """How many values of a parameter differ, and the first of them; empty if none does."""
    if mine.shape != theirs.shape:
        return f"shape {mine.shape} here, {theirs.shape} in the twin"
    wrong = np.argwhere(differing(mine, theirs))
    if not len(wrong):
        return ""
    here, there = (np.sort(x.codes, axis=None) for x in (mine, theirs))
    if mine.type == theirs.type and np.array_equal(here, there):
        return "the same values in another order, as where hls4ml turns channels"
    index = tuple(int(k) for k in wrong[0])
    return (
        f"{len(wrong):,} of {mine.codes.size:,} values differ, the first in {list(index)}: "
        f"{_value(mine[index]):.10g} here, {_value(theirs[index]):.10g} in the twin"
    )


def shaped_like(x: Fixed, shape: tuple[int, ...], name: str) -> Fixed:
    """``x`` in a shape that is its own but for axes of one element, or that lies flat in one.

    Raises:
        ValueError: for any other shape.
    """
    rows, rest = shape[0], [n for n in shape[1:] if n > 1]
    found = [n for n in x.shape[1:] if n > 1]
    flat = math.prod(found) == math.prod(rest) and min(len(found), len(rest)) <= 1
    if len(x) != rows or not (found == rest or flat):
        raise ValueError(f"{name} has shape {shape} here, and {x.shape} in the twin")
    return x.reshape(shape)


def differing(mine: Fixed, theirs: Fixed) -> Any:
    """Where values differ."""
    a, b = mine.type, theirs.type
    if a.kif == b.kif:
        return mine.codes != theirs.codes
    frac, bits = max(a.frac, b.frac), max(a.integer, b.integer)
    both = ApFixed(bits + 1 + frac, bits + 1)
    return mine.to(both).codes != theirs.to(both).codes


def types_of(layer: TypedLayer) -> dict[str, ApFixed]:
    """Every type of a layer, and of one inside of it, by name."""
    names = {f"input {k}": t for k, t in enumerate(layer.input_types)}
    facts = [fact for part in layer.modules() for fact in vars(part).items()]
    held = {k: v for k, v in facts if isinstance(v, ApFixed)}
    return {**names, **layer.parameter_types, **dict(sorted(held.items()))}


def _shown(x: Fixed) -> str:
    return f"code {int(x.codes)} = {_value(x):.10g} ({x.type})"


def _value(x: Fixed) -> float:
    return float(decode(np.asarray(x.codes), x.type, object).item())
