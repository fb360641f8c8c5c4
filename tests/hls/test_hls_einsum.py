"""Einsums: hls4ml's recipe for the equation, and what the accumulator does with it."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness import ApFixed
from harness.hls import Einsum, EinsumDense, Fixed, Model, ShapeError, Step
from harness.hls.compare import compare
from harness.hls.layers.einsum import recipe

T = ApFixed(8, 4)
WIDE = ApFixed(40, 20)


@st.composite
def equations(draw):
    """An equation of axes in any order, and the shapes of its operands."""
    size = {label: draw(st.integers(1, 4)) for label in "abcdefg"}
    kinds = {label: draw(st.sampled_from(["both", "sum", "one", "two"])) for label in size}
    terms = [
        [k for k, kind in kinds.items() if kind in allowed]
        for allowed in (("both", "sum", "one"), ("both", "sum", "two"), ("both", "one", "two"))
    ]
    terms = ["".join(draw(st.permutations(term))) for term in terms]
    assume(terms[0] and terms[1])
    shapes = [tuple(size[label] for label in term) for term in terms]
    dotted = draw(st.sampled_from(["-", *terms[2]]))
    one, two, out = (term.replace(dotted, "...") for term in terms)
    return f"{one},{two}->{out}", shapes[0], shapes[1]


@given(equations())
def test_the_recipe_is_hls4mls(case):
    utils = pytest.importorskip("hls4ml.utils.einsum_utils")
    mine, theirs = recipe(*case), utils.parse_einsum(*case)
    assert mine.perms == theirs["in_transpose_idxs"]
    assert mine.sizes == (theirs["I"], theirs["L0"], theirs["L1"], theirs["C"])
    assert mine.product_shape == theirs["out_interpert_shape"]
    assert mine.perm_out == theirs["out_transpose_idxs"]


@given(equations(), st.integers(0, 99))
def test_without_overflow_it_is_numpys(case, seed):
    equation, shape1, shape2 = case
    rng = np.random.default_rng(seed)
    x, y = (rng.integers(-8, 8, shape) / 4 for shape in (shape1, shape2))
    expected = np.einsum(equation, x, y)
    layer = Einsum(
        equation,
        input1=T,
        input2=T,
        input1_shape=shape1,
        input2_shape=shape2,
        accum=WIDE,
        result=WIDE,
    )
    assert np.array_equal(layer(x[None], y[None])[0].reshape(expected.shape), expected)
    types = {"weight_type": T, "bias_type": T, "accum": WIDE, "result": WIDE}
    bias = rng.integers(-8, 8, expected.shape or (1,)) / 4
    dense = EinsumDense(equation, y, bias, input=T, input_shape=shape1, **types)
    plus = expected + bias.reshape(expected.shape)
    assert np.array_equal(dense(x[None])[0].reshape(expected.shape), plus)
    index = tuple(int(rng.integers(n)) for n in dense.output_shape)
    row = Fixed.of(x, T)
    for total in (
        dense.summed((row,), index),
        layer.summed((row, Fixed.of(y, T)), index),
    ):
        value = (total.x * total.w).values().sum() + total.start.values()
        assert (
            value
            == (plus if total.start.type == T else expected).reshape(dense.output_shape)[index]
        )


def test_the_axes_are_summed_in_the_order_of_the_second_operand():
    types = {"input1": T, "input2": T, "result": WIDE, "accum": "ap_fixed<8,4,AP_TRN,AP_SAT>"}
    shapes = {"input1_shape": (2, 2), "input2_shape": (2, 2)}
    x, ones = np.array([[[7.0, -7.0], [7.0, -7.0]]]), np.ones((1, 2, 2))
    by_rows = Einsum("ij,ij->", **types, **shapes)
    assert by_rows(x, ones).tolist() == [[7.0 - 7.0 + 7.0 - 7.0]]
    by_columns = Einsum("ij,ji->", **types, **shapes)
    assert by_columns(x, ones).tolist() == [[7.9375 - 7.0 - 7.0]]


def test_an_einsum_rounds_sums_and_a_dense_one_products_too():
    types = {"accum": "ap_fixed<8,7,AP_TRN_ZERO>", "result": WIDE}
    x, y = np.array([[1.0, -0.5]]), np.array([[0.5, 0.5]])
    pair = Einsum("i,i->", input1=T, input2=T, input1_shape=(2,), input2_shape=(2,), **types)
    assert pair(x, y).tolist() == [[0.0]]  # 0.5 - 0.25 toward zero
    dense = EinsumDense(
        "i,i->", y[0], input=T, input_shape=(2,), weight_type=T, bias_type=T, **types
    )
    assert dense(x).tolist() == [[0.5]]  # -0.25 is 0 before it is added
    total = pair.summed((Fixed.of(x[0], T), Fixed.of(y[0], T)), (0,))
    assert total.exact


def test_all_rows_of_a_long_batch():
    rng = np.random.default_rng(0)
    layer = Einsum(
        "khd,qhd->hqk",
        input1=T,
        input2=T,
        input1_shape=(8, 4, 8),
        input2_shape=(8, 4, 8),
        accum=WIDE,
        result=WIDE,
    )
    x, y = rng.integers(-8, 8, (2, 300, 8, 4, 8)) / 8
    assert np.array_equal(layer(x, y), np.einsum("nkhd,nqhd->nhqk", x, y))


def dense(equation="td,dhe->the", shape=(3, 2), bias=None, weight=(2, 4, 5)):
    return EinsumDense(
        equation,
        np.ones(weight),
        bias,
        input=T,
        input_shape=shape,
        weight_type=T,
        bias_type=T,
        accum=WIDE,
        result=WIDE,
    )


@pytest.mark.parametrize("shape", [(1,), (5,), (4, 1), (3, 4, 5)])
def test_a_bias_broadcasts(shape):
    bias = np.arange(np.prod(shape)).reshape(shape) / 16
    layer = dense(bias=bias)
    assert np.array_equal(layer(np.zeros((1, 3, 2)))[0], np.broadcast_to(bias, (3, 4, 5)))
    assert layer.constants()[1].shape == (1, 3, 20)


@pytest.mark.parametrize("shape", [(2,), (3, 1), (1, 3, 4, 5), (0,)])
def test_a_bias_that_does_not_is_refused(shape):
    with pytest.raises(ShapeError, match=r"bias of shape .* does not broadcast"):
        dense(bias=np.zeros(shape))


@pytest.mark.parametrize(
    ("equation", "why"),
    [
        ("ij,jk", "two operands"),
        ("ij->ij", "two operands"),
        ("ij,jk,kl->il", "two operands"),
        ("ij,jk->il", "no operand has l"),
        ("ii,jk->ik", "ii has a letter twice"),
        ("ij,jk->ii", "ii has a letter twice"),
        ("ij,jk->k", "i is summed over in one operand only"),
        ("i1,1k->ik", "axes are letters"),
        ("...j,jk->k", "'...' must be in an operand and in the output"),
        ("ij,jk->...k", "'...' must be in an operand and in the output"),
        ("......j,jk->...k", "axes are letters or one"),
    ],
)
def test_equations_that_are_refused(equation, why):
    with pytest.raises(ValueError, match=why):
        recipe(equation, (2, 3), (3, 4))


@pytest.mark.parametrize(
    ("equation", "why"),
    [
        ("ijk,kl->ijl", "ijk does not fit shape"),
        ("i,ik->k", "i does not fit shape"),
        ("ij,ik->jk", "i has sizes 2 and 3"),
        ("...abc,bc->...a", "abc does not fit"),
        ("i...,...->i...", "stands for 1 and 2 axes"),
    ],
)
def test_shapes_that_do_not_fit(equation, why):
    with pytest.raises(ShapeError, match=why):
        recipe(equation, (2, 3), (3, 4))


def test_hostile_input():
    layer = dense()
    assert layer(np.zeros((0, 3, 2))).shape == (0, 3, 4, 5)
    with pytest.raises(ShapeError):
        layer(np.zeros((1, 2, 3)))
    with pytest.raises(ValueError, match="NaN"):
        layer(np.full((1, 3, 2), np.nan))
    with pytest.raises(ValueError, match="NaN"):
        dense(bias=np.full(5, np.nan))
    shapes = {"input1_shape": (2, 1), "input2_shape": (1, 3)}
    pair = Einsum("ij,jk->ik", input1=T, input2=T, accum=WIDE, result=WIDE, **shapes)
    assert pair(np.zeros((0, 2, 1)), np.zeros((0, 1, 3))).shape == (0, 2, 3)
    with pytest.raises(ShapeError):
        pair(np.zeros((1, 2, 1)), np.zeros((2, 1, 3)))


def test_a_report_shows_the_sums_as_the_kernel_makes_them():
    layer = Einsum(
        "i,i->",
        input1=T,
        input2=T,
        input1_shape=(3,),
        input2_shape=(3,),
        accum="ap_fixed<10,7,AP_TRN_ZERO>",
        result=WIDE,
    )
    model = Model({"a": (T, (3,)), "b": (T, (3,))}, [Step(layer, ("a", "b"), "sum")])
    twin = model.retyped({"Einsum": {"accum": "ap_fixed<8,7,AP_TRN_ZERO>"}})
    x, y = np.array([[1.0, -0.5, 1.0]]), np.array([[0.5, 0.5, 1.0]])
    found = compare(model, twin, x, y)
    assert found.first is not None
    assert (found.first.got.values(), found.first.expected.values()) == (1.25, 1.0)
    table = [line.split() for line in str(found).splitlines()]
    # step, x, w, product, term (the product itself), accumulator, the twin's
    assert ["1", "-0.5", "0.5", "-0.25", "-0.25", "0.25", "0", "rounded", "<-", "here"] in table


def test_an_integer_accumulator_of_fractions_is_refused():
    """The C++ cuts each product before it adds it; of whole numbers nothing is cut."""
    given = {"input1_shape": (2, 3), "input2_shape": (3, 2), "result": "ap_int<8>"}
    with pytest.raises(ValueError, match="Einsum: fractions are added to an ap_int<16>"):
        Einsum("ij,jk->ik", input1="ap_fixed<8,4>", input2="ap_int<4>", accum="ap_int<16>", **given)
    Einsum("ij,jk->ik", input1="ap_int<8>", input2="ap_int<4>", accum="ap_int<16>", **given)
