"""Three questions to a project, and what was found: one record, one verdict."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.fixed import Fixed
from harness.hls.check.advice import Advice, advise, explained, remedy
from harness.hls.check.fidelity import DEFAULT, SAME, Fidelity, Limits, measure
from harness.hls.check.frontends import layers_with_weights
from harness.hls.check.origin import absent, saved_layers
from harness.hls.check.reference import Reference, fitted_outputs, named_layers, reference_of
from harness.hls.layers.shape import channels_first
from harness.hls.model import Model
from harness.hls.project import BrokenProject, Project, Verdict, verify
from harness.report.update import Update

__all__ = ["Findings", "check", "examined", "not_run"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Findings:
    """What was found of a project.

    Attributes:
        name: the project.
        rows: how many rows it was run with; 0 if it was not.
        broken: what is wrong with the project itself, whatever its arithmetic.
        cpp: is the C++ what its types say?
        model: is it my model?  Against the model in float64, if nobody gave a reference.
        advice: what should I change?
        left: what was not asked, or not compared.
    """

    name: str
    rows: int = 0
    broken: tuple[str, ...] = ()
    cpp: Verdict | None = None
    model: Fidelity | None = None
    advice: Advice | None = None
    left: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """``BROKEN``, ``DIFFER``, ``LOSES`` or ``AGREE``: the first that holds."""
        if self.broken:
            return "BROKEN"
        if self.cpp is not None and not self.cpp.agrees:
            return "DIFFER"
        if self.asked and self.model is not None and not self.model.keeps:
            return "LOSES"
        return "AGREE"

    @property
    def agrees(self) -> bool:
        """Whether nothing was found."""
        return self.verdict == "AGREE"

    @property
    def summary(self) -> str:
        """The verdict in one line."""
        if self.broken:
            more = len(self.broken) - 1
            return f"BROKEN: {self.name}: {self.broken[0]}" + (f"; and {more} more" * (more > 0))
        assert self.cpp is not None
        if self.verdict == "LOSES":
            assert self.model is not None
            return f"LOSES: {self.name}: {self.model.reason}"
        if self.agrees and not self.asked:
            return f"{self.cpp.summary}; is it your model? was not asked: --reference"
        return self.cpp.summary

    @property
    def asked(self) -> bool:
        """Whether it was held against a model from outside."""
        return self.model is not None and self.model.given


def check(
    project: Project | str | Path,
    model: Any,
    x: Any,
    *,
    limits: Limits = DEFAULT,
    suggest: bool = False,
    name: str | None = None,
) -> Findings:
    """Does the hardware compute my model?

    Args:
        project: an hls4ml project, or its folder.
        model: a torch module, a model of :mod:`harness.hls`, a Keras model, the path of an ONNX
            file, or a function of float64 arrays: see
            :func:`harness.hls.check.reference.reference_of`.
        x: a batch of each input as the model takes it, (rows, ...); one array, or several.  What
            has channels first is turned for a project that has them last.
        limits: what may be lost.
        suggest: look for types and table sizes that lose less.
        name: how reports call the model.

    Raises:
        ProjectError: for a project that is not supported.
        ValueError: for inputs that the project, or the model, does not take.
        OracleError: if the project does not compile, or its code ends the process.
    """
    if not isinstance(project, Project):
        try:
            opened = Project.read(project)
        except BrokenProject as error:
            return Findings(Path(project).name, 0, (str(error),))
        with contextlib.closing(opened):
            return check(opened, model, x, limits=limits, suggest=suggest, name=name)
    arrays = [np.asarray(v) for v in (x if isinstance(x, (tuple, list)) else [x])]
    inputs, turned = _turned(project, arrays)
    reference = reference_of(model, arrays, name)
    return examined(
        project,
        project.batch(*inputs),
        inputs,
        reference,
        limits=limits,
        suggest=suggest,
        broken=_dropped(project, layers_with_weights(model)),
        left=turned,
    )


def examined(
    project: Project,
    batch: Sequence[Fixed],
    values: Sequence[Array] | None,
    reference: Reference | None,
    *,
    limits: Limits = DEFAULT,
    suggest: bool = False,
    layers: bool = False,
    broken: Sequence[str] = (),
    left: Sequence[str] = (),
    progress: Update = lambda *_: None,
) -> Findings:
    """Ask the three questions of a project, with a reference or without.

    Args:
        project: the project.
        batch: codes of the inputs, as :meth:`Project.batch` makes them.
        values: the inputs before they became codes; ``None`` if they never were anything else.
        reference: what a model gives for the same rows.
        limits: what may be lost.
        suggest: look for types and table sizes that lose less.
        layers: compare every layer of the C++, also where the outputs agree.
        broken: what is known to be wrong with the project.
        left: what is known not to be compared.
        progress: called with what is done, what there is, and what it is about.
    """
    rows = len(batch[0])
    try:
        model = project.model()
        cpp = verify(project, batch, model=model, layers=layers, progress=progress)
    except BrokenProject as error:
        return not_run(project, error, broken)
    wrong = _wrong(project, broken, *cpp.weights)
    given = [x.values() for x in batch] if values is None else values
    shaped = [
        np.asarray(v, np.float64).reshape(len(v), *shape)
        for v, (_, shape) in zip(given, model.inputs.values(), strict=True)
    ]

    def again(other: Model) -> Fidelity:
        return _measured(other, batch, shaped, reference, limits)

    progress(3, 4, "measuring what is lost")
    found = again(model)
    change = remedy(model, batch, found)
    found = explained(found, change, _weights(project))
    advice = advise(model, batch, found, change, again) if suggest else None
    return Findings(project.name, rows, wrong, cpp, found, advice, (*left, *found.left))


def not_run(project: Project, error: BrokenProject, broken: Sequence[str] = ()) -> Findings:
    """What is wrong with a project that has no typed model."""
    return Findings(project.name, 0, _wrong(project, broken, str(error)))


def _wrong(project: Project, broken: Sequence[str], *more: str) -> tuple[str, ...]:
    """What is known to be wrong, what the project's own copy of its model tells, and more."""
    dropped = _dropped(project, saved_layers(project.directory))
    return tuple(dict.fromkeys([*broken, *dropped, *more]))


