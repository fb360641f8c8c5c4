"""Layers that were proven for all inputs, refuted, or left open, on the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from harness.prove.record import Certificate, Outcome
from harness.report.tables import fitted

__all__ = ["print_layer_proofs"]

NOT_ASKED = "not asked: other sizes, types and parameters than these (docs/proof.md)"


def print_layer_proofs(
    found: Mapping[str, Sequence[Certificate]], console: Console, seconds: float
) -> None:
    """One row a kernel, what refutes a layer, and the verdict.

    Args:
        found: the certificates of each kernel.
        console: where it goes.
        seconds: that all of it took.
    """
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("kernel")
    for name in ("layers", *(outcome.value for outcome in Outcome), "slowest"):
        table.add_column(name, justify="right")
    for kernel, many in found.items():
        counts = Counter(one.outcome for one in many)
        table.add_row(
            kernel,
            f"{len(many):,}",
            *(f"{counts[outcome]:,}" for outcome in Outcome),
            f"{max((one.seconds for one in many), default=0.0):.2f} s",
            style=None if counts[Outcome.PROVEN] == len(many) else "bold red",
        )
    console.print(fitted(table, console))
    all_of_them = [one for many in found.values() for one in many]
    for one in all_of_them:
        if one.codes is not None:
            inputs = ", ".join(f"{name} = {value:#x}" for name, value in one.inputs.items())
            console.print(f"refuted: {one.subject}: {one.question}", style="bold red")
            console.print(f"  {inputs}", highlight=False)
            console.print(
                f"  {one.differs}: the layer gives {one.codes[0]:#x}, hls4ml {one.codes[1]:#x}",
                highlight=False,
            )
    console.print(_verdict(all_of_them, seconds), highlight=False)
    none = [kernel for kernel, many in found.items() if not many]
    if none:
        why = "none is small enough or, with --header, carried out on terms"
        console.print(f"nothing was asked of {', '.join(none)}: {why}", highlight=False)


def _verdict(found: Sequence[Certificate], seconds: float) -> str:
    counts = Counter(one.outcome for one in found)
    if counts[Outcome.PROVEN] == len(found) > 0:
        return (
            f"PROVEN for all inputs: {len(found):,} layers equal hls4ml's kernels, each with a "
            f"planted fault that was seen; {seconds:.1f} s\n{NOT_ASKED}"
        )
    name = "REFUTED" if counts[Outcome.REFUTED] else "UNDECIDED"
    left = counts[Outcome.UNDECIDED]
    return f"{name}: {counts[Outcome.REFUTED]:,} of {len(found):,} refuted, {left:,} undecided"
