"""What the commands print on: a console as wide as its tables, and a bar beside it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from harness.report.update import Update

__all__ = ["progress", "watched", "wide_console"]

#: Columns where nothing says how many there are: in a pipe, in a file.
WIDE = 120


def watched(console: Console) -> bool:
    """Whether somebody looks at a terminal; colours that were forced make none of a pipe."""
    return console.is_terminal and console.file.isatty()


def wide_console() -> Console:
    """Standard output; where that is no terminal, as wide as ``COLUMNS`` says, or 120."""
    console = Console()
    if watched(console):
        return console
    columns = os.environ.get("COLUMNS", "")
    return Console(width=int(columns) if columns.isdecimal() and int(columns) else WIDE)


@contextlib.contextmanager
def progress(what: str) -> Iterator[Update]:
    """A bar on standard error, which is not the result's; none where nobody looks."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[about]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not watched(console)) as bar:
        task = bar.add_task(what, total=None, about="")

        def update(done: int, total: int, about: str) -> None:
            bar.update(task, completed=done, total=total, about=about)

        yield update
