"""What was proven for all inputs, refuted, or left open, on the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from rich import box
from rich.console import Console
from rich.table import Table

from harness.explain import explain
from harness.explain.fixed import rows
from harness.prove.plan import HEADERS, SUBJECTS
from harness.prove.record import Certificate, Outcome
from harness.prove.rtl import RtlProof
from harness.prove.run import Run
from harness.quantize import from_bits
from harness.report.tables import fitted
from harness.types import ApFixed

__all__ = ["print_rtl", "print_run"]

#: Refutations that are printed whole.
SHOWN = 10
NOT_ASKED = (
    "not asked: other types than these, NaN in the float loop, layers (harness prove-layers); "
    "trusted: the solver, yosys' and our own reading of the source (docs/proof.md)"
)
BY_ESBMC = (
    "not asked: floats, other types than these; trusted: ESBMC's reading of C++ (docs/proof.md)"
)


def print_run(found: Run, console: Console) -> None:
    """One row a subject, what was refuted or left open, and the verdict."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("subject")
    for name in ("shapes", "questions", *(outcome.value for outcome in Outcome), "slowest"):
        table.add_column(name, justify="right")
    for subject in (*SUBJECTS, *HEADERS):
        answers = [(task, many) for task, many in found.answers if task.subject == subject]
        if not answers:
            continue
        shapes = sum(len(task.asked) for task, _ in answers)
        certificates = [one for _, many in answers for one in many]
        counts = Counter(one.outcome for one in certificates)
        slowest = max((one.seconds for one in certificates), default=0.0)
        table.add_row(
            subject,
            f"{shapes:,}",
            f"{len(certificates):,}",
            *(f"{counts[outcome]:,}" for outcome in Outcome),
            f"{slowest:.2f} s",
            style=None if counts[Outcome.PROVEN] == len(certificates) else "bold red",
        )
    console.print(fitted(table, console))
    wrong = [one for one in found.certificates if one.outcome is not Outcome.PROVEN]
    for one in wrong[:SHOWN]:
        console.print(_refutation(one), style="bold red", highlight=False)
    console.print(_verdict(found, wrong), highlight=False)


def _verdict(found: Run, wrong: Sequence[Certificate]) -> str:
    claims = sum(one.claims for one in found.certificates)
    if not wrong:
        return (
            f"PROVEN for all inputs: {claims:,} equalities in {len(found.certificates):,} "
            f"questions, each with a planted fault that was seen; {found.seconds:.1f} s\n"
            f"{_not_asked(found)}"
        )
    refuted = sum(one.outcome is Outcome.REFUTED for one in wrong)
    name = "REFUTED" if refuted else "UNDECIDED"
    left = len(wrong) - refuted
    return (
        f"{name}: {refuted:,} of {len(found.certificates):,} questions refuted, {left:,} undecided"
    )


def _not_asked(found: Run) -> str:
    return BY_ESBMC if all(task.subject in HEADERS for task, _ in found.answers) else NOT_ASKED


def _refutation(one: Certificate) -> str:
    head = f"{one.outcome.value}: {one.subject}: {one.question}"
    if one.codes is None:
        return f"{head}\n  {one.differs}" if one.differs else head
    inputs = ", ".join(f"{name} = {value:#x}" for name, value in one.inputs.items())
    return f"{head}\n  {inputs}: {one.differs} gives {one.codes[0]:#x}, right is {one.codes[1]:#x}"


def print_rtl(found: RtlProof, source: ApFixed, target: ApFixed, console: Console) -> None:
    """A user's module: proven, or the input that refutes it, and how the right code comes about."""
    one = found.certificate
    after = f", {found.latency} clock edges later" if found.latency else ""
    asked = f"{one.subject}: {source} -> {target}{after}"
    if one.outcome is Outcome.UNDECIDED:
        console.print(f"UNDECIDED: {asked}: no answer in {one.seconds:.0f} s", highlight=False)
        return
    if one.outcome is Outcome.PROVEN:
        took = f"{one.seconds:.2f} s ({one.solver})"
        text = f"PROVEN: {asked}: for all 2**{source.width} codes, in {took}"
        console.print(text, highlight=False)
        return
    assert one.codes is not None, "what is refuted has codes"
    name = found.ports.input or ""
    word, (got, right) = one.inputs[name], one.codes
    value = int(from_bits(word, source)) * source.lsb_exact
    others = [f"{key} = {v:#x}" for key, v in one.inputs.items() if key != name]
    console.print(f"REFUTED: {asked}", style="bold red", highlight=False)
    lines = [f"{name} = {word:#x}, the value {_shown(value)}", *others[:SHOWN]]
    lines.append(f"{found.ports.output} = {got:#x}, right is {right:#x}")
    if found.left_open:
        lines.append("the right code is possible too: the output depends on what has no value")
    if found.elsewhere is not None:
        lines.append(f"with a latency of {found.elsewhere} it is proven")
    for line in lines:
        console.print(f"  {line}", highlight=False)
    if float(value) == value:
        table = Table(box=None, show_header=False, padding=(0, 2))
        for row in rows(explain(float(value), target)):
            table.add_row(*row)
        console.print(table)


def _shown(value: Fraction) -> str:
    return str(float(value)) if float(value) == value else str(value)
