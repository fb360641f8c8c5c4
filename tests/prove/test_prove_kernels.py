"""The quantizers' kernels, proven from their own source; and what shows that this is a proof."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import cvc5
import numpy as np
import pytest
import z3

from harness import reference
from harness.prove import Certificate, Outcome, Untranslatable, VacuousError, equivalent, prove_cast
from harness.prove.certificates import as_json, export
from harness.prove.evaluate import value, values
from harness.prove.kernels import CODES, TWO_WORDS, VALUES, cast_claims, double_claims, float_claims
from harness.prove.law import fixed
from harness.prove.plan import legal, tasks
from harness.prove.run import run
from harness.prove.solve import Claim, Pair, decide
from harness.prove.source import Source, source_of
from harness.prove.terms import Word
from harness.quantize import cast_codes, quantize_codes
from harness.types import ApFixed

Claims = Iterator[Claim]
PROVEN = {Outcome.PROVEN}


def outcomes(claims: Claims) -> set[Outcome]:
    return {decide(claim).outcome for claim in claims}


def signed(word: int, t: ApFixed) -> int:
    return word - (1 << t.width) if t.signed and word >> (t.width - 1) else word


CASTS = [
    ("ap_fixed<16,6>", "ap_fixed<8,4>", 3),
    ("ap_fixed<8,4>", "ap_ufixed<12,2>", 1),
    ("ap_ufixed<64,30>", "ap_fixed<64,40>", 64),
    ("ap_fixed<7,70>", "ap_fixed<5,3>", 2),
    ("ap_fixed<1,1>", "ap_fixed<1,0>", 1),
    ("ap_fixed<100,40>", "ap_fixed<70,20>", 5),
    ("ap_ufixed<90,10>", "ap_ufixed<9,4>", 9),
]


@pytest.mark.parametrize(("source", "target", "n"), CASTS)
def test_every_code_in_every_mode(source: str, target: str, n: int) -> None:
    """The loops that run give the code of the law for each code of the source."""
    claims = [*cast_claims(ApFixed.parse(source), legal(ApFixed.parse(target), n))]
    assert len(claims) == 7
    assert outcomes(iter(claims)) == PROVEN


@pytest.mark.parametrize(
    ("dtype", "target"), [("float32", "ap_fixed<4,2>"), ("float64", "ap_ufixed<3,5>")]
)
def test_every_float(dtype: str, target: str) -> None:
    """The float loop, for all exponents, to codes and to values, infinities too."""
    modes = [t for t in legal(ApFixed.parse(target), 2) if t.rounding.name in ("RND_INF", "TRN")]
    claims = [*float_claims(dtype, modes)]
    names = [claim.question for claim in claims]
    assert any("below" in name or f"2**{1 - 1023} " in name for name in names)
    assert any("from" in name for name in names)
    assert any("infinities" in name for name in names)
    assert outcomes(iter(claims)) == PROVEN


def test_every_double_by_integers() -> None:
    """The loop for types that no float holds: every word, also NaN as the header reads it."""
    modes = [t for t in legal(ApFixed.parse("ap_fixed<3,2>"), 2) if t.rounding.name == "RND_CONV"]
    assert outcomes(double_claims(modes)) == PROVEN


@pytest.mark.parametrize(("source", "target", "n"), CASTS)
def test_terms_are_what_is_compiled(source: str, target: str, n: int) -> None:
    """The translator reads the source as Numba does: its terms at a point are the loop's code."""
    s, rng = ApFixed.parse(source), random.Random(source)
    for claim in cast_claims(s, legal(ApFixed.parse(target), n)):
        pairs = [pair for pair in claim.pairs if pair.name.startswith("ap_")]
        for _ in range(4):
            word = rng.getrandbits(s.width)
            code = np.array([signed(word, s)], object if s.width > 63 else np.int64)
            found = values([pair.subject for pair in pairs], [(claim.inputs["code"], word)])
            for pair, got in zip(pairs, found, strict=True):
                compiled = cast_codes(code, s, ApFixed.parse(pair.name))
                assert got == int(compiled[0]) % (1 << pair.subject.width)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_terms_are_what_is_compiled_of_floats(dtype: str) -> None:
    """Likewise of the float loop, whose additions round: a float of each exponent, in each mode."""
    rng = random.Random(dtype)
    modes = [t for t in legal(ApFixed.parse("ap_fixed<6,3>"), 3) if t.rounding.name == "RND_INF"]
    bits = 23 if dtype == "float32" else 52
    for claim in float_claims(dtype, modes):
        if "2**" not in claim.question or "below" in claim.question or "from" in claim.question:
            continue
        exponent = int(claim.question.split("2**")[1].split()[0])
        sign, fraction = rng.getrandbits(1), rng.getrandbits(bits)
        x = np.array([(-1) ** sign * (1 + fraction / 2**bits) * 2.0**exponent], dtype)
        point = [(claim.inputs["sign"], sign), (claim.inputs["fraction"], fraction)]
        for pair in claim.pairs:
            if pair.name.startswith("ap_"):
                t = ApFixed.parse(pair.name)
                assert value(pair.subject, point) == int(quantize_codes(x, t)[0]) % 2**64


