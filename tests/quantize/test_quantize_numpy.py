"""The NumPy quantizers: exact for every type, and unharmed by every kind of array."""

import subprocess
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import (
    ApFixed,
    ApInt,
    cast_codes,
    compute_codes,
    decode,
    quantize,
    quantize_codes,
    reference,
    result_type,
)
from harness.quantize.plan import FLOATS, float_misfit
from harness.testing import any_ap_types, codes, values_for

T = ApFixed(8, 4, rounding="RND", overflow="SAT")
VALUES = np.array([0.03125, -0.03125, 99.0, -99.0, 3.14159, -0.0, 1e-30, -1e-30])
CODES = [1, 0, 127, -128, 50, 0, 0, 0]


def same_bits(a: Any, t: ApFixed) -> int:
    """A code, or the int64 that stands for it, as its W bits."""
    return int(a) % (1 << t.width)


@given(data=st.data(), t=any_ap_types())
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_floats(data: st.DataObject, dtype: str, t: ApFixed) -> None:
    """Codes are the reference's, and so are values where the dtype holds the type."""
    with np.errstate(over="ignore"):
        x = np.array([data.draw(values_for(t), label="x")]).astype(dtype)
    expected = reference.from_double(float(x[0]), t)
    assert same_bits(quantize_codes(x, t)[0], t) == expected % (1 << t.width)
    if float_misfit(t, FLOATS[dtype]) is not None:
        with pytest.raises(ValueError, match="use "):
            quantize(x, t)
        return
    value = quantize(x, t)
    assert value.dtype == x.dtype
    assert Fraction(float(value[0])) == reference.decode(expected, t)
    assert not (value[0] == 0 and np.signbit(value[0]))


@given(data=st.data(), t=any_ap_types(max_width=90))
def test_integers(data: st.DataObject, t: ApFixed) -> None:
    """Integers of every dtype count as exact values."""
    dtype = data.draw(st.sampled_from("bhilBHIL"), label="dtype")
    info = np.iinfo(dtype)
    x = np.array([data.draw(st.integers(int(info.min), int(info.max)), label="x")], dtype=dtype)
    expected = reference.from_int(int(x[0]), t)
    assert same_bits(quantize_codes(x, t)[0], t) == expected % (1 << t.width)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x[::2],
        lambda x: x[::-1],
        lambda x: np.repeat(x, 3)[::3],
        lambda x: x.reshape(2, 4),
        lambda x: np.asfortranarray(x.reshape(2, 2, 2)),
        lambda x: x.reshape(2, 4).T,
        lambda x: np.broadcast_to(x, (3, 8)),
        lambda x: x[:0].reshape(0, 5),
        lambda x: x[3:4].reshape(()),
        lambda x: x.astype(">f8"),
        lambda x: x.astype(">f4"),
        lambda x: x.astype("<f2"),
    ],
    ids="step reversed strided 2d fortran transposed broadcast empty 0d big8 big4 half".split(),
)
def test_layouts(make: Any) -> None:
    """Shape and dtype, byte order included, come out as they went in; the input is unchanged."""
    x = make(VALUES)
    x.flags.writeable = False
    before = x.copy()
    expected = np.array([reference.from_double(float(v), T) for v in x.ravel()]).reshape(x.shape)
    found = quantize_codes(x, T)
    assert found.dtype == np.int64
    assert np.array_equal(found, expected)
    values = quantize(x, T)
    assert isinstance(values, np.ndarray)
    assert (values.dtype, values.shape) == (x.dtype, x.shape)
    assert np.array_equal(values, expected / 16)
    assert np.array_equal(x, before)


def test_numbers_and_lists() -> None:
    """Python numbers give NumPy scalars, lists give arrays."""
    assert quantize(3.14159, T) == 3.125
    assert isinstance(quantize(3.14159, T), np.float64)
    assert quantize_codes(VALUES.tolist(), T).tolist() == CODES
    assert quantize_codes(True, T) == 16


@pytest.mark.parametrize(
    "x", [1j, b"3.5", None, np.datetime64("2026"), np.zeros(2, "i4,i4"), [[1.0], [None]]], ids=repr
)
def test_other_inputs_are_refused(x: Any) -> None:
    """What is neither float nor integer is a TypeError that says what is."""
    for function in (quantize, quantize_codes):
        with pytest.raises(TypeError, match="allowed"):
            function(np.array(x), T)


