"""The law of C++'s own floats into fixed point, held against the reference, and with itself."""

from __future__ import annotations

import itertools
import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from law_points import raw, word

from harness import ApFixed, ApInt, reference
from harness.prove.evaluate import holds, values
from harness.prove.law import casts
from harness.prove.law.doubles import from_float, from_float_parts, is_finite
from harness.prove.record import Outcome
from harness.prove.solve import Claim, Pair, decide
from harness.prove.terms import Word
from harness.testing import any_ap_types, values_for
from harness.types import FLOAT64, IeeeFloat

DOUBLE, FLOAT, HALF = (11, 52), (8, 23), (5, 10)
T = ApFixed(16, 6, rounding="RND_CONV", overflow="SAT")
#: The words of zeros, subnormals, the ends of the normal numbers, infinities and NaNs.
FRACTIONS = (0, 1, 1 << 51, (1 << 52) - 1, 0x5555555555555)
FIELDS = (0, 1, 2, 1021, 1022, 1023, 1024, 1074, 1075, 1076, 2045, 2046, 2047)
EDGES = [s << 63 | e << 52 | f for s in (0, 1) for e in FIELDS for f in FRACTIONS]
#: Types that have bits where the smallest and the largest doubles have theirs.
FAR = [
    ApFixed(8, -1020),
    ApFixed(70, -1010, rounding="RND_CONV", overflow="SAT"),
    ApFixed(9, -1066, rounding="RND_ZERO", overflow="WRAP_SM"),
    ApFixed(60, -1015, signed=False, rounding="RND"),
    ApFixed(12, 1030, rounding="TRN_ZERO"),
    ApFixed(64, 1026, signed=False, overflow="WRAP", n=1),
    ApFixed(3, 1026, overflow="SAT_ZERO"),
]
NEAR = [
    T,
    ApFixed(8, 12, rounding="RND_INF", overflow="SAT_SYM"),
    ApFixed(1, 1, overflow="WRAP_SM"),
]
INTEGERS = [ApInt(w, signed=s) for w in (1, 8, 70) for s in (True, False)]
#: Integers that have bits of a float's NaN, and of its infinity.
WIDE = [ApInt(w, signed=s) for w in (106, 128, 130) for s in (True, False)]


def word_of(x: float) -> int:
    """The word of a double."""
    return int(struct.unpack("<Q", struct.pack("<d", x))[0])


def double_of(bits: int) -> float:
    """The double of a word."""
    return float(struct.unpack("<d", struct.pack("<Q", bits))[0])


def laws(t: ApFixed, bits: int) -> tuple[list[int], list[int]]:
    """What both forms say of a double: as the headers read it, and by the definition."""
    x, sign, fraction = word("x", 64), word("sign", 1), word("fraction", 52)
    field = bits >> 52 & 2047
    given = [(x, bits), (sign, bits >> 63), (fraction, bits)]
    found = []
    for p in (False, True):
        parts = from_float_parts(sign == 1, fraction, field, *DOUBLE, t, published=p)
        found.append(values([from_float(x, *DOUBLE, t, published=p), parts], given))
    return found[0], found[1]


def agree(t: ApFixed, bits: int) -> None:
    """Both forms are the reference."""
    x = double_of(bits)
    header, published = laws(t, bits)
    assert header == [raw(reference.from_double(x, t), t)] * 2
    assert holds(is_finite(word("x", 64), *DOUBLE), [(word("x", 64), bits)]) == math.isfinite(x)
    if math.isfinite(x):
        assert published == [raw(reference.from_double(x, t, published=True), t)] * 2


@pytest.mark.parametrize("t", [*FAR, *NEAR, *INTEGERS], ids=str)
def test_words_at_the_edge(t: ApFixed) -> None:
    """Zeros, subnormals, the largest, infinities and NaNs, where types see their bits or do not."""
    for bits in EDGES:
        agree(t, bits)


@settings(max_examples=300)
@given(t=any_ap_types(128), data=st.data())
def test_doubles(t: ApFixed, data: st.DataObject) -> None:
    """Ties, bounds, their neighbours, and any double, in types of up to 128 bits."""
    agree(t, word_of(data.draw(values_for(t), label="x")))


@settings(max_examples=150)
@given(width=st.integers(1, 70), signed=st.booleans(), data=st.data())
def test_doubles_into_integers(width: int, signed: bool, data: st.DataObject) -> None:
    """Cut toward zero, wrapped; but from -0.5 to 0 the header makes 1 of them."""
    t = ApInt(width, signed=signed)
    small = st.floats(-1.5, 1.5)
    agree(t, word_of(data.draw(small | values_for(t), label="x")))


