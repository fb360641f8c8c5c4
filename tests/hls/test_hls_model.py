"""Models of typed layers: chains, graphs, types and shapes that must fit, values and codes."""

import copy
import pickle

import numpy as np
import pytest
import torch

from harness import ApFixed
from harness.fixed import Fixed
from harness.hls import Dense, Model, Reshape, Sequential, ShapeError, Step, TypeMismatch

T = ApFixed(8, 4)


def dense(n_in=3, n_out=2, **types):
    names = ("input", "weight_type", "bias_type", "accum", "result")
    given = {**dict.fromkeys(names, T), **types}
    weight = np.arange(n_in * n_out).reshape(n_in, n_out) / 4
    return Dense(weight, None, **given)


def test_a_chain_names_its_layers_and_computes_values_and_codes():
    model = Sequential(dense(), dense(2, 2))
    assert [step.layer.name for step in model.steps] == ["dense", "dense_2"]
    x = torch.tensor([[1.0, 0.5, -0.25], [0.0, 0.0, 0.0]])
    first = x.double().numpy() @ (np.arange(6).reshape(3, 2) / 4)
    assert model.layer("dense")(x).tolist() == first.tolist()
    out = model(x)
    assert out.dtype == torch.float64
    codes = model.codes((x * 16).long())
    assert codes.dtype == torch.int64
    assert (codes / 16).tolist() == out.tolist()


def test_inputs_are_converted_as_cpp_converts_doubles():
    layer = dense(1, 1, accum="ap_fixed<20,10>", result="ap_fixed<20,10>")
    layer = layer.retyped(weight=[[1.0]])
    assert layer(torch.tensor([[9.0], [0.9999]])).tolist() == [[-7.0], [0.9375]]  # wraps, floors


def test_a_graph_may_use_a_value_twice_and_has_its_output():
    a, b = dense(3, 2), dense(3, 2)
    a.name, b.name = "a", "b"
    model = Model({"x": (T, (3,))}, [Step(a, ("x",), "u"), Step(b, ("x",), "v")], output="u")
    x = Fixed(np.array([[16, 0, 0]]), T)
    assert set(model.trace(x)) == {"x", "u", "v"}
    assert model.run(x).codes.tolist() == model.trace(x)["u"].codes.tolist()


def test_many_rows_are_the_same_as_one_by_one():
    model = Sequential(dense(), dense(2, 2))
    x = torch.randint(-128, 128, (2500, 3), generator=torch.Generator().manual_seed(0))
    whole = model.codes(x)
    assert torch.equal(whole[1020:1030], model.codes(x[1020:1030]))
    assert model.codes(x[:0]).shape == (0, 2)


def test_state_copies_and_pickles_compute_the_same():
    model = Sequential(dense(), dense(2, 2))
    x = torch.randint(-128, 128, (10, 3), generator=torch.Generator().manual_seed(0))
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(other.codes(x), model.codes(x))
    state = model.state_dict()
    assert state["layers.0.weight"].dtype == torch.int64
    zeros = Sequential(dense().retyped(weight=np.zeros((3, 2))), dense(2, 2))
    zeros.load_state_dict(state)
    assert torch.equal(zeros.codes(x), model.codes(x))


def test_parameters_of_one_word_and_of_two_keep_their_shape():
    for width in (63, 64, 65, 128):
        t = ApFixed(width, 10)
        layer = dense(weight_type=t, accum="ap_fixed<128,20>")
        found = layer.fixed("weight")
        assert (found.shape, found.type) == ((3, 2), t)
        assert found.fractions().astype(float).tolist() == (np.arange(6).reshape(3, 2) / 4).tolist()
        assert layer.retyped(result="ap_fixed<9,4>").fixed("weight").codes.shape == (3, 2)


def test_new_types_keep_the_weights_that_are_there_now():
    layer = dense()
    layer.weight += 1
    other = layer.retyped(accum="ap_fixed<20,10>", result="ap_fixed<20,10>")
    assert torch.equal(other.weight, layer.weight)
    assert not torch.equal(dense().weight, layer.weight)
    assert layer.retyped(weight=np.zeros((3, 2))).weight.sum() == 0


