"""``harness conformance``: other libraries' quantizers, and your own, held against the headers."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.cli import outputs
from harness.cli.options import Headers, NoCache
from harness.golden.files import write_aside
from harness.report.console import progress, wide_console

__all__ = ["register"]

AGREE, DIFFER = 0, 1


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(conformance)


def conformance(
    library: Annotated[
        list[str] | None, typer.Argument(help="Libraries to ask; all that are installed, if none.")
    ] = None,
    subject: Annotated[
        list[str] | None,
        typer.Option(help="Your own quantizer f(x, type), as MODULE:FUNCTION."),
    ] = None,
    vectors: Annotated[
        Path | None,
        typer.Option(help="Write the fresh vectors into this folder, with a checker, and end."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides the fresh inputs.")] = 0,
    as_json: outputs.Json = False,
    junit: outputs.Junit = None,
    html: outputs.Html = None,
    headers: Headers = None,
    no_cache: NoCache = False,
) -> None:
    """Whose quantizers answer as the C++ headers do: golden vectors and fresh ones, in levels."""
    from harness.conformance import sheets, subjects
    from harness.conformance.run import run
    from harness.oracle import Oracle
    from harness.report import conformance as report
    from harness.report import conformance_page
    from harness.verify.witnesses import MPFR

    if vectors is not None and (library or subject or as_json or junit or html):
        raise ValueError("--vectors asks no library: give it alone, or with --seed and --headers")
    outputs.to_write(junit, html)
    chosen = subjects.chosen(library or [], subject or [])
    with (
        contextlib.closing(Oracle(headers, cache=not no_cache)) as oracle,
        progress("conformance") as update,
    ):
        fresh = list(sheets.fresh(oracle, seed, update))
        if vectors is not None:
            written = _write(vectors, fresh, oracle, seed)
        else:
            found = run(
                chosen,
                [*sheets.golden(), *fresh],
                truth=(
                    oracle.headers.label,
                    f"compiled by {oracle.compiler}; for IEEE formats {MPFR.name} {MPFR.version}",
                ),
                seed=seed,
                progress=update,
            )
    if vectors is not None:
        sys.stdout.write(f"{vectors}: {written}\n")
        raise typer.Exit(AGREE)
    if html is not None:
        write_aside(html, conformance_page.page(found, outputs.again()))
    if as_json:
        sys.stdout.write(report.as_json(found) + "\n")
    else:
        report.print_conformance(found, wide_console())
    outputs.written(report.outcome(found, outputs.again()), junit)
    raise typer.Exit(AGREE if found.agrees else DIFFER)


def _write(directory: Path, fresh: Any, oracle: Any, seed: int) -> str:
    from harness.conformance import vectors

    texts = vectors.package(fresh, oracle, seed)
    vectors.write(directory, texts)
    cases = sum(len(sheet.levels) for sheet in fresh)
    return f"{cases:,} vectors in {len(texts)} files; python {directory / 'check.py'} says how"
