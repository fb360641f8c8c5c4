"""Range analysis: bounds that hold for all inputs, that some input reaches, and types for them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import ApFixed
from harness.fixed import Fixed
from harness.hls import LSTM, Dense, Model, Reshape, Sequential, Step, ranges, suggest_types
from harness.hls.layers.accumulate import watched
from harness.hls.proof import FAMILIES, Draw
from harness.hls.ranges import Interval, smallest_type

seeds = st.integers(0, 2**32 - 1)
MODES = st.sampled_from(["TRN", "RND", "RND_CONV", "TRN_ZERO", "RND_INF"])


def small(rng, accum, result, layers=1):
    """A model whose every input can be tried: two inputs of three bits."""
    x, w = ApFixed(3, 2), ApFixed(4, 2)
    found, size = [], 2
    for k in range(layers):
        weight = Fixed(rng.integers(-8, 8, (size, 2)), w)
        bias = Fixed(rng.integers(-8, 8, 2), w)
        types = {"weight_type": w, "bias_type": w, "accum": accum, "result": result}
        found.append(Dense(weight, bias, input=result if k else x, **types))
    return Sequential(*found)


def every_input(t, size):
    return Fixed(np.array(list(itertools.product(t.codes, repeat=size))), t)


@settings(max_examples=60)
@given(seed=seeds, rounding=MODES, frac=st.integers(0, 5), fine=st.integers(0, 3))
def test_bounds_are_those_of_all_inputs(seed, rounding, frac, fine):
    accum = ApFixed(12, 12 - frac, rounding=rounding)
    result = ApFixed(14, 14 - fine, rounding=rounding)
    model = small(np.random.default_rng(seed), accum, result)
    (reach,) = ranges(model)
    x = every_input(ApFixed(3, 2), 2)
    with watched() as seen:
        out = model.layer("dense").run(x)
    (low, high), (t, extent) = seen[0], reach.accum
    assert (t, extent.extremes) == (accum, (low, high))
    assert reach.result.low.codes.tolist() == out.codes.min(0).tolist()
    assert reach.result.high.codes.tolist() == out.codes.max(0).tolist()
    assert not reach.overflows


@settings(max_examples=60)
@given(seed=seeds, rounding=MODES, overflow=st.sampled_from(["WRAP", "SAT", "SAT_SYM"]))
def test_suggested_types_never_overflow_and_one_bit_less_does(seed, rounding, overflow):
    modes = {"rounding": rounding, "overflow": overflow}
    model = small(
        np.random.default_rng(seed), ApFixed(5, 2, **modes), ApFixed(4, 2, **modes), layers=2
    )
    types = suggest_types(model)
    typed = model.retyped(types)
    assert not any(reach.overflows for reach in ranges(typed))
    huge = {name: dict.fromkeys(each, None) for name, each in types.items()}
    for name, each in types.items():
        for slot, t in each.items():
            huge[name][slot] = ApFixed(t.width + 20, t.integer + 20, rounding=rounding)
    x = every_input(ApFixed(3, 2), 2)
    expected = model.retyped(huge).layer_outputs(x)
    for name, out in typed.layer_outputs(x).items():
        np.testing.assert_array_equal(out.codes, expected[name].codes)
    # The first layer's bounds are attained, so its types are the smallest.
    for slot, t in types["dense"].items():
        if t.width > 1:
            less = ApFixed(t.width - 1, t.integer - 1, rounding=rounding, overflow=overflow)
            reach = ranges(model.retyped({"dense": {**types["dense"], slot: less}}))[0]
            assert reach.overflows


@settings(max_examples=40)
@given(seed=seeds)
def test_types_for_data_are_the_smallest_for_these(seed):
    rng = np.random.default_rng(seed)
    model = small(rng, ApFixed(20, 14), ApFixed(8, 6), layers=2)
    x = Fixed(rng.integers(-4, 4, (7, 2)), ApFixed(3, 2))
    for_all, for_these = suggest_types(model), suggest_types(model, x)
    assert for_these.keys() == for_all.keys()
    typed, free = model.retyped(for_these), model.retyped(for_all)
    for name, out in typed.layer_outputs(x).items():
        np.testing.assert_array_equal(out.codes, free.layer_outputs(x)[name].codes)
        assert all(for_these[name][s].width <= for_all[name][s].width for s in for_all[name])
        t = for_these[name]["result"]
        if t.width > 1:
            ends = {int(out.codes.min()), int(out.codes.max())}
            half = 1 << (t.width - 2)
            assert min(ends) < -half or max(ends) >= half


def test_a_wrapping_result_reaches_all_of_its_type():
    (reach,) = ranges(small(np.random.default_rng(0), ApFixed(12, 8), ApFixed(3, 2)))
    assert reach.overflows
    assert reach.result.extremes == (-4, 3)


def test_a_shape_moves_its_bounds():
    model = small(np.random.default_rng(0), ApFixed(12, 8), ApFixed(12, 8))
    dense = model.layer("dense")
    chain = Sequential(dense, Reshape(dense.result, (2,), (2, 1)))
    first, second = ranges(chain)
    assert second.result.low.codes.tolist() == [[c] for c in first.result.low.codes.tolist()]
    assert not second.overflows


@pytest.mark.parametrize(
    ("low", "high", "like", "expected"),
    [
        (-8, 7, ApFixed(9, 5), ApFixed(4, 0)),
        (-9, 7, ApFixed(9, 5), ApFixed(5, 1)),
        (-8, 8, ApFixed(9, 5), ApFixed(5, 1)),
        (0, 0, ApFixed(9, 5), ApFixed(1, -3)),
        (0, 0, ApFixed(9, 5, signed=False), ApFixed(1, -3, signed=False)),
        (0, 15, ApFixed(9, 5, signed=False), ApFixed(4, 0, signed=False)),
        (-1, 15, ApFixed(9, 5, signed=False), ApFixed(5, 1)),
        (-8, 7, ApFixed(9, 5, overflow="SAT_SYM"), ApFixed(5, 1, overflow="SAT_SYM")),
    ],
)
def test_the_smallest_type_for_codes(low, high, like, expected):
    assert smallest_type(low, high, like) == expected


def test_a_layer_that_is_not_understood_reaches_all_of_its_type():
    class Odd(Reshape):
        monotone = False

    (reach,) = ranges(Sequential(Odd(ApFixed(5, 5), (2,))))
    assert reach.before is None
    assert reach.overflows
    assert reach.result.extremes == (-16, 15)
    assert suggest_types(Sequential(Odd(ApFixed(5, 5), (2,)))) == {}


def test_an_interval_in_another_type():
    t = ApFixed(8, 4)
    x = Interval(Fixed(np.array([-9, 0]), t), Fixed(np.array([9, 100]), t))
    inside = x.to(ApFixed(6, 4, rounding="RND"))
    assert inside.low.codes.tolist() == [-2, 0]
    assert inside.high.codes.tolist() == [2, 25]
    assert x.to(ApFixed(4, 2)).high.codes.tolist() == [2, 7]


@pytest.mark.parametrize("kernel", FAMILIES)
def test_no_layer_leaves_its_bounds(kernel):
    for k in range(3):
        draw = Draw(5, k)
        layer = FAMILIES[kernel](draw)
        names = [f"x{i}" for i in range(len(layer.input_types))]
        given = zip(names, zip(layer.input_types, layer.input_shapes, strict=True), strict=True)
        model = Model(dict(given), [Step(layer, tuple(names), "y")])
        (reach,) = ranges(model)
        inputs = draw.inputs(layer, 200)
        out = model.run(*inputs)
        assert (out.codes >= reach.result.low.codes).all()
        assert (out.codes <= reach.result.high.codes).all()
        typed = model.retyped(suggest_types(model))
        if suggest_types(model):
            (after,) = ranges(typed)
            assert not after.overflows
            wide = typed.run(*inputs)
            low, high = after.result.extremes
            assert low <= wide.codes.min()
            assert wide.codes.max() <= high
        suggest_types(model, *inputs)


def test_what_a_layer_cannot_take_is_not_suggested():
    t = ApFixed(16, 6)
    rng = np.random.default_rng(0)
    types = {"weight_type": t, "bias_type": t, "accum": "ap_fixed<32,14>", "result": t}
    lstm = LSTM(
        rng.normal(size=(2, 12)),
        rng.normal(size=(3, 12)),
        input=t,
        length=2,
        accum=t,
        table_type=t,
        result=t,
        **{f"{name}_type": t for name in ("weight", "recurrent_weight", "bias", "recurrent_bias")},
    )
    model = Sequential(
        Dense(rng.normal(size=(4, 4)), input=t, **types), Reshape(t, (4,), (2, 2)), lstm
    )
    for data in ((), (rng.normal(size=(5, 4)),)):
        found = suggest_types(model, *data)
        assert set(found["dense"]) == {"accum"}  # an LSTM's input cannot change alone
        model.retyped(found)
