"""AIMET's ``QuantizationSimModel``: what is quantized by which configuration, files both ways."""

import json
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import harness.interfaces.aimet.quantization as Q  # noqa: N812  # as its document has it
from harness.interfaces.aimet import nn as quantized
from harness.interfaces.aimet.experimental import propagate_output_encodings
from harness.interfaces.aimet.nn import custom
from harness.interfaces.aimet.quantsim import (
    QuantizationDataType,
    QuantizationSimModel,
    QuantScheme,
    load_encodings_to_sim,
)
from harness.interfaces.aimet.quantsim.config import Config
from harness.interfaces.aimet.quantsim.config_utils import (
    set_activation_quantizers_to_float,
    set_blockwise_quantization_for_weights,
    set_grouped_blockwise_quantization_for_weights,
)


class Net(nn.Module):
    """Two convolutions that meet, a batch norm, a flattening function, a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(2, 4, 3, padding=1)
        self.add = custom.Add()
        self.fc = nn.Linear(64, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        first = self.relu1(self.norm(self.conv1(x)))
        return self.fc(torch.flatten(self.add(first, self.conv2(x)), 1))


#: A configuration that both AIMET's release and ours read alike.
EVERYTHING: dict[str, Any] = {
    "defaults": {
        "ops": {"is_output_quantized": "True"},
        "params": {"is_quantized": "True", "is_symmetric": "True"},
        "per_channel_quantization": "True",
    },
    "params": {"bias": {"is_quantized": "False"}},
    "op_type": {},
    "supergroups": [],
    "model_input": {"is_input_quantized": "True"},
    "model_output": {},
}
X = torch.linspace(-1, 2, 64).reshape(2, 2, 4, 4)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def simulated(scheme: Any = "tf", **options: Any) -> QuantizationSimModel:
    """Calibrated on ``X``."""
    torch.manual_seed(0)
    sim = QuantizationSimModel(Net().eval(), X, scheme, **options)
    sim.compute_encodings(lambda model: model(X))
    return sim


def places(sim: QuantizationSimModel) -> set[str]:
    """Where there are quantizers."""
    return {name for name, _ in sim.named_quantizers()}


def test_what_is_quantized() -> None:
    """The model's input, weights and outputs; not biases, folded norms, inside of supergroups."""
    assert places(simulated()) == {
        "conv1.input_quantizers.0",
        "conv2.input_quantizers.0",
        "conv1.param_quantizers.weight",
        "conv2.param_quantizers.weight",
        "fc.param_quantizers.weight",
        # conv1, its norm and ReLU are one.
        "relu1.output_quantizers.0",
        "conv2.output_quantizers.0",
        "add.output_quantizers.0",
        "fc.output_quantizers.0",
    }


