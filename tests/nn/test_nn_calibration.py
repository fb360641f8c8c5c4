"""What calibration observes: activations of quantized weights; weights, which need no data."""

import contextlib
import copy
from typing import Any

import pytest
import torch
from torch import nn

from harness import quantize
from harness.interfaces import aimet
from harness.interfaces.pychop import FloatPrecisionSimulator
from harness.nn import (
    FixedQuantizer,
    NotInitializedError,
    QuantizedModule,
    compute_encodings,
    quantizers_of,
)
from harness.nn.affine import AffineQuantizer
from harness.nn.encodings import export_aimet, import_aimet
from harness.nn.model import prepare
from harness.nn.observers import MinMax
from harness.nn.registry import QUANTIZED, QuantizedLinear

EPS = torch.finfo(torch.float32).eps
CONFIG: dict[str, Any] = {
    "default": {"output": {"affine": {"bitwidth": 8}}},
    "names": {
        "0": {"weight": {"fixed": {"width": 2}}},
        "1": {"weight": {"affine": {"bitwidth": 2}}, "bias": "ap_fixed<3,1,AP_RND_CONV,AP_SAT>"},
    },
}
X = torch.randn(20, 6, generator=torch.Generator().manual_seed(2))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def model() -> Any:
    return prepare(nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 4)), CONFIG)


def states(of: nn.Module) -> list[Any]:
    return [
        (q.state(), [p.detach().tolist() for p in q.parameters()], q._observing)
        for q in quantizers_of(of)
    ]


def test_activations_are_those_of_quantized_weights() -> None:
    """Which the float weights' are far from, at two bits; and no activation is quantized."""
    net = model()
    with compute_encodings(net):
        seen = net(X)
    weights = [layer.param_quantizers["weight"](layer.weight) for layer in net]
    assert not torch.equal(weights[0], net[0].weight)
    inner = nn.functional.linear(X, weights[0], net[0].bias)
    outer = nn.functional.linear(inner, weights[1], net[1].param_quantizers["bias"](net[1].bias))
    assert torch.equal(seen, outer)
    for layer, x in zip(net, (inner, outer), strict=True):
        expected = AffineQuantizer((), 8)
        expected.set_range(x.min().detach(), x.max().detach())
        assert torch.equal(layer.output_quantizers[0].scale, expected.scale)


def test_one_quantizer_of_weights_and_activations() -> None:
    """With a type it quantizes the weights all along; without one it observes both, and passes."""
    for quantizer, passes in (
        (FixedQuantizer("ap_fixed<3,1>"), False),
        (AffineQuantizer((), 3), True),
    ):
        layer = QuantizedLinear(6, 5)
        layer.param_quantizers["weight"] = layer.input_quantizers[0] = quantizer
        with pytest.raises(NotInitializedError) if passes else contextlib.nullcontext():
            layer(X)
        with layer.compute_encodings():
            weight = layer.weight if passes else quantize(layer.weight.detach(), quantizer.format)
            assert torch.equal(layer(X), nn.functional.linear(X, weight, layer.bias))
    observer = MinMax()
    for x in (X, layer.weight):
        observer.observe(x)
    expected = AffineQuantizer((), 3)
    expected.set_range(*observer.range())
    assert torch.equal(quantizer.scale, expected.scale)


def test_weights_calibrate_themselves() -> None:
    """At the first forward, without data; a frozen quantizer does not, and says so."""
    for kind in (lambda: AffineQuantizer((5, 1), 4), lambda: FixedQuantizer(width=4)):
        layer, calibrated = QuantizedLinear(6, 5), kind()
        layer.param_quantizers["weight"] = kind()
        frozen = copy.deepcopy(layer)
        with calibrated.compute_encodings():
            calibrated(layer.weight)
        y = layer(X)
        assert torch.equal(y, nn.functional.linear(X, calibrated(layer.weight), layer.bias))
        with torch.no_grad():
            layer.weight.mul_(8)  # the encodings stay what they are
        assert torch.equal(layer.param_quantizers["weight"](X[:5]), calibrated(X[:5]))
        frozen.param_quantizers["weight"].freeze()
        with pytest.raises(NotInitializedError):
            frozen(X)


def test_a_quantizer_of_two_weights_has_the_range_of_both() -> None:
    """In one module or in two."""
    net = nn.Sequential(QuantizedLinear(6, 5), QuantizedLinear(5, 4))
    shared = AffineQuantizer((), 8)
    for layer in net:
        layer.param_quantizers["weight"] = shared
    with torch.no_grad():
        net[1].weight[0, 0] = 50.0
    with compute_encodings(net):
        pass
    assert float(shared.scale.detach()) == pytest.approx(50 / 127)