@pytest.mark.parametrize(
    ("dtype", "t", "remedy"),
    [
        ("float32", ApFixed(32, 16), "use float64 or quantize_codes"),
        ("float64", ApFixed(64, 32), "use quantize_codes"),
        ("float16", ApFixed(16, 8), "use float32 or"),
        ("float16", ApFixed(8, 17), "beyond float16"),
        ("float32", ApFixed(8, -142), "below float32"),
        ("int32", ApFixed(8, 4), "use float64 or quantize_codes"),
        ("int8", ApFixed(9, 9), "wider dtype"),
        ("uint8", ApFixed(4, 4), "wider dtype"),
    ],
)
def test_nothing_is_rounded_silently(dtype: str, t: ApFixed, remedy: str) -> None:
    """A dtype that cannot hold every value of the type is refused, with the remedy."""
    with pytest.raises(ValueError, match=remedy):
        quantize(np.zeros(3, dtype), t)
    assert quantize_codes(np.zeros(3, dtype), t).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("x", "t", "code"),
    [
        (np.float32(0.49999997), ApFixed(8, 8, rounding="RND"), 0),
        (np.float32(8388609.0), ApFixed(32, 32, rounding="RND"), 8388609),
        (np.float32(3e38), ApFixed(8, 4, overflow="SAT"), 127),
        (np.float32(3e38), ApFixed(8, 4), 0),
        (np.float32(-1e-45), ApFixed(8, 4), -1),
        (np.float64(-5e-324), ApFixed(8, 12), -1),
        (np.nextafter(16.0, 0), ApFixed(8, 8, rounding="TRN"), 15),
        (np.nextafter(0.5, 0), ApFixed(8, 8, rounding="RND_INF"), 0),
        (2.0**52 + 0.5, ApFixed(60, 60, rounding="RND"), 2**52),
        (-(2.0**53), ApFixed(53, 53, rounding="RND", overflow="WRAP_SM"), -1),
    ],
)
def test_traps(x: Any, t: ApFixed, code: int) -> None:
    """Inputs on which other libraries go wrong."""
    assert quantize_codes(x, t) == code


@pytest.mark.parametrize(
    ("word", "code"),
    [
        (0x7F800000, 1 << 128),
        (0xFF800000, -1 << 128),
        (0x7FC00000, 3 << 127),
        (0xFF800001, -(1 << 128) - (1 << 105)),
        (0x7F7FFFFF, (1 << 128) - (1 << 104)),
        (0x80000001, 1),
        (0x40B00000, 5),
        (0, 0),
    ],
)
def test_floats_in_integers_of_more_than_105_bits(word: int, code: int) -> None:
    """The bits of their infinities and NaN, which the type has: no other float has such."""
    t, x = ApInt(130), np.array(word, np.uint32).view(np.float32)
    assert quantize_codes(x, t) == quantize_codes(x.astype(">f4"), t) == code
    if np.isfinite(x):
        assert quantize_codes(x.astype(np.float64), t) == code
        return
    assert quantize_codes(x, ApFixed(130, 130)) == 0
    if word & 1 == 0:
        assert quantize_codes(x.astype(np.float64), t) == 0
        assert quantize_codes(x.astype(np.float16), t) == code


@given(data=st.data(), source=any_ap_types(max_width=90), target=any_ap_types(max_width=90))
def test_casts(data: st.DataObject, source: ApFixed, target: ApFixed) -> None:
    """A code converts as the reference says, within 64 bits and beyond."""
    code = data.draw(codes(source), label="code")
    word = code - (1 << 64) if source.width <= 64 and code >> 63 > 0 else code
    expected = reference.cast(code, source, target)
    words = np.array([word], dtype=object if source.width > 64 else np.int64)
    found = cast_codes(words, source, target)
    assert same_bits(found[0], target) == expected % (1 << target.width)


