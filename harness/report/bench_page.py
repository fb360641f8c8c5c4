"""A benchmark as one HTML file that needs nothing else, and as cases of a CI."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.bench.targets import TARGETS
from harness.report import html, trend
from harness.report.outcome import Case, Kind, Outcome, Suite

__all__ = ["KEYS", "outcome", "page"]

#: What a document of an earlier run is known by.
KEYS = ("machine", "setting", "targets", "quantize")
#: Parts of a document that are figures of several units, and what they are called.
PARTS = {
    "small": "Small tensors, and large ones",
    "typed": "Typed layers: harness.hls",
    "cosim": "C++ functions: harness.cosim",
    "proofs": "Proofs: harness.prove",
}


def outcome(figures: Mapping[str, Any], again: str = "") -> Outcome:
    """A case a target; a missed one is told, and is no error: the exit status is 0.

    Args:
        figures: what ``harness.bench.session.run`` returns.
        again: the command line that measures it again; may be left out.
    """
    cases = tuple(_case(judged) for judged in figures["targets"])
    return Outcome("harness bench", _sentence(figures), True, (Suite("targets", cases),), again)


def _sentence(figures: Mapping[str, Any]) -> str:
    judged = figures["targets"]
    met = sum(each["met"] for each in judged)
    return f"MEASURED: {met} of {len(judged)} targets met, in {figures['seconds']:.0f} s"


def _case(judged: Mapping[str, Any]) -> Case:
    target = judged["target"]
    word = "MET" if judged["met"] else "MISSED"
    kind = Kind.PASSED if judged["met"] else Kind.SKIPPED
    text = f"{judged['value']:.3g}, wanted {_bound(target)}"
    return Case(f"{target['what']}, {judged['note']}", word, text, kind)


def _bound(target: Mapping[str, Any]) -> str:
    return f"{'≤' if target['at_most'] else '≥'} {target['limit']:g} {target['unit']}"


def page(
    figures: Mapping[str, Any], earlier: Sequence[tuple[str, Any]] = (), command: str = ""
) -> str:
    """The text of the file: no script, and nothing from anywhere else.

    Args:
        figures: what ``harness.bench.session.run`` returns.
        earlier: labels and such figures of earlier runs, the oldest first.
        command: the command line that measures it again; may be left out.
    """
    missed = sum(not each["met"] for each in figures["targets"])
    word = f"{missed} MISSED" if missed else "ALL MET"
    setting = figures["setting"]
    about = f"{setting['size']:,} float32 values, medians of {setting['repeats']} ratios"
    parts = [
        html.header(
            "harness bench: how fast, side by side?",
            "Speed",
            word,
            "warn" if missed else "good",
            f"{_sentence(figures).partition(': ')[2]}; {about}",
        ),
        *_targets(figures, earlier),
        *_grids(figures["quantize"]),
        *_floats(figures["quantize_floats"]),
        *_peers(figures["peers"]),
        *_layers(figures["layers"]),
        *(line for key, title in PARTS.items() for line in _part(title, figures.get(key) or [])),
        html.footer(_facts(figures), command),
    ]
    return html.document(f"harness bench: {word}", parts)


def _targets(figures: Mapping[str, Any], earlier: Sequence[tuple[str, Any]]) -> Iterable[str]:
    """Each target, met or missed, and how its value went."""
    yield '<h2 id="targets">Targets</h2><div class="card scroll">'
    columns = ["target", "of", "verdict", "bound", "value"]
    if earlier:
        columns.insert(3, "earlier runs")
    rows = []
    for judged in figures["targets"]:
        target = judged["target"]
        kind, verdict = ("good", "MET") if judged["met"] else ("warn", "MISSED")
        row = [target["what"], judged["note"], html.pill(verdict, kind)]
        if earlier:
            row.append(_trend(judged, [run for _, run in earlier]))
        rows.append([*row, _bound(target), f"{judged['value']:.3g}"])
    yield html.table(columns, rows, numbers=2)
    yield "</div>"


def _trend(judged: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> html.Markup:
    """A line through the earlier values of a target and this one; its limit is dashed."""
    target = judged["target"]
    name = (target["what"], judged["note"])
    values = [
        float(each["value"])
        for run in runs
        for each in run["targets"]
        if (each["target"]["what"], each["note"]) == name
    ]
    values.append(float(judged["value"]))
    said = ", ".join(f"{value:.3g}" for value in values)
    return trend.line(values, f"{name[0]}, {name[1]}: {said}", float(target["limit"]))


def _grids(grids: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Iterable[str]:
    """A heat map for each kind of array: the slower, the warmer."""
    yield "<h2>harness.quantize, as a multiple of copying the array</h2>"
    yield '<p class="soft">The slower, the warmer; <b>red and framed: beyond the target</b>.</p>'
    yield '<section class="card"><div class="heats">'
    limit = TARGETS["worst"].limit
    for kind, grid in grids.items():
        columns = list(next(iter(grid.values())))
        cells = {
            (row, column): html.Heat(
                f"{value:.2f}",
                f"{row}, {column}: {value:.2f} times a copy" + ", too slow" * (value > limit),
                math.log(max(value, 1.0)) / math.log(max(limit, 1.1)),
                value > limit,
            )
            for row, values in grid.items()
            for column, value in values.items()
        }
        yield html.heat_map(kind, list(grid), columns, cells)
    yield "</div></section>"


def _floats(figures: Mapping[str, Mapping[str, float]]) -> Iterable[str]:
    """Float types by kind of array."""
    kinds = list(figures)
    types = list(dict.fromkeys(t for measured in figures.values() for t in measured))
    yield '<h2>Float types, as a multiple of copying</h2><div class="card scroll">'
    rows = [(t, *(f"{figures[kind][t]:.2f}" for kind in kinds)) for t in types]
    yield html.table(("type", *kinds), rows, numbers=len(kinds))
    yield "</div>"


def _peers(peers: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """Other libraries on the same array."""
    yield '<h2>Other libraries</h2><div class="card scroll">'
    rows = []
    for peer in peers:
        if peer["copies"] is None or peer["ours"] is None or peer["differing"] is None:
            rows.append((peer["name"], peer["mode"], "not installed", "-", "-"))
            continue
        same = "yes" if not peer["differing"] else f"no, {peer['differing']:,} differ"
        rows.append(
            (peer["name"], peer["mode"], same, f"{peer['copies']:,.1f}", f"{peer['ours']:,.1f}")
        )
    columns = ("library", "mode or type", "same values?", "times a copy", "times ours")
    yield html.table(columns, rows, numbers=2)
    yield "</div>"


def _layers(layers: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    """Modules beside what they are compared with."""
    if not layers:
        return
    yield '<h2>harness.nn</h2><div class="card scroll">'
    rows = [
        (f["name"], f["baseline"], "not installed" if f["ratio"] is None else f"{f['ratio']:.2f}")
        for f in layers
    ]
    yield html.table(("what", "beside", "times as long"), rows, numbers=1)
    yield "</div>"


def _part(title: str, figures: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    if not figures:
        return
    yield f'<h2>{title}</h2><div class="card scroll">'
    rows = [(f["name"], f["baseline"], f["note"], f"{f['value']:.2f} {f['unit']}") for f in figures]
    yield html.table(("what", "beside", "found", "figure"), rows, numbers=1)
    yield "</div>"


def _facts(figures: Mapping[str, Any]) -> Iterable[str]:
    machine = figures["machine"]
    yield f"{machine['cpu']}, {machine['cores']} cores"
    packages = ("python", "numpy", "numba", "torch")
    yield ", ".join(f"{name} {machine.get(name) or 'not installed'}" for name in packages)
    yield str(figures.get("when", ""))
