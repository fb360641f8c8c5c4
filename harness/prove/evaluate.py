"""Terms at a point: what a term is once its inputs are known.

The solver's own simplifier answers, so that what is evaluated is what is proven.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

from bitwuzla import Bitwuzla, Options

from harness.prove.terms import MANAGER, Truth, Word, constant

__all__ = ["Inputs", "holds", "value", "values"]

#: Inputs, and a number for each: words are no keys, since ``==`` makes a term of them.
Inputs = Iterable[tuple[Word, int]]
#: A solver remembers every term that it simplified, so it is replaced after so many.
QUESTIONS = 1000


def value(word: Word, inputs: Inputs = ()) -> int:
    """The number that ``word`` is, without a sign, where each input has the low bits of a number.

    Raises:
        ValueError: if it depends on an input that is not given.
    """
    return values([word], inputs)[0]


def values(words: Sequence[Word], inputs: Inputs = ()) -> list[int]:
    """The same of several words; what they share is evaluated once.

    Raises:
        ValueError: if there are no words, or one depends on an input that is not given.
    """
    if not words:
        raise ValueError("no word is asked for")
    known = {x.term: constant(number, x.width) for x, number in inputs}
    together = functools.reduce(Word.above, words).term
    found = _simplify(MANAGER.substitute_term(together, known) if known else together)
    if not found.is_value():
        raise ValueError("the terms depend on an input that is not given")
    rest, numbers = int(found.value(10)), []
    for word in reversed(words):
        numbers.append(rest & ((1 << word.width) - 1))
        rest >>= word.width
    return numbers[::-1]


def holds(truth: Truth, inputs: Inputs = ()) -> bool:
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
