"""The float types: what they store, derive, spell and refuse."""

from fractions import Fraction

import pytest

from harness import (
    FORMATS,
    TERNARY,
    ApFixed,
    Binary,
    FloatRounding,
    IeeeFloat,
    MiniFloat,
    StochasticRounding,
    VitisFloat,
    parse_type,
    result_type,
)


@pytest.mark.parametrize(
    ("name", "largest", "smallest", "width"),
    [
        ("float32", Fraction(2**24 - 1) * 2**104, Fraction(1, 2**149), 32),
        ("tf32", Fraction(2**11 - 1) * 2**117, Fraction(1, 2**136), 19),
        ("bfloat16", Fraction(2**8 - 1) * 2**120, Fraction(1, 2**133), 16),
        ("float16", Fraction(65504), Fraction(1, 2**24), 16),
        ("float8_e5m2", Fraction(57344), Fraction(1, 2**16), 8),
        ("float8_e5m2fnuz", Fraction(57344), Fraction(1, 2**17), 8),
        ("float8_e4m3", Fraction(240), Fraction(1, 2**9), 8),
        ("float8_e4m3fn", Fraction(448), Fraction(1, 2**9), 8),
        ("float8_e4m3fnuz", Fraction(240), Fraction(1, 2**10), 8),
        ("float8_e3m4", Fraction(31, 2), Fraction(1, 2**6), 8),
        ("float6_e3m2fn", Fraction(28), Fraction(1, 16), 6),
        ("float6_e2m3fn", Fraction(15, 2), Fraction(1, 8), 6),
        ("float4_e2m1fn", Fraction(6), Fraction(1, 2), 4),
    ],
)
def test_named_formats(name: str, largest: Fraction, smallest: Fraction, width: int) -> None:
    """The ends of each named format, as its specification prints them."""
    t = FORMATS[name]
    assert (t.max_exact, t.smallest_exact, t.width) == (largest, smallest, width)
    assert t.min_exact == -t.max_exact
    assert parse_type(name) == t


def test_every_named_format_is_tested_above() -> None:
    """A format without its own line in the table of this file would be untested."""
    parameters = test_named_formats.pytestmark[0].args[1]
    assert {name for name, *_ in parameters} == set(FORMATS)


@pytest.mark.parametrize(("m", "e", "e0"), [(3, 4, 0), (2, 3, -5), (1, 1, 0), (5, 6, 7)])
def test_minifloat_range(m: int, e: int, e0: int) -> None:
    """Exponents run from -2**(e-1) + e0, the subnormals, to 2**(e-1) - 1 + e0."""
    t = MiniFloat(m, e, e0)
    assert t.emin - 1 == -(2 ** (e - 1)) + e0
    assert t.emax == 2 ** (e - 1) - 1 + e0
    assert t.max_exact == (2 - Fraction(1, 2**m)) * Fraction(2) ** t.emax
    assert t.nan_code is None
    assert t.fixed.max_exact >= t.max_exact
    assert t.fixed.lsb_exact == t.smallest_exact / 2  # the header keeps one bit more


def test_minifloat_code_has_the_header_fields() -> None:
    """Sign, exponent in two's complement, mantissa: zero has the lowest exponent, not code 0."""
    t = MiniFloat(3, 4, 0)
    assert t.flip == 0b0_1000_000
    assert t.width == 8


@pytest.mark.parametrize(
    "text",
    [
        "ap_float<3,4,0>",
        "ap_float<2,3,-5>",
        "ap_float<32,8>",
        "ieee<5,10>",
        "ieee<4,3,fn>",
        "ieee<4,3,fn,saturate,flush,TOWARD_ZERO>",
        "ieee<2,1,none>",
        "binary",
        "binary<-1>",
        "ap_fixed<8,4,S_RND,AP_SAT>",
    ],
)
def test_spellings_round_trip(text: str) -> None:
    """What a type prints is read back as the same type."""
    t = parse_type(text)
    assert str(t) == text
    assert parse_type(str(t)) == t
    assert eval(repr(t)) == t


def test_three_types_share_a_name() -> None:
    """Three arguments are the open minifloat, two are AMD's float."""
    assert parse_type("ap_float<3,4,0>") == MiniFloat(3, 4)
    assert parse_type("ap_float<32,8>") == VitisFloat(32, 8)
    assert parse_type("minifloat<3,4>") == MiniFloat(3, 4)
    assert parse_type("ternary") == TERNARY == ApFixed(2, 2, True, "RND_CONV", "SAT_SYM")


@pytest.mark.parametrize(
    ("alias", "code"),
    [
        ("nearest", 1),
        ("plus_inf", 2),
        ("minus_inf", 3),
        ("towards_zero", 4),
        ("toward_zero", 4),
        ("stoc_prop", 5),
        ("stoc_equal", 6),
        ("nearest_ties_to_zero", 7),
        ("nearest_ties_to_away", 8),
        ("round_to_odd", 9),
    ],
)
def test_rounding_codes_and_aliases(alias: str, code: int) -> None:
    """The integers 1 to 9 and pychop's strings name the same roundings."""
    assert FloatRounding.parse(alias) == FloatRounding.parse(code) == code
    assert IeeeFloat(5, 10, rounding=alias) == IeeeFloat(5, 10, rounding=code)


