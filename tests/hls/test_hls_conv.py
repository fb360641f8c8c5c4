"""Convolutions: geometry against PyTorch's, the order of sums, and what is refused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from harness.hls import (
    Conv1D,
    Conv2D,
    DepthwiseConv1D,
    DepthwiseConv2D,
    Fixed,
    SeparableConv1D,
    SeparableConv2D,
    ShapeError,
    Twin,
    TypeMismatch,
    ranges,
)
from harness.hls.layers.accumulate import affine
from harness.hls.layers.dense import Dense
from harness.hls.model import Sequential
from harness.oracle import Oracle
from harness.types import ApFixed

BYTE = ApFixed(8, 8)
WIDE = ApFixed(32, 32)
TYPES = {
    "input": BYTE,
    "weight_type": BYTE,
    "bias_type": BYTE,
    "accum": WIDE,
    "result": WIDE,
}
STAGES = {
    "input": BYTE,
    "depthwise_type": BYTE,
    "pointwise_type": BYTE,
    "bias_type": BYTE,
    "depthwise_accum": WIDE,
    "depthwise_result": WIDE,
    "pointwise_accum": WIDE,
    "result": WIDE,
}


def ones(*shape):
    return np.ones(shape)


def line(values):
    """A row of one channel."""
    return np.array(values, float).reshape(1, -1, 1)


def test_zeros_stand_in_the_padding():
    weight = np.array([1, 10, 100]).reshape(3, 1, 1)
    conv = Conv1D(weight, **TYPES, input_shape=(3, 1), pad_left=1, pad_right=1)
    assert conv(line([1, 2, 3])).flatten().tolist() == [210, 321, 32]


def test_stride_and_dilation():
    weight = np.array([1, 10]).reshape(2, 1, 1)
    conv = Conv1D(weight, **TYPES, input_shape=(7, 1), stride_width=2, dilation=3)
    assert conv(line([1, 2, 3, 4, 5, 6, 7])).flatten().tolist() == [41, 63]


def test_the_order_of_a_sum_decides_what_saturates():
    types = {**TYPES, "accum": "ap_fixed<8, 8, AP_TRN, AP_SAT>"}
    rows = line([100, -50, 100, 0])
    latency = Conv1D(ones(4, 1, 1), **types, input_shape=(4, 1))
    assert latency(rows).item() == 127  # 100, 50, 150 -> 127
    resource = Conv1D(
        ones(4, 1, 1), **types, input_shape=(4, 1), strategy="resource", reuse_factor=2
    )
    assert resource(rows).item() == 77  # 100, 200 -> 127, 77


def test_a_product_is_cut_before_it_is_added():
    half = ApFixed(8, 7)
    types = {**TYPES, "input": half, "weight_type": half, "accum": ApFixed(16, 16)}
    conv = Conv1D(np.full((2, 1, 1), 0.5), **types, input_shape=(2, 1))
    assert conv(line([1, 1])).item() == 0
    assert conv(line([-1, -1])).item() == -2


def exact(x, weight, bias, window, groups=1):
    """PyTorch's convolution of integers in float64, channels last."""
    rank = len(window)
    strides, dilations, pads = zip(*window, strict=True)
    first = torch.from_numpy(np.moveaxis(x, -1, 1).astype(float))
    first = functional.pad(first, [n for pad in reversed(pads) for n in pad])
    convolve = functional.conv1d if rank == 1 else functional.conv2d
    kernel = torch.from_numpy(np.moveaxis(weight, (-1, -2), (0, 1)).astype(float))
    out = convolve(
        first, kernel, torch.from_numpy(bias.astype(float)), strides, 0, dilations, groups
    )
    return np.moveaxis(out.numpy(), 1, -1)


@st.composite
def cases(draw, rank, depthwise=False):
    """Geometry of any kind, and integers in it."""
    numbers = np.random.default_rng(draw(st.integers(0, 2**32)))
    small = st.integers(1, 3)
    sides = (("height", "top", "bottom"), ("width", "left", "right"))[-rank:]
    kernel, sizes, window, named = [], [], [], {}
    for side, before, after in sides:
        size, stride, dilation = draw(small), draw(small), draw(st.integers(1, 2))
        pad = (draw(st.integers(0, 2)), draw(st.integers(0, 2)))
        kernel.append(size)
        sizes.append(max(dilation * (size - 1) + 1 - sum(pad), 1) + draw(st.integers(0, 3)))
        window.append((stride, dilation, pad))
        dilated = "dilation" if rank == 1 else f"dilation_{side}"
        named |= {f"stride_{side}": stride, f"pad_{before}": pad[0], f"pad_{after}": pad[1]}
        named[dilated] = dilation
    channels, filters = draw(small), 1 if depthwise else draw(small)
    bias = numbers.integers(-128, 128, channels if depthwise else filters)
    weight = numbers.integers(-128, 128, (*kernel, channels, filters))
    x = numbers.integers(-128, 128, (2, *sizes, channels))
    return x, weight, bias, window, named


