"""Functions and methods of tensors in torch models: what torch computes, or a refusal."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from harness.hls.convert import ConversionError, from_torch

CONFIG = {"Model": {"Precision": {"default": "fixed<24,8>"}}, "LayerName": {}}


class Calls(nn.Module):
    """A model that is one function."""

    def __init__(self, function):
        super().__init__()
        self.function, self.same = function, nn.Identity()

    def forward(self, x):
        return self.same(self.function(x))


def outputs(function, shape, config=CONFIG, rows=20):
    """What the typed model and torch make of the same rows, in torch's layout both."""
    net = Calls(function).eval()
    x = torch.randn(rows, *shape, generator=torch.Generator().manual_seed(4)).double()
    typed = from_torch(net, config, input_shape=shape)
    turned = len(shape) > 1
    found = typed(x.movedim(1, -1) if turned else x)
    return (found.movedim(-1, 1) if found.ndim > 2 else found), net(x)


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (lambda x: x.view(-1, 12), (3, 2, 2)),
        (lambda x: x.view(x.shape[0], -1), (3, 2, 2)),
        (lambda x: x.reshape(x.size(0), 3, -1), (3, 2, 2)),
        (lambda x: torch.reshape(x, (-1, 2, 6)), (3, 2, 2)),
        (lambda x: x.reshape((x.size()[0], 2, 3, 2)), (12,)),
        (lambda x: F.relu(x.view(x.size(0), 12)), (12,)),
        (lambda x: torch.flatten(x, 1), (3, 2, 2)),
        (lambda x: x.flatten(start_dim=1), (3, 4)),
        (lambda x: x.flatten(1, 2), (3, 4)),
        (lambda x: x.unsqueeze(1), (5,)),
        (lambda x: torch.unsqueeze(x, -1), (3, 4)),
        (lambda x: x.unsqueeze(2), (3, 4)),
        (lambda x: x.squeeze(2), (3, 1, 4)),
        (lambda x: x.squeeze(-1), (3, 4, 1)),
        (lambda x: F.relu(torch.squeeze(x, 1)), (3, 4)),  # an axis of three, which stays
    ],
)
def test_shapes_are_torchs(function, shape):
    """The very values, in torch's order."""
    found, wanted = outputs(function, shape)
    assert found.shape == wanted.shape
    assert (found - wanted).abs().max() < 2**-15


@pytest.mark.parametrize(
    ("function", "shape", "near"),
    [
        (F.relu, (4,), 2**-15),
        (lambda x: x.relu(), (4,), 2**-15),
        (F.relu6, (4,), 2**-15),
        (lambda x: F.threshold(x, 0.5, 0.0), (4,), 2**-15),
        (lambda x: F.leaky_relu(x, negative_slope=0.25), (4,), 2**-14),
        (lambda x: F.max_pool2d(x, 2), (3, 4, 4), 2**-15),
        (lambda x: torch.max_pool1d(x, 3, stride=1), (3, 6), 2**-15),
        (lambda x: F.avg_pool2d(x, kernel_size=2), (3, 4, 4), 2**-14),
        (lambda x: F.avg_pool1d(x, 2, 2), (3, 6), 2**-14),
        (lambda x: F.adaptive_max_pool2d(x, 1), (3, 4, 4), 2**-15),
        (lambda x: F.adaptive_avg_pool1d(x, output_size=1), (3, 4), 2**-14),
        (lambda x: F.interpolate(x, scale_factor=2, mode="nearest"), (3, 2, 2), 2**-15),
        (lambda x: F.relu(F.dropout(x, 0.5, training=False)), (4,), 2**-15),
        (lambda x: F.relu(F.dropout(x, 0.5, False, True), True), (4,), 2**-15),
        (lambda x: torch.cat([x, F.relu(x)], axis=1), (4,), 2**-14),
        (lambda x: torch.cat([x, F.relu(x)], axis=-1), (3, 4), 2**-14),
    ],
)
def test_functions_are_their_modules(function, shape, near):
    config = {**CONFIG, "LayerName": {}}
    found, wanted = outputs(function, shape, config)
    assert found.shape == wanted.shape
    assert (found - wanted).abs().max() < near


