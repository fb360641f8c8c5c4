"""A trained model quantized: copies with rounded parameters, and outputs rounded as they come.

Rounded are the outputs of ``Conv2d``, ``Linear``, ``ReLU``, ``GELU``, ``BatchNorm1d`` and
``BatchNorm2d``.  The model that is given stays as it is, and ``verbose`` prints nothing.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

__all__ = [
    "dynamic_post_quantization",
    "mixed_post_quantization",
    "post_quantization",
    "static_post_quantization",
]

_LAYERS = (nn.Conv2d, nn.Linear, nn.ReLU, nn.GELU, nn.BatchNorm1d, nn.BatchNorm2d)
Chop = Callable[[Tensor], Tensor]


def post_quantization(
    model: nn.Module,
    chop: Chop,
    eval_mode: bool = True,
    verbose: bool = False,  # noqa: ARG001
) -> nn.Module:
    """A copy whose weights and biases are rounded: entries of its state with these names."""
    made = _copied(model, eval_mode)
    named = {
        name: chop(tensor)
        for name, tensor in made.state_dict().items()
        if ("weight" in name or "bias" in name) and tensor.is_floating_point()
    }
    made.load_state_dict(named, strict=False)
    return made


def dynamic_post_quantization(
    model: nn.Module, chop: Chop, eval_mode: bool = True, verbose: bool = False
) -> nn.Module:
    """A copy with parameters and outputs rounded by one ``chop``."""
    return mixed_post_quantization(model, chop, chop, eval_mode=eval_mode, verbose=verbose)


def static_post_quantization(
    model: nn.Module,
    chop: Chop,
    calibration_data: Iterable[Any],
    eval_mode: bool = True,
    verbose: bool = False,
) -> nn.Module:
    """... and outputs clamped to the range that they had on ``calibration_data`` before."""
    return mixed_post_quantization(
        model, chop, chop, calibration_data, dynamic=False, eval_mode=eval_mode, verbose=verbose
    )


def mixed_post_quantization(
    model: nn.Module,
    weight_chop: Chop | None,
    activation_chop: Chop | None,
    calibration_data: Iterable[Any] | None = None,
    dynamic: bool = True,
    eval_mode: bool = True,
    verbose: bool = False,  # noqa: ARG001
) -> nn.Module:
    """A copy with trainable parameters rounded by one function, and outputs by another.

    Args:
        model: any module.
        weight_chop: what rounds parameters; ``None`` leaves them.
        activation_chop: what rounds outputs; ``None`` leaves them.
        calibration_data: batches, or tuples of them and more.
        dynamic: if not, outputs are clamped first, to their range on ``calibration_data``.
        eval_mode: whether the copy evaluates.
        verbose: has no effect.

    Raises:
        ValueError: if not ``dynamic`` and without ``calibration_data``.
    """
    made = _copied(model, eval_mode)
    if weight_chop is not None:
        with torch.no_grad():
            for parameter in made.parameters():
                if parameter.requires_grad:
                    parameter.copy_(weight_chop(parameter.detach()))
    if activation_chop is None:
        return made
    if dynamic:
        for layer in _layers(made):
            layer.register_forward_hook(functools.partial(_round, activation_chop))
        return made
    if calibration_data is None:
        raise ValueError("outputs are clamped to what they were; give calibration_data=")
    for layer, ends in _ranges(made, calibration_data).items():
        layer.register_forward_hook(functools.partial(_round_within, activation_chop, *ends))
    return made


def _copied(model: nn.Module, eval_mode: bool) -> nn.Module:
    made = copy.deepcopy(model)
    return made.eval() if eval_mode else made


def _layers(model: nn.Module) -> list[nn.Module]:
    return [module for module in model.modules() if isinstance(module, _LAYERS)]


def _round(chop: Chop, _: nn.Module, __: Any, output: Tensor) -> Tensor:
    return chop(output)


def _round_within(
    chop: Chop, low: float, high: float, _: nn.Module, __: Any, output: Tensor
) -> Tensor:
    return chop(output.clamp(low, high))


def _ranges(model: nn.Module, batches: Iterable[Any]) -> dict[nn.Module, tuple[float, float]]:
    """The lowest and highest output of each layer that was run."""
    found: dict[nn.Module, tuple[float, float]] = {}

    def watch(layer: nn.Module, _: Any, output: Tensor) -> None:
        low, high = (float(end) for end in torch.aminmax(output))
        known = found.get(layer, (low, high))
        found[layer] = (min(known[0], low), max(known[1], high))

    handles = [layer.register_forward_hook(watch) for layer in _layers(model)]
    try:
        with torch.no_grad():
            for batch in batches:
                model(batch[0] if isinstance(batch, (tuple, list)) else batch)
    finally:
        for handle in handles:
            handle.remove()
    return found
