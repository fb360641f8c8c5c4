"""The layers that take ``chop=``: torch's own on rounded tensors, and the older document's."""

import copy
import pickle
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import harness.interfaces.pychop as pychop
from harness import ApFixed, IeeeFloat, quantize
from harness.interfaces.pychop import (
    Chop,
    ChopfSTE,
    ChopiSTE,
    ChopSTE,
    FloatPrecisionSimulator,
    LightChopSTE,
    QuantizedAttention,
    QuantizedAvgPool,
    QuantizedBatchNorm2d,
    QuantizedConv2d,
    QuantizedGRU,
    QuantizedLinear,
    QuantizedLSTM,
    QuantizedMultiheadAttention,
    QuantizedReLU,
    QuantizedRNN,
    QuantizedSigmoid,
    QuantizedSoftmax,
)

#: What a layer is made with, and the shape of its input; by what pychop 0.6 rounds.
PARAMETERS_AND_OUTPUTS: dict[str, tuple[tuple[Any, ...], tuple[int, ...]]] = {
    "Linear": ((5, 3), (4, 5)),
    "Conv1d": ((2, 3, 3), (2, 2, 7)),
    "Conv2d": ((2, 3, 3, 2, 1), (2, 2, 7, 7)),
    "Conv3d": ((2, 3, 2), (1, 2, 4, 4, 4)),
    "ConvTranspose1d": ((2, 3, 3), (2, 2, 5)),
    "ConvTranspose2d": ((2, 3, 3, 2), (2, 2, 4, 4)),
    "ConvTranspose3d": ((2, 3, 2), (1, 2, 3, 3, 3)),
    "RNN": ((4, 3, 2), (5, 2, 4)),
    "LSTM": ((4, 3, 2), (5, 2, 4)),
    "GRU": ((4, 3), (5, 2, 4)),
    "BatchNorm1d": ((3,), (6, 3)),
    "BatchNorm2d": ((3,), (2, 3, 4, 4)),
    "BatchNorm3d": ((3,), (2, 3, 2, 2, 2)),
    "InstanceNorm1d": ((3, 1e-5, 0.1, True), (2, 3, 5)),
    "InstanceNorm2d": ((3, 1e-5, 0.1, True), (2, 3, 4, 4)),
    "InstanceNorm3d": ((3,), (2, 3, 2, 2, 2)),
    "LayerNorm": ((6,), (4, 6)),
    "GroupNorm": ((2, 4), (3, 4, 5)),
    "Embedding": ((10, 4), ()),
}
OUTPUTS: dict[str, tuple[tuple[Any, ...], tuple[int, ...]]] = {
    "MaxPool1d": ((2,), (2, 3, 8)),
    "MaxPool2d": ((2,), (2, 3, 8, 8)),
    "MaxPool3d": ((2,), (1, 2, 4, 4, 4)),
    "AvgPool1d": ((3,), (2, 3, 9)),
    "AvgPool2d": ((3,), (2, 3, 9, 9)),
    "AvgPool3d": ((2,), (1, 2, 4, 4, 4)),
    "AdaptiveAvgPool1d": ((3,), (2, 3, 8)),
    "AdaptiveAvgPool2d": ((3,), (2, 3, 8, 8)),
    "AdaptiveAvgPool3d": ((2,), (1, 2, 5, 5, 5)),
}
INPUTS_AND_OUTPUTS: dict[str, tuple[tuple[Any, ...], tuple[int, ...]]] = {
    **dict.fromkeys(("ReLU", "Sigmoid", "Tanh", "GELU", "SiLU"), ((), (50,))),
    "LeakyReLU": ((0.3,), (50,)),
    "ELU": ((0.7,), (50,)),
    "Softmax": ((0,), (4, 6)),
    "Dropout": ((0.0,), (50,)),
    "PReLU": ((), (50,)),
}
LAYERS = PARAMETERS_AND_OUTPUTS | OUTPUTS | INPUTS_AND_OUTPUTS
T = IeeeFloat(4, 3)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def rounded(x: Tensor) -> Tensor:
    """``x`` in the float of these tests; integers as they are."""
    return quantize(x.detach(), T) if x.is_floating_point() else x


