"""A user's own module, read by yosys so that nothing of it is taken for more than it says.

What is x, z, without a driver, past the end of a vector or divided by zero may be anything, and is
never simplified by.  Of a case that is ``unique`` the first choice that fits counts, as in a
simulator; what it leaves open may be anything.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.cosim.errors import CosimError
from harness.cosim.hdl.ports import Design, synthesised
from harness.names import instead
from harness.prove.rtl.netlist import Netlist
from harness.prove.rtl.yosys import RtlError, run

__all__ = ["Module", "read_rtl"]

UNKNOWN = Path(__file__).with_name("unknown.v")
#: From a hierarchy to one module of cells.
FLATTENED = (
    "attrmap -remove parallel_case",
    "proc -noopt -norom",
    "flatten",
    "write_json top.json",
    "write_rtlil top.il",
)
#: From there to cells that have one meaning each.
MEANT = (
    "read_rtlil top.il",
    "chformal -remove",
    "delete t:$print",
    "techmap -max_iter 1 -map unknown.v t:$shiftx t:$div t:$mod",
    "setundef -undriven -anyseq",
    "async2sync",
    "dffunmap",
    "check -assert",
    "write_smt2 -stbv top.smt2",
)


@dataclass(frozen=True)
class Module:
    """A module that was read.

    Attributes:
        design: its sources, and its name.
        netlist: its ports and registers.
        smt: what it computes.
    """

    design: Design
    netlist: Netlist
    smt: str

    @property
    def name(self) -> str:
        """Of the module or entity."""
        return self.design.top

    def port(self, name: str, way: str) -> str:
        """A port of the module.

        Raises:
            RtlError: if it is not there.
        """
        vhdl = self.design.vhdl  # whose names have no case
        known = {n.lower() if vhdl else n: n for n in self.netlist.widths(way)}
        found = known.get(name.lower() if vhdl else name)
        if found is None:
            raise RtlError(f"{self.name} has no {way} {name}: {instead(name, known.values())}")
        return found


def read_rtl(
    files: Path | str | Sequence[Path | str],
    top: str,
    *,
    parameters: Mapping[str, int | str] | None = None,
    include: Sequence[Path | str] = (),
    defines: Sequence[str] = (),
) -> Module:
    """Read a module of SystemVerilog, Verilog or VHDL.

    Args:
        files: the sources, or one, in the order of compilation.
        top: the module or entity.
        parameters: its parameters or generics.
        include: folders for `` `include``, beside those of the files.
        defines: macros, ``NAME`` or ``NAME=VALUE``.

    Raises:
        RtlError: for what is missing, refused by yosys or GHDL, or would not be proven rightly.
    """
    named = [files] if isinstance(files, (Path, str)) else list(files)
    for file in named:
        if not Path(file).is_file():
            raise RtlError(f"there is no file {file}")
    design = Design(
        tuple(Path(f).resolve() for f in named),
        top,
        tuple(Path(f).resolve() for f in include),
        tuple(defines),
        dict(parameters or {}),
    )
    shown = {str(path): str(file) for path, file in zip(design.files, named, strict=True)}
    with tempfile.TemporaryDirectory(prefix="prove-") as scratch:
        netlist, smt = _read(design, shown, Path(scratch))
    return Module(design, netlist, smt)


def _read(design: Design, shown: Mapping[str, str], scratch: Path) -> tuple[Netlist, str]:
    try:
        verilog = synthesised(design, scratch) if design.vhdl else design
    except CosimError as error:
        raise RtlError(_renamed(str(error), shown)) from error
    if not re.fullmatch(r"[A-Za-z_][\w$]*", design.top):
        raise RtlError(f"{design.top!r} is no name of a module")
    names, commands = _sources(verilog, shown, scratch)
    given = [f"-chparam {name} {_literal(value)}" for name, value in verilog.parameters.items()]
    commands.append(" ".join(["hierarchy -check -top", verilog.top, *given]))
    commands.append(f"rename -top {design.top}")
    try:
        run([*commands, *FLATTENED], scratch, names=names)
        text = (scratch / "top.json").read_text(encoding="utf-8")
        netlist = Netlist(json.loads(text)["modules"][design.top])
        (scratch / "unknown.v").symlink_to(UNKNOWN)
        _cleaned(scratch / "top.il")
        run(MEANT, scratch, names=names)
    except RtlError as error:
        raise RtlError(_explained(_renamed(str(error), names), design)) from None
    return netlist, (scratch / "top.smt2").read_text(encoding="utf-8")


def _cleaned(path: Path) -> None:
    """Make of each z an x, which yosys knows how to make anything.

    Raises:
        RtlError: if a wire has two drivers that are constants, of which yosys would take one.
    """
    text = path.read_text(encoding="utf-8")
    driven = re.findall(r"^  connect (\\\S+(?: \[[\d:]+\])?) ", text, re.M)
    if twice := [name for name, count in Counter(driven).items() if count > 1]:
        raise RtlError(f"multiple conflicting drivers for {twice[0][1:]}")
    constants = re.compile(r"(?<=\d')[01xzm-]*z[01xzm-]*")
    path.write_text(constants.sub(lambda z: z[0].replace("z", "x"), text), encoding="utf-8")


def _sources(
    design: Design, shown: Mapping[str, str], scratch: Path
) -> tuple[dict[str, str], list[str]]:
    """The user's files under names that need no quotes, and the commands that read them."""
    names, commands = {}, []
    folders = dict.fromkeys([*design.include, *(f.parent for f in design.files)])
    for k, folder in enumerate(folders):
        (scratch / f"folder{k}").symlink_to(folder)
        names[f"folder{k}/"] = f"{folder}/"
    options = " ".join(f"-Ifolder{k}" for k in range(len(folders)))
    macros = [f"`define {' '.join(macro.split('=', 1))}\n" for macro in design.defines]
    (scratch / "defines.sv").write_text("".join(macros), encoding="utf-8")
    commands.append("read_verilog -sv defines.sv")
    for k, file in enumerate(design.files):
        (scratch / f"source{k}.sv").symlink_to(file)
        names[f"source{k}.sv"] = shown.get(str(file), file.name)
        commands.append(f"read_verilog -sv -defer {options} source{k}.sv")
    return names, commands


def _renamed(text: str, names: Mapping[str, str]) -> str:
    for name, known in names.items():
        text = text.replace(name, known)
    return text


def _literal(value: int | str) -> str:
    """A parameter as yosys takes it: a number, and text as the number it is in Verilog."""
    if isinstance(value, int):
        width = max(32, value.bit_length() + 1)
        return f"{width}'sh{value % (1 << width):x}"
    return f"{max(8 * len(value), 8)}'h{value.encode().hex() or '0'}"


def _explained(text: str, design: Design) -> str:
    """What yosys said, where we can say it better."""
    if missing := re.search(r"Can't find object for defparam `?(\w+)", text):
        return f"{design.top} has no parameter {missing[1]}"
    if latch := re.search(
        r"Latch inferred for signal [^.]*\.(.*) from .*? process [^.]*\.(.*)\.", text
    ):
        return f"{latch[1]} is a latch ({latch[2]})"
    if text.endswith(f"Module {design.top} not found!"):
        sources = "\n".join(f.read_text(errors="replace") for f in design.files)
        known = re.findall(r"^\s*module\s+(?:automatic\s+)?(\w+)", sources, re.M)
        return f"there is no module {design.top} in the sources: {instead(design.top, known)}"
    return text
