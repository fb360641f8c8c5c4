"""Range analysis: bounds that hold for all inputs, that some input reaches, and types for them."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import ApFixed
from harness.fixed import Fixed
from harness.hls import (
    LSTM,
    AveragePooling1D,
    BinaryTanh,
    Conv1D,
    Dense,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    Linear,
    Maximum,
    MaxPooling1D,
    Model,
    ReLU,
    Reshape,
    Sequential,
    Step,
    TimeDistributed,
    ranges,
    suggest_types,
)
from harness.hls.layers.accumulate import watched
from harness.hls.layers.interval import Interval
from harness.hls.proof import FAMILIES, Draw
from harness.hls.ranges import smallest_type
from harness.types import ApInt

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
    types = suggest_types(model, widen_saturated=True)
    typed = model.retyped(types)
    assert not any(reach.overflows or reach.saturates for reach in ranges(typed))
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
            assert reach.overflows or reach.saturates


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
        (-8, 8, ApInt(9), ApInt(5)),
        (0, 15, ApInt(9, signed=False), ApInt(4, signed=False)),
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


def model_of(layer):
    names = [f"x{i}" for i in range(len(layer.input_types))]
    given = zip(names, zip(layer.input_types, layer.input_shapes, strict=True), strict=True)
    return Model(dict(given), [Step(layer, tuple(names), "y")])


def much_wider(model, types):
    """The model with integer bits that no value reaches, as many as there can be."""

    def wider(t):
        width = 64 if t.width < 64 else 220
        return ApFixed(width, width - t.frac, rounding=t.rounding)

    return model.retyped(
        {name: {k: wider(t) for k, t in each.items()} for name, each in types.items()}
    )


def may_overflow(layer):
    """Layers of which no type that the kernel takes holds everything."""
    if isinstance(layer, TimeDistributed):
        return may_overflow(layer.layer)
    if not hasattr(layer, "cells"):
        return False
    tied = not layer.takes("accum") or not layer.takes("result")  # to the input's type
    return tied or any("relu" in cell.names for cell in layer.cells.values())  # grows with steps


#: Kernels whose bounds nobody has worked out.
UNKNOWN = ("products", "generated logic", "distributed arithmetic")
KNOWN = [name for name in FAMILIES if not any(part in name for part in UNKNOWN)]


@pytest.mark.parametrize("kernel", [name for name in FAMILIES if name not in KNOWN])
def test_what_is_not_known_may_overflow(kernel):
    """A layer without known bounds reaches all of its type; some draws of products have some."""
    layer = FAMILIES[kernel](Draw(5, 0))
    (reach,) = ranges(model_of(layer))
    if reach.before is None:
        assert reach.overflows or reach.saturates
        t = layer.result
        assert reach.result.extremes == (t.min_code, t.max_code)


@pytest.mark.parametrize("kernel", KNOWN)
def test_no_layer_leaves_its_bounds_and_none_overflows_in_suggested_types(kernel):
    """Of every kernel with known bounds; what it computes then is what much wider types give."""
    for draw in (Draw(5, 0), Draw(5, 1), Draw(5, 2, wide=True)):
        try:
            layer = FAMILIES[kernel](draw)
        except ValueError:
            assert draw.wide  # some take no such types
            continue
        model = model_of(layer)
        (reach,) = ranges(model)
        inputs = draw.inputs(layer, 20 if draw.wide else 200)
        out = model.run(*inputs)
        assert (out.codes >= reach.result.low.codes).all()
        assert (out.codes <= reach.result.high.codes).all()
        types = suggest_types(model, widen_saturated=True)
        safe = model.retyped(types)
        (after,) = ranges(safe)
        if may_overflow(layer):
            continue
        assert not after.overflows
        assert not after.saturates
        codes = safe.run(*inputs).codes
        assert (codes >= after.result.low.codes).all()
        assert (codes <= after.result.high.codes).all()
        wide = much_wider(model, types)
        np.testing.assert_array_equal(codes, wide.run(*inputs).codes)
        fewer = suggest_types(model, *inputs, widen_saturated=True)
        np.testing.assert_array_equal(codes, model.retyped(fewer).run(*inputs).codes)


def test_a_pooling_follows_its_input():
    """60 and 40 were -4 and -24 in a model that "never overflows"."""
    t = ApFixed(16, 6)
    types = {"input": t, "weight_type": t, "bias_type": t, "accum": t, "result": t}
    conv = Conv1D([[[20.0]]], input_shape=(4, 1), **types)
    pool = MaxPooling1D(input=t, input_shape=(4, 1), accum=t, result=t, pool_width=2)
    model = Sequential(conv, pool)
    x = np.array([1.0, 3, 2, 1]).reshape(1, 4, 1)
    assert model(x).flatten().tolist() == [20.0, 20.0]  # of 20, -4, -24 and 20
    for data in ((), (x,)):
        safe = model.retyped(suggest_types(model, *data))
        assert safe(x).flatten().tolist() == [60.0, 40.0]
    safe = model.retyped(suggest_types(model))
    assert not any(reach.overflows for reach in ranges(safe))
    assert suggest_types(model)["maxpooling1d"]["accum"] == ApFixed(21, 11)


@pytest.mark.parametrize("size", [2, 9, 64])
def test_a_global_average_is_a_sum(size):
    t = ApFixed(16, 6)
    pool = GlobalAveragePooling1D(input=t, input_shape=(size, 1), accum=t, result=t)
    model = Sequential(pool)
    (reach,) = ranges(model)
    assert reach.overflows
    held = reach.accum[1].whole
    assert int(held.low.codes) == -size << 15
    x = np.full((1, size, 1), 31.5)
    assert model(x).item() != 31.5
    types = suggest_types(model)
    safe = model.retyped(types)
    assert safe(x).item() == 31.5
    assert not ranges(safe)[0].overflows
    accum = types["globalaveragepooling1d"]["accum"]
    less = ApFixed(accum.width - 1, accum.integer - 1)
    assert ranges(model.retyped({"globalaveragepooling1d": {"accum": less}}))[0].overflows


@settings(max_examples=30)
@given(seed=seeds)
def test_chains_do_not_overflow_in_suggested_types(seed):
    """Sums behind sums, each of the types suggested for the one before; values as exact ones."""
    draw = Draw(seed)
    conv = FAMILIES["conv1d, latency"](draw)
    pools = (MaxPooling1D, AveragePooling1D, GlobalMaxPooling1D, GlobalAveragePooling1D)
    kind = draw.choice(pools)
    window = {} if "Global" in kind.__name__ else {"pool_width": 1, "stride_width": 2}
    types = {"accum": draw.type(), "result": draw.type()}
    pool = kind(input=conv.result, input_shape=conv.output_shape, **window, **types)
    flat = Reshape(pool.result, pool.output_shape)
    size, weight = flat.output_shape[0], draw.type()
    dense = Dense(
        draw.codes(weight, (size, 2)),
        input=pool.result,
        weight_type=weight,
        bias_type=weight,
        accum=draw.accumulator(),
        result=draw.type(),
    )
    model = Sequential(conv, pool, flat, dense)
    found = suggest_types(model, widen_saturated=True)
    safe = model.retyped(found)
    assert not any(reach.overflows or reach.saturates for reach in ranges(safe))
    inputs = draw.inputs(conv, 20)
    got, expected = safe.layer_outputs(*inputs), much_wider(model, found).layer_outputs(*inputs)
    for name in got:
        np.testing.assert_array_equal(got[name].codes, expected[name].codes)


def test_what_saturates_on_purpose_is_left_unless_asked():
    """A result with AP_SAT clips; an accumulator with AP_SAT is too narrow all the same."""
    t, trained = ApFixed(16, 6), ApFixed(6, 2, signed=False, overflow="SAT")
    saturating = ApFixed(16, 6, overflow="SAT")
    types = {"input": t, "weight_type": t, "bias_type": t, "accum": saturating, "result": t}
    dense = Dense([[20.0]], **types)
    model = Sequential(dense, ReLU(input=t, input_shape=(1,), result=trained))
    found = suggest_types(model)
    assert found == {
        "dense": {
            "accum": ApFixed(21, 11, overflow="SAT"),
            "result": ApFixed(21, 11),
        }
    }
    safe = model.retyped(found)
    first, second = ranges(safe)
    assert (first.overflows, first.saturates) == (False, False)
    assert (second.overflows, second.saturates) == (False, True)
    assert second.result.extremes == (0, 63)
    asked = suggest_types(model, widen_saturated=True)
    assert asked["relu"]["result"] == ApFixed(14, 10, signed=False, overflow="SAT")
    assert not any(r.overflows or r.saturates for r in ranges(model.retyped(asked)))


@pytest.mark.parametrize("layer", [Linear, ReLU])
def test_bounds_of_large_values_do_not_wrap(layer):
    t = ApFixed(50, 45)
    (reach,) = ranges(Sequential(layer(input=t, input_shape=(1,), result=ApFixed(16, 30))))
    assert reach.overflows
    (reach,) = ranges(Sequential(layer(input=t, input_shape=(1,), result=ApFixed(60, 50))))
    assert not reach.overflows
    assert reach.result.extremes[1] == ((1 << 49) - 1) << 5


def test_bounds_of_unsigned_words():
    t = ApFixed(64, 64, signed=False)
    pool = MaxPooling1D(input=t, input_shape=(2, 1), accum=t, result=t, pool_width=2)
    (reach,) = ranges(Sequential(pool))
    assert not reach.overflows
    narrow = pool.retyped(result=ApFixed(63, 63, signed=False))
    assert ranges(Sequential(narrow))[0].overflows


def test_a_maximum_that_compares_as_c_does_is_one_of_both():
    """-1 is above every unsigned number of 32 bits, so the highest inputs do not bound it."""
    a, b = ApFixed(32, 32), ApFixed(32, 32, signed=False)
    layer = Maximum(input1=a, input2=b, input1_shape=(1,), result=ApFixed(40, 40))
    (reach,) = ranges(model_of(layer))
    assert reach.result.extremes == (a.min_code, b.max_code)
    out = layer.run(Fixed([[-1]], a), Fixed([[5]], b))
    assert out.codes.item() == -1


def test_one_bit_of_a_binary_tanh_stays_one():
    bit = ApFixed(1, 1, signed=False)
    model = Sequential(BinaryTanh(input=ApFixed(4, 2), input_shape=(1,), result=bit))
    assert suggest_types(model) == {}
    assert not ranges(model)[0].overflows


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


def test_ranges_print_as_a_table():
    """One row a type: what it should hold, whether it does, and if not which type would."""
    weight = {"weight_type": "ap_fixed<8,3>", "bias_type": "ap_fixed<8,3>"}
    types = {"accum": "ap_fixed<16,6>", "result": "ap_fixed<12,5,AP_RND,AP_SAT>", **weight}
    dense = Dense([[3.0], [-2.0]], [0.5], input="ap_fixed<10,4>", **types)
    model = Sequential(dense, ReLU(input=dense.result, result="ap_fixed<12,5>", input_shape=(1,)))
    found = ranges(model)
    assert found == list(found)  # a list as before
    head, accum, result, relu = str(found).splitlines()
    assert head.split() == ["layer", "type", "of", "type", "lowest", "highest"]
    assert accum.split()[:5] == ["dense", "accum", "ap_fixed<16,6>", "-39.4688", "40.4531"]
    assert accum.endswith("may overflow; ap_fixed<17,7> holds all")
    # The accumulator may wrap to any of its values, and 31.999 rounds to 32.
    assert result.endswith("  clips; ap_fixed<14,7,AP_RND,AP_SAT> holds all")
    assert relu.endswith("holds all")
    assert relu.index("ap_fixed") == accum.index("ap_fixed")  # aligned
    assert suggest_types(model)["dense"]["accum"] == ApFixed(17, 7)
