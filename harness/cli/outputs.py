"""What every command writes beside its result: files, and what GitHub shows of a run."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.golden.files import write_aside
from harness.report.github import annotations, summary
from harness.report.junit import as_junit
from harness.report.outcome import Outcome

__all__ = ["History", "Html", "Json", "Junit", "again", "shown", "to_write", "written"]

Json = Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")]
Junit = Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML, too.")]
Html = Annotated[
    Path | None, typer.Option("--html", help="Write the report as one HTML file, too.")
]
History = Annotated[
    list[Path] | None,
    typer.Option(
        help="What --json printed before, for the page of --html: a file, or a folder of them; "
        "may be repeated."
    ),
]


def to_write(*paths: Path | None) -> None:
    """Refuse paths that are no file to write, before anything is computed.

    Raises:
        ValueError: for a folder.
    """
    for path in paths:
        if path is not None and path.is_dir():
            raise ValueError(f"{path} is a folder; wanted: a file to write")


def again() -> str:
    """The command line that this process was given."""
    return shlex.join(["harness", *sys.argv[1:]])


def shown(path: Path) -> Path:
    """A path as a person here would name it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def written(outcome: Outcome, junit: Path | None = None) -> None:
    """Write JUnit XML if asked to; inside of a GitHub action annotations and a summary, too.

    Annotations go to standard error, so that standard output is the result alone.

    Args:
        outcome: what was found.
        junit: the file of JUnit XML, if wanted.

    Raises:
        OSError: if a file cannot be written.
    """
    if junit is not None:
        write_aside(junit, as_junit(outcome))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in annotations(outcome):
            sys.stderr.write(f"{line}\n")
    if page := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(page).open("a", encoding="utf-8") as file:
            file.write(f"{summary(outcome)}\n")
