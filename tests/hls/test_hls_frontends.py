"""Models of the real frontends, held against what hls4ml writes of them."""

import os
from importlib.util import find_spec

import numpy as np
import pytest
from projects import edit

from harness.hls import Project
from harness.hls.check import check
from harness.hls.project import ProjectError

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is imported

LACKING = [name for name in ("keras", "hgq", "da4ml", "qonnx") if find_spec(name) is None]
pytestmark = [
    pytest.mark.skipif(bool(LACKING), reason=f"no {', '.join(LACKING)}: the extra frontends"),
    pytest.mark.filterwarnings("ignore"),  # those of the frontends' imports
]
# On a grid, so that no converter of inputs has anything to round.
ROWS = np.round(np.random.default_rng(11).normal(size=(200, 16)) * 1024) / 1024
IMAGES = np.random.default_rng(12).normal(size=(60, 6, 6, 2))
ONE_WIDTH = {"heterogeneous_axis": ()}
ONE = {"Model": {"Precision": "ap_fixed<1,0>", "ReuseFactor": 1, "Strategy": "latency"}}
DA = {"Model": {**ONE["Model"], "Strategy": "distributed_arithmetic"}}


def keras_mlp():
    import keras

    keras.utils.set_random_seed(4)
    x = keras.Input((16,), name="x")
    y = keras.layers.Dense(12, name="fc1")(x)
    y = keras.layers.BatchNormalization(name="norm")(y)
    y = keras.layers.Activation("relu", name="act")(y)
    return keras.Model(x, keras.layers.Dense(5, activation="softmax", name="out")(y))


def keras_heads():
    """Two inputs, two outputs, named in another order than they are computed in."""
    import keras

    keras.utils.set_random_seed(5)
    a, b = keras.Input((16,), name="a"), keras.Input((16,), name="b")
    y = keras.layers.Add(name="sum")([a, b])
    first = keras.layers.Dense(3, name="first")(y)
    second = keras.layers.Dense(3, name="second")(y)
    return keras.Model([a, b], [second, first])


def hgq(build, data, *, apart):
    """A model of HGQ2, calibrated with the data; every element has a width of its own if apart."""
    import keras
    from hgq.config import LayerConfigScope, QuantizerConfigScope
    from hgq.utils import trace_minmax

    keras.utils.set_random_seed(6)
    with (
        QuantizerConfigScope(place="all", default_q_type="kbi", overflow_mode="SAT_SYM"),
        QuantizerConfigScope(
            place="datalane",
            default_q_type="kif",
            overflow_mode="WRAP",
            **({} if apart else ONE_WIDTH),
        ),
        LayerConfigScope(enable_ebops=True, beta0=1e-5),
    ):
        x = keras.Input(data.shape[1:])
        model = keras.Model(x, build(x))
    trace_minmax(model, data.astype(np.float32))
    return model


def hgq_mlp(x):
    from hgq.layers import QDense

    return QDense(5)(QDense(12, activation="relu")(x))


def hgq_image(x):
    import keras
    from hgq.layers import QConv2D, QDense

    y = keras.layers.MaxPooling2D(2)(QConv2D(3, 3, activation="relu")(x))
    return QDense(5)(keras.layers.Flatten()(y))


def write_keras(model, folder, config=None, **settings):
    import hls4ml

    config = config or hls4ml.utils.config_from_keras_model(model, granularity="name")
    hls4ml.converters.convert_from_keras_model(
        model, output_dir=str(folder), backend="Vitis", hls_config=config, **settings
    ).write()
    return config


def test_a_model_of_keras_whose_softmax_loses_it(tmp_path):
    model = keras_mlp()
    import hls4ml

    config = hls4ml.utils.config_from_keras_model(model, granularity="name")
    write_keras(model, tmp_path / "default", config)
    found = check(tmp_path / "default", model, ROWS, suggest=True)
    assert found.verdict == "LOSES"
    assert found.cpp.agrees
    assert found.model.culprit == "out_softmax"
    assert "its table is indexed by 10 of" in found.summary
    told = {each.name for each in found.model.layers if each.reference is not None}
    assert {"act", "out_softmax"} <= told
    assert not found.left
    for name, entry in found.advice.config["LayerName"].items():
        mine = config["LayerName"][name]
        mine["Precision"] = {**mine.get("Precision", {}), **entry.pop("Precision", {})}
        mine.update(entry)
    write_keras(model, tmp_path / "mended", config)
    mended = check(tmp_path / "mended", model, ROWS)
    assert mended.verdict == "AGREE"
    assert mended.model.loss.flips == found.advice.after.loss.flips


def test_several_inputs_and_outputs_of_keras(tmp_path):
    model = keras_heads()
    write_keras(model, tmp_path)
    pair = [ROWS, ROWS[::-1]]
    assert check(tmp_path, model, pair).verdict == "AGREE"
    other = keras_heads()
    other.get_layer("second").kernel.assign(-model.get_layer("second").kernel)
    found = check(tmp_path, other, pair)
    assert found.verdict == "LOSES"
    assert "those of second are not the model's" in found.summary


