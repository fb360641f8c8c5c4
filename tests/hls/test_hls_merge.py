"""Layers of two inputs: hand-computed codes, and the kernel's own broadcasting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import ApFixed
from harness.hls import (
    Add,
    Average,
    Concatenate,
    Dot,
    Fixed,
    Maximum,
    Minimum,
    Model,
    Multiply,
    ShapeError,
    Step,
    Subtract,
    TypeMismatch,
    ranges,
)

A, B = ApFixed(8, 4), ApFixed(8, 5)
WIDE = ApFixed(30, 15)


def made(kind, shape1=(1,), shape2=None, result=WIDE, a=A, b=B):
    return kind(input1=a, input2=b, input1_shape=shape1, input2_shape=shape2, result=result)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Add, -2.1875),
        (Subtract, 5.1875),
        (Multiply, 1.5 * -3.6875),
        (Average, -1.09375),
        (Maximum, 1.5),
        (Minimum, -3.6875),
    ],
)
def test_the_expression(kind, value):
    layer = made(kind, b=ApFixed(9, 5))
    assert layer(np.array([[1.5]]), np.array([[-3.6875]])).item() == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [(Add, 7.5 + 15.0 - 32), (Subtract, -7.5), (Average, 11.25), (Multiply, 112.5 - 128)],
)
def test_only_the_result_overflows(kind, value):
    layer = made(kind, result=ApFixed(9, 5))
    assert layer(np.array([[7.5]]), np.array([[15.0]])).item() == value


def test_maximum_compares_before_it_converts():
    layer = made(Maximum, result=A)
    assert layer(np.array([[1.0]]), np.array([[9.0]])).item() == -7.0  # 9 wins, and wraps


def test_a_choice_of_mixed_signs_is_bounded_as_c_compares():
    """-1 is above every other of 32 bits, so the least of it and 2**32 - 1 is the latter."""
    a, b, wide = ApFixed(32, 32), ApFixed(32, 32, signed=False), ApFixed(40, 40)
    layer = made(Minimum, a=a, b=b, result=wide)
    top = (1 << 32) - 1
    assert layer.codes([[-1]], [[top]]).tolist() == [[top]]
    model = Model({"x": (a, (1,)), "y": (b, (1,))}, [Step(layer, ("x", "y"), "z")])
    (reach,) = ranges(model)
    assert reach.result.high.codes.max() >= top


def test_equal_shapes_by_default():
    layer = made(Add, (2, 3))
    assert layer.output_shape == (2, 3)
    assert layer(np.ones((4, 2, 3)), np.ones((4, 2, 3))).eq(2).all()


@pytest.mark.parametrize("swap", [False, True])
def test_the_smaller_input_repeats_along_leading_axes(swap):
    big, small = np.arange(6.0).reshape(1, 2, 3) - 3, np.array([[0.0, 2.0, 4.0]])
    shapes, inputs = ((2, 3), (3,)), (big, small)
    if swap:
        shapes, inputs = shapes[::-1], inputs[::-1]
    layer = made(Add, *shapes)
    assert layer.output_shape == (2, 3)
    assert np.array_equal(layer(*inputs), big + small)


def test_it_does_not_repeat_along_the_last_axis():
    layer = made(Add, (2, 2), (2, 1))
    found = layer(np.zeros((1, 2, 2)), np.array([[[1.0], [2.0]]]))
    assert found.tolist() == [[[1.0, 2.0], [1.0, 2.0]]]  # NumPy has [[1, 1], [2, 2]]


@given(n1=st.integers(1, 7), n2=st.integers(1, 7))
def test_broadcasting_is_by_remainder(n1, n2):
    layer = made(Subtract, (n1,), (n2,))
    x, y = np.arange(n1)[None] / 2, np.arange(n2)[None] / 4
    places = np.arange(max(n1, n2))
    assert layer(x, y).tolist() == [(x[0, places % n1] - y[0, places % n2]).tolist()]


def test_dot_sums_in_the_accumulator():
    types = {"input1": A, "input2": A, "result": WIDE}
    x, y = np.array([[7.0, 7.0, -7.0]]), np.array([[1.0, 1.0, 1.0]])
    clipped = Dot(3, accum="ap_fixed<8,4,AP_TRN,AP_SAT>", **types)
    assert clipped(x, y).tolist() == [[7.9375 - 7.0]]
    assert Dot(3, accum="ap_fixed<8,4>", **types)(x, y).tolist() == [[7.0]]


def test_dot_rounds_every_product():
    layer = Dot(2, input1=A, input2=A, accum="ap_fixed<6,6>", result=WIDE)
    assert layer(np.full((1, 2), 0.9375), np.full((1, 2), 0.9375)).tolist() == [[0.0]]


def test_dot_tells_what_it_sums():
    layer = Dot(2, input1=A, input2=B, accum=WIDE, result=WIDE)
    total = layer.summed((Fixed([16, 32], A), Fixed([8, -8], B)), (0,))
    assert (total.x * total.w).values().tolist() == [1.0, -2.0]
    assert not total.exact


@pytest.mark.parametrize(
    ("axis", "shape1", "shape2"),
    [
        (0, (2,), (3,)),
        (-1, (1,), (1,)),
        (0, (2, 3), (1, 3)),
        (1, (2, 3), (2, 1)),
        (-2, (2, 3), (4, 3)),
        (0, (2, 3, 4), (1, 3, 4)),
        (1, (2, 3, 4), (2, 2, 4)),
        (-1, (2, 3, 4), (2, 3, 1)),
    ],
)
def test_concatenation_is_numpys(axis, shape1, shape2):
    layer = Concatenate(
        axis, input1=A, input2=B, input1_shape=shape1, input2_shape=shape2, result=WIDE
    )
    x = np.arange(np.prod(shape1)).reshape(1, *shape1) / 4
    y = -np.arange(np.prod(shape2)).reshape(1, *shape2) / 4
    within = axis + 1 if axis >= 0 else axis
    assert np.array_equal(layer(x, y), np.concatenate([x, y], within))
    assert layer.output_shape == tuple(layer(x, y).shape[1:])


def test_concatenation_converts_both():
    layer = Concatenate(
        input1=A, input2=B, input1_shape=(1,), input2_shape=(1,), result="ap_fixed<4,3>"
    )
    assert layer(np.array([[1.9375]]), np.array([[5.0]])).tolist() == [[1.5, -3.0]]


def test_concatenations_that_are_refused():
    types = {"input1": A, "input2": B, "result": WIDE}
    with pytest.raises(ShapeError, match="one to three axes, not 4"):
        Concatenate(input1_shape=(1, 1, 1, 1), input2_shape=(1, 1, 1, 1), **types)
    with pytest.raises(ShapeError, match=r"\(2, 3\) and \(3, 3\) differ beside axis -1"):
        Concatenate(input1_shape=(2, 3), input2_shape=(3, 3), **types)
    with pytest.raises(ShapeError, match="differ"):
        Concatenate(0, input1_shape=(2, 3), input2_shape=(3,), **types)
    with pytest.raises(ValueError, match="axis 2 is none of -2 to 1"):
        Concatenate(2, input1_shape=(2, 3), input2_shape=(2, 3), **types)


def test_hostile_input():
    layer = made(Add, (2,))
    assert layer(np.zeros((0, 2)), np.zeros((0, 2))).shape == (0, 2)
    with pytest.raises(ShapeError, match="takes"):
        layer(np.zeros((2, 2)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="NaN"):
        layer(np.zeros((1, 2)), np.full((1, 2), np.nan))
    with pytest.raises(ValueError, match="shorter|argument"):
        layer(np.zeros((1, 2)))
    with pytest.raises(TypeMismatch, match="takes"):
        layer.run(*(Fixed(np.zeros((1, 2), np.int64), t) for t in (B, B)))
    with pytest.raises(ShapeError, match="positive"):
        made(Add, ())
