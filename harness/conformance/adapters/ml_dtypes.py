"""ml_dtypes: ``astype`` of one of its dtypes, and back to float64."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np

from harness.conformance.subject import floats, need
from harness.types import FORMATS

__all__ = ["quantize"]

DTYPES = {t: getattr(ml_dtypes, name, None) for name, t in FORMATS.items()}


def quantize(x: Any, t: Any) -> Any:
    """Values of ``x``."""
    dtype = DTYPES.get(t)
    need(dtype is not None, "has its own dtypes, each with one rounding and one overflow")
    return floats(x, t).astype(x.dtype).astype(dtype).astype(np.float64)
