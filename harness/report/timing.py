"""Progress that does not disturb what is being timed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from harness.report.console import watched

__all__ = ["Bar", "Screen"]

#: Seconds between two redraws of a bar.
PERIOD = 0.25


class Bar:
    """A bar that is redrawn between two timings only; a thread that redraws would take part."""

    def __init__(self, progress: Progress, what: str, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task(what, total=total, doing="")
        self._drawn = 0.0

    def begin(self, doing: str) -> None:
        """Say what is measured now."""
        self._progress.update(self._task, doing=doing)
        self.beat()

    def done(self) -> None:
        """One step is behind us."""
        self._progress.advance(self._task)

    def beat(self) -> None:
        """Redraw, unless that was just done."""
        now = time.monotonic()
        if now - self._drawn > PERIOD:
            self._progress.refresh()
            self._drawn = now


class Screen:
    """Where a benchmark shows what it found, and what it is at."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, found: RenderableType) -> None:
        """A table or a line of text."""
        self._console.print(found, highlight=False)

    @contextlib.contextmanager
    def bar(self, what: str, total: int) -> Iterator[Bar]:
        """A bar for ``total`` steps in this process; where there is no terminal, one line."""
        self._log(what)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[doing]}"),
        )
        with Progress(
            *columns,
            console=self._console,
            transient=True,
            auto_refresh=False,
            disable=not watched(self._console),
        ) as progress:
            yield Bar(progress, what, total)

    @contextlib.contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """A spinner while another process is measured; where there is no terminal, one line."""
        self._log(what)
        seen = watched(self._console)
        with self._console.status(what) if seen else contextlib.nullcontext():
            yield

    def _log(self, what: str) -> None:
        if not watched(self._console):
            self._console.print(f"[dim]{what} ...[/dim]")
