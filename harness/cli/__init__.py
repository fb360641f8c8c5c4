"""The command ``harness``: exit status 0 for agreement, 1 for a difference, 2 for bad usage."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.cli.cosim import register as register_cosim
from harness.cli.golden import app as golden
from harness.cli.prove import register as register_prove
from harness.golden.files import write_aside
from harness.interrupts import STATUS, interruptible
from harness.report.console import progress, wide_console
from harness.types import NumberType, parse_type

__all__ = ["app", "main"]

app = typer.Typer(
    help="Decide whether Python and HLS C++ agree, bit for bit.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(golden, name="golden")
register_cosim(app)
register_prove(app)


def _version(wanted: bool) -> None:
    """Print the version, the headers' hash and the compiler, and end."""
    if not wanted:
        return
    from harness import __version__
    from harness.oracle import OracleError, find_compiler, find_headers

    facts: tuple[Callable[[], str], ...] = (
        lambda: find_headers().label,
        lambda: find_compiler().version,
    )

    typer.echo(f"harness {__version__}")
    for fact in facts:
        try:
            typer.echo(fact())
        except OracleError as error:
            typer.echo(str(error))
    raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_version,
            is_eager=True,
            help="Tell the version, the headers' hash and the compiler.",
        ),
    ] = False,
) -> None:
    pass


Headers = Annotated[
    Path | None,
    typer.Option(help="Folder of your own ap_fixed.h; by default the pinned headers."),
]
NoCache = Annotated[
    bool, typer.Option("--no-cache", help="Compile everything anew, and keep nothing.")
]
Seed = Annotated[int, typer.Option(min=0, help="Decides types and inputs.")]
AGREE, DIFFER, USAGE = 0, 1, 2


def main() -> None:
    """Run the command; whatever is wrong with its use is one line on standard error."""
    from harness.oracle import OracleError
    from harness.verify import SubjectError

    try:
        with interruptible():
            app()
    except (OracleError, SubjectError, ValueError, ZeroDivisionError, OSError) as error:
        text = " ".join(str(error).split())
        sys.stderr.write(f"harness: {text}\n")
        sys.exit(USAGE)
    except KeyboardInterrupt:
        sys.exit(STATUS)


def _types(spellings: list[str] | None) -> list[NumberType]:
    return [parse_type(spelling) for spelling in spellings or []]


@app.command()
def verify(
    profile: Annotated[str, typer.Option(help="quick, full or exhaustive.")] = "quick",
    type_: Annotated[
        list[str] | None, typer.Option("--type", help="A type to verify; may be repeated.")
    ] = None,
    seed: Seed = 0,
    subject: Annotated[
        str | None,
        typer.Option(help="Your own quantizer, as package.module:function; f(x, type)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdict as JSON.")] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Compilers to run at once.")] = None,
    headers: Headers = None,
    no_cache: NoCache = False,
) -> None:
    """Hold the Python quantizers against the vendor's own C++ headers."""
    from harness.oracle import Oracle
    from harness.report import verdicts
    from harness.verify import PROFILES, load_subject, run

    if profile not in PROFILES:
        raise ValueError(f"unknown profile {profile!r}; allowed: {', '.join(PROFILES)}")
    types = _types(type_)
    function = load_subject(subject) if subject else None
    with (
        contextlib.closing(Oracle(headers, cache=not no_cache)) as oracle,
        progress("compiling and comparing") as update,
    ):
        verdict = run(
            profile,
            oracle=oracle,
            seed=seed,
            types=types,
            subject=function,
            subject_name=subject or "harness.quantize",
            jobs=jobs,
            progress=lambda done, total, checks: update(done, total, f"{checks:,} checks"),
        )
    if as_json:
        sys.stdout.write(verdicts.as_json(verdict) + "\n")
    else:
        verdicts.print_verdict(verdict, wide_console())
    raise typer.Exit(AGREE if verdict.agrees else DIFFER)


