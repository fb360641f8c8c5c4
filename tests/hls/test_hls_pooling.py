"""Poolings, padding, cropping and resizing: notable codes, geometry, and what is refused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.hls import (
    AveragePooling1D,
    AveragePooling2D,
    Cropping1D,
    Cropping2D,
    Fixed,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
    Resize,
    ShapeError,
    Twin,
    TypeMismatch,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
    ranges,
)
from harness.hls.model import Sequential
from harness.oracle import Oracle
from harness.types import ApFixed, ApInt

BYTE = ApFixed(8, 8)
WIDE = ApFixed(32, 32)
TYPES = {"input": BYTE, "accum": WIDE, "result": WIDE}


def pooled(layer, values):
    """The codes of one row of one channel."""
    return layer.codes(np.array(values).reshape(1, -1, 1)).flatten().tolist()


def test_an_average_has_the_bits_of_its_accumulator_and_is_cut_toward_zero():
    pool = AveragePooling1D(**TYPES, input_shape=(4, 1), pool_width=2)
    assert pooled(pool, [1, 2, -1, -2]) == [1, -1]
    rounding = {**TYPES, "accum": "ap_fixed<32, 32, AP_RND, AP_SAT>"}
    pool = AveragePooling1D(**rounding, input_shape=(4, 1), pool_width=2)
    assert pooled(pool, [1, 2, -1, -2]) == [1, -1]
    finer = {**TYPES, "accum": "ap_fixed<32, 31>", "result": "ap_fixed<32, 31>"}
    pool = AveragePooling1D(**finer, input_shape=(4, 1), pool_width=2)
    assert pooled(pool, [1, 2, -1, -2]) == [3, -3]


@pytest.mark.parametrize("kind", [MaxPooling2D, AveragePooling2D])
def test_windows_of_two_by_two_without_a_word_on_padding(kind):
    image = np.arange(16).reshape(1, 4, 4, 1)
    pool = kind(**TYPES, input_shape=(4, 4, 1), pool_height=2, pool_width=2)
    corners = image[0, ::2, ::2, 0]
    expected = corners + 5 if kind is MaxPooling2D else corners + 2
    assert pool.codes(image).reshape(2, 2).tolist() == expected.tolist()


def test_the_sum_of_an_average_overflows():
    types = {**TYPES, "accum": "ap_fixed<4, 4>"}
    assert pooled(AveragePooling1D(**types, input_shape=(2, 1), pool_width=2), [7, 7]) == [-1]
    assert pooled(GlobalAveragePooling1D(**types, input_shape=(2, 1)), [7, 7]) == [-1]


@pytest.mark.parametrize(("count_pad", "expected"), [(False, [4, 4]), (True, [2, 4])])
def test_padding_is_counted_or_not(count_pad, expected):
    pool = AveragePooling1D(
        **TYPES, input_shape=(3, 1), pool_width=2, pad_left=1, count_pad=count_pad
    )
    assert pooled(pool, [4, 4, 4]) == expected


def test_padding_of_an_unsigned_input_is_half_its_range():
    shape = {"input_shape": (3, 1), "pool_width": 2, "pad_left": 1}
    assert pooled(MaxPooling1D(**TYPES, **shape), [-100, -3, -2]) == [-100, -2]
    unsigned = {**TYPES, "input": "ap_ufixed<4, 4>"}
    assert pooled(MaxPooling1D(**unsigned, **shape), [1, 2, 3]) == [8, 3]


def test_a_maximum_is_taken_before_it_is_converted():
    types = {**TYPES, "accum": "ap_fixed<4, 4>"}
    assert pooled(MaxPooling1D(**types, input_shape=(2, 1), pool_width=2), [7, 8]) == [-8]


def test_a_window_of_padding_alone():
    shape = {"input_shape": (1, 1), "pool_width": 1, "pad_left": 1}
    assert pooled(MaxPooling1D(**TYPES, **shape), [5]) == [-128, 5]
    assert pooled(AveragePooling1D(**TYPES, **shape, count_pad=True), [5]) == [0, 5]
    with pytest.raises(ValueError, match="nothing but padding, and its sum is divided by 0"):
        AveragePooling1D(**TYPES, **shape)


def test_codes_of_64_bits_compare_without_a_sign():
    t = ApFixed(64, 64, signed=False)
    types = {"input": t, "accum": t, "result": t}
    pool = MaxPooling1D(**types, input_shape=(2, 1), pool_width=2, pad_left=1, pad_right=1)
    row = Fixed(np.array([-1, 5]).reshape(1, 2, 1), t)  # 2**64 - 1 as int64 holds it
    oracle = Oracle()
    theirs = Twin(pool, oracle).run(row)
    oracle.close()
    assert pool.run(row).codes.flatten().tolist() == theirs.codes.flatten().tolist()
    assert theirs.codes.flatten().tolist() == [-1, -(1 << 63)]


@st.composite
def images(draw, rank):
    """Windows of any kind, and an image for them."""
    numbers = np.random.default_rng(draw(st.integers(0, 2**32)))
    small = st.integers(1, 3)
    sides = (("height", "top", "bottom"), ("width", "left", "right"))[-rank:]
    sizes, named = [], {}
    for side, before, after in sides:
        window = draw(small)
        pads = draw(st.integers(0, window - 1)), draw(st.integers(0, window - 1))
        sizes.append(max(window - sum(pads), 1) + draw(st.integers(0, 4)))
        named |= {f"pool_{side}": window, f"stride_{side}": draw(small)}
        named |= {f"pad_{before}": pads[0], f"pad_{after}": pads[1]}
    return numbers.integers(-128, 128, (2, *sizes, draw(small))), named


def patches(x, named, rank, filled):
    """All windows by PyTorch's ``unfold``: (rows, *out, channels, window)."""
    sides = (("width", "left", "right"), ("height", "top", "bottom"))[:rank]
    pads = [named[f"pad_{end}"] for _, *ends in sides for end in ends]
    seen = torch.nn.functional.pad(
        torch.from_numpy(np.moveaxis(x, -1, 1)).double(), pads, value=filled
    )
    for axis, (side, *_) in enumerate(reversed(sides)):
        seen = seen.unfold(2 + axis, named[f"pool_{side}"], named[f"stride_{side}"])
    return np.moveaxis(seen.flatten(2 + rank).numpy(), 1, -2)


