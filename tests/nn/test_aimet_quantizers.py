"""AIMET's quantizers and functions: integers and values against fractions, the ways to say them."""

import copy
import io
import pickle
from fractions import Fraction
from typing import Any

import pytest
import torch
from torch import Tensor

import harness.interfaces.aimet.quantization as Q  # noqa: N812  # as its document has it
from harness.interfaces.aimet.quantization.affine.backends import torch_builtins
from harness.interfaces.aimet.quantization.float import fake_cast_to_ieee_float
from harness.nn.quantizers import NotInitializedError


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def even(x: Fraction) -> int:
    """The nearest integer, ties to even: what Python's ``round`` does of a fraction."""
    return round(x)


def codes(x: Tensor, scale: float, offset: int, qmin: int, qmax: int) -> list[int]:
    """The integers, by fractions."""
    quotients = (Fraction(value) / Fraction(scale) for value in x.double().tolist())
    return [min(max(even(q) - offset, qmin), qmax) for q in quotients]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("scale", [0.5, 0.1, 1 / 3, -0.3, 2.0**-140])
def test_integers_and_values_are_exact(scale: float, dtype: torch.dtype) -> None:
    """Ties to even of the exact quotient, the value rounded once; a negative scale as well."""
    step = torch.tensor(scale)
    exact = float(step)
    ties = torch.arange(-9, 10) * 0.5 * step.double()
    x = torch.cat([ties, torch.randn(500, dtype=torch.float64) * 6 * step]).to(dtype)
    offset = torch.tensor(-3.0)
    got = Q.affine.quantize(x, step, offset, qmin=-5, qmax=11)
    expected = codes(x, exact, -3, -5, 11)
    assert got.dtype == dtype
    assert got.tolist() == expected
    # Python rounds a fraction to a double once; torch rounds that one to the dtype, which is exact
    # enough here: 5 bits of integer and 24 of scale are a double.
    values = [float(Fraction(exact) * (q - 3)) for q in expected]
    wide = torch.tensor(values, dtype=torch.float64).to(dtype)
    for y in (
        Q.affine.quantize_dequantize(x, step, offset, qmin=-5, qmax=11),
        Q.affine.dequantize(got, step, offset),
    ):
        assert torch.equal(y.double(), wide.double())


def test_spellings_of_a_range() -> None:
    """A bit width, ``num_steps``, and ends, by place and by name, say the same."""
    x, scale, offset = torch.randn(40), torch.tensor(0.1), torch.tensor(0.0)
    expected = codes(x, float(scale), 0, -8, 7)
    for args, kwargs in (
        ((4, True), {}),
        ((4,), {"signed": True}),
        ((), {"bitwidth": 4, "signed": True}),
        ((), {"num_steps": 15, "signed": True}),
        ((-8, 7), {}),
        ((), {"qmin": -8, "qmax": 7, "block_size": None}),
    ):
        assert Q.affine.quantize(x, scale, offset, *args, **kwargs).tolist() == expected
    unsigned = Q.affine.quantize(x, scale, offset, 4).tolist()
    assert unsigned == codes(x, float(scale), 0, 0, 15)


@pytest.mark.parametrize(
    ("args", "kwargs", "error"),
    [
        ((), {}, "takes qmin and qmax, or a bitwidth"),
        ((0,), {"qmax": 3, "foo": 1}, "not foo"),
        ((7, -8), {}, "qmin must be below qmax"),
        ((0.5,), {}, "whole number"),
        ((8,), {"bitwidth": 4}, "twice"),
    ],
)
def test_ranges_that_are_none(args: Any, kwargs: Any, error: str) -> None:
    """Each is refused in one line."""
    x = torch.zeros(2)
    with pytest.raises((TypeError, ValueError), match=error):
        Q.affine.quantize(x, x[0] + 1, x[0], *args, **kwargs)


