"""One benchmark run, from the machine's name to the verdicts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

import numpy as np

import harness
from harness.bench import cosim, formats, fresh, grid, layers, machine, rivals, small, typed
from harness.bench.targets import TARGETS, Judgement
from harness.report import benchmarks as report
from harness.report.timing import Screen
from harness.types import Overflow, Rounding

__all__ = ["run"]

Array = np.ndarray[Any, Any]


def run(
    screen: Screen, *, repeats: int = 15, size: int = 4_000_000, oracle: bool = True
) -> dict[str, Any]:
    """Measure, print tables as they are ready, and return the figures as JSON would hold them.

    Quantizers are timed on ``size`` float32 values, each ``repeats`` times right after a copy of
    the same array; a figure is the median of the ratios.  With ``oracle`` the C++ and proofs are
    measured too.  Speeds are held against targets in print and in the result; missing one is no
    error.  Raises ``ValueError`` if ``repeats`` or ``size`` is not positive.
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
        "overflowing": float(np.mean(np.abs(x) >= float(-grid.TYPE.min_exact))),
    }
    where = machine.describe()
    screen.show(report.header(where, setting))
    with machine.one_thread():
        grids = _grids(screen, x, repeats)
        figures_by_kind = _formats(screen, x, repeats)
        rivalries = _rivalries(screen, x, repeats)
        layered = _layers(screen, repeats)
        smalls = _small(screen, repeats)
        twinned = _typed(screen, repeats) if oracle else []
        called = _cosim(screen, repeats) if oracle else []
    calls = fresh.first_calls(screen)
    screen.show(report.first_call_table(calls))
    figures = _oracle(screen) if oracle else None
    proven = _proofs(screen, repeats) if oracle else []
    judgements = [
        *_judge_grids(grids),
        *_judge_formats(figures_by_kind),
        *_judge_layers(layered),
        *_judge_typed([*smalls, *twinned, *called, *proven]),
        *_judge_oracle(figures or {}),
    ]
    screen.show(report.judgement_table(judgements))
    seconds = time.perf_counter() - started
    screen.show(f"{seconds:.0f} s in all")
    return {
        "when": f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
        "machine": where,
        "setting": setting,
        "quantize": {kind: _nested(measured) for kind, measured in grids.items()},
        "quantize_floats": {
            kind: {str(t): ratio for t, ratio in measured.items()}
            for kind, measured in figures_by_kind.items()
        },
        "peers": [asdict(rivalry) for rivalry in rivalries],
        "layers": [asdict(figure) for figure in layered],
        "small": [asdict(figure) for figure in smalls],
        "typed": [asdict(figure) for figure in twinned],
        "cosim": [asdict(figure) for figure in called],
        "proofs": [asdict(figure) for figure in proven],
        "first_call": calls,
        "oracle": figures,
        "targets": [_plain(judgement) for judgement in judgements],
        "seconds": seconds,
    }


def _kinds() -> dict[str, Callable[[Array], Any]]:
    """What is quantized: arrays, and tensors where there is torch."""
    torch = machine.optional("torch")
    return {"NumPy": np.asarray} | ({} if torch is None else {"torch": torch.from_numpy})


def _formats(screen: Screen, x: Array, repeats: int) -> dict[str, formats.Figures]:
    figures = {}
    for name, kind in _kinds().items():
        with screen.bar(f"floats, {name}", len(formats.FLOATS)) as shown:
            figures[name] = formats.measure(x, kind, repeats, shown)
    screen.show(report.formats_table(figures))
    return figures


def _grids(screen: Screen, x: Array, repeats: int) -> dict[str, grid.Grid]:
    with screen.waiting("loading the kernels, or compiling them"):
        harness.quantize(x[:1], grid.TYPE)
    grids = {}
    for name, kind in _kinds().items():
        with screen.bar(f"quantize, {name}", repeats) as shown:
            grids[name] = grid.measure(x, kind, repeats, shown)
        screen.show(report.grid_table(name, grids[name]))
    if "torch" not in grids:
        screen.show("quantize, torch: torch is not installed\n")
    return grids


def _rivalries(screen: Screen, x: Array, repeats: int) -> list[rivals.Rivalry]:
    with screen.bar("other libraries", rivals.steps()) as shown:
        rivalries = rivals.compare(x, repeats, shown)
    screen.show(report.rivals_table(rivalries))
    return rivalries


def _layers(screen: Screen, repeats: int) -> list[layers.Figure]:
    torch = machine.optional("torch")
    if torch is None:
        screen.show("harness.nn: torch is not installed\n")
        return []
    steps = sum(len(subjects) for _, subjects in layers.CALLS.values())
    with screen.bar("layers", steps) as shown:
        figures = layers.measure(torch, repeats, shown)
    screen.show(report.layers_table(figures))
    return figures


def _with_torch(
    screen: Screen, repeats: int, part: Any, doing: str, title: str
) -> list[typed.Figure]:
    """The figures of a part that needs torch; none without it, which was said before."""
    torch = machine.optional("torch")
    if torch is None:
        return []
    with screen.bar(doing, part.STEPS) as shown:
        figures: list[typed.Figure] = part.measure(torch, repeats, shown)
    screen.show(report.typed_table(title, figures))
    return figures


def _small(screen: Screen, repeats: int) -> list[typed.Figure]:
    title = "small tensors, and large ones"
    return _with_torch(screen, repeats, small, "small tensors", title)


def _typed(screen: Screen, repeats: int) -> list[typed.Figure]:
    return _with_torch(screen, repeats, typed, "typed layers", "harness.hls")


def _cosim(screen: Screen, repeats: int) -> list[typed.Figure]:
    with screen.bar("C++ functions", cosim.STEPS) as shown:
        figures = cosim.measure(repeats, shown)
    screen.show(report.typed_table("harness.cosim", figures))
    return figures


def _proofs(screen: Screen, repeats: int) -> list[typed.Figure]:
    try:
        from harness.bench import proofs  # needs a solver
    except ModuleNotFoundError as error:
        screen.show(f"harness.prove: {error}\n")
        return []
    with screen.bar("proofs", proofs.STEPS) as shown:
        figures = proofs.measure(repeats, shown)
    screen.show(report.typed_table("harness.prove", figures))
    return figures


def _oracle(screen: Screen) -> dict[str, Any]:
    figures = fresh.oracle_figures(screen)
    screen.show(report.oracle_table(figures))
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
        if figure.ratio is not None and figure.baseline == layers.PEERS:
            yield TARGETS["peers"].judge(figure.ratio, figure.name)
        elif figure.ratio is not None and figure.name.startswith("QuantizedLinear"):
            yield TARGETS["layer"].judge(figure.ratio, figure.name)


def _judge_typed(figures: list[typed.Figure]) -> Iterator[Judgement]:
    for figure in figures:
        if figure.target in TARGETS:
            yield TARGETS[figure.target].judge(figure.value, figure.baseline)


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
