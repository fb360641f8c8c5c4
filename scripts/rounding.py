"""Draw the roundings of ap_fixed beside Python's own into docs/rounding.svg."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness import ApFixed, Rounding, quantize
from harness.types import Overflow

#: Numbers from -LIMIT to LIMIT, STEP to the right and RISE up for each 1.
LIMIT, STEP, RISE = 2, 30, 24
PANEL, HEIGHT, TOP = 142, 176, 44
INK, SOFT, LINE, DOT, TIE = "#1a2026", "#5a6673", "#dde2e7", "#2f6f8f", "#b3261e"


def panels() -> list[tuple[str, str, Callable[[float], float]]]:
    """A name, what it does to ties, and the rounding, by the quantizers."""
    found: list[tuple[str, str, Callable[[float], float]]] = [
        ("round(x)", "Python: ties to even", lambda x: float(round(x)))
    ]
    for mode in Rounding:
        t = ApFixed(8, 8, rounding=mode, overflow=Overflow.SAT)
        if not mode.stochastic:
            law = {"TRN": "floor", "TRN_ZERO": "toward 0"}.get(mode.name, "")
            law = law or f"ties {mode.law.partition('ties ')[2]}"
            found.append((mode.cpp, law, lambda x, t=t: float(quantize(np.float64(x), t))))
    return found


def panel(left: int, name: str, law: str, rounded: Callable[[float], float]) -> str:
    """Axes, steps, and the places where a number between two steps goes."""
    middle, base = left + PANEL // 2, TOP + 24 + round(RISE * (LIMIT + 0.5))

    def at(x: float, y: float) -> tuple[float, float]:
        return round(middle + x * STEP, 2), round(base - y * RISE, 2)

    marks = []
    for k in range(-LIMIT, LIMIT + 1):
        (x0, y0), (x1, _) = at(-LIMIT - 0.25, k), at(LIMIT + 0.25, k)
        marks.append(f'<path d="M{x0} {y0}H{x1}" stroke="{INK if k == 0 else LINE}"/>')
        (x0, y0), (_, y1) = at(k, -LIMIT - 0.25), at(k, LIMIT + 0.25)
        marks.append(f'<path d="M{x0} {y0}V{y1}" stroke="{INK if k == 0 else LINE}"/>')
    # Between two multiples of a half nothing changes: the value in the middle is that of all.
    halves = [k / 2 for k in range(-2 * LIMIT, 2 * LIMIT)]
    for half in halves:
        (x0, y), (x1, _) = at(half, rounded(half + 0.25)), at(half + 0.5, 0)
        marks.append(f'<path d="M{x0} {y}H{x1}" stroke="{DOT}" stroke-width="3"/>')
    for half in halves[1:]:
        x, y = at(half, rounded(half))
        tie = half % 1 == 0.5
        marks.append(
            f'<circle cx="{x}" cy="{y}" r="{4 if tie else 2.5}" fill="{TIE if tie else DOT}"/>'
        )
    words = (
        f'<text x="{middle}" y="{TOP}" font-weight="bold" fill="{INK}">{name}</text>'
        f'<text x="{middle}" y="{TOP + 14}" fill="{SOFT}" font-size="10.5">{law}</text>'
    )
    return f"<g>{words}{''.join(marks)}</g>"


def drawing() -> str:
    """The text of the file."""
    found = panels()
    width = PANEL * len(found) // 2 + 16
    height = 2 * HEIGHT + 10
    drawn = "".join(
        f'<g transform="translate(0 {HEIGHT * (k // 4)})">{panel(8 + PANEL * (k % 4), *each)}</g>'
        for k, each in enumerate(found)
    )
    told = "Where numbers go when they are rounded; red: ties, halfway between two codes"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-family="sans-serif" font-size="12" '
        f'text-anchor="middle"><title>{told}</title>'
        f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>'
        f'<text x="{width // 2}" y="22" fill="{SOFT}">{told}</text>{drawn}</svg>\n'
    )


def main() -> None:
    path = Path(__file__).resolve().parent.parent / "docs" / "rounding.svg"
    path.write_text(drawing(), encoding="utf-8")
    sys.stdout.write(f"written: {path.name}\n")


if __name__ == "__main__":
    main()
