"""Encoding analyzers: the range that follows from what was seen.

``MinMaxEncodingAnalyzer`` takes the ends, ``PercentileEncodingAnalyzer`` leaves out a part at each
side, ``SqnrEncodingAnalyzer`` takes what has the least noise.  A range holds 0, and has steps of
float32's epsilon at least.  ``CalibrationStrategy`` names them.
"""

from __future__ import annotations

import enum
import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from harness.interfaces.aimet.quantization.statistics import (
    Histogram,
    HistogramObserver,
    MinMaxObserver,
    Range,
)
from harness.nn.affine import EPS

__all__ = [
    "CalibrationStrategy",
    "EncodingAnalyzer",
    "MinMaxEncodingAnalyzer",
    "PercentileEncodingAnalyzer",
    "SqnrEncodingAnalyzer",
    "StatisticsNotFoundError",
    "warn_of_extremes",
]

#: AIMET's name of it.
_HistogramObserver = HistogramObserver


class StatisticsNotFoundError(RuntimeError):
    """A range was asked for, and nothing was seen."""


class EncodingAnalyzer(ABC):
    """Sees tensors, and computes the range that they need.

    Attributes:
        observer: what remembers them.
    """

    def __init__(self, observer: Any) -> None:
        self.observer = observer

    @torch.no_grad()
    def update_stats(self, input_tensor: Tensor) -> Any:
        """See a tensor; returns the statistics of it alone."""
        found = self.observer.collect_stats(input_tensor)
        self.observer.merge_stats(found, input_tensor)
        return found

    def reset_stats(self) -> None:
        """Forget what was seen."""
        self.observer.reset_stats()

    def compute_encodings(self, num_steps: float, is_symmetric: bool) -> tuple[Tensor, Tensor]:
        """The lowest and the highest value for so many steps, in the observer's shape.

        Raises:
            ValueError: for no steps.
            StatisticsNotFoundError: a ``RuntimeError``, if nothing was seen.
        """
        return self.compute_encodings_from_stats(self.observer.get_stats(), num_steps, is_symmetric)

    def compute_dynamic_encodings(
        self, input_tensor: Tensor, num_steps: float, is_symmetric: bool
    ) -> tuple[Tensor, Tensor]:
        """The same for one tensor, which is not remembered."""
        found = self.observer.collect_stats(input_tensor)
        return self.compute_encodings_from_stats(found, num_steps, is_symmetric)

    @torch.no_grad()
    def compute_encodings_from_stats(
        self, stats: Any, num_steps: float, is_symmetric: bool
    ) -> tuple[Tensor, Tensor]:
        """The same for statistics that :meth:`update_stats` returned."""
        if num_steps <= 0:
            raise ValueError(f"a range has 1 step or more, not {num_steps}")
        first = stats if isinstance(stats, Range) else stats[0]
        if first.min is None:
            raise StatisticsNotFoundError("nothing was seen to compute encodings from")
        return self._range(stats, int(num_steps), is_symmetric)

    @abstractmethod
    def _range(self, stats: Any, steps: int, symmetric: bool) -> tuple[Tensor, Tensor]:
        """The ends, by the class's own law."""


class MinMaxEncodingAnalyzer(EncodingAnalyzer):
    """The ends of all that was seen.

    Args:
        shape: of the encodings.
    """

    def __init__(self, shape: int | Sequence[int]) -> None:
        super().__init__(MinMaxObserver(shape))

    def _range(self, stats: Range, steps: int, symmetric: bool) -> tuple[Tensor, Tensor]:
        assert stats.min is not None
        assert stats.max is not None
        return _holding(stats.min, stats.max, steps, symmetric)