@pytest.mark.parametrize("name", list(LAYERS))
def test_places(name: str) -> None:
    """Torch's layer of rounded parameters, and inputs and outputs rounded, as in pychop 0.6."""
    args, shape = LAYERS[name]
    plain = getattr(nn, name)(*args)
    for parameter in plain.parameters():
        nn.init.normal_(parameter)
    chop = ChopSTE(4, 3)
    layer = getattr(pychop, f"Quantized{name}")(*args, chop=chop)
    layer.load_state_dict(plain.state_dict())
    kept = {key: value.clone() for key, value in layer.state_dict().items()}
    x = torch.randn(shape) if shape else torch.arange(6)
    y = layer(x)
    y = y if isinstance(y, Tensor) else y[0]
    with torch.no_grad():
        for parameter in plain.parameters() if name not in OUTPUTS else ():
            parameter.copy_(rounded(parameter))
    expected = plain(rounded(x) if name in INPUTS_AND_OUTPUTS else x)
    expected = expected if isinstance(expected, Tensor) else expected[0]
    assert torch.equal(y, rounded(expected))
    # Nothing that is trained was written to.
    for key, value in layer.named_parameters():
        assert torch.equal(value, kept[key])
    assert layer.chop is chop


def test_attention() -> None:
    """All projections are rounded, and the output; weights of attention are not."""
    plain = nn.MultiheadAttention(8, 2, add_bias_kv=True)
    layer = QuantizedMultiheadAttention(8, 2, add_bias_kv=True, chop=ChopSTE(4, 3))
    layer.load_state_dict(plain.state_dict())
    x = torch.randn(5, 3, 8)
    y, weights = layer(x, x, x)
    with torch.no_grad():
        for name, parameter in plain.named_parameters():
            if name not in ("bias_k", "bias_v"):
                parameter.copy_(rounded(parameter))
    expected, its_weights = plain(x, x, x)
    assert torch.equal(y, rounded(expected))
    # The projections are one product each here, and one together in torch: on some processors that
    # is a sum in another order.
    torch.testing.assert_close(weights, its_weights, rtol=1e-5, atol=0)
    assert not torch.equal(weights, rounded(weights))


def test_states_are_not_rounded() -> None:
    """The last states come as torch's kernel gives them; those of the document are rounded."""
    x = torch.randn(5, 2, 4)
    y, (h, c) = QuantizedLSTM(4, 3, chop=ChopSTE(4, 3))(x)
    assert torch.equal(y[-1], rounded(h[0]))
    assert not torch.equal(h, rounded(h))
    _, (h, c) = QuantizedLSTM(4, 3, exp_bits=4, sig_bits=3)(x)
    assert torch.equal(h, rounded(h))
    assert torch.equal(c, rounded(c))


def test_all_names() -> None:
    """Every layer of the release, those for integers, and what they are called besides."""
    names = set(LAYERS) | {"MultiheadAttention"}
    for name in names:
        assert getattr(pychop, f"IQuantized{name}") is getattr(pychop, f"Quantized{name}")
        assert f"Quantized{name}" in pychop.__all__
    assert QuantizedAttention is QuantizedMultiheadAttention
    assert QuantizedAvgPool is pychop.QuantizedAvgPool2d
    released = names - {"AdaptiveAvgPool1d", "AdaptiveAvgPool3d", "SiLU"} | {"Attention", "AvgPool"}
    assert len(released) == 38
    assert set(pychop.__all__) <= set(dir(pychop))
    with pytest.raises(AttributeError, match="QuantizedFoo"):
        pychop.QuantizedFoo  # noqa: B018


