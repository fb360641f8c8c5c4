"""GarNet, a layer of graphs whose vertices attend to learned centres: ``nnet_garnet.h``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.fixed import Array, Fixed, where
from harness.hls.layers.accumulate import accumulate, affine
from harness.hls.layers.elementwise import number
from harness.hls.layers.garnet_bounds import extent_of_garnet
from harness.hls.layers.garnet_parts import PARTS, GarNetParts, Transforms, divided
from harness.hls.layers.interval import Extent, Interval
from harness.hls.layers.layer import ShapeError, as_type
from harness.hls.layers.tables import edge_table
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed, ApInt

__all__ = ["GarNet", "GarNetStack"]

#: Bits of the widest distance that numbers a table.
MOST_BITS = 16


#: Types of what is summed, or shifted: integers would drop fractions elsewhere.
_SUMS = (
    "distance_type",
    "edge_weight_type",
    "edge_weight_aggr_type",
    "aggr_type",
    "norm_type",
    "result",
)


class GarNet(GarNetParts):
    """Means of the features of all vertices, weighted by ``exp(-distance**2)`` to each aggregator.

    A vertex's distances are affine in its features.  The second input says how many vertices there
    are: the means are divided by it (``mean_by_nvert``) or by ``n_vertices``.  Without ``collapse``
    a vertex gets a mixture of what the aggregators have, with its own weights, and what is behind
    the last vertex is never written: such rows are refused.  With it all vertices give one mean.

    Args:
        transforms: weights and biases.
        input: the type of the features.
        count: the type of the number of vertices.
        n_vertices: the most vertices there are.
        distance_type: the type of distances, whose bits number the table.
        edge_weight_type: the type of the table's entries, and of their means.
        edge_weight_aggr_type: the type of sums of weights.
        aggr_type: the type of weighted sums of features.
        norm_type: the type of one over the number of vertices.
        result: the type of the output, and of its sums.
        collapse: whether the output is the mean over the vertices.
        mean_by_nvert: what the means are over.
        reuse_factor: in how many parts the vertices are summed, a power of two.

    Source:
        hls4ml ``nnet::garnet``.
    """

    source = "layers/garnet.h"
    input_names = ("input", "count")

    def __init__(
        self,
        transforms: Transforms | Sequence[Transforms],
        *,
        input: ApFixed | str,  # noqa: A002
        count: ApFixed | str,
        n_vertices: int,
        distance_type: ApFixed | str,
        edge_weight_type: ApFixed | str,
        edge_weight_aggr_type: ApFixed | str,
        aggr_type: ApFixed | str,
        norm_type: ApFixed | str,
        result: ApFixed | str,
        collapse: bool = False,
        mean_by_nvert: bool = False,
        reuse_factor: int = 1,
    ) -> None:
        layers = self._layers(transforms)
        shape = (layers[-1].sizes[2],) if collapse else (n_vertices, layers[-1].sizes[2])
        super().__init__([input, count], [(n_vertices, layers[0].sizes[0]), (1,)], result, shape)
        for k, layer in enumerate(layers):
            _, aggregators, out = layer.sizes
            if layer.sizes[0] != (layers[k - 1].sizes[2] if k else self.input_shapes[0][1]):
                raise ShapeError(
                    f"{self.name}: sublayer {k} takes {layer.sizes[0]} features, the one before "
                    f"gives {layers[k - 1].sizes[2]}"
                )
            shapes = {
                "input_weights": (out, aggregators, layer.sizes[0]),
                "input_biases": (out, aggregators),
                "distance_weights": (aggregators, layer.sizes[0]),
                "distance_biases": (aggregators,),
                "output_biases": (out,),
            }
            for part in PARTS:
                values = getattr(layer, part)
                self.parameter(self.parameter_name(k, part), values, values.type, shapes[part])
        self.count_layers, self.n_vertices = len(layers), n_vertices
        self.collapse, self.mean_by_nvert, self.reuse_factor = collapse, mean_by_nvert, reuse_factor
        self.distance_type = as_type(distance_type, "distance_type")
        self.edge_weight_type = as_type(edge_weight_type, "edge_weight_type")
        self.edge_weight_aggr_type = as_type(edge_weight_aggr_type, "edge_weight_aggr_type")
        self.aggr_type = as_type(aggr_type, "aggr_type")
        self.norm_type = as_type(norm_type, "norm_type")
        self._check()

    def _layers(self, transforms: Any) -> tuple[Transforms, ...]:
        if not isinstance(transforms, Transforms):
            raise TypeError("GarNet takes one Transforms; GarNetStack takes several")
        return (transforms,)

    def _check(self) -> None:
        reuse = self.reuse_factor
        if reuse < 1 or reuse & (reuse - 1) or self.n_vertices % reuse:
            raise ValueError(
                f"{self.name}: the reuse factor is {reuse}; allowed: powers of two "
                f"that divide {self.n_vertices} vertices"
            )
        if self.distance_type.width > MOST_BITS:
            raise ValueError(
                f"{self.name}: distances of {self.distance_type} number the table; allowed: up to "
                f"{MOST_BITS} bits"
            )
        for name in _SUMS:
            if isinstance(t := getattr(self, name), ApInt):
                raise ValueError(f"{self.name}: {name} is {t}; allowed: ap_fixed, ap_ufixed")
        low, high = self.code_range(1)
        if low > high:
            raise ValueError(
                f"{self.name}: {self.input_types[1]} does not count {self.n_vertices} vertices"
            )

    def code_range(self, place: int) -> tuple[int, int]:
        """See :meth:`TypedLayer.code_range`: the numbers of vertices with which all is defined."""
        t = self.input_types[place]
        if place == 0:
            return t.min_code, t.max_code
        low = t.min_code
        if not self.collapse:
            low = max(math.ceil(self.n_vertices / t.lsb_exact), low)
        elif self.mean_by_nvert:
            low = max(low, 1)
        return low, t.max_code

    def check(self, inputs: Sequence[Fixed]) -> int:
        """See :meth:`TypedLayer.check`.

        Raises:
            ValueError: for a number of vertices that is divided by and is 0, or with which the
                kernel leaves outputs as they were.
        """
        rows = super().check(inputs)
        count = inputs[1][:, 0]
        if self.mean_by_nvert and not count.codes.all():
            raise ValueError(f"{self.name}: the means are over the vertices, and there are 0")
        if not self.collapse and not (seen := self._seen(count)).all():
            row, vertex = np.argwhere(~seen)[0]
            raise ValueError(
                f"{self.name}: nothing writes the output of vertex {vertex} in row {row}, which "
                f"has fewer; without collapse all of {self.n_vertices} are needed"
            )
        return rows

    def _seen(self, count: Fixed) -> Array:
        """Which vertices the loops reach, (rows, vertices).

        They stop where the number of a vertex *is* the count, and before a part that begins there
        or behind: of 3.5 vertices one part has all.
        """
        part = self.n_vertices // self.reuse_factor
        ends = [Fixed.unsigned(k) == count for k in range(self.n_vertices)]
        stopped = np.stack(ends, 1).reshape(len(count), self.reuse_factor, part)
        begins = [Fixed.unsigned(k) >= count for k in range(0, self.n_vertices, part)]
        left = np.logical_or.accumulate(np.stack(begins, 1), 1)
        seen = ~(np.logical_or.accumulate(stopped, 2) | left[..., None])
        return np.asarray(seen.reshape(len(count), self.n_vertices))

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        x, count = inputs[0], inputs[1][:, 0]
        seen = self._seen(count)
        for k in range(self.count_layers):
            weights, mean, features = self._means(k, x, count, seen)
            base = self._base(k, mean, features)
            if k + 1 < self.count_layers or not self.collapse:
                x = self._vertices(k, weights, base)
        return self._collapsed(mean, base, count) if self.collapse else x

    def _means(self, place: int, x: Fixed, count: Fixed, seen: Array) -> tuple[Fixed, Fixed, Fixed]:
        """Weights (rows, vertices, aggregators), their means and those of features.

        The latter are (rows, aggregators) and (rows, aggregators, features).
        """
        rows, t = x.shape[0], self.distance_type
        w, b = self.part(place, "distance_weights"), self.part(place, "distance_biases")
        away = affine(x.reshape(-1, x.shape[-1]), w.transpose(1, 0), b, t)
        table = edge_table(t, self.edge_weight_type)
        edges = table[away.codes & ((1 << t.width) - 1)].reshape(rows, self.n_vertices, -1)
        terms = (x[:, :, None, :] * edges[..., None]).to(x.type)
        mean = self._mean(edges, self.edge_weight_aggr_type, count, seen, self.edge_weight_type)
        features = self._mean(terms, self.aggr_type, count, seen, self.aggr_type)
        return edges, mean, features

    def _mean(self, terms: Fixed, total: ApFixed, count: Fixed, seen: Array, t: ApFixed) -> Fixed:
        """The mean over vertices, which are summed part by part."""
        rows, inner = terms.shape[0], terms.shape[2:]
        shown = seen.reshape(*seen.shape, *[1] * len(inner))
        terms = where(shown, terms, number(0, terms.type))  # what is not reached adds nothing
        part = self.n_vertices // self.reuse_factor
        parts = terms.reshape(rows, self.reuse_factor, part, *inner)
        sums = accumulate(number(0, total), parts.moved(lambda held: np.moveaxis(held, 2, -1)))
        within, over = self.shifts
        scaled = sums >> within
        found = accumulate(number(0, total), scaled.moved(lambda held: np.moveaxis(held, 1, -1)))
        if not self.mean_by_nvert:
            return (found >> over).to(t)
        # Rows without vertices are refused; types are also tried with zeros alone.
        counted = count.moved(lambda held: np.where(held == 0, 1, held))
        norm = divided(part, counted).to(self.norm_type)
        return (found * norm.reshape(rows, *[1] * len(inner))).to(t)

    def _base(self, place: int, mean: Fixed, features: Fixed) -> Fixed:
        """What each aggregator has for each output, (rows, outputs, aggregators)."""
        w, b = self.part(place, "input_weights"), self.part(place, "input_biases")
        start = (mean[:, None, :] * b).to(self.aggr_type)
        return accumulate(start, features[:, None] * w)

    def _vertices(self, place: int, weights: Fixed, base: Fixed) -> Fixed:
        """What each vertex gets of the aggregators, (rows, vertices, outputs)."""
        terms = (weights[:, :, None, :] * base[:, None]).to(self.result)
        return accumulate(self.part(place, "output_biases").to(self.result), terms)

    def _collapsed(self, mean: Fixed, base: Fixed, count: Fixed) -> Fixed:
        """The mean over the vertices, (rows, outputs)."""
        bias = self.part(self.count_layers - 1, "output_biases")
        start = bias.reshape(1, -1)
        if not self.mean_by_nvert:
            present = (start.to(self.aggr_type) * count[:, None]).to(self.aggr_type)
            start = (present >> sum(self.shifts)).to(bias.type)
        return accumulate(start.to(self.result), mean[:, None, :] * base)

    def extent(self, *inputs: Interval) -> Extent:
        """See :meth:`TypedLayer.extent`: any weights of the table, of any number of vertices."""
        return extent_of_garnet(self, *inputs)

    def constants(self) -> tuple[Fixed, ...]:
        """Weights and biases of every sublayer."""
        return tuple(self.part(k, part) for k in range(self.count_layers) for part in PARTS)

    def kernel(self) -> LayerKernel:
        """``garnet``, or ``garnet_stack``."""
        stack = self.count_layers > 1
        types = (
            self.distance_type,
            self.distance_type.width,
            self.edge_weight_type,
            self.edge_weight_aggr_type,
            self.aggr_type,
            self.norm_type,
            self.result,
            sum(self.shifts),
            self.n_vertices,
            self.reuse_factor,
            self.shifts[1],
            self.collapse,
            self.mean_by_nvert,
            stack,
        )
        sizes = []
        for k in range(self.count_layers):
            out, aggregators, inputs = self.part(k, "input_weights").shape
            own = (self.parameter_types[self.parameter_name(k, part)] for part in PARTS)
            sizes.append(_spelled("garnet_sizes", inputs, aggregators, out, *own))
        arguments = (*self.input_types, self.result, _spelled("garnet_base", *types), *sizes)
        return LayerKernel(self.source, "garnet_stack" if stack else "garnet", arguments)


class GarNetStack(GarNet):
    """Several GarNets, each of which reads the vertices of the one before, and a mean at the end.

    It takes what :class:`GarNet` takes, with the transforms of each; what is between has the type
    of the result.  Without ``collapse`` the kernel does not compile.

    Source:
        hls4ml ``nnet::garnet_stack``.
    """

    stateful = True

    def _layers(self, transforms: Any) -> tuple[Transforms, ...]:
        if isinstance(transforms, Transforms) or len(transforms) < 2:
            raise ValueError("GarNetStack: a stack has the transforms of two sublayers or more")
        return tuple(transforms)

    def _check(self) -> None:
        super()._check()
        if not self.collapse:
            raise ValueError(f"{self.name}: the kernel of a stack gives a mean; allowed: collapse")

    def parameter_name(self, place: int, part: str) -> str:
        """See :meth:`GarNetParts.parameter_name`."""
        return f"{part}_{place}"


def _spelled(template: str, *arguments: Any) -> str:
    """A C++ type as text."""
    return LayerKernel("", template, arguments).cpp.removeprefix("&")
