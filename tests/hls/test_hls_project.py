"""Projects that hls4ml wrote, compiled with their own headers and held against the typed model."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from projects import edit
from torch import nn
from typer.testing import CliRunner

from harness.cli import app
from harness.hls import Fixed, Model, Project, ShapeError
from harness.hls.project import ProjectError, verify
from harness.hls.project.inputs import drawn, from_file, of_test_bench
from harness.hls.project.source import evaluate
from harness.oracle import CompileError, OracleCrash
from harness.types import ApFixed, ApInt

ROWS = 200
RUNNER = CliRunner()


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(3, 4, batch_first=True)
        self.dense = nn.Linear(4, 2)

    def forward(self, x):
        states, _ = self.gru(x)
        return self.dense(states)


def jet_tagger():
    """The jet-tagging network of hls4ml's tutorial, 16-64-32-32-5."""
    return nn.Sequential(
        nn.Linear(16, 64),
        nn.ReLU(),
        nn.Linear(64, 32),
        nn.ReLU(),
        nn.Linear(32, 32),
        nn.ReLU(),
        nn.Linear(32, 5),
        nn.Softmax(-1),
    )


def convolutional():
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(27, 3),
    )


class Elements(nn.Module):
    """Two inputs, merges, batch normalisation, and activations with tables and parameters."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.last = nn.Linear(6, 6), nn.Linear(4, 6), nn.Linear(6, 3)
        self.norm, self.relu = nn.BatchNorm1d(6), nn.ReLU()
        self.sigmoid, self.tanh, self.elu = nn.Sigmoid(), nn.Tanh(), nn.ELU()
        self.leaky, self.threshold = nn.LeakyReLU(0.3), nn.Threshold(0.25, 0.0)

    def forward(self, x, y):
        a, b = self.tanh(self.one(x)), self.norm(self.sigmoid(self.two(y)))
        c = torch.mul(torch.add(a, b), self.elu(a))
        return self.last(self.threshold(torch.sub(self.leaky(c), self.relu(b))))


class Sequence(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.lstm = nn.LayerNorm(4), nn.LSTM(4, 3, batch_first=True)
        self.dense, self.softmax = nn.Linear(3, 3), nn.Softmax(-1)

    def forward(self, x):
        states, _ = self.lstm(self.norm(x))
        return self.softmax(self.dense(states))


def image():
    return nn.Sequential(
        nn.Conv2d(1, 2, 2, stride=2),
        nn.UpsamplingNearest2d(scale_factor=2),
        nn.AvgPool2d(2, stride=1),
        nn.Conv2d(2, 2, 1),
    )


class Einsum(nn.Module):
    def forward(self, x, y):
        return torch.einsum("bij,bjk->bki", x, y)


def small():
    return nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))


NETWORKS = {
    "jet": (jet_tagger, (16,)),
    "cnn": (convolutional, (1, 6, 6)),
    "gru": (Recurrent, (4, 3)),
    "elements": (Elements, [(6,), (4,)]),
    "sequence": (Sequence, (3, 4)),
    "image": (image, (1, 6, 6)),
    "einsum": (Einsum, [(3, 4), (4, 2)]),
    "small": (small, (4,)),
}
#: What becomes of the types that hls4ml would infer.
TYPES = {"auto": None, "default": "fixed<16,6>", "saturating": "fixed<12,5,RND_CONV,SAT>"}


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Writes a project once: ``written(network, types)`` is its folder."""
    import hls4ml

    folder = tmp_path_factory.mktemp("projects")

    def write(network, types="auto", io_type="io_parallel"):
        out = folder / f"{network}_{types}_{io_type}"
        if out.exists():
            return out
        torch.manual_seed(7)
        make, shape = NETWORKS[network]
        model = make().eval()
        config = hls4ml.utils.config_from_pytorch_model(
            model,
            shape,
            granularity="name",
            backend="Vivado",
            default_precision="ap_fixed<16,6>",
            # Converting, hls4ml would turn sequences too, and take time steps for inputs.
            channels_last_conversion="full" if network in ("cnn", "image") else "off",
        )
        if TYPES[types] is not None:
            for layer in config["LayerName"].values():
                kept = {k: v for k, v in layer["Precision"].items() if "table" in k or "inv" in k}
                wanted = dict.fromkeys(layer["Precision"], TYPES[types])
                layer["Precision"] = {**wanted, **kept}
        hls4ml.converters.convert_from_pytorch_model(
            model,
            hls_config=config,
            output_dir=str(out),
            backend="Vivado",
            io_type=io_type,
        ).write()
        return out

    return write


