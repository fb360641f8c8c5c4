"""The torch quantizers: tensors in, tensors out, the same codes."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness import ApFixed, cast_codes, compute_codes, decode, quantize, quantize_codes, reference
from harness.quantize import tensors
from harness.testing import any_ap_types, codes, values_for

T = ApFixed(8, 4, rounding="RND", overflow="SAT")
FLOATS = [torch.float64, torch.float32, torch.float16, torch.bfloat16]


@given(data=st.data(), t=any_ap_types())
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_codes(data: st.DataObject, dtype: Any, t: ApFixed) -> None:
    """On the CPU kernels and on the core for other devices codes are the reference's."""
    x = torch.tensor([data.draw(values_for(t), label="x")], dtype=torch.float64).to(dtype)
    expected = reference.from_double(float(x[0]), t) % (1 << t.width)
    assert int(quantize_codes(x, t)[0]) % (1 << t.width) == expected
    assert int(tensors.device_codes(x, t)[0]) % (1 << t.width) == expected


@given(data=st.data(), source=any_ap_types(), target=any_ap_types())
def test_casts(data: st.DataObject, source: ApFixed, target: ApFixed) -> None:
    """A code converts as the reference says."""
    code = data.draw(codes(source), label="code")
    word = torch.tensor([code - (1 << 64) if code >> 63 > 0 else code])
    expected = reference.cast(code, source, target) % (1 << target.width)
    assert int(cast_codes(word, source, target)[0]) % (1 << target.width) == expected


@pytest.mark.parametrize("op", ["+", "-", "*", "/"])
def test_arithmetic(op: str) -> None:
    """Every pair of codes of two small types, broadcast."""
    a, b = ApFixed(4, 2), ApFixed(3, 4, signed=False)
    x, y = torch.tensor(list(a.codes)), torch.tensor(list(b.codes)[1:])
    found = compute_codes(op, x[:, None], a, y, b)
    expected = [[reference.compute(op, i, a, j, b) for j in y.tolist()] for i in x.tolist()]
    assert found.tolist() == expected


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_values(dtype: Any) -> None:
    """Dtype and shape are kept; strides do not matter; the input is unchanged."""
    t = ApFixed(6, 3, rounding="RND_CONV", overflow="SAT")
    x = (torch.arange(-40, 40).reshape(8, 10) / 4).to(dtype)
    for view in (x, x.t(), x[::2, 1::3], x[:0], x[3, 4]):
        before = view.clone()
        found = quantize(view, t)
        assert (found.dtype, found.shape) == (view.dtype, view.shape)
        expected = quantize(view.to(torch.float64).numpy(), t)
        assert np.array_equal(found.to(torch.float64).numpy(), expected)
        assert torch.equal(view, before)


def test_integers_and_booleans() -> None:
    """Integer and boolean tensors count as exact values."""
    whole = ApFixed(4, 4, overflow="SAT")
    for dtype in (torch.int8, torch.int16, torch.int32, torch.int64):
        found = quantize(torch.tensor([100, -100, 3], dtype=dtype), whole)
        assert found.dtype is dtype
        assert found.tolist() == [7, -8, 3]
    assert quantize_codes(torch.tensor([True, False]), T).tolist() == [16, 0]
    assert quantize_codes(torch.tensor([200], dtype=torch.uint8), T).tolist() == [127]


def test_refusals() -> None:
    """Gradients, wide types, misfits and other dtypes are one-line errors."""
    x = torch.zeros(3, requires_grad=True)
    with pytest.raises(ValueError, match="use x.detach"):
        quantize(x, T)
    with torch.no_grad():
        assert quantize(x, T).tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="at most 64 bits"):
        quantize_codes(torch.zeros(1), ApFixed(65, 3))
    with pytest.raises(ValueError, match="use float32 or quantize_codes"):
        quantize(torch.zeros(1, dtype=torch.bfloat16), ApFixed(12, 3))
    with pytest.raises(TypeError, match="allowed"):
        quantize(torch.zeros(1, dtype=torch.complex64), T)
    with pytest.raises(ZeroDivisionError):
        compute_codes("/", torch.tensor([1]), T, torch.tensor([0]), T)
    with pytest.raises(ValueError, match="not a code"):
        decode(torch.tensor([128]), T)
    with pytest.raises(TypeError, match="codes must be"):
        decode(torch.tensor([1.0]), T)


def test_decode() -> None:
    """float64 by default, another float on request."""
    assert decode(torch.tensor([-128, 1]), T).tolist() == [-8.0, 0.0625]
    assert decode(torch.tensor([1]), T, torch.bfloat16).dtype is torch.bfloat16
    tiny = ApFixed(4, -1068)
    assert decode(torch.tensor([1]), tiny).tolist() == [2.0**-1072]
