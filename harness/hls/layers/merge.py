"""Layers of two inputs: ``nnet_merge.h``."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np

from harness.fixed import INT, Fixed, concatenated, where
from harness.hls.layers.accumulate import accumulate
from harness.hls.layers.interval import Extent, Interval
from harness.hls.layers.layer import Shape, ShapeError, Sum, TypedLayer, as_type
from harness.hls.layers.products import Product, times
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed, Overflow

__all__ = [
    "Add",
    "Average",
    "Concatenate",
    "Dot",
    "Maximum",
    "Merge",
    "Minimum",
    "Multiply",
    "Subtract",
]

#: What ``Average`` multiplies with.
HALF = Fixed(np.int64(1), ApFixed(1, 0, signed=False))


class Merge(TypedLayer):
    """A layer that takes its two inputs element by element.

    The result has the shape of the larger input.  The kernel broadcasts by remainder: element ``k``
    meets element ``k % n`` of the smaller input, whatever the shapes are.  That repeats the smaller
    input along leading axes, as NumPy does for (4, 3) and (3,), and is not what NumPy does for
    (4, 3) and (4, 1).

    Args:
        input1, input2: the types of the inputs.
        input1_shape, input2_shape: their shapes; the second is the first by default.
        result: the type of the output.
    """

    source = "layers/merge.h"
    input_names = ("input1", "input2")

    def __init__(
        self,
        *,
        input1: ApFixed | str,
        input2: ApFixed | str,
        input1_shape: Shape,
        input2_shape: Shape | None = None,
        result: ApFixed | str,
    ) -> None:
        input2_shape = input1_shape if input2_shape is None else input2_shape
        larger = max(input1_shape, input2_shape, key=math.prod)  # of equal ones the first
        super().__init__([input1, input2], [input1_shape, input2_shape], result, larger)

    def combine(self, a: Fixed, b: Fixed) -> Fixed:
        """The kernel's expression for elements that meet, of type ``result``."""
        raise NotImplementedError

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        return self.combine(*map(self._spread, inputs, self.sizes)).reshape(-1, *self.output_shape)

    def _spread(self, x: Fixed, size: int) -> Fixed:
        """A batch of an input of ``size`` elements, one for each of the output."""
        return x.reshape(-1, size)[:, np.arange(self.sizes[-1]) % size]

    def _chosen(self, *inputs: Interval) -> Extent | None:
        """Bounds of a choice between the inputs; ``None`` where it never falls."""
        a, b = self.input_types
        bits = max(a.frac, b.frac) + max(a.integer, b.integer) + 1
        mixed = a.signed != b.signed and bits >= 32  # then C compares both as unsigned, perhaps
        if not (mixed or Overflow.SAT_SYM in (a.overflow, b.overflow)):
            return None
        # Where C++ compares other values than these, all that is known is that one is taken.
        sizes = self.sizes
        met = [inputs[k].each(functools.partial(self._spread, size=sizes[k])) for k in range(2)]
        return Extent({}, Interval.hull(*met).reshape(self.output_shape))

    def kernel(self) -> LayerKernel:
        """The kernel of the class's name."""
        arguments = (*self.input_types, self.result, *self.sizes[:2])
        return LayerKernel(self.source, type(self).__name__.lower(), arguments)


class Add(Merge):
    """``a + b``, hls4ml ``nnet::add``; arguments as :class:`Merge`."""

    monotone = True

    def combine(self, a: Fixed, b: Fixed) -> Fixed:
        """See :meth:`Merge.combine`."""
        return (a + b).to(self.result)


class Subtract(Merge):
    """``a - b``, hls4ml ``nnet::subtract``; arguments as :class:`Merge`."""

    corners = True

    def combine(self, a: Fixed, b: Fixed) -> Fixed:
        """See :meth:`Merge.combine`."""
        return (a - b).to(self.result)


class Multiply(Merge):
    """``a * b``, hls4ml ``nnet::multiply``; arguments as :class:`Merge`."""

    corners = True

    def combine(self, a: Fixed, b: Fixed) -> Fixed:
        """See :meth:`Merge.combine`."""
        return (a * b).to(self.result)


class Average(Merge):
    """``(a + b) / 2``, hls4ml ``nnet::average``; arguments as :class:`Merge`.

    The kernel multiplies by one half, so nothing is lost before the conversion of the result.
    """

    monotone = True

    def combine(self, a: Fixed, b: Fixed) -> Fixed:
        """See :meth:`Merge.combine`."""
        return ((a + b) * HALF).to(self.result)


class Maximum(Merge):
    """The larger value, compared before its conversion, hls4ml ``nnet::maximum``.

    Arguments as :class:`Merge`.
    """

    monotone = True

    def combine(self, a: Fixed, b: Fixed) -> Fixed:
        """See :meth:`Merge.combine`."""
        return where(a > b, a.to(self.result), b.to(self.result))

    def extent(self, *inputs: Interval) -> Extent | None:
        """See :meth:`TypedLayer.extent`."""
        return self._chosen(*inputs)


