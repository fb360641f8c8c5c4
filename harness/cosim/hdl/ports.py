"""Read the ports of a hardware module with Verilator's or GHDL's own front end."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import CompletedProcess
from xml.etree import ElementTree

from harness import children
from harness.cosim.errors import CompileError, CosimError, SignatureError
from harness.ghdl import GhdlError, MissingError, NoGhdlError, ghdl, synthesised
from harness.names import instead

__all__ = [
    "Design",
    "Wire",
    "compiled_with",
    "program_of",
    "read_wires",
    "verilog_of",
]

VHDL = (".vhd", ".vhdl")
#: Lint is for those who ask for it; a lack of timing is that of a simulation by cycles.
QUIET = ("-Wno-fatal", "-Wno-lint", "-Wno-style", "-Wno-MULTITOP", "--no-timing", "--assert")
_CONSTANT = re.compile(r"(?:\d+)?'?s?(?:h([0-9a-f]+)|(-?\d+))$")


@dataclass(frozen=True)
class Design:
    """What the user named.

    Attributes:
        files: the sources, in the order of compilation.
        top: the module or entity.
        include: folders for `` `include`` and for modules that no file has.
        defines: macros, ``NAME`` or ``NAME=VALUE``.
        parameters: parameters of the module, or generics of the entity.
    """

    files: tuple[Path, ...]
    top: str
    include: tuple[Path, ...] = ()
    defines: tuple[str, ...] = ()
    parameters: Mapping[str, int | str] = field(default_factory=dict)

    @property
    def literals(self) -> dict[str, str]:
        """The parameters as Verilog writes them."""
        return {n: str(v) if isinstance(v, int) else f'"{v}"' for n, v in self.parameters.items()}

    @property
    def vhdl(self) -> bool:
        """Whether it is VHDL.

        Raises:
            SignatureError: if only some of it is.
        """
        kinds = {f.suffix.lower() in VHDL for f in self.files}
        if len(kinds) > 1:
            raise SignatureError("Verilog and VHDL together are not carried: name files of one")
        return kinds == {True}

    @property
    def options(self) -> list[str]:
        """For Verilator."""
        return [
            *(f"-I{folder}" for folder in (*self.include, *self._folders)),
            *(f"-D{macro}" for macro in self.defines),
            *QUIET,
        ]

    @property
    def _folders(self) -> list[Path]:
        return list(dict.fromkeys(f.parent for f in self.files))


@dataclass(frozen=True)
class Wire:
    """A port as the front end resolves it.

    Attributes:
        name: in the source.
        way: ``input`` or ``output``.
        width: bits of one element.
        signed: whether the source says so.
        ranges: of the unpacked dimensions, left and right.
    """

    name: str
    way: str
    width: int
    signed: bool = False
    ranges: tuple[tuple[int, int], ...] = ()

    @property
    def goes_in(self) -> bool:
        """Whether the design reads it."""
        return self.way == "input"

    @property
    def shape(self) -> tuple[int, ...]:
        """The unpacked dimensions."""
        return tuple(abs(a - b) + 1 for a, b in self.ranges)

    def __str__(self) -> str:
        sign = " signed" if self.signed else ""
        bits = f" [{self.width - 1}:0]" if self.width > 1 else ""
        return f"logic{sign}{bits}"


def program_of(name: str, remedy: str) -> str:
    """The path of a tool.

    Raises:
        CosimError: if it is not installed.
    """
    if (found := shutil.which(name)) is None:
        raise CosimError(f"{name} is not installed; to install it: {remedy}")
    return found


def verilator() -> str:
    """The path of Verilator; raises as :func:`program_of` does."""
    return program_of("verilator", "apt-get install verilator")


def read_wires(design: Design, scratch: Path) -> tuple[Wire, ...]:
    """The ports of a Verilog module, in their order.

    Raises:
        CompileError: with the first error of the source.
        SignatureError: if the module is not there, or has ports that nobody can carry.
    """
    xml = scratch / "ports.xml"
    given = [f"-G{name}={value}" for name, value in design.literals.items()]
    done = _read(design, xml, scratch, ["--top-module", design.top, *given])
    if done.returncode != 0:
        if "was not found in design" in done.stderr:
            names = _modules(design, scratch)
            known = f": {instead(design.top, names)}" if names else ""
            raise SignatureError(f"there is no module {design.top} in the sources{known}")
        missing = re.search(
            r"Parameters? from the command line were not found.*?: (.*)", done.stderr
        )
        if missing:
            raise SignatureError(f"{design.top} has no parameter {missing[1]}")
        raise CompileError(compiled_with(done.stderr))
    tree = ElementTree.parse(xml).getroot()
    types = {t.get("id", ""): t for t in tree.iterfind(".//typetable/*")}
    module = next(m for m in tree.iterfind("./netlist/module") if m.get("topModule"))
    found = tuple(_wires(module, types))
    if any(v.tag == "var" and v.get("vartype") == "ifaceref" for v in module.iter()):
        raise SignatureError(f"{design.top} has a port that is an interface, which is not carried")
    return found


def _read(design: Design, xml: Path, scratch: Path, more: Sequence[str]) -> CompletedProcess[str]:
    options = ["--xml-only", "--xml-output", str(xml), "--Mdir", str(scratch / "xml")]
    files = [str(f) for f in design.files]
    command = [verilator(), *options, *design.options, *more, *files]
    return children.run(command, scratch, cwd=scratch)


def _modules(design: Design, scratch: Path) -> list[str]:
    """Every module of the sources, for a message."""
    xml = scratch / "modules.xml"
    if _read(design, xml, scratch, []).returncode != 0:
        return []
    tree = ElementTree.parse(xml).getroot()
    return [m.get("name", "") for m in tree.iterfind("./netlist/module")]


def compiled_with(text: str) -> str:
    """Verilator's first error: ``file:line:column: what``."""
    lines = [line for line in text.splitlines() if line.startswith("%Error")]
    first = (lines or text.split("\n") or [""])[0]
    return re.sub(r"^%Error[\w-]*: ", "", first).strip() or "the compiler said nothing"


def _wires(module: ElementTree.Element, types: Mapping[str, ElementTree.Element]) -> Iterator[Wire]:
    ports = [v for v in module.iter("var") if v.get("dir")]
    for port in sorted(ports, key=lambda v: int(v.get("pinIndex", "0"))):
        name, way = port.get("name", ""), port.get("dir", "")
        if way not in ("input", "output"):
            raise SignatureError(f"{name} is an {way}, which is not carried: give it two ports")
        width, signed, ranges = _resolved(name, types[port.get("dtype_id", "")], types)
        yield Wire(name, way, width, signed, ranges)


Facts = tuple[int, bool, tuple[tuple[int, int], ...]]


def _resolved(name: str, t: ElementTree.Element, types: Mapping[str, ElementTree.Element]) -> Facts:
    """The width, signedness and unpacked ranges of a type."""
    below = types.get(t.get("sub_dtype_id", ""))
    match t.tag:
        case "basicdtype" if t.get("name") not in ("real", "string", "chandle", "event"):
            bits = abs(int(t.get("left", "0")) - int(t.get("right", "0"))) + 1
            return bits, t.get("signed") == "true", ()
        case "refdtype" | "enumdtype" | "constdtype" | "memberdtype" if below is not None:
            return _resolved(name, below, types)
        case "packarraydtype" if below is not None:
            width, _, _ = _resolved(name, below, types)
            left, right = _range(t)
            return width * (abs(left - right) + 1), False, ()
        case "unpackarraydtype" if below is not None:
            width, signed, ranges = _resolved(name, below, types)
            return width, signed, (_range(t), *ranges)
        case "structdtype" | "uniondtype":
            widths = [_resolved(name, m, types)[0] for m in t]
            return sum(widths) if t.tag == "structdtype" else max(widths), False, ()
    raise SignatureError(f"{name} is of a type that is not carried: {t.get('name', t.tag)}")


def _range(t: ElementTree.Element) -> tuple[int, int]:
    left, right = (_constant(c.get("name", "")) for c in t.iterfind("./range/const"))
    return left, right


def _constant(text: str) -> int:
    """A constant as Verilator writes it: ``32'sh1``."""
    found = _CONSTANT.search(text)
    assert found is not None, text
    value = int(found[1], 16) if found[1] else int(found[2])
    return value - (1 << 32) if found[1] and "'sh" in text and value >> 31 else value


# VHDL -------------------------------------------------------------------------------------------


def verilog_of(design: Design, scratch: Path) -> tuple[Design, frozenset[str]]:
    """VHDL, synthesised by GHDL, as a Verilog design; and its signed ports, in lower case.

    Raises:
        CompileError: with the first error of the source.
        SignatureError: if the entity is not there.
        CosimError: if GHDL is missing.
    """
    try:
        path, module = synthesised(design.files, design.top, design.parameters, scratch)
    except NoGhdlError as error:
        raise CosimError(str(error)) from None
    except MissingError as error:
        raise SignatureError(str(error)) from None
    except GhdlError as error:
        raise CompileError(str(error)) from None
    found = replace(design, files=(path,), top=module, parameters={})
    return found, _signed_ports(design, scratch)


def _signed_ports(design: Design, scratch: Path) -> frozenset[str]:
    """Which ports of an entity are ``signed``; Verilog as GHDL writes it does not tell."""
    command = [ghdl(), "--file-to-xml", "--std=08", f"--workdir={scratch}"]
    done = children.run([*command, *map(str, design.files)], scratch, cwd=scratch)
    try:
        tree = ElementTree.fromstring(done.stdout)
    except ElementTree.ParseError:
        return frozenset()
    entities = (e for e in tree.iter() if e.get("kind") == "entity_declaration")
    entity = next((e for e in entities if e.get("identifier") == design.top.lower()), None)
    found, signed = set(), False
    for port in entity.iterfind("./port_chain/el") if entity is not None else ():
        named = port.find("./subtype_indication")
        if named is not None and "ref" not in named.attrib:  # else that of the one before
            signed = any(e.get("identifier") == "signed" for e in named.iter())
        if signed:
            found.add(port.get("identifier", "").lower())
    return frozenset(found)
