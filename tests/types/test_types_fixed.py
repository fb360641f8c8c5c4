"""The type record: validation, identity, properties, spellings."""

import copy
import itertools
import pickle
from fractions import Fraction

import pytest
from hypothesis import given

from harness import ApFixed, Overflow, Rounding, result_type
from harness.testing import any_ap_types


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 0, "integer": 1}, "width must be 1 to 1024, not 0"),
        ({"width": 1025, "integer": 1}, "width must be 1 to 1024"),
        ({"width": True, "integer": 1}, "width must be an integer"),
        ({"width": 8.0, "integer": 1}, "width must be an integer"),
        ({"width": 8, "integer": "4"}, "integer must be an integer"),
        ({"width": 8, "integer": 2**40}, "integer must lie within"),
        ({"width": 8, "integer": 4, "rounding": "ROUND"}, "allowed: RND, RND_ZERO"),
        ({"width": 8, "integer": 4, "overflow": 3}, "allowed: SAT, SAT_ZERO"),
        ({"width": 8, "integer": 4, "signed": "RND"}, "signed must be True or False"),
        ({"width": 8, "integer": 4, "n": 9}, "n must be 0 to the width 8"),
        ({"width": 8, "integer": 4, "n": -1}, "n must be 0 to the width 8"),
        ({"width": 8, "integer": 4, "overflow": "SAT", "n": 1}, "WRAP and WRAP_SM only"),
        ({"width": 8, "integer": 4, "signed": False, "overflow": "WRAP_SM"}, "needs a signed type"),
    ],
    ids=lambda a: ",".join(f"{k}={v}" for k, v in a.items()) if isinstance(a, dict) else None,
)
def test_what_is_refused(arguments: dict[str, object], message: str) -> None:
    """What the headers refuse or leave undefined is a one-line ValueError that says what may be."""
    with pytest.raises(ValueError, match=message) as caught:
        ApFixed(**arguments)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


RND_SAT = ApFixed(16, 6, rounding="RND", overflow="SAT")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ap_fixed<16,6,AP_RND,AP_SAT,0>", RND_SAT),
        ("  ap_fixed < 16 , 6 ,AP_RND,\tAP_SAT > ", RND_SAT),
        ("ap_fixed<16,6,SC_RND,SC_SAT>", RND_SAT),
        ("fixed<16,6,RND,SAT>", RND_SAT),
        ("(1, 5, 10, RND, SAT)", RND_SAT),
        ("ap_fixed<16,6>", ApFixed(16, 6)),
        ("ap_ufixed<8,3,AP_RND>", ApFixed(8, 3, signed=False, rounding="RND")),
        ("ufixed<8,-3>", ApFixed(8, -3, signed=False)),
        ("(0,3,5)", ApFixed(8, 3, signed=False)),
        ("ap_fixed<9,4,AP_TRN,AP_WRAP_SM,3>", ApFixed(9, 4, overflow="WRAP_SM", n=3)),
    ],
)
def test_reading(text: str, expected: ApFixed) -> None:
    """C++, hls4ml and (k, i, f) spellings are read, with their sign and modes in place."""
    assert ApFixed.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ap_fixed<8>",
        "ap_fixed<8,>",
        "ap_fixed<8,4",
        "ap_fixed<8,4,AP_SAT,AP_RND>",
        "ap_fixed<8,4,AP_RND,AP_SAT,0,0>",
        "ap_fixed<8.0,4>",
        "ap_int<8,8>",
        "ac_fixed<8,4,true>",
        "(2,3,4)",
        "(1,3)",
        "float",
        "ap_fixed<8,4>; abort()",
    ],
)
def test_what_is_not_read(text: str) -> None:
    """Anything else is refused in one line: nothing is guessed."""
    with pytest.raises(ValueError, match="allowed|needs|takes|not an integer") as caught:
        ApFixed.parse(text)
    assert "\n" not in str(caught.value)


def test_not_text() -> None:
    """A type is read from text alone."""
    with pytest.raises(ValueError, match="cannot read a type"):
        ApFixed.parse(8)  # type: ignore[arg-type]


@given(t=any_ap_types(max_width=1024))
def test_round_trips(t: ApFixed) -> None:
    """Every spelling, repr, pickle and copy give the same type back, with the same hash."""
    spelled = [str(t), f"{t:cpp}", f"{t:hls4ml}", f"{t:kif}"]
    others = [eval(repr(t)), pickle.loads(pickle.dumps(t)), copy.deepcopy(t)]
    for other in [*map(ApFixed.parse, spelled), *others]:
        assert other == t
        assert hash(other) == hash(t)


