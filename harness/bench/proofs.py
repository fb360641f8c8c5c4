"""Proofs: a single cast, and a share of what the full profile asks, on all cores."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from harness.bench.clock import stopwatch
from harness.bench.typed import Figure
from harness.prove import Run, run
from harness.prove.plan import (
    CASTS,
    STANDARD,
    VERILOG,
    Task,
    float_tasks,
    tasks,
    tasks_of_cast,
)
from harness.report.timing import Bar
from harness.types import ApFixed

__all__ = ["STEPS", "measure"]

CAST = ("ap_fixed<16,6>", "ap_fixed<8,4,AP_RND,AP_SAT>")
#: Whole, the thousand shapes and the doubles take minutes each: one task of so many is timed.
ONE_IN = 9
#: The shapes into which doubles are proven, in every mode.
SHAPES = STANDARD[:4]
STEPS = 3


def measure(repeats: int, bar: Bar, one_in: int = ONE_IN) -> list[Figure]:
    """Seconds of each; of a share of the tasks, times what it is a share of."""
    full = [task for task in tasks("full") if task.subject in (CASTS, VERILOG)]
    doubles = [task for shape in SHAPES for task in float_tasks("float64", shape, 3)]
    bar.begin("a cast")
    figures = [_cast(repeats)]
    for target, name, asked in (
        ("proofs", "1,000 shapes in every mode, kernels and RTL", full),
        ("doubles", f"doubles into {len(SHAPES)} shapes in every mode", doubles),
    ):
        bar.done()
        bar.begin(name)
        figures.append(_shared(target, name, asked, one_in))
    bar.done()
    return figures


def _cast(repeats: int) -> Figure:
    """The compiled kernels of one cast, in a process that has asked before."""
    asked = tasks_of_cast(*map(ApFixed.parse, CAST))[:1]
    found = [stopwatch(lambda: run(asked, jobs=1)) for _ in range(repeats + 1)][1:]
    seconds = statistics.median(spent for spent, _ in found)
    return Figure("cast", " -> ".join(CAST), "all its codes", seconds, "s", _outcome(found[0][1]))


def _shared(target: str, name: str, asked: Sequence[Task], one_in: int) -> Figure:
    share = asked[::one_in]
    seconds, found = stopwatch(lambda: run(share))
    whole = seconds * len(asked) / len(share)
    note = f"{len(share)} of {len(asked)} tasks in {seconds:.0f} s: {_outcome(found)}"
    return Figure(target, name, "all cores", whole, "s", note)


def _outcome(found: Run) -> str:
    return f"{len(found.certificates)} questions, {found.outcome.value}"
