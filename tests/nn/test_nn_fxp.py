"""FxPyTorch's interface: types by ``Fraction``, layers by their quantized steps, released names."""

import copy
import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import pydantic
import pytest
import torch
from torch import nn

from harness.interfaces.fxpytorch import (
    ActivationLogger,
    CalibrationType,
    Conv2DQConfig,
    DropoutQConfig,
    FxPConv2D,
    FxPDropout,
    FxPLayerNorm,
    FxPLinear,
    FxPLSTM,
    FxPMultiheadAttention,
    FxPSigmoid,
    FxPSoftmax,
    FxPTanh,
    FxPTransformerEncoderLayer,
    LayerNormQConfig,
    LinearQConfig,
    LinearTransparent,
    LSTMQConfig,
    MultiheadAttentionQConfig,
    QMethod,
    QType,
    SigmoidQConfig,
    SoftmaxQConfig,
    TanhQConfig,
    TransformerEncoderLayerQConfig,
    ValueRange,
    apply_quantize,
    get_high_precision_tensor_quant,
    get_integer_bits_for_value_range,
    get_min_mse_tensor_quant,
    get_no_overflow_tensor_quant,
    quantize,
    set_calibrated_activation_quant,
)
from harness.nn import logger as nn_logger
from harness.nn import transparent


def act(total: int = 16, fraction: int | None = 8) -> QType:
    return QType(total_bits=total, fractional_bits=fraction)


def linear() -> LinearQConfig:
    return LinearQConfig(input=act(), weight=act(8, None), bias=act(8, None), activation=act())


def attention() -> MultiheadAttentionQConfig:
    return MultiheadAttentionQConfig(
        input_query=act(),
        qlinear=linear(),
        klinear=linear(),
        vlinear=linear(),
        q_scaled=act(),
        attn_scores_raw=act(),
        softmax=SoftmaxQConfig(activation=act(8, 7)),
        attn_output=act(),
        out_proj=linear(),
    )


def encoder() -> TransformerEncoderLayerQConfig:
    return TransformerEncoderLayerQConfig(
        input=act(),
        norm1=LayerNormQConfig(input_normalized=act(), weight=act(8, None), bias=act(8, None)),
        self_attn=attention(),
        residual_1=act(),
        linear1=linear(),
        linear2=linear(),
        ff_activation=act(),
        residual_2=act(),
    )


def lstm() -> LSTMQConfig:
    return LSTMQConfig(
        input=act(),
        w_ih=linear(),
        w_hh=linear(),
        i_act=SigmoidQConfig(activation=act(8, 7)),
        ct_tanh=TanhQConfig(activation=act(8, 7)),
        f_dot_c_t=act(),
        c_t=act(),
        h_t=act(),
        output=act(),
    )


CONV = Conv2DQConfig(input=act(), weight=act(8, None), bias=act(8, None), activation=act())
NORM = LayerNormQConfig(mean_tensor=act(), var_tensor=act(), weight=act(8, None), activation=act())
LAYERS: dict[str, tuple[Any, tuple[Any, ...], dict[str, Any], Any]] = {
    "linear": (FxPLinear, (8, 6), {}, linear()),
    "conv": (FxPConv2D, (3, 4, 3), {"padding": 1, "padding_mode": "reflect"}, CONV),
    "norm": (FxPLayerNorm, (8,), {}, NORM),
    "softmax": (FxPSoftmax, (-1,), {}, SoftmaxQConfig(input=act(), activation=act())),
    "dropout": (FxPDropout, (0.5,), {}, DropoutQConfig(input=act(), activation=act())),
    "sigmoid": (FxPSigmoid, (), {}, SigmoidQConfig(input=act(), activation=act())),
    "tanh": (FxPTanh, (), {}, TanhQConfig(input=act(), activation=act())),
    "lstm": (FxPLSTM, (8, 5), {}, lstm()),
    "attention": (
        FxPMultiheadAttention,
        (8, 2),
        {"add_bias_kv": True, "add_bias_q": True},
        attention(),
    ),
    "encoder": (
        FxPTransformerEncoderLayer,
        (8, 2, 16),
        {"batch_first": True, "add_bias_kv": True, "add_bias_q": True},
        encoder(),
    ),
}
PARAMETERS = [name for name in LAYERS if name not in ("softmax", "dropout", "sigmoid", "tanh")]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def build(name: str, quantized: bool = True) -> tuple[Any, tuple[torch.Tensor, ...]]:
    """A layer and inputs for it."""
    cls, args, kwargs, config = LAYERS[name]
    layer = cls(*args, **kwargs, q_config=copy.deepcopy(config) if quantized else None)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    x = torch.randn(2, 3, 8, 8) if name == "conv" else torch.randn(2, 4, 8)
    return layer.eval(), (x,) * (3 if name == "attention" else 1)