@pytest.mark.parametrize(
    "function",
    [torch.sigmoid, lambda x: x.tanh(), F.elu, F.selu, F.softplus, F.softsign],
)
def test_functions_by_tables_are_near_torchs(function):
    found, wanted = outputs(function, (4,))
    assert (found - wanted).abs().max() < 0.02


def test_a_function_named_softmax():
    config = {"Model": {"Precision": {"default": "fixed<18,8>"}}, "LayerName": {}}
    config["LayerName"]["input"] = {"Precision": {"result": "fixed<10,4>"}}
    table = {"exp_table": "ufixed<18,2>", "inv_table": "ufixed<18,2>", "inv_inp": "ufixed<10,3>"}
    config["LayerName"]["softmax"] = {"Precision": {**table, "accum": "ufixed<18,4>"}}
    found, wanted = outputs(lambda x: F.softmax(x, dim=1), (4,), config)
    assert (found - wanted).abs().max() < 0.03


@pytest.mark.parametrize(
    ("function", "shape", "says"),
    [
        (torch.flatten, (3, 4), "flattens some axes; allowed: all but the batch"),
        (lambda x: x.flatten(2), (3, 4, 2), "flattens some axes"),
        (lambda x: x.view(1, -1), (3, 4), r"makes \(1, -1\); allowed: the batch"),
        (lambda x: x.view(-1), (3, 4), r"makes \(-1\); allowed"),
        (lambda x: x.view(-1, 5), (3, 4), "has other elements"),
        (lambda x: x.view(-1, 0), (3, 4), r"makes \(0,\) of \(3, 4\); allowed: positive sizes"),
        (lambda x: x.view(x.size(0), 0, -1), (3, 4), r"makes \(0, -1\) of .*; allowed: positive"),
        (lambda x: x.reshape(x.size(0), -3, -4), (3, 4), r"makes \(-3, -4\) of"),
        (lambda x: x.view(x.size(0), -1, -1), (3, 4), "has other elements"),
        (lambda x: x.squeeze((1, 2)), (1, 1, 4), r"takes \(1, 2\); allowed: one axis"),
        (lambda x: x.unflatten(1, (2, 0)), (4,), "unflatten is not supported"),
        (
            lambda x: torch.cat([x, F.relu(x)]),
            (4,),
            "joins axis 0 of .*; allowed: any but the batch",
        ),
        (lambda x: torch.cat([x, F.relu(x)], 4), (3, 4), "joins axis 4 of"),
        (lambda x: torch.cat([x, F.relu(x)], -3), (3, 4), "joins axis -3 of"),
        (lambda x: torch.add(x, F.relu(x), alpha=2), (3,), "alpha=2 is not supported"),
        (lambda x: torch.add(x, other=2), (3,), "a tensor and a number are not supported"),
        (lambda x: x.view(-1, x.shape[1]), (3,), "allowed: the batch"),
        (lambda x: x.unsqueeze(0), (3,), "takes axis 0 of .*; allowed: any but the batch"),
        (lambda x: x.squeeze(0), (3,), "takes axis 0"),
        (lambda x: x.squeeze(), (1, 1), "leaves no axis"),
        (lambda x: F.dropout(x, 0.5, training=True), (3,), "training=True is not supported"),
        (lambda x: F.dropout(x, 0.5, True), (3,), "dropout: training=True is not supported"),
        (lambda x: torch.dropout(x, 0.5, True), (3,), "dropout: dropout is not supported"),
        (lambda x: F.softmax(x, 1, dtype=torch.float64), (3,), "dtype=torch.float64 is not"),
        (lambda x: torch.softmax(x, 1, torch.float64), (3,), "dtype=torch.float64 is not"),
        (lambda x: x.softmax(1, torch.float64), (3,), "dtype=torch.float64 is not"),
        (lambda x: x.sigmoid(3), (3,), r"sigmoid is given \(3,\); allowed: nothing more"),
        (lambda x: F.max_pool2d(x, 2, ceil_mode=True), (3, 4, 4), "rounds sizes up"),
        (torch.erf, (3,), "erf is not supported; modules are, and .*softmax.*view"),
    ],
)
def test_what_no_module_does_is_refused(function, shape, says):
    with pytest.raises(ConversionError, match=says):
        from_torch(Calls(function).eval(), CONFIG, input_shape=shape)


