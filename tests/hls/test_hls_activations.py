"""Activations: what each makes of notable values, and what is refused."""

import numpy as np
import pytest

from harness import ApFixed
from harness.fixed import recorded_casts
from harness.hls import (
    ELU,
    SELU,
    BinaryTanh,
    Fixed,
    HardSigmoid,
    HardTanh,
    LeakyReLU,
    Linear,
    PReLU,
    ReLU,
    ReLU1,
    ReLU6,
    ReLUMax,
    Sequential,
    ShapeError,
    Sigmoid,
    Softplus,
    Softsign,
    Tanh,
    TernaryTanh,
    ThresholdedReLU,
    TypeMismatch,
    UnaryLUT,
)
from harness.hls.layers.elementwise import Activation
from harness.hls.layers.extents import _freed
from harness.hls.layers.interval import Interval
from harness.hls.proof import FAMILIES
from harness.hls.proof.draw import Draw
from harness.hls.ranges import ranges
from harness.types import Overflow

NARROW = ApFixed(8, 4)
WIDE = ApFixed(40, 36)
ONE = {"input": NARROW, "input_shape": (1,)}


def values(layer, *x):
    return layer(np.array(x, float).reshape(-1, 1)).ravel().tolist()


def test_linear_and_relu_convert_to_the_result():
    small = ApFixed(6, 2)
    assert values(Linear(**ONE, result=small), 1.0625, 2.0, -2.5) == [1.0625, -2.0, 1.5]
    assert values(ReLU(**ONE, result=small), 1.0625, 2.0, -2.5) == [1.0625, -2.0, 0.0]
    assert ReLU(**ONE).result == NARROW


def test_a_bound_overflows_where_the_result_does_not_hold_it():
    assert values(ReLU6(**ONE), -1, 5.9375, 6.0625, 7) == [0, 5.9375, 6, 6]
    assert values(ReLU6(**ONE, result=ApFixed(4, 3)), 5.9375, 7) == [-2.5, -2.0]
    saturating = ApFixed(4, 3, overflow=Overflow.SAT)
    assert values(ReLU6(**ONE, result=saturating), 7) == [3.5]
    assert values(ReLU1(**ONE), 0.9375, 3) == [0.9375, 1]


def test_a_negative_bound_is_what_is_not_negative():
    layer = ReLUMax(-3, **ONE)
    assert values(layer, -1, 0, 2) == [0, -3, -3]
    assert not layer.monotone
    assert ReLUMax(3, **ONE).monotone


def test_a_bound_is_an_int():
    with pytest.raises(ValueError, match="ReLUMax: the bound 2147483648 is no C\\+\\+ int"):
        ReLUMax(1 << 31, **ONE)


def test_leaky_slopes_are_rounded_in_their_type():
    types = {**ONE, "param_type": ApFixed(8, 1), "result": ApFixed(12, 4)}
    assert values(LeakyReLU(0.3, **types), -1, 2, 0) == [-0.296875, 2, 0]
    types["input_shape"] = (2,)
    layer = PReLU([0.5, -0.25], **types)
    assert layer(np.array([[-1, -1], [3, 3.0]])).tolist() == [[-0.5, 0.25], [3, 3]]


def test_thresholds_are_not_above_themselves():
    layer = ThresholdedReLU(1.5, **ONE, param_type=NARROW)
    assert values(layer, 1.5, 1.5625, -8) == [0, 1.5625, 0]


def test_sigmoid_counts_steps_from_zero_in_both_directions():
    layer = Sigmoid(input=ApFixed(20, 8), input_shape=(1,))
    centre, below = values(layer, 0.0, -1 / 64)
    assert centre == 0.5
    # Less than a step to either side is no step at all.
    assert values(layer, -1 / 128, 1 / 128, -0.0157) == [centre, centre, below]
    assert below < centre


@pytest.mark.parametrize("kind", [Sigmoid, Tanh, Softplus, Softsign])
def test_outside_the_table_are_its_ends(kind):
    layer = kind(input=ApFixed(20, 8), input_shape=(1,), result=ApFixed(18, 8))
    first, last = layer.table.values()[[0, -1]].tolist()
    assert values(layer, -127, -8, 7.9999, 8, 127) == [first, first, last, last, last]