@pytest.mark.parametrize(("kind", "rank"), [(Conv1D, 1), (Conv2D, 2)])
@pytest.mark.parametrize("strategy", ["latency", "resource"])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_without_overflow_it_is_pytorchs_convolution(kind, rank, strategy, data):
    x, weight, bias, window, named = data.draw(cases(rank))
    terms = weight[..., 0].size
    reuse = data.draw(st.sampled_from([k for k in range(1, terms + 1) if terms % k == 0]))
    more = {"strategy": strategy, "reuse_factor": reuse}
    conv = kind(weight, bias, **TYPES, **named, **more, input_shape=x.shape[1:])
    np.testing.assert_array_equal(conv(x).numpy(), exact(x, weight, bias, window))
    pixels = int(np.prod(conv.output_shape[:-1]))
    apart = kind(weight, bias, **TYPES, **named, input_shape=x.shape[1:], n_partitions=pixels)
    assert torch.equal(conv(x), apart(x))


@pytest.mark.parametrize(
    ("kind", "separable", "rank"),
    [(DepthwiseConv1D, SeparableConv1D, 1), (DepthwiseConv2D, SeparableConv2D, 2)],
)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_without_overflow_depthwise_is_pytorchs_of_groups(kind, separable, rank, data):
    x, weight, bias, window, named = data.draw(cases(rank, depthwise=True))
    conv = kind(weight, bias, **TYPES, **named, input_shape=x.shape[1:])
    channels = x.shape[-1]
    grouped = np.swapaxes(weight, -1, -2)
    expected = exact(x, grouped, bias, window, channels)
    np.testing.assert_array_equal(conv(x).numpy(), expected)

    pixel = np.arange(-channels, channels).reshape(*[1] * rank, channels, 2)
    both = separable(
        weight,
        pixel,
        [3, -4],
        bias,
        **STAGES,
        zero_bias_type=BYTE,
        **named,
        input_shape=x.shape[1:],
    )
    sums = expected @ pixel.reshape(channels, 2).astype(float) + [3, -4]
    np.testing.assert_array_equal(both(x).numpy(), sums)


def test_separable_stages_have_their_own_types():
    types = {**STAGES, "depthwise_result": "ap_fixed<4, 4>", "depthwise_accum": "ap_fixed<5, 5>"}
    both = SeparableConv1D(ones(2, 1, 1), np.full((1, 1, 1), 10), **types, input_shape=(2, 1))
    assert both(line([4, 5])).item() == -70  # 9 wraps to -7 between the stages
    assert both(line([8, 9])).item() == 10  # 17 wraps to -15, and that to 1
    assert both.parameter_types["zero_bias"] == ApFixed(1, 1, signed=False)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (Conv1D, {}),
        (Conv1D, {"strategy": "resource", "reuse_factor": 2}),
        (DepthwiseConv1D, {}),
    ],
)
def test_what_is_summed_gives_the_output(kind, more):
    numbers = np.random.default_rng(3)
    filters = 1 if kind is DepthwiseConv1D else 3
    narrow = {**TYPES, "accum": "ap_fixed<9, 9, AP_TRN, AP_SAT>", "result": "ap_fixed<8, 8>"}
    weight = numbers.integers(-9, 9, (3, 2, filters))
    conv = kind(weight, None, **narrow, **more, input_shape=(5, 2), pad_left=1, stride_width=2)
    row = Fixed(numbers.integers(-99, 99, (1, 5, 2)), BYTE)
    out = conv.run(row)
    for index in np.ndindex(conv.output_shape):
        part = conv.summed((row[0],), index)
        acc = affine(part.x[None], part.w[:, None], part.start[None], part.accum)
        assert acc.to(part.result).codes.item() == out.codes[(0, *index)]


def test_ranges_of_a_convolution_are_attained():
    conv = Conv1D(np.array([1, -1]).reshape(2, 1, 1), **TYPES, input_shape=(4, 1))
    (reach,) = ranges(Sequential(conv))
    assert reach.result.extremes == (-128 - 127, 127 + 128)
    assert not reach.overflows


def test_parts_of_a_batch_are_the_batch(monkeypatch):
    numbers = np.random.default_rng(1)
    rows = numbers.integers(-128, 128, (7, 4, 5, 2))
    conv = Conv2D(numbers.integers(-128, 128, (2, 3, 2, 3)), **TYPES, input_shape=(4, 5, 2))
    whole = conv.codes(rows)
    monkeypatch.setattr("harness.hls.layers.windows.GATHERED", 250)
    assert torch.equal(conv.codes(rows), whole)


@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize(
    "layer",
    [
        Conv1D(ones(2, 2, 3), **TYPES, input_shape=(4, 2)),
        Conv2D(ones(2, 2, 2, 3), **TYPES, input_shape=(4, 3, 2), pad_top=1),
        DepthwiseConv1D(ones(2, 2, 1), **TYPES, input_shape=(4, 2)),
        SeparableConv2D(ones(1, 2, 2, 1), ones(1, 1, 2, 5), **STAGES, input_shape=(4, 3, 2)),
    ],
)
def test_few_rows(layer, rows):
    out = layer(np.ones((rows, *layer.input_shapes[0])))
    assert out.shape == (rows, *layer.output_shape)


