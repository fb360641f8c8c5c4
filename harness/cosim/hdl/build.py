"""From RTL to a program that answers: verilated once, kept by the contents of its files."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import children, ghdl
from harness.cosim.errors import CompileError, CosimError
from harness.cosim.hdl.arguments import Asked, gathered
from harness.cosim.hdl.layout import Layout, laid_out
from harness.cosim.hdl.ports import (
    QUIET,
    Design,
    Wire,
    compiled_with,
    read_wires,
    verilator,
    verilog_of,
)
from harness.cosim.hdl.program import PREFIX, Running, driver, shell
from harness.cosim.kept import index_of, keep, known, sha256_of
from harness.cosim.signature import Signature
from harness.oracle.build import Compiler, find_compiler
from harness.oracle.headers import kernel_directory

__all__ = ["Ports", "Question", "RtlProgram", "built_rtl", "ports_of"]

FLAGS = ("-std=c++17", "-O1", "-w", "-fno-pie", "-fno-strict-aliasing")
#: Unknown bits begin as each copy of the design is told, instead of as zero.
UNKNOWN = ("--x-assign", "unique", "--x-initial", "unique")
#: Verilator's runtime leaves these to us.
OURS = ("-DVL_USER_FINISH", "-DVL_USER_STOP", "-DVL_USER_FATAL")
#: What every driver includes; compiled once for all of them.
PRELUDE = ("verilated.h", "algorithm", "memory", "string", "tuple", "vector", "cosim_program.h")
#: Sources that Verilator wrote are read at once up to so many bytes, else compiled side by side.
SMALL = 400_000
#: For each form of waves: Verilator's option, its source, its class.
WAVES = {
    "vcd": ("--trace", "verilated_vcd_c", "VerilatedVcdC"),
    "fst": ("--trace-fst", "verilated_fst_c", "VerilatedFstC"),
}


@dataclass(frozen=True)
class Question:
    """All that a program is made of, but for the contents of the files.

    Attributes:
        design: the sources.
        asked: what the caller says of the ports.
        running: how it is run.
        waves: ``vcd`` or ``fst`` if it writes them, else empty.
    """

    design: Design
    asked: Asked
    running: Running
    waves: str = ""


@dataclass(frozen=True)
class Ports:
    """A design as its front end resolves it.

    Attributes:
        design: the sources; of VHDL, what GHDL made of them.
        wires: its ports.
        elements: of an array that has a port for each, their names.
        layout: what the ports are.
    """

    design: Design
    wires: tuple[Wire, ...]
    elements: Mapping[str, Sequence[str]]
    layout: Layout


@dataclass(frozen=True)
class RtlProgram:
    """A program that answers for a design.

    Attributes:
        path: the executable.
        signature: what a call takes and gives.
        files: the user's own sources.
    """

    path: Path
    signature: Signature
    files: tuple[Path, ...]


def built_rtl(question: Question, say: Callable[[str], object] | None = None) -> RtlProgram:
    """The program of a design, verilated if its files are not those of an earlier one.

    Raises:
        CompileError: with the first error of the source.
        SignatureError: if the module is not there, or has ports that we cannot carry.
        CosimError: if a tool is missing, or the cache cannot be written.
    """
    version, compiler = _version(verilator()), find_compiler()
    index = index_of(repr((question, compiler, version, _own_code(), FLAGS, UNKNOWN, QUIET)))
    if (found := known(index)) is not None:
        return _program(*found)
    if say is not None:
        say(f"verilating {question.design.files[0].name} ...")
    with tempfile.TemporaryDirectory(prefix="building-", dir=index.parent) as scratch:
        return _compiled(question, compiler, version, index, Path(scratch))


@functools.cache
def _version(program: str) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        return children.run([program, "--version"], scratch).stdout.strip()


@functools.cache
def _root(program: str) -> Path:
    """Where Verilator's runtime is."""
    with tempfile.TemporaryDirectory() as scratch:
        found = children.run([program, "--getenv", "VERILATOR_ROOT"], scratch).stdout.strip()
    return Path(found) / "include"


@functools.cache
def _own_code() -> str:
    """What of ours decides how a program is made."""
    apart = ("function", "golden", "testbench", "testbench_calls")
    python = [p for p in Path(__file__).parent.glob("*.py") if p.stem not in apart]
    cpp = [p for p in kernel_directory().glob("cosim_*.h") if p.stem != "cosim"]
    vhdl = Path(ghdl.__file__).parent.glob("*.py")
    return " ".join(sha256_of(p) for p in [*sorted(python), *sorted(cpp), *sorted(vhdl)])


def _compiled(
    question: Question, compiler: Compiler, version: str, index: Path, scratch: Path
) -> RtlProgram:
    own, ports = question.design.files, ports_of(question, scratch)
    design, wires, layout = ports.design, ports.wires, ports.layout
    folder = scratch / "model"
    text = shell(design, wires, layout, ports.elements)
    used = _verilated(question, design, text, folder)
    models = sorted(p for p in folder.glob("*.cpp"))
    together = sum(p.stat().st_size for p in models) < SMALL
    read = [p.name for p in models] if together else []
    source = scratch / "driver.cpp"
    source.write_text(driver(wires, layout, question.running, read), encoding="utf-8")
    runtime, header = _runtime(index.parent, compiler, version, question.waves)
    units = [source, *([] if together else models)]
    ahead = ["-include", str(header)]
    objects = _objects(units, folder, compiler, question.waves, scratch, ahead)
    program = scratch / "program"
    libraries = ["-pthread", *(["-lz"] if question.waves == "fst" else [])]
    linked = [compiler.command, "-no-pie", *objects, *map(str, runtime), "-o", str(program)]
    _run([*linked, *libraries], scratch)
    files = [str(f) for f in dict.fromkeys([*own, *used])]
    own_used = tuple(f for f in used if f in own or not str(f).startswith("/usr/"))
    facts = {"own": [str(f) for f in own_used or own], "signature": layout.signature.facts()}
    return _program(keep(index, program, files, facts), facts)


