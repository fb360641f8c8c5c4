"""Poolings: ``nnet_pooling.h``, channels last."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from harness.fixed import INT, UNSIGNED, Array, Fixed, computed_elsewhere, where
from harness.hls.layers.accumulate import accumulate, tell
from harness.hls.layers.interval import Extent, Interval, added, saturates
from harness.hls.layers.layer import Shape, TypedLayer, as_type, no_fractions
from harness.hls.layers.windows import Axis, Windows, image_shape
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed, ApInt

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "MaxPooling1D",
    "MaxPooling2D",
    "Pooling",
    "highest_codes",
]


class Pooling(TypedLayer):
    """Every output is made of one window's values in its own channel."""

    source = "layers/pooling.h"
    told = True
    op = ""

    def __init__(
        self,
        axes: Sequence[Axis],
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        accum: ApFixed | str,
        result: ApFixed | str,
        count_pad: bool = False,
        everywhere: bool = False,
    ) -> None:
        windows = Windows(type(self).__name__, axes, input_shape[-1])
        outer = () if everywhere else windows.out
        super().__init__([input], [input_shape], result, (*outer, input_shape[-1]))
        self.windows, self.count_pad, self.everywhere = windows, bool(count_pad), everywhere
        self.accum = as_type(accum, "accum")
        self.refuse()

    def refuse(self) -> None:
        """Refuse what the kernel does not compute.

        Raises:
            ValueError: in one line.
        """
        if self.op == "Average":
            no_fractions(self.name, self.accum, self.input_types[0])
            if isinstance(self.accum, ApInt) and self.accum.signed:
                # Beside the unsigned count it is taken for unsigned, as int is in C.
                raise ValueError(
                    f"{self.name}: an average in {self.accum} divides it as if it were unsigned; "
                    "allowed: ap_fixed, ap_ufixed, ap_uint"
                )
        if self.op == "Average" and not self.count_pad and not self.windows.counts.all():
            raise ValueError(
                f"{self.name}: a window sees nothing but padding, and its sum is divided by 0; "
                "allowed: less padding, or count_pad"
            )

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        pool = self.average if self.op == "Average" else self.highest

        def some(x: Fixed) -> Fixed:
            return pool(x).to(self.result)

        return self.windows.in_parts(inputs[0], some).reshape(-1, *self.output_shape)

    def highest(self, x: Fixed) -> Fixed:
        """The highest value, in the accumulator's type."""
        highest = self._top(x).to(self.accum)
        tell(highest)
        return highest

    def _top(self, x: Fixed) -> Fixed:
        """The highest value, compared in the input's type and only then converted.

        The kernel sets the top bit of a zero to pad: the lowest value of a signed type, but half
        the range of an unsigned one, which then wins over every smaller input.
        """
        top = x.type.min_code if x.type.signed else _folded(1 << (x.type.width - 1), x.type)
        seen = self.windows.of(x, padding=top, apart=True)
        return Fixed(highest_codes(seen), x.type)

    def average(self, x: Fixed) -> Fixed:
        """Sum and quotient both in the accumulator's type; the quotient is cut toward zero."""
        terms = self.windows.of(x).transpose(0, 1, 3, 2)
        total = accumulate(Fixed(np.int64(0), INT).to(self.accum), terms)
        return (total / self._counts).to(self.accum)

    @property
    def _counts(self) -> Fixed:
        """What the sum of each window is divided by, (windows, 1)."""
        counts = self.windows.counts
        if self.count_pad:
            counts = np.full_like(counts, self.windows.places.shape[1])
        return Fixed(counts[:, None], UNSIGNED)

    def extent(self, *inputs: Interval) -> Extent:
        """See :meth:`TypedLayer.extent`: neither a maximum nor a sum falls when an input rises."""
        (x,) = inputs
        rows = x.each(lambda end: end[None])
        if self.op == "Average":
            terms = rows.each(lambda end: self.windows.of(end)[0].transpose(0, 2, 1))
            held, _ = added(Interval.at(Fixed(np.int64(0), INT)), terms, self.accum)
            # Of sums that do not overflow the quotient is between them and 0.
            pool = self.average
        else:
            held, pool = rows.each(self._top).rounded(self.accum).whole, self.highest
        known = held.within(self.accum) or saturates(self.accum)
        before = rows.each(pool) if known else Interval.of(self.accum, self.output_shape)
        return Extent({"accum": (self.accum, held)}, before.reshape(self.output_shape))

    def kernel(self) -> LayerKernel:
        """``pooling`` or ``global_pooling``."""
        arguments = (
            self.input_types[0],
            self.accum,
            self.result,
            f"nnet::{self.op}",
            *(() if self.everywhere else (self.count_pad,)),
            self.windows.channels,
            *self.windows.cpp,
        )
        return LayerKernel(self.source, "global_" * self.everywhere + "pooling", arguments)


class _Pooling1D(Pooling):
    """Windows over one axis."""

    def __init__(
        self,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        accum: ApFixed | str,
        result: ApFixed | str,
        pool_width: int,
        stride_width: int | None = None,
        pad_left: int = 0,
        pad_right: int = 0,
        count_pad: bool = False,
    ) -> None:
        width, _ = image_shape(type(self).__name__, input_shape, 1)
        stride = pool_width if stride_width is None else stride_width
        super().__init__(
            [Axis(width, pool_width, stride, pad_left, pad_right)],
            input=input,
            input_shape=input_shape,
            accum=accum,
            result=result,
            count_pad=count_pad,
        )


