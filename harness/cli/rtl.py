"""``harness golden rtl``: golden vectors in RTL simulators, and on a module of the user's own."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli import outputs
from harness.cli.options import Op
from harness.report.columns import counted
from harness.report.console import progress, wide_console
from harness.report.outcome import Case, Kind, Outcome, Suite
from harness.report.tables import fitted, headed

if TYPE_CHECKING:
    from harness.golden.simulate import Simulator

__all__ = ["rtl"]

DIFFER = 1
#: Differences that are printed.
SHOWN = 10
#: Vectors that Verilator is given: the committed ones, and more of the same groups.
MANY = 500_000


@dataclass(frozen=True)
class _Ran:
    """What became of the vectors in one simulator, or on one module.

    Attributes:
        name: of the simulator, or of the module.
        about: its version, or what the module was asked.
        result: PASS, FAIL or SKIPPED.
        vectors: how many it was given.
        seconds: that it took.
        lines: what it said.
    """

    name: str
    about: str
    result: str
    vectors: int = 0
    seconds: float = 0.0
    lines: tuple[str, ...] = ()

    @property
    def case(self) -> Case:
        """For a CI."""
        kinds = {"PASS": Kind.PASSED, "FAIL": Kind.FAILED, "SKIPPED": Kind.SKIPPED}
        return Case(
            self.name, self.result, "\n".join((self.about, *self.lines)), kinds[self.result]
        )


def rtl(
    simulator: Annotated[
        list[str] | None,
        typer.Option(help="icarus, verilator, ghdl or cocotb; may be repeated."),
    ] = None,
    vectors: Annotated[
        Path | None, typer.Option(help="A truth file of your own casts; by default the committed.")
    ] = None,
    design: Annotated[
        list[Path] | None,
        typer.Option(help="A source of your own module instead of ours; may be repeated."),
    ] = None,
    top: Annotated[str | None, typer.Option(help="Its name.")] = None,
    types: Annotated[
        list[str] | None, typer.Option(help="The type of a port of it: x='ap_fixed<16,6>'.")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option(help="A parameter of it: WIDTH=16.")
    ] = None,
    latency: Annotated[
        int | None, typer.Option(help="Registers between its input and its output, if clocked.")
    ] = None,
    op: Op = None,
    as_json: outputs.Json = False,
    junit: outputs.Junit = None,
    html: outputs.Html = None,
) -> None:
    """Replay the casts in RTL simulators; one that is not installed is skipped, visibly.

    With --design, replay the vectors whose types are those of your own module on it, in Verilator.
    """
    outputs.to_write(junit, html)
    if design:
        if top is None or simulator:
            raise ValueError("--design needs --top, and runs in Verilator: leave --simulator out")
        found = [
            _on_design(design, top, types or (), parameter or (), latency, op or "cast", vectors)
        ]
        told = found[0].about
    elif given := next((n for n, v in (("top", top), ("types", types), ("op", op)) if v), None):
        raise ValueError(f"--{given} is of --design, which is not there")
    else:
        found = _in_simulators(simulator or [], vectors)
        ran = [each for each in found if each.result != "SKIPPED"]
        told = f"{counted(len(ran), 'simulator')}; {len(found) - len(ran)} skipped"
        if failed := sum(each.result == "FAIL" for each in found):
            told = f"{failed} of {counted(len(ran), 'simulator')}"
    passes = all(each.result != "FAIL" for each in found)
    outcome = Outcome(
        "harness golden rtl",
        f"{'PASS' if passes else 'FAIL'}: {told}",
        passes,
        (Suite("simulators", tuple(each.case for each in found)),),
        outputs.again(),
    )
    if as_json:
        facts = {"passes": passes, "ran": [asdict(each) for each in found]}
        typer.echo(json.dumps(facts, indent=2))
    else:
        if not design:
            _print(found)
        for each in found:
            for line in each.lines:
                typer.echo(line if design else f"{each.name}: {line}")
        if any(each.result != "SKIPPED" for each in found):
            typer.echo(outcome.sentence)
    if all(each.result == "SKIPPED" for each in found):
        raise ValueError("nothing was simulated: no simulator is installed")
    outputs.written(outcome, junit, html)
    if not passes:
        raise typer.Exit(DIFFER)


def _print(found: Sequence[_Ran]) -> None:
    table = headed("simulator", "version", ">vectors", "result", ">seconds")
    for each in found:
        numbers = (f"{each.vectors:,}", each.result, f"{each.seconds:.1f}")
        skipped = each.result == "SKIPPED"
        table.add_row(each.name, each.about, *(("", each.result, "") if skipped else numbers))
    console = wide_console()
    console.print(fitted(table, console))


def _in_simulators(names: Sequence[str], vectors: Path | None) -> list[_Ran]:
    """The simulators that are named, or all that are installed."""
    from harness.golden.simulate import SIMULATORS

    if unknown := [name for name in names if name not in SIMULATORS]:
        allowed = ", ".join(SIMULATORS)
        raise ValueError(f"unknown simulator {unknown[0]!r}; allowed: {allowed}")
    chosen = [SIMULATORS[name] for name in names or SIMULATORS]
    for each in chosen if names else []:
        if each.missing:
            raise ValueError(f"{each.name} needs {each.missing}; to install it: {each.remedy}")
    found = []
    with tempfile.TemporaryDirectory(prefix="harness-rtl-") as folder:
        for each in chosen:
            if each.missing:
                lines = (f"to install it: {each.remedy}",)
                found.append(_Ran(each.name, f"no {each.missing}", "SKIPPED", lines=lines))
            else:
                found.append(_simulated(each, vectors, Path(folder)))
    return found


def _simulated(simulator: Simulator, vectors: Path | None, folder: Path) -> _Ran:
    """Emit what a simulator is to replay, and run it."""
    from harness.golden.codec import load
    from harness.golden.emit import emit
    from harness.golden.files import golden_directory
    from harness.golden.simulate import simulate

    many = vectors is None and simulator.name == "verilator"
    words, work = folder / ("many" if many else "words"), folder / simulator.name
    truth = load(vectors or outputs.shown(golden_directory()) / "fixed" / "cast.json")
    groups = truth.groups
    if many:
        from harness.golden.made import extended
        from harness.oracle import Oracle

        with contextlib.closing(Oracle()) as oracle, progress("making more vectors") as update:
            groups = extended(truth, MANY, oracle, update)
    emitted = emit(groups, "rtl", truth.family, words)
    work.mkdir()
    with progress(f"{simulator.name} replays {emitted.vectors:,} vectors"):
        found = simulate(simulator, words, emitted.vectors, work)
    result = "PASS" if found.passed else "FAIL"
    return _Ran(simulator.name, found.version, result, emitted.vectors, found.seconds, found.output)


def _on_design(
    design: list[Path],
    top: str,
    types: Sequence[str],
    given: Sequence[str],
    latency: int | None,
    op: str,
    vectors: Path | None,
) -> _Ran:
    """Replay vectors on a user's module, and tell which were asked."""
    from harness.cosim import RunError
    from harness.cosim import rtl as called
    from harness.cosim.hdl.golden import replay_on
    from harness.cosim.named import pairs, parameters
    from harness.golden.codec import load
    from harness.golden.files import golden_directory
    from harness.golden.replay import committed

    typed = pairs(types, "--types")
    folder = golden_directory()
    truths = {str(vectors): load(vectors)} if vectors else committed(folder)
    started = time.perf_counter()
    with progress(f"verilating {top}"):
        function = called(design, top, latency=latency, types=typed, parameters=parameters(given))
    try:
        with contextlib.closing(function):
            found = replay_on(function, {name: t.groups for name, t in truths.items()}, op)
    except RunError as error:
        return _Ran(top, str(error), "FAIL")
    lines = tuple(
        difference.at(name if vectors else str(folder / name))
        for name, difference in found.differences[:SHOWN]
    )
    asked = ", ".join(dict.fromkeys(f"{name} group {group.id}" for name, group in found.asked))
    wrong = f"{len(found.differences):,} of " if found.differences else ""
    told = (
        f"{wrong}{found.vectors:,} vectors of {asked}; {found.left:,} of other types or "
        "operations were not asked"
    )
    result = "FAIL" if found.differences else "PASS"
    return _Ran(top, told, result, found.vectors, time.perf_counter() - started, lines)