class PercentileEncodingAnalyzer(EncodingAnalyzer):
    """The bins that hold a percentage, of a histogram.

    Args:
        shape: of the encodings.
        num_bins: of a histogram.
        percentile: from 50 to 100; that much lies below the upper end, and above the lower one.
    """

    def __init__(
        self, shape: int | Sequence[int], num_bins: int = 2048, percentile: float = 100
    ) -> None:
        super().__init__(HistogramObserver(shape, num_bins))
        self.set_percentile(percentile)

    def set_percentile(self, percentile: float) -> None:
        """Another percentage; ``ValueError`` for one that is not from 50 to 100."""
        if not 50 <= percentile <= 100:
            raise ValueError(f"percentile must be from 50 to 100, not {percentile}")
        self.percentile = percentile

    def _range(self, stats: list[Histogram], steps: int, symmetric: bool) -> tuple[Tensor, Tensor]:
        ends = torch.stack([self._between(each) for each in stats], dim=1)
        low, high = _holding(ends[0], ends[1], steps, symmetric)
        first = stats[0].min
        assert first is not None
        shape = self.observer.shape
        return low.to(first.dtype).reshape(shape), high.to(first.dtype).reshape(shape)

    def _between(self, seen: Histogram) -> Tensor:
        """The two edges."""
        assert seen.histogram is not None
        assert seen.bin_edges is not None
        if self.percentile == 100:
            return seen.bin_edges[[0, -1]]
        below = seen.histogram.cumsum(0)
        parts = torch.tensor([1 - self.percentile / 100, self.percentile / 100])
        return seen.bin_edges[torch.searchsorted(below, below[-1] * parts.to(below))]


