"""Models quantized after training, and the scalars, arrays and tensors that stay in a format."""

import doctest
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from harness import IeeeFloat, quantize
from harness.interfaces.pychop import (
    Chop,
    Chopf,
    Chopi,
    ChopSTE,
    CPArray,
    CPFloat,
    CPTensor,
    dynamic_post_quantization,
    mixed_post_quantization,
    post_quantization,
    static_post_quantization,
)

T = IeeeFloat(4, 3)


def test_document() -> None:
    """The example of docs/interfaces.md."""
    text = (Path(__file__).parents[2] / "docs/interfaces.md").read_text(encoding="utf-8")
    section = text.partition("\n## pychop")[2].partition("\n## ")[0]
    examples = doctest.DocTestParser().get_doctest(section, {}, "pychop", None, 0)
    assert len(examples.examples) > 5
    assert doctest.DocTestRunner().run(examples).failed == 0


class TestPostQuantization:
    """Copies, rounded."""

    def setup_method(self) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(
            nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 2)
        )
        self.x = torch.randn(5, 1, 6, 6)
        self.model(self.x)
        self.before = {k: v.clone() for k, v in self.model.state_dict().items()}

    def unchanged(self) -> bool:
        """Whether the model is what it was, in training, without hooks."""
        same = all(torch.equal(v, self.before[k]) for k, v in self.model.state_dict().items())
        return (
            same and self.model.training and not any(m._forward_hooks for m in self.model.modules())
        )

    @pytest.mark.parametrize("chop", [Chop(4, 3), Chopf(2, 5), Chopi(8, True)])
    def test_weights(self, chop: object) -> None:
        """Weights and biases are rounded; statistics are not."""
        made = post_quantization(self.model, chop)  # type: ignore[arg-type]
        for name, value in made.state_dict().items():
            old = self.before[name]
            expected = chop(old) if "weight" in name or "bias" in name else old  # type: ignore[operator]
            assert torch.equal(value, expected), name
        assert not made.training
        assert self.unchanged()

    def test_dynamic(self) -> None:
        """Parameters and the outputs of layers, by hand."""
        made = dynamic_post_quantization(self.model, Chop(4, 3))
        with torch.no_grad():
            y = made(self.x)
            x = self.x
            for layer in post_quantization(self.model, Chop(4, 3)):  # type: ignore[attr-defined]
                x = layer(x) if isinstance(layer, nn.Flatten) else quantize(layer(x), T)
        assert torch.equal(y, x)
        assert self.unchanged()

    def test_static(self) -> None:
        """Outputs stay within the range that they had."""
        made = static_post_quantization(self.model, Chop(4, 3), [self.x, (self.x / 2, 1)])
        with torch.no_grad():
            wide = made(100 * self.x)
            low, high = torch.aminmax(torch.cat([made(self.x), made(self.x / 2)]))
        assert wide.abs().max() <= 2 * max(abs(float(low)), abs(float(high)))
        assert torch.equal(wide, quantize(wide, T))

    def test_mixed(self) -> None:
        """Two quantizers, or one of them."""
        weights = mixed_post_quantization(self.model, Chopf(2, 6), None)
        assert torch.equal(weights[0].weight, Chopf(2, 6)(self.before["0.weight"]))  # type: ignore[index]
        outputs = mixed_post_quantization(self.model, None, Chop(4, 3))
        assert torch.equal(outputs[0].weight, self.before["0.weight"])  # type: ignore[index]
        with torch.no_grad():
            assert torch.equal(outputs(self.x), quantize(outputs(self.x), T))
        with pytest.raises(ValueError, match="calibration_data="):
            mixed_post_quantization(self.model, None, Chop(4, 3), dynamic=False)


class TestScalars:
    """``CPFloat``."""

    def test_arithmetic(self) -> None:
        """Every result is the rounded one of rounded operands."""
        half = Chop("h")
        a, b = CPFloat(1.234567, half), CPFloat(0.987654, half)
        x, y = np.float64(np.float16(1.234567)), np.float64(np.float16(0.987654))
        for found, exact in [
            (a + b, x + y),
            (a * b / 2.0 - 0.1, np.float64(np.float16(np.float64(np.float16(x * y)) / 2)) - 0.1),
            (3 - a, 3 - x),
            (-a, -x),
            (abs(-a), x),
            (a**2, x**2),
            (np.sqrt(a), math.sqrt(x)),
        ]:
            assert isinstance(found, CPFloat)
            assert float(found) == np.float16(exact)
        assert a > b
        assert a != b
        assert a == CPFloat(x, half)
        assert f"{a:.3f}" == "1.234"
        assert str(a) == f"CPFloat({x}, Chop(ieee<5,10>))"
        assert len({a, CPFloat(1.234567, half)}) == 1

    def test_two_choppers(self) -> None:
        """Which format the result has would be a guess."""
        with pytest.raises(ValueError, match="same chopper"):
            CPFloat(1, Chop("h")) + CPFloat(1, Chop("b"))


