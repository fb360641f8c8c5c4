"""Put one question to everyone and compare the codes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from harness import reference
from harness.oracle import Oracle
from harness.quantize import decode
from harness.quantize.plan import as_int64
from harness.types import ApFixed, Binary, BinaryFloat, number
from harness.verify.accumulate_questions import Accumulation
from harness.verify.compare import WORDS, by_level, code_text, complexity, place_of
from harness.verify.levels import Level
from harness.verify.minifloat_questions import FloatProduct
from harness.verify.operator_questions import Operator
from harness.verify.questions import Answer, Inputs, Question
from harness.verify.records import Cause, Mismatch, Tally, Unwitnessed

__all__ = ["Finding", "SubjectError", "differing", "examine", "simplest"]

Array = np.ndarray[Any, Any]
#: How many inputs of a question the exact reference answers: it is scalar.
SAMPLE = 64
#: The witness of a question about other types that C++ could not be asked.
ALONE = "the exact reference alone"
LARGEST = Fraction(1.7e308)


class SubjectError(Exception):
    """The subject under test raised, or returned something that is no answer."""


@dataclass(frozen=True)
class Finding:
    """What one question came to."""

    tally: Tally
    mismatches: tuple[Mismatch, ...] = ()
    unwitnessed: Unwitnessed | None = None


def examine(
    question: Question,
    oracle: Oracle,
    inputs: Inputs,
    answers: Sequence[Answer] | None = None,
    exhaustive_width: int = 0,
) -> Finding:
    """Compare every answer to ``question`` with the truth, and the exact reference with it too.

    Where the headers would end the process the exact reference stands in for them, on a sample.
    """
    why = refusal(question, oracle)
    if why is None:
        truth = question.ask(oracle, inputs)
    else:
        inputs = _taken(question, inputs, SAMPLE)
        truth = _exact_codes(question, inputs)
    if isinstance(question, Accumulation):
        inputs = question.steps(inputs, truth)
    checks = differences = 0
    mismatches = []
    for name, limit, answer in question.answers() if answers is None else answers:
        some = inputs if limit is None else _taken(question, inputs, limit)
        expected = truth if limit is None else truth[:limit]
        wrong, got = differing(answer(some), expected, question.target)
        checks += expected.size
        differences += wrong.size
        if wrong.size:
            mismatches.append(_mismatch(question, oracle, name, answer, some, expected, got, wrong))
    if why is None:
        count = min(SAMPLE, truth.size)
        exact = _exact_codes(question, inputs, count)
        wrong = np.flatnonzero(exact != truth[:count])
        checks += count
        differences += wrong.size
        if wrong.size:
            mismatches.append(simplest(question, "reference", inputs, exact, truth, wrong))
    tally = Tally(
        question.path,
        question.target,
        checks,
        differences,
        question.witness if why is None else question.witness and ALONE,
        question.exhausted(exhaustive_width) if why is None else 0,
        question.cell,
    )
    unwitnessed = Unwitnessed(question.label, why, checks) if why else None
    return Finding(tally, tuple(mismatches), unwitnessed)


def refusal(question: Question, oracle: Oracle) -> str | None:
    """Why C++ cannot answer; ``None`` if it can, or another truth does."""
    return None if question.kernel is None else oracle.refusal(question.kernel)


def differing(answer: Any, expected: Array, t: Any) -> tuple[Array, Array]:
    """The indices at which an answer is not the expected code, and its codes as objects or ints.

    An answer is codes (integers) or values (floats); a value that the type does not have differs.

    Raises:
        SubjectError: if the answer has another shape, or is neither integers nor floats.
    """
    array = np.asarray(answer)
    if array.shape != expected.shape:
        raise SubjectError(f"returned shape {array.shape} for inputs of shape {expected.shape}")
    if array.dtype.kind in "iu" or (array.dtype.kind == "O" and expected.dtype.kind == "O"):
        if array.dtype == np.uint64:
            array = array.view(np.int64)
        return np.flatnonzero(array != expected), array
    if array.dtype.kind != "f":
        raise SubjectError(
            f"returned dtype {array.dtype}; allowed: integers (codes) or floats (values)"
        )
    if not isinstance(t, ApFixed):
        return _differing_values(array, expected, t)
    # Scaling by a power of two is exact here, and what is no code cannot become one.
    with np.errstate(all="ignore"):
        y = np.ldexp(array.astype(np.float64), t.frac)
        valid = (y == np.rint(y)) & (np.abs(y) < 2.0**63)
        codes = np.where(valid, y, 0.0).astype(np.int64)
    wrong = np.flatnonzero(~valid | (codes != expected))
    return wrong, np.where(valid, codes.astype(object), array.astype(object))


def _differing_values(values: Array, expected: Array, t: Any) -> tuple[Array, Array]:
    """The same for values of floats: equal numbers, whatever the sign of a zero; NaN is NaN."""
    numbers = values.astype(np.float64)
    try:
        wanted = decode(expected, t)
    except ValueError as error:
        raise SubjectError(f"returned values, but {error}") from None
    wrong = np.flatnonzero((numbers != wanted) & ~(np.isnan(numbers) & np.isnan(wanted)))
    shown = expected.astype(object)
    shown[wrong] = [_as_code(x, t) for x in numbers[wrong].tolist()]
    return wrong, shown


def _as_code(x: float, t: Any) -> int | float:
    """The code of a value that the type has, else the value."""
    try:
        code = reference.from_double(x, t)
    except ValueError:
        return x
    value = reference.decode(code, t)
    return code if value == x or (math.isnan(x) and math.isnan(value)) else x


def rule_broken(value: Fraction | None, t: Any) -> str:
    """The law that decides the code of an exact value in ``t``."""
    if isinstance(t, Binary):
        return f"the sign; 0 is {t.zero}"
    if isinstance(t, BinaryFloat):
        return _float_rule(value, t)
    if value is None:
        return "non-finite inputs count as +-2**1024"
    y = value / t.lsb_exact
    if t.min_code <= y <= t.max_code:
        return f"{t.rounding.cpp}: {t.rounding.law}"
    n = f", N = {t.n}" if t.n else ""
    return f"{t.overflow.cpp}{n}: {t.overflow.law}"


def _float_rule(value: Fraction | None, t: BinaryFloat) -> str:
    if value is None:
        return "NaN is the quiet NaN; infinities are infinities, or overflow"
    if abs(value) > t.max_exact:
        return (
            f"overflow, {t.overflow}: beyond {float(min(t.max_exact, LARGEST)):.6g} after rounding"
        )
    if abs(value) < Fraction(2) ** t.emin and not t.subnormals:
        return "no subnormals: below the smallest normal, after rounding, is 0"
    return f"{t.rounding}: {t.rounding.law}"


def _taken(question: Question, inputs: Inputs, count: int) -> Inputs:
    """The first ``count`` inputs; an accumulation's first entry is its start."""
    head = 1 if isinstance(question, Accumulation) else 0
    return (*inputs[:head], *(None if i is None else i[:count] for i in inputs[head:]))


