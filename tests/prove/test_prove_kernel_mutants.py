"""Every small edit of the kernels of one word that changes a code is refuted by a few claims."""

from collections.abc import Iterator

import pytest
from kernel_mutants import PREFIX, drawn, kernel_mutants, place_of, told_apart

from harness.prove import Outcome
from harness.prove.kernels import cast_claims, double_claims
from harness.prove.machine import as_word
from harness.prove.operators import DIVISIONS, binary_claims
from harness.prove.plan import legal
from harness.prove.solve import Claim, Pair, decide
from harness.prove.source import Source, source_of
from harness.prove.terms import Word
from harness.types import ApFixed, ApInt
from scripts.mutants.edits import Mutant

NAME = "fixed_codes"
Asked = tuple[str, str, int]
#: Sources, targets in every mode, and saturated bits: what refutes most comes first.
CODES: tuple[Asked, ...] = (
    ("ap_fixed<6,3>", "ap_fixed<4,2>", 2),
    ("ap_ufixed<6,3>", "ap_ufixed<4,2>", 1),
    ("ap_fixed<5,3>", "ap_ufixed<3,3>", 3),
    ("ap_fixed<6,3>", "ap_fixed<12,2>", 1),
    ("ap_fixed<1,1>", "ap_fixed<1,0>", 1),
    ("ap_ufixed<64,30>", "ap_ufixed<64,20>", 3),
    ("ap_fixed<64,30>", "ap_fixed<64,40>", 64),
    ("ap_fixed<4,2>", "ap_fixed<8,70>", 1),
    ("ap_ufixed<64,2>", "ap_fixed<3,70>", 2),
    ("ap_fixed<4,70>", "ap_fixed<8,2>", 1),
    ("ap_ufixed<64,64>", "ap_ufixed<3,-64>", 2),
    ("ap_ufixed<64,0>", "ap_ufixed<64,64>", 2),
    ("ap_fixed<64,64>", "ap_fixed<2,66>", 1),
    ("ap_fixed<64,1>", "ap_fixed<4,3>", 2),
    # What survived showed that these were missing.
    ("ap_fixed<8,6>", "ap_fixed<4,2>", 1),
    ("ap_fixed<4,2>", "ap_fixed<4,1>", 2),
    ("ap_fixed<6,3>", "ap_fixed<3,-2>", 2),
    ("ap_fixed<6,3>", "ap_fixed<3,-3>", 2),
    ("ap_fixed<64,1>", "ap_fixed<4,6>", 2),
    ("ap_fixed<4,4>", "ap_fixed<64,0>", 1),
    ("ap_ufixed<64,30>", "ap_ufixed<64,31>", 2),
    ("ap_ufixed<64,4>", "ap_fixed<4,4>", 2),
    ("ap_ufixed<64,30>", "ap_fixed<8,20>", 2),
    ("ap_fixed<64,1>", "ap_fixed<4,4>", 2),
    ("ap_ufixed<64,-1>", "ap_fixed<4,4>", 2),
    ("ap_fixed<8,4>", "ap_ufixed<64,60>", 2),
)


def casts(asked: tuple[Asked, ...], kernels: Source) -> Iterator[Claim]:
    for s, t, n in asked:
        yield from cast_claims(ApFixed.parse(s), legal(ApFixed.parse(t), n), kernels=kernels)


def divided(kernels: Source) -> Iterator[Claim]:
    yield large_divisor(kernels)
    yield from binary_claims(DIVISIONS, ApInt(4), ApInt(3))
    yield from binary_claims(DIVISIONS, ApInt(4, signed=False), ApInt(3))


def doubles(kernels: Source) -> Iterator[Claim]:
    modes = [t for t in legal(ApFixed(4, 2), 2) if t.rounding.name in ("TRN", "RND_CONV")]
    return double_claims(modes, kernels=kernels)


def large_divisor(kernels: Source) -> Claim:
    """A divisor of 2**63 and more goes in once or not at all; operators ask about others."""
    a, b = Word.named("a", 64), Word.named("b", 64)
    found = as_word(kernels.call("udiv", a, b))
    right = (~a.less(b, signed=False)).word().extended(64, signed=False)
    return Claim(
        "udiv",
        "fixed_codes",
        {"a": a, "b": b},
        [Pair("quotient", found, right)],
        [b.less(0, signed=True)],
    )


