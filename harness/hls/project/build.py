"""A project's typed model: each call of a kernel as a typed layer, wired by the arrays."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.hls.layer import TypedLayer
from harness.hls.model import Model, Step
from harness.hls.project.parse import Call, Config, Variable
from harness.hls.project.source import ProjectError
from harness.hls.shape import Reshape
from harness.types import ApFixed

if TYPE_CHECKING:
    from harness.hls.fixed import Fixed
    from harness.hls.project.project import Project

__all__ = ["KERNELS", "Reader", "build", "kernel"]

Shape = tuple[int, ...]


class Reader:
    """What a kernel's function is given: a call, with its types, configuration and weights.

    Attributes:
        call: the call.
        inputs: the types of what it reads.
        result: the type of what it writes.
        shapes: the sizes of what it reads, as the arrays are declared.
    """

    def __init__(self, project: Project, call: Call) -> None:
        self.project, self.call = project, call
        reads = project.reads(call)
        self.inputs = tuple(project.type(v) for v in reads)
        self.shapes = tuple(v.shape for v in reads)
        self.result = project.type(project.writes(call))

    @property
    def input(self) -> ApFixed:
        """The type of the first input."""
        return self.inputs[0]

    @property
    def config(self) -> Config:
        """The kernel's configuration."""
        return self.project.scope.config(self.call.config, self.call.place)

    def weight(self, index: int, shape: Shape) -> Fixed:
        """The codes of the weights at a place among the call's, in a shape."""
        found = self.project.parameters(self.call)
        if index >= len(found):
            raise self.refused(f"is given {len(found)} weights, {index + 1} are wanted")
        codes = found[index].codes
        if math.prod(shape) != len(codes):
            name = found[index].name
            raise self.refused(f"{name} has {len(codes)} numbers, {math.prod(shape)} are read")
        return codes.reshape(shape)

    def refused(self, why: str) -> ProjectError:
        """An error that names the call."""
        return ProjectError(f"{self.call.place}: {self.call.kernel} ({self.call.layer}): {why}")

    def only(self, what: str, found: str | int, *allowed: str | int) -> None:
        """Refuse what no typed layer computes."""
        if found not in allowed:
            raise self.refused(
                f"{what} {found} is not supported; supported: {', '.join(map(str, allowed))}"
            )


Maker = Callable[[Reader], TypedLayer]
#: How to make the typed layer of a call, by the kernel's name.
KERNELS: dict[str, Maker] = {}


def kernel(*names: str) -> Callable[[Maker], Maker]:
    """Enter a function into :data:`KERNELS`."""

    def enter(make: Maker) -> Maker:
        KERNELS.update(dict.fromkeys(names, make))
        return make

    return enter


def build(project: Project) -> Model:
    """The typed model of a project; see :meth:`Project.model`."""
    from harness.hls.project import kernels  # noqa: F401  # enters the kernels

    graph = _Graph(project)
    for call in project.top.calls:
        graph.add(call)
    return graph.model()


class _Graph:
    """Steps as they are added, and the shape in which each value is known."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.inputs = {v.name: (project.type(v), v.shape) for v in project.inputs}
        self.shapes: dict[str, Shape] = {v.name: v.shape for v in project.inputs}
        self.steps: list[Step] = []
        self.names: Counter[str] = Counter()

    def add(self, call: Call) -> None:
        """The step of a call, behind reshapes of what it reads."""
        layer = _layer(self.project, call)
        self.names[call.layer] += 1
        if self.names[call.layer] > 1:
            raise ProjectError(f"{call.place}: a second layer is named {call.layer}")
        layer.name = call.layer
        reads, output = self.project.reads(call), self.project.writes(call)
        for v in reads:
            if v.name not in self.shapes:
                raise ProjectError(f"{call.place}: {v.name} is read before it is written")
        if len(reads) != len(layer.input_shapes):
            raise ProjectError(
                f"{call.place}: {call.kernel} reads {len(layer.input_shapes)} arrays, "
                f"is given {len(reads)}"
            )
        if math.prod(output.shape) != layer.sizes[-1]:
            raise ProjectError(
                f"{call.place}: {call.kernel} writes {layer.sizes[-1]} values, "
                f"{output.name} has {math.prod(output.shape)}"
            )
        inputs = tuple(
            self._shaped(call, v, shape) for v, shape in zip(reads, layer.input_shapes, strict=True)
        )
        self.steps.append(Step(layer, inputs, output.name))
        self.shapes[output.name] = layer.output_shape

    def _shaped(self, call: Call, v: Variable, shape: Shape) -> str:
        """The name of a value in a shape; a step is added where it has another one."""
        known = self.shapes[v.name]
        if known == shape:
            return v.name
        if math.prod(known) != math.prod(shape):
            raise ProjectError(
                f"{call.place}: {call.kernel} reads {math.prod(shape)} values, "
                f"{v.name} has {math.prod(known)}"
            )
        name = f"{v.name} as {'x'.join(map(str, shape))}"
        if name not in self.shapes:
            reshape = Reshape(self.project.type(v), known, shape)
            reshape.name = name
            self.steps.append(Step(reshape, (v.name,), name))
            self.shapes[name] = shape
        return name

    def model(self) -> Model:
        """The model; its output has the shape that the project declares."""
        for v in self.project.outputs:
            if v.name not in self.shapes:
                raise ProjectError(f"{v.place}: nothing writes {v.name}")
        first = self.project.outputs[0]
        last = self.project.top.calls[-1]
        return Model(self.inputs, self.steps, self._shaped(last, first, first.shape))


def _layer(project: Project, call: Call) -> TypedLayer:
    if call.kernel not in KERNELS:
        raise ProjectError(
            f"{call.place}: the kernel {call.kernel} ({call.layer}) is not supported; "
            f"supported: {', '.join(sorted(KERNELS))}"
        )
    try:
        return KERNELS[call.kernel](Reader(project, call))
    except ProjectError:
        raise
    except ValueError as error:
        raise ProjectError(f"{call.place}: {call.kernel} ({call.layer}): {error}") from None
