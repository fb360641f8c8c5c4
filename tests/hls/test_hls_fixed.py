"""The array that computes as C++ expressions do."""

import operator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import ApFixed, ApInt, reference, result_type
from harness.fixed import INT, UNSIGNED, Fixed, concatenated, recorded_casts, stacked, where
from harness.hls import Maximum, Minimum, Twin
from harness.testing import any_ap_types


def test_operators_have_the_types_of_cpp():
    x = Fixed(np.array([24]), ApFixed(8, 4))  # 1.5
    assert (x + 1).type == ApFixed(37, 33)
    assert (x + 1).values().tolist() == [2.5]
    assert (2 * x).type == (x * 2).type == ApFixed(40, 36)
    assert (x * Fixed.unsigned(3)).type == ApFixed(40, 36)
    assert (-x).values().tolist() == [-1.5]
    assert (x - x * 2).values().tolist() == [-1.5]
    assert (x / Fixed(np.array([2]), INT)).values().tolist() == [0.75]
    assert UNSIGNED.min_exact == 0
    assert x[0]
    assert not Fixed(0, x.type)


@pytest.mark.parametrize(("value", "whole"), [(-1.5, -1), (1.5, 1), (-0.25, 0), (7.9, 7)])
def test_an_int_is_cut_toward_zero(value, whole):
    assert Fixed.of(value, ApFixed(12, 5)).to_int() == whole


def test_an_int_wraps_in_32_bits():
    assert Fixed(np.int64(1 << 31), ApFixed(40, 40)).to_int() == -(1 << 31)


COMPARED = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "^=": operator.ixor,
}


def array(code, t):
    """One code in the dtype that codes of its type travel in."""
    if t.width > 64:
        return np.array([code], object)
    return np.array([code], np.uint64 if code >> 63 > 0 else np.int64).view(np.int64)


@given(a=any_ap_types(max_width=80), b=any_ap_types(max_width=80), data=st.data())
def test_operators_are_the_references(a, b, data):
    x = data.draw(st.integers(a.min_code, a.max_code))
    y = data.draw(st.integers(b.min_code, b.max_code) | st.just(0))
    symbol = data.draw(st.sampled_from(sorted(OPERATORS)))
    left, right = Fixed(array(x, a), a), Fixed(array(y, b), b)
    got = OPERATORS[symbol](left, right)
    expected = reference.compute(symbol, x, a, y, b)
    if isinstance(got, Fixed):
        t = got.type
        assert t == result_type(symbol, a, b)
        assert int(got.codes[0]) % (1 << t.width) == expected % (1 << t.width)
    else:
        assert got.tolist() == [bool(expected)]
    assert int(left.codes[0]) % (1 << a.width) == x % (1 << a.width)  # += makes a new array


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (ApFixed(4, 2), ApFixed(3, 2)),
        (ApFixed(3, 1), ApFixed(4, 3, signed=False)),
        (ApFixed(3, 3, signed=False), ApFixed(4, 2)),
    ],
    ids=str,
)
def test_every_pair_of_small_numbers_is_compared(a, b):
    x, y = np.meshgrid(list(a.codes), list(b.codes), indexing="ij")
    left, right = Fixed(x, a), Fixed(y, b)
    first, second = x * float(a.lsb_exact), y * float(b.lsb_exact)
    assert np.array_equal(left < right, first < second)
    assert np.array_equal(left > right, first > second)
    assert np.array_equal(left <= right, first <= second)
    assert np.array_equal(left >= right, first >= second)


@given(t=any_ap_types(max_width=80), seed=st.integers(0, 99))
@pytest.mark.parametrize("symbol", ["<", "<=", ">", ">=", "==", "!="])
def test_a_zero_is_compared_as_any_other_int(symbol, t, seed):
    """``x > 0`` of all sorts, beside the same with an ``int`` that is an array."""
    compared = COMPARED[symbol]
    rng = np.random.default_rng(seed)
    codes = {t.min_code, t.max_code, 0, *(int(c) for c in rng.integers(-9, 9, 6))}
    codes = [c for c in codes if t.min_code <= c <= t.max_code]
    array = np.array(codes, object if t.width > 63 else np.int64)
    x = Fixed(array if t.width != 64 or not t.signed else array.astype(np.int64), t)
    zero = Fixed(np.zeros((), np.int64), INT)
    assert compared(x, 0).tolist() == compared(x, zero).tolist()
    assert compared(x, 0).tolist() == [compared(c, 0) for c in codes]


