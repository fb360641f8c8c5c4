"""Torch models of sequences, joins and several inputs: what hls4ml writes, in typed layers."""

import numpy as np
import pytest
import torch
from torch import nn

from harness import ApFixed, quantize
from harness.hls import Project
from harness.hls.convert import ConversionError, from_torch
from harness.hls.project.inputs import drawn

T = "fixed<18,7>"


class Recurrent(nn.Module):
    """The last output of a recurrence, which is all that hls4ml makes of torch's."""

    def __init__(self, cell):
        super().__init__()
        self.cell, self.relu = cell(3, 4, batch_first=True), nn.ReLU()

    def forward(self, x):
        outputs, _ = self.cell(x)
        return self.relu(outputs[:, -1])


class Outputs(Recurrent):
    """All of its outputs, and a dense layer of each."""

    def __init__(self, cell):
        super().__init__(cell)
        self.dense = nn.Linear(4, 2)

    def forward(self, x):
        outputs, _ = self.cell(x)
        return self.dense(outputs)


class Normalised(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.threshold = nn.LayerNorm(4), nn.Threshold(0.25, 0.0)

    def forward(self, x):
        return self.threshold(self.norm(x))


class Joined(nn.Module):
    """Two inputs, one after the other."""

    def __init__(self):
        super().__init__()
        self.one, self.last = nn.Linear(5, 3), nn.Linear(7, 2)

    def forward(self, x, y):
        return self.last(torch.cat([self.one(x), y], dim=1))


class Image(nn.Module):
    """Channels joined behind an upsampling."""

    def __init__(self):
        super().__init__()
        self.conv, self.up = nn.Conv2d(1, 2, 2, stride=2), nn.UpsamplingNearest2d(scale_factor=2)
        self.last = nn.Conv2d(3, 2, 1)

    def forward(self, x):
        return self.last(torch.cat([self.up(self.conv(x)), x], dim=1))


NETWORKS = {
    "lstm": (lambda: Recurrent(nn.LSTM), (5, 3), "off"),
    "gru": (lambda: Recurrent(nn.GRU), (5, 3), "off"),
    "norm": (Normalised, (3, 4), "off"),
    "joined": (Joined, [(5,), (4,)], "full"),
    "image": (Image, (1, 4, 6), "full"),
}


def made(name):
    torch.manual_seed(11)
    make, shape, layout = NETWORKS[name]
    net = make().eval()
    for parameter in net.parameters():  # values that survive hls4ml's decimals
        parameter.data = quantize(parameter.data, T)
    return net, shape, layout


def written(name, out):
    """The project that hls4ml writes, every type given, and the configuration."""
    import hls4ml

    net, shape, layout = made(name)
    config = hls4ml.utils.config_from_pytorch_model(
        net,
        shape,
        granularity="name",
        backend="Vivado",
        default_precision=T,
        channels_last_conversion=layout,
    )
    for layer in config["LayerName"].values():
        layer["Precision"] = {
            slot: t if "table" in slot else T for slot, t in layer["Precision"].items()
        }
    hls4ml.converters.convert_from_pytorch_model(
        net, hls_config=config, output_dir=str(out), backend="Vivado", io_type="io_parallel"
    ).write()
    return net, shape, config


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_what_hls4ml_writes(name, tmp_path):
    """The same codes as the typed model of the project, with hls4ml's own configuration."""
    net, shape, config = written(name, tmp_path / "project")
    typed = from_torch(net, config, input_shape=shape)
    theirs = Project.read(tmp_path / "project").model()
    batch = drawn(theirs, 100, 1)
    given = [
        type(x)(x.codes.reshape(-1, *s), x.type)
        for x, (_, s) in zip(batch, typed.inputs.values(), strict=True)
    ]
    mine, wanted = typed.run(*given), theirs.run(*batch)
    assert mine.type == wanted.type
    assert (mine.codes.reshape(100, -1) == wanted.codes.reshape(100, -1)).all()
    assert len(np.unique(mine.codes)) > 15


@pytest.mark.parametrize("cell", [nn.LSTM, nn.GRU])
def test_every_output_of_a_recurrence(cell):
    """What torch computes, up to the types and the tables: all outputs, or the last."""
    torch.manual_seed(2)
    config = {"Model": {"Precision": {"default": "fixed<24,8>"}}, "LayerName": {}}
    config["LayerName"]["cell"] = {"TableSize": 4096, "Precision": {"table": "fixed<18,8>"}}
    x = np.random.default_rng(0).normal(0, 1, (50, 5, 3))
    for kind, shape in ((Outputs, (50, 5, 2)), (Recurrent, (50, 4))):
        net = kind(cell).eval()
        got = from_torch(net, config, input_shape=(5, 3))(x).numpy()
        wanted = net(torch.from_numpy(x).float()).detach().numpy()
        assert got.shape == wanted.shape == shape
        assert np.abs(got - wanted).max() < 0.02


def test_a_slope_for_each_channel():
    """PReLU's slopes are torch's channels, which are last in the hardware, and one serves all."""
    config = {"Model": {"Precision": {"default": T}}}
    for count in (1, 2):
        net = nn.Sequential(nn.Conv2d(1, 2, 1), nn.PReLU(count)).eval()
        with torch.no_grad():
            net[1].weight.copy_(torch.tensor([0.5, 0.125])[:count])
        typed = from_torch(net, config, input_shape=(1, 2, 2))
        x = np.random.default_rng(0).normal(0, 1, (20, 2, 2, 1))
        wanted = net(torch.from_numpy(np.moveaxis(x, -1, 1)).float()).detach().numpy()
        assert np.abs(typed(x).numpy() - np.moveaxis(wanted, 1, -1)).max() < 0.01


class Attending(nn.Module):
    """Attention to itself, or to another input of other sizes."""

    def __init__(self, size=None, **more):
        super().__init__()
        self.heads = nn.MultiheadAttention(8, 2, batch_first=True, kdim=size, vdim=size, **more)

    def forward(self, x):
        found, _ = self.heads(x, x, x)
        return found


class Crossing(Attending):
    def forward(self, x, y):
        return self.heads(x, y, value=y)[0]


class Masked(Attending):
    def forward(self, x):
        return self.heads(x, x, x, attn_mask=x)[0]


class MaskedByPlace(Attending):
    def forward(self, x):
        return self.heads(x, x, x, None, False, x)[0]


ATTENTION = {
    "Model": {"Precision": {"default": "fixed<40,10>"}},
    "LayerName": {
        # The table has an entry for each value of its ten bits.
        "heads_QK": {"Precision": {"result": "fixed<10,3>"}},
        "heads_softmax": {
            "Precision": {
                "exp_table": "ufixed<30,2>",
                "accum": "ufixed<34,4>",
                "inv_inp": "ufixed<10,3,RND,SAT>",
                "inv_table": "ufixed<30,2>",
            }
        },
    },
}


@pytest.mark.parametrize(("kind", "size"), [(Attending, None), (Crossing, 6)])
def test_attention(kind, size):
    """Head by head what torch computes, up to the tables of the softmax."""
    torch.manual_seed(1)
    net = kind(size).double().eval()
    shapes = [(5, 8), (4, 6)][: 1 if size is None else 2]
    inputs = [torch.randn(40, *shape).double() / 2 for shape in shapes]
    typed = from_torch(net, ATTENTION, input_shape=shapes)
    parts = ("query", "key", "value", "QK", "softmax", "aV", "attention_output")
    assert [step.layer.name for step in typed.steps] == [f"heads_{part}" for part in parts]
    got, wanted = typed(*inputs), net(*inputs)
    assert got.shape == wanted.shape
    assert (got - wanted).abs().max() < 0.005 * wanted.abs().max()


@pytest.mark.parametrize(
    ("net", "shape", "message"),
    [
        (nn.Sequential(nn.LayerNorm(4, eps=3e-5)), (3, 4), "eps 3e-05; allowed: powers of ten"),
        (nn.Sequential(nn.LayerNorm((3, 4))), (3, 4), "normalises"),
        (nn.Sequential(nn.Threshold(0.1, 1.0)), (4,), "gives 1.0 below its threshold"),
        (nn.Sequential(nn.Upsample(scale_factor=1.5)), (1, 4, 4), "nearest by whole factors"),
        (nn.Sequential(nn.PReLU(3)), (2, 4, 4), "has 3 slopes"),
        (Recurrent(lambda *a, **k: nn.LSTM(*a, num_layers=2, **k)), (5, 3), "num_layers=2"),
        (Recurrent(lambda *a, **k: nn.GRU(*a, bidirectional=True, **k)), (5, 3), "bidirectional"),
        (Attending(bias=True, add_bias_kv=True), (5, 8), "bias_k="),
        (Attending(add_zero_attn=True), (5, 8), "add_zero_attn=True; allowed: False"),
        (Attending(), (2, 5, 8), r"allowed: \(steps, features\)"),
        (Masked(), (5, 8), "is given a mask; allowed: none"),
        (MaskedByPlace(), (5, 8), "is given a mask; allowed: none"),
        (Joined(), (5,), r"has 2 inputs \(x, y\), input_shape has 1"),
    ],
)
def test_refused(net, shape, message):
    """What hls4ml does not write, or the kernels do not have, is named."""
    config = {"Model": {"Precision": {"default": T}}}
    with pytest.raises(ConversionError, match=message):
        from_torch(net.eval(), config, input_shape=shape)


def test_the_axes_of_sequences_stay():
    """Recurrences keep torch's axes; a configuration may say so of any model."""
    config = {"Model": {"Precision": {"default": T}}}
    net = made("lstm")[0]
    assert from_torch(net, config, input_shape=(5, 3)).inputs["x"] == (ApFixed(18, 7), (5, 3))
    off = {"Model": {**config["Model"], "ChannelsLastConversion": "off"}}
    flat = nn.Sequential(nn.ReLU())
    assert from_torch(flat, config, input_shape=(5, 3)).inputs["input_1"][1] == (3, 5)
    assert from_torch(flat, off, input_shape=(5, 3)).inputs["input_1"][1] == (5, 3)
