"""What was found of an hls4ml project."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.hls.project.verify import Verdict

__all__ = ["print_verdict"]


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
