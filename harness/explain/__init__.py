"""One value on its way into a type, step by step, as people would do it on paper."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.explain import fixed, floats
from harness.explain.fixed import Explanation, explain
from harness.oracle import Oracle, OracleError
from harness.types import ApFixed, Binary

__all__ = ["Explanation", "explain", "print_explanation"]


def print_explanation(x: float, t: Any, console: Console, oracle: Oracle) -> bool:
    """Print every step of ``x`` on its way into ``t``; whether every witness gave the same code.

    Raises:
        ValueError: for NaN, if ``t`` has none.
    """
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    if isinstance(t, ApFixed):
        steps = explain(x, t) if not t.rounding.stochastic else None
        rows = fixed.rows(steps) if steps else floats.chances(x, t)
        witnesses = [_cpp(steps, oracle)] if steps else []
    elif isinstance(t, Binary):
        rows, witnesses = floats.sign(x, t), []
    else:
        rows, witnesses = floats.rows(x, t), floats.witnesses(x, t, oracle)
    for name, text in rows:
        table.add_row(name, escape(text))
    for name, text, _ in witnesses:
        table.add_row(name, escape(text))
    console.print(f"{t}  <-  {x!r}", style="bold", highlight=False, markup=False)
    console.print(table, highlight=False)
    return all(agrees for _, _, agrees in witnesses)


def _cpp(steps: Explanation, oracle: Oracle) -> tuple[str, str, bool]:
    """What the vendor's header says; no answer is no difference."""
    t = steps.type
    try:
        answer = int(oracle.codes(steps.value, t)[()]) % (1 << t.width)
    except OracleError as error:
        return "C++", f"no answer: {error}", True
    agrees = answer == steps.code % (1 << t.width)
    verdict = "the same" if agrees else f"DIFFERENT: {answer:#x}"
    return "C++", f"{verdict}   ({oracle.headers.label})", agrees
