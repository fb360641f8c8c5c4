"""Pages that need nothing else: one template, and the pieces that several pages have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from string import Template
from urllib.parse import quote

__all__ = [
    "Heat",
    "Markup",
    "document",
    "figure",
    "footer",
    "header",
    "heat_map",
    "listed",
    "marked",
    "pill",
    "program",
    "steps",
    "svg",
    "table",
]


class Markup(str):
    """Text that is HTML already."""


def marked(kind: str, text: str) -> Markup:
    """A text of a kind of its own."""
    return Markup(f'<span class="{kind}">{escape(text)}</span>')


def pill(word: str, mood: str) -> Markup:
    """A verdict in a word: ``good``, ``bad``, ``warn`` or ``none``."""
    return marked(f"pill {mood}", word)


def document(title: str, parts: Iterable[str]) -> str:
    """The text of the file: no script, and nothing from anywhere else.

    Args:
        title: of the window, as text.
        parts: of the body, as HTML.
    """
    template = resources.files("harness.report").joinpath("project.html").read_text("utf-8")
    return Template(template).substitute(title=escape(title), content="\n".join(parts))


def header(kicker: str, name: str, verdict: str, mood: str, told: str) -> str:
    """What was asked, of whom, the answer in a word, and in a sentence.

    Args:
        kicker: the command and its question.
        name: who was asked about.
        verdict: the answer in a word.
        mood: ``good``, ``bad``, ``warn`` or ``none``.
        told: the answer in a sentence.
    """
    pill = f'<span class="pill {mood}" id="verdict">{escape(verdict)}</span>'
    return (
        f'<header><div class="kicker">{escape(kicker)}</div><h1>{escape(name)} {pill}</h1>'
        + (f'<p class="summary">{escape(told)}</p>' if told else "")
        + "</header>"
    )


def footer(facts: Iterable[str], command: str) -> str:
    """With what it was made, and how to make it again."""
    lines = "".join(f"<div>{escape(fact)}</div>" for fact in facts)
    again = ""
    if command:
        again = f'<span class="soft">Run it again:</span><pre id="command">{escape(command)}</pre>'
    return f'<footer><div class="soft" id="made">{lines}</div>{again}</footer>'


def svg(width: int, height: int, label: str, content: str, kind: str = "") -> Markup:
    """A drawing that says what it shows."""
    return Markup(
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" '
        f'aria-label="{escape(label)}"><title>{escape(label)}</title>{content}</svg>'
    )


def listed(lines: Iterable[str]) -> str:
    """Lines of text, each with a dot."""
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def figure(name: str, value: str, about: str = "", mood: str = "none") -> str:
    """A number to be seen first."""
    more = f'<div class="soft">{escape(about)}</div>' if about else ""
    return (
        f'<article class="card figure {mood}" data-figure="{escape(name)}">'
        f'<h3>{escape(name)}</h3><div class="value">{escape(value)}</div>{more}</article>'
    )


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0, kind: str = ""
) -> str:
    """Rows of texts, some :class:`Markup`; the last ``numbers`` columns are numbers."""
    first = len(columns) - numbers
    head = "".join(
        f'<th scope="col"{" class=" + chr(34) + "number" + chr(34) if k >= first else ""}>'
        f"{escape(name)}</th>"
        for k, name in enumerate(columns)
    )
    body = "".join(f"<tr>{_cells(columns, row, first)}</tr>" for row in rows)
    return (
        f'<table class="plain {kind}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def _cells(columns: Sequence[str], row: Sequence[str], first: int) -> str:
    cells = []
    for k, (name, text) in enumerate(zip(columns, row, strict=True)):
        shown = text if isinstance(text, Markup) else escape(text)
        kind = ' class="number"' if k >= first else ""
        cells.append(f'<td{kind} data-column="{escape(name)}"><span>{shown}</span></td>')
    return "".join(cells)


@dataclass(frozen=True)
class Heat:
    """A cell of a heat map.

    Attributes:
        text: what stands in it.
        label: what it says, in words.
        share: how warm it is, from 0 to 1.
        bad: whether it is what one looks for.
    """

    text: str
    label: str
    share: float
    bad: bool = False


def heat_map(
    caption: str, rows: Sequence[str], columns: Sequence[str], cells: dict[tuple[str, str], Heat]
) -> str:
    """A table whose cells are the warmer the more there is in them.

    Args:
        caption: what it shows.
        rows: names of the rows.
        columns: names of the columns.
        cells: by row and column; what is missing is empty.
    """
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(row)}</th>'
        + "".join(_heat(cells.get((row, column))) for column in columns)
        + "</tr>"
        for row in rows
    )
    return (
        f'<table class="heat"><caption>{escape(caption)}</caption>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _heat(cell: Heat | None) -> str:
    if cell is None:
        return '<td class="void" aria-label="nothing">-</td>'
    kind = "bad" if cell.bad else "cell"
    # Text stays readable: the ground is never more than 45 parts of 100 colour.
    warm = f' style="--heat: {4 + 41 * min(max(cell.share, 0.0), 1.0):.0f}"'
    label = escape(cell.label)
    return f'<td class="{kind}"{warm} title="{label}" aria-label="{label}">{escape(cell.text)}</td>'


def steps(rows: Iterable[tuple[str, str]], label: str) -> str:
    """What happens to a value, a row a step."""
    body = "".join(
        f'<tr data-step="{escape(name)}"><th scope="row">{escape(name)}</th>'
        f"<td>{escape(text)}</td></tr>"
        for name, text in rows
    )
    return f'<table class="steps" aria-label="{escape(label)}"><tbody>{body}</tbody></table>'


def program(text: str, name: str, title: str) -> str:
    """A program to read and to save."""
    link = f"data:text/plain;charset=utf-8,{quote(text)}"
    return (
        f"<details><summary>{escape(title)}</summary>"
        f'<p><a class="save" download="{escape(name)}" href="{link}">save {escape(name)}</a></p>'
        f"<pre>{escape(text)}</pre></details>"
    )
