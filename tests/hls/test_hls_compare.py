"""The walk through the layers: it stops at the first that differs, and explains it."""

import re
import shlex
import subprocess

import numpy as np
import pytest

from harness import ApFixed
from harness.fixed import Fixed
from harness.hls import Dense, ModelTwin, Reshape, Sequential, compare

T = ApFixed(16, 6)


def model(accum="ap_fixed<28,12>", last="ap_fixed<28,12>"):
    rng = np.random.default_rng(3)
    types = {"input": T, "weight_type": T, "bias_type": T, "result": T}
    return Sequential(
        Dense(rng.normal(size=(16, 8)), rng.normal(size=8), accum=accum, **types),
        Reshape(T, (8,), (2, 4)),
        Reshape(T, (2, 4)),
        Dense(rng.normal(size=(8, 3)), None, accum=last, **types),
    )


@pytest.fixture(scope="module")
def batch():
    return np.random.default_rng(4).normal(size=(300, 16))


def test_a_model_agrees_with_its_kernels(oracle, batch):
    found = compare(model(), ModelTwin(model(), oracle), batch)
    assert found.agrees
    assert [layer.codes for layer in found.layers] == [2400, 2400, 2400, 900]
    assert str(found) == "4 layers agree in 8,100 codes"


def test_one_bit_less_in_an_accumulator_is_found(oracle, batch):
    wrong = model(last="ap_fixed<27,12>")
    found = compare(model(), ModelTwin(wrong, oracle), batch)
    first = found.first
    assert [layer.name for layer in found.layers] == ["dense", "reshape", "reshape_2", "dense_2"]
    assert [layer.differences > 0 for layer in found.layers] == [False, False, False, True]
    assert first.layer.name == "dense_2"
    assert first.types == [("accum", ApFixed(28, 12), ApFixed(27, 12))]
    here, there = model().layer_outputs(Fixed.of(batch, T)), wrong.layer_outputs(Fixed.of(batch, T))
    place = (first.row, *first.index)
    assert first.got.codes == here["dense_2"].codes[place]
    assert first.expected.codes == there["dense_2"].codes[place]
    assert first.got.codes != first.expected.codes
    before = here["dense_2"].codes.reshape(-1) == there["dense_2"].codes.reshape(-1)
    assert int(np.argmin(before)) == first.row * 3 + first.index[0]


def test_the_trace_shows_where_the_accumulators_part(batch):
    text = str(compare(model(), model(last="ap_fixed<27,12>"), batch))
    assert "dense_2 (Dense) differs first in row" in text
    assert "accum: ap_fixed<28,12> here, ap_fixed<27,12> in the twin" in text
    lines = text.splitlines()
    head = next(line for line in lines if "accumulator" in line and "step" in line)
    assert head.split() == ["step", "x", "w", "product", "term", "accumulator", "twin's", "note"]
    (parted,) = [line.split() for line in lines if "<- here" in line]
    _, x, w, product, _, here, there = map(float, parted[:7])
    assert here != there
    assert x * w == pytest.approx(product)


def test_the_trace_adds_up_and_names_overflow():
    t = ApFixed(8, 8)
    layer = Dense([[100.0], [100.0]], [1.0], input=t, weight_type=t, bias_type=t, accum=t, result=t)
    other = layer.retyped(accum="ap_fixed<8,8,AP_TRN,AP_SAT>")
    text = str(compare(Sequential(layer), Sequential(other), np.array([[1.0, 1.0]])))
    rows = [line.split() for line in text.splitlines()[-3:]]
    assert rows[0] == ["start", "1", "1"]
    assert rows[1] == ["0", "1", "100", "100", "100", "101", "101"]
    assert rows[2] == ["1", "1", "100", "100", "100", "-55", "127", "overflow", "<-", "here"]


def test_the_reproducer_compiles_and_tells_who_is_right(tmp_path, batch):
    first = compare(model(), model(last="ap_fixed<27,12>"), batch).first
    (tmp_path / "reproduce.cpp").write_text(first.cpp)
    command = re.search(r"//   (g\+\+ .*) && (.*)", first.cpp)
    subprocess.run(shlex.split(command[1]), cwd=tmp_path, check=True)
    done = subprocess.run(command[2], cwd=tmp_path, capture_output=True, text=True, check=False)
    got, expected = int(first.got.codes), int(first.expected.codes)
    # The file has the typed layer's types, so the kernel gives its code, and not the twin's.
    assert done.stdout == f"kernel {got}, typed layer {got}, twin {expected}\n"
    assert done.returncode == 1
    assert '#include "../nnet_utils/nnet_dense.h"' in first.cpp
    assert '"common.h"' not in first.cpp


def test_layers_that_the_twin_does_not_show_are_passed_over(batch):
    both = model()

    class Half:
        def layer_outputs(self, *inputs):
            return {"dense_2": both.layer_outputs(*inputs)["dense_2"]}

        def layer(self, name):
            return None

    found = compare(both, Half(), batch)
    assert found.agrees
    assert [layer.codes for layer in found.layers] == [0, 0, 0, 900]


def test_a_twin_of_another_model_is_refused(batch):
    other = model()
    for step in other.steps:
        step.layer.name = "x" + step.layer.name
    with pytest.raises(ValueError, match="the twin has no layer of the model's names"):
        compare(model(), other, batch)
