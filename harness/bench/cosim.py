"""A user's C++ function: how soon after an edit it is judged, and how fast it is called."""

from __future__ import annotations

import contextlib
import itertools
import runpy
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness import children
from harness.bench.clock import interleave, stopwatch
from harness.bench.machine import optional
from harness.bench.typed import Figure
from harness.cosim import CosimError, compare, cpp, rtl
from harness.cosim.example import write_example
from harness.report.timing import Bar

__all__ = ["STEPS", "measure"]

#: Calls of the small function.
CALLS = 1_000_000
SMALL = """\
#include "ap_fixed.h"
ap_fixed<16, 6, AP_RND, AP_SAT> gain(ap_fixed<16, 6> x) { return x * x; }
"""
#: The same filter in a testbench: this many windows, and the seconds that they took.
WINDOWS = 2_000
TESTBENCH = """\
import os, time
import cocotb
from cocotb.triggers import Timer

@cocotb.test()
async def windows(dut):
    started = time.perf_counter()
    for k in range({count}):
        dut.window_0.value = k % 2048
        dut.window_1.value = -k % 2048
        dut.window_2.value = 3 * k % 2048
        dut.window_3.value = 7
        await Timer(1, "ns")
        int(dut.result.value)
    with open(os.environ["SECONDS_FILE"], "w") as file:
        file.write(str(time.perf_counter() - started))
"""
STEPS = 4


def measure(repeats: int, bar: Bar) -> list[Figure]:
    """Every figure; none where the C++ front end is missing."""
    steps: list[tuple[str, Callable[[Path, int, Callable[[], None]], Figure]]] = [
        ("from an edit to a verdict", _edited),
        ("calls of a small function", _small),
        ("calls of a filter", _filter),
        ("calls of the filter in RTL", _rtl),
    ]
    figures = []
    for name, step in steps:
        bar.begin(name)
        with tempfile.TemporaryDirectory() as folder, contextlib.suppress(CosimError):
            figures.append(step(Path(folder), repeats, bar.beat))
        bar.done()
    return figures


def _edited(folder: Path, repeats: int, beat: Callable[[], None]) -> Figure:
    """The example's filter, edited, compiled and held against its model: 1,000 calls."""
    write_example(folder)
    model = runpy.run_path(str(folder / "model.py"))["fir"]
    source, count = folder / "fir.cpp", itertools.count()
    original = source.read_text(encoding="utf-8")
    agreed = []

    def judge() -> None:
        source.write_text(f"{original}// {folder.name} {next(count)}\n", encoding="utf-8")
        with contextlib.closing(cpp(source, "fir")) as function:
            agreed.append(compare(model, function).agrees)

    judge()  # the vendor's headers are compiled ahead
    seconds = float(np.median(interleave((judge,), min(repeats, 5), beat)))
    note = "AGREE" if all(agreed) else "DIFFER"
    return Figure(
        "edit", "an edited filter, judged", "1,000 calls, its model in Python", seconds, "s", note
    )


def _small(folder: Path, repeats: int, beat: Callable[[], None]) -> Figure:
    source = folder / "gain.cpp"
    source.write_text(SMALL, encoding="utf-8")
    codes = np.random.default_rng(0).integers(-(2**15), 2**15, CALLS)
    with contextlib.closing(cpp(source, "gain")) as function:
        function.codes.batch(codes)
        seconds = float(
            np.median(interleave((lambda: function.codes.batch(codes),), repeats, beat))
        )
    return Figure("calls", "calls of a small function", "codes.batch", CALLS / seconds / 1e6, "M/s")


def _filter(folder: Path, repeats: int, beat: Callable[[], None]) -> Figure:
    write_example(folder)
    windows = np.random.default_rng(0).integers(-(2**11), 2**11, (CALLS // 4, 4)) / 256
    with contextlib.closing(cpp(folder / "fir.cpp", "fir")) as function:
        seconds, _ = stopwatch(lambda: function.batch(windows))
        times = interleave((lambda: function.batch(windows),), repeats, beat)
    rate = len(windows) / float(np.median(times)) / 1e6
    note = f"the first time {seconds:.2f} s for {len(windows):,}"
    return Figure("filter", "calls of a filter", "batch, of values", rate, "M/s", note)


def _rtl(folder: Path, repeats: int, beat: Callable[[], None]) -> Figure:
    """The filter in Verilog, called in batches, beside a testbench in cocotb and Icarus."""
    write_example(folder)
    codes = np.random.default_rng(0).integers(-(2**11), 2**11, (CALLS // 4, 4))
    types = {"window": "ap_fixed<12,4>[4]", "result": "ap_fixed<14,5>"}
    with contextlib.closing(rtl(folder / "fir.v", "fir", types=types)) as function:
        function.codes.batch(codes)
        times = interleave((lambda: function.codes.batch(codes),), repeats, beat)
    rate = len(codes) / float(np.median(times))
    beside = _testbench(folder)
    note = f"{beside:,.0f} a second there" if beside else "cocotb or iverilog is not installed"
    baseline = "cocotb 2 and Icarus, a window at a time"
    return Figure("rtl", "calls of the filter in RTL", baseline, rate / 1e6, "M/s", note)


def _testbench(folder: Path) -> float | None:
    """Windows a second of a testbench in cocotb; ``None`` if it cannot run."""
    if shutil.which("iverilog") is None or optional("cocotb") is None:
        return None
    (folder / "windows_bench.py").write_text(TESTBENCH.format(count=WINDOWS), encoding="utf-8")
    seconds = folder / "seconds"
    script = (
        "from cocotb_tools.runner import get_runner\n"
        "runner = get_runner('icarus')\n"
        "runner.build(sources=['fir.v'], hdl_toplevel='fir', build_dir='built',"
        " timescale=('1ns', '1ps'))\n"
        "runner.test(hdl_toplevel='fir', test_module='windows_bench', build_dir='built',"
        " test_dir='.')\n"
    )
    environment = {"SECONDS_FILE": str(seconds), "PYTHONPATH": str(folder)}
    children.run([sys.executable, "-c", script], folder, environment=environment, cwd=folder)
    if not seconds.is_file():
        return None
    return WINDOWS / float(seconds.read_text(encoding="utf-8"))
