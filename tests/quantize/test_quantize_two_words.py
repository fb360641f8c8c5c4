"""Two-word integers: every conversion and operation is what Python integers make of it."""

import itertools
import random

import numpy as np
import pytest

from harness.quantize import cast_codes, compute_codes, two_words
from harness.quantize.held import (
    WORDS,
    cast_held,
    codes_of,
    compute_held,
    from_words,
    held,
    to_words,
)
from harness.quantize.plan import as_int64
from harness.types import ApFixed, ApInt, Operation, Overflow, Rounding, result_type

#: Widths around those of the words, and of what two words hold.
WIDTHS = (1, 2, 5, 31, 63, 64, 65, 66, 69, 96, 127, 128)
MODES = list(itertools.product(Rounding, Overflow))


def drawn_type(rng, width, *, signed=None, rounding=Rounding.TRN, overflow=Overflow.WRAP, n=0):
    signed = rng.random() < 0.7 if signed is None else signed
    if width == 128:
        signed = True
    integer = rng.randint(-4, width + 4)
    if overflow is Overflow.WRAP_SM and not signed:
        overflow = Overflow.WRAP
    return ApFixed(width, integer, signed, rounding, overflow, n if overflow.wraps else 0)


def drawn_codes(rng, t, count=40):
    """Codes of a type: its ends, what is next to powers of two, and codes of every length."""
    ends = [t.min_code, t.min_code + 1, 0, 1, t.max_code - 1, t.max_code]
    lengths = (0, 1, 31, 62, 63, 64, 65, 100)
    powers = [s * (1 << k) + d for k in lengths for s in (1, -1) for d in (-1, 0, 1)]
    found = [c for c in ends + powers if t.min_code <= c <= t.max_code]
    for _ in range(count):
        found.append(rng.randint(t.min_code, t.max_code) >> rng.randint(0, t.width))
    out = np.empty(len(found), object)
    out[:] = found
    return out if t.width > 64 else np.array([as_int64(c) for c in found])


def as_held(codes, t):
    return held(codes, t) if t.width > 64 else codes


def as_codes(array, t):
    return codes_of(array) if t.width > 64 else array


@pytest.mark.parametrize(("rounding", "overflow"), MODES)
def test_conversions_are_those_of_python_integers(rounding, overflow):
    """From and to types of any width, with the point anywhere, in every mode and N."""
    rng = random.Random(f"{rounding}{overflow}")
    for wide, other in itertools.product((65, 66, 69, 96, 127, 128), WIDTHS):
        for source_width, width in ((wide, other), (other, wide)):
            n = rng.choice([0, 1, 2, min(width, 70), width]) if overflow.wraps else 0
            target = drawn_type(rng, width, rounding=rounding, overflow=overflow, n=min(n, width))
            source = drawn_type(rng, source_width)
            codes = drawn_codes(rng, source, 10)
            found = cast_held(as_held(codes, source), source, target)
            expected = cast_codes(codes, source, target)
            assert as_codes(found, target).tolist() == expected.tolist(), (source, target)


def test_every_code_of_small_types_through_a_wide_one():
    """A number of six bits far up in a wide type is converted as one of six bits is."""
    for rounding, overflow in MODES:
        for integer in range(-1, 6):
            target = ApFixed(4, integer, True, rounding, overflow)
            small = ApFixed(6, 3)
            codes = np.arange(-32, 32)
            for lift in (0, 62):
                wide = ApFixed(66 + lift, 66 + lift - 3 - lift)
                moved = np.array([int(c) << lift for c in codes], object)
                found = cast_held(held(moved, wide), wide, target)
                assert found.tolist() == cast_codes(codes, small, target).tolist()


@pytest.mark.parametrize("symbol", ["+", "-", "*", "&", "|", "^", "<", "<=", ">", ">=", "==", "!="])
def test_operators_are_those_of_python_integers(symbol):
    """Where two words hold operands and result; comparisons where C++ compares the values."""
    op, rng, computed = Operation.parse(symbol), random.Random(symbol), 0
    for width_a, width_b in itertools.product(WIDTHS, WIDTHS):
        a, b = drawn_type(rng, width_a), drawn_type(rng, width_b)
        try:
            target = result_type(op, a, b)
        except ValueError:
            continue
        if max(a.width, b.width, target.width) <= 64:
            continue
        x, y = drawn_codes(rng, a, 30), drawn_codes(rng, b, 30)
        size = min(len(x), len(y))
        x, y = rng.sample(x.tolist(), size), rng.sample(y.tolist(), size)
        x, y = (np.array(c, object if t.width > 64 else np.int64) for c, t in ((x, a), (y, b)))
        found = compute_held(op, as_held(x, a), a, as_held(y, b), b, target)
        if found is not None:
            computed += 1
            expected = compute_codes(op, x, a, y, b)
            assert as_codes(found, target).tolist() == expected.tolist(), (a, b)
    assert computed >= 20