def test_inputs_of_another_shape_or_type():
    conv = Conv1D(ones(2, 2, 3), **TYPES, input_shape=(4, 2))
    with pytest.raises(ShapeError, match=r"Conv1D takes \(rows, 4, 2\), got \(1, 2, 4\)"):
        conv(np.ones((1, 2, 4)))
    with pytest.raises(TypeMismatch, match="Conv1D takes"):
        conv.run(Fixed(np.zeros((1, 4, 2), np.int64), WIDE))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": ones(2, 2)}, r"a weight has shape \(filt_width, channels, filters\), not"),
        ({"weight": ones(2, 3, 1)}, r"weight has shape \(2, 3, 1\), must have \(2, 2, 1\)"),
        ({"weight": np.full((2, 2, 1), np.nan)}, "Conv1D.weight: a value is NaN"),
        ({"bias": [1, 2]}, r"bias has shape \(2,\), must have \(1,\)"),
        ({"input_shape": (4, 2, 1)}, r"takes inputs of shape \(width, channels\), not \(4, 2, 1\)"),
        ({"input_shape": (1, 2)}, "Conv1D: no window fits"),
        ({"dilation": 4}, "Conv1D: no window fits"),
        ({"pad_left": -1}, "Conv1D: padding is not negative"),
        ({"stride_width": 0}, "Conv1D: sizes, strides and dilations are positive"),
        ({"strategy": "unrolled"}, "unknown strategy 'unrolled'; allowed: latency, resource"),
        ({"strategy": "resource", "reuse_factor": 3}, "reuse factor 3 does not fit 4 products"),
        ({"strategy": "resource", "reuse_factor": 8}, "reuse factor 8 does not fit 4 products"),
        ({"strategy": "resource", "reuse_factor": 0}, "reuse factor 0 does not fit 4 products"),
        ({"n_partitions": 2}, "Conv1D: 2 partitions do not divide 3 pixels"),
        ({"n_partitions": 0}, "Conv1D: 0 partitions do not divide 3 pixels"),
    ],
)
def test_what_is_refused(change, message):
    arguments = {"weight": ones(2, 2, 1), **TYPES, "input_shape": (4, 2), **change}
    with pytest.raises(ValueError, match=message):
        Conv1D(**arguments)


def test_a_depthwise_kernel_is_not_dilated_unless_it_is_told_to():
    t = ApFixed(12, 6)
    types = dict.fromkeys(("input", "weight_type", "bias_type", "accum", "result"), t)
    plain, weight = {"input_shape": (4, 4, 1), **types}, np.arange(4).reshape(2, 2, 1, 1)
    x = np.arange(16).reshape(1, 4, 4, 1) / 4
    told = DepthwiseConv2D(weight, None, dilation_height=1, dilation_width=1, **plain)
    assert DepthwiseConv2D(weight, None, **plain)(x).tolist() == told(x).tolist()
    assert told.output_shape == (3, 3, 1)


def test_a_reuse_factor_that_reads_other_inputs_is_refused():
    """It is below the inputs and does not divide them; the blocks would fit."""
    types = dict.fromkeys(("input", "weight_type", "bias_type", "accum", "result"), ApFixed(8, 4))
    with pytest.raises(ValueError, match="reuse"):
        Dense(np.ones((3, 1)), None, strategy="resource", reuse_factor=2, **types)
    for reuse in (1, 3):
        Dense(np.ones((3, 1)), None, strategy="resource", reuse_factor=reuse, **types)


def test_one_filter_a_channel():
    message = r"has 2 filters a channel; allowed: 1, the kernel asserts it"
    with pytest.raises(ShapeError, match=message):
        DepthwiseConv1D(ones(2, 3, 2), **TYPES, input_shape=(4, 3))
    with pytest.raises(ShapeError, match=message):
        SeparableConv2D(ones(2, 1, 3, 2), ones(1, 1, 3, 1), **STAGES, input_shape=(4, 3, 3))
    with pytest.raises(ShapeError, match=r"pointwise has shape \(2, 3, 1\), must have \(1, 3, 1\)"):
        SeparableConv1D(ones(2, 3, 1), ones(2, 3, 1), **STAGES, input_shape=(4, 3))


def test_an_image_of_one_row_is_no_line():
    # Both kernels exist; which is called must not depend on the sizes.
    flat = DepthwiseConv2D(ones(1, 2, 2, 1), **TYPES, input_shape=(1, 4, 2))
    line = DepthwiseConv1D(ones(2, 2, 1), **TYPES, input_shape=(4, 2))
    assert flat.kernel().cpp != line.kernel().cpp
    row = Fixed(np.arange(8).reshape(1, 1, 4, 2), BYTE)
    oracle = Oracle()
    found = Twin(flat, oracle).run(row), Twin(line, oracle).run(row.reshape(1, 4, 2))
    oracle.close()
    assert found[0].codes.tolist() == [found[1].codes.tolist()] == flat.run(row).codes.tolist()
