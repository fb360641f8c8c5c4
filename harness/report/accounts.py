"""One value on its way into a type: a table, JSON, a page, a drawing, and a case of a CI."""

from __future__ import annotations

import json
from html import escape as in_xml
from textwrap import wrap

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.explain import Account
from harness.report import html
from harness.report.outcome import Case, Kind, Outcome, Suite

__all__ = ["as_json", "drawing", "outcome", "page", "print_account"]

#: Of a drawing: letters of a line of text, and the sizes of a letter and of a line.
LONG, LETTER, LINE = 92, 7.83, 21


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


def drawing(account: Account) -> str:
    """The text of one SVG file, as for a slide: it needs no font and nothing from anywhere.

    Args:
        account: what is told.
    """
    names = max(len(name) for name, _ in account.rows)
    lines = [
        (name if k == 0 else "", part)
        for name, text in account.rows
        for k, part in enumerate(wrap(text, LONG, drop_whitespace=False) or [""])
    ]
    left, right = 24, 24 + round((names + 3) * LETTER)
    longest = max([*(len(text) for _, text in lines), len(account.title) - names])
    width, height = right + round(longest * LETTER) + 24, 72 + LINE * len(lines)
    written = "".join(
        f'<text x="{left}" y="{72 + LINE * k}" fill="#5a6673">{in_xml(name)}</text>'
        f'<text x="{right}" y="{72 + LINE * k}" fill="#1a2026" xml:space="preserve">'
        f"{in_xml(text)}</text>"
        for k, (name, text) in enumerate(lines)
    )
    mood = "#17734a" if account.agrees else "#b3261e"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-family="monospace" font-size="13">'
        f"<title>{in_xml(account.title)}</title>"
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
        f'<rect width="6" height="{height}" fill="{mood}"/>'
        f'<text x="{left}" y="36" fill="#1a2026" font-size="16" font-weight="bold">'
        f"{in_xml(account.title)}</text>{written}</svg>\n"
    )


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