CAST = "ap_fixed<6,3> -> ap_fixed<4,2>"
FAULTS = [
    (CODES, "return guard * sticky", "return guard", CAST),  # a tie goes up
    (CODES, "return guard * (odd | sticky)", "return guard * (1 - odd | sticky)", CAST),
    (CODES, "if drop > 0 and q != TRN:", "if drop > 1 and q != TRN:", CAST),
    (
        CODES,
        "flip = ((code < 0) * 1) ^ deleted",
        "flip = ((code < 0) * 1) ^ negative",
        "ap_fixed<8,6> -> ap_fixed<4,2>",
    ),
    (CODES, "lost = back != floor", "lost = back > floor", "ap_fixed<60,60> -> ap_fixed<8,-20>"),
    (CODES, "place = p.width + drop", "place = p.width + drop - 1", CAST),
    (
        TWO_WORDS,
        "sticky = _any_below(low, high, drop - 1) * 1",
        "sticky = (low != 0) * 1",
        "ap_fixed<100,40> -> ap_fixed<70,20>",
    ),
    (
        TWO_WORDS,
        "carried = high << (64 - count)",
        "carried = high << (63 - count)",
        "ap_fixed<100,40> -> ap_fixed<70,20>",
    ),
    (
        TWO_WORDS,
        "negative = high < 0 if lost else v_high < 0",
        "negative = v_high < 0",
        "ap_fixed<66,60> -> ap_fixed<100,3>",
    ),
    (VALUES, "if y - even == p.half", "if even - y == p.half", "float32 -> ap_fixed<4,2,AP_RND>"),
    (
        VALUES,
        "np.copysign(p.below_half, y)",
        "np.copysign(p.half, y)",
        "float32 -> ap_fixed<4,2,AP_RND_INF>",
    ),
    (  # minus zero, from which plus zero is taken, is not x - x
        VALUES,
        "else p.zero)\n                out[k] = fit(r, y, p) * factor + p.zero",
        "else p.zero)\n                out[k] = fit(r, y, p) * factor - p.zero",
        "float32 -> ap_fixed<4,2,AP_RND_MIN_INF,AP_SAT>",
    ),
    (
        VALUES,
        "return p.lower if code > p.upper else code",
        "return code",
        "float32 -> ap_fixed<4,2,AP_TRN,AP_WRAP>",
    ),
    (
        VALUES,
        "if scaled == p.zero else scaled",
        "if scaled != scaled else scaled",
        "float64 -> ap_fixed<3,6>",
    ),
]


