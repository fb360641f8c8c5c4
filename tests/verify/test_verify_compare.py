"""Differences by where their inputs lie; what planted faults are told as."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from harness import ApFixed, quantize, quantize_codes
from harness.report.verdicts import as_json
from harness.testing import assert_bit_exact
from harness.types import parse_type
from harness.verify import verify
from harness.verify.compare import code_text, place_of, told
from harness.verify.records import Mismatch

T = "ap_fixed<4,2,AP_RND_CONV,AP_SAT>"
SYMMETRIC = "ap_fixed<4,2,AP_TRN,AP_SAT_SYM>"
FLOAT, FLUSHED = "float4_e2m1fn", "ieee<3,2,flush>"


@pytest.mark.parametrize(
    ("spelling", "value", "place"),
    [
        (T, 0.25, "a value of the type, code 1 (0.25)"),
        (T, -2, "a value of the type, code -8 (-2)"),
        (T, 0.375, "a tie: halfway between code 1 (0.25) and code 2 (0.5)"),
        (T, -0.125, "a tie: halfway between code -1 (-0.25) and code 0 (0)"),
        (T, 0.3125, "no tie: between code 1 (0.25) and code 2 (0.5), 0.25 of the way"),
        (T, -0.0625, "no tie: between code -1 (-0.25) and code 0 (0), 0.75 of the way"),
        (T, 1.875, "less than a step beyond the highest, code 7 (1.75)"),
        (T, -2.125, "less than a step beyond the lowest, code -8 (-2)"),
        (T, 100, "beyond the highest, code 7 (1.75)"),
        (T, -100, "beyond the lowest, code -8 (-2)"),
        (T, None, "not a finite number"),
        ("ap_ufixed<4,2>", -1, "beyond the lowest, code 0 (0)"),
        (SYMMETRIC, -2, "code -8, which SAT_SYM leaves out"),
        (FLOAT, 0.25, "a tie: halfway between code 0 (0) and code 1 (0.5)"),
        (FLOAT, -5, "a tie: halfway between code 14 (-4) and code 15 (-6)"),
        (FLOAT, 3.25, "no tie: between code 5 (3) and code 6 (4), 0.25 of the way"),
        (FLOAT, 6, "a value of the type, code 7 (6)"),
        (FLOAT, -7, "less than a step beyond the lowest, code 15 (-6)"),
        (FLOAT, 8, "beyond the highest, code 7 (6)"),
        (FLUSHED, 0.125, "a tie: halfway between code 0 (0) and code 4 (0.25)"),
        (FLUSHED, -0.0625, "no tie: between code 32 (-0) and code 36 (-0.25), 0.25 of the way"),
        (FLUSHED, 0, "a value of the type, code 0 (0)"),
        ("binary", 0.5, "of which the sign decides"),
    ],
)
def test_place(spelling: str, value: float | None, place: str) -> None:
    """In words, by hand."""
    found = place_of(None if value is None else Fraction(value), parse_type(spelling))
    assert found == place


@pytest.mark.parametrize(
    ("code", "spelling", "text"),
    [
        (7, T, "code 7 (1.75)"),
        (8, T, "8, not a code"),
        (0.3, T, "0.3, not a value"),
        (-1, "ap_ufixed<64,64>", f"code {2**64 - 1} ({2**64 - 1})"),
        (np.int64(8), FLOAT, "code 8 (-0)"),
        (127, "float8_e4m3fn", "code 127 (nan)"),
        (252, "float8_e5m2", "code 252 (-inf)"),
        (1, "ap_fixed<8,-99>", "code 1 (about 6.16298e-33)"),
    ],
)
def test_code(code: Any, spelling: str, text: str) -> None:
    """A code with its value, wherever it has one."""
    assert code_text(code, parse_type(spelling)) == text


#: Two ties, then each other place.
INPUTS = [0.125, 0.375, 0.3125, 1.9, 50.0, -60.0, math.nan, math.inf, 0.5]


def faulty(wrong: Callable[[Any], Any]) -> Any:
    """Right, but one code off where ``wrong`` says."""

    def subject(x: Any, t: Any) -> Any:
        codes = quantize_codes(x, t)
        return np.where(wrong(x), codes ^ 1, codes)

    return subject


def mismatch(wrong: Callable[[Any], Any], spelling: str = T) -> Mismatch:
    """What is found of a planted fault."""
    verdict = verify(faulty(wrong), quantize_codes, [spelling], lambda _: np.array(INPUTS))
    (found,) = verdict.mismatches
    return found


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (lambda x: np.isin(x, [0.125, 0.375]), "2 of 9 differ: 2 ties"),
        (lambda x: x == 0.375, "1 of 9 differ: 1 tie"),
        (lambda x: x == 0.5, "1 of 9 differ: 1 value of the type"),
        (
            lambda x: ~(np.abs(x) < 1.8),
            "5 of 9 differ: 2 beyond the range, 2 NaN/infinities, 1 at the edge of the range",
        ),
        (
            np.isfinite,
            "7 of 9 differ: 2 ties, 2 beyond the range, 1 value of the type, "
            "1 between two codes, 1 at the edge of the range",
        ),
    ],
)
def test_breakdown(wrong: Any, text: str) -> None:
    """Each planted fault is found out by its kind; the kinds add up."""
    found = mismatch(wrong)
    assert found.breakdown == text
    assert sum(cause.count for cause in found.causes) == found.count


def test_told() -> None:
    """The whole text: the simplest input of all, and the simplest of each kind."""
    assert told(mismatch(lambda x: ~np.isin(x, [0.3125, 0.5]))) == [
        f"{T}: 7 of 9 differ: 2 ties, 2 beyond the range, 2 NaN/infinities, "
        "1 at the edge of the range",
        "input 0x1.0000000000000p-3 = 0.125, a tie: halfway between code 0 (0) and code 1 (0.25)",
        "got code 1 (0.25), expected code 0 (0)",
        "rule: AP_RND_CONV: nearest: ties to even",
        "beyond the range: -0x1.e000000000000p+5 => got code -7 (-1.75), expected code -8 (-2)",
        "NaN/infinities: nan => got code 6 (1.5), expected code 7 (1.75)",
        "at the edge of the range: 0x1.e666666666666p+0 => got code 6 (1.5), "
        "expected code 7 (1.75)",
    ]


def test_values_that_are_none() -> None:
    """An answer between two codes is said to be no value, in the record as in the text."""
    verdict = verify(lambda x, t: quantize(x, t) + 0.1, quantize_codes, [T], lambda _: [0.5])
    (found,) = verdict.mismatches
    assert found.got == "0.6, not a value"
    assert told(found)[2] == "got 0.6, not a value, expected code 2 (0.5)"


@pytest.mark.parametrize("spelling", ["ap_fixed<80,40,AP_RND>", "ap_ufixed<64,20>", "binary"])
def test_other_types(spelling: str) -> None:
    """Wide codes, unsigned ones that travel as negative ones, and signs."""
    t = parse_type(spelling)

    def off(x: Any, t: Any) -> Any:
        return quantize_codes(x, t) ^ 1

    verdict = verify(off, quantize_codes, [t], lambda _: np.array([0.0, -1.0]))
    (found,) = verdict.mismatches
    assert (found.count, found.checks) == (2, 2)
    assert told(found)[2].count("code") == 2


def test_the_assertion_and_the_document() -> None:
    """``assert_bit_exact`` says it, and the JSON has it."""
    t = ApFixed(8, 4, rounding="RND_CONV", overflow="SAT")
    wrong = faulty(lambda x: (np.clip(x, -99, 99) * 32) % 2 == 1)
    with pytest.raises(AssertionError, match="a tie: halfway between code") as caught:
        assert_bit_exact(wrong, t, finite=True)
    first, *_ = str(caught.value).splitlines()
    assert first.startswith(f"{t}: ")
    assert first.endswith(" ties") or "at the edges" in first
    assert "#include" in str(caught.value)
    document = as_json(verify(wrong, quantize_codes, [t]))
    assert '"kind": "ties"' in document
    assert '"level": "ties"' in document
