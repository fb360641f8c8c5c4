"""Our quantizer on float types, as a multiple of copying the same array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from harness.bench.clock import interleave, median_ratio
from harness.bench.grid import copy_call, quantize_call
from harness.report.timing import Bar
from harness.types import FORMATS, BinaryFloat, MiniFloat

__all__ = ["FLOATS", "TARGETED", "Figures", "measure"]

Array = np.ndarray[Any, Any]
#: Multiples of the copy by type.
Figures = dict[BinaryFloat, float]

#: The types that the target is about.
TARGETED: tuple[BinaryFloat, ...] = (MiniFloat(3, 4, 0), FORMATS["float8_e4m3fn"])
#: All that are measured; one of them in another rounding.
FLOATS: tuple[BinaryFloat, ...] = (
    *TARGETED,
    FORMATS["float8_e4m3fn"].with_modes(rounding="TOWARD_ZERO"),
    FORMATS["float16"],
    FORMATS["bfloat16"],
)


def measure(x: Array, kind: Callable[[Array], Any], repeats: int, bar: Bar) -> Figures:
    """Time every type; ``kind`` makes of ``x`` what is quantized."""
    subject, copy = kind(x), copy_call(x)
    figures = {}
    for t in FLOATS:
        bar.begin(str(t))
        call = quantize_call(subject, t)
        call()
        figures[t] = median_ratio(interleave((copy, call), repeats, bar.beat), 1, 0)
        bar.done()
    return figures
