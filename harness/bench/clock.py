"""Time things side by side: on a shared machine only ratios of neighbours mean anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["affordable", "interleave", "median_ratio", "stopwatch"]

Array = np.ndarray[Any, Any]


def stopwatch(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that ``call`` takes, and what it returns."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def interleave(
    subjects: Sequence[Callable[[], Any]], repeats: int, beat: Callable[[], None]
) -> Array:
    """Seconds of each subject, in turn, ``repeats`` times: an array [repeats, subjects].

    A result is dropped before the next subject starts, outside the time of either.  ``beat`` is
    called between rounds.
    """
    seconds = np.empty((repeats, len(subjects)))
    for row in seconds:
        for column, subject in enumerate(subjects):
            row[column] = stopwatch(subject)[0]
        beat()
    return seconds


def median_ratio(seconds: Array, subject: int, baseline: int) -> float:
    """The median over the rounds of the time of one column as a multiple of another's."""
    return float(np.median(seconds[:, subject] / seconds[:, baseline]))


def affordable(seconds: float, budget: float, repeats: int) -> int:
    """How often a call of ``seconds`` is repeated: within ``budget`` seconds, yet 3 at least."""
    return max(min(repeats, int(budget / max(seconds, 1e-9))), min(repeats, 3))
