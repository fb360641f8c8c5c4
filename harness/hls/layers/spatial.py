"""Padding, cropping and resizing: ``nnet_padding.h``, ``nnet_cropping.h``, ``nnet_image.h``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.fixed import INT, Array, Fixed, concatenated
from harness.hls.layers.layer import Shape, ShapeError, TypedLayer, TypeMismatch
from harness.hls.layers.windows import image_shape
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed

__all__ = [
    "Cropping1D",
    "Cropping2D",
    "Resize",
    "UpSampling1D",
    "UpSampling2D",
    "ZeroPadding1D",
    "ZeroPadding2D",
]

FORMATS = ("channels_last", "channels_first")
Margins = Sequence[tuple[int, int]]


class _Moved(TypedLayer):
    """Every output is one input, converted, or zero."""

    source = "layers/spatial.h"
    monotone = True
    #: Whether the kernel has the same type for input and output.
    one_type = False

    def __init__(
        self,
        places: Array,
        template: str,
        sizes: tuple[int, ...],
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        result: ApFixed | str | None,
        output_shape: Shape,
    ) -> None:
        result = input if result is None else result
        super().__init__([input], [input_shape], result, output_shape)
        self.places = places.reshape(-1)
        self._template, self._sizes = template, sizes

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        pixels = inputs[0].reshape(-1, self.sizes[0]).to(self.result)
        if (self.places < 0).any():
            Fixed(np.int64(0), INT).to(self.result)  # an int is assigned, which must be possible
            edge = Fixed(np.zeros((len(pixels), 1), np.int64), self.result)
            pixels = concatenated([pixels, edge], axis=1)
        return pixels[:, self.places].reshape(-1, *self.output_shape)

    def kernel(self) -> LayerKernel:
        """The adapter that is called as hls4ml's function is."""
        sizes = ", ".join(map(str, self._sizes))
        config = f"harness::layers::spatial_config<{sizes}>"
        types = (self.result,) if self.one_type else (self.input_types[0], self.result)
        return LayerKernel(self.source, self._template, (*types, config))


class _Framed(_Moved):
    """An image with margins added or cut off."""

    function = ""
    adds = False

    def __init__(
        self,
        margins: Margins,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        result: ApFixed | str | None,
        data_format: str,
    ) -> None:
        name, sign = type(self).__name__, 1 if self.adds else -1
        if data_format not in FORMATS:
            raise ValueError(f"{name}: unknown format {data_format!r}; allowed: {FORMATS}")
        first = data_format == FORMATS[1]
        last = (*input_shape[1:], input_shape[0]) if first else input_shape
        *sizes, channels = image_shape(name, last, len(margins))
        new = [n + sign * sum(margin) for n, margin in zip(sizes, margins, strict=True)]
        if min(min(margin) for margin in margins) < 0 or min(*new, *sizes, channels) < 1:
            raise ShapeError(f"{name}: margins {[*margins]} do not fit an input {input_shape}")
        places = np.arange(np.prod(input_shape)).reshape(input_shape)
        widths = [(0, 0), *margins] if first else [*margins, (0, 0)]
        if self.adds:
            places = np.pad(places, widths, constant_values=-1)
        else:
            ends = zip(widths, input_shape, strict=True)
            places = places[tuple(slice(a, n - b) for (a, b), n in ends)]
        rows = () if len(margins) == 2 else (1,)
        outer = [(0, 0)] * len(rows) + [*margins]
        super().__init__(
            places,
            f"{self.function}{len(margins)}d_{'cf' if first else 'cl'}",
            (channels, *rows, *sizes, *outer[0], *outer[1], *rows, *new),
            input=input,
            input_shape=input_shape,
            result=result,
            output_shape=places.shape,
        )
        self._tied = first and self.adds
        if self._tied and self.result != self.input_types[0]:
            raise TypeMismatch(
                f"{name}: channels first, the kernel writes the input's type "
                f"{self.input_types[0]}; allowed as result: that type, not {self.result}"
            )

    def takes(self, name: str) -> bool:
        """See :meth:`TypedLayer.takes`; a result that must be the input's type is no choice."""
        return super().takes(name) and not (name == "result" and self._tied)


class ZeroPadding1D(_Framed):
    """The input with zeros around it; each value is converted to ``result``.

    Args:
        input: the type of the input.
        input_shape: (in_width, channels), or (channels, in_width) for ``channels_first``.
        result: the type of the output; by default the input's, for ``channels_first`` no other.
        pad_left, pad_right: how many zeros.
        data_format: ``channels_last`` or ``channels_first``.

    Source:
        hls4ml ``nnet::zeropad1d_cl``, ``nnet::zeropad1d_cf``.
    """

    function, adds = "zeropad", True

    def __init__(
        self,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        result: ApFixed | str | None = None,
        pad_left: int = 0,
        pad_right: int = 0,
        data_format: str = "channels_last",
    ) -> None:
        super().__init__(
            [(pad_left, pad_right)],
            input=input,
            input_shape=input_shape,
            result=result,
            data_format=data_format,
        )


