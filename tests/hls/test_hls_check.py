"""Does the hardware compute my model?  What is lost, where, why, and what to change."""

import json
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from projects import edit
from torch import nn
from typer.testing import CliRunner

from harness import ApFixed
from harness.cli import app
from harness.hls import BatchNorm, Dense, GlobalAveragePooling1D, ReLU, Sequential, Softmax
from harness.hls.check import Limits, Reference, check, measure, reference_of
from harness.hls.check import advice as remedies
from harness.hls.check.advice import advise, explained, remedy
from harness.hls.check.fidelity import INPUTS, WEIGHTS
from harness.hls.check.reference import named_layers
from harness.hls.ideal import ideal_trace
from harness.verify import SubjectError

RUNNER = CliRunner()
DATA = "ap_fixed<16,6>"
ROWS = 300


def rng():
    return np.random.default_rng(5)


def tagger(logits):
    """A dense layer and a softmax, as hls4ml writes it for logits of this type."""
    t = ApFixed.parse(logits)
    dense = Dense(
        rng().normal(0, 0.5, (6, 5)),
        input=DATA,
        weight_type=DATA,
        bias_type=DATA,
        accum="ap_fixed<40,20>",
        result=t,
    )
    softmax = Softmax(
        input=t,
        input_shape=(5,),
        result=DATA,
        exp_table_type="ap_fixed<18,8,AP_RND,AP_SAT>",
        inv_table_type="ap_fixed<18,8,AP_RND,AP_SAT>",
        inv_inp_type="ap_fixed<18,8,AP_RND,AP_SAT>",
        accum="ap_fixed<18,8,AP_RND,AP_SAT>",
    )
    return Sequential(dense, softmax)


def narrow(accum):
    """Two dense layers, the first with this accumulator."""
    first = Dense(
        rng().normal(0, 1, (16, 8)),
        input=DATA,
        weight_type=DATA,
        bias_type=DATA,
        accum=accum,
        result="ap_fixed<18,8>",
    )
    relu = ReLU(input=first.result, input_shape=(8,), result="ap_fixed<18,8>")
    last = Dense(
        rng().normal(0, 1, (8, 4)),
        input=relu.result,
        weight_type=DATA,
        bias_type=DATA,
        accum="ap_fixed<28,14>",
        result="ap_fixed<28,14>",
    )
    return Sequential(first, relu, last)


def averaged(accum):
    """The mean of 64 steps, and a dense layer."""
    pool = GlobalAveragePooling1D(input=DATA, input_shape=(64, 3), accum=accum, result=DATA)
    dense = Dense(
        rng().normal(0, 1, (3, 4)),
        input=DATA,
        weight_type=DATA,
        bias_type=DATA,
        accum="ap_fixed<24,10>",
        result="ap_fixed<24,10>",
    )
    return Sequential(pool, dense)


def scaled(scale_type):
    """A batch normalisation of small scales, as one is made of a quantizer's alpha."""
    norm = BatchNorm(
        np.full(4, 0.0004) * (1 + np.arange(4)),
        np.zeros(4),
        input="ap_fixed<20,14>",
        input_shape=(4,),
        scale_type=scale_type,
        bias_type=DATA,
        result="ap_fixed<24,6>",
    )
    relu = ReLU(input=norm.result, input_shape=(4,))
    return Sequential(norm, relu)


def asked(model, x, **given):
    """The measure of a model, and its explanation."""
    batch = model.batch(x)
    found = measure(model, batch, [x], **given)
    return batch, explained(found, remedy(model, batch, found))


def mended(model, x, **given):
    """The advice for a model."""
    batch, found = asked(model, x, **given)
    change = remedy(model, batch, found)
    return advise(model, batch, found, change, lambda m: measure(m, batch, [x], **given))


def test_a_softmax_whose_table_is_too_coarse():
    """A table of 1024 entries sees 10 of 37 bits: decisions flip, and fewer do with others."""
    model, x = tagger("ap_fixed<38,18>"), rng().normal(0, 1, (ROWS, 6))
    _, found = asked(model, x)
    assert found.culprit == "softmax"
    assert found.why == "its table is indexed by 10 of 37 bits"
    assert found.loss.flips > ROWS // 2
    assert found.layer("dense").total.flips <= 2
    assert found.layer("softmax").distinct < 5
    advice = mended(model, x)
    assert advice.after.keeps
    assert advice.after.loss.flips < ROWS // 100
    (change,) = advice.changes
    assert set(advice.config["LayerName"]) >= {"dense"}
    again = model.retyped(change.types)
    made = again.run(*again.batch(x)).values()
    meant = ideal_trace(again, {"input": x})["softmax"]
    assert (made.argmax(1) != meant.argmax(1)).sum() == advice.after.loss.flips