def asked_of(mutant: Mutant, kernels: Source) -> Iterator[Claim]:
    """What is asked of a mutant: by the loop that its function serves."""
    scopes = {
        **dict.fromkeys(("udiv", "is_below"), divided),
        **dict.fromkeys(("<module>", "split_double", "doubles_to_codes"), doubles),
    }
    return scopes.get(mutant.scope, lambda k: casts(CODES, k))(kernels)


NOT_ZERO = "no divisor is zero"
ONE_ELEMENT = "an array of one element, which is what is proven of; other tests have longer ones"
CORE = "goes through the core, which takes more steps to the same codes"
#: Edits that change no code, by file, line and column, beside those that the project explains.
SAME = {
    ("fixed_codes", 37, 13): "the bit above the fraction is the hidden one, which is set",
    ("fixed_codes", 37, 18): "the bit above the fraction is the hidden one, which is set",
    ("fixed_codes", 40, 9): ONE_ELEMENT,
    ("fixed_codes", 52, 21): "of two equal numbers either is the lesser",
    ("fixed_codes", 59, 44): "count = 1 then takes the last branch, which is 0 too",
    ("fixed_codes", 59, 58): "where the count is 0 the shifted word is not taken",
    ("fixed_codes", 60, 54): "a shift by 64 leaves nothing of 63 bits",
    ("fixed_codes", 60, 56): "a shift by 64 leaves nothing of 63 bits",
    ("fixed_codes", 75, 28): "right = 1 then takes the last branch, which is 0 too",
    ("fixed_codes", 79, 61): "where the guard bit is set it is the sign, which the rest has still",
    ("fixed_codes", 141, 25): "at 0 both branches are",
    ("fixed_codes", 142, 24): "at 0 both branches are",
    ("fixed_codes", 142, 26): "at 0 both branches are",
    ("fixed_codes", 162, 43): "at 0 both branches are",
    ("fixed_codes", 178, 26): "the significand of a word of zero is zero, with either sign",
    ("fixed_codes", 190, 22): NOT_ZERO,
    ("fixed_codes", 190, 24): NOT_ZERO,
    ("fixed_codes", 194, 21): NOT_ZERO,
    ("fixed_codes", 194, 23): NOT_ZERO,
    ("fixed_codes", 203, 34): ONE_ELEMENT,
    ("fixed_codes", 205, 32): ONE_ELEMENT,
    ("fixed_codes", 208, 23): ONE_ELEMENT,
    ("fixed_codes", 215, 24): CORE,
    ("fixed_codes", 217, 36): CORE,
    ("fixed_codes", 217, 38): CORE,
    ("fixed_codes", 217, 46): "a shift by 63 leaves the sign, and 63 bits below it",
    ("fixed_codes", 217, 48): "a shift by 63 leaves the sign, and 63 bits below it",
    ("fixed_codes", 235, 69): "of zero no bit is deleted that the sign could turn",
    ("fixed_codes", 235, 71): "of zero no bit is deleted that the sign could turn",
}


#: Edits after which a line is not carried out, such as a shift that C leaves undefined.
REFUSED = {
    ("fixed_codes", line, column)
    for line, column in [
        (34, 70),
        (35, 47),
        (39, 12),
        (39, 17),
        (39, 21),
        (46, 25),
        (46, 39),
        (75, 26),
        (75, 39),
        (79, 50),
        (202, 24),
        (203, 16),
    ]
}


def test_what_changes_codes_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """All others are explained, and none of the explained ones is refuted."""
    asked = drawn(kernel_mutants(NAME), 32, SAME)
    proven, refused = told_apart(asked, asked_of, monkeypatch)
    places = {place_of(m) for m in asked}
    assert proven == SAME.keys() & places
    assert refused == REFUSED & places


def test_what_is_explained_is_there() -> None:
    """A row whose line was rewritten must go."""
    assert SAME.keys() | REFUSED <= {place_of(m) for m in kernel_mutants(NAME)}


def test_a_large_divisor_is_divided_by_in_one_step() -> None:
    assert decide(large_divisor(source_of(PREFIX + NAME))).outcome is Outcome.PROVEN