@given(data=st.data(), a=any_ap_types(), b=any_ap_types())
@pytest.mark.parametrize("op", ["+", "-", "*", "/", "neg", "<<", ">>"])
def test_arithmetic(data: st.DataObject, op: str, a: ApFixed, b: ApFixed) -> None:
    """Codes of results are the reference's, in the type C++ gives the expression."""
    x, y = data.draw(codes(a), label="x"), data.draw(codes(b), label="y")
    word = np.array([x - (1 << 64) if x >> 63 > 0 else x])
    if op in ("<<", ">>", "neg"):
        count = None if op == "neg" else data.draw(st.integers(-70, 70), label="count")
        target = result_type(op, a)
        found = compute_codes(op, word, a, count)[0]
        expected = reference.compute(op, x, a, count or 0)
    else:
        if op == "/" and y == 0:
            y = b.max_code or b.min_code
        other = np.array([y - (1 << 64) if y >> 63 > 0 else y])
        target = result_type(op, a, b)
        found = compute_codes(op, word, a, other, b)[0]
        expected = reference.compute(op, x, a, y, b)
    assert same_bits(found, target) == expected % (1 << target.width)


def test_arithmetic_refuses() -> None:
    """Division by zero, a missing operand and a fractional count."""
    with pytest.raises(ZeroDivisionError, match="divisor code is zero"):
        compute_codes("/", [1, 2], T, [1, 0], T)
    with pytest.raises(ValueError, match="two operands"):
        compute_codes("+", [1], T, None, T)
    for count in (1.5, True, np.array([1.0, 2.0])):
        with pytest.raises(TypeError, match="takes integers on its right"):
            compute_codes("<<", [1], T, count)
    assert compute_codes("<<", [1], T, np.int64(2)).tolist() == [4]
    assert compute_codes("+", [[1], [2]], T, [3, 4], T).tolist() == [[4, 5], [5, 6]]


@pytest.mark.parametrize("width", [65, 128, 1024])
def test_wide_types(width: int) -> None:
    """Beyond 64 bits codes are Python integers."""
    t = ApFixed(width, 40, rounding="RND_CONV", overflow="SAT")
    x = np.array([[1.5, -1e300], [1e300, -(2.0**-30)]])
    expected = [[reference.from_double(v, t) for v in row] for row in x.tolist()]
    assert quantize_codes(x, t).tolist() == expected
    fractions = decode(quantize_codes(x, t), t, object)
    assert fractions[0, 1] == t.min_exact
    assert fractions[1, 0] == t.max_exact


def test_integers_take_types_that_end_where_their_dtype_does() -> None:
    """Of values that are whole, with lower bits that are always zero too."""
    x = np.array([-128, -3, 7, 127], np.int8)
    for t in (ApFixed(8, 8), ApFixed(8, 8, overflow="SAT"), ApFixed(4, 6), ApFixed(6, 8)):
        found = quantize(x, t)
        assert found.dtype == np.int8
        assert found.tolist() == decode(quantize_codes(x, t), t).tolist()
    assert quantize(np.array([5, -7], np.int32), ApFixed(4, 6)).tolist() == [4, -8]


def test_exact_numbers_in_64_bits_are_words() -> None:
    for t in (ApFixed(63, 63), ApFixed(64, 64)):
        assert quantize_codes(np.array([Fraction(7, 2), 3], object), t).dtype == np.int64
    assert quantize_codes(np.array([Fraction(7, 2)], object), ApFixed(65, 65)).dtype == object


def test_decode() -> None:
    """Codes decode exactly or not at all; an unsigned 64-bit code is an int64."""
    assert decode(CODES, T).tolist() == [c / 16 for c in CODES]
    assert decode(np.array([-128], np.int8), T, np.float16).dtype == np.float16
    u64 = ApFixed(64, 64, signed=False)
    assert decode(np.array([-1]), u64, object)[0] == 2**64 - 1
    with pytest.raises(ValueError, match="-1 is not a code"):
        decode(np.array([-1], np.int8), u64, object)
    assert decode(np.array([2**64 - 1], dtype=np.uint64), u64, object)[0] == 2**64 - 1
    for codes_, kind, message in (
        ([128], ValueError, "128 is not a code"),
        ([-129], ValueError, "-129 is not a code"),
        ([1.0], TypeError, "codes must be integers"),
    ):
        with pytest.raises(kind, match=message):
            decode(codes_, T)
    with pytest.raises(ValueError, match="use quantize_codes"):
        decode([1], u64)
    with pytest.raises(TypeError, match="cannot decode to int32"):
        decode([1], T, np.int32)


def test_importing_is_light() -> None:
    """Importing the package loads none of the heavy ones."""
    code = (
        "import sys, harness; "
        "print([m for m in ('torch', 'cppyy', 'numba', 'hypothesis') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