@pytest.mark.parametrize("x", [-0.5, -math.nextafter(0.5, 0), -math.nextafter(0.5, 1), -5e-324])
@pytest.mark.parametrize("t", INTEGERS, ids=str)
def test_the_ends_of_small_negative_numbers(t: ApFixed, x: float) -> None:
    """-0.5 itself is cut to 0, the next above it becomes 1."""
    agree(t, word_of(x))


@pytest.mark.parametrize("source", [IeeeFloat(2, 1), IeeeFloat(4, 3), IeeeFloat(3, 5)], ids=str)
@pytest.mark.parametrize("t", [*NEAR, INTEGERS[3]], ids=str)
def test_any_format_that_a_double_holds(source: IeeeFloat, t: ApFixed) -> None:
    """Every finite word, and the infinities, of which the definition says nothing."""
    x = word("float", source.width)
    shape = source.exp_bits, source.frac_bits
    law = [from_float(x, *shape, t, published=p) for p in (True, False)]
    law.append(is_finite(x, *shape).word())
    for bits in source.codes:
        published, header, finite = values(law, [(x, bits)])
        number = float(reference.decode(bits, source))
        assert finite == math.isfinite(number)
        if finite:
            assert published == raw(reference.from_double(number, t, published=True), t)
        if number == number:
            assert header == raw(reference.from_double(number, t), t)


@pytest.mark.parametrize("t", [*FAR, *NEAR, *INTEGERS, *WIDE], ids=str)
@pytest.mark.parametrize(("dtype", "shape"), [("f2", HALF), ("f4", FLOAT)])
def test_narrow_words_at_the_edge(dtype: str, shape: tuple[int, int], t: ApFixed) -> None:
    """Zeros, subnormals, the largest, infinities and quiet NaNs of both signs."""
    exp_bits, frac_bits = shape
    x, top = word("float", 1 + exp_bits + frac_bits), (1 << exp_bits) - 1
    law = [from_float(x, *shape, t)]
    for field, fraction in itertools.product((0, 1, top - 1, top), (0, 1 << (frac_bits - 1), -1)):
        for sign in (0, 1):
            bits = (sign << exp_bits | field) << frac_bits | fraction % (1 << frac_bits)
            number = float(np.array(bits, f"u{x.width // 8}").view(dtype))
            assert values(law, [(x, bits)]) == [raw(reference.from_float(number, t), t)]


@pytest.mark.parametrize("dtype", ["f2", "f4"])
@settings(max_examples=200)
@given(t=any_ap_types(70) | st.sampled_from([*FAR, *NEAR, *INTEGERS, *WIDE]), data=st.data())
def test_narrower_floats_are_widened(dtype: str, t: ApFixed, data: st.DataObject) -> None:
    """A half or float is the double of its value, but in an integer; so are its subnormals."""
    exp_bits, frac_bits = HALF if dtype == "f2" else FLOAT
    width = 1 + exp_bits + frac_bits
    top = (1 << exp_bits) - 1
    field = data.draw(st.sampled_from([0, 1, top - 1, top]) | st.integers(0, top), label="field")
    fraction = data.draw(st.integers(0, (1 << frac_bits) - 1), label="fraction")
    fraction |= (field == top and fraction != 0) << (frac_bits - 1)  # a quiet NaN
    sign = data.draw(st.integers(0, 1), label="sign")
    bits = sign << (width - 1) | field << frac_bits | fraction
    number = np.array(bits, f"u{width // 8}").view(dtype)
    x = word("float", width)
    parts = (word("sign", 1) == 1, word("fraction", frac_bits), field)
    law = []
    for p in (False, True):
        law.append(from_float(x, exp_bits, frac_bits, t, published=p))
        law.append(from_float_parts(*parts, exp_bits, frac_bits, t, published=p))
    at = [(x, bits), (word("sign", 1), sign), (word("fraction", frac_bits), fraction)]
    found = values(law, at)
    assert found[:2] == [raw(reference.from_float(float(number), t), t)] * 2
    assert holds(is_finite(x, exp_bits, frac_bits), at) == bool(np.isfinite(number))
    if np.isfinite(number):
        assert found[2:] == [raw(reference.from_double(float(number), t, published=True), t)] * 2


