"""FxPyTorch's interface: every way to decide fractional bits keeps its word."""

import math
from typing import Any

import pydantic
import pytest
import torch
from torch import nn

from harness import ApFixed, quantize, quantize_codes
from harness.interfaces.fxpytorch import (
    Conv2DQConfig,
    DropoutQConfig,
    FxPConv2D,
    FxPDropout,
    FxPLayerNorm,
    FxPLinear,
    FxPLSTM,
    FxPModule,
    FxPMultiheadAttention,
    FxPSoftmax,
    FxPTransformerEncoderLayer,
    LayerNormQConfig,
    LinearQConfig,
    LSTMQConfig,
    MultiheadAttentionQConfig,
    QConfig,
    QMethod,
    QType,
    SoftmaxQConfig,
    TransformerEncoderLayerQConfig,
)
from harness.nn import FixedQuantizer, transparent
from harness.nn.logger import ActivationLogger

ACT = QType(total_bits=16, fractional_bits=8)
OPEN = {"weight": QType(total_bits=8), "bias": QType(total_bits=8)}
ATTENTION = MultiheadAttentionQConfig(
    input=ACT, softmax=ACT, scores=ACT, **OPEN, out_proj=LinearQConfig(activation=ACT, **OPEN)
)
LAYERS: dict[str, tuple[type[FxPModule], tuple[Any, ...], dict[str, Any], QConfig, int]] = {
    "linear": (FxPLinear, (8, 6), {}, LinearQConfig(input=ACT, activation=ACT, **OPEN), 1),
    "conv": (FxPConv2D, (3, 4, 3), {}, Conv2DQConfig(input=ACT, **OPEN), 1),
    "norm": (
        FxPLayerNorm,
        (8,),
        {},
        LayerNormQConfig(mean=ACT, normalized=ACT, activation=ACT, **OPEN),
        1,
    ),
    "softmax": (FxPSoftmax, (-1,), {}, SoftmaxQConfig(input=ACT, activation=ACT), 1),
    "dropout": (FxPDropout, (0.5,), {}, DropoutQConfig(input=ACT, activation=ACT), 1),
    "lstm": (
        FxPLSTM,
        (8, 5),
        {"batch_first": True},
        LSTMQConfig(input=ACT, cell=ACT, hidden=ACT, **OPEN),
        1,
    ),
    "attention": (FxPMultiheadAttention, (8, 2), {"batch_first": True}, ATTENTION, 3),
    "encoder": (
        FxPTransformerEncoderLayer,
        (8, 2, 16),
        {"batch_first": True, "dropout": 0.0},
        TransformerEncoderLayerQConfig(
            self_attn=ATTENTION,
            linear1=LinearQConfig(**OPEN),
            linear2=LinearQConfig(**OPEN),
            norm1=LayerNormQConfig(normalized=ACT),
            attention_sum=ACT,
            ff_activation=ACT,
            feed_forward_sum=ACT,
        ),
        1,
    ),
}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def build(name: str, quantized: bool = True) -> tuple[FxPModule, tuple[torch.Tensor, ...]]:
    """A layer and inputs for it."""
    cls, args, kwargs, config, inputs = LAYERS[name]
    layer = cls(*args, **kwargs, q_config=config if quantized else None)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    x = torch.randn(2, 3, 8, 8) if name == "conv" else torch.randn(2, 4, 8)
    return layer.eval(), (x,) * inputs


def first(result: Any) -> torch.Tensor:
    return result[0] if isinstance(result, tuple) else result


@pytest.mark.parametrize("name", LAYERS)
def test_without_configuration_it_is_torch(name: str) -> None:
    """The parent's results, bit for bit."""
    layer, inputs = build(name, quantized=False)
    parent = layer.original()
    assert type(parent).__module__.startswith("torch.")
    assert torch.equal(first(layer(*inputs)), first(parent(*inputs)))


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("method", QMethod)
def test_no_overflow(name: str, method: QMethod) -> None:
    """Nothing overflows, and with one more fractional bit something would."""
    layer, _ = build(name)
    for slot in layer._of_parameters():
        slot.q.q_method = method
    layer.set_no_overflow_quant()
    for slot in layer._of_parameters():
        t, finer = slot.q.type, slot.q.model_copy()
        finer.fractional_bits = slot.q.fractional_bits + 1
        values = torch.cat([x.detach().double().flatten() for x in slot.tensors])
        assert not _overflows(values, t), slot.path
        assert _overflows(values, finer.type), slot.path


def _overflows(x: torch.Tensor, t: ApFixed) -> bool:
    wide = ApFixed(t.width + 8, t.integer + 8, True, t.rounding, "SAT")
    codes = quantize_codes(x, wide)
    return bool(((codes < t.min_code) | (codes > t.max_code)).any())


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("method", ["ROUND_SATURATE", "TRUNC_SATURATE"])
def test_min_mse_equals_brute_force(name: str, method: str) -> None:
    """Over every number of fractional bits, with the configured method."""
    layer, _ = build(name)
    for slot in layer._of_parameters():
        slot.q.total_bits, slot.q.q_method = 4, QMethod[method]
    layer.set_min_mse_quant()
    for slot in layer._of_parameters():
        values = torch.cat([x.detach().double().flatten() for x in slot.tensors])
        errors = {}
        for fractional_bits in range(-8, 24):
            t = slot.q.model_copy(update={"fractional_bits": fractional_bits}).type
            errors[fractional_bits] = float(((quantize(values, t) - values) ** 2).mean())
        assert errors[slot.q.fractional_bits] == min(errors.values())