def test_the_model_that_is_given_stays() -> None:
    """Unless it is to be quantized in place; what has quantizers is refused."""
    model = Net().eval()
    sim = QuantizationSimModel(model, X)
    assert type(model.conv1) is nn.Conv2d
    assert type(sim.model.conv1) is quantized.QuantizedConv2d
    assert QuantizationSimModel(model, X, in_place=True).model is model
    for again in (model, Q.affine.QuantizeDequantize((), 8, True)):
        with pytest.raises(RuntimeError, match="quantized already"):
            QuantizationSimModel(again, X)

    class Unknown(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x

    with pytest.raises(RuntimeError, match="Unknown has no quantized class"):
        QuantizationSimModel(nn.Sequential(Unknown()), X)


def test_configurations(tmp_path: Path) -> None:
    """Operations, parameters, supergroups, the model's ends, ranges that are given."""
    config = {
        "defaults": {"ops": {"is_output_quantized": "False"}, "params": {"is_quantized": "False"}},
        "params": {"bias": {"is_quantized": "True", "is_symmetric": "True"}},
        "op_type": {"Add": {"is_input_quantized": "True"}, "Relu": {"is_output_quantized": "True"}},
        "model_output": {"is_output_quantized": "True"},
    }
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    assert places(simulated(config_file=path)) == {
        "conv1.param_quantizers.bias",
        "conv2.param_quantizers.bias",
        "fc.param_quantizers.bias",
        "add.input_quantizers.0",
        "add.input_quantizers.1",
        "relu1.output_quantizers.0",
        "fc.output_quantizers.0",
    }
    fixed = {"op_type": {"Relu": {"is_output_quantized": "True"}}}
    fixed["op_type"]["Relu"]["encoding_constraints"] = {"min": 0.0, "max": 1.0}
    sim = simulated(config_file=fixed)
    assert sim.model.relu1.output_quantizers[0].max.item() == 1.0
    with pytest.raises(ValueError, match=r"a configuration has defaults.*not \['ops'\]"):
        Config({"ops": {}})
    with pytest.raises(ValueError, match="'True' or 'False', not 'yes'"):
        Config({"defaults": {"ops": {"is_output_quantized": "yes"}}}).quantizes("Conv", "output")


def test_per_channel() -> None:
    """A scale for each output channel of convolutions; the linear layer stays whole."""
    sim = simulated(config_file="default_per_channel")
    assert sim.model.conv1.param_quantizers["weight"].shape == (4, 1, 1, 1)
    assert sim.model.fc.param_quantizers["weight"].shape == ()
    weight = sim.model.conv1.weight.detach()
    scale = sim.model.conv1.param_quantizers["weight"].get_scale().flatten().detach()
    below, above = -weight.amin((1, 2, 3)) / 128, weight.amax((1, 2, 3)) / 127
    assert torch.allclose(scale, torch.maximum(below, above), rtol=1e-6)


@pytest.mark.parametrize("config", ["default", "default_per_channel"])
@pytest.mark.parametrize("version", ["0.6.1", "1.0.0", "2.0.0"])
def test_files_come_back_bit_for_bit(tmp_path: Path, version: str, config: str) -> None:
    """Every version, and both ways of keeping: the model computes the same."""
    sim = simulated(config_file=config)
    y = sim.model(X)
    sim.save_encodings_to_json(tmp_path, "saved", version)
    sim.export(tmp_path, "net", X, version)
    for name in ("saved.json", "net_torch.encodings", "net.encodings"):
        assert json.loads((tmp_path / name).read_text(encoding="utf-8"))["version"] == version
        other = QuantizationSimModel(sim.get_original_model(sim.model), X, config_file=config)
        other.load_encodings(tmp_path / name, partial=False)
        assert torch.equal(other.model(X), y)
    plain = torch.load(tmp_path / "net.pth", weights_only=False)
    assert type(plain.conv1) is nn.Conv2d
    assert torch.equal(plain.conv1.weight, sim.model.conv1.weight)


ENTRY = {"min": -4, "max": 4, "scale": 8 / 255, "offset": -128, "bitwidth": 8}
ENTRY |= {"is_symmetric": "False", "dtype": "int"}


def test_partial_files() -> None:
    """What has no entry stays, or goes; what may not be overwritten stays."""
    document = {
        "activation_encodings": {"conv1": {"input": {"0": ENTRY}}},
        "param_encodings": {"conv2.weight": [ENTRY]},
    }
    sim = simulated()
    before = places(sim)
    sim.load_encodings(document, requires_grad=True, allow_overwrite=False)
    assert places(sim) == before
    assert sim.model.conv1.input_quantizers[0].max.requires_grad
    sim.compute_encodings(lambda model: model(100 * X))
    assert sim.model.conv1.input_quantizers[0].max.item() == 4
    assert sim.model.conv2.input_quantizers[0].max.item() == 200
    load_encodings_to_sim(sim, document)
    kept = {"conv1.input_quantizers.0", "conv2.param_quantizers.weight"}
    assert places(sim) == kept
    other = simulated()
    other.set_and_freeze_param_encodings(document)
    assert other.model.conv2.param_quantizers["weight"].max.item() == 4
    assert other.model.conv1.input_quantizers[0].max.item() == 2


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"param_encodings": {"conv9.weight": [ENTRY]}}, "no place conv9.weight"),
        ({"activation_encodings": {"conv1": {"output": {"0": ENTRY}}}}, "conv1.output.0 has an en"),
        ({"param_encodings": {"fc.weight": [ENTRY] * 3}}, "fc.weight: the encoding does not fit"),
        ({"version": "1.0.0", "param_encodings": [{"name": "a"}]}, "no file of encodings"),
        ({"version": "2.0.0", "encodings": [{"name": "fc.weight"}]}, "has no y_scale"),
    ],
)
def test_files_that_do_not_fit(document: dict[str, Any], reason: str) -> None:
    """Each is refused by the place that is wrong."""
    with pytest.raises(RuntimeError, match=reason):
        simulated().load_encodings(document)


def test_schemes() -> None:
    """Analyzers by name; ranges are trained by the schemes that say so."""
    sim = simulated("percentile")
    whole = sim.model.fc.param_quantizers["weight"].max.item()
    sim.set_percentile_value(90)
    sim.compute_encodings(lambda model, x: model(x), X)
    assert sim.model.fc.param_quantizers["weight"].max.item() < whole
    assert not any(p.requires_grad for q in sim.quantizers() for p in q.parameters())
    trained = QuantizationSimModel(Net(), X, QuantScheme.training_range_learning_with_tf_init)
    assert all(p.requires_grad for q in trained.quantizers() for p in q.parameters())
    with pytest.raises(ValueError, match="a scheme is one of"):
        QuantizationSimModel(Net(), X, "best")
    with pytest.raises(ValueError, match="rounding_mode is 'nearest'"):
        QuantizationSimModel(Net(), X, rounding_mode="stochastic")