def test_a_signalling_nan_is_quiet_once_it_is_widened() -> None:
    """As the processor's conversion has it; a double is read as it is."""
    t = ApFixed(8, 1026)  # the LSB is 2**1018
    law = from_float(word("float", 32), *FLOAT, t)
    assert values([law], [(word("float", 32), 0x7FA00000)]) == [0b01110000]
    assert laws(t, 0x7FF4 << 48)[0] == [0b01010000] * 2


def test_a_float_infinity_in_a_wide_integer() -> None:
    """``ap_int`` reads a float's own exponent: g++ has 2**128 of it, and 0 of a double's."""
    x = word("float", 32)
    wide, narrow = (from_float(x, *FLOAT, ApInt(w)) for w in (130, 128))
    assert values([wide, narrow], [(x, 0x7F800000)]) == [1 << 128, 0]
    assert values([wide], [(x, 0x7F800001)]) == [(1 << 128) + (1 << 105)]
    half = word("half", 16)
    assert values([from_float(half, *HALF, ApInt(130))], [(half, 0x7C00)]) == [1 << 128]
    assert laws(ApInt(200), 0x7FF << 52)[0] == [0, 0]


@pytest.mark.parametrize(
    "t", [T, ApFixed(64, 32, rounding="RND_INF", overflow="WRAP_SM"), ApInt(8)]
)
def test_both_forms_are_one_for_all_doubles(t: ApFixed) -> None:
    """Proven, exponent by exponent, for every sign and fraction."""
    sign, fraction = Word.named("sign", 1), Word.named("fraction", 52)
    for field in (0, 1, 1000, 1022, 1023, 1028, 1029, 1050, 1100, 2046, 2047):
        bits = sign.above(Word.of(field, 11)).above(fraction)
        parts = from_float_parts(sign == 1, fraction, field, *DOUBLE, t)
        pair = Pair(f"field {field}", parts, from_float(bits, *DOUBLE, t))
        claim = Claim(f"{t}", "parts", {"sign": sign, "fraction": fraction}, [pair])
        assert decide(claim).outcome is Outcome.PROVEN


def test_doubles_are_floats_of_their_width() -> None:
    """Proven for every double: what cuts exponents off is the cast that has all 2100 bits."""
    x = Word.named("x", 64)
    published = from_float(x, *DOUBLE, T, published=True)
    pair = Pair(str(T), published, casts.cast(x, FLOAT64, T))
    claim = Claim("double", "from_float", {"x": x}, [pair], [is_finite(x, *DOUBLE)])
    assert decide(claim).outcome is Outcome.PROVEN


def test_the_header_departs_at_the_named_doubles_alone() -> None:
    """For all doubles, in one question: it is the definition for normal ones, in a usual type."""
    x = Word.named("x", 64)
    field = x.bits(62, 52)
    header, published = (from_float(x, *DOUBLE, T, published=p) for p in (False, True))
    pair = [Pair(str(T), header, published)]
    normal = decide(Claim("normal", "header", {"x": x}, pair, [field != 0, field != 2047]))
    assert normal.outcome is Outcome.PROVEN
    far = FAR[0]
    header, published = (from_float(x, *DOUBLE, far, published=p) for p in (False, True))
    every = decide(
        Claim("finite", "header", {"x": x}, [Pair("", header, published)], [field != 2047])
    )
    assert every.outcome is Outcome.REFUTED
    assert every.inputs["x"] >> 52 & 2047 == 0


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: from_float(word("x", 64), *FLOAT, T), "a word of 32 bits"),
        (lambda: from_float(word("x", 64), 12, 51, T), "does not hold 12 and 51"),
        (lambda: from_float(word("x", 64), 10, 53, T), "does not hold 10 and 53"),
        (lambda: is_finite(word("x", 64), 1, 62), "does not hold 1 and 62"),
        (lambda: is_finite(word("x", 12), 11, 0), "does not hold 11 and 0"),
        (lambda: parts(word("f", 51), 3), "has these parts"),
        (lambda: parts(word("f", 52), 2048), "has these parts"),
        (lambda: parts(word("f", 52), -1), "has these parts"),
        (lambda: from_float(word("x", 64), *DOUBLE, ApFixed(8, 4, rounding="S_RND")), "by chance"),
    ],
)
def test_refused(call: Any, match: str) -> None:
    """Other words than these formats have, and a type without a law."""
    with pytest.raises(ValueError, match=match):
        call()


def parts(fraction: Word, field: int) -> Word:
    """A double by its parts."""
    return from_float_parts(word("sign", 1) == 1, fraction, field, *DOUBLE, T)
