"""Our operators on codes, proven from their own source; and what shows that this is a proof."""

import inspect
import random

import numpy as np
import pytest

from harness.prove import Outcome, Untranslatable
from harness.prove.evaluate import values
from harness.prove.operators import (
    DIVISIONS,
    OPERATORS,
    PLAIN,
    binary_claims,
    operator_claims,
    unary_claims,
)
from harness.prove.plan import operands
from harness.prove.solve import decide
from harness.prove.source import Source, source_of
from harness.quantize import compute_codes
from harness.types import ApFixed, ApInt, Operation

SYMMETRIC = ApFixed(5, 1, overflow="SAT_SYM")
TYPES = [
    (ApFixed(16, 6), ApFixed(8, 4, overflow="SAT_SYM")),
    (ApInt(64), ApFixed(40, 10, signed=False)),
    (ApInt(6), ApInt(5, signed=False)),
    (ApFixed(5, 2), ApFixed(4, 1)),
    (ApInt(33, signed=False), ApInt(20)),
]


@pytest.mark.parametrize(("ta", "tb"), TYPES, ids=str)
def test_every_pair_of_codes(ta: ApFixed, tb: ApFixed) -> None:
    """Sums, products, comparisons and bits; of narrow types quotients; and what takes one code."""
    found = [decide(claim) for claim in operator_claims(ta, tb)]
    assert {f.outcome for f in found} == {Outcome.PROVEN}
    asked = {op for f in found for op in f.question.split(": ")[1].split(", ")}
    assert {"<", "==", "one operand"} <= asked
    assert ("/" in asked) == (ta.width + max(tb.frac, 0) + tb.width <= 16)


def test_what_needs_more_than_64_bits_is_not_asked() -> None:
    """The sum has 65, a comparison has one."""
    (claim,) = binary_claims([Operation.ADD, Operation.LT], ApInt(64), ApInt(64))
    assert [pair.name.split()[1] for pair in claim.pairs[:-1]] == ["<"]


@pytest.mark.parametrize(("ta", "tb"), TYPES, ids=str)
def test_terms_are_what_numpy_computes(ta: ApFixed, tb: ApFixed) -> None:
    """The source is read as NumPy runs it: at a point, the terms are the codes that users get."""
    rng = random.Random(str(ta))
    for claim in operator_claims(ta, tb):
        for _ in range(3):
            point = {name: rng.getrandbits(w.width) | 1 for name, w in claim.inputs.items()}
            codes = {
                name: t.min_code + (point[name] - t.min_code) % (1 << t.width)
                for name, t in (("a", ta), ("b", tb))
                if name in point
            }
            inputs = [(word, point[name]) for name, word in claim.inputs.items()]
            pairs = [pair for pair in claim.pairs if pair.name.startswith("ap_")]
            found = values([pair.subject for pair in pairs], inputs)
            for pair, word in zip(pairs, found, strict=True):
                op, right = pair.name.removeprefix(f"{ta} ").split(" ", 1)
                left = np.array([codes["a"]])
                if "b" in codes:
                    got = compute_codes(op, left, ta, np.array([codes["b"]]), tb)
                elif right == "None":
                    got = compute_codes(op, left, ta)
                else:
                    got = compute_codes(op, left, ta, eval(right))  # a number, or two
                assert word == int(got[0]) % 2**64, (pair.name, codes)


FAULTS = [
    ("Operation.SUB: lambda a, b: a - b", "Operation.SUB: lambda a, b: b - a", PLAIN),
    ("return a * b", "return a * b + 0 * b - (a & b & 1)", [Operation.MUL]),
    ("<< (target.frac - ta.frac), b", "<< (target.frac - tb.frac), b", PLAIN),
    ("opposite = negative_a ^ negative_b", "opposite = negative_a", DIVISIONS),
    ("opposite = opposite | (", "opposite = opposite & (", DIVISIONS),
    ("step = (b == tb.min_code) * 1", "step = (b == tb.max_code) * 1", PLAIN),
    ("less = less | (same & (step != 0) & (below == 0))", "less = less | same", PLAIN),
    ("(_bits(a, ta) << tb.width)", "(_bits(a, ta) << ta.width)", None),
    ("Operation.GE: ~less", "Operation.GE: ~equal", PLAIN),
]


def faulty(before: str, after: str) -> Source:
    text = inspect.getsource(source_of(OPERATORS).module)
    assert text.count(before) == 1
    return Source(OPERATORS, text.replace(before, after))


@pytest.mark.parametrize(("before", "after", "ops"), FAULTS, ids=[f[1][:40] for f in FAULTS])
def test_a_planted_fault_is_refuted(before: str, after: str, ops: list[Operation] | None) -> None:
    types = (ApFixed(7, 1), SYMMETRIC) if ops else (ApInt(3), ApInt(4))
    kernels = faulty(before, after)
    claims = binary_claims(ops or [Operation.CONCAT], *types, kernels=kernels)
    assert Outcome.REFUTED in {decide(claim).outcome for claim in claims}


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        # A number of Python that is no int64, beside an array, ends NumPy's operation.
        ("(a * 0 + 1) << place", "1 << place", "no int64 is 9223372036854775808"),
        ("return (a != 0) * 1", "return (a != 0) + (a != 0)", "truths in its own way"),
        ("return _parity(a)", "return sum(a)", "sum"),
        ("return -a", "return int(a)", "no number"),
    ],
)
def test_what_is_not_carried_out_is_refused(before: str, after: str, why: str) -> None:
    with pytest.raises(Untranslatable, match=why):
        list(unary_claims(ApInt(64 if "<<" in before else 8), kernels=faulty(before, after)))


def test_a_product_of_any_width_is_that_of_the_law() -> None:
    """Multiplied in as many bits as it can have: a multiplier of 64 bits is beyond the solver."""
    (claim,) = binary_claims([Operation.MUL], ApFixed(33, 10), ApInt(31, signed=False))
    assert decide(claim, 5).outcome is Outcome.PROVEN


def test_operands_are_drawn_narrow_and_wide() -> None:
    rng = random.Random(0)
    drawn = [operands(rng) for _ in range(60)]
    widths = [left.width for left, _ in drawn if isinstance(left, ApFixed)]
    assert sum(w <= 6 for w in widths) > 10
    assert max(widths) > 32
    assert {isinstance(left, ApInt) for left, _ in drawn} == {True, False}
