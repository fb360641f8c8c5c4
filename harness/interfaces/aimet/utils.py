"""Small functions that AIMET's users call: rounding straight through, quantizers taken away."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from harness.nn.base import QuantizedModule

__all__ = [
    "allow_recompute",
    "enable_recompute",
    "get_device",
    "in_eval_mode",
    "no_recompute",
    "patch_attr",
    "reduce",
    "remove_activation_quantizers",
    "remove_all_quantizers",
    "remove_input_quantizers",
    "remove_output_quantizers",
    "remove_param_quantizers",
    "removed_from",
    "ste_round",
]


def get_device(model: nn.Module) -> torch.device:
    """Where a module's parameters and buffers are; the CPU if it has none."""
    for tensor in (*model.parameters(), *model.buffers()):
        return tensor.device
    return torch.device("cpu")


@contextlib.contextmanager
def in_eval_mode(model: nn.Module) -> Iterator[None]:
    """In evaluation mode; every module's own is back afterwards."""
    before = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in before.items():
            module.training = mode


def ste_round(x: Tensor) -> Tensor:
    """``x`` rounded to integers, ties to even; its gradient passes as it is."""
    return x + (torch.round(x) - x).detach()


def reduce(input: Tensor, shape: Sequence[int], reduce_op: Callable[..., Any]) -> Any:
    """What ``reduce_op`` (``torch.min``, ``torch.sum``, ...) makes of each element of ``shape``.

    Args:
        input: a tensor that ``shape`` broadcasts against.
        shape: of the result; axes where it has 1, and those it lacks, are reduced.
        reduce_op: takes a tensor and ``dim``; a result with ``values`` and ``indices`` is kept so.

    Raises:
        RuntimeError: for a shape that does not broadcast.
    """
    wide = (1,) * (input.dim() - len(shape)) + tuple(shape)
    if len(wide) != input.dim() or any(
        n not in (1, m) for n, m in zip(wide, input.shape, strict=True)
    ):
        raise RuntimeError(f"shape {tuple(shape)} does not expand to {tuple(input.shape)}")
    kept = [k for k, n in enumerate(wide) if n != 1]
    rest = [k for k, n in enumerate(wide) if n == 1]
    rows = input.permute(kept + rest).reshape([input.shape[k] for k in kept] + [-1])
    found = reduce_op(rows, dim=-1)
    if isinstance(found, Tensor):
        return found.reshape(tuple(shape))
    return type(found)(tuple(part.reshape(tuple(shape)) for part in found))


class patch_attr(contextlib.AbstractContextManager["patch_attr"]):  # noqa: N801  # their name
    """``setattr`` at once; what was there before is back at the end of the ``with``."""

    def __init__(self, obj: Any, attr_name: str, new_attr: Any) -> None:
        self._object, self._name = obj, attr_name
        registries = ("_parameters", "_buffers", "_modules") if isinstance(obj, nn.Module) else ()
        self._home = next(
            (obj.__dict__[each] for each in registries if attr_name in obj.__dict__[each]),
            obj.__dict__,
        )
        self._there = attr_name in self._home
        self._before = self._home.get(attr_name)
        if self._home is obj.__dict__:
            object.__setattr__(obj, attr_name, new_attr)
        else:
            self._home[attr_name] = new_attr

    def __exit__(self, *exception: object) -> None:
        if self._there:
            self._home[self._name] = self._before
        else:
            self._home.pop(self._name, None)


_recomputes = False


@contextlib.contextmanager
def enable_recompute() -> Iterator[None]:
    """Inside, functions of :func:`allow_recompute` keep no activations and compute them again."""
    with _recompute(True):
        yield


@contextlib.contextmanager
def no_recompute() -> Iterator[None]:
    """Inside, they keep them."""
    with _recompute(False):
        yield


@contextlib.contextmanager
def _recompute(flag: bool) -> Iterator[None]:
    global _recomputes  # noqa: PLW0603  # which state a with statement has, as in torch
    before, _recomputes = _recomputes, flag
    try:
        yield
    finally:
        _recomputes = before


def allow_recompute(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose activations are computed again in backward, inside ``enable_recompute``."""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        if _recomputes:
            return checkpoint(function, *args, use_reentrant=False, **kwargs)
        return function(*args, **kwargs)

    return called


class _Removed(contextlib.AbstractContextManager["_Removed"]):
    """Quantizers that are gone at once; with a ``with`` they are back at its end."""

    def __init__(self, places: list[tuple[Any, Any]]) -> None:
        self._kept = [(holder, key, holder[key]) for holder, key in places]
        for holder, key in places:
            holder[key] = None

    def __exit__(self, *exception: object) -> None:
        for holder, key, quantizer in self._kept:
            holder[key] = quantizer


def removed_from(modules: Any, *kinds: str, keys: Any = None) -> _Removed:
    """Take quantizers away: of a module and those below it, or of a list of modules.

    Args:
        modules: a module, or several.
        *kinds: ``input``, ``output``, ``param``.
        keys: which places; all if ``None``.
    """
    roots = [modules] if isinstance(modules, nn.Module) else list(modules)
    places = []
    for module in dict.fromkeys(each for root in roots for each in root.modules()):
        if isinstance(module, QuantizedModule):
            for kind in kinds:
                holder = getattr(module, f"{kind}_quantizers")
                there = list(holder.keys()) if kind == "param" else range(len(holder))
                places += [(holder, key) for key in (there if keys is None else keys)]
    return _Removed(places)


def remove_input_quantizers(modules: Any) -> _Removed:
    """Take input quantizers away: for good, or inside a ``with``."""
    return removed_from(modules, "input")


def remove_output_quantizers(modules: Any) -> _Removed:
    """... output quantizers."""
    return removed_from(modules, "output")


def remove_param_quantizers(modules: Any) -> _Removed:
    """... quantizers of parameters."""
    return removed_from(modules, "param")


def remove_activation_quantizers(modules: Any) -> _Removed:
    """... those of inputs and outputs."""
    return removed_from(modules, "input", "output")


def remove_all_quantizers(modules: Any) -> _Removed:
    """... all of them."""
    return removed_from(modules, "input", "output", "param")
