"""The command ``harness``: exit status 0 for agreement, 1 for a difference, 2 for bad usage."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from harness.cli import outputs
from harness.cli.conformance import register as register_conformance
from harness.cli.cosim import register as register_cosim
from harness.cli.golden import app as golden
from harness.cli.options import FRAMES, Headers, NoCache, Seed
from harness.cli.prove import register as register_prove
from harness.cli.verify import register as register_verify
from harness.extras import MissingExtra
from harness.golden.files import write_aside
from harness.interrupts import STATUS, interruptible
from harness.report.console import progress, wide_console
from harness.types import parse_type

__all__ = ["app", "main"]

app = typer.Typer(
    help="Decide whether Python and HLS C++ agree, bit for bit.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=FRAMES,
    context_settings={"help_option_names": ["-h", "--help"]},
)

register_verify(app)
app.add_typer(golden, name="golden")
register_cosim(app)
register_prove(app)
register_conformance(app)


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


AGREE, DIFFER, USAGE = 0, 1, 2


def main() -> None:
    """Run the command; whatever is wrong with its use is one line on standard error."""
    from harness.oracle import OracleError
    from harness.verify import SubjectError

    try:
        with interruptible():
            app()
    except (
        MissingExtra,
        OracleError,
        SubjectError,
        ValueError,
        ZeroDivisionError,
        OSError,
    ) as error:
        text = " ".join(str(error).split())
        sys.stderr.write(f"harness: {text}\n")
        sys.exit(USAGE)
    except KeyboardInterrupt:
        sys.exit(STATUS)


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
            help="What your model gives: a .npy or .npz of predictions, or MODULE:FUNCTION."
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
    html: outputs.Html = None,
    junit: outputs.Junit = None,
    as_json: outputs.Json = False,
) -> None:
    """Does an hls4ml project compute what its types say, and what your model says?"""
    outputs.to_write(html, junit)
    check = import_module("harness.hls.check")
    command = import_module("harness.hls.check.command")
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
        write_aside(
            html, import_module("harness.report.project_page").page(findings, request.command)
        )
    if as_json:
        facts = import_module("harness.report.project_facts")
        sys.stdout.write(facts.as_json(findings, request.command) + "\n")
    else:
        projects = import_module("harness.report.projects")
        projects.print_findings(findings, wide_console(), request.command)
    cases = import_module("harness.report.project_junit")
    outputs.written(cases.outcome(findings, request.command), junit)
    raise typer.Exit(AGREE if findings.agrees else DIFFER)


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
    as_json: outputs.Json = False,
    html: outputs.Html = None,
    svg: Annotated[
        Path | None, typer.Option(help="Draw the steps into this SVG file, too.")
    ] = None,
) -> None:
    """Show one value on its way into a type, or one expression, and what the C++ answers."""
    from harness.explain import account, account_of_expression
    from harness.oracle import Oracle
    from harness.oracle.errors import HeadersError
    from harness.report import accounts

    outputs.to_write(html, svg)
    with contextlib.ExitStack() as stack:
        oracle, why = None, ""
        try:
            oracle = stack.enter_context(contextlib.closing(Oracle(headers, cache=not no_cache)))
        except HeadersError as error:  # the steps need no C++
            if headers is not None:
                raise
            why = str(error)
        if value is None:
            told = account_of_expression(what, oracle, why)
        else:
            told = account(value, parse_type(what), oracle, why)
    if html is not None:
        write_aside(html, accounts.page(told, outputs.again()))
    if svg is not None:
        write_aside(svg, accounts.drawing(told))
    if as_json:
        sys.stdout.write(accounts.as_json(told) + "\n")
    else:
        accounts.print_account(told, wide_console())
    outputs.written(accounts.outcome(told, outputs.again()))
    raise typer.Exit(AGREE if told.agrees else DIFFER)


@app.command()
def bench(
    repeats: Annotated[int, typer.Option(min=1, help="Repetitions behind each median.")] = 15,
    size: Annotated[int, typer.Option(min=1, help="Values of the large arrays.")] = 4_000_000,
    cpp: Annotated[
        bool, typer.Option("--cpp/--no-cpp", help="Whether C++ and proofs are measured, too.")
    ] = True,
    as_json: outputs.Json = False,
    html: outputs.Html = None,
    history: outputs.History = None,
) -> None:
    """Measure the speed side by side with np.copyto and with other libraries."""
    from harness.bench.session import run as run_bench
    from harness.report import bench_page
    from harness.report.timing import Screen

    outputs.to_write(html)
    earlier = outputs.earlier(history, html, bench_page.KEYS)
    screen = Screen(wide_console(), quiet=as_json)
    figures = run_bench(screen, repeats=repeats, size=size, oracle=cpp)
    if html is not None:
        write_aside(html, bench_page.page(figures, earlier, outputs.again()))
    if as_json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    outputs.written(bench_page.outcome(figures, outputs.again()))
