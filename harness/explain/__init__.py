"""One value on its way into a type, step by step, as people would do it on paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.explain import expressions, fixed, floats
from harness.explain.fixed import Explanation, explain, explain_cast
from harness.explain.numbers import number, read_double
from harness.oracle import Oracle, OracleError
from harness.types import ApFixed, Binary, as_fixed_type, as_number_type

__all__ = [
    "Account",
    "Explanation",
    "account",
    "account_of_cast",
    "account_of_expression",
    "explain",
    "explain_cast",
]


@dataclass(frozen=True)
class Account:
    """What is told of one value.

    Attributes:
        title: what becomes what.
        rows: a name and a text for every step, then for every witness.
        agrees: whether every witness gave the same code.
    """

    title: str
    rows: tuple[tuple[str, str], ...]
    agrees: bool


def account(x: float | str, t: Any, oracle: Oracle | None, why: str = "") -> Account:
    """Every step of ``x`` on its way into ``t``, and what the witnesses say.

    Args:
        x: a double, or the text of one.
        t: the type, or its spelling.
        oracle: compiles the C++; ``None`` if there is none.
        why: ... and why.

    Raises:
        ValueError: for NaN, if ``t`` has none, and for text that is no double.
    """
    t, given = as_number_type(t), []
    if isinstance(x, str):
        text, (x, same) = x.strip(), read_double(x)
        given = [] if same else [("given", f"{text}, of which C++ takes the nearest double")]
    if isinstance(t, ApFixed):
        steps = explain(x, t) if not t.rounding.stochastic else None
        rows = fixed.rows(steps) if steps else floats.chances(x, t)
        witnesses = [_cpp(steps, oracle)] if steps and oracle else []
    elif isinstance(t, Binary):
        rows, witnesses = floats.sign(x, t), []
    else:
        rows, witnesses = floats.rows(x, t), floats.witnesses(x, t, oracle)
    told = (*given, *rows, *((name, text) for name, text, _ in witnesses), *_not_asked(oracle, why))
    return Account(f"{t}  <-  {x!r}", told, all(agrees for _, _, agrees in witnesses))


def account_of_cast(
    code: int, source: Any, t: Any, oracle: Oracle | None, why: str = ""
) -> Account:
    """Every step of a value of one fixed-point type on its way into another.

    Args:
        code: of the value.
        source: its type, or the spelling of it.
        t: the type that it is cast into, likewise.
        oracle: compiles the C++; ``None`` if there is none.
        why: ... and why.

    Raises:
        ValueError: if ``source`` has no such code, and for a cast that the headers leave undefined.
    """
    source, t = as_fixed_type(source), as_fixed_type(t)
    steps = explain_cast(code, source, t)
    told = fixed.rows(steps)
    if oracle is not None:
        name, answer, agrees = _cpp(steps, oracle)
        told.append((name, answer))
    else:
        agrees = True
    value = number(steps.exact)
    return Account(f"{t}  <-  {source}({value})", (*told, *_not_asked(oracle, why)), agrees)


def account_of_expression(text: str, oracle: Oracle | None, why: str = "") -> Account:
    """Operands, result and quirks of a C++ expression or a cast, and what the headers say.

    Args:
        text: the expression.
        oracle: compiles the C++; ``None`` if there is none.
        why: ... and why.

    Raises:
        ValueError: for what is no expression, or does not exist in C++.
        ZeroDivisionError: for a division by zero.
    """
    if cast := expressions.parse_cast(text):
        return account_of_cast(*cast, oracle, why)
    expression = expressions.parse_expression(text)
    told = expressions.rows(expression)
    if oracle is None:
        return Account(text.strip(), (*told, *_not_asked(oracle, why)), True)
    name, answer, agrees = expressions.witness(expression, oracle)
    return Account(text.strip(), (*told, (name, answer)), agrees)


def _not_asked(oracle: Oracle | None, why: str) -> list[tuple[str, str]]:
    return [] if oracle else [("C++", f"not asked: {why}")]


def _cpp(steps: Explanation, oracle: Oracle) -> tuple[str, str, bool]:
    """What the vendor's header says; no answer is no difference."""
    t = steps.type
    try:
        if steps.source is None:
            found = oracle.codes(steps.value, t)[()]
        else:
            found = oracle.cast([int(steps.value)], steps.source, t)[0]
        answer = int(found) % (1 << t.width)
    except OracleError as error:
        return "C++", f"no answer: {error}", True
    agrees = answer == steps.code % (1 << t.width)
    verdict = "the same" if agrees else f"DIFFERENT: {answer:#x}"
    return "C++", f"{verdict}   ({oracle.headers.label})", agrees