def first(result: Any) -> torch.Tensor:
    return result[0] if isinstance(result, tuple) else result


def parameter_types(layer: nn.Module) -> list[tuple[torch.Tensor, QType]]:
    """Every parameter of the layers inside, and its type."""
    return [
        (getattr(module, name).detach(), getattr(module.q_config, name))
        for module in layer.modules()
        for name in ("weight", "bias")
        if isinstance(getattr(module, name, None), torch.Tensor)
    ]


def grid(x: float, q: QType) -> float:
    """One value in a type, by ``Fraction``."""
    assert q.total_bits is not None
    assert q.fractional_bits is not None
    scaled = Fraction(x) * Fraction(2) ** q.fractional_bits
    rounding, overflow = str(q.q_method).split("_")
    code = {"ROUND": round, "TRUNC": math.trunc, "FLOOR": math.floor}[rounding](scaled)
    half = 1 << (q.total_bits - 1)
    wrapped = (code + half) % (2 * half) - half
    code = wrapped if overflow == "WRAP" else max(-half, min(half - 1, code))
    return float(code * Fraction(2) ** -q.fractional_bits)


@pytest.mark.parametrize("method", QMethod, ids=str)
@pytest.mark.parametrize(("total", "fraction"), [(2, 0), (6, 3), (8, 12), (8, -2), (16, 8)])
def test_values_of_a_type(method: QMethod, total: int, fraction: int) -> None:
    """Ties, both signs, both ends and beyond; truncation is toward zero."""
    q = QType(total_bits=total, fractional_bits=fraction, q_method=method)
    quarters = torch.arange(-(2**20), 2**20, 1 + 2 ** (total // 2), dtype=torch.float64) / 4
    x = torch.cat([quarters[-300:], quarters[::97], torch.arange(-40, 41) / 4]) * 2.0**-fraction
    expected = [grid(value, q) for value in x.tolist()]
    assert quantize(x, q).tolist() == expected
    assert apply_quantize(x, q).tolist() == expected
    if method is QMethod.TRUNC_SATURATE and total > 2:
        below_zero = -1.5 * 2.0**-fraction
        assert quantize(torch.tensor([below_zero]), q).tolist() == [-(2.0**-fraction)]


def test_large_floats_stay_on_the_grid() -> None:
    """Also where ``x + (q - x)`` in float32 would not."""
    x = torch.tensor([1e8 + 8, -3e7, 12345.678, 0.1])
    q = act(8, 3)
    assert apply_quantize(x, q).tolist() == [grid(value, q) for value in x.tolist()]
    assert torch.isnan(quantize(torch.tensor([math.nan]), q)).all()
    assert quantize(torch.tensor([-math.inf]), q).tolist() == [-16]


def test_gradients_pass_everywhere_or_nowhere() -> None:
    """As released: 1 beyond the range too; without the estimator 0, and not an error."""
    x = torch.tensor([-100.0, -0.3, 0.2, 100.0], requires_grad=True)
    for q in (act(6, 3), act(6, 3).model_copy(update={"q_method": QMethod.TRUNC_SATURATE})):
        for passes, expected in ((True, 1.0), (False, 0.0)):
            (gradient,) = torch.autograd.grad(apply_quantize(x, q, passes).sum(), x)
            assert gradient.tolist() == [expected] * 4
    layer = FxPLinear(4, 2, q_config=linear())
    layer.set_no_overflow_quant()
    layer(x, apply_ste=False).sum().backward()
    assert layer.weight.grad.tolist() == [[0.0] * 4] * 2


def test_a_type_without_arguments_is_a_float() -> None:
    """``QType()`` and ``None`` quantize nothing; one width alone is open, and refused."""
    x = torch.randn(5)
    for q in (None, QType()):
        assert quantize(x, q) is x
        assert apply_quantize(x, q) is x
    assert QType().integer_bits is None
    assert act(8, 3).integer_bits == 5
    for open_type, missing in ((act(8, None), "fractional_bits"), (act(None, 3), "total_bits")):
        with pytest.raises(ValueError, match=f"{missing} not decided; call set_no_overflow_quant"):
            quantize(x, open_type)
        assert open_type.integer_bits is None


def test_methods_have_released_names_and_values() -> None:
    """JSON that the released package wrote is read."""
    assert [QMethod.TRUNC_SATURATE.value, QMethod.ROUND_SATURATE.value] == [1, 2]
    assert QMethod.from_string("trunc_saturate") is QMethod.TRUNC_SATURATE
    assert QType(total_bits=8, q_method="floor_wrap").q_method is QMethod.FLOOR_WRAP
    assert QType(total_bits=8, q_method=1).q_method is QMethod.TRUNC_SATURATE
    assert str(QMethod.ROUND_SATURATE) == "ROUND_SATURATE"
    with pytest.raises(ValueError, match="QMethod is one of TRUNC_SATURATE"):
        QMethod.from_string("nearest")


@pytest.mark.parametrize("name", LAYERS)
def test_configurations_as_json(name: str, tmp_path: Path) -> None:
    """What is saved is read again; every field has a type or a configuration."""
    config = LAYERS[name][3]
    config.save_json(tmp_path / "config.json")
    text = (tmp_path / "config.json").read_text()
    assert type(config).model_validate_json(text) == config
    assert json.loads(text) == config.to_dict()
    assert config.to_dict()["layer_type"] == type(config)().layer_type
    empty = type(config)()
    for field in set(type(config).model_fields) - {"layer_type", "name"}:
        part = getattr(empty, field)
        assert type(part)() == part
        assert getattr(type(config)(**{field: None}), field) == part


def test_configurations_are_checked() -> None:
    """Unknown fields, widths and methods; another layer's configuration."""
    for wrong in ({"wait": act()}, {"layer_type": "conv2d"}):
        with pytest.raises(pydantic.ValidationError):
            LinearQConfig(**wrong)
    for bits in (1, 54):
        with pytest.raises(pydantic.ValidationError):
            QType(total_bits=bits)
    for method in ("nearest", None, 7):
        with pytest.raises(pydantic.ValidationError):
            QType(total_bits=8, q_method=method)
    with pytest.raises(TypeError, match="takes a LinearQConfig, not a DropoutQConfig"):
        FxPLinear(3, 3, q_config=DropoutQConfig())


def test_one_type_under_two_names_is_two() -> None:
    """Else deciding the bias would undo what the weight was given."""
    shared = act(8, None)
    config = LinearQConfig(weight=shared, bias=shared)
    assert config.weight is shared
    layer = FxPLinear(4, 4, q_config=config)
    with torch.no_grad():
        layer.weight.mul_(100)
    layer.set_no_overflow_quant()
    assert config.weight.fractional_bits != config.bias.fractional_bits
    block = FxPTransformerEncoderLayer(8, 2, 16, batch_first=True, q_config=encoder())
    types = [q for _, q in parameter_types(block)]
    assert len({id(q) for q in types}) == len(types)


def test_the_configuration_is_the_layers_own() -> None:
    """It is the object that was given, by position too; what changes in it counts at once."""
    config = linear()
    layer = FxPLinear(4, 3, True, None, None, config)
    assert layer.q_config is config
    layer.set_no_overflow_quant()
    assert config.weight.fractional_bits is not None
    x = torch.randn(2, 4)
    fine = layer(x)
    config.activation.fractional_bits = 1
    assert torch.equal(layer(x) * 2, torch.round(layer(x) * 2))
    assert not torch.equal(layer(x), fine)
    layer.q_config = LinearQConfig(activation=act(8, 3))
    assert layer.q_config is config
    assert config.weight.is_float()
    assert FxPDropout(0.5, False, DropoutQConfig()).q_config == DropoutQConfig()
    assert FxPSigmoid(SigmoidQConfig()).q_config == SigmoidQConfig()


@pytest.mark.parametrize("name", ["lstm", "attention", "encoder"])
def test_a_configuration_reaches_the_parts(name: str) -> None:
    """First as the object, then by its types, whatever is assigned."""
    layer, inputs = build(name, quantized=False)
    config, other = copy.deepcopy(LAYERS[name][3]), type(LAYERS[name][3])()
    layer.q_config = config
    layer.set_no_overflow_quant()
    assert not torch.equal(first(layer(*inputs)), first(build(name, False)[0](*inputs)))
    layer.q_config = other
    assert layer.q_config is config
    for field, part in layer.parts.items():
        assert getattr(layer, part).q_config is getattr(config, field)
    assert all(q.is_float() for _, q in parameter_types(layer))


@pytest.mark.parametrize("name", LAYERS)
def test_without_configuration_it_is_torch(name: str) -> None:
    """Torch's results with torch's state dict, up to the order of sums; so with all floats."""
    layer, inputs = build(name, quantized=False)
    x = inputs[0]
    kinds: dict[str, Any] = {
        "linear": lambda: nn.Linear(8, 6),
        "conv": lambda: nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"),
        "norm": lambda: nn.LayerNorm(8),
        "softmax": lambda: nn.Softmax(-1),
        "dropout": lambda: nn.Dropout(0.5),
        "sigmoid": nn.Sigmoid,
        "tanh": nn.Tanh,
        "lstm": lambda: nn.LSTM(8, 5, batch_first=True),
        "attention": lambda: nn.MultiheadAttention(8, 2, batch_first=True),
        "encoder": lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
    }
    parent = kinds[name]().eval()
    layer.load_state_dict(parent.state_dict())
    config = type(LAYERS[name][3])()
    found, expected = layer(*inputs), parent(*inputs)
    torch.testing.assert_close(first(found), first(expected))
    if name == "attention":
        torch.testing.assert_close(found[1], expected[1])
    if name == "lstm":
        torch.testing.assert_close(found[1], expected[1])
        torch.testing.assert_close(layer(x, expected[1])[0], parent(x, expected[1])[0])
    layer.q_config = config
    torch.testing.assert_close(first(layer(*inputs)), first(expected))


def test_the_released_layout_is_a_choice() -> None:
    """Its rows are the heads' results one after the other, reshaped."""
    plain = FxPMultiheadAttention(8, 2)
    released = FxPMultiheadAttention(8, 2, released_layout=True)
    released.load_state_dict(plain.state_dict())
    for layer in (plain, released):
        layer.out_proj = nn.Identity()
        layer.out_proj.forward = lambda x, **_: x  # type: ignore[method-assign]
    x = torch.randn(3, 4, 8)
    heads = plain(x, x, x)[0].view(3, 4, 2, 4).transpose(1, 2)
    assert torch.equal(released(x, x, x)[0], heads.reshape(3, 4, 8))


def test_masks_of_attention() -> None:
    """(T, S), (B num_heads, T, S), of bools and of floats, as torch has them."""
    layer, (x, _, _) = build("attention", quantized=False)
    parent = nn.MultiheadAttention(8, 2, batch_first=True)
    layer.load_state_dict(parent.state_dict())
    later = torch.triu(torch.ones(4, 4, dtype=torch.bool), 1)
    for mask in (later, later.expand(4, 4, 4), torch.randn(4, 4)):
        expected = parent(x, x, x, attn_mask=mask)[0]
        torch.testing.assert_close(layer(x, x, x, attn_mask=mask)[0], expected)
    for wrong in ({"is_causal": True}, {"key_padding_mask": later[0]}, {"attn_mask": later[:2]}):
        with pytest.raises(ValueError, match="not served|attn_mask has shape"):
            layer(x, x, x, **wrong)


def holds(q_type: QType, low: Fraction, high: Fraction) -> bool:
    """Whether a type's ends hold a range."""
    assert q_type.total_bits is not None
    assert q_type.fractional_bits is not None
    lsb, half = Fraction(2) ** -q_type.fractional_bits, 1 << (q_type.total_bits - 1)
    return -half * lsb <= low and high <= (half - 1) * lsb


@pytest.mark.parametrize("total", [2, 4, 8, 16])
def test_no_overflow_of_a_tensor(total: int) -> None:
    """The ends of the type hold every value, and those with one bit more behind do not."""
    tensors = [torch.randn(30) * 2.0**k for k in range(-5, 6)]
    exact = [torch.tensor([e]) for e in (1.0, -1.0, 0.5, -0.5, 1 - 2.0 ** (1 - total), 3e-5, -3e-5)]
    for x in [*tensors, *exact, *(t.abs() for t in tensors), *(-t.abs() for t in tensors)]:
        low, high = (Fraction(float(end)) for end in x.aminmax())
        stale = QType(total_bits=total, fractional_bits=30)
        for q_type in (act(total, None), stale):
            found = get_no_overflow_tensor_quant(x, q_type)
            finer = found.model_copy(update={"fractional_bits": (found.fractional_bits or 0) + 1})
            assert found.total_bits == total
            assert holds(found, low, high)
            assert not holds(finer, low, high)


def test_no_overflow_by_fractional_bits() -> None:
    """With the fractional bits given the fewest total ones, two at least; 0 has 24 behind."""
    for x, total in (
        ([0.1], 2),
        ([0.25], 2),
        ([0.3], 3),
        ([0.5], 3),
        ([-0.5], 2),
        ([-0.6, 0.1], 3),
        ([-1e-9], 2),
        ([1e-9], 2),
        ([0.0], 2),
        ([100.0], 10),
    ):
        found = get_no_overflow_tensor_quant(torch.tensor(x), QType(fractional_bits=2))
        assert (found.total_bits, found.fractional_bits) == (total, 2), x
    zero = get_no_overflow_tensor_quant(torch.zeros(3), act(8, None))
    assert zero.fractional_bits == 24
    assert get_high_precision_tensor_quant(torch.tensor([3.0, -1.0])).total_bits == 27
    with pytest.raises(ValueError, match="this type is a float"):
        get_integer_bits_for_value_range(ValueRange(min_val=0, max_val=1), QType())
    with pytest.raises(ValueError, match="no range of values"):
        get_no_overflow_tensor_quant(torch.tensor([math.nan]), act(8, None))
    with pytest.raises(RuntimeError, match="an empty tensor"):
        get_no_overflow_tensor_quant(torch.zeros(0), act(8, None))


@pytest.mark.parametrize("method", ["ROUND_SATURATE", "TRUNC_SATURATE"])
def test_min_mse_equals_brute_force(method: str) -> None:
    """With the configured method; ``depth`` bounds how far it looks."""
    x = torch.randn(200) * 3
    q_type = QType(total_bits=4, q_method=method)
    start = get_no_overflow_tensor_quant(x, q_type).fractional_bits
    assert start is not None
    errors = {}
    for fraction in range(start, start + 11):
        q = q_type.model_copy(update={"fractional_bits": fraction})
        errors[fraction] = sum((Fraction(grid(v, q)) - Fraction(v)) ** 2 for v in x.tolist())
    found = get_min_mse_tensor_quant(x, q_type)
    assert found.q_method is QMethod[method]
    assert errors[found.fractional_bits or 0] == min(errors.values())
    assert get_min_mse_tensor_quant(x, q_type, depth=0).fractional_bits == start


@pytest.mark.parametrize("name", PARAMETERS)
def test_types_of_parameters(name: str) -> None:
    """Each is decided by its own tensor; floats stay floats, but for high precision."""
    layer, inputs = build(name)
    layer.set_no_overflow_quant()
    for parameter, q in parameter_types(layer):
        if q.is_float():
            continue
        assert q == get_no_overflow_tensor_quant(parameter, act(8, None))
    layer.set_min_mse_quant()
    for parameter, q in parameter_types(layer):
        if not q.is_float():
            assert q == get_min_mse_tensor_quant(parameter, act(8, None))
    layer.set_high_precision_quant()
    for parameter, q in parameter_types(layer):
        assert q == get_high_precision_tensor_quant(parameter)
    assert torch.isfinite(first(layer(*inputs))).all()


def test_one_type_for_several() -> None:
    """The most integer and the most total bits, whichever parameters are to be alike."""
    layer, _ = build("attention")
    with torch.no_grad():
        layer.klinear.weight.mul_(20)
        layer.out_proj.weight.mul_(500)
    q, k, v, out = (
        getattr(layer.q_config, n) for n in ("qlinear", "klinear", "vlinear", "out_proj")
    )
    layer.set_no_overflow_quant()
    widest = k.weight.integer_bits
    assert q.weight.integer_bits < widest < out.weight.integer_bits
    layer.set_no_overflow_quant(same_qkv=True)
    assert q.weight == k.weight == v.weight == QType(total_bits=8, fractional_bits=8 - widest)
    layer.set_no_overflow_quant(same_all=True)
    assert q.weight == v.weight == out.weight
    assert q.bias == out.bias
    layer.set_high_precision_quant(True)
    assert q.weight == out.weight
    assert q.weight.fractional_bits == 24
    plain, _ = build("linear")
    plain.set_no_overflow_quant(True)
    assert plain.q_config.weight == plain.q_config.bias
    plain.set_high_precision_quant(fractional_bits=10)
    assert plain.q_config.weight.fractional_bits == 10
    block, _ = build("encoder")
    block.set_no_overflow_quant(same_ff=True)
    assert block.q_config.linear1.weight == block.q_config.linear2.weight
    cell, _ = build("lstm")
    cell.set_no_overflow_quant(same_fc=True)
    assert cell.q_config.w_ih.weight == cell.q_config.w_hh.weight
    wide, _ = build("linear")
    wide.q_config.weight.total_bits, wide.q_config.bias.total_bits = 6, 9
    wide.set_no_overflow_quant(same_wb=True)
    assert wide.q_config.weight.total_bits == wide.q_config.bias.total_bits == 9


@pytest.mark.parametrize("name", PARAMETERS)
def test_weights_for_good(name: str) -> None:
    """Idempotent, and the next forward is unchanged."""
    layer, inputs = build(name)
    layer.set_no_overflow_quant()
    before = first(layer(*inputs))
    layer.quantize_weights_bias()
    assert torch.equal(first(layer(*inputs)), before)
    for x, q in parameter_types(layer):
        assert torch.equal(x, quantize(x, q))


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("kind", ["no_overflow", CalibrationType.MIN_MSE])
def test_calibration(name: str, kind: Any) -> None:
    """Open types of activations are decided by what passes, and floats stay floats."""
    layer, inputs = build(name)
    if name in PARAMETERS:
        layer.set_no_overflow_quant()
    config = layer.q_config
    opened = {"input": "input", "encoder": "residual_1", "attention": "attn_output"}
    field = opened.get(name, "activation" if hasattr(config, "activation") else "output")
    q = getattr(config, field)
    q.fractional_bits = None
    with pytest.raises(ValueError, match=f"{type(layer).__name__}: {field}: fractional_bits not"):
        layer(*inputs)
    logger = ActivationLogger(enabled=True)
    y = layer(*inputs, logger=logger, calibrate=True, calibration_type=kind)
    assert getattr(config, field) is q
    assert q.fractional_bits is not None
    if name != "lstm":  # whose steps decide anew, so that the last one's types stay
        assert torch.equal(first(layer(*inputs)), first(y))
    if name in ("linear", "conv"):
        before = torch.tensor(logger.log_data[f"{type(layer).__name__}.activation"]["value"])
        expected = act(16, None)
        set_calibrated_activation_quant(before, expected, kind)
        assert q == expected
    with pytest.raises(ValueError, match="calibration_type is one of no_overflow, min_mse"):
        layer(*inputs, calibrate=True, calibration_type="best")


def test_steps_of_a_linear_layer() -> None:
    """Input, weight, bias and result, each in its type, element by element."""
    layer, (x,) = build("linear")
    layer.set_no_overflow_quant()
    c = layer.requires_grad_(False).q_config
    for row, found in zip(x.flatten(0, 1), layer(x).flatten(0, 1), strict=True):
        for j in range(6):
            total = Fraction(grid(float(layer.bias[j]), c.bias))
            for k in range(8):
                weight = grid(float(layer.weight[j, k]), c.weight)
                total += Fraction(weight) * Fraction(grid(float(row[k]), c.input))
            assert float(found[j]) == grid(float(total), c.activation)


@pytest.mark.parametrize("name", LAYERS)
def test_logger(name: str, tmp_path: Path) -> None:
    """A forward with a logger changes nothing; each quantized tensor told is on its grid."""
    layer, inputs = build(name)
    if name in PARAMETERS:
        layer.set_no_overflow_quant()
    logger = ActivationLogger(enabled=True, model=layer)
    y = first(layer(*inputs, logger=logger))
    assert torch.equal(y, first(layer(*inputs)))
    scope = type(layer).__name__
    entry = logger.get_log_data()[f"{scope}.output"]
    assert torch.equal(torch.tensor(entry["value"]), y)
    assert (entry["shape"], entry["layer_type"]) == (list(y.shape), scope)
    if name == "lstm":
        assert {f"{scope}.t3.c_t", f"{scope}.w_ih.weight_quant"} <= set(logger.log_data)
    if name == "encoder":
        assert f"{scope}.self_attn.qlinear.input_quant" in logger.log_data
        assert f"{scope}.ffn.ff_activation_quant" in logger.log_data
    logger.save_to_json(tmp_path / "new" / "log.json", clear=False)
    assert json.loads((tmp_path / "new" / "log.json").read_text()) == logger.log_data
    plain = nn_logger.ActivationLogger()
    layer(*inputs, logger=plain)
    assert torch.equal(plain.activations["output"][-1], y)


def test_a_logger_that_is_off() -> None:
    """As released it is off unless enabled; a float layer tells its input and output alone."""
    layer, (x,) = build("linear", quantized=False)
    off, shapes = ActivationLogger(), ActivationLogger(True, store_full_tensors=False)
    layer(x, logger=off)
    assert not off.log_data
    assert not off.is_enabled()
    with pytest.warns(UserWarning, match="nothing was logged"):
        off.save_to_json("nowhere.json")
    layer(x, logger=shapes)
    assert list(shapes.log_data) == ["FxPLinear.input", "FxPLinear.output"]
    assert shapes.log_data["FxPLinear.input"]["value"] == "[Tensor data not stored]"
    shapes.log("nothing", None)
    assert shapes.log_data["nothing"]["shape"] == "N/A"
    shapes.clear()
    assert not shapes.log_data
    norm, told = FxPLayerNorm(8), ActivationLogger(True)
    assert torch.equal(norm(x, logger=told), nn.LayerNorm(8)(x))
    mean = torch.tensor(told.log_data["FxPLayerNorm.mean"]["value"])
    assert torch.equal(mean, x.mean(-1, keepdim=True))
    assert {"FxPLayerNorm.variance", "FxPLayerNorm.input_normalized"} < set(told.log_data)
    float_layer = LinearTransparent(8, 6)
    assert torch.equal(float_layer(x, anything=1), nn.Linear.forward(float_layer, x))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FxPLSTM(3, 4, bidirectional=True), "harness.nn.QuantizedLSTM has others"),
        (lambda: FxPLSTM(3, 4)(torch.ones(2, 3)), "the input has shape"),
        (lambda: FxPLSTM(3, 4)(torch.ones(2, 5, 3), (torch.ones(4),) * 2), "a state has shape"),
        (lambda: FxPMultiheadAttention(8, 3), "not divisible by num_heads 3"),
        (lambda: FxPMultiheadAttention(8, 2, batch_first=False), "is batch first"),
        (lambda: FxPMultiheadAttention(8, 2)(*[torch.ones(4, 8)] * 3), "query has shape"),
        (lambda: FxPTransformerEncoderLayer(8, 2), "pass batch_first=True"),
        (
            lambda: FxPTransformerEncoderLayer(8, 2, activation="tanh", batch_first=True),
            "activation is one of relu, gelu",
        ),
    ],
)
def test_refused(make: Any, message: str) -> None:
    """One line says what is served."""
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


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
    logger = nn_logger.ActivationLogger()
    y = layer(*inputs, logger=logger)
    assert torch.equal(first(y), first(parent(*inputs)))
    kept = logger.activations.get("output", logger.activations.get("output.0"))
    assert torch.equal(kept[0], first(y))
    assert torch.equal(logger.activations.get("input", logger.activations.get("input.0"))[0], x)
