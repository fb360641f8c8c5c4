"""How types are read, printed and identified: the spellings people write, in every variation."""

from __future__ import annotations

import copy
import itertools
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import (
    FORMATS,
    ApFixed,
    ApInt,
    IeeeFloat,
    MiniFloat,
    Operation,
    Overflow,
    Rounding,
    VitisFloat,
    parse_type,
    result_type,
)
from harness.testing import any_ap_types
from harness.types import spelling

SPACES = st.text(" \t\n", max_size=2)


@settings(derandomize=True, deadline=None)
@given(t=any_ap_types(max_width=1024), data=st.data())
def test_white_space_means_nothing(t: ApFixed, data: st.DataObject) -> None:
    """White space around any part of any spelling changes nothing."""
    for text in (t.cpp, t.hls4ml, spelling.format_kif(t)):
        spaced = text
        for mark in "<>(),":
            before, after = data.draw(SPACES), data.draw(SPACES)
            spaced = spaced.replace(mark, f"{before}{mark}{after}")
        assert ApFixed.parse(spaced) == t


@settings(derandomize=True, deadline=None)
@given(t=any_ap_types(max_width=64))
def test_prefixes_are_free(t: ApFixed) -> None:
    """``AP_``, ``SC_`` and no prefix name the same modes and types."""
    u = "" if t.signed else "u"
    for family, mode in itertools.product(("ap_", "::ap_", "sc_", ""), ("AP_", "SC_", "")):
        modes = f"{mode}{t.rounding.name},{mode}{t.overflow.name},{t.n}"
        assert ApFixed.parse(f"{family}{u}fixed<{t.width},{t.integer},{modes}>") == t


@pytest.mark.parametrize("text", ["RND", "AP_RND", "SC_RND", " ap_rnd ", "rnd", Rounding.RND])
def test_names_of_a_rounding(text: object) -> None:
    """A rounding is known by its bare, AP_ and SC_ name in either case."""
    assert Rounding.parse(text) is Rounding.RND


@pytest.mark.parametrize("bad", ["", "AP_", "AP_AP_RND", "SAT", 0, None, Overflow.SAT], ids=repr)
def test_other_roundings_are_refused(bad: object) -> None:
    """Anything else is refused in one line that lists all seven roundings."""
    with pytest.raises(ValueError, match="unknown rounding mode") as caught:
        Rounding.parse(bad)
    message = str(caught.value)
    assert "\n" not in message
    assert all(mode.name in message for mode in Rounding)


@pytest.mark.parametrize("bad", ["RND", "AP_WRAPSM", 3, None, Rounding.RND, True], ids=repr)
def test_other_overflows_are_refused(bad: object) -> None:
    """Anything else is refused in one line that lists all five overflow modes."""
    with pytest.raises(ValueError, match="unknown overflow mode") as caught:
        Overflow.parse(bad)
    message = str(caught.value)
    assert "\n" not in message
    assert all(mode.name in message for mode in Overflow)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ap_ufixed<8,4,AP_TRN,AP_WRAP_SM>", "signed type"),
        ("ap_fixed<8,4,AP_TRN,AP_SAT,1>", "WRAP and WRAP_SM only"),
        ("ap_fixed<8,4,AP_TRN,AP_WRAP,9>", "0 to the width 8"),
        ("ap_fixed<0,4>", "1 to 1024"),
        ("ap_fixed<1025,4>", "1 to 1024"),
        ("ap_fixed<8,4,AP_RND,>", "empty"),
        ("ap_fixed<,4>", "empty"),
        ("ap_fixed<>", "empty"),
        ("ap_fixed<8,4,AP_RND,AP_SAT,x>", "not an integer"),
        ("ap_fixed<0x8,4>", "not an integer"),
        ("ap_fixed<1_6,4>", "not an integer"),
        ("ap_fixed<\u0668,4>", "not an integer"),
        ("ap_fixed<9999999999,4>", "not an integer"),
        ("ap_fixed<8,4>x", "allowed"),
        ("ap_fixed<<8,4>>", "allowed"),
        ("xap_fixed<8,4>", "allowed"),
        ("ap_float<8,4>", "allowed"),
        ("AP_FIXED<8,4>", "allowed"),
        ("ap_fixed(8,4)", "allowed"),
        ("(1,2,3,RND,SAT,0,0)", "too many"),
        ("(0,0,0)", "1 to 1024"),
        ("(-1,3,3)", "k of 0 or 1"),
        ("(1,5,10,RND,RND)", "unknown overflow"),
        ("ap_fixed<8,4,AP_TRN,\nAP_\n>", "unknown overflow"),
    ],
)
def test_bad_spellings_are_refused_in_one_line(text: str, message: str) -> None:
    """A spelling of no legal type is refused, in one line that says what is wrong."""
    with pytest.raises(ValueError, match=message) as caught:
        ApFixed.parse(text)
    assert "\n" not in str(caught.value)


AROUND = [
    ("", ""),
    ("const ", " &"),
    ("struct ", ""),
    ("const struct ::", "&"),
    ("", " const&"),
    ("class ", " &&"),
    ("\u2018", "\u2019"),
    ("'", "'"),
]


