"""GarNet: its means and weights, what is refused, and projects that hls4ml wrote."""

import numpy as np
import pytest
from hls4ml_graphs import Graph
from projects import edit

from harness import ApFixed
from harness.hls import Fixed, GarNet, GarNetStack, ShapeError, Transforms
from harness.hls.check.command import Request, verify_project
from harness.hls.ideal import ideal
from harness.hls.project import BrokenProject, Project, ProjectError

FINE = ApFixed(30, 14)
GIVEN = {
    "input": FINE,
    "count": "ap_uint<8>",
    "n_vertices": 4,
    "distance_type": "ap_fixed<12,4,AP_TRN,AP_SAT>",
    "edge_weight_type": "ap_ufixed<10,0>",
    "edge_weight_aggr_type": FINE,
    "aggr_type": FINE,
    "norm_type": "ap_ufixed<14,4>",
    "result": FINE,
}


def transforms(weight=FINE, inputs=2, aggregators=1, out=1, *, seed=None, distances=0.0):
    """Ones and zeros, or random numbers: a vertex's distance is that of its first feature."""
    shapes = [(out, aggregators, inputs), (out, aggregators), (aggregators, inputs)]
    shapes += [(aggregators,), (out,)]
    values = [np.ones(shape) for shape in shapes]
    values[1], values[2], values[3] = values[1] * 0, values[2] * distances, values[3] * 0
    if seed is not None:
        rng = np.random.default_rng(seed)
        values = [rng.normal(0, 0.5, shape) for shape in shapes]
    return Transforms(*(Fixed.of(v, weight) for v in values))


def garnet(learned=None, **given):
    return GarNet(learned or transforms(), **{**GIVEN, "collapse": True, **given})


def test_a_mean_over_all_vertices_or_over_those_there_are():
    """Of two vertices 1 and 2: at distance 0 the weight of 1 is 1023/1024, and shifts are exact."""
    x = np.array([[[1, 0], [2, 0], [7, 7], [7, 7]]])
    near = 1 - 2**-10
    one = garnet()(x, [[2]]).item()
    weight = near * 2 / 4
    assert one == pytest.approx(weight * near * 3 / 4 + 2 / 4, abs=2**-9)
    every = garnet(mean_by_nvert=True)(x, [[2]]).item()
    assert every == pytest.approx(near * near * 3 / 2 + 1, abs=2**-9)


def test_vertices_are_divided_by_as_integers():
    """Four over three is 1, whatever ``norm_t`` holds; with fractions it is 1.33."""
    x = np.ones((1, 4, 2))
    whole = garnet(mean_by_nvert=True)(x, [[3]]).item()
    assert whole == pytest.approx(0.75 * 0.75 * 2 + 1, abs=2**-6)
    parts = garnet(mean_by_nvert=True, count="ap_fixed<12,6>", norm_type="ap_ufixed<14,4>")
    assert parts(x, [[3]]).item() == pytest.approx(0.75 * 0.75 * 2 + 1, abs=2**-6)


def test_a_count_of_few_bits_wraps_the_quotient():
    """The headers give 16 / x the type of x / 16: of one vertex of 16 the mean is 0."""
    given = {"n_vertices": 16, "mean_by_nvert": True, "norm_type": "ap_ufixed<14,6>"}
    x = np.ones((1, 16, 2))
    assert garnet(count="ap_uint<4>", **given)(x, [[1]]).item() == 1
    assert garnet(count="ap_uint<5>", **given)(x, [[1]]).item() == pytest.approx(3, abs=0.02)


