"""GarNet: ``nnet_garnet.h``, whose weights its configuration refers to."""

from __future__ import annotations

from typing import Any

from harness.hls.layers.garnet import GarNet, GarNetStack
from harness.hls.layers.garnet_parts import Transforms
from harness.hls.layers.layer import TypedLayer
from harness.hls.project.registry import Reader, kernel
from harness.hls.project.scope import Config

__all__: list[str] = []

_TYPES = ("distance", "edge_weight", "edge_weight_aggr", "aggr", "norm")


@kernel("garnet")
def _garnet(r: Reader) -> TypedLayer:
    return GarNet(_transforms(r, r.config), **_given(r))


@kernel("garnet_stack")
def _stack(r: Reader) -> TypedLayer:
    c = r.config
    names = (f"{c.name}::sublayer_t<{k}>" for k in range(c.integer("n_sublayers")))
    layers = [r.project.scope.config(name, r.call.place) for name in names]
    given = _given(r)
    if not given["collapse"]:
        raise r.broken("the kernel of a stack without collapse does not compile")
    for k, layer in enumerate(layers[:-1]):
        r.only("the sublayer behind one", layer.types["next_layer_t"], layers[k + 1].name)
    r.only("the type between sublayers", str(c.type("output_t")), str(r.result))
    return GarNetStack([_transforms(r, layer) for layer in layers], **given)


def _transforms(r: Reader, c: Config) -> Transforms:
    sizes = ("n_in_features", "n_aggregators", "n_out_features")
    inputs, aggregators, out = map(c.integer, sizes)
    return Transforms(
        r.referred(c, "input_transform_weights", (out, aggregators, inputs)),
        r.referred(c, "input_transform_biases", (out, aggregators)),
        r.referred(c, "aggregator_distance_weights", (aggregators, inputs)),
        r.referred(c, "aggregator_distance_biases", (aggregators,)),
        r.referred(c, "output_transform_biases", (out,)),
    )


def _given(r: Reader) -> dict[str, Any]:
    """Everything but the transforms."""
    c = r.config
    collapse, vertices, reuse = (
        c.word("output_collapse"),
        c.integer("n_vertices"),
        c.integer("reuse_factor"),
    )
    if collapse not in ("no_collapse", "collapse_mean"):
        raise r.broken(f"there is no kernel for {collapse}; there are: no_collapse, collapse_mean")
    types = {f"{name}_type": c.type(f"{name}_t") for name in _TYPES}
    r.only("the width of distances", c.integer("distance_width"), types["distance_type"].width)
    for name, size in (("n_vertices_width", vertices), ("log2_reuse_factor", reuse)):
        r.only(name, c.integer(name), size.bit_length() - 1)
    r.only("the number of inputs", len(r.inputs), 2)
    return {
        "input": r.inputs[0],
        "count": r.inputs[1],
        "n_vertices": vertices,
        **types,
        "result": r.result,
        "collapse": collapse == "collapse_mean",
        "mean_by_nvert": bool(c.integer("mean_by_nvert")),
        "reuse_factor": reuse,
    }
