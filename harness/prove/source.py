"""From Python source to terms: the kernels' own lines, carried out on what is not yet known.

The source text of a module is read and walked, statement by statement, as Python would run it, with
terms in the place of numbers.  Nothing is rewritten by hand, so what is proven is what is in the
file; a line that this cannot carry out is refused.
"""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
import inspect
from collections.abc import Sequence
from typing import Any

from harness.prove.machine import Row
from harness.prove.terms import Truth, all_of
from harness.prove.walk import KNOWN, Function, Untranslatable, World, assigned, returned

__all__ = ["Source", "Untranslatable", "source_of"]

#: Modules whose functions are walked; of all others only constants and records are taken.
KERNELS = "harness.quantize."


class Source:
    """One module's text, with its functions and what else it names.

    Args:
        name: the module.
        text: another text for it, such as one with a fault planted.
    """

    def __init__(self, name: str, text: str | None = None) -> None:
        self.name = name
        self.module = importlib.import_module(name)
        self._values: dict[str, Any] = {}
        tree = ast.parse(inspect.getsource(self.module) if text is None else text)
        self.functions = {f.name: f for f in tree.body if isinstance(f, ast.FunctionDef)}
        self.assigned = {
            name.id: line
            for line in tree.body
            if isinstance(line, ast.Assign | ast.AnnAssign)
            for target in (line.targets if isinstance(line, ast.Assign) else [line.target])
            for name in ast.walk(target)
            if isinstance(name, ast.Name)
        }
        self.imported = {
            alias.asname or alias.name: (node.module, alias.name)
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(KERNELS)
            if node.module not in KNOWN
            for alias in node.names
        }

    def call(
        self,
        function: str | Function,
        *arguments: Any,
        duties: list[Truth] | None = None,
        given: Sequence[Truth] = (),
        compiled: bool = True,
    ) -> Any:
        """What a function of the module returns.

        Args:
            function: its name, or what such a call returned.
            arguments: Python numbers for what is known, terms for what is not; records, and rows.
            duties: takes what must hold of the inputs for the processor to do as it says.
            given: what the inputs are known to obey.
            compiled: whether Numba compiles it; else it is operations on arrays of NumPy, of which
                terms are elements.

        Raises:
            Untranslatable: for a line that cannot be carried out.
        """
        world = World([] if duties is None else duties, compiled)
        world.memory = [a.items for a in arguments if isinstance(a, Row)]
        if isinstance(function, str):
            function = Function(self, self.functions[function])
        return returned(function, arguments, world, all_of(given))

    def named(self, name: str) -> Any:
        """What a name at the module's level stands for."""
        if name in self.functions:
            return Function(self, self.functions[name])
        if name in self.assigned and name not in self._values:
            self._values |= assigned(self.assigned[name], self)
        if name in self._values:
            return self._values[name]
        if name in self.imported:
            module, original = self.imported[name]
            source = source_of(module)
            if original in source.functions:
                return source.named(original)
        return getattr(self.module if hasattr(self.module, name) else builtins, name)


@functools.cache
def source_of(name: str) -> Source:
    """A module as it is installed."""
    return Source(name)
