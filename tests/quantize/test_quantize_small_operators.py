"""Every operator on every pair of codes of small types: words, tensors and Python integers.

The exact reference says what is right.  Like ``test_quantize_small.py`` it takes seconds as plain
Python, and ``make mutants`` holds the operators to it.
"""

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from harness import ApFixed, ApInt, MiniFloat, compute_codes, reference, result_type
from harness.quantize import wide_operators
from harness.types import Operation, count_bounds

FIXED = [
    (ApFixed(4, 2), ApFixed(3, 2)),
    (ApFixed(3, 2, signed=False), ApFixed(4, 3)),
    (ApFixed(3, 1), ApFixed(3, 2, False)),
    (ApFixed(3, 3, False), ApFixed(3, 1, False)),
    (ApFixed(4, 2), ApFixed(3, 2, True, "TRN", "SAT_SYM")),
    (ApFixed(3, 4), ApInt(3)),
    (ApFixed(2, 5), ApFixed(3, -2)),
    (ApInt(4), ApFixed(4, 2)),
    (ApInt(3, False), ApFixed(3, 1, False)),
]
INTEGERS = [
    (ApInt(4), ApInt(3)),
    (ApInt(4, signed=False), ApInt(3)),
    (ApInt(3), ApInt(4, signed=False)),
    (ApInt(4), ApInt(3, signed=False)),
    (ApInt(1), ApInt(1, signed=False)),
    (ApInt(3, signed=False), ApInt(3, signed=False)),
]
#: Wide enough that C compares as unsigned numbers, or in the other's width; all of 64 bits too.
LONG = [
    (ApInt(32, signed=False), ApInt(8)),
    (ApInt(8), ApInt(32, signed=False)),
    (ApInt(40, signed=False), ApInt(40)),
    (ApInt(64), ApInt(64, signed=False)),
    (ApInt(64, signed=False), ApInt(64)),
    (ApFixed(31, 20, False), ApFixed(31, 19)),
    (ApFixed(33, 20), ApFixed(32, 18, False)),
    (ApFixed(60, -30), ApFixed(5, 60)),
    (ApFixed(5, 60, False), ApFixed(60, -30, False)),
    # The left one is the coarser, and has a bit more, of which an equality takes no modulus.
    (ApInt(40, signed=False), ApFixed(2, 1)),
    (ApFixed(30, 29, False), ApFixed(4, 2)),
    (ApFixed(28, 27, False), ApFixed(4, 2)),
    (ApFixed(62, 61, False), ApFixed(64, 62)),
    (ApFixed(30, 29), ApFixed(33, 31, False)),
]
#: Where a quotient needs a bit more than a word has, and where it just does not.
DIVIDED = [
    (ApInt(64, signed=False), ApInt(8)),
    (ApInt(63, signed=False), ApInt(8)),
    (ApInt(8), ApInt(64, signed=False)),
    (ApInt(64), ApInt(64)),
    (ApFixed(64, 64), ApFixed(4, 4)),
    (ApFixed(60, 60), ApFixed(8, 4)),
    (ApFixed(4, 4), ApFixed(6, 6)),
]
BINARY = ["+", "-", "*", "/", "%", "&", "|", "^", "<", "<=", ">", ">=", "==", "!=", "concat"]
COMPARED = ["<", "<=", ">", ">=", "==", "!="]
ASSIGNED = ["+=", "-=", "*=", "/=", "%=", "&="]
#: Of pairs of these types.
COMPARISON, ASSIGNMENT = {"comparison-sat-sym", "comparison-unsigned"}, {"ap-int-assign-fixed"}
EQUALITY = {"comparison-sat-sym", "equality-modulo"}
DIVISION = {"division-of-minimum", "ap-int-division"}
REMAINDER = {"ap-int-division", "ap-int-remainder"}
QUIRKS = {
    "/": DIVISION,
    "%": REMAINDER,
    **dict.fromkeys(("<", "<=", ">", ">="), COMPARISON),
    **dict.fromkeys(("==", "!="), EQUALITY),
    **dict.fromkeys(("+=", "-=", "*=", "&="), ASSIGNMENT),
    "/=": DIVISION | ASSIGNMENT,
    "%=": REMAINDER,
}
UNARY = ["neg", "~", "and_reduce", "or_reduce", "xor_reduce"]
#: Made of other operations.
COMPOSED = ["++", "--", "to_int", "to_uint", "to_int64", "to_uint64", "to_float", "to_double"]
COUNTED = ["<<", ">>", "[]", "set", "clear"]