@pytest.mark.parametrize("by_count", [False, True])
@pytest.mark.parametrize("kind", ["vertices", "mean", "stack"])
def test_fine_types_compute_what_is_meant(kind, by_count):
    """Two and four vertices, over which four divides as an integer; the table has steps."""
    learned = transforms(inputs=3, aggregators=2, out=3, seed=1)
    given = {**GIVEN, "edge_weight_type": "ap_fixed<24,4>", "mean_by_nvert": by_count}
    made = {
        "vertices": lambda: GarNet(learned, **given),
        "mean": lambda: GarNet(learned, collapse=True, reuse_factor=2, **given),
        "stack": lambda: GarNetStack([learned, learned], collapse=True, **given),
    }
    layer = made[kind]()
    rng = np.random.default_rng(2)
    x = Fixed.of(rng.normal(0, 0.4, (20, 4, 3)), FINE)
    # What divides the vertices of a part: of two parts, two.
    counts = {"vertices": [4], "mean": [1, 2], "stack": [2, 4]}[kind]
    count = Fixed.of(rng.choice(counts, (20, 1)), "ap_uint<8>")
    got, meant = layer.run(x, count).values(), ideal(layer, x.values(), count.values())
    assert got.shape == meant.shape
    assert np.abs(got - meant).max() < 0.02 * max(np.abs(meant).max(), 1)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"reuse_factor": 3}, "the reuse factor is 3; allowed: powers of two that divide 4"),
        ({"n_vertices": 6, "reuse_factor": 4}, "powers of two that divide 6 vertices"),
        ({"distance_type": "ap_fixed<17,4>"}, "number the table; allowed: up to 16 bits"),
        ({"aggr_type": "ap_int<16>"}, r"aggr_type is ap_int<16>; allowed: ap_fixed, ap_ufixed"),
        ({"count": "ap_uint<2>", "collapse": False}, "does not count 4 vertices"),
        ({"learned": Transforms(*[Fixed.of(np.ones(3), FINE)] * 5)}, r"\(outputs, aggregators, in"),
    ],
)
def test_what_the_kernel_would_do_wrong_is_refused(given, why):
    with pytest.raises(ValueError, match=why):
        garnet(**given)


def test_stacks():
    learned = transforms(inputs=2, out=2)
    for wrong in (learned, [learned]):
        with pytest.raises(ValueError, match="two sublayers or more"):
            GarNetStack(wrong, collapse=True, **GIVEN)
    with pytest.raises(ValueError, match="gives a mean; allowed: collapse"):
        GarNetStack([learned] * 2, **GIVEN)
    with pytest.raises(ShapeError, match="sublayer 1 takes 3 features, the one before gives 2"):
        GarNetStack([learned, transforms(inputs=3)], collapse=True, **GIVEN)
    with pytest.raises(TypeError, match="GarNetStack takes several"):
        GarNet([learned], **GIVEN)


def test_counts_with_which_nothing_is_defined_are_refused():
    """No vertices to divide by, and outputs that nothing writes."""
    x = np.ones((2, 4, 2))
    with pytest.raises(ValueError, match="means are over the vertices, and there are 0"):
        garnet(mean_by_nvert=True)(x, [[1], [0]])
    assert garnet()(x, [[1], [0]]).shape == (2, 1)
    with pytest.raises(ValueError, match="nothing writes the output of vertex 3 in row 1"):
        garnet(collapse=False)(x, [[4], [3]])


def graph(*sizes, collapse="mean", by_count=False, count="uint<8>"):
    g = Graph()
    vertices = g.input("n", 1, config={"Precision": {"result": count}})
    g.garnet(g.input("x", 8, 3), vertices, *sizes, collapse=collapse, by_count=by_count)
    return g


WRITTEN = {
    "mean": {"by_count": True},
    "all": {"count": "fixed<12,6>"},
    "vertices": {"collapse": None},
}


@pytest.mark.parametrize("kind", [*WRITTEN, "stack"])
def test_a_project_computes_what_its_types_say(kind, tmp_path):
    sizes = [(3, 2, 4), (2, 3, 2)] if kind == "stack" else [(3, 2, 4)]
    graph(*sizes, **WRITTEN.get(kind, {})).write(tmp_path, "Vivado", "io_parallel", reuse=2)
    found = verify_project(Request(tmp_path, rows=60))
    assert found.verdict == "AGREE", found.summary
    assert found.rows == 60


def test_projects_that_are_refused(tmp_path):
    path = graph((3, 2, 4), (2, 3, 2)).write(tmp_path, "Vivado", "io_parallel")
    parameters = path / "firmware/parameters.h"
    before = parameters.read_text()
    for old, new, error, says in (
        ("= collapse_mean", "= collapse_max", BrokenProject, "no kernel for collapse_max"),
        ("= collapse_mean", "= no_collapse", BrokenProject, "stack without collapse does not"),
        ("n_vertices_width = 3", "n_vertices_width = 2", ProjectError, "n_vertices_width 2 is not"),
        ("= input_transform_1_w", "= input_transform_9_w", ProjectError, "no known weights"),
        ("distance_width = 12", "distance_width = 11", ProjectError, "the width of distances 11"),
    ):
        edit(parameters, old, new)
        with pytest.raises(error, match=says):
            Project.read(path).model()
        parameters.write_text(before)
