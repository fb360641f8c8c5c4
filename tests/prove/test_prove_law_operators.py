"""The law of operators, held against the reference: small types at every code, wide at odd ones."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from law_points import odd_codes, raw, read, word

from harness import ApFixed, ApInt, Operation, compute_codes, reference, result_type
from harness.prove.evaluate import holds, values
from harness.prove.law.comparisons import compared
from harness.prove.law.operators import compute, defined
from harness.prove.record import Outcome
from harness.prove.solve import Claim, Pair, decide
from harness.prove.terms import Word
from harness.testing import any_ap_types
from harness.types import MiniFloat

BINARY = [op for op in Operation if op.binary]
UNARY = [op for op in Operation if not (op.binary or op.counted or op is Operation.RANGE)]
SMALL = [
    ApFixed(3, 1),
    ApFixed(2, 1, signed=False),
    ApFixed(2, -1, overflow="SAT_SYM"),
    ApFixed(2, 3, rounding="RND_CONV", overflow="SAT"),
    ApFixed(1, 1, overflow="SAT_SYM"),
    ApInt(2),
    ApInt(3),
    ApInt(2, signed=False),
    ApInt(3, signed=False),
]
#: Around the widths of C's integers, where its conversions show.
WIDTHS = [1, 8, 30, 31, 32, 33, 62, 63, 64, 65, 100]
ENDS = [30, 31, 32, 33, 63, 64, 65]


@st.composite
def types(draw: st.DrawFn) -> ApFixed:
    """Integers and fixed point of these widths, and any fixed point."""
    kind = draw(st.sampled_from(["int", "whole", "any"]))
    width, signed = draw(st.sampled_from(WIDTHS)), draw(st.booleans())
    if kind == "int":
        return ApInt(width, signed=signed)
    if kind == "any":
        return draw(any_ap_types(100))
    overflow = draw(st.sampled_from(["WRAP", "SAT_SYM"]))
    return ApFixed(width, width - draw(st.integers(-2, 3)), signed, overflow=overflow)


def exists(op: Operation, ta: Any, tb: Any = None) -> bool:
    """Whether C++ has it."""
    try:
        result_type(op, ta, tb)
    except ValueError:
        return False
    return True


def agree(op: Operation, ta: Any, tb: Any, pairs: Iterable[tuple[int, int]]) -> None:
    """Headers' and definition's codes are the reference's, and where it has none it says so."""
    a, b = word("a", ta.width), word("b", tb.width)
    target = result_type(op, ta, tb)
    law = [compute(op, a, ta, b, tb, published=p) for p in (False, True)]
    law += [defined(op, b, ta, tb, published=p).word() for p in (False, True)]
    for x, y in pairs:
        found = values(law, [(a, x), (b, y)])
        for p in (False, True):
            try:
                expected = raw(reference.compute(op, x, ta, y, tb, published=p), target)
            except ZeroDivisionError:
                assert not found[2 + p]
                continue
            assert found[2 + p]
            assert found[p] == expected, (x, y, p)


#: Operands, and the code that g++ 12 and Cling have.
HEADERS = [
    ("==", ApInt(30, signed=False), (1 << 30) - 1, ApFixed(2, 1), -2, 0),
    ("==", ApFixed(40, 40, signed=False), (1 << 40) - 1, ApFixed(2, 1), -2, 0),
    ("==", ApFixed(64, 64, signed=False), (1 << 64) - 1, ApFixed(2, 1), -2, 0),
    ("==", ApFixed(2, 1), -2, ApFixed(64, 64, signed=False), (1 << 64) - 1, 1),
    ("!=", ApInt(30, signed=False), (1 << 30) - 1, ApFixed(2, 1), -2, 1),
    ("/", ApFixed(64, 64), -(1 << 63), ApFixed(64, 64), -1, -(1 << 63)),
    ("/", ApFixed(64, 64), -(1 << 63), ApFixed(4, 4), -1, -(1 << 63)),
    ("/", ApFixed(60, 60), -(1 << 59), ApFixed(8, 4), -1, -(1 << 63)),
    ("/", ApFixed(63, 63), -(1 << 62), ApFixed(4, 4), -1, -(1 << 62)),
]


