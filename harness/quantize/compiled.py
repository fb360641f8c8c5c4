"""Kernels, each compiled for what is known of its plan: one loop for one way to round and overflow.

A kernel is a function over flat arrays whose argument ``p`` is a plan.  Fields of it that are known
become constants before Numba types a line, so that ways which are not taken are never compiled.
What a kernel calls is compiled for it alone, and has no entry from Python, which takes longer to
compile than the loops do.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from types import CellType, FunctionType
from typing import Any

from numba import njit
from numba.core import ir
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.untyped_passes import RewriteSemanticConstants

__all__ = ["Kernel", "expect_many", "kernel", "told_apart"]

# Numba's own functions have no types.
_BUILDER: Any = DefaultPassBuilder
_CONSTANT: Any = ir.Const
_REGISTER: Any = register_pass

#: What kernels are called from kernels with.
_INNER = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_OUTER = {"cache": True, "no_cfunc_wrapper": True}


#: What kernels call, compiled for what is known: those that know the same share it.
_called: dict[tuple[tuple[str, int], ...], dict[Kernel, Any]] = {}


class Kernel:
    """A function that is compiled for what is known when it is asked for; called, for nothing."""

    #: A process compiles so many loops for what is known, of each kernel.
    few = 12

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        self.function, self.options = function, options
        self.__doc__, self.__name__ = function.__doc__, function.__name__
        self._made: dict[tuple[tuple[str, int], ...], Any] = {}

    def __call__(self, *arguments: Any) -> Any:
        """What the function does, compiled for any plan."""
        return self._general(*arguments)

    @functools.cached_property
    def _general(self) -> Any:
        return self.given()

    def given(self, **known: int) -> Any:
        """The compiled function, if the fields of ``p`` that are named have these values.

        On disk it is kept under them, so that it alone is read.  Who asks for many gets one for
        all, which takes longer to compile, once.
        """
        asked = tuple(known.items())
        if asked not in self._made and len(self._made) >= self.few:
            asked = ()
        if asked not in self._made:
            self._made[asked] = self._compiled(dict(asked))
        return self._made[asked]

    def _compiled(self, known: dict[str, int]) -> Any:
        options = self.options | _OUTER | {"pipeline_class": _pipeline(known)}
        return njit(**options)(self._copy(known, _called.setdefault(tuple(known.items()), {})))

    def _copy(self, known: dict[str, int], others: dict[Kernel, Any]) -> Any:
        """The function, where kernels that it calls are functions compiled for the same."""

        def inner(found: Any) -> Any:
            if not isinstance(found, Kernel):
                return found
            if found not in others:
                options = found.options | _INNER | {"pipeline_class": _pipeline(known)}
                others[found] = njit(**options)(found._copy(known, others))
            return others[found]

        code, around = self.function.__code__, self.function.__globals__
        called = {name: inner(around[name]) for name in code.co_names if name in around}
        closed = [cell.cell_contents for cell in self.function.__closure__ or ()]
        cells = tuple(CellType(inner(found)) for found in closed)
        made = FunctionType(code, {**around, **called}, self.__name__, None, cells)
        facts = [found.__name__ for found in closed if isinstance(found, Kernel)]
        return told_apart(*facts, *(f"{name}{known[name]}" for name in known))(made)


def told_apart(*facts: object) -> Callable[[Any], Any]:
    """Give a function that is made for some facts a name that tells them.

    A process that reads what two others compiled takes symbols of one name for one function, and
    what was compiled for other facts would be run.
    """

    def rename(function: Any) -> Any:
        function.__qualname__ = "_".join([function.__name__, *map(str, facts)])
        return function

    return rename


def kernel(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Make a function a :class:`Kernel`, with options of Numba."""
    return lambda function: Kernel(function, options)


def expect_many() -> None:
    """Compile each kernel once for every mode: for a process that will ask for most of them.

    That takes ten times as long as one mode does, and a loop for one is not faster than it.
    """
    Kernel.few = 0


def _pipeline(known: dict[str, int]) -> type:
    """How Numba compiles, with constants for the fields of the argument ``p`` that are known."""

    class Pipeline(CompilerBase):
        fields = known

        def define_pipelines(self) -> list[Any]:
            if not self.state.flags.no_cpython_wrapper:
                _tell(f"harness: compiling {self.state.func_id.func_qualname}, once")
            passes = _BUILDER.define_nopython_pipeline(self.state)
            passes.add_pass_after(_Known, RewriteSemanticConstants)
            passes.finalize()
            return [passes]

    return Pipeline


@_REGISTER(mutates_CFG=False, analysis_only=False)
class _Known(FunctionPass):
    """``p.name`` becomes a number; branches on it are cut by the pass that follows."""

    _name = "known_fields"

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def run_pass(self, state: Any) -> bool:
        known, code = state.pipeline.fields, state.func_ir
        plans = {a.target.name for a in _assigned(code) if _is_plan(a.value)}
        for line in _assigned(code):
            value = line.value
            is_field = isinstance(value, ir.Expr) and value.op == "getattr"
            if is_field and value.value.name in plans and value.attr in known:
                line.value = _CONSTANT(known[value.attr], line.loc)
                definitions = code._definitions[line.target.name]
                definitions[definitions.index(value)] = line.value
        return True


def _tell(text: str) -> None:
    """Why it takes a second; to who sits before a terminal."""
    if sys.stderr is not None and sys.stderr.isatty() and "PYTEST_CURRENT_TEST" not in os.environ:
        sys.stderr.write(text + "\n")


def _assigned(code: Any) -> list[Any]:
    return [line for block in code.blocks.values() for line in block.find_insts(ir.Assign)]


def _is_plan(value: Any) -> bool:
    return isinstance(value, ir.Arg) and value.name == "p"