def with_table(model, size):
    """A tagger whose softmax sees a bit more than numbers its table of this size."""
    width = int(np.log2(size)) + 1
    distance = ApFixed(width - 1, 3, signed=False)
    tables = {"inp_norm_type": distance, "exp_table_size": size, "inv_table_size": size}
    return model.retyped(
        {"dense": {"result": f"fixed<{width},4,RND,SAT>"}, "softmax": tables},
    )


@pytest.mark.parametrize("ties", [0, 1])
def test_the_smallest_table_that_flips_no_more_than_the_best(ties):
    """One decision that every table flips, for it is nearly a tie, does not ask for the largest."""
    model, x = tagger("ap_fixed<38,18>"), rng().normal(0, 1, (ROWS, 6))
    weight = np.floor(rng().normal(0, 0.5, (6, 5)) * 1024) / 1024  # as the type takes them
    many = rng().integers(-1024, 1024, (200_000, 6)) / 1024
    logits = many @ weight
    lead = logits[:, 4] - logits[:, 0]
    x[:ties] = many[(logits.argmax(1) == 4) & (lead > 0) & (lead < 2**-13)][:ties]
    batch = model.batch(x)
    flips = {}
    for size in (1024, 2048, 4096, 8192, 16384):
        flips[size] = measure(with_table(model, size), batch, [x]).loss.flips
    smallest = next(size for size, n in flips.items() if n == min(flips.values()))
    change = remedy(model, batch, measure(model, batch, [x]))
    assert change.types["softmax"]["exp_table_size"] == smallest < 16384
    assert min(flips.values()) == ties


def test_an_accumulator_that_wraps():
    """The layer and its accumulator are named; the type that is suggested holds all sums."""
    x = rng().normal(0, 1, (ROWS, 16))
    assert asked(narrow("ap_fixed<20,10>"), x)[1].keeps
    model = narrow("ap_fixed<13,3>")
    _, found = asked(model, x)
    assert found.culprit == "dense"
    assert found.why.startswith("its accumulator ap_fixed<13,3> wraps")
    assert found.loss.flips > ROWS // 4
    advice = mended(model, x)
    assert advice.after.keeps
    accum = ApFixed.parse(advice.config["LayerName"]["dense"]["Precision"]["accum"])
    assert accum.integer > 3
    assert advice.after.layer("dense").error.max_error < 0.1


def test_a_mean_in_the_type_of_its_inputs():
    """64 values of mean 0.53 in a type that holds up to 0.5 more than each of them."""
    x = rng().normal(0.53, 0.2, (ROWS, 64, 3))
    assert asked(averaged("ap_fixed<22,12>"), x)[1].keeps
    model = averaged("ap_fixed<12,2>")
    _, found = asked(model, x)
    assert found.culprit == "globalaveragepooling1d"
    assert "accumulator ap_fixed<12,2> wraps" in found.why
    assert mended(model, x).after.keeps


def test_scales_that_become_zero():
    """A reference tells that the weights are others before any layer computes."""
    x = rng().normal(0, 400, (ROWS, 4))
    wanted = np.maximum(x * 0.0004 * (1 + np.arange(4)), 0)
    assert asked(scaled("ap_fixed<24,2>"), x, wanted=wanted)[1].keeps
    _, found = asked(scaled(DATA), x, wanted=wanted)
    assert found.culprit == WEIGHTS
    assert found.loss.rms_error > found.bound
    layers = {"batchnorm": x * 0.0004 * (1 + np.arange(4)), "relu": wanted}
    _, found = asked(scaled(DATA), x, wanted=wanted, layers=layers)
    assert found.culprit == WEIGHTS
    assert "batchnorm" in found.why
    assert found.layer("batchnorm").reference.rms_error > 0.1


def test_inputs_that_their_type_does_not_hold():
    """What is lost before the first layer is the inputs'."""
    x = rng().normal(0, 40, (ROWS, 16))
    _, found = asked(narrow("ap_fixed<30,20>"), x)
    assert found.culprit == INPUTS
    assert found.why == "the type of the inputs does not hold them"


def test_limits_decide():
    """The same loss is within one limit and beyond another."""
    model, x = narrow("ap_fixed<20,10>"), rng().normal(0, 1, (ROWS, 16))
    batch = model.batch(x)
    loss = measure(model, batch, [x]).loss
    assert loss.rms_error > 0
    assert not measure(model, batch, [x], limits=Limits(1.0, loss.rms_error / 2)).keeps
    assert measure(model, batch, [x], limits=Limits(1.0, loss.rms_error)).keeps
    flipped = Limits(0.0, 1e9)
    assert measure(model, batch, [x], limits=flipped).keeps == (loss.flips == 0)


