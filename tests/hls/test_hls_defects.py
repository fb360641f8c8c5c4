"""Projects that hls4ml 1.3.0 writes wrong: each ends in BROKEN, with what is wrong with it."""

import re

import numpy as np
import pytest
import torch
from projects import Net, drawn
from torch import nn

from harness.hls.check import Findings
from harness.hls.check.command import Request, verify_project


class Last(nn.Module):
    """The last output of a recurrence of 3 inputs and 4 states."""

    def __init__(self, cell):
        super().__init__()
        self.cell, self.relu = cell(3, 4, batch_first=True), nn.ReLU()

    def forward(self, x):
        outputs, _ = self.cell(x)
        return self.relu(outputs[:, -1])


def from_torch(net, shape, layout):
    """What writes the project of a torch model, its axes turned as the layout says."""

    def write(folder):
        import hls4ml

        config = hls4ml.utils.config_from_pytorch_model(
            net.eval(),
            shape,
            granularity="name",
            backend="Vivado",
            default_precision="fixed<16,6>",
            channels_last_conversion=layout,
        )
        hls4ml.converters.convert_from_pytorch_model(
            net, hls_config=config, output_dir=str(folder), backend="Vivado"
        ).write()

    return write


def one_bias(folder):
    """A GRU as Keras' with reset_after=False has it: without recurrent biases."""
    Net(5, 3).add(
        "GRU",
        (6,),
        n_timesteps=5,
        n_in=3,
        n_out=6,
        return_sequences=False,
        return_state=False,
        activation="tanh",
        recurrent_activation="sigmoid",
        apply_reset_gate="before",
        time_major=False,
        data_format="channels_last",
        pass_initial_states=False,
        weight_data=drawn("w", 3, 18),
        recurrent_weight_data=drawn("r", 6, 18),
        bias_data=drawn("b", 18),
        recurrent_bias_data=np.zeros(1),
    ).write(folder)


def asked(folder) -> Findings:
    return verify_project(Request(folder, rows=5))


PROJECTS = {
    "gru, full": (
        from_torch(Last(nn.GRU), (5, 3), "full"),
        r"gru_stack \(cell\): w2 has 36 numbers, 60 are read",
    ),
    "gru, internal": (
        from_torch(Last(nn.GRU), (5, 3), "internal"),
        r"gru_stack \(cell\): w2 has 36 numbers, 60 are read",
    ),
    "lstm, full": (
        from_torch(Last(nn.LSTM), (5, 3), "full"),
        r"lstm_stack \(cell\): w2 has 48 numbers, 80 are read",
    ),
    "one slope": (
        from_torch(nn.Sequential(nn.Linear(4, 3), nn.PReLU()), (4,), "full"),
        r"prelu \(_1\): a3 has 1 numbers, 3 are read",
    ),
    "one bias": (one_bias, r"has 1 numbers, 18 are read"),
    "swish": (
        lambda folder: Net(4).dense(3).activation("swish").write(folder),
        r"swish .*: the project's own nnet_utils has no such kernel",
    ),
    "gelu": (
        lambda folder: Net(4).dense(3).activation("gelu").write(folder),
        r"gelu .*: the project's own nnet_utils has no such kernel",
    ),
}


@pytest.mark.parametrize("name", PROJECTS)
def test_a_wrong_project_is_broken(name, tmp_path):
    """Nothing is compiled: what is wrong is read off the sources, and told with its place."""
    torch.manual_seed(0)
    write, message = PROJECTS[name]
    write(tmp_path / "project")
    found = asked(tmp_path / "project")
    assert found.verdict == "BROKEN"
    assert found.rows == 0
    assert found.summary.startswith("BROKEN: myproject: firmware/myproject.cpp:")
    assert re.search(message, found.summary)


def test_a_recurrence_with_its_axes_left_is_no_such_project(tmp_path):
    """``off`` is right: the same model has a typed model then."""
    from harness.hls import Project

    from_torch(Last(nn.GRU), (5, 3), "off")(tmp_path / "project")
    assert Project.read(tmp_path / "project").model().output_shape == (4,)
