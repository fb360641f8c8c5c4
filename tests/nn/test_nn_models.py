"""Whole models: swapped by a configuration and back, folded, their encodings in files."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn

from harness import ApFixed, MiniFloat, quantize
from harness.nn import (
    FixedQuantizer,
    FloatQuantizer,
    NotInitializedError,
    QuantizedModule,
    compute_encodings,
)
from harness.nn.affine import AffineQuantizer
from harness.nn.encodings import (
    as_fixed,
    export_aimet,
    export_encodings,
    import_aimet,
    import_encodings,
)
from harness.nn.logger import ActivationLogger
from harness.nn.model import convert, fold_batch_norms, name_modules, prepare
from harness.nn.registry import QuantizedLinear

T = "ap_fixed<8,2,AP_RND_CONV,AP_SAT>"
WEIGHT = "4.param_quantizers.weight"
CONFIG: dict[str, Any] = {
    "default": {"weight": T, "output": {"fixed": {"width": 12}}},
    "types": {"Linear": {"bias": T}, "ReLU": {"output": None}},
    "names": {
        "4": {
            "input": {"affine": {"bitwidth": 8, "symmetric": False}},
            "weight": {"affine": {"bitwidth": 6, "per_channel": True}},
        }
    },
}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def network() -> nn.Sequential:
    """A small convolutional network whose batch norm has seen data."""
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10)
    )
    for _ in range(3):
        model(torch.randn(5, 1, 8, 8))
    return model.eval()


X = torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(1))


def test_prepared_without_configuration_is_the_same() -> None:
    """Every module is swapped, no parameter is, and the results are the same bits."""
    model = network()
    expected, parameters = model(X), dict(model.named_parameters())
    model = prepare(model)
    assert all(isinstance(child, QuantizedModule) for child in model)
    assert torch.equal(model(X), expected)
    assert all(parameters[name] is p for name, p in model.named_parameters())
    model = convert(model)
    assert [type(child).__name__ for child in model] == [type(c).__name__ for c in network()]
    assert torch.equal(model(X), expected)
    assert all(parameters[name] is p for name, p in model.named_parameters())


@pytest.mark.parametrize("form", ["dict", "json", "yaml"])
def test_configuration(form: str, tmp_path: Path) -> None:
    """Names before types before the default, slot by slot, from a dictionary or a file."""
    config: Any = CONFIG
    if form != "dict":
        config = tmp_path / f"config.{form}"
        config.write_text(json.dumps(CONFIG) if form == "json" else yaml.safe_dump(CONFIG))
    model = prepare(network(), config)
    assert str(model[0].param_quantizers["weight"].format) == T
    assert model[0].param_quantizers["bias"] is None
    assert str(model[4].param_quantizers["bias"].format) == T
    assert model[4].param_quantizers["weight"].shape == (10, 1)
    assert model[2].output_quantizers[0] is None
    assert isinstance(model[4].input_quantizers[0], AffineQuantizer)
    with pytest.raises(NotInitializedError, match=r"0\.output_quantizers\.0 has no encodings"):
        model(X)
    with compute_encodings(model):
        model(X)
    y = model(X)
    t = model[4].output_quantizers[0].format
    assert torch.equal(y, quantize(y.detach(), t))
    y.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.requires_grad)


class Tied(nn.Module):
    """A module used twice, and a weight shared by two."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.again = self.first
        self.other = nn.Linear(4, 4)
        self.other.weight = self.first.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.other(self.again(self.first(x)))


def test_patterns_of_slots() -> None:
    """All weights of a recurrent layer by one pattern, but for one that has its own line."""
    config = {"types": {"LSTM": {"weight*": T, "weight_hh_l0": None, "*_gate": "ap_fixed<9,2>"}}}
    (lstm,) = prepare(nn.Sequential(nn.LSTM(4, 3, 2)), config)
    given = {name for name, q in lstm.param_quantizers.items() if q is not None}
    assert given == {"weight_ih_l0", "weight_ih_l1", "weight_hh_l1"}
    points = {name for name, q in lstm.intermediate_quantizers.items() if q is not None}
    assert points == {"input_gate", "forget_gate", "cell_gate", "output_gate"}


