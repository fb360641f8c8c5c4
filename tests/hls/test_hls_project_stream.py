"""Projects of io_stream, and of the Vitis backend: every kernel for streams that hls4ml has."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hls4ml_graphs import Graph
from projects import edit
from typer.testing import CliRunner

from harness.cli import app
from harness.hls import Project, compare
from harness.hls.project import BrokenProject, ProjectError, verify
from harness.hls.project.inputs import drawn

ROWS = 60
RUNNER = CliRunner()
TOP, HEADER = "firmware/myproject.cpp", "firmware/parameters.h"


def image(pooled=False):
    """Convolutions of every kind, and what stands around them; some are encoded, where they can."""
    g = Graph()
    config = {"ConvImplementation": "Encoded"}
    x = g.input("x", 6, 6, 2)
    y = g.activation(g.conv(x, (3, 3), 3, same=True), "relu")
    y = g.pool(y, "Average", 2, 2, config=config if pooled else None)
    y = g.norm(g.merge("add", y, g.conv(y, (1, 1), 3)))
    z = g.conv(y, (2, 2), 3, kind="DepthwiseConv", config=config)
    z = g.conv(z, (2, 2), 4, kind="SeparableConv")
    y = g.conv(y, (2, 2), 4, config=config)
    y = g.pool(y, "Max", 2, 2)
    y = g.merge("multiply", g.merge("subtract", y, z), z)
    g.softmax(g.reshape(y, 4))
    return g


def encoded():
    return image(pooled=True)


def window():
    """What Vitis computes by its own text with arrays."""
    g = Graph()
    x = g.pool(g.conv(g.input("x", 4, 5, 2), (2, 2), 3), "Average", 3, 2)
    x = g.conv(g.reshape(x, 2, 3), (2,), 2, same=True)
    g.pool(x, "Max", 2)
    return g


def line():
    """One axis, values that move, and what is broadcast."""
    g = Graph()
    x = g.input("x", 9, 2)
    y = g.activation(g.conv(x, (3,), 3, stride=2, same=True), "relu")
    y = g.pool(g.conv(y, (1,), 4), "Max", 2, stride=1)
    y = g.conv(y, (2,), 4, kind="SeparableConv", same=True)
    y = g.framed(g.framed(y, "ZeroPadding", 1, 2), "Cropping", 2, 1)
    y = g.reshape(g.transpose(g.enlarged(y, 2), 1, 0), 4, 2, 4)
    y = g.framed(g.framed(y, "ZeroPadding", 1, 0, 0, 2), "Cropping", 0, 1, 1, 1)
    y = g.transpose(g.enlarged(y, 1, 2), 1, 2, 0)
    y = g.merge("add", y, g.conv(y, (1, 1), 1))
    a, b = g.pool_all(y, "Max"), g.pool_all(y, "Average")
    g.dense(g.concatenate(a, b, 0), 3)
    return g


def elements():
    """Activations, merges, tables and states."""
    g = Graph()
    rows = g.input("rows", 4, config={"Precision": {"result": "uint<3>"}})
    other = g.input("other", 4, 3)
    x = g.recurrent(g.embedding(rows, 8, 3), "LSTM", 3, sequences=True)
    for kind in ("linear", "tanh", "softplus", "softsign", "selu", "hard_sigmoid", "hard_tanh"):
        x = g.activation(x, kind)
    x = g.merge("average", g.prelu(g.merge("maximum", x, other)), other)
    x = g.activation(x, "elu", layer="ELU", activ_param=0.7)
    x = g.activation(x, "leaky_relu", layer="LeakyReLU", activ_param=0.3)
    x = g.activation(x, "thresholded_relu", layer="ThresholdedReLU", activ_param=0.25)
    x = g.softmax(g.merge("minimum", x, g.activation(other, "ternary_tanh")), "latency")
    x = g.concatenate(g.concatenate(x, g.activation(other, "sigmoid"), 1), x, 1)
    x = g.recurrent(x, "GRU", 3, sequences=False)
    g.activation(g.dense(x, 2), "binary_tanh")
    return g


def small():
    """What is damaged."""
    g = Graph()
    x = g.activation(g.input("x", 2, 4), "relu")
    g.dense(g.reshape(g.activation(g.reshape(x, 4, 2), "relu"), 8), 3)
    return g


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Writes a project once."""
    folder = tmp_path_factory.mktemp("streams")

    def write(make, backend="Vivado", io_type="io_stream", **more):
        name = "_".join([make.__name__, backend, io_type, *map(str, more.values())])
        if not (folder / name).exists():
            make().write(folder / name, backend, io_type, **more)
        return folder / name

    return write


@pytest.fixture
def copy(written, tmp_path):
    """A copy of a small project, to be damaged."""
    return Path(shutil.copytree(written(small), tmp_path / "copy"))


