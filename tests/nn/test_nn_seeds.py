"""The examples of the documents that the interfaces come from, with only their imports changed."""

import json

import pytest
import torch

import harness.interfaces.aimet as Q  # noqa: N812  # as its document has it
import harness.interfaces.aimet as aimet
from harness import ApFixed, IeeeFloat, quantize
from harness.interfaces.fxpytorch import FxPLinear, LinearQConfig, QMethod, QType
from harness.interfaces.pychop import (
    QuantizedBatchNorm2d,
    QuantizedConv2d,
    QuantizedGRU,
    QuantizedLinear,
    QuantizedLinearNorm,
    QuantizedLSTM,
    QuantizedMultiheadAttention,
    QuantizedRNN,
)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


class TestPychop:
    """Weights, bias and inputs in one float; shapes as documented."""

    def test_linear(self) -> None:
        layer = QuantizedLinear(10, 5, exp_bits=5, sig_bits=10, rmode=1)
        x = torch.randn(2, 10)
        y = layer(x)  # Shape: [2, 5]
        assert y.shape == (2, 5)
        half = IeeeFloat(5, 10)
        weight, bias = (quantize(p.detach(), half) for p in (layer.weight, layer.bias))
        expected = torch.nn.functional.linear(quantize(x, half), weight, bias)
        assert torch.equal(y, expected)

    def test_attention(self) -> None:
        attn = QuantizedMultiheadAttention(512, 8, exp_bits=5, sig_bits=10)
        x = torch.randn(2, 10, 512)
        y, weights = attn(x, x, x)  # y: [2, 10, 512], weights: attention weights
        assert y.shape == (2, 10, 512)
        assert weights.shape == (2, 10, 10)
        assert torch.equal(y, quantize(y.detach(), IeeeFloat(5, 10)))

    def test_norm(self) -> None:
        norm = QuantizedLinearNorm(512, exp_bits=5, sig_bits=10, rmode="towards_zero")
        x = torch.randn(2, 10, 512)
        y = norm(x)  # Shape: [2, 10, 512]
        t = IeeeFloat(5, 10, rounding="TOWARD_ZERO")
        expected = torch.nn.functional.layer_norm(quantize(x, t), (512,), norm.weight, norm.bias)
        assert torch.equal(y, expected)  # weights of 1 and 0 are values of every float

    def test_convolution(self) -> None:
        conv = QuantizedConv2d(3, 16, 3, exp_bits=5, sig_bits=10)
        x = torch.randn(2, 3, 32, 32)
        y = conv(x)  # Shape: [2, 16, 30, 30]
        half = IeeeFloat(5, 10)
        weight, bias = (quantize(p.detach(), half) for p in (conv.weight, conv.bias))
        assert torch.equal(y, torch.nn.functional.conv2d(quantize(x, half), weight, bias))

    @pytest.mark.parametrize("kind", [QuantizedRNN, QuantizedGRU])
    def test_recurrent(self, kind: type[torch.nn.Module]) -> None:
        rnn = kind(10, 20, exp_bits=5, sig_bits=10)
        x = torch.randn(2, 5, 10)
        y, h = rnn(x)  # y: [2, 5, 20], h: final hidden state
        assert y.shape == (2, 5, 20)
        assert torch.equal(h[0], y[:, -1])
        assert torch.equal(y, quantize(y.detach(), IeeeFloat(5, 10)))

    def test_lstm(self) -> None:
        lstm = QuantizedLSTM(10, 20, exp_bits=5, sig_bits=10)
        x = torch.randn(2, 5, 10)
        y, (h, c) = lstm(x)  # y: [2, 5, 20], h/c: final hidden/cell states
        assert y.shape == (2, 5, 20)
        for state in (h, c):
            assert torch.equal(state, quantize(state.detach(), IeeeFloat(5, 10)))

    def test_batch_norm(self) -> None:
        bn = QuantizedBatchNorm2d(3, exp_bits=5, sig_bits=10)
        x = torch.randn(2, 3, 32, 32)
        y = bn(x)  # Shape: [2, 3, 32, 32]
        expected = torch.nn.functional.batch_norm(
            quantize(x, IeeeFloat(5, 10)), None, None, bn.weight, bn.bias, training=True
        )
        assert torch.equal(y, expected)

    @pytest.mark.parametrize("rmode", [*range(1, 10), "plus_inf", "stoc_prop"])
    def test_every_rounding(self, rmode: int | str) -> None:
        layer = QuantizedLinear(10, 5, 4, 3, rmode)
        layer(torch.randn(2, 10)).sum().backward()
        assert torch.isfinite(layer.weight.grad).all()

    def test_bad_rounding(self) -> None:
        with pytest.raises(ValueError, match="1 NEAREST_EVEN"):
            QuantizedLinear(10, 5, 5, 10, rmode=11)


