"""Random integers that a text decides: the same with every version of every library."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["Stream"]

_T = TypeVar("_T")
_BLOCK = 1024


class Stream:
    """A stream of integers drawn from SHAKE-128 of a key."""

    def __init__(self, *key: object) -> None:
        self._key = "/".join(map(str, key))
        self._blocks = 0
        self._bytes = b""

    def bits(self, count: int) -> int:
        """A uniform integer of ``count`` bits."""
        size = (count + 7) // 8
        while len(self._bytes) < size:
            block = hashlib.shake_128(f"{self._key}/{self._blocks}".encode()).digest(_BLOCK)
            self._bytes += block
            self._blocks += 1
        word, self._bytes = self._bytes[:size], self._bytes[size:]
        return int.from_bytes(word, "little") >> (8 * size - count)

    def between(self, low: int, high: int) -> int:
        """A uniform integer from ``low`` to ``high``, both included."""
        span = high - low + 1
        if span < 1:
            raise ValueError(f"there is no integer from {low} to {high}")
        while True:
            word = self.bits(span.bit_length())
            if word < span:
                return low + word

    def choice(self, items: Sequence[_T]) -> _T:
        """One of ``items``."""
        return items[self.between(0, len(items) - 1)]
