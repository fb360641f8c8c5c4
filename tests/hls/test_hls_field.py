"""The projects that people have: small ones of every kind, both backends, arrays and streams.

Each is written by hls4ml, compiled as it is, and run on rows that reach the ends of its types.
What ends in another verdict than AGREE is in ``test_hls_defects``, products of bits and of powers
of two in ``test_hls_products``, wide types in ``test_hls_wide``, the frontends' own models in
``test_hls_frontends``.
"""

import pytest
from hls4ml_graphs import Graph

from harness.hls.check.command import Request, verify_project


def mlp(g):
    x = g.activation(g.dense(g.input("x", 6), 5), "relu")
    g.softmax(g.dense(x, 3))


def normalised(g):
    x = g.activation(g.norm(g.dense(g.input("x", 6), 5)), "tanh")
    g.activation(g.norm(x), "sigmoid")


def rows_of_steps(g):
    x = g.activation(g.conv(g.input("x", 8, 2), (3,), 3), "relu")
    g.dense(g.pool_all(g.pool(x, "Max", 2), "Average"), 2)


def image(g):
    x = g.activation(g.conv(g.input("x", 6, 6, 2), (3, 3), 3), "relu")
    g.dense(g.reshape(g.pool(x, "Average", 2, 2), 12), 2)


def strided(g):
    g.conv(g.input("x", 7, 7, 2), (3, 3), 2, stride=2, same=True)


def depthwise(g):
    x = g.conv(g.input("x", 5, 5, 2), (2, 2), 2, kind="DepthwiseConv")
    g.pool_all(g.conv(x, (1, 1), 3), "Max")


def separable(g):
    g.conv(g.input("x", 6, 2), (3,), 3, kind="SeparableConv")


def residual(g):
    x = g.input("x", 4, 3)
    y = g.activation(g.conv(x, (1,), 3), "relu")
    g.merge("multiply", g.merge("add", x, y), y)


def joined(g):
    x, y = g.input("x", 4), g.input("y", 4)
    g.dense(g.concatenate(x, y, 0), 3)


def moved(g):
    x = g.framed(g.input("x", 3, 4, 2), "ZeroPadding", 1, 0, 2, 1)
    x = g.enlarged(g.framed(x, "Cropping", 0, 1, 1, 0), 2, 1)
    g.transpose(x, 1, 2, 0)


def recurrence(kind):
    def build(g):
        x = g.recurrent(g.input("x", 4, 3), kind, 3, sequences=False)
        g.dense(x, 2)

    return build


def indexed(g):
    x = g.input("x", 3, config={"Precision": {"result": "uint<3>"}})
    g.dense(g.reshape(g.embedding(x, 8, 2), 6), 2)


def bent(g):
    x = g.activation(g.dense(g.input("x", 4), 4), "hard_sigmoid")
    x = g.activation(g.dense(x, 4), "elu", layer="ELU", activ_param=0.7)
    g.activation(g.dense(x, 3), "leaky_relu", layer="LeakyReLU", activ_param=0.3)


def two_heads(g):
    x = g.activation(g.dense(g.input("x", 5), 4), "relu")
    return [g.dense(x, 2), g.activation(g.dense(x, 3), "binary_tanh")]


def decided(g):
    """The larger value alone for each step, and the older tables."""
    x = g.conv(g.input("x", 4, 2), (1,), 3)
    return [g.softmax(x, "argmax"), g.softmax(g.dense(g.reshape(x, 12), 5), "legacy")]


def side_by_side(axis):
    def build(g):
        sizes = [3, 4, 2]
        x = g.input("x", *sizes)
        sizes[axis] += 1
        g.activation(g.concatenate(x, g.input("y", *sizes), axis), "relu")

    return build


PLAIN = [mlp, normalised, rows_of_steps, image, strided, depthwise, separable, residual, joined]
PLAIN += [moved, indexed, bent, two_heads, decided]
KINDS = {build.__name__: build for build in PLAIN}
KINDS |= {kind.lower(): recurrence(kind) for kind in ("LSTM", "GRU")}
KINDS |= {f"side_by_side_{axis}": side_by_side(axis) for axis in range(3)}
#: Those whose kernels Vitis has in files of its own, with the strategies that they have there.
VITIS = {"mlp": "Resource", "rows_of_steps": "Resource", "image": "Resource", "strided": "Latency"}
VITIS |= {"depthwise": "Latency", "separable": "Latency"}
WAYS = [(kind, "Vivado", "Latency") for kind in KINDS]
WAYS += [(kind, "Vitis", strategy) for kind, strategy in VITIS.items()]


@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
@pytest.mark.parametrize(("kind", "backend", "strategy"), WAYS)
def test_a_project_computes_what_its_types_say(kind, backend, strategy, io_type, tmp_path):
    g = Graph()
    outputs = KINDS[kind](g)
    g.write(tmp_path, backend, io_type, strategy=strategy, outputs=outputs)
    found = verify_project(Request(tmp_path, rows=25))
    assert found.verdict == "AGREE", found.summary
    assert found.rows == 25
    assert found.cpp.codes >= 25 * len(outputs or [0])
