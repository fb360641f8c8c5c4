"""Which module's output comes to which module's input, by running a model once.

Modules are seen by hooks, functions between them by a mode of torch; a tensor is known by its
identity, and kept alive for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from harness.interfaces.aimet.utils import in_eval_mode

__all__ = ["Graph", "Operation", "traced"]


@dataclass(eq=False)
class Operation:
    """A call of a module, or of a function between modules.

    Attributes:
        module: the module; ``None`` for a function.
        function: the function's name, ``""`` for a module.
        inputs: for each input tensor what made it: an operation, a parameter, or ``None`` for an
            input of the model.
        consumers: the operations that its results go to.
        is_output: whether a result is an output of the model.
    """

    module: nn.Module | None
    function: str = ""
    inputs: list[Operation | nn.Parameter | None] = field(default_factory=list)
    consumers: list[Operation] = field(default_factory=list)
    is_output: bool = False


class Graph:
    """The operations of one run, in their order."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._made: dict[int, tuple[Tensor, Operation | nn.Parameter | None]] = {}

    def of(self, module: nn.Module) -> list[Operation]:
        """The calls of a module."""
        return [each for each in self.operations if each.module is module]

    def give(self, values: Any, source: Operation | nn.Parameter | None) -> None:
        """Note who made the tensors in ``values``."""
        for tensor in _tensors(values):
            self._made[id(tensor)] = (tensor, source)

    def call(self, module: nn.Module | None, function: str, given: Any, result: Any) -> None:
        """Note a call."""
        made = Operation(module, function)
        for tensor in _tensors(given):
            source = self._made.get(id(tensor), (tensor, made))[1]
            if source is made:  # a constant: nobody's
                continue
            made.inputs.append(source)
            if isinstance(source, Operation):
                source.consumers.append(made)
        self.operations.append(made)
        self.give(result, made)

    def forget(self) -> None:
        """Let the tensors go; the operations stay."""
        self._made.clear()

    def source_of(self, tensor: Tensor) -> Any:
        """Who made a tensor."""
        return self._made.get(id(tensor), (tensor, None))[1]


def _tensors(values: Any) -> Iterator[Tensor]:
    return (each for each in tree_leaves(values) if isinstance(each, Tensor))


class _Functions(TorchFunctionMode):
    """Notes functions that are called outside of the modules that are operations."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph, self.depth = graph, 0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if self.depth == 0 and any(True for _ in _tensors(result)):
            name = getattr(func, "__name__", str(func))
            self.graph.call(None, name, (args, kwargs), result)
        return result


def traced(model: nn.Module, operations: set[nn.Module], dummy_input: Any) -> Graph:
    """The graph of ``model(*dummy_input)``; ``operations`` are seen as a whole."""
    graph, hooks = Graph(), []
    functions = _Functions(graph)
    for parameter in model.parameters():
        graph.give(parameter, parameter)

    def enters(*_: Any) -> None:
        functions.depth += 1

    def leaves(module: nn.Module, args: Any, kwargs: Any, result: Any) -> None:
        functions.depth -= 1
        if functions.depth == 0:
            graph.call(module, "", (args, kwargs), result)

    for module in operations:
        hooks.append(module.register_forward_pre_hook(enters))
        hooks.append(module.register_forward_hook(leaves, with_kwargs=True))
    graph.give(dummy_input, None)
    try:
        with in_eval_mode(model), torch.no_grad(), functions:
            result = _called(model, dummy_input)
    finally:
        for hook in hooks:
            hook.remove()
    for tensor in _tensors(result):
        source = graph.source_of(tensor)
        if isinstance(source, Operation):
            source.is_output = True
    graph.forget()
    return graph


def _called(model: nn.Module, dummy_input: Any) -> Any:
    if isinstance(dummy_input, dict):
        return model(**dummy_input)
    return model(*dummy_input) if isinstance(dummy_input, tuple | list) else model(dummy_input)