def ports_of(question: Question, scratch: Path) -> Ports:
    """Read the ports of a design; raises as :func:`built_rtl` does."""
    design = question.design
    if design.vhdl:
        verilog, signed = verilog_of(design, scratch)
        found = tuple(_signed(w, signed) for w in read_wires(verilog, scratch))
        named, design = design.top, verilog
    else:
        found, named = read_wires(design, scratch), design.top
    wires, elements = gathered(found, question.asked)
    return Ports(design, wires, elements, laid_out(named, wires, question.asked))


def _program(path: Path, facts: dict[str, Any]) -> RtlProgram:
    signature = Signature.from_facts(facts["signature"])
    return RtlProgram(path, signature, tuple(Path(f) for f in facts["own"]))


def _signed(wire: Wire, signed: frozenset[str]) -> Wire:
    there = wire.name.lower() in signed
    return Wire(wire.name, wire.way, wire.width, there, wire.ranges)


def _verilated(question: Question, design: Design, text: str, folder: Path) -> list[Path]:
    """Have Verilator write its C++; the user's files that it read."""
    outer = folder.parent / "harness_rtl.sv"
    outer.write_text(text, encoding="utf-8")
    options = ["--cc", "--prefix", PREFIX, "--top-module", "harness_rtl", "-MMD", "-O3", *UNKNOWN]
    if question.waves:
        options += [WAVES[question.waves][0], "--trace-structs"]
    files = [str(f) for f in (*design.files, outer)]
    command = [verilator(), *options, "--Mdir", str(folder), *design.options, *files]
    done = children.run(command, folder.parent, cwd=folder.parent)
    if done.returncode != 0:
        raise CompileError(compiled_with(done.stderr))
    listed = (folder / f"{PREFIX}__ver.d").read_text(encoding="utf-8")
    names = [
        Path(w.replace("\\ ", " ")) for w in re.split(r"(?<!\\)\s+", listed.partition(" : ")[2])
    ]
    used = [p.resolve() for p in names if p.is_file() and folder.parent not in p.resolve().parents]
    return [p for p in used if p.name != "verilator_bin"]


def _runtime(folder: Path, compiler: Compiler, version: str, waves: str) -> tuple[list[Path], Path]:
    """Verilator's runtime as objects, and a header; compiled once for all designs."""
    names = ["verilated", "verilated_threads", *([WAVES[waves][1]] if waves else [])]
    root = _root(verilator())
    key = repr((compiler, version, FLAGS, OURS, waves, root, PRELUDE, _own_code()))
    stem = hashlib.sha256(key.encode()).hexdigest()[:16]
    objects, header = [folder / f"{name}-{stem}.o" for name in names], folder / f"rtl-{stem}.h"
    there = [*objects, header.with_suffix(".h.gch")]
    if not all(path.is_file() for path in there):
        with tempfile.TemporaryDirectory(prefix="building-", dir=folder) as scratch:
            units = [*(root / f"{name}.cpp" for name in names), Path(scratch, header.name)]
            units[-1].write_text("".join(f"#include <{n}>\n" for n in PRELUDE), encoding="utf-8")
            made = _objects(units, root, compiler, waves, Path(scratch))
            units[-1].replace(header)
            for path, kept_at in zip(made, there, strict=True):
                Path(path).replace(kept_at)
    return objects, header


def _objects(
    units: Sequence[Path],
    folder: Path,
    compiler: Compiler,
    waves: str,
    scratch: Path,
    before: Sequence[str] = (),
) -> list[str]:
    """Compile sources, and headers, side by side."""
    root = _root(verilator())
    options = [f"-I{p}" for p in (folder, root, root / "vltstd", kernel_directory())]
    options += [*FLAGS, *OURS, f"-DVM_TRACE={int(bool(waves))}"]
    if waves:
        _, header, name = WAVES[waves]
        options += [f'-DHARNESS_WAVES_HEADER="{header}.h"', f"-DHARNESS_WAVES_FILE={name}"]
        options += ["-DHARNESS_WAVES=1", f"-DVM_TRACE_{waves.upper()}=1"]
    objects = [
        str(scratch / f"{unit.stem}{'.h.gch' if unit.suffix == '.h' else '.o'}") for unit in units
    ]
    commands = [
        [compiler.command, *options, *before, *_language(unit), str(unit), "-o", made]
        for unit, made in zip(units, objects, strict=True)
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda command: _run(command, scratch), commands))
    return objects


def _language(unit: Path) -> tuple[str, ...]:
    return ("-x", "c++-header") if unit.suffix == ".h" else ("-c",)


def _run(command: Sequence[str], scratch: Path) -> None:
    done = children.run(command, scratch)
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or [done.stderr]
        raise CosimError(f"the verilated design does not compile: {lines[0].strip()}")