@pytest.mark.parametrize(
    ("make", "backend", "io_type", "strategy"),
    [
        (encoded, "Vivado", "io_stream", "Latency"),
        (image, "Vitis", "io_stream", "Latency"),
        (window, "Vitis", "io_parallel", "Resource"),
        (line, "Vivado", "io_stream", "Latency"),
        (elements, "Vivado", "io_stream", "Latency"),
    ],
)
def test_every_kernel_of_a_project_is_its_typed_layer(
    make, backend, io_type, strategy, written, opened
):
    """What each kernel wrote, clones among it, and not the outputs alone."""
    project = opened(written(make, backend, io_type, strategy=strategy))
    model = project.model()
    inputs = drawn(model, ROWS, 1)
    found = compare(model, project, *inputs)
    assert found.agrees, str(found.first)
    compared = {layer.name for layer in found.layers if layer.codes}
    assert compared >= {name for call in project.top.calls for name in project.writes(call)}
    assert len(np.unique(model.run(*inputs).codes)) > 1


def test_the_unmodified_top_function_is_its_typed_model(written, opened):
    project = opened(written(small))
    found = verify(project, drawn(project.model(), ROWS, 2), layers=True)
    assert found.agrees
    assert found.codes == ROWS * 3
    assert [layer.kernel for layer in found.layers] == ["relu", "repack_stream", "relu", "dense"]
    assert all(layer.codes for layer in found.layers)


def test_a_changed_weight_differs(copy, opened):
    model = opened(copy).model()
    weights = copy / "firmware/weights/w6.txt"
    assert weights.exists(), sorted(p.name for p in weights.parent.iterdir())
    numbers = weights.read_text().split(", ")
    weights.write_text(", ".join(["-3.0", *numbers[1:]]))
    after = opened(copy)
    found = compare(model, after, *drawn(model, ROWS, 0))
    assert found.first.layer.name == "dense_5"


def test_a_kernel_that_reads_too_little_is_broken(copy):
    """The stream is named: the next kernel finds it empty, or something is left in it."""
    kernel = copy / "firmware/nnet_utils/nnet_activation_stream.h"
    text = kernel.read_text()
    start = text.index("void relu(")
    loop = "i < CONFIG_T::n_in / res_T::size"
    kernel.write_text(text[:start] + text[start:].replace(loop, f"{loop} - 1", 1))
    result = RUNNER.invoke(app, ["verify-project", str(copy), "--rows", "5"])
    assert result.exit_code == 1, result.output
    assert re.search(r"row 0: the stream \w+ is read while empty", result.output)


def test_what_is_left_in_a_stream_is_broken(copy, opened):
    kernel = copy / "firmware/nnet_utils/nnet_dense_stream.h"
    edit(
        kernel,
        "res_stream.write(res_pack);",
        "res_stream.write(res_pack); res_stream.write(res_pack);",
    )
    project = opened(copy)
    x = np.zeros((4, 8), np.int64)
    with pytest.raises(BrokenProject, match=r"row 0: the stream \w+_out contains leftover data"):
        project.run(x)
    with pytest.raises(BrokenProject, match=r"_out is given 2 packs of 3, 1 are wanted"):
        project.trace(x)


DAMAGES = [
    (TOP, ", 8>(", ", 4>(", r"goes through 4 values, layer2_out has 8"),
    (HEADER, "n_in = 8", "n_in = 6", r"reads 6 values, layer2_out has 8|relu"),
    ("firmware/defines.h", "2*1> layer", "3*1> layer", r"packs of 4 and of 3: what does not fit"),
    ("firmware/defines.h", "2*1> layer", "1*1> layer", r"has packs of 2, 1 are wanted|8 values"),
    ("myproject_bridge.cpp", "2*4>", "2*3>", r"reads 8 values, x has 6"),
    (TOP, "nnet::relu<", "nnet::relu6<", r"relu6 .*: hls4ml's nnet_utils have none for streams"),
    (TOP, "hls::stream<input_t> &x", "hls::burst<input_t> &x", r"supported: arrays and streams"),
]


@pytest.mark.parametrize(("file", "old", "new", "message"), DAMAGES)
def test_damages_are_named_in_one_line(file, old, new, message, copy):
    edit(copy / file, old, new)
    with pytest.raises(ProjectError, match=message) as caught:
        Project.read(copy).model()
    assert "\n" not in str(caught.value)


def test_what_hls4ml_gets_wrong_is_broken(written, tmp_path):
    """Vitis has no encoded poolings; windows of one row write rows that strides should skip; and
    packs of 4 become packs of 3 by dropping the fourth."""
    with pytest.raises(BrokenProject, match=r"of Vitis, have no encoded pooling and assert it"):
        Project.read(written(encoded, "Vitis")).model()
    g = Graph()
    g.conv(g.input("x", 4, 4, 1), (1, 2), 2, stride=2)
    with pytest.raises(BrokenProject, match=r"windows of one row its line buffer writes every row"):
        Project.read(g.write(tmp_path / "row", "Vivado", "io_stream")).model()
    g = Graph()
    g.dense(g.reshape(g.input("x", 3, 4), 4, 3), 2)
    with pytest.raises(BrokenProject, match=r"packs of 4 and of 3: what does not fit is dropped"):
        Project.read(g.write(tmp_path / "packs", "Vivado", "io_stream")).model()


def test_sizes_come_from_the_bridge_or_the_test_bench(copy):
    (copy / "myproject_bridge.cpp").unlink()
    assert Project.read(copy).inputs[0].shape == (2, 4)
    (copy / "myproject_test.cpp").unlink()
    with pytest.raises(ProjectError, match=r"neither myproject_bridge.cpp nor myproject_test.cpp"):
        Project.read(copy)
