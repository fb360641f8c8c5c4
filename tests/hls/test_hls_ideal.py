"""What a layer means, in float64: with fine types and large tables each layer computes it."""

import numpy as np
import pytest

from harness import ApFixed
from harness.hls import Fixed, Sequential, Softmax
from harness.hls.ideal import ideal, ideal_trace
from harness.hls.proof import FAMILIES
from harness.hls.proof.draw import Draw

FINE = ApFixed(30, 14)
#: Largest error relative to the largest output.
CLOSE = 2e-3
#: Tables of 4096 entries over 16: a step is 2**-8, and an entry is off by up to a step.
TABLED = 3e-2
#: Their tables come by other arguments than a size, or are any numbers.
LEFT = ("garnet", "unary_lut", "multi-head", "softmax, l", "softmax, s", "softmax, h")
#: Bits are no fine type: what products mean is in test_hls_products.
NAMES = [name for name in FAMILIES if not name.startswith(LEFT) and not name.endswith("products")]


class Fine(Draw):
    """Layers of one fine type, and moderate weights."""

    def type(self, *_, **__):
        return FINE

    def codes(self, t, shape):
        return Fixed(np.ldexp(self.rng.normal(0, 0.5, shape), t.frac).astype(np.int64), t)


def inputs_of(layer, seed):
    """Values of each input whose variance the table of a layer norm reaches."""
    rng, found = np.random.default_rng(seed), []
    for place, (t, shape) in enumerate(zip(layer.input_types, layer.input_shapes, strict=True)):
        codes = np.ldexp(rng.normal(0, 0.4, (20, *shape)), t.frac).astype(np.int64)
        found.append(Fixed(np.clip(codes, *layer.code_range(place)), t))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_fine_types_compute_what_is_meant(name):
    """The error is that of the types and of the table's steps, whatever the sizes are."""
    for seed in range(4):
        layer, bound = FAMILIES[name](Fine(seed, 1)), CLOSE
        if layer.takes("table_size"):
            more = {"table_size": 4096, "table_type": "ap_fixed<24,8>"}
            if name == "layernormalize":
                more |= {"table_range_power2": 0, "epsilon_power_of_10": 1}
            layer, bound = layer.retyped(**more), TABLED
        x = inputs_of(layer, seed)
        got, meant = layer.run(*x).values(), ideal(layer, *(v.values() for v in x))
        assert got.shape == meant.shape
        assert np.abs(got - meant).max() <= bound * max(np.abs(meant).max(), 1), layer


@pytest.mark.parametrize("implementation", ["stable", "latency", "legacy"])
@pytest.mark.parametrize("axis", [0, 1])
def test_softmax(implementation, axis):
    """Along either axis, by each implementation."""
    layer = Softmax(
        input="ap_fixed<13,5>",
        input_shape=(3, 4),
        axis=axis,
        result="ap_fixed<24,4>",
        implementation=implementation,
        exp_table_type="ap_fixed<28,12>",
        inv_table_type="ap_fixed<28,12>",
        inv_inp_type="ap_fixed<28,12>" if implementation == "legacy" else "ap_ufixed<12,5>",
        accum="ap_fixed<28,12>",
        table_type="ap_fixed<28,12>",
        exp_table_size=4096,
        inv_table_size=4096,
    )
    (x,) = inputs_of(layer, 0)
    got, meant = layer.run(x).values(), ideal(layer, x.values())
    assert np.abs(meant.sum(axis + 1) - 1).max() < 1e-12
    assert np.abs(got - meant).max() < TABLED


def test_a_trace_takes_what_is_given():
    """Values that are given are taken; the layers after them are computed from these."""
    layers = [FAMILIES[name](Fine(3, 1)) for name in ("dense_latency", "relu")]
    dense = layers[0]
    relu = type(layers[1])(input=FINE, input_shape=dense.output_shape)
    model = Sequential(dense, relu)
    (x,) = (v.values() for v in inputs_of(dense, 0))
    found = ideal_trace(model, {"input": x})
    assert (found[relu.name] == np.maximum(ideal(dense, x), 0)).all()
    given = -found[dense.name]
    assert (ideal_trace(model, {"input": x, dense.name: given})[relu.name] >= 0).all()
    assert ideal_trace(model, {"input": x, dense.name: given})[dense.name] is given