class _Pooling2D(Pooling):
    """Windows over two axes."""

    def __init__(
        self,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        accum: ApFixed | str,
        result: ApFixed | str,
        pool_height: int,
        pool_width: int,
        stride_height: int | None = None,
        stride_width: int | None = None,
        pad_top: int = 0,
        pad_bottom: int = 0,
        pad_left: int = 0,
        pad_right: int = 0,
        count_pad: bool = False,
    ) -> None:
        height, width, _ = image_shape(type(self).__name__, input_shape, 2)
        down = pool_height if stride_height is None else stride_height
        right = pool_width if stride_width is None else stride_width
        super().__init__(
            [
                Axis(height, pool_height, down, pad_top, pad_bottom),
                Axis(width, pool_width, right, pad_left, pad_right),
            ],
            input=input,
            input_shape=input_shape,
            accum=accum,
            result=result,
            count_pad=count_pad,
        )


class _GlobalPooling(Pooling):
    """One window that sees everything."""

    rank = 1

    def __init__(
        self,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        accum: ApFixed | str,
        result: ApFixed | str,
    ) -> None:
        *sizes, _ = image_shape(type(self).__name__, input_shape, self.rank)
        super().__init__(
            [Axis(size, size, size) for size in sizes],
            input=input,
            input_shape=input_shape,
            accum=accum,
            result=result,
            everywhere=True,
        )


class MaxPooling1D(_Pooling1D):
    """The highest value of each window, converted to ``accum`` and then to ``result``.

    In the padding of an unsigned input stands half its range, not zero: what the kernel means to be
    the lowest value is that of signed types alone.

    Args:
        input: the type of the input.
        input_shape: (n_in, n_filt).
        accum: the type between.
        result: the type of the output.
        pool_width: the window.
        stride_width: from one window to the next; by default the window.
        pad_left, pad_right: the padding.
        count_pad: changes nothing.

    Source:
        hls4ml ``nnet::pooling1d_cl``.
    """

    op = "Max"


class MaxPooling2D(_Pooling2D):
    """:class:`MaxPooling1D` with windows over two axes.

    Args:
        input: the type of the input.
        input_shape: (in_height, in_width, n_filt).
        accum: the type between.
        result: the type of the output.
        pool_height, pool_width: the window.
        stride_height, stride_width: from one window to the next; by default the window.
        pad_top, pad_bottom, pad_left, pad_right: the padding.
        count_pad: changes nothing.

    Source:
        hls4ml ``nnet::pooling2d_cl``.
    """

    op = "Max"


class AveragePooling1D(_Pooling1D):
    """The average of each window: the sum, every step of it, and the quotient in ``accum``.

    The quotient has the fractional bits of ``accum`` and is cut toward zero, whatever the rounding
    of ``accum`` is: an accumulator of integers averages to integers.

    Args:
        input: the type of the input.
        input_shape: (n_in, n_filt).
        accum: the type of accumulator and quotient.
        result: the type of the output.
        pool_width: the window.
        stride_width: from one window to the next; by default the window.
        pad_left, pad_right: the padding.
        count_pad: whether the sum is divided by the window's size where it sees padding too, and
            not by the number of values in it.

    Source:
        hls4ml ``nnet::pooling1d_cl``.
    """

    op = "Average"


class AveragePooling2D(_Pooling2D):
    """:class:`AveragePooling1D` with windows over two axes.

    Args:
        input: the type of the input.
        input_shape: (in_height, in_width, n_filt).
        accum: the type of accumulator and quotient.
        result: the type of the output.
        pool_height, pool_width: the window.
        stride_height, stride_width: from one window to the next; by default the window.
        pad_top, pad_bottom, pad_left, pad_right: the padding.
        count_pad: whether the sum is divided by the window's size where it sees padding too, and
            not by the number of values in it.

    Source:
        hls4ml ``nnet::pooling2d_cl``.
    """

    op = "Average"


class GlobalMaxPooling1D(_GlobalPooling):
    """The highest value of each channel, converted to ``accum`` and then to ``result``.

    Args:
        input: the type of the input.
        input_shape: (n_in, n_filt).
        accum: the type between.
        result: the type of the output, of shape (n_filt,).

    Source:
        hls4ml ``nnet::global_pooling1d_cl``.
    """

    op = "Max"


class GlobalMaxPooling2D(_GlobalPooling):
    """:class:`GlobalMaxPooling1D` for inputs (in_height, in_width, n_filt).

    Source:
        hls4ml ``nnet::global_pooling2d_cl``.
    """

    op, rank = "Max", 2


class GlobalAveragePooling1D(_GlobalPooling):
    """The average of each channel: sum and quotient in ``accum``, as :class:`AveragePooling1D`.

    Args:
        input: the type of the input.
        input_shape: (n_in, n_filt).
        accum: the type of accumulator and quotient.
        result: the type of the output, of shape (n_filt,).

    Source:
        hls4ml ``nnet::global_pooling1d_cl``.
    """

    op = "Average"


class GlobalAveragePooling2D(_GlobalPooling):
    """:class:`GlobalAveragePooling1D` for inputs (in_height, in_width, n_filt).

    Source:
        hls4ml ``nnet::global_pooling2d_cl``.
    """

    op, rank = "Average", 2


def _folded(code: int, t: ApFixed) -> int:
    """A code as an array of codes has it: 64 bits fill a word, signed or not."""
    return code - (1 << 64) if t.width == 64 and code >= 1 << 63 else code


def highest_codes(seen: Fixed) -> Array:
    """The highest code of each window, (rows, windows, channels); they lie apart."""
    if computed_elsewhere():
        each = (seen[:, k] for k in range(seen.shape[1]))
        return functools.reduce(lambda a, b: where(a > b, a, b), each).held
    fold = seen.type.width == 64 and not seen.type.signed
    codes = seen.codes.view(np.uint64) if fold else seen.codes
    return np.asarray(codes.max(axis=1)).astype(seen.codes.dtype)
