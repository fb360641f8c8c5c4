"""AIMET's quantized modules: kernels, classes of one's own, what is observed, traces."""

import copy
import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

import harness.interfaces.aimet as aimet
import harness.interfaces.aimet.quantization as Q  # noqa: N812  # as its document has it
from harness.interfaces.aimet.nn.fake_quant._legacy_impl import FakeQuantizationMixin
from harness.interfaces.aimet.nn.true_quant import function_of
from harness.interfaces.aimet.utils import (
    allow_recompute,
    enable_recompute,
    no_recompute,
    patch_attr,
    remove_activation_quantizers,
    remove_all_quantizers,
    remove_param_quantizers,
)
from harness.nn import FixedQuantizer

QuantizationMixin = aimet.nn.QuantizationMixin


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def linear(kind: Any = Q.affine.QuantizeDequantize) -> Any:
    """A layer whose input, output and weight are quantized."""
    layer = aimet.nn.QuantizedLinear(6, 4)
    layer.input_quantizers[0] = kind((), 8, False)
    layer.output_quantizers[0] = kind((), 8, False)
    layer.param_quantizers["weight"] = kind((4, 1), 4, True)
    return layer


X = torch.linspace(-2, 3, 30).reshape(5, 6)


@pytest.mark.parametrize("kind", [Q.affine.QuantizeDequantize, Q.affine.Quantize])
def test_a_layer_is_its_quantizers(kind: Any) -> None:
    """Observed with weights quantized and activations as they are; then all are quantized."""
    layer = linear(kind)
    with layer.compute_encodings():
        inside = layer(X)
    weight = layer.param_quantizers["weight"](layer.weight).dequantize()
    assert torch.equal(inside, F.linear(X, weight, layer.bias))
    x = layer.input_quantizers[0](X).dequantize().as_subclass(Tensor)
    expected = layer.output_quantizers[0](F.linear(x, weight, layer.bias)).dequantize()
    got = layer(X)
    assert type(got) is Q.DequantizedTensor
    assert torch.equal(got, expected)
    assert torch.equal(got.encoding.scale, layer.output_quantizers[0].get_scale())


def test_exact_types_among_them() -> None:
    """A quantizer of this project's stands in the same places."""
    layer = linear()
    layer.output_quantizers[0] = FixedQuantizer("ap_fixed<6,3,AP_RND_CONV,AP_SAT>")
    with layer.compute_encodings():
        layer(X)
    assert torch.equal(layer(X) * 8, torch.round(layer(X) * 8))


@pytest.fixture
def kernel() -> Iterator[Any]:
    """A kernel of integers for every linear layer, which notes what it was given."""
    given = []

    def multiply(x: Any, weight: Any, bias: Any, *, output_encodings: Any) -> Any:
        given.append((type(x), type(weight), bias is None))
        whole = (
            x.quantized_repr().double() + x.encoding.offset
        ) @ weight.quantized_repr().T.double()
        values = whole * x.encoding.scale * weight.encoding.scale.T + bias
        made = output_encodings.quantize(values.float()).as_subclass(Q.QuantizedTensor)
        made.encoding = output_encodings
        return made

    aimet.nn.QuantizedLinear.set_default_kernel(multiply)
    yield given
    aimet.nn.QuantizedLinear.set_default_kernel(None)


def test_kernels(kernel: list[Any]) -> None:
    """Given quantized tensors, what it answers is dequantized; none of it while observing."""
    layer = linear(Q.affine.Quantize)
    with layer.compute_encodings():
        layer(X)
    assert kernel == []
    y = layer(X)
    assert kernel == [(Q.QuantizedTensor, Q.QuantizedTensor, False)]
    assert type(y) is Q.DequantizedTensor
    layer.set_kernel(None)
    plain = layer(X)
    assert len(kernel) == 1
    step = float(layer.output_quantizers[0].get_scale().detach())
    assert float((y - plain).abs().max().detach()) <= step * 1.01
    fake = FakeQuantizationMixin.from_module(nn.Linear(6, 4))
    assert fake.get_kernel() is None
    assert layer.get_default_kernel() is not None


def test_a_kernel_gets_what_was_quantized_before(kernel: list[Any]) -> None:
    """Without a quantizer of its own, an input keeps its encoding; a plain tensor stays plain."""
    layer = linear(Q.affine.Quantize)
    with layer.compute_encodings():
        layer(X)
    quantizer, layer.input_quantizers[0] = layer.input_quantizers[0], None
    assert torch.equal(layer(quantizer(X)), layer(quantizer(X).dequantize()))
    with pytest.raises(AttributeError, match="quantized_repr"):
        layer(X)