@pytest.mark.parametrize("kind", [ApFixed, ApInt])
def test_quotients_by_small_whole_numbers_are_those_of_python_integers(kind):
    """By divisors of up to 32 bits, signed or not; others are left to Python."""
    rng = random.Random(str(kind))
    for width, signed, divisor_signed in itertools.product((65, 96, 127, 128), (0, 1), (0, 1)):
        a = ApFixed(width, 40, bool(signed)) if kind is ApFixed else ApInt(width, bool(signed))
        b = ApInt(32, bool(divisor_signed))
        if not two_words.fits(a) or width + signed > 127:
            continue
        x, y = drawn_codes(rng, a, 30), drawn_codes(rng, b, 80)
        y = y[(y != 0) & (y != -1)][: len(x)]
        x = x[: len(y)]
        target = result_type("/", a, b)
        found = compute_held(Operation.DIV, held(x, a), a, y, b, target)
        if kind is ApInt and divisor_signed > signed:
            assert found is None  # read as unsigned
            continue
        assert as_codes(found, target).tolist() == compute_codes("/", x, a, y, b).tolist()
    a, minus = ApFixed(70, 30), np.array([-1, 3])
    x = held(np.array([a.min_code, 1], object), a)
    assert (
        compute_held(Operation.DIV, x, a, minus, ApInt(32), result_type("/", a, ApInt(32))) is None
    )
    for other in (ApInt(33), ApFixed(20, 10), ApFixed(8, 9)):
        target, y = result_type("/", a, other), np.array([5, 3])
        assert target.width <= 128
        assert compute_held(Operation.DIV, x, a, y, other, target) is None


def test_words_of_several_codes():
    """Each code has its own words, the low one first: of two words, and of more."""
    for width, count in ((65, 2), (128, 2), (129, 3), (200, 4)):
        t = ApFixed(width, width)
        codes = np.array([-1, 5 + (1 << 64), t.min_code], object)
        words = to_words(held(codes, t), t)
        assert words.shape == (3, count)
        assert words[1].tolist() == [5, 1, *[0] * (count - 2)]
        assert words[0].tolist() == [-1] * count
        back = from_words(words, t)
        assert (back if back.dtype == object else codes_of(back)).tolist() == codes.tolist()


def test_operands_broadcast():
    """A column times a row, a negation, and a range of bits."""
    t = ApFixed(70, 30)
    column = held(np.array([[1 << 68], [-(1 << 69)], [-3]], object), t)
    row = np.array([1, -1, 7, 1 << 30])
    product = result_type("*", t, ApInt(33))
    found = compute_held(Operation.MUL, column, t, row, ApInt(33), product)
    assert codes_of(found).tolist() == [
        [int(a) * int(b) for b in row] for a in codes_of(column)[:, 0]
    ]
    negative = compute_held(Operation.NEG, column, t, None, None, result_type("neg", t))
    assert codes_of(negative)[:, 0].tolist() == [-(1 << 68), 1 << 69, 3]
    bits = compute_held(Operation.RANGE, column, t, (69, 60), None, ApInt(10, signed=False))
    assert bits[:, 0].tolist() == [256, 512, 1023]


def test_what_two_words_do_not_hold_is_left_to_python():
    """Types of more bits, mixed comparisons of C++, and operations that nobody needs fast."""
    t, u = ApFixed(70, 30), ApFixed(70, 30, signed=False)
    x = held(np.array([1, 2], object), t)
    assert cast_held(x, t, ApFixed(129, 60)) is None
    assert compute_held(Operation.MUL, x, t, x, t, ApFixed(140, 60)) is None
    assert compute_held(Operation.LT, x, t, x, u, ApInt(1, False)) is None
    assert compute_held(Operation.DIV, x, t, x, t, ApFixed(110, 71)) is None
    assert not two_words.fits(ApFixed(128, 60, signed=False))
    assert held(np.array([1, 2]), ApFixed(129, 60)).dtype == object


def test_held_codes_come_back():
    """In any shape and order; what comes back is read-only, for it is a copy."""
    t = ApFixed(128, 64)
    codes = np.array([[t.min_code, -1, 0], [1, 1 << 64, t.max_code]], object)
    there = held(codes, t)
    assert there.dtype == WORDS
    assert there.shape == (2, 3)
    assert codes_of(there.T).tolist() == codes.T.tolist()
    assert codes_of(held(np.array(-5), t)).item() == -5
    assert not codes_of(there).flags.writeable
    with pytest.raises(ValueError, match="170141183460469231731687303715884105728"):
        held(np.array([1 << 127], object), t)