def test_floats() -> None:
    """All of 16 bits, or the activations of some modules."""
    kind = QuantizationDataType.float
    sim = QuantizationSimModel(
        Net().eval(), X, default_data_type=kind, default_output_bw=16, default_param_bw=16
    )
    half = sim.model.conv1.input_quantizers[0](X)
    assert torch.equal(half, X.half().float())
    with pytest.raises(ValueError, match="floats have 16 bits"):
        QuantizationSimModel(Net(), X, default_data_type=kind)
    some = simulated()
    set_activation_quantizers_to_float(some, [quantized.QuantizedReLU], dtype=torch.bfloat16)
    assert isinstance(some.model.relu1.output_quantizers[0], Q.float.FloatQuantizeDequantize)
    assert isinstance(some.model.fc.output_quantizers[0], Q.affine.QuantizeDequantize)
    with pytest.raises(RuntimeError, match="by themselves or by classes"):
        set_activation_quantizers_to_float(some, [1], dtype=torch.float16)


def test_blocks_of_weights() -> None:
    """Along the input channels by a number, or by a size for each axis."""
    sim = simulated()
    set_blockwise_quantization_for_weights(sim, [sim.model.fc], 4, True, 16)
    assert sim.model.fc.param_quantizers["weight"].shape == (3, 4)
    set_grouped_blockwise_quantization_for_weights(
        sim, lambda m: isinstance(m, nn.Conv2d), 4, True, 8, [1, 2, -1, -1], [1, -1, 1, 1]
    )
    assert sim.model.conv1.param_quantizers["weight"].shape == (4, 1, 1, 1)
    sim.compute_encodings(lambda model: model(X))
    assert sim.model(X).shape == (2, 3)
    with pytest.raises(RuntimeError, match="no blocks of"):
        set_blockwise_quantization_for_weights(sim, [quantized.QuantizedConv2d], 4, True, 3)


def test_what_is_joined_shares_a_quantizer() -> None:
    """Past functions that change no value; a model's input as well."""

    class Joined(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.relu, self.reshape, self.cat = nn.ReLU(), custom.Reshape(), custom.Concat()

        def forward(self, x: Tensor) -> Tensor:
            y = torch.permute(self.reshape(x, (2, 4, 4, 2)), (0, 3, 1, 2))
            return self.cat(self.relu(x), y)

    sim = QuantizationSimModel(Joined(), X)
    own = sim.model.relu.input_quantizers[0]
    propagate_output_encodings(sim, custom.Concat)
    shared = sim.model.cat.output_quantizers[0]
    assert sim.model.relu.output_quantizers[0] is shared
    assert sim.model.reshape.input_quantizers[0] is shared
    assert sim.model.relu.input_quantizers[0] is own


def test_as_many_inputs_as_are_joined() -> None:
    """Each has its own place, and its own entry in a file."""

    class Cat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cat = custom.Concat()

        def forward(self, *x: Tensor) -> Tensor:
            return self.cat(*x)

    sim = QuantizationSimModel(Cat(), (X, 2 * X, 3 * X), "tf")
    sim.compute_encodings(lambda model: model(X, 2 * X, 3 * X))
    assert [q.max.item() for q in sim.model.cat.input_quantizers] == [2, 4, 6]


@pytest.mark.skipif(find_spec("aimet_torch") is None, reason="aimet-torch is not installed")
@pytest.mark.filterwarnings("ignore")  # theirs, of their imports
def test_files_are_exchanged_with_aimet_itself(tmp_path: Path) -> None:
    """The live library's file gives its scales and its values here, and ours gives ours there."""
    try:
        live = import_module("aimet_torch.quantsim").QuantizationSimModel
    except Exception as error:  # a torchvision that was built for another torch
        pytest.skip(f"aimet-torch does not import: {error}")
    config = tmp_path / "config.json"
    config.write_text(json.dumps(EVERYTHING))
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Flatten(), nn.Linear(16, 2)).eval()
    x = torch.randn(8, 2, 4, 4)

    def simulators() -> tuple[Any, Any]:
        theirs = live(model, x, config_file=str(config))
        ours = QuantizationSimModel(model, x, config_file=str(config))
        ours.model[1].output_quantizers[0] = None  # theirs has none where elements only move
        return theirs, ours

    def scales(sim: Any) -> dict[str, list[float]]:
        found = {n: q.get_scale() for n, q in sim.model.named_modules() if hasattr(q, "get_scale")}
        return {n: scale.flatten().tolist() for n, scale in found.items() if scale is not None}

    for calibrated in (0, 1):
        sims = simulators()
        sims[calibrated].compute_encodings(lambda m: m(x))
        sims[calibrated].save_encodings_to_json(str(tmp_path), f"from{calibrated}")
        sims[1 - calibrated].load_encodings(str(tmp_path / f"from{calibrated}.json"))
        theirs, ours = map(scales, sims)
        assert len(ours) == 5
        assert theirs.keys() == ours.keys()
        for name, scale in ours.items():
            assert theirs[name] == pytest.approx(scale, rel=2.0**-22)
        values = [sim.model(x).as_subclass(Tensor).detach() for sim in sims]
        step = max(ours["2.output_quantizers.0"])
        assert (values[0] - values[1]).abs().max() <= 1.01 * step
        assert (values[0] == values[1]).float().mean() > 0.8
