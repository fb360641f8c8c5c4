"""Tables that survive narrow screens: words fold, numbers are never cut."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

__all__ = ["fits", "fitted", "headed", "laid_out"]

#: The narrowest that a column of words may become.
NARROW = 12
#: Letters between two columns, at most: padding and a line.
GAP = 3


def headed(*names: str) -> Table:
    """A table without rows; a column of numbers has > before its name."""
    table = Table()
    for name in names:
        table.add_column(name.lstrip(">"), justify="right" if name[0] == ">" else "left")
    return table


def fits(table: RenderableType, console: Console) -> bool:
    """Whether it is shown without folding anything."""
    wide = console.options.update(width=10_000)
    return Measurement.get(console, wide, table).maximum <= console.width


def laid_out(console: Console, *layouts: RenderableType) -> RenderableType:
    """The first of several layouts that fits; else the last one, which is the narrowest."""
    return next((each for each in layouts if fits(each, console)), layouts[-1])


def fitted(table: Table, console: Console) -> RenderableType:
    """The table, with columns of words that fold; where even that is too wide, a block a row.

    Numbers are the columns that are justified to the right; they are never folded.

    Args:
        table: of texts.
        console: where it is printed.
    """
    if fits(table, console):
        return table
    room, needed = console.width, 0
    for column in table.columns:
        if isinstance(column.header, str):
            column.header = column.header.replace(" ", "\n")
        words = column.justify != "right"
        longest = max((_width(cell) for cell in (column.header, *column.cells)), default=0)
        needed += min(longest, NARROW) if words else longest
        column.no_wrap = not words
        column.overflow = "fold"
    gaps = GAP * len(table.columns)
    return table if needed + gaps <= room else Group(*_blocks(table, room))


def _blocks(table: Table, room: int) -> Iterable[RenderableType]:
    """Each row as lines of a name and what stands there."""
    if table.title:
        yield Text(str(table.title), "bold")
    first: RenderableType = ""
    for cells in zip(*(column.cells for column in table.columns), strict=True):
        first = cells[0] or first  # an empty one repeats what stands above it
        block = Table(box=None, show_header=False, pad_edge=False)
        block.add_column(style="dim", overflow="fold", max_width=room // 2)
        block.add_column(overflow="fold")
        for column, cell in zip(table.columns, (first, *cells[1:]), strict=True):
            name = column.header
            name = name.replace("\n", " ") if isinstance(name, str) else name
            if not isinstance(cell, str) or cell:
                block.add_row(name, cell)
        yield block
        yield Text()


def _width(cell: RenderableType) -> int:
    text = Text.from_markup(cell) if isinstance(cell, str) else cell
    return max((len(line) for line in str(text).splitlines()), default=0)
