"""``harness golden rtl --design``: golden vectors on a module of the user's own."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import typer

from harness.report.console import progress

__all__ = ["on_design"]

DIFFER = 1
#: Differences that are printed.
SHOWN = 10


def on_design(
    design: list[Path],
    top: str,
    types: Sequence[str],
    given: Sequence[str],
    latency: int | None,
    op: str,
    vectors: Path | None,
) -> None:
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
    with progress(f"verilating {top}"):
        function = called(design, top, latency=latency, types=typed, parameters=parameters(given))
    try:
        with contextlib.closing(function):
            found = replay_on(function, {name: t.groups for name, t in truths.items()}, op)
    except RunError as error:
        typer.echo(f"FAIL: {error}")
        raise typer.Exit(DIFFER) from None
    for name, difference in found.differences[:SHOWN]:
        typer.echo(difference.at(name if vectors else str(folder / name)))
    asked = ", ".join(dict.fromkeys(f"{name} group {group.id}" for name, group in found.asked))
    verdict = f"FAIL: {len(found.differences):,} of" if found.differences else "PASS:"
    typer.echo(
        f"{verdict} {found.vectors:,} vectors of {asked}; {found.left:,} of other types or "
        "operations were not asked"
    )
    if found.differences:
        raise typer.Exit(DIFFER)
