"""Projects that HGQ2 and da4ml wrote: a type for each element, and logic of shifts and additions.

``data/`` has two of them, of small Keras models: the files of ``firmware``, what was written into
``nnet_code_gen.h``, and the model's weights, inputs and outputs.
"""

import importlib.resources
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from harness.hls import ElementCast, Fixed, Logic, Model, Project, Step, compare
from harness.hls.layers.layer import ShapeError
from harness.hls.layers.linear import NotLinearError, linear
from harness.hls.layers.terms import Cast, Input, Let, Number, Program, Value
from harness.hls.project import ProjectError, verify
from harness.hls.project.generated import Generated
from harness.hls.project.inputs import drawn
from harness.hls.project.source import BrokenProject
from harness.hls.ranges import ranges
from harness.types import ApFixed

DATA = Path(__file__).parent / "data"
CODE = "firmware/nnet_utils/nnet_code_gen.h"
#: Every kind of statement that da4ml writes for a layer that hls4ml has no kernel of.
COMBLOGIC = """
template <typename inp_t, typename out_t>
void da_comblogic_2(inp_t model_inp[4], out_t model_out[9]) { // ap_fixed<8,4> -> ap_fixed<9,5>
    #pragma HLS INLINE

    static const ap_ufixed<6,1> table_3f[] = {0.0,0.5,1.0,1.5,0.25,0.75,1.25,1.75};
    ap_fixed<8,4> v0 = model_inp[0]; // 0.0
    ap_fixed<6,4> v1 = model_inp[1]; // 0.0
    ap_ufixed<3,1> v2 = model_inp[2]; // 0.0
    ap_fixed<7,3> v3 = v0 - bit_shift<-1>(v1); // 1.0
    ap_fixed<8,4> v4 = v0 > 0 ? ap_fixed<8,4>(v0) : ap_fixed<8,4>(0); // 1.0
    ap_fixed<8,4> v5 = v1[5] ? ap_fixed<8,4>(v0) : ap_fixed<8,4>(-bit_shift<1>(v1)); // 1.0
    ap_fixed<9,5> v6 = v0 - ap_ufixed<3,1>(0.75); // 1.0
    ap_ufixed<3,1> v7 = 0.5; // 0.0
    ap_fixed<12,7> v8 = v1 * v2; // 1.0
    ap_ufixed<6,1> v9 = table_3f[v2.range()]; // 1.0
    ap_ufixed<1,1> v10 = (v0 != 0); // 1.0
    ap_ufixed<1,1> v11 = (v1 == ap_fixed<6,4>(-0.25)); // 1.0
    ap_fixed<8,4> v12 = ~v0; // 1.0
    ap_fixed<6,3> v13 = ap_fixed<6,3>(v0) ^ ap_fixed<6,3>(-bit_shift<-1>(v1)); // 1.0

    model_out[0] = ap_fixed<7,3>(v3);
    model_out[1] = ap_fixed<8,4>(bit_shift<1>(v4));
    model_out[2] = ap_fixed<9,5>(-v5);
    model_out[3] = ap_fixed<9,5>(v6);
    model_out[4] = ap_fixed<12,7>(v8);
    model_out[5] = ap_ufixed<6,1>(v9);
    model_out[6] = 0;
    model_out[7] = ap_fixed<3,3>(v10);
    model_out[8] = ap_fixed<8,4>(v13);
}
"""


def written(name, folder):
    """A project of ``data/`` as hls4ml wrote it, with its own kernels."""
    told = json.loads((DATA / f"{name}.json").read_text())
    with importlib.resources.as_file(importlib.resources.files("hls4ml") / "templates") as found:
        for backend in dict.fromkeys(("vivado", told["backend"])):
            shutil.copytree(
                found / backend / "nnet_utils", folder / "firmware/nnet_utils", dirs_exist_ok=True
            )
    for path, lines in told["files"].items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text("\n".join(lines) + "\n")
    mark, code = "// hls4ml insert code\n", folder / CODE
    code.write_text(code.read_text().replace(mark, mark + "\n".join(told["generated"]) + "\n"))
    return folder, told


