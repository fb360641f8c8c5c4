"""Hold a project's C++ against a typed model: the outputs, and the layers where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from harness.fixed import Fixed
from harness.hls.compare import Comparison, compare, differing, shaped_like
from harness.hls.layers.layer import TypedLayer
from harness.hls.model import Model
from harness.hls.project.project import Project
from harness.names import instead
from harness.report.update import Update

__all__ = ["LayerRow", "Verdict", "verify"]

#: Input codes that a difference shows.
SHOWN = 64


@dataclass(frozen=True)
class LayerRow:
    """What was found of one call.

    Attributes:
        name: the layer.
        kernel: the kernel.
        layer: the typed layer.
        codes: how many codes were compared; ``None`` if none were.
        differences: how many of them differ.
    """

    name: str
    kernel: str
    layer: TypedLayer
    codes: int | None
    differences: int | None


@dataclass(frozen=True)
class Verdict:
    """What was found of a project.

    Attributes:
        name: the project's name.
        rows: how many rows it was run with.
        layers: its layers in order.
        codes: how many codes of the outputs were compared.
        differences: how many of them differ.
        walk: the comparison layer by layer, if there was one.
        weights: what C simulation and synthesis read differently.
    """

    name: str
    rows: int
    layers: tuple[LayerRow, ...]
    codes: int
    differences: int
    walk: Comparison | None
    weights: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether nothing differs: outputs, layers that were compared, weights."""
        walked = self.walk is None or self.walk.agrees
        return not self.differences and walked and not self.weights

    @property
    def summary(self) -> str:
        """The verdict in one line."""
        if self.agrees:
            count = len(self.layers)
            layers = f"{count} layer{'s' * (count > 1)}, " if self.walk else ""
            return f"AGREE: {self.name}, {self.rows:,} rows, {layers}{self.codes:,} output codes"
        found = f"{self.differences:,} of {self.codes:,} output codes"
        if self.walk is not None and self.walk.first is not None:
            return f"DIFFER: {self.name}, {found}; first in layer {self.walk.first.layer.name}"
        if self.differences:
            return f"DIFFER: {self.name}, {found}, though no layer differs when each is observed"
        return f"DIFFER: {self.name}, {len(self.weights)} weights between simulation and synthesis"

    @property
    def details(self) -> list[str]:
        """The first difference of the layers, and those of the weights, in lines."""
        lines = list(self.weights)
        if self.walk is not None and self.walk.first is not None:
            lines += str(self.walk.first).splitlines()
            lines += [f"  input codes  {_listed(x)}" for x in self.walk.first.inputs]
        return lines


def verify(
    project: Project,
    inputs: Sequence[Fixed],
    *,
    model: Model | None = None,
    layers: bool = False,
    progress: Update = lambda *_: None,
) -> Verdict:
    """Run a project beside a typed model.

    The verdict is on the output of the unmodified top function.  Where it differs, and with
    ``layers``, a copy that tells what each kernel wrote finds the first layer that does.

    Args:
        project: the project.
        inputs: a batch, as :meth:`Project.batch` makes it.
        model: what it is held against; by default the one that its own sources say.
        layers: compare every layer, also where the outputs agree.
        progress: called with what is done, what there is, and what it is about.

    Raises:
        ProjectError: if it has no typed model.
        ValueError: if the model given does not make the project's outputs, or not in their shapes.
        OracleError: if it does not compile, or its code ends the process.
    """
    model = project.model() if model is None else model
    progress(0, 4, "compiling")
    with ThreadPoolExecutor() as pool:  # two compilers at once
        list(pool.map(project.compile, (False, True) if layers else (False,)))
    progress(1, 4, "running")
    theirs = project.outputs_of(*inputs)
    progress(2, 4, "computing")
    mine = model.trace(*model.batch(*inputs))
    mine |= {name: mine[value] for name, value in _outputs(project, model).items()}
    if left := sorted(set(theirs) - set(mine)):
        raise ValueError(f"the typed model makes no {left[0]}; it makes {instead(left[0], mine)}")
    counts = {
        name: int(np.count_nonzero(differing(x, shaped_like(got, x.shape, name))))
        for name, got in theirs.items()
        for x in [mine[name]]
    }
    walk = None
    if layers or any(counts.values()):
        progress(3, 4, "comparing layers")
        walk = compare(model, project, *inputs)
    return Verdict(
        project.name,
        len(inputs[0]),
        tuple(_rows(project, model, walk, theirs, counts)),
        sum(got.codes.size for got in theirs.values()),
        sum(counts.values()),
        walk,
        tuple(project.weight_differences()),
    )


def _outputs(project: Project, model: Model) -> dict[str, str]:
    """The value of the model for each output of the project, as far as there is one.

    hls4ml gives outputs in the order of the layers, whatever order its source returns them in, so
    a model with other names is matched by its layers; only a single output needs no name.
    """
    if len(project.outputs) == len(model.outputs) == 1:
        return {project.outputs[0].name: model.output}
    writes = [item for call in project.top.calls for item in project.writes(call).items()]
    layers = {v.name: model.step(name) for name, v in writes}
    return {v.name: step.output for v in project.outputs if (step := layers.get(v.name))}


def _rows(
    project: Project,
    model: Model,
    walk: Comparison | None,
    outputs: dict[str, Fixed],
    counts: dict[str, int],
) -> list[LayerRow]:
    walked = {found.name: found for found in walk.layers} if walk else {}
    typed = {step.layer.name: step.layer for step in model.steps}
    rows = []
    for call in project.top.calls:
        for name, output in project.writes(call).items():
            codes = differences = None
            if name in walked:
                codes, differences = walked[name].codes, walked[name].differences
            elif walk is None and output.name in counts:
                codes, differences = outputs[output.name].codes.size, counts[output.name]
            rows.append(LayerRow(name, call.kernel, typed[name], codes, differences))
    return rows


def _listed(x: Fixed) -> str:
    codes = [str(c) for c in x.codes.ravel()[:SHOWN].tolist()]
    left = x.codes.size - len(codes)
    return ", ".join(codes) + (f", and {left} more" if left > 0 else "") + f" ({x.type})"
