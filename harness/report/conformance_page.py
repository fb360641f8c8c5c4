"""A conformance run as one HTML file that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape

from harness.conformance.levels import Level
from harness.conformance.records import Conformance, Count, Judgement
from harness.report import html
from harness.report.conformance import modes, sentence
from harness.types import Overflow, Rounding

__all__ = ["page"]

ROUNDINGS = [rounding.name for rounding in Rounding if not rounding.stochastic]
OVERFLOWS = [overflow.name for overflow in Overflow]


def page(found: Conformance, command: str = "") -> str:
    """The text of the file: no script, and nothing from anywhere else.

    Args:
        found: the run.
        command: the command line that finds it again; may be left out.
    """
    word, _, rest = sentence(found).partition(": ")
    kicker = "harness conformance: whose quantizers answer as the C++ headers do?"
    asked = [judgement for judgement in found.judgements if judgement.version is not None]
    parts = [
        html.header(
            kicker, f"{len(asked)} libraries", word, "good" if found.agrees else "bad", rest
        ),
        *_overview(asked),
        *(part for judgement in asked for part in _library(judgement)),
        *_missing([judgement for judgement in found.judgements if judgement.version is None]),
        html.footer([*found.truth, *found.notes, f"seed {found.seed}"], command),
    ]
    return html.document(f"{word}: conformance", parts)


def _overview(judgements: Sequence[Judgement]) -> Iterable[str]:
    """A heat map of libraries by levels, and what the levels are."""
    cells = {
        (judgement.name, level.label): _heat(count, judgement.name, level.label)
        for judgement in judgements
        for level in Level
        if (count := judgement.of(level=level)) != Count()
    }
    yield '<h2>Answers that are not the headers\'</h2><section class="card stack">'
    names = [judgement.name for judgement in judgements]
    labels = [level.label for level in Level]
    yield html.heat_map("different answers, by library and level", names, labels, cells)
    yield html.listed(f"{level.label}: {level.about}" for level in Level)
    yield "</section>"


def _library(judgement: Judgement) -> Iterable[str]:
    """Its modes and levels, and what it answers otherwise."""
    yield f"<h2>{escape(f'{judgement.name} {judgement.version}'.strip())}</h2>"
    yield f'<section class="card stack" data-library="{escape(judgement.name)}">'
    total = judgement.total
    told = f"{total.answered:,} answers, {total.differ:,} different; modes: {modes(judgement)}"
    yield f"<p><code>{escape(judgement.call)}</code>: {told}. Promised: "
    yield f"{escape(judgement.promise)}.</p>"
    fixed = {
        (rounding, overflow): _heat(count, rounding, overflow)
        for rounding in ROUNDINGS
        for overflow in OVERFLOWS
        if (count := _plain(judgement, f"{rounding}/{overflow}")) != Count()
    }
    if fixed:
        caption = "ap_fixed by rounding and overflow, without quirks and specials"
        yield html.heat_map(caption, ROUNDINGS, OVERFLOWS, fixed)
    if judgement.remarks:
        yield html.listed(judgement.remarks)
    if judgement.counterexamples:
        columns = ("level", "type", "input", "answer", "expected", "rule", "cases")
        rows = (
            (e.level.label, e.type, e.value, e.got, e.expected_value, e.rule, f"{e.count:,}")
            for e in judgement.counterexamples
        )
        yield html.table(columns, rows, numbers=1, kind="examples")
    if judgement.raised:
        yield "<p>It raised:</p>" + html.listed(f"{w} ({n:,})" for w, n in judgement.raised.items())
    if judgement.unsupported:
        lines = (f"{why} ({n:,} cases)" for why, n in judgement.unsupported.items())
        yield "<details><summary>Not asked</summary>" + html.listed(lines) + "</details>"
    yield "</section>"


def _plain(judgement: Judgement, mode: str) -> Count:
    """The counts of a mode of ap_fixed, at the levels whose rules nobody disputes."""
    counts = (
        judgement.of(family="fixed", mode=mode, level=level) for level in Level if level.plain
    )
    return sum(counts, Count())


def _missing(judgements: Sequence[Judgement]) -> Iterable[str]:
    if judgements:
        yield "<h2>Not installed</h2>"
        yield html.listed(f"{j.name}: pip install {j.distribution}" for j in judgements)


def _heat(count: Count, *where: str) -> html.Heat:
    share = math.log1p(count.answered) / math.log1p(100_000)
    label = f"{', '.join(where)}: {count.answered:,} answers, {count.differ:,} different"
    shown = f"{count.differ:,}" if count.answered else "raises"
    return html.Heat(shown, label, share, bool(count.differ))