@pytest.fixture
def copy(written, tmp_path):
    """A copy of a project, to be damaged."""

    def make(network="small", types="auto"):
        return Path(shutil.copytree(written(network, types), tmp_path / "copy"))

    return make


@pytest.mark.parametrize(
    ("network", "types"),
    [
        ("jet", "auto"),
        ("gru", "auto"),
        ("jet", "default"),
        ("cnn", "default"),
        ("jet", "saturating"),
        ("cnn", "saturating"),
        ("gru", "saturating"),
        ("elements", "saturating"),
        ("sequence", "saturating"),
        ("image", "saturating"),
        ("einsum", "default"),
    ],
)
def test_the_cpp_of_a_project_is_its_typed_model(network, types, written, opened):
    project = opened(written(network, types))
    model = project.model()
    inputs = drawn(model, ROWS, 1)
    found = verify(project, inputs, model=model, layers=types == "saturating")
    assert found.agrees, "\n".join([found.summary, *found.details])
    assert found.codes == ROWS * int(np.prod(model.output_shape))
    assert {step.layer.name for step in model.steps} >= {call.layer for call in project.top.calls}
    # With the types that hls4ml infers, every logit finds the same entry of softmax' table.
    assert len(np.unique(model.run(*inputs).codes)) > 2 or (network, types) == ("jet", "auto")
    if types == "saturating":
        assert all(layer.codes for layer in found.layers)


def test_python_runs_and_traces_a_project(written, opened):
    project = opened(written("small"))
    x = np.array([[0.5, -0.25, 1.0, 2.0], [0, 0, 0, 0]])
    codes = (x * 2**10).astype(np.int64)
    y = project.run(x)
    assert y.shape == (2, 2)
    assert (project.run(codes).codes == y.codes).all()
    assert (project.model().codes(codes).numpy() == y.codes).all()
    layers = project.trace(x)
    assert list(layers) == ["layer2_out", "layer3_out", "layer4_out"]
    assert (layers["layer4_out"].codes == y.codes).all()
    assert list(project.layer_outputs(*project.batch(x))) == ["_0", "_1", "_2"]
    assert project.run(np.empty((0, 4))).shape == (0, 2)


def test_a_mistyped_accumulator_is_named(copy, opened):
    path = copy("jet", "default")
    model = opened(path).model()
    edit(path / "firmware/defines.h", "ap_fixed<16,6> _2_accum_t", "ap_fixed<15,6> _2_accum_t")
    after = opened(path)
    inputs = drawn(model, ROWS, 0)
    assert verify(after, inputs).agrees
    found = verify(after, inputs, model=model)
    assert not found.agrees
    first = found.walk.first
    assert first.layer.name == "_2"
    assert first.types == [("accum", ApFixed(16, 6), ApFixed(15, 6))]
    row = [x.codes.tolist() for x in first.inputs]
    assert str(row[0][0]) in found.details[-1]
    assert len(row[0]) == 64
    got = after.layer_outputs(*inputs)["_2"]
    assert first.expected.codes == got[first.row].codes[first.index]
    assert first.got.codes == model.trace(*inputs)["layer4_out"].codes[(first.row, *first.index)]


def test_a_changed_kernel_is_found(copy):
    path = copy()
    kernel = path / "firmware/nnet_utils/nnet_dense_latency.h"
    edit(kernel, "acc[iacc] = (typename CONFIG_T::accum_t)biases[iacc];", "acc[iacc] = 0;")
    result = RUNNER.invoke(app, ["verify-project", str(path), "--rows", "20"])
    assert result.exit_code == 1
    assert "_0 (Dense) differs first in row 0" in result.output
    assert "input codes" in result.output
    assert result.output.splitlines()[-1].startswith("DIFFER: myproject, 40 of 40 output codes")


