"""Trained bit widths: exact values, the stated surrogate gradients, and that training uses them."""

import math

import pytest
import torch

from harness import ApFixed, MiniFloat, quantize, quantizers
from harness.nn.trainable import TrainableFixed, TrainableMiniFloat

LN2 = math.log(2)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("overflow", ["SAT", "SAT_SYM", "SAT_ZERO", "WRAP"])
@pytest.mark.parametrize("signed", [True, False])
def test_fixed(overflow: str, signed: bool) -> None:
    """Values of the rounded type; gradients by the rules, recomputed here element by element."""
    quantizer = TrainableFixed((), 1.7, 3.2, signed, "RND_CONV", overflow)
    t = ApFixed.from_kif(signed, 2, 3, rounding="RND_CONV", overflow=overflow)
    x = (torch.randn(300) * 3).requires_grad_()
    y = quantizer(x)
    assert torch.equal(y, quantize(x.detach(), t))
    weight = torch.randn(300)
    (y * weight).sum().backward()
    low = -float(t.max_exact) if overflow == "SAT_SYM" and signed else float(t.min_exact)
    of_x, of_i, of_f = [], 0.0, 0.0
    for value, q, w in zip(x.tolist(), y.tolist(), weight.tolist(), strict=True):
        inside = overflow == "WRAP" or low <= value <= float(t.max_exact)
        of_x.append(w if inside else 0.0)
        of_f += w * LN2 * (value - q) if inside else 0.0
        if not inside and value > 0:  # the bound, 2**i - 2**-f
            of_i, of_f = of_i + w * LN2 * 2**2, of_f + w * LN2 * 2**-3
        elif not inside and signed:  # -2**i, or the opposite of the upper one
            of_i -= w * LN2 * 2**2
            of_f -= w * LN2 * 2**-3 if overflow == "SAT_SYM" else 0
    assert torch.allclose(x.grad, torch.tensor(of_x))
    assert float(quantizer.integer_bits.grad) == pytest.approx(of_i, rel=1e-4, abs=1e-4)
    assert float(quantizer.fractional_bits.grad) == pytest.approx(of_f, rel=1e-4, abs=1e-4)


def test_minifloat() -> None:
    """The same for mantissa, exponent and bias, with subnormals and values beyond the largest."""
    quantizer = TrainableMiniFloat((), 3.1, 2.9, 0.8)
    t = MiniFloat(3, 3, 1)
    x = torch.cat([torch.randn(100) * 30, torch.randn(100) * 0.1]).requires_grad_()
    y = quantizer(x)
    assert torch.equal(y, quantize(x.detach(), t))
    weight = torch.randn(200)
    (y * weight).sum().backward()
    of_m = of_e = of_e0 = 0.0
    seen = set()
    for value, q, w in zip(x.tolist(), y.tolist(), weight.tolist(), strict=True):
        error, apart = value - q, LN2 * 4
        if abs(value) > float(t.max_exact):
            seen.add("beyond")
            of_e += w * LN2 * q * apart
            of_e0 += w * LN2 * q
            of_m += w * LN2 * math.copysign(2**-3 * 2.0**t.emax, value)
            continue
        of_m += w * LN2 * error
        if abs(value) < 2.0**t.emin:
            seen.add("subnormal")
            of_e += w * LN2 * error * apart
            of_e0 -= w * LN2 * error
    assert seen == {"beyond", "subnormal"}
    found = [float(p.grad) for p in (quantizer.m, quantizer.e, quantizer.e0)]
    assert found == pytest.approx([of_m, of_e, of_e0], rel=1e-3, abs=1e-4)


def test_each_channel_its_own() -> None:
    """Bit widths of a shape, broadcast; each row has the type of its widths."""
    quantizer = TrainableFixed((3, 1))
    with torch.no_grad():
        quantizer.fractional_bits.copy_(torch.tensor([[1.0], [4.0], [7.0]]))
    x = torch.randn(3, 50)
    y = quantizer(x)
    for row, f in enumerate((1, 4, 7)):
        t = ApFixed.from_kif(True, 2, f, rounding="RND_CONV", overflow="SAT")
        assert torch.equal(y[row], quantize(x[row], t))
    y.sum().backward()
    assert quantizer.fractional_bits.grad.shape == (3, 1)


def test_training_buys_bits_where_they_pay() -> None:
    """With a price on bits, noise that does not matter loses them, and signal keeps them."""
    quantizer = TrainableFixed((2, 1), 1.0, 6.0)
    optimizer = torch.optim.Adam(quantizer.parameters(), lr=0.05)
    importance = torch.tensor([[100.0], [1e-4]])
    for _ in range(150):
        x = torch.rand(2, 256) * 2 - 1
        loss = (importance * (quantizer(x) - x) ** 2).mean() + 1e-4 * quantizer.bits.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    important, unimportant = quantizer.fractional_bits.flatten().tolist()
    assert important > unimportant + 2


@pytest.mark.parametrize("integer", [0.0, -3.0])
@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize(("signed", "sign"), [(True, 1), (True, -1), (False, 1)])
@pytest.mark.parametrize("overflow", ["SAT", "SAT_SYM", "SAT_ZERO"])
def test_a_width_comes_back(
    overflow: str, signed: bool, sign: int, per_channel: bool, integer: float
) -> None:
    """From no bits, with inputs of either sign, by a training to reproduce them."""
    shape = (2, 1) if per_channel else ()
    quantizer = TrainableFixed(shape, integer, 0.0, signed, "RND_CONV", overflow)
    x = sign * (torch.rand(2, 64) * 2 + 1.5)
    optimizer = torch.optim.Adam(quantizer.parameters(), lr=0.2)
    before = float(((quantizer(x) - x) ** 2).mean().detach())
    for _ in range(50):
        optimizer.zero_grad()
        ((quantizer(x) - x) ** 2).mean().backward()
        assert quantizer.integer_bits.grad.isfinite().all()
        optimizer.step()
    error = float(((quantizer(x) - x) ** 2).mean().detach())
    assert quantizer.integer_bits.min() > 1.5
    assert error < before / 100


def test_calad0is_functions_have_gradients() -> None:
    """x, and bit widths that are tensors; the values are those without a gradient."""
    x = (torch.randn(200) * 3).requires_grad_()
    i, f = (torch.tensor(float(bits), requires_grad=True) for bits in (2, 3))
    quantizer = quantizers.get_fixed_quantizer("RND", "SAT")
    y = quantizer(x, 1, i, f)
    assert torch.equal(y, quantizer(x.detach(), 1, 2, 3))
    y.sum().backward()
    assert set(x.grad.tolist()) == {0.0, 1.0}
    moved = ((x - y) * x.grad).detach().sum() + 2.0**-3 * (x > 4 - 2**-3).sum()
    assert float(f.grad) == pytest.approx(float(LN2 * moved), rel=1e-4)
    assert float(i.grad) != 0
    m = torch.tensor(3.0, requires_grad=True)
    for function in (
        lambda v: quantizers.float_quantize(v, m, 4),
        quantizers.binary_quantize,
        quantizers.ternary_quantize,
        quantizers.FixedQ(8, 4),
        quantizers.MinifloatQ(3, 4),
        lambda v: quantizer(v, 1, 2, torch.full((200,), 3)),
        lambda v: quantizers.get_fixed_quantizer("S_RND", "WRAP")(v, 1, 2, 3, True, 0),
    ):
        x.grad = None
        y = function(x)
        y.sum().backward()
        assert torch.isfinite(x.grad).all()
        with torch.no_grad():
            assert torch.equal(function(x), y)
    assert m.grad is not None
