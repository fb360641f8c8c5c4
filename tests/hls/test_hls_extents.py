"""What a layer says of its bounds: everything that it computes is inside, of every kernel there is.

``test_hls_ranges.py`` suggests types by these bounds, which takes its time; here they are looked at
alone, so ``make mutants`` holds every layer to them.
"""

import contextlib
import itertools

import numpy as np
import pytest

from harness import ApFixed
from harness.fixed import Fixed
from harness.hls.layers.accumulate import watched
from harness.hls.layers.extents import extent_of
from harness.hls.layers.interval import Extent, Interval
from harness.hls.layers.layer import TypedLayer
from harness.hls.proof import FAMILIES, Draw

#: How many layers of each kernel are drawn.
DRAWN = 3
#: Kernels whose bounds nobody has worked out; ``ranges`` says so.
UNKNOWN = ("products", "generated logic", "distributed arithmetic")
KNOWN = [name for name in FAMILIES if not any(part in name for part in UNKNOWN)]


def roomier(layer: TypedLayer) -> TypedLayer:
    """The layer with more integer bits, as far as it takes them: little is cut off."""
    for name in ("accum", "table_type", "result"):
        t = getattr(layer, name, None)
        if not isinstance(t, ApFixed) or not layer.takes(name):
            continue
        more = min(16, 56 - t.width)
        wider = ApFixed(t.width + more, t.integer + more, rounding=t.rounding)
        with contextlib.suppress(ValueError):  # tied to another type
            layer = layer.retyped(**{name: wider})
    return layer


def everything(layer: TypedLayer) -> list[Interval]:
    """All inputs of the layer's types."""
    return list(map(Interval.of, layer.input_types, layer.input_shapes))


def bounds_of(layer: TypedLayer) -> Extent:
    """What can stand in the layer, for all inputs of its types; every layer must know."""
    extent = extent_of(layer, everything(layer))
    assert extent is not None
    return extent


def inputs_of(layer: TypedLayer, draw: Draw) -> list[Fixed]:
    """Every corner, where each input is at one of its ends, and random rows."""
    found = []
    for k, x in enumerate(draw.inputs(layer, 60)):
        corners = itertools.product(layer.code_range(k), repeat=len(layer.input_types))
        ends = [np.full(x.shape[1:], corner[k], np.int64) for corner in corners]
        found.append(Fixed(np.concatenate([np.stack(ends), x.codes]), x.type))
    return found


@pytest.mark.parametrize("kernel", KNOWN)
def test_what_a_layer_computes_is_within_its_bounds(kernel: str) -> None:
    """Accumulators and outputs; and where inputs at their ends reach the bounds, they do."""
    for k in range(DRAWN):
        draw = Draw(7, k)
        drawn = FAMILIES[kernel](draw)
        for layer in (drawn, roomier(drawn)):
            extent = bounds_of(layer)
            with watched() as seen:
                out = layer.run(*inputs_of(layer, draw)).codes
            bounds = extent.before.to(layer.result)
            low, high = bounds.low.codes, bounds.high.codes
            assert low.shape == layer.output_shape
            assert ((low <= out) & (out <= high)).all(), layer
            for t, held in extent.sums.values():
                if layer.told and held.within(t):
                    bottom, top = held.rounded(t).extremes
                    assert all(bottom <= a and b <= top for a, b in seen), layer
            at_ends = layer.extent(*everything(layer)) is None and not layer.affine
            if at_ends and (layer.monotone or layer.corners) and extent.before.within(layer.result):
                assert (low == out.min(0)).all(), layer
                assert (high == out.max(0)).all(), layer
