"""A project's typed model: each call of a kernel as a typed layer, wired by the arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.hls.layer import TypedLayer
from harness.hls.model import Model, Step
from harness.hls.project.parse import NUMBER, Call, Config, is_integer
from harness.hls.project.source import ProjectError
from harness.hls.shape import Reshape
from harness.types import ApFixed

if TYPE_CHECKING:
    from harness.hls.fixed import Fixed
    from harness.hls.project.project import Project

__all__ = ["KERNELS", "Reader", "build", "kernel"]

Shape = tuple[int, ...]
Value = tuple[ApFixed, Shape]


class Reader:
    """What a kernel's function is given: a call, with its types, configuration and weights.

    Attributes:
        call: the call.
        inputs: the types of what it reads.
        result: the type of what it writes.
        shapes: the sizes of what it reads.

    Args:
        project: the project.
        call: the call.
        known: the type and the shape of each value that was made before.
    """

    def __init__(self, project: Project, call: Call, known: dict[str, Value]) -> None:
        self.project, self.call = project, call
        reads = project.reads(call)
        for v in reads:
            if v.name not in known:
                raise self.refused(f"{v.name} is read before it is written")
        self.inputs = tuple(known[v.name][0] for v in reads)
        self.shapes = tuple(known[v.name][1] for v in reads)
        self.result = project.type(project.writes(call))

    @property
    def input(self) -> ApFixed:
        """The type of the first input."""
        return self.inputs[0]

    @property
    def config(self) -> Config:
        """The kernel's configuration."""
        return self.project.scope.config(self.call.config, self.call.place)

    def shape(self, place: int, size: int) -> Shape:
        """The shape of an input, which must have ``size`` elements."""
        found = self.shapes[place]
        return found if math.prod(found) == size else (size,)

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

    def number(self, index: int) -> float:
        """A number among the call's arguments, as C++ reads it: a double."""
        found = [a for a in self.call.arguments if NUMBER.fullmatch(a)]
        if index >= len(found):
            raise self.refused(f"is given {len(found)} numbers, {index + 1} are wanted")
        return float(found[index])

    def argument_type(self, index: int) -> ApFixed:
        """A type among the call's template arguments."""
        if index >= len(self.call.types):
            raise self.refused(f"has {len(self.call.types)} types, {index + 1} are wanted")
        name = self.call.types[index]
        return self.project.scope.type(name, f"{self.call.place}: {name}")

    def refused(self, why: str) -> ProjectError:
        """An error that names the call."""
        return ProjectError(f"{self.call.place}: {self.call.kernel} ({self.call.layer}): {why}")

    def only(self, what: str, found: str | int, *allowed: str | int) -> None:
        """Refuse what no typed layer computes."""
        if found not in allowed:
            raise self.refused(
                f"{what} {found} is not supported; supported: {', '.join(map(str, allowed))}"
            )

    def only_fractions_of(self, accum: ApFixed, frac: int) -> None:
        """Refuse an accumulator of integers that fractions are added to unconverted.

        The headers cut them off one by one, where an ``ap_fixed`` adds first.
        """
        if is_integer(accum) and frac > 0:
            raise self.refused(
                f"fractions are added to an ap_{'' if accum.signed else 'u'}int<{accum.width}>; "
                "supported: ap_fixed, ap_ufixed"
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
    """Steps as they are added, and the type and shape of each value."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.inputs: dict[str, Value] = {v.name: (project.type(v), v.shape) for v in project.inputs}
        self.known = dict(self.inputs)
        self.steps: list[Step] = []
        self.names: set[str] = set()

    def add(self, call: Call) -> None:
        """The step of a call, behind reshapes of what it reads."""
        reader = Reader(self.project, call, self.known)
        layer = _layer(reader)
        if call.layer in self.names:
            raise reader.refused("a second layer of this name")
        self.names.add(call.layer)
        layer.name = call.layer
        reads, output = self.project.reads(call), self.project.writes(call)
        if len(reads) != len(layer.input_shapes):
            raise reader.refused(f"reads {len(layer.input_shapes)} arrays, is given {len(reads)}")
        if math.prod(output.shape) != layer.sizes[-1]:
            raise reader.refused(
                f"writes {layer.sizes[-1]} values, {output.name} has {math.prod(output.shape)}"
            )
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
        """The model; its output has the shape that the project declares."""
        for v in self.project.outputs:
            if v.name not in self.known:
                raise ProjectError(f"{v.place}: nothing writes {v.name}")
        first = self.project.outputs[0]
        last = Reader(self.project, self.project.top.calls[-1], self.known)
        return Model(self.inputs, self.steps, self._shaped(last, first.name, first.shape))


def _layer(reader: Reader) -> TypedLayer:
    name = reader.call.kernel
    if name not in KERNELS:
        raise reader.refused(
            f"this kernel is not supported; supported: {', '.join(sorted(KERNELS))}"
        )
    try:
        return KERNELS[name](reader)
    except ProjectError:
        raise
    except ValueError as error:
        raise reader.refused(str(error)) from None