def test_functions_that_kernels_stand_for() -> None:
    """By name; a module without one is an error."""
    for kind, function in (
        (nn.Conv2d, F.conv2d),
        (nn.ConvTranspose1d, F.conv_transpose1d),
        (nn.LayerNorm, F.layer_norm),
        (nn.GELU, F.gelu),
        (nn.Sigmoid, torch.sigmoid),
        (nn.MSELoss, F.mse_loss),
        (aimet.nn.custom.Add, torch.add),
        (aimet.nn.custom.MatMul, torch.matmul),
    ):
        assert function_of(kind) is function
    with pytest.raises(RuntimeError, match="Transformer computes with no one function"):
        function_of(nn.Transformer)
    layer = aimet.nn.QuantizedReLU()
    layer.set_kernel(lambda x, *_, output_encodings, **__: x)
    assert torch.equal(layer(X), X)


class MaskedAdd(nn.Module):
    """A module of a user's."""

    def forward(self, x: Tensor, mask: Tensor, value: Tensor) -> Tensor:
        """Add where the mask is set."""
        return x + mask * value


def test_classes_of_ones_own() -> None:
    """``__quant_init__`` says how many quantizers; ``super().forward`` is the module's."""
    with pytest.raises(RuntimeError, match=r"MaskedAdd has no quantized class.*implements"):
        QuantizationMixin.from_module(MaskedAdd())
    try:

        @QuantizationMixin.implements(MaskedAdd)
        class QuantizedMaskedAdd(QuantizationMixin, MaskedAdd):
            def __quant_init__(self) -> None:
                super().__quant_init__()
                self.input_quantizers = nn.ModuleList([None, None, None])

            def forward(self, x: Tensor, mask: Tensor, value: Tensor) -> Tensor:
                if self.input_quantizers[2] is not None:
                    value = self.input_quantizers[2](value)
                return super().forward(x, mask, value)

        made = QuantizationMixin.from_module(MaskedAdd())
        assert type(made) is QuantizedMaskedAdd
        assert len(made.input_quantizers) == 3
        assert QuantizationMixin.wrap(MaskedAdd) is QuantizedMaskedAdd
        ones = torch.ones(2)
        assert made(ones, ones, ones).tolist() == [2, 2]
        made.input_quantizers[2] = FixedQuantizer("ap_ufixed<4,1,AP_TRN,AP_SAT>")
        assert made(ones, ones, ones * 0.3).tolist() == [1.25, 1.25]
        with pytest.warns(DeprecationWarning, match="call it forward"):

            class Older(QuantizationMixin, MaskedAdd):
                def quantized_forward(self, *_: Any) -> int:
                    return 7

        assert Older()(ones, ones, ones) == 7
    finally:
        QuantizationMixin.cls_to_qcls.pop(MaskedAdd)


def test_parts_share_a_quantizer() -> None:
    """One quantizer stands for all that a split gives."""
    split = QuantizationMixin.from_module(aimet.nn.custom.Split())
    split.output_quantizers[0] = FixedQuantizer("ap_fixed<4,4,AP_RND_CONV,AP_SAT>")
    parts = split(torch.tensor([1.2, 2.6, 3.4]), 1)
    assert [part.tolist() for part in parts] == [[1], [3], [3]]
    assert type(pickle.loads(pickle.dumps(split))) is type(split)


def test_wrapped_classes() -> None:
    """... are quantized whole, and made once."""

    class Double(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 2 * x

    try:
        kind = QuantizationMixin.wrap(Double)
        assert QuantizationMixin.wrap(Double) is kind
        made = kind()
        made.output_quantizers[0] = FixedQuantizer("ap_fixed<4,4,AP_RND_CONV,AP_SAT>")
        assert made(torch.tensor([1.2])).tolist() == [2]
        with pytest.raises(TypeError, match="takes a class of modules"):
            QuantizationMixin.wrap(int)
    finally:
        QuantizationMixin.cls_to_qcls.pop(Double)


def test_quantizers_taken_away() -> None:
    """For good, or inside a ``with``."""
    layer = linear()
    with layer.compute_encodings():
        layer(X)
    before = list(layer.modules())
    with remove_all_quantizers(layer):
        assert torch.equal(layer(X), F.linear(X, layer.weight, layer.bias))
    with layer._remove_input_quantizers(0), layer._remove_output_quantizers():
        weight = layer.param_quantizers["weight"](layer.weight).as_subclass(Tensor)
        assert torch.equal(layer(X), F.linear(X, weight, layer.bias))
    assert list(layer.modules()) == before
    remove_param_quantizers(layer)
    assert layer.param_quantizers["weight"] is None
    remove_activation_quantizers([layer])
    assert torch.equal(layer(X), F.linear(X, layer.weight, layer.bias))


def test_copies_pickles_and_states() -> None:
    """A quantized module comes back from each, kernels of classes aside."""
    layer = linear()
    with layer.compute_encodings():
        layer(X)
    y = layer(X)
    other = linear()
    other.load_state_dict(layer.state_dict())
    for made in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer)), other):
        assert torch.equal(made(X), y)
    plain = layer.original()
    assert type(plain) is nn.Linear
    assert plain.weight is layer.weight


