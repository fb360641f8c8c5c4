"""What AIMET's encoding analyzers remember: ends, or histograms of a range that widens.

A histogram has ``num_bins`` bins between the ends of what was seen.  When these widen, the count of
an old bin goes to the new bin that its lower edge lies in, as much of it as reaches there by width,
rounded; the rest goes to the bin one new width further.  So k batches give about what their
concatenation gives: exact counts are those of ``harness.nn.histograms``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.interfaces.aimet.utils import reduce
from harness.nn.observers import by_range

__all__ = ["Histogram", "HistogramObserver", "MinMaxObserver", "Range"]


@dataclass
class Range:
    """The ends of what was seen, each in the observer's shape; ``None`` at first."""

    min: Tensor | None = None
    max: Tensor | None = None


@dataclass
class Histogram:
    """Counts ``(num_bins,)`` between edges ``(num_bins + 1,)``, and the finite ends seen."""

    histogram: Tensor | None = None
    bin_edges: Tensor | None = None
    min: Tensor | None = None
    max: Tensor | None = None


class MinMaxObserver:
    """Remembers ends.

    Args:
        shape: of the encodings, which broadcasts against what is seen.
    """

    def __init__(self, shape: int | Sequence[int]) -> None:
        self.shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.stats = Range()

    def collect_stats(self, input_tensor: Tensor) -> Range:
        """The ends of one tensor."""
        x = input_tensor.detach()
        ends = (reduce(x, self.shape, op).values for op in (torch.min, torch.max))
        return Range(*ends)

    def merge_stats(self, stats: Range, input_tensor: Tensor | None = None) -> None:  # noqa: ARG002
        """Widen the ends to those of ``stats``."""
        if self.stats.min is None or self.stats.max is None:
            self.stats = stats
        elif stats.min is not None and stats.max is not None:
            low, high = self.stats.min, self.stats.max
            self.stats = Range(torch.minimum(low, stats.min), torch.maximum(high, stats.max))

    def reset_stats(self) -> None:
        """Forget them."""
        self.stats = Range()

    def get_stats(self) -> Range:
        """The ends so far."""
        return self.stats


class HistogramObserver:
    """Remembers a histogram for each element of its shape.

    Args:
        shape: of the encodings.
        num_bins: of each histogram, 1 or more.
    """

    def __init__(self, shape: int | Sequence[int], num_bins: int) -> None:
        if num_bins <= 0:
            raise ValueError(f"num_bins must be 1 or more, not {num_bins}")
        self.shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.num_bins = num_bins
        self.reset_stats()

    def reset_stats(self) -> None:
        """Forget everything."""
        self.stats = [Histogram() for _ in range(torch.Size(self.shape).numel())]

    def get_stats(self) -> list[Histogram]:
        """The histograms so far, by the flat index of the shape."""
        return self.stats

    def collect_stats(self, input_tensor: Tensor) -> list[Histogram]:
        """The histograms of one tensor.

        Raises:
            RuntimeError: for a shape that does not broadcast.
            ValueError: for values none of which is finite.
        """
        return [self._histogram(row) for row in self._rows(input_tensor)]

    def _rows(self, x: Tensor) -> Tensor:
        try:
            return by_range(x, self.shape)
        except ValueError as error:
            raise RuntimeError(str(error)) from None

    def _histogram(self, row: Tensor) -> Histogram:
        finite = row[row.isfinite()]
        if not finite.numel():
            raise ValueError("a histogram needs a finite value")
        low, high = finite.min(), finite.max()
        edges = self._edges(low, high)
        counts = self._counts(row, edges[0], edges[-1])
        return Histogram(counts, edges, low, high)

    def _counts(self, row: Tensor, low: Tensor, high: Tensor) -> Tensor:
        """Counts of the bins between; what lies beyond, infinities too, counts in the outermost."""
        counts = torch.histc(row.float(), self.num_bins, float(low), float(high))
        counts[0] += (row < low).sum()
        counts[-1] += (row > high).sum()
        return counts

    def _edges(self, low: Tensor, high: Tensor) -> Tensor:
        low, high = low.float(), high.float()
        if low == high:  # as torch.histc widens it
            low, high = low - 0.5, high + 0.5
        steps = torch.arange(self.num_bins + 1, device=low.device)
        return steps * ((high - low) / self.num_bins) + low

    def merge_stats(self, stats: list[Histogram], input_tensor: Tensor) -> None:
        """Take ``input_tensor`` in, of which ``stats`` are the histograms."""
        if self.stats[0].histogram is None:
            self.stats = stats
            return
        rows = self._rows(input_tensor)
        self.stats = [self._merged(*each) for each in zip(self.stats, stats, rows, strict=True)]

    def _merged(self, old: Histogram, new: Histogram, row: Tensor) -> Histogram:
        assert old.histogram is not None
        assert old.min is not None
        assert old.max is not None
        assert new.min is not None
        assert new.max is not None
        low, high = torch.minimum(old.min, new.min), torch.maximum(old.max, new.max)
        edges = self._edges(low, high)
        kept = old.histogram
        if low != old.min or high != old.max:
            kept = self._rebinned(old, low, (high - low) / self.num_bins)
        return Histogram(kept + self._counts(row, edges[0], edges[-1]), edges, low, high)

    def _rebinned(self, old: Histogram, low: Tensor, width: Tensor) -> Tensor:
        """The counts of ``old`` in bins of another width from ``low`` on."""
        assert old.histogram is not None
        assert old.bin_edges is not None
        starts, before = old.bin_edges[:-1], old.bin_edges[1] - old.bin_edges[0]

        def bin_of(x: Tensor) -> Tensor:
            return ((x - low) / width).long().clamp(0, self.num_bins - 1)

        first = bin_of(starts)
        reach = (low + width * (first + 1) - starts) / before
        here = torch.minimum(torch.round(reach * old.histogram), old.histogram)
        counts = torch.zeros_like(old.histogram)
        counts.index_add_(0, first, here)
        return counts.index_add_(0, bin_of(starts + width), old.histogram - here)