def faulty(name: str, before: str, after: str, asked: str) -> Claims:
    """What is asked of a kernel with a fault in it."""
    text = Path(source_of(name).module.__file__ or "").read_text(encoding="utf-8")
    assert before in text
    module = Source(name, text.replace(before, after))
    source, spelled = asked.split(" -> ")
    target = ApFixed.parse(spelled)
    if name == VALUES:
        return float_claims(source, [target], kernels=module)
    return cast_claims(ApFixed.parse(source), legal(target, 2), kernels=module)


@pytest.mark.parametrize("fault", FAULTS, ids=[fault[1][:40] for fault in FAULTS])
def test_a_planted_fault_is_refuted(fault: tuple[str, str, str, str]) -> None:
    """By an input whose right code is the reference's."""
    for claim in faulty(*fault):
        found = decide(claim)
        if found.outcome is Outcome.REFUTED:
            break
    else:
        pytest.fail("a fault was proven right")
    assert found.codes is not None
    assert found.codes[0] != found.codes[1]
    if "code" in found.inputs and found.differs.startswith("ap_"):
        source, t = ApFixed.parse(found.question.split(" -> ")[0]), ApFixed.parse(found.differs)
        right = reference.cast(signed(found.inputs["code"], source), source, t)
        assert found.codes[1] % (1 << t.width) == right % (1 << t.width)


QUIRKS = [
    ("ap_fixed<4,2>", "ap_fixed<1,1,AP_TRN,AP_SAT_SYM>", "sat-sym-one-bit"),
    ("ap_fixed<8,6>", "ap_fixed<4,4,AP_RND,AP_WRAP_SM>", "wrap-sm-unrounded-bit"),
]


@pytest.mark.parametrize(("source", "target", "quirk"), QUIRKS)
def test_quirks_are_counterexamples_of_the_definition(source: str, target: str, quirk: str) -> None:
    """Without the headers' departures the kernels are refuted, where such a departure is."""
    s, t = ApFixed.parse(source), ApFixed.parse(target)
    (claim,) = cast_claims(s, [t])
    law = fixed.cast(claim.inputs["code"], s, t, published=True).extended(64, t.signed)
    found = decide(
        Claim("published", "kernels", claim.inputs, [Pair("", claim.pairs[0].subject, law)])
    )
    assert found.outcome is Outcome.REFUTED
    exact = reference.decode(signed(found.inputs["code"], s), s)
    assert quirk in reference.quirks(exact, t)


def test_premises_that_exclude_one_another_prove_nothing() -> None:
    x = Word.named("x", 4)
    claim = Claim("nothing", "x", {"x": x}, [Pair("x", x, x + 1)], [x == 1, x == 2])
    with pytest.raises(VacuousError, match="no input meets the premises"):
        decide(claim)


def test_a_question_that_cannot_be_refuted_is_no_proof() -> None:
    """Sides that are the same whatever the law: a planted fault is not seen."""
    x = Word.named("x", 4)

    class Deaf(Word):
        __slots__ = ()

        def __ne__(self, other: object):  # type: ignore[no-untyped-def]
            return x != x

    claim = Claim("deaf", "x", {"x": x}, [Pair("x", Deaf(x.term), x)])
    with pytest.raises(VacuousError, match="planted fault is not seen"):
        decide(claim)


def test_out_of_time_is_no_agreement() -> None:
    """The factors of a number of 64 bits: the solver does not end in a hundredth of a second."""
    a, b = Word.named("a", 32), Word.named("b", 32)
    number = 4294967291 * 4294967279
    product = a.extended(64, signed=False) * b.extended(64, signed=False)
    factors = Pair("factors", (product == number).word(), Word.of(0, 1))
    found = decide(Claim("hard", "x", {"a": a, "b": b}, [factors]), 0.01)
    assert found.outcome is Outcome.UNDECIDED
    assert found.planted == {}


