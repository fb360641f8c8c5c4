"""What the layers share that make of each element one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.fixed import INT, Fixed, record_cast, recorded_casts
from harness.hls.layers.interval import Interval
from harness.hls.layers.layer import Shape, TypedLayer
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed

__all__ = ["Activation", "constant", "number"]

#: Inputs of up to so many bits are looked up, once every code has been computed.
LOOKUP_BITS = 16


class Activation(TypedLayer):
    """A layer that makes of each element one.

    Args:
        input: the type of the input.
        input_shape: its shape, and the output's.
        result: the type of the output; by default the input's.

    Attributes:
        template: the adapter of the kernel.
        looked_up: whether it depends on nothing but the type of the input.
    """

    source = "layers/activations.h"
    elementwise = True
    template = ""
    looked_up = False

    def __init__(
        self,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        result: ApFixed | str | None = None,
    ) -> None:
        super().__init__(
            [input], [input_shape], input if result is None else result, tuple(input_shape)
        )
        self._every: tuple[Fixed, set[tuple[ApFixed, ApFixed]]] | None = None
        self._computed = 0

    def elements(self, x: Fixed) -> Fixed:
        """The kernel's arithmetic, of type ``result``.

        Args:
            x: (rows, *input_shape); for a layer without parameters any shape.
        """
        raise NotImplementedError

    def branches(self, x: Interval) -> Sequence[Interval]:
        """Bounds of what the kernel takes for an output, before its conversion.

        They are for inputs of so many codes that not each can be tried; they are safe, and not
        always attained.
        """
        del x
        return ()

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        (x,) = inputs
        t = self.input_types[0]
        if not (self.looked_up and t.width <= LOOKUP_BITS):
            return self.elements(x)
        self._computed += x.size
        if self._computed < 1 << t.width:  # until now every code would have been more work
            return self.elements(x)
        if self._every is None or self._every[0].type != self.result:
            with recorded_casts() as casts:
                every = self.elements(Fixed(np.array(t.codes), t))
            self._every = every, casts
        every, casts = self._every
        for source, target in casts:
            record_cast(source, target)
        return every[x.codes - t.min_code]

    def kernel(self) -> LayerKernel:
        """The kernel called :attr:`template`."""
        types = (self.input_types[0], *self.kernel_types(), self.result)
        arguments = (*types, self.sizes[0], *self.kernel_sizes())
        return LayerKernel(self.source, self.template, arguments)

    def kernel_types(self) -> tuple[Any, ...]:
        """The kernel's types beside input and result."""
        return tuple(self.parameter_types.values())

    def kernel_sizes(self) -> tuple[int, ...]:
        """The kernel's numbers after the count of elements."""
        return ()

    def constants(self) -> tuple[Fixed, ...]:
        """The parameters in their order."""
        return tuple(self.fixed(name) for name in self.parameter_types)


def number(value: int, t: ApFixed) -> Fixed:
    """A C++ ``int``, assigned to ``t``."""
    return Fixed(np.int64(value), INT).to(t)


def constant(value: int) -> Interval:
    """A C++ ``int`` as bounds."""
    return Interval.at(Fixed(np.int64(value), INT))