@settings(derandomize=True, deadline=None)
@given(t=any_ap_types(max_width=64), around=st.sampled_from(AROUND), form=st.integers(0, 2))
def test_what_compilers_print(t: ApFixed, around: tuple[str, str], form: int) -> None:
    """Modes as numbers, with or without their enumeration; base classes; what stands around."""
    before, behind = around
    q, o = int(t.rounding), int(t.overflow)
    modes = (
        f"(ap_q_mode){q}, (ap_o_mode){o}, {t.n}",
        f"ap_q_mode::{t.rounding.cpp}, ap_o_mode::{t.overflow.cpp}, {t.n}",
        f"{q}, {o}, {t.n}",
    )[form]
    u, w, signed = "" if t.signed else "u", f"{t.width}, {t.integer}", str(t.signed).lower()
    for text in (
        f"ap_{u}fixed<{w}, {modes}>",
        f"ap_fixed_base<{w}, {signed}, {modes}>",
        f"ap_fixed_base<{w},{int(t.signed)},{modes}>",
    ):
        assert parse_type(f"{before}{text}{behind}") == t
    integer = parse_type(f"{before}ap_int_base<{t.width}, {signed}>{behind}")
    assert integer == ApInt(t.width, t.signed)
    assert parse_type(f"{before}ap_float<3, 4, 0>{behind}") == MiniFloat(3, 4)
    assert parse_type(f"{before}float16{behind}") == FORMATS["float16"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("float8", "float8_e4m3fn"),
        ("e4m3", "float8_e4m3fn"),
        ("int8", "int<8>"),
        ("uint16_t", "uint<16>"),
        ("ap_int8", "int<8>"),
        ("AP_FIXED<8,4>", "ap_fixed<8,4>"),
        ("ap_fixd<8,4>", "ap_fixed<8,4>"),
        ("ap_fixed(8,4)", "ap_fixed<8,4>"),
        ("bf16", "bfloat16"),
        ("double", "ieee<11,52>"),
        ("ternery", "ternary"),
        ("ac_fixed<8,4,true>", ""),
        ("nonsense", ""),
        ("ap_float<3,4>", "ap_float<3,4,0>"),
        ("ap_float<100,8>", ""),
    ],
)
def test_what_is_meant(text: str, meant: str) -> None:
    """The nearest spelling that is one is named, and every family is."""
    with pytest.raises(ValueError, match="cannot read a type|of Vitis") as caught:
        parse_type(text)
    message, _, allowed = str(caught.value).partition("; allowed: ")
    assert (meant in message) if meant else ("meant" not in message)
    if allowed:
        for family in ("ap_fixed<", "ap_int<", "(k,i,f", "ap_float<M", "Vitis", "ieee<", "binary"):
            assert family in allowed
        assert all(name in allowed for name in FORMATS)
    if meant:
        assert parse_type(meant)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ap_fixed<8,4,(ap_o_mode)3>", r"unknown rounding mode '\(ap_o_mode\)3'"),
        ("ap_fixed<8,4,AP_SAT>", "SAT is an overflow mode"),
        ("ap_fixed<8,4,AP_RND,AP_TRN>", "TRN is a rounding mode"),
        ("ap_fixed<8,4,7>", "unknown rounding mode"),
        ("ap_fixed<8,4,0,5>", "unknown overflow mode"),
        ("ap_fixed<8,4,-1>", "unknown rounding mode"),
        ("(1,3,4,4,0)", "unknown rounding mode '4'"),
        ("ap_fixed_base<16,6>", "S true or false"),
        ("ap_fixed_base<16,6,AP_RND>", "S true or false"),
        ("vector<ap_fixed<8,4>>", "cannot read a type"),
        ("ap_fixed<8,4>*", "cannot read a type"),
        ("unsigned ap_fixed<8,4>", "cannot read a type"),
    ],
)
def test_what_logs_do_not_mean(text: str, message: str) -> None:
    """Numbers of no mode, a mode in the place of the other, and what is more than a type."""
    with pytest.raises(ValueError, match=message) as caught:
        parse_type(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (
            ApFixed,
            (8, 4, "AP_RND", "AP_SAT"),
            r"not 'AP_RND'; meant: ApFixed\(8, 4, rounding='AP_RND', overflow='AP_SAT'\)$",
        ),
        (ApFixed, (8, 4, Rounding.RND), r"meant: ApFixed\(8, 4, rounding='RND'\)$"),
        (ApFixed, (8, 4, Overflow.SAT_ZERO), r"ApFixed\(8, 4, overflow='SAT_ZERO'\)$"),
        (ApFixed, (8, 4, "x"), "signed must be True or False, not 'x'$"),
        (ApInt, (8, "RND"), "signed must be True or False, not 'RND'$"),
        (ApFixed, ("ap_fixed<8,4>",), r"parse_type\('ap_fixed<8,4>'\) reads a spelling"),
        (ApInt, ("ap_int<8>",), r"parse_type\('ap_int<8>'\) reads"),
        (IeeeFloat, ("float16",), r"parse_type\('float16'\) reads"),
        (MiniFloat, ("ap_float<3,4,0>",), r"parse_type\('ap_float<3,4,0>'\)"),
        (VitisFloat, ("ap_float<32,8>",), r"parse_type\('ap_float<32,8>'\)"),
        (ApFixed, (8,), "integer must be an integer, not None"),
        (ApFixed, (10**5000, 4), "width must be 1 to 1024, not about"),
        (MiniFloat, (3, 4, 10**5000), "e0 must be"),
        (ApFixed, (8, 4, True, "SAT"), "SAT is an overflow mode"),
    ],
    ids=range(14),
)
def test_mix_ups(kind: Any, arguments: tuple[Any, ...], message: str) -> None:
    """Arguments in another's place: one line says what is meant; a mode never counts as a bool."""
    with pytest.raises(ValueError, match=message) as caught:
        kind(*arguments)
    assert "\n" not in str(caught.value)


