"""Every operator of arrays and of tensors, held against the exact reference."""

import re

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from harness import ApFixed, ApInt, Operation, compute_codes, reference, result_type
from harness.quantize.plan import as_int64
from harness.testing import any_ap_types, codes
from harness.types import FLOAT64, FORMATS, count_bounds


def integers(max_width: int) -> st.SearchStrategy[ApInt]:
    """Integer types, those of C's own sizes often."""
    widths = st.sampled_from([1, 8, 31, 32, 33, 63, 64]) | st.integers(1, max_width)
    return st.builds(ApInt, widths.filter(lambda w: w <= max_width), st.booleans())


@st.composite
def operations(draw: st.DrawFn, max_width: int) -> tuple:
    """An operation that C++ has, its types, and one pair of operands."""
    op = draw(st.sampled_from(list(Operation)))
    kinds = any_ap_types(max_width=max_width) | integers(max_width)
    ta, tb = draw(kinds), draw(kinds) if op.binary else None
    if op.comparison and draw(st.booleans()):  # of one width, where C has rules of its own
        tb = ApInt(ta.width, draw(st.booleans()))
    a = draw(codes(ta))
    if op is Operation.RANGE:
        places = st.integers(0, ta.width - 1)
        b = draw(places), draw(places)
    elif op.counted:
        low, high = count_bounds(op, ta)
        near = st.integers(max(low, -ta.width - 2), min(high, ta.width + 2))
        b = draw(near | st.sampled_from([low, high]))
    else:
        b = draw(codes(tb)) if tb is not None else None
    try:
        target = result_type(op, ta, b if op is Operation.RANGE else tb)
        expected = reference.compute(op, a, ta, b, tb)
    except (ValueError, ZeroDivisionError):
        assume(False)
    return op, a, ta, b, tb, target, expected


def folded(code: int, t: object) -> int:
    """A code as the words of its type travel."""
    return as_int64(code) if t.width <= 64 else code


def column(code: int, t: object) -> np.ndarray:
    """One code as an array of the dtype that its type has."""
    return np.array([folded(code, t)], np.int64 if t.width <= 64 else object)


@given(operations(max_width=90))
def test_arrays(drawn: tuple) -> None:
    """Of any width: the reference's code, in the result's type."""
    op, a, ta, b, tb, target, expected = drawn
    right = column(b, tb) if tb is not None else b
    got = compute_codes(op, column(a, ta), ta, right, tb)
    assert got.tolist() == [folded(expected, target)]


@given(operations(max_width=64))
def test_tensors(drawn: tuple) -> None:
    """Up to 64 bits: the same code, or a refusal that names NumPy."""
    op, a, ta, b, tb, target, expected = drawn
    right = torch.from_numpy(column(b, tb)) if tb is not None else b
    try:
        got = compute_codes(op, torch.from_numpy(column(a, ta)), ta, right, tb)
    except ValueError as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert re.search("use NumPy|64 bits", refusal)
        return
    assert got.dtype == torch.int64
    assert got.tolist() == [folded(expected, target)]


def test_wherever_header_and_definition_differ_a_quirk_is_named() -> None:
    """All pairs of codes of small types: the predicates are complete, and each one is seen."""
    seen = set()
    types = [ApInt(3), ApInt(2, signed=False), ApInt(4, signed=False), ApFixed(4, 2), ApFixed(3, 0)]
    for op in Operation:
        for ta in types:
            for tb in types if op.binary else [None]:
                seen |= _differences(op, ta, tb)
    assert {
        "ap-int-division",
        "ap-int-remainder",
        "ap-int-xor-reduce",
        "ap-int-assign-fixed",
        "ap-int-no-integer-bits",
        "division-of-minimum",
    } <= seen


def _differences(op: Operation, ta: ApFixed, tb: ApFixed | None) -> set[str]:
    found = set()
    for a in ta.codes:
        for b in tb.codes if tb is not None else [(0, 0) if op is Operation.RANGE else 0]:
            try:
                header = reference.compute(op, a, ta, b, tb)
                published = reference.compute(op, a, ta, b, tb, published=True)
            except (ValueError, ZeroDivisionError):
                continue
            if header != published:
                names = reference.operator_quirks(op, a, ta, b, tb)
                assert names, (op, ta, tb, a, b)
                found |= set(names)
    return found


