"""Mutants of the kernels of two words: of their arithmetic, of questions of bits, and of casts."""

from collections.abc import Iterator

import pytest
from kernel_mutants import BY_NIGHT, PREFIX, drawn, kernel_mutants, place_of, told_apart

from harness.prove import Outcome
from harness.prove.kernels import cast_claims, kept
from harness.prove.machine import as_word
from harness.prove.plan import CASTS as CASTS_SUBJECT
from harness.prove.plan import legal, tasks
from harness.prove.solve import Claim, Pair, decide
from harness.prove.source import Source, source_of
from harness.prove.terms import Truth, Word, choose
from harness.types import ApFixed
from scripts.mutants.edits import Mutant

NAME = "two_words"
#: What layers ask for as well, and so is asked about at every number of 128 bits.
ARITHMETIC = ("added", "negated", "shifted_left", "shifted_right")
BITS = ("bit", "_any_below", "less")
CASTS = ("rounded", "wrapped", "_repaired", "converted", "loaded", "stored", "cast_words")
#: Sources, targets, and saturated bits.
ASKED = (
    ("ap_fixed<66,30>", "ap_fixed<4,2>", 2),
    ("ap_fixed<66,30>", "ap_fixed<4,2>", 1),
    ("ap_ufixed<90,10>", "ap_ufixed<9,4>", 1),
    ("ap_fixed<66,60>", "ap_fixed<100,3>", 66),
    ("ap_ufixed<64,30>", "ap_ufixed<127,40>", 64),
    ("ap_fixed<100,40>", "ap_fixed<64,10>", 5),
    ("ap_fixed<70,40>", "ap_fixed<69,40>", 2),  # one bit is dropped
    ("ap_fixed<128,64>", "ap_ufixed<66,128>", 3),
    ("ap_fixed<128,1>", "ap_fixed<2,2>", 1),  # 127 of them, and all
    ("ap_fixed<128,0>", "ap_ufixed<2,2>", 2),
    ("ap_fixed<128,0>", "ap_fixed<65,66>", 1),
    ("ap_fixed<66,1>", "ap_fixed<4,4>", 2),
    ("ap_fixed<66,66>", "ap_fixed<4,-60>", 2),  # to the left, by a word and by two
    ("ap_fixed<4,70>", "ap_fixed<66,2>", 1),
)
#: No rounding, an even one, and one that reads the sign; the others differ in ``fixed_codes``.
MODES = ("TRN", "RND_CONV", "RND_INF")


def casts(kernels: Source, count: int = len(ASKED)) -> Iterator[Claim]:
    for s, t, n in ASKED[:count]:
        modes = [m for m in legal(ApFixed.parse(t), n) if m.rounding.name in MODES]
        yield from cast_claims(ApFixed.parse(s), modes, kernels=kernels)


def arithmetic(kernels: Source) -> Iterator[Claim]:
    """The arithmetic at every number of 128 bits."""
    a, b, count = Word.named("a", 128), Word.named("b", 128), Word.named("count", 64)
    x, y = halves(a), halves(b)
    n, within = count.extended(128, signed=False), count.less(256, signed=False)
    asked: list[tuple[str, tuple[Word, ...], Word, tuple[Truth, ...]]] = [
        ("added", (*x, *y), a + b, ()),
        ("negated", x, -a, ()),
        ("shifted_left", (*x, count), a << n, (within,)),
        ("shifted_right", (*x, count), a.shifted_right(n, signed=True), (within,)),
    ]
    for name, inputs, right, given in asked:
        duties: list[Truth] = []
        low, high = kernels.call(name, *inputs, duties=duties, given=given)
        pairs = [Pair(name, as_word(high).above(as_word(low)), right), *kept(duties)]
        yield Claim(name, NAME, {"a": a, "b": b, "count": count}, pairs, given)


