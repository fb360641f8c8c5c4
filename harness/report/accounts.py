"""One value on its way into a type, as a table of steps."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.explain import Account

__all__ = ["print_account"]


def print_account(account: Account, console: Console) -> None:
    """The title, and a row for every step and witness."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, text in account.rows:
        table.add_row(name, escape(text))
    console.print(account.title, style="bold", highlight=False, markup=False)
    console.print(table, highlight=False)