@pytest.mark.parametrize("name", LAYERS)
def test_weights_for_good(name: str) -> None:
    """Idempotent, and the next forward is unchanged."""
    layer, inputs = build(name)
    layer.set_no_overflow_quant()
    before = first(layer(*inputs))
    layer.quantize_weights_bias()
    assert torch.equal(first(layer(*inputs)), before)
    state = {name: p.clone() for name, p in layer.named_parameters()}
    layer.quantize_weights_bias()
    assert all(torch.equal(state[name], p) for name, p in layer.named_parameters())
    for slot in layer._of_parameters():
        for x in slot.tensors:
            assert torch.equal(x.detach(), quantize(x.detach(), slot.q.type))


@pytest.mark.parametrize("name", LAYERS)
def test_high_precision(name: str) -> None:
    """24 bits behind the point, and as many before it as are needed."""
    layer, inputs = build(name)
    layer.set_high_precision_quant()
    for slot in layer._of_parameters():
        assert slot.q.fractional_bits == 24
        values = torch.cat([x.detach().double().flatten() for x in slot.tensors])
        assert not _overflows(values, slot.q.type)
    assert torch.isfinite(first(layer(*inputs))).all()


@pytest.mark.parametrize("name", LAYERS)
def test_every_type_is_applied(name: str) -> None:
    """Each quantizer of a configuration gives values of its type; gradients pass by choice."""
    layer, inputs = build(name)
    layer.set_no_overflow_quant()
    seen: list[tuple[FixedQuantizer, torch.Tensor]] = []
    for quantizer in layer._own_quantizers():
        quantizer.register_forward_hook(lambda m, i, o: seen.append((m, o)))
    leaf = tuple(x.clone().requires_grad_() for x in inputs)
    y = first(layer(*leaf))
    assert {id(q) for q, _ in seen} == {id(q) for q in layer._own_quantizers()}
    for quantizer, values in seen:
        assert torch.equal(values, quantize(values.detach(), quantizer.format))
    y.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in layer.parameters() if p.grad is not None)
    if layer.q_config.activation is not None:
        assert not first(layer(*inputs, apply_ste=False)).requires_grad


def test_open_types_are_refused() -> None:
    """A forward with undecided bits says which, and what to call."""
    layer, inputs = build("encoder")
    with pytest.raises(ValueError, match=r"self_attn\.weight are not decided; call set_no_over"):
        layer(*inputs)


def test_configurations_are_checked() -> None:
    """Unknown fields, widths and methods; another layer's configuration."""
    with pytest.raises(pydantic.ValidationError):
        LinearQConfig(wait=ACT)
    for bits in (0, 54):
        with pytest.raises(pydantic.ValidationError):
            QType(total_bits=bits)
    with pytest.raises(pydantic.ValidationError):
        QType(total_bits=8, q_method="nearest")
    with pytest.raises(TypeError, match="takes a LinearQConfig, not a DropoutQConfig"):
        FxPLinear(3, 3, q_config=DropoutQConfig())
    shared = LinearQConfig(**OPEN)
    layers = [FxPLinear(3, 3, q_config=shared) for _ in range(2)]
    layers[0].set_no_overflow_quant()
    assert layers[1].q_config.weight.fractional_bits is None
    assert math.isfinite(float(layers[0](torch.ones(3)).detach().sum()))
    assert isinstance(layers[0].original(), nn.Linear)


@pytest.mark.parametrize("name", ["linear", "encoder"])
def test_logger(name: str) -> None:
    """A forward with a logger tells every quantizer's tensor, and changes nothing."""
    layer, inputs = build(name)
    layer.set_no_overflow_quant()
    logger = ActivationLogger()
    y = layer(*inputs, logger=logger)
    assert torch.equal(y, layer(*inputs))
    assert torch.equal(logger.activations["output"][0], y)
    quantizers = {n for n, m in layer.named_modules() if isinstance(m, FixedQuantizer)}
    assert quantizers <= set(logger.activations)


@pytest.mark.parametrize("name", transparent.__all__)
def test_transparent(name: str) -> None:
    """Transparent layers are torch's, and log what goes in and comes out."""
    made = {
        "LinearTransparent": (8, 5),
        "Conv2dTransparent": (3, 4, 3),
        "LayerNormTransparent": (8,),
        "SoftmaxTransparent": (-1,),
        "DropoutTransparent": (0.0,),
        "LSTMTransparent": (8, 5),
        "MultiheadAttentionTransparent": (8, 2),
        "TransformerEncoderLayerTransparent": (8, 2),
    }
    if name not in made:
        assert name in ("Transparent", "ActivationLogger")
        return
    layer = getattr(transparent, name)(*made[name]).eval()
    parent = type(layer).__mro__[2](*made[name]).eval()
    parent.load_state_dict(layer.state_dict())
    x = torch.randn(2, 3, 8, 8) if "Conv" in name else torch.randn(2, 4, 8)
    inputs = (x,) * (3 if "Multihead" in name else 1)
    logger = ActivationLogger()
    y = layer(*inputs, logger=logger)
    assert torch.equal(first(y), first(parent(*inputs)))
    kept = logger.activations.get("output", logger.activations.get("output.0"))
    assert torch.equal(kept[0], first(y))
    assert torch.equal(logger.activations.get("input", logger.activations.get("input.0"))[0], x)