class TestArguments:
    """Those of the release, by position and by name; those of the document."""

    def test_by_position(self) -> None:
        """``chop`` stands where the release has it."""
        chop = ChopSTE(5, 10)
        assert QuantizedLinear(3, 2, False, chop).bias is None
        assert QuantizedConv2d(3, 4, 3, 2, 1, 1, 1, True, "circular", chop).chop is chop
        assert QuantizedSigmoid(chop).chop is chop
        assert QuantizedReLU(True, chop).inplace
        assert QuantizedSoftmax(chop=chop).dim == -1
        assert pychop.QuantizedLayerNorm(5, 1e-3, True, chop).eps == 1e-3

    def test_without(self) -> None:
        """Then it is torch's."""
        layer = QuantizedConv2d(2, 3, 3, 2, 1)
        x = torch.randn(1, 2, 6, 6)
        expected = nn.functional.conv2d(x, layer.weight, layer.bias, stride=2, padding=1)
        assert torch.equal(layer(x), expected)
        assert layer.chop is None

    def test_assigned(self) -> None:
        """Another chop goes into all places, and ``None`` takes it away."""
        layer = QuantizedLinear(3, 2, chop=ChopSTE(5, 10))
        x = torch.randn(4, 3)
        layer.chop = ChopSTE(4, 3)
        expected = nn.functional.linear(x, rounded(layer.weight), rounded(layer.bias))
        assert torch.equal(layer(x), rounded(expected))
        layer.chop = None
        assert torch.equal(layer(x), nn.functional.linear(x, layer.weight, layer.bias))

    @pytest.mark.parametrize(
        ("kind", "sizes"),
        [
            (QuantizedLinear, (4, 3)),
            (QuantizedMultiheadAttention, (4, 2)),
            (QuantizedRNN, (4, 3)),
            (QuantizedLSTM, (4, 3)),
            (QuantizedGRU, (4, 3)),
            (QuantizedBatchNorm2d, (3,)),
            (pychop.QuantizedLinearNorm, (4,)),
        ],
    )
    def test_document_by_position(self, kind: Any, sizes: tuple[int, ...]) -> None:
        """Two integers where the release has none are bits."""
        quantizer = kind(*sizes, 5, 10).input_quantizers[0]
        assert isinstance(quantizer, FloatPrecisionSimulator)
        assert quantizer.format == IeeeFloat(5, 10)

    def test_convolution_by_position(self) -> None:
        """There the release has stride and padding: bits go by name."""
        layer = QuantizedConv2d(3, 4, 3, 5, 10)
        assert (layer.stride, layer.padding, layer.chop) == ((5, 5), (10, 10), None)
        named = QuantizedConv2d(3, 4, 3, exp_bits=5, sig_bits=10, stride=2, rmode=4)
        assert named.stride == (2, 2)
        assert named.input_quantizers[0].format == IeeeFloat(5, 10, rounding=4)

    def test_refusals(self) -> None:
        """Both at once, half of one, and what rounds nothing."""
        with pytest.raises(ValueError, match="not both"):
            QuantizedLinear(3, 2, exp_bits=5, sig_bits=10, chop=ChopSTE(5, 10))
        with pytest.raises(TypeError, match="lacks sig_bits"):
            QuantizedLinear(3, 2, exp_bits=5)
        with pytest.raises(TypeError, match="no rmode without"):
            QuantizedReLU(rmode=3)
        with pytest.raises(TypeError, match="chop must be"):
            QuantizedLinear(3, 2, chop=5)