def test_layers_are_matched_by_name_and_shape():
    """Dots become underscores; channels first are turned; what does not fit is told."""
    layers = {
        "block.conv": np.arange(24.0).reshape(1, 2, 3, 4),
        "0": np.ones((1, 5)),
        "fc": np.ones((1, 7)),
        "other": np.ones((1, 2)),
    }
    shapes = {"block_conv": (3, 4, 2), "_0": (5,), "fc": (6,)}
    found, left = named_layers(Reference("it", np.ones((1, 2)), layers), shapes)
    assert set(found) == {"block_conv", "_0"}
    assert found["block_conv"][0, 1, 2, 1] == layers["block.conv"][0, 1, 1, 2]
    assert left == ["fc: (7,) does not fit fc, (6,)"]
    only = Reference("it", np.ones((1, 2)), {"fcc": np.ones((1, 6))})
    assert named_layers(only, shapes)[1] == [
        "no layer is called fcc; the project has block_conv, _0, fc; nearest: fc"
    ]


def test_a_torch_module_tells_its_layers_and_stays_as_it_was():
    """Values of every module by its path; mode, hooks and gradients are left alone."""
    net = nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5), nn.ReLU()).train()
    x = rng().normal(0, 1, (4, 3))
    found = reference_of(net, [x])
    with torch.no_grad():
        wanted = net[0](torch.from_numpy(x).float()).double().numpy()
    assert (found.layers["0"] == wanted).all()
    assert (found.outputs == np.maximum(wanted, 0)).all()
    assert net.training
    assert not any(m._forward_hooks for m in net.modules())


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda x: 1 / 0, "raised ZeroDivisionError: division by zero"),
        (lambda x: x[:1], r"gives shape \(1, 3\) for 4 rows"),
        (lambda x: x * np.nan, "the output is NaN or infinite in row 0"),
        (lambda x: {"a": x}, "it returns a; wanted: 'output' too"),
        (lambda x: "text", "gives no numbers"),
    ],
)
def test_models_that_are_none(model, message):
    """What a model gives is numbers, one row each; else one line says what is wrong."""
    with pytest.raises(ValueError, match=message) as caught:
        reference_of(model, [np.ones((4, 3))], "mine")
    assert "\n" not in str(caught.value)