def test_numbers_of_entries_wrap_beyond_an_int():
    sigmoid = Sigmoid(input=WIDE, input_shape=(1,), result=ApFixed(18, 8))
    # 64 entries to 1: 2**25 makes -2**31, and 2**26 makes 0.
    assert values(sigmoid, 2.0**25, 2.0**26, 2.0**24) == [0.0, 0.5, sigmoid.table.values()[-1]]


def test_a_negative_number_is_the_last_entry_for_elu_and_the_first_for_selu():
    given = {"input": WIDE, "input_shape": (1,), "result": ApFixed(18, 8)}
    elu, selu = ELU(**given), SELU(**given)
    assert values(elu, -(2.0**24), -1e3) == [elu.table.values()[-1]] * 2
    assert values(selu, -(2.0**24), -1e3) == [0.0, selu.table.values()[-1]]


def test_elu_and_selu_pass_what_is_not_negative():
    assert values(ELU(0.5, **ONE, param_type=NARROW), 3.0625, 0) == [3.0625, 0]
    scale = float(np.floor(1.0507009873554805 * 2**15) / 2**15)
    assert values(SELU(**ONE, result=ApFixed(40, 8)), 3) == [3 * scale]
    halved = ELU(0.5, **ONE, param_type=NARROW, result=ApFixed(24, 8))
    whole = ELU(**ONE, result=ApFixed(24, 8))
    assert values(halved, -2) == [values(whole, -2)[0] / 2]


def test_an_alpha_of_one_bit_is_the_default():
    assert ELU(**ONE).fixed("alpha").values() == 1


def test_one_bit_of_binary_tanh_is_no_fixed_point():
    bit = ApFixed(1, 1, signed=False)
    layer = BinaryTanh(**ONE, result=bit)
    assert values(layer, 0, -0.0625, 7) == [1, 0, 1]
    assert "ap_uint<1>" in layer.kernel().cpp
    assert values(BinaryTanh(**ONE), 0, -0.0625, 7) == [1, -1, 1]
    assert values(BinaryTanh(**ONE, result=ApFixed(2, 2, signed=False)), -1) == [3]


def test_ternary_tanh_doubles_in_the_type_of_the_input():
    layer = TernaryTanh(input=ApFixed(4, 2), input_shape=(1,), result=ApFixed(2, 2))
    assert values(layer, 0.5, 0.75, -0.25, -0.5) == [0, 1, 0, -1]
    assert values(layer, 1, 1.75, -1.25) == [-1, 0, 1]  # 2, 3.5 and -2.5 wrap to -2, -0.5 and 1.5


def test_hard_activations_clip_a_line():
    wide = ApFixed(24, 8)
    slope = np.floor(0.2 * 2**16) / 2**16
    sigmoid, tanh = (kind(**ONE, result=wide) for kind in (HardSigmoid, HardTanh))
    assert values(sigmoid, 1, -3, 3, 0) == [slope + 0.5, 0, 1, 0.5]
    assert values(tanh, 1, -3, 3, 0) == [2 * slope, -1, 1, 0]


def test_a_line_in_steps_of_two_has_no_one_to_clip_to():
    even = ApFixed(8, 9)
    layer = HardSigmoid(
        1, 0, input=even, input_shape=(1,), slope_type=ApFixed(4, 4), shift_type=even
    )
    assert values(layer, 4, -4) == [0, 0]


def test_unary_lut_finds_entries_by_bits():
    t = ApFixed(2, 1)
    layer = UnaryLUT([0.5, 1.5, -2, -1], input=t, input_shape=(1,), table_type=NARROW)
    assert layer(np.array([[0.0], [0.5], [-1], [-0.5]])).ravel().tolist() == [0.5, -0.5, 0, -1]
    kept = UnaryLUT([0.5, 1.5, -2, -1], input=t, input_shape=(1,), result=NARROW)
    assert kept(np.array([[0.0], [0.5], [-1], [-0.5]])).ravel().tolist() == [0.5, 1.5, -2, -1]


def test_a_lut_has_an_entry_for_every_code():
    with pytest.raises(ValueError, match=r"UnaryLUT: a table of shape \(3,\).*allowed: \(4,\)"):
        UnaryLUT([1, 2, 3], input=ApFixed(2, 1), input_shape=(1,))


