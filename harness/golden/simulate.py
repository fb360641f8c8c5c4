"""The testbenches of ``golden/rtl`` in real simulators: what passed, and how it was made sure.

A simulator that exits with 0 has proven nothing: it must also say how many vectors it compared, and
that must be all of them.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness import children
from harness.golden.files import golden_directory

__all__ = ["SIMULATORS", "Simulation", "Simulator", "build", "run", "simulate"]

#: Seconds after which a simulator hangs.
LIMIT = 900
Command = list[str]


@dataclass(frozen=True)
class Simulator:
    """A way to run the testbench.

    Attributes:
        programs: what must be there.
        remedy: what to install.
        version: the command that tells the version.
        build: what compiles, from the folders of the sources and of the vectors.
        run: what replays, from the same.
    """

    name: str
    programs: tuple[str, ...]
    remedy: str
    version: Command
    build: Callable[[Path, Path], list[Command]]
    run: Callable[[Path, Path], Command]

    @property
    def missing(self) -> str:
        """What is not installed; empty if all is there."""
        absent = [program for program in self.programs if not _there(program)]
        return ", ".join(absent)


@dataclass(frozen=True)
class Simulation:
    """What a simulator made of a folder of vectors."""

    simulator: str
    version: str
    passed: bool
    seconds: float
    output: tuple[str, ...] = ()


def _there(program: str) -> bool:
    if program == "cocotb":
        return importlib.util.find_spec("cocotb_tools") is not None
    return shutil.which(program) is not None


def _sources(rtl: Path, vectors: Path, language: str) -> list[str]:
    names = ("ap_quantize", "ap_quantize_check", "ap_quantize_tb")
    groups = str(vectors / f"ap_quantize_groups.{language}")
    return [groups, *(str(rtl / f"{name}.{language}") for name in names)]


def _icarus(rtl: Path, vectors: Path) -> list[Command]:
    return [["iverilog", "-g2012", "-o", "tb.vvp", *_sources(rtl, vectors, "sv")]]


def _verilator(rtl: Path, vectors: Path) -> list[Command]:
    # Two-state: what is X elsewhere is random here, so that it cannot pass for a zero.
    build = ["verilator", "--binary", "--timing", "-j", "2", "-Wall", "--Mdir", "obj", "-o", "tb"]
    unknown = ["--x-assign", "unique", "--x-initial", "unique", "--top-module", "ap_quantize_tb"]
    return [[*build, *unknown, *_sources(rtl, vectors, "sv")]]


def _ghdl(rtl: Path, vectors: Path) -> list[Command]:
    return [
        ["ghdl", "-a", "--std=08", *_sources(rtl, vectors, "vhd")],
        ["ghdl", "-e", "--std=08", "ap_quantize_tb"],
    ]


_DEBIAN = "apt-get install {}"
SIMULATORS = {
    simulator.name: simulator
    for simulator in (
        Simulator(
            "icarus",
            ("iverilog", "vvp"),
            _DEBIAN.format("iverilog"),
            ["iverilog", "-V"],
            _icarus,
            lambda _, vectors: ["vvp", "-n", "tb.vvp", f"+vectors={vectors}"],
        ),
        Simulator(
            "verilator",
            ("verilator", "make", "g++"),
            _DEBIAN.format("verilator make g++"),
            ["verilator", "--version"],
            _verilator,
            lambda _, vectors: ["obj/tb", "+verilator+rand+reset+2", f"+vectors={vectors}"],
        ),
        Simulator(
            "ghdl",
            ("ghdl",),
            _DEBIAN.format("ghdl"),
            ["ghdl", "--version"],
            _ghdl,
            lambda _, vectors: [
                *("ghdl", "-r", "--std=08", "ap_quantize_tb"),
                f"-gDIRECTORY={vectors}",
            ],
        ),
        Simulator(
            "cocotb",
            ("iverilog", "cocotb"),
            f"{_DEBIAN.format('iverilog')}; pip install cocotb",
            [sys.executable, "-c", "import cocotb; print('cocotb', cocotb.__version__)"],
            lambda *_: [],
            lambda rtl, vectors: [
                sys.executable,
                str(rtl / "ap_quantize_cocotb.py"),
                str(vectors),
            ],
        ),
    )
}


def simulate(
    simulator: Simulator, vectors: Path, count: int, work: Path, rtl: Path | None = None
) -> Simulation:
    """Replay a folder of vectors, emitted as ``rtl``, in a simulator.

    Args:
        simulator: one that is installed.
        vectors: the folder.
        count: how many vectors it has.
        work: an empty folder to compile in.
        rtl: the sources; by default this project's.
    """
    begun = time.monotonic()
    status, output = build(simulator, vectors, work, rtl)
    found = run(simulator, vectors, count, work, rtl) if status == 0 else None
    return Simulation(
        simulator.name,
        _version(simulator),
        found is not None and not found,
        time.monotonic() - begun,
        tuple(_telling(output) if found is None else found),
    )


def build(
    simulator: Simulator, vectors: Path, work: Path, rtl: Path | None = None
) -> tuple[int, str]:
    """Compile the testbench for the groups of ``vectors``; exit status and output."""
    output = ""
    for command in simulator.build(rtl or golden_directory() / "rtl", vectors.resolve()):
        status, said = _call(command, work)
        output += said
        if status:
            return status, output
    return 0, output


def run(
    simulator: Simulator, vectors: Path, count: int, work: Path, rtl: Path | None = None
) -> list[str]:
    """Replay with what was compiled: nothing if all passed, else lines that say what did not."""
    command = simulator.run(rtl or golden_directory() / "rtl", vectors.resolve())
    status, output = _call(command, work)
    compared = re.findall(r"^PASS (\d+) vectors$", output, re.MULTILINE)
    if status == 0 and compared == [str(count)] and count > 0:
        return []
    return _telling(output)


def _call(command: Command, work: Path) -> tuple[int, str]:
    try:
        done = children.run(command, work, cwd=work, stderr=subprocess.STDOUT, timeout=LIMIT)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    return done.returncode, done.stdout


def _telling(output: str) -> list[str]:
    """The lines that say what went wrong; all else if there are none."""
    lines = [line for line in output.splitlines() if line.strip()]
    failures = [line for line in lines if "FAIL" in line or "rror" in line]
    return (failures or lines or ["it said nothing"])[:8]


def _version(simulator: Simulator) -> str:
    _, output = _call(simulator.version, Path.cwd())
    found = re.search(r"\d+\.\d+[\w.]*", output)
    return found[0] if found else "?"
