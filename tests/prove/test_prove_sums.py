"""The compiled loops of accumulators, carried out on terms, against the steps that define them."""

import inspect

import pytest

from harness.fixed import Fixed
from harness.hls.layers import accumulate
from harness.hls.layers.accumulate import affine
from harness.hls.proof import Draw
from harness.prove import Outcome
from harness.prove.evaluate import values
from harness.prove.layers.sums import SUMS, drawn_sum, sum_claim
from harness.prove.solve import decide
from harness.prove.source import Source
from harness.quantize import to_bits
from harness.types import ApFixed

#: A fault in each loop, and a drawn sum that shows it.
FAULTS = (
    ("min(max(total, lower), upper)\n            for j", "max(total, lower)\n            for j", 4),
    ("total = word(row[j] + min(max(term, lower), upper))", "total = word(row[j] + term)", 4),
    ("guard = (value >> (min(shift - 1,", "guard = (value >> (min(shift,", 12),
    ("row[j] += word(_rounded", "row[j] = word(_rounded", 12),
    ("row[j] = to_code(row[j] + term, 0, np.int64(0), p)", "row[j] = row[j] + term", 0),
    ("(code << (64 - width)) >> (64 - width)", "(code << (63 - width)) >> (63 - width)", 2),
)


@pytest.mark.parametrize("seed", range(8))
def test_a_loop_gives_what_its_steps_give(seed: int) -> None:
    found = decide(drawn_sum(seed))
    assert found.outcome is Outcome.PROVEN
    assert found.planted


@pytest.mark.parametrize(("right", "wrong", "seed"), FAULTS, ids=lambda part: str(part)[:30])
def test_a_fault_in_a_loop_is_refuted(right: str, wrong: str, seed: int) -> None:
    text = inspect.getsource(accumulate)
    assert text.count(right) == 1
    loops = Source(SUMS, text.replace(right, wrong))
    assert decide(drawn_sum(seed, loops=loops)).outcome is Outcome.REFUTED


@pytest.mark.parametrize(
    "mode", ["AP_TRN,AP_WRAP", "AP_RND,AP_WRAP", "AP_RND,AP_SAT", "AP_RND,AP_SAT_ZERO"]
)
def test_the_terms_are_what_the_loops_compute(mode: str) -> None:
    """At drawn inputs, of each way that a sum is computed."""
    draw, x, w = Draw(3), ApFixed(7, 3), ApFixed(6, 2)
    weights, bias = draw.codes(w, (5, 2)), draw.codes(w, (2,))
    accum = ApFixed.parse(f"ap_fixed<9,5,{mode}>")
    claim = sum_claim(x, weights, bias, accum)
    assert claim is not None
    rows = draw.codes(x, (20, 5))
    expected = to_bits(affine(rows, weights, bias, accum).codes, accum)
    for row, wanted in zip(to_bits(rows.codes, x).tolist(), expected.tolist(), strict=True):
        given = list(zip(claim.inputs.values(), row, strict=True))
        found = values([pair.subject for pair in claim.pairs[:2]], given)
        assert [word % 2**9 for word in found] == wanted


def test_sums_of_more_than_a_word_are_not_asked() -> None:
    wide = ApFixed(60, 30)
    ones = Fixed([[1]], wide)
    assert sum_claim(wide, ones, ones[0], ApFixed(100, 60)) is None
