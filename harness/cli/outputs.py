"""What every command writes beside its result: files, and what GitHub shows of a run."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.golden.files import write_aside
from harness.report.github import as_annotations, summary
from harness.report.junit import as_junit
from harness.report.outcome import Outcome
from harness.report.outcome_page import page as page_of

__all__ = ["History", "Html", "Json", "Junit", "again", "earlier", "shown", "to_write", "written"]

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


def written(outcome: Outcome, junit: Path | None = None, html: Path | None = None) -> None:
    """Write JUnit XML and a page if asked to; inside of a GitHub action what it shows, too.

    Annotations go to standard error, so that standard output is the result alone.

    Args:
        outcome: what was found.
        junit: the file of JUnit XML, if wanted.
        html: the file of the page, if wanted of a command that has none of its own.

    Raises:
        OSError: if a file cannot be written.
    """
    if junit is not None:
        write_aside(junit, as_junit(outcome))
    if html is not None:
        write_aside(html, page_of(outcome))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in as_annotations(outcome):
            sys.stderr.write(f"{line}\n")
    if page := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(page).open("a", encoding="utf-8") as file:
            file.write(f"{summary(outcome)}\n")


def earlier(
    paths: list[Path] | None, html: Path | None, keys: tuple[str, ...]
) -> list[tuple[str, Any]]:
    """What ``--json`` printed in earlier runs, in the order of their times, each with a label.

    Args:
        paths: files, and folders of them.
        html: the page that shows them.
        keys: what such a document has.

    Raises:
        ValueError: without a page, and for a file that is no such document.
    """
    if paths and html is None:
        raise ValueError("--history is of the page that --html FILE writes, which is not asked for")
    files = [
        each for p in paths or () for each in (sorted(p.glob("*.json")) if p.is_dir() else [p])
    ]
    found = []
    for path in files:
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            document = None
        if not isinstance(document, dict) or any(key not in document for key in keys):
            raise ValueError(f"--history {path}: not what --json of this command prints")
        when = str(document.get("when") or "")
        found.append((when, when or path.stem, document))
    return [(label, document) for _, label, document in sorted(found, key=lambda each: each[0])]