def test_shared_and_tied() -> None:
    """One module stays one module, one parameter one parameter."""
    model = Tied()
    x = torch.randn(3, 4)
    expected = model(x)
    prepared = prepare(model, {"default": {"weight": None}})
    assert prepared.first is prepared.again
    assert prepared.first.weight is prepared.other.weight
    assert torch.equal(prepared(x), expected)
    back = convert(prepared)
    assert back.first is back.again
    assert back.first.weight is back.other.weight


class Unknown(nn.Module):
    """Of no registry."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def test_unknown_module() -> None:
    """It is named by its path, with the remedy; skipped, it stays."""
    model = nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.ReLU(), Unknown()))
    with pytest.raises(ValueError, match=r"1\.1: Unknown has no quantized class; register"):
        prepare(model)
    model = prepare(nn.Sequential(nn.Linear(3, 3), Unknown()), {"skip": ["1"]})
    assert type(model[1]) is Unknown


def test_inside_a_transformer_layer() -> None:
    """Its layers are configured by their paths, and skipped with it or not at all."""
    model = nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True))
    x = torch.randn(2, 4, 8)
    with pytest.raises(ValueError, match=r"0\.linear1 is part of a layer"):
        prepare(copy.deepcopy(model), {"skip": ["0.linear1"]})
    skipped = prepare(copy.deepcopy(model), {"skip": ["0"]})
    assert type(skipped[0]) is nn.TransformerEncoderLayer
    config = {"names": {"0.linear*": {"weight": T}, "0.self_attn": {"softmax": "ap_ufixed<8,0>"}}}
    quantized = prepare(copy.deepcopy(model), config)
    assert str(quantized[0].linear2.param_quantizers["weight"].format) == T
    assert quantized[0].self_attn.intermediate_quantizers["softmax"] is not None
    assert not torch.equal(quantized(x), model(x))
    assert torch.equal(convert(quantized)(x), model(x))


@pytest.mark.filterwarnings("ignore")
def test_compiled_module() -> None:
    """A quantized layer is one graph to the compiler, with the same results."""
    layer = QuantizedLinear(6, 5)
    layer.input_quantizers[0] = FixedQuantizer("ap_fixed<8,3,AP_RND_CONV,AP_SAT>")
    layer.output_quantizers[0] = FixedQuantizer("ap_fixed<10,4,AP_RND_CONV,AP_SAT>")
    layer.param_quantizers["weight"] = FixedQuantizer(T)
    x = torch.randn(7, 6)
    assert torch.equal(torch.compile(layer, fullgraph=True)(x), layer(x))


@pytest.mark.parametrize("shape", [(0, 6), (1, 6), (2, 3, 6)])
def test_odd_shapes(shape: tuple[int, ...]) -> None:
    """Empty, single and deeper batches."""
    layer = QuantizedLinear(6, 5)
    layer.input_quantizers[0] = FixedQuantizer(T)
    layer.param_quantizers["weight"] = FixedQuantizer(T)
    y = layer(torch.randn(shape))
    assert y.shape == (*shape[:-1], 5)
    y.sum().backward()
    assert torch.isfinite(layer.weight.grad).all()


def test_values_that_are_no_numbers() -> None:
    """NaN and infinities go where the type sends them; a float without NaN refuses."""
    x = torch.tensor([float("nan"), float("inf"), -float("inf")])
    t = ApFixed.parse(T)
    assert torch.equal(FixedQuantizer(t)(x), quantize(x, t))
    with pytest.raises(ValueError, match="has NaN, ap_float"):
        FloatQuantizer(MiniFloat(3, 4, 0))(x)
    quantizer = FixedQuantizer(width=8)
    quantizer.where = "fc.input"

    def calibrate() -> None:
        with quantizer.compute_encodings():
            quantizer(x)

    with pytest.raises(ValueError, match=r"fc\.input: no type holds"):
        calibrate()


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"defaults": {}}, "default, types, names, skip"),
        ({"names": {"9": {}}}, "names '9', which the model has not; it has 0, 1, 2, 3, 4"),
        ({"names": {"5*": {}}}, "names '5\\*', which the model has not"),
        ({"default": {"weights": T}}, "model has no weights; it has input, .*; nearest: weight"),
        ({"default": {"outptu": T}}, "model has no outptu; it has .*; nearest: output"),
        ({"types": {"Linear": {"wei*t": T, "bais": T}}}, "Linear has no bais.*; nearest: bias"),
        ({"types": {"ReLU": {"weight": T}}}, "ReLU has no weight; it has input, output"),
        ({"types": {"linear": {}}}, "'linear', of which no module .*; nearest: Linear"),
        ({"types": {"Module": {}}}, "'Module', of which no module is quantized"),
        ({"names": {"*": {"weigth": T}}}, r"\\* has no weigth; it has .*; nearest: weight"),
        ({"names": {"4": T}}, "names '4' must have its slots as a dict"),
        ({"default": "weight"}, "default must be a dict, not 'weight'"),
        ({"skip": "4"}, "skip must be a list, not '4'"),
        ({"skip": ["4"], "names": {"4": {"weight": T}}}, "names '4', which the model has not"),
        ({"types": {"Conv9d": {}}}, "type 'Conv9d', of which no .*nearest: Conv2d"),
        ({"skip": ["nothing"]}, "names 'nothing'"),
        ({"names": {"4": {"wait": T}}}, "4 has no wait; it has input, output, weight"),
        ({"names": {"4": {"weight": "foo<3>"}}}, r"4\.weight: cannot read a type"),
        ({"names": {"4": {"weight": {"magic": {}}}}}, r"4\.weight: a quantizer is"),
        ({"names": {"4": {"weight": {"fixed": {"bits": 3}}}}}, r"4\.weight: .*bits"),
        (
            {"names": {"4": {"input": {"affine": {"bitwidth": 4, "per_channel": True}}}}},
            "for param",
        ),
    ],
)
def test_bad_configuration(config: dict[str, Any], reason: str) -> None:
    """What the model does not have is an error that says where."""
    with pytest.raises(ValueError, match=reason):
        prepare(network(), config)


def test_a_pattern_is_for_the_modules_that_have_the_slot() -> None:
    """All weights of a part of the model by one line; the container's own path is no module."""
    model = nn.Sequential(nn.Sequential(nn.Linear(3, 3), nn.ReLU()), nn.Linear(3, 3))
    prepared = prepare(copy.deepcopy(model), {"names": {"0.*": {"weight": T}}})
    assert str(prepared[0][0].param_quantizers["weight"].format) == T
    assert prepared[1].param_quantizers["weight"] is None
    with pytest.raises(ValueError, match="names '0', which the model has not; it has 0.0, 0.1, 1"):
        prepare(copy.deepcopy(model), {"names": {"0": {"weight": T}}})