class TestAimet:
    """The documentation of aimet_torch.v2.nn."""

    def test_per_channel_weights(self) -> None:
        qlinear = aimet.nn.QuantizedLinear(out_features=10, in_features=5)
        # Per-channel weight quantization is performed over the `out_features` dimension
        per_channel_quantizer = Q.affine.QuantizeDequantize(
            shape=(10, 1), bitwidth=8, symmetric=True
        )
        qlinear.param_quantizers["weight"] = per_channel_quantizer
        with qlinear.compute_encodings():
            qlinear(torch.randn(3, 5))
        weight = qlinear.weight.detach()
        scale = weight.abs().amax(1, keepdim=True) / 127
        assert torch.all((per_channel_quantizer(weight) - weight).abs() <= scale)

    def test_elementwise_multiply(self) -> None:
        qmul = aimet.nn.custom.QuantizedMultiply()
        qmul.output_quantizers[0] = Q.affine.QuantizeDequantize(
            shape=(), bitwidth=8, symmetric=False
        )
        qmul.input_quantizers[1] = Q.affine.QuantizeDequantize(
            shape=(), bitwidth=8, symmetric=False
        )
        a, b = torch.randn(50), torch.randn(50)
        with qmul.compute_encodings():
            assert torch.equal(qmul(a, b), a * b)
        expected = qmul.output_quantizers[0](a * qmul.input_quantizers[1](b))
        assert torch.equal(qmul(a, b), expected)

    def test_shared_quantizer(self) -> None:
        qadd = aimet.nn.custom.QuantizedAdd()
        quantizer = Q.affine.QuantizeDequantize(shape=(), bitwidth=8, symmetric=False)
        qadd.input_quantizers[0] = quantizer
        qadd.input_quantizers[1] = quantizer
        a, b = torch.randn(50), 9 * torch.randn(50)
        with qadd.compute_encodings():
            qadd(a, b)
        low, high = torch.cat([a, b]).aminmax()
        step = float(quantizer.scale.detach())
        assert float(quantizer.min.detach()) - step <= low
        assert high <= float(quantizer.max.detach()) + step
        assert torch.equal(qadd(a, b), quantizer(a) + quantizer(b))

    def test_compute_encodings(self) -> None:
        calibration_data_loader = [(torch.randn(4, 5), None) for _ in range(3)]
        qlinear = aimet.nn.QuantizedLinear(out_features=10, in_features=5)
        qlinear.output_quantizers[0] = Q.affine.QuantizeDequantize(
            (1,), bitwidth=8, symmetric=False
        )
        qlinear.param_quantizers[0] = Q.affine.QuantizeDequantize(
            (10, 1), bitwidth=8, symmetric=True
        )
        assert not qlinear.output_quantizers[0].is_initialized()
        with qlinear.compute_encodings():
            # Pass several samples through the layer to ensure representative statistics
            for x, _ in calibration_data_loader:
                qlinear(x)
        assert qlinear.output_quantizers[0].is_initialized()
        assert qlinear.param_quantizers["weight"].is_initialized()

    def test_names(self) -> None:
        assert aimet.nn.FakeQuantizedConv2d is aimet.nn.QuantizedConv2d
        assert issubclass(aimet.nn.custom.QuantizedAdd, aimet.nn.custom.Add)
        with pytest.raises(AttributeError, match="no QuantizedFoo"):
            aimet.nn.QuantizedFoo  # noqa: B018


def test_fxpytorch_quick_start() -> None:
    """The quick start of FxPyTorch, line by line."""
    linear_q_config = LinearQConfig(
        input=QType(total_bits=16, fractional_bits=8, q_method=QMethod.ROUND_SATURATE),
        weight=QType(total_bits=8, q_method=QMethod.ROUND_SATURATE),
        bias=QType(total_bits=8, q_method=QMethod.ROUND_SATURATE),
        activation=QType(total_bits=16, fractional_bits=8, q_method=QMethod.ROUND_SATURATE),
    )
    fxp_linear_layer = FxPLinear(
        in_features=10, out_features=5, bias=True, q_config=linear_q_config
    )
    fxp_linear_layer.set_no_overflow_quant()
    assert json.loads(fxp_linear_layer.q_config.model_dump_json(indent=2))["weight"][
        "fractional_bits"
    ]
    dummy_input = torch.randn(1, 10)
    output = fxp_linear_layer(dummy_input, apply_ste=True)
    assert output.requires_grad
    t = ApFixed(16, 8, rounding="RND_CONV", overflow="SAT")
    assert torch.equal(output, quantize(output.detach(), t))
    fxp_linear_layer.quantize_weights_bias()
    assert torch.equal(fxp_linear_layer(dummy_input), output)
