"""``Project``: a project that hls4ml wrote, as a typed model and as the C++ that it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.hls.fixed import Fixed
from harness.hls.layer import TypedLayer, as_codes, as_fixed, as_type
from harness.hls.model import Model
from harness.hls.project.parse import NUMBER, Call, Scope, Top, Variable, read_scope, read_top
from harness.hls.project.source import ProjectError
from harness.hls.project.weights import Weight, read_weights
from harness.types import ApFixed

if TYPE_CHECKING:
    from harness.hls.project.run import Compiled

__all__ = ["Project"]


@dataclass(frozen=True, eq=False)
class Project:
    """A project of the Vivado or Vitis backend, ``io_parallel``.

    Attributes:
        directory: its folder.
        top: its top function.
        scope: its types and configurations.
        weights: its weights by name.
    """

    directory: Path
    top: Top
    scope: Scope
    weights: Mapping[str, Weight]

    @classmethod
    def read(cls, directory: str | Path) -> Project:
        """Read a project; nothing is compiled yet.

        Raises:
            ProjectError: in one line, for what is missing or not understood.
        """
        root = Path(directory).expanduser().resolve()
        if not (root / "firmware").is_dir():
            raise ProjectError(
                f"{directory} is no project of hls4ml: it has no folder firmware"
                if root.is_dir()
                else f"{directory} is no folder"
            )
        name = _name(root)
        scope = read_scope(root)
        top = read_top(root, name)
        ports = {v.name for v in top.ports}
        for load in top.loads:
            if load.weight in ports:
                raise ProjectError(
                    f"{load.place}: {load.weight} is an argument of {name}; supported: weights "
                    "inside of it (a larger BramFactor)"
                )
        return cls(root, top, scope, read_weights(root, scope, top.loads))

    @property
    def name(self) -> str:
        """Its name, which is that of the top function."""
        return self.top.name

    def reads(self, call: Call) -> tuple[Variable, ...]:
        """The arrays that a call reads."""
        return self._arrays(call)[:-1]

    def writes(self, call: Call) -> Variable:
        """The array that a call writes."""
        return self._arrays(call)[-1]

    def parameters(self, call: Call) -> tuple[Weight, ...]:
        """The weights that a call is given, in order."""
        return tuple(self.weights[a] for a in call.arguments if a in self.weights)

    def _arrays(self, call: Call) -> tuple[Variable, ...]:
        for name in call.arguments:
            known = name in self.top.arrays or name in self.weights
            if not known and not NUMBER.fullmatch(name):
                raise ProjectError(f"{call.place}: {call.kernel} is given {name}, no known array")
        found = [self.top.arrays[a] for a in call.arguments if a in self.top.arrays]
        if len(found) < 2:
            raise ProjectError(f"{call.place}: {call.kernel} has no input or no output")
        return tuple(found)

    @cached_property
    def inputs(self) -> tuple[Variable, ...]:
        """The arguments of the top function that it reads."""
        written = {self.writes(call).name for call in self.top.calls}
        found = tuple(v for v in self.top.ports if v.name not in written)
        if not found:
            raise ProjectError(f"{self.top.file}: {self.name} has no input")
        return found

    @cached_property
    def outputs(self) -> tuple[Variable, ...]:
        """The arguments of the top function that it writes."""
        found = tuple(v for v in self.top.ports if v not in self.inputs)
        if not found:
            raise ProjectError(f"{self.top.file}: {self.name} has no output")
        return found

    def type(self, v: Variable) -> ApFixed:
        """The type of an array's values."""
        t = self.scope.type(v.type_name, f"{v.place}: the type of {v.name}")
        try:
            return as_type(t, "its")
        except ValueError as error:
            raise ProjectError(f"{v.place}: {v.name}: {error}") from None

    def model(self) -> Model:
        """The typed model: what the sources say, in Python.

        Raises:
            ProjectError: for a kernel, or a variant of one, that no typed layer computes.
        """
        from harness.hls.project.build import build

        return build(self)

    @cached_property
    def _model(self) -> Model:
        return self.model()

    def batch(self, *inputs: Any) -> tuple[Fixed, ...]:
        """Inputs as codes of the ports: ``Fixed``, integers as codes, floats as values."""
        if len(inputs) != len(self.inputs):
            names = ", ".join(v.name for v in self.inputs)
            raise ValueError(
                f"{self.name} has {len(self.inputs)} inputs ({names}), got {len(inputs)}"
            )
        found = tuple(self._codes(x, v) for x, v in zip(inputs, self.inputs, strict=True))
        if len({len(x) for x in found}) > 1:
            raise ValueError(f"the inputs have {[len(x) for x in found]} rows")
        return found

    def _codes(self, x: Any, v: Variable) -> Fixed:
        t = self.type(v)
        whole = not isinstance(x, Fixed) and np.asarray(x).dtype.kind in "iu"
        fixed = as_codes(x, t, v.name) if whole else as_fixed(x, t, v.name)
        sizes = int(np.prod(v.shape))
        if fixed.codes.ndim < 2 or int(np.prod(fixed.shape[1:])) != sizes:
            raise ValueError(
                f"{v.name} takes (rows, {', '.join(map(str, v.shape))}), got {fixed.shape}"
            )
        return fixed.reshape(len(fixed), *v.shape)

    @cached_property
    def compiled(self) -> Compiled:
        """The top function, unmodified."""
        from harness.hls.project.run import Compiled

        return Compiled(self)

    @cached_property
    def traced(self) -> Compiled:
        """A copy of the top function that also tells what every kernel wrote."""
        from harness.hls.project.run import Compiled

        return Compiled(self, traced=True)

    def compile(self, traced: bool = False) -> Compiled:
        """Compile the top function, or its copy, if that was not done before."""
        return self.traced if traced else self.compiled

    def outputs_of(self, *inputs: Any) -> dict[str, Fixed]:
        """What the C++ top function, unmodified, gives for a batch: each output by name."""
        return self.compiled.run(self.batch(*inputs))

    def run(self, *inputs: Any) -> Fixed:
        """What the C++ top function, unmodified, gives for a batch: its first output.

        Args:
            inputs: for each input (rows, *sizes): integers as codes, floats as values.

        Raises:
            CompileError: if the project does not compile.
            OracleCrash: if its code ends the process.
        """
        return self.outputs_of(*inputs)[self.outputs[0].name]

    def trace(self, *inputs: Any) -> dict[str, Fixed]:
        """What every kernel of the C++ wrote for a batch: the arrays by name."""
        return self.traced.run(self.batch(*inputs))

    def layer_outputs(self, *inputs: Fixed) -> dict[str, Fixed]:
        """The same by the names of the layers."""
        found = self.trace(*inputs)
        return {call.layer: found[self.writes(call).name] for call in self.top.calls}

    def layer(self, name: str) -> TypedLayer | None:
        """The typed layer that the sources say, by name."""
        return next((s.layer for s in self._model.steps if s.layer.name == name), None)

    def weight_differences(self) -> list[str]:
        """Where the weights of C simulation are not those of synthesis."""
        return [text for w in self.weights.values() if (text := w.difference()) is not None]

    def close(self) -> None:
        """End the worker processes, and remove what was compiled."""
        for name in ("compiled", "traced"):
            compiled = self.__dict__.pop(name, None)
            if compiled is not None:
                compiled.close()


def _name(root: Path) -> str:
    """The project's name: from its configuration, its Tcl script, or its only source file."""
    for file, pattern in (
        ("hls4ml_config.yml", r"^ProjectName: ['\"]?(\w+)['\"]?\s*$"),
        ("project.tcl", r'^set project_name "(\w+)"'),
    ):
        path = root / file
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            if match := re.search(pattern, text, re.MULTILINE):
                return match[1]
    found = sorted((root / "firmware").glob("*.cpp"))
    if len(found) != 1:
        raise ProjectError(
            f"{root} has neither hls4ml_config.yml nor project.tcl with its name, "
            f"and {len(found)} files firmware/*.cpp"
        )
    return found[0].stem
