"""What makes typed layers of a torch module: the table of builders, and what each is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from harness.hls.convert.precision import ConversionError, Precision
from harness.hls.layers.layer import TypedLayer
from harness.hls.model import Model
from harness.types import ApFixed

__all__ = ["BUILDERS", "Builder", "Site", "builder", "numbers"]

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Site:
    """What a builder is given: a module, what it reads, and its types.

    Attributes:
        name: the layer's name.
        module: the torch module, or the name of a merging function.
        inputs: the type of each input.
        shapes: the shape of each input, channels last.
        types: where further types come from.
        result: the type of the output, if something has decided it.
        turned: whether torch's channels first are last here.
        axis: the axis that a function was given, as torch counts.
    """

    name: str
    module: Any
    inputs: tuple[ApFixed, ...]
    shapes: tuple[Shape, ...]
    types: Precision
    result: ApFixed | None
    turned: bool = True
    axis: int = 0

    @property
    def input(self) -> ApFixed:
        """The type of the first input."""
        return self.inputs[0]

    @property
    def shape(self) -> Shape:
        """The shape of the first input."""
        return self.shapes[0]

    @property
    def torch_shape(self) -> Shape:
        """The shape of the first input as torch has it."""
        return (self.shape[-1], *self.shape[:-1]) if self.turned else self.shape

    @property
    def strategy(self) -> dict[str, Any]:
        """Strategy and reuse factor, as the configuration has them."""
        strategy = str(self.types.config.fact(self.name, "Strategy", "Latency")).lower()
        reuse = int(self.types.config.fact(self.name, "ReuseFactor", 1))
        return {"strategy": strategy, "reuse_factor": reuse if strategy == "resource" else 1}

    def refused(self, why: str) -> ConversionError:
        """An error that names the module."""
        kind = type(self.module).__name__
        return ConversionError(f"{self.name} ({kind}) {why}")


Builder = Callable[[Site], Sequence[TypedLayer] | Model]
#: What makes typed layers of a module, by the torch module's class; of a function, by its name.
BUILDERS: dict[Any, Builder] = {}


def builder(*kinds: Any) -> Callable[[Builder], Builder]:
    """Enter a function into :data:`BUILDERS`.

    It gives layers of which each reads the one before, or a model with the inputs of the site.
    """

    def enter(function: Builder) -> Builder:
        BUILDERS.update(dict.fromkeys(kinds, function))
        return function

    return enter


def numbers(tensor: Any) -> Any:
    """A tensor as float64, without loss."""
    return tensor.detach().cpu().double().numpy()