@pytest.mark.parametrize("width", [63, 64])
@pytest.mark.parametrize("symbol", ["<", "<=", ">", ">=", "==", "!="])
def test_an_unsigned_word_has_no_sign(symbol, width):
    """The highest bit of 64 is a value's, though the word that holds it is negative."""
    t = ApInt(width, signed=False)
    codes = [0, 1, t.max_code]
    x = Fixed(np.array(codes, np.uint64).astype(np.int64), t)
    assert COMPARED[symbol](x, 0).tolist() == [COMPARED[symbol](c, 0) for c in codes]
    pairs = COMPARED[symbol](x, Fixed(x.codes[::-1], t)).tolist()
    assert pairs == [COMPARED[symbol](a, b) for a, b in zip(codes, codes[::-1], strict=True)]


def test_arrays_are_joined_one_and_many():
    t = ApFixed(8, 4)
    x = Fixed(np.array([[1, 2]]), t)
    assert concatenated([x]).codes.tolist() == [[1, 2]]
    assert concatenated([x, x]).shape == (2, 2)
    assert concatenated([x, x], axis=1).shape == (1, 4)
    assert stacked([x], 0).shape == (1, 1, 2)


def test_truths_are_no_operands():
    x = Fixed(np.array([1]), ApFixed(8, 4))
    for other in (True, np.array([True]), "3"):
        with pytest.raises(TypeError, match="an operand is a Fixed or an int"):
            x + other


def test_equal_codes_are_equal():
    t = ApFixed(8, 4)
    x = Fixed.of([1.5, -2.25], t)
    assert (x == Fixed.of([1.5, 2.25], t)).tolist() == [True, False]
    assert (x == Fixed.of([1.5, -2.25], "ap_fixed<12,6>")).all()
    assert (x != 1).tolist() == [True, True]
    assert (x == 1.5).tolist() == [True, False]
    assert (x == None) is False  # noqa: E711  # nothing equals None
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)


@pytest.mark.parametrize("symbol", ["+", "-", "*", "/", "%", "&", "|", "^"])
def test_an_int_on_the_left_is_the_left_operand(symbol):
    """``7 - x`` is no ``x - 7``, but has its type; ``x -= y`` is ``x - y`` in the type of ``x``."""
    t = ApInt(8)
    x = Fixed(np.array([3, -5, 100]), t)
    op = {**OPERATORS, "/": operator.truediv, "%": operator.mod}[symbol]
    got = op(7, x)
    assert got.type == result_type(symbol, t, INT)
    made = result_type(symbol, INT, t)
    expected = [reference.compute(symbol, 7, INT, c, t) for c in x.codes.tolist()]
    expected = [reference.cast(code, made, got.type) for code in expected]
    assert got.codes.tolist() == expected
    augmented = {"/": operator.itruediv, "%": operator.imod, "&": operator.iand, "|": operator.ior}
    assign = {**augmented, **{s[0]: OPERATORS[s] for s in ("+=", "-=", "*=", "^=")}}[symbol]
    got = assign(x, Fixed(np.array([7, 7, 7]), t))
    assert got.type == t
    expected = [reference.assign(symbol, c, t, 7, t) for c in [3, -5, 100]]
    assert got.codes.tolist() == expected


def test_a_quotient_of_an_int_wraps_in_the_type_of_the_opposite_one():
    """As g++ computes with the headers: 100 over -1.5 is -66, which is -2 in seven bits."""
    assert (100 / Fixed(-12, "ap_fixed<6,3>")).type == ApFixed(7, 4)
    assert (100 / Fixed(-12, "ap_fixed<6,3>")).values() == -2
    assert (100 / Fixed(-3, "ap_int<4>")).codes == -1
    assert (2 / Fixed(np.array([1, 53, 100]), "ap_fixed<16,6>")).values().tolist() == [0, 38, 20]


def test_what_cpp_has_no_operator_for():
    x = Fixed.of([1.5], ApFixed(8, 4))
    for refused in (lambda: x + 1.5, lambda: 0.5 * x, lambda: x + "1", lambda: x + True):
        with pytest.raises(TypeError):
            refused()
    with pytest.raises(ValueError, match="% takes integer types"):
        x % 2
    with pytest.raises(ValueError, match="3000000000 is not a code of ap_int<32>"):
        x + 3_000_000_000


