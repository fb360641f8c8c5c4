"""Layers that move values, and the table whose rows must exist."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import ApFixed
from harness.hls import Embedding, Fixed, Reshape, ShapeError, Transpose, Twin
from harness.hls.layers.shape import channels_first
from harness.oracle import Oracle

T = ApFixed(8, 4)
INDEX = ApFixed(4, 4, signed=False)


@st.composite
def permutations(draw):
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=5)))
    return shape, tuple(draw(st.permutations(range(len(shape)))))


@given(permutations())
def test_transposition_is_numpys(case):
    shape, perm = case
    layer = Transpose(perm, input="ap_int<16>", input_shape=shape)
    x = np.arange(2 * math.prod(shape)).reshape(2, *shape)
    assert np.array_equal(layer.codes(x), x.transpose(0, *(k + 1 for k in perm)))
    assert layer.output_shape == tuple(shape[k] for k in perm)


def test_transposition_converts():
    layer = Transpose((1, 0), input=T, input_shape=(1, 2), result="ap_fixed<6,3,AP_RND,AP_SAT>")
    assert layer(np.array([[[0.0625, 7.0]]])).tolist() == [[[0.125], [3.875]]]


def test_transposition_keeps_its_type_by_default():
    assert Transpose((0,), input=T, input_shape=(3,)).result == T


@pytest.mark.parametrize("perm", [(0,), (0, 0), (1, 2), (0, 1, 2), (0, -1)])
def test_what_is_no_permutation_is_refused(perm):
    with pytest.raises(ShapeError, match=r"is no order of the axes of \(2, 3\)"):
        Transpose(perm, input=T, input_shape=(2, 3))


def test_reshape():
    layer = Reshape(T, (2, 3), (3, 2))
    x = np.arange(6.0).reshape(1, 2, 3)
    assert np.array_equal(layer(x), x.reshape(1, 3, 2))
    assert Reshape(T, (2, 3)).output_shape == (6,)
    assert layer(np.zeros((0, 2, 3))).shape == (0, 3, 2)
    with pytest.raises(ShapeError, match="elements"):
        Reshape(T, (2, 3), (4, 2))


def table(rows=3, index=INDEX, shape=(2,)):
    values = np.arange(rows * 2).reshape(rows, 2) / 4
    return Embedding(values, input=index, input_shape=shape, embeddings_type=T, result=T)


def test_embedding_takes_rows():
    assert table().codes(np.array([[2, 0]])).tolist() == [[[16, 20], [0, 4]]]
    assert table(shape=(1, 2)).output_shape == (1, 2, 2)


def test_embedding_converts_twice():
    layer = Embedding(
        [[1.99]], input=INDEX, input_shape=(1,), embeddings_type=T, result="ap_fixed<4,2,AP_RND>"
    )
    assert layer.codes(np.array([[0]])).tolist() == [[[-8]]]  # 1.9375, rounded to 2, wraps


@pytest.mark.parametrize(
    ("index", "code"), [(INDEX, 3), (INDEX, 15), (ApFixed(4, 4), 3), (ApFixed(4, 4), -1)]
)
def test_a_row_that_does_not_exist_is_an_error(index, code):
    with pytest.raises(ValueError, match=rf"code {code} is outside the vocabulary, 0 to 2"):
        table(index=index).codes(np.array([[0, 1], [2, code]]))


def test_the_twin_is_not_asked_for_a_row_that_does_not_exist():
    twin = Twin(table(), Oracle())
    with pytest.raises(ValueError, match="outside the vocabulary"):
        twin.run(Fixed(np.array([[0, 3]]), INDEX))


@pytest.mark.parametrize("rows", [1, 3, 16, 40])
def test_the_codes_that_may_come(rows):
    assert table(rows).code_range(0) == (0, min(rows, 16) - 1)


def test_a_fraction_is_dropped_after_the_product_with_the_length_of_a_row():
    """hls4ml's default index is ``ap_fixed<16,6>``: 0.5 begins in the middle of row 0."""
    numbers = np.arange(6).reshape(3, 2)
    layer = Embedding(
        numbers, input="ap_fixed<8,4>", input_shape=(1,), embeddings_type=INDEX, result=INDEX
    )
    assert layer(np.array([[1.0], [0.5], [1.75], [-0.25]])).reshape(4, 2).tolist() == [
        [2, 3],
        [1, 2],
        [3, 4],
        [0, 0],
    ]
    # 2.5 would read number 6; -0.5 is number -1.
    assert layer.code_range(0) == (-7, 39)


def test_an_index_of_even_numbers():
    layer = Embedding(
        [[1], [2], [3]], input="ap_ufixed<4,6>", input_shape=(1,), embeddings_type=T, result=T
    )
    assert layer.code_range(0) == (0, 0)


def test_hostile_input():
    assert table()(np.zeros((0, 2))).shape == (0, 2, 2)
    with pytest.raises(ShapeError):
        table()(np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"shape \(vocabulary, outputs\), not \(3,\)"):
        Embedding(np.zeros(3), input=INDEX, input_shape=(1,), embeddings_type=T, result=T)
    with pytest.raises(ValueError, match="NaN"):
        Embedding([[np.nan]], input=INDEX, input_shape=(1,), embeddings_type=T, result=T)


@pytest.mark.parametrize(
    ("shape", "wanted", "first"),
    [
        ((2, 3, 4), (3, 4, 2), True),
        ((2, 5), (5, 2), True),
        ((3, 4, 2), (3, 4, 2), False),
        ((4, 4), (4, 4), False),
        ((4, 2, 3), (3, 4, 2), False),
        ((6,), (6,), False),
        ((6,), (7,), False),
        ((2, 3, 4), (24,), False),
        ((), (), False),
    ],
)
def test_channels_that_are_first(shape, wanted, first):
    """A shape is another one turned, and is not the wanted one already."""
    assert channels_first(shape, wanted) == first
