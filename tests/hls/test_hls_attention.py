"""Attention: its layers are hls4ml's, in order, and each is its kernel."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from harness import ApFixed
from harness.hls import (
    Einsum,
    EinsumDense,
    ModelTwin,
    MultiHeadAttention,
    ShapeError,
    Softmax,
)
from harness.hls.compare import compare
from harness.hls.layers.layer import as_fixed
from harness.oracle import Oracle

FEATURES, HEADS, KEY, VALUE, OUTPUTS = 3, 2, 4, 2, 5
FINE = ApFixed(32, 12)
SHAPES = {
    "query": (FEATURES, HEADS, KEY),
    "key": (FEATURES, HEADS, KEY),
    "value": (FEATURES, HEADS, VALUE),
    "attention_output": (HEADS, VALUE, OUTPUTS),
}


def fine_types():
    """Types so fine that only the softmax' tables are coarse."""
    projection = {"weight_type": FINE, "bias_type": FINE, "accum": FINE, "result": FINE}
    types = {name: dict(projection) for name in SHAPES}
    types["QK"] = {"accum": FINE, "result": ApFixed(14, 5)}
    types["aV"] = {"accum": FINE, "result": FINE}
    types["softmax"] = {
        "result": ApFixed(20, 2),
        "accum": ApFixed(24, 6),
        "exp_table_type": ApFixed(20, 2, signed=False),
        "inv_table_type": ApFixed(20, 2, signed=False),
        "inv_inp_type": ApFixed(13, 3, signed=False),
        "exp_table_size": 1 << 13,
        "inv_table_size": 1 << 13,
    }
    return types


def narrow_types():
    """Types that round in every way, overflow and saturate."""
    weights = {"weight_type": "ap_fixed<7,2>", "bias_type": "ap_fixed<6,2,AP_RND>"}
    return {
        "query": {**weights, "accum": "ap_fixed<9,4,AP_RND,AP_SAT>", "result": "ap_fixed<7,3>"},
        "key": {**weights, "accum": "ap_fixed<16,6>", "result": "ap_fixed<6,3,AP_RND,AP_SAT>"},
        "value": {**weights, "accum": "ap_fixed<8,3>", "result": "ap_fixed<8,3,AP_RND_CONV>"},
        "QK": {"accum": "ap_fixed<10,5,AP_TRN_ZERO>", "result": "ap_fixed<9,5,AP_RND,AP_SAT>"},
        "softmax": {"result": "ap_ufixed<8,0,AP_RND,AP_SAT>", "implementation": "latency"},
        "aV": {"accum": "ap_fixed<12,3,AP_RND>", "result": "ap_fixed<9,3>"},
        "attention_output": {
            **weights,
            "accum": "ap_fixed<10,3,AP_TRN,AP_SAT_SYM>",
            "result": FINE,
        },
    }


def weights(seed=0, scale=0.5):
    rng = np.random.default_rng(seed)
    found = {name: rng.normal(0, scale, shape) for name, shape in SHAPES.items()}
    biases = {"query": rng.normal(0, scale, (HEADS, KEY)), "attention_output": rng.normal(size=5)}
    return found, biases


def made(types, weights_, biases=None, **more):
    return MultiHeadAttention(
        weights_, biases, query=(ApFixed(10, 3), (4, FEATURES)), types=types, **more
    )


def batch_of(model, *values):
    return [as_fixed(v, t, n) for v, (n, (t, _)) in zip(values, model.inputs.items(), strict=True)]


def test_the_layers_are_hls4mls():
    model = made(narrow_types(), *weights(), name="mha")
    assert [step.layer.name for step in model.steps] == [
        f"mha_{name}"
        for name in ("query", "key", "value", "QK", "softmax", "aV", "attention_output")
    ]
    kinds = [type(step.layer) for step in model.steps]
    assert kinds == [EinsumDense] * 3 + [Einsum, Softmax, Einsum, EinsumDense]
    scores, softmax, answer = (model.layer(f"mha_{n}") for n in ("QK", "softmax", "aV"))
    assert model.steps[3].inputs == ("key", "query")
    assert scores.output_shape == softmax.output_shape == (HEADS, 4, 4)
    assert answer.output_shape == (4, HEADS, VALUE)
    assert softmax.exp_scale == 0.5
    assert model.output_shape == (4, OUTPUTS)


