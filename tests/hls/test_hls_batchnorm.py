"""Batch normalisation: which parameter meets which element, and what is compared."""

import numpy as np
import pytest

from harness import ApFixed
from harness.hls import BatchNorm, BatchNormBinaryTanh, BatchNormTernaryTanh, Fixed, ShapeError
from harness.hls.model import Sequential
from harness.hls.ranges import ranges
from harness.types import ApInt

NARROW = ApFixed(8, 4)
TYPES = {
    "input": NARROW,
    "scale_type": NARROW,
    "bias_type": NARROW,
    "result": ApFixed(10, 6),
}


def test_channels_repeat_and_only_the_result_is_rounded():
    layer = BatchNorm([1.5, -0.25], [0.0625, 7.0], input_shape=(2, 2), **TYPES)
    x = np.array([[[1.0, 1.0], [0.0625, -8.0]]])
    # 0.0625 * 1.5 + 0.0625 = 0.15625 is floored to 0.125
    assert layer(x).tolist() == [[[1.5625, 6.75], [0.125, 9.0]]]


def test_parameters_of_every_element():
    layer = BatchNorm([[1.0, 2.0], [3.0, 4.0]], input_shape=(2, 2), **TYPES)
    assert layer(np.ones((1, 2, 2))).tolist() == [[[1, 2], [3, 4]]]
    assert ", -1, " in layer.kernel().cpp


def test_fewer_channels_than_the_last_axis_go_by_remainder():
    layer = BatchNorm([1.0, 2.0], input_shape=(4,), **TYPES)
    assert layer(np.ones((1, 4))).tolist() == [[1, 2, 1, 2]]


def test_the_result_wraps():
    layer = BatchNorm([7.0], input_shape=(1,), **TYPES)
    assert layer(np.array([[7.0]])).tolist() == [[49.0 - 64.0]]


def test_binary_tanh_counts_the_threshold_as_above():
    layer = BatchNormBinaryTanh([0.5, -1.0], input=NARROW, input_shape=(2,))
    x = np.array([[0.5, -1.0], [0.4375, -1.0625]])
    assert layer(x).tolist() == [[1, 1], [0, 0]]
    assert layer.result == ApInt(1, signed=False)


def test_ternary_tanh_counts_the_thresholds_as_below():
    layer = BatchNormTernaryTanh([1.0], [-1.0], input=NARROW, input_shape=(1,))
    x = np.array([[1.0625], [1.0], [-0.9375], [-1.0]])
    assert layer(x).ravel().tolist() == [1, 0, 0, -1]
    assert layer.result == ApInt(2)


def test_ternary_tanh_with_crossed_thresholds_asks_the_upper_one_first():
    layer = BatchNormTernaryTanh([-1.0], [1.0], input=NARROW, input_shape=(1,))
    assert layer(np.array([[0.0], [-1.0], [1.5]])).ravel().tolist() == [1, -1, 1]


def test_ranges_know_the_layers():
    model = Sequential(
        BatchNorm([0.5], [1.0], input_shape=(1,), **TYPES),
        BatchNormBinaryTanh([0.0], input=TYPES["result"], input_shape=(1,)),
    )
    norm, tanh = ranges(model)
    assert norm.result.extremes == ((-8 // 2 + 1) * 16, (127 * 8 + 256) // 16)
    assert tanh.result.extremes == (0, 1)


@pytest.mark.parametrize("scale", [np.ones(3), np.ones((2, 1)), np.zeros(0), 1.0])
def test_other_shapes_are_refused(scale):
    with pytest.raises(ShapeError, match=r"BatchNorm: parameters of shape .* per channel"):
        BatchNorm(scale, input_shape=(2, 2), **TYPES)


def test_bias_and_lower_thresholds_have_the_shape_of_the_others():
    with pytest.raises(ShapeError, match="bias"):
        BatchNorm([1.0, 1.0], [1.0], input_shape=(2,), **TYPES)
    with pytest.raises(ShapeError, match="threshold_lo"):
        BatchNormTernaryTanh([1.0, 1.0], [1.0], input=NARROW, input_shape=(2,))


def test_hostile_input():
    layer = BatchNorm([1.0, 2.0], input_shape=(2,), **TYPES)
    assert layer(np.zeros((0, 2))).shape == (0, 2)
    with pytest.raises(ShapeError):
        layer(np.zeros((1, 3)))
    with pytest.raises(ValueError, match="NaN"):
        layer(np.array([[np.nan, 0.0]]))
    with pytest.raises(ValueError, match="NaN"):
        BatchNorm([np.nan], input_shape=(1,), **TYPES)
    with pytest.raises(ValueError, match="takes"):
        layer.run(Fixed(np.zeros((1, 2), np.int64), ApFixed(9, 4)))
