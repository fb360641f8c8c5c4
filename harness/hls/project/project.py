"""``Project``: a project that hls4ml wrote, as a typed model and as the C++ that it is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from harness.fixed import Fixed
from harness.hls.layers.layer import TypedLayer, as_codes, as_fixed
from harness.hls.layers.shape import channels_first
from harness.hls.model import Model
from harness.hls.project.build import build
from harness.hls.project.description import Description
from harness.hls.project.run import Compiled
from harness.hls.project.top import Variable

__all__ = ["Project"]


@dataclass(frozen=True, eq=False)
class Project(Description):
    """A project of the Vivado or Vitis backend: see :meth:`Description.read`."""

    def model(self) -> Model:
        """The typed model: what the sources say, in Python.

        Raises:
            ProjectError: for a kernel, or a variant of one, that no typed layer computes.
        """
        return build(self)

    @cached_property
    def _model(self) -> Model:
        return self.model()

    def batch(self, *inputs: Any) -> tuple[Fixed, ...]:
        """Inputs as codes of the ports: ``Fixed``, integers as codes, floats as values.

        Args:
            inputs: for each input (rows, *sizes) as the port is declared, or (rows, product of
                sizes), which is how hls4ml itself writes a row.

        Raises:
            ValueError: for another count, another shape, or what is no code of the type.
        """
        if len(inputs) != len(self.inputs):
            names = ", ".join(v.name for v in self.inputs)
            raise ValueError(
                f"{self.name} has {len(self.inputs)} inputs ({names}), got {len(inputs)}"
            )
        found = tuple(self._codes(x, v) for x, v in zip(inputs, self.inputs, strict=True))
        if len({len(x) for x in found}) > 1:
            raise ValueError(f"the inputs have {[len(x) for x in found]} rows")
        return found

    def _codes(self, x: Any, v: Variable) -> Fixed:
        t = self.type(v)
        whole = not isinstance(x, Fixed) and np.asarray(x).dtype.kind in "iu"
        fixed = as_codes(x, t, v.name) if whole else as_fixed(x, t, v.name)
        allowed = dict.fromkeys((v.shape, (math.prod(v.shape),)))
        if fixed.shape[1:] not in allowed:
            taken = (f"(rows, {', '.join(map(str, shape))})" for shape in allowed)
            first = channels_first(fixed.shape[1:], v.shape)
            hint = "; channels come last: np.moveaxis(x, 1, -1)" if first else ""
            raise ValueError(f"{v.name} takes {' or '.join(taken)}, got {fixed.shape}{hint}")
        return fixed.reshape(len(fixed), *v.shape)

    @cached_property
    def compiled(self) -> Compiled:
        """The top function, unmodified."""
        return Compiled(self)

    @cached_property
    def traced(self) -> Compiled:
        """A copy of the top function that also tells what every kernel wrote."""
        told = {
            call: tuple(map(self._sized, self.writes(call).values())) for call in self.top.calls
        }
        return Compiled(self, told)

    def _sized(self, v: Variable) -> Variable:
        """An array or a stream with its sizes, which the model knows where no source says them."""
        if v.shape:
            return v
        shapes = {step.output: step.layer.output_shape for step in self._model.steps}
        return replace(v, shape=shapes[v.name])

    def compile(self, traced: bool = False) -> Compiled:
        """Compile the top function, or its copy, if that was not done before."""
        return self.traced if traced else self.compiled

    def outputs_of(self, *inputs: Any) -> dict[str, Fixed]:
        """What the C++ top function, unmodified, gives for a batch: each output by name."""
        return self.compiled.run(self.batch(*inputs))

    def run(self, *inputs: Any) -> Fixed:
        """What the C++ top function, unmodified, gives for a batch: its first output.

        Args:
            inputs: as :meth:`batch` takes them.

        Raises:
            CompileError: if the project does not compile.
            OracleCrash: if its code ends the process.
        """
        return self.outputs_of(*inputs)[self.outputs[0].name]

    def trace(self, *inputs: Any) -> dict[str, Fixed]:
        """What every kernel of the C++ wrote for a batch: the arrays by name."""
        return self.traced.run(self.batch(*inputs))

    def layer_outputs(self, *inputs: Fixed) -> dict[str, Fixed]:
        """The same by the names of the layers."""
        found = self.trace(*inputs)
        return {
            name: found[v.name] for call in self.top.calls for name, v in self.writes(call).items()
        }

    def layer(self, name: str) -> TypedLayer | None:
        """The typed layer that the sources say, by name."""
        return self._model.layer(name)

    def layer_inputs(self, name: str, *inputs: Fixed) -> tuple[Fixed, ...]:
        """What the kernel of a layer read of a batch, in the shapes of :meth:`layer`."""
        batch = self.batch(*inputs)
        values = dict(zip(self._model.inputs, batch, strict=True))
        found = self.traced.run(batch)
        for step in self._model.steps:
            if step.output in found:
                values[step.output] = found[step.output].reshape(-1, *step.layer.output_shape)
            else:  # in another shape, which is no array of its own in C++
                values[step.output] = step.layer.run(*(values[read] for read in step.inputs))
        return self._model.read_by(name, values)

    def close(self) -> None:
        """End the worker processes, and remove what was compiled."""
        for name in ("compiled", "traced"):
            compiled = self.__dict__.pop(name, None)
            if compiled is not None:
                compiled.close()
