"""Faults in casts of the quantizers themselves, planted in their text: the quick profile sees each.

Compiled loops run as plain Python here, so that they call the faulty lines.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from harness.oracle import Oracle
from harness.quantize import float_codes, wide
from harness.verify import PROFILES
from harness.verify.engine import examine
from harness.verify.fixed_questions import Cast
from harness.verify.profiles import questions_for
from harness.verify.questions import Question
from harness.verify.recode_questions import FloatToFixed, Recode
from harness.verify.run import rng_of

QUICK = PROFILES["quick"]
ASKED = questions_for(QUICK, np.random.default_rng(0))
#: The types of the quick profile, fewer values.
SIZE = 2000

Fault = tuple[Any, str, str, str, Callable[[Question], bool]]


def _small(q: Question) -> bool:
    return isinstance(q, Recode) and q.source.width == 8


def _from_wide(q: Question) -> bool:
    return isinstance(q, Recode) and q.source.width > 64


def _out(q: Question) -> bool:
    return isinstance(q, FloatToFixed) and q.source.width <= 8


def _wrapping(q: Question) -> bool:
    return isinstance(q, Cast) and q.target.width > 64 and q.target.n > 1


FAULTS: dict[str, Fault] = {
    "negative bits taken as unsigned": (float_codes, "to_fixed", "bits), 0,", "bits), 1,", _out),
    "sign lost": (float_codes, "to_fixed", "-bits, bits", "bits, bits", _out),
    "NaN is its own code alone": (
        float_codes,
        "specials",
        "magnitude > p.top + 1",
        "magnitude == p.nan",
        lambda q: _small(q) and q.source.specials == "ieee",
    ),
    "the NaN of fn is an infinity": (
        float_codes,
        "specials",
        "return magnitude < 0, magnitude == p.nan",
        "return magnitude == p.nan, magnitude < 0",
        lambda q: _small(q) and q.source.specials == "fn",
    ),
    "the NaN of fnuz is a zero": (
        float_codes,
        "specials",
        "code == p.sign",
        "magnitude < 0",
        lambda q: _small(q) and q.source.specials == "fnuz",
    ),
    "wide: one bit too many kept": (
        wide,
        "_fit",
        "low_width = t.width - t.n",
        "low_width = t.width - t.n + 1",
        _wrapping,
    ),
    "wide: N = 2 and more inverts by another bit": (
        wide,
        "_fit",
        "code >> (t.width - t.n) & 1",
        "code >> (t.width - t.n + 1) & 1",
        _wrapping,
    ),
    "wide: ties of floats away from zero": (wide, "_away", "odd == 1", "True", _from_wide),
    "wide: ties of floats always away": (
        wide,
        "_away",
        "NEAREST_ZERO: False",
        "NEAREST_ZERO: True",
        _from_wide,
    ),
    "wide: floats round up below zero": (wide, "_away", "not negative", "negative", _from_wide),
    "wide: to even for to odd": (wide, "_away", "not odd", "odd", _from_wide),
    "wide: what is above the middle is a tie": (wide, "_away", "twice > one", "False", _from_wide),
    "wide: infinities are NaN": (
        wide,
        "value",
        "infinite = t.has_inf and",
        "infinite = False and",
        _from_wide,
    ),
    "wide: NaN is its own code alone": (
        wide,
        "value",
        "magnitude > t.max_magnitude",
        "magnitude == t.max_magnitude + 1",
        _from_wide,
    ),
}


@functools.cache
def right(oracle: Oracle, concerns: Callable[[Question], bool]) -> bool:
    """Whether nothing differs without a fault."""
    return not any(differences(oracle, concerns))


def differences(oracle: Oracle, concerns: Callable[[Question], bool]) -> Iterator[int]:
    """How many codes differ, in each question that a fault concerns."""
    for question in filter(concerns, ASKED):
        inputs = question.inputs(SIZE, rng_of(0, question), 8)
        with np.errstate(over="ignore"):  # as compiled code does
            yield examine(question, oracle, inputs, None, 8).tally.differences


@pytest.mark.parametrize("name", FAULTS)
def test_fault_in_a_cast_is_caught(
    name: str, oracle: Oracle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the fault nothing differs, with it something does."""
    module, function, before, after, concerns = FAULTS[name]
    for loop in ("floats_to_fixed", "floats_to_floats"):
        found = getattr(float_codes, loop)
        monkeypatch.setattr(float_codes, loop, getattr(found, "py_func", None) or found.function)
    source = inspect.getsource(getattr(module, function))
    assert source.count(before) == 1
    assert right(oracle, concerns)
    monkeypatch.setattr(module, function, getattr(module, function))  # to be put back
    exec(source.replace(before, after), vars(module))
    assert any(differences(oracle, concerns))
