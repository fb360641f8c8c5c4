"""Inputs at the edge: signalling NaNs, odd memory, booleans, scalars, lists of large integers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from harness import ApFixed, cast_codes, compute_codes, decode, quantize, quantize_codes

T = ApFixed(8, 4, rounding="RND", overflow="SAT")
WIDE = ApFixed(70, 40, overflow="SAT")
U64 = ApFixed(64, 64, signed=False)

SIGNALLING = {
    "float16": ("u2", 0x7D00),
    "float32": ("u4", 0x7FA00000),
    "float64": ("u8", 0x7FF4 << 48),
}
TARGETS = [T, ApFixed(40, 20, overflow="SAT"), ApFixed(8, 12, overflow="SAT"), WIDE]


@pytest.mark.parametrize("t", TARGETS, ids=str)
@pytest.mark.parametrize("dtype", SIGNALLING)
def test_signalling_nan(dtype: str, t: ApFixed) -> None:
    """A signalling NaN saturates by its sign bit like a quiet one, and nothing warns."""
    unsigned, word = SIGNALLING[dtype]
    sign = 1 << (8 * np.dtype(dtype).itemsize - 1)
    x = np.array([word, word | sign], dtype=unsigned).view(dtype)
    assert quantize_codes(x, t).tolist() == [t.max_code, t.min_code]


@pytest.mark.parametrize("size", [0, 5])
def test_unaligned_memory(size: int) -> None:
    """Arrays at odd addresses, such as fields of packed records, are read like any other."""
    values = [1.5, -2.25, 99.0, 0.03125, 3.0][:size]
    codes = [24, -36, 127, 1, 48][:size]
    packed = np.zeros(size, dtype=[("pad", "u1"), ("x", "f8"), ("y", "f4"), ("k", "i8")])
    packed["x"], packed["y"], packed["k"] = values, values, codes
    odd = np.frombuffer(b"\0" + packed["x"].tobytes(), dtype="f8", offset=1)
    for x in (packed["x"], packed["y"], odd):
        assert quantize_codes(x, T).tolist() == codes
        assert quantize(x, T).tolist() == [c / 16 for c in codes]
    assert decode(packed["k"], T).tolist() == [c / 16 for c in codes]
    # <8,4> to <6,3>: floor to 1/8, then wrap at 6 bits
    assert cast_codes(packed["k"], T, ApFixed(6, 3)).tolist() == [12, -18, -1, 0, 24][:size]


def test_boolean_arrays_stay_boolean() -> None:
    """A boolean array comes out in its own dtype, as every other array does."""
    found = quantize(np.array([True, False]), ApFixed(1, 1, signed=False))
    assert found.dtype == np.bool_
    assert found.tolist() == [True, False]


@pytest.mark.parametrize("make", [np.array, torch.tensor], ids=["numpy", "torch"])
@pytest.mark.parametrize("spelled", ["ap_ufixed<1,2>", "ap_ufixed<8,8>", "ap_fixed<2,2>"])
def test_booleans_hold_zero_and_one_alone(make: Any, spelled: str) -> None:
    """A type with values beyond 0 and 1 does not fit booleans: none may be changed silently."""
    with pytest.raises(ValueError, match="use "):
        quantize(make([True, False]), ApFixed.parse(spelled))


def test_boolean_codes() -> None:
    """False and True count as 0 and 1, strided or not."""
    x = np.array([[True, False], [False, True]])
    assert quantize_codes(x.T[::-1], T).tolist() == [[0, 16], [16, 0]]
    assert quantize_codes(x, WIDE).tolist() == [[2**30, 0], [0, 2**30]]


def test_wide_scalars() -> None:
    """A Python number gives a scalar at any width, as it does up to 64 bits."""
    assert isinstance(quantize_codes(1.5, T), np.int64)
    assert isinstance(quantize_codes(1.5, WIDE), int)
    assert isinstance(decode(5, WIDE, object), Fraction)


def test_lists_of_large_integers() -> None:
    """Integers past 64 bits are codes; what NumPy takes for floats is refused, not rounded."""
    t = ApFixed(66, 66)
    assert decode([2**64, 5], t, object).tolist() == [2**64, 5]
    assert decode([2**70, -1], ApFixed(80, 80), object).tolist() == [2**70, -1]
    with pytest.raises(TypeError, match="not float64"):  # NumPy's type of uint64 and int64
        decode([2**63, -1], t, object)


def test_unsigned_64_bit_codes() -> None:
    """int64 bits, uint64 of either byte order and Python integers are the same codes."""
    top = 2**64 - 1
    carriers = [np.array([-1]), np.array([top], "u8"), np.array([top], ">u8"), [top]]
    carriers.append(np.array([top], dtype=object))
    for codes in carriers:
        assert decode(codes, U64, object).tolist() == [top]
        assert cast_codes(codes, U64, ApFixed(66, 66)).tolist() == [top]
        assert cast_codes(codes, U64, ApFixed(8, 8, overflow="SAT")).tolist() == [127]
        assert compute_codes(">>", codes, U64, 60).tolist() == [15]
        assert compute_codes("/", codes, U64, [3], U64).tolist() == [top // 3]
    with pytest.raises(ValueError, match="18446744073709551616 is not a code"):
        decode(np.array([top + 1], dtype=object), U64, object)


@pytest.mark.parametrize(
    "bad", [np.array([1.0]), ["1"], [None], np.array([True]), [1.5, 2]], ids=repr
)
def test_codes_of_other_kinds_are_refused(bad: Any) -> None:
    """Floats, booleans, text and None are no codes, for every function that takes codes."""
    for use in (
        lambda: decode(bad, T),
        lambda: cast_codes(bad, T, WIDE),
        lambda: compute_codes("neg", bad, T),
        lambda: compute_codes("+", [1], T, bad, T),
    ):
        with pytest.raises(TypeError, match="codes must be integers|cannot read None"):
            use()


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_no_floating_point_error_is_raised(dtype: str) -> None:
    """NaN, infinities, extremes and subnormals trip no NumPy error state."""
    info = np.finfo(dtype)
    x = np.array([np.nan, np.inf, -np.inf, info.max, info.min, info.smallest_subnormal], dtype)
    with np.errstate(all="raise"):
        assert quantize_codes(x, T).tolist() == [127, 127, -128, 127, -128, 0]
        assert quantize(x, T).tolist() == [7.9375, 7.9375, -8.0, 7.9375, -8.0, 0.0]


def test_scalars_keep_their_dtype() -> None:
    """A NumPy scalar comes back as a scalar of its dtype, a 0-d array as a 0-d array."""
    for dtype in (np.float16, np.float32, np.float64):
        assert type(quantize(dtype(0.53), T)) is dtype
    found = quantize(np.array(0.53), T)
    assert isinstance(found, np.ndarray)
    assert found.shape == ()
    assert type(quantize(7, ApFixed(4, 4))) is np.int64


def test_tensor_views() -> None:
    """Negated views, expanded, permuted and empty tensors are read as what they show."""
    negated = torch.tensor([1 + 2j, 3 - 1.5j]).conj().imag
    assert negated.is_neg()
    assert quantize(negated, T).tolist() == [-2.0, 1.5]
    x = torch.tensor([[1.5], [-2.25]]).expand(2, 3)
    assert quantize_codes(x, T).tolist() == [[24] * 3, [-36] * 3]
    assert quantize_codes(x.permute(1, 0), T).tolist() == [[24, -36]] * 3
    assert decode(torch.tensor([[24, -36]]).expand(2, 2).t(), T).tolist() == [
        [1.5] * 2,
        [-2.25] * 2,
    ]
    assert quantize(torch.empty(0, 3), T).shape == (0, 3)


def test_tensor_operations_match_arrays() -> None:
    """Negation, shifts and 64-bit unsigned codes of tensors are those of arrays."""
    t = ApFixed(8, 4)
    x = torch.tensor([-128, -3, 0, 96, 127])
    assert compute_codes("neg", x, t).tolist() == [128, 3, 0, -96, -127]
    assert compute_codes("<<", x, t, 1).tolist() == [0, -6, 0, -64, -2]
    assert compute_codes("<<", x, t, -1).tolist() == [-64, -2, 0, 48, 63]
    words = torch.tensor([-1])
    assert compute_codes(">>", words, U64, 60).tolist() == [15]
    assert compute_codes("/", words, U64, torch.tensor([3]), U64).tolist() == [(2**64 - 1) // 3]
    with pytest.raises(ValueError, match="at most 64 bits"):
        compute_codes("*", words, U64, words, U64)
    with pytest.raises(ValueError, match="needs 69 bits of significand"):
        decode(words, WIDE)
    with pytest.raises(ValueError, match="at most 64 bits"):
        cast_codes(torch.tensor([1]), T, WIDE)