def test_an_exception_leaves_encodings_as_they_were() -> None:
    """Also those that were never set, and those of floats."""
    layer = linear()
    analyzer = Q.encoding_analyzer.MinMaxEncodingAnalyzer(())
    half = Q.float.FloatQuantizeDequantize(5, 10, encoding_analyzer=analyzer)
    layer.output_quantizers[0] = half

    def interrupted() -> None:
        with layer.compute_encodings():
            layer(X)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not layer.input_quantizers[0].is_initialized()
    assert not layer.param_quantizers["weight"].is_initialized()
    assert (half.bitwidth, half.maxval.item()) == (16, 65504)


def test_a_trace_computes() -> None:
    """On other inputs than those that it was made with."""
    layer = linear()
    with layer.compute_encodings():
        layer(X)
    with warnings.catch_warnings():
        # Of torch.jit itself, and of encodings, which are constants of a trace.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(layer, (X,))
    other = X.flip(0) * 0.7
    assert torch.equal(traced(other), layer(other))


@pytest.mark.filterwarnings("ignore")  # torch.compile warns of what it does itself
def test_a_compiled_layer_computes() -> None:
    """The same values and gradients as eagerly; tensors of graphs have no encodings."""
    layer = linear()
    with layer.compute_encodings():
        layer(X)
    layer(X).sum().backward()
    gradient, layer.weight.grad = layer.weight.grad, None
    compiled = torch.compile(layer, backend="aot_eager")
    y = compiled(X)
    y.sum().backward()
    assert torch.equal(y, layer(X).as_subclass(Tensor))
    assert torch.allclose(layer.weight.grad, gradient)


def test_only_parameters() -> None:
    """Encodings of parameters need no data, and leave activations alone."""
    model = nn.Sequential(linear(), linear())
    aimet.nn.compute_param_encodings(model)
    for layer in model:
        assert layer.param_quantizers["weight"].is_initialized()
        assert not layer.input_quantizers[0].is_initialized()
    alone = nn.Sequential(linear(), Q.affine.QuantizeDequantize((), 8, False))
    with aimet.nn.compute_encodings(alone):
        y = alone(X)
    # One that is no module's quantizes by what it is given.
    assert type(y) is Q.DequantizedTensor
    assert alone[1].is_initialized()


def test_attributes_for_a_while() -> None:
    """What was there is back; what was not is gone."""
    layer = nn.Linear(2, 2)
    facts, weight = dict(layer.__dict__), layer.weight
    with patch_attr(layer, "weight", torch.zeros(2, 2)), patch_attr(layer, "other", 1):
        assert layer.other == 1
        assert layer.weight.tolist() == [[0, 0], [0, 0]]
    assert layer.weight is weight
    assert layer.__dict__ == facts


def test_recomputed() -> None:
    """Gradients are the same, computed again or not."""
    calls = []

    @allow_recompute
    def squared(x: Tensor) -> Tensor:
        calls.append(1)
        return x * x

    x = torch.tensor([3.0], requires_grad=True)
    with enable_recompute():
        squared(x).backward()
        assert len(calls) == 2
        with no_recompute():
            squared(x).backward()
    assert len(calls) == 3
    assert x.grad.tolist() == [12]


def test_what_moves_elements_keeps_their_encoding() -> None:
    """So a kernel finds it behind a reshape; what computes has none, without a quantizer."""
    quantizer = Q.affine.QuantizeDequantize((), 8, False)
    quantizer.set_range(-2, 3)
    for module, shape in (
        (aimet.nn.QuantizedFlatten(0), (30,)),
        (aimet.nn.QuantizedIdentity(), (5, 6)),
        (aimet.nn.custom.QuantizedReshape(), (6, 5)),
    ):
        args = (shape,) if type(module).__name__ == "QuantizedReshape" else ()
        y = module(quantizer(X), *args)
        assert y.shape == shape
        assert torch.equal(y.encoding.scale, quantizer.get_scale())
        assert torch.equal(y.quantized_repr().flatten(), quantizer(X).quantized_repr().flatten())
    assert type(aimet.nn.QuantizedTanh()(quantizer(X))) is Tensor
