"""The reference against what the header documents: N bits, integers, division, accumulators."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import ApFixed, ApInt, Operation, Rounding, reference, result_type
from harness.testing import any_ap_types, codes

SMALL = list(range(-40, 41))


@pytest.mark.parametrize("n", range(1, 5))
def test_saturated_bits_of_a_signed_wrap(n: int) -> None:
    """Bit by bit: the sign is the source's, N-1 bits its inverse, the rest is copied."""
    t = ApFixed(4, 4, overflow="WRAP", n=n)
    for x in SMALL:
        sign = int(x < 0)
        bits = [sign] + [1 - sign] * (n - 1) + [x >> k & 1 for k in range(3 - n, -1, -1)]
        wrapped = -8 * bits[0] + 4 * bits[1] + 2 * bits[2] + bits[3]
        assert reference.from_int(x, t) == (x if -8 <= x <= 7 else wrapped)


@pytest.mark.parametrize("n", range(1, 5))
def test_saturated_bits_of_an_unsigned_wrap(n: int) -> None:
    """Bit by bit: the top N bits become one, the rest is copied."""
    t = ApFixed(4, 4, signed=False, overflow="WRAP", n=n)
    for x in SMALL:
        bits = [1] * n + [x >> k & 1 for k in range(3 - n, -1, -1)]
        wrapped = 8 * bits[0] + 4 * bits[1] + 2 * bits[2] + bits[3]
        assert reference.from_int(x, t) == (x if 0 <= x <= 15 else wrapped)


@pytest.mark.parametrize("n", range(5))
def test_sign_magnitude_bit_by_bit(n: int) -> None:
    """The sign is the lowest deleted bit (N = 0) or the source's; the rest is inverted by rule."""
    t = ApFixed(4, 4, overflow="WRAP_SM", n=n)
    for x in SMALL:
        old = [x >> k & 1 for k in (3, 2, 1, 0)]
        sign = (x >> 4 & 1) if n == 0 else int(x < 0)
        flip = old[0] != sign if n < 2 else old[n - 1] == sign
        rest = [1 - b if flip else b for b in old]
        kept = max(n, 1)
        bits = ([sign] + [1 - sign] * (kept - 1) + rest[kept:])[:4]
        expected = -8 * bits[0] + 4 * bits[1] + 2 * bits[2] + bits[3]
        assert reference.from_int(x, t) == (x if -8 <= x <= 7 else expected)


@settings(derandomize=True, deadline=None)
@given(t=any_ap_types(max_width=100), data=st.data())
def test_all_saturated_bits_equal_saturation(t: ApFixed, data: st.DataObject) -> None:
    """WRAP and WRAP_SM with N = W are SAT for a signed type."""
    numerator = data.draw(st.integers(-(1 << 104), 1 << 104), label="quarter LSBs")
    source = ApFixed(106, 106 - t.frac - 2)
    saturating = ApFixed(t.width, t.integer, True, t.rounding, "SAT")
    expected = reference.cast(numerator, source, saturating)
    for overflow in ("WRAP", "WRAP_SM"):
        wrapping = ApFixed(t.width, t.integer, True, t.rounding, overflow, t.width)
        assert reference.cast(numerator, source, wrapping) == expected


@settings(derandomize=True, deadline=None)
@given(y=st.fractions(-1000, 1000, max_denominator=64), mode=st.sampled_from(list(Rounding)))
def test_roundings_by_decimal_laws(y: Fraction, mode: Rounding) -> None:
    """Each rounding is the nearest or cut integer that its name says, by Python's own functions."""
    scaled = Fraction(round(y * 64), 64)
    t = ApFixed(20, 20, rounding=mode)
    nearest = scaled.denominator != 2
    half = math.floor(scaled)
    expected = {
        Rounding.TRN: math.floor(scaled),
        Rounding.TRN_ZERO: int(scaled),
        Rounding.RND: round(scaled) if nearest else half + 1,
        Rounding.RND_MIN_INF: round(scaled) if nearest else half,
        Rounding.RND_ZERO: round(scaled) if nearest else int(scaled),
        Rounding.RND_INF: round(scaled) if nearest else half + (scaled > 0),
        Rounding.RND_CONV: round(scaled),
    }
    assert reference.from_double(float(scaled), t) == expected[mode]
    assert reference.cast(int(scaled * 64), ApFixed(20, 14), t) == expected[mode]


@settings(derandomize=True, deadline=None)
@given(a=any_ap_types(max_width=90), b=any_ap_types(max_width=90), data=st.data())
def test_arithmetic_is_exact(a: ApFixed, b: ApFixed, data: st.DataObject) -> None:
    """Sums, differences, products and published quotients are those of exact fractions."""
    x, y = data.draw(codes(a), label="x"), data.draw(codes(b), label="y")
    u, v = x * a.lsb_exact, y * b.lsb_exact
    for op, value in (("+", u + v), ("-", u - v), ("*", u * v)):
        assert reference.compute(op, x, a, y, b) * result_type(op, a, b).lsb_exact == value
    assert reference.compute("neg", x, a) * result_type("neg", a).lsb_exact == -u
    if y:
        lsb = result_type("/", a, b).lsb_exact
        found = reference.compute("/", x, a, y, b, published=True)
        assert abs(found * lsb) <= abs(u / v) < (abs(found) + 1) * lsb
        assert found == 0 or (found < 0) == (u / v < 0)


