"""Progress that does not disturb what is being timed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from harness.report.console import watched
from harness.report.tables import fitted

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

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console, self._quiet = console, quiet
        #: Bars are no result: with ``quiet`` they are on standard error.
        self._bars = Console(stderr=True) if quiet else console

    def show(self, found: RenderableType) -> None:
        """A table or a line of text; nothing, if quiet."""
        if self._quiet:
            return
        if isinstance(found, Group):
            for part in found.renderables:
                self.show(part)
            return
        shown = fitted(found, self._console) if isinstance(found, Table) else found
        self._console.print(shown, highlight=False)

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
            console=self._bars,
            transient=True,
            auto_refresh=False,
            disable=not watched(self._bars),
        ) as progress:
            yield Bar(progress, what, total)

    @contextlib.contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """A spinner while another process is measured; where there is no terminal, one line."""
        self._log(what)
        seen = watched(self._bars)
        with self._bars.status(what) if seen else contextlib.nullcontext():
            yield

    def _log(self, what: str) -> None:
        if not watched(self._bars):
            self._bars.print(f"[dim]{what} ...[/dim]")
