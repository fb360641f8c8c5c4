"""A question as SMT-LIB, which every solver reads: a function of the question alone.

The solver's own printer names terms in the order in which the process met them, so that a question
would have another text, and another hash, after each history.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from bitwuzla import Kind

from harness.prove.terms import Truth, operands_first

__all__ = ["smtlib"]

_NAMES = (
    "and or xor not ite distinct implies:=> iff:= equal:= bv_shr:bvlshr "
    "bv_concat:concat bv_extract:extract bv_repeat:repeat "
    "bv_zero_extend:zero_extend bv_sign_extend:sign_extend "
    "bv_add bv_sub bv_mul bv_udiv bv_urem bv_sdiv bv_srem bv_smod bv_neg "
    "bv_and bv_or bv_xor bv_not bv_nand bv_nor bv_xnor bv_comp bv_shl bv_ashr "
    "bv_ult bv_ule bv_ugt bv_uge bv_slt bv_sle bv_sgt bv_sge"
)
#: What SMT-LIB calls the solver's kinds: those of our terms, and those that yosys writes.
_OPERATORS = {
    getattr(Kind, kind.upper()): name or kind.replace("_", "")
    for kind, _, name in (word.partition(":") for word in _NAMES.split())
}


def smtlib(given: Iterable[Truth]) -> str:
    """Whether an input meets all of it, as text: ``unsat`` if none does.

    Inputs have their names, the second of one name another; all else is numbered as it is met on
    the way through the question.

    Raises:
        ValueError: for a term that is not of truths and words.
    """
    terms = [truth.term for truth in given]
    names: dict[Any, str] = {}
    inputs: list[str] = []
    steps: list[str] = []
    for term in operands_first(terms):
        if term.is_value():
            names[term] = str(term)
        elif term.is_const():
            names[term] = _name(term.symbol() or "x", names.values())
            inputs.append(f"(declare-const {names[term]} {term.sort()})")
        else:
            names[term] = f"t{len(steps)}"
            parts = " ".join((_operator(term), *(names[child] for child in term.children())))
            steps.append(f"(define-fun {names[term]} () {term.sort()} ({parts}))")
    asked = [f"(assert {names[term]})" for term in terms]
    return "\n".join(["(set-logic QF_BV)", *inputs, *steps, *asked, "(check-sat)", "(exit)", ""])


def _name(symbol: str, taken: Iterable[str]) -> str:
    """A name that is new, between the bars that let it be any text."""
    plain = re.sub(r"[|\\]", "_", symbol)
    while re.fullmatch(r"t\d+", plain) or f"|{plain}|" in taken:
        plain += "_"
    return f"|{plain}|"


def _operator(term: Any) -> str:
    kind = term.kind()
    if kind not in _OPERATORS:
        raise ValueError(f"no SMT-LIB is written for {kind}")
    places = " ".join(map(str, term.indices()))
    return f"(_ {_OPERATORS[kind]} {places})" if places else _OPERATORS[kind]
