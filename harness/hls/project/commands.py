"""What ``harness verify-project`` does, and how it tells of it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.console import Update
from harness.hls.fixed import Fixed
from harness.hls.project.inputs import drawn, from_file, of_test_bench
from harness.hls.project.project import Project
from harness.hls.project.verify import Verdict, verify

__all__ = ["print_verdict", "verify_project"]


def verify_project(
    directory: Path,
    *,
    rows: int,
    seed: int,
    file: Path | None,
    layers: bool,
    progress: Update,
) -> Verdict:
    """Run the project of a folder beside its typed model.

    Args:
        directory: the project.
        rows: random rows, with those of the project's test bench after them.
        seed: decides them.
        file: rows to run instead.
        layers: compare every layer, also where the outputs agree.
        progress: called with what is done, what there is, and what it is about.
    """
    with contextlib.closing(Project.read(directory)) as project:
        model = project.model()
        if file is not None:
            inputs = from_file(project, file)
        else:
            inputs = drawn(model, rows, seed)
            bench = of_test_bench(project)
            if bench is not None:
                inputs = tuple(map(_joined, inputs, bench))
        return verify(project, inputs, model=model, layers=layers, progress=progress)


def _joined(a: Fixed, b: Fixed) -> Fixed:

    return Fixed(np.concatenate([a.codes, b.codes]), a.type)


def print_verdict(verdict: Verdict, console: Console) -> None:
    """One row a layer, the first difference, and the verdict."""
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("layer", "kernel", "types"):
        table.add_column(name)
    for name in ("codes compared", "differences"):
        table.add_column(name, justify="right")
    for row in verdict.layers:
        types = ", ".join(f"{t:hls4ml}" for t in dict.fromkeys(row.layer.input_types))
        if types != f"{row.layer.result:hls4ml}":
            types += f" -> {row.layer.result:hls4ml}"
        found = ("" if n is None else f"{n:,}" for n in (row.codes, row.differences))
        table.add_row(
            escape(row.name),
            row.kernel,
            types,
            *found,
            style="bold red" if row.differences else None,
        )
    console.print(table)
    for line in verdict.details:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(verdict.summary, markup=False, highlight=False, soft_wrap=True)