def test_printing_leaves_defaults_out() -> None:
    """As short as C++ allows."""
    assert str(ApFixed(8, 4)) == "ap_fixed<8,4>"
    assert str(ApFixed(8, 4, signed=False, overflow="SAT")) == "ap_ufixed<8,4,AP_TRN,AP_SAT>"
    assert str(ApFixed(8, 4, overflow="WRAP", n=2)) == "ap_fixed<8,4,AP_TRN,AP_WRAP,2>"
    assert RND_SAT.kif == (True, 5, 10)
    assert f"{RND_SAT:kif} {RND_SAT:hls4ml}" == "(1,5,10,RND,SAT) fixed<16,6,RND,SAT>"
    assert f"{ApFixed(8, 4):>15}" == "  ap_fixed<8,4>"
    assert ApFixed.from_kif(1, 5, 10, rounding="RND", overflow="SAT") == RND_SAT


def test_frozen_and_ordered() -> None:
    """A type cannot be changed, and any two have an order."""
    with pytest.raises(AttributeError):
        RND_SAT.width = 3  # type: ignore[misc]
    types = [ApFixed(8, 4), ApFixed(4, 8), RND_SAT, ApFixed(8, 4, signed=False)]
    assert sorted(types)[0] == ApFixed(4, 8)
    assert all((a < b) + (b < a) + (a == b) == 1 for a, b in itertools.product(types, types))


def test_properties() -> None:
    """Ranges and LSB follow from the stored facts."""
    t = ApFixed(8, 4)
    assert (t.min_exact, t.max_exact, t.lsb_exact) == (
        Fraction(-8),
        Fraction(127, 16),
        Fraction(1, 16),
    )
    assert (t.codes.start, t.codes.stop, t.frac) == (-128, 128, 4)
    wide = ApFixed(4, 9, signed=False)
    assert (wide.min_exact, wide.max_exact, wide.lsb_exact, wide.frac) == (0, 480, 32, -5)


@pytest.mark.parametrize(
    ("op", "a", "b", "expected"),
    [
        ("/", "ap_fixed<16,6>", "ap_fixed<16,6>", "ap_fixed<27,17>"),
        ("+", "ap_fixed<8,4>", "ap_int<32>", "ap_fixed<37,33>"),
        ("+", "ap_fixed<8,4>", "ap_ufixed<8,4>", "ap_fixed<10,6>"),
        ("-", "ap_ufixed<8,4>", "ap_ufixed<8,4>", "ap_fixed<9,5>"),
        ("*", "ap_fixed<8,4,AP_RND,AP_SAT>", "ap_ufixed<6,9>", "ap_fixed<14,13>"),
        ("/", "ap_ufixed<8,4>", "ap_ufixed<6,9>", "ap_ufixed<8,1>"),
    ],
)
def test_result_types(op: str, a: str, b: str, expected: str) -> None:
    """An expression has the type that C++ gives it, in the default modes."""
    assert str(result_type(op, ApFixed.parse(a), ApFixed.parse(b))) == expected


def test_unary_results() -> None:
    """A negation gains a bit and a sign; a shift keeps the type, modes and all."""
    t = ApFixed(8, 4, signed=False, overflow="SAT")
    assert result_type("neg", t) == ApFixed(9, 5)
    assert result_type("<<", t) == result_type(">>", t) == t


def test_operands_are_counted() -> None:
    """A missing or extra operand, an unknown operator, and a result too wide are refused."""
    t = ApFixed(8, 4)
    for op, b in (("+", None), ("neg", t), ("<<", t), ("**", t)):
        with pytest.raises(ValueError, match="takes|allowed"):
            result_type(op, t, b)
    with pytest.raises(ValueError, match="width must be 1 to 1024"):
        result_type("*", ApFixed(1000, 1), ApFixed(1000, 1))


def test_modes_are_numbered_as_in_the_header() -> None:
    """The C++ enumerations and ours agree on every number."""
    assert [m.name for m in Rounding] == (
        ["RND", "RND_ZERO", "RND_MIN_INF", "RND_INF", "RND_CONV", "TRN", "TRN_ZERO"]
    )
    assert [m.name for m in Overflow] == ["SAT", "SAT_ZERO", "SAT_SYM", "WRAP", "WRAP_SM"]
    assert [int(m) for m in Rounding] == list(range(7))
