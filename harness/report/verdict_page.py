"""A verdict as one HTML file that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from harness.explain import Account
from harness.reference import QUIRKS
from harness.report import html, trend
from harness.report.columns import counted
from harness.report.matrix import Cell, Matrix, family_rows, matrix_of, short
from harness.report.verdicts import reason, sentence
from harness.verify.records import Mismatch, Verdict

__all__ = ["KEYS", "page"]

#: What a document of an earlier run is known by.
KEYS = ("agrees", "checks", "differences", "types", "subject", "profile")
#: Letters of a code that is printed smaller.
WIDE = 30
#: Ways into a type, for those who read the name of a path for the first time.
WAYS = {
    "double": "from a double",
    "float": "from a float",
    "integer": "from an integer",
    "cast": "from another type",
    "arithmetic": "operators",
    "accumulate": "sums, step by step",
}


def page(
    verdict: Verdict,
    told: Sequence[tuple[Mismatch, Account | None]] = (),
    earlier: Sequence[tuple[str, Any]] = (),
    command: str = "",
) -> str:
    """The text of the file: no script, and nothing from anywhere else.

    Args:
        verdict: what was found.
        told: differences to show, each with its steps, if there are any.
        earlier: labels and documents of earlier runs, the oldest first.
        command: the command line that finds it again; may be left out.
    """
    word, _, rest = sentence(verdict).partition(": ")
    kicker = "harness verify: do Python and the C++ headers agree, bit for bit?"
    parts = [
        html.header(kicker, verdict.subject, word, "good" if verdict.agrees else "bad", rest),
        *_figures(verdict),
        *_differences(verdict, told),
        *_matrices(verdict),
        *_families(verdict),
        *_history(verdict, earlier),
        *_unwitnessed(verdict),
        *_domains(verdict),
        *_quirks(),
        html.footer(_facts(verdict), command),
    ]
    return html.document(f"{word}: {verdict.subject}", parts)


def _figures(verdict: Verdict) -> Iterable[str]:
    """Three numbers."""
    wrong, open_ = verdict.differences, len(verdict.unwitnessed)
    yield '<section class="questions" aria-label="in numbers">'
    yield html.figure("codes compared", f"{verdict.checks:,}", f"in {verdict.seconds:.1f} s")
    yield html.figure("types", f"{verdict.types:,}", f"profile {verdict.profile}")
    about = f"{counted(open_, 'conversion')} without a C++ witness"
    about = about if open_ else "every question has a witness"
    yield html.figure("differences", f"{wrong:,}", about, "bad" if wrong else "good")
    yield "</section>"


def _differences(
    verdict: Verdict, told: Sequence[tuple[Mismatch, Account | None]]
) -> Iterable[str]:
    """The simplest input of each difference, its steps, and a program."""
    if not verdict.mismatches:
        return
    yield '<h2 id="differences">What differs</h2>'
    for k, (m, account) in enumerate(told):
        yield f'<article class="card long stack difference" data-path="{escape(m.path)}">'
        yield f"<h3>{escape(m.path)}: <code>{escape(m.question)}</code></h3>"
        yield '<div class="pair">' + _side(m.subject, m.got) + _side("C++", m.expected) + "</div>"
        witness = "agrees with C++" if m.reference == m.expected else f"says {m.reference}"
        place = f" ({escape(m.place)})" if m.place else ""
        yield (
            f"<p>input <code>{escape(m.input)}</code>{place}, the simplest of {m.count:,}; the "
            f"exact reference {witness}. Rule: {escape(m.rule)}</p>"
        )
        yield from _causes(m)
        if account is not None:
            yield html.steps(account.rows, f"the steps of {account.title}")
        name = "reproduce.py" if m.snippet.startswith("from ") else f"reproduce{k + 1}.cpp"
        yield html.program(m.snippet, name, "A program that prints the right code")
        yield "</article>"
    left = len(verdict.mismatches) - len(told)
    if left > 0:
        yield f'<p class="soft">and {left:,} more: --json has them all</p>'


def _causes(m: Mismatch) -> Iterable[str]:
    """Where the inputs lie that differ, with the simplest of each kind."""
    if m.causes:
        rows = [(c.kind, f"{c.count:,}", c.input, c.got, c.expected) for c in m.causes]
        columns = ("inputs", "how many", "the simplest", "got", "expected")
        yield '<div class="scroll">' + html.table(columns, rows) + "</div>"


def _side(who: str, code: int | str) -> str:
    kind = "value wide" if len(str(code)) > WIDE else "value"
    return (
        f'<div><div class="soft">{escape(who)} gives the code</div>'
        f'<div class="{kind}">{escape(str(code))}</div></div>'
    )


def _matrices(verdict: Verdict) -> Iterable[str]:
    """A heat map a path: the more codes, the warmer; what differs is red."""
    paths = verdict.paths
    if paths:
        yield "<h2>What was compared</h2>"
        yield (
            '<p class="soft">Types/codes in a cell, the more codes the warmer; '
            "<b>≠ and red: codes that differ</b>.</p>"
        )
    for path in paths:
        matrix = matrix_of(path, list(verdict.on(path)))
        yield f'<section class="card stack" data-path="{path}">'
        yield f"<h3>{path}: {WAYS[path]}</h3>"
        yield f'<p class="soft">{matrix.about}, {matrix.checks:,} codes</p>'
        yield f'<div class="heats">{"".join(_heats(matrix))}</div></section>'


def _heats(matrix: Matrix) -> Iterable[str]:
    largest = math.log1p(max(cell.checks for cell in matrix.cells.values()))
    for group, columns in enumerate(matrix.columns):
        if not columns:
            continue
        cells = {
            (row, column): _heat(cell, f"{row}, {column}", largest)
            for (row, g, column), cell in matrix.cells.items()
            if g == group
        }
        # Many operators stand side by side: a page is wider than their columns.
        step = -(-len(matrix.rows) // 3) if matrix.operators else len(matrix.rows)
        for k in range(0, len(matrix.rows), step):
            caption = matrix.groups[group] or ("operators" if k == 0 else "more operators")
            yield html.heat_map(caption, matrix.rows[k : k + step], columns, cells)


def _heat(cell: Cell, where: str, largest: float) -> html.Heat:
    label = f"{where}: {counted(cell.types, 'type')}, {cell.checks:,} codes"
    label += f", {cell.differences:,} differ" if cell.differences else ", all agree"
    share = math.log1p(cell.checks) / largest if largest else 0.0
    # Codes are many everywhere: what tells cells apart is the upper half of the scale.
    text = f"≠ {short(cell.differences)}" if cell.differences else cell.text
    return html.Heat(text, label, 2 * share - 1, bool(cell.differences))


def _families(verdict: Verdict) -> Iterable[str]:
    """Types of other families, and who said what is right."""
    if not verdict.families:
        return
    yield '<h2>Other types, and who said what is right</h2><div class="card scroll">'
    rows = []
    for row in family_rows(verdict):
        differ = html.marked("wrong", f"{row.differences:,}") if row.differences else "0"
        counts = (f"{n:,}" for n in (row.types, row.checks, row.exhausted))
        rows.append((row.family, row.witness, *counts, differ))
    columns = ("family", "witness", "types", "codes", "codes exhausted", "differ")
    yield html.table(columns, rows, numbers=4)
    yield "</div>"


def _history(verdict: Verdict, earlier: Sequence[tuple[str, Any]]) -> Iterable[str]:
    """Earlier runs and this one."""
    if not earlier:
        return
    this = {
        "agrees": verdict.agrees,
        "checks": verdict.checks,
        "differences": verdict.differences,
        "types": verdict.types,
        "seconds": verdict.seconds,
        "subject": verdict.subject,
        "profile": verdict.profile,
    }
    runs = [*earlier, (f"{verdict.when or 'this run'} (this)", this)]
    yield '<h2 id="history">Earlier runs</h2><div class="card stack">'
    values = [(label, float(run["checks"]), bool(run["agrees"])) for label, run in runs]
    good = sum(agrees for _, _, agrees in values)
    yield trend.bars(values, f"codes compared in {len(runs)} runs, of which {good} agree")
    yield '<p class="soft">Codes compared, run by run; a red run differs.</p>'
    rows = [
        (
            label,
            str(run["subject"]),
            str(run["profile"]),
            "AGREE" if run["agrees"] else "DIFFER",
            f"{run['types']:,}",
            f"{run['checks']:,}",
            f"{run['differences']:,}",
            f"{run.get('seconds', 0):.1f} s",
        )
        for label, run in runs
    ]
    columns = ("run", "subject", "profile", "verdict", "types", "codes", "differ", "took")
    yield html.table(columns, rows, numbers=4)
    yield "</div>"


def _unwitnessed(verdict: Verdict) -> Iterable[str]:
    """What C++ could not answer."""
    if not verdict.unwitnessed:
        return
    yield "<h2>No C++ witness: the exact reference stood in</h2>"
    yield '<div class="card stack">'
    yield html.listed(u.question for u in verdict.unwitnessed)
    for why in dict.fromkeys(reason(u.why) for u in verdict.unwitnessed):
        yield f'<p class="soft">because {escape(why)}</p>'
    yield "</div>"


def _domains(verdict: Verdict) -> Iterable[str]:
    """Where the vendor's ``ap_float.h`` is right."""
    if not verdict.domains:
        return
    count = counted(len(verdict.domains), "conversion")
    yield "<h2>Where ap_float.h is right</h2>"
    yield f'<details class="card"><summary>{count} and the values it was asked about</summary>'
    rows = [(f"{d.source} → {d.type}", d.text) for d in verdict.domains]
    yield html.table(("conversion", "it was asked here; elsewhere minifloat.h is the truth"), rows)
    yield "</details>"


def _quirks() -> Iterable[str]:
    """What the headers do that their text does not say, and the quantizers do too."""
    yield "<h2>Quirks of the headers, which the quantizers follow</h2>"
    yield f'<details class="card" id="quirks"><summary>{len(QUIRKS)} departures</summary>'
    yield html.table(("quirk", "what the C++ does"), list(QUIRKS.items()))
    yield "</details>"


def _facts(verdict: Verdict) -> Iterable[str]:
    yield verdict.truth
    yield from verdict.notes
    yield f"profile {verdict.profile}, seed {verdict.seed}"
    if verdict.when:
        yield verdict.when
