"""Integers at a scale, found from the range of what is quantized: ``Chopi``; ``Chopi_`` is it."""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import Any

import numpy as np

from harness.types import is_tensor

__all__ = ["Chopi"]

#: The smallest range, which keeps a scale positive.
SMALLEST_RANGE = 1e-5
#: Quotients this close to a tie are compared exactly: float64 may have rounded them onto it.
_NEAR = 2.0**-16

Array = np.ndarray[Any, Any]


class Chopi:
    """``q = round(x / scale + zero_point)``, ties to even, clipped; and ``(q - zero_point) scale``.

    With the range low to high of what is calibrated with, ``scale = (high - low) / (qmax - qmin)``
    and ``zero_point = round(qmin - low / scale)``, 0 if symmetric: float64's arithmetic, whatever
    the dtype.  The integers are those of the exact quotient by that scale.

    Arrays calibrate at the first ``quantize``, tensors at every one, as in pychop.

    Args:
        bits: 2 to 32.
        symmetric: integers from ``-2**(bits - 1)`` with zero point 0; if not, from 0.  The highest
            is ``2**(bits - 1) - 1`` in both.
        per_channel: a scale for each index along ``axis``, for more than one dimension.
        axis: the channels.

    Attributes:
        scale: the scale, float64: one, or an array that broadcasts; ``None`` before calibration.
        zero_point: the zero point, likewise, ``int64``.

    Raises:
        ValueError: for other bits.
    """

    def __init__(
        self, bits: int = 8, symmetric: bool = False, per_channel: bool = False, axis: int = 0
    ) -> None:
        if isinstance(bits, bool) or not isinstance(bits, int) or not 2 <= bits <= 32:
            raise ValueError(f"bits must be an integer from 2 to 32, not {bits!r}")
        self.bits, self.symmetric, self.per_channel, self.axis = bits, symmetric, per_channel, axis
        self.qmin, self.qmax = (-(1 << (bits - 1)) if symmetric else 0), (1 << (bits - 1)) - 1
        self.scale: Any = None
        self.zero_point: Any = None
        self._dtype: Any = None

    @property
    def is_calibrated(self) -> bool:
        """Whether there is a scale."""
        return self.scale is not None

    def calibrate(self, x: Any) -> None:
        """Take the scale and the zero point from the range of ``x``.

        Raises:
            ValueError: if ``x`` is empty or not finite.
        """
        values = _doubles(x)
        if not values.size or not np.isfinite(values).all():
            raise ValueError("only what is finite, and not empty, has a range to calibrate with")
        others = None
        if self.per_channel and values.ndim > 1:
            others = tuple(k for k in range(values.ndim) if k != self.axis % values.ndim)
        low = values.min(axis=others, keepdims=others is not None)
        high = values.max(axis=others, keepdims=others is not None)
        self.scale = np.maximum(high - low, SMALLEST_RANGE) / (self.qmax - self.qmin)
        zero = (
            np.zeros_like(self.scale) if self.symmetric else np.rint(self.qmin - low / self.scale)
        )
        self.zero_point = zero.astype(np.int64)

    def quantize(self, x: Any) -> Any:
        """The integers: int8, int16 or int32 for just so many bits, else int64.

        Raises:
            TypeError: for a dtype that is no float.
            ValueError: for NaN, or as :meth:`calibrate` does.
        """
        values = _doubles(x)
        if is_tensor(x) or not self.is_calibrated:
            self.calibrate(x)
        if np.isnan(values).any():
            raise ValueError("NaN has no integer")
        self._dtype = x.dtype
        found = _nearest(values, self.scale, self.zero_point).clip(self.qmin, self.qmax)
        name = f"int{self.bits if self.bits in (8, 16, 32) else 64}"
        integers = found.astype(name)
        if not is_tensor(x):
            return integers
        return sys.modules["torch"].from_numpy(integers).to(x.device)

    def dequantize(self, q: Any) -> Any:
        """The values that integers stand for, in the dtype that was quantized last.

        Raises:
            ValueError: before calibration.
        """
        if not self.is_calibrated:
            raise ValueError("there is no scale yet; call calibrate() or quantize() first")
        integers = q.cpu().numpy() if is_tensor(q) else np.asarray(q)
        values = (integers.astype(np.int64) - self.zero_point) * self.scale
        if not is_tensor(q):
            known = isinstance(self._dtype, np.dtype)
            return values.astype(self._dtype if known else np.float64)
        torch = sys.modules["torch"]
        dtype = self._dtype if isinstance(self._dtype, torch.dtype) else torch.float32
        return torch.from_numpy(np.asarray(values)).to(q.device, dtype)

    def __call__(self, x: Any) -> Any:
        """``dequantize(quantize(x))``; no gradient passes."""
        return self.dequantize(self.quantize(x))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(bits={self.bits}, symmetric={self.symmetric})"


def _doubles(x: Any) -> Array:
    if is_tensor(x):
        if not x.is_floating_point():
            raise TypeError(f"floats are quantized, not {x.dtype}")
        array: Array = x.detach().double().cpu().numpy()
        return array
    if not isinstance(x, np.ndarray) or x.dtype.kind != "f":
        raise TypeError(
            f"arrays of floats are quantized, not {getattr(x, 'dtype', type(x).__name__)}"
        )
    return x.astype(np.float64)


def _nearest(values: Array, scale: Array, zero: Array) -> Array:
    """``round(values / scale + zero)`` of the exact quotients, ties to even; infinities stay."""
    quotient = values / scale
    sums = quotient + zero
    found: Array = np.rint(sums)
    # A sum is off by a few of its own last bits; only next to a tie does that matter.
    near = np.abs(np.abs(sums - np.floor(sums)) - 0.5) < _NEAR
    small = np.abs(sums) < 2.0**34  # larger ones are clipped, on the same side
    for place in zip(*np.nonzero(near & small), strict=True):
        divisor = Fraction(float(np.broadcast_to(scale, values.shape)[place]))
        offset = int(np.broadcast_to(zero, values.shape)[place])
        found[place] = round(Fraction(float(values[place])) / divisor + offset)
    return found