@pytest.fixture(scope="module")
def wrap(tmp_path_factory):
    """A project of the latency strategy whose quantizers wrap."""
    folder, told = written("hgq2_wrap", tmp_path_factory.mktemp("wrap"))
    project = Project.read(folder)
    yield project, told
    project.close()


@pytest.fixture(scope="module")
def arithmetic(tmp_path_factory):
    """A project of distributed arithmetic whose quantizers saturate."""
    folder, told = written("hgq2_da", tmp_path_factory.mktemp("da"))
    project = Project.read(folder)
    yield project, told
    project.close()


def changed(project, folder, old, new, path=CODE):
    """A copy of a project where one text is another one."""
    shutil.copytree(project.directory, folder)
    text = (folder / path).read_text()
    assert text.count(old) == 1
    (folder / path).write_text(text.replace(old, new))
    return Project.read(folder)


@pytest.mark.parametrize(("name", "layers"), [("wrap", False), ("arithmetic", True)])
def test_projects_agree_and_are_the_model(name, layers, request):
    """The typed model and the C++ agree, in every layer, and both give what Keras gave."""
    project, told = request.getfixturevalue(name)
    model = project.model()
    x = np.array(told["inputs"])
    codes = zip(project.batch(x), drawn(model, 60, 1), strict=True)
    batch = [Fixed(np.concatenate([a.codes, b.codes]), a.type) for a, b in codes]
    found = verify(project, batch, model=model, layers=layers)
    assert found.agrees
    assert [row.differences for row in found.layers if row.codes] == [0] * (7 if layers else 1)
    np.testing.assert_array_equal(model.run(*project.batch(x)).values(), told["outputs"])


def test_logic_is_the_model_s_weights(arithmetic):
    """The matrix that is read off the shifts and additions is that of the Keras layer."""
    project, told = arithmetic
    model = project.model()
    for name in ("q_conv2d", "q_dense_1", "q_einsum_dense"):
        layer = model.layer(name)
        assert layer.loses is None
        (kernel, bias) = (np.array(told["weights"][name][k]) for k in ("kernel", "bias"))
        # The weights of what a quantizer before prunes are gone, and read by nothing.
        for k, found in enumerate(layer.matrices):
            want = kernel[k] if name == "q_einsum_dense" else kernel.reshape(-1, kernel.shape[-1])
            got = found.weight.values()
            assert got.shape == want.shape
            read = [t is not None for t in found.casts]
            assert np.array_equal(got[read], want[read])
            if name != "q_einsum_dense":
                assert np.array_equal(found.bias.values(), bias)


def test_a_changed_type_of_one_element_differs(wrap, tmp_path):
    """Held against the model of before, the cast is named that has another type."""
    project, _ = wrap
    model = project.model()
    text = (project.directory / CODE).read_text()
    line = re.search(r"    out\[(\d)\] = ap_fixed<(\d),(\d),AP_RND,AP_WRAP>\(inp.*;", text)
    place, width, whole = (int(n) for n in line.groups())
    new = f"    out[{place}] = ap_fixed<{width - 1},{whole},AP_RND,AP_WRAP>(inp[{place}]);"
    other = changed(project, tmp_path / "p", line[0], new)
    try:
        found = verify(other, drawn(model, 60, 1), model=model)
    finally:
        other.close()
    assert not found.agrees
    assert found.walk.first.layer.name == "q_conv1d_iq"
    assert found.walk.first.index == tuple(np.unravel_index(place, (5, 2)))


def test_a_changed_shift_differs_and_is_no_longer_the_weights(arithmetic, tmp_path):
    """Held against the model of before, the layer is named; its own matrix is another one."""
    project, _ = arithmetic
    model = project.model()
    text = (project.directory / CODE).read_text()
    line = re.search(
        r"model_out\[\d\] = .*bit_shift<(-?\d+)>.*;", text[text.index("dense_da_11") :]
    )
    new = line[0].replace(f"bit_shift<{line[1]}>", f"bit_shift<{int(line[1]) - 1}>")
    other = changed(project, tmp_path / "p", line[0], new).model()
    found = compare(model, other, *drawn(model, 60, 1))
    assert found.first.layer.name == "q_dense_1"
    assert other.layer("q_dense_1").loses is not None or not np.array_equal(
        *(m.layer("q_dense_1").matrices[0].weight.values() for m in (model, other))
    )


