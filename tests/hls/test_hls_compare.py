"""The walk through the layers: it stops at the first that differs, and explains it."""

import re
import shlex
import subprocess

import numpy as np
import pytest
import torch
from torch import nn

from harness import ApFixed
from harness.fixed import Fixed
from harness.hls import (
    Dense,
    ModelTwin,
    Project,
    Reshape,
    Sequential,
    Transpose,
    compare,
    from_torch,
    hls4ml_config,
    with_typed_weights,
)
from harness.hls.compare import differing, shaped_like
from harness.hls.proof import FAMILIES, Draw
from harness.hls.trace import accumulation

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
    head, *rows, last = str(found).splitlines()
    assert head.split() == ["layer", "kind", "result", "codes", "differences"]
    assert rows[-1].split() == ["dense_2", "Dense", "ap_fixed<16,6>", "900", "0"]
    assert len(rows) == 4
    assert len({line.index("Dense") for line in (rows[0], rows[-1])}) == 1  # aligned
    assert last == "4 layers agree in 8,100 codes"


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


@pytest.mark.parametrize("kernel", FAMILIES)
def test_every_accumulator_that_is_shown_ends_at_its_code(kernel):
    """Of every kernel that tells what it adds up; one code further, nothing is shown."""
    for k in range(4):
        draw = Draw(11, k)
        layer = FAMILIES[kernel](draw)
        row = tuple(x[-1] for x in draw.inputs(layer, 30))
        out = layer.run(*(x[None] for x in row))[0]
        for index in list(np.ndindex(layer.output_shape))[-3:]:
            total, got = layer.summed(row, index), out[index]
            if total is None:
                return
            lines = accumulation(total, got, total, got)
            assert lines[0] == "  the accumulator:"
            other = Fixed(got.codes ^ 1, got.type)
            (line,) = accumulation(total, other, total, got)
            assert line.startswith("  no accumulator is shown, for its inputs, weights and types")
            lines = accumulation(total, got, total, other)
            assert lines[0].startswith("  the twin's accumulator is not shown: its inputs, weights")
            assert "twin's" not in lines[2]


def ends(first):
    """The last accumulators that a difference shows, as codes of the results."""
    last = columns(str(first).splitlines())
    pairs = ((last["accumulator"], first.got), (last["twin's"], first.expected))
    return [int(Fixed.of(float(text), code.type).codes) for text, code in pairs]


def columns(lines):
    """The numbers of the last step of a table, by column."""
    head = next(line for line in lines if line.split()[:2] == ["step", "x"])
    names = re.findall(r"twin's [xw]\b|twin's|\S+", head)
    last = [line for line in lines if re.match(r" +\d+ ", line)][-1].split()
    return dict(zip(names[: len(last)], last, strict=False))


def permuted(accum="ap_fixed<16,6>", edit=None):
    """A dense layer behind channels first, and one of channels last with its weights permuted."""
    rng = np.random.default_rng(8)
    weight = Fixed(rng.integers(-(2**9), 2**9, (12, 5)), T)
    types = {"input": T, "weight_type": T, "bias_type": T, "result": T, "accum": accum}
    moved = weight[np.arange(12).reshape(3, 4).T.ravel()].codes
    if edit is not None:
        moved[edit] += 64
    flat = Reshape(T, (3, 4))
    flat.name = "flat"
    return (
        Sequential(
            Transpose((1, 0), input=T, input_shape=(3, 4)),
            Reshape(T, (4, 3)),
            Dense(Fixed(moved, T), **types),
        ),
        Sequential(flat, Dense(weight, **types)),
    )


def test_each_accumulator_adds_its_own_inputs():
    """A wrong weight is named, and both columns end at the codes, though the orders differ."""
    here, there = permuted(edit=(7, 3))
    first = compare(here, there, np.random.default_rng(0).normal(size=(50, 3, 4))).first
    lines = str(first).splitlines()
    k = np.arange(12).reshape(3, 4).T.ravel()[7]
    x, w = first.other_inputs[0][k].values(), there.layer("dense").fixed("weight")[k, 3].values()
    assert f"  added here alone: {x:.10g} * {w + 64 / 1024:.10g}" in lines
    assert f"  added in the twin alone: {x:.10g} * {w:.10g}" in lines
    assert ends(first) == [int(first.got.codes), int(first.expected.codes)]
    assert "twin's x" in columns(lines)
    assert "<- here" not in str(first)


def test_another_order_is_said_to_be_one():
    here, there = permuted(accum="ap_fixed<13,3,AP_TRN,AP_SAT>")
    first = compare(here, there, 4 * np.random.default_rng(0).normal(size=(50, 3, 4))).first
    lines = str(first).splitlines()
    assert "  the twin adds the same products in another order" in lines
    assert ends(first) == [int(first.got.codes), int(first.expected.codes)]


