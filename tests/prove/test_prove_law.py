"""The law of fixed point as terms, held against the reference, which shares no line with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from law_points import every_mode, odd_codes, raw, read, word

from harness import ApFixed, ApInt, reference
from harness.prove.evaluate import holds, value, values
from harness.prove.law import fixed
from harness.prove.terms import Integer, Word
from harness.testing import any_ap_types

SOURCES = [ApFixed(7, 3), ApFixed(7, 3, signed=False), ApFixed(4, 0), ApFixed(3, 5)]
#: Sources and shapes: rounded, out of range, both, and neither.
SHAPES = [
    *((source, (4, 2)) for source in SOURCES),
    (ApFixed(5, 2), (1, 1)),
    (ApFixed(4, 1, signed=False), (1, 1)),
    (ApFixed(5, 2), (1, 0)),
    (ApFixed(7, 5), (3, 2)),
    (ApFixed(4, 0), (3, -1)),
    (ApFixed(5, 1, signed=False), (3, -1)),
]


def agree(source: ApFixed, targets: Sequence[ApFixed], codes: Iterable[int]) -> None:
    """The headers' code and the definition's are the reference's, in every type at every code."""
    code = word("code", source.width)
    asked = [(t, p) for t in targets for p in (False, True)]
    law = [fixed.cast(code, source, t, published=p) for t, p in asked]
    for c in codes:
        expected = [raw(reference.cast(c, source, t, published=p), t) for t, p in asked]
        assert values(law, [(code, c)]) == expected


@pytest.mark.parametrize(("source", "shape"), SHAPES, ids=str)
def test_every_mode_at_every_code(source: ApFixed, shape: tuple[int, int]) -> None:
    """Every rounding x overflow x N x signedness, where values round and overflow."""
    agree(source, [*every_mode(*shape)], source.codes)


@pytest.mark.parametrize("source", [*SOURCES, ApInt(5), ApInt(5, signed=False)], ids=str)
def test_integers_cut_toward_zero(source: ApFixed) -> None:
    """All codes into and from ``ap_[u]int``; without integer bits the header makes -1 of them."""
    integers = [ApInt(w, signed=s) for w in (1, 2, 3, 6) for s in (True, False)]
    saturating = [ApFixed(3, 1, s, "RND_CONV", "SAT") for s in (True, False)]
    agree(source, [*integers, *saturating], source.codes)


@settings(max_examples=250)
@given(source=any_ap_types(128), t=any_ap_types(128), data=st.data())
def test_casts_of_any_width(source: ApFixed, t: ApFixed, data: st.DataObject) -> None:
    """Types of up to 128 bits."""
    agree(source, [t], data.draw(st.lists(odd_codes(source), min_size=4, max_size=4)))


@settings(max_examples=150)
@given(t=any_ap_types(128), distance=st.integers(-150, 150), data=st.data())
def test_points_far_apart(t: ApFixed, distance: int, data: st.DataObject) -> None:
    """Where a value is below every bit of the type, or all of its bits are above."""
    width = data.draw(st.integers(1, 20), label="width")
    source = ApFixed(width, t.integer - t.width + width + distance, t.signed)
    agree(source, [t], data.draw(st.lists(odd_codes(source), min_size=3, max_size=3)))


def test_the_headers_are_meant_unless_it_is_said() -> None:
    """The default of every function is what C++ does."""
    code, narrow = word("code", 3), ApFixed(1, 1, overflow="SAT_SYM")
    units = fixed.decoded(code, ApInt(3))
    law = [fixed.cast(code, ApInt(3), narrow), fixed.to_code(units, 0, narrow)]
    law.append(fixed.converted(units, ApInt(3), narrow))
    assert values(law, [(code, -2)]) == [1, 1, 1]


def test_a_distant_point_costs_nothing() -> None:
    """Points 2**24 places apart are one shift as any other."""
    code, source = word("code", 8), ApFixed(8, 8)
    for integer in (-(2**23), 2**23):
        t = ApFixed(8, integer, rounding="RND_INF", overflow="SAT")
        assert read(value(fixed.cast(code, source, t), [(code, 3)]), t) == (
            127 if integer < 0 else 0
        )


def test_what_has_no_law_is_refused() -> None:
    """Rounding by chance; and what the headers leave undefined, though the definition has it."""
    code = word("code", 4)
    with pytest.raises(ValueError, match="rounds by chance"):
        fixed.cast(code, ApFixed(4, 2), ApFixed(4, 3, rounding="S_RND"))
    with pytest.raises(ValueError, match="is undefined"):
        fixed.cast(code, ApFixed(4, -1), ApInt(4))
    assert value(fixed.cast(code, ApFixed(4, -1), ApInt(4), published=True), [(code, -8)]) == 0


def test_terms_at_a_point() -> None:
    """A word has the low bits of its number; what is left open is no number."""
    a, b = word("a", 4), word("b", 9)
    assert values([a, b, a + 1], [(a, -1), (b, 1 << 8 | 3)]) == [15, 259, 0]
    assert value(Word.of(-1, 70)) == (1 << 70) - 1
    assert holds(a == 3, [(a, 3 + 16)])
    assert not holds(a == 3, [(a, 4)])
    with pytest.raises(ValueError, match="an input that is not given"):
        value(a + b.bits(3, 0), [(a, 1)])
    with pytest.raises(ValueError, match="no word"):
        values([])


def test_many_points_take_no_more_memory_than_few() -> None:
    """The solver that simplifies is replaced before it has kept much, and says the same then."""
    a = word("a", 16)
    square = (a.integer(signed=True) * Integer(a)).code(32)
    assert all(value(square, [(a, k)]) == k * k for k in range(0, 2200, 1))
