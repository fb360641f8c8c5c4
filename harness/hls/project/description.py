"""``Description``: what the files of an hls4ml project say, before anything is computed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from harness.hls.layers.layer import as_type
from harness.hls.project.generated import Generated
from harness.hls.project.scope import Scope, read_scope
from harness.hls.project.source import BrokenProject, ProjectError
from harness.hls.project.streams import with_sizes
from harness.hls.project.top import NUMBER, Call, Top, Variable, read_top
from harness.hls.project.weights import Weight, read_weights
from harness.types import ApFixed

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Description"]

#: The kernel that writes several streams.
CLONE = "clone_stream"


@dataclass(frozen=True, eq=False)
class Description:
    """A project of the Vivado or Vitis backend, ``io_parallel`` or ``io_stream``.

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
    def read(cls, directory: str | Path) -> Self:
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
        top = with_sizes(read_top(root, name), root)
        scope.weights.extend(v.name for v in top.external)
        return cls(root, top, scope, read_weights(root, scope, top.loads))

    @property
    def name(self) -> str:
        """Its name, which is that of the top function."""
        return self.top.name

    def reads(self, call: Call) -> tuple[Variable, ...]:
        """The arrays or streams that a call reads."""
        found = self._arrays(call)
        return found[:1] if call.kernel == CLONE else found[:-1]

    def writes(self, call: Call) -> dict[str, Variable]:
        """The arrays or streams that a call writes, by the names of the layers that they are of.

        Only clones of streams are several, and each is a layer.
        """
        found = self._arrays(call)
        if call.kernel != CLONE:
            return {call.layer: found[-1]}
        return {f"{call.layer} to {v.name}": v for v in found[1:]}

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
        written = {v.name for call in self.top.calls for v in self.writes(call).values()}
        found = tuple(v for v in self.top.ports if v.name not in written)
        if not found:
            raise ProjectError(f"{self.top.file}: {self.name} has no input")
        return found

    @cached_property
    def outputs(self) -> tuple[Variable, ...]:
        """The arguments of the top function that it writes."""
        found = tuple(v for v in self.top.ports if v not in self.inputs)
        if not found:
            raise BrokenProject(
                f"{self.top.file}: nothing is written to an argument of {self.name}; is the last "
                "layer of the model gone?"
            )
        return found

    def type(self, v: Variable) -> ApFixed:
        """The type of the values of an array or a stream."""
        t = self.scope.type(v.type_name, f"{v.place}: the type of {v.name}")
        try:
            return as_type(t, "its")
        except ValueError as error:
            raise ProjectError(f"{v.place}: {v.name}: {error}") from None

    def declares(self, kernel: str) -> bool:
        """Whether a header of the project's own ``nnet_utils`` has a function of this name."""
        # Comments may name it too; what is in none of the files is not there.
        return self.headers_have(rf"\b{re.escape(kernel)}\s*\(")

    def headers_have(self, pattern: str) -> bool:
        """Whether a header of the project's own ``nnet_utils`` has what a pattern matches."""
        headers = (self.directory / "firmware/nnet_utils").glob("*.h")
        texts = (h.read_text(encoding="utf-8", errors="replace") for h in headers)
        return any(re.search(pattern, text) for text in texts)

    @cached_property
    def generated(self) -> Generated:
        """The functions that were generated for it."""
        return Generated(self.directory)

    def weight_differences(self) -> list[str]:
        """Where the weights of C simulation are not those of synthesis."""
        return [text for w in self.weights.values() if (text := w.difference()) is not None]


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
