"""Models of typed layers: a graph of named values, or a chain."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness.fixed import Fixed, concatenated
from harness.hls.layers.layer import (
    ShapeError,
    TypedLayer,
    TypeMismatch,
    as_codes,
    as_fixed,
    as_tensor,
)
from harness.names import instead
from harness.types import ApFixed

__all__ = ["Model", "Sequential", "Step"]

#: Codes of the largest value at a time, so that a batch does not fill the memory.
CODES = 1 << 19


@dataclass(frozen=True)
class Step:
    """One layer of a model: ``output = layer(*inputs)``, all named.

    Attributes:
        layer: what is computed; its ``name`` is the step's.
        inputs: the values it reads: inputs of the model or outputs of earlier steps.
        output: the value it makes; nothing else may make it.
    """

    layer: TypedLayer
    inputs: tuple[str, ...]
    output: str


class Model(nn.Module):
    """Typed layers that compute one after the other, each from values made before it.

    Args:
        inputs: the model's inputs: name to type and shape (without the batch).
        steps: the layers, in an order that can be computed.
        output: the value the model gives, or several; by default the last one.

    Attributes:
        outputs: the values that the model gives.
        output: the first of them, of type ``result`` and shape ``output_shape``.

    Raises:
        ShapeError, TypeMismatch: if a layer does not take what it is given; names both.
        ValueError: for two layers of one name, and values that nothing makes.
    """

    def __init__(
        self,
        inputs: dict[str, tuple[ApFixed, tuple[int, ...]]],
        steps: Sequence[Step],
        output: str | Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        if not steps:
            raise ValueError("a model has at least one layer")
        self.inputs = dict(inputs)
        self.steps = tuple(steps)
        given = output or steps[-1].output
        self.outputs = (given,) if isinstance(given, str) else tuple(given)
        self.output = self.outputs[0]
        known = dict(self.inputs)
        names = Counter(step.layer.name for step in self.steps)
        if twice := [name for name, count in names.items() if count > 1]:
            raise ValueError(f"two layers are called {twice[0]}; give one another name")
        for step in self.steps:
            _check(step, known)
            known[step.output] = (step.layer.result, step.layer.output_shape)
        for name in self.outputs:
            if name not in known:
                raise ValueError(f"no layer makes {name}")
        self.result, self.output_shape = known[self.output]
        self.layers = nn.ModuleList(step.layer for step in self.steps)

    def retyped(self, types: Mapping[str, Mapping[str, ApFixed | str]]) -> Model:
        """The same model with other types: for a layer by name, its arguments to change.

        A layer's input types follow from the layers before it.

        Raises:
            ValueError: for a layer that there is not, or an argument that it does not take.
        """
        names = [step.layer.name for step in self.steps]
        if unknown := sorted(set(types) - set(names)):
            raise ValueError(
                f"there is no layer {unknown[0]}; there are {instead(unknown[0], names)}"
            )
        known = {name: t for name, (t, _) in self.inputs.items()}
        steps = []
        for step in self.steps:
            layer = step.layer.given(*(known[name] for name in step.inputs))
            if changes := types.get(layer.name):
                try:
                    layer = layer.retyped(**changes)
                except TypeError as error:
                    raise ValueError(str(error)) from None
            known[step.output] = layer.result
            steps.append(Step(layer, step.inputs, step.output))
        return Model(self.inputs, steps, self.outputs)

    def maker(self, value: str) -> TypedLayer:
        """The layer that makes a value, behind those that only give it another shape."""
        step = next(step for step in self.steps if step.output == value)
        inner = any(step.inputs[0] == other.output for other in self.steps)
        return self.maker(step.inputs[0]) if step.layer.kernel() is None and inner else step.layer

    def giving(self, output: str) -> Model:
        """The same layers, as a model of one output: a value by name."""
        return self if self.outputs == (output,) else Model(self.inputs, self.steps, output)

    def trace(self, *inputs: Fixed) -> dict[str, Fixed]:
        """Every value of the model by name, for a batch."""
        values = dict(zip(self.inputs, inputs, strict=True))
        for step in self.steps:
            values[step.output] = step.layer.run(*(values[name] for name in step.inputs))
        return values

    def layer_outputs(self, *inputs: Fixed) -> dict[str, Fixed]:
        """The output of every layer by the layer's name, for a batch."""
        values = self.trace(*inputs)
        return {step.layer.name: values[step.output] for step in self.steps}

    def step(self, name: str) -> Step | None:
        """The step of a layer by name, if there is one."""
        return next((step for step in self.steps if step.layer.name == name), None)

    def layer(self, name: str) -> TypedLayer | None:
        """The layer of a name, if there is one."""
        step = self.step(name)
        return None if step is None else step.layer

    def layer_inputs(self, name: str, *inputs: Fixed) -> tuple[Fixed, ...]:
        """What the layer of a name reads, for a batch; ``ValueError`` if there is none."""
        return self.read_by(name, self.trace(*inputs))

    def read_by(self, name: str, values: Mapping[str, Fixed]) -> tuple[Fixed, ...]:
        """What a layer reads of values by name; ``ValueError`` if there is no such layer."""
        step = self.step(name)
        if step is None:
            names = (step.layer.name for step in self.steps)
            raise ValueError(f"there is no layer {name}; there are {instead(name, names)}")
        return tuple(values[read] for read in step.inputs)

    def weights(self) -> dict[str, Fixed]:
        """The codes of every parameter, by the layer's name and its own: ``fc1.weight``."""
        layers = [step.layer for step in self.steps]
        return {f"{v.name}.{name}": v.fixed(name) for v in layers for name in v.parameter_types}

    def run(self, *inputs: Fixed) -> Fixed:
        """The model's output, the first of several: (rows, *output_shape) of type ``result``."""
        return self.outputs_of(*inputs)[self.output]

    def outputs_of(self, *inputs: Fixed) -> dict[str, Fixed]:
        """Each of the model's outputs by name, for a batch."""
        parts: dict[str, list[Fixed]] = {name: [] for name in self.outputs}
        shapes = [shape for _, shape in self.inputs.values()]
        shapes += [step.layer.output_shape for step in self.steps]
        rows = max(CODES // max(map(math.prod, shapes)), 1)
        for k in range(0, max(len(inputs[0]), 1), rows):
            values = self.trace(*(x[k : k + rows] for x in inputs))
            for name, found in parts.items():
                found.append(values[name])
        return {n: v[0] if len(v) == 1 else concatenated(v) for n, v in parts.items()}

    def batch(self, *values: Any) -> tuple[Fixed, ...]:
        """A batch of each input in its type: values as C++ converts doubles, or a ``Fixed``.

        Raises:
            ShapeError: for another count of inputs, or shapes that are not (rows, *sizes).
        """
        return self._checked(as_fixed, values)

    def _checked(self, convert: Callable[..., Fixed], values: Sequence[Any]) -> tuple[Fixed, ...]:
        if len(values) != len(self.inputs):
            names, count = ", ".join(self.inputs), len(self.inputs)
            raise ShapeError(f"the model takes {count} inputs ({names}), not {len(values)}")
        found: list[Fixed] = []
        for x, (name, (t, shape)) in zip(values, self.inputs.items(), strict=True):
            fixed = convert(x, t, name)
            if fixed.shape[1:] != shape or len(fixed) != len(found[0] if found else fixed):
                rows = len(found[0]) if found else "rows"
                wanted = ", ".join(map(str, (rows, *shape)))
                raise ShapeError(f"{name} takes ({wanted}), not {fixed.shape}")
            found.append(fixed)
        return tuple(found)

    def codes(self, *codes: Any) -> Any:
        """Codes to codes: integer tensors or arrays in, ``int64`` tensor out; a tuple of several.

        Raises:
            ValueError: for a result of more than 64 bits, which :meth:`outputs_of` gives.
        """
        found = self.outputs_of(*self._checked(as_codes, codes))
        return _one_or_all([as_tensor(x, name) for name, x in found.items()])

    def forward(self, *values: Any) -> Any:
        """Values to values, float64; inputs are converted as C++ converts doubles.

        Returns:
            A tensor; of several outputs a tuple of them, as torch's modules do.
        """
        found = self.outputs_of(*self.batch(*values)).values()
        return _one_or_all([torch.from_numpy(np.ascontiguousarray(x.values())) for x in found])


class Sequential(Model):
    """A chain of typed layers, each of one input.

    Layers that still have the name of their class get a number: ``dense``, ``relu``, ``dense_2``.
    """

    def __init__(self, *layers: TypedLayer) -> None:
        if not layers:
            raise ValueError("a model has at least one layer")
        seen: Counter[str] = Counter()
        for layer in layers:
            if layer.name == type(layer).__name__:
                base = layer.name.lower()
                seen[base] += 1
                layer.name = base if seen[base] == 1 else f"{base}_{seen[base]}"
        sources = ["input", *(layer.name for layer in layers[:-1])]
        steps = [Step(v, (source,), v.name) for v, source in zip(layers, sources, strict=True)]
        first = layers[0]
        super().__init__({"input": (first.input_types[0], first.input_shapes[0])}, steps)


def _one_or_all(tensors: list[Tensor]) -> Any:
    return tensors[0] if len(tensors) == 1 else tuple(tensors)


def _check(step: Step, known: dict[str, tuple[ApFixed, tuple[int, ...]]]) -> None:
    layer = step.layer
    if step.output in known:
        raise ValueError(f"{layer.name}: {step.output} is made twice")
    if len(step.inputs) != len(layer.input_types):
        raise ShapeError(
            f"{layer.name} takes {len(layer.input_types)} inputs, not {len(step.inputs)}"
        )
    for name, t, shape in zip(step.inputs, layer.input_types, layer.input_shapes, strict=True):
        if name not in known:
            raise ValueError(f"{layer.name} reads {name}, which no earlier layer makes")
        given_type, given_shape = known[name]
        if given_type != t:
            raise TypeMismatch(f"{layer.name} takes {t}, but {name} is {given_type}")
        if given_shape != shape:
            raise ShapeError(f"{layer.name} takes shape {shape}, but {name} has {given_shape}")
