"""``verify``: what it compares, what it reports, and what it refuses."""

import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from harness import ApFixed, Overflow, Rounding, quantize, quantize_codes
from harness.oracle import Oracle
from harness.report import verdicts
from harness.verify import PROFILES, SubjectError, load_subject, run, verify
from harness.verify.cases import codes_for, doubles_for
from harness.verify.fixed_questions import Cast, FromNumber
from harness.verify.profiles import modes, questions_for, type_pool

T = ApFixed(8, 4, rounding="RND", overflow="SAT")


def off_by_one_at_ties(x: Any, t: ApFixed) -> Any:
    """A fault: ties of RND go down."""
    return quantize_codes(x, t.with_modes(rounding="RND_MIN_INF"))


def test_agreement(oracle: Oracle) -> None:
    """Codes and values are both answers, and both agree."""
    for subject in (quantize_codes, quantize):
        verdict = verify(subject, oracle.codes, [T])
        assert verdict.agrees
        assert verdict.checks > 3000
        assert verdict.types == 1


def test_difference_is_shrunk_and_explained(oracle: Oracle) -> None:
    """The simplest tie is shown, with the rule it breaks and a program that shows it."""
    verdict = run(oracle=oracle, types=[T], subject=off_by_one_at_ties)
    (mismatch,) = verdict.mismatches
    assert mismatch.input == (-(2.0**-5)).hex() or mismatch.input == (2.0**-5).hex()
    assert abs(mismatch.got - mismatch.expected) == 1
    assert mismatch.expected == mismatch.reference
    assert mismatch.rule.startswith("AP_RND: ")
    assert "ap_fixed<8,4,AP_RND,AP_SAT,0> result" in mismatch.snippet
    assert not verdict.agrees


def test_values_that_are_none_of_the_type_differ(oracle: Oracle) -> None:
    """A value between two codes is a difference, not a rounding."""
    verdict = verify(lambda x, t: np.nan_to_num(x) + 0.001, oracle.codes, [T])
    assert verdict.differences > 0
    assert any("not a value" in str(m.got) for m in verdict.mismatches)


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        (lambda x, t: quantize_codes(x, t)[:-1], "returned shape"),
        (lambda x, t: x.astype(complex), "returned dtype complex128; allowed"),
        (lambda x, t: x.astype(str), "returned dtype"),
        (lambda x, t: 1 / 0, "raised on ap_fixed<8,4,AP_RND,AP_SAT>: ZeroDivisionError"),
        (lambda x, t: None, "returned shape"),
    ],
    ids=["shape", "complex", "text", "raises", "none"],
)
def test_bad_subjects(oracle: Oracle, subject: Any, message: str) -> None:
    """A subject that is no quantizer is one line that says why."""
    with pytest.raises(SubjectError, match=message) as caught:
        verify(subject, oracle.codes, [T])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["nocolon", "no.such.module:f", "math:nothing", "math:pi"])
def test_subject_names(name: str) -> None:
    """A subject that cannot be found, or is no function, is refused."""
    with pytest.raises(SubjectError):
        load_subject(name)


def test_nothing_compared_is_no_agreement(oracle: Oracle) -> None:
    """An empty run does not pass."""
    assert not verify(quantize_codes, oracle.codes, []).agrees
    assert not verify(quantize_codes, oracle.codes, [T], lambda t: np.zeros(0)).agrees


