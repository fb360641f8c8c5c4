"""What was found of each kernel: a table, JSON, and cases of a CI."""

from __future__ import annotations

import json
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from harness.hls.proof.run import Proof
from harness.report.outcome import Case, Kind, Outcome, Suite
from harness.report.tables import fitted

__all__ = ["as_json", "outcome", "print_proofs", "sentence"]


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
    console.print(fitted(table, console))
    for proof in proofs:
        if proof.first is not None:
            console.print(f"[bold red]{proof.kernel}[/] differs: {proof.first}", highlight=False)
    console.print(sentence(proofs))


def sentence(proofs: Sequence[Proof]) -> str:
    """The verdict."""
    differ = sum(proof.differences > 0 for proof in proofs)
    codes = sum(proof.codes for proof in proofs)
    layers = sum(proof.configurations for proof in proofs)
    verdict = f"{differ} kernels DIFFER" if differ else "AGREE"
    return f"{verdict}: {len(proofs)} kernels, {layers:,} layers, {codes:,} codes"


def as_json(proofs: Sequence[Proof], seed: int) -> str:
    """A JSON document; the first layer that differs is spelled as Python spells it.

    Args:
        proofs: what was found of each kernel.
        seed: that decided the layers.
    """
    kernels = [
        {
            "kernel": proof.kernel,
            "configurations": proof.configurations,
            "codes": proof.codes,
            "differences": proof.differences,
            "first": None if proof.first is None else str(proof.first),
        }
        for proof in proofs
    ]
    facts = {
        "agrees": not any(proof.differences for proof in proofs),
        "codes": sum(proof.codes for proof in proofs),
        "differences": sum(proof.differences for proof in proofs),
        "seed": seed,
        "kernels": kernels,
    }
    return json.dumps(facts, indent=2)


def outcome(proofs: Sequence[Proof], again: str = "") -> Outcome:
    """A case a kernel.

    Args:
        proofs: what was found of each kernel.
        again: the command line that finds it again; may be left out.
    """
    suite = Suite("kernels", tuple(map(_case, proofs)))
    agrees = not any(proof.differences for proof in proofs)
    return Outcome("harness verify-layers", sentence(proofs), agrees, (suite,), again)


def _case(proof: Proof) -> Case:
    if not proof.differences:
        return Case(proof.kernel, "AGREE", f"{proof.codes:,} codes")
    told = f"{proof.differences:,} of {proof.codes:,} codes differ\n{proof.first}"
    return Case(proof.kernel, "DIFFER", told, Kind.FAILED)