def test_new_types_go_through_the_chain():
    model = Sequential(dense(), dense(2, 2)).retyped({"dense": {"result": "ap_fixed<20,10>"}})
    assert model.layer("dense").result == model.layer("dense_2").input_types[0] == ApFixed(20, 10)
    with pytest.raises(ValueError, match="there is no layer fc; there are dense, dense_2"):
        model.retyped({"fc": {}})
    with pytest.raises(ValueError, match="dense takes no acum; it takes weight, .*nearest: accum"):
        model.retyped({"dense": {"acum": "ap_fixed<20,10>"}})
    with pytest.raises(ValueError, match="no layer dense_3; .*nearest: dense_2"):
        model.layer_inputs("dense_3", Fixed(np.zeros((1, 3), np.int64), T))


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (Sequential, ValueError, "at least one layer"),
        (lambda: Sequential(dense(), dense(3, 2)), ShapeError, r"dense_2 takes shape \(3,\)"),
        (
            lambda: Sequential(dense(), dense(2, 2, input="ap_fixed<9,4>")),
            TypeMismatch,
            r"dense_2 takes ap_fixed<9,4>, but dense is ap_fixed<8,4>",
        ),
        (lambda: Model({}, [Step(dense(), ("x",), "y")]), ValueError, "reads x, which no earlier"),
        (
            lambda: Model({"x": (T, (3,))}, [Step(dense(), ("x",), "x")]),
            ValueError,
            "x is made twice",
        ),
        (
            lambda: Model({"x": (T, (3,))}, [Step(dense(), ("x", "x"), "y")]),
            ShapeError,
            "takes 1 inputs, not 2",
        ),
        (
            lambda: Model({"x": (T, (3,))}, [Step(dense(), ("x",), "y")], output="z"),
            ValueError,
            "no layer makes z",
        ),
        (lambda: Reshape(T, (2, 3), (4,)), ShapeError, "does not have the elements"),
        (lambda: Reshape(T, (2, 0)), ShapeError, "positive sizes"),
        (lambda: dense(accum="ap_fixed<257,10>"), ValueError, "accum type .* more than 256 bits"),
        (lambda: dense(accum=16), ValueError, "accum type must be an ApFixed or its spelling"),
        (lambda: dense(result=ApFixed(8, 4, rounding="S_RND")), ValueError, "rounds by chance"),
        (lambda: dense(accum="ap_fixed<-3,1>"), ValueError, "type ap_fixed<-3,1>: width"),
        (lambda: dense().retyped(weight=[[np.nan]] * 3), ValueError, "NaN or infinite"),
        (lambda: dense().retyped(weight=np.zeros(3)), ValueError, r"shape \(inputs, outputs\)"),
        (lambda: dense().retyped(bias=np.zeros(3)), ShapeError, r"bias has shape \(3,\)"),
        (lambda: dense().retyped(strategy="fast"), ValueError, "unknown strategy 'fast'; allowed"),
        (
            lambda: dense().retyped(weight=Fixed(np.zeros((3, 2), np.int64), ApFixed(9, 9))),
            TypeMismatch,
            "Dense.weight takes ap_fixed<8,4>, got ap_fixed<9,9>",
        ),
    ],
)
def test_what_does_not_fit_is_named(make, error, says):
    with pytest.raises(error, match=says) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("codes", "error", "says"),
    [
        (torch.zeros(2, 4, dtype=torch.long), ShapeError, r"takes \(rows, 3\), got \(2, 4\)"),
        (torch.zeros(2, 3), TypeError, "codes must be integers, not float32"),
        (torch.full((1, 3), 128), ValueError, "codes of ap_fixed<8,4> are -128 to 127"),
        (np.array(0), ShapeError, "takes"),
    ],
)
def test_codes_that_are_none_are_refused(codes, error, says):
    with pytest.raises(error, match=says):
        dense().codes(codes)


def test_values_that_are_none_are_refused():
    for bad in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="NaN or infinite"):
            dense()(torch.tensor([[bad, 0.0, 0.0]]))


def test_batches_of_another_shape_are_refused():
    """Nothing is reshaped, and inputs have the same rows."""
    a, b = dense(3, 2), dense(4, 2)
    a.name, b.name = "a", "b"
    inputs = {"x": (T, (3,)), "y": (T, (4,))}
    model = Model(inputs, [Step(a, ("x",), "u"), Step(b, ("y",), "v")])
    x, y = np.zeros((2, 3)), np.zeros((2, 4))
    assert model(x, y).shape == (2, 2)
    for given, says in [
        ((x,), r"takes 2 inputs \(x, y\), not 1"),
        ((x.T, y), r"x takes \(rows, 3\), not \(3, 2\)"),
        ((x[0], y), r"x takes \(rows, 3\), not \(3,\)"),
        ((x, y[:1]), r"y takes \(2, 4\), not \(1, 4\)"),
    ]:
        with pytest.raises(ShapeError, match=says):
            model(*given)
        with pytest.raises(ShapeError, match=says):
            model.codes(*(v.astype(int) for v in given))


def test_two_layers_of_one_name_are_refused():
    """What is told of layers is told by name: one would hide the other."""
    steps = [Step(dense(), ("x",), "u"), Step(dense(2, 2), ("u",), "v")]
    with pytest.raises(ValueError, match="two layers are called Dense"):
        Model({"x": (T, (3,))}, steps)
