"""What was found of an hls4ml project: the layers, what is lost and where, and the verdict."""

from __future__ import annotations

import json

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.hls.check import Fidelity, Findings
from harness.hls.project.verify import LayerRow, Verdict
from harness.report.questions import lost, suggested
from harness.report.tables import fitted

__all__ = ["print_findings"]


def print_findings(findings: Findings, console: Console, command: str = "") -> None:
    """The layers, the first difference, a paragraph, the patch, and the verdict in the last line.

    Args:
        findings: what was found.
        console: where it is printed.
        command: the command line that finds it again; may be left out.
    """
    if findings.cpp is not None:
        console.print(fitted(_layers(findings.cpp, findings.model), console))
        for line in findings.cpp.details:
            _say(console, line)
    if told := _told(findings):
        _say(console, told)
    if findings.advice is not None and findings.advice.changes:
        _say(console, json.dumps(findings.advice.config, indent=2))
    if command:
        _say(console, f"again: {command}")
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
        if model is not None and model.blames(row.name):
            style = "bold red"
        losses = _lost(row.name, model)
        table.add_row(escape(row.name), row.kernel, _types(row), *found, *losses, style=style)
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


def _told(findings: Findings) -> str:
    """What is to be said beside the table, in one paragraph."""
    told = [f"BROKEN: {text}" for text in findings.broken[1:]]
    model, advice = findings.model, findings.advice
    if model is not None:
        told.append(f"against {model.reference}: {lost(model.loss, model.rows)}")
        if not model.keeps and not model.given:
            told.append(f"loses most in {model.culprit}: {model.why}")
    if advice is not None:
        told += suggested(advice) if advice.changes else [f"suggested: {suggested(advice)[0]}"]
    told += [f"not compared: {text}" for text in findings.left]
    if advice is not None and advice.changes:
        told.append("in hls4ml's configuration:")
    return "; ".join(told)
