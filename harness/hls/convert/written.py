"""What hls4ml made of a torch model: the types that it chose, and the layers that it folded."""

from __future__ import annotations

import contextlib
import copy
import io
import tempfile
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from harness.hls.convert.export import types_by_slot
from harness.hls.convert.graph import Call
from harness.hls.convert.precision import ConversionError
from harness.hls.model import Model
from harness.hls.project import Project
from harness.nn.model import convert
from harness.types import ApFixed

__all__ = ["folded", "model_of", "types_of", "written_model"]

Shape = tuple[int, ...]


def model_of(project: Project | str | Path) -> Model:
    """The typed model of a project, or of its folder."""
    return (project if isinstance(project, Project) else Project.read(project)).model()


def written_model(
    model: nn.Module, config: Mapping[str, Any], shapes: Sequence[Shape], asked: str
) -> Model:
    """The typed model of the project that hls4ml writes.

    Args:
        model: a torch model; of a quantized one the plain modules are given to hls4ml.
        config: the configuration.
        shapes: torch's shape of each input, without the batch.
        asked: the slot that made the caller ask.

    Raises:
        ConversionError: if hls4ml does not write it, or not what is supported.
    """
    plain = convert(copy.deepcopy(model)).eval()
    whole = copy.deepcopy({**config, "InputShape": list(shapes) if len(shapes) > 1 else shapes[0]})
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as quiet:
        quiet.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        quiet.enter_context(contextlib.redirect_stdout(io.StringIO()))
        try:
            import_module("hls4ml.converters").convert_from_pytorch_model(
                plain, output_dir=folder, backend="Vitis", hls_config=whole
            ).write()
            return model_of(folder)
        except Exception as error:  # hls4ml raises what it likes
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise ConversionError(
                f"{asked} is auto, and hls4ml does not resolve it: {lines[0]}; write the type out, "
                "or give a project of the model"
            ) from error


def types_of(written: Model, inputs: Sequence[str]) -> dict[str, dict[str, ApFixed]]:
    """The types of every layer by name and slot, and those of the inputs, in their order."""
    found = {step.layer.name: types_by_slot(step.layer) for step in written.steps}
    types = [t for t, _ in written.inputs.values()]
    return found | {name: {"result": t} for name, t in zip(inputs, types, strict=False)}


def folded(
    calls: Sequence[Call], outputs: Collection[str], layers: Collection[str]
) -> tuple[list[Call], dict[str, str]]:
    """Batch normalisations that hls4ml folded, in the modules before them.

    Args:
        calls: the computations of the torch model.
        outputs: the names of what it returns.
        layers: the names of the layers that hls4ml kept.

    Returns:
        The computations without those, and the module that took each, by name.
    """
    makers = {call.name: call for call in calls}
    taken: dict[str, str] = {}
    for call in calls:
        maker = makers.get(call.inputs[0]) if call.inputs else None
        gone = isinstance(call.what, (nn.BatchNorm1d, nn.BatchNorm2d)) and call.name not in layers
        if not gone or maker is None or maker.name not in layers or maker.name in outputs:
            continue
        readers = sum(maker.name in other.inputs for other in calls)
        if isinstance(maker.what, (nn.Linear, nn.Conv1d, nn.Conv2d)) and readers == 1:
            makers[maker.name] = replace(maker, what=_together(maker, call))
            taken[call.name] = maker.name
    kept = [makers[call.name] for call in calls if call.name not in taken]
    names = {call.name: tuple(taken.get(name, name) for name in call.inputs) for call in kept}
    return [replace(call, inputs=names[call.name]) for call in kept], taken


def _together(layer: Call, norm: Call) -> nn.Module:
    """A layer with weights as hls4ml folds a batch normalisation into it, in the weights' dtype."""
    m: Any = layer.what
    n: Any = norm.what
    if getattr(m, "param_quantizers", None):
        raise ConversionError(
            f"the project has {norm.name} folded into {layer.name}, whose weights are quantized "
            "before; allowed: plain modules"
        )
    made: nn.Module = copy.deepcopy(m)
    with torch.no_grad():
        ones = torch.ones_like(n.running_var)
        scale = (n.weight if n.affine else ones) / torch.sqrt(n.running_var + n.eps)
        shift = (n.bias if n.affine else 0 * ones) - scale * n.running_mean
        made.weight = nn.Parameter(m.weight * scale.reshape(-1, *[1] * (m.weight.ndim - 1)))
        made.bias = nn.Parameter(shift if m.bias is None else scale * m.bias + shift)
    return made