class Minimum(Merge):
    """The smaller value, compared before its conversion, hls4ml ``nnet::minimum``.

    Arguments as :class:`Merge`.
    """

    monotone = True

    def combine(self, a: Fixed, b: Fixed) -> Fixed:
        """See :meth:`Merge.combine`."""
        return where(a < b, a.to(self.result), b.to(self.result))

    def extent(self, *inputs: Interval) -> Extent | None:
        """See :meth:`TypedLayer.extent`."""
        return self._chosen(*inputs)


class Dot(TypedLayer):
    """``sum(a[i] * b[i])`` of two vectors, step by step in the accumulator; the output is (1,).

    Products are converted to the accumulator's type one by one, and so is every sum.

    Args:
        size: the elements of each input.
        input1, input2: the types of the inputs.
        accum: the type of products and accumulator.
        result: the type of the output.
        product: how the inputs are multiplied, see :class:`Dense`; the second is the weight.

    Source:
        hls4ml ``nnet::dot1d``.
    """

    source = "layers/merge.h"
    input_names = ("input1", "input2")
    bilinear = told = True

    def __init__(
        self,
        size: int,
        *,
        input1: ApFixed | str,
        input2: ApFixed | str,
        accum: ApFixed | str,
        result: ApFixed | str,
        product: str = "mult",
    ) -> None:
        super().__init__([input1, input2], [(size,), (size,)], result, (1,))
        self.accum = as_type(accum, "accum")
        self.product = Product(self.name, product, input1, input2)

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        terms = times(self.product.name, *inputs).to(self.accum)
        return accumulate(_zero().to(self.accum), terms).to(self.result).reshape(-1, 1)

    def summed(self, inputs: Sequence[Fixed], index: tuple[int, ...]) -> Sum | None:
        """See :meth:`TypedLayer.summed`."""
        del index
        if self.product.name != "mult":
            return None
        return Sum(inputs[0], inputs[1], _zero(), self.accum, self.result)

    def kernel(self) -> LayerKernel:
        """``dot1d``."""
        product = self.product.cpp[1]
        arguments = (*self.input_types, self.accum, self.result, self.sizes[0], product)
        return LayerKernel(self.source, "dot1d", arguments)


class Concatenate(TypedLayer):
    """One input after the other along an axis, each converted to the result's type.

    Args:
        axis: of the shape without the batch, 0 to 2 or negative; hls4ml's own counts the batch.
        input1, input2: the types of the inputs.
        input1_shape, input2_shape: their shapes, equal but for ``axis``; up to three axes.
        result: the type of the output.

    Source:
        hls4ml ``nnet::concatenate1d``, ``nnet::concatenate2d``, ``nnet::concatenate3d``.
    """

    source = "layers/merge.h"
    monotone = True
    input_names = ("input1", "input2")

    def __init__(
        self,
        axis: int = -1,
        *,
        input1: ApFixed | str,
        input2: ApFixed | str,
        input1_shape: Shape,
        input2_shape: Shape,
        result: ApFixed | str,
    ) -> None:
        rank = len(input1_shape)
        if not 1 <= rank <= 3:
            raise ShapeError(f"Concatenate takes one to three axes, not {rank}")
        if not -rank <= axis < rank:
            raise ValueError(f"Concatenate: axis {axis} is none of {-rank} to {rank - 1}")
        along = axis % rank
        rest1, rest2 = (_without(s, along) for s in (input1_shape, input2_shape))
        if len(input2_shape) != rank or rest1 != rest2:
            raise ShapeError(
                f"Concatenate: shapes {tuple(input1_shape)} and {tuple(input2_shape)} "
                f"differ beside axis {axis}"
            )
        shape = list(input1_shape)
        shape[along] += input2_shape[along]
        shapes = [input1_shape, input2_shape]
        super().__init__([input1, input2], shapes, result, tuple(shape))
        self.axis = along

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        return concatenated([x.to(self.result) for x in inputs], self.axis + 1)

    def kernel(self) -> LayerKernel:
        """``concatenate``, of the rank and the axis."""
        padded = [n for s in self.input_shapes for n in (*s, *[1] * (3 - len(s)))]
        rank = len(self.output_shape)
        arguments = (*self.input_types, self.result, rank, self.axis + 1, *padded)
        return LayerKernel(self.source, "concatenate", arguments)


def _zero() -> Fixed:
    """The ``0`` that the kernel's accumulator starts from."""
    return Fixed(np.int64(0), INT)


def _without(shape: Shape, axis: int) -> Shape:
    return tuple(n for k, n in enumerate(shape) if k != axis)