def bits(kernels: Source) -> Iterator[Claim]:
    """What is asked of bits: their law is in the lines that document them."""
    a, b, place = Word.named("a", 128), Word.named("b", 128), Word.named("place", 64)
    n, one = place.extended(128, signed=False), Word.of(1, 128)
    low = ((one << n) - 1) & a
    within = place.less(256, signed=False)
    near = place.less(256, signed=True) & ~place.less(-256 % (1 << 64), signed=True)
    bit = choose(place.less(0, signed=True), one & 0, a.shifted_right(n, signed=True) & 1)
    asked: list[tuple[str, tuple[Word, ...], Word, tuple[Truth, ...]]] = [
        ("bit", (*halves(a), place), bit.bits(63, 0), (near,)),
        ("_any_below", (*halves(a), place), (low != 0).word(), (within,)),
        ("less", (*halves(a), *halves(b)), a.less(b, signed=True).word(), ()),
    ]
    for name, inputs, right, given in asked:
        duties: list[Truth] = []
        found = kernels.call(name, *inputs, duties=duties, given=given)
        word = found.word() if isinstance(found, Truth) else as_word(found)
        pairs = [Pair(name, word, right), *kept(duties)]
        yield Claim(name, NAME, {"a": a, "b": b, "place": place}, pairs, given)


def halves(a: Word) -> tuple[Word, Word]:
    return a.bits(63, 0), a.bits(127, 64)


def asks_of(mutant: Mutant, kernels: Source) -> Iterator[Claim]:
    """What is asked of a mutant: of its function alone, where that has a law of its own."""
    if mutant.scope in ARITHMETIC:
        return (c for c in arithmetic(kernels) if c.question == mutant.scope)
    if mutant.scope in BITS:
        return (c for c in bits(kernels) if c.question == mutant.scope)
    return casts(kernels)


WIDE = "of a narrow code the high word is not stored; of a wide one this bit moves out"
#: Edits that change no code.
SAME = {
    (
        NAME,
        196,
        17,
    ): "down is the rounding that never adds, and a cast rounds what has bits to drop",
    (NAME, 216, 62): "of a narrow code the high word is not stored",
    (NAME, 216, 64): "of a narrow code the high word is not stored",
    (NAME, 249, 62): WIDE,
    (NAME, 263, 13): "without bits to drop both branches leave the number",
}
#: Edits after which a line is not carried out, such as one that reads beyond a row.
REFUSED = {
    (NAME, line, column)
    for line, column in [
        (283, 20),
        (284, 30),
        (291, 14),
        (292, 20),
        (292, 23),
        (292, 26),
        (293, 18),
    ]
}


def mutants() -> list[Mutant]:
    return kernel_mutants(NAME, (*ARITHMETIC, *BITS, *CASTS))


def test_what_changes_codes_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """All others are explained, and none of the explained ones is refuted."""
    asked = drawn(mutants(), 24, SAME)
    proven, refused = told_apart(asked, asks_of, monkeypatch)
    places = {place_of(m) for m in asked}
    assert proven == SAME.keys() & places
    assert refused == REFUSED & places


def test_what_is_explained_is_there() -> None:
    """A row whose line was rewritten must go."""
    assert SAME.keys() | REFUSED <= {place_of(m) for m in mutants()}


def test_arithmetic_of_two_words_is_that_of_128_bits() -> None:
    kernels = source_of(PREFIX + NAME)
    claims = [*arithmetic(kernels), *bits(kernels)]
    assert {decide(claim).outcome for claim in claims} == {Outcome.PROVEN}


def test_casts_that_are_asked_about_are_right() -> None:
    """So that a mutant is refuted for its edit, and for nothing else."""
    claims = casts(source_of(PREFIX + NAME), len(ASKED) if BY_NIGHT else 2)
    assert {decide(claim).outcome for claim in claims} == {Outcome.PROVEN}


def test_the_full_profile_asks_where_the_loops_turn() -> None:
    """What survived a draw of a thousand casts, and so stands in the profile by itself."""
    asked = [a for task in tasks("full") if task.subject == CASTS_SUBJECT for a in task.asked]
    drops = {s.frac - targets[0].frac for s, targets in asked if s.width > 64}
    assert {0, 1, 64, 65, 127} <= drops
    assert max(drops) > 127
