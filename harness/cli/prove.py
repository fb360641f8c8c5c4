"""``harness prove``: for all inputs, by a solver."""

from __future__ import annotations

import contextlib
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.cli import outputs
from harness.golden.files import write_aside
from harness.report.console import progress, wide_console
from harness.types import as_fixed_type

__all__ = ["register"]

AGREE, DIFFER = 0, 1


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(prove)
    app.command()(prove_layers)


def prove(
    profile: Annotated[
        str, typer.Option(help="quick or full, if nothing else is named.")
    ] = "quick",
    target: Annotated[
        str | None, typer.Option("--type", "--to", help="The target type of a cast, or of floats.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", help="The source type; floats, if not said.")
    ] = None,
    rtl: Annotated[
        list[Path] | None, typer.Option(help="Your own RTL, from --from to --to; may be repeated.")
    ] = None,
    top: Annotated[str | None, typer.Option(help="Its module or entity.")] = None,
    latency: Annotated[
        int | None,
        typer.Option(min=0, help="Clock edges from input to output; found, if not said."),
    ] = None,
    input_: Annotated[
        str | None, typer.Option("--input", help="The port of the value, if several could be.")
    ] = None,
    output: Annotated[str | None, typer.Option(help="The port of the code, likewise.")] = None,
    clock: Annotated[str | None, typer.Option(help="The clock, if no register tells.")] = None,
    hold: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE: an input that stays, such as rst=0.")
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE: a parameter of the module.")
    ] = None,
    header: Annotated[
        bool,
        typer.Option(
            "--header", help="Ask the vendor's header, by ESBMC: of a cast too, or alone."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Decides the types of a profile.")] = 0,
    seconds: Annotated[float, typer.Option(min=0.01, help="That one question may take.")] = 60.0,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; one a core else.")] = None,
    certificates: Annotated[
        Path | None, typer.Option(help="Write every question's hash and answer into this file.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(help="Write every question as SMT-LIB into this folder.")
    ] = None,
    as_json: outputs.Json = False,
    junit: outputs.Junit = None,
    html: outputs.Html = None,
) -> None:
    """Prove casts for all inputs, or find the input that refutes them."""
    outputs.to_write(junit, html)
    kept = import_module("harness.prove.certificates")
    if rtl:
        outcome, found = _on_rtl(
            rtl,
            top,
            source,
            target,
            latency,
            (input_, output, clock),
            hold,
            parameter,
            seconds,
            keep=export is not None,
            quiet=as_json,
        )
    elif top or latency is not None or input_ or output or clock or hold or parameter:
        raise ValueError("--top, --latency, --input and the like are of --rtl, which is not given")
    elif header and bool(source) != bool(target):
        raise ValueError(
            "--header is of one cast, --from TYPE and --to TYPE, or of a profile, without types"
        )
    else:
        outcome, found = _on_ours(
            profile,
            target,
            source,
            seed,
            seconds,
            jobs,
            header=header,
            keep=export is not None,
            quiet=as_json,
        )
    text = kept.as_json(found, outcome=outcome)
    if certificates is not None:
        write_aside(certificates, text + "\n")
    if export is not None:
        kept.export(found, export)
    if as_json:
        sys.stdout.write(text + "\n")
    _written("harness prove", found, outcome, junit, html)
    raise typer.Exit(AGREE if outcome == "proven" else DIFFER)


def prove_layers(
    kernel: Annotated[
        list[str] | None, typer.Option(help="A kernel's name, or part of it; may be repeated.")
    ] = None,
    configurations: Annotated[int, typer.Option(min=1, help="Layers of each kernel.")] = 1,
    bits: Annotated[
        int, typer.Option(min=1, max=32, help="Every input of at most 2**bits is run.")
    ] = 16,
    header: Annotated[
        bool,
        typer.Option("--header", help="Larger layers instead, by ESBMC: the last output of each."),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Decides the layers.")] = 0,
    seconds: Annotated[float, typer.Option(min=0.01, help="That ESBMC may take.")] = 120.0,
    jobs: Annotated[int | None, typer.Option(min=1, help="Compilers; one a core else.")] = None,
    certificates: Annotated[
        Path | None, typer.Option(help="Write every question's hash and answer into this file.")
    ] = None,
    as_json: outputs.Json = False,
    junit: outputs.Junit = None,
    html: outputs.Html = None,
) -> None:
    """Prove typed layers equal to hls4ml's kernels for all inputs, or find one that refutes it."""
    from harness.hls.proof import named
    from harness.oracle import Oracle

    outputs.to_write(junit, html)
    layers, kept = (
        import_module("harness.prove.layers"),
        import_module("harness.prove.certificates"),
    )
    names, started = named(kernel), time.perf_counter()
    options = {"configurations": configurations, "seed": seed}
    with contextlib.closing(Oracle()) as oracle, progress("proving layers") as update:
        if header:
            found = dict(
                layers.check_families(oracle, names, seconds=seconds, update=update, **options)
            )
        else:
            found = dict(
                layers.prove_families(oracle, names, bits=bits, jobs=jobs, update=update, **options)
            )
    outcomes = {one.outcome.value for many in found.values() for one in many}
    outcome = "refuted" if "refuted" in outcomes else "undecided"
    outcome = "proven" if outcomes == {"proven"} else outcome
    all_of_them = [one for many in found.values() for one in many]
    text = kept.as_json(all_of_them, outcome=outcome)
    if certificates is not None:
        write_aside(certificates, text + "\n")
    if as_json:
        sys.stdout.write(text + "\n")
    else:
        took = time.perf_counter() - started
        import_module("harness.report.layer_proofs").print_layer_proofs(found, wide_console(), took)
    _written("harness prove-layers", all_of_them, outcome, junit, html)
    raise typer.Exit(AGREE if outcome == "proven" else DIFFER)


def _written(
    command: str, found: list[Any], outcome: str, junit: Path | None, html: Path | None
) -> None:
    report = import_module("harness.report.certificates_outcome")
    outputs.written(report.outcome(command, found, outcome, outputs.again()), junit, html)


def _on_ours(
    profile: str,
    target: str | None,
    source: str | None,
    seed: int,
    seconds: float,
    jobs: int | None,
    *,
    header: bool,
    keep: bool,
    quiet: bool,
) -> tuple[str, list[Any]]:
    """The quantizers' kernels, the RTL of the golden vectors, and the vendor's header if wanted."""
    plan, run = import_module("harness.prove.plan"), import_module("harness.prove.run")
    if source and not target:
        raise ValueError("--from is the source of a cast; name its target: --to TYPE")
    if target:
        t = as_fixed_type(target)
        asked = plan.tasks_of_cast(as_fixed_type(source), t) if source else plan.tasks_of_type(t)
        jobs = 1 if source else jobs
    else:
        asked = plan.header_tasks(profile, seed) if header else plan.tasks(profile, seed)
    with progress("proving") as update:
        found = run.run(asked, jobs=jobs, seconds=seconds, keep=keep, update=update)
        if header and source:
            update(0, 1, "the vendor's header")
            found = found.beside(_of_header(as_fixed_type(source), t, seconds), plan.HEADER)
    if not quiet:
        import_module("harness.report.proving").print_run(found, wide_console())
    return found.outcome.value, found.certificates


def _of_header(source: Any, target: Any, seconds: float) -> Any:
    from harness.oracle import Oracle

    with contextlib.closing(Oracle()) as oracle:
        return import_module("harness.prove.header").prove_header(
            source, [target], oracle, seconds=seconds
        )


def _on_rtl(
    files: list[Path],
    top: str | None,
    source: str | None,
    target: str | None,
    latency: int | None,
    ports: tuple[str | None, str | None, str | None],
    hold: list[str] | None,
    parameter: list[str] | None,
    seconds: float,
    *,
    keep: bool,
    quiet: bool,
) -> tuple[str, list[Any]]:
    """A module of the user's own."""
    if not (top and source and target):
        raise ValueError("--rtl FILE needs --top NAME, --from TYPE and --to TYPE")
    rtl, named = import_module("harness.prove.rtl"), import_module("harness.cosim.named")
    held = named.pairs(hold or (), "--hold")
    wrong = [f"{name}={value}" for name, value in held.items() if not value.isdecimal()]
    if wrong:
        raise ValueError(f"--hold {wrong[0]}: a value is a number, 0 or more")
    a, b, clock = ports
    found_ports = rtl.Ports(a, b, clock, {name: int(value) for name, value in held.items()})
    s, t = as_fixed_type(source), as_fixed_type(target)
    with progress(f"reading {top}") as update:
        module = rtl.read_rtl(files, top, parameters=named.parameters(parameter or ()))
        update(0, 1, "proving")
        found = rtl.prove_rtl(
            module, s, t, latency=latency, ports=found_ports, seconds=seconds, keep=keep
        )
    if not quiet:
        import_module("harness.report.proving").print_rtl(found, s, t, wide_console())
    return found.certificate.outcome.value, [found.certificate]
