"""Windows that slide over the axes of an image: which inputs each output sees."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.fixed import INT, Array, Fixed, concatenated
from harness.hls.layers.layer import Shape, ShapeError

__all__ = ["Axis", "Windows", "image_shape", "weight_shape"]

#: Codes that are gathered at a time, so that a batch of images does not fill the memory.
GATHERED = 1 << 22


@dataclass(frozen=True)
class Axis:
    """One axis of an image, and the windows along it.

    Attributes:
        size: the elements.
        window: the elements that a window sees.
        stride: from one window to the next.
        before, after: elements of padding at both ends.
        dilation: from one element of a window to the next.
    """

    size: int
    window: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1

    @property
    def out(self) -> int:
        """How many windows fit; fewer than one if none does."""
        reach = self.dilation * (self.window - 1) + 1
        return (self.size + self.before + self.after - reach) // self.stride + 1

    @property
    def places(self) -> Array:
        """The element that each place of each window sees, -1 for padding: (out, window)."""
        starts = np.arange(self.out)[:, None] * self.stride - self.before
        seen = starts + np.arange(self.window) * self.dilation
        return np.where((seen >= 0) & (seen < self.size), seen, -1)

    @property
    def cpp(self) -> str:
        """The axis as the adapters take it."""
        sizes = (self.size, self.window, self.stride, self.before, self.after, self.dilation)
        return f"harness::layers::axis<{', '.join(map(str, sizes))}, {self.out}>"


class Windows:
    """All windows over an image of channels last.

    Args:
        name: whose they are, for errors.
        axes: the axes, without the channels.
        channels: how many there are.

    Attributes:
        places: the pixel that each place of each window sees, -1 for padding: (windows, window).
        padded: whether any window sees padding.

    Raises:
        ShapeError: for sizes that are not positive, negative padding, and windows that do not fit.
    """

    def __init__(self, name: str, axes: Sequence[Axis], channels: int) -> None:
        for axis in axes:
            if min(axis.size, axis.window, axis.stride, axis.dilation, channels) < 1:
                raise ShapeError(f"{name}: sizes, strides and dilations are positive, not {axis}")
            if min(axis.before, axis.after) < 0:
                raise ShapeError(f"{name}: padding is not negative: {axis}")
            if axis.out < 1:
                raise ShapeError(f"{name}: no window fits: {axis}")
        self.name, self.axes, self.channels = name, tuple(axes), channels
        seen = np.zeros((1, 1), np.int64)
        for axis in axes:
            outer, inner = seen[:, None, :, None], axis.places[None, :, None, :]
            pixels = np.where((outer < 0) | (inner < 0), -1, outer * axis.size + inner)
            seen = pixels.reshape(len(seen) * axis.out, -1)
        self.places = seen
        self.padded = bool((seen < 0).any())

    @property
    def out(self) -> Shape:
        """The windows along each axis."""
        return tuple(axis.out for axis in self.axes)

    @property
    def cpp(self) -> tuple[str, str]:
        """Rows and columns as the adapters take them."""
        rows = self.axes[0].cpp if len(self.axes) == 2 else "harness::layers::no_axis"
        return rows, self.axes[-1].cpp

    @property
    def counts(self) -> Array:
        """How many places of each window are no padding: (windows,)."""
        return np.asarray((self.places >= 0).sum(1))

    def of(self, x: Fixed, padding: int = 0, *, apart: bool = False) -> Fixed:
        """What the windows see: (rows, windows, window, channels).

        Args:
            x: (rows, *sizes, channels).
            padding: the code that stands in the padding.
            apart: first what all of them see in their first place, (rows, window, windows,
                channels), which is faster to compare.
        """
        return self._taken(x, self.places.T if apart else self.places, padding)

    def at(self, x: Fixed, window: int) -> Fixed:
        """What one window sees of the row ``x``: (window, channels)."""
        return self._taken(x[None], self.places[window], 0)[0]

    def _taken(self, x: Fixed, places: Array, padding: int) -> Fixed:
        pixels = math.prod(axis.size for axis in self.axes)
        pixel = x.reshape(-1, pixels, self.channels)
        if self.padded:
            Fixed(np.int64(0), INT).to(x.type)  # the kernels assign an int, which must be possible
            edge = Fixed(np.full((len(x), 1, self.channels), padding), x.type)
            pixel = concatenated((pixel, edge), axis=1)
        return pixel.moved(lambda held: np.take(held, places, axis=1))

    def in_parts(self, x: Fixed, compute: Callable[[Fixed], Fixed]) -> Fixed:
        """``compute`` on some rows at a time, as many as their windows leave room for."""
        rows = max(GATHERED // (self.places.size * self.channels), 1)
        parts = [compute(x[k : k + rows]) for k in range(0, max(len(x), 1), rows)]
        return parts[0] if len(parts) == 1 else concatenated(parts)

    def in_partitions(self, parts: int) -> int:
        """``parts``, if the windows can be divided into as many.

        Raises:
            ValueError: if not: the kernels would leave outputs out.
        """
        windows = len(self.places)
        if parts < 1 or windows % parts:
            raise ValueError(f"{self.name}: {parts} partitions do not divide {windows} pixels")
        return parts


def image_shape(name: str, shape: Shape, axes: int) -> Shape:
    """The shape of an input that has ``axes`` axes and channels.

    Raises:
        ShapeError: for another rank.
    """
    wanted = ("width", "channels") if axes == 1 else ("height", "width", "channels")
    if len(shape) != len(wanted):
        raise ShapeError(f"{name} takes inputs of shape ({', '.join(wanted)}), not {shape}")
    return shape


def weight_shape(name: str, weight: Any, parts: Sequence[str]) -> Shape:
    """The shape of weights that have an axis for each of ``parts``.

    Raises:
        ShapeError: for another rank.
    """
    shape = tuple(np.shape(getattr(weight, "codes", weight)))
    if len(shape) != len(parts):
        raise ShapeError(f"{name}: a weight has shape ({', '.join(parts)}), not {shape}")
    return shape