@pytest.mark.parametrize("kind", [Sigmoid, Tanh, SELU])
def test_looking_codes_up_is_computing_them(kind):
    layer = kind(input=ApFixed(9, 5), input_shape=(3,), result=ApFixed(9, 2))
    x = Fixed(np.arange(-256, 256).repeat(3).reshape(-1, 3), ApFixed(9, 5))
    computed = layer.elements(x)
    with recorded_casts() as first:
        assert np.array_equal(layer.run(x).codes, computed.codes)
    with recorded_casts() as second:
        assert np.array_equal(layer.run(x).codes, computed.codes)
    assert (layer.table_type, layer.result) in first
    assert first == second


def test_layers_of_numbers_that_change_are_not_looked_up():
    layer = ELU(0.5, **ONE, param_type=NARROW)
    x = np.full((1000, 1), -8.0)
    assert layer(x)[0] == -0.5
    layer.alpha.fill_(16)
    assert layer(x)[0] == -1.0


def test_modules_keep_their_methods():
    seen = []
    layer = ReLU(**ONE)
    assert layer.apply(seen.append) is layer
    assert seen == [layer]


@pytest.mark.parametrize("kind", [Sigmoid, ReLU, BinaryTanh, HardTanh])
def test_hostile_inputs(kind):
    layer = kind(input=NARROW, input_shape=(2, 3))
    assert layer.codes(np.zeros((0, 2, 3), int)).shape == (0, 2, 3)
    assert layer.codes(np.zeros((1, 2, 3), int)).shape == (1, 2, 3)
    with pytest.raises(ShapeError, match="takes"):
        layer.codes(np.zeros((4, 6), int))
    with pytest.raises(TypeMismatch, match="takes"):
        layer.run(Fixed(np.zeros((1, 2, 3), int), ApFixed(9, 4)))
    with pytest.raises(ValueError, match="NaN"):
        layer(np.full((1, 2, 3), np.nan))


def test_parameters_that_are_none():
    with pytest.raises(ValueError, match="NaN"):
        LeakyReLU(np.nan, **ONE, param_type=NARROW)
    with pytest.raises(ShapeError, match="alpha has shape"):
        PReLU([1.0, 2.0], **ONE, param_type=NARROW)
    with pytest.raises(ValueError, match="1 to 16777216 entries, not 0"):
        Sigmoid(**ONE, table_size=0)


def test_types_of_which_the_header_makes_no_int():
    Sigmoid(input=ApFixed(40, -32), input_shape=(1,))
    with pytest.raises(ValueError, match="Sigmoid: the header makes no int"):
        Sigmoid(input=ApFixed(40, -33), input_shape=(1,))


def test_the_reach_of_a_table_is_that_of_its_entries():
    layer = Sigmoid(input=ApFixed(8, 5), input_shape=(2,), result=ApFixed(12, 3))
    (reach,) = ranges(Sequential(layer))
    every = layer.elements(Fixed(np.arange(-128, 128), ApFixed(8, 5)))
    assert reach.result.extremes == (every.codes.min(), every.codes.max())
    assert not reach.overflows


BRANCHED = [
    name
    for name, draw in FAMILIES.items()
    if isinstance(layer := draw(Draw(0)), Activation)
    and layer.branches(Interval.of(layer.input_types[0], ()))
]


@pytest.mark.parametrize("name", BRANCHED)
def test_branches_hold_every_element(name):
    """The bounds that wide inputs get, on narrow ones: what is at any code lies between them."""
    tried = 0
    for seed in range(40):
        layer = FAMILIES[name](Draw(1, seed))
        t = layer.input_types[0]
        if t.width > 10:
            continue
        bounds = Interval.hull(*layer.branches(Interval.of(t, layer.input_shapes[0])))
        out = values_at_every_code(layer)
        assert bool(((bounds.low <= out) & (out <= bounds.high)).all()), layer
        tried += 1
    assert tried > 3


def values_at_every_code(layer):
    """What the kernel takes for outputs before it converts them, for each code of the input."""
    t = layer.input_types[0]
    codes = np.arange(t.min_code, t.max_code + 1).reshape(-1, *[1] * len(layer.input_shapes[0]))
    rows = np.broadcast_to(codes, (codes.size, *layer.input_shapes[0]))
    return _freed(layer).compute(Fixed(np.ascontiguousarray(rows), t))