@pytest.mark.parametrize(
    ("x", "scale", "facts", "error"),
    [
        (torch.zeros(4), torch.ones(3), (0, 15), "does not expand"),
        (torch.zeros(4), torch.ones(3, 1), (0, 15), "does not expand"),
        (torch.zeros(4), torch.zeros(1), (0, 15), "must not be 0"),
        (torch.zeros(4), torch.tensor(torch.nan), (0, 15), "must not be 0 or NaN"),
        (torch.zeros(4).half(), torch.ones(1), (0, 4095), "does not hold the integers 0 to 4095"),
        (torch.zeros(4).bfloat16(), torch.ones(1), (0, 511), "does not hold the integers"),
        (torch.zeros(4), torch.ones(2), (0, 15, (3,)), "is not 2 blocks of 3"),
        (torch.zeros(4), torch.ones(2), (0, 15, (2, 2)), "a size for each axis"),
    ],
)
def test_what_does_not_fit_is_refused(x: Tensor, scale: Tensor, facts: Any, error: str) -> None:
    """Shapes, blocks, a scale of 0, and integers that the dtype has not."""
    with pytest.raises(RuntimeError, match=error):
        torch_builtins.quantize(x, scale, torch.zeros(()), *facts)


def test_integers_beyond_what_is_computed() -> None:
    """Values of 32-bit integers come out of float16; those of 64 bits are refused."""
    x, one = torch.tensor([1.5, -2.0]).half(), torch.ones(())
    y = torch_builtins.quantize_dequantize(x, one, torch.zeros(()), 0, 2**32 - 1)
    assert y.tolist() == [2.0, 0.0]
    with pytest.raises(RuntimeError, match=r"beyond 2\*\*45"):
        torch_builtins.quantize_dequantize(x, one, torch.zeros(()), 0, 2**64 - 1)


def test_gradients_by_hand() -> None:
    """Straight through rounding, and zero where the integer is clamped: half a step beyond."""
    x = torch.tensor([0.3, 7.4, 7.6, -9.0], requires_grad=True)
    scale = torch.tensor(1.0, requires_grad=True)
    offset = torch.tensor(0.0, requires_grad=True)
    Q.affine.quantize_dequantize(x, scale, offset, 4, True).sum().backward()
    assert x.grad.tolist() == [1, 1, 0, 0]
    # (0 - 0.3) + (7 - 7.4) inside; 7 and -8 beyond.
    assert scale.grad.item() == pytest.approx(-0.3 - 0.4 + 7 - 8)
    assert offset.grad.item() == 2.0
    for tensor in (x, scale, offset):
        tensor.grad = None
    Q.affine.quantize(x, scale, offset, 4, True).sum().backward()
    assert x.grad.tolist() == [1, 1, 0, 0]
    assert scale.grad.item() == pytest.approx(-0.3 - 7.4)
    assert offset.grad.item() == -2.0


def test_relu_in_place_after_a_quantizer() -> None:
    """What backward needs is not what an operation in place writes to."""
    quantizer = Q.affine.QuantizeDequantize((), 8, False)
    quantizer.set_range(-1, 1)
    x = torch.linspace(-2, 2, 9, requires_grad=True)
    torch.relu_(quantizer(x)).sum().backward()
    assert x.grad.tolist() == [0, 0, 0, 0, 0, 1, 1, 0, 0]


def test_blocks() -> None:
    """A scale for each block: the same as each block by itself."""
    x = torch.randn(4, 6)
    scale = torch.rand(2, 3) + 0.1
    y = Q.affine.quantize_dequantize(x, scale, torch.zeros(2, 3), 4, True, block_size=(2, -1))
    for i in range(2):
        for j in range(3):
            block = (slice(2 * i, 2 * i + 2), slice(2 * j, 2 * j + 2))
            alone = Q.affine.quantize_dequantize(x[block], scale[i, j], torch.zeros(()), 4, True)
            assert torch.equal(y[block], alone)


@pytest.mark.parametrize("symmetric", [True, False])
def test_ranges_follow_what_was_observed(symmetric: bool) -> None:
    """``scale = (max - min) / steps``; inside, each tensor is quantized by its own range."""
    quantizer = Q.affine.QuantizeDequantize((), 4, symmetric)
    assert quantizer.get_scale() is None
    with pytest.raises(NotInitializedError, match="has no encodings"):
        quantizer(torch.ones(1))
    small, large = torch.tensor([-1.0, 0.5]), torch.tensor([-4.0, 3.5])
    with quantizer.compute_encodings():
        inside = quantizer(small)
        quantizer(large)
    assert (quantizer.min.item(), quantizer.max.item()) == (-4.0, 3.5)
    assert quantizer.get_scale().item() == 0.5
    assert quantizer.get_offset().item() == (0.0 if symmetric else -8.0)
    alone = 1 / 8 if symmetric else 1.5 / 15
    assert torch.equal(inside.encoding.scale, torch.tensor(alone))
    assert quantizer(torch.tensor([0.26, 99.0])).tolist() == [0.5, 3.5]


