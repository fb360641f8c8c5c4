"""Recurrent layers: what their steps make of codes, and what is refused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.hls import Dense, Fixed, Sequential, ShapeError, TypeMismatch, ranges
from harness.hls.layers.recurrent import GRU, LSTM, Bidirectional, Direction
from harness.types import ApFixed

T = ApFixed(16, 8)
WIDE = ApFixed(32, 10)
TABLE = ApFixed(24, 2)
PARAMETERS = ("weight", "recurrent_weight", "bias", "recurrent_bias")


def types(t=T, **more):
    names = ("input", "accum", "result", "table_type", *(f"{p}_type" for p in PARAMETERS))
    return dict.fromkeys(names, t) | more


def relus(**more):
    """No tables: gates are what they are, if they are positive."""
    return types(activation="relu", recurrent_activation="relu", **more)


def one_state(kind, weight, recurrent, bias=None, **more):
    return kind([weight], [recurrent], bias, **relus(return_sequences=True, **more))


def direction(cell, seed=0, inputs=2, states=3, **more):
    rng = np.random.default_rng(seed)
    gates = {"lstm": 4, "gru": 3}[cell] * states
    w, wr, b, br = (rng.uniform(-1, 1, s) for s in ((inputs, gates), (states, gates), gates, gates))
    kept = {f"{p}_type": T for p in PARAMETERS}
    return Direction(cell, w, wr, b, br, **(kept | more))


def layer(kind, length=4, **more):
    d = direction(kind.cell)
    return kind(
        d.weight, d.recurrent_weight, d.bias, d.recurrent_bias, **types(**more), length=length
    )


def both(**more):
    shared = {k: v for k, v in types().items() if k.removesuffix("_type") not in PARAMETERS}
    directions = direction("lstm"), direction("gru", seed=1)
    return Bidirectional(*directions, **(shared | {"length": 4} | more))


def batch(rows=5, length=4, inputs=2):
    return np.random.default_rng(7).integers(-600, 600, (rows, length, inputs))


def test_the_gates_of_an_lstm_are_i_f_c_o():
    lstm = one_state(LSTM, [0.5, 1.0, 1.0, 2.0], [0.0] * 4, length=3)
    # s = 1 * 0.5 + s * 1, then h = 2 * s
    assert lstm([[[1.0], [1.0], [1.0]]]).flatten().tolist() == [1.0, 2.0, 3.0]


def test_an_lstm_truncates_its_state_once():
    narrow = relus(t=ApFixed(8, 4), return_sequences=True, length=2)
    lstm = LSTM([[0.25, 0.25, 0.375, 1.0]], [[0.0] * 4], **narrow)
    # s = 0.25 * 0.375 = 1.5 codes, then 1.5 + 0.25 codes: the sum is cut, not its products
    assert lstm.codes([[[16], [16]]]).flatten().tolist() == [1, 1]
    lstm = LSTM([[0.25, 1.0, 0.375, 1.0]], [[0.0] * 4], **narrow)
    assert lstm.codes([[[16], [16]]]).flatten().tolist() == [1, 2]


def test_the_gates_of_a_gru_are_z_r_h():
    gru = one_state(GRU, [0.25, 0.0, 1.0], [0.0] * 3, length=2)
    # h = 1 * (1 - 0.25) + h * 0.25
    assert gru([[[1.0], [1.0]]]).flatten().tolist() == [0.75, 0.9375]


def test_or_r_z_h_in_pytorchs_order():
    gru = one_state(GRU, [0.0, 0.25, 1.0], [0.0] * 3, length=2, pytorch_order=True)
    assert gru([[[1.0], [1.0]]]).flatten().tolist() == [0.75, 0.9375]


def test_the_reset_gate_comes_after_the_product_and_its_bias():
    gru = one_state(GRU, [0.0, 0.5, 0.0], [0.0] * 3, length=1, recurrent_bias=[0.0, 0.0, 3.0])
    assert gru([[[1.0]]]).item() == 1.5  # 0.5 * (0 + 3)


def test_a_sum_that_leaves_the_accumulator_wraps():
    gru = GRU([[0.0, 0.0, 7.0]], [[0.0] * 3], **relus(accum=ApFixed(8, 4), length=1))
    assert gru([[[1.0]]]).item() == 7.0
    assert gru([[[1.25]]]).item() == 0.0  # 8.75 is -7.25 there
    held = gru.retyped(accum="ap_fixed<8, 4, AP_TRN, AP_SAT>")
    assert held([[[1.25]]]).item() == 7.9375


@pytest.mark.parametrize("kind", [LSTM, GRU])
def test_in_wide_types_it_is_torchs_layer(kind):
    torch.manual_seed(0)
    module = getattr(torch.nn, kind.__name__)(2, 3, batch_first=True)
    weights = [p.detach().numpy().T for p in module.parameters()]
    made = kind(
        *weights,
        **types(WIDE, table_type=TABLE),
        length=5,
        table_size=1 << 14,
        return_sequences=True,
        pytorch_order=True,
    )
    x = torch.randn(6, 5, 2)
    assert np.allclose(made(x), module(x)[0].detach(), atol=5e-3)


@pytest.mark.parametrize("kind", [LSTM, GRU])
@pytest.mark.parametrize("more", [{"static": False}, {"strategy": "resource"}])
def test_another_kernel_gives_the_same_where_sums_wrap(kind, more):
    one, other = layer(kind), layer(kind, **more)
    assert np.array_equal(one.codes(batch()), other.codes(batch()))
    assert one.kernel().cpp != other.kernel().cpp


@pytest.mark.parametrize("make", [lambda **m: layer(LSTM, **m), lambda **m: layer(GRU, **m)])
def test_the_last_state_is_the_last_of_the_sequence(make):
    every, last = make(return_sequences=True), make()
    assert (every.output_shape, last.output_shape) == ((4, 3), (3,))
    assert np.array_equal(every.codes(batch())[:, -1], last.codes(batch()))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 6), st.sampled_from([LSTM, GRU]), st.integers(1, 5))
def test_no_row_depends_on_another(rows, kind, length):
    recurrent = layer(kind, length=length)
    codes = batch(rows, length)
    out = recurrent.codes(codes)
    assert out.shape == (rows, 3)
    for k in range(rows):
        assert np.array_equal(recurrent.codes(codes[k : k + 1])[0], out[k])


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4))
def test_a_gru_goes_on_from_a_state(split):
    codes = batch(3, 5)
    whole = layer(GRU, length=5).codes(codes)
    first = layer(GRU, length=split).codes(codes[:, :split])
    second = layer(GRU, length=5 - split, initial_states=True)
    assert np.array_equal(second.codes(codes[:, split:], first), whole)


def test_an_lstm_begins_with_two_states():
    lstm = layer(LSTM, initial_states=True)
    zeros = np.zeros((5, 3), int)
    assert lstm.input_shapes == ((4, 2), (3,), (3,))
    assert np.array_equal(lstm.codes(batch(), zeros, zeros), layer(LSTM).codes(batch()))
    assert not np.array_equal(lstm.codes(batch(), zeros, zeros + 99), layer(LSTM).codes(batch()))
    assert "recurrent_from" in lstm.kernel().cpp


def test_the_second_direction_goes_backwards():
    joined = both(return_sequences=True)
    shared = {k: v for k, v in types().items() if k.removesuffix("_type") not in PARAMETERS}
    alone = []
    for kind, d in ((LSTM, direction("lstm")), (GRU, direction("gru", seed=1))):
        given_ = {p: getattr(d, p) for p in PARAMETERS} | {f"{p}_type": T for p in PARAMETERS}
        alone.append(kind(**given_, **shared, length=4, return_sequences=True))
    codes = batch()
    forward = alone[0].codes(codes)
    backward = alone[1].codes(codes[:, ::-1].copy()).flip(1)
    out = joined.codes(codes)
    assert np.array_equal(out, torch.cat([forward, backward], -1))
    last = both().codes(codes)
    assert np.array_equal(last, torch.cat([forward[:, -1], backward[:, 0]], -1))


def test_directions_may_have_other_sizes():
    joined = both().retyped(result="ap_fixed<20, 9>")
    assert joined.output_shape == (6,)
    uneven = Bidirectional(
        direction("lstm", states=1),
        direction("lstm", states=4),
        **{k: v for k, v in types().items() if k.removesuffix("_type") not in PARAMETERS},
        length=2,
    )
    assert uneven.output_shape == (5,)
    assert list(uneven.parameter_types)[::4] == ["forward_weight", "backward_weight"]


def test_parameters_travel_with_the_state():
    one, other = layer(LSTM), layer(LSTM)
    other.load_state_dict({k: v * 0 for k, v in one.state_dict().items()})
    assert not other.codes(batch()).any()
    other.load_state_dict(one.state_dict())
    assert np.array_equal(other.codes(batch()), one.codes(batch()))


def test_it_is_a_layer_of_models():
    dense = Dense(
        np.eye(3), **dict.fromkeys(("input", "weight_type", "bias_type"), T), accum=T, result=T
    )
    model = Sequential(layer(GRU), dense)
    assert np.array_equal(model.codes(batch()), layer(GRU).codes(batch()))


@pytest.mark.parametrize("name", ["input", "accum", "result"])
@pytest.mark.parametrize("static", [True, False])
def test_an_lstm_of_types_that_do_not_compile_is_refused(name, static):
    with pytest.raises(TypeMismatch, match="LSTM: hls4ml's lstm_stack compiles only where input"):
        layer(LSTM, static=static, **{name: WIDE})


def test_so_is_one_of_two_directions_unless_it_is_static():
    assert both(accum=WIDE).accum == WIDE
    with pytest.raises(TypeMismatch, match="Bidirectional: hls4ml's LSTM without static compiles"):
        both(accum=WIDE, static=False)
    grus = direction("gru"), direction("gru")
    shared = {"input": T, "accum": WIDE, "table_type": T, "result": T, "length": 2}
    assert Bidirectional(*grus, **shared, static=False).accum == WIDE


@pytest.mark.parametrize("kind", [LSTM, GRU])
@pytest.mark.parametrize("name", ["weight", "bias"])
def test_initial_states_need_weights_of_one_type(kind, name):
    with pytest.raises(TypeMismatch, match=f"only where {name} and recurrent {name} have one type"):
        layer(kind, initial_states=True, **{f"recurrent_{name}_type": WIDE})


@pytest.mark.parametrize("more", [{"activation": "softsign"}, {"recurrent_activation": "linear"}])
def test_an_activation_that_the_kernels_lack_is_refused(more):
    with pytest.raises(ValueError, match="GRU: the kernels have no activation .*; allowed: relu"):
        layer(GRU, **more)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"reuse_factor": 0}, "reuse factor 0 does not fit 2 inputs and 12 outputs"),
        ({"reuse_factor": 3}, "reuse factor 3 does not fit 2 inputs"),
        ({"reuse_factor": 26}, "reuse factor 26 does not fit 2 inputs"),
        ({"recurrent_reuse_factor": 2}, "reuse factor 2 does not fit 3 inputs"),
    ],
)
def test_a_reuse_factor_that_the_kernels_cannot_take_is_refused(more, why):
    with pytest.raises(ValueError, match=f"LSTM: {why}"):
        layer(LSTM, strategy="resource", **more)
    assert layer(LSTM, **more).output_shape == (3,)


def test_an_unknown_strategy_is_refused():
    with pytest.raises(ValueError, match="LSTM: unknown strategy 'distributed'"):
        layer(LSTM, strategy="distributed")
    with pytest.raises(ValueError, match="GRU: .* a table has"):
        layer(GRU, table_size=0)


def test_weights_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match=r"LSTM: weights of shapes .* do not fit"):
        LSTM(np.zeros((2, 9)), np.zeros((3, 9)), **types(), length=1)
    with pytest.raises(ShapeError, match="GRU: bias has shape"):
        GRU(np.zeros((2, 9)), np.zeros((3, 9)), np.zeros(8), **types(), length=1)
    with pytest.raises(ShapeError, match="the directions take"):
        Bidirectional(
            direction("gru"),
            direction("gru", inputs=5),
            input=T,
            accum=T,
            result=T,
            table_type=T,
            length=1,
        )
    with pytest.raises(ValueError, match="unknown cell 'rnn'; allowed: lstm, gru"):
        Bidirectional(
            Direction("rnn", 0, 0, **{f"{p}_type": T for p in PARAMETERS}),
            direction("gru"),
            input=T,
            accum=T,
            result=T,
            table_type=T,
            length=1,
        )
    with pytest.raises(ValueError, match=r"LSTM.weight: a value is NaN"):
        LSTM(np.full((2, 12), np.nan), np.zeros((3, 12)), **types(), length=1)


def test_inputs_are_checked():
    gru = layer(GRU)
    assert gru.codes(np.zeros((0, 4, 2), int)).shape == (0, 3)
    with pytest.raises(ShapeError, match=r"GRU takes \(rows, 4, 2\)"):
        gru.codes(np.zeros((1, 5, 2), int))
    with pytest.raises(TypeMismatch, match="GRU takes"):
        gru.run(Fixed(np.zeros((1, 4, 2), int), WIDE))
    with pytest.raises(ValueError, match="NaN or infinite"):
        gru(np.full((1, 4, 2), np.inf))
    with pytest.raises(ShapeError, match="positive sizes"):
        layer(GRU, length=0)


def test_relu_of_what_is_never_positive_is_bounded_by_zero():
    """A candidate between -1, as far as bounds tell, and 0 mixed with a state of 0 stays there."""
    gru = GRU(
        np.zeros((2, 6)),
        np.zeros((2, 6)),
        np.full(6, -1.0),
        **types(activation="relu", recurrent_activation="sigmoid"),
        length=3,
    )
    (reach,) = ranges(Sequential(gru))
    assert reach.result.extremes == (-(1 << T.frac), 0)


def test_gates_are_bounded_by_the_biases_of_their_states():
    """The first gate is 2, so that the state becomes 2 * 0 + (1 - 2) * 1."""
    zeros, recurrent = np.zeros((1, 3)), np.array([2.0, 0, 0])
    gru = GRU(zeros, zeros, np.array([0, 0, 1.0]), recurrent, **relus(length=1))
    assert gru(np.zeros((1, 1, 1))).item() == -1
    (reach,) = ranges(Sequential(gru))
    assert reach.result.low.values().min() <= -1 <= reach.result.high.values().max()


def test_bounds_hold_where_what_the_state_adds_wraps():
    """-7.5 - 1.9 h leaves the accumulator in the second step, comes back as 5.5, and h is 4.4."""
    accum = ApFixed(20, 4)
    gru = GRU(
        np.zeros((1, 3)),
        np.array([[0, 0, -1.9]]),
        np.array([0.25, 0.25, 4]),
        np.array([0, 0, -7.5]),
        **relus(input=T, accum=accum, result=accum, return_sequences=True, length=2),
    )
    (reach,) = ranges(Sequential(gru))
    out = gru(np.zeros((1, 2, 1))).flatten().tolist()
    assert 4.4 < out[1] < 4.5
    assert out[1] <= reach.result.high.values().max()
