"""Small drawings of a layer's values, as SVG whose colours are those of the page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.hls.check import LayerLoss
from harness.hls.check.fidelity import Spread
from harness.report.html import svg
from harness.types import ApFixed

__all__ = ["Scale", "axis", "bits", "histogram", "legend"]

WIDTH, BAR, AXIS = 260, 30, 18
HISTOGRAM = (168, 44)


@dataclass(frozen=True)
class Scale:
    """Powers of two that all rows share, from left to right.

    Attributes:
        low, high: the lowest and the highest.
    """

    low: int
    high: int

    @classmethod
    def of(cls, losses: Sequence[LayerLoss]) -> Scale:
        """One that shows the types and the values of all layers."""
        ends = [end for loss in losses for end in (*_ends(loss.layer.result), _reach(loss.spread))]
        found = [end for end in ends if math.isfinite(end)] or [0.0, 1.0]
        return cls(math.floor(min(found)) - 1, math.ceil(max(found)) + 1)

    def at(self, power: float) -> float:
        """Where a power of two is drawn."""
        share = (power - self.low) / (self.high - self.low)
        return round(min(max(share, 0.0), 1.0) * WIDTH, 2)

    @property
    def ticks(self) -> Iterable[int]:
        """Powers to name: multiples of 4, 8 or more."""
        step = 4
        while (self.high - self.low) / step > 6:
            step *= 2
        return range(math.ceil(self.low / step) * step, self.high + 1, step)


def axis(scale: Scale) -> str:
    """The powers of two above the bars."""
    marks = "".join(
        f'<text x="{_inside(scale.at(k))}" y="12" class="tick">2<tspan dy="-4" class="power">{k}'
        "</tspan></text>"
        for k in scale.ticks
    )
    return svg(WIDTH, AXIS, "powers of two", marks, "bits")


def legend() -> str:
    """What boxes, bars and lines mean."""
    swatch = '<rect x="1" y="1" width="26" height="10" rx="2" class="{}"/>'
    items = [
        (swatch.format("box"), "the bits of the type"),
        (swatch.format("seen"), "the outputs, up to the largest"),
        (swatch.format("noise"), "below their rms error"),
        (swatch.format("beyond"), "what the type cannot hold"),
        ('<path d="M1 9H10V3H18V9H27" class="meant"/>', "in float64 (heights: log of the count)"),
    ]
    drawn = (f"<span>{svg(28, 12, text, mark)}{text}</span>" for mark, text in items)
    return f'<div class="legend">{"".join(drawn)}</div>'


def bits(loss: LayerLoss, scale: Scale) -> str:
    """A box: the bits of a result; a bar: its values, pale below their error, red beyond it."""
    t = loss.layer.result
    low, high = _ends(t)
    reach, noise = _reach(loss.spread), _power(loss.error.rms_error)
    seen = min(_power(max(abs(loss.spread.low), abs(loss.spread.high))), high)
    solid = min(max(noise, low), seen)
    parts = [
        f'<line x1="{scale.at(k)}" x2="{scale.at(k)}" y1="0" y2="{BAR}" class="grid"/>'
        for k in scale.ticks
    ]
    parts.append(_rect(scale, low, high, 5, 20, "box"))
    if seen > low:
        parts.append(_rect(scale, low, solid, 9, 12, "noise"))
        parts.append(_rect(scale, solid, seen, 9, 12, "seen"))
    if reach > high and _beyond(loss.spread, t):
        parts.append(_rect(scale, high, reach, 9, 12, "beyond"))
    label = (
        f"{loss.name}: {t} has the bits from 2^{-t.frac} below 2^{high}; "
        f"the largest output is {max(abs(loss.spread.low), abs(loss.spread.high)):.3g}, "
        f"in float64 {max(abs(loss.spread.meant_low), abs(loss.spread.meant_high)):.3g}"
    )
    return svg(WIDTH, BAR, label, "".join(parts), "bits")


def histogram(loss: LayerLoss) -> str:
    """How many outputs lie where: bars; in float64: a line; beyond the type: a red ground."""
    spread, t = loss.spread, loss.layer.result
    width, height = HISTOGRAM
    if not spread.counts:
        return ""
    largest = math.log1p(max(*spread.counts, *spread.meant_counts, 1))
    step = width / len(spread.counts)

    def tall(count: int) -> float:
        return round(math.log1p(count) / largest * (height - 4), 2)

    parts = [_ground(spread, t, width, height)]
    for k, count in enumerate(spread.counts):
        if count:
            top = tall(count)
            parts.append(
                f'<rect x="{k * step + 0.4:.2f}" y="{height - top:.2f}" '
                f'width="{step - 0.8:.2f}" height="{top}" class="seen"/>'
            )
    line = "".join(
        f"{'L' if k else 'M'}{k * step:.2f} {height - tall(n):.2f}H{(k + 1) * step:.2f}"
        for k, n in enumerate(spread.meant_counts)
    )
    parts.append(f'<path d="{line}" class="meant"/>')
    ends = f"from {spread.low:.6g} to {spread.high:.6g}"
    label = f"{loss.name}: outputs {ends}, {loss.distinct:,} different"
    return svg(width, height, label, "".join(parts), "histogram")


def _ground(spread: Spread, t: ApFixed, width: int, height: int) -> str:
    """Where the drawing shows values that the type does not have."""
    whole = spread.end - spread.start
    half = float(t.lsb_exact) / 2
    ends = [
        (float(x) - spread.start) / whole
        for x in (float(t.min_exact) - half, float(t.max_exact) + half)
    ]
    left, right = (min(max(x, 0.0), 1.0) * width for x in ends)
    return "".join(
        f'<rect x="{x:.2f}" y="0" width="{w:.2f}" height="{height}" class="outside"/>'
        for x, w in ((0.0, left), (right, width - right))
        if w >= 0.01
    )


def _rect(scale: Scale, low: float, high: float, y: int, height: int, kind: str) -> str:
    x, end = scale.at(low), scale.at(high)
    if end <= x:
        return ""
    return f'<rect x="{x}" y="{y}" width="{end - x:.2f}" height="{height}" rx="2" class="{kind}"/>'


def _ends(t: ApFixed) -> tuple[int, int]:
    """The powers of two between which the bits of a type lie."""
    return -t.frac, t.integer - t.signed


def _reach(spread: Spread) -> float:
    """The power of two that the largest magnitude reaches, in float64 too."""
    return _power(max(map(abs, (spread.low, spread.high, spread.meant_low, spread.meant_high))))


def _beyond(spread: Spread, t: ApFixed) -> bool:
    half = float(t.lsb_exact) / 2
    return (
        spread.meant_low < float(t.min_exact) - half
        or spread.meant_high > float(t.max_exact) + half
    )


def _power(x: float) -> float:
    return math.log2(x) if x > 0 else -math.inf


def _inside(x: float) -> float:
    """A place for a label that is not cut at the edges."""
    return min(max(x, 8.0), WIDTH - 12.0)
