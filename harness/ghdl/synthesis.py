"""VHDL-2008 to a netlist in Verilog."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness import children
from harness.ghdl.errors import GhdlError, MissingError, NoGhdlError
from harness.ghdl.repair import lacks_others, repaired, with_others

__all__ = ["ghdl", "synthesised"]


def ghdl() -> str:
    """The path of GHDL.

    Raises:
        NoGhdlError: if it is not installed.
    """
    if (found := shutil.which("ghdl")) is None:
        raise NoGhdlError("ghdl is not installed; to install it: apt-get install ghdl")
    return found


def synthesised(
    files: Sequence[Path], top: str, generics: Mapping[str, int | str], scratch: Path
) -> tuple[Path, str]:
    """The Verilog of an entity, in a folder, and the name of its module.

    Args:
        files: the sources, in the order of compilation.
        top: the entity.
        generics: their values by name.
        scratch: a folder that the caller removes.

    Raises:
        NoGhdlError: if GHDL is not installed.
        MissingError: if the entity or a generic is not there.
        GhdlError: with the first error of the sources.
    """
    program, here = ghdl(), ["--std=08", f"--workdir={scratch}"]
    done = children.run([program, "-a", *here, *map(str, files)], scratch, cwd=scratch)
    if done.returncode != 0:
        raise GhdlError(_first(done.stderr))
    given = [f"-g{name}={value}" for name, value in generics.items()]
    command = [program, "--synth", *here, "--out=verilog", *given, top.lower()]
    found = children.run(command, scratch, cwd=scratch)
    if found.returncode != 0:
        if "cannot find entity" in found.stderr:
            raise MissingError(f"there is no entity {top} in the sources")
        if generic := re.search(r"no generic \"(.*?)\"", found.stderr):
            raise MissingError(f"{top} has no generic {generic[1]}")
        raise GhdlError(_first(found.stderr))
    text = found.stdout
    if lacks_others(text):
        command[command.index("--out=verilog")] = "--out=raw-vhdl"
        text = with_others(text, children.run(command, scratch, cwd=scratch).stdout)
    path = scratch / "synthesised.v"
    path.write_text(repaired(text), encoding="utf-8")
    return path, re.findall(r"^module (\S+)", text, re.M)[-1]  # the top comes last


def _first(text: str) -> str:
    """The first error: ``file:line:column: what``."""
    lines = [line for line in text.splitlines() if re.match(r"\S+:\d+:\d+:", line)]
    return (lines or text.splitlines() or [""])[0].strip() or "GHDL said nothing"
