"""Kernels for streams that compute otherwise than those for arrays: ``nnet_*_stream.h``.

All others compute the same, whichever way the values come.
"""

from __future__ import annotations

import numpy as np

from harness.fixed import INT, Array, Fixed, where
from harness.hls.layers.accumulate import accumulate, tell
from harness.hls.layers.elementwise import number
from harness.hls.layers.hard import TernaryTanh
from harness.hls.layers.interval import Extent, Interval, added, saturates
from harness.hls.layers.lookup import SELU
from harness.hls.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
    Pooling,
    highest_codes,
)
from harness.hls.layers.tables import whole
from harness.hls.layers.tree import reduced
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed

__all__ = [
    "StreamedAveragePooling1D",
    "StreamedAveragePooling2D",
    "StreamedGlobalAveragePooling1D",
    "StreamedGlobalAveragePooling2D",
    "StreamedGlobalMaxPooling1D",
    "StreamedGlobalMaxPooling2D",
    "StreamedMaxPooling1D",
    "StreamedMaxPooling2D",
    "StreamedSELU",
    "StreamedTernaryTanh",
]


class StreamedTernaryTanh(TernaryTanh):
    """1 for ``x > 1``, -1 for ``x <= -1``, else 0: thresholds twice those of arrays.

    Arguments as :class:`Activation`.

    Source:
        hls4ml ``nnet::ternary_tanh`` of ``nnet_activation_stream.h``.
    """

    source, template = "layers/streamed.h", "streamed_ternary_tanh"

    def elements(self, x: Fixed) -> Fixed:
        """See :meth:`Activation.elements`."""
        one, zero, minus = (number(k, self.result) for k in (1, 0, -1))
        return where(x > 1, one, where(x <= -1, minus, zero))


class StreamedSELU(SELU):
    """:class:`SELU` with ``lambda`` in the type of the input, which cuts it, and may wrap it.

    Arguments as :class:`TableActivation`.

    Source:
        hls4ml ``nnet::selu`` of ``nnet_activation_stream.h``.
    """

    source = "layers/streamed.h"

    @property
    def factor(self) -> Fixed:
        """``lambda``."""
        return Fixed.of(1.0507009873554805, self.input_types[0])

    def below(self, x: Fixed) -> Array:
        """See :meth:`SELU.below`."""
        last = self.table_size - 1
        index = whole(x, self.table_size, -8)
        # The kernel compares with an unsigned number: an int that wrapped below 0 is large.
        return np.where((index < 0) | (index > last), last, index)

    def kernel(self) -> LayerKernel:
        """``streamed_selu``."""
        found = super().kernel()
        return LayerKernel(found.source, f"streamed_{found.template}", found.arguments)


class _Streamed(Pooling):
    """What a pooling of a stream does with its windows: first it converts every value to ``accum``.

    Then it makes one of them as a balanced tree.  An average divides by the size of the window.
    """

    source = "layers/streamed.h"

    def refuse(self) -> None:
        """See :meth:`Pooling.refuse`."""
        super().refuse()
        if any(axis.before or axis.after for axis in self.windows.axes):
            raise ValueError(f"{self.name}: a stream has no padding, the kernel asserts it")
        if len(self.windows.axes) == 2 and any(a.window != a.stride for a in self.windows.axes):
            raise ValueError(
                f"{self.name}: the strides of a stream's windows are the windows, the kernel "
                "asserts it"
            )

    def _values(self, x: Fixed) -> Fixed:
        """What the windows see, in ``accum``: (rows, windows, channels, window)."""
        return self.windows.of(x).transpose(0, 1, 3, 2).to(self.accum)

    def highest(self, x: Fixed) -> Fixed:
        """See :meth:`Pooling.highest`."""
        found = Fixed(highest_codes(self.windows.of(x.to(self.accum), apart=True)), self.accum)
        tell(found)
        return found

    def average(self, x: Fixed) -> Fixed:
        """See :meth:`Pooling.average`."""
        total = reduced(self._values(x), self._sum)
        return (total / Fixed(np.int64(self.windows.places.shape[1]), INT)).to(self.accum)

    def _sum(self, a: Fixed, b: Fixed) -> Fixed:
        found = (a + b).to(self.accum)
        tell(found)
        return found

    def held(self, seen: Interval) -> Interval:
        """See :meth:`Pooling.held`."""
        if self.op == "Max":
            return seen.whole
        width = self.accum.width + seen.shape[-1].bit_length() + seen.low.type.width
        wide = ApFixed(width, width - self.accum.frac, rounding=self.accum.rounding)
        ends: list[list[Fixed]] = []
        for end in (seen.low, seen.high):
            sums = [end.to(wide)]

            def added_up(a: Fixed, b: Fixed, sums: list[Fixed] = sums) -> Fixed:
                sums.append((a + b).to(wide))
                return sums[-1]

            reduced(sums[0], added_up)
            ends.append(sums)
        return Interval.hull(*(Interval(a, b).whole for a, b in zip(*ends, strict=True)))

    def extent(self, *inputs: Interval) -> Extent:
        """See :meth:`TypedLayer.extent`: neither a maximum nor a sum falls when an input rises."""
        rows = inputs[0].each(lambda end: end[None])
        seen = rows.each(lambda end: self.windows.of(end)[0].transpose(0, 2, 1))
        held = self.held(seen.rounded(self.accum))
        pool = self.average if self.op == "Average" else self.highest
        known = held.within(self.accum) or saturates(self.accum)
        before = rows.each(pool) if known else Interval.of(self.accum, self.output_shape)
        return Extent({"accum": (self.accum, held)}, before.reshape(self.output_shape))

    def kernel(self) -> LayerKernel:
        """``streamed_pooling`` or ``streamed_global_pooling``."""
        found = super().kernel()
        return LayerKernel(found.source, f"streamed_{found.template}", found.arguments)


