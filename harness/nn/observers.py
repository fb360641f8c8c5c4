"""Observers: what is remembered of the tensors that pass, and the range or type that follows.

k batches give what their concatenation gives, wherever that is exact: for the ends of the range,
and for the histogram, whose grid is of powers of two.  The moving average depends on the batches by
its definition.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor

from harness.quantize import quantize_codes
from harness.types import ApFixed, Overflow, as_fixed_type

__all__ = [
    "MinMax",
    "MovingAverage",
    "Observer",
    "broadcast",
    "by_range",
    "ends",
    "holding",
]


class Observer(ABC):
    """Statistics of one tensor over many batches.

    Attributes:
        shape: of the encodings: ``()`` for one range, ``(C, 1)`` for one a row, and so on; the
            observed tensors are reduced over the axes where it has 1, from the right.
    """

    def __init__(self, shape: tuple[int, ...] = ()) -> None:
        self.shape = tuple(shape)
        self.reset()

    @abstractmethod
    def reset(self) -> None:
        """Forget everything."""

    @abstractmethod
    def observe(self, x: Tensor) -> None:
        """Take in a batch."""

    @property
    @abstractmethod
    def seen(self) -> bool:
        """Whether anything was observed."""

    @abstractmethod
    def range(self, levels: int = 0) -> tuple[Tensor, Tensor]:
        """The lowest and highest value to be represented by so many steps, in the shape."""

    def fixed(self, t: ApFixed | str) -> ApFixed:
        """``t`` with the integer bits that suit what was observed best."""
        low, high = self.range()
        return holding(float(low.min()), float(high.max()), t)


class MinMax(Observer):
    """The ends of everything observed."""

    def reset(self) -> None:
        """Forget everything."""
        self._low: Tensor | None = None
        self._high: Tensor | None = None

    def observe(self, x: Tensor) -> None:
        """Widen the range."""
        low, high = ends(x, self.shape)
        self._low = low if self._low is None else torch.minimum(self._low, low)
        self._high = high if self._high is None else torch.maximum(self._high, high)

    @property
    def seen(self) -> bool:
        """Whether anything was observed."""
        return self._low is not None

    def range(self, levels: int = 0) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """The lowest and the highest value."""
        assert self._low is not None
        assert self._high is not None
        return self._low, self._high


class MovingAverage(MinMax):
    """Exponential averages of the ends of each batch.

    Args:
        momentum: the weight of a new batch.
    """

    def __init__(self, shape: tuple[int, ...] = (), momentum: float = 0.1) -> None:
        super().__init__(shape)
        self.momentum = momentum

    def observe(self, x: Tensor) -> None:
        """Move toward the batch's ends."""
        low, high = ends(x, self.shape)
        self._low = low if self._low is None else torch.lerp(self._low, low, self.momentum)
        self._high = high if self._high is None else torch.lerp(self._high, high, self.momentum)


def ends(x: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """The lowest and highest values of a tensor, reduced to ``shape``; float32 at least."""
    rows = by_range(x, shape)
    rows = rows.to(torch.promote_types(rows.dtype, torch.float32))  # for what averages them
    return rows.amin(1).reshape(shape), rows.amax(1).reshape(shape)


def by_range(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """``x`` as a matrix with a row for each element of ``shape``, which broadcasts against it."""
    x = x.detach()
    if x.numel() == 0:
        raise ValueError("an empty tensor has no range")
    wide = broadcast(shape, x)
    kept = [k for k, n in enumerate(wide) if n != 1]
    rest = [k for k, n in enumerate(wide) if n == 1]
    return x.permute(kept + rest).reshape(math.prod(shape), -1)


def broadcast(shape: tuple[int, ...], x: Tensor) -> tuple[int, ...]:
    """``shape`` with an axis for each of ``x``; ``ValueError`` if it does not broadcast.

    Leading axes of 1 that ``x`` does not have are dropped: one encoding is for a scalar, too.
    """
    beyond = max(len(shape) - x.dim(), 0)
    kept = shape[beyond:] if math.prod(shape[:beyond]) == 1 else shape
    wide = (1,) * (x.dim() - len(kept)) + tuple(kept)
    if len(wide) != x.dim() or any(n not in (1, m) for n, m in zip(wide, x.shape, strict=True)):
        raise ValueError(
            f"encodings of shape {shape} do not broadcast to a tensor {tuple(x.shape)}"
        )
    return wide


def holding(low: float, high: float, t: ApFixed | str) -> ApFixed:
    """``t`` with the fewest integer bits for which neither bound overflows once rounded.

    Raises:
        ValueError: for bounds that are not finite, or a negative one in an unsigned type.
    """
    t = as_fixed_type(t)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"no type holds a range of {low} to {high}")
    if low < 0 and not t.signed:
        raise ValueError(f"{t} is unsigned, the lowest value observed is {low}")
    largest = max(abs(low), abs(high))
    if largest == 0:
        return _with_integer(t, 1)
    integer = math.frexp(largest)[1] + t.signed - 2
    while not _holds(low, high, _with_integer(t, integer)):
        integer += 1
    return _with_integer(t, integer)


def _with_integer(t: ApFixed, integer: int) -> ApFixed:
    return ApFixed(t.width, integer, t.signed, t.rounding, t.overflow, t.n)


def _holds(low: float, high: float, t: ApFixed) -> bool:
    """Whether neither bound overflows once rounded: by the codes in a wider type."""
    wide = ApFixed(t.width + 4, t.integer + 4, True, t.rounding, Overflow.SAT)
    lowest = -t.max_code if t.signed and t.overflow is Overflow.SAT_SYM else t.min_code
    below, above = quantize_codes([low, high], wide).tolist()
    return bool(lowest <= below and above <= t.max_code)
