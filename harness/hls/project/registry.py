"""What makes the typed layer of a kernel's call: the table of makers, and what each is given."""

from __future__ import annotations

import math
from collections.abc import Callable

from harness.fixed import Fixed
from harness.hls.layers.layer import TypedLayer
from harness.hls.project.description import Description
from harness.hls.project.scope import Config, number
from harness.hls.project.source import BrokenProject, ProjectError
from harness.hls.project.top import NUMBER, Call, Variable
from harness.hls.project.weights import Weight
from harness.types import ApFixed

__all__ = ["KERNELS", "Reader", "kernel"]

Shape = tuple[int, ...]
Value = tuple[ApFixed, Shape]


class Reader:
    """What a kernel's function is given: a call, with its types, configuration and weights.

    Attributes:
        call: the call.
        inputs: the types of what it reads.
        result: the type of what it writes.
        shapes: the sizes of what it reads.
        stream: whether it writes a stream.
        pack: how many values it reads at a time from its first stream.

    Args:
        project: the project.
        call: the call.
        output: what it writes.
        known: the type and the shape of each value that was made before.
    """

    def __init__(
        self, project: Description, call: Call, output: Variable, known: dict[str, Value]
    ) -> None:
        self.project, self.call = project, call
        self.stream = output.stream
        reads = project.reads(call)
        for v in reads:
            if v.name not in known:
                raise self.broken(f"{v.name} is read before it is written")
        self.inputs = tuple(known[v.name][0] for v in reads)
        self.shapes = tuple(known[v.name][1] for v in reads)
        self.pack = project.scope.packs.get(reads[0].type_name, 1)
        self.result = project.type(output)

    @property
    def input(self) -> ApFixed:
        """The type of the first input."""
        return self.inputs[0]

    @property
    def config(self) -> Config:
        """The kernel's configuration."""
        return self.project.scope.config(self.call.config, self.call.place)

    @property
    def count(self) -> int:
        """The number in the place of a configuration."""
        return number(self.call.config, self.call.place)

    @property
    def encoded(self) -> bool:
        """Whether the configuration asks for the encoded variant of a convolution or a pooling."""
        c = self.project.scope.configs.get(self.call.config)
        return c is not None and c.values.get("implementation", "").endswith("::encoded")

    def shape(self, place: int, size: int) -> Shape:
        """The shape of an input, which must have ``size`` elements."""
        found = self.shapes[place]
        return found if math.prod(found) == size else (size,)

    def weight(self, index: int, shape: Shape) -> Fixed:
        """The codes of the weights at a place among the call's, in a shape."""
        found = self.project.parameters(self.call)
        if index >= len(found):
            raise self.refused(f"is given {len(found)} weights, {index + 1} are wanted")
        return self._shaped(found[index], shape)

    def referred(self, c: Config, member: str, shape: Shape) -> Fixed:
        """The codes of the weights that a configuration refers to, in a shape."""
        name = c.text(member)
        if name not in self.project.weights:
            raise self.refused(f"{c.name}::{member} is {name}, no known weights")
        return self._shaped(self.project.weights[name], shape)

    def _shaped(self, found: Weight, shape: Shape) -> Fixed:
        if math.prod(shape) != len(found.codes):
            wrong = self.broken if math.prod(shape) > len(found.codes) else self.refused
            raise wrong(f"{found.name} has {len(found.codes)} numbers, {math.prod(shape)} are read")
        return found.codes.reshape(shape)

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

    def broken(self, why: str) -> BrokenProject:
        """An error that names the call, and blames the project."""
        return BrokenProject(str(self.refused(why)))

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