def _exact_codes(question: Question, inputs: Inputs, count: int | None = None) -> Array:
    """The exact reference's codes, in the currency of the oracle."""
    t = question.target
    if isinstance(question, Accumulation) and len(inputs) == 2:
        addends = [int(b) for b in inputs[1]]
        codes = reference.accumulate(question.op, inputs[0], t, addends, question.b)
    else:
        size = inputs[1].size if isinstance(question, Accumulation) else inputs[0].size
        codes = [question.exact(inputs, k) for k in range(size if count is None else count)]
    if t.width > 64:
        out = np.empty(len(codes), dtype=object)
        out[:] = codes
        return out
    return np.array([as_int64(code) for code in codes], dtype=np.int64)


def _mismatch(
    question: Question,
    oracle: Oracle,
    name: str,
    answer: Callable[[Inputs], Any],
    inputs: Inputs,
    expected: Array,
    got: Array,
    wrong: Array,
) -> Mismatch:
    """The simplest difference: of a grid of simple inputs if one of them differs, else as drawn."""
    drawn = simplest(question, name, inputs, got, expected, wrong)
    simple = question.simple()
    if simple is not None and refusal(question, oracle) is None:
        truth = question.ask(oracle, simple)
        some, codes = differing(answer(simple), truth, question.target)
        if some.size:
            found = simplest(question, name, simple, codes, truth, some)
            return replace(found, count=drawn.count, checks=drawn.checks, causes=drawn.causes)
    return drawn


def simplest(
    question: Question, name: str, inputs: Inputs, got: Array, expected: Array, wrong: Array
) -> Mismatch:
    """The mismatch at the simplest of the ``wrong`` inputs, standing for all of them."""
    t, values = question.target, {k: question.value(inputs, k) for k in wrong.tolist()}
    levels = by_level(values, t)
    k = min((best for _, best in levels.values()), key=lambda k: complexity(values[k]))
    value, answer = values[k], got[k]
    # An operator's value is its result already: it lies nowhere.
    result = isinstance(question, Operator | FloatProduct)
    return Mismatch(
        path=question.path,
        subject=name,
        question=question.label,
        input=question.show(inputs, k),
        got=int(answer) if isinstance(answer, (int, np.integer)) else code_text(answer, t),
        expected=int(expected[k]),
        reference=int(question.exact(inputs, k)),
        rule=rule_broken(value, t),
        count=wrong.size,
        snippet=question.snippet(inputs, k),
        checks=expected.size,
        number="" if value is None else number(value),
        place="" if result else place_of(value, t),
        got_text=code_text(answer, t),
        expected_text=code_text(expected[k], t),
        causes=() if result else tuple(_causes(question, inputs, got, expected, levels)),
    )


def _causes(
    question: Question,
    inputs: Inputs,
    got: Array,
    expected: Array,
    levels: dict[Level, tuple[int, int]],
) -> Iterator[Cause]:
    """The differences by where their inputs lie."""
    t = question.target
    for level, (count, k) in levels.items():
        answers = code_text(got[k], t), code_text(expected[k], t)
        yield Cause(level.label, WORDS[level][count > 1], count, question.show(inputs, k), *answers)