@app.command()
def verify_layers(
    kernel: Annotated[
        list[str] | None, typer.Option(help="A kernel's name, or part of it; may be repeated.")
    ] = None,
    configurations: Annotated[
        int, typer.Option(min=1, help="Random layers to hold against each kernel.")
    ] = 8,
    seed: Seed = 0,
    no_cache: NoCache = False,
) -> None:
    """Hold the typed layers against hls4ml's own kernels in C++."""
    from harness.oracle import Oracle

    proof = _module("harness.hls.proof")
    with (
        contextlib.closing(Oracle(cache=not no_cache)) as oracle,
        progress("layers and their twins") as update,
    ):
        found = proof.prove(
            oracle,
            proof.named(kernel),
            configurations=configurations,
            seed=seed,
            progress=update,
        )
    _module("harness.report.proofs").print_proofs(found, wide_console())
    raise typer.Exit(DIFFER if any(each.differences for each in found) else AGREE)


@app.command()
def verify_project(
    directory: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="A project that hls4ml wrote."),
    ],
    rows: Annotated[int, typer.Option(min=1, help="Random rows to run.")] = 500,
    seed: Seed = 0,
    input_: Annotated[
        Path | None,
        typer.Option("--input", help="A .npy of rows instead: floats, or integers as codes."),
    ] = None,
    layers: Annotated[
        bool, typer.Option("--layers", help="Compare every layer, also where the outputs agree.")
    ] = False,
    reference: Annotated[
        str | None,
        typer.Option(
            help="What your model gives: a .npy or .npz of predictions, or package.module:function."
        ),
    ] = None,
    max_flips: Annotated[
        float, typer.Option(min=0, max=1, help="Share of rows whose decision may differ.")
    ] = 0.01,
    max_error: Annotated[
        float | None,
        typer.Option(min=0, help="Largest rms error; half of the reference's rms by default."),
    ] = None,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Look for types and table sizes that lose less.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option(help="Write the report as one HTML file, too.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option(help="Write JUnit XML, too: a case a layer and a question.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Does an hls4ml project compute what its types say, and what your model says?"""
    for path in (html, junit):
        if path is not None and path.is_dir():  # said before anything is compiled
            raise ValueError(f"{path} is a folder; wanted: a file to write")
    check = _module("harness.hls.check")
    command = _module("harness.hls.check.command")
    request = command.Request(
        directory,
        rows,
        seed,
        input_,
        layers,
        reference,
        check.Limits(max_flips, max_error),
        suggest,
    )
    with progress("project") as update:
        findings = command.verify_project(request, update)
    if html is not None:
        write_aside(html, _module("harness.report.project_page").page(findings, request.command))
    if junit is not None:
        write_aside(
            junit, _module("harness.report.project_junit").as_junit(findings, request.command)
        )
    if as_json:
        facts = _module("harness.report.project_facts")
        sys.stdout.write(facts.as_json(findings, request.command) + "\n")
    else:
        projects = _module("harness.report.projects")
        projects.print_findings(findings, wide_console(), request.command)
    raise typer.Exit(AGREE if findings.agrees else DIFFER)


def _module(module: str) -> Any:
    """A module that imports ``harness.hls``; ``ValueError`` if there is no torch."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ValueError("typed layers need torch; pip install 'hls-harness[torch]'") from None


# A negative value is no option.
@app.command(context_settings={"ignore_unknown_options": True})
def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="TYPE|EXPRESSION",
            help="Such as 'ap_fixed<8,4,AP_RND>', 'ap_float<3,4,0>' or float8_e4m3fn with a value; "
            "or 'ap_fixed<8,4>(1.5) < ap_int<4>(-1)'.",
        ),
    ],
    value: Annotated[
        str | None, typer.Argument(help="Decimal, hexadecimal float, inf or nan.")
    ] = None,
    headers: Headers = None,
    no_cache: NoCache = False,
) -> None:
    """Show one value on its way into a type, or one expression, and what the C++ answers."""
    from harness.explain import account, account_of_expression
    from harness.oracle import Oracle
    from harness.report.accounts import print_account

    with contextlib.closing(Oracle(headers, cache=not no_cache)) as oracle:
        if value is None:
            told = account_of_expression(what, oracle)
        else:
            told = account(value, parse_type(what), oracle)
    print_account(told, wide_console())
    raise typer.Exit(AGREE if told.agrees else DIFFER)


@app.command()
def bench(
    repeats: Annotated[int, typer.Option(min=1, help="Repetitions behind each median.")] = 15,
) -> None:
    """Measure the speed side by side with np.copyto and with other libraries."""
    from harness.bench import run as run_bench
    from harness.report.timing import Screen

    run_bench(Screen(wide_console()), repeats=repeats)
