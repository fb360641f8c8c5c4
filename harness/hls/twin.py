"""The C++ twin of a layer: hls4ml's own kernel, compiled and called in-process."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from harness.fixed import Fixed, recorded_casts
from harness.hls.layers.layer import TypedLayer
from harness.hls.model import Model
from harness.oracle import HeaderRefuses, Oracle
from harness.oracle.layers import LayerKernel
from harness.oracle.limits import cast_aborts
from harness.oracle.words import word_count

__all__ = ["ModelTwin", "Twin"]


class Twin:
    """What hls4ml's kernel computes for a layer's types, sizes and parameters.

    Args:
        layer: the layer.
        oracle: compiles and runs the kernel; several twins share one.
        kernel: another kernel that must compute the same; by default the layer's own.
    """

    def __init__(
        self, layer: TypedLayer, oracle: Oracle, kernel: LayerKernel | None = None
    ) -> None:
        self.layer = layer
        self.oracle = oracle
        self.kernel = layer.kernel() if kernel is None else kernel

    def refusal(self) -> str | None:
        """Why the kernel cannot be run: a conversion that would end the process."""
        return self._refusal

    @cached_property
    def _refusal(self) -> str | None:
        # The types decide it, so it is found out once and not with every batch.
        rows = [
            Fixed(np.zeros((1, *shape), np.int64), t)
            for t, shape in zip(self.layer.input_types, self.layer.input_shapes, strict=True)
        ]
        with recorded_casts() as casts:
            self.layer.compute(*rows)
        for source, target in sorted(casts):
            if cast_aborts(source, target):
                return f"{self.layer.name}: converting {source} to {target} aborts in the headers"
        return self.oracle.refusal(self.kernel)

    def run(self, *inputs: Fixed) -> Fixed:
        """The kernel's output, in the shape of the layer's.

        Raises:
            HeaderRefuses: if it would end the process.
            ShapeError, TypeMismatch: as :meth:`TypedLayer.check` does.
        """
        rows = self.layer.check(inputs)
        if why := self.refusal():
            raise HeaderRefuses(why)
        flat = np.concatenate([x.words.reshape(rows, -1) for x in inputs], axis=1)
        t, shape = self.layer.result, (rows, *self.layer.output_shape)
        size = self.layer.sizes[-1] * word_count(t)
        out = self.oracle.layer(self.kernel, flat, words(self.layer.constants()), size)
        return Fixed.of_words(out, t, shape)


def words(constants: Sequence[Fixed]) -> Any:
    """Parameters as the kernel reads them, one array after the other."""
    flat = [c.words.ravel() for c in constants]
    return np.concatenate([*flat, np.zeros(1, np.int64)])


class ModelTwin:
    """A model whose every layer is computed by its C++ twin.

    Args:
        model: the model.
        oracle: compiles and runs the kernels.

    Raises:
        HeaderRefuses: if a layer's kernel cannot be run.
    """

    def __init__(self, model: Model, oracle: Oracle) -> None:
        self.model = model
        self._twins = {
            step.output: Twin(step.layer, oracle)
            for step in model.steps
            if step.layer.kernel() is not None
        }
        for twin in self._twins.values():
            if why := twin.refusal():
                raise HeaderRefuses(why)
        for _ in oracle.compile([twin.kernel for twin in self._twins.values()]):
            pass

    def trace(self, *inputs: Fixed) -> dict[str, Fixed]:
        """Every value of the model by name, for a batch."""
        values = dict(zip(self.model.inputs, inputs, strict=True))
        for step in self.model.steps:
            layer = self._twins.get(step.output, step.layer)
            values[step.output] = layer.run(*(values[name] for name in step.inputs))
        return values

    def layer_outputs(self, *inputs: Fixed) -> dict[str, Fixed]:
        """The output of every layer by the layer's name, for a batch."""
        values = self.trace(*inputs)
        return {step.layer.name: values[step.output] for step in self.model.steps}

    def layer_inputs(self, name: str, *inputs: Fixed) -> tuple[Fixed, ...]:
        """What the layer of a name reads, for a batch; ``ValueError`` if there is none."""
        return self.model.read_by(name, self.trace(*inputs))

    def layer(self, name: str) -> TypedLayer | None:
        """The typed layer of a name: a twin has the same types."""
        return self.model.layer(name)