def test_every_statement_of_da4ml(wrap, tmp_path):
    """Tables, bits, comparisons and the like are read, and compute what the C++ does."""
    project, _ = wrap
    folder = tmp_path / "p"
    shutil.copytree(project.directory, folder)
    code = (folder / CODE).read_text()
    mark = "// hls4ml insert code\n"
    (folder / CODE).write_text(code.replace(mark, mark + COMBLOGIC))
    top = folder / "firmware/hgq2_wrap.cpp"
    text = top.read_text()
    head = "void hgq2_wrap(\n    in_t x[4],\n    out_t y[9]\n) "
    call = "{\n    nnet::da_comblogic_2<in_t, out_t>(x, y); // odd\n}\n"
    top.write_text(text[: text.index("void hgq2_wrap")] + head + call)
    header = folder / "firmware/hgq2_wrap.h"
    found = header.read_text()
    start, end = found.index("void hgq2_wrap"), found.index(");") + 2
    header.write_text(found[:start] + head + ";" + found[end:])
    with (folder / "firmware/defines.h").open("a") as defines:
        defines.write("typedef ap_fixed<8,4> in_t;\ntypedef ap_fixed<12,6> out_t;\n")
    other = Project.read(folder)
    try:
        model = other.model()
        assert isinstance(model.layer("odd"), Logic)
        assert model.layer("odd").loses is not None
        assert verify(other, drawn(model, 300, 1), model=model).agrees
    finally:
        other.close()


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("ap_fixed<7,3> v3 = v0", "ap_fixed<7,3> v3 = v20", "v20 is not declared"),
        ("v1 = model_inp[1]", "v1 = model_inp[4]", "model_inp[4] is beyond its 4 elements"),
        ("    model_out[6] = 0;\n", "", "does not write model_out[6]"),
        ("model_out[6] = 0", "model_out[5] = 0", "model_out[5] is assigned where it cannot be"),
        ("bit_shift<-1>(v1); // 1.0\n", "shifted(v1);\n", "shifted is not declared"),
        ("bit_shift<1>(v1));", "bit_shift<1>(v1 + v0));", "takes a name or a conversion"),
        ("v1[5]", "v1[6]", "v1[6] is no bit of ap_fixed<6,4>"),
        ("ap_ufixed<3,1> v2", "ap_ufixed<4,1> v2", "a table of 8 entries is indexed by"),
        ("model_inp[4], out_t", "model_inp[3], out_t", "takes 3 elements, it is given 4"),
        ("v3 = v0 -", "v0 = v0 -", "v0 is declared twice"),
        ("    model_out[8] = ap_fixed<8,4>(v13);\n}", "    model_out[8] = v13\n}", "without its ;"),
        ("v13 = ap", "v13 @ ap", "not understood"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_line(tmp_path, old, new, why):
    """Nothing is guessed: each error says where, and what is wrong."""
    assert COMBLOGIC.count(old) == 1
    (tmp_path / CODE).parent.mkdir(parents=True)
    (tmp_path / CODE).write_text(COMBLOGIC.replace(old, new))
    with pytest.raises(ProjectError, match=re.escape(why)) as found:
        Generated(tmp_path).program("da_comblogic_2", 4)
    assert re.match(rf"{CODE}:\d+: ", str(found.value))


def test_a_function_that_reads_beyond_what_it_is_given_is_broken(tmp_path):
    """As hls4ml writes self-attention of HGQ2 0.2: two inputs, of which one is given."""
    (tmp_path / CODE).parent.mkdir(parents=True)
    (tmp_path / CODE).write_text(COMBLOGIC)
    with pytest.raises(BrokenProject, match="da_comblogic_2 reads 4 elements of an array of 2"):
        Generated(tmp_path).program("da_comblogic_2", 2)


def test_windows_that_slide_over_no_image_are_refused(arithmetic, tmp_path):
    """The padding is read off the windows, and then every place must be where it belongs."""
    project, _ = arithmetic
    text = (project.directory / CODE).read_text()
    line = re.search(r"buffer\[4\]\[0\] =\s+data\[(\d+)\];", text)[0]
    other = changed(project, tmp_path / "p", line, "buffer[4][0] = data[8];")
    with pytest.raises(ProjectError, match="does not slide a window over the image"):
        other.model()


def test_types_for_each_element():
    """Elements of one batch, by hand: wrapped, saturated, pruned."""
    types = ["ap_fixed<4,4,AP_TRN,AP_WRAP>", "ap_fixed<4,4,AP_RND,AP_SAT>", None]
    layer = ElementCast(types, input="ap_fixed<8,6>", input_shape=(3,), result="ap_fixed<6,5>")
    x = Fixed(np.array([[38, 38, 38], [-33, -35, 7]]), layer.input_types[0])  # quarters
    assert layer.run(x).codes.tolist() == [[-14, 14, 0], [14, -16, 0]]  # halves
    with pytest.raises(ShapeError, match="3 types for 4 elements"):
        ElementCast(types, input="ap_fixed<8,6>", input_shape=(2, 2), result="ap_fixed<6,5>")


def test_types_of_more_than_a_word_and_integers():
    """What the compiled loop does not do is done type by type: with the same codes."""
    types = ["ap_fixed<6,3,AP_RND,AP_SAT>", "ap_int<5>", None, "ap_fixed<6,3,AP_RND,AP_SAT>"]
    x = Fixed(np.arange(-200, 200).reshape(-1, 4), ApFixed(10, 6))
    layer = ElementCast(types, input=x.type, input_shape=(4,), result="ap_fixed<9,5>")
    got = layer.run(x)
    for k, t in enumerate(types):
        want = Fixed(np.zeros(len(x), int), got.type) if t is None else x[:, k].to(t).to(got.type)
        assert np.array_equal(got.codes[:, k], want.codes)


def test_bounds_of_casts_and_logic_are_attained():
    """``ranges`` gives what some input reaches, and nothing more."""
    t = ApFixed(5, 3)
    cast = ElementCast(["ap_ufixed<2,2,AP_TRN,AP_SAT>", None], input=t, input_shape=(2,),
                       result="ap_fixed<8,4>")  # fmt: skip
    lets = tuple(Let(f"v{k}", ApFixed(8, 4), Input(k)) for k in range(2))
    program = Program(2, (*lets, Let("s", ApFixed(9, 5), Value(0))), (Value(2), Number(0)))
    logic = Logic(program, input="ap_fixed<8,4>", result="ap_fixed<8,4>")
    cast.name, logic.name = "cast", "logic"
    model = Model({"x": (t, (2,))}, [Step(cast, ("x",), "a"), Step(logic, ("a",), "b")])
    x = Fixed(np.array([[a, 0] for a in range(t.min_code, t.max_code + 1)]), t)
    values = model.trace(x)
    for reach, name in zip(ranges(model), "ab", strict=True):
        got = values[name].values()
        assert reach.result.low.values().tolist() == got.min(0).tolist()
        assert reach.result.high.values().tolist() == got.max(0).tolist()


def test_why_a_program_is_no_matrix_product():
    """A type that does not hold what is assigned to it is named, and its range."""
    t = ApFixed(4, 4)
    lets = (Let("v0", t, Input(0)), Let("v1", ApFixed(3, 3), Value(0)))
    with pytest.raises(NotLinearError, match=r"ap_fixed<3,3> does not hold v1, .* -8 to 7"):
        linear(Program(1, lets, (Value(1),)), t)
    with pytest.raises(NotLinearError, match=r"input 0 is converted to ap_fixed<4,4> and to"):
        linear(Program(1, lets[:1], (Cast(ApFixed(2, 2), Input(0)),)), t)