def test_stochastic_names() -> None:
    """``S_RND`` and ``S_RND_CONV`` are accepted, and are none of the hardware's seven."""
    for name in ("S_RND", "s_rnd_conv"):
        t = ApFixed(8, 4, rounding=name)
        assert isinstance(t.rounding, StochasticRounding)
        assert t.rounding.stochastic
    assert StochasticRounding.S_RND.hardware.name == "RND"
    assert StochasticRounding.S_RND_CONV.hardware.name == "RND_CONV"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MiniFloat(-1, 4), "mantissa bits m must be 0 to 52, not -1"),
        (lambda: MiniFloat(53, 4), "mantissa bits m must be 0 to 52"),
        (lambda: MiniFloat(3, 0), "exponent bits e must be 1 to 11, not 0"),
        (lambda: MiniFloat(3, 12), "exponent bits e must be 1 to 11"),
        (lambda: MiniFloat(3, 4, 10**9), "e0 must be"),
        (lambda: MiniFloat(3.5, 4), "m must be an integer, not 3.5"),
        (lambda: IeeeFloat(1, 3), "exp_bits must be 2 to 15"),
        (lambda: IeeeFloat(16, 3), "exp_bits must be 2 to 15"),
        (lambda: IeeeFloat(5, 0), "sig_bits must be 1 to 112"),
        (lambda: IeeeFloat(5, 113), "sig_bits must be 1 to 112"),
        (lambda: IeeeFloat(5, 10, specials="nan"), "allowed: ieee, fn, fnuz, none"),
        (lambda: IeeeFloat(5, 10, overflow="wrap"), "allowed: inf, saturate"),
        (lambda: IeeeFloat(2, 1, overflow="inf", specials="none"), "has no infinity"),
        (lambda: IeeeFloat(5, 10, subnormals="no"), "subnormals must be True or False"),
        (lambda: IeeeFloat(5, 10, rounding=0), "unknown rounding 0; allowed: 1 NEAREST_EVEN"),
        (lambda: IeeeFloat(5, 10, rounding=True), "unknown rounding True"),
        (lambda: IeeeFloat(5, 10, rounding="up?"), "unknown rounding 'up\\?'"),
        (lambda: VitisFloat(81, 17), "exponent bits e must be 4 to 16"),
        (lambda: VitisFloat(81, 16), "significand bits w - e must be 4 to 64, not 65"),
        (lambda: VitisFloat(7, 4), "significand bits w - e must be 4 to 64, not 3"),
        (lambda: Binary(0), "zero must be 1 or -1"),
        (lambda: parse_type("ap_float<3>"), "ap_float<M,E,E0>"),
        (lambda: parse_type("ap_float<3,,0>"), "empty"),
        (lambda: parse_type("ieee<5>"), "ieee<E,S"),
        (lambda: parse_type("float9"), "cannot read a type"),
        (lambda: parse_type(3), "cannot read a type"),
        (lambda: result_type("+", MiniFloat(3, 4), MiniFloat(3, 4)), "minifloats have \\* alone"),
        (lambda: result_type("*", MiniFloat(3, 4), IeeeFloat(5, 10)), "does not exist"),
        (lambda: result_type("*", MiniFloat(3, 11), ApFixed(8, 4)), "width must be 1 to 1024"),
        (lambda: result_type("*", MiniFloat(3, 11), MiniFloat(3, 4)), "exponent bits e must be"),
    ],
)
def test_refused(make: object, message: str) -> None:
    """Widths out of range, unknown words and missing operations say what is allowed."""
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_products_of_minifloats() -> None:
    """A product's type holds the products of the ends of both operands, exactly."""
    for a, b in [(MiniFloat(3, 4, 0), MiniFloat(2, 3, 5)), (MiniFloat(1, 1), MiniFloat(7, 6, -9))]:
        t = result_type("*", a, b)
        assert t.max_exact >= a.max_exact * b.max_exact
        assert t.smallest_exact <= a.smallest_exact * b.smallest_exact
        assert t.precision >= a.precision + b.precision
    t = result_type("*", ApFixed(8, 4), MiniFloat(3, 4, 0))
    assert t == result_type("*", MiniFloat(3, 4, 0), ApFixed(8, 4)) == ApFixed(26, 12)


def test_types_are_hashable_and_ordered() -> None:
    """Types are keys of dictionaries, and those of a family sort."""
    assert len({MiniFloat(3, 4), MiniFloat(3, 4, 0), VitisFloat(16, 5), IeeeFloat(5, 10)}) == 3
    assert sorted([MiniFloat(3, 4), MiniFloat(2, 4)])[0] == MiniFloat(2, 4)
    assert sorted([VitisFloat(32, 8), VitisFloat(16, 5)])[0] == VitisFloat(16, 5)