def test_a_wrong_weight_and_a_wrong_bias_are_marked():
    weight, bias = np.full((3, 1), 0.5), [0.25]
    types = {"input": T, "weight_type": T, "bias_type": T, "result": T, "accum": T}
    right = Sequential(Dense(weight, bias, **types))
    x = np.array([[1.0, 2.0, 3.0]])
    text = str(compare(right, Sequential(Dense([[0.5], [0.75], [0.5]], bias, **types)), x))
    (row,) = [line.split() for line in text.splitlines() if "<- here" in line]
    assert row == ["1", "2", "0.5", "1", "1", "1.75", "0.75", "2.25", "<-", "here"]
    text = str(compare(right, Sequential(Dense(weight, [0.5], **types)), x))
    (row,) = [line.split() for line in text.splitlines() if "<- here" in line]
    assert row == ["start", "0.25", "0.5", "<-", "here"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """What hls4ml makes of a convolution, a flatten and a dense layer, and their typed model."""
    from hls4ml.converters import convert_from_pytorch_model

    torch.manual_seed(2)
    model = nn.Sequential(nn.Conv1d(2, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2)).eval()
    config = {"Model": {"Precision": "fixed<16,6>", "ReuseFactor": 1, "Strategy": "Latency"}}
    typed = from_torch(model, config, input_shape=(2, 5))
    folder = tmp_path_factory.mktemp("permuted")
    options = {"hls_config": hls4ml_config(typed), "output_dir": str(folder)}
    plain = with_typed_weights(model, typed)
    convert_from_pytorch_model(plain, backend="Vivado", io_type="io_parallel", **options).write()
    return typed, folder


@pytest.mark.filterwarnings("ignore")  # those of hls4ml's imports
def test_the_trace_of_a_project_adds_what_its_kernel_reads(project):
    """hls4ml permutes the weights behind a flatten; one of them is changed."""
    typed, folder = project
    x = np.random.default_rng(0).normal(size=(20, 5, 2))
    path = folder / "firmware/weights/w5.txt"
    numbers = path.read_text().split(", ")
    read = Project.read(folder)
    assert compare(typed, read, x).agrees
    assert (read.layer("_3").fixed("weight").codes != typed.layer("_3").fixed("weight").codes).any()
    read.close()
    wrong = str(float(numbers[8]) - 0.5)  # input 4, output 0
    path.write_text(", ".join([*numbers[:8], wrong, *numbers[9:]]))
    changed = Project.read(folder)
    first = compare(typed, changed, x).first
    assert (first.layer.name, first.index) == ("_3", (0,))
    lines = str(first).splitlines()
    value = first.other_inputs[0][4].values()
    assert f"  added here alone: {value:.10g} * {float(numbers[8]):.10g}" in lines
    assert f"  added in the twin alone: {value:.10g} * {float(wrong):.10g}" in lines
    assert ends(first) == [int(first.got.codes), int(first.expected.codes)]
    changed.close()
    path.write_text(", ".join(numbers))


def test_the_same_code_may_be_another_value():
    """Values are compared, and not as C++ does: -1 is none of the unsigned numbers."""
    cases = [
        (ApFixed(64, 64), -1, ApFixed(64, 64, signed=False), -1, True),
        (ApFixed(32, 32), -1, ApFixed(32, 32, signed=False), (1 << 32) - 1, True),
        (ApFixed(8, 4), 3, ApFixed(8, 5), 3, True),
        (ApFixed(8, 4), 6, ApFixed(8, 5), 3, False),
        (ApFixed(64, 10), 1, ApFixed(64, 60), 0, True),
        (ApFixed(4, 4, overflow="SAT_SYM"), -8, ApFixed(5, 4), -16, False),
    ]
    for a, x, b, y, other in cases:
        one, two = Fixed(np.array([x]), a), Fixed(np.array([y]), b)
        assert differing(one, two).tolist() == differing(two, one).tolist() == [other]


def test_another_shape_is_not_reshaped():
    x = Fixed(np.arange(24).reshape(2, 3, 4), T)
    assert shaped_like(x, (2, 12), "a").shape == (2, 12)
    assert shaped_like(x, (2, 1, 3, 4), "a").shape == (2, 1, 3, 4)
    for shape in ((2, 4, 3), (2, 2, 6), (1, 24), (2, 11)):
        with pytest.raises(ValueError, match=r"a has shape .* here, and \(2, 3, 4\) in the twin"):
            shaped_like(x, shape, "a")
