"""The exact reference of floats: facts that can be read off the specifications."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import FORMATS, ApFixed, Binary, FloatRounding, IeeeFloat, MiniFloat, VitisFloat
from harness.reference import cast, decode, floats, from_double, neighbours

E4M3FN = FORMATS["float8_e4m3fn"]
SMALL = [
    *(t for t in FORMATS.values() if t.width <= 8),
    MiniFloat(3, 4, 0),
    MiniFloat(2, 3, -3),
    MiniFloat(0, 3, 0),
    VitisFloat(8, 4),
    IeeeFloat(3, 2, subnormals=False),
]


@pytest.mark.parametrize("t", SMALL, ids=str)
def test_every_number_is_its_own_code(t: object) -> None:
    """Decoding and encoding every code of a small type gives it back, or its canonical twin."""
    canonical = set()
    for code in t.codes:
        value = decode(code, t)
        if value == 0 and not isinstance(value, float):
            canonical.add(0)
            continue
        again = from_double(float(value), t)
        if isinstance(value, float) and math.isnan(value):
            assert again == t.nan_code
        else:
            assert again == code
    assert canonical == {0}  # every type has a zero


@pytest.mark.parametrize(
    ("rounding", "up_tie", "down_tie", "above", "negative_tie"),
    [
        ("NEAREST_EVEN", 1.25, 1.0, 1.125, -1.25),
        ("NEAREST_AWAY", 1.25, 1.125, 1.125, -1.25),
        ("NEAREST_ZERO", 1.125, 1.0, 1.125, -1.125),
        ("UP", 1.25, 1.125, 1.125, -1.125),
        ("DOWN", 1.125, 1.0, 1.0, -1.25),
        ("TOWARD_ZERO", 1.125, 1.0, 1.0, -1.125),
        ("ODD", 1.125, 1.125, 1.125, -1.125),
    ],
)
def test_roundings(
    rounding: str, up_tie: float, down_tie: float, above: float, negative_tie: float
) -> None:
    """Ties at 1.1875 and 1.0625, a value above a tie, and a negative tie, with 3 mantissa bits."""
    t = E4M3FN.with_modes(rounding=rounding)
    found = [decode(from_double(x, t), t) for x in (1.1875, 1.0625, 1.0626, -1.1875)]
    assert found == [up_tie, down_tie, above, negative_tie]


@pytest.mark.parametrize(
    ("t", "x", "expected"),
    [
        (E4M3FN, 464.0, 448.0),  # the tie to 480, which would be NaN's code
        (E4M3FN, 464.1, math.nan),
        (E4M3FN, math.inf, math.nan),
        (E4M3FN.with_modes(overflow="saturate"), 464.1, 448.0),
        (E4M3FN.with_modes(overflow="saturate"), -math.inf, -448.0),
        (FORMATS["float8_e5m2"], 61440.0, math.inf),  # the tie goes to the even 65536
        (FORMATS["float8_e5m2"].with_modes(rounding="DOWN"), 1e9, 57344.0),
        (FORMATS["float8_e5m2"].with_modes(rounding="DOWN"), -1e9, -math.inf),
        (FORMATS["float8_e5m2"].with_modes(rounding="UP"), -1e9, -57344.0),
        (FORMATS["float8_e5m2"].with_modes(rounding="TOWARD_ZERO"), math.inf, math.inf),
        (FORMATS["float8_e5m2"].with_modes(rounding="ODD"), 1e9, 57344.0),
        (FORMATS["float8_e4m3fnuz"], 248.0, math.nan),
        (FORMATS["float4_e2m1fn"], 1e9, 6.0),
        (MiniFloat(3, 4, 0), 1e9, 240.0),
        (MiniFloat(3, 4, 0), -math.inf, -240.0),
    ],
)
def test_beyond_the_largest(t: object, x: float, expected: float) -> None:
    """Overflow goes where the format and the rounding say."""
    found = decode(from_double(x, t), t)
    assert found == expected or (math.isnan(expected) and math.isnan(found))


@pytest.mark.parametrize(
    ("t", "x", "code"),
    [
        (FORMATS["float16"], -0.0, 0x8000),
        (FORMATS["float16"], -1e-30, 0x8000),
        (FORMATS["float8_e4m3fnuz"], -0.0, 0x00),
        (FORMATS["float8_e4m3fnuz"], -1e-30, 0x00),
        (FORMATS["float8_e4m3fnuz"], math.nan, 0x80),
        (FORMATS["float16"], math.nan, 0x7E00),
        (FORMATS["float16"], -math.nan, 0x7E00),
        (E4M3FN, math.nan, 0x7F),
        (MiniFloat(3, 4, 0), 0.0, 0x40),  # the lowest exponent is -8, 0b1000
        (MiniFloat(3, 4, 0), -0.0, 0x40),
        (MiniFloat(3, 4, 0), -1e-30, 0xC0),  # negative, although it rounds to zero
        (MiniFloat(3, 4, 0), 1.0, 0x00),
        (MiniFloat(3, 4, 0), 240.0, 0x3F),
        (Binary(), 0.0, 1),
        (Binary(-1), 0.0, 0),
        (Binary(), -1e-300, 0),
    ],
)
def test_codes(t: object, x: float, code: int) -> None:
    """Zeros, NaN and the fields of a minifloat, as raw bits."""
    assert from_double(x, t) == code


def test_flushing_comes_after_rounding() -> None:
    """Without subnormals, what rounds up to the smallest normal is kept, and the rest is zero."""
    t = VitisFloat(16, 5)
    smallest = 2.0**-14
    assert decode(from_double(smallest * (1 - 2.0**-13), t), t) == smallest
    assert from_double(smallest * (1 - 2.0**-10), t) == 0
    assert from_double(-smallest / 2, t) == 0x8000
    assert decode(0x0001, t) == 0  # a subnormal input is zero too


@pytest.mark.parametrize("t", [MiniFloat(3, 4), FORMATS["float4_e2m1fn"], Binary()], ids=str)
def test_nan_without_a_code_is_refused(t: object) -> None:
    """A type that has no NaN says so."""
    with pytest.raises(ValueError, match="has no NaN"):
        from_double(math.nan, t)


def test_rounding_by_chance_has_no_code() -> None:
    """The reference knows the two neighbours, not the draw."""
    t = E4M3FN.with_modes(rounding=5)
    with pytest.raises(ValueError, match="by chance"):
        from_double(1.1, t)
    low, high = neighbours(Fraction(11, 10), t)
    assert (decode(low, t), decode(high, t)) == (1.0, 1.125)
    assert neighbours(Fraction(1), t) == (from_double(1.0, E4M3FN),) * 2
    for x, pair in ((Fraction(-17, 10), (-1.625, -1.75)), (Fraction(-13, 5), (-2.5, -2.75))):
        low, high = neighbours(x, t)
        assert (decode(low, t), decode(high, t)) == pair
    steps = ApFixed(8, 4, rounding="S_RND", overflow="SAT")
    assert neighbours(Fraction(33, 32), steps) == (16, 17)
    assert neighbours(Fraction(-33, 32), steps) == (-17, -16)
    assert neighbours(Fraction(3, 2), steps) == (24, 24)


@pytest.mark.parametrize(("value", "exponent"), [(4, 2), (Fraction(7, 2), 1), (Fraction(1, 8), -3)])
def test_a_magnitude_is_rounded_in_its_binade(value: object, exponent: int) -> None:
    """From a power of two up to the next; below the smallest normal in that one's."""
    assert floats.exponent_of(Fraction(value), E4M3FN) == exponent
    assert floats.exponent_of(Fraction(1, 1 << 20), E4M3FN) == E4M3FN.emin
    flushing = E4M3FN.with_modes(subnormals=False)
    assert floats.exponent_of(Fraction(1, 1 << 20), flushing) == -20


@given(x=st.floats(allow_nan=False), mode=st.sampled_from(list(FloatRounding)))
def test_result_is_a_neighbour(x: float, mode: FloatRounding) -> None:
    """Whatever the rounding, a value becomes one of the two around it."""
    t = FORMATS["float8_e5m2"].with_modes(rounding=mode, overflow="saturate")
    if mode.stochastic or not math.isfinite(x):
        return
    assert from_double(x, t) in neighbours(Fraction(x), t) or x == 0


def test_casts_between_families() -> None:
    """Exact where the target holds the value; infinities and NaN have no fixed-point code."""
    mini, fixed = MiniFloat(3, 4, 0), ApFixed(16, 8, rounding="RND", overflow="SAT")
    assert cast(from_double(1.5, mini), mini, fixed) == 1.5 * 256
    assert cast(384, fixed, mini) == from_double(1.5, mini)
    half = FORMATS["float16"]
    for code in (0x7C00, 0x7E00):
        with pytest.raises(ValueError, match="has no code"):
            cast(code, half, fixed)
    assert cast(0x7C00, half, E4M3FN) == E4M3FN.nan_code
    assert cast(0xFC00, half, FORMATS["float8_e5m2"]) == 0xFC