def test_it_is_attention():
    found, biases = weights()
    model = made(fine_types(), found, biases)
    x = np.random.default_rng(1).integers(-64, 64, (5, 4, FEATURES)) / 64
    w = {name: torch.from_numpy(v) for name, v in found.items()}
    q, k, v = (
        torch.einsum("ntf,fhd->nhtd", torch.from_numpy(x), w[n]) for n in ("query", "key", "value")
    )
    q = q + torch.from_numpy(biases["query"])[:, None, :]
    answer = functional.scaled_dot_product_attention(q, k, v)
    expected = torch.einsum("nhtd,hdo->nto", answer, w["attention_output"])
    expected = expected + torch.from_numpy(biases["attention_output"])
    assert torch.allclose(model(x), expected, atol=0.01)


def test_another_scale():
    found, _ = weights(scale=1.0)
    x = np.random.default_rng(2).normal(size=(3, 4, FEATURES))
    flat, sharp = (made(fine_types(), found, scale=s) for s in (0.0, 1.0))
    attention = [m.trace(*batch_of(m, x))["softmax"].values() for m in (flat, sharp)]
    assert np.abs(attention[0] - 0.25).max() < 0.001
    assert np.abs(attention[1] - 0.25).max() > 0.25


@pytest.mark.parametrize("others", [(), ("value", "key")])
def test_every_layer_is_its_kernel(others):
    shapes = {"value": (5, FEATURES), "key": (5, FEATURES)}
    more = {k: (ApFixed(8, 3), shapes[k]) for k in others}
    model = made(narrow_types(), *weights(scale=1.0), **more)
    assert list(model.inputs) == [f"{k}_input" for k in ("query", *others)]
    rng = np.random.default_rng(3)
    batch = [rng.normal(0, 2, (50, *shape)) for _, shape in model.inputs.values()]
    found = compare(model, ModelTwin(model, Oracle()), *batch)
    assert found.agrees, str(found)
    assert all(layer.codes for layer in found.layers)
    seen = model.trace(*batch_of(model, *batch))
    assert all(len(np.unique(seen[step.output].codes)) > 8 for step in model.steps)


def test_without_a_key_the_value_is_compared():
    found, _ = weights()
    types = fine_types()
    value = (ApFixed(8, 3), (5, FEATURES))
    two, three = made(types, found, value=value), made(types, found, value=value, key=value)
    rng = np.random.default_rng(4)
    q, v = rng.normal(size=(3, 4, FEATURES)), rng.normal(size=(3, 5, FEATURES))
    assert torch.equal(two(q, v), three(q, v, v))


def test_types_can_be_changed():
    model = made(narrow_types(), *weights())
    other = model.retyped({"QK": {"result": "ap_fixed<12,6>"}})
    assert other.layer("softmax").input_types == (ApFixed(12, 6),)
    assert other.layer("softmax").exp_scale == 0.5


@pytest.mark.parametrize(
    ("name", "shape", "why"),
    [
        ("key", (FEATURES, 3, KEY), "heads: 2 and 3"),
        ("key", (FEATURES, HEADS, 5), "key_dim: 4 and 5"),
        ("attention_output", (HEADS, 3, 5), "value_dim: 2 and 3"),
        ("attention_output", (4, OUTPUTS), r"\(heads, value_dim, outputs\), not \(4, 5\)"),
        ("query", (2, HEADS, KEY), "einsum"),
    ],
)
def test_weights_that_do_not_fit(name, shape, why):
    found, _ = weights()
    with pytest.raises(ShapeError, match=why):
        made(narrow_types(), {**found, name: np.zeros(shape)})


def test_what_is_missing_or_unknown_is_named():
    found, biases = weights()
    types = narrow_types()
    with pytest.raises(ValueError, match="the weights lack 'value'; there are: query, key"):
        made(types, {k: v for k, v in found.items() if k != "value"})
    with pytest.raises(ValueError, match="the types lack 'QK'"):
        made({k: v for k, v in types.items() if k != "QK"}, found)
    with pytest.raises(ValueError, match="the biases have an unknown 'QK'"):
        made(types, found, {**biases, "QK": 0})
    with pytest.raises(ValueError, match="the types have an unknown 'output'"):
        made({**types, "output": {}}, found)
    with pytest.raises(ShapeError, match="query has shape"):
        MultiHeadAttention(found, query=(FINE, (FEATURES,)), types=types)


def test_hostile_input():
    model = made(narrow_types(), *weights())
    assert model(np.zeros((0, 4, FEATURES))).shape == (0, 4, OUTPUTS)
    assert model(np.zeros((1, 4, FEATURES))).shape == (1, 4, OUTPUTS)
    with pytest.raises(ShapeError):
        model(np.zeros((1, 3, FEATURES)))
    with pytest.raises(ValueError, match="NaN"):
        model(np.full((1, 4, FEATURES), np.nan))
