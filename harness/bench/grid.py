"""Our quantizer, in every mode, as a multiple of copying the same array."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

import harness
from harness.bench.clock import interleave, median_ratio
from harness.report.timing import Bar
from harness.types import ApFixed, NumberType, Overflow, Rounding

__all__ = [
    "SIGMA",
    "TYPE",
    "Grid",
    "copy_call",
    "copy_seconds",
    "measure",
    "quantize_call",
    "sample",
    "summary",
]

Array = np.ndarray[Any, Any]
#: Multiples of the copy by (rounding, overflow).
Grid = dict[tuple[Rounding, Overflow], float]
#: What is quantized to, in each mode.
TYPE = ApFixed(16, 6)
#: Standard deviation of the inputs; one value in 22 then exceeds the range of ``TYPE``.
SIGMA = 16.0


def sample(size: int) -> Array:
    """``size`` normal float32 values; one in some hundreds is a tie of ``TYPE``."""
    rng = np.random.default_rng(0)
    return rng.standard_normal(size, dtype=np.float32) * np.float32(SIGMA)


def copy_call(x: Array) -> Callable[[], Any]:
    """``np.copyto`` of the array, into memory that is there already."""
    target = np.zeros_like(x)
    return lambda: np.copyto(target, x)


def copy_seconds(x: Array, repeats: int) -> float:
    """Median seconds of the copy, for those who want to know what a multiple of it is."""
    copy = copy_call(x)
    copy()
    return float(np.median(interleave([copy], repeats, lambda: None)))


def quantize_call(x: Any, t: NumberType) -> Callable[[], Any]:
    """Our quantizer on an array or a tensor; it allocates its result."""
    return lambda: harness.quantize(x, t)


def measure(x: Array, kind: Callable[[Array], Any], repeats: int, bar: Bar) -> Grid:
    """Time every rounding and overflow; ``kind`` makes of ``x`` what is quantized.

    A round takes every mode once, so that a disturbance, which lasts longer than the repeats of
    one mode would, costs many modes one sample each, and not one mode all of its samples.
    """
    subject, copy = kind(x), copy_call(x)
    calls = {mode: quantize_call(subject, _type(*mode)) for mode in product(Rounding, Overflow)}
    for call in calls.values():
        call()  # pages, plan and instructions are warm from here on
    rounds = []
    for count in range(repeats):
        bar.begin(f"round {count + 1}")
        pairs = [interleave((copy, call), 1, bar.beat) for call in calls.values()]
        rounds.append(np.concatenate(pairs))
        bar.done()
    seconds = np.stack(rounds)  # [round, mode, (copy, quantizer)]
    return {mode: median_ratio(seconds[:, k], 1, 0) for k, mode in enumerate(calls)}


def _type(rounding: Rounding, overflow: Overflow) -> ApFixed:
    return TYPE.with_modes(rounding=rounding, overflow=overflow)


def summary(grid: Grid) -> tuple[float, float, str]:
    """Median and worst over the modes, and which mode is the worst."""
    rounding, overflow = max(grid, key=lambda mode: grid[mode])
    worst = grid[rounding, overflow]
    return float(np.median(list(grid.values()))), worst, f"{rounding}/{overflow}"
