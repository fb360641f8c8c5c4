"""What a user names: files, a module, and what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.ghdl import GhdlError, synthesised
from harness.prove.rtl.yosys import RtlError

__all__ = ["VHDL", "Sources", "renamed", "verilog_of"]

VHDL = (".vhd", ".vhdl")


@dataclass(frozen=True)
class Sources:
    """A design before it is read.

    Attributes:
        files: the sources, in the order of compilation.
        top: the module or entity.
        parameters: parameters of the module, or generics of the entity.
        include: folders for `` `include``.
        defines: macros, ``NAME`` or ``NAME=VALUE``.
        shown: what the user calls the files.
    """

    files: tuple[Path, ...]
    top: str
    parameters: Mapping[str, int | str] = field(default_factory=dict)
    include: tuple[Path, ...] = ()
    defines: tuple[str, ...] = ()
    shown: Mapping[str, str] = field(default_factory=dict)

    @property
    def vhdl(self) -> bool:
        """Whether it is VHDL.

        Raises:
            RtlError: if only some of it is.
        """
        kinds = {f.suffix.lower() in VHDL for f in self.files}
        if len(kinds) > 1:
            raise RtlError("Verilog and VHDL together are not carried: name files of one")
        return kinds == {True}


def verilog_of(sources: Sources, scratch: Path) -> tuple[Path, str]:
    """The Verilog of an entity, as GHDL synthesises it, and its module's name.

    Raises:
        RtlError: if GHDL is missing or refuses the sources.
    """
    try:
        path, module = synthesised(sources.files, sources.top, sources.parameters, scratch)
    except GhdlError as error:
        raise RtlError(renamed(str(error), sources.shown)) from None
    return path, module


def renamed(text: str, shown: Mapping[str, str]) -> str:
    """A message with the user's names."""
    for name, known in shown.items():
        text = text.replace(name, known)
    return text
