"""Layers around layers."""

import numpy as np
import pytest

from harness.hls import Add, Dense, Fixed, Model, Reshape, Sequential, ShapeError, TypeMismatch
from harness.hls.layers.wrappers import TimeDistributed
from harness.types import ApFixed

T = ApFixed(8, 4)
WIDE = ApFixed(16, 8)


def dense(**types):
    given = dict.fromkeys(("input", "weight_type", "bias_type", "accum", "result"), T) | types
    return Dense([[1.0, 2.0, -1.0], [0.5, 0.0, 1.0]], [0.25, 0.0, 0.0], **given)


def test_every_step_goes_through_the_layer():
    layer = TimeDistributed(dense(), 2)
    out = layer([[[1.0, 2.0], [0.0, -1.0]]])
    assert out.tolist() == [[[2.25, 2.0, 1.0], [-0.25, 0.0, -1.0]]]


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_any_number_of_rows(rows):
    layer = TimeDistributed(dense(), 4)
    codes = np.arange(rows * 8).reshape(rows, 4, 2)
    inner = layer.layer.codes(codes.reshape(-1, 2)).reshape(rows, 4, 3)
    assert np.array_equal(layer.codes(codes), inner)


def test_what_is_asked_of_it_is_asked_of_the_layer():
    layer = TimeDistributed(dense(), 2)
    assert layer.told
    assert layer.takes("accum")
    assert not layer.takes("length")
    assert layer.parameter_types == {"weight": T, "bias": T}
    assert layer.fixed("bias").codes.tolist() == [4, 0, 0]
    x = Fixed(np.array([[1, 2], [3, 4]]), T)
    found = layer.summed([x], (1, 2))
    assert found.x.codes.tolist() == [3, 4]
    assert found.w.codes.tolist() == [-16, 16]


def test_other_types_are_the_layers():
    layer = TimeDistributed(dense(), 2)
    layer.name = "steps"
    for other in (layer.retyped(input=WIDE), layer.given(WIDE)):
        assert other.input_types == other.layer.input_types == (WIDE,)
        assert (other.name, other.length) == ("steps", 2)
    assert layer.given(T) is layer


def test_it_has_no_kernel_where_the_layer_has_none():
    layer = TimeDistributed(Reshape(T, (2, 3)), 4)
    assert layer.kernel() is None
    assert layer.output_shape == (4, 6)


def test_it_is_a_layer_of_models():
    model = Sequential(TimeDistributed(dense(), 2), Reshape(T, (2, 3)))
    assert isinstance(model, Model)
    assert model([[[1.0, 2.0], [0.0, -1.0]]]).tolist() == [[2.25, 2.0, 1.0, -0.25, 0.0, -1.0]]


def test_what_hls4ml_cannot_distribute_is_refused():
    two = Add(input1=T, input2=T, input1_shape=(2,), input2_shape=(2,), result=T)
    with pytest.raises(ShapeError, match="Add has 2 inputs; allowed: one"):
        TimeDistributed(two, 3)
    with pytest.raises(ShapeError, match="allowed: one to three axes"):
        TimeDistributed(Reshape(T, (1, 2, 3, 4)), 2)
    with pytest.raises(ShapeError, match="positive sizes"):
        TimeDistributed(dense(), 0)


def test_inputs_are_checked():
    layer = TimeDistributed(dense(), 2)
    with pytest.raises(ShapeError, match=r"takes \(rows, 2, 2\)"):
        layer.codes(np.zeros((1, 3, 2), int))
    with pytest.raises(TypeMismatch, match="TimeDistributed takes"):
        layer.run(Fixed(np.zeros((1, 2, 2), int), WIDE))
    with pytest.raises(ValueError, match="NaN"):
        layer(np.full((1, 2, 2), np.nan))