class _StreamedGlobal(_Streamed):
    """One window, whose values are taken one after the other, from the lowest or from 0 on."""

    def refuse(self) -> None:
        """See :meth:`Pooling.refuse`."""
        super().refuse()
        if self.op == "Max" and self.accum.n:
            raise ValueError(
                f"{self.name}: the kernel starts from the lowest value of {self.accum}, for which "
                "hls::numeric_limits leaves it uninitialised; allowed: no saturation bits"
            )

    def average(self, x: Fixed) -> Fixed:
        """See :meth:`Pooling.average`: the quotient keeps its own type."""
        total = accumulate(Fixed(np.int64(0), INT).to(self.accum), self._values(x))
        return total / Fixed.unsigned(self.windows.places.shape[1])

    def held(self, seen: Interval) -> Interval:
        """See :meth:`Pooling.held`."""
        if self.op == "Max":
            return seen.whole
        sums, _ = added(Interval.at(Fixed(np.int64(0), INT)), seen, self.accum)
        return Interval.hull(sums, seen.whole)


class StreamedMaxPooling1D(_Streamed, MaxPooling1D):
    """:class:`MaxPooling1D` of a stream: converted to ``accum`` first, and compared there.

    Arguments as :class:`MaxPooling1D`, without padding.

    Source:
        hls4ml ``nnet::pooling1d_cl`` of ``nnet_pooling_stream.h``.
    """


class StreamedMaxPooling2D(_Streamed, MaxPooling2D):
    """:class:`StreamedMaxPooling1D` with windows over two axes, which do not overlap.

    Source:
        hls4ml ``nnet::pooling2d_cl`` of ``nnet_pooling_stream.h``.
    """


class StreamedAveragePooling1D(_Streamed, AveragePooling1D):
    """:class:`AveragePooling1D` of a stream: values are converted to ``accum`` before a tree adds.

    Arguments as :class:`AveragePooling1D`, without padding.

    Source:
        hls4ml ``nnet::pooling1d_cl`` of ``nnet_pooling_stream.h``.
    """


class StreamedAveragePooling2D(_Streamed, AveragePooling2D):
    """:class:`StreamedAveragePooling1D` with windows over two axes, which do not overlap.

    Source:
        hls4ml ``nnet::pooling2d_cl`` of ``nnet_pooling_stream.h``.
    """


class StreamedGlobalMaxPooling1D(_StreamedGlobal, GlobalMaxPooling1D):
    """:class:`GlobalMaxPooling1D` of a stream: converted to ``accum`` first, and compared there.

    Source:
        hls4ml ``nnet::global_pooling1d_cl`` of ``nnet_pooling_stream.h``.
    """


class StreamedGlobalMaxPooling2D(_StreamedGlobal, GlobalMaxPooling2D):
    """:class:`StreamedGlobalMaxPooling1D` for inputs (in_height, in_width, n_filt).

    Source:
        hls4ml ``nnet::global_pooling2d_cl`` of ``nnet_pooling_stream.h``.
    """


class StreamedGlobalAveragePooling1D(_StreamedGlobal, GlobalAveragePooling1D):
    """:class:`GlobalAveragePooling1D` of a stream: values are converted to ``accum`` and added.

    Source:
        hls4ml ``nnet::global_pooling1d_cl`` of ``nnet_pooling_stream.h``.
    """


class StreamedGlobalAveragePooling2D(_StreamedGlobal, GlobalAveragePooling2D):
    """:class:`StreamedGlobalAveragePooling1D` for inputs (in_height, in_width, n_filt).

    Source:
        hls4ml ``nnet::global_pooling2d_cl`` of ``nnet_pooling_stream.h``.
    """