class ZeroPadding2D(_Framed):
    """:class:`ZeroPadding1D` for (in_height, in_width, channels), or channels first.

    Args:
        input: the type of the input.
        input_shape: its shape.
        result: the type of the output; by default the input's, for ``channels_first`` no other.
        pad_top, pad_bottom, pad_left, pad_right: how many rows and columns of zeros.
        data_format: ``channels_last`` or ``channels_first``.

    Source:
        hls4ml ``nnet::zeropad2d_cl``, ``nnet::zeropad2d_cf``.
    """

    function, adds = "zeropad", True

    def __init__(
        self,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        result: ApFixed | str | None = None,
        pad_top: int = 0,
        pad_bottom: int = 0,
        pad_left: int = 0,
        pad_right: int = 0,
        data_format: str = "channels_last",
    ) -> None:
        super().__init__(
            [(pad_top, pad_bottom), (pad_left, pad_right)],
            input=input,
            input_shape=input_shape,
            result=result,
            data_format=data_format,
        )


class Cropping1D(_Framed):
    """The input less its ends; each value is converted to ``result``.

    Args:
        input: the type of the input.
        input_shape: (in_width, channels).
        result: the type of the output; by default the input's.
        crop_left, crop_right: how many elements are cut off.

    Source:
        hls4ml ``nnet::cropping1d_cl``.
    """

    function = "cropping"

    def __init__(
        self,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        result: ApFixed | str | None = None,
        crop_left: int = 0,
        crop_right: int = 0,
    ) -> None:
        super().__init__(
            [(crop_left, crop_right)],
            input=input,
            input_shape=input_shape,
            result=result,
            data_format=FORMATS[0],
        )


class Cropping2D(_Framed):
    """:class:`Cropping1D` for (in_height, in_width, channels), or channels first.

    Args:
        input: the type of the input.
        input_shape: its shape.
        result: the type of the output; by default the input's.
        crop_top, crop_bottom, crop_left, crop_right: how many rows and columns are cut off.
        data_format: ``channels_last`` or ``channels_first``.

    Source:
        hls4ml ``nnet::cropping2d_cl``, ``nnet::cropping2d_cf``.
    """

    function = "cropping"

    def __init__(
        self,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        result: ApFixed | str | None = None,
        crop_top: int = 0,
        crop_bottom: int = 0,
        crop_left: int = 0,
        crop_right: int = 0,
        data_format: str = "channels_last",
    ) -> None:
        super().__init__(
            [(crop_top, crop_bottom), (crop_left, crop_right)],
            input=input,
            input_shape=input_shape,
            result=result,
            data_format=data_format,
        )


class Resize(_Moved):
    """The image in other sizes: each pixel is that of the input at its place, rounded down.

    The kernel multiplies by a ratio of 16 fractional bits that is one too high, so a place may be
    one pixel further than exact division has it.

    Args:
        input: the type, of input and output.
        input_shape: (height, width, channels).
        new_height, new_width: the sizes of the output.

    Source:
        hls4ml ``nnet::resize_nearest``.
    """

    one_type = True

    def __init__(
        self,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        new_height: int,
        new_width: int,
    ) -> None:
        name = type(self).__name__
        # One axis stands for an image of one row.
        sizes = input_shape if len(input_shape) == 3 else (1, *input_shape)
        height, width, channels = image_shape(name, sizes, 2)
        if min(*sizes, new_height, new_width) < 1:
            raise ShapeError(f"{name}: sizes are positive, not {(*sizes, new_height, new_width)}")
        rows, columns = _nearest(name, height, new_height), _nearest(name, width, new_width)
        places = np.arange(np.prod(sizes)).reshape(sizes)[rows][:, columns]
        super().__init__(
            places,
            "resize_nearest",
            (channels, height, width, 0, 0, 0, 0, new_height, new_width),
            input=input,
            input_shape=input_shape,
            result=input,
            output_shape=places.shape[-len(input_shape) :],
        )


class UpSampling1D(Resize):
    """Every element ``size`` times.

    Args:
        input: the type, of input and output.
        input_shape: (width, channels).
        size: how many times.

    Source:
        hls4ml ``nnet::resize_nearest``.
    """

    def __init__(self, *, input: ApFixed | str, input_shape: Shape, size: int = 2) -> None:  # noqa: A002
        width, _ = image_shape("UpSampling1D", input_shape, 1)
        super().__init__(input=input, input_shape=input_shape, new_height=1, new_width=width * size)


class UpSampling2D(Resize):
    """Every row and every column several times.

    Args:
        input: the type, of input and output.
        input_shape: (height, width, channels).
        size: how many times each row, and how many times each column.

    Source:
        hls4ml ``nnet::resize_nearest``.
    """

    def __init__(
        self,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        size: tuple[int, int] = (2, 2),
    ) -> None:
        height, width, _ = image_shape("UpSampling2D", input_shape, 2)
        super().__init__(
            input=input,
            input_shape=input_shape,
            new_height=height * size[0],
            new_width=width * size[1],
        )


def _nearest(name: str, size: int, new: int) -> Array:
    """The places that the kernel reads along an axis.

    Raises:
        ValueError: if its arithmetic leaves an int, or its places the input.
    """
    ratio = (size << 16) // new + 1
    places = np.arange(new) * ratio >> 16
    if size >= 1 << 16 or (new - 1) * ratio >= 1 << 31 or places[-1] >= size:
        raise ValueError(
            f"{name}: from {size} to {new} elements the kernel reads beyond the input; "
            "allowed: smaller sizes"
        )
    return np.asarray(places)
