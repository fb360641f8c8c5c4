"""``harness explain`` of expressions: operands, results, and where C++ departs from the values."""

import pytest
from command import harness


def explain(text: str) -> tuple[int, str, str]:
    """The status, the words, and the errors."""
    status, out, errors = harness("explain", text)
    return status, " ".join(out.split()), errors


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "ap_fixed<32,32>(-1) < ap_ufixed<32,32>(5)",
            ["-1 < 5 is true", "code 0 = false", "quirk comparison-unsigned", "C++ the same"],
        ),
        (
            "ap_uint<8>(200) / ap_int<4>(-3)",
            ["result ap_int<9>", "definition ap_int<9>: code -66", "code 0 = 0", "ap-int-division"],
        ),
        ("ap_fixed<8,4>(1.5) + 1", ["ap_fixed<37,33>: code 40 = 2.5", "C++ the same"]),
        ("ap_int<7>(-1).xor_reduce()", ["code 0 = 0", "ap-int-xor-reduce", "C++ the same"]),
        ("ap_int<8>(90)(6, 1)", ["ap_uint<6>: code 45", "C++ the same"]),
        (
            "ap_fixed<4,2,AP_RND,AP_SAT>(ap_fixed<8,4>(1.625))",
            ["ap_fixed<8,4>: code 26 = 1.625", "in LSBs 6.5", "[01.10] 1 0", "+1 -> 7", "the same"],
        ),
        (  # as a double that is the code 1
            "ap_int<4>(ap_fixed<8,0>(-0.3))",
            ["code -77", "overflow none", "code -1 = 0xf", "quirk ap-int-no-integer-bits"],
        ),
        ("ap_int<4>(-0.3) + 0", ["left ap_int<4>: code 1 = 1"]),
    ],
)
def test_expressions(text: str, shown: list[str]) -> None:
    """The result is C++'s; where the values say otherwise, the quirk is named."""
    status, out, _ = explain(text)
    assert status == 0
    assert [each for each in shown if each not in out] == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ap_fixed<8,4>", "cannot read the expression"),
        ("ap_fixed<8,4>(3) / ap_int<3>(0)", "division by zero"),
        ("hls::sqrt(ap_fixed<8,4>(3))", "hls::sqrt is closed"),
        ("ap_fixed<8,4>(3)[8]", "takes 0 to 7 on its right, not 8"),
        ("ap_fixed<8,4>(3) % ap_int<3>(2)", "% takes integer types"),
        ("ap_fixed<8,4>(x) + 1", "'x' is no number"),
        ("ap_float<3,4,0>(ap_fixed<8,4>(1))", "only casts between fixed-point types"),
    ],
)
def test_what_is_no_expression(text: str, why: str) -> None:
    """One line, exit status 2."""
    status, out, error = explain(text)
    assert (status, out) == (2, "")
    assert error.count("\n") == 1
    assert why in error