def test_bad_files(tmp_path: Path) -> None:
    """Files that are no configuration."""
    for name, text in (("a.json", "{"), ("b.yaml", "a: [1"), ("c.yaml", "- 1")):
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match="configuration"):
            prepare(network(), tmp_path / name)


def test_folding() -> None:
    """The batch norm is gone, the results those of evaluation, quantizers and modules kept."""
    model = network()
    folded = fold_batch_norms(model)
    assert isinstance(folded[1], nn.Identity)
    assert torch.allclose(folded(X), model(X), atol=1e-6)
    prepared = fold_batch_norms(prepare(network(), {"names": {"0": {"weight": T}}}))
    assert str(prepared[0].param_quantizers["weight"].format) == T
    dense = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5)).double()
    dense(torch.randn(9, 6).double())
    dense.eval()
    x = torch.randn(2, 6).double()
    assert torch.allclose(fold_batch_norms(dense)(x), dense(x))
    with pytest.raises(ValueError, match="call eval"):
        fold_batch_norms(network().train())


def prepared() -> nn.Module:
    """A calibrated model."""
    model = prepare(network(), CONFIG)
    with compute_encodings(model):
        model(X)
    return model


def test_encodings_round_trip() -> None:
    """Into a fresh model: the same bits; by AIMET's JSON too, which knows affine ones."""
    model = prepared()
    y = model(X)
    fresh = prepare(network(), CONFIG)
    fresh.load_state_dict(convert_state(model), strict=False)
    import_encodings(fresh, export_encodings(model))
    assert torch.equal(fresh(X), y)
    assert export_encodings(fresh) == export_encodings(model)
    aimet = prepare(network())
    aimet.load_state_dict(convert_state(model), strict=False)
    import_aimet(aimet, export_aimet(model))
    assert torch.equal(aimet(X), y)
    assert json.loads(export_aimet(aimet)) == json.loads(export_aimet(model))


