"""Bounds of what can stand in a layer, for all inputs between bounds.

Of a layer that says its own, these; through a sum those of every partial sum in the kernel's order,
after its roundings, which some input reaches.  Layers that are monotone are computed at both ends,
those that are linear in each input at every corner, and layers of single elements at every code.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from harness.fixed import Array, Fixed, stacked
from harness.hls.layers.elementwise import Activation
from harness.hls.layers.interval import Extent, Interval, bounded, unlimited
from harness.hls.layers.layer import Sum, TypedLayer
from harness.types import MAX_WIDTH, ApFixed, Rounding

__all__ = ["extent_of"]

#: Codes times elements up to which a layer is computed at every code.
EVERY = 1 << 23


def extent_of(layer: TypedLayer, inputs: list[Interval]) -> Extent | None:
    """What can stand in a layer before its types limit it; ``None`` if that is not known.

    Args:
        layer: the layer.
        inputs: bounds of each input, of its type and shape.
    """
    found = layer.extent(*inputs)
    if found is not None:
        return found
    if layer.affine or layer.bilinear:
        return _summed(layer, inputs)
    before, free = None, _freed(layer)
    if free is None:
        return None
    if layer.monotone:
        rows = [_corner(inputs, [upper] * len(inputs)) for upper in (False, True)]
        out = _computed(free, rows)
        before = Interval(out[0], out[1])
    elif layer.corners:
        corners = itertools.product((False, True), repeat=len(inputs))
        out = _computed(free, [_corner(inputs, upper) for upper in corners])
        low, high = out.codes.min(0), out.codes.max(0)
        before = Interval(Fixed(low, out.type), Fixed(high, out.type))
    elif layer.elementwise:
        before = _at_every_code(free, inputs[0])
    return None if before is None else Extent({}, before)


def _freed(layer: TypedLayer) -> TypedLayer | None:
    """The layer with a result that rounds nothing and holds everything; the same if it has none.

    ``None`` if no type there is holds everything.
    """
    if not layer.takes("result"):
        return layer
    types = [*layer.input_types, *layer.parameter_types.values(), layer.result]
    types += [t for t in vars(layer).values() if isinstance(t, ApFixed)]
    frac = sum(max(t.frac, 0) for t in types) + 2
    integer = sum(max(t.integer, 0) for t in types) + 34  # an int counts too
    if integer + frac > MAX_WIDTH:
        return None
    free = copy.copy(layer)
    free.result = ApFixed(integer + frac, integer)
    return free


def _corner(inputs: list[Interval], upper: Sequence[bool]) -> tuple[Fixed, ...]:
    """The upper bounds of some inputs, and the lower ones of the others."""
    return tuple(x.high if high else x.low for x, high in zip(inputs, upper, strict=True))


def _computed(layer: TypedLayer, rows: list[tuple[Fixed, ...]]) -> Fixed:
    """The outputs for some rows."""
    batch = (Fixed(np.stack([x.codes for x in xs]), xs[0].type) for xs in zip(*rows, strict=True))
    return layer.compute(*batch)


def _at_every_code(free: TypedLayer, x: Interval) -> Interval | None:
    """A layer of single elements, freed; by its branches if there are too many codes."""
    low, high = (int(end.codes) for end in (x.whole.low, x.whole.high))
    most = EVERY if free.result.width <= 64 else EVERY >> 6  # beyond, each code is a Python integer
    if (high - low + 1) * x.low.codes.size > most:
        branches = free.branches(x) if isinstance(free, Activation) else ()
        return Interval.hull(*branches).spread(free.output_shape) if branches else None
    every = np.arange(low, high + 1, dtype=np.int64)
    codes = np.broadcast_to(every.reshape(-1, *[1] * x.low.codes.ndim), (every.size, *x.shape))
    out = free.compute(Fixed(np.ascontiguousarray(codes), x.low.type))
    possible = (codes >= x.low.codes) & (codes <= x.high.codes)
    bottom = np.where(possible, out.codes, out.codes.max()).min(0)
    top = np.where(possible, out.codes, out.codes.min()).max(0)
    return Interval(Fixed(bottom, out.type), Fixed(top, out.type))


def _summed(layer: TypedLayer, inputs: list[Interval]) -> Extent | None:
    """Bounds of an accumulator over all outputs, and of the outputs before their conversion."""
    ends = [_corner(inputs, [upper] * len(inputs)) for upper in (False, True)]
    alike: dict[Any, list[tuple[int, Sum, Sum]]] = defaultdict(list)
    for place, index in enumerate(itertools.product(*map(range, layer.output_shape))):
        low, high = (layer.summed(end, index) for end in ends)
        if low is None or high is None:
            return None
        alike[low.x.shape, low.x.type, low.w.type, low.start.type].append((place, low, high))
    held = []
    last = np.empty((2, math.prod(layer.output_shape)), object)
    for group in alike.values():
        places, lows, highs = zip(*group, strict=True)
        accum = lows[0].accum
        bottoms, tops = _partial_sums(_joined(lows), _joined(highs))
        last[:, list(places)] = bottoms[:, -1], tops[:, -1]
        held.append((bottoms.min(), tops.max()))
    extremes = bounded(min(low for low, _ in held), max(high for _, high in held), accum.frac)
    if not extremes.within(accum):
        return Extent({"accum": (accum, extremes)}, Interval.of(accum, layer.output_shape))
    sums = bounded(last[0], last[1], accum.frac)
    return Extent({"accum": (accum, extremes)}, sums.reshape(layer.output_shape))


def _joined(sums: Sequence[Sum]) -> Sum:
    """Sums of one type and length as one, of arrays (sums, terms) and (sums,)."""
    x, w, start = (
        stacked([getattr(each, name) for each in sums], 0) for name in ("x", "w", "start")
    )
    return replace(sums[0], x=x, w=w, start=start)


def _partial_sums(low: Sum, high: Sum) -> tuple[Array, Array]:
    """Bounds of every product, of the start, and of every partial sum, the last one at the end.

    Args:
        low: sums joined, of the lower bounds.
        high: of the upper bounds.

    Returns:
        (sums, 2 * terms + 1) Python integers, each.
    """
    accum = low.accum
    products = Interval(low.x, high.x) * Interval(low.w, high.w)
    if low.exact and accum.rounding is not Rounding.TRN:
        # A sum is rounded, not its product, which moves it to one of the neighbours.
        terms = [end.codes for end in products.outward(accum.frac)]
    else:
        terms = [unlimited(end, accum).codes for end in (products.low, products.high)]
    start = unlimited(low.start, accum).codes[:, None].astype(object)
    found = []
    for codes in terms:
        term = codes.astype(object)
        found.append(np.hstack([term, np.cumsum(np.hstack([start, term]), axis=1)]))
    return found[0], found[1]
