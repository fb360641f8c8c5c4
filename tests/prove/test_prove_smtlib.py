"""A question's text, and so its hash, is a function of the question and not of the process."""

import subprocess
import sys

import pytest
import z3
from bitwuzla import Kind

from harness.prove.evaluate import holds, value
from harness.prove.smtlib import smtlib
from harness.prove.terms import Truth, Word, make

ASKED = """
from harness.prove.kernels import cast_claims
from harness.prove.rtl import golden_rtl
from harness.prove.rtl.golden import cast_claims as rtl_claims
from harness.prove.solve import decide
from harness.types import ApFixed

def hashes(source, target):
    asked = ApFixed.parse(source), (ApFixed.parse(target),)
    claims = [*cast_claims(*asked), *rtl_claims([asked], golden_rtl())]
    return [decide(claim).query_sha256 for claim in claims]
"""
BEFORE = 'hashes("ap_fixed<9,4>", "ap_fixed<7,4,AP_RND>")\n'
LAST = 'print(*hashes("ap_fixed<10,4>", "ap_fixed<8,4,AP_RND_CONV,AP_SAT_SYM>"))\n'


def test_a_hash_does_not_depend_on_what_was_asked_before() -> None:
    """Of kernels and RTL, in two processes, of which one has asked something else."""
    texts = (ASKED + LAST, ASKED + BEFORE + LAST)
    one, two = (
        subprocess.run([sys.executable, "-c", text], check=True, capture_output=True, text=True)
        for text in texts
    )
    assert len(one.stdout.split()) == 2
    assert one.stdout == two.stdout


def said(*given: Truth) -> str:
    solver = z3.Solver()
    solver.from_string(smtlib(given))
    return str(solver.check())


def test_names_are_kept_apart() -> None:
    """Inputs of one name, of a name that the text takes for itself, and of one with bars."""
    x, other, step = Word.named("x", 4), Word.named("x", 4), Word.named("t0", 4)
    bars, underscores = Word.named("a|b", 4), Word.named("a_b", 4)
    assert said(x != other, step + 1 == other, bars != underscores) == "sat"
    assert said(x != other, x == other) == "unsat"
    text = smtlib([x + 1 == step])
    assert "(declare-const |t0_| (_ BitVec 4))" in text
    assert text.count("declare-const") == 2


def test_every_operator_means_what_it_does() -> None:
    """Each is read by another solver as this one computes it, at a point."""
    a, b = Word.named("a", 5), Word.named("b", 5)
    t, words = a.less(b, signed=True), [a + b, a - b, a * b, -a, ~a, a & b, a | b, a ^ b, a << b]
    words += [a.shifted_right(b, signed) for signed in (False, True)]
    words += [a.bits(3, 1), a.above(b), a.divided(b), t.word()]
    words += [a.extended(9, signed) for signed in (False, True)]
    words += [
        op(b.integer(signed=True)).word
        for op in (a.integer(signed=True).quotient, a.integer(signed=True).remainder)
    ]
    here = [(a, 22), (b, 3)]
    at = [a == 22, b == 3]
    for word in words:
        right = word == value(word, here)
        assert said(*at, right) == "sat"
        assert said(*at, ~right) == "unsat"
    for truth in (t, a.less(b, signed=False), t & (a == b), t | (a == b), t ^ (a == b), a != b):
        assert said(*at, truth) == ("sat" if holds(truth, here) else "unsat")


def test_another_kind_is_refused() -> None:
    a = Word.named("a", 4)
    with pytest.raises(ValueError, match="BV_REDAND"):
        smtlib([Word(make(Kind.BV_REDAND, a.term)) == 1])
