"""From torch to typed models: the same values as the quantized model, or a refusal."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from harness import ApFixed
from harness.hls import Dense, Linear, Project, ReLU, compare, ranges
from harness.hls.convert import (
    ConversionError,
    fold_batch_norms,
    from_torch,
    hls4ml_config,
    with_typed_weights,
)
from harness.nn import FixedQuantizer
from harness.nn.affine import AffineQuantizer
from harness.nn.base import compute_encodings
from harness.nn.model import prepare

WEIGHTS = {
    "weight": "ap_fixed<8,1,AP_RND_CONV,AP_SAT>",
    "bias": "ap_fixed<12,4,AP_RND_CONV,AP_SAT>",
}
I8 = {"Precision": {"result": "fixed<8,4>"}}
FINE = {"Model": {"Precision": {"default": "fixed<26,8>"}}}
DEFAULT = {"Model": {"Precision": {"default": "fixed<16,6>"}}}


def mlp():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 5)).eval()


def calibrated(model, x, types):
    quantized = prepare(copy.deepcopy(model), {"types": types})
    with compute_encodings(quantized):
        quantized(x)
    return quantized


def image_model():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(3 * 16, 4)
    ).eval()


INPUT = {"input": {"fixed": {"width": 10}}}
OUTPUT = {"output": {"fixed": {"width": 9, "signed": False}}}


def test_a_calibrated_model_has_the_very_values_of_its_quantizers():
    x = torch.randn(500, 16, generator=torch.Generator().manual_seed(1))
    types = {"Linear": {**WEIGHTS, **INPUT}, "ReLU": OUTPUT}
    quantized = calibrated(mlp(), x, types)
    typed = from_torch(quantized)
    assert [type(step.layer) for step in typed.steps] == [Dense, ReLU, Dense]
    assert torch.equal(typed(x), quantized.double()(x.double()))
    assert not ranges(typed)[0].overflows  # the accumulator was chosen to hold every sum


def test_images_are_channels_last_and_flatten_as_torch_does():
    x = torch.randn(40, 2, 8, 8, generator=torch.Generator().manual_seed(1))
    types = {"Linear": WEIGHTS, "Conv2d": {**WEIGHTS, **INPUT}, "ReLU": OUTPUT}
    quantized = calibrated(image_model(), x, types)
    typed = from_torch(quantized, input_shape=(2, 8, 8))
    assert typed.inputs["input_1"][1] == (8, 8, 2)
    assert torch.equal(typed(x.permute(0, 2, 3, 1)), quantized.double()(x.double()))


def test_a_quantizer_that_changes_values_becomes_a_layer():
    quantized = prepare(nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)).eval(), {})
    wide, narrow = "ap_ufixed<9,4,AP_RND,AP_SAT>", "ap_fixed<6,3,AP_RND,AP_SAT>"
    quantized[0].input_quantizers[0] = FixedQuantizer("ap_fixed<8,4>")
    quantized[1].output_quantizers[0] = FixedQuantizer(wide)
    quantized[2].input_quantizers[0] = FixedQuantizer(narrow)
    config = {
        "LayerName": {
            n: {"Precision": {"weight": "fixed<8,2>", "bias": "fixed<8,2>"}} for n in ("_0", "_2")
        }
    }
    typed = from_torch(quantized, config)
    assert [type(step.layer) for step in typed.steps] == [Dense, ReLU, Linear, Dense]
    assert typed.steps[2].layer.input_types == (ApFixed.parse(wide),)
    assert typed.steps[2].layer.result == ApFixed.parse(narrow)


def test_a_plain_model_takes_its_types_from_a_configuration():
    config = {
        "Model": {"Precision": "fixed<16,6>", "Strategy": "Resource", "ReuseFactor": 4},
        "LayerName": {
            "input": {"Precision": {"result": "fixed<12,4>"}},
            "_0": {"Precision": {"weight": "fixed<8,2>", "accum": "fixed<20,9,RND,SAT>"}},
            "_2": {"Strategy": "Latency"},
        },
    }
    typed = from_torch(mlp(), config)
    first, last = typed.layer("_0"), typed.layer("_2")
    assert first.input_types == (ApFixed(12, 4),)
    assert first.parameter_types == {"weight": ApFixed(8, 2), "bias": ApFixed(16, 6)}
    assert first.accum == ApFixed(20, 9, rounding="RND", overflow="SAT")
    assert (first.strategy, first.reuse_factor) == ("resource", 4)
    assert (last.strategy, last.reuse_factor) == ("latency", 1)
    assert last.result == ApFixed(16, 6)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4, bias=False)

    def forward(self, x):
        y = torch.relu(self.a(x)) + x
        return self.b(y) * y


IMAGES = {
    "poolings": [
        nn.Conv2d(2, 3, 3, padding="same"),
        nn.MaxPool2d(2),
        nn.LeakyReLU(0.125),
        nn.AvgPool2d((2, 2), padding=1, count_include_pad=False),
        nn.Flatten(),
        nn.Linear(27, 4),
    ],
    "everything at once": [nn.Conv2d(2, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.ELU(0.5)],
    "the largest": [nn.Conv2d(2, 3, 3), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.ReLU6()],
}


@pytest.mark.parametrize("name", IMAGES)
def test_images_are_pooled_as_torch_pools_them(name):
    torch.manual_seed(0)
    model = nn.Sequential(*copy.deepcopy(IMAGES[name])).eval().double()
    typed = from_torch(model, FINE, input_shape=(2, 8, 8))
    x = torch.randn(30, 2, 8, 8, generator=torch.Generator().manual_seed(1)).double()
    torch.testing.assert_close(typed(x.permute(0, 2, 3, 1)), model(x), atol=0.01, rtol=0)


def test_rows_of_steps_are_pooled_too():
    torch.manual_seed(0)
    layers = [nn.Conv1d(2, 3, 3), nn.AvgPool1d(2), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(6, 2)]
    model = nn.Sequential(*layers).eval().double()
    x = torch.randn(30, 2, 10, generator=torch.Generator().manual_seed(1)).double()
    typed = from_torch(model, FINE, input_shape=(2, 10))
    torch.testing.assert_close(typed(x.permute(0, 2, 1)), model(x), atol=0.01, rtol=0)


@pytest.mark.parametrize(
    "activation",
    [
        nn.Sigmoid(),
        nn.Tanh(),
        nn.SELU(),
        nn.Softplus(),
        nn.Softsign(),
    ],
)
def test_activations_by_tables_are_near_torchs(activation):
    model = nn.Sequential(nn.Linear(4, 3), activation).eval().double()
    config = {**FINE, "LayerName": {"_1": {"Precision": {"table": "fixed<24,4>"}}}}
    x = torch.randn(50, 4, generator=torch.Generator().manual_seed(1)).double()
    torch.testing.assert_close(from_torch(model, config)(x), model(x), atol=0.03, rtol=0)


@pytest.mark.parametrize("axis", [1, -1])
def test_softmax_is_near_torchs_where_its_tables_see_every_bit(axis):
    model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(axis)).eval().double()
    types = {"_0": {"result": "fixed<10,4>"}, "_1": {"inv_inp": "fixed<10,4>"}}
    config = {**FINE, "LayerName": {name: {"Precision": t} for name, t in types.items()}}
    x = torch.randn(50, 4, generator=torch.Generator().manual_seed(1)).double()
    torch.testing.assert_close(from_torch(model, config)(x), model(x), atol=0.03, rtol=0)


def test_values_may_have_several_readers():
    torch.manual_seed(0)
    model = Residual().eval()
    wide = {"Model": {"Precision": {"default": "fixed<30,8>"}}}
    typed = from_torch(model, wide)
    assert [step.layer.name for step in typed.steps] == ["a", "relu", "add", "b", "mul"]
    x = torch.randn(100, 4, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(typed(x), model.double()(x.double()), atol=1e-4, rtol=0)


def normalized(**layers):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).eval()
    model[1].running_mean.normal_()
    model[1].running_var.uniform_(0.5, 2)
    config = {**DEFAULT, "LayerName": {n.replace("l", "_"): v for n, v in layers.items()}}
    return model, from_torch(model, config)


LOSSLESS = {"Precision": {"weight": "fixed<8,2>", "bias": "fixed<8,2>", "result": "fixed<40,20>"}}


def test_an_exact_fold_changes_no_code():
    model, typed = normalized(l0=LOSSLESS)
    folded = fold_batch_norms(typed)
    assert [type(step.layer) for step in folded.steps] == [Dense, Dense]
    x = torch.randn(300, 6, generator=torch.Generator().manual_seed(1)) * 8
    assert torch.equal(folded(x), typed(x))
    x = x.clamp(-4, 4)
    torch.testing.assert_close(typed(x), model.double()(x.double()), atol=0.5, rtol=0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"result": "fixed<16,6>"}, r"_1 is not folded: _0 rounds its result to ap_fixed<16,6>"),
        ({"accum": "fixed<16,6>"}, r"_1 is not folded: _0 rounds in its accumulator"),
        ({"accum": "fixed<24,4>"}, r"_1 is not folded: _0 may overflow"),
    ],
)
def test_a_fold_that_would_change_codes_is_refused(change, says):
    _, typed = normalized(l0={"Precision": {**LOSSLESS["Precision"], **change}})
    with pytest.raises(ConversionError, match=says):
        fold_batch_norms(typed)


def test_the_configuration_for_hls4ml_says_every_type():
    typed = from_torch(mlp(), DEFAULT)
    config = hls4ml_config(typed)
    assert config["InputShape"] == (16,)
    assert config["LayerName"]["input_1"] == {"Precision": {"result": "fixed<16,6>"}}
    first = config["LayerName"]["_0"]
    assert first["Precision"] == {
        "weight": "fixed<16,6>",
        "bias": "fixed<16,6>",
        "accum": typed.layer("_0").accum.hls4ml,
        "result": "fixed<16,6>",
    }
    assert (first["Strategy"], first["ReuseFactor"]) == ("Latency", 1)
    assert str(from_torch(mlp(), config)) == str(typed)
    assert hls4ml_config(from_torch(mlp(), config)) == config


def test_the_model_for_hls4ml_has_the_typed_weights():
    x = torch.randn(50, 16, generator=torch.Generator().manual_seed(1))
    quantized = calibrated(mlp(), x, {"Linear": {**WEIGHTS, **INPUT}, "ReLU": OUTPUT})
    typed = from_torch(quantized)
    plain = with_typed_weights(quantized, typed)
    assert [type(m) for m in plain] == [nn.Linear, nn.ReLU, nn.Linear]
    weights = typed.weights()
    assert np.array_equal(plain[0].weight.detach().T.double(), weights["_0.weight"].values())
    assert np.array_equal(plain[2].bias.detach().double(), weights["_2.bias"].values())
    assert not torch.equal(quantized[0].weight, plain[0].weight)


def affine_quantized():
    model = prepare(mlp(), {})
    model[0].param_quantizers["weight"] = AffineQuantizer((), 8)
    return model


def unsettled():
    return prepare(mlp(), {"types": {"Linear": INPUT}})


def two_types():
    return prepare(mlp(), {"types": {"Linear": WEIGHTS}})


class Odd(nn.Module):
    def forward(self, x):
        return torch.cumsum(x, 1)


class Number(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, 3)

    def forward(self, x):
        return self.a(x) + 1


@pytest.mark.parametrize(
    ("make", "config", "says"),
    [
        (mlp, None, "the input has no type"),
        (
            mlp,
            {"LayerName": {"input": {"Precision": {"result": "fixed<8,4>"}}}},
            "_0 has no type for weight: give the module a FixedQuantizer, or config",
        ),
        (mlp, {"Types": {}}, "unknown key 'Types'; allowed: Model, LayerName"),
        (mlp, {**DEFAULT, "LayerName": {"fc1": {}}}, "LayerName has fc1, the model has: _0, _1"),
        (
            mlp,
            {**DEFAULT, "LayerName": {"_0": {"Precision": {"wieght": "fixed<8,2>"}}}},
            "_0: Precision: unknown key 'wieght'; .*nearest: weight",
        ),
        (
            mlp,
            {**DEFAULT, "LayerName": {"_0": {"precision": "fixed<8,2>"}}},
            "_0: unknown key 'precision'; .*nearest: Precision",
        ),
        (mlp, {"Model": {"Precision": {"defualt": "fixed<8,2>"}}}, "nearest: default"),
        (mlp, {"Model": {"Precison": "fixed<8,2>"}}, "Model: unknown key .*nearest: Precision"),
        (mlp, {"Model": {"Precision": "fixed<280,6>"}}, "more than 256 bits"),
        (mlp, {"Model": {"Precision": "int7"}}, "int7"),
        (mlp, {"Model": {"Precision": "fixed<16,6>", "Strategy": "fast"}}, "unknown strategy"),
        (
            lambda: nn.Sequential(nn.Linear(3, 4), nn.GLU()),
            DEFAULT,
            "_1 is a GLU, which is not supported; supported: .*Linear",
        ),
        (lambda: nn.Sequential(nn.ReLU()), DEFAULT, "input_shape is needed"),
        (lambda: nn.Sequential(nn.Linear(3, 4), Odd()), DEFAULT, "cumsum is not supported"),
        (Number, DEFAULT, "a tensor and a number"),
        (affine_quantized, DEFAULT, "_0.weight is quantized by AffineQuantizer; allowed"),
        (unsettled, DEFAULT, "input has no encodings"),
        (
            two_types,
            {**DEFAULT, "LayerName": {"_0": {"Precision": {"weight": "fixed<9,2>"}}}},
            r"_0.weight is quantized to ap_fixed<8,1,.*>, the configuration says ap_fixed<9,2>",
        ),
        (lambda: nn.Sequential(nn.Linear(3, 4), nn.Flatten(0)), DEFAULT, "flattens some axes"),
        (lambda: nn.Sequential(nn.Identity()), DEFAULT, "input_shape is needed"),
        (
            lambda: nn.Sequential(nn.Linear(3, 4), nn.Softplus(beta=2)),
            DEFAULT,
            r"_1 \(Softplus\) has beta 2; allowed: 1",
        ),
        (lambda: nn.Sequential(nn.Linear(3, 4), nn.Softmax(0)), DEFAULT, "is along axis 0"),
        (
            lambda: nn.Sequential(nn.Linear(3, 4), nn.Sigmoid()),
            {"LayerName": {"input": I8, "_0": {"Precision": "fixed<8,4>"}}},
            r"_1 \(Sigmoid\) has no type for its result",
        ),
    ],
)
def test_what_cannot_be_converted_is_named(make, config, says):
    with pytest.raises(ConversionError, match=says) as caught:
        from_torch(make().eval(), config)
    assert "\n" not in str(caught.value)


def test_a_weight_that_is_none_is_refused():
    model = mlp()
    model[0].weight.data[0, 0] = float("nan")
    with pytest.raises(ConversionError, match="NaN or infinite"):
        from_torch(model, DEFAULT)


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (nn.MaxPool1d(2, ceil_mode=True), "rounds sizes up or is dilated"),
        (nn.AvgPool1d(2, ceil_mode=True), "rounds sizes up or overrides"),
        (nn.AdaptiveAvgPool1d(2), r"has output size \(?2"),
    ],
)
def test_poolings_that_the_kernels_lack_are_refused(layer, says):
    model = nn.Sequential(nn.Conv1d(4, 4, 3), layer)
    with pytest.raises(ConversionError, match=says):
        from_torch(model, DEFAULT, input_shape=(4, 9))


def test_a_typed_model_of_another_network_is_refused():
    """Its weights would stay what they are, and nobody would say so."""
    model, typed = mlp(), from_torch(mlp(), DEFAULT)
    with_typed_weights(model, typed)
    with pytest.raises(ValueError, match="the torch model has no _[0-9] with weights"):
        with_typed_weights(model[:1], typed)
    with pytest.raises(ValueError, match="_[0-9] is no layer of the typed model, which has _0"):
        with_typed_weights(model, from_torch(model[:1], DEFAULT))


def test_grouped_convolutions_are_refused():
    model = nn.Sequential(nn.Conv1d(4, 4, 3, groups=2))
    with pytest.raises(ConversionError, match=r"_0 \(Conv1d\) has 2 groups"):
        from_torch(model, DEFAULT, input_shape=(4, 8))


@pytest.mark.filterwarnings("ignore")  # those of hls4ml's imports
def test_hls4ml_writes_what_the_typed_model_says(tmp_path, capsys):
    from hls4ml.converters import convert_from_pytorch_model

    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(2, 3, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.LeakyReLU(0.125),
        nn.Flatten(),
        nn.Linear(48, 6),
        nn.Tanh(),
        nn.Linear(6, 3),
        nn.Softmax(1),
    ).eval()
    config = {**DEFAULT, "LayerName": {"_7": {"Precision": {"result": "fixed<10,4>"}}}}
    typed = from_torch(model, config, input_shape=(2, 8, 8))
    options = {"hls_config": hls4ml_config(typed), "output_dir": str(tmp_path / "project")}
    plain = with_typed_weights(model, typed)
    convert_from_pytorch_model(plain, backend="Vivado", io_type="io_parallel", **options).write()
    capsys.readouterr()
    x = torch.randn(100, 8, 8, 2, generator=torch.Generator().manual_seed(1))
    project = Project.read(tmp_path / "project")
    found = compare(typed, project, x)
    assert found.agrees, found
    shown = [layer.name for layer in found.layers if layer.codes]
    assert shown == ["_0", "_1", "_2", "_3", "_5", "_6", "_7", "_8"]
    project.close()