@pytest.mark.parametrize(
    ("highest", "average", "rank"),
    [(MaxPooling1D, AveragePooling1D, 1), (MaxPooling2D, AveragePooling2D, 2)],
)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_windows_are_those_of_pytorch(highest, average, rank, data):
    x, named = data.draw(images(rank))
    pool = highest(**TYPES, **named, input_shape=x.shape[1:])
    np.testing.assert_array_equal(pool(x).numpy(), patches(x, named, rank, -128.0).max(-1))

    seen = patches(x, named, rank, np.nan)
    everything = average(**TYPES, **named, input_shape=x.shape[1:], count_pad=True)
    np.testing.assert_array_equal(
        everything(x).numpy(), np.trunc(np.nansum(seen, -1) / seen.shape[-1])
    )
    if np.isfinite(seen).any(-1).all():
        pool = average(**TYPES, **named, input_shape=x.shape[1:])
        np.testing.assert_array_equal(pool(x).numpy(), np.trunc(np.nanmean(seen, -1)))


@pytest.mark.parametrize("shape", [(7, 3), (3, 4, 2)])
def test_global_pooling_sees_everything(shape):
    x = np.random.default_rng(5).integers(-128, 128, (4, *shape))
    axes = tuple(range(1, len(shape)))
    highest = GlobalMaxPooling1D if len(shape) == 2 else GlobalMaxPooling2D
    average = GlobalAveragePooling1D if len(shape) == 2 else GlobalAveragePooling2D
    found = highest(**TYPES, input_shape=shape)(x).numpy()
    np.testing.assert_array_equal(found, x.max(axes))
    found = average(**TYPES, input_shape=shape)(x).numpy()
    np.testing.assert_array_equal(found, np.trunc(x.mean(axes)))