def convert_state(model: nn.Module) -> dict[str, Any]:
    """The parameters and buffers of a model, without its quantizers."""
    return {k: v for k, v in model.state_dict().items() if "quantizers" not in k}


def _edited(edit: Callable[[Any], object]) -> str:
    document = json.loads(export_encodings(prepared()))
    edit(document["quantizers"])
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (lambda: "{", "no file of encodings"),
        (lambda: "[]", "no file of encodings"),
        (lambda: '{"quantizers": 3}', "no file of encodings"),
        (lambda: _edited(lambda q: q.pop("0.output_quantizers.0")), r"0\.output.* the model has"),
        (lambda: _edited(lambda q: q.update(x=q["0.output_quantizers.0"])), "x: the file has"),
        (lambda: _edited(lambda q: q["0.output_quantizers.0"].pop("state")), "another model"),
        (
            lambda: _edited(
                lambda q: q["4.param_quantizers.weight"]["tensors"].update(scale=[1.0])
            ),
            r"4\.param_quantizers\.weight: .*another model",
        ),
        (
            lambda: _edited(lambda q: q["4.param_quantizers.weight"]["tensors"].pop("scale")),
            r"weight: .*the file lacks scale",
        ),
        (
            lambda: _edited(
                lambda q: q["4.param_quantizers.weight"]["tensors"].update(scale=[[1.0] * 10])
            ),
            r"scale has shape \(1, 10\), not \(10, 1\)",
        ),
        (
            lambda: _edited(
                lambda q: q["4.param_quantizers.weight"]["tensors"].update(scale=[[0.1]] * 10)
            ),
            r"scale has numbers that torch.float32 does not",
        ),
        (lambda: export_encodings(prepared()).replace('"version": 1', '"version": 2'), "version 2"),
    ],
)
def test_encodings_of_another_model(text: Callable[[], str], reason: str) -> None:
    """The path and the reason; and nothing is half set."""
    model = prepared()
    before = export_encodings(model)
    with pytest.raises(ValueError, match=reason):
        import_encodings(model, text())
    assert export_encodings(model) == before


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"activation_encodings": {"7": {"input": {"0": {}}}}, "param_encodings": {}}, r"7\.input"),
        ({"activation_encodings": {"4": {"input": {"5": {}}}}, "param_encodings": {}}, "1 places"),
        ({"activation_encodings": {}, "param_encodings": {"4.gain": [{}]}}, r"4\.gain: the model"),
        ({"activation_encodings": {}, "param_encodings": {"4.bias": [{}]}}, "is no encoding"),
        ({"activation_encodings": {}}, "no file of encodings"),
    ],
)
def test_aimet_files_of_another_model(document: dict[str, Any], reason: str) -> None:
    """As well by AIMET's JSON."""
    with pytest.raises(ValueError, match=reason):
        import_aimet(prepared(), json.dumps(document))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"dtype": "float"}, "dtype is 'float', not int"),
        ({"is_symmetric": "true"}, "is_symmetric is 'true', not True or False"),
        ({"bitwidth": 4}, "its channels differ in bitwidth"),
    ],
)
def test_aimet_entries_that_would_be_misread(change: dict[str, Any], reason: str) -> None:
    """Of another kind, another spelling, or not alike in all channels."""
    document = json.loads(export_aimet(prepared()))
    document["param_encodings"]["4.weight"][0].update(change)
    with pytest.raises(ValueError, match=f"4.weight: is no encoding: {reason}"):
        import_aimet(prepared(), json.dumps(document))


