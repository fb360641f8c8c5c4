"""Blocks with a shared scale: against ml_dtypes' element types, and laws in fractions."""

import pickle
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch

from harness.interfaces.pychop import (
    BFP_FORMATS,
    MX_FORMATS,
    BFPLinear,
    BFPQuantizerSTE,
    BFPSpec,
    BFPTensor,
    MXLinear,
    MXQuantizerSTE,
    MXSpec,
    MXTensor,
    bfp_quantize,
    convert_linear_to_bfp,
    convert_linear_to_mx,
    create_bfp_spec,
    create_mx_spec,
    mx_quantize,
)

Array = np.ndarray[Any, Any]
#: The element type that ml_dtypes has, its largest value, and that one's exponent, by OCP.
ELEMENTS = {
    "mxfp8_e5m2": (ml_dtypes.float8_e5m2, 57344.0, 15),
    "mxfp8_e4m3": (ml_dtypes.float8_e4m3fn, 448.0, 8),
    "mxfp6_e3m2": (ml_dtypes.float6_e3m2fn, 28.0, 4),
    "mxfp6_e2m3": (ml_dtypes.float6_e2m3fn, 7.5, 2),
    "mxfp4_e2m1": (ml_dtypes.float4_e2m1fn, 6.0, 2),
}


def data(seed: int) -> Array:
    """Blocks of many sizes, with ties, and maxima beside powers of two."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(60, 32)) * 2.0 ** rng.integers(-30, 30, (60, 1))
    rows[::3] = np.round(rows[::3] * 2.0**33) / 2.0**33
    rows[1::3, 0] = np.nextafter(np.float32(64), np.float32(0))
    rows[1::3, 1:] = rng.integers(-63, 63, (20, 31)) / 2
    rows[5] = 0
    return rows.astype(np.float32)


def exponent_of(x: float) -> int:
    """``floor(log2 x)``, exactly."""
    found = 0
    while Fraction(x) >= Fraction(2) ** (found + 1):
        found += 1
    while Fraction(x) < Fraction(2) ** found:
        found -= 1
    return found


@pytest.mark.parametrize("name", list(ELEMENTS))
def test_mx(name: str) -> None:
    """Scale by the largest magnitude's exponent; elements to nearest even, saturating."""
    dtype, top, emax = ELEMENTS[name]
    x = data(1)
    truth = np.zeros_like(x)
    scales = []
    for k, row in enumerate(x):
        largest = float(np.abs(row).max())
        s = -127 if largest == 0 else exponent_of(largest) - emax
        scales.append(2.0**s)
        scaled = np.clip(row.astype(np.float64) / 2.0**s, -top, top)
        truth[k] = scaled.astype(np.float32).astype(dtype).astype(np.float64) * 2.0**s
    np.testing.assert_array_equal(mx_quantize(x, name), truth)
    np.testing.assert_array_equal(mx_quantize(torch.from_numpy(x), name).numpy(), truth)
    tensor = MXTensor(x, name)
    assert [block.shared_scale for block in tensor.blocks] == scales
    assert tensor.blocks[0].quantized_elements.tolist() == (truth[0] / scales[0]).tolist()


def test_mxint8() -> None:
    """Two's complement with six bits behind the point."""
    x = data(2)
    truth = []
    for row in x.tolist():
        largest = max(abs(v) for v in row)
        s = -127 if largest == 0 else exponent_of(largest)
        codes = [round(Fraction(v) * 2**6 / Fraction(2) ** s) for v in row]
        truth.append([min(max(code, -128), 127) * 2.0 ** (s - 6) for code in codes])
    assert mx_quantize(x, "mxint8").tolist() == truth


@pytest.mark.parametrize("name", list(BFP_FORMATS))
def test_bfp(name: str) -> None:
    """The smallest exponent with which the largest magnitude does not saturate."""
    spec = BFP_FORMATS[name]
    low, high = {8: (-127, 127), 5: (-15, 15)}[spec.exponent_bits]
    x = data(3).ravel()[: 4 * spec.block_size].reshape(4, -1)
    x[2] *= 1e30
    p = spec.mantissa_bits
    exponents = []
    for row, got in zip(x.tolist(), bfp_quantize(x, spec).tolist(), strict=True):
        largest = max(Fraction(abs(v)) for v in row)
        e = low
        while e < high and largest > (1 - Fraction(2) ** (1 - p)) * Fraction(2) ** e:
            e += 1
        exponents.append(e)
        step = Fraction(2) ** (e - p + 1)
        codes = [round(Fraction(v) / step) for v in row]
        held = [min(max(code, -(2 ** (p - 1))), 2 ** (p - 1) - 1) for code in codes]
        assert got == [float(code * step) for code in held]
    assert [block.shared_exponent for block in BFPTensor(x, name).blocks] == exponents
    assert np.array_equal(bfp_quantize(torch.from_numpy(x), name).numpy(), bfp_quantize(x, name))


