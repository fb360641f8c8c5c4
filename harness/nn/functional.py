"""Operations as modules, so that quantizers can stand around them: ``Add()(x, y)``.

One table makes them.  A module of a torch function takes when called what the function takes; one
of ``harness.nn.operations`` takes the function's keyword-only parameters when it is made::

    Concat(axis=1)(x, y)
    Mean()(x, dim=-1, keepdim=True)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from harness.nn import operations

__all__ = ["MODULES", "OPERATIONS", "Operation"]


@dataclass(frozen=True)
class Operation:
    """A row: what is computed, and between how many inputs and outputs.

    Attributes:
        function: what ``forward`` calls.
        inputs: how many places for input quantizers.
        outputs: how many results can be floats; ``Split`` has 2, and as many more as it is given.
        names: the inputs' names, of a function of torch, which does not tell its signature.
    """

    function: Callable[..., Any]
    inputs: int
    outputs: int = 1
    names: str = ""

    def signature(self) -> inspect.Signature:
        """The function's parameters; a torch function's inputs, and the rest as it comes."""
        if not self.names:
            return inspect.signature(self.function)
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        # Only the first must be there: what else is missing is the function's own to say.
        first, *others = self.names.split()
        return inspect.Signature(
            [
                inspect.Parameter(first, kind),
                *(inspect.Parameter(name, kind, default=None) for name in others),
                inspect.Parameter("rest", inspect.Parameter.VAR_POSITIONAL),
                inspect.Parameter("options", inspect.Parameter.VAR_KEYWORD),
            ]
        )


def _torch(function: Callable[..., Any], names: str, outputs: int = 1) -> Operation:
    return Operation(function, len(names.split()), outputs, names)


def _one(function: Callable[..., Any]) -> Operation:
    return _torch(function, "input")


def _two(function: Callable[..., Any]) -> Operation:
    return _torch(function, "input other")


OPERATIONS: dict[str, Operation] = {
    # Of one tensor, element by element.
    "Exponential": _one(torch.exp),
    "Erf": _one(torch.erf),
    "Sqrt": _one(torch.sqrt),
    "RSqrt": _one(torch.rsqrt),
    "Log": _one(torch.log),
    "Abs": _one(torch.abs),
    "Neg": _one(torch.neg),
    "ElementwiseCeil": _one(torch.ceil),
    "ElementwiseFloor": _one(torch.floor),
    "Sin": _one(torch.sin),
    "Cos": _one(torch.cos),
    "Asin": _one(torch.asin),
    "Atan": _one(torch.atan),
    "Round": _one(torch.round),
    "LogicalNot": _one(torch.logical_not),
    "ElementwiseUnarySign": _one(torch.sign),
    "Square": _one(torch.square),
    "CustomSiLU": _one(F.silu),
    "Cast": Operation(operations.cast, 1),
    "OneHot": Operation(operations.one_hot, 1),
    # Of two, element by element.
    "Add": _two(torch.add),
    "Subtract": _two(torch.sub),
    "Multiply": _two(torch.mul),
    "Divide": _two(torch.div),
    "FloorDivide": Operation(operations.floor_divide, 2),
    "Remainder": _two(torch.remainder),
    "Fmod": _two(torch.fmod),
    "Pow": _torch(torch.pow, "input exponent"),
    "Maximum": _two(torch.maximum),
    "Minimum": _two(torch.minimum),
    "Greater": _two(torch.gt),
    "GreaterEqual": _two(torch.ge),
    "Less": _two(torch.lt),
    "LessEqual": _two(torch.le),
    "Equal": _two(torch.eq),
    "NotEqual": _two(torch.ne),
    "LogicalAnd": _two(torch.logical_and),
    "LogicalOr": _two(torch.logical_or),
    "Where": _torch(torch.where, "condition input other"),
    "MaskedFill": _torch(torch.masked_fill, "input mask value"),
    # Reductions; Max and Min compare two tensors as well.
    "Mean": _one(torch.mean),
    "Sum": _one(torch.sum),
    "Prod": _one(torch.prod),
    "CumSum": _one(torch.cumsum),
    "Argmin": _one(torch.argmin),
    "Argmax": _one(torch.argmax),
    "Max": _two(torch.max),
    "Min": _two(torch.min),
    "TopK": _one(torch.topk),
    "Norm": _one(torch.norm),
    "Normalize": _one(F.normalize),
    "NonZero": _one(torch.nonzero),
    # Products of matrices, convolution, normalization, with all parameters as inputs.
    "MatMul": _two(torch.matmul),
    "Bmm": _torch(torch.bmm, "input mat2"),
    "Addmm": _torch(torch.addmm, "input mat1 mat2"),
    "Baddbmm": _torch(torch.baddbmm, "input batch1 batch2"),
    "DynamicConv2d": Operation(operations.dynamic_conv2d, 3),
    "BatchNorm": _torch(F.batch_norm, "input running_mean running_var weight bias"),
    "GroupNorm": _torch(F.group_norm, "input num_groups weight bias"),
    # Images.
    "MaxPool2d": _one(F.max_pool2d),
    "AvgPool2d": _one(F.avg_pool2d),
    "AdaptiveAvgPool2d": _one(F.adaptive_avg_pool2d),
    "Interpolate": _one(F.interpolate),
    "Pad": _one(F.pad),
    "ChannelShuffle": Operation(operations.channel_shuffle, 1),
    "DepthToSpaceDCRMode": Operation(operations.depth_to_space, 1),
    "RoiAlign": Operation(operations.roi_align, 3),
    "NonMaxSuppression": Operation(operations.non_max_suppression, 2),
    # Shapes and indices.
    "Reshape": _one(torch.reshape),
    "Permute": _one(torch.permute),
    "Tile": _one(torch.tile),
    "Expand": Operation(operations.expand, 1),
    "Shape": Operation(operations.shape, 1),
    "StridedSlice": Operation(operations.strided_slice, 1),
    "Split": _torch(torch.split, "tensor", outputs=2),
    "Concat": Operation(operations.concat, 2),
    "Gather": _one(torch.gather),
    "IndexSelect": _one(torch.index_select),
    "CustomGather": Operation(operations.custom_gather, 2),
    "GatherNd": Operation(operations.gather_nd, 2),
    "ScatterND": Operation(operations.scatter_nd, 3),
    "ScatterElements": Operation(operations.scatter_elements, 3),
}


def _module(name: str, operation: Operation) -> type[nn.Module]:
    """The module of a row: keyword-only parameters to ``__init__``, all others to ``forward``."""
    function, parameters = operation.function, operation.signature().parameters.values()
    made_with = [p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    called_with = [p for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    constructor = inspect.Signature([p.replace(kind=kind) for p in made_with])
    names = tuple(constructor.parameters)

    def __init__(self: nn.Module, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        nn.Module.__init__(self)
        bound = constructor.bind(*args, **kwargs)
        bound.apply_defaults()
        for option, value in bound.arguments.items():
            setattr(self, option, value)

    def forward(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs, **{option: getattr(self, option) for option in names})

    def extra_repr(self: nn.Module) -> str:
        return ", ".join(f"{option}={getattr(self, option)}" for option in names)

    # Which input has which place is read from forward's signature.
    own = inspect.Parameter("self", kind)
    forward.__signature__ = inspect.Signature([own, *called_with])  # type: ignore[attr-defined]
    of = inspect.getdoc(function) if function.__module__ == operations.__name__ else None
    return type(
        name,
        (nn.Module,),
        {
            "__init__": __init__,
            "forward": forward,
            "extra_repr": extra_repr,
            "__module__": __name__,
            "__doc__": of or f"``{function.__name__}`` of torch, as a module.",
            "__signature__": constructor,
        },
    )


MODULES: dict[str, type[nn.Module]] = {name: _module(name, row) for name, row in OPERATIONS.items()}


def __getattr__(name: str) -> type[nn.Module]:
    """The modules by their names; pickle, too, finds them so."""
    if name in MODULES:
        return MODULES[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *MODULES])
