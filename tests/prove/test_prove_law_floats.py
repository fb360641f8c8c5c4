"""The law of small binary floats, and of casts between families, held against the reference."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from law_points import odd_codes, raw, read, word

from harness import ApFixed, ApInt, Binary, reference
from harness.prove.evaluate import values
from harness.prove.law import casts, floats
from harness.prove.record import Outcome
from harness.prove.solve import Claim, Pair, decide
from harness.prove.terms import Integer, Truth, Word
from harness.testing import any_ap_types
from harness.types import FORMATS, FloatRounding, IeeeFloat, MiniFloat, VitisFloat

ROUNDINGS = [r for r in FloatRounding if not r.stochastic]
HALF, BFLOAT = FORMATS["float16"], FORMATS["bfloat16"]
MINIS = [MiniFloat(3, 3, 0), MiniFloat(2, 4, -3), MiniFloat(0, 3, 2), MiniFloat(2, 1, 1)]


def every_ieee(exp_bits: int, sig_bits: int) -> Iterator[IeeeFloat]:
    """Every specials x overflow x subnormals x rounding of a shape."""
    for specials in ("ieee", "fn", "fnuz", "none"):
        for overflow in ("saturate",) if specials == "none" else ("inf", "saturate"):
            for subnormals in (True, False):
                for rounding in ROUNDINGS:
                    yield IeeeFloat(exp_bits, sig_bits, subnormals, overflow, specials, rounding)


@st.composite
def small_floats(draw: st.DrawFn) -> Any:
    """Floats of up to 16 bits of all three families."""
    family = draw(st.sampled_from(["mini", "vitis", "ieee", "ieee"]))
    if family == "mini":
        m, e = draw(st.integers(0, 8)), draw(st.integers(1, 7))
        return MiniFloat(m, e, draw(st.integers(-20, 20)))
    if family == "vitis":
        e = draw(st.integers(4, 8))
        return VitisFloat(e + draw(st.integers(4, 16 - e)), e)
    specials = draw(st.sampled_from(["ieee", "fn", "fnuz", "none"]))
    overflow = draw(st.sampled_from(["saturate"] if specials == "none" else ["inf", "saturate"]))
    e = draw(st.integers(2, 8))
    sig_bits = draw(st.integers(1, 15 - e))
    rounding = draw(st.sampled_from(ROUNDINGS))
    return IeeeFloat(e, sig_bits, draw(st.booleans()), overflow, specials, rounding)


def agree(source: Any, targets: Sequence[Any], codes: Iterable[int]) -> None:
    """Where the law says that there is a code, it is the reference's, which has none elsewhere."""
    code = word("code", source.width)
    law = [casts.cast(code, source, t) for t in targets]
    defined = [casts.defined(code, source, t).word() for t in targets]
    for c in codes:
        found = values([*law, *defined], [(code, c)])
        for t, bits, known in zip(targets, found, found[len(targets) :], strict=False):
            if known:
                assert bits == raw(reference.cast(c, source, t), t), t
            else:
                with pytest.raises(ValueError, match="has no"):
                    reference.cast(c, source, t)


@pytest.mark.parametrize(
    ("source", "shape"),
    [
        (ApFixed(7, 4), (2, 1)),
        (ApFixed(5, 0), (2, 1)),
        (ApFixed(4, 4), (2, 1)),
        (ApFixed(7, 0, signed=False), (3, 2)),
        (ApFixed(5, 2), (3, 2)),
        (ApFixed(4, 7), (3, 2)),
    ],
    ids=str,
)
def test_fixed_point_into_every_small_float(source: ApFixed, shape: tuple[int, int]) -> None:
    """All codes, in every mode and with every special, beyond both ends of the range too."""
    agree(source, [*every_ieee(*shape), *MINIS], source.codes)


@pytest.mark.parametrize(
    "source", [IeeeFloat(4, 2), IeeeFloat(3, 2, specials="fnuz"), MiniFloat(2, 3, 0)], ids=str
)
def test_small_floats_into_every_small_float(source: Any) -> None:
    """All codes: NaN, infinities, and both zeros keep what they are where the target has it."""
    agree(source, [*every_ieee(3, 2), *MINIS, VitisFloat(8, 4)], source.codes)


@pytest.mark.parametrize(
    "source", [*MINIS, VitisFloat(8, 4), *(t for t in every_ieee(3, 2) if t.rounding == 1)], ids=str
)
def test_small_floats_as_values(source: Any) -> None:
    """Every code is unpacked to its value, sign, infinity or NaN; and back."""
    code = word("code", source.width)
    x = floats.unpack(code, source)
    signed = x.units.code(x.units.width)
    parts = [signed, x.infinite.word(), x.nan.word(), x.negative.word()]
    again = casts.cast(code, source, source)
    for c in source.codes:
        units, infinite, nan, negative, back = values([*parts, again], [(code, c)])
        value = reference.decode(c, source)
        assert (infinite, nan) == (abs(value) == math.inf, value != value)
        if isinstance(value, Fraction):
            units -= (units >> (signed.width - 1)) << signed.width
            assert units * Fraction(2) ** -x.frac == value
        sign = reference.floats.unpack(c, source)[0]
        if not nan:
            assert negative == sign
            assert back == reference.cast(c, source, source)


@settings(max_examples=150)
@given(source=any_ap_types(70), t=small_floats(), data=st.data())
def test_fixed_point_into_floats(source: ApFixed, t: Any, data: st.DataObject) -> None:
    """Points where the float's range ends, and anywhere."""
    ends = st.sampled_from([t.emin - t.frac_bits, t.emin, 0, t.emax]).flatmap(
        lambda end: st.integers(end - 2, end + source.width + 2)
    )
    integer = data.draw(ends, label="integer")
    moved = ApFixed(source.width, integer, source.signed)
    agree(moved, [t], data.draw(st.lists(odd_codes(moved), min_size=4, max_size=4), label="codes"))


