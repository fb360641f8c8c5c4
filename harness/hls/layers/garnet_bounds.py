"""Bounds of what can stand in a GarNet: for any vertices, and any number of them."""

from __future__ import annotations

from collections import defaultdict

from harness.fixed import UNSIGNED, Fixed
from harness.hls.layers.elementwise import constant
from harness.hls.layers.garnet_parts import GarNetParts
from harness.hls.layers.interval import Extent, Interval, added
from harness.hls.layers.tables import edge_powers, edge_table
from harness.types import ApFixed, result_type

__all__ = ["extent_of_garnet"]


def extent_of_garnet(layer: GarNetParts, x: Interval, count: Interval) -> Extent:
    """Every sum, product and quotient that is converted; see :meth:`TypedLayer.extent`."""
    return _Bounds(layer, count).of(x)


class _Bounds:
    """Bounds under way, and what each type should hold."""

    def __init__(self, layer: GarNetParts, count: Interval) -> None:
        self.layer, self.count = layer, count
        self.held: dict[str, list[Interval]] = defaultdict(list)

    def of(self, x: Interval) -> Extent:
        layer = self.layer
        inner = []
        for k in range(layer.count_layers):
            edges, mean, features = self._means(k, x)
            biased = mean[None] * Interval.at(layer.part(k, "input_biases"))
            start = biased.rounded(layer.aggr_type)
            terms = features[None] * Interval.at(layer.part(k, "input_weights"))
            base = self._sums("aggr_type", start, terms)
            if k + 1 < layer.count_layers:
                inner.append(self._vertices(k, edges, base))
                x = inner[-1].to(layer.result).spread((layer.n_vertices, *inner[-1].shape))
        last = layer.count_layers - 1
        before = (
            self._collapsed(mean, base) if layer.collapse else self._vertices(last, edges, base)
        )
        if inner:
            before = Interval.hull(before, *(each.whole for each in inner))
        sums = {}
        for name, parts in self.held.items():
            sums[name] = (getattr(layer, name), Interval.hull(*(part.whole for part in parts)))
        return Extent(sums, before.spread(layer.output_shape))

    def _keep(self, name: str, x: Interval) -> Interval:
        """Note what a type should hold; all of it if it does not."""
        t: ApFixed = getattr(self.layer, name)
        self.held[name].append(x)
        return x.rounded(t) if x.within(t) else Interval.of(t, x.shape)

    def _sums(self, name: str, start: Interval, terms: Interval) -> Interval:
        """Bounds of the last sums along the last axis, of which every one is noted."""
        t = getattr(self.layer, name)
        total, last = added(start, terms, t)
        kept = self._keep(name, total)
        return last if total.within(t) else kept.spread(last.shape)

    def _means(self, place: int, x: Interval) -> tuple[Interval, Interval, Interval]:
        """Of weights, their means (aggregators,) and those of features, (aggregators, features)."""
        layer, t = self.layer, self.layer.distance_type
        # What numbers an entry of the table is no accumulator: any entry may be meant.
        edges = Interval.among(edge_table(t, layer.edge_weight_type))
        self._keep("edge_weight_type", Interval.among(edge_powers(t)[1:]))
        none = constant(0)  # what is not reached adds nothing
        shape = (layer.n_vertices, len(layer.part(place, "distance_biases")))
        mean = self._mean(
            Interval.hull(edges, none).spread(shape), "edge_weight_aggr_type", "edge_weight_type"
        )
        terms = (x[:, None, :] * edges).to(x.low.type)
        terms = Interval.hull(terms, none).spread((*shape, x.shape[-1]))
        return edges, mean, self._mean(terms, "aggr_type", "aggr_type")

    def _mean(self, terms: Interval, total: str, name: str) -> Interval:
        layer = self.layer
        part = layer.n_vertices // layer.reuse_factor
        within, over = layer.shifts
        inner = terms.shape[1:]
        split = terms.reshape((layer.reuse_factor, part, *inner))
        axes = range(2, 2 + len(inner))
        sums = self._sums(
            total, none := constant(0), split.each(lambda e: e.transpose(0, *axes, 1))
        )
        scaled = sums.each(lambda end: (end >> within).transpose(*range(1, 1 + len(inner)), 0))
        found = self._sums(total, none, scaled)
        if layer.mean_by_nvert:
            return self._keep(name, found * self._keep("norm_type", self._norm(part)))
        return self._keep(name, found.each(lambda end: end >> over))

    def _norm(self, part: int) -> Interval:
        """One over the number of vertices, of which none is 0."""
        t = self.layer.input_types[1]
        low, high = self.layer.code_range(1)
        counts = {code for code in (low, -1, 1, high) if low <= code <= high and code}
        wrapped = result_type("/", t, UNSIGNED)
        ends = (Interval.at(Fixed.unsigned(part) / Fixed(c, t)) for c in counts)
        found = Interval.hull(*ends)
        return found if found.within(wrapped) else Interval.of(wrapped, ())

    def _vertices(self, place: int, edges: Interval, base: Interval) -> Interval:
        """Bounds of what a vertex gets, (outputs,); of all of the type if a sum leaves it."""
        return self._added(place, (edges * base).rounded(self.layer.result))

    def _collapsed(self, mean: Interval, base: Interval) -> Interval:
        layer, place = self.layer, self.layer.count_layers - 1
        start = Interval.at(layer.part(place, "output_biases"))
        if not layer.mean_by_nvert:
            bias = self._keep("aggr_type", start.rounded(layer.aggr_type))
            present = self._keep("aggr_type", (bias * self.count).rounded(layer.aggr_type))
            shifted = present.each(lambda end: end >> sum(layer.shifts))
            start = shifted.to(start.low.type)
        return self._added(place, mean * base, start)

    def _added(self, place: int, terms: Interval, start: Interval | None = None) -> Interval:
        """Bounds of what is summed up in the result's type."""
        t = self.layer.result
        if start is None:
            start = Interval.at(self.layer.part(place, "output_biases"))
        total, last = added(start.rounded(t), terms, t)
        parts = Interval.hull(total, start.rounded(t).whole, terms.whole)
        if parts.within(t):
            return last
        return Interval.hull(parts, Interval.of(t, ())).spread(last.shape)
