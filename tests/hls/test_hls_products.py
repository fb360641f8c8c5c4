"""Products other than ``*``, and the projects in which hls4ml writes them."""

import contextlib

import numpy as np
import pytest
from hls4ml.model.quantizers import BinaryQuantizer, TernaryQuantizer
from projects import Net, drawn, edit, power_of_two

from harness import ApFixed
from harness.hls import Dense, Dot, Fixed, Project
from harness.hls.ideal import ideal
from harness.hls.layers.products import Product, times
from harness.hls.project import BrokenProject, ProjectError, verify
from harness.hls.project.inputs import drawn as drawn_rows
from harness.types import ApInt

T = ApFixed(8, 4)
BIT = ApInt(1, signed=False)


def dense(product, weight, **more):
    types = {"input": T, "bias_type": T, "accum": "ap_fixed<16,8>", "result": "ap_fixed<16,8>"}
    return Dense(weight, product=product, **{**types, **more})


def test_what_each_product_makes_of_a_pair():
    """``nnet_mult.h``, read: a bit 0 is -1, and a ternary code that is not 0 or -1 is 1."""
    a = Fixed(np.array([[3], [-128]]), T)
    bits, ternary = Fixed(np.array([0, 1]), BIT), Fixed(np.array([0, 1, -1, -2]), ApInt(2))
    made = times("weight_binary", a, bits)
    assert made.codes.tolist() == [[-3, 3], [128, -128]]
    assert made.type == ApFixed(9, 5)
    made = times("weight_ternary", a, ternary)
    assert made.codes.tolist() == [[0, 3, -3, 3], [0, -128, 128, -128]]
    assert times("data_binary", bits, a).codes.tolist() == [[-3, 3], [128, -128]]
    equal = times("both_binary", bits.reshape(2, 1), bits)
    assert equal.codes.tolist() == [[1, 0], [0, 1]]
    assert equal.type == BIT


def test_a_power_of_two_shifts_within_the_width_of_its_type():
    """``<int<3>>`` times ``<8,4>`` is an ``ap_fixed<22,11>``: 11 bits behind the point, cut below.

    The negative is taken after the cut: -floor(x / 8), not floor(-x / 8).
    """
    w = Product("", "weight_exponential", T, ApInt(3)).weights([2.0, -0.125, 0.5, -8.0])
    assert w.codes.tolist() == [3, -6, -1, 6]
    made = times("weight_exponential", Fixed(np.array([[3]]), T), w)
    assert made.type == ApFixed(22, 11)
    assert (made.codes / 2**11).tolist() == [[0.375, -0.0234375, 0.09375, -1.5]]
    deep = ApFixed(4, -6)  # has 10 bits behind the point; the product's type 7
    w = Product("", "weight_exponential", deep, ApInt(3)).weights([1.0, -1.0])
    made = times("weight_exponential", Fixed(np.array([[7, -7]]), deep), w)
    assert made.codes.tolist() == [[0, 1]]


@pytest.mark.parametrize("value", [0.0, 3.0, 32.0, 2.0**-5, np.nan, np.inf])
def test_no_power_of_two_is_refused(value):
    with pytest.raises(ValueError, match=r"is no power of two from 2\*\*-4 to 2\*\*3"):
        dense("weight_exponential", [[value]], weight_type="ap_int<3>")


def test_types_that_a_product_is_not_made_for_are_refused():
    with pytest.raises(ValueError, match="weight_binary takes weights of type ap_uint<1>, not ap_"):
        dense("weight_binary", [[1]], weight_type="ap_ufixed<1,1>")
    with pytest.raises(ValueError, match="data_binary takes inputs of type ap_uint<1>, not ap_"):
        dense("data_binary", [[1]], weight_type=T)
    with pytest.raises(ValueError, match="exponents of a type ap_int, not ap_uint<3>"):
        dense("weight_exponential", [[1]], weight_type="ap_uint<3>")
    with pytest.raises(ValueError, match="unknown product 'xnor'; allowed: mult, weight_binary"):
        dense("xnor", [[1]], weight_type=T)


@pytest.mark.parametrize("product", ["mult", "both_binary"])
def test_sums_of_bits_times_bits_are_counts(product):
    """``nnet::cast`` looks at the types, not at the product: twice the sum less the terms."""
    layer = dense(product, [[1], [0], [1]], weight_type=BIT, input=BIT)
    rows = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 1]])
    counts = {"both_binary": [3, 0, 2], "mult": [2, 0, 2]}[product]
    assert layer(rows).ravel().tolist() == [2 * n - 3 for n in counts]