class TestArrays:
    """``CPArray``."""

    def test_operations(self) -> None:
        """Rounded call by call: functions, products, reductions, what is in place."""
        chop = Chop(4, 3)
        rng = np.random.default_rng(0)
        x, y = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
        a, b = CPArray(x, chop), CPArray(y, chop)
        p, q = quantize(x, T), quantize(y, T)
        for found, expected in [
            (a, p),
            (a + b, p + q),
            (2.0 * a, 2.0 * p),
            (a @ b, p @ q),
            (np.exp(a), np.exp(p)),
            (a.T, p.T),
            (np.mean(a, axis=0), p.mean(axis=0)),
            (np.concatenate([a, b]), np.concatenate([p, q])),
            (np.linalg.inv(a), np.linalg.inv(p)),
        ]:
            assert isinstance(found, CPArray)
            assert found.to_regular().tolist() == quantize(expected, T).tolist()
        assert a.sum() == quantize(p.sum(), T)
        assert (a > 0).tolist() == (p > 0).tolist()
        a += 1.2345
        assert a.to_regular().tolist() == quantize(p + 1.2345, T).tolist()
        a[0, 0] = 1.2345
        assert a[0, 0] == 1.25
        assert "ieee<4,3>" in repr(a)

    def test_refusals(self) -> None:
        """What would leave something unrounded."""
        a = CPArray(np.ones(3), Chop(4, 3))
        with pytest.raises(ValueError, match="needs a chopper"):
            CPArray(np.ones(3))
        with pytest.raises(ValueError, match="same chopper"):
            a + CPArray(np.ones(3), Chop(4, 3))
        with pytest.raises(TypeError, match="not rounded"):
            np.add.at(a, [0], 0.1)
        with pytest.raises(TypeError, match="leave it out"):
            np.mean(a, out=np.zeros(()))


class TestTensors:
    """``CPTensor``."""

    def test_operations(self) -> None:
        """Rounded call by call, with gradients if the chopper lets them through."""
        torch.manual_seed(0)
        chop = ChopSTE(4, 3)
        x, y = torch.randn(3, 3, requires_grad=True), torch.randn(3, 3)
        a, b = CPTensor(x, chop), CPTensor(y, chop)
        p, q = quantize(x.detach(), T), quantize(y, T)
        for found, expected in [
            (a, p),
            (a + b, p + q),
            (a @ b, p @ q),
            (torch.softmax(a, 0), torch.softmax(p, 0)),
            (a.T, p.T),
            (a.max(dim=0).values, p.max(dim=0).values),
        ]:
            assert isinstance(found, CPTensor)
            assert torch.equal(found.to_regular().detach(), quantize(expected, T))
        (2 * a).sum().to_regular().backward()
        assert x.grad is not None
        assert torch.equal(x.grad, torch.full((3, 3), 2.0))
        assert (a > 0).dtype == torch.bool
        assert type(a.to_regular()) is torch.Tensor
        assert "ieee<4,3>" in repr(a)
        assert f"{b}" == repr(b)

    def test_pickle(self) -> None:
        """Values and chopper."""
        a = CPTensor(torch.randn(3), Chop(4, 3))
        restored = pickle.loads(pickle.dumps(a))
        assert torch.equal(restored.to_regular(), a.to_regular())
        assert str(restored.chopper) == str(a.chopper)

    def test_refusals(self) -> None:
        """What would leave something unrounded."""
        a = CPTensor(torch.ones(3), Chop(4, 3))
        with pytest.raises(ValueError, match="needs a chopper"):
            CPTensor(torch.ones(3))
        with pytest.raises(ValueError, match="same chopper"):
            a + CPTensor(torch.ones(3), Chop(4, 3))
        with pytest.raises(TypeError, match="add_ stores"):
            a.add_(1)
        with pytest.raises(TypeError, match="stores what is not rounded"):
            a[0] = 0.1
