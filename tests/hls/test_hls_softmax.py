"""Softmax: its tables, sums and implementations, and what is refused."""

import numpy as np
import pytest

from harness import ApFixed
from harness.hls import Fixed, Sequential, ShapeError, Softmax, Twin, TypeMismatch, ranges
from harness.types import Overflow, Rounding

INPUT = ApFixed(16, 6)
FINE = ApFixed(24, 8)
RND_SAT = {"rounding": Rounding.RND, "overflow": Overflow.SAT}


def softmax(implementation="stable", shape=(4,), **given):
    return Softmax(
        **{
            "input": INPUT,
            "input_shape": shape,
            "result": FINE,
            "implementation": implementation,
            **given,
        }
    )


@pytest.mark.parametrize("implementation", ["latency", "stable", "legacy"])
@pytest.mark.parametrize("outputs", [1, 2, 4])
def test_equal_inputs_share_what_there_is(implementation, outputs):
    layer = softmax(implementation, (outputs,))
    assert layer(np.zeros((1, outputs))).tolist() == [[1 / outputs] * outputs]


def test_a_stable_softmax_does_not_see_what_all_inputs_have():
    layer = softmax("stable")
    x = np.array([[1.0, -2.0, 0.5, 3.0]])
    assert layer(x).tolist() == layer(x + 20).tolist()


def test_a_sum_is_cut_to_steps_before_it_is_inverted():
    # exp(0) + exp(-2) + exp(-5) + exp(-2.5) is 1.22; of 18 bits ten find an entry, in steps of 1/4.
    x = np.array([[1.0, -2.0, 0.5, 3.0]])
    assert softmax("stable")(x)[0, 3] == 1.0
    fine = softmax("stable", inv_table_size=1 << 18)
    assert abs(fine(x).numpy() - np.exp(x) / np.exp(x).sum()).max() < 0.01


def test_exponentials_overflow_without_the_largest_input():
    plain = softmax("latency", exp_table_type="ap_fixed<18,8>", accum="ap_fixed<18,8>")
    # exp(5) is 148.4: it wraps to -107.6 in a table that does not saturate
    codes = plain.codes(np.full((1, 4), 5 << 10))
    assert codes.tolist() != softmax("stable").codes(np.full((1, 4), 5 << 10)).tolist()


def test_the_sum_is_a_tree_whose_every_step_saturates():
    # exp(0) = 1: pairs make 1.75, which is the most; 1.75 + 1.75 stays there.
    accum = ApFixed(4, 2, **RND_SAT)
    layer = softmax("stable", accum=accum, inv_inp_type=ApFixed(12, 4), inv_table_size=1 << 12)
    inverse = np.floor(np.float32(1 / 1.75) * 2**10 + 0.5) / 2**10
    assert layer(np.zeros((1, 4))).tolist() == [[inverse] * 4]


def test_the_tree_pairs_neighbours_as_the_kernel_does(oracle, monkeypatch):
    # What overflows becomes zero, so the order of the sum shows.
    accum = ApFixed(10, 3, overflow=Overflow.SAT_ZERO)
    types = {"exp_table_type": ApFixed(12, 4), "accum": accum, "inv_inp_type": ApFixed(12, 4)}
    layer = softmax("latency", (7,), **types, inv_table_type=ApFixed(18, 8, **RND_SAT))
    x = Fixed(np.random.default_rng(1).integers(-1024, 1024, (500, 7)), INPUT)
    mine = layer.run(x).codes
    assert np.array_equal(mine, Twin(layer, oracle).run(x).codes)

    def in_line(x, op):
        total = x[..., 0]
        for k in range(1, x.shape[-1]):
            total = op(total, x[..., k])
        return total

    monkeypatch.setattr("harness.hls.layers.softmax.reduced", in_line)
    assert not np.array_equal(mine, layer.run(x).codes)


def test_a_sum_in_the_first_step_is_inverted_as_zero():
    # Two entries: all positive sums find the first, which is that of one over zero, saturated.
    layer = softmax("stable", (1,), inv_table_size=2)
    assert layer.codes(np.zeros((1, 1), int)).tolist() == [[layer.inv_table_type.max_code << 6]]
    wrapping = softmax("stable", (1,), inv_table_size=2, inv_table_type="ap_fixed<18,8>")
    assert wrapping(np.zeros((1, 1))).tolist() == [[0.0]]


def test_argmax_takes_the_first():
    layer = softmax("argmax", result=ApFixed(4, 2))
    x = np.array([[1.0, 3, 3, 2], [-1, -1, -1, -1], [0, 0, 0, 5]])
    assert layer(x).tolist() == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
    assert softmax("argmax", result=ApFixed(4, 1))(x[:1]).tolist() == [[0, -1, 0, 0]]


