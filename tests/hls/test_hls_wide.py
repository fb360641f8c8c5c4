"""Types of more than 64 bits in layers, models, their twins, and projects as hls4ml writes them."""

import subprocess

import numpy as np
import pytest
import torch
from torch import nn

from harness.golden.codec import dumps, loads
from harness.hls import Dense, Fixed, Project, Sequential, Softmax
from harness.hls.project import verify
from harness.hls.project.inputs import drawn
from harness.hls.proof.draw import Draw
from harness.hls.reproduce import reproducer
from harness.hls.twin import Twin
from harness.hls.vectors import replay_vectors, vectors
from harness.oracle import Oracle
from harness.types import ApFixed

T = ApFixed(32, 16)


class Recurrent(nn.Module):
    def __init__(self, cell):
        super().__init__()
        self.cell, self.norm = cell(2, 2, batch_first=True), nn.Linear(2, 2)

    def forward(self, x):
        states, _ = self.cell(x)
        return self.norm(states)


def mlp():
    """Two layers without an activation between: the second multiplies a wide input."""
    return nn.Sequential(
        nn.Linear(3, 3), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3), nn.Softmax(-1)
    )


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 2, 2),
        nn.BatchNorm2d(2),
        nn.AvgPool2d(3),
        nn.Flatten(),
        nn.LeakyReLU(0.1),
        nn.Linear(2, 2),
        nn.BatchNorm1d(2),
    )


#: The network, its input's shape, and types that are written.
NETWORKS = {
    "mlp": (mlp, (3,), ("ap_fixed<67,35>", "ap_fixed<102,54>")),
    "cnn": (cnn, (1, 4, 4), ("ap_fixed<67,35>", "ap_fixed<75,39>")),
    "gru": (lambda: Recurrent(nn.GRU), (2, 2), ("ap_fixed<66,34>",)),
    "lstm": (lambda: Recurrent(nn.LSTM), (2, 2), ("ap_fixed<66,34>",)),
}


@pytest.fixture(scope="module")
def oracle():
    return Oracle()


@pytest.mark.parametrize(
    ("network", "backend"),
    [("mlp", "Vivado"), ("cnn", "Vitis"), ("gru", "Vivado"), ("lstm", "Vitis")],
)
def test_a_project_of_automatic_types_is_its_typed_model(network, backend, tmp_path):
    """`auto` at a default of fixed<32,16>: the compiled C++ of every layer gives the same codes."""
    hls4ml = pytest.importorskip("hls4ml")
    torch.manual_seed(1)
    made, shape, types = NETWORKS[network]
    config = hls4ml.utils.config_from_pytorch_model(
        net := made().eval(),
        shape,
        granularity="name",
        default_precision="fixed<32,16>",
        backend=backend,
        channels_last_conversion="full" if network == "cnn" else "off",
    )
    hls4ml.converters.convert_from_pytorch_model(
        net, hls_config=config, output_dir=str(tmp_path), backend=backend
    ).write()
    written = (tmp_path / "firmware" / "defines.h").read_text()
    assert all(t in written for t in types), written
    project = Project.read(tmp_path)
    model = project.model()
    inputs = drawn(model, 40, seed=3)
    verdict = verify(project, inputs, model=model, layers=network == "cnn")
    project.close()
    assert verdict.differences == 0
    assert sum(row.differences or 0 for row in verdict.layers) == 0


def wide_dense(**types):
    rng = np.random.default_rng(0)
    given = {"input": T, "weight_type": T, "bias_type": T, "accum": "ap_fixed<69,37>", **types}
    result = given.pop("result", given["accum"])
    return Dense(rng.normal(size=(4, 3)), rng.normal(size=3), result=result, **given)