def test_grid() -> None:
    """Bit width and sign are read from the ends, and set them."""
    quantizer = Q.affine.Quantize((), qmin=0, qmax=15, symmetric=False)
    assert (quantizer.bitwidth, quantizer.signed) == (4, False)
    quantizer.signed = True
    assert (quantizer.qmin, quantizer.qmax) == (-8, 7)
    quantizer.bitwidth = 6
    assert (quantizer.qmin, quantizer.qmax) == (-32, 31)
    odd = Q.affine.Quantize((), -1, 14, False)
    with pytest.raises(RuntimeError, match="no bit width has the integers -1 to 14"):
        odd.bitwidth  # noqa: B018
    with pytest.raises(TypeError, match="lacks symmetric"):
        Q.affine.Quantize((), 8)


def test_what_was_set_is_known() -> None:
    """Through state dicts, copies and pickles; a checkpoint of the two tensors is enough."""
    fresh = Q.affine.QuantizeDequantize((3, 1), 8, True)
    for made in (copy.deepcopy(fresh), pickle.loads(pickle.dumps(fresh))):
        assert not made.is_initialized()
    fresh.load_state_dict(fresh.state_dict())
    assert not fresh.is_initialized()
    with torch.no_grad():
        fresh.min.copy_(torch.tensor([[-1.0], [-2.0], [-3.0]]))
    assert not fresh.is_initialized()
    fresh.load_state_dict({"max": torch.ones(3, 1)}, strict=False)
    assert fresh.is_initialized()
    file = io.BytesIO()
    torch.save(fresh.state_dict(), file)
    file.seek(0)
    other = Q.affine.QuantizeDequantize((3, 1), 8, True)
    other.load_state_dict(torch.load(file, weights_only=True))
    x = torch.randn(3, 4)
    for made in (other, copy.deepcopy(fresh), pickle.loads(pickle.dumps(fresh))):
        assert made.is_initialized()
        assert torch.equal(made(x), fresh(x))
    plain = Q.affine.QuantizeDequantize((), 8, True)
    plain.load_state_dict({"min": torch.tensor(-1.0), "max": torch.tensor(1.0)})
    assert plain.is_initialized()


def test_encodings_that_may_not_be_overwritten() -> None:
    """Observed data leaves them."""
    quantizer = Q.affine.QuantizeDequantize((), 8, True)
    quantizer.set_range(-1, 1)
    quantizer.allow_overwrite(False)
    with quantizer.compute_encodings():
        quantizer(torch.tensor([100.0]))
    assert quantizer.max.item() == 1.0


@pytest.mark.parametrize("bitwidth", [4, 8, 16])
@pytest.mark.parametrize("symmetric", [True, False])
def test_scales_come_back_from_files_bit_for_bit(symmetric: bool, bitwidth: int) -> None:
    """Files have ends and a scale: the range that is taken has just that scale."""
    quantizer = Q.affine.QuantizeDequantize((200, 1), bitwidth, symmetric)
    x = torch.randn(200, 9) * torch.exp(3 * torch.randn(200, 1)) + torch.randn(200, 1)
    with quantizer.compute_encodings():
        quantizer(x)
    other = Q.affine.QuantizeDequantize((200, 1), 8, True)
    other.set_legacy_encodings(quantizer.get_legacy_encodings())
    assert torch.equal(other.get_scale(), quantizer.get_scale())
    assert torch.equal(other.get_offset(), quantizer.get_offset())
    assert (other.bitwidth, other.symmetric) == (bitwidth, symmetric)
    again = Q.affine.Quantize.from_encodings(quantizer.get_encodings())
    assert torch.equal(again(x).dequantize(), quantizer(x))
    with pytest.raises(ValueError, match=r"scales of \(200, 1\) are not for \(1,\)"):
        Q.affine.Quantize((1,), 8, True).set_encodings(quantizer.get_encodings())
    with pytest.raises(ValueError, match="3 encodings are not for shape"):
        other.set_legacy_encodings(quantizer.get_legacy_encodings()[:3])