def test_what_is_no_affine_encoding() -> None:
    """A type that wraps, or waits for data, is not exported as if it were one."""
    layer = nn.Sequential(QuantizedLinear(2, 2))
    layer[0].input_quantizers[0] = FixedQuantizer("ap_fixed<8,4>")
    with pytest.raises(ValueError, match=r"0\.input_quantizers\.0: .*no affine encoding"):
        export_aimet(layer)
    layer[0].input_quantizers[0] = FixedQuantizer(width=8)
    with pytest.raises(ValueError, match="no encodings"):
        export_aimet(layer)


def test_affine_as_fixed() -> None:
    """An affine encoding whose scale is a power of two is a type; others are refused."""
    quantizer = AffineQuantizer((), 8)
    quantizer.set_encodings(2.0**-5)
    fixed = as_fixed(quantizer)
    assert fixed.format == ApFixed(8, 3, rounding="RND_CONV", overflow="SAT")
    x = torch.randn(500) * 4
    assert torch.equal(fixed(x), quantizer(x))
    quantizer.set_encodings(0.3)
    with pytest.raises(ValueError, match="no fixed-point type"):
        as_fixed(quantizer)


def test_calibration_is_undone_by_an_exception() -> None:
    """A model whose calibration fails is as it was."""
    model = prepared()
    before = export_encodings(model)

    def fail() -> None:
        with compute_encodings(model):
            model(X * 100)
            raise KeyError("data")

    with pytest.raises(KeyError):
        fail()
    assert export_encodings(model) == before


def test_kernel() -> None:
    """A kernel gets quantized inputs and parameters, and is bypassed while calibrating."""
    layer = QuantizedLinear(4, 3)
    layer.param_quantizers["weight"] = FixedQuantizer(T)
    layer.input_quantizers[0] = FixedQuantizer(width=8)
    layer.output_quantizers[0] = FixedQuantizer(width=12)
    seen = []

    def kernel(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        seen.append((x, weight))
        return x @ weight.T + bias + 1

    layer.set_kernel(kernel)
    x = torch.randn(2, 4)
    with layer.compute_encodings():
        weight = quantize(layer.weight.detach(), ApFixed.parse(T))
        assert torch.equal(layer(x), nn.functional.linear(x, weight, layer.bias))
    assert not seen
    y = layer(x)
    ((got, weight),) = seen
    assert torch.equal(got, layer.input_quantizers[0](x))
    assert torch.equal(weight, quantize(layer.weight.detach(), ApFixed.parse(T)))
    assert torch.equal(y, layer.output_quantizers[0](got @ weight.T + layer.bias + 1))
    layer.set_kernel(None)
    assert not torch.equal(layer(x), y)


def test_too_many_inputs() -> None:
    """A float input without a place is an error that names the module."""
    from harness.interfaces.aimet import nn as quantized

    model = nn.ModuleDict({"join": quantized.custom.QuantizedConcat()})
    name_modules(model)
    join = model["join"]
    count = len(join.input_quantizers)
    join.input_quantizers[0] = FixedQuantizer("ap_fixed<8,4>")
    with pytest.raises(ValueError, match=f"join has {count} input quantizers"):
        join(*[torch.randn(2) for _ in range(count + 1)])


def test_activation_log() -> None:
    """The log is what forward hooks see, and comes back from JSON bit for bit."""
    model = prepared()
    logger, hooked = ActivationLogger(), {}
    for name, module in model.named_modules():
        module.register_forward_hook(
            lambda m, i, o, name=name or "model": hooked.setdefault(name, []).append(o)
        )
    with logger.watch(model):
        model(X)
        model(X[:2])
    assert set(logger.activations) == set(hooked)
    assert "4.input_quantizers.0" in hooked
    again = ActivationLogger.from_json(logger.to_json())
    for name, tensors in hooked.items():
        for x, y, z in zip(tensors, logger.activations[name], again.activations[name], strict=True):
            assert torch.equal(x, y)
            assert torch.equal(y, z)
            assert y.dtype == z.dtype
    model(X)
    assert len(logger.activations["4"]) == 2  # nothing once outside
    with pytest.raises(ValueError, match="no log"):
        ActivationLogger.from_json('{"a": [{}]}')
