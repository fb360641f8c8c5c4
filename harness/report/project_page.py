"""What was found of an hls4ml project, as one HTML file that needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from urllib.parse import quote

from harness.fixed import Fixed
from harness.hls.check import Fidelity, Findings, LayerLoss
from harness.hls.compare import Difference, types_of
from harness.hls.project.verify import LayerRow
from harness.report.drawings import Scale, axis, bits, histogram, legend
from harness.report.html import document, listed
from harness.report.questions import Answer, answers, suggested

__all__ = ["page"]

#: Input codes of a difference that the page shows.
SHOWN = 256
MOODS = {"AGREE": "good", "BROKEN": "bad", "DIFFER": "bad", "LOSES": "bad"}


def page(findings: Findings, command: str = "") -> str:
    """The text of the file: no script, and nothing from anywhere else.

    Args:
        findings: what was found.
        command: the command line that finds it again; may be left out.
    """
    parts = [
        *_head(findings),
        *_broken(findings),
        *_layers(findings),
        *_difference(findings),
        *_changes(findings),
        *_types(findings),
        *_rest(findings, command),
    ]
    return document(f"{findings.verdict}: {findings.name}", parts)


def _head(findings: Findings) -> Iterable[str]:
    """Name, verdict, and the three questions."""
    verdict = f'<span class="pill {MOODS[findings.verdict]}" id="verdict">{findings.verdict}</span>'
    yield '<header><div class="kicker">harness verify-project: does the hardware compute my model?'
    yield f"</div><h1>{escape(findings.name)} {verdict}</h1>"
    told = findings.summary.removeprefix(f"{findings.verdict}: ")
    yield f'<p class="summary">{escape(told)}</p></header>'
    yield '<section class="questions">' + "".join(map(_card, answers(findings))) + "</section>"


def _card(answer: Answer) -> str:
    return (
        f'<article class="card {answer.mood}" data-question="{answer.key}">'
        f"<h3>{escape(answer.question)}</h3>"
        f'<span class="pill">{escape(answer.verdict)}</span><p>{escape(answer.text)}</p></article>'
    )


def _broken(findings: Findings) -> Iterable[str]:
    """All that is wrong with the project itself."""
    if findings.broken:
        yield "<h2>What is wrong with the project</h2>"
        yield listed(findings.broken)


def _layers(findings: Findings) -> Iterable[str]:
    """One row a layer: its values against its type, what differs, and what it loses."""
    if findings.cpp is None:
        return
    losses = {} if findings.model is None else {x.name: x for x in findings.model.layers}
    scale = Scale.of(list(losses.values()))
    yield "<h2>The layers</h2>"
    yield legend()
    yield (
        '<div class="card scroll"><table class="layers"><thead><tr><th>layer</th>'
        f"<th>bits of the result{axis(scale)}</th><th>values</th>"
        '<th class="number">codes<br>compared</th><th class="number">differ</th>'
        '<th class="number">rms error<br>of signal</th><th class="number">flips<br>so far</th>'
        "</tr></thead><tbody>"
    )
    for row in findings.cpp.layers:
        yield _row(row, losses.get(row.name), scale, findings.model)
    yield "</tbody></table></div>"


def _row(row: LayerRow, loss: LayerLoss | None, scale: Scale, model: Fidelity | None) -> str:
    kind = ""
    if row.differences or (model is not None and model.blames(row.name)):
        kind = "culprit"
    elif model is not None and row.name == model.culprit:
        kind = "doubtful"
    types = " → ".join(dict.fromkeys([*map(str, row.layer.input_types), str(row.layer.result)]))
    drawn = values = ""
    error = flips = "-"
    if loss is not None:
        drawn, values = bits(loss, scale), _values(loss)
        error = f"{loss.error.rms_error:.2g} of {loss.signal:.2g}"
        flips = f"{loss.total.flips:,}"
    cells = [
        f'<td><span class="name">{escape(row.name)}</span> {escape(row.kernel)}'
        f'<span class="mono">{escape(types)}</span></td>',
        f'<td data-column="bits">{drawn}</td><td data-column="values">{values}</td>',
        _number("codes compared", "-" if row.codes is None else f"{row.codes:,}"),
        _number(
            "differ", "-" if row.differences is None else f"{row.differences:,}", row.differences
        ),
        _number("rms error", error),
        _number("flips so far", flips),
    ]
    return f'<tr class="{kind}" data-layer="{escape(row.name)}">' + "".join(cells) + "</tr>"


def _values(loss: LayerLoss) -> str:
    """The histogram, its ends, and what happened to values that the type does not hold."""
    shares = (("wrap", loss.wrapped), ("saturate", loss.saturated), ("become 0", loss.lost))
    told = ", ".join(f"{share:.2%} {word}" for word, share in shares if share)
    start, end = loss.spread.start, loss.spread.end
    ends = f'<div class="ends"><span>{start:.3g}</span><span>{end:.3g}</span></div>'
    return histogram(loss) + ends + (f'<div class="soft">{told}</div>' if told else "")


def _number(column: str, text: str, wrong: int | None = 0) -> str:
    inner = f'<span class="wrong">{text}</span>' if wrong else f"<span>{text}</span>"
    return f'<td class="number" data-column="{column}">{inner}</td>'


def _difference(findings: Findings) -> Iterable[str]:
    """The first difference: both codes, the accumulator, the inputs, and a file to run."""
    walk = None if findings.cpp is None else findings.cpp.walk
    if walk is None or walk.first is None:
        return
    first = walk.first
    place = ", ".join(map(str, first.index))
    yield '<h2 id="difference">The first difference</h2><div class="card long stack">'
    yield (
        f"<p><b>{escape(first.layer.name)}</b> ({type(first.layer).__name__}), row {first.row}, "
        f"output [{place}]</p>"
    )
    sides = _side("the types say", first.got) + _side("the C++ computes", first.expected)
    yield f'<div class="pair">{sides}</div>'
    for name, mine, theirs in first.types:
        here, there = escape(str(mine)), escape(str(theirs))
        yield f"<p>{escape(name)}: <code>{here}</code> here, <code>{there}</code> in the C++</p>"
    if first.steps:
        yield f"<pre>{_marked(first.steps)}</pre>"
    yield from (_codes(k, x) for k, x in enumerate(first.inputs))
    yield _reproducer(first) + "</div>"


def _side(who: str, x: Fixed) -> str:
    value = float(x.values())
    return (
        f'<div><div class="soft">{who}</div><div class="value">{value:.10g}</div>'
        f"<code>code {int(x.codes)} of {escape(str(x.type))}</code></div>"
    )


def _marked(lines: Sequence[str]) -> str:
    """Lines, those emphasised that a mark points to."""
    return "\n".join(
        f'<span class="here">{escape(line)}</span>' if "<- here" in line else escape(line)
        for line in lines
    )


def _codes(k: int, x: Fixed) -> str:
    codes = [str(code) for code in x.codes.ravel()[:SHOWN].tolist()]
    left = x.codes.size - len(codes)
    text = ", ".join(codes) + (f", and {left:,} more" if left > 0 else "")
    return (
        f"<details><summary>input {k}: {x.codes.size:,} codes of {escape(str(x.type))}</summary>"
        f'<pre style="white-space: pre-wrap">{text}</pre></details>'
    )


def _reproducer(first: Difference) -> str:
    text = first.cpp
    link = f"data:text/x-c++src;charset=utf-8,{quote(text)}"
    lines = len(text.splitlines())
    return (
        f"<details><summary>A C++ file that runs this row: {lines:,} lines</summary>"
        f'<p><a class="save" download="reproduce.cpp" href="{link}">save reproduce.cpp</a></p>'
        f'<pre id="reproducer">{escape(text)}</pre></details>'
    )


def _changes(findings: Findings) -> Iterable[str]:
    """What to change, what it brings, and the patch."""
    advice = findings.advice
    if advice is None:
        return
    yield '<h2 id="changes">What to change</h2><div class="card stack">'
    yield listed(suggested(advice))
    if advice.changes:
        yield '<p class="soft">In hls4ml\'s configuration (a click selects all):</p>'
        yield f'<pre class="patch" id="patch">{escape(json.dumps(advice.config, indent=2))}</pre>'
    yield "</div>"


def _types(findings: Findings) -> Iterable[str]:
    """Every type of every layer."""
    if findings.cpp is None:
        return
    yield '<h2>The types</h2><div class="card scroll"><table class="types"><tbody>'
    for row in findings.cpp.layers:
        chips = "".join(
            f"<span>{escape(name.removesuffix('_type'))} <code>{escape(str(t))}</code></span>"
            for name, t in types_of(row.layer).items()
        )
        yield f'<tr data-types="{escape(row.name)}"><td><b>{escape(row.name)}</b></td>'
        yield f'<td><div class="chips">{chips}</div></td></tr>'
    yield "</tbody></table></div>"


def _rest(findings: Findings, command: str) -> Iterable[str]:
    """What was not compared, and how to run it again."""
    if findings.left:
        yield "<h2>Not compared</h2>" + listed(findings.left)
    if command:
        yield '<footer><span class="soft">Run it again:</span>'
        yield f'<pre id="command">{escape(command)}</pre></footer>'
