"""What a GarNet has: what it learned, its sizes and its types."""

from __future__ import annotations

from dataclasses import dataclass, fields

from harness.fixed import UNSIGNED, Fixed
from harness.hls.layers.layer import ShapeError, TypedLayer
from harness.types import ApFixed, result_type

__all__ = ["PARTS", "GarNetParts", "Transforms", "divided"]


@dataclass(frozen=True)
class Transforms:
    """What one GarNet has learned, as hls4ml contracts it: input and output transform are one.

    Attributes:
        input_weights: (outputs, aggregators, inputs).
        input_biases: (outputs, aggregators).
        distance_weights: (aggregators, inputs).
        distance_biases: (aggregators,).
        output_biases: (outputs,).
    """

    input_weights: Fixed
    input_biases: Fixed
    distance_weights: Fixed
    distance_biases: Fixed
    output_biases: Fixed

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Features in, aggregators, features out.

        Raises:
            ShapeError: if the arrays do not fit.
        """
        if self.input_weights.ndim != 3:
            raise ShapeError(
                "GarNet: input_weights have shape (outputs, aggregators, inputs), "
                f"not {self.input_weights.shape}"
            )
        out, aggregators, inputs = self.input_weights.shape
        return inputs, aggregators, out


PARTS = tuple(f.name for f in fields(Transforms))


class GarNetParts(TypedLayer):
    """A GarNet or a stack of several, without its arithmetic.

    Attributes:
        count_layers: how many there are.
        n_vertices, reuse_factor: the most vertices, and in how many parts they are summed.
        collapse, mean_by_nvert: whether the output is a mean, and what means are over.
        distance_type, edge_weight_type, edge_weight_aggr_type, aggr_type, norm_type: its types.
    """

    count_layers: int
    n_vertices: int
    reuse_factor: int
    collapse: bool
    mean_by_nvert: bool
    distance_type: ApFixed
    edge_weight_type: ApFixed
    edge_weight_aggr_type: ApFixed
    aggr_type: ApFixed
    norm_type: ApFixed

    def parameter_name(self, place: int, part: str) -> str:
        """How the layer calls a part of :class:`Transforms`."""
        del place
        return part

    @property
    def shifts(self) -> tuple[int, int]:
        """By how many bits the sum of a part is shifted, and the sum of all parts."""
        parts = self.reuse_factor.bit_length() - 1
        return self.n_vertices.bit_length() - 1 - parts, parts

    def part(self, place: int, part: str) -> Fixed:
        """A part of the transforms of a sublayer."""
        return self.fixed(self.parameter_name(place, part))


def divided(number: int, x: Fixed) -> Fixed:
    """C++ ``number / x`` of an ``unsigned``.

    The headers give it the type of ``x / number``: 16 over one of ``ap_uint<4>`` wraps to 0.
    """
    return (Fixed.unsigned(number) / x).to(result_type("/", x.type, UNSIGNED))
