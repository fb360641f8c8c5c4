"""One value on its way into a type: a table of steps, JSON, a page, and a case of a CI."""

from __future__ import annotations

import json

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.explain import Account
from harness.report import html
from harness.report.outcome import Case, Kind, Outcome, Suite

__all__ = ["as_json", "outcome", "page", "print_account"]


def print_account(account: Account, console: Console) -> None:
    """The title, and a row for every step and witness."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in account.rows:
        table.add_row(name, escape(text))
    console.print(account.title, style="bold", highlight=False, markup=False)
    console.print(table, highlight=False)


def as_json(account: Account) -> str:
    """The steps in order, for programs."""
    steps = [{"name": name, "text": text} for name, text in account.rows]
    facts = {"agrees": account.agrees, "title": account.title, "steps": steps}
    return json.dumps(facts, indent=2)


def page(account: Account, command: str = "") -> str:
    """The text of one HTML file, as for a slide: no script, and nothing from anywhere else.

    Args:
        account: what is told.
        command: the command line that tells it again; may be left out.
    """
    word, mood = _verdict(account), "good" if account.agrees else "bad"
    kicker = "harness explain: one value, step by step"
    parts = [
        html.header(kicker, account.title, word, mood, ""),
        f'<div class="card">{html.steps(account.rows, account.title)}</div>',
        html.footer((), command),
    ]
    return html.document(f"{word}: {account.title}", parts)


def outcome(account: Account, again: str = "") -> Outcome:
    """One case, which fails if a witness gave another code.

    Args:
        account: what is told.
        again: the command line that tells it again; may be left out.
    """
    word = _verdict(account)
    text = "\n".join(f"{name}: {text}" for name, text in account.rows)
    kind = Kind.PASSED if account.agrees else Kind.FAILED
    suite = Suite("values", (Case(account.title, word, text, kind),))
    return Outcome("harness explain", f"{word}: {account.title}", account.agrees, (suite,), again)


def _verdict(account: Account) -> str:
    return "AGREE" if account.agrees else "DIFFER"