@settings(derandomize=True, deadline=None)
@given(text=st.text("apcfixedu<>(),0123456789 RNDST_", max_size=24))
def test_any_text_gives_a_type_or_a_value_error(text: str) -> None:
    """Whatever the text, the answer is a type or a one-line ValueError."""
    message, t = "", ApFixed(1, 1)
    try:
        t = ApFixed.parse(text)
    except ValueError as error:
        message = str(error)
    assert "\n" not in message
    assert ApFixed.parse(str(t)) == t


@pytest.mark.parametrize(
    "value",
    [8.0, "8", None, True, np.True_, np.float64(8), [8], np.zeros((2, 2))],
    ids="float text none bool npbool npfloat list matrix".split(),
)
@pytest.mark.parametrize("field", ["width", "integer", "n"])
def test_numbers_are_integers(field: str, value: object) -> None:
    """A width, integer part or N that is no integer is refused in one line that names it."""
    facts: dict[str, object] = {"width": 8, "integer": 4, field: value}
    with pytest.raises(ValueError, match=f"{field} must be an integer") as caught:
        ApFixed(**facts)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_numpy_integers_are_welcome() -> None:
    """A width that NumPy computed is the same width, stored as a Python int."""
    t = ApFixed(np.int64(8), np.int8(4), n=np.uint8(2))
    assert t == ApFixed(8, 4, n=2)
    assert {type(t.width), type(t.integer), type(t.n)} == {int}
    assert hash(t) == hash(ApFixed(8, 4, n=2))


@settings(derandomize=True, deadline=None)
@given(a=any_ap_types(max_width=1024), b=any_ap_types(max_width=1024))
def test_order_and_identity(a: ApFixed, b: ApFixed) -> None:
    """Exactly one of <, ==, > holds, equality means equal facts, and copies are equal."""
    assert (a < b) + (a == b) + (a > b) == 1
    assert (a <= b) == (not b < a)
    assert (a == b) == (str(a) == str(b))
    assert copy.copy(a) == a == pickle.loads(pickle.dumps(a, protocol=2))
    assert eval(repr(a), {"ApFixed": ApFixed}) == a
    assert len({a, copy.deepcopy(a)}) == 1


def test_other_objects_are_neither_equal_nor_ordered() -> None:
    """A type differs from its spelling, and has no order with it."""
    t = ApFixed(8, 4)
    assert t != "ap_fixed<8,4>"
    with pytest.raises(TypeError):
        t < "ap_fixed<8,4>"  # noqa: B015


@settings(derandomize=True, deadline=None)
@given(a=any_ap_types(max_width=200), b=any_ap_types(max_width=200))
def test_results_hold_every_result(a: ApFixed, b: ApFixed) -> None:
    """The type of +, - and * holds the extreme results exactly, on the finer grid, in TRN/WRAP."""
    for op, sign in ((Operation.ADD, 1), (Operation.SUB, -1)):
        r = result_type(op, a, b)
        assert r.frac == max(a.frac, b.frac)
        assert r.signed == (a.signed or b.signed or op is Operation.SUB)
        low, high = sorted((sign * b.min_exact, sign * b.max_exact))
        assert r.min_exact <= a.min_exact + low
        assert a.max_exact + high <= r.max_exact
        assert (r.rounding, r.overflow, r.n) == (Rounding.TRN, Overflow.WRAP, 0)
    r = result_type("*", a, b)
    corners = [x * y for x in (a.min_exact, a.max_exact) for y in (b.min_exact, b.max_exact)]
    assert (r.width, r.integer) == (a.width + b.width, a.integer + b.integer)
    assert r.min_exact <= min(corners)
    assert max(corners) <= r.max_exact
    r = result_type("neg", a)
    assert (r.width, r.integer, r.signed) == (a.width + 1, a.integer + 1, True)


@pytest.mark.parametrize("width", [1023, 1024])
def test_results_beyond_1024_bits_are_refused(width: int) -> None:
    """A result of 1024 bits exists, one of 1025 is refused."""
    t = ApFixed(width, 10)
    if width == 1023:
        assert result_type("neg", t).width == result_type("+", t, t).width == 1024
        return
    for op, b in (("neg", None), ("+", t), ("-", t)):
        with pytest.raises(ValueError, match="1 to 1024, not 1025"):
            result_type(op, t, b)
