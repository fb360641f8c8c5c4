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

from harness.names import instead
from harness.prove.rtl.netlist import Netlist
from harness.prove.rtl.sources import Sources, renamed, verilog_of
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
        sources: what it was read from.
        netlist: its ports and registers.
        smt: what it computes.
    """

    sources: Sources
    netlist: Netlist
    smt: str

    @property
    def name(self) -> str:
        """Of the module or entity."""
        return self.sources.top

    def port(self, name: str, way: str) -> str:
        """A port of the module.

        Raises:
            RtlError: if it is not there.
        """
        vhdl = self.sources.vhdl  # whose names have no case
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
    paths = tuple(Path(f).resolve() for f in named)
    sources = Sources(
        paths,
        top,
        dict(parameters or {}),
        tuple(Path(f).resolve() for f in include),
        tuple(defines),
        {str(path): str(file) for path, file in zip(paths, named, strict=True)},
    )
    for kind, name in (("module", top), *(("parameter", n) for n in sources.parameters)):
        if not re.fullmatch(r"[A-Za-z_][\w$]*", name):
            raise RtlError(f"{name!r} is no name of a {kind}")
    with tempfile.TemporaryDirectory(prefix="prove-") as scratch:
        netlist, smt = _read(sources, Path(scratch))
    return Module(sources, netlist, smt)


def _read(sources: Sources, scratch: Path) -> tuple[Netlist, str]:
    top, parameters = sources.top, sources.parameters
    if sources.vhdl:
        path, top = verilog_of(sources, scratch)
        verilog, parameters = Sources((path,), top), {}
    else:
        verilog = sources
    names, commands = _files(verilog, scratch)
    given = [f"-chparam {name} {_literal(value)}" for name, value in parameters.items()]
    commands.append(" ".join(["hierarchy -check -top", top, *given]))
    commands.append(f"rename -top {sources.top}")
    try:
        run([*commands, *FLATTENED], scratch, names=names)
        text = (scratch / "top.json").read_text(encoding="utf-8")
        netlist = Netlist(json.loads(text)["modules"][sources.top])
        (scratch / "unknown.v").symlink_to(UNKNOWN)
        _cleaned(scratch / "top.il")
        run(MEANT, scratch, names=names)
    except RtlError as error:
        raise RtlError(_explained(renamed(str(error), names), sources)) from None
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


def _files(sources: Sources, scratch: Path) -> tuple[dict[str, str], list[str]]:
    """The user's files under names that need no quotes, and the commands that read them."""
    names, commands = {}, []
    folders = dict.fromkeys([*sources.include, *(f.parent for f in sources.files)])
    for k, folder in enumerate(folders):
        (scratch / f"folder{k}").symlink_to(folder)
        names[f"folder{k}/"] = f"{folder}/"
    options = " ".join(f"-Ifolder{k}" for k in range(len(folders)))
    macros = [f"`define {' '.join(macro.split('=', 1))}\n" for macro in sources.defines]
    (scratch / "defines.sv").write_text("".join(macros), encoding="utf-8")
    commands.append("read_verilog -sv defines.sv")
    for k, file in enumerate(sources.files):
        (scratch / f"source{k}.sv").symlink_to(file)
        names[f"source{k}.sv"] = sources.shown.get(str(file), file.name)
        commands.append(f"read_verilog -sv -defer {options} source{k}.sv")
    return names, commands


def _literal(value: int | str) -> str:
    """A parameter as yosys takes it: a number, and text as the number it is in Verilog."""
    if isinstance(value, int):
        width = max(32, value.bit_length() + 1)
        return f"{width}'sh{value % (1 << width):x}"
    return f"{max(8 * len(value), 8)}'h{value.encode().hex() or '0'}"


def _explained(text: str, sources: Sources) -> str:
    """What yosys said, where we can say it better."""
    if missing := re.search(r"Can't find object for defparam `?(\w+)", text):
        return f"{sources.top} has no parameter {missing[1]}"
    if latch := re.search(
        r"Latch inferred for signal [^.]*\.(.*) from .*? process [^.]*\.(.*)\.", text
    ):
        return f"{latch[1]} is a latch ({latch[2]})"
    if "syntax error" in text:
        return f"{text} (yosys reads a part of SystemVerilog; sv2v makes Verilog of the rest)"
    if text.endswith(f"Module {sources.top} not found!"):
        texts = "\n".join(f.read_text(errors="replace") for f in sources.files)
        known = re.findall(r"^\s*module\s+(?:automatic\s+)?(\w+)", texts, re.M)
        return f"there is no module {sources.top} in the sources: {instead(sources.top, known)}"
    return text