@pytest.mark.parametrize("when", ["inside", "at the end"])
def test_all_is_undone(when: str) -> None:
    """Weights' encodings too, and those of quantizers that settled before another could not."""
    net = model()
    net[1].input_quantizers[0] = FloatPrecisionSimulator(5, 10, "stoc_prop")
    with compute_encodings(net):
        net(X)
    net[0].input_quantizers[0] = FixedQuantizer(width=8, signed=False)
    net[0].input_quantizers[0].where = "0.input"
    with torch.no_grad():
        net[0].weight.mul_(9)
        net[1].weight.mul_(9)
    before = states(net)

    def fail() -> None:
        with compute_encodings(net):
            net(X.abs() if when == "inside" else X)
            if when == "inside":
                raise KeyError("data")

    with pytest.raises((KeyError, ValueError), match="data|0.input: .*unsigned"):
        fail()
    assert states(net) == before
    assert not any(layer._calibrating for layer in net)


def test_zeros_have_the_smallest_scale() -> None:
    """Of each channel that has nothing else; what is tiny keeps its own."""
    for symmetric in (True, False):
        quantizer = AffineQuantizer((3, 1), 8, symmetric=symmetric)
        x = torch.tensor([[0.0, 0.0], [0.5, -0.25], [1e-20, 0.0]])
        with quantizer.compute_encodings():
            quantizer(x)
        scales = quantizer.scale.flatten().tolist()
        assert scales[0] == EPS
        assert scales[1] == pytest.approx(0.5 / 127 if symmetric else 0.75 / 255)
        assert scales[2] == pytest.approx(1e-20 / (127 if symmetric else 255))
        assert quantizer(torch.zeros(3, 2)).tolist() == [[0, 0]] * 3
    half = AffineQuantizer((), 8).half()
    half.set_range(0, 60000)
    assert torch.isfinite(half.scale)
    with pytest.raises(ValueError, match=r"float16 has no scale"):
        half.set_range(0, 1e8)


def test_offsets_are_trained() -> None:
    """Of asymmetric quantizers alone; values stay on the steps, and files have what counts."""
    assert not AffineQuantizer((), 4).offset.requires_grad
    assert not AffineQuantizer((), 4, symmetric=False, trainable=False).offset.requires_grad
    layer = nn.Sequential(QuantizedLinear(6, 5))
    quantizer = AffineQuantizer((), 4, symmetric=False)
    quantizer.set_encodings(0.25, 0)
    layer[0].output_quantizers[0] = quantizer
    x = torch.linspace(-3.7, 0, 40)
    optimizer = torch.optim.Adam([quantizer.offset], lr=0.7)
    for _ in range(40):
        optimizer.zero_grad()
        ((quantizer(x) - x) ** 2).mean().backward()
        optimizer.step()
    y = quantizer(x).detach()
    assert not float(quantizer.offset.detach()).is_integer()
    assert torch.equal(y / 0.25, torch.round(y / 0.25))
    assert float((y - x).abs().max()) <= 0.25
    assert float(quantizer.min.detach()) == float(y.min())
    assert float(quantizer.max.detach()) >= float(y.max())
    other = nn.Sequential(copy.deepcopy(layer[0]))
    import_aimet(other, export_aimet(layer))
    assert torch.equal(other[0].output_quantizers[0](x), y)


def test_the_mixin_makes_what_is_registered() -> None:
    """As ``aimet.nn.QuantizationMixin.from_module`` does, on the same parameters."""
    for module in (nn.Linear(3, 2), nn.LayerNorm(4), nn.LSTM(3, 4), nn.ReLU()):
        for mixin in (aimet.nn.QuantizationMixin, aimet.nn.FakeQuantizationMixin):
            made = mixin.from_module(module)
            assert isinstance(made, QUANTIZED[type(module)])
            assert isinstance(made, QuantizedModule)
            mine, given = dict(made.named_parameters()), dict(module.named_parameters())
            assert mine.keys() == given.keys()
            assert all(mine[name] is given[name] for name in mine)
    with pytest.raises(TypeError, match="Sequential has no quantized class; register one"):
        aimet.nn.QuantizationMixin.from_module(nn.Sequential())
    with pytest.raises(TypeError, match="QuantizedModule is a mixin"):
        QuantizedModule.parent()
