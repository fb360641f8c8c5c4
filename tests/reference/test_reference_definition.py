"""The exact reference against the published tables, computed by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import ApFixed, ApInt, reference
from harness.testing import any_ap_types, values_for
from harness.types import MiniFloat

# mode: codes of -1.5, -0.75, -0.5, 0.5, 0.75, 1.5, 2.5 in units of the LSB
TIES = {
    "TRN": [-2, -1, -1, 0, 0, 1, 2],
    "TRN_ZERO": [-1, 0, 0, 0, 0, 1, 2],
    "RND": [-1, -1, 0, 1, 1, 2, 3],
    "RND_MIN_INF": [-2, -1, -1, 0, 1, 1, 2],
    "RND_ZERO": [-1, -1, 0, 0, 1, 1, 2],
    "RND_INF": [-2, -1, -1, 1, 1, 2, 3],
    "RND_CONV": [-2, -1, 0, 0, 1, 2, 2],
}


@pytest.mark.parametrize("mode", TIES)
@pytest.mark.parametrize("frac", [0, 5, -3])
def test_rounding(mode: str, frac: int) -> None:
    """Ties and their neighbours go where the mode's name says, whatever the LSB."""
    t = ApFixed(10, 10 - frac, rounding=mode)
    values = [y * 2.0**-frac for y in (-1.5, -0.75, -0.5, 0.5, 0.75, 1.5, 2.5)]
    assert [reference.from_double(x, t) for x in values] == TIES[mode]


@pytest.mark.parametrize(
    ("overflow", "n", "signed", "codes"),
    [
        ("SAT", 0, True, {19: 7, -19: -8}),
        ("SAT", 0, False, {19: 15, -19: 0}),
        ("SAT_ZERO", 0, True, {19: 0, -19: 0, 7: 7}),
        ("SAT_SYM", 0, True, {19: 7, -19: -7, -8: -7}),
        ("SAT_SYM", 0, False, {19: 15, -19: 0}),
        ("WRAP", 0, True, {31: -1, -19: -3}),
        ("WRAP", 0, False, {19: 3, -19: 13}),
        ("WRAP", 1, True, {19: 3}),
        ("WRAP", 2, True, {19: 7, -19: -7}),
        ("WRAP", 3, True, {19: 7}),
        ("WRAP", 4, True, {19: 7, -19: -8, 5: 5}),
        ("WRAP", 1, False, {19: 11}),
        ("WRAP", 2, False, {19: 15, -19: 13}),
        ("WRAP_SM", 0, True, {19: -4, -19: 2, 8: 7, 15: 0, 16: -1, -9: -8, -16: -1, -17: 0}),
        ("WRAP_SM", 1, True, {19: 3, 8: 7}),
        ("WRAP_SM", 4, True, {19: 7, -19: -8}),
    ],
)
def test_overflow(overflow: str, n: int, signed: bool, codes: dict[int, int]) -> None:
    """Integers out of range of <4,4> come out as the published tables have it."""
    t = ApFixed(4, 4, signed, "TRN", overflow, n)
    assert {x: reference.from_double(float(x), t) for x in codes} == codes
    assert {x: reference.from_int(x, t) for x in codes} == codes


def test_rounding_comes_first() -> None:
    """A carry out of rounding overflows."""
    assert reference.from_double(7.5, ApFixed(4, 4, rounding="RND")) == -8
    assert reference.from_double(7.5, ApFixed(4, 4, rounding="RND", overflow="SAT")) == 7
    assert reference.from_double(7.3, ApFixed(4, 4, rounding="RND", overflow="SAT_ZERO")) == 7


@pytest.mark.parametrize(
    ("quirk", "x", "t", "header", "published"),
    [
        ("sat-sym-one-bit", -3.0, ApFixed(1, 1, overflow="SAT_SYM"), -1, 0),
        ("wrap-sm-unrounded-bit", 15.5, ApFixed(4, 4, True, "RND", "WRAP_SM"), 0, -1),
        ("subnormal", 2.0**-1074, ApFixed(8, -1020), 2**5, 0),
    ],
)
def test_quirks(quirk: str, x: float, t: ApFixed, header: int, published: int) -> None:
    """Each quirk has an input on which header and definition part, and its predicate knows."""
    assert reference.from_double(x, t) == header
    assert reference.from_double(x, t, published=True) == published
    assert quirk in reference.quirks(x, t)
    assert quirk in reference.QUIRKS


def test_division_of_minimum() -> None:
    """-8 / -1 in <4,4> stays -8; by definition it is 8, which the result type holds."""
    t = ApFixed(4, 4)
    assert reference.compute("/", -8, t, -1, t) == -8
    assert reference.compute("/", -8, t, -1, t, published=True) == 8
    word = ApFixed(64, 64)
    assert reference.compute("/", word.min_code, word, -1, t) == word.min_code
    assert reference.operator_quirks("/", word.min_code, word, -1, t) == ["division-of-minimum"]


