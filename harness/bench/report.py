"""The figures as tables of at most 100 columns.  Formatting only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

from harness.bench.grid import TYPE, Grid
from harness.bench.rivals import Rivalry
from harness.bench.targets import TARGETS, Judgement
from harness.types import Overflow, Rounding

__all__ = [
    "first_call_table",
    "grid_table",
    "header",
    "judgement_table",
    "oracle_table",
    "rivals_table",
]


def header(machine: dict[str, Any], setting: dict[str, Any]) -> str:
    """Where and what: two lines."""
    versions = (
        f"{n} {machine[n] or 'not installed'}" for n in ("python", "numpy", "numba", "torch")
    )
    return (
        f"{machine['cpu']}, {machine['cores']} cores; {', '.join(versions)}\n"
        f"{setting['size']:,} float32 values, {100 * setting['overflowing']:.1f} % out of range; "
        f"median of {setting['repeats']} ratios; one thread"
    )


def grid_table(kind: str, grid: Grid) -> Table:
    """Our quantizer by rounding (rows) and overflow (columns)."""
    columns = ("rounding", *(overflow.name for overflow in Overflow))
    table = _table(f"quantize(x, {TYPE.width} bits), {kind}, as a multiple of np.copyto", columns)
    for rounding in Rounding:
        cells = (_styled(grid[rounding, overflow]) for overflow in Overflow)
        table.add_row(rounding.name, *cells)
    return table


def _styled(ratio: float) -> str:
    text = f"{ratio:.2f}"
    return f"[red]{text}[/red]" if ratio > TARGETS["worst"].limit else text


def rivals_table(rivalries: Iterable[Rivalry]) -> Table:
    """The peers; a slow one says how often it was timed."""
    columns = ("library", "mode", "x copyto", "x ours", "timed", "same values?")
    table = _table("other libraries, same array, same mode", columns, left=2)
    for r in rivalries:
        name = f"{r.name} {r.version or ''}".rstrip()
        if r.copies is None or r.ours is None or r.differing is None:
            table.add_row(name, r.mode, "not installed", "", "", "")
            continue
        same = "yes" if r.differing == 0 else f"no, {r.differing:,} differ"
        table.add_row(name, r.mode, _ratio(r.copies), _ratio(r.ours), f"{r.repeats} times", same)
    return table


def _ratio(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def first_call_table(figures: dict[str, Any]) -> Table:
    """A first call, without and with Numba's cache."""
    columns = ("Numba's cache", "import numba", "first call", "whole process")
    table = _table(
        "first quantize in a fresh process, seconds (each input dtype compiles once)", columns
    )
    for name, row in figures.items():
        shown = name.replace("_cache", "")
        if "error" in row:
            table.add_row(shown, row["error"], "", "")
            continue
        keys = ("import_numba_s", "first_call_s", "process_first_call_s")
        table.add_row(shown, *(f"{row[key]:.2f}" for key in keys))
    return table


def oracle_table(figures: dict[str, Any]) -> Table:
    """The oracle's costs; ``error`` instead of figures is shown as it is."""
    table = _table("the oracle: the vendor's C++", ("what", "figure"))
    if "error" in figures:
        table.add_row("not measured", figures["error"])
        return table
    for name, key in (("C++ alone", "cpp_mchecks_per_s"), ("whole check", "mchecks_per_s")):
        rates = figures[key]
        shown = f"{np.median(rates):.1f} M/s, slowest {min(rates):.1f}"
        table.add_row(f"{name}, one core, median of {len(rates)} types", shown)
    asked = f"doubles that differ from quantize_codes, {figures['types_asked']} types"
    table.add_row(asked, f"{figures['differing']:,}")
    compiling = f"a new type, of {figures['kernels']}, {figures['jobs']} compilers at once"
    table.add_row(compiling, f"{figures['compile_s_per_type']:.3f} s")
    table.add_row("import cppyy, once", f"{figures['import_cppyy_ms']:.0f} ms")
    table.add_row("open a full cache, once", f"{figures['construct_ms']:.1f} ms")
    table.add_row("load and call the first type", f"{figures['first_type_ms']:.1f} ms")
    table.add_row("load and call the next ones, median", f"{figures['next_type_ms']:.2f} ms")
    loading = f"a cached type: the last three, over {figures['kernels']} types"
    table.add_row(loading, f"{figures['ms_per_type']:.2f} ms")
    return table


def judgement_table(judgements: Iterable[Judgement]) -> Table:
    """Each target, plainly met or missed."""
    table = _table("targets", ("what", "measured", "target", "verdict", "note"))
    for j in judgements:
        bound = f"{'<=' if j.target.at_most else '>='} {j.target.limit:g} {j.target.unit}"
        colour = "green" if j.met else "red"
        verdict = f"[{colour}]{j.verdict}[/{colour}]"
        table.add_row(j.target.what, f"{j.value:.3g}", bound, verdict, j.note)
    return table


def _table(title: str, columns: Sequence[str], left: int = 1) -> Table:
    """A table whose first ``left`` columns are text, and whose others are figures."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < left else "right")
    return table
