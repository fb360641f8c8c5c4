"""The benchmark: every speed is a multiple of something timed beside it, in the same run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["run"]


def run(
    console: Console, *, repeats: int = 15, size: int = 4_000_000, oracle: bool = True
) -> dict[str, Any]:
    """Measure, print tables as they are ready, and return the figures as JSON would hold them.

    Times are printed and held against targets, never asserted.

    Args:
        console: where tables and progress go; 100 columns suffice.
        repeats: times that each pair is timed; a ratio is the median of as many.
        size: elements of the float32 array.
        oracle: measure the C++ too; that compiles for some seconds.

    Raises:
        ValueError: if ``repeats`` or ``size`` is not positive.
    """
    # Here, because a fresh process that is timed imports this package too.
    from harness.bench import session

    return session.run(console, repeats=repeats, size=size, oracle=oracle)
