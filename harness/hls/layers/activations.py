"""Rectifiers: ``nnet_activation.h``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.fixed import INT, Fixed, where
from harness.hls.layers.elementwise import Activation, constant, number
from harness.hls.layers.interval import Interval
from harness.hls.layers.layer import Shape
from harness.types import ApFixed

__all__ = [
    "LeakyReLU",
    "Linear",
    "PReLU",
    "ReLU",
    "ReLU1",
    "ReLU6",
    "ReLUMax",
    "ThresholdedReLU",
]


class Linear(Activation):
    """Nothing but the conversion to the result's type, hls4ml ``nnet::linear``.

    Arguments as :class:`Activation`.
    """

    template = "linear"
    monotone = True

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        return x.to(self.result)


class ReLU(Activation):
    """``x > 0 ? x : 0``, hls4ml ``nnet::relu``; arguments as :class:`Activation`."""

    template = "relu"
    monotone = True

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        return where(x > 0, x.to(self.result), number(0, self.result))


class ReLUMax(Activation):
    """``min(max(x, 0), max_int)``, hls4ml ``nnet::relu_max``.

    The bound is converted to the result's type as any other value: where that does not hold it, it
    overflows.

    Args:
        max_int: the upper bound, a C++ ``int``; a negative one is what every ``x >= 0`` becomes.
        input, input_shape, result: as :class:`Activation`.
    """

    template = "relu_max"

    def __init__(
        self,
        max_int: int = 6,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        result: ApFixed | str | None = None,
    ) -> None:
        super().__init__(input=input, input_shape=input_shape, result=result)
        if not INT.min_code <= max_int <= INT.max_code:
            raise ValueError(f"{self.name}: the bound {max_int} is no C++ int")
        self.max_int = int(max_int)
        self.monotone = self.max_int >= 0

    def branches(self, x: Interval) -> Sequence[Interval]:
        """See :meth:`Activation.branches`."""
        return x, constant(0), constant(self.max_int)

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        bound = number(self.max_int, self.result)
        capped = where(x > self.max_int, bound, x.to(self.result))
        return where(x < 0, number(0, self.result), capped)

    def kernel_sizes(self) -> tuple[int, ...]:
        """The bound."""
        return (self.max_int,)


class _ReLUTo(ReLUMax):
    """A bound that the kernel has itself."""

    bound = 0

    def __init__(
        self,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        result: ApFixed | str | None = None,
    ) -> None:
        super().__init__(self.bound, input=input, input_shape=input_shape, result=result)

    def kernel_sizes(self) -> tuple[int, ...]:
        """None."""
        return ()


class ReLU6(_ReLUTo):
    """:class:`ReLUMax` up to 6, hls4ml ``nnet::relu6``; arguments as :class:`Activation`."""

    template, bound = "relu6", 6


class ReLU1(_ReLUTo):
    """:class:`ReLUMax` up to 1, hls4ml ``nnet::relu1``; arguments as :class:`Activation`."""

    template, bound = "relu1", 1


class LeakyReLU(Activation):
    """``x > 0 ? x : alpha * x``, hls4ml ``nnet::leaky_relu``.

    Args:
        alpha: the slope of negative values.
        param_type: its type.
        input, input_shape, result: as :class:`Activation`.
    """

    template = "leaky_relu"

    def __init__(
        self,
        alpha: Any,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        param_type: ApFixed | str,
        result: ApFixed | str | None = None,
    ) -> None:
        super().__init__(input=input, input_shape=input_shape, result=result)
        self.parameter("alpha", alpha, param_type, ())

    def branches(self, x: Interval) -> Sequence[Interval]:
        """See :meth:`Activation.branches`."""
        return x, Interval.at(self.fixed("alpha")) * x

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        return _leaky(x, self.fixed("alpha"), self.result)


class PReLU(Activation):
    """``x > 0 ? x : alpha * x`` with a slope for each element, hls4ml ``nnet::prelu``.

    Args:
        alpha: the slopes of negative values, of the shape of the input.
        param_type: their type.
        input, input_shape, result: as :class:`Activation`.
    """

    template = "prelu"

    def __init__(
        self,
        alpha: Any,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        param_type: ApFixed | str,
        result: ApFixed | str | None = None,
    ) -> None:
        super().__init__(input=input, input_shape=input_shape, result=result)
        self.parameter("alpha", alpha, param_type, self.input_shapes[0])

    def branches(self, x: Interval) -> Sequence[Interval]:
        """See :meth:`Activation.branches`."""
        return x, Interval.at(self.fixed("alpha")) * x

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        return _leaky(x, self.fixed("alpha"), self.result)


class ThresholdedReLU(Activation):
    """``x > theta ? x : 0``, hls4ml ``nnet::thresholded_relu``.

    Args:
        theta: the threshold.
        param_type: its type.
        input, input_shape, result: as :class:`Activation`.
    """

    template = "thresholded_relu"

    def __init__(
        self,
        theta: Any,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        param_type: ApFixed | str,
        result: ApFixed | str | None = None,
    ) -> None:
        super().__init__(input=input, input_shape=input_shape, result=result)
        self.parameter("theta", theta, param_type, ())

    def branches(self, x: Interval) -> Sequence[Interval]:
        """See :meth:`Activation.branches`."""
        return x, constant(0)

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        above = x > self.fixed("theta")
        return where(above, x.to(self.result), number(0, self.result))


def _leaky(x: Fixed, alpha: Fixed, result: ApFixed) -> Fixed:
    return where(x > 0, x.to(result), (alpha * x).to(result))