def test_specs() -> None:
    """Bits of a block, formats of one's own, and what the last block is filled up with."""
    assert MX_FORMATS["mxfp4_e2m1"].total_bits_per_block == 32 * 4 + 8
    assert MX_FORMATS["mxfp4_e2m1"].compression_vs_fp16 == 16 * 32 / 136
    assert BFP_FORMATS["bfp8"].total_bits_per_block == 32 * 8 + 8
    stats = MXTensor(np.ones(33), "mxfp4_e2m1", block_size=16).statistics()
    assert (stats["block_size"], stats["num_blocks"], stats["total_elements"]) == (16, 3, 33)
    x = data(4)
    assert np.array_equal(mx_quantize(x, (4, 3)), mx_quantize(x, create_mx_spec(4, 3)))
    assert np.array_equal(bfp_quantize(x, (6, 32)), bfp_quantize(x, "bfp6"))
    assert create_bfp_spec(6, 32).name == "custom_bfp6"
    # Every code of an own format is a number: 480 is one here, and none of OCP's E4M3.
    assert mx_quantize(np.array([480.0]), (4, 3)) == 480
    assert mx_quantize(np.array([480.0]), "mxfp8_e4m3") == 448


def test_narrow_scales() -> None:
    """A scale of few bits is clipped: what is large saturates, what is small rounds to zero."""
    x = np.array([1000.0, 0.25])
    assert mx_quantize(x, "mxfp4_e2m1", scale_exp_bits=3).tolist() == [48.0, 0.0]
    assert mx_quantize(np.array([2.0**-10]), "mxfp4_e2m1", scale_exp_bits=3) == 0


def test_straight_through() -> None:
    """The identity backward, as modules."""
    for quantizer in (MXQuantizerSTE("mxfp6_e2m3"), BFPQuantizerSTE((4, 16))):
        x = torch.randn(3, 40, requires_grad=True)
        y = quantizer(x)
        y.backward(torch.arange(120.0).view(3, 40))
        assert x.grad is not None
        assert torch.equal(x.grad, torch.arange(120.0).view(3, 40))
        assert not torch.equal(x, y)
        assert torch.equal(pickle.loads(pickle.dumps(quantizer))(x), y)


def test_linear() -> None:
    """Weights and inputs in blocks, the bias as it is, outputs on request."""
    torch.manual_seed(0)
    x = torch.randn(3, 40)
    plain = torch.nn.Linear(40, 5)
    for layer, function in [
        (MXLinear(40, 5, act_format="mxfp6_e2m3", block_size=16, quantize_output=True), _mx),
        (BFPLinear(40, 5, weight_format="bfp6", act_format="bfp8", quantize_output=True), _bfp),
    ]:
        layer.load_state_dict(plain.state_dict())
        weight = function(plain.weight.detach(), True)
        y = torch.nn.functional.linear(function(x, False), weight, plain.bias.detach())
        assert torch.equal(layer(x), function(y, False))
        layer(x).sum().backward()
        assert layer.weight.grad is not None


def _mx(x: torch.Tensor, weight: bool) -> Any:
    return mx_quantize(x, "mxfp8_e4m3" if weight else "mxfp6_e2m3", 16)


def _bfp(x: torch.Tensor, weight: bool) -> Any:
    return bfp_quantize(x, "bfp6" if weight else "bfp8")


def test_converted() -> None:
    """Every ``Linear`` of a model, with its very parameters; or those of a copy."""
    model = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.Sequential(torch.nn.Linear(4, 2)))
    weight = model[0].weight
    for convert, kind in ((convert_linear_to_mx, MXLinear), (convert_linear_to_bfp, BFPLinear)):
        copied = convert(model, inplace=False)
        assert [type(m) for m in copied.modules() if isinstance(m, torch.nn.Linear)] == [kind] * 2
    assert type(model[0]) is torch.nn.Linear
    assert convert_linear_to_mx(model, "mxfp4_e2m1", 8) is model
    assert model[0].weight is weight
    x = torch.randn(3, 8)
    expected = MXLinear(8, 4, weight_format="mxfp4_e2m1", block_size=8)
    expected.load_state_dict({"weight": weight, "bias": model[0].bias})
    assert torch.equal(model[0](x), expected(x))


def test_refusals() -> None:
    """What has no exact answer, in one line."""
    cases: list[tuple[Any, str]] = [
        (lambda: mx_quantize(np.array([np.inf])), "only finite"),
        (lambda: mx_quantize(np.ones(2), "mx9"), "allowed: mxfp8_e5m2"),
        (lambda: mx_quantize(np.ones(2), scale_sig_bits=2), "powers of two"),
        (lambda: mx_quantize(np.ones(2), (1, 3)), "exp_bits must be"),
        (lambda: MXSpec("x", 4, 3, block_size=0), "block_size"),
        (lambda: BFPSpec("x", 1, 32), "mantissa_bits must be 2"),
        (lambda: BFPSpec("x", 8, 32, exponent_bits=9), "2 to 8"),
        (lambda: bfp_quantize(np.float16([6e4]), "flexpoint16"), "float16 does not hold"),
    ]
    for function, message in cases:
        with pytest.raises(ValueError, match=message):
            function()
    with pytest.raises(TypeError, match="floats are quantized"):
        bfp_quantize(np.array([1, 2]))