@pytest.mark.parametrize("kind", [MaxPooling1D, AveragePooling1D])
def test_ranges_of_a_pooling(kind):
    def reach(accum):
        types = {**TYPES, "accum": accum}
        return ranges(Sequential(kind(**types, input_shape=(4, 1), pool_width=2)))[0]

    assert reach("ap_fixed<9, 9>").result.extremes == (-128, 127)
    assert not reach("ap_fixed<9, 9>").overflows
    assert reach("ap_fixed<7, 7, AP_TRN, AP_SAT>").before is not None
    wraps = reach("ap_fixed<7, 7>")
    assert wraps.overflows
    assert wraps.before.extremes == (-64, 63)  # it wraps, so nothing is known
    held = wraps.accum[1].whole
    size = 1 if kind is MaxPooling1D else 2
    assert [int(end.codes) for end in (held.low, held.high)] == [-128 * size, 127 * size]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_shape": (4,)}, r"takes inputs of shape \(width, channels\), not \(4,\)"),
        ({"input_shape": (4, 0)}, "sizes, strides and dilations are positive"),
        ({"pool_width": 5}, "AveragePooling1D: no window fits"),
        ({"stride_width": 0}, "sizes, strides and dilations are positive"),
        ({"pad_right": -1}, "padding is not negative"),
    ],
)
def test_what_poolings_refuse(change, message):
    with pytest.raises(ShapeError, match=message):
        AveragePooling1D(**{**TYPES, "input_shape": (4, 2), "pool_width": 2, **change})


@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize(
    "layer",
    [
        MaxPooling1D(**TYPES, input_shape=(5, 2), pool_width=2, pad_left=1),
        AveragePooling2D(**TYPES, input_shape=(4, 4, 2), pool_height=2, pool_width=3),
        GlobalAveragePooling2D(**TYPES, input_shape=(2, 3, 2)),
        ZeroPadding2D(input=BYTE, input_shape=(2, 3, 2), pad_top=1),
        Cropping1D(input=BYTE, input_shape=(3, 2), crop_left=1),
        UpSampling1D(input=BYTE, input_shape=(3, 2)),
    ],
)
def test_few_rows(layer, rows):
    out = layer(np.ones((rows, *layer.input_shapes[0])))
    assert out.shape == (rows, *layer.output_shape)
    with pytest.raises(ShapeError, match="takes"):
        layer(np.ones((rows, 9, *layer.input_shapes[0])))


def test_zeros_around_and_values_converted():
    pad = ZeroPadding1D(
        input=BYTE, input_shape=(2, 2), result="ap_fixed<4, 4>", pad_left=1, pad_right=2
    )
    out = pad.codes(np.array([[[1, 9], [3, -4]]]))
    assert out.tolist() == [[[0, 0], [1, -7], [3, -4], [0, 0], [0, 0]]]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_padding_and_cropping_undo_each_other(data_format):
    x = np.random.default_rng(2).integers(-128, 128, (3, 2, 3, 4))
    sides = {"top": 1, "bottom": 2, "left": 3, "right": 0}
    pad = ZeroPadding2D(
        input=BYTE,
        input_shape=(2, 3, 4),
        data_format=data_format,
        **{f"pad_{side}": n for side, n in sides.items()},
    )
    crop = Cropping2D(
        input=BYTE,
        input_shape=pad.output_shape,
        data_format=data_format,
        **{f"crop_{side}": n for side, n in sides.items()},
    )
    wide = pad.codes(x)
    assert pad.output_shape == ((5, 6, 4) if data_format == "channels_last" else (2, 6, 7))
    assert int((wide != 0).sum()) == int((x != 0).sum())
    np.testing.assert_array_equal(crop.codes(wide).numpy(), x)