class SqnrEncodingAnalyzer(EncodingAnalyzer):
    """The candidate of step and offset with the least noise, by the middles of a histogram's bins.

    Args:
        shape: of the encodings.
        num_bins: of a histogram.
        asymmetric_delta_candidates: how many steps are tried, of an asymmetric encoding.
        symmetric_delta_candidates: ... of a symmetric one.
        offset_candidates: how many offsets are tried with each step.
        max_parallelism: how many encodings are computed at once.
        gamma: how many times the noise of what is clipped counts.
    """

    def __init__(
        self,
        shape: int | Sequence[int],
        num_bins: int = 2048,
        *,
        asymmetric_delta_candidates: int = 17,
        symmetric_delta_candidates: int = 101,
        offset_candidates: int = 21,
        max_parallelism: int = 64,
        gamma: float = 3.0,
    ) -> None:
        super().__init__(HistogramObserver(shape, num_bins))
        self.asym_delta_candidates = asymmetric_delta_candidates
        self.sym_delta_candidates = symmetric_delta_candidates
        self.num_offset_candidates = offset_candidates
        self.max_parallelism = max_parallelism
        self.gamma = gamma

    def _range(self, stats: list[Histogram], steps: int, symmetric: bool) -> tuple[Tensor, Tensor]:
        found = []
        for start in range(0, len(stats), self.max_parallelism):
            some = stats[start : start + self.max_parallelism]
            low = torch.stack([each.min for each in some]).clamp(max=0)  # type: ignore[misc]
            high = torch.stack([each.max for each in some]).clamp(min=0)  # type: ignore[misc]
            high = torch.maximum(high, low + EPS * steps)
            pick = (
                self._pick_test_candidates_symmetric
                if symmetric
                else self._pick_test_candidates_asymmetric
            )
            found.append(self._select_best_candidates(*pick(low, high, steps), some, steps))
        delta, offset = (torch.cat(parts) for parts in zip(*found, strict=True))
        low = (offset * delta).reshape(self.observer.shape)
        high = (offset * delta + steps * delta).reshape(self.observer.shape)
        first = stats[0].min
        assert first is not None
        return low.to(first.dtype), high.to(first.dtype)

    def _pick_test_candidates_asymmetric(
        self, low: Tensor, high: Tensor, steps: int
    ) -> tuple[Tensor, Tensor]:
        """Fractions of the step that the range needs, and one beyond; offsets spread over all.

        Args:
            low: ``(encodings,)``.
            high: the same.
            steps: of the range.

        Returns:
            Steps and offsets, each ``(encodings, steps tried, offsets tried)``.
        """
        largest = (high - low).float() / steps
        seen = torch.round(low / largest)
        tried = torch.arange(1, self.asym_delta_candidates + 1, dtype=torch.float32)
        deltas = largest[:, None] * tried.to(low.device) / (self.asym_delta_candidates - 1)
        spread = min(steps + 2, self.num_offset_candidates) - 2
        offsets = torch.round(torch.arange(-spread, 1, dtype=torch.float32) * (steps / spread))
        offsets = offsets.to(low.device).expand(len(low), -1)
        offsets = torch.cat([offsets, seen[:, None]], dim=1)
        ends = (largest * seen, largest * seen + largest * steps)
        return self._clamp_delta_offset_values(*ends, steps, deltas, offsets)

    def _pick_test_candidates_symmetric(
        self, low: Tensor, high: Tensor, steps: int
    ) -> tuple[Tensor, Tensor]:
        """Fractions of the step, each with the one offset: ``(encodings, steps tried, 1)``."""
        largest = 2 * torch.maximum(high, -low).float() / steps
        tried = torch.arange(1, self.sym_delta_candidates + 1, dtype=torch.float32)
        deltas = largest[:, None] * tried.to(low.device) / (self.sym_delta_candidates - 1)
        offset = torch.full((1, 1, 1), -math.ceil(steps / 2), dtype=torch.float32)
        return deltas.clamp(min=EPS)[:, :, None], offset.to(low.device)

    @staticmethod
    def _clamp_delta_offset_values(
        low: Tensor, high: Tensor, steps: int, deltas: Tensor, offsets: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Every pair, its range cut to what was seen."""
        below = deltas[:, :, None] * offsets[:, None, :]
        above = below + deltas[:, :, None] * steps
        below = torch.maximum(below, low[:, None, None])
        above = torch.minimum(above, high[:, None, None])
        cut = ((above - below) / steps).clamp(min=EPS)
        return cut, torch.round(below / cut)

    def _select_best_candidates(
        self, deltas: Tensor, offsets: Tensor, stats: list[Histogram], steps: int
    ) -> tuple[Tensor, Tensor]:
        """Of each encoding's pairs the one with the least noise, each ``(encodings, 1)``."""
        noise = self._estimate_clip_and_quant_noise(stats, deltas, offsets, steps, self.gamma)
        best = noise.flatten(1).argmin(1, keepdim=True)
        pairs = (deltas, offsets.expand_as(deltas))
        delta, offset = (each.flatten(1).gather(1, best) for each in pairs)
        return delta, offset

    @staticmethod
    def _estimate_clip_and_quant_noise(
        stats: list[Histogram], deltas: Tensor, offsets: Tensor, num_steps: int, gamma: float = 1.0
    ) -> Tensor:
        """The squared errors of the bins' middles, ``(encodings, steps tried, offsets tried)``."""
        counts = torch.stack([each.histogram for each in stats])[:, None, None]  # type: ignore[misc]
        edges = torch.stack([each.bin_edges for each in stats])  # type: ignore[misc]
        x = ((edges[:, 1:] + edges[:, :-1]) / 2)[:, None, None]
        delta, offset = deltas[..., None], offsets[..., None]
        free = torch.round(x / delta - offset)
        q = free.clamp(0, num_steps)
        noise = ((q + offset) * delta - x) ** 2 * counts
        return torch.where(free == q, noise, noise * gamma).sum(-1)


def _holding(low: Tensor, high: Tensor, steps: int, symmetric: bool) -> tuple[Tensor, Tensor]:
    """Ends that hold these and 0, with steps of ``EPS`` at least; finite."""
    dtype = low.dtype
    low, high = low.clamp(max=0), high.clamp(min=0)
    close = EPS * ((high - low) / steps < EPS)
    above, below = steps // 2, steps - steps // 2
    if symmetric:
        high, low = high + above * close, low - below * close
        step = torch.maximum(high / max(above, 1), -low / below)
        low, high = -below * step, above * step
    else:
        high = high + steps * close
    ends = torch.finfo(dtype)
    return low.clamp(min=ends.min).to(dtype), high.clamp(max=ends.max).to(dtype)


def warn_of_extremes(low: Tensor, high: Tensor) -> None:
    """Warn of ends that are not finite, or within 5 % of the dtype's largest number."""
    ends = torch.stack([low.abs(), high.abs()])
    if not bool(ends.isfinite().all()):
        warnings.warn("Infinite or NaN values were observed: encodings follow them", stacklevel=3)
    elif bool((ends > 0.95 * torch.finfo(ends.dtype).max).any()):
        warnings.warn("Extreme values were observed: encodings follow them", stacklevel=3)


class CalibrationStrategy(enum.Enum):
    """Analyzers by name."""

    MINMAX = MinMaxEncodingAnalyzer
    PERCENTILE = PercentileEncodingAnalyzer
    SQNR = SqnrEncodingAnalyzer

    def analyzer(self, shape: int | Sequence[int], **options: Any) -> EncodingAnalyzer:
        """A new analyzer for encodings of a shape."""
        made: EncodingAnalyzer = self.value(shape, **options)
        return made