def network():
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4), nn.Softmax(-1)).eval()


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A small tagger with the types that hls4ml infers, which its softmax does not bear."""
    import hls4ml

    out = tmp_path_factory.mktemp("check") / "tagger"
    net = network()
    config = hls4ml.utils.config_from_pytorch_model(
        net, (6,), granularity="name", backend="Vivado", default_precision=DATA
    )
    hls4ml.converters.convert_from_pytorch_model(
        net, hls_config=config, output_dir=str(out), backend="Vivado", io_type="io_parallel"
    ).write()
    return out


@pytest.fixture
def copy(project, tmp_path):
    return Path(shutil.copytree(project, tmp_path / "copy"))


def test_check_of_a_project_and_its_model(project, monkeypatch):
    """The C++ agrees with its types, the types do not bear the model: the softmax loses it."""
    x = rng().normal(0, 1, (100, 6))
    searches = []
    search = remedies._mended
    monkeypatch.setattr(remedies, "_mended", lambda *a: searches.append(a) or search(*a))
    found = check(project, network(), x, suggest=True)
    assert found.cpp.agrees
    assert found.verdict == "LOSES"
    assert found.model.culprit == "_3"
    assert "indexed by 10 of" in found.summary
    assert found.model.layer("_0").reference.max_error < 0.05
    assert found.advice.after.loss.flips < found.model.loss.flips / 20
    assert found.advice.after.keeps
    assert len(searches) == len(found.advice.changes)  # what explains the loss is not sought again


def test_the_command_asks_whether_it_is_the_model(project, tmp_path, monkeypatch):
    """Predictions from a file and from a function: LOSES, 1; without any the verdict says so."""
    x = rng().normal(0, 1, (60, 6))
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", network()(torch.from_numpy(x).float()).detach().numpy())
    rows = ["verify-project", str(project), "--input", str(tmp_path / "x.npy")]
    result = RUNNER.invoke(app, [*rows, "--reference", str(tmp_path / "y.npy"), "--suggest"])
    assert result.exit_code == 1
    last = result.output.splitlines()[-1]
    assert last.startswith("LOSES: myproject: _3: its table is indexed by 10 of")
    patch = result.output[result.output.index("{\n") : result.output.rindex("}") + 1]
    assert json.loads(patch)["LayerName"]["_2"]["Precision"]["result"].startswith("fixed<")
    loose = ["--max-flips", "1", "--max-error", "10"]
    result = RUNNER.invoke(app, [*rows, "--reference", str(tmp_path / "y.npy"), *loose])
    assert result.exit_code == 0
    assert result.output.splitlines()[-1] == "AGREE: myproject, 60 rows, 240 output codes"
    (tmp_path / "mine.py").write_text("def same(x):\n    return x[:, :4]\n")
    monkeypatch.chdir(tmp_path)
    result = RUNNER.invoke(app, [*rows, "--reference", "mine:same"])
    assert result.exit_code == 1
    assert "LOSES: myproject: the weights: with these weights" in result.output
    result = RUNNER.invoke(app, rows)
    assert result.exit_code == 0
    assert result.output.splitlines()[-1].endswith("is it your model? was not asked: --reference")


def test_weights_that_their_type_does_not_hold(copy, tmp_path):
    """The layer, the array, how many numbers and the type are named; no reference of layers is."""
    x = rng().normal(0, 1, (50, 6))
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", network()(torch.from_numpy(x).float()).detach().numpy()[:, ::-1])
    defines = copy / "firmware/defines.h"
    defines.write_text(
        re.sub(r"ap_fixed<16,6> _0_weight_t", "ap_fixed<3,2> _0_weight_t", defines.read_text())
    )
    command = ["verify-project", str(copy), "--input", str(tmp_path / "x.npy")]
    result = RUNNER.invoke(app, [*command, "--reference", str(tmp_path / "y.npy")])
    assert result.exit_code == 1
    last = result.output.splitlines()[-1]
    assert re.search(
        r"LOSES: myproject: the weights: _0: \d+ of 48 numbers of w2 become 0 in", last
    )


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("missing.npy", "cannot read"),
        ("nan.npy", "the output is NaN or infinite in row 1"),
        ("short.npy", "has 2 rows, the inputs have 3"),
        ("wide.npy", r"gives \(rows, \(7,\)\), the project \(rows, \(4,\)\)"),
        ("text.npy", "wanted: rows of numbers"),
        ("several.npz", "which is the output"),
        ("nowhere:f", "cannot load nowhere:f"),
    ],
)
def test_references_that_are_none(reference, message, project, tmp_path, monkeypatch):
    """One line says what is wrong."""
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", np.zeros((3, 6)))
    np.save("nan.npy", np.array([[0.0] * 4, [np.nan] * 4, [0.0] * 4]))
    np.save("short.npy", np.zeros((2, 4)))
    np.save("wide.npy", np.zeros((3, 7)))
    np.save("text.npy", np.array(["a", "b"]))
    np.savez("several.npz", a=np.zeros(3), b=np.zeros(3))
    rows = ["verify-project", str(project), "--input", "x.npy", "--reference", reference]
    result = RUNNER.invoke(app, rows)
    assert isinstance(result.exception, ValueError | SubjectError)
    assert re.search(message, str(result.exception))
    assert "\n" not in str(result.exception)


def test_broken_projects(copy, tmp_path):
    """What is wrong in the project itself is BROKEN, 1; several findings are told."""
    header = copy / "firmware/weights/b2.h"
    text = header.read_text()
    start = text.index("= {") + 3
    header.write_text(text[:start] + "7.5" + text[text.index(",", start) :])
    with zipfile.ZipFile(copy / "keras_model.keras", "w") as archive:
        layers = [
            {"class_name": "InputLayer", "config": {"name": "input"}},
            {"class_name": "SimpleRNN", "config": {"name": "simple_rnn"}},
            {"class_name": "BatchNormalization", "config": {"name": "bn"}},
            {"class_name": "Dense", "config": {"name": "0"}},
        ]
        archive.writestr("config.json", json.dumps({"config": {"layers": layers}}))
    result = RUNNER.invoke(app, ["verify-project", str(copy), "--rows", "5"])
    assert result.exit_code == 1
    assert (
        "BROKEN: myproject: the layer simple_rnn of the model is not in the project"
        in result.output
    )
    assert "b2: 1 of 8 codes differ between C simulation and synthesis" in result.output
    edit(copy / "firmware/parameters.h", "n_in = 6", "n_in = 7")
    result = RUNNER.invoke(app, ["verify-project", str(copy)])
    assert result.exit_code == 1
    assert "w2 has 48 numbers, 56 are read" in result.output
    edit(copy / "firmware/myproject.cpp", "nnet::dense<", "nnet::gelu<")
    result = RUNNER.invoke(app, ["verify-project", str(copy)])
    assert "the project's own nnet_utils has no such kernel" in result.output


def test_an_array_that_nothing_wrote(copy):
    """It is read before it is written: BROKEN."""
    top = copy / "firmware/myproject.cpp"
    text = top.read_text()
    call = next(line for line in text.splitlines() if "nnet::relu<" in line)
    top.write_text(text.replace(call, ""))
    result = RUNNER.invoke(app, ["verify-project", str(copy)])
    assert result.exit_code == 1
    assert "layer3_out is read before it is written" in result.output
