"""Layer normalisation: its table, its accumulator, and what is refused."""

import numpy as np
import pytest

from harness import ApFixed
from harness.hls import Fixed, LayerNorm, ShapeError, TypeMismatch

INPUT = ApFixed(12, 4)
FINE = ApFixed(24, 8)


def norm(scale, bias=None, **given):
    types = {"input": INPUT, "scale_type": FINE, "bias_type": FINE, "accum": FINE, "result": FINE}
    return LayerNorm(scale, bias, **{**types, "input_shape": np.shape(scale), **given})


def test_equal_inputs_become_the_bias():
    layer = norm([1.0, 2.0], [0.5, -3.0])
    assert layer(np.full((1, 2), 1.75)).tolist() == [[0.5, -3.0]]


def test_a_variance_beyond_the_table_takes_the_last_entry():
    layer = norm([1.0, 0.5])
    # The last entry is of nearly 1: three fraction bits make it 1.
    assert layer(np.array([[1.0, -1.0], [4.0, -4.0]])).tolist() == [[1, -0.5], [4, -2]]


def test_a_longer_table_has_the_same_entries_further_apart():
    near, far = norm([1.0, 1.0]), norm([1.0, 1.0], table_range_power2=4)
    x = np.array([[0.25, -0.25]])  # its variance is 2**-4, just outside the shorter table
    assert near(x).tolist() == [[1.0, -1.0]]
    assert far(x).tolist() == [[1.0, -1.0]]
    assert near(x * 2).tolist() == [[1.0, -1.0]]
    assert far(x * 2).tolist() == [[2.0, -2.0]]


def test_one_over_the_channels_is_rounded_in_the_accumulator():
    layer = norm([1.0] * 3, accum=ApFixed(10, 6), table_type=ApFixed(8, 5, False))
    # 1/3 is 0.3125: the mean of three times 1 is 0.9375, the difference 0.0625, its square 0.
    # One over the root of 0.001 is 31.6.
    assert layer(np.ones((1, 3))).tolist() == [[0.0625 * 31.5] * 3]


def test_every_step_of_a_sequence_by_itself():
    layer = norm([1.0, 0.5], input_shape=(3, 2))
    x = np.random.default_rng(0).normal(size=(4, 3, 2))
    alone = norm([1.0, 0.5])(x.reshape(-1, 2)).numpy()
    assert np.array_equal(layer(x).numpy(), alone.reshape(4, 3, 2))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"input_shape": (2, 2, 2)}, r"\(steps, channels\) or \(channels,\), not \(2, 2, 2\)"),
        ({"input_shape": (3,)}, "scale has shape"),
        ({"table_size": 0}, "1 to 16777216 entries, not 0"),
        ({"epsilon_power_of_10": 38}, "epsilon_power_of_10 is 0 to 37, not 38"),
        ({"table_range_power2": -1}, "table_range_power2 is 0 to 30, not -1"),
        ({"accum": ApFixed(60, -64)}, "makes no int"),
        ({"bias_type": ApFixed(266, 8)}, "more than 256 bits"),
    ],
)
def test_what_the_kernel_would_do_wrong_is_refused(given, why):
    with pytest.raises(ValueError, match=why):
        norm([1.0, 1.0], **given)


def test_hostile_inputs():
    layer = norm([1.0, 1.0])
    assert layer.codes(np.zeros((0, 2), int)).shape == (0, 2)
    with pytest.raises(ShapeError, match="takes"):
        layer.codes(np.zeros((1, 3), int))
    with pytest.raises(TypeMismatch, match="takes"):
        layer.run(Fixed(np.zeros((1, 2), int), FINE))
    with pytest.raises(ValueError, match="NaN"):
        norm([np.nan, 1.0])
