"""The table of what was proven of each kernel."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from harness.hls.proof.run import Proof

__all__ = ["print_proofs"]


def print_proofs(proofs: Sequence[Proof], console: Console) -> None:
    """One row a kernel, the sum, and the first layer of each kernel that differs."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("kernel")
    for name in ("configurations", "codes compared", "differences"):
        table.add_column(name, justify="right")
    for proof in proofs:
        style = "bold red" if proof.differences else None
        row = (proof.configurations, proof.codes, proof.differences)
        table.add_row(proof.kernel, *(f"{n:,}" for n in row), style=style)
    console.print(table)
    for proof in proofs:
        if proof.first is not None:
            console.print(f"[bold red]{proof.kernel}[/] differs: {proof.first}", highlight=False)
    differ = sum(proof.differences > 0 for proof in proofs)
    codes = sum(proof.codes for proof in proofs)
    layers = sum(proof.configurations for proof in proofs)
    verdict = f"{differ} kernels DIFFER" if differ else "AGREE"
    console.print(f"{verdict}: {len(proofs)} kernels, {layers:,} layers, {codes:,} codes")
