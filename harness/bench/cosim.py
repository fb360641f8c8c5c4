"""A user's C++ function: how soon after an edit it is judged, and how fast it is called."""

from __future__ import annotations

import contextlib
import itertools
import runpy
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness.bench.clock import interleave, stopwatch
from harness.bench.typed import Figure
from harness.cosim import CosimError, compare, cpp
from harness.cosim.example import write_example
from harness.report.timing import Bar

__all__ = ["STEPS", "measure"]

#: Calls of the small function.
CALLS = 1_000_000
SMALL = """\
#include "ap_fixed.h"
ap_fixed<16, 6, AP_RND, AP_SAT> gain(ap_fixed<16, 6> x) { return x * x; }
"""
STEPS = 3


def measure(repeats: int, bar: Bar) -> list[Figure]:
    """Every figure; none where the C++ front end is missing."""
    steps: list[tuple[str, Callable[[Path, int, Callable[[], None]], Figure]]] = [
        ("from an edit to a verdict", _edited),
        ("calls of a small function", _small),
        ("calls of a filter", _filter),
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