def test_inputs_are_a_function_of_the_seed(oracle: Oracle) -> None:
    """The same seed asks the same questions with the same inputs; another asks others."""
    quick = PROFILES["quick"]
    asked = [questions_for(quick, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert asked[0] == asked[1]
    assert asked[0] != asked[2]
    inputs = [doubles_for(T, 4000, np.random.default_rng(s)) for s in (3, 3, 4)]
    assert np.array_equal(inputs[0], inputs[1], equal_nan=True)
    assert not np.array_equal(inputs[0], inputs[2], equal_nan=True)


def test_quick_profile_covers_what_it_claims() -> None:
    """Every mode in both signs and on every path, N > 0, I < 0, I > W, W of 1, 64 and beyond."""
    rng = np.random.default_rng(0)
    pool = type_pool(PROFILES["quick"], rng)
    assert len(set(pool)) >= 400
    for found in (
        pool,
        [q.target for q in questions_for(PROFILES["quick"], rng) if isinstance(q, Cast)],
    ):
        assert {(t.signed, t.rounding, t.overflow) for t in found} == set(modes())
    wrapping = {(t.signed, t.overflow) for t in pool if t.n}
    assert wrapping == {(True, Overflow.WRAP), (False, Overflow.WRAP), (True, Overflow.WRAP_SM)}
    for has in (
        lambda t: t.integer < 0,
        lambda t: t.integer > t.width,
        lambda t: t.width == 1,
        lambda t: t.width == 64,
        lambda t: t.width > 64,
        lambda t: t.n == t.width,
    ):
        assert any(map(has, pool))


@pytest.mark.parametrize("t", [T, ApFixed(3, -2, signed=False), ApFixed(5, 9)], ids=str)
def test_small_types_meet_every_breakpoint(t: ApFixed) -> None:
    """Every code and midpoint is among the inputs, exactly and one ulp to either side."""
    inputs = set(doubles_for(t, 2000, np.random.default_rng(0)).tolist())
    for half in range(2 * t.min_code - 1, 2 * t.max_code + 2):
        x = half * float(t.lsb_exact) / 2
        assert {x, np.nextafter(x, np.inf), np.nextafter(x, -np.inf)} <= inputs


def test_cast_inputs_reach_the_bounds_of_the_target() -> None:
    """Wide sources are asked at the target's bounds and midpoints, and at their own ends."""
    source, target = ApFixed(40, 20), ApFixed(10, 5, rounding="RND")
    codes = set(codes_for(source, target, 4000, np.random.default_rng(0)).tolist())
    drop = source.frac - target.frac
    assert {source.min_code, source.max_code, target.max_code << drop} <= codes
    assert any(c % (1 << drop) == 1 << (drop - 1) for c in codes)
    unsigned = codes_for(ApFixed(64, 64, False), target, 4000, np.random.default_rng(0))
    assert unsigned.min() < 0  # codes of 2**63 and more, as int64


def test_unwitnessed_conversions_are_reported(oracle: Oracle) -> None:
    """Where the header would abort, the reference is the truth and the verdict says so."""
    from harness.verify.engine import examine

    question = Cast(ApFixed(5, 4), ApFixed(1, 17, rounding="RND", overflow="SAT"))
    finding = examine(question, oracle, question.inputs(100, np.random.default_rng(0), 9))
    assert finding.unwitnessed is not None
    assert "aborts" in finding.unwitnessed.why
    assert finding.tally.checks > 0
    assert finding.tally.differences == 0


def test_snippet_prints_the_expected_code(oracle: Oracle, tmp_path: Any) -> None:
    """The C++ in a report, compiled and run, prints the expected code."""
    import subprocess

    question = FromNumber("double", T)
    program = tmp_path / "snippet.cpp"
    program.write_text(question.snippet((np.array([-3.14159]),), 0))
    command = ["g++", "-std=c++17", "-w", f"-I{oracle.headers.directory}", str(program)]
    subprocess.run([*command, "-o", str(tmp_path / "a.out")], check=True)
    shown = subprocess.run([str(tmp_path / "a.out")], capture_output=True, text=True, check=True)
    expected = round(-3.14159 * 16) % 256
    assert int(shown.stdout.strip(), 16) == expected


def test_json_has_everything(oracle: Oracle) -> None:
    """The JSON verdict names types as C++ does and keeps every mismatch."""
    verdict = run(oracle=oracle, types=[T], subject=off_by_one_at_ties)
    document = json.loads(verdicts.as_json(verdict))
    assert document["agrees"] is False
    assert document["differences"] == verdict.differences
    assert document["tallies"][0]["type"] == str(T)
    assert document["mismatches"][0]["expected"] == verdict.mismatches[0].expected


def test_rules_are_named_by_where_the_value_lies() -> None:
    """In range the rounding decides, beyond it the overflow."""
    from harness.verify.engine import rule_broken

    assert rule_broken(Fraction(1), T).startswith("AP_RND")
    assert rule_broken(Fraction(100), T).startswith("AP_SAT")
    assert Rounding.RND.law in rule_broken(Fraction(1), T)
