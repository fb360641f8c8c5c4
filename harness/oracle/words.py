"""Codes as the 64-bit words that kernels read and write."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.types import NumberType, as_array, not_a_code, plain

__all__ = ["as_cpp_reads", "from_words", "to_words", "unfolded", "word_count"]

Array = np.ndarray[Any, Any]


def word_count(t: NumberType) -> int:
    """64-bit words a value takes."""
    return (t.width + 63) // 64


def to_words(codes: Any, t: NumberType) -> Array:
    """Codes, flattened, as ``int64`` words, little end first.

    Raises:
        TypeError: if ``codes`` are not integers.
        ValueError: if one is not a code of ``t``.
    """
    array = plain(as_array(codes))
    if array.dtype.kind == "O":
        items = [_checked(c, t) for c in array.ravel()]
        size = 8 * word_count(t)
        mask = (1 << 8 * size) - 1
        packed = b"".join((c & mask).to_bytes(size, "little") for c in items)
        return np.frombuffer(packed, dtype=np.int64)
    if array.dtype.kind not in "iu":
        raise TypeError(f"codes must be integers, not {array.dtype}")
    if t.width > 64:
        return to_words(array.astype(object), t)
    unfolded = t.width == 64 and not t.signed and array.dtype.kind == "i"
    if array.size and not unfolded:
        for extreme in (int(array.min()), int(array.max())):
            _checked(extreme, t)
    flat = np.ascontiguousarray(array).ravel()
    return flat.view(np.int64) if flat.dtype == np.uint64 else flat.astype(np.int64, copy=False)


def from_words(words: Array, t: NumberType, shape: tuple[int, ...]) -> Array:
    """The inverse: ``int64`` codes up to 64 bits, Python integers in an object array beyond."""
    if t.width <= 64:
        return words.reshape(shape)
    size = 8 * word_count(t)
    packed = words.tobytes()
    out = np.empty(len(packed) // size, dtype=object)
    out[:] = [
        int.from_bytes(packed[k : k + size], "little", signed=t.signed)
        for k in range(0, len(packed), size)
    ]
    return out.reshape(shape)


def unfolded(codes: Any, t: NumberType) -> list[int]:
    """Codes as Python integers: an unsigned one of 64 bits may come as the negative ``int64``."""
    items: list[int] = np.ravel(codes).tolist()
    return [c % (1 << 64) for c in items] if t.width == 64 and not t.signed else items


def as_cpp_reads(x: Any) -> Array:
    """``x`` as an array of one C++ number type; ``TypeError`` if there is none for all of it."""
    array = plain(as_array(x))
    if array.dtype != object:
        return array
    items = array.ravel().tolist()
    if all(isinstance(item, float) for item in items):
        return array.astype(np.float64)
    for dtype in (np.int64, np.uint64) if all(isinstance(item, int) for item in items) else ():
        if all(np.iinfo(dtype).min <= item <= np.iinfo(dtype).max for item in items):
            return array.astype(dtype)
    raise TypeError(
        "no C++ constructor takes these numbers exactly; allowed: floats, or integers of 64 bits"
    )


def _checked(code: Any, t: NumberType) -> int:
    if not isinstance(code, (int, np.integer)):
        raise TypeError(f"codes must be integers, not {type(code).__name__}")
    if not t.min_code <= code <= t.max_code:
        raise ValueError(not_a_code(int(code), t))
    return int(code)