def rechecked(found: Certificate) -> tuple[str, str]:
    """What two other solvers say of a question."""
    other = z3.Solver()
    other.from_string(found.query)
    solver = cvc5.Solver()
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, found.query, "query")
    symbols, said = parser.getSymbolManager(), ""
    while not (command := parser.nextCommand()).isNull():
        said += command.invoke(solver, symbols)
    return str(other.check()), said.strip()


@pytest.mark.parametrize(
    "target", ["ap_fixed<8,4,AP_RND_CONV,AP_SAT_SYM>", "ap_fixed<8,4,AP_TRN,AP_WRAP_SM>"]
)
def test_other_solvers_agree(target: str, tmp_path: Path) -> None:
    """z3 and cvc5 read the exported question, and say unsat too; of a refuted one, sat."""
    proven = prove_cast("ap_fixed<10,4>", target, keep=True)
    assert proven.proven
    refuted = decide(next(faulty(*FAULTS[0])), keep=True)
    for found in proven.certificates:
        assert rechecked(found) == ("unsat", "unsat")
    if refuted.outcome is Outcome.REFUTED:
        assert rechecked(refuted) == ("sat", "sat")
    paths = export(proven.certificates, tmp_path)
    assert [p.stem for p in paths] == [c.query_sha256[:16] for c in proven.certificates]
    assert all("(check-sat)" in p.read_text(encoding="utf-8") for p in paths)
    facts = json.loads(as_json(proven.certificates, outcome="proven"))
    assert facts["certificates"][0]["solver"].startswith("bitwuzla")
    assert "query" not in facts["certificates"][0]


def half_up(code: int) -> int:
    """``ap_fixed<8,4>`` to ``ap_fixed<6,4,AP_RND,AP_SAT>``."""
    rounded = (code + 2) >> 2
    return max(min(rounded, 31), -32)


def half_up_too_far(code: int) -> int:
    rounded = (code + 2) >> 2
    return max(min(rounded, 30), -32)


def shifts_too_far(code: int) -> int:
    return (code + 2) >> (code & 127)


def takes_text(code: int) -> int:
    return len(str(code))


def test_functions_in_python() -> None:
    """A user's own function is proven, refuted at the right input, or refused."""
    target = "ap_fixed<6,4,AP_RND,AP_SAT>"
    assert equivalent(half_up, "ap_fixed<8,4>", target).outcome is Outcome.PROVEN
    found = equivalent(half_up_too_far, "ap_fixed<8,4>", target)
    assert found.outcome is Outcome.REFUTED
    assert found.codes is not None
    assert found.codes[1] == 31
    assert equivalent(half_up, "ap_fixed<8,4>", target, half_up_too_far).outcome is Outcome.REFUTED
    with pytest.raises(Untranslatable, match="str"):
        equivalent(takes_text, "ap_fixed<8,4>", target)
    with pytest.raises(Untranslatable, match="defined by def"):
        equivalent(lambda code: code, "ap_fixed<8,4>", target)
    with pytest.raises(ValueError, match="at most 64 bits"):
        equivalent(half_up, "ap_fixed<80,4>", target)


def test_what_c_leaves_undefined_refutes() -> None:
    """A shift by 64 and more gives another number on every processor."""
    same = equivalent(shifts_too_far, "ap_fixed<8,8>", "ap_fixed<8,8>", shifts_too_far)
    assert same.outcome is Outcome.REFUTED
    assert same.differs == "what C leaves undefined"
    assert same.inputs["code"] & 127 >= 64


def test_profiles() -> None:
    """A profile is the same for the same seed, legal, and answered in processes as in this one."""
    asked = tasks("quick", seed=3)
    assert asked == tasks("quick", seed=3) != tasks("quick", seed=4)
    few = [task for task in asked if task.subject == "ap_quantize.sv"][:2]
    here, there = run(few, jobs=1), run(few, jobs=2)
    assert here.proven
    assert [c.question for c in here.certificates] == [c.question for c in there.certificates]
    assert there.proven
    with pytest.raises(ValueError, match="allowed: quick, full"):
        tasks("exhaustive")