def test_a_difference_that_the_output_hides_is_found_with_layers(copy, opened):
    path = copy()
    for weight in ("w4", "b4"):  # the output is 0, whatever the layers before give
        for file, old in (
            (".txt", "-?[0-9]+\\.[0-9]+"),
            (".h", "(?<=[{ ])-?[0-9]+\\.[0-9]+(?=[,}])"),
        ):
            weights = path / f"firmware/weights/{weight}{file}"
            weights.write_text(re.sub(old, "0.0", weights.read_text()))
    kernel = path / "firmware/nnet_utils/nnet_activation.h"
    text = kernel.read_text()
    start = text.index("void relu(")
    changed = re.sub(r"res\[ii\] = 0;", "res[ii] = -datareg;", text[start:], count=1)
    kernel.write_text(text[:start] + changed)
    project = opened(path)
    found = verify(project, drawn(project.model(), 50, 0), layers=True)
    assert found.differences == 0
    assert found.walk.first.layer.name == "_1"
    assert found.summary.endswith("0 of 100 output codes; first in layer _1")


def test_the_command_agrees(written):
    result = RUNNER.invoke(app, ["verify-project", str(written("small")), "--rows", "30"])
    assert result.exit_code == 0
    assert "AGREE: myproject, 30 rows, 60 output codes" in result.output


def test_rows_come_from_a_file_or_the_test_bench(copy, opened, tmp_path):
    path = copy()
    project = opened(path)
    values = np.linspace(-3, 3, 12).reshape(3, 4)
    np.save(tmp_path / "x.npy", values)
    (floats,) = from_file(project, tmp_path / "x.npy")
    assert (floats.codes == np.floor(values * 2**10)).all()
    np.savez(tmp_path / "x.npz", x=values)
    with pytest.raises(ValueError, match=r"x.npz has x; wanted: input_1"):
        from_file(project, tmp_path / "x.npz")
    np.save(tmp_path / "codes.npy", np.array([[1, 2, 3, 40000]]))
    with pytest.raises(ValueError, match="codes of ap_fixed<16,6> are -32768 to 32767"):
        from_file(project, tmp_path / "codes.npy")
    np.save(tmp_path / "nan.npy", np.full((1, 4), np.nan))
    with pytest.raises(ValueError, match="NaN"):
        from_file(project, tmp_path / "nan.npy")
    np.save(tmp_path / "wide.npy", np.zeros((2, 5)))
    with pytest.raises(ValueError, match=r"takes \(rows, 4\), got \(2, 5\)"):
        from_file(project, tmp_path / "wide.npy")
    np.save(tmp_path / "none.npy", np.zeros((0, 4)))
    with pytest.raises(ValueError, match="has no rows"):
        from_file(project, tmp_path / "none.npy")
    (tmp_path / "text.npy").write_text("1 2 3")
    with pytest.raises(ValueError, match="cannot read"):
        from_file(project, tmp_path / "text.npy")
    assert of_test_bench(project) is None
    (path / "tb_data").mkdir(exist_ok=True)
    (path / "tb_data/tb_input_features.dat").write_text("1 2 3 4\n0.1 0 0 -1\n")
    (bench,) = of_test_bench(project)
    assert bench.codes.tolist() == [[1024, 2048, 3072, 4096], [102, 0, 0, -1024]]
    (path / "tb_data/tb_input_features.dat").write_text("1 2 3 4\n0.1 0 0\n")
    with pytest.raises(ProjectError, match=r"dat:2: 4 finite values are wanted, got 3"):
        of_test_bench(project)


def test_random_rows_reach_the_ends_and_stay_moderate():
    from harness.hls import Reshape, Sequential

    t = ApFixed(16, 6)
    (x,) = drawn(Sequential(Reshape(t, (8,))), 400, 3)
    assert x.codes.min() == t.min_code
    assert x.codes.max() == t.max_code
    assert (np.abs(x.codes) < 4 * 2**10).mean() > 0.5
    assert (x.codes[2] == 0).all()


def test_weights_that_synthesis_reads_differently_are_named(copy, opened):
    path = copy()
    header = path / "firmware/weights/b4.h"
    text = header.read_text()
    first = re.search(r"= \{([^,}]*)", text)[1]
    header.write_text(text.replace(f"{{{first}", "{1.5"))
    project = opened(path)
    found = verify(project, drawn(project.model(), 5, 0))
    assert found.differences == 0
    assert not found.agrees
    assert "DIFFER: myproject, 1 weights" in found.summary
    assert re.match(r"b4: 1 of 2 codes differ .* at 0 firmware/weights/b4.txt", found.details[0])


