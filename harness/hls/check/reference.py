"""``Reference``: what a model gives for some rows, at its output and, if known, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from harness.hls.check.frontends import called
from harness.hls.layers.shape import channels_first
from harness.names import instead

__all__ = [
    "Reference",
    "fitted_outputs",
    "named_layers",
    "plain_name",
    "read_reference",
    "reference_of",
]

Array = np.ndarray[Any, Any]
#: What the array of the outputs may be called in a file of several.
OUTPUTS = ("output", "outputs", "predictions", "y")


@dataclass(frozen=True)
class Reference:
    """What the hardware should give.

    Attributes:
        name: where it comes from.
        outputs: (rows, ...) in float64; of several outputs the first.
        layers: further values by the names that their source has for them, (rows, ...) each.
        more: the outputs after the first, in the order of the source.
    """

    name: str
    outputs: Array
    layers: Mapping[str, Array] = field(default_factory=dict)
    more: tuple[Array, ...] = ()

    def __post_init__(self) -> None:
        further = {f"output {k}": array for k, array in enumerate(self.more, 1)}
        for name, array in {"the output": self.outputs, **further, **self.layers}.items():
            if not np.isfinite(array).all():
                row = int(np.argwhere(~np.isfinite(array))[0][0]) if array.ndim else 0
                raise ValueError(f"{self.name}: {name} is NaN or infinite in row {row}")


def read_reference(path: Path) -> Reference:
    """Predictions in a ``.npy``; or in a ``.npz``, with values of layers by their names.

    Raises:
        ValueError: if it cannot be read, is no numbers, or does not say what the output is.
    """
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            arrays = {"output": loaded}
        else:
            with loaded:
                arrays = dict(loaded)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"cannot read {path}: {error}") from None
    for name, array in arrays.items():
        if array.dtype.kind not in "iuf" or array.ndim < 1:
            raise ValueError(f"{path}: {name} has {array.dtype}; wanted: rows of numbers")
    found = [name for name in OUTPUTS if name in arrays] or list(arrays)
    if len(found) != 1:
        raise ValueError(f"{path} has {', '.join(arrays)}; which is the output? call it 'output'")
    values = {name: array.astype(np.float64) for name, array in arrays.items()}
    return Reference(str(path), values.pop(found[0]), values)


def reference_of(model: Any, inputs: Sequence[Array], name: str | None = None) -> Reference:
    """What a model gives for some inputs.

    Args:
        model: a torch module, a model of :mod:`harness.hls`, a Keras model, the path of an ONNX
            file, or a function of float64 arrays that returns the outputs, a tuple of several, or
            the values of layers by name with the outputs as ``"output"``.
        inputs: (rows, ...) each, as the model takes them.
        name: how errors and reports call it.

    Raises:
        ValueError: if it raises, or what it returns are no numbers, or not so many rows.
    """
    name = name or getattr(model, "name", None) or getattr(model, "__name__", None)
    name = str(name or type(model).__name__)
    try:
        outputs, layers = called(model, inputs)
    except Exception as error:  # the user's model may raise anything
        lines = str(error).strip().splitlines() or [""]
        raise ValueError(f"{name} raised {type(error).__name__}: {lines[0]}") from error
    rows = len(inputs[0])
    first = _rows(outputs[0] if outputs else None, rows, name)
    others = map(_array, outputs[1:])
    # What is not of rows are the states of a recurrence.
    more = tuple(v for v in others if v is not None and v.ndim > 0 and len(v) == rows)
    return Reference(name, first, _numbers(layers, rows), more)


def _rows(outputs: Any, rows: int, name: str) -> Array:
    array = _array(outputs)
    if array is None or array.ndim < 1 or len(array) != rows:
        shape = "no numbers" if array is None else f"shape {array.shape}"
        raise ValueError(f"{name} gives {shape} for {rows} rows; wanted: (rows, ...)")
    return array


def _numbers(layers: Mapping[str, Any], rows: int) -> dict[str, Array]:
    found = {name: _array(value) for name, value in layers.items()}
    return {k: v for k, v in found.items() if v is not None and v.ndim > 1 and len(v) == rows}


def _array(value: Any) -> Array | None:
    """Float64, if it is one array of numbers."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().double()
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        return None
    return array.astype(np.float64) if array.dtype.kind in "biuf" else None


def named_layers(
    reference: Reference, shapes: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, Array], list[str]]:
    """The values of a reference's layers, by the project's names and in its shapes.

    A name is matched as hls4ml makes it: dots become underscores.  Values with channels first are
    turned where the project's shape says so.

    Args:
        reference: the reference.
        shapes: the shape of each of the project's layers.

    Returns:
        The values, and what was not compared and why.
    """
    known = {plain_name(name): name for name in shapes}
    found: dict[str, Array] = {}
    left = []
    for name, array in reference.layers.items():
        mine = known.get(plain_name(name))
        if mine is None:
            continue
        fitted = _fitted(array, shapes[mine])
        if fitted is None:
            left.append(f"{name}: {array.shape[1:]} does not fit {mine}, {shapes[mine]}")
        else:
            found[mine] = fitted
    if reference.layers and not found and not left:
        missing = next(iter(reference.layers))
        left.append(f"no layer is called {missing}; the project has {instead(missing, shapes)}")
    return found, left


def fitted_outputs(outputs: Array, shape: tuple[int, ...], name: str) -> Array:
    """The outputs of a reference in the project's shape.

    Raises:
        ValueError: if they do not fit.
    """
    found = _fitted(outputs, shape)
    if found is None:
        raise ValueError(f"{name} gives (rows, {outputs.shape[1:]}), the project (rows, {shape})")
    return found


def plain_name(name: str) -> str:
    """The name of a layer as hls4ml makes one of it, without what stands around it."""
    return name.replace(".", "_").replace("/", "_").strip("_")


def _fitted(array: Array, shape: tuple[int, ...]) -> Array | None:
    """Values in a shape: as they are, or turned to channels last; ``None`` if that is unclear."""
    given = array.shape[1:]
    if channels_first(given, shape):
        return np.moveaxis(array, 1, -1)
    alike = [n for n in given if n > 1] == [n for n in shape if n > 1]
    flat = len(given) <= 1 or len(shape) <= 1
    if given == shape or ((alike or flat) and np.prod(given) == np.prod(shape)):
        return array.reshape(len(array), *shape)
    return None
