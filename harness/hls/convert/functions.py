"""The functions and methods of tensors that a model calls, as the modules that do the same."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional

from harness.hls.convert.precision import ConversionError

__all__ = [
    "MERGES",
    "Contraction",
    "Squeeze",
    "Unsqueeze",
    "View",
    "allowed",
    "is_a_shape",
    "module_of",
]

#: Functions of several tensors, by the name that their builder has.
MERGES: dict[Any, str] = {
    operator.add: "add",
    torch.add: "add",
    "add": "add",
    operator.sub: "sub",
    torch.sub: "sub",
    "sub": "sub",
    operator.mul: "mul",
    torch.mul: "mul",
    "mul": "mul",
    torch.maximum: "maximum",
    torch.minimum: "minimum",
    torch.cat: "cat",
    torch.concat: "cat",
}


class View(nn.Module):
    """Another shape, without the batch; one size may be -1."""

    def __init__(self, *sizes: int) -> None:
        super().__init__()
        self.sizes = sizes


class Squeeze(nn.Module):
    """Without an axis of one element, as torch counts; without all such by default."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim


class Unsqueeze(nn.Module):
    """With another axis of one element, as torch counts."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim


class Contraction(nn.Module):
    """An einsum of two tensors, in torch's order of axes; the equation is without the batch."""

    def __init__(self, equation: str, operands: Sequence[fx.Node]) -> None:
        super().__init__()
        self.equation, self.operands = equation, tuple(operands)


#: Arguments behind the tensor in torch's order, so that positional ones have their names.
_ACTIVATIONS = {
    "relu": (nn.ReLU, "inplace"),
    "relu6": (nn.ReLU6, "inplace"),
    "sigmoid": (nn.Sigmoid, ""),
    "tanh": (nn.Tanh, ""),
    "selu": (nn.SELU, "inplace"),
    "elu": (nn.ELU, "alpha inplace"),
    "leaky_relu": (nn.LeakyReLU, "negative_slope inplace"),
    "softplus": (nn.Softplus, "beta threshold"),
    "softsign": (nn.Softsign, ""),
    "softmax": (nn.Softmax, "dim dtype"),
    "threshold": (nn.Threshold, "threshold value inplace"),
}
_POOLS = {
    "max_pool": (
        nn.MaxPool1d,
        nn.MaxPool2d,
        "kernel_size stride padding dilation ceil_mode return_indices",
    ),
    "avg_pool": (
        nn.AvgPool1d,
        nn.AvgPool2d,
        "kernel_size stride padding ceil_mode count_include_pad divisor_override",
    ),
    "adaptive_avg_pool": (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, "output_size"),
    "adaptive_max_pool": (
        nn.AdaptiveMaxPool1d,
        nn.AdaptiveMaxPool2d,
        "output_size return_indices",
    ),
}


def _known() -> Iterator[tuple[Any, tuple[type[nn.Module], str]]]:
    """Functions and the names of methods: the module, and the names of the arguments behind x."""
    for name, (kind, arguments) in _ACTIVATIONS.items():
        for home in (functional, torch):
            if hasattr(home, name):
                yield getattr(home, name), (kind, arguments)
        if hasattr(torch.Tensor, name):
            yield name, (kind, arguments)
    for name, (*kinds, arguments) in _POOLS.items():
        for axes, kind in enumerate(kinds, 1):
            for home in (functional, torch):
                if hasattr(home, f"{name}{axes}d"):
                    yield getattr(home, f"{name}{axes}d"), (kind, arguments)
    shapes: dict[str, tuple[type[nn.Module], str]] = {
        "flatten": (nn.Flatten, "start_dim end_dim"),
        "squeeze": (Squeeze, "dim"),
        "unsqueeze": (Unsqueeze, "dim"),
    }
    for name, found in shapes.items():
        yield name, found
        yield getattr(torch, name), found
    yield functional.softmax, (nn.Softmax, "dim _stacklevel dtype")
    yield functional.dropout, (nn.Dropout, "p training inplace")
    scaling = "size scale_factor mode align_corners recompute_scale_factor antialias"
    yield functional.interpolate, (nn.Upsample, scaling)