def _measured(
    model: Model,
    batch: Sequence[Fixed],
    values: Sequence[Array],
    reference: Reference | None,
    limits: Limits,
) -> Fidelity:
    """What is kept of each output: of the first that loses too much, or else of the first."""
    wanted: dict[str, Array | None] = dict.fromkeys(model.outputs)
    told: dict[str, Any] = {}
    if reference is not None:
        if len(reference.outputs) != (rows := len(batch[0])):
            raise ValueError(
                f"{reference.name} has {len(reference.outputs)} rows, the inputs have {rows}"
            )
        shapes = {step.layer.name: step.layer.output_shape for step in model.steps}
        layers, left = named_layers(reference, shapes)
        wanted, missing = _wanted(model, reference, layers)
        told = {"name": reference.name, "layers": layers, "left": (*left, *missing)}
    found = [
        measure(model.giving(output), batch, values, array, limits=limits, **told)
        for output, array in wanted.items()
    ]
    return next((each for each in found if not each.keeps), found[0])


def _wanted(
    model: Model, reference: Reference, layers: dict[str, Array]
) -> tuple[dict[str, Array | None], list[str]]:
    """What the reference has for each output of the model, and what is not compared.

    hls4ml gives outputs in the order of its layers, whatever order the source returns them in: of
    several, each is what the reference has for the layer that makes it, and only without that it
    is taken by its place.
    """
    given = (reference.outputs, *reference.more)
    shapes = {step.output: step.layer.output_shape for step in model.steps}
    found: dict[str, Array | None] = {}
    left = []
    for k, output in enumerate(model.outputs):
        maker = model.maker(output)
        if len(model.outputs) > 1 and maker.name in layers:
            found[output] = layers[maker.name].reshape(len(given[0]), *shapes[output])
        elif k < len(given):
            found[output] = fitted_outputs(given[k], shapes[output], reference.name)
        else:
            left.append(f"the output of {maker.name}: {reference.name} has none")
    if (more := len(given) - len(model.outputs)) > 0:
        left.append(f"{more} more outputs of {reference.name}: the project has none")
    return found, left


def _weights(project: Project) -> str:
    """The weights of which their type takes most away, and the layer that has them."""
    lost = {name: weight.lost() for name, weight in project.weights.items()}
    name, (share, how) = max(lost.items(), key=lambda item: item[1][0], default=("", (0.0, "")))
    if share < SAME:
        return ""
    layers = [call.layer for call in project.top.calls if name in call.arguments]
    return f"{layers[0]}: {how}" if layers else how


def _dropped(project: Project, layers: Sequence[str]) -> list[str]:
    return [
        f"the layer {name} of the model is not in the project; its output skips it"
        for name in absent(project, layers)
    ]


def _turned(project: Project, arrays: Sequence[Array]) -> tuple[list[Array], list[str]]:
    """Inputs as the project takes them, and what was done to them."""
    found, notes = [], []
    for k, array in enumerate(arrays):
        shape = project.inputs[k].shape if k < len(project.inputs) else ()
        if channels_first(array.shape[1:], shape):
            notes.append(f"{project.inputs[k].name}: channels first in the model, last here")
            array = np.moveaxis(array, 1, -1)  # noqa: PLW2901
        found.append(array)
    return found, notes