@pytest.mark.parametrize(("op", "ta", "x", "tb", "y", "code"), HEADERS)
def test_what_the_headers_say(op: str, ta: ApFixed, x: int, tb: ApFixed, y: int, code: int) -> None:
    """A coarser left operand gets one bit more than its modulus; 64 bits keep their minimum."""
    a, b = word("a", ta.width), word("b", tb.width)
    target = result_type(op, ta, tb)
    assert values([compute(op, a, ta, b, tb)], [(a, x), (b, y)]) == [raw(code, target)]
    assert reference.compute(op, x, ta, y, tb) == code
    left, right = np.array([x], object), np.array([y])
    assert compute_codes(op, left, ta, right, tb).tolist() == [code]


@pytest.mark.parametrize("op", BINARY, ids=str)
def test_binary_operators_at_every_code(op: Operation) -> None:
    """Pairs of small types, mixed ones too, at all of their codes: others for each operator."""
    pairs = [pair for pair in itertools.product(SMALL, SMALL) if exists(op, *pair)]
    for ta, tb in random.Random(op.name).sample(pairs, min(len(pairs), 30)):
        agree(op, ta, tb, itertools.product(ta.codes, tb.codes))


COMPARISONS = [op for op in Operation if op.comparison]


@pytest.mark.parametrize("op", COMPARISONS, ids=str)
def test_comparisons_at_the_ends_of_the_widths(op: Operation) -> None:
    """-1 beside an unsigned number, in every two widths and with every distance of the points."""
    for width, other, places in itertools.product(ENDS, ENDS, (-1, 0, 1)):
        ta, tb = ApFixed(width, width), ApFixed(other, other + places, signed=False)
        codes = [-1 % (1 << other), -1 % (1 << min(width, other)), 1]
        agree(op, ta, tb, [(-1, c) for c in codes])
        agree(op, tb, ta, [(c, -1) for c in codes])
        agree(op, ApInt(width), ApInt(other, signed=False), [(-1, c) for c in codes])


def test_minima_by_minus_one() -> None:
    """The dividend without an opposite, in every width of either operand."""
    for width, other, frac in itertools.product(WIDTHS, WIDTHS, (-1, 0, 3)):
        ta, tb = ApFixed(width, width), ApFixed(other, other - frac)
        pairs = [(ta.min_code, -1), (ta.min_code, tb.min_code), (ta.min_code + 1, -1)]
        agree(Operation.DIV, ta, tb, pairs)
    for width, other in itertools.product(WIDTHS, WIDTHS):
        for op in (Operation.DIV, Operation.MOD):
            one, two = ApInt(width), ApInt(other)
            agree(op, one, two, [(one.min_code, -1), (one.min_code, two.min_code)])


def unary(op: Operation, t: ApFixed, b: Any, codes: Iterable[int]) -> None:
    """The same for one operand, and the number that it takes, if any."""
    a = word("a", t.width)
    target = result_type(op, t, b if op is Operation.RANGE else None)
    law = [compute(op, a, t, b, published=p) for p in (False, True)]
    right = 0 if b is None else b
    for x in codes:
        found = values(law, [(a, x)])
        expected = [
            raw(reference.compute(op, x, t, right, published=p), target) for p in (False, True)
        ]
        assert found == expected, (op, t, b, x)


@pytest.mark.parametrize("op", UNARY, ids=str)
def test_unary_operators(op: Operation) -> None:
    """Every code of small types."""
    for t in [*SMALL, ApInt(1), ApInt(6), ApFixed(6, 3, overflow="WRAP_SM"), ApFixed(5, 0)]:
        if exists(op, t):
            unary(op, t, None, t.codes)


@pytest.mark.parametrize(
    "t", [ApFixed(5, 2), ApFixed(4, 4, signed=False), ApInt(5), ApFixed(1, 0)], ids=str
)
def test_counts_places_and_slices(t: ApFixed) -> None:
    """Shifts by as much as one likes, single bits, and slices in both directions."""
    for op in (
        Operation.LSHIFT,
        Operation.RSHIFT,
        Operation.LSHIFT_ASSIGN,
        Operation.RSHIFT_ASSIGN,
    ):
        for count in (*range(-7, 8), 1 << 30, -(1 << 30)):
            unary(op, t, count, t.codes)
    for place in range(t.width):
        for op in (Operation.BIT, Operation.SET, Operation.CLEAR):
            unary(op, t, place, t.codes)
        for other in range(t.width):
            unary(Operation.RANGE, t, (place, other), t.codes)


