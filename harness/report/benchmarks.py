"""The figures as tables of at most 100 columns.  Formatting only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from harness.bench.formats import FLOATS, Figures
from harness.bench.grid import TYPE, Grid
from harness.bench.layers import Figure as LayerFigure
from harness.bench.rivals import Rivalry
from harness.bench.targets import TARGETS, Judgement
from harness.bench.typed import Figure as TypedFigure
from harness.types import Overflow, Rounding

__all__ = [
    "first_call_table",
    "formats_table",
    "grid_table",
    "header",
    "judgement_table",
    "layers_table",
    "oracle_table",
    "rivals_table",
    "typed_table",
]


def header(machine: dict[str, Any], setting: dict[str, Any]) -> str:
    """Where, with what, and on which data: three lines."""
    packages = ("python", "numpy", "numba", "torch")
    versions = ", ".join(f"{name} {machine[name] or 'not installed'}" for name in packages)
    megabytes, milliseconds = setting["size"] * 4e-6, setting["copy_s"] * 1e3
    return (
        f"{machine['cpu']}, {machine['cores']} cores; {versions}\n"
        f"{setting['size']:,} float32 values, {100 * setting['overflowing']:.1f} % out of range; "
        f"medians of {setting['repeats']} ratios; one CPU thread\n"
        f"np.copyto of these {megabytes:.3g} MB: {milliseconds:.3g} ms, "
        f"{megabytes / milliseconds:.3g} GB/s\n"
    )


def grid_table(kind: str, grid: Grid) -> RenderableType:
    """Our quantizer by rounding (rows) and overflow (columns)."""
    table = _table(["rounding", *(overflow.name for overflow in Overflow)])
    for rounding in Rounding:
        cells = (_styled(grid[rounding, overflow]) for overflow in Overflow)
        table.add_row(rounding.name, *cells)
    spelled = f"ap_fixed<{TYPE.width},{TYPE.integer},Q,O>"
    return Group(f"[bold]harness.quantize to {spelled}, {kind}[/bold], x copyto", table)


def _styled(ratio: float) -> str:
    text = f"{ratio:.2f}"
    return f"[red]{text}[/red]" if ratio > TARGETS["worst"].limit else text


def formats_table(figures: Mapping[str, Figures]) -> RenderableType:
    """Our quantizer on float types (rows), by kind of array (columns)."""
    table = _table(["type", *figures])
    for t in FLOATS:
        table.add_row(str(t), *(f"{measured[t]:.2f}" for measured in figures.values()))
    return Group("[bold]harness.quantize to float types[/bold], x copyto", table)


def rivals_table(rivalries: Sequence[Rivalry]) -> RenderableType:
    """The peers; a slow one says how often it was timed."""
    columns = (
        "library",
        "mode or type",
        "x copyto",
        "x ours",
        "timed",
        "same values as ours?",
    )
    table = _table(columns, left=2)
    for r in rivalries:
        if r.copies is None or r.ours is None or r.differing is None:
            table.add_row(r.name, r.mode, "", "", "", "not installed")
            continue
        same = "yes" if r.differing == 0 else f"no, {r.differing:,} differ"
        table.add_row(r.name, r.mode, _ratio(r.copies), _ratio(r.ours), f"{r.repeats} times", same)
    versions = dict.fromkeys(f"{r.distribution} {r.version}" for r in rivalries if r.version)
    title = "[bold]other libraries[/bold], same array, same type"
    return Group(f"{title}\n[dim]{', '.join(versions) or 'none is installed'}[/dim]", table)


def _ratio(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def layers_table(figures: Sequence[LayerFigure]) -> RenderableType:
    """Quantizers and layers beside what they are compared with."""
    table = _table(["what", "beside", "x as long"], left=2)
    for f in figures:
        name = f"{f.name} {f.version}" if f.version else f.name
        table.add_row(name, f.baseline, "not installed" if f.ratio is None else f"{f.ratio:.2f}")
    return Group("[bold]harness.nn[/bold]", table)


def typed_table(title: str, figures: Sequence[TypedFigure]) -> RenderableType:
    """Figures of several units."""
    table = _table(["what", "beside", "figure", "found"], left=2)
    for f in figures:
        table.add_row(f.name, f.baseline, f"{f.value:.2f} {f.unit}", f.note)
    return Group(f"[bold]{title}[/bold]", table)


def first_call_table(figures: dict[str, Any]) -> RenderableType:
    """A first call, without and with Numba's cache."""
    table = _table(["Numba's cache", "import numba", "first quantize", "together"])
    for name, row in figures.items():
        shown = name.partition("_")[0]
        if "error" in row:
            table.add_row(shown, "", "", escape(row["error"]))
            continue
        loading, calling = row["import_numba_s"], row["first_call_s"]
        table.add_row(shown, *(f"{s:.2f} s" for s in (loading, calling, loading + calling)))
    return Group("[bold]first call in a fresh process[/bold], float32", table)


def oracle_table(figures: dict[str, Any]) -> RenderableType:
    """The oracle's costs; ``error`` instead of figures is shown as it is."""
    title = "[bold]the oracle: the vendor's C++[/bold]"
    if "error" in figures:
        return Group(title, f"  not measured: {escape(figures['error'])}\n")
    table = _table(["what", "figure"])
    for row in (*_asking(figures), *_loading(figures)):
        table.add_row(*row)
    return Group(f"{title}, {figures['compiler']}", table)


def _asking(figures: dict[str, Any]) -> Iterable[tuple[str, str]]:
    types = figures["types_asked"]
    for name, key in (("C++ alone", "cpp_mchecks_per_s"), ("whole check", "mchecks_per_s")):
        rates = figures[key]
        shown = f"{np.median(rates):.1f} M/s, slowest {min(rates):.1f}"
        yield f"doubles on one core, {name}, median of {types} types", shown
    yield "codes that differ from quantize_codes", f"{figures['differing']:,}"
    compiling = f"a new type, of {figures['kernels']}, {figures['jobs']} compilers at once"
    yield compiling, f"{figures['compile_s_per_type']:.3f} s"


def _loading(figures: dict[str, Any]) -> Iterable[tuple[str, str]]:
    if "cached_error" in figures:
        yield "cached types", escape(figures["cached_error"])
        return
    yield "import cppyy, once", f"{figures['import_cppyy_ms']:.0f} ms"
    yield "open a full cache, once", f"{figures['open_ms']:.1f} ms"
    yield "load and call the first cached type", f"{figures['first_type_ms']:.1f} ms"
    yield "load and call the next ones, median", f"{figures['next_type_ms']:.2f} ms"
    yield f"all but the import, over {figures['kernels']} types", f"{figures['ms_per_type']:.2f} ms"


def judgement_table(judgements: Iterable[Judgement]) -> RenderableType:
    """Each target, plainly met or missed."""
    table = _table(["target", "of", "bound", "value", "verdict"], left=2)
    for j in judgements:
        bound = f"{'<=' if j.target.at_most else '>='} {j.target.limit:g} {j.target.unit}"
        colour = "green" if j.met else "red"
        verdict = f"[{colour}]{j.verdict}[/{colour}]"
        table.add_row(j.target.what, j.note, bound, f"{j.value:.3g}", verdict)
    return Group("[bold]targets[/bold]", table)


def _table(columns: Sequence[str], left: int = 1) -> Table:
    """A table whose first ``left`` columns are text, and whose others are figures."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < left else "right")
    return table
