"""What the tests of the law share: raw words, a type under all of its modes, and odd codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from harness import ApFixed, Rounding
from harness.prove.terms import Word
from harness.types import Overflow


def word(name: str, width: int) -> Word:
    """An input, the same one for the same name and width."""
    return _WORDS.setdefault((name, width), Word.named(f"{name}{width}", width))


_WORDS: dict[tuple[str, int], Word] = {}


def raw(code: int, t: Any) -> int:
    """The bits of a code."""
    return code % (1 << t.width)


def read(bits: int, t: Any) -> int:
    """The code that has these bits."""
    bits %= 1 << t.width
    return bits - (1 << t.width) if bits > t.max_code else bits


def every_mode(width: int, integer: int) -> Iterator[ApFixed]:
    """Every rounding x overflow x N x signedness of a shape."""
    for signed in (True, False):
        for rounding in Rounding:
            for overflow in Overflow:
                if overflow is Overflow.WRAP_SM and not signed:
                    continue
                for n in range(width + 1 if overflow.wraps else 1):
                    yield ApFixed(width, integer, signed, rounding, overflow, n)


def odd_codes(t: Any) -> st.SearchStrategy[int]:
    """Codes at the ends, small ones, those with few bits, and any."""
    ends = st.integers(-3, 3).flatmap(
        lambda k: st.sampled_from([k, k + t.max_code, k + t.min_code, k + t.max_code // 2])
    )
    single = st.integers(0, t.width - 1).flatmap(lambda k: st.sampled_from([1 << k, -1 << k]))
    anything = st.integers(t.min_code, t.max_code)
    return (ends | single | anything).map(lambda code: read(code, t))