def test_a_layer_that_hls4ml_has_no_kernel_for(tmp_path):
    """It writes a top function that computes nothing, and says nothing of it."""
    import keras

    x = keras.Input((5, 3))
    model = keras.Model(x, keras.layers.SimpleRNN(4)(x))
    write_keras(model, tmp_path)
    found = check(tmp_path, model, np.zeros((10, 5, 3)))
    assert found.verdict == "BROKEN"
    assert "myproject calls no kernel, so nothing is computed: hls4ml has none" in found.summary


@pytest.mark.parametrize(
    ("build", "data", "config", "io_type"),
    [
        (hgq_mlp, ROWS, ONE, "io_parallel"),
        (hgq_mlp, ROWS, ONE, "io_stream"),
        (hgq_mlp, ROWS, DA, "io_parallel"),
        (hgq_mlp, ROWS, DA, "io_stream"),
        (hgq_image, IMAGES, ONE, "io_parallel"),
        (hgq_image, IMAGES, ONE, "io_stream"),
        (hgq_image, IMAGES, DA, "io_stream"),
    ],
    ids=["mlp", "mlp, s", "mlp, da", "mlp, da, s", "image", "image, s", "image, da, s"],
)
def test_hgq2_is_exact(build, data, config, io_type, tmp_path):
    """What HGQ2 computes while it trains is what the hardware computes: not a bit is lost."""
    model = hgq(build, data, apart=io_type == "io_parallel")  # a stream has one type
    write_keras(model, tmp_path, config, io_type=io_type)
    found = check(tmp_path, model, data)
    assert found.verdict == "AGREE"
    assert found.model.loss.max_error == 0
    assert found.cpp.codes == 5 * len(data)


def test_logic_behind_a_stream_is_read_or_refused(tmp_path):
    """The class that a line buffer calls for a product must call the function that is meant."""
    write_keras(hgq(hgq_image, IMAGES, apart=False), tmp_path, DA, io_type="io_stream")
    layer = Project.read(tmp_path).model().steps[0].layer
    assert (type(layer).__name__, layer.output_shape) == ("LogicConv", (4, 4, 3))
    code = tmp_path / "firmware/nnet_utils/nnet_code_gen.h"
    edit(code, "dense_da_3(inp, out)", "dense_da_3(out, inp)")
    with pytest.raises(ProjectError, match="has no class dense_da_wrapper_3 that calls a function"):
        Project.read(tmp_path).model()
    edit(code, "dense_da_3(out, inp)", "dense_da_3(inp, out)")
    edit(tmp_path / "firmware/parameters.h", "n_filt = 3", "n_filt = 4")
    with pytest.raises(ProjectError, match="n_filt 4 is not supported; supported: 3"):
        Project.read(tmp_path).model()


def network(r):
    """Two quantized matrix products, as a trainer with Brevitas exports them, batch of one."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants = [], []

    def constant(name, values):
        constants.append(numpy_helper.from_array(np.asarray(values, np.float32), name))

    def node(kind, reads, name, **more):
        nodes.append(helper.make_node(kind, reads, [name], name=name, **more))

    def quantized(name, scale, bits, signed=1):
        for part, value in (("scale", scale), ("zero", 0.0), ("bits", float(bits))):
            constant(f"{name}_{part}", value)
        reads = [name, f"{name}_scale", f"{name}_zero", f"{name}_bits"]
        more = {"signed": signed, "narrow": 0, "rounding_mode": "ROUND"}
        node("Quant", reads, f"{name}_q", domain="qonnx.custom_op.general", **more)

    quantized("x", 2**-5, 10)
    for name, shape in (("w1", (16, 8)), ("b1", (8,)), ("w2", (8, 5))):
        constant(name, r.normal(0, 0.4, shape))
        quantized(name, 2**-5, 6)
    node("MatMul", ["x_q", "w1_q"], "product")
    node("Add", ["product", "b1_q"], "sum")
    node("Relu", ["sum"], "relu")
    quantized("relu", 2**-4, 8, 0)
    node("MatMul", ["relu_q", "w2_q"], "out")
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("x", [1, 16]), ("out", [1, 5]))
    ]
    graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], constants)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("qonnx.custom_op.general", 1)]
    return helper.make_model(graph, opset_imports=opsets)


def test_a_model_of_qonnx_through_its_own_executor(tmp_path):
    """Row by row, for its batch is of one; as an object and as a file."""
    import hls4ml
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.util.cleanup import cleanup_model

    model = cleanup_model(ModelWrapper(network(np.random.default_rng(2))))
    config = hls4ml.utils.config_from_onnx_model(
        model, granularity="name", backend="Vitis", default_precision="fixed<24,10>"
    )
    hls4ml.converters.convert_from_onnx_model(
        model, output_dir=str(tmp_path / "project"), backend="Vitis", hls_config=config
    ).write()
    found = check(tmp_path / "project", model, ROWS)
    assert (found.verdict, found.model.loss.max_error) == ("AGREE", 0)
    model.save(str(tmp_path / "net.onnx"))
    again = check(tmp_path / "project", tmp_path / "net.onnx", ROWS)
    assert (again.verdict, again.model.loss.max_error) == ("AGREE", 0)
    other = ModelWrapper(network(np.random.default_rng(3)))
    assert check(tmp_path / "project", other, ROWS).verdict == "LOSES"