def test_grouped_blocks_by_hand() -> None:
    """Scales are whole multiples of the group's largest over ``2**(decompressed - bits)``."""
    facts: dict[str, Any] = {"decompressed_bw": 8, "block_size": (1, 2), "block_grouping": (1, -1)}
    quantizer = Q.affine.GroupedBlockQuantizeDequantize((1, 3), 4, True, **facts)
    with quantizer.compute_encodings():
        quantizer(torch.tensor([[16.0, -1.0, 3.0, 1.0, 0.01, 0.0]]))
    # -16 needs a step of 16 / 7; gamma is a sixteenth of that.
    step = torch.tensor(16.0) / 7
    scales = quantizer.get_scale()
    gamma = scales.max() / 16
    assert scales.max().item() == pytest.approx(step.item(), rel=1e-6)
    assert torch.equal(torch.round(scales / gamma), torch.tensor([[16.0, 3.0, 1.0]]))
    with pytest.raises(RuntimeError, match="grouped blocks are symmetric"):
        Q.affine.GroupedBlockQuantizeDequantize((1, 3), 4, False, 8)


def nearest(x: float, maxval: float, exponent: int, mantissa: int) -> float:
    """The value of a float whose largest is ``maxval``, by fractions."""
    unit = Fraction(maxval) / (2 ** (mantissa + 1) - 1)
    magnitude = min(abs(Fraction(x)), Fraction(maxval))
    binade = 0
    while magnitude < unit * 2**mantissa * Fraction(2) ** binade and binade > 2 - 2**exponent:
        binade -= 1
    step = unit * Fraction(2) ** binade
    value = even(magnitude / step) * step
    return float(torch.tensor(float(value), dtype=torch.float64).float()) * (-1 if x < 0 else 1)


@pytest.mark.parametrize(("exponent", "mantissa"), [(1, 2), (3, 4), (4, 3), (5, 10), (8, 7)])
@pytest.mark.parametrize("maxval", [None, 0.1, 3.75e-6, 1e30])
def test_floats_are_exact(exponent: int, mantissa: int, maxval: float | None) -> None:
    """Every value is the nearest on the grid of its largest one, ties to even."""
    from harness.interfaces.aimet.quantization.float import _largest

    largest = torch.tensor(maxval or _largest(exponent, mantissa))
    top = float(largest)
    x = torch.cat([torch.randn(60).clamp(-2, 2), torch.tensor([0.0, 2.0, -1.0])]) * (largest / 3)
    x = torch.cat([x, x * 2.0**-6, x * 2.0**-20])
    got = fake_cast_to_ieee_float(x, largest, exponent, mantissa)
    assert got.tolist() == [nearest(v, top, exponent, mantissa) for v in x.tolist()]


def test_float_quantizers() -> None:
    """16-bit floats are torch's casts; an analyzer finds the largest value, the state has bits."""
    x = torch.randn(50) * 1000
    for dtype in (torch.float16, torch.bfloat16):
        quantizer = Q.float.FloatQuantizeDequantize(dtype=dtype)
        assert torch.equal(quantizer(x), x.to(dtype).float())
    analyzer = Q.encoding_analyzer.MinMaxEncodingAnalyzer(())
    observed = Q.float.FloatQuantizeDequantize(4, 3, encoding_analyzer=analyzer)
    with observed.compute_encodings():
        observed(torch.tensor([-5.5, 3.0]))
    assert observed.maxval.item() == 5.5
    assert observed(torch.tensor([7.0])).item() == 5.5
    other = Q.float.FloatQuantizeDequantize(5, 2)
    other.load_state_dict(observed.state_dict())
    assert torch.equal(other(x), observed(x))
    assert other.bitwidth == 8
    with pytest.raises(ValueError, match="takes exponent_bits and mantissa_bits, or dtype"):
        Q.float.FloatQuantizeDequantize(5)
    with pytest.raises(TypeError, match="float64 is not"):
        fake_cast_to_ieee_float(x.double(), 1.0, 4, 3)
