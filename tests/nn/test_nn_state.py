"""State dicts of quantized models: plain tensors, those of float models load, nothing is lost."""

import copy
import io
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from harness.interfaces.torchapprox import MinMaxQuant
from harness.nn import FixedQuantizer, compute_encodings, quantizers_of
from harness.nn.model import prepare
from harness.nn.trainable import TrainableFixed

CONFIG: dict[str, Any] = {
    "default": {"weight": {"fixed": {"width": 6}}, "output": {"fixed": {"width": 9}}},
    "names": {
        "0": {"weight": {"affine": {"bitwidth": 4, "per_channel": True}}},
        "2": {
            "weight": "ap_float<3,4,0>",
            "input": {"affine": {"bitwidth": 8, "symmetric": False}},
            "output": None,
        },
    },
}
X = torch.randn(9, 4, generator=torch.Generator().manual_seed(3))


def floats(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3), TrainableFixed())


def quantized(config: dict[str, Any] = CONFIG, seed: int = 0) -> nn.Module:
    return prepare(floats(seed), {**config, "skip": ["3"]})


def calibrated(seed: int = 0) -> nn.Module:
    """... with every fact other than a fresh one's."""
    model = quantized(seed=seed)
    with compute_encodings(model):
        model(3 * X)
    model[1].output_quantizers[0].freeze()
    model[3].rounding, model[3].keep_negative = type(model[3].rounding).TRN, False
    with torch.no_grad():
        model[3].fractional_bits.fill_(2.0)
    return model


def saved(state: dict[str, torch.Tensor], path: Path, how: str) -> dict[str, torch.Tensor]:
    """A state dict as it comes back from a file."""
    if how == "torch":
        torch.save(state, path)
        return torch.load(path, weights_only=True)
    save_file(state, path)
    return load_file(path)


@pytest.mark.parametrize("how", ["torch", "safetensors"])
def test_a_file_keeps_all(how: str, tmp_path: Path) -> None:
    """Calibration, widths, types, modes and what is frozen: the same values of another model."""
    model, other = calibrated(), quantized(seed=1)
    state = saved(model.state_dict(), tmp_path / "model", how)
    other.load_state_dict(state, strict=True)
    assert torch.equal(other(X), model(X))
    assert other.state_dict().keys() == state.keys()
    for one, same in zip(quantizers_of(model), quantizers_of(other), strict=True):
        assert one.state() == same.state()
    assert other[1].output_quantizers[0].state()["frozen"]
    assert other[3].facts() == model[3].facts() != TrainableFixed().facts()


def test_every_entry_is_a_plain_tensor() -> None:
    """Of memory of its own, also before calibration; and a copy of the model has the same ones."""
    for model in (quantized(), calibrated()):
        state = model.state_dict()
        assert all(
            type(value) is torch.Tensor and value.is_contiguous() for value in state.values()
        )
        assert len({value.data_ptr() for value in state.values()}) == len(state)
        again = copy.deepcopy(model).state_dict()
        assert all(torch.equal(again[key], value) for key, value in state.items())


def test_a_float_checkpoint_loads() -> None:
    """With ``strict``: its parameters are there, and every quantizer as it was."""
    model, checkpoint = calibrated(), floats(seed=5).state_dict()
    checkpoint = {key: value for key, value in checkpoint.items() if not key.startswith("3")}
    before = [quantizer.state() for quantizer in quantizers_of(model)]
    scale = model[0].param_quantizers["weight"].scale.clone()
    assert not any(model.load_state_dict(checkpoint, strict=True))
    assert torch.equal(model[2].weight, checkpoint["2.weight"])
    assert [quantizer.state() for quantizer in quantizers_of(model)] == before
    assert torch.equal(model[0].param_quantizers["weight"].scale, scale)
    del checkpoint["2.bias"]
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "2.bias"\. $'):
        model.load_state_dict(checkpoint)


@pytest.mark.parametrize("lacking", ["0.param", "1.output", "2.input", "3."])
def test_a_checkpoint_that_lacks_a_quantizer(lacking: str) -> None:
    """But has others, before or after it, is of another model."""
    checkpoint = {k: v for k, v in calibrated().state_dict().items() if not k.startswith(lacking)}
    model = quantized()
    with pytest.raises(RuntimeError, match=rf'Missing.*"{lacking}[a-z_0-9.]*facts"'):
        model.load_state_dict(checkpoint)
    missing, unexpected = model.load_state_dict(checkpoint, strict=False)
    assert set(missing) == set(model.state_dict()) - set(checkpoint)
    assert unexpected == []


def test_a_checkpoint_that_lacks_a_part_of_one() -> None:
    """A scale without facts, or facts without a scale."""
    for part in ("scale", "facts"):
        checkpoint = calibrated().state_dict()
        del checkpoint[f"0.param_quantizers.weight.{part}"]
        with pytest.raises(RuntimeError, match=rf'Missing.*"0.param_quantizers.weight.{part}"'):
            quantized().load_state_dict(checkpoint)


def test_facts_of_another_kind() -> None:
    """Are an error that names the key, and change nothing of the quantizer."""
    model, other = calibrated(), FixedQuantizer(width=8)
    key = "2.input_quantizers.0.facts"
    before = model[2].input_quantizers[0].state()
    for wrong in (other.state_dict()["facts"], torch.tensor([1, 2], dtype=torch.uint8)):
        with pytest.raises(RuntimeError, match=key):
            model.load_state_dict({**calibrated().state_dict(), key: wrong})
        assert model[2].input_quantizers[0].state() == before
    with pytest.raises(RuntimeError, match="Unexpected.*facts"):
        floats().load_state_dict({**floats().state_dict(), "0.facts": torch.zeros(1)})


def test_torchapproxs_bit_width_is_kept() -> None:
    """With the range that was observed."""
    quantizer, other = MinMaxQuant(6), MinMaxQuant(8)
    quantizer(X)
    file = io.BytesIO()
    torch.save(quantizer.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True))
    assert other.bitwidth == 6
    assert torch.equal(other.eval()(X), quantizer.eval()(X))
