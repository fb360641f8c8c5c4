"""One benchmark run, from the machine's name to the verdicts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
from rich.console import Console

import harness
from harness.bench import formats, fresh, grid, layers, machine, report, rivals, typed
from harness.bench.progress import bar, waiting
from harness.bench.targets import TARGETS, Judgement
from harness.types import Overflow, Rounding

__all__ = ["run"]

Array = np.ndarray[Any, Any]


def run(
    console: Console, *, repeats: int = 15, size: int = 4_000_000, oracle: bool = True
) -> dict[str, Any]:
    """Measure, print tables as they are ready, and return the figures as JSON would hold them.

    Quantizers are timed on ``size`` float32 values, each ``repeats`` times right after a copy of
    the same array; a figure is the median of the ratios.  With ``oracle`` the C++ is measured too.
    Speeds are held against targets in print and in the result; missing one is no error.  Raises
    ``ValueError`` if ``repeats`` or ``size`` is not positive.
    """
    if repeats < 1 or size < 1:
        raise ValueError(f"repeats and size must be positive, not {repeats} and {size}")
    started = time.perf_counter()
    machine.settle_allocator()
    x = grid.sample(size)
    setting = {
        "type": grid.TYPE.cpp,
        "size": size,
        "repeats": repeats,
        "sigma": grid.SIGMA,
        "copy_s": grid.copy_seconds(x, repeats),
        "overflowing": float(np.mean(np.abs(x) >= float(-grid.TYPE.min))),
    }
    where = machine.describe()
    console.print(report.header(where, setting), highlight=False)
    with machine.one_thread():
        grids = _grids(console, x, repeats)
        figures_by_kind = _formats(console, x, repeats)
        rivalries = _rivalries(console, x, repeats)
        layered = _layers(console, repeats)
        twinned = _typed(console, repeats) if oracle else []
    calls = fresh.first_calls(console)
    console.print(report.first_call_table(calls))
    figures = _oracle(console) if oracle else None
    judgements = [
        *_judge_grids(grids),
        *_judge_formats(figures_by_kind),
        *_judge_layers(layered),
        *_judge_typed(twinned),
        *_judge_oracle(figures or {}),
    ]
    console.print(report.judgement_table(judgements))
    seconds = time.perf_counter() - started
    console.print(f"{seconds:.0f} s in all", highlight=False)
    return {
        "machine": where,
        "setting": setting,
        "quantize": {kind: _nested(measured) for kind, measured in grids.items()},
        "quantize_floats": {
            kind: {str(t): ratio for t, ratio in measured.items()}
            for kind, measured in figures_by_kind.items()
        },
        "peers": [asdict(rivalry) for rivalry in rivalries],
        "layers": [asdict(figure) for figure in layered],
        "typed": [asdict(figure) for figure in twinned],
        "first_call": calls,
        "oracle": figures,
        "targets": [_plain(judgement) for judgement in judgements],
        "seconds": seconds,
    }


def _kinds() -> dict[str, Callable[[Array], Any]]:
    """What is quantized: arrays, and tensors where there is torch."""
    torch = machine.optional("torch")
    return {"NumPy": np.asarray} | ({} if torch is None else {"torch": torch.from_numpy})


def _formats(console: Console, x: Array, repeats: int) -> dict[str, formats.Figures]:
    figures = {}
    for name, kind in _kinds().items():
        with bar(console, f"floats, {name}", len(formats.FLOATS)) as shown:
            figures[name] = formats.measure(x, kind, repeats, shown)
    console.print(report.formats_table(figures))
    return figures


def _grids(console: Console, x: Array, repeats: int) -> dict[str, grid.Grid]:
    with waiting(console, "loading the kernels, or compiling them"):
        harness.quantize(x[:1], grid.TYPE)
    grids = {}
    for name, kind in _kinds().items():
        with bar(console, f"quantize, {name}", repeats) as shown:
            grids[name] = grid.measure(x, kind, repeats, shown)
        console.print(report.grid_table(name, grids[name]))
    if "torch" not in grids:
        console.print("quantize, torch: torch is not installed\n", highlight=False)
    return grids


def _rivalries(console: Console, x: Array, repeats: int) -> list[rivals.Rivalry]:
    with bar(console, "other libraries", rivals.steps()) as shown:
        rivalries = rivals.compare(x, repeats, shown)
    console.print(report.rivals_table(rivalries))
    return rivalries


def _layers(console: Console, repeats: int) -> list[layers.Figure]:
    torch = machine.optional("torch")
    if torch is None:
        console.print("harness.nn: torch is not installed\n", highlight=False)
        return []
    steps = sum(len(subjects) for _, subjects in layers.CALLS.values())
    with bar(console, "layers", steps) as shown:
        figures = layers.measure(torch, repeats, shown)
    console.print(report.layers_table(figures))
    return figures


def _typed(console: Console, repeats: int) -> list[typed.Figure]:
    torch = machine.optional("torch")
    if torch is None:
        return []
    with bar(console, "typed layers", typed.STEPS) as shown:
        figures = typed.measure(torch, repeats, shown)
    console.print(report.typed_table(figures))
    return figures


def _oracle(console: Console) -> dict[str, Any]:
    figures = fresh.oracle_figures(console)
    console.print(report.oracle_table(figures))
    return figures


def _judge_grids(grids: dict[str, grid.Grid]) -> Iterator[Judgement]:
    for name, measured in grids.items():
        median, worst, mode = grid.summary(measured)
        yield TARGETS["median"].judge(median, name)
        yield TARGETS["worst"].judge(worst, f"{name} {mode}")


def _judge_formats(figures: dict[str, formats.Figures]) -> Iterator[Judgement]:
    for name, measured in figures.items():
        for t in formats.TARGETED:
            yield TARGETS["floats"].judge(measured[t], f"{name} {t}")


def _judge_layers(figures: list[layers.Figure]) -> Iterator[Judgement]:
    for figure in figures:
        if figure.ratio is not None and figure.name == "FixedQuantizer":
            yield TARGETS["backward"].judge(figure.ratio, figure.name)
        if figure.ratio is not None and figure.name.startswith("QuantizedLinear"):
            yield TARGETS["layer"].judge(figure.ratio, figure.name)


def _judge_typed(figures: list[typed.Figure]) -> Iterator[Judgement]:
    for figure in figures:
        yield TARGETS[figure.target].judge(figure.value, figure.note)


def _judge_oracle(figures: dict[str, Any]) -> Iterator[Judgement]:
    if "mchecks_per_s" in figures:
        rates = figures["mchecks_per_s"]
        yield TARGETS["checks"].judge(float(np.median(rates)), "oracle, median type")
        yield TARGETS["checks"].judge(min(rates), "oracle, slowest type")
        yield TARGETS["compile"].judge(figures["compile_s_per_type"], "oracle")
    if "ms_per_type" in figures:
        yield TARGETS["load"].judge(figures["ms_per_type"], "oracle")


def _nested(measured: grid.Grid) -> dict[str, dict[str, float]]:
    return {r.name: {o.name: measured[r, o] for o in Overflow} for r in Rounding}


def _plain(judgement: Judgement) -> dict[str, Any]:
    return {**asdict(judgement), "met": judgement.met}
