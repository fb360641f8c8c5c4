"""Layer normalisation: ``nnet_layernorm.h``."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.fixed import INT, UNSIGNED, Fixed
from harness.hls.layers.accumulate import accumulate
from harness.hls.layers.elementwise import constant, number
from harness.hls.layers.interval import Extent, Interval, added
from harness.hls.layers.layer import Shape, ShapeError, TypedLayer, as_type
from harness.hls.layers.tables import check_int, check_size, invert_sqr_table, multiple, within
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed, result_type

__all__ = ["LayerNorm"]

#: hls4ml's own for the table of one over the root.
TABLE_TYPE, TABLE_SIZE = "ap_ufixed<8,5,AP_RND_CONV,AP_SAT>", 4096


class LayerNorm(TypedLayer):
    """``(x - mean) / sqrt(var + epsilon) * scale + bias`` over the last axis.

    Mean, differences, squares and variance are each converted to ``accum``.  One over the root is
    looked up at the variance, in a table from ``epsilon`` on, about ``2**-table_range_power2``
    long: a larger variance takes its last entry.

    Args:
        scale: (channels,), floats or ``Fixed``.
        bias: (channels,); zeros if ``None``.
        input: the type of the input.
        input_shape: (steps, channels) or (channels,).
        scale_type, bias_type: the types of the parameters.
        accum: the type of sums, squares and differences, and of one over the channels.
        result: the type of the output.
        table_type: the type of the table's entries.
        table_size: how many there are.
        epsilon_power_of_10: epsilon is ten to minus this.
        table_range_power2: the table's length is two to minus this.

    Source:
        hls4ml ``nnet::layernormalize``.
    """

    source = "layers/norm.h"

    def __init__(
        self,
        scale: Any,
        bias: Any = None,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        scale_type: ApFixed | str,
        bias_type: ApFixed | str,
        accum: ApFixed | str,
        result: ApFixed | str,
        table_type: ApFixed | str = TABLE_TYPE,
        table_size: int = TABLE_SIZE,
        epsilon_power_of_10: int = 3,
        table_range_power2: int = 0,
    ) -> None:
        super().__init__([input], [input_shape], result, tuple(input_shape))
        if len(self.output_shape) > 2:
            raise ShapeError(
                f"{self.name}: the kernel takes (steps, channels) or (channels,), "
                f"not {self.output_shape}"
            )
        channels = self.output_shape[-1:]
        self.parameter("scale", scale, scale_type, channels)
        self.parameter("bias", np.zeros(channels) if bias is None else bias, bias_type, channels)
        self.accum = as_type(accum, "accum")
        check_int(result_type("*", result_type("*", self.accum, UNSIGNED), INT), self.name)
        self.table_type = as_type(table_type, "table_type")
        self.table_size = check_size(table_size, self.name)
        self.epsilon_power_of_10 = _power(epsilon_power_of_10, "epsilon_power_of_10", 37)
        self.table_range_power2 = _power(table_range_power2, "table_range_power2", 30)

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        t = self.accum
        x = inputs[0].to(t)
        part = Fixed.of(1.0 / x.shape[-1], t)
        zero = number(0, t)
        mean = (accumulate(zero, x) * part).to(t)
        away = (x - mean[..., None]).to(t)
        var = (accumulate(zero, (away * away).to(t)) * part).to(t)
        place = multiple(var, self.table_size, 1 << self.table_range_power2)
        inverse = self._table[within(place, 0, self.table_size)][..., None]
        return (away * inverse * self.fixed("scale") + self.fixed("bias")).to(self.result)

    def extent(self, *inputs: Interval) -> Extent:
        """See :meth:`TypedLayer.extent`: mean, differences, squares and variance, any entry."""
        t = self.accum
        x = inputs[0].rounded(t)
        count = x.shape[-1]
        part = Interval.at(Fixed.of(1.0 / count, _whole(t)))
        total, sums = added(constant(0), x, t)
        mean = (sums * part).rounded(t)
        away = (x - mean[..., None]).rounded(t)
        squares = (away * away).rounded(t).each(_not_negative)
        more, spread = added(constant(0), squares, t)
        var = (spread * part).rounded(t)
        parts = (x, part, total, mean, away, squares, more, var)
        held = Interval.hull(*(each.whole for each in parts))
        if not held.within(t):
            away = Interval.of(t, away.shape)
        inverse = Interval.among(self._table)
        scale, bias = (Interval.at(self.fixed(name)) for name in ("scale", "bias"))
        return Extent({"accum": (t, held)}, away * inverse * scale + bias)

    @property
    def _table(self) -> Fixed:
        """One over the root, entry by entry."""
        return invert_sqr_table(
            self.table_size, self.table_type, self.epsilon_power_of_10, self.table_range_power2
        )

    def constants(self) -> tuple[Fixed, ...]:
        """Scales and biases."""
        return self.fixed("scale"), self.fixed("bias")

    def kernel(self) -> LayerKernel:
        """``layernorm``."""
        types = self.parameter_types
        arguments = (
            self.input_types[0],
            types["scale"],
            types["bias"],
            self.accum,
            self.table_type,
            self.result,
            self.table_size,
            self.epsilon_power_of_10,
            self.table_range_power2,
            self.sizes[0] // self.output_shape[-1],
            self.output_shape[-1],
        )
        return LayerKernel(self.source, "layernorm", arguments)


def _whole(t: ApFixed) -> ApFixed:
    """A type that rounds as another one, and holds one over any count."""
    return ApFixed(t.frac + 2, 2, rounding=t.rounding) if t.frac > -2 else t


def _not_negative(x: Fixed) -> Fixed:
    return Fixed(np.maximum(x.codes, 0), x.type)


def _power(value: int, name: str, most: int) -> int:
    """An exponent of the configuration; beyond ``most`` the kernel's numbers leave their types."""
    if not 0 <= value <= most:
        raise ValueError(f"LayerNorm: {name} is 0 to {most}, not {value}")
    return value