def test_integers_convert_toward_zero(copy):
    path = copy()
    edit(
        path / "firmware/defines.h", "typedef ap_fixed<16,6> input_t;", "typedef ap_int<5> input_t;"
    )
    project = Project.read(path)
    assert project.type(project.inputs[0]) == ApInt(5)


@pytest.mark.parametrize(
    ("network", "types", "new", "message"),
    [
        # The headers cut a fraction off before they add it to an integer.
        (
            "einsum",
            "default",
            "ap_int<16>",
            r"einsum \(einsum\): Einsum: fractions are added to an ap_int<16>",
        ),
        ("image", "saturating", "ap_uint<12>", r"_2\): .*: fractions are added to an ap_uint<12>"),
    ],
)
def test_integers_that_gather_fractions_are_refused(network, types, new, message, copy):
    path = copy(network, types)
    defines = path / "firmware/defines.h"
    pattern = r"ap_fixed<[^>]*> ((einsum|_2)_accum_t)"
    text, count = re.subn(pattern, rf"{new} \1", defines.read_text())
    assert count == 1
    defines.write_text(text)
    with pytest.raises(ProjectError, match=message):
        Project.read(path).model()


def test_an_average_of_integers_is_refused(copy):
    path = copy("image", "saturating")
    defines = path / "firmware/defines.h"
    text, count = re.subn(
        r"ap_fixed<[^>]*> (_2_accum_t|layer\d+_t)", r"ap_int<9> \1", defines.read_text()
    )
    assert count > 1
    defines.write_text(text)
    with pytest.raises(
        ProjectError, match=r"an average in ap_int<9> divides it as if it were unsi"
    ):
        Project.read(path).model()


TOP = "firmware/myproject.cpp"
DAMAGES = [
    ("firmware/defines.h", "typedef", "tpyedef", r"defines.h:\d+: not understood: tpyedef"),
    ("firmware/defines.h", "ap_fixed<16,6> input_t", "ap_fixed<-3,6> input_t", "-3"),
    ("firmware/defines.h", "ap_fixed<16,6> input_t", "float input_t", "is input_t = float; supp"),
    (
        "firmware/defines.h",
        "ap_fixed<16,6> input_t",
        "ap_fixed<280,6> input_t",
        "more than 256 bits",
    ),
    (
        "firmware/defines.h",
        "// hls-fpga-machine-learning insert numbers",
        "#if 1",
        "#if is not und",
    ),
    ("firmware/parameters.h", "n_in = 4", "n_in = 5", r"w2 has 12 numbers, 15 are read"),
    ("firmware/parameters.h", "n_in = 4", "n_in = 4 ^ 1", "the expression '4 \\^ 1' is not und"),
    (
        "firmware/parameters.h",
        "product::mult",
        "product::weight_ternary",
        r"takes weights of type ap_int<2>",
    ),
    ("firmware/parameters.h", "DenseLatency", "DenseCompressed", "supported: DenseLatency"),
    ("firmware/parameters.h", "    typedef _0_accum_t accum_t;", "", "config2 has no accum_t"),
    ("firmware/parameters.h", "struct config2", "struct config9", "has no struct config2"),
    ("firmware/parameters.h", "};", "", "is the file complete"),
    (TOP, "nnet::dense<", "nnet::garnet_ref<", r"\d+: garnet_ref \(_0\): this kernel is not"),
    (TOP, "nnet::dense<", "nnet::dense", r"myproject.cpp:\d+: not understood: nnet::dense"),
    (TOP, "(input_1, layer2_out", "(input_9, layer2_out", "is given input_9, no known array"),
    (TOP, "layer2_out[3]", "layer2_out[2]", "writes 3 values, layer2_out has 2"),
    (
        TOP,
        "input_t input_1[4]",
        "hls::stream<input_t> &input_1",
        "a stream of input_t, not of nnet",
    ),
    (TOP, "nnet::load_weights_from", "nnet::load_compressed_weights_from", "compressed weights"),
    (TOP, "    _0_result_t layer2_out[3];", "for (int k = 0; k < 3; k++) {}", "one kernel after"),
    (TOP, "void myproject", "void other", "has no function void myproject"),
    ("firmware/weights/w2.txt", ",", ",,", "13 numbers, 12 are wanted"),
    ("hls4ml_config.yml", "ProjectName: myproject", "ProjectName: yours", "yours.cpp is missing"),
]