@pytest.mark.parametrize("implementation", ["latency", "stable", "legacy", "argmax"])
def test_any_axis_is_the_last_one_of_turned_inputs(implementation):
    x = np.random.default_rng(0).normal(0, 3, (6, 2, 3, 4))
    for axis in range(3):
        turned = np.moveaxis(x, axis + 1, -1)
        last = softmax(implementation, turned.shape[1:])(turned).numpy()
        mine = softmax(implementation, (2, 3, 4), axis=axis)(x).numpy()
        assert np.array_equal(mine, np.moveaxis(last, -1, axis + 1))
        assert np.array_equal(mine, softmax(implementation, (2, 3, 4), axis=axis - 3)(x).numpy())


def test_the_scale_multiplies_exponents():
    x = np.array([[0.0, 2.0]])
    scaled = softmax("latency", (2,), exp_scale=0.5)
    assert np.array_equal(scaled(x), softmax("latency", (2,))(x / 2))
    assert softmax(exp_scale=0.1).exp_scale == float(np.float32(0.1))


def test_sizes_are_those_of_hls4ml():
    assert (softmax().exp_table_size, softmax().inv_table_size) == (1024, 1024)
    narrow = softmax(input=ApFixed(8, 4))
    assert (narrow.exp_table_size, narrow.inv_table_size) == (128, 256)
    assert narrow.inp_norm_type == ApFixed(7, 3, signed=False)
    assert softmax("latency", input=ApFixed(8, 4)).exp_table_size == 256
    assert softmax(inv_table_type=ApFixed(6, 2)).exp_table_size == 64


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"exp_table_size": 1 << 16}, r"exp_table_size: the top bits of .* 65536 .* 2 to 2\*\*15"),
        ({"exp_table_size": 1000}, "exp_table_size.*powers of two"),
        ({"inv_table_size": 1, "exp_table_size": 4}, "inv_table_size.*powers of two"),
        ({"inv_inp_type": ApFixed(9, 4)}, r"inv_table_size.* 1024 .*2\*\*9"),
        ({"inp_norm_type": ApFixed(8, 3), "exp_table_size": 512}, "exp_table_size"),
        ({"input": ApFixed(1, 1)}, "no bits beside the sign; give inp_norm_type"),
        ({"implementation": "fast"}, "unknown implementation 'fast'; allowed: latency, stable"),
        ({"exp_scale": np.inf}, "exp_scale inf is no finite float"),
        ({"exp_scale": 1e39}, "no finite float"),
        ({"implementation": "legacy", "exp_table_size": 0}, "exp_table_size: a table has 1 to"),
        (
            {"implementation": "legacy", "inv_table_size": 8, "table_type": ApFixed(60, -40)},
            "makes no int",
        ),
        ({"axis": 1}, "axis 1 is none of -1 to 0"),
    ],
)
def test_what_the_kernel_would_do_wrong_is_refused(given, why):
    with pytest.raises(ValueError, match=why):
        softmax(**given)


def test_legacy_tables_have_any_size():
    layer = softmax("legacy", (2,), exp_table_size=1000, inv_table_size=999)
    # 2 * 999 / 64 is 31.2: the entry of 31 * 64 / 999
    assert layer(np.zeros((1, 2))).tolist() == [[float(np.floor(999 / 64 / 31 * 1024) / 1024)] * 2]


def test_argmax_needs_no_tables():
    assert softmax("argmax", input=ApFixed(1, 1), exp_table_size=7).exp_table_size == 7


@pytest.mark.parametrize("implementation", ["latency", "stable", "legacy", "argmax"])
def test_hostile_inputs(implementation):
    layer = softmax(implementation, (3, 4))
    assert layer.codes(np.zeros((0, 3, 4), int)).shape == (0, 3, 4)
    assert layer.codes(np.zeros((1, 3, 4), int)).shape == (1, 3, 4)
    with pytest.raises(ShapeError, match="takes"):
        layer.codes(np.zeros((3, 4), int))
    with pytest.raises(TypeMismatch, match="takes"):
        layer.run(Fixed(np.zeros((1, 3, 4), int), FINE))
    with pytest.raises(ValueError, match="NaN"):
        layer(np.full((1, 3, 4), np.nan))


def test_its_sum_is_that_of_the_largest_entries():
    """No exponential is above 1 in the stable implementation, and argmax adds nothing."""
    accum = ApFixed(24, 12)
    layer = softmax(accum=accum, shape=(3,), inv_table_type=accum)
    (reach,) = ranges(Sequential(layer))
    t, held = reach.accum
    assert t == accum
    assert (held.low.fractions().item(), held.high.fractions().item()) == (0, 3)
    (reach,) = ranges(Sequential(softmax("argmax", (3,))))
    assert not reach.sums
    assert reach.result.low.values().tolist() == [0, 0, 0]
    assert reach.result.high.values().tolist() == [1, 1, 1]
