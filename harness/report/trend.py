"""Earlier runs: how figures went, as a drawing whose colours are those of the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from harness.report.html import Markup, svg

__all__ = ["bars", "line"]

WIDTH, HEIGHT = 560, 90
SMALL = (150, 34)


def bars(values: Sequence[tuple[str, float, bool]], label: str) -> str:
    """A bar a run: its name, how much, and whether it was good."""
    largest = max((value for _, value, _ in values), default=0.0) or 1.0
    step = min(WIDTH / len(values), 40.0) if values else WIDTH
    parts = []
    for k, (name, value, good) in enumerate(values):
        tall = max(value / largest * (HEIGHT - 6), 2.0)
        parts.append(
            f'<rect x="{k * step + 1:.1f}" y="{HEIGHT - tall:.1f}" width="{step - 3:.1f}" '
            f'height="{tall:.1f}" rx="2" class="bar {"good" if good else "bad"}">'
            f"<title>{escape(name)}: {value:,.0f}</title></rect>"
        )
    return svg(WIDTH, HEIGHT, label, "".join(parts), "trend")


def line(values: Sequence[float], label: str, limit: float | None = None) -> Markup:
    """A line through the values, from left to right, and a limit."""
    width, height = SMALL
    ends = [*values, *([] if limit is None else [limit])]
    low, high = min(ends), max(ends)
    whole = (high - low) or 1.0

    def at(value: float) -> float:
        return height - 5 - (value - low) / whole * (height - 10)

    step = (width - 10) / max(len(values) - 1, 1)
    points = [(5 + k * step, at(value)) for k, value in enumerate(values)]
    path = "".join(f"{'L' if k else 'M'}{x:.1f} {y:.1f}" for k, (x, y) in enumerate(points))
    parts = []
    if limit is not None:
        y = at(limit)
        parts.append(f'<line x1="0" x2="{width}" y1="{y:.1f}" y2="{y:.1f}" class="limit"/>')
    parts.append(f'<path d="{path}" class="line"/>')
    x, y = points[-1]
    parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="dot"/>')
    return svg(width, height, label, "".join(parts), "trend")