@pytest.mark.parametrize(("file", "old", "new", "message"), DAMAGES)
def test_what_is_not_understood_is_refused_in_one_line(file, old, new, message, copy):
    path = copy()
    edit(path / file, old, new)
    with pytest.raises(ProjectError, match=message) as caught:
        Project.read(path).model()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (r"ap_ufixed<\d+, \d+> inp_norm_t", "ap_ufixed<-4, 14> inp_norm_t", "ap_ufixed<-4, 14>"),
        (r"ap_ufixed<\d+, \d+> inp_norm_t", "ap_ufixed<4, 4> inp_norm_t", "exp_table_size"),
        (r"inv_table_size = \d+", "inv_table_size = -1", "inv_table_size"),
        (r"implementation::stable", "implementation::fast", "unknown implementation 'fast'"),
        (r"n_slice = 5", "n_slice = 4", "n_in 5 is not supported; supported: 4"),
    ],
)
def test_tables_that_the_kernel_could_not_read_are_refused(old, new, message, copy):
    path = copy("jet") / "firmware/parameters.h"
    text, count = re.subn(old, new, path.read_text())
    assert count == 1
    path.write_text(text)
    with pytest.raises(ProjectError, match=message):
        Project.read(path.parent.parent).model()


def test_expressions_are_those_of_cpp():
    names = {"n": 7, "k": 2}
    for text, value in [
        ("DIV_ROUNDUP(n * 3, k) - 1 / k", 11),
        ("-n / k", -3),
        ("-n % k", -1),
        ("8u*(k + true)", 24),
        ("0", 0),
    ]:
        assert evaluate(text, names.__getitem__) == value
    for text in (
        "n ? 1 : 2",
        "__import__('os')",
        "n ** k",
        "1.5",
        "n / 0",
        "",
        "n +",
        "[1]",
        "'a'",
    ):
        with pytest.raises(ValueError, match=r"not understood|divides by zero"):
            evaluate(text, names.__getitem__)


def test_damaged_weights_are_refused(copy):
    path = copy()
    weights = path / "firmware/weights/w2.txt"
    numbers = weights.read_text().split(", ")
    for text, message in [
        (["nan", *numbers[1:]], "number 0 is 'nan', which is no finite number"),
        ([*numbers[:-1], "1e999"], "number 11 is '1e999'"),
        (numbers[:-1], "w2.txt: 11 numbers, 12 are wanted"),
        ([], "w2.txt: 1 numbers, 12 are wanted"),
        (["0x10", *numbers[1:]], "number 0 is '0x10'"),
    ]:
        weights.write_text(", ".join(text))
        with pytest.raises(ProjectError, match=message):
            Project.read(path)
    weights.unlink()
    with pytest.raises(ProjectError, match=r"cannot read firmware/weights/w2.txt: No such file"):
        Project.read(path)