@pytest.mark.parametrize(
    ("ta", "tb"),
    [
        (MiniFloat(1, 3, 0), MiniFloat(1, 2, 1)),
        (MiniFloat(2, 2, 0), ApFixed(4, 2)),
        (ApFixed(2, 3, signed=False), MiniFloat(2, 3, 0)),
        (ApInt(3), MiniFloat(0, 2, 3)),
    ],
    ids=str,
)
def test_products_with_minifloats(ta: Any, tb: Any) -> None:
    """Exact, at every pair of codes."""
    agree(Operation.MUL, ta, tb, itertools.product(ta.codes, tb.codes))


def test_the_header_divides_integers_as_one_type_for_all_codes() -> None:
    """Proven: two signed types divide right; refuted where the wider one is unsigned."""
    a, b = Word.named("a", 6), Word.named("b", 8)
    for tb, outcome in ((ApInt(8), Outcome.PROVEN), (ApInt(8, signed=False), Outcome.REFUTED)):
        law = [compute("/", a, ApInt(6), b, tb, published=p) for p in (False, True)]
        given = [defined("/", b, ApInt(6), tb)]
        claim = Claim(f"/ {tb}", "header", {"a": a, "b": b}, [Pair("/", law[0], law[1])], given)
        assert decide(claim).outcome is outcome


def test_a_divisor_that_is_cut_to_zero() -> None:
    """``ap_int /= 0.5`` divides by zero in the header; by definition it doubles."""
    b, t = word("b", 4), ApFixed(4, 2)
    assert not holds(defined("/=", b, ApInt(8), t), [(b, 2)])
    for published in (False, True):
        ok = defined("/=", b, ApInt(8), t, published=published)
        assert holds(ok, [(b, 2)]) == published
        assert holds(ok, [(b, -4)])
        assert not holds(ok, [(b, 0)])
    assert holds(defined("+", b, t, t), [(b, 0)])


def test_refused() -> None:
    """What C++ does not have, counts out of bounds, and comparisons that are none."""
    a, t = word("a", 4), ApFixed(4, 2)
    with pytest.raises(ValueError, match="takes integer types"):
        compute("%", a, t, a, t)
    with pytest.raises(ValueError, match="takes 0 to 3 on its right, not 4"):
        compute("[]", a, t, 4)
    with pytest.raises(ValueError, match="on its right, not -2147483648"):
        compute("<<", a, t, -(1 << 31))
    less = compared(Operation.LT, word("x", 64), ApInt(64), word("y", 64), ApInt(64, signed=False))
    assert not holds(less, [(word("x", 64), -1), (word("y", 64), 5)])  # as the headers have it
    with pytest.raises(ValueError, match="is no comparison"):
        compared(Operation.ADD, a, t, a, t)


@settings(max_examples=250)
@given(op=st.sampled_from(BINARY), ta=types(), tb=types(), data=st.data())
def test_binary_operators(op: Operation, ta: ApFixed, tb: ApFixed, data: st.DataObject) -> None:
    """Around the widths of C's integers, and elsewhere up to 100 bits."""
    assume(exists(op, ta, tb))
    pairs = st.tuples(odd_codes(ta), odd_codes(tb))
    agree(op, ta, tb, data.draw(st.lists(pairs, min_size=4, max_size=4), label="pairs"))


@settings(max_examples=200)
@given(op=st.sampled_from(COMPARISONS), ta=types(), tb=types(), data=st.data())
def test_values_that_are_near(op: Operation, ta: ApFixed, tb: ApFixed, data: st.DataObject) -> None:
    """Two operands that are equal, next to each other, or equal but for a multiple of a power."""
    assume(exists(op, ta, tb))
    x = data.draw(odd_codes(ta), label="x")
    near = int(x * ta.lsb_exact / tb.lsb_exact)
    steps = st.tuples(
        st.integers(-1, 1), st.sampled_from([0, 1, -1]), st.sampled_from([32, 64, 99])
    )
    found = data.draw(st.lists(steps, min_size=3, max_size=3), label="steps")
    agree(op, ta, tb, [(x, read(near + k + (s << p), tb)) for k, s, p in found])


@settings(max_examples=150)
@given(op=st.sampled_from(UNARY), t=types(), data=st.data())
def test_wide_unary_operators(op: Operation, t: ApFixed, data: st.DataObject) -> None:
    """Types of up to 100 bits."""
    assume(exists(op, t))
    unary(op, t, None, data.draw(st.lists(odd_codes(t), min_size=3, max_size=3), label="codes"))