class TestStraightThrough:
    """The quantizers that the layers take."""

    @pytest.mark.parametrize(
        "chop",
        [ChopSTE(4, 3), LightChopSTE(4, 3, 5), ChopfSTE(2, 3), ChopiSTE(4), ChopiSTE(8, True)],
        ids=["float", "chance", "fixed", "integer", "symmetric"],
    )
    def test_identity(self, chop: Any) -> None:
        """Backward is the identity, beyond the range as well."""
        x = (3 * torch.randn(200)).requires_grad_()
        chop(x).backward(torch.arange(200.0))
        assert torch.equal(x.grad, torch.arange(200.0))
        assert torch.equal(chop(torch.zeros(3)), torch.zeros(3))

    def test_values(self) -> None:
        """Those of the simulators."""
        x = torch.randn(100) * 4
        assert torch.equal(ChopSTE(4, 3, 2)(x), Chop(4, 3, 2)(x))
        assert torch.equal(ChopSTE(4, 3).quantize(x), rounded(x))
        t = ApFixed(6, 3, True, "RND_CONV", "SAT")
        assert torch.equal(ChopfSTE(3, 3)(x), quantize(x, t))
        chop = ChopiSTE(8)
        q = chop.quantize(x)
        assert q.dtype == torch.int8
        assert torch.equal(chop.dequantize(q), chop(x))
        assert torch.equal(chop(torch.zeros(0)), torch.zeros(0))

    def test_attributes(self) -> None:
        """What the release's have."""
        chop = ChopSTE(exp_bits=5, sig_bits=10, rmode=3, subnormal=False, random_state=1)
        found = (chop.exp_bits, chop.sig_bits, chop.rmode, chop.subnormal, chop.u)
        assert found == (5, 10, 3, False, 2**-11)

    def test_any_function(self) -> None:
        """A plain simulator rounds, and its gradient is its own: none."""
        half = Chop(5, 10)
        layer = QuantizedLinear(3, 2, chop=half)
        assert layer.chop is half
        assert not layer(torch.randn(4, 3)).requires_grad
        doubled = QuantizedReLU(chop=lambda x: 2 * x)
        assert doubled(torch.ones(2)).tolist() == [4, 4]

    def test_refusals(self) -> None:
        """Tensors of floats alone."""
        for chop in (ChopSTE(5, 10), ChopfSTE(), ChopiSTE()):
            for x in (torch.tensor([1]), 1.5):
                with pytest.raises(TypeError, match="takes tensors of floats"):
                    chop(x)

    def test_seeds(self) -> None:
        """The same seed draws the same, and a copy goes on by itself."""
        x = torch.rand(500)
        a, b = ChopSTE(4, 3, 5, random_state=9), ChopSTE(4, 3, 5, random_state=9)
        assert torch.equal(a(x), b(x))
        c = copy.deepcopy(a)
        assert torch.equal(a(x), c(x))


def test_training_and_state() -> None:
    """A layer trains, and is saved, loaded and pickled with what rounds it."""
    net = nn.Sequential(
        QuantizedLinear(4, 8, chop=ChopSTE(5, 2)),
        QuantizedReLU(chop=ChopfSTE(4, 4)),
        QuantizedLinear(8, 1, chop=ChopiSTE(8, True)),
    )
    x = torch.randn(32, 4)
    y = x.sum(1, keepdim=True)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 2
    restored = pickle.loads(pickle.dumps(net))
    assert torch.equal(restored(x), net(x))
    fresh = copy.deepcopy(net)
    nn.init.zeros_(fresh[0].weight)
    fresh.load_state_dict(net.state_dict())
    assert torch.equal(fresh(x), net(x))
    other = nn.Sequential(net[0], QuantizedReLU(chop=ChopfSTE(3, 4)), net[2])
    with pytest.raises(RuntimeError, match="this has"):
        other.load_state_dict(net.state_dict())


def test_pools_with_indices() -> None:
    """Values are rounded, indices are not."""
    layer = pychop.QuantizedMaxPool2d(2, return_indices=True, chop=ChopSTE(4, 3))
    x = torch.randn(1, 1, 4, 4)
    y, indices = layer(x)
    expected, places = nn.functional.max_pool2d(x, 2, return_indices=True)
    assert torch.equal(y, rounded(expected))
    assert torch.equal(indices, places)
