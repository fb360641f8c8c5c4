"""Write docs/conformance.md: other libraries' quantizers held against the headers, by a run.

python scripts/conformance.py

It takes an environment in which the libraries of ``harness.conformance.subjects`` are installed;
one that is missing is listed as such.
"""

import contextlib
import textwrap
from collections.abc import Iterator
from pathlib import Path

from harness.conformance.levels import Level
from harness.conformance.records import Conformance, Count, Judgement
from harness.conformance.run import run
from harness.conformance.sheets import fresh, golden
from harness.conformance.subjects import SUBJECTS
from harness.oracle import Oracle
from harness.report.conformance import MODES, modes, spread, told

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "conformance.md"
#: Kinds of counterexamples of a library that the page has.
SHOWN = 8

HEAD = """\
# Conformance of the field

Written by `scripts/conformance.py`, from a run. Each library's own function stands behind one of
ours (`harness/conformance/adapters/`), and is asked about the golden vectors and about `verify`'s
cases: {cases:,} conversions into {types} types, answered by the vendor's C++ headers, and by MPFR
for IEEE formats. It is asked about what its documents offer, by the names of modes that they give
the same meaning, and about types that its dtype holds; everything else is *not offered*, which is
no difference. **A difference is no verdict:** the headers are one law among several, and a library
that documents another is right by its own. Asked were

{versions}.

```
harness conformance                     # all that are installed
harness conformance apytypes QONNX      # these
harness conformance --subject mine:q    # your own q(x, type)
harness conformance --html page.html    # as a page
harness conformance --vectors DIR       # the vectors, with a checker that needs Python alone
```

A case is of one level, from easy to what no type has:

| level | cases |
|---|---|
{levels}

## Answers that are not the headers'

A dash: nothing of the kind is offered. Modes are those of `ap_fixed`, of {modes}, that the library
offers.

"""


def overview(found: Conformance) -> Iterator[str]:
    """A row a library."""
    yield "| library | modes | asked |" + "".join(f" {level} |" for level in Level)
    yield "|---|--:|--:|" + "--:|" * len(Level)
    for one in found.judgements:
        if one.version is not None:
            cells = "".join(f" {_cell(one.of(level=level))} |" for level in Level)
            link = f"[{one.name}](#{one.name.lower()})"
            yield f"| {link} | {modes(one)} | {one.total.answered:,} |{cells}"


def _cell(count: Count) -> str:
    if count.differ:
        return f"**{count.differ:,}**"
    return "0" if count.answered else "raises" if count.raised else "-"


def library(one: Judgement) -> Iterator[str]:
    """What was asked of it, what it answers otherwise, and why."""
    yield f"## {one.name}"
    yield ""
    total = one.total
    told_of = f"{total.answered:,} answers, {total.differ:,} of them different"
    yield f"{one.version}; `{one.call}`: {told_of}. Its documents: {one.promise}."
    yield ""
    yield from (f"- {remark}" for remark in one.remarks)
    if one.raised:
        raised = "; ".join(f"`{words}` ({count:,})" for words, count in one.raised.items())
        yield f"- It raised: {raised}."
    if one.remarks or one.raised:
        yield ""
    if one.counterexamples:
        yield "| level | the simplest case | rule | cases |"
        yield "|---|---|---|--:|"
        for example in sorted(spread(one.counterexamples, SHOWN), key=one.counterexamples.index):
            rule = example.rule.replace("|", "\\|")
            yield f"| {example.level} | `{told(example)}` | {rule} | {example.count:,} |"
        yield ""
        more = len(one.counterexamples) - SHOWN
        if more > 0:
            yield f"And {more} more kinds: `harness conformance {one.name} --json` has them."
            yield ""
    if one.unsupported:
        most = sorted(one.unsupported.items(), key=lambda item: -item[1])
        yield "Not offered: " + "; ".join(f"{why} ({count:,})" for why, count in most) + "."
        yield ""


def page(found: Conformance) -> str:
    """The text."""
    asked = [one for one in found.judgements if one.version is not None]
    head = HEAD.format(
        cases=found.cases,
        types=found.types,
        versions=textwrap.fill(", ".join(f"{one.name} {one.version}" for one in asked), 100),
        levels="\n".join(f"| {level} | {level.about} |" for level in Level),
        modes=MODES,
    )
    lines = [*overview(found), "", *(line for one in asked for line in library(one))]
    missing = [one.name for one in found.judgements if one.version is None]
    if missing:
        lines += [f"Not installed where this was made: {', '.join(missing)}.", ""]
    lines += [f"- {note}" for note in (*found.truth, *found.notes, f"seed {found.seed}")]
    return head + "\n".join(lines) + "\n"


def main() -> None:
    """Run, and write the page."""
    with contextlib.closing(Oracle()) as oracle:
        sheets = [*golden(), *fresh(oracle, 0)]
        truth = (oracle.headers.label, f"compiled by {oracle.compiler}")
    PAGE.write_text(page(run(SUBJECTS, sheets, truth=truth)), encoding="utf-8")


if __name__ == "__main__":
    main()
