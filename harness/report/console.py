"""What the commands print on: a console as wide as its tables, and a bar beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from harness.report.update import Update

__all__ = ["progress", "wide_console"]


def wide_console() -> Console:
    """Standard output; where that is no terminal, wide enough for the tables."""
    console = Console()
    return console if console.is_terminal else Console(width=120)


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
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=None, about="")

        def update(done: int, total: int, about: str) -> None:
            bar.update(task, completed=done, total=total, about=about)

        yield update
