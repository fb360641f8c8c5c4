"""Arrays of codes: ``int64`` up to 64 bits, Python integers in an object array beyond."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from harness.quantize.plan import as_int64
from harness.quantize.wide import map_codes
from harness.types import NumberType, as_array, not_a_code, plain

__all__ = ["check_codes", "exact", "like", "narrowed"]

Array = np.ndarray[Any, Any]


def check_codes(codes: Any, t: NumberType, wrong: Callable[[int, Any], str] = not_a_code) -> Array:
    """``codes`` as ``int64`` (W <= 64) or as they are.

    Raises:
        TypeError: if they are not integers.
        ValueError: if one is not a code of ``t``; ``wrong`` says so.
    """
    array = np.asarray(plain(as_array(codes)), order="C")  # looked at here, and computed with next
    integers = array.dtype.kind == "O"
    others = [c for c in array.flat if not isinstance(c, int)] if integers else []
    if others or array.dtype.kind not in "iuO":
        found = type(others[0]).__name__ if others else array.dtype
        raise TypeError(f"codes must be integers, not {found}")
    if array.size:
        low, high = int(array.min()), int(array.max())
        # An unsigned 64-bit code travels as the int64 with the same bits.
        any_bits = t.width == 64 and not t.signed and array.dtype == np.int64
        if not any_bits and (low < t.min_code or high > t.max_code):
            raise ValueError(wrong(low if low < t.min_code else high, t))
    if t.width > 64:
        return array
    if integers:
        return narrowed(array)
    return array.view(np.int64) if array.dtype == np.uint64 else array.astype(np.int64, copy=False)


def exact(array: Array, t: NumberType) -> Array:
    """Codes as Python integers, an unsigned 64-bit one unfolded."""
    unfold = t.width == 64 and not t.signed
    return map_codes(lambda c: int(c) % (1 << 64) if unfold else int(c), array)


def narrowed(codes: Array) -> Array:
    """Python integers of at most 64 bits as ``int64``."""
    out = np.empty(codes.shape, np.int64)
    out.ravel()[:] = [as_int64(int(c)) for c in codes.ravel()]
    return out


def like(result: Array, x: Any) -> Any:
    """``result``, as a NumPy scalar if ``x`` was a scalar."""
    return result if isinstance(x, np.ndarray) or result.ndim else result[()]