def test_a_wide_model_has_vectors_and_a_state(oracle):
    """Golden vectors of wide values are text and come back; parameters of any width are a state."""
    first = wide_dense(
        weight_type="ap_fixed<70,10>", accum="ap_fixed<110,40>", result="ap_fixed<69,37>"
    )
    last = Softmax(input="ap_fixed<69,37>", input_shape=(3,), result=T)
    model = Sequential(first, last)
    x = Draw(1).codes(T, (6, 4))
    truth = loads(dumps(vectors(model, x, oracle=oracle)))
    assert set(replay_vectors(model, truth).values()) == {0}
    assert first.weight.shape == (4, 3, 2)
    other = Sequential(
        wide_dense(
            weight_type="ap_fixed<70,10>", accum="ap_fixed<110,40>", result="ap_fixed<69,37>"
        ),
        last,
    )
    other.layers[0].weight.zero_()
    assert max(replay_vectors(other, truth).values()) > 0
    other.load_state_dict(model.state_dict())
    assert set(replay_vectors(other, truth).values()) == {0}


def test_a_wide_code_is_right():
    """By hand: 2**15 - 2**-16 squared, four times, plus one, in an accumulator that holds it."""
    top = T.max_code
    given = {"input": T, "weight_type": T, "bias_type": T}
    layer = Dense(
        Fixed(np.full((4, 1), top), T),
        Fixed(np.array([1 << 16]), T),
        accum="ap_fixed<69,37>",
        result="ap_fixed<69,37>",
        **given,
    )
    out = layer.run(Fixed(np.full((1, 4), top), T))
    assert out.codes.tolist() == [[4 * top * top + (1 << 32)]]
    assert out.to(T).codes.tolist() == [[-3 << 16]]  # 2**64 - 3 * 2**32 + 4, without its ends


def test_what_torch_does_not_hold_is_refused_by_name():
    layer = wide_dense()
    x = np.zeros((1, 4), np.int64)
    with pytest.raises(ValueError, match=r"Dense: torch holds .* not ap_fixed<69,37>; use run"):
        layer.codes(x)
    with pytest.raises(ValueError, match=r"torch holds .* not ap_fixed<69,37>"):
        Sequential(layer).codes(x)
    narrow = wide_dense(result=T)
    assert narrow.codes(x).dtype == torch.int64
    with pytest.raises(ValueError, match=r"accum type ap_fixed<257,10> has more than 256 bits"):
        wide_dense(accum="ap_fixed<257,10>", result=T)


def test_a_reproducer_lists_the_words_of_wide_codes(oracle, tmp_path):
    """A code that differs in its high word alone ends it with 1, and both words are printed."""
    layer = wide_dense()
    x = Draw(2).codes(T, (1, 4))
    out = Twin(layer, oracle).run(x)[0, 1]
    wrong = Fixed(np.array(out.codes.item() ^ (1 << 66), object), out.type)
    source, program = tmp_path / "r.cpp", tmp_path / "r"
    source.write_text(reproducer(layer, (x[0],), (1,), out, wrong))
    headers = str(oracle.headers.directory)
    command = ["g++", "-std=c++17", "-w", "-I", headers, str(source), "-o", str(program)]
    subprocess.run(command, check=True)
    ran = subprocess.run([str(program)], check=False, capture_output=True, text=True)
    low, high = out.words.ravel().tolist()
    assert ran.returncode == 1
    assert ran.stdout.splitlines() == [
        f"kernel {low}, typed layer {low}, twin {low}",
        f"kernel {high}, typed layer {high}, twin {high ^ 4}",
    ]


def test_warnings_of_the_headers_are_not_heard(oracle, capfd):
    """The headers print a line for each wide number that is below a symmetric range."""
    layer = wide_dense(accum="ap_fixed<66,4,AP_TRN,AP_SAT_SYM>", result="ap_fixed<66,20>")
    x = Draw(2).codes(T, (5, 4))
    assert Twin(layer, oracle).run(x).codes.tolist() == layer.run(x).codes.tolist()
    assert capfd.readouterr().err == ""
