"""The quantized classes by their names, and kernels in the places of torch's functions.

A kernel stands for the function that a module's ``forward`` calls, ``F.linear`` of a ``Linear``: it
gets that function's arguments, quantized, and answers with a ``QuantizedTensor``.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from torch.overrides import TorchFunctionMode, get_overridable_functions
from torch.utils._pytree import tree_map_only

from harness.interfaces.aimet.nn.base import QuantizationMixin, _Whole
from harness.interfaces.aimet.quantization.tensor import QuantizedTensorBase
from harness.nn import registry
from harness.nn.functional import MODULES, OPERATIONS

__all__ = ["CLASSES", "QuantizationMixin", "Quantized", "function_of"]

#: The functions that a kernel can stand for.
_dispatch_table: dict[Any, None] = dict.fromkeys(
    f for home in get_overridable_functions().values() for f in home
)
_dispatch_table |= dict.fromkeys((F.hardswish, F.hardsigmoid, torch.Tensor.unflatten))
#: Modules whose function has another name than theirs.
_NAMED: dict[Any, Any] = {
    nn.Sigmoid: torch.sigmoid,
    nn.Tanh: torch.tanh,
    nn.Softmax2d: F.softmax,
    nn.Flatten: torch.Tensor.flatten,
    nn.ReLU6: F.relu6,
    **dict.fromkeys((nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d), F.batch_norm),
    **dict.fromkeys((nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d), F.instance_norm),
    **dict.fromkeys((nn.Upsample, nn.UpsamplingBilinear2d, nn.UpsamplingNearest2d), F.interpolate),
}


def function_of(parent: type[nn.Module]) -> Callable[..., Any]:
    """The function that a module's ``forward`` calls.

    Raises:
        RuntimeError: for a module of which none is known.
    """
    if parent in _NAMED:
        return _NAMED[parent]  # type: ignore[no-any-return]
    if MODULES.get(parent.__name__) is parent:
        return OPERATIONS[parent.__name__].function
    wanted = parent.__name__.lower().removesuffix("loss")
    for name in (parent.__name__.lower(), wanted):
        for known in dir(F):
            if known.replace("_", "") == name and getattr(F, known) in _dispatch_table:
                return getattr(F, known)  # type: ignore[no-any-return]
    raise RuntimeError(f"{parent.__name__} computes with no one function that a kernel stands for")


class _Instead(TorchFunctionMode):
    """Inside, ``there`` is called in the place of ``function``."""

    def __init__(self, function: Callable[..., Any], there: Callable[..., Any]) -> None:
        super().__init__()
        self.function, self.there, self.calls = function, there, 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        hit = func is self.function
        self.calls += hit
        return (self.there if hit else func)(*args, **(kwargs or {}))


@contextlib.contextmanager
def _dispatch(function: Callable[..., Any], there: Callable[..., Any]) -> Iterator[_Instead]:
    """Inside, ``there`` in the place of a function of torch; ``RuntimeError`` for others."""
    if function not in _dispatch_table:
        raise RuntimeError(f"torch does not let {function} be replaced")
    with _Instead(function, there) as mode:
        yield mode


class Quantized(_Whole):
    """The mixin of the classes of this module: quantized by quantizers, or by a kernel."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The parent's forward, on quantized inputs and parameters, its results quantized.

        Raises:
            RuntimeError: for a kernel whose function the parent's forward does not call.
        """
        kernel = self._active_kernel()
        if kernel is None:
            return super().forward(*args, **kwargs)
        args, kwargs = self._quantized_inputs(args, kwargs)
        quantizer = self.output_quantizers[0]
        encodings = None if quantizer is None else quantizer.get_encoding()  # type: ignore[operator]

        def computed(*given: Any, **named: Any) -> Any:
            return kernel(*given, **named, output_encodings=encodings)

        parent = self.parent()
        with self._quantized_parameters(), _dispatch(function_of(parent), computed) as mode:
            result = self._computed(*args, **kwargs)
        if mode.calls != 1:
            raise RuntimeError(
                f"{parent.__name__} called its function {mode.calls} times, not once"
            )
        return tree_map_only(QuantizedTensorBase, lambda y: y.dequantize(), result)

    def _active_kernel(self) -> Callable[..., Any] | None:
        return None if self._observing() else self.get_kernel()

    def _passed(self, values: Any) -> Any:
        if self._active_kernel() is None:
            return super()._passed(values)
        return tree_map_only(QuantizedTensorBase, lambda x: x.quantize(), values)


def _made(name: str, base: type[Any]) -> Any:
    """The class of this module on one of ``harness.nn``."""
    facts = {"__module__": __name__, "__doc__": base.__doc__}
    with warnings.catch_warnings():
        # A deprecated class, NLLLoss2d, warns of being inherited; who makes one is warned, too.
        warnings.simplefilter("ignore", FutureWarning)
        made: Any = type(name, (Quantized, base), facts)
    return QuantizationMixin.implements(made.parent())(made)


#: The classes by name, ``Quantized<Name>`` and ``FakeQuantized<Name>``.
CLASSES: dict[str, Any] = {}
for _name, _base in registry.CLASSES.items():
    if _name.startswith("Quantized"):
        CLASSES[_name] = CLASSES[f"Fake{_name}"] = _made(_name, _base)


class QuantizedSplit(Quantized, registry.CLASSES["QuantizedSplit"]):  # type: ignore[misc,valid-type]
    """``Split`` with quantizers; the one of the output is for every part, however many."""

    outputs = 1

    def _quantized_outputs(self, result: Any) -> Any:
        each = super()._quantized_outputs
        return tuple(each(part) for part in result)


QuantizationMixin.implements(MODULES["Split"])(QuantizedSplit)
CLASSES["QuantizedSplit"] = CLASSES["FakeQuantizedSplit"] = QuantizedSplit


def __getattr__(name: str) -> Any:
    """The quantized classes by their names; pickle, too, finds them so."""
    if name in CLASSES:
        return CLASSES[name]
    raise AttributeError(f"aimet has no {name} here")


def __dir__() -> list[str]:
    return sorted([*globals(), *CLASSES])