def test_integers_and_bits():
    x = Fixed.of([90, -7], "ap_int<8>")
    assert (x % 7).values().tolist() == [6.0, 0.0]
    assert (x / 7).type == ApInt(9)
    assert x.bits(6, 1).values().tolist() == [45.0, 60.0]
    assert x.bit(np.array([1, 0])).codes.tolist() == [1, 1]
    assert x.concat(x).type == ApInt(16, signed=False)
    assert (~x).values().tolist() == [-91.0, 6.0]
    assert (x << np.array([1, -1])).values().tolist() == [-76.0, -4.0]
    assert (1 - x).type == ApInt(33)
    assert x.to_double().tolist() == [90.0, -7.0]


def test_codes_are_words_up_to_64_bits_and_python_integers_beyond():
    for width in (63, 64):
        found = Fixed(np.array([-3, 1 << 40]), ApFixed(width, width))
        assert found.codes.dtype == np.int64
        assert (found.words == [[-3], [1 << 40]]).all()
    wide = Fixed(np.array([-3, 1 << 40]), ApFixed(65, 65))
    assert wide.codes.dtype == object
    assert wide.codes.tolist() == [-3, 1 << 40]


@pytest.mark.parametrize("width", [64, 65, 128, 129, 200])
def test_words_there_and_back(width):
    t = ApFixed(width, width)
    x = Fixed(np.array([[-1, 3], [t.min_code, t.max_code]], object if width > 64 else None), t)
    assert x.words.shape == (4, -(-width // 64))
    assert Fixed.of_words(x.words, t, (2, 2)).codes.tolist() == x.codes.tolist()


def test_types_of_more_than_two_words():
    """What two words do not hold is computed with Python's integers: conversions, signs, sums."""
    t, code = ApFixed(200, 150), (1 << 180) + 5
    x = Fixed(np.array([code, -code], object), t)
    assert x.to(ApFixed(220, 150)).codes.tolist() == [code << 20, -code << 20]
    assert x.to("ap_fixed<160,150,AP_RND,AP_SAT>").codes.tolist() == [1 << 140, -(1 << 140)]
    assert (-x).codes.tolist() == [-code, code]
    assert (x + x).codes.tolist() == [2 * code, -2 * code]


def test_what_is_shown():
    assert repr(Fixed.of([1.5, -2.25], "ap_fixed<8,4>")) == "Fixed([ 1.5 , -2.25], ap_fixed<8,4>)"
    assert repr(Fixed([1 << 70], ApFixed(80, 80))).endswith("codes of ap_fixed<80,80>)")
    assert Fixed([3], "ap_fixed<8,4>").fractions().tolist() == [Fraction(3, 16)]


def test_the_lowest_code_of_a_symmetric_right_operand_is_compared_one_step_up(oracle):
    symmetric, finer = ApFixed(3, 0, overflow="SAT_SYM"), ApFixed(13, 8)
    low = Fixed(np.full((4, 1), -4), symmetric)  # -0.5, which becomes -15/32
    x = Fixed(np.array([[-17], [-16], [-15], [-14]]), finer)
    assert (x > low).ravel().tolist() == [False, False, False, True]
    assert (x >= low).ravel().tolist() == [False, False, True, True]
    assert (low < x).ravel().tolist() == [False, False, True, True]
    same = Fixed(low.codes, ApFixed(3, 0))
    assert (x > same).ravel().tolist() == [False, False, True, True]
    shapes = {"input1_shape": (1,), "result": ApFixed(16, 8)}
    for first, second in ((x, low), (low, x)):
        for kind in (Maximum, Minimum):
            layer = kind(input1=first.type, input2=second.type, **shapes)
            theirs = Twin(layer, oracle).run(first, second)
            assert np.array_equal(layer.run(first, second).codes, theirs.codes)


@given(source=any_ap_types(max_width=60), target=any_ap_types(max_width=60), data=st.data())
def test_a_conversion_is_the_references(source, target, data):
    code = data.draw(st.integers(source.min_code, source.max_code))
    with recorded_casts() as casts:
        got = Fixed(np.array([code]), source).to(target)
    assert got.codes.item() == reference.cast(code, source, target)
    assert casts == (set() if source == target else {(source, target)})


def test_a_choice_has_one_type():
    t = ApFixed(8, 8)
    a, b = Fixed(np.array([1, 2]), t), Fixed(np.array([3, 4]), t)
    assert where(a > 1, a, b).codes.tolist() == [3, 2]
    assert stacked([a, b], 0).codes.tolist() == [[1, 2], [3, 4]]
    with pytest.raises(TypeError, match="the branches have types"):
        where(a > 1, a, b.to(ApFixed(9, 9)))