_MODULES: dict[Any, tuple[type[nn.Module], str]] = dict(_known())
_VIEWS = ("view", "reshape", torch.reshape)
#: What no result depends on, at these values.
_IDLE = {
    "inplace": (True, False),
    "training": (False,),
    "return_indices": (False,),
    "dtype": (None,),
    "_stacklevel": (3, 5),
    "antialias": (False,),
    "align_corners": (None,),
    "recompute_scale_factor": (None,),
}


def module_of(node: fx.Node) -> nn.Module | None:
    """The module that does what a node of a function or method does; ``None`` for others.

    Raises:
        ConversionError: for arguments that the module does not have, or tensors among them.
    """
    if node.target in _VIEWS:
        return View(*_sizes(node))
    if node.target is torch.einsum:
        return _contraction(node)
    if node.target not in _MODULES:
        return None
    kind, names = _MODULES[node.target]
    given, known = node.args[1:], names.split()
    if len(given) > len(known):
        raise ConversionError(f"{node.name} is given {given}; allowed: {names or 'nothing more'}")
    found = dict(zip(known, given, strict=False)) | dict(node.kwargs)
    found.pop("input", None)
    for name, values in _IDLE.items():
        if name in found and (value := found.pop(name)) not in values:
            raise ConversionError(f"{node.name}: {name}={value} is not supported")
    if kind is nn.Flatten:
        found.setdefault("start_dim", 0)  # of the function, which then takes the batch too
    try:
        return kind(**found)
    except TypeError as error:
        raise ConversionError(f"{node.name}: {error}") from None


def allowed() -> str:
    """The functions that are supported, for errors."""
    names = set(MERGES.values())
    functions = (*_MODULES, *_VIEWS, torch.einsum)
    names |= {f if isinstance(f, str) else f.__name__ for f in functions}
    return ", ".join(sorted(names))


def is_a_shape(node: Any) -> bool:
    """Whether a node is the shape of a tensor, or one of its sizes."""
    if not isinstance(node, fx.Node):
        return False
    if node.target is operator.getitem:
        return is_a_shape(node.args[0])
    method = node.op == "call_method" and node.target == "size"
    return method or (node.target is getattr and node.args[1] == "shape")


def _contraction(node: fx.Node) -> Contraction:
    """An einsum without the batch, which is the first letter of every term, or in its dots."""
    equation, *operands = node.args
    if len(operands) == 1 and isinstance(operands[0], (tuple, list)):
        operands = list(operands[0])
    terms = re.split(",|->", str(equation).replace(" ", ""))
    nodes = [operand for operand in operands if isinstance(operand, fx.Node)]
    if len(terms) != 3 or "->" not in str(equation) or not len(nodes) == len(operands) == 2:
        count = len(operands)
        raise ConversionError(f"{node.name}: {equation!r} of {count}; allowed: 'bi,bj->bij'")
    first = {term[:1] for term in terms}
    batch = first.pop()
    if first or not batch or (batch != "." and any(batch in term[1:] for term in terms)):
        raise ConversionError(
            f"{node.name}: {equation!r}; allowed: the batch first in every term, and kept apart"
        )
    if batch != ".":
        terms = [term[1:] for term in terms]
    return Contraction(f"{terms[0]},{terms[1]}->{terms[2]}", nodes)


def _sizes(node: fx.Node) -> tuple[int, ...]:
    """The sizes of a view, without the batch."""
    given: Sequence[Any] = node.args[1:] or (node.kwargs.get("shape", ()),)
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = given[0]
    batch, sizes = given[:1], given[1:]
    whole = all(isinstance(n, int) for n in sizes) and len(sizes) > 0
    if not whole or not (is_a_shape(batch[0]) or (batch[0] == -1 and -1 not in sizes)):
        shown = ", ".join(map(str, given))
        raise ConversionError(
            f"{node.name} makes ({shown}); allowed: the batch, x.shape[0] or -1, and numbers"
        )
    return tuple(sizes)