def test_what_a_layer_means_knows_the_product():
    """The law in float64 has weights -1 and 1, and exponents as powers."""
    x = np.array([[0.5, 2.0]])
    assert ideal(dense("weight_binary", [[0], [1]], weight_type=BIT), x).tolist() == [[1.5]]
    powers = dense("weight_exponential", [[-4.0], [0.25]], weight_type="ap_int<4>")
    assert ideal(powers, x).tolist() == [[-1.5]]
    bits = dense("both_binary", [[0], [1]], weight_type=BIT, input=BIT)
    assert ideal(bits, np.array([[0.0, 1.0]])).tolist() == [[2.0]]
    types = {"input1": T, "input2": BIT, "accum": T, "result": T}
    dot = Dot(2, product="weight_binary", **types)
    assert ideal(dot, x, np.array([[0.0, 1.0]])).tolist() == [[1.5]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("products")


def of_bits():
    """All products, one after the other, in a net of bits."""
    net = Net(6, 6, 2).conv(3, 3, 3, weight_quantizer=BinaryQuantizer(1)).batchnorm()
    net.activation("binary_tanh").conv(2, 2, 2, weight_quantizer=BinaryQuantizer(1))
    net.conv(2, 1, 1, weight_quantizer=TernaryQuantizer()).reshape(18).batchnorm()
    net.activation("binary_tanh").dense(4).dense(3, weight_quantizer=power_of_two(4))
    return net.dense(4, weight_quantizer=TernaryQuantizer()).batchnorm()


def unrolled(**more):
    config = {"Strategy": "Resource_Unrolled", "ReuseFactor": 2}
    return Net(4).dense(4, config=config, name="first", **more)


def written_out():
    """What hls4ml writes one statement a weight, less those that are zero; an embedding before."""
    net = Net(2).add(
        "Embedding", (2, 2), n_in=2, n_out=2, vocab_size=3, embeddings_data=drawn("e", 3, 2)
    )
    weight = np.where(np.abs(drawn("w", 4, 4)) > 0.3, drawn("w", 4, 4), 0)
    config = {"Strategy": "Resource_Unrolled", "ReuseFactor": 2}
    net.reshape(4).dense(4, config=config, weight_data=weight).activation("relu")
    return net.dense(6, config={"Strategy": "Resource_Unrolled", "ReuseFactor": 8})


NETS = {"bits": (of_bits, {}), "written out": (written_out, {"model": {"BramFactor": 10}})}


@pytest.mark.parametrize("name", NETS)
def test_a_project_is_its_typed_model(name, folder):
    """Weights of bits, ternary ones and powers of two as their files have them; weights that are
    arguments of the top function; products that are written out."""
    make, settings = NETS[name]
    with contextlib.closing(Project.read(make().write(folder / name, **settings))) as project:
        model = project.model()
        verdict = verify(project, drawn_rows(model, 100, 0), model=model)
    assert verdict.agrees, verdict.details
    assert verdict.codes >= 400


def test_the_products_of_a_project_are_read(folder):
    project = Project.read(of_bits().write(folder / "read"))
    found = [s.layer.product.name for s in project.model().steps if hasattr(s.layer, "product")]
    assert found == [
        "weight_binary",
        "both_binary",
        "weight_ternary",
        "data_binary",
        "weight_exponential",
        "weight_ternary",
        "mult",
    ]


def test_powers_of_two_in_files(folder):
    """Text and header are read alike; a difference between them is found, half a pair refused."""
    root = Net(3).dense(2, weight_quantizer=power_of_two(4)).write(folder / "powers")
    project = Project.read(root)
    assert project.weight_differences() == []
    assert project.weights["w2"].codes.type == ApInt(5)
    header, text = (root / f"firmware/weights/w2.{end}" for end in ("h", "txt"))
    sign = "0.0" if "{0.0, " in text.read_text() else "1.0"
    edit(text, f"{{{sign}, ", "{1.0, " if sign == "0.0" else "{0.0, ")
    (difference,) = Project.read(root).weight_differences()
    assert "w2: 1 of 6 codes differ between C simulation and synthesis" in difference
    edit(header, "}, {", "}, 1.0, {")
    with pytest.raises(ProjectError, match=r"w2\.h: 6 pairs \{sign, exponent\} are wanted"):
        Project.read(root)


def test_a_binary_weight_that_is_left_out(folder):
    """hls4ml 1.3.0 leaves out weights of code 0, which is -1 here."""
    root = unrolled(weight_quantizer=BinaryQuantizer(1)).write(folder / "left")
    with pytest.raises(BrokenProject, match=r"leaves out weight \d+, which is not zero but code 0"):
        Project.read(root).model()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "data[1], weights[1]",
            "data[2], weights[1]",
            "multiplies data 2 by weight 1 for output 0",
        ),
        ("data[1], weights[1]", "data[9], weights[1]", "reads beyond its arrays: acc 0, data 9"),
        ("acc[i] = (typename", "acc[i] = 1 + (typename", "is not understood"),
        (
            "class dense_resource_unrolled_2",
            "class other",
            "has no class dense_resource_unrolled_2",
        ),
    ],
)
def test_written_out_products_are_read(folder, old, new, said):
    root = unrolled().write(folder / "edited")
    edit(root / "firmware/nnet_utils/nnet_code_gen.h", old, new)
    with pytest.raises(ProjectError, match=said):
        Project.read(root).model()


@pytest.mark.parametrize(
    ("net", "said"),
    [
        (
            lambda: Net(5, 2).depthwise(3, config={"Strategy": "Resource", "ReuseFactor": 1}),
            "asserts that the strategy is not resource",
        ),
        (lambda: Net(5, 2).depthwise(3, multiplier=2), "has 4 filters for 2 channels"),
        (
            lambda: Net(4, 3).add(
                "SimpleRNN",
                (4, 3),
                n_in=3,
                n_out=3,
                n_timesteps=4,
                activation="tanh",
                return_sequences=True,
                return_state=False,
                pass_initial_states=False,
                weight_data=drawn("w", 3, 3),
                recurrent_weight_data=drawn("r", 3, 3),
                bias_data=drawn("b", 3),
            ),
            "calls no kernel|nothing is written",
        ),
    ],
    ids=["depthwise resource", "depth multiplier", "simple rnn"],
)
def test_what_hls4ml_writes_and_its_kernels_cannot_do(net, said, folder, request):
    root = net().write(folder / request.node.callspec.id)
    with pytest.raises(ProjectError, match=said):
        _ = Project.read(root).model().output, Project.read(root).outputs
