"""The value ranges of a model's layers, each drawn against the bits of its type."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from harness.fixed import Fixed
from harness.hls.model import Model
from harness.hls.ranges import Interval, ranges, suggest_types, watched_steps
from harness.types import ApFixed

__all__ = ["plot_ranges"]

_FITS, _BEYOND, _SEEN = "#4c9f70", "#c8553d", "#22333b"


def plot_ranges(model: Model, *data: Any) -> Any:
    """Draw, for every accumulator and result, which powers of two occur and which it has.

    The outlined box is the type, from its LSB to its highest bit below the sign.  The bar reaches
    to the largest magnitude that any input causes, and is red where that is beyond the type; of
    layers that are not understood it is the box.  The line is the largest magnitude for ``data``.

    Args:
        model: the model.
        data: a batch of each input; may be left out.

    Returns:
        A matplotlib ``Figure``.

    Raises:
        ValueError: if matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ValueError("plots need matplotlib; pip install 'hls-harness[examples]'") from None
    rows = _rows(model)
    seen = _seen(model, {label: t for label, t, _ in rows}, data) if data else {}
    figure = Figure(figsize=(8, 1.2 + 0.4 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for k, (label, t, extent) in enumerate(rows):
        low, high = -t.frac, t.integer - t.signed
        reach = high if extent is None else _bits(extent)
        axes.barh(k, min(reach, high) - low, left=low, color=_FITS, height=0.5)
        if reach > high:
            axes.barh(k, reach - high, left=high, color=_BEYOND, height=0.5)
        axes.barh(k, high - low, left=low, fill=False, edgecolor=_SEEN, height=0.8)
        if label in seen:
            axes.plot([seen[label]] * 2, [k - 0.4, k + 0.4], color=_SEEN, linewidth=2)
    axes.set_yticks(range(len(rows)), [f"{label}\n{t}" for label, t, _ in rows], fontsize=7)
    axes.invert_yaxis()
    axes.margins(x=0.03)
    axes.set_title("box: the type; bar: what inputs can cause; line: the data", fontsize=8)
    axes.set_xlabel("power of two")
    axes.grid(axis="x", alpha=0.3)
    return figure


def _rows(model: Model) -> list[tuple[str, ApFixed, Interval | None]]:
    """What is drawn: a label, the type, and the bounds before the conversion to it."""
    found: list[tuple[str, ApFixed, Interval | None]] = []
    for reach in ranges(model):
        found += [(f"{reach.name} {name}", *held) for name, held in reach.sums.items()]
        found.append((f"{reach.name} result", reach.result.low.type, reach.before))
    return found


def _seen(model: Model, types: dict[str, ApFixed], data: tuple[Any, ...]) -> dict[str, float]:
    """The largest magnitude of every row for data, in a model that does not overflow for it."""
    free = model.retyped(suggest_types(model))
    found = {}
    for step, out, codes in watched_steps(free, free.batch(*data)):
        found[f"{step.layer.name} result"] = _bits(Interval(out, out))
        label = f"{step.layer.name} accum"
        if codes is not None and step.layer.told:  # its LSB is that of the accumulator it replaces
            ends = Fixed(np.array(codes), types[label])
            found[label] = _bits(Interval(ends, ends))
    return {label: bits for label, bits in found.items() if math.isfinite(bits)}


def _bits(x: Interval) -> float:
    """The power of two that the largest magnitude reaches; minus infinity for nothing but zero."""
    if not x.low.codes.size:
        return -math.inf
    low, high = x.extremes
    largest = max(abs(low), abs(high))
    return math.log2(largest) - x.low.type.frac if largest else -math.inf
