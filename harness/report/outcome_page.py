"""What a command found as one HTML file: the verdict, what failed, and every case."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from harness.report import html
from harness.report.outcome import Kind, Outcome, Suite

__all__ = ["page"]

#: Cases that failed and are told in full.
SHOWN = 50
#: Cases of one suite that are listed.
LISTED = 1000


def page(outcome: Outcome) -> str:
    """The text of the file: no script, and nothing from anywhere else.

    Args:
        outcome: what was found.
    """
    word, _, rest = outcome.sentence.partition(": ")
    mood = "good" if outcome.agrees else "bad"
    parts = [
        html.header(outcome.command, "", word, mood, rest),
        *_figures(outcome),
        *_failures(outcome),
        *(part for suite in outcome.suites for part in _suite(suite)),
        html.footer((), outcome.again),
    ]
    return html.document(f"{word}: {outcome.command}", parts)


def _figures(outcome: Outcome) -> Iterable[str]:
    """How many cases became what."""
    yield '<section class="questions" aria-label="in numbers">'
    for kind in Kind:
        count = sum(suite.count(kind) for suite in outcome.suites)
        mood = {Kind.PASSED: "good", Kind.FAILED: "bad", Kind.SKIPPED: "warn"}[kind]
        yield html.figure(kind.value, f"{count:,}", "", mood if count else "none")
    yield "</section>"


def _failures(outcome: Outcome) -> Iterable[str]:
    """What failed, with all of its text."""
    failures = list(outcome.failures)
    if not failures:
        return
    yield '<h2 id="failures">What failed</h2>'
    for suite, case in failures[:SHOWN]:
        yield f'<article class="card long stack difference" data-case="{escape(case.name)}">'
        yield f"<h3>{escape(suite.name)}: <code>{escape(case.name)}</code></h3>"
        text = f"{case.verdict}: {case.text}" if case.verdict else case.text
        yield f"<pre>{escape(text)}</pre></article>"
    if len(failures) > SHOWN:
        yield f'<p class="soft">and {len(failures) - SHOWN:,} more</p>'


def _suite(suite: Suite) -> Iterable[str]:
    """A row a case."""
    yield f"<h2>{escape(suite.name)}</h2>"
    rows = [(case.name, _pill(case.kind, case.verdict), _first(case.text)) for case in suite.cases]
    table = html.table(("case", "verdict", "in short"), rows[:LISTED])
    yield f'<div class="card scroll">{table}</div>'
    if len(rows) > LISTED:
        yield f'<p class="soft">and {len(rows) - LISTED:,} more cases</p>'


def _pill(kind: Kind, word: str) -> html.Markup:
    mood = {Kind.PASSED: "good", Kind.FAILED: "bad", Kind.SKIPPED: "warn"}[kind]
    return html.pill(word or kind.value, mood)


def _first(text: str) -> str:
    return text.splitlines()[0] if text else ""
