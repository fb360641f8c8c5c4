"""GarNets to draw."""

from __future__ import annotations

import itertools
from typing import Any

from harness.hls.layers.garnet import GarNet, GarNetStack
from harness.hls.layers.garnet_parts import Transforms
from harness.hls.proof.draw import Draw, family
from harness.types import ApFixed, ApInt, Overflow, Rounding

__all__: list[str] = []

#: hls4ml's own types of distances and weights.
DISTANCE = ApFixed(12, 4, rounding=Rounding.TRN, overflow=Overflow.SAT)
EDGE = ApFixed(10, 0, signed=False)


def _transforms(draw: Draw, inputs: int, out: int) -> Transforms:
    aggregators = draw.integer(1, 3)
    shapes: list[tuple[int, ...]] = [(out, aggregators, inputs), (out, aggregators)]
    shapes += [(aggregators, inputs), (aggregators,), (out,)]
    return Transforms(*(draw.codes(_weight(draw), shape) for shape in shapes))


def _weight(draw: Draw) -> ApFixed:
    """A type of weights, which ternary ones have in integers."""
    return draw.choice([draw.type(), draw.type(4, 14, integer=(0, 3)), ApInt(2)])


def _given(draw: Draw) -> dict[str, Any]:
    """Everything but the transforms."""
    n_vertices = draw.choice([2, 4, 8, draw.integer(1, 12)])
    factors = [1 << k for k in range(4) if n_vertices % (1 << k) == 0]
    count = draw.choice([ApInt(16, signed=False), ApInt(8), ApFixed(16, 6), ApInt(5, signed=False)])
    return {
        # Small features, whose distances reach the middle of the table, and any others.
        "input": draw.choice([draw.type(6, 14, integer=(0, 3)), draw.type()]),
        "count": count,
        "n_vertices": n_vertices,
        "distance_type": draw.choice([DISTANCE, draw.type(2, 12)]),
        "edge_weight_type": draw.choice([EDGE, draw.type(4, 16, integer=(-1, 3))]),
        "edge_weight_aggr_type": draw.choice([draw.type(8, 20, integer=(1, 6)), draw.type()]),
        "aggr_type": draw.choice([draw.accumulator(), draw.type(12, 24, integer=(3, 9))]),
        "norm_type": draw.choice([ApFixed(14, 4, signed=False), draw.type(6, 18)]),
        "result": draw.choice([draw.type(10, 20, integer=(2, 7)), draw.type()]),
        "mean_by_nvert": draw.choice([True, False]),
        "reuse_factor": draw.choice(factors),
    }


@family("garnet, vertices")
def _vertices(draw: Draw) -> GarNet:
    transforms = _transforms(draw, draw.integer(1, 4), draw.integer(1, 4))
    return GarNet(transforms, collapse=False, **_given(draw))


@family("garnet, mean")
def _mean(draw: Draw) -> GarNet:
    transforms = _transforms(draw, draw.integer(1, 4), draw.integer(1, 4))
    return GarNet(transforms, collapse=True, **_given(draw))


@family("garnet_stack")
def _stack(draw: Draw) -> GarNetStack:
    features = [draw.integer(1, 3) for _ in range(draw.integer(3, 4))]
    layers = [_transforms(draw, *pair) for pair in itertools.pairwise(features)]
    return GarNetStack(layers, collapse=True, **_given(draw))
