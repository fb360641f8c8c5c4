"""What was found of an hls4ml project: the layers, what is lost and where, and the verdict."""

from __future__ import annotations

import json
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.hls.check import Fidelity, Findings
from harness.hls.project.verify import LayerRow, Verdict

__all__ = ["print_findings"]


def print_findings(findings: Findings, console: Console) -> None:
    """The layers of a project, what was found, and the verdict in the last line."""
    if findings.cpp is not None:
        console.print(_layers(findings.cpp, findings.model))
        for line in findings.cpp.details:
            _say(console, line)
    for line in _told(findings):
        _say(console, line)
    _say(console, findings.summary)


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)


def _layers(cpp: Verdict, model: Fidelity | None) -> Table:
    """One row a layer: is the C++ what the types say, and what do the types lose?"""
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("layer", "kernel", "types"):
        table.add_column(name)
    for name in ("codes compared", "differences", "rms error", "flips so far"):
        table.add_column(name, justify="right")
    for row in cpp.layers:
        found = ("" if n is None else f"{n:,}" for n in (row.codes, row.differences))
        style = "bold red" if row.differences else None
        if model is not None and model.given and row.name == model.culprit:
            style = "bold red"
        lost = _lost(row.name, model)
        table.add_row(escape(row.name), row.kernel, _types(row), *found, *lost, style=style)
    return table


def _types(row: LayerRow) -> str:
    types = ", ".join(f"{t:hls4ml}" for t in dict.fromkeys(row.layer.input_types))
    if types != f"{row.layer.result:hls4ml}":
        types += f" -> {row.layer.result:hls4ml}"
    return types


def _lost(name: str, model: Fidelity | None) -> tuple[str, str]:
    """What a layer loses by itself, and how many decisions differ with it and those before it."""
    loss = None if model is None else model.layer(name)
    if loss is None:
        return "", ""
    return f"{loss.error.rms_error:.2g} of {loss.signal:.2g}", f"{loss.total.flips:,}"


def _told(findings: Findings) -> list[str]:
    """What is to be said beside the table, a line each."""
    lines = [f"BROKEN: {text}" for text in findings.broken[1:]]
    model, advice = findings.model, findings.advice
    if model is not None:
        lines.append(
            f"against {model.reference}: {model.loss.flips:,} of {model.rows:,} decisions flip, "
            f"rms error {model.loss.rms_error:.3g}, max error {model.loss.max_error:.3g}"
        )
        if not model.keeps and not model.given:
            lines.append(f"loses most in {model.reason}")
    if advice is not None:
        lines += _advised(advice)
    return [*lines, *(f"not compared: {text}" for text in findings.left)]


def _advised(advice: Any) -> list[str]:
    """Changes, what they bring, and the patch."""
    if not advice.changes:
        kept = "nothing needs to change" if advice.before.keeps else "no change was found"
        return [f"suggested: {kept}"]
    now, then = advice.before.loss, advice.after.loss
    lines = [f"suggested for {c.layer}, for {c.why}" for c in advice.changes]
    lines.append(
        f"with these changes {then.flips:,} of {advice.after.rows:,} decisions flip instead of "
        f"{now.flips:,}, rms error {then.rms_error:.3g} instead of {now.rms_error:.3g}; "
        "in hls4ml's configuration:"
    )
    return [*lines, *json.dumps(advice.config, indent=2).splitlines()]
