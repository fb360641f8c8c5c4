"""A project's typed model: each call of a kernel as a typed layer, wired by the arrays."""

from __future__ import annotations

import math

from harness.hls.layers.layer import TypedLayer
from harness.hls.layers.shape import Reshape
from harness.hls.model import Model, Step
from harness.hls.project.description import Description
from harness.hls.project.kernels.generated import from_code
from harness.hls.project.registry import KERNELS, Reader, Shape, Value
from harness.hls.project.source import BrokenProject, ProjectError
from harness.hls.project.streams import misfit
from harness.hls.project.top import Call, Variable

__all__ = ["build"]


def build(project: Description) -> Model:
    """The typed model of a project; see :meth:`harness.hls.Project.model`."""
    graph = _Graph(project)
    for call in project.top.calls:
        graph.add(call)
    return graph.model()


class _Graph:
    """Steps as they are added, and the type and shape of each value."""

    def __init__(self, project: Description) -> None:
        self.project = project
        self.inputs: dict[str, Value] = {v.name: (project.type(v), v.shape) for v in project.inputs}
        self.known = dict(self.inputs)
        self.steps: list[Step] = []
        self.names: set[str] = set()

    def add(self, call: Call) -> None:
        """The steps of a call, behind reshapes of what it reads."""
        for name, output in self.project.writes(call).items():
            self._add(call, name, output)

    def _add(self, call: Call, name: str, output: Variable) -> None:
        reader = Reader(self.project, call, output, self.known)
        layer = _layer(reader)
        if name in self.names:
            raise reader.refused("a second layer of this name")
        self.names.add(name)
        layer.name = name
        reads = self.project.reads(call)
        if len(reads) != len(layer.input_shapes):
            raise reader.refused(f"reads {len(layer.input_shapes)} arrays, is given {len(reads)}")
        if output.shape and math.prod(output.shape) != layer.sizes[-1]:
            raise reader.refused(
                f"writes {layer.sizes[-1]} values, {output.name} has {math.prod(output.shape)}"
            )
        if output.stream or any(v.stream for v in reads):
            packs, encoded = self.project.scope.packs, reader.encoded
            if why := misfit(call.kernel, layer, reads, output, packs, encoded):
                raise reader.broken(why)
        declared = self.project.type(output)
        if declared.kif != layer.result.kif:
            raise reader.refused(f"writes {layer.result}, {output.name} has {declared}")
        inputs = tuple(
            self._shaped(reader, v.name, shape)
            for v, shape in zip(reads, layer.input_shapes, strict=True)
        )
        self.steps.append(Step(layer, inputs, output.name))
        self.known[output.name] = (layer.result, layer.output_shape)

    def _shaped(self, reader: Reader, name: str, shape: Shape) -> str:
        """The name of a value in a shape; a step is added where it has another one."""
        t, known = self.known[name]
        if known == shape:
            return name
        if math.prod(known) != math.prod(shape):
            raise reader.refused(f"reads {math.prod(shape)} values, {name} has {math.prod(known)}")
        other = f"{name} as {'x'.join(map(str, shape))}"
        if other not in self.known:
            reshape = Reshape(t, known, shape)
            reshape.name = other
            self.steps.append(Step(reshape, (name,), other))
            self.known[other] = (t, shape)
        return other

    def model(self) -> Model:
        """The model; its outputs have the shapes that the project declares."""
        for v in self.project.outputs:
            if v.name not in self.known:
                raise BrokenProject(f"{v.place}: nothing writes {v.name}")
        last = self.project.top.calls[-1]
        outputs = [
            self._shaped(Reader(self.project, last, v, self.known), v.name, v.shape)
            for v in self.project.outputs
        ]
        return Model(self.inputs, self.steps, outputs)


def _layer(reader: Reader) -> TypedLayer:
    name = reader.call.kernel
    if name not in KERNELS and name not in reader.project.generated:
        if not reader.project.declares(name):
            raise reader.broken("the project's own nnet_utils has no such kernel")
        raise reader.refused(
            f"this kernel is not supported; supported: {', '.join(sorted(KERNELS))}"
        )
    try:
        return KERNELS.get(name, from_code)(reader)
    except ProjectError:
        raise
    except ValueError as error:
        raise reader.refused(str(error)) from None
