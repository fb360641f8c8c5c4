"""Mutants of the float loop: of how it rounds, brings into range, and tames what is large."""

from collections.abc import Iterator

import pytest
from kernel_mutants import BY_NIGHT, PREFIX, drawn, kernel_mutants, place_of, told_apart

from harness.prove import Outcome
from harness.prove.kernels import float_claims
from harness.prove.plan import legal
from harness.prove.solve import Claim, decide
from harness.prove.source import Source, source_of
from harness.types import ApFixed, Overflow, Rounding
from scripts.mutants.edits import Mutant

NAME = "fixed_values"
#: What is computed of a type before any loop runs is Python's, and no kernel.
OUTSIDE = ("<module>", "float_plan", "wild_limit")
ROUNDINGS = tuple(mode.name for mode in Rounding)
OVERFLOWS = tuple(mode.name for mode in Overflow)
#: Dtypes and shapes, saturated bits, and modes.
Asked = tuple[str, str, int, tuple[str, ...], tuple[str, ...]]
#: Rounding is the same whatever follows: one end, and the low bits that are kept.
ROUND: tuple[Asked, ...] = (("float32", "ap_fixed<3,1>", 2, ROUNDINGS, ("SAT", "WRAP")),)
#: A float may leave the range by its rounding, and it may be odd what was cut off.
FIT: tuple[Asked, ...] = (
    ("float32", "ap_fixed<3,1>", 2, ("TRN", "RND"), OVERFLOWS),
    ("float32", "ap_ufixed<3,1>", 1, ("TRN",), OVERFLOWS),
    ("float32", "ap_fixed<3,2>", 1, ("TRN",), OVERFLOWS),
    ("float32", "ap_fixed<4,2>", 2, ("TRN", "RND"), OVERFLOWS),
)
#: Scaling loses the smallest, finds infinities among the rest, or makes them.
TAME: tuple[Asked, ...] = (
    ("float64", "ap_fixed<3,5>", 1, ("RND_INF",), ("SAT", "WRAP")),
    ("float32", "ap_ufixed<3,1>", 1, ("TRN",), ("WRAP",)),
    ("float64", "ap_fixed<2,-800>", 2, ("RND_CONV",), ("SAT", "WRAP")),
)
ASKED = {
    "_loops.quantize": ROUND,
    "_is_wild": TAME,
    "_tame": TAME,
    "_sign_magnitude_one": FIT[2:3],
    "_sign_magnitude_saturated": (FIT[3], FIT[0]),
    "_block": (*FIT, *TAME),
    "quantize_tame": TAME,
    "quantize_wild": TAME,
}


BOTH = "where the two are equal both branches are"
ZERO = "zero is in range, and so is not taken from here"
ENDS = "what is kept of the end of the range is that end"
ONE_ELEMENT = "a block of one element, which is what is proven of; other tests have longer ones"
#: Edits that change no code and no value.
SAME = {
    (NAME, 118, 29): BOTH,
    (NAME, 125, 25): BOTH,
    (NAME, 126, 28): BOTH,
    (NAME, 148, 49): ZERO,
    (NAME, 149, 30): ENDS,
    (NAME, 162, 23): BOTH,
    (NAME, 163, 36): "the largest code is odd, and so no double of another",
    (NAME, 180, 40): ZERO,
    (NAME, 181, 34): ZERO,
    (NAME, 182, 25): ENDS,
    (NAME, 182, 30): ENDS,
    (NAME, 210, 48): "a sum with plus zero is not minus zero",
    (NAME, 280, 41): ONE_ELEMENT,
    (NAME, 282, 32): ONE_ELEMENT,
    (NAME, 282, 69): ONE_ELEMENT,
    (NAME, 291, 34): ONE_ELEMENT,
    (NAME, 294, 44): ONE_ELEMENT,
}
#: Edits after which a line is not carried out, such as a sum of infinities.
REFUSED = {
    (NAME, line, column)
    for line, column in [
        (106, 16),
        (106, 47),
        (107, 22),
        (118, 17),
        (137, 23),
        (143, 35),
        (159, 16),
        (165, 22),
        (178, 15),
        (179, 26),
        (179, 40),
        (196, 33),
        (279, 24),
        (280, 12),
        (290, 24),
    ]
}


def asked_of(mutant: Mutant, kernels: Source) -> Iterator[Claim]:
    """What is asked of a mutant: by what its function does."""
    return claims(ASKED.get(mutant.scope, FIT), kernels)


def claims(asked: tuple[Asked, ...], kernels: Source) -> Iterator[Claim]:
    for dtype, shape, n, roundings, overflows in asked:
        modes = [
            t
            for t in legal(ApFixed.parse(shape), n)
            if t.rounding.name in roundings and t.overflow.name in overflows
        ]
        yield from float_claims(dtype, modes, kernels=kernels, few=True)


def mutants() -> list[Mutant]:
    return [m for m in kernel_mutants(NAME) if m.scope not in OUTSIDE]


def test_what_changes_codes_or_values_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """All others are explained, and none of the explained ones is refuted."""
    asked = drawn(mutants(), 32, SAME)
    proven, refused = told_apart(asked, asked_of, monkeypatch)
    places = {place_of(m) for m in asked}
    assert proven == SAME.keys() & places
    assert refused == REFUSED & places


def test_what_is_explained_is_there() -> None:
    """A row whose line was rewritten must go."""
    assert SAME.keys() | REFUSED <= {place_of(m) for m in mutants()}


def test_floats_that_are_asked_about_are_right() -> None:
    """So that a mutant is refuted for its edit, and for nothing else."""
    asked = (*ROUND, *FIT, *TAME) if BY_NIGHT else FIT[1:2]
    kernels = source_of(PREFIX + NAME)
    assert {decide(claim).outcome for claim in claims(asked, kernels)} == {Outcome.PROVEN}
