"""Terms at a point: what a term is once its inputs are known.

The solver's own simplifier answers, so that what is evaluated is what is proven.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bitwuzla import Bitwuzla, Options

from harness.prove.terms import MANAGER, Truth, Word, constant

__all__ = ["holds", "value"]

#: A solver remembers every term that it simplified, so it is replaced after so many.
QUESTIONS = 1000


def value(word: Word, inputs: Iterable[tuple[Word, int]] = ()) -> int:
    """The number that ``word`` is, without a sign, where each input has the low bits of a number.

    Raises:
        ValueError: if it depends on an input that is not given.
    """
    known = {x.term: constant(number, x.width) for x, number in inputs}
    term = MANAGER.substitute_term(word.term, known) if known else word.term
    found = _simplify(term)
    if not found.is_value():
        raise ValueError(f"not every input is given: {found} is left")
    return int(found.value(10))


def holds(truth: Truth, inputs: Iterable[tuple[Word, int]] = ()) -> bool:
    """Whether ``truth`` holds there; raises as :func:`value` does."""
    return value(truth.word(), inputs) == 1


class _Simplifier:
    """The solver, as a function that simplifies a term."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, term: Any) -> Any:
        if self.asked % QUESTIONS == 0:
            self.solver = Bitwuzla(MANAGER, Options())
        self.asked += 1
        return self.solver.simplify_term(term)


_simplify = _Simplifier()