def test_a_truncated_top_function_is_refused_at_every_length(copy):
    path = copy()
    top = path / TOP
    text = top.read_text()
    end = text.rindex("}")
    for size in range(0, end, max(end // 60, 1)):
        top.write_text(text[:size])
        with pytest.raises(ProjectError):
            Project.read(path).model()


def test_missing_folders_are_refused(tmp_path):
    for path, message in [
        (tmp_path / "none", "is no folder"),
        (tmp_path, "has no folder firmware"),
    ]:
        result = RUNNER.invoke(app, ["verify-project", str(path)])
        assert isinstance(result.exception, ProjectError)
        assert message in str(result.exception)


def test_a_half_written_project_is_refused(copy):
    path = copy()
    (path / "firmware/parameters.h").unlink()
    with pytest.raises(ProjectError, match=r"parameters.h is missing; is the project written"):
        Project.read(path)


def test_the_name_comes_from_the_only_source(copy):
    path = copy()
    (path / "hls4ml_config.yml").unlink()
    assert Project.read(path).name == "myproject"
    (path / "project.tcl").unlink()
    assert Project.read(path).name == "myproject"
    (path / "firmware/other.cpp").write_text("")
    with pytest.raises(ProjectError, match=r"and 2 files firmware/\*.cpp"):
        Project.read(path)


def test_what_the_compiler_refuses_is_one_line(copy, opened):
    path = copy()
    edit(path / "firmware/nnet_utils/nnet_dense.h", "#pragma HLS INLINE", "syntax error;")
    project = opened(path)
    with pytest.raises(
        CompileError, match=r"the compiler refused firmware/myproject.cpp"
    ) as caught:
        project.run(np.zeros((1, 4)))
    assert "\n" not in str(caught.value)


def test_a_top_function_that_crashes_is_reported_with_its_row(copy, opened):
    path = copy()
    kernel = path / "firmware/nnet_utils/nnet_dense.h"
    edit(
        kernel,
        "#pragma HLS INLINE",
        "if (CONFIG_T::n_in == 4 && data[0] == 5) *(volatile int *)0 = 0;",
    )
    project = opened(path)
    x = np.zeros((40, 4))
    assert project.run(x).shape == (40, 2)
    x[29] = 5
    with pytest.raises(OracleCrash, match=r"myproject\(\) ended its process in row 29: SIGSEGV"):
        project.run(x)
    assert project.run(x[:29]).shape == (29, 2)


def test_what_a_project_prints_is_kept_from_its_answers(copy, opened):
    path = copy()
    kernel = path / "firmware/nnet_utils/nnet_dense.h"
    edit(kernel, "#pragma HLS INLINE", 'std::cout << "hello" << std::endl;')
    project = opened(path)
    model = project.model()
    inputs = drawn(model, 20, 0)
    assert (project.run(*inputs).codes == model.run(*inputs).codes).all()


def test_a_project_in_a_folder_of_odd_characters(written, opened, tmp_path):
    path = shutil.copytree(written("small"), tmp_path / "it's a \\ folder, β")
    project = opened(path)
    assert isinstance(project.run(np.ones((2, 4))), Fixed)


def test_inputs_are_checked(written, opened):
    project = opened(written("small"))
    with pytest.raises(ValueError, match=r"has 1 inputs \(input_1\), got 2"):
        project.run(np.zeros((1, 4)), np.zeros((1, 4)))
    with pytest.raises(ValueError, match=r"takes \(rows, 4\), got \(4,\)"):
        project.run(np.zeros(4))
    with pytest.raises(ValueError, match="codes of ap_fixed<16,6>"):
        project.run(np.full((1, 4), 1 << 20))


def test_inputs_of_another_shape_are_refused(written, opened, tmp_path):
    """The declared shape or the flat one of hls4ml's own files; the same sizes in another order
    are other pixels."""
    path = written("sequence", "saturating")
    project = opened(path)
    assert project.inputs[0].shape == (3, 4)
    x = np.random.default_rng(0).normal(size=(20, 3, 4))
    expected = project.run(x).codes
    assert (project.run(x.reshape(20, 12)).codes == expected).all()
    both = r"takes \(rows, 3, 4\) or \(rows, 12\), got "
    for shape in ((20, 4, 3), (10, 6, 4), (20, 2, 6), (20, 1, 3, 4), (240,), (20, 12, 1)):
        for take in (project.batch, project.run, project.outputs_of, project.trace):
            with pytest.raises(ValueError, match=both + re.escape(str(shape))):
                take(x.reshape(shape))
    np.save(tmp_path / "x.npy", x.reshape(20, 4, 3))
    arguments = ["verify-project", str(path), "--input", str(tmp_path / "x.npy")]
    result = RUNNER.invoke(app, arguments)
    assert isinstance(result.exception, ValueError)
    assert re.search(both + r"\(20, 4, 3\)", str(result.exception))
    np.save(tmp_path / "x.npy", x.reshape(20, 12))
    assert RUNNER.invoke(app, arguments).exit_code == 0


def test_a_model_of_another_project_is_refused(written, opened):
    project = opened(written("small"))
    model = project.model()
    (x,) = drawn(model, 5, 0)
    other = opened(written("jet", "default")).model()
    with pytest.raises(ShapeError, match=r"input_1 takes \(rows, 16\), not \(5, 4\)"):
        verify(project, [x], model=other)
    narrow = Model(model.inputs, model.steps[:2])
    with pytest.raises(ValueError, match=r"layer4_out has shape \(5, 3\) here, and \(5, 2\)"):
        verify(project, [x], model=narrow)
