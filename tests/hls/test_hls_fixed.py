"""The array that computes as C++ expressions do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import ApFixed, reference
from harness.fixed import INT, UNSIGNED, Fixed, as_unsigned, recorded_casts, stacked, where
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
    assert UNSIGNED.min == 0


@pytest.mark.parametrize(("value", "whole"), [(-1.5, -1), (1.5, 1), (-0.25, 0), (7.9, 7)])
def test_an_int_is_cut_toward_zero(value, whole):
    assert Fixed.of(value, ApFixed(12, 5)).to_int() == whole


def test_an_int_wraps_in_32_bits():
    assert Fixed(np.int64(1 << 31), ApFixed(40, 40)).to_int() == -(1 << 31)


@given(a=any_ap_types(max_width=80), b=any_ap_types(max_width=80), data=st.data())
def test_comparisons_are_of_values(a, b, data):
    x = data.draw(st.integers(a.min_code, a.max_code))
    y = data.draw(st.integers(b.min_code, b.max_code) | st.just(0))
    left = Fixed(np.array([x], object if a.width > 64 else None), a)
    right = Fixed(np.array([y], object if b.width > 64 else None), b)
    if a.width == 64 and not a.signed:
        left = Fixed(np.array([x], np.uint64).view(np.int64), a)
    if b.width == 64 and not b.signed:
        right = Fixed(np.array([y], np.uint64).view(np.int64), b)
    first, second = x * a.lsb, y * b.lsb
    if as_unsigned(a, b):  # negative values are above all others
        first, second = (v if v >= 0 else 1 << 200 for v in (first, second))
    assert (left < right).tolist() == [first < second]
    assert (left > right).tolist() == [first > second]
    assert (left >= right).tolist() == [first >= second]
    assert (left <= 3).tolist() == [x * a.lsb <= 3]


@pytest.mark.parametrize(
    ("a", "b", "promoted"),
    [
        (ApFixed(33, 33), ApFixed(33, 33), False),
        (ApFixed(31, 31), ApFixed(31, 31, signed=False), False),
        (ApFixed(32, 32), ApFixed(32, 32, signed=False), True),
        (ApFixed(33, 33), ApFixed(32, 32, signed=False), False),
        (ApFixed(32, 32, signed=False), ApFixed(33, 33), False),
        (ApFixed(32, 32, signed=False), ApFixed(8, 8), True),
        # 8 bits and 23 more of fraction; as the left operand one bit more
        (ApFixed(31, 8), ApFixed(8, 8, signed=False), False),
        (ApFixed(8, 8, signed=False), ApFixed(31, 8), True),
    ],
)
def test_signed_and_unsigned_compare_as_in_c(a, b, promoted):
    assert as_unsigned(a, b) is promoted
    x = Fixed(np.array([-1 if a.signed else 1]), a)
    y = Fixed(np.array([-1 if b.signed else 1]), b)
    if a.signed != b.signed:
        assert (x > y).item() is (promoted == a.signed)
        assert (x < y).item() is (promoted != a.signed)


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
