"""The modules of a torch model in the order of its computation, with what each reads."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

from torch import fx, nn

from harness.hls.convert.functions import MERGES, Contraction, allowed, is_a_shape, module_of
from harness.hls.convert.precision import ConversionError
from harness.nn.base import QuantizedModule

__all__ = ["Call", "calls_of"]

#: ``x[:, -1]``, the last step of every row.
LAST = (slice(None, None, None), -1)


@dataclass(frozen=True)
class Call:
    """One computation.

    Attributes:
        name: as hls4ml names the layer: the module's path with underscores.
        what: the module, or the name of a merging function.
        inputs: the names of what it reads.
        axis: the axis that a function was given; -1 for a recurrence of which the last is taken.
    """

    name: str
    what: nn.Module | str
    inputs: tuple[str, ...]
    axis: int = 0


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if isinstance(m, QuantizedModule):
            return True
        return bool(super().is_leaf_module(m, module_qualified_name))


def calls_of(model: nn.Module) -> tuple[list[str], list[Call], list[str]]:
    """The inputs, the computations in order, and the outputs of a model.

    Raises:
        ConversionError: for what torch.fx cannot trace, and for unsupported functions.
    """
    probe = model if any(True for _ in model.children()) else nn.Sequential(model)
    if isinstance(model, QuantizedModule):
        probe = nn.Sequential(model)
    try:
        graph = _Tracer().trace(probe)
    except (TypeError, ValueError, RuntimeError, fx.proxy.TraceError) as error:
        raise ConversionError(f"the model cannot be traced by torch.fx: {error}") from None
    modules = dict(probe.named_modules())
    inputs: list[str] = []
    calls: list[Call] = []
    outputs: list[str] = []
    for node in graph.nodes:
        if node.op == "placeholder":
            inputs.append(node.name)
        elif node.op == "output":
            outputs = _returned(node.args[0])
        else:
            if is_a_shape(node) or (node.target is operator.getitem and not node.users):
                continue  # sizes, of which views tell; states of a recurrence, which nobody takes
            what = _what(node, modules)
            calls.append(Call(node.name, what, _reads(node, what), _axis(node)))
    return inputs, calls, outputs


def _returned(found: Any) -> list[str]:
    """The names of what a model returns."""
    several = found if isinstance(found, (tuple, list)) else [found]
    if not several or not all(isinstance(node, fx.Node) for node in several):
        raise ConversionError(f"the model returns {found}; allowed: a tensor, or several in a row")
    return [str(node.name) for node in several]


def _recurrence(node: fx.Node, modules: dict[str, nn.Module]) -> fx.Node | None:
    """The recurrence whose outputs a node takes a part of."""
    while node.target is operator.getitem:
        node = node.all_input_nodes[0]
    return node if _is_a(nn.RNNBase, node, modules) else None


def _is_a(kind: type[nn.Module], node: fx.Node, modules: dict[str, nn.Module]) -> bool:
    return node.op == "call_module" and isinstance(modules[str(node.target)], kind)


def _only_last(node: fx.Node) -> bool:
    """Whether all that anyone takes of a recurrence is its last output."""
    outputs = [user for user in node.users if user.users]
    taken = [user for each in outputs for user in each.users]
    return bool(taken) and all(
        user.target is operator.getitem and user.args[1] == LAST for user in taken
    )


def _axis(node: fx.Node) -> int:
    """The axis of a join, 0 by default as in torch; -1 of a recurrence for its last output."""
    if node.op == "call_module":
        return -1 if _only_last(node) else 0
    behind = node.args[1] if len(node.args) > 1 else 0
    found = node.kwargs.get("dim", node.kwargs.get("axis", behind))
    return found if isinstance(found, int) else 0


def _what(node: fx.Node, modules: dict[str, nn.Module]) -> nn.Module | str:
    if node.op == "call_module":
        return modules[str(node.target)]
    part = node.target is operator.getitem and node.args[1] in (0, LAST)
    if part and _recurrence(node, modules) is not None:
        return nn.Identity()  # the outputs of a recurrence, or the last of them
    if part and _is_a(nn.MultiheadAttention, node.all_input_nodes[0], modules):
        return nn.Identity()  # what it attends to, not how
    if node.op in ("call_function", "call_method"):
        found = MERGES.get(node.target) or module_of(node)
        if found is not None:
            return found
    shown = getattr(node.target, "__name__", node.target)
    raise ConversionError(f"{node.name}: {shown} is not supported; modules are, and {allowed()}")


def _reads(node: fx.Node, what: nn.Module | str) -> tuple[str, ...]:
    if isinstance(what, Contraction):
        return tuple(operand.name for operand in what.operands)
    if not isinstance(what, nn.MultiheadAttention):
        return _read(node)
    names = ("query", "key", "value", "key_padding_mask", "need_weights", "attn_mask")
    given = dict(zip(names, node.args, strict=False)) | node.kwargs
    if any(given.get(name) is not None for name in ("key_padding_mask", "attn_mask")):
        raise ConversionError(f"{node.name} is given a mask; allowed: none")
    return tuple(str(given[name]) for name in ("query", "key", "value"))


def _read(node: fx.Node) -> tuple[str, ...]:
    names = [str(n.name) for n in node.all_input_nodes if not is_a_shape(n)]
    if MERGES.get(node.target) in ("add", "sub", "mul"):
        given = dict(node.kwargs)
        if (alpha := given.pop("alpha", 1)) != 1:
            raise ConversionError(f"{node.name}: alpha={alpha} is not supported")
        if not all(isinstance(a, fx.Node) for a in (*node.args, *given.values())):
            raise ConversionError(
                f"{node.name}: a tensor and a number are not supported; two tensors"
            )
        if len(names) == 1:
            names *= 2  # x + x reads x twice
    return tuple(names)