@settings(max_examples=150)
@given(source=small_floats(), t=small_floats() | any_ap_types(64), data=st.data())
def test_floats_into_anything(source: Any, t: Any, data: st.DataObject) -> None:
    """Between floats of up to 16 bits, and into fixed point."""
    agree(
        source, [t], data.draw(st.lists(odd_codes(source), min_size=5, max_size=5), label="codes")
    )


@pytest.mark.parametrize("t", [Binary(), Binary(zero=-1)], ids=str)
@pytest.mark.parametrize(
    "source",
    [ApFixed(4, 2), ApInt(3, signed=False), MINIS[0], IeeeFloat(3, 2), HALF, Binary()],
    ids=str,
)
def test_signs(source: Any, t: Binary) -> None:
    """-1 or 1; of zeros what the type says, of infinities their sign, of NaN nothing."""
    agree(source, [t], source.codes if source.width < 10 else range(0, 1 << 16, 31))
    agree(t, [source, t, VitisFloat(8, 4)], t.codes)


def test_a_definition_is_asked_for() -> None:
    """What the headers do to fixed point is not done with ``published``, whatever it comes from."""
    t = ApFixed(1, 1, overflow="SAT_SYM")
    for source, c in ((MINIS[0], 0b1000000), (Binary(), 0), (ApFixed(3, 3), -2)):
        code = word("code", source.width)
        law = [casts.cast(code, source, t, published=p) for p in (False, True)]
        expected = [raw(reference.cast(c, source, t, published=p), t) for p in (False, True)]
        assert values(law, [(code, c)]) == expected == [1, 0]
        assert values([casts.cast(code, source, t)], [(code, c)]) == [1]


def test_doubles_are_floats_too() -> None:
    """Of IEEE's own widths, with all of their binades."""
    double, single = IeeeFloat(11, 52), FORMATS["float32"]
    for source, t in ((double, HALF), (double, single), (single, BFLOAT), (HALF, double)):
        top = ((1 << source.exp_bits) - 1) << source.frac_bits
        codes = [0, 1, top, top | 1, top - 1, 0x3F << (source.frac_bits + source.exp_bits - 6)]
        codes += [code | 1 << (source.width - 1) for code in codes]
        agree(source, [t], codes)


def test_a_value_far_outside_of_the_range() -> None:
    """No term grows with the distance."""
    units = word("code", 8).integer(signed=True)
    for frac, code in ((1 << 22, 0x8000), (-(1 << 22), 0xFC00)):
        assert values([floats.to_code(units, frac, HALF)], [(word("code", 8), -5)]) == [code]


@pytest.mark.parametrize("rounding", ["UP", "NEAREST_AWAY"])
def test_all_bits_of_a_magnitude_far_below(rounding: str) -> None:
    """A magnitude without a zero above it is below half of the smallest, wherever its point is."""
    t = HALF.with_modes(rounding=rounding)
    magnitude = word("code", 8).integer(signed=False)
    for frac in range(28, 40):
        found = values([floats.pack(magnitude, Truth(False), frac, t)], [(word("code", 8), 255)])
        assert found == [reference.floats.to_code(Fraction(255, 1 << frac), t)]


@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e5m2", "bfloat16"])
def test_halves_by_way_of_a_wide_fixed_point(name: str) -> None:
    """Proven for every finite half: exact in between, nothing changes but the sign of zero."""
    t, wide = FORMATS[name], ApFixed(45, 18)
    half = Word.named("half", 16)
    direct = casts.cast(half, HALF, t)
    around = casts.cast(casts.cast(half, HALF, wide), wide, t)
    given = [casts.defined(half, HALF, wide), half != 0x8000]
    claim = Claim(name, "law", {"half": half}, [Pair(name, around, direct)], given)
    assert decide(claim).outcome is Outcome.PROVEN


def test_bfloat16_by_way_of_float32() -> None:
    """Proven for every code: widening first changes no rounding."""
    code = Word.named("code", 16)
    wide = FORMATS["float32"]
    around = casts.cast(casts.cast(code, BFLOAT, wide), wide, HALF)
    pair = Pair("half", around, casts.cast(code, BFLOAT, HALF))
    assert decide(Claim("bfloat16", "law", {"code": code}, [pair])).outcome is Outcome.PROVEN


def test_a_narrower_fraction_is_the_known_trick() -> None:
    """Proven for every half: half an ulp less one, and the lowest bit kept, is added."""
    code = Word.named("half", 16)
    lowest = code.bits(3, 3).extended(16, signed=False)
    trick = (code + 3 + lowest).bits(15, 3)
    pair = Pair("ieee<5,7>", trick, casts.cast(code, HALF, IeeeFloat(5, 7)))
    claim = Claim("half", "trick", {"half": code}, [pair], [casts.defined(code, HALF, MINIS[0])])
    assert decide(claim).outcome is Outcome.PROVEN


def test_refused() -> None:
    """A type without a law, and a word that is no code."""
    chance = IeeeFloat(4, 3, rounding="STOCHASTIC")
    with pytest.raises(ValueError, match="rounds by chance"):
        floats.to_code(Integer.of(1), 0, chance)
    with pytest.raises(ValueError, match="rounds by chance"):
        floats.pack(Integer.of(1), Truth(False), 0, chance)
    with pytest.raises(ValueError, match="codes of 16 bits, not of 8"):
        floats.unpack(word("code", 8), HALF)
    assert read(0x7F, ApInt(7)) == -1
