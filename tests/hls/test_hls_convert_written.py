"""What hls4ml decides of a torch model: ``auto`` types, folded normalisations, several outputs."""

import numpy as np
import pytest
import torch
from torch import nn

from harness import ApFixed
from harness.hls import Dense, Model, Sequential, compare, from_torch
from harness.hls.check import check
from harness.hls.convert import ConversionError
from harness.hls.model import Step
from harness.hls.project import verify

pytestmark = pytest.mark.filterwarnings("ignore")  # those of hls4ml's imports
ROWS = np.random.default_rng(7).normal(size=(60, 6))


class Heads(nn.Module):
    """A normalised trunk and two heads, given in the other order than they are computed in."""

    def __init__(self):
        super().__init__()
        self.trunk, self.norm, self.relu = nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU()
        self.first, self.second = nn.Linear(5, 3), nn.Linear(5, 3)

    def forward(self, x):
        y = self.relu(self.norm(self.trunk(x)))
        first = self.first(y)
        return self.second(y), first


class Image(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.flat = nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten()
        self.last = nn.Linear(48, 2)

    def forward(self, x):
        return self.last(self.flat(self.norm(self.conv(x))))


def trained(kind, *shape):
    """With running statistics that are not those of the beginning."""
    torch.manual_seed(3)
    net = kind()
    net(torch.randn(200, *shape) * 2 + 1)
    return net.eval()


def configured(net, shape, **more):
    import hls4ml

    return hls4ml.utils.config_from_pytorch_model(net, shape, granularity="name", **more)


def write(net, config, folder):
    import hls4ml

    hls4ml.converters.convert_from_pytorch_model(
        net, output_dir=str(folder), backend="Vivado", hls_config=config
    ).write()


@pytest.fixture(scope="module")
def heads(tmp_path_factory):
    """The model, hls4ml's own configuration of it, and the project."""
    net, folder = trained(Heads, 6), tmp_path_factory.mktemp("heads")
    config = configured(net, (6,))
    write(net, config, folder)
    return net, config, folder


def test_auto_is_what_hls4ml_makes_of_it(heads):
    """Products of 16 bits, of six inputs one more bit of carry than of four, and of a bias one."""
    net, config, folder = heads
    for typed in (from_torch(net, config), from_torch(net, config, project=folder)):
        trunk, first = typed.layer("trunk"), typed.layer("first")
        assert trunk.result == first.result == ApFixed(36, 16)
        assert trunk.accum == ApFixed(16, 6)  # which the configuration does not leave to hls4ml
        assert trunk.absorbed == ("norm",)
        assert typed.outputs == ("second", "first")
    narrow = {**config, "Model": {**config["Model"], "Precision": {"default": "fixed<8,3>"}}}
    assert from_torch(net, narrow).layer("first").result == ApFixed(20, 10)


def test_a_layers_own_types_come_first(heads):
    net, config, _ = heads
    entry = {"Precision": {"result": "fixed<9,4>", "weight": "auto", "bias": "auto"}}
    own = {**config, "LayerName": {**config["LayerName"], "trunk": entry}}
    # hls4ml folds nothing into a layer whose result has a type.
    typed = from_torch(net, own)
    assert typed.layer("trunk").result == ApFixed(9, 4)
    assert typed.layer("trunk").absorbed == ()
    assert typed.layer("norm") is not None


def test_auto_that_hls4ml_does_not_resolve_is_named():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.shrink = nn.Linear(4, 4), nn.Hardshrink()

        def forward(self, x):
            return self.shrink(self.first(x))

    config = {"Model": {"Precision": {"default": "fixed<16,6>"}}}
    config["LayerName"] = {"first": {"Precision": {"result": "auto"}}}
    with pytest.raises(ConversionError, match=r"^first.result is auto, and hls4ml does not"):
        from_torch(Odd().eval(), config)


def test_a_model_is_its_project_with_the_users_own_configuration(heads, opened):
    net, config, folder = heads
    project = opened(folder)
    typed = from_torch(net, config, project=project)
    found = compare(typed, project, ROWS)
    assert found.agrees
    assert next((each.name, each.kind) for each in found.layers) == ("trunk", "Dense with norm")
    assert sum(each.codes for each in found.layers) == 60 * (5 + 5 + 3 + 3)
    verdict = verify(project, project.batch(ROWS), model=typed)
    assert (verdict.agrees, verdict.codes) == (True, 60 * 6)


@pytest.mark.parametrize(("layout", "shape"), [("full", (2, 6, 6)), ("internal", (6, 6, 2))])
def test_images_are_folded_too_and_lie_as_hls4ml_has_them(layout, shape, tmp_path, opened):
    """``full``, which is hls4ml's default, takes torch's own inputs."""
    net = trained(Image, 2, 6, 6)
    config = configured(net, (2, 6, 6), channels_last_conversion=layout)
    write(net, config, tmp_path)
    x = np.random.default_rng(1).normal(size=(20, *shape))
    project = opened(tmp_path)
    typed = from_torch(net, config, project=project)
    found = compare(typed, project, x)
    assert found.agrees, found
    names = {each.name: each for each in found.layers}
    assert names["conv"].kind == "Conv2D with norm"
    first = found.layers[0]
    assert (first.name == "transpose_input_for_x") == (layout == "full")
    assert first.codes > 0


class Both(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.layer, self.relu = layer, nn.ReLU()

    def forward(self, x):
        found = self.layer(x)
        return self.relu(found[0] if isinstance(found, tuple) else found)


@pytest.mark.parametrize("layout", [None, "full", "off", "internal"])
@pytest.mark.parametrize("layer", [nn.LSTM(4, 3, batch_first=True), nn.Conv1d(4, 3, 1)])
def test_a_layout_changes_no_meaning(layer, layout):
    """As many steps as features, so that no shape could tell one from the other."""
    net = Both(layer).eval()
    model = {"Precision": {"default": "fixed<24,8>"}, "TransposeOutputs": True}
    if layout is not None:
        model["ChannelsLastConversion"] = layout
    config = {"Model": model, "LayerName": {"layer": {"TableSize": 4096}}}
    x = np.random.default_rng(2).normal(size=(30, 4, 4))
    wanted = net(torch.from_numpy(x).float()).detach().numpy()
    images = isinstance(layer, nn.Conv1d)
    given = np.swapaxes(x, 1, 2) if layout == "internal" or (images and layout is None) else x
    if images and layout == "off":
        wanted = net(torch.from_numpy(np.swapaxes(x, 1, 2)).float()).detach().numpy()
        wanted = np.swapaxes(wanted, 1, 2)  # nothing is turned: the kernel's axes are the user's
    typed = from_torch(net, config, input_shape=(4, 4))
    assert np.abs(typed(given).numpy() - wanted).max() < 0.03


def test_a_layout_that_hls4ml_lacks_is_named():
    config = {"Model": {"Precision": "fixed<16,6>", "ChannelsLastConversion": "last"}}
    with pytest.raises(ConversionError, match="is last; allowed: full, internal, off"):
        from_torch(nn.Sequential(nn.ReLU()), config, input_shape=(3,))


def test_a_normalisation_that_the_project_lacks_is_named(heads, opened):
    net, _, folder = heads
    apart = from_torch(net, {"Model": {"Precision": "fixed<16,6>"}})
    text = str(compare(apart, opened(folder), ROWS))
    assert "the twin has no norm: hls4ml folds it into trunk" in text


def test_changed_weights_are_named_before_types(heads, opened):
    net, config, folder = heads
    changed = trained(Heads, 6)
    with torch.no_grad():
        changed.second.weight[1, 2] += 0.5
    first = compare(from_torch(changed, config, project=folder), opened(folder), ROWS).first
    assert first.layer.name == "second"
    (line,) = first.weights
    here, there = (
        float(m.second.weight[1, 2].detach() * 2**10 // 1 / 2**10) for m in (changed, net)
    )
    assert line == f"weight: 1 of 15 values differ, the first in [2, 1]: {here:.10g} here, " + (
        f"{there:.10g} in the twin"
    )
    assert str(first).splitlines()[3].strip() == line


def test_another_shape_of_weights_is_named():
    t = {"weight_type": "ap_fixed<8,4>", "bias_type": "ap_fixed<8,4>", "accum": "ap_fixed<16,8>"}
    given = {"input": "ap_fixed<8,4>", "result": "ap_fixed<16,8>", **t}
    wide, other = (Sequential(Dense(np.ones((2, n)), **given)) for n in (1, 2))
    from harness.hls.compare import changed

    a, b = (m.layer("dense").fixed("weight") for m in (wide, other))
    assert changed(a, b) == "shape (2, 1) here, (2, 2) in the twin"
    assert changed(a, a) == ""
    turned = Sequential(Dense(np.array([[1.0, 2], [3, 4]]), **given)).layer("dense")
    moved = Sequential(Dense(np.array([[3.0, 2], [1, 4]]), **given)).layer("dense")
    both = turned.fixed("weight"), moved.fixed("weight")
    assert changed(*both) == "the same values in another order, as where hls4ml turns channels"


def test_outputs_are_matched_by_their_layers(heads, opened):
    """hls4ml gives them in the order of the layers, and the model in another: (3,) both."""
    net, _, folder = heads
    project = opened(folder)
    assert check(project, net, ROWS).verdict == "AGREE"
    wrong = trained(Heads, 6)
    with torch.no_grad():
        wrong.second.weight *= -1
    found = check(project, wrong, ROWS)
    assert found.verdict == "LOSES"
    assert found.model.loss.flips > 20
    first = project.model().giving("layer5_out")
    assert first.maker("layer5_out").name == "first"

    def by_place(x):
        second, first = net(torch.from_numpy(x).float())
        return first, second

    assert check(project, by_place, ROWS).verdict == "AGREE"
    assert check(project, lambda x: by_place(x)[::-1], ROWS).verdict == "LOSES"
    alone = check(project, lambda x: by_place(x)[0], ROWS)
    assert alone.left == ("the output of second: <lambda> has none",)
    more = check(project, lambda x: (*by_place(x), x, "a state"), ROWS)
    assert more.left == ("1 more outputs of <lambda>: the project has none",)


def test_a_model_of_several_outputs():
    types = {"weight_type": "ap_fixed<8,4>", "bias_type": "ap_fixed<8,4>"}
    given = {"input": "ap_fixed<8,4>", "accum": "ap_fixed<16,8>", "result": "ap_fixed<16,8>"}
    layers = [Dense(np.full((2, n), 0.5), **given, **types) for n in (1, 3)]
    for layer, name in zip(layers, "ab", strict=True):
        layer.name = name
    steps = [Step(layer, ("x",), layer.name) for layer in layers]
    model = Model({"x": (ApFixed(8, 4), (2,))}, steps, ["b", "a"])
    x = np.array([[1.0, 2.0], [0.5, 0.25]])
    b, a = model(x)
    assert a.tolist() == [[1.5], [0.375]]
    assert b.tolist() == [[1.5] * 3, [0.375] * 3]
    assert [t.shape for t in model.codes([[1, 2]])] == [(1, 3), (1, 1)]
    assert model.run(*model.batch(x)).shape == (2, 3)
    assert model.retyped({"a": {"result": "ap_fixed<6,6>"}})(x)[1].tolist() == [[1.0], [0.0]]
    assert model.giving("a")(x).tolist() == a.tolist()
    with pytest.raises(ValueError, match="no layer makes c"):
        model.giving("c")
