"""Observers that remember how often each value came: percentiles, least error, least noise.

Counts stand on a grid whose steps are powers of two.  A larger value doubles the step and adds
neighbouring counts, so that k batches give the counts of their concatenation, exactly.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from harness.nn.observers import Observer, by_range, holding
from harness.quantize import quantize
from harness.types import ApFixed, as_fixed_type

__all__ = ["Histogram", "MeanSquaredError", "Percentile", "SignalToNoise"]

#: Steps on each side of 0.
STEPS = 4096
#: The fractions of the observed range that are tried as clipping ranges.
TRIED = 100


class Histogram(Observer):
    """Counts; the range is that of the steps that were hit.

    Attributes:
        counts: of each step, a row for each encoding, ``(rows, 2 * STEPS)``.
        exponent: a step is ``2**exponent`` wide.
    """

    def reset(self) -> None:
        """Forget everything."""
        self.counts: Tensor | None = None
        self.exponent = 0

    @property
    def seen(self) -> bool:
        """Whether anything was observed."""
        return self.counts is not None

    def observe(self, x: Tensor) -> None:
        """Count; ``ValueError`` for values that are not finite."""
        rows = by_range(x, self.shape).double()
        largest = float(rows.abs().max())
        if not math.isfinite(largest):
            raise ValueError("a histogram takes finite values")
        needed = math.frexp(largest)[1] + 1 - int(math.log2(STEPS)) if largest else -1000
        if self.counts is None:
            self.counts = torch.zeros(rows.shape[0], 2 * STEPS, dtype=torch.int64, device=x.device)
            self.exponent = needed
        if needed > self.exponent:
            self._coarsen(needed - self.exponent)
        step = torch.floor(torch.ldexp(rows, torch.tensor(-self.exponent))).long() + STEPS
        place = step + 2 * STEPS * torch.arange(rows.shape[0], device=x.device)[:, None]
        found = torch.bincount(place.flatten(), minlength=self.counts.numel())
        self.counts += found.reshape(self.counts.shape)

    def _coarsen(self, doublings: int) -> None:
        assert self.counts is not None
        fine, self.counts = self.counts, torch.zeros_like(self.counts)
        index = torch.arange(-STEPS, STEPS, device=fine.device)
        # Floor, so that a step lands in the one that holds it.
        coarse = index >> min(doublings, 40)
        self.counts.index_add_(1, coarse + STEPS, fine)
        self.exponent += doublings

    def centres(self) -> Tensor:
        """The middle of each step, as doubles."""
        places = torch.arange(-STEPS, STEPS, dtype=torch.float64) + 0.5
        return torch.ldexp(places, torch.tensor(self.exponent))

    def range(self, levels: int = 0) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """The edges of the outermost steps that were hit."""
        return self._between(0.0)

    def _between(self, left_out: float) -> tuple[Tensor, Tensor]:
        """The edges between which all but a fraction at each end lies."""
        assert self.counts is not None
        total = self.counts.sum(1, keepdim=True)
        below = self.counts.cumsum(1)
        first = (below > left_out * total).int().argmax(1)
        last = (below >= (1 - left_out) * total).int().argmax(1)
        width = 2.0**self.exponent
        low, high = (first - STEPS) * width, (last + 1 - STEPS) * width
        return low.float().reshape(self.shape), high.float().reshape(self.shape)


class Percentile(Histogram):
    """The range that holds a percentage of the values.

    Args:
        percentile: of the values on each side, such as 99.9.
    """

    def __init__(self, shape: tuple[int, ...] = (), percentile: float = 99.9) -> None:
        if not 50 < percentile <= 100:
            raise ValueError(f"percentile must be above 50 and at most 100, not {percentile}")
        super().__init__(shape)
        self.percentile = percentile

    def range(self, levels: int = 0) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """The edges that hold it."""
        return self._between(1 - self.percentile / 100)


class SignalToNoise(Histogram):
    """The range, or the type, with the least noise; clipping counts ``gamma`` times.

    The noise is that of the steps' centres, weighted by their counts.
    """

    def __init__(self, shape: tuple[int, ...] = (), gamma: float = 3.0) -> None:
        super().__init__(shape)
        self.gamma = gamma

    def range(self, levels: int = 255) -> tuple[Tensor, Tensor]:
        """Of ``TRIED`` fractions of the observed range, the one with the least noise."""
        assert self.counts is not None
        low, high = (end.double().reshape(-1, 1) for end in self._between(0.0))
        x, weight = self.centres()[None, :], self.counts.double()
        best, kept = torch.full((low.shape[0],), math.inf, dtype=torch.float64), (low, high)
        for k in range(TRIED, 0, -1):
            below, above = low * k / TRIED, high * k / TRIED
            step = ((above - below) / max(levels, 1)).clamp(min=1e-300)
            inside = x.clamp(below, above)
            rounded = torch.round((inside - below) / step) * step + below
            noise = (rounded - inside) ** 2 + self.gamma * (inside - x) ** 2
            cost = (noise * weight).sum(1)
            better = (cost < best)[:, None]
            kept = (torch.where(better, below, kept[0]), torch.where(better, above, kept[1]))
            best = torch.where(better[:, 0], cost, best)
        return kept[0].float().reshape(self.shape), kept[1].float().reshape(self.shape)

    def fixed(self, t: ApFixed | str) -> ApFixed:
        """Of the types of this width the one with the least noise, by the exact quantizer."""
        t = as_fixed_type(t)
        assert self.counts is not None
        low, high = self._between(0.0)
        widest = holding(float(low.min()), float(high.max()), t)
        found = [
            ApFixed(t.width, widest.integer - k, t.signed, t.rounding, t.overflow, t.n)
            for k in range(t.width)
        ]
        hit = self.counts.sum(0)
        kept = hit > 0
        x, weight = self.centres()[kept], hit[kept].double()

        def cost(candidate: ApFixed) -> float:
            inside = x.clamp(float(candidate.min_exact), float(candidate.max_exact))
            noise = (quantize(x, candidate) - inside) ** 2 + self.gamma * (inside - x) ** 2
            return float((noise * weight).sum())

        return min(found, key=cost)


class MeanSquaredError(SignalToNoise):
    """The range, or the type, with the least mean squared error."""

    def __init__(self, shape: tuple[int, ...] = ()) -> None:
        super().__init__(shape, gamma=1.0)