def codes_of(t: Any) -> list[int]:
    """Every code, or the ends and what is near zero and in the middle."""
    if t.width <= 4:
        return list(t.codes)
    low, high = t.min_code, t.max_code
    near = [low, low + 1, low // 2, -2, -1, 0, 1, 2, 15, high // 2, high // 2 + 1, high - 1, high]
    return sorted({c for c in near if low <= c <= high})


def held(op: str, a: list[int], ta: Any, b: Any, tb: Any) -> None:
    """An operation by each path."""
    counts = b if b is not None else [0] * len(a)
    wanted = [reference.compute(op, x, ta, y, tb) for x, y in zip(a, counts, strict=True)]
    target = result_type(op, ta, tb)
    left, right = words(a, ta), None if b is None else words(b, tb)
    assert bits(compute_codes(op, left, ta, right, tb), target) == bits(wanted, target), (
        op,
        ta,
        tb,
    )
    # Tensors hold 64 bits, and refuse what takes more on its way.
    room = 60 if op in ("/", "%", "++", "--") else 64
    if max(t.width for t in (ta, tb or ta, target)) <= room:
        other = None if right is None else torch.from_numpy(right)
        found = compute_codes(op, torch.from_numpy(left), ta, other, tb)
        assert bits(found, target) == bits(wanted, target), ("tensors", op, ta, tb)
    # The header keeps narrow numbers in 64 bits, and xor_reduce counts the copies of the sign.
    narrow = op == "xor_reduce" and ta.width <= 64
    composed = Operation.parse(op).assigned is not None or op in COMPOSED
    if not composed and not narrow and not isinstance(target, MiniFloat):
        found = [
            wide_operators.unary(Operation.parse(op), x, ta, y)
            if tb is None
            else wide_operators.binary(Operation.parse(op), x, ta, y, tb, target)
            for x, y in zip(a, counts, strict=True)
        ]
        assert bits(found, target) == bits(wanted, target), ("integers", op, ta, tb)


def words(codes: list[int], t: Any) -> np.ndarray:
    """Codes, or counts, as ``int64`` words."""
    if t is not None and t.width > 64:
        return np.array(codes, dtype=object)
    folded = [c - (1 << 64) if c >> 63 > 0 else c for c in codes]
    return np.array(folded, dtype=np.int64)


def bits(codes: Any, t: Any) -> list[int]:
    """Codes as their bits."""
    return [int(c) % (1 << t.width) for c in (codes if isinstance(codes, list) else codes.tolist())]


def pairs_of(op: str, ta: Any, tb: Any) -> list[tuple[int, int]]:
    """Pairs of codes; a divisor is not zero, also where it is cut to an integer before."""
    pairs = itertools.product(codes_of(ta), codes_of(tb))
    cut = tb.whole if op == "/=" and isinstance(ta, ApInt) else tb
    divides = op in ("/", "%", "/=", "%=")
    return [(x, y) for x, y in pairs if not divides or reference.cast(y, tb, cut)]


def exists(op: str, ta: Any, tb: Any) -> bool:
    """Whether C++ has the expression."""
    try:
        result_type(op, ta, tb)
    except (TypeError, ValueError):
        return False
    return True


@pytest.mark.parametrize("op", [*BINARY, *ASSIGNED])
def test_every_pair_of_codes(op: str) -> None:
    """Two operands of small types, in every combination of signs, points and kinds."""
    asked = 0
    long = LONG if op in COMPARED else DIVIDED if op in ("/", "%") else []
    for ta, tb in [*FIXED, *INTEGERS, *long]:
        if not exists(op, ta, tb):
            continue
        kept = pairs_of(op, ta, tb)
        held(op, [x for x, _ in kept], ta, [y for _, y in kept], tb)
        asked += len(kept)
    assert asked > 100


@pytest.mark.parametrize("op", [*BINARY, *ASSIGNED])
def test_quirks_are_predicted(op: str) -> None:
    """Where the header departs from the definition a quirk is named, and no name is idle."""
    named, moved = set(), set()
    for ta, tb in [*FIXED, *INTEGERS, *LONG]:
        if not exists(op, ta, tb):
            continue
        for x, y in pairs_of(op, ta, tb):
            names = reference.operator_quirks(op, x, ta, y, tb)
            named.update(names)
            answer = reference.compute(op, x, ta, y, tb)
            if answer != reference.compute(op, x, ta, y, tb, published=True):
                assert names, (ta, tb, x, y)
                moved.update(names)
    assert named == moved == QUIRKS.get(op, set())


@pytest.mark.parametrize("op", [*UNARY, *COMPOSED])
def test_every_code(op: str) -> None:
    """One operand of small types, and of 64 bits."""
    narrow = (ApFixed(4, 2), ApFixed(3, 5, False), ApInt(4), ApInt(1), ApInt(64), ApInt(64, False))
    for t in (*narrow, ApInt(66), ApFixed(70, 3, False)):
        if exists(op, t, None):
            held(op, codes_of(t), t, None, None)


@pytest.mark.parametrize("op", COUNTED)
def test_every_count(op: str) -> None:
    """Every code with every count that is allowed and small."""
    for t in (ApFixed(4, 2), ApFixed(3, 5, False), ApInt(4), ApInt(64), ApInt(64, False)):
        low, high = count_bounds(Operation.parse(op), t)
        counts = range(max(low, -5), min(high, 5) + 1) if t.width < 5 else (0, 1, 33, 63)
        pairs = list(itertools.product(codes_of(t), counts))
        held(op, [x for x, _ in pairs], t, [y for _, y in pairs], None)


def test_counts_out_of_range() -> None:
    """One count of many that is too large, or too small, is refused."""
    for counts in ([0, 4], [-1, 3]):
        with pytest.raises(ValueError, match="takes 0 to 3 on its right"):
            compute_codes("[]", [1, 1], ApInt(4), counts)


def test_wide_numbers_of_both_signs_are_equal_modulo_the_unsigned_one() -> None:
    """Each is read as signed in its own width: a positive one of either stays what it is."""
    wide, narrow = ApInt(70, signed=False), ApInt(66)
    for code, other, equal in (
        (3 << 63, 3 << 63, True),
        ((1 << 70) - 5, -5, True),
        ((1 << 66) - 5, -5, False),
        (5 << 66, 5 << 61, False),
    ):
        left, right = (np.array([c], object) for c in (code, other))
        assert compute_codes("==", left, wide, right, narrow).tolist() == [int(equal)]
        assert compute_codes("!=", right, narrow, left, wide).tolist() == [int(not equal)]
        assert reference.compute("==", code, wide, other, narrow) == equal


def test_every_slice() -> None:
    """A range of bits, forward and in reverse."""
    for t in (ApFixed(4, 2), ApInt(4, signed=False)):
        codes = codes_of(t)
        for hi, lo in itertools.product(range(4), repeat=2):
            wanted = [reference.compute("range", c, t, (hi, lo)) for c in codes]
            found = compute_codes("range", np.array(codes), t, (hi, lo))
            exact = [wide_operators.unary(Operation.RANGE, c, t, (hi, lo)) for c in codes]
            assert found.tolist() == exact == wanted, (t, hi, lo)


def test_products_with_minifloats() -> None:
    """Every pair of codes of a minifloat and a number, and of two minifloats."""
    mini = MiniFloat(2, 2, 1)
    for ta, tb in ((mini, ApFixed(3, 2)), (ApFixed(3, 1, False), mini), (mini, MiniFloat(1, 2, 0))):
        pairs = list(itertools.product(range(1 << ta.width), range(1 << tb.width)))
        pairs = [(x + ta.min_code, y + tb.min_code) for x, y in pairs]
        held("*", [x for x, _ in pairs], ta, [y for _, y in pairs], tb)
