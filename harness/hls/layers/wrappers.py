"""Layers around layers: ``nnet_time_distributed.h``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.fixed import Fixed
from harness.hls.layers.extents import extent_of
from harness.hls.layers.interval import Extent, Interval
from harness.hls.layers.layer import Shape, ShapeError, Sum, TypedLayer
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["TimeDistributed"]

#: Axes, time included, for which hls4ml has functions that read and write a step.
AXES = (2, 3, 4)


class TimeDistributed(TypedLayer):
    """A layer applied to every step of a sequence.

    Args:
        layer: the layer, of one input; input and output have one to three axes.
        length: how many steps; shapes are the layer's with this before them.

    Source:
        hls4ml ``nnet::read_time_step_2d`` to ``4d`` and ``nnet::write_time_step_2d`` to ``4d``.
    """

    def __init__(self, layer: TypedLayer, length: int) -> None:
        if len(layer.input_types) != 1:
            raise ShapeError(
                f"TimeDistributed: {layer.name} has {len(layer.input_types)} inputs; allowed: one"
            )
        shape = layer.input_shapes[0]
        for inner in (shape, layer.output_shape):
            if len(inner) + 1 not in AXES:
                raise ShapeError(
                    f"TimeDistributed: {layer.name} has shape {inner}; allowed: one to three axes"
                )
        out = (length, *layer.output_shape)
        super().__init__(layer.input_types, [(length, *shape)], layer.result, out)
        self.layer, self.length = layer, length
        self.told, self.stateful = layer.told, layer.stateful

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        rows = inputs[0].shape[0]
        steps = inputs[0].reshape(rows * self.length, *self.layer.input_shapes[0])
        return self.layer.compute(steps).reshape(rows, *self.output_shape)

    def kernel(self) -> Any:
        """The layer's kernel between reading and writing a step; None if it has none."""
        inner = self.layer.kernel()
        if inner is None:
            return None
        arguments = (
            inner.cpp,
            *self.input_types,
            self.result,
            _step(self.input_shapes[0]),
            _step(self.output_shape),
        )
        return LayerKernel(inner.source, "time_distributed", arguments)

    def constants(self) -> tuple[Fixed, ...]:
        """The layer's."""
        return self.layer.constants()

    def code_range(self, place: int) -> tuple[int, int]:
        """The layer's."""
        return self.layer.code_range(place)

    def summed(self, inputs: Sequence[Fixed], index: tuple[int, ...]) -> Sum | None:
        """The layer's, of one step."""
        return self.layer.summed([x[index[0]] for x in inputs], index[1:])

    def extent(self, *inputs: Interval) -> Extent | None:
        """The layer's, step by step."""
        steps = [extent_of(self.layer, [inputs[0][k]]) for k in range(self.length)]
        found = [step for step in steps if step is not None]
        if len(found) < self.length:
            return None
        sums = {
            name: (t, Interval.hull(*(step.sums[name][1].whole for step in found)))
            for name, (t, _) in found[0].sums.items()
        }
        rows = [step.before[None] for step in found]
        return Extent(sums, Interval.joined(rows))

    @property
    def parameter_types(self) -> dict[str, ApFixed]:
        """The layer's."""
        return self.layer.parameter_types

    def fixed(self, name: str) -> Fixed:
        """A parameter of the layer."""
        return self.layer.fixed(name)

    def takes(self, name: str) -> bool:
        """Whether the layer's constructor takes an argument of this name."""
        return self.layer.takes(name)

    def retyped(self, **types: ApFixed | str) -> Self:
        """The layer with other types, distributed."""
        wrapped = type(self)(self.layer.retyped(**types), self.length)
        wrapped.name = self.name
        return wrapped

    def given(self, *types: ApFixed) -> Self:
        """See :meth:`TypedLayer.given`."""
        if types == self.input_types:
            return self
        wrapped = type(self)(self.layer.given(*types), self.length)
        wrapped.name = self.name
        return wrapped


def _step(shape: Shape) -> str:
    """The C++ type that tells hls4ml where the steps are in an array of ``shape``."""
    length, *inner = shape
    height, width, channels = [1] * (3 - len(inner)) + inner
    sizes = f"{len(shape)}, {length}, {height}, {width}, {channels}"
    return f"harness::layers::time_steps<{sizes}>"
