"""``harness verify`` and ``harness verify-layers``: Python held against C++."""

from __future__ import annotations

import contextlib
import sys
from importlib import import_module
from typing import Annotated, Any

import typer

from harness.cli import outputs
from harness.cli.options import Headers, NoCache, Seed
from harness.golden.files import write_aside
from harness.report.console import progress, wide_console
from harness.types import parse_type

__all__ = ["register"]

AGREE, DIFFER = 0, 1
#: Differences of which the page of --html tells every step.
EXPLAINED = 8


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(verify)
    app.command()(verify_layers)


def verify(
    profile: Annotated[str, typer.Option(help="quick, full or exhaustive.")] = "quick",
    type_: Annotated[
        list[str] | None, typer.Option("--type", help="A type to verify; may be repeated.")
    ] = None,
    seed: Seed = 0,
    subject: Annotated[
        str | None,
        typer.Option(help="Your own quantizer f(x, type), as MODULE:FUNCTION."),
    ] = None,
    as_json: outputs.Json = False,
    junit: outputs.Junit = None,
    html: outputs.Html = None,
    history: outputs.History = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Compilers to run at once.")] = None,
    headers: Headers = None,
    no_cache: NoCache = False,
) -> None:
    """Hold the Python quantizers against the vendor's own C++ headers."""
    from harness.oracle import Oracle
    from harness.quantize.compiled import expect_many
    from harness.report import verdict_outcome, verdict_page, verdicts
    from harness.verify import PROFILES, load_subject, run

    if profile not in PROFILES:
        raise ValueError(f"unknown profile {profile!r}; allowed: {', '.join(PROFILES)}")
    outputs.to_write(junit, html)
    earlier = outputs.earlier(history, html, verdict_page.KEYS)
    types = [parse_type(spelling) for spelling in type_ or []]
    if not types:
        expect_many()
    function = load_subject(subject) if subject else None
    with contextlib.closing(Oracle(headers, cache=not no_cache)) as oracle:
        with progress("compiling and comparing") as update:
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
        if html is not None:
            write_aside(html, _page(verdict, oracle, earlier))
    if as_json:
        sys.stdout.write(verdicts.as_json(verdict) + "\n")
    else:
        verdicts.print_verdict(verdict, wide_console())
    outputs.written(verdict_outcome.outcome(verdict, outputs.again()), junit)
    raise typer.Exit(AGREE if verdict.agrees else DIFFER)


def _page(verdict: Any, oracle: Any, earlier: list[tuple[str, Any]]) -> str:
    """The page, with the steps of what differs."""
    from harness.explain.mismatches import account_of_mismatch
    from harness.report import verdict_page, verdicts

    found = verdicts.spread(verdict.mismatches, EXPLAINED)
    with progress("explaining") as update:
        told = []
        for k, mismatch in enumerate(found):
            update(k, len(found), mismatch.question)
            told.append((mismatch, account_of_mismatch(mismatch, oracle)))
    return verdict_page.page(verdict, told, earlier, outputs.again())


def verify_layers(
    kernel: Annotated[
        list[str] | None, typer.Option(help="A kernel's name, or part of it; may be repeated.")
    ] = None,
    configurations: Annotated[
        int, typer.Option(min=1, help="Random layers to hold against each kernel.")
    ] = 8,
    seed: Seed = 0,
    as_json: outputs.Json = False,
    junit: outputs.Junit = None,
    html: outputs.Html = None,
    no_cache: NoCache = False,
) -> None:
    """Hold the typed layers against hls4ml's own kernels in C++."""
    from harness.oracle import Oracle
    from harness.quantize.compiled import expect_many

    outputs.to_write(junit, html)
    expect_many()  # layers are drawn with types of every mode
    proof = import_module("harness.hls.proof")
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
    report = import_module("harness.report.proofs")
    if as_json:
        sys.stdout.write(report.as_json(found, seed) + "\n")
    else:
        report.print_proofs(found, wide_console())
    outcome = report.outcome(found, outputs.again())
    outputs.written(outcome, junit, html)
    raise typer.Exit(AGREE if outcome.agrees else DIFFER)