@pytest.mark.parametrize(
    ("a", "b", "x", "y", "code"),
    [
        ("ap_fixed<4,4>", "ap_fixed<4,4>", 7, -2, -3),
        ("ap_fixed<4,4>", "ap_fixed<4,4>", -7, 2, -3),
        ("ap_fixed<4,4>", "ap_fixed<4,4>", -8, -1, -8),
        ("ap_fixed<4,4>", "ap_fixed<4,4>", -8, 1, -8),
        ("ap_fixed<4,4>", "ap_fixed<4,4>", -7, -1, 7),
        ("ap_fixed<4,4>", "ap_fixed<8,8>", -8, -1, 8),
        ("ap_fixed<64,64>", "ap_fixed<4,4>", -(2**63), -1, -(2**63)),
        ("ap_fixed<65,65>", "ap_fixed<4,4>", -(2**64), -1, -(2**64)),
        ("ap_ufixed<4,4>", "ap_fixed<4,4>", 8, -1, -8),
        ("ap_fixed<16,6>", "ap_fixed<16,6>", 1024, 3072, 341),
    ],
)
def test_quotients_by_hand(a: str, b: str, x: int, y: int, code: int) -> None:
    """Quotients cut toward zero; the minimum by code -1 stays put, in 64 bits too."""
    assert reference.compute("/", x, ApFixed.parse(a), y, ApFixed.parse(b)) == code


def test_accumulators_use_their_own_modes_at_every_step() -> None:
    """A saturating accumulator sticks, a rounding one rounds each addend, a wrapping one wraps."""
    addend = ApFixed(8, 4)
    sat = ApFixed(8, 4, overflow="SAT")
    assert reference.accumulate("+", 0, sat, [59, 59, 59], addend) == [59, 118, 127]
    assert reference.accumulate("-", 0, sat, [59, 59, 59], addend) == [-59, -118, -128]
    coarse = ApFixed(8, 8, rounding="RND")  # 0.5 rounds up to 1 each time
    assert reference.accumulate("+", 0, coarse, [8, 8, 8], addend) == [1, 2, 3]
    assert reference.accumulate("+", 0, ApFixed(8, 8), [8, 8, 8], addend) == [0, 0, 0]
    assert reference.accumulate("+", 5, sat, [], addend) == []


@pytest.mark.parametrize("rounding", list(Rounding), ids=str)
def test_unrounded_deleted_bit(rounding: Rounding) -> None:
    """WRAP_SM with N = 0 takes its sign from floor(x), so 15.5 gives 15's sign and 16.0 its own."""
    t = ApFixed(4, 4, rounding=rounding, overflow="WRAP_SM")
    up = rounding in (Rounding.RND, Rounding.RND_INF, Rounding.RND_CONV)
    # 16 = 1|0000: deleted bit 1, inverted to -1; 15 = 0|1111: deleted bit 0, inverted to 0;
    # 15.5 rounded to 16 = 0000 with the deleted bit of 15 stays 0
    assert reference.from_double(16.0, t) == -1
    assert reference.from_double(15.0, t) == 0
    assert reference.from_double(15.5, t) == 0
    assert reference.from_double(15.5, t, published=True) == (-1 if up else 0)


def test_every_quirk_is_explained() -> None:
    """Each quirk has one line of text, and inputs that show none of them have no name."""
    assert set(reference.QUIRKS) == {
        "sat-sym-one-bit",
        "wrap-sm-unrounded-bit",
        "non-finite",
        "division-of-minimum",
        "subnormal",
        "ap-int-small-negative",
        "ap-int-no-integer-bits",
        "ap-int-division",
        "ap-int-remainder",
        "ap-int-xor-reduce",
        "ap-int-assign-fixed",
        "comparison-unsigned",
        "equality-modulo",
        "comparison-sat-sym",
    }
    assert all(text and "\n" not in text for text in reference.QUIRKS.values())
    assert reference.quirks(1.5, ApFixed(8, 4)) == []
    assert reference.quirks(Fraction(-1), ApFixed(1, 1, overflow="SAT_SYM")) == ["sat-sym-one-bit"]


def test_equality_is_modulo_from_32_bits_on() -> None:
    """C makes both sides unsigned where the unsigned one is the wider and has 32 bits or more."""
    for width, named in ((31, []), (32, ["equality-modulo"])):
        quirks = reference.operator_quirks(
            Operation.EQ, 5, ApInt(width, signed=False), -1, ApInt(8)
        )
        assert list(quirks) == named


def test_an_order_is_of_unsigned_numbers_from_32_bits_on() -> None:
    """The coarser left operand gets the right one's fraction and a bit more: 8 + 23 + 1."""
    for width, named in ((31, []), (32, ["comparison-unsigned"])):
        right = ApFixed(width, width - 23, signed=False)
        assert reference.operator_quirks(Operation.LT, -1, ApInt(8), 5, right) == named


def test_subnormals_of_both_signs_are_named() -> None:
    """The quirk of the smallest doubles has no sign; zeros and normal doubles do not show it."""
    t = ApFixed(8, 4)
    for sign in (1.0, -1.0):
        assert reference.quirks(sign * 2.0**-1030, t) == ["subnormal"]
        assert reference.quirks(sign * 1.5 * 2.0**-1023, t) == ["subnormal"]
        assert reference.quirks(sign * 2.0**-1022, t) == []
        assert reference.quirks(sign * 0.0, t) == []


def test_small_negative_doubles_of_integers_are_named() -> None:
    """Above -1/2 only, where the header goes by another way than below."""
    named = ["ap-int-small-negative"]
    for x, expected in ((-0.25, named), (-0.499, named), (-0.5, []), (-0.75, []), (0.25, [])):
        assert reference.quirks(x, ApInt(8)) == expected