@given(data=st.data(), t=any_ap_types(max_width=80))
def test_every_departure_is_a_named_quirk(data: st.DataObject, t: ApFixed) -> None:
    """Wherever header and definition differ, a quirk's predicate holds."""
    x = data.draw(values_for(t, finite=True), label="x")
    if reference.from_double(x, t) != reference.from_double(x, t, published=True):
        assert reference.quirks(x, t)


@pytest.mark.parametrize("x", [math.nan, math.inf, -math.inf])
def test_non_finite(x: float) -> None:
    """The definition gives no code; the header saturates by sign, or wraps to 0."""
    t = ApFixed(8, 4, overflow="SAT")
    with pytest.raises(ValueError, match="the definition gives no code"):
        reference.from_double(x, t, published=True)
    assert reference.from_double(x, t) == (-128 if x == -math.inf else 127)
    assert reference.from_double(math.copysign(math.nan, -1.0), t) == -128
    assert reference.from_double(x, ApFixed(8, 4)) == 0
    assert reference.quirks(x, t) == ["non-finite"]


def test_floats() -> None:
    """Doubles of their values, but for infinities and NaN in an integer of more than 105 bits."""
    wide = ApInt(130)
    assert reference.from_float(-math.inf, wide) == -(1 << 128)
    assert reference.from_float(math.nan, wide) == 3 << 127
    assert reference.from_double(math.inf, wide) == reference.from_float(math.inf, ApInt(128)) == 0
    assert reference.from_float(math.inf, ApFixed(130, 130)) == 0
    assert reference.from_float(2.0**127, wide) == 1 << 127
    assert reference.from_float(-(2.0**-149), wide) == 1
    half = MiniFloat(1, 3, 0)
    assert reference.from_float(0.75, half) == reference.from_double(0.75, half)
    with pytest.raises(ValueError, match=r"0\.1 is no C\+\+ float"):
        reference.from_float(0.1, wide)
    with pytest.raises(ValueError, match="no C"):
        reference.from_float(1e300, wide)
    with pytest.raises(ValueError, match="the definition gives no code"):
        reference.from_float(math.inf, wide, published=True)


@pytest.mark.parametrize(("op", "header", "published"), [("++", 0, 0), ("--", -1, 0)])
def test_steps_of_one_bit(op: str, header: int, published: int) -> None:
    """A step converts to the type, with its quirks and their names."""
    t = ApFixed(1, 1, overflow="SAT_SYM")
    assert reference.compute(op, 0, t) == header
    assert reference.compute(op, 0, t, published=True) == published
    moved = ["sat-sym-one-bit"] if header != published else []
    assert reference.operator_quirks(op, 0, t) == moved


def test_small_and_signed_zeros() -> None:
    """Zeros are code 0; a tiny negative floors to -1 LSB, and wraps to an unsigned maximum."""
    assert reference.from_double(-0.0, ApFixed(8, 4)) == 0
    assert reference.from_double(-1e-30, ApFixed(8, 4)) == -1
    assert reference.from_double(-1e-30, ApFixed(8, 4, signed=False)) == 255


def test_accumulator() -> None:
    """3 x 3.6875 in <8,4> wraps to -4.9375, and every step is told."""
    t = ApFixed(8, 4)
    assert reference.accumulate("+", 0, t, [59, 59, 59], t) == [59, 118, 177 - 256]
    assert -79 / 16 == -4.9375


def test_arithmetic() -> None:
    """Quotients are cut toward zero; shifts lose bits and reverse with a negative count."""
    t = ApFixed(8, 4)
    assert reference.compute("/", -7 * 16, t, 2 * 16, t) == -56  # -3.5 with 4 fractional bits
    assert reference.compute("/", -1, ApFixed(4, 4), 2, ApFixed(4, 4)) == 0
    assert reference.compute("*", -128, t, -128, t) == 128 * 128
    assert reference.compute("-", 0, ApFixed(4, 4, False), 15, ApFixed(4, 4, False)) == -15
    assert reference.compute("<<", 0b01100000, t, 1) == -64
    assert reference.compute("<<", -3, t, -1) == reference.compute(">>", -3, t, 1) == -2
    assert reference.compute(">>", -3, t, 100) == -1
    with pytest.raises(ZeroDivisionError):
        reference.compute("/", 1, t, 0, t)


def test_codes_are_checked() -> None:
    """What is no code of the type is refused."""
    with pytest.raises(ValueError, match="128 is not a code"):
        reference.decode(128, ApFixed(8, 4))
