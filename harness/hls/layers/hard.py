"""Activations of straight lines and steps: ``nnet_activation.h``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.fixed import Fixed, where
from harness.hls.layers.elementwise import Activation, constant, number
from harness.hls.layers.interval import Interval
from harness.hls.layers.layer import Shape
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed, ApInt

__all__ = ["BinaryTanh", "HardSigmoid", "HardTanh", "TernaryTanh"]


class HardSigmoid(Activation):
    """``slope * x + shift``, clipped to 0 and 1, hls4ml ``nnet::hard_sigmoid``.

    Args:
        slope, shift: the line's numbers; hls4ml has 0.2 and 0.5.
        slope_type, shift_type: their types.
        input, input_shape, result: as :class:`Activation`.
    """

    template = "hard_sigmoid"

    def __init__(
        self,
        slope: Any = 0.2,
        shift: Any = 0.5,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        slope_type: ApFixed | str = "ap_ufixed<16,0>",
        shift_type: ApFixed | str = "ap_ufixed<2,0>",
        result: ApFixed | str | None = None,
    ) -> None:
        super().__init__(input=input, input_shape=input_shape, result=result)
        self.parameter("slope", slope, slope_type, ())
        self.parameter("shift", shift, shift_type, ())

    def clipped(self, x: Fixed) -> Fixed:
        """The line, clipped in its own type; a type too small for 1 has no values above it."""
        line = self.fixed("slope") * x + self.fixed("shift")
        one, zero = (number(k, line.type) for k in (1, 0))
        return where(line > 1, one, where(line < 0, zero, line))

    def branches(self, x: Interval) -> Sequence[Interval]:
        """See :meth:`Activation.branches`."""
        del x
        return constant(0), constant(1)

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        return self.clipped(x).to(self.result)


class HardTanh(HardSigmoid):
    """``2 * hard_sigmoid(x) - 1``, hls4ml ``nnet::hard_tanh``; arguments as its base."""

    template = "hard_tanh"

    def branches(self, x: Interval) -> Sequence[Interval]:
        """See :meth:`Activation.branches`."""
        del x
        return constant(-1), constant(1)

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        return (2 * self.clipped(x) - 1).to(self.result)


class BinaryTanh(Activation):
    """``x >= 0 ? 1 : -1``, hls4ml ``nnet::binary_tanh``.

    A result of one unsigned bit that truncates and wraps is ``ap_uint<1>``, as hls4ml writes it,
    for which the kernel gives 0 instead of -1.

    Arguments as :class:`Activation`.
    """

    template = "binary_tanh"
    monotone = True

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        one, minus = (Fixed(np.int64(k), ApFixed(2, 2)).to(self.result) for k in (1, -1))
        if self._bit:
            minus = number(0, self.result)
        return where(x >= 0, one, minus)

    def takes(self, name: str) -> bool:
        """See :meth:`TypedLayer.takes`; a result of another type than the bit has other values."""
        return super().takes(name) and not (name == "result" and self._bit)

    @property
    def _bit(self) -> bool:
        return self.result in (ApFixed(1, 1, signed=False), ApInt(1, signed=False))

    def kernel(self) -> LayerKernel:
        """``binary_tanh``."""
        result = "ap_uint<1>" if self._bit else self.result
        return LayerKernel(self.source, self.template, (self.input_types[0], result, self.sizes[0]))


class TernaryTanh(Activation):
    """1 for ``2 * x > 1``, 0 for more than -1, else -1, hls4ml ``nnet::ternary_tanh``.

    ``2 * x`` is converted to the input's type, in which it may overflow.

    Arguments as :class:`Activation`.
    """

    template = "ternary_tanh"

    def branches(self, x: Interval) -> Sequence[Interval]:
        """See :meth:`Activation.branches`."""
        del x
        return constant(-1), constant(1)

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        twice = (2 * x).to(x.type)
        one, zero, minus = (number(k, self.result) for k in (1, 0, -1))
        return where(twice > 1, one, where(twice > -1, zero, minus))
