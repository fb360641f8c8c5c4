"""Text for what prints itself: no colours, no frame, nothing but strings."""

from __future__ import annotations

from collections.abc import Container, Sequence

__all__ = ["aligned", "counted"]


def aligned(rows: Sequence[Sequence[str]], text: Container[int] = ()) -> list[str]:
    """Rows of the same length as lines: numbers end below each other, text begins there.

    Args:
        rows: the cells, the head among them; none may hold a line break.
        text: the places of the columns that are text.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if k in text else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def counted(count: int, noun: str) -> str:
    """A number of things, in words."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
