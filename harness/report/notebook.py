"""What a notebook shows of types, arrays, verdicts and ranges: one small table each, no script.

The records ask for it when a notebook asks them, so nothing here is imported before; and nothing
here imports the records, whose attributes are enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice
from typing import Any

from harness.types.texts import brief, number

__all__ = ["array_html", "bounds_html", "table", "type_html", "verdict_html"]

#: Elements, and differences, that are shown; the rest are counted.
SHOWN = 12


def table(
    title: str, rows: Iterable[Sequence[str]], columns: Sequence[str] = (), note: str = ""
) -> str:
    """Rows of texts, all of them escaped; without ``columns`` the first of each is its name.

    Args:
        title: what it shows.
        rows: as many texts each as there are columns.
        columns: their names.
        note: what is left out, below.
    """
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in columns)
    body = "".join(f"<tr>{_cells(row, named=not columns)}</tr>" for row in rows)
    return (
        f"<table><caption><b>{escape(title)}</b></caption>"
        + (f"<thead><tr>{head}</tr></thead>" if columns else "")
        + f"<tbody>{body}</tbody></table>"
        + (f"<p>{escape(note)}</p>" if note else "")
    )


def _cells(row: Sequence[str], *, named: bool) -> str:
    texts = [escape(text) for text in row]
    first = f'<th scope="row">{texts[0]}</th>' if named else f"<td>{texts[0]}</td>"
    return first + "".join(f"<td>{text}</td>" for text in texts[1:])


def type_html(t: Any) -> str:
    """A type of any family: bits, range, step, and the laws of its modes."""
    rows = [("bits", _bits(t)), ("range", f"{number(t.min_exact)} to {number(t.max_exact)}")]
    if hasattr(t, "lsb_exact"):
        rows.append(("step", number(t.lsb_exact)))
        rows.append(("codes", f"{brief(t.min_code)} to {brief(t.max_code)}"))
    if hasattr(t, "smallest_exact"):
        rows.append(("smallest", number(t.smallest_exact)))
        rows.append(("specials", _specials(t)))
    for what in ("rounding", "overflow"):
        mode = getattr(t, what, None)
        if mode is not None:
            law = getattr(mode, "law", "")
            rows.append((what, f"{mode}: {law}" if law else str(mode)))
    if getattr(t, "n", 0):
        rows.append(("saturated bits", str(t.n)))
    return table(str(t), rows)


def _bits(t: Any) -> str:
    if hasattr(t, "exp_bits"):
        return f"{t.width}: sign 1, exponent {t.exp_bits}, mantissa {t.frac_bits}"
    if hasattr(t, "frac"):
        sign = "signed" if t.signed else "unsigned"
        return f"{t.width}: integer {t.integer}, fractional {t.frac}, {sign}"
    return str(t.width)


def _specials(t: Any) -> str:
    found = [
        *(["infinities"] if t.has_inf else []),
        *(["NaN"] if t.nan_code is not None else []),
        *(["-0"] if t.negative_zero else []),
        *(["subnormals"] if t.subnormals else []),
    ]
    return ", ".join(found) or "none"


def array_html(x: Any) -> str:
    """The first elements of an array of codes: place, exact value, code."""
    rows, codes = [], x.codes
    for place in islice(_places(x.shape), SHOWN):
        code = codes[place]
        exact = number(int(code) * x.type.lsb_exact) if _is_code(code) else ""
        rows.append((", ".join(map(str, place)), exact, str(code)))
    more = x.size - len(rows)
    title = f"{x.type}, shape {x.shape}" if x.shape else str(x.type)
    return table(title, rows, ("place", "value", "code"), f"and {more:,} more" if more > 0 else "")


def _is_code(code: Any) -> bool:
    """Not so of what a solver computes with."""
    return hasattr(code, "__index__")


def _places(shape: tuple[int, ...]) -> Iterable[tuple[int, ...]]:
    """The places of an array in order, one by one, however many there are."""
    if not shape:
        yield ()
        return
    for first in range(shape[0]):
        for rest in _places(shape[1:]):
            yield (first, *rest)


def bounds_html(x: Any) -> str:
    """The lowest and the highest value of all elements of an interval."""
    rows = [("shape", str(x.shape)), ("type of the bounds", str(x.low.type))]
    if x.low.size:
        low, high = (number(code * x.low.type.lsb_exact) for code in x.extremes)
        rows = [("lowest", low), ("highest", high), *rows]
    return table("interval", rows)


def verdict_html(verdict: Any) -> str:
    """The answer, how much was compared on each path, and the simplest differences."""
    word = "AGREE" if verdict.agrees else "DIFFER" if verdict.checks else "NOTHING COMPARED"
    counts: dict[str, list[Any]] = {}
    for tally in verdict.tallies:
        counts.setdefault(tally.path, []).append(tally)
    rows = [
        (
            path,
            f"{len({tally.type for tally in tallies}):,}",
            f"{sum(tally.checks for tally in tallies):,}",
            f"{sum(tally.differences for tally in tallies):,}",
        )
        for path, tallies in counts.items()
    ]
    title = f"{word}: {verdict.subject} and {verdict.truth}, {verdict.checks:,} codes"
    found = table(title, rows, ("path", "types", "codes", "differ"))
    if verdict.mismatches:
        differ = [_difference(m) for m in verdict.mismatches[:SHOWN]]
        more = len(verdict.mismatches) - len(differ)
        columns = ("type", "how many", "the simplest input", "got", "expected")
        note = f"and {more:,} more" if more > 0 else ""
        found += table("what differs", differ, columns, note)
    return found


def _difference(m: Any) -> tuple[str, ...]:
    same = "" if not m.number or m.number == m.input else f" = {m.number}"
    place = f", {m.place}" if m.place else ""
    got, expected = (m.got_text or str(m.got)), (m.expected_text or str(m.expected))
    return m.question, m.breakdown, f"{m.input}{same}{place}", got, expected