@pytest.mark.parametrize(
    ("op", "ta", "tb", "expected"),
    [
        ("+", ApInt(8), ApInt(8), ApInt(9)),
        ("-", ApInt(8, signed=False), ApInt(8, signed=False), ApInt(9)),
        ("/", ApInt(8, signed=False), ApInt(4), ApInt(9)),
        ("%", ApInt(8), ApInt(7, signed=False), ApInt(8)),
        ("%", ApInt(8, signed=False), ApInt(4), ApInt(4, signed=False)),
        ("&", ApInt(8), ApInt(8, signed=False), ApInt(9)),
        ("&", ApFixed(8, 4), ApFixed(6, 2, signed=False), ApFixed(8, 4)),
        ("+", ApInt(8), ApFixed(8, 4), ApFixed(13, 9)),
        ("<", ApFixed(8, 4), ApInt(3), ApInt(1, signed=False)),
        ("neg", ApInt(1), None, ApInt(3)),
        ("neg", ApInt(8, signed=False), None, ApInt(9)),
        ("~", ApFixed(8, 4, rounding="RND"), None, ApFixed(8, 4)),
        ("<<", ApFixed(8, 4, rounding="RND"), None, ApFixed(8, 4, rounding="RND")),
        ("concat", ApInt(3), ApInt(5), ApInt(8, signed=False)),
        ("range", ApFixed(8, 4), (6, 1), ApInt(6, signed=False)),
        ("to_uint64", ApFixed(8, 4), None, ApInt(64, signed=False)),
        ("to_double", ApFixed(8, 4), None, FLOAT64),
        ("to_float", ApInt(8), None, FORMATS["float32"]),
        ("-=", ApFixed(8, 4), ApFixed(9, 9), ApFixed(8, 4)),
    ],
)
def test_result_types(op: str, ta: ApFixed, tb: object, expected: object) -> None:
    """The type that C++ gives the expression."""
    assert result_type(op, ta, tb) == expected


@pytest.mark.parametrize(
    ("op", "ta", "tb", "why"),
    [
        ("%", ApFixed(8, 4), ApInt(3), "takes integer types"),
        ("concat", ApFixed(8, 4), ApInt(3), "take the range of each first"),
        ("xor_reduce", ApFixed(8, 4), None, "take its range first"),
        ("++", ApFixed(8, 9), None, "adds an ap_ufixed<0,1>"),
        ("to_int", ApFixed(8, -1), None, "reads memory that it never wrote"),
        ("to_double", ApInt(65), None, "takes the low 64 bits"),
        ("to_float", ApFixed(8, 140), None, "no subnormals and no infinity"),
        ("%=", ApInt(8), ApFixed(8, 4), "takes integer types"),
        ("range", ApFixed(8, 4), (8, 0), "has bits 0 to 7"),
        ("sqrt", ApFixed(8, 4), None, "hls::sqrt is closed"),
        ("hls::abs", ApFixed(8, 4), None, "hls::abs is in no open header"),
        ("**", ApFixed(8, 4), ApFixed(8, 4), "unknown operation"),
        ("+", ApFixed(8, 4), None, "takes two types"),
        ("~", ApFixed(8, 4), ApFixed(8, 4), "takes one type"),
    ],
)
def test_what_cpp_does_not_have(op: str, ta: ApFixed, tb: object, why: str) -> None:
    """Refused by name, in one line."""
    with pytest.raises(ValueError, match=why) as caught:
        result_type(op, ta, tb)
    assert "\n" not in str(caught.value)


def test_counts() -> None:
    """One for all or one for each element; what is no count of the type is refused."""
    t = ApInt(8)
    assert compute_codes("<<", [1, 1, 1], t, np.array([0, 3, -1])).tolist() == [1, 8, 0]
    assert compute_codes("[]", 0b101, t, np.arange(3)).tolist() == [1, 0, 1]
    with pytest.raises(ValueError, match="takes 0 to 7 on its right, not 8"):
        compute_codes("[]", [1], t, 8)
    with pytest.raises(ValueError, match="on its right, not 2147483648"):
        compute_codes("<<", [1], t, 2**31)
    with pytest.raises(TypeError, match="takes integers on its right"):
        compute_codes("<<", [1], t, 1.0)
    with pytest.raises(ValueError, match="takes two operands"):
        compute_codes("<<", [1], t)
    with pytest.raises(ZeroDivisionError):
        compute_codes("%", [1], t, [0], t)


def test_to_double_is_the_double() -> None:
    """Its codes are the words of float64."""
    words = compute_codes("to_double", [24, -128], ApFixed(8, 4))
    assert words.view(np.float64).tolist() == [1.5, -8.0]


@pytest.mark.parametrize("place", [63, np.array([63, 63])])
def test_the_highest_bit_of_64(place: object) -> None:
    """By a number for all codes too, which as an integer of Python is no ``int64``."""
    codes = np.array([0, -1])
    assert compute_codes("set", codes, "ap_int<64>", place).tolist() == [-(2**63), -1]
    assert compute_codes("clear", codes, "ap_int<64>", place).tolist() == [0, 2**63 - 1]