def test_names_are_those_of_hls4ml():
    """The nodes' names, so that a configuration and a project can be matched."""
    typed = from_torch(
        Calls(lambda x: F.relu(F.max_pool2d(x, 2).view(-1, 12))), CONFIG, input_shape=(3, 4, 4)
    )
    assert next(step.layer.name for step in typed.steps) == "max_pool2d"
    assert [step.layer.name for step in typed.steps][-2:] == ["view", "relu"]
    assert np.asarray(typed(np.ones((1, 4, 4, 3)))).tolist() == [[1.0] * 12]


class Pair(nn.Module):
    """An einsum of the input, or of it and a dense layer's output."""

    def __init__(self, equation, twice=False):
        super().__init__()
        self.equation, self.twice = equation, twice
        self.dense = nn.Linear(4, 5)

    def forward(self, x):
        return torch.einsum(self.equation, x, x if self.twice else self.dense(x))


@pytest.mark.parametrize(
    ("equation", "shape", "twice"),
    [
        ("bi,bj->bij", (4,), False),
        ("bi,bi->b", (4,), True),
        ("bsi,bsj->bij", (3, 4), False),
        ("bsi,bti->bst", (3, 4), True),
        ("...i,...i->...", (3, 4), True),
        (" bsi , bsj -> bsij ", (3, 4), False),
    ],
)
def test_einsums_are_torchs(equation, shape, twice):
    torch.manual_seed(1)
    net = Pair(equation, twice).eval().double()
    x = (torch.randint(-64, 64, (20, *shape)) / 16).double()
    model = {"Precision": {"default": "fixed<36,12>"}, "ChannelsLastConversion": "off"}
    config = {"Model": model, "LayerName": {}}
    config["LayerName"]["input"] = {"Precision": {"result": "fixed<10,4>"}}
    typed = from_torch(net, config, input_shape=shape)
    wanted = net(x)
    found = typed(x).reshape(wanted.shape)
    assert (found - wanted).abs().max() < 2**-12


def test_einsums_with_channels_first_turn_their_letters():
    net = Calls(lambda x: torch.einsum("bct,bdt->bcd", x, x)).eval()
    x = torch.randint(-4, 4, (20, 3, 5)).double()
    typed = from_torch(net, CONFIG, input_shape=(3, 5))
    assert torch.equal(typed(x.movedim(1, -1)).movedim(-1, 1), net(x))


@pytest.mark.parametrize(
    ("equation", "says"),
    [
        ("bi->b", "of 2; allowed: 'bi,bj->bij'|two operands|operands"),
        ("bi,bj", "allowed: 'bi,bj->bij'"),
        ("bi,jb->ij", "allowed: the batch first in every term, and kept apart"),
        ("bi,bj->ij", "allowed: the batch first in every term"),
        ("bi,bj->bj", "i is summed over in one operand only"),
        ("bii,bi->bi", "has a letter twice|does not fit|subscripts"),
    ],
)
def test_einsums_that_hls4ml_has_not_are_refused(equation, says):
    with pytest.raises((ConversionError, RuntimeError), match=says):
        from_torch(Pair(equation).eval(), CONFIG, input_shape=(4,))