def test_margins_that_are_refused():
    with pytest.raises(ShapeError, match=r"margins \[\(2, 1\)\] do not fit an input \(3, 1\)"):
        Cropping1D(input=BYTE, input_shape=(3, 1), crop_left=2, crop_right=1)
    with pytest.raises(ShapeError, match=r"margins \[\(-1, 0\)\] do not fit"):
        ZeroPadding1D(input=BYTE, input_shape=(3, 1), pad_left=-1)
    with pytest.raises(ValueError, match="unknown format 'last'"):
        ZeroPadding1D(input=BYTE, input_shape=(3, 1), data_format="last")
    with pytest.raises(TypeMismatch, match="channels first, the kernel writes the input's type"):
        ZeroPadding1D(input=BYTE, input_shape=(1, 3), result=WIDE, data_format="channels_first")


def test_ranges_pass_through_what_moves_values():
    model = Sequential(
        ZeroPadding1D(input="ap_ufixed<4, 4>", input_shape=(2, 1), pad_left=1, result=BYTE),
        Cropping1D(input=BYTE, input_shape=(3, 1), crop_right=1),
        UpSampling1D(input=BYTE, input_shape=(2, 1)),
    )
    last = ranges(model)[-1].result
    assert last.low.codes.flatten().tolist() == [0, 0, 0, 0]
    assert last.high.codes.flatten().tolist() == [0, 0, 15, 15]


def test_upsampling_repeats():
    x = np.arange(12).reshape(1, 2, 3, 2)
    up = UpSampling2D(input=BYTE, input_shape=(2, 3, 2), size=(3, 2))
    np.testing.assert_array_equal(up.codes(x).numpy(), x.repeat(3, 1).repeat(2, 2))
    up = UpSampling1D(input=BYTE, input_shape=(3, 2), size=4)
    np.testing.assert_array_equal(up.codes(x[:, 0]).numpy(), x[:, 0].repeat(4, 1))


def test_resizing_may_be_a_pixel_off():
    resize = Resize(input=WIDE, input_shape=(1, 300, 1), new_height=1, new_width=299)
    found = resize.codes(np.arange(300).reshape(1, 1, 300, 1)).flatten()
    assert found[-1] == 299  # exact division has 298 * 300 // 299 = 298
    assert found[:-1].tolist() == [k * 300 // 299 for k in range(298)]


def test_resizing_that_reads_beyond_the_input():
    UpSampling1D(input=BYTE, input_shape=(128, 1), size=16)
    with pytest.raises(ValueError, match="from 128 to 4096 elements the kernel reads beyond"):
        UpSampling1D(input=BYTE, input_shape=(128, 1), size=32)
    with pytest.raises(ValueError, match="reads beyond"):
        Resize(input=BYTE, input_shape=(1 << 16, 1, 1), new_height=1, new_width=1)
    with pytest.raises(ShapeError, match="sizes are positive"):
        Resize(input=BYTE, input_shape=(2, 2, 1), new_height=0, new_width=1)


@pytest.mark.parametrize("kind", [AveragePooling1D, GlobalAveragePooling1D])
def test_averages_that_no_integer_makes_are_refused(kind):
    """Of layers made by hand too: the C++ cuts fractions one by one, and divides as unsigned."""
    window = {} if kind is GlobalAveragePooling1D else {"pool_width": 2}
    shape = {"input_shape": (4, 1), "result": "ap_int<8>", **window}
    with pytest.raises(ValueError, match="fractions are added to an ap_uint<9>"):
        kind(input="ap_ufixed<8,4>", accum="ap_uint<9>", **shape)
    with pytest.raises(ValueError, match="an average in ap_int<9> divides it as if it were unsi"):
        kind(input="ap_int<8>", accum="ap_int<9>", **shape)
    found = kind(input="ap_uint<8>", accum="ap_uint<10>", **shape)
    assert found.kernel().arguments[1] == ApInt(10, signed=False)
