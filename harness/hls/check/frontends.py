"""How each kind of model is called, and how it tells the values of its layers."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from harness.hls.model import Model

__all__ = ["FOLDED", "called", "layers_with_weights"]

Array = np.ndarray[Any, Any]
#: In the names of classes that hls4ml folds into the layer before them, where it can.
FOLDED = "BatchNorm"


def called(model: Any, inputs: Sequence[Array]) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    """The outputs of a model in its order, and the values of layers by name.

    Args:
        model: see :func:`harness.hls.check.reference.reference_of`.
        inputs: (rows, ...) each, float64.
    """
    if isinstance(model, Model):
        values = model.trace(*model.batch(*inputs))
        told = {step.layer.name: values[step.output].values() for step in model.steps}
        return tuple(values[name].values() for name in model.outputs), told
    if isinstance(model, nn.Module) and not hasattr(model, "compute_output_spec"):
        return _torch(model, inputs)
    if isinstance(model, (str, Path)) or hasattr(model, "graph"):
        return _onnx(model, inputs)
    if hasattr(model, "layers") and hasattr(model, "inputs"):
        return _keras(model, inputs)
    found = model(*inputs)
    if isinstance(found, Mapping):
        layers = dict(found)
        if "output" not in layers:
            raise ValueError(f"it returns {', '.join(layers) or 'nothing'}; wanted: 'output' too")
        return _several(layers.pop("output")), layers
    return _several(found), {}


def _several(found: Any) -> tuple[Any, ...]:
    return tuple(found) if isinstance(found, (tuple, list)) else (found,)


def _torch(model: nn.Module, inputs: Sequence[Array]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """By hooks on every module, in the dtype of its parameters; its mode is what it was."""
    layers: dict[str, Any] = {}

    def told(name: str) -> Any:
        def hook(_module: nn.Module, _given: Any, made: Any) -> None:
            layers[name] = made[0] if isinstance(made, tuple) else made

        return hook

    first = next((p for p in model.parameters() if p.is_floating_point()), torch.zeros(()))
    tensors = [torch.from_numpy(np.array(x)).to(first) for x in inputs]
    training = model.training
    with contextlib.ExitStack() as stack:
        for name, module in model.named_modules():
            if name:
                stack.callback(module.register_forward_hook(told(name)).remove)
        stack.callback(model.train, training)
        stack.enter_context(torch.no_grad())
        made = model.eval()(*tensors)
    return _several(made), layers


def _keras(model: Any, inputs: Sequence[Array]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Through a model of all outputs; a layer's activation is a layer of its own in hls4ml."""
    shown = [layer for layer in model.layers if not type(layer).__name__.startswith("InputLayer")]
    outputs = [*(layer.output for layer in shown), *model.outputs]
    every = type(model.layers[0])  # a layer's module tells where the Model class is
    functional = import_module(every.__module__.split(".")[0]).Model(model.inputs, outputs)
    made = _several(functional(list(inputs)))
    layers = {}
    for layer, value in zip(shown, made, strict=False):
        activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
        apart = activation != "linear" and type(layer).__name__ not in ("Activation", "QActivation")
        layers[f"{layer.name}_{activation}" if apart else layer.name] = value
    return made[len(shown) :], layers


def _onnx(model: Any, inputs: Sequence[Array]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Through qonnx' own executor, which tells every value; a plain ONNX file too.

    Most exporters fix the size of a batch, often at one row, so it is run batch by batch.
    """
    wrappers = import_module("qonnx.core.modelwrapper")
    executor = import_module("qonnx.core.onnx_exec")
    shapes = import_module("qonnx.transformation.infer_shapes")
    wrapper = wrappers.ModelWrapper(str(model)) if isinstance(model, (str, Path)) else model
    wrapper = wrapper.transform(shapes.InferShapes())
    names = [value.name for value in wrapper.graph.input]
    rows = len(inputs[0])
    size = (wrapper.get_tensor_shape(names[0]) or [0])[0] or rows
    if rows % size:
        raise ValueError(f"it takes {size} rows at a time, of which {rows} are no multiple")
    parts = []
    for k in range(0, rows, size):
        batch = (x[k : k + size].astype(np.float32) for x in inputs)
        given = dict(zip(names, batch, strict=True))
        parts.append(executor.execute_onnx(wrapper, given, return_full_exec_context=True))
    outputs = [value.name for value in wrapper.graph.output]
    made = {node.name: node.output[0] for node in wrapper.graph.node if node.name}
    values = {
        name: np.concatenate([part[name] for part in parts])
        for name in {*outputs, *made.values()}
        if all(np.ndim(part.get(name)) and len(part[name]) == size for part in parts)
    }
    layers = {name: values[output] for name, output in made.items() if output in values}
    return tuple(values[name] for name in outputs), layers


def layers_with_weights(model: Any) -> list[str]:
    """The names of a model's own layers that have weights, where it tells; else none.

    Batch normalisations are none of them, for one that is missing may have been folded.
    """
    if isinstance(model, Model):
        found = [(s.layer.name, s.layer) for s in model.steps if s.layer.parameter_types]
    elif isinstance(model, nn.Module) and not hasattr(model, "compute_output_spec"):
        named = [(name, module) for name, module in model.named_modules() if name]
        found = [(n, m) for n, m in named if any(True for _ in m.parameters(recurse=False))]
    else:
        layers = getattr(model, "layers", ())
        found = [(v.name, v) for v in layers if getattr(v, "weights", None) and hasattr(v, "name")]
    return [name for name, layer in found if FOLDED not in type(layer).__name__]
