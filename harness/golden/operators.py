"""Questions about operators: the ends with the ends, numbers that are near, then the rest."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from typing import Any

from harness.golden.answer import Question
from harness.golden.record import NUMBERS, code_of, columns_for, word_of
from harness.golden.stream import Stream
from harness.oracle.limits import traps
from harness.types import ApFixed, Operation, count_bounds, result_type

__all__ = ["operator"]


def operator(
    op: str, ta: Any, tb: Any, count: int, stream: Stream, ends: tuple[int, ...] = ()
) -> Question:
    """Some of the ends of the types and about ``count`` other vectors of an operation.

    All there are, if they are no more than ``count``.

    Args:
        op: any :class:`harness.types.Operation`.
        ta: the type of the left operand, or of the only one.
        tb: the type of the right one; ``None`` if it is a count, the number of a bit, or nothing.
        count: how many.
        stream: what they are drawn from.
        ends: the bits (hi, lo) of ``range``.

    Raises:
        ValueError: for what C++ does not have.
    """
    operation = Operation.parse(op)
    target = result_type(operation, ta, ends or tb)
    if operation.binary:
        rows: Iterable[tuple[int, ...]] = _pairs(operation, ta, tb, count, stream)
    elif operation.counted:
        tb = NUMBERS["int"]
        rows = _counts(operation, ta, count, stream)
    else:
        rows = ((word,) for word in _words(ta, count, stream))
    sources = [ta] if tb is None else [ta, tb]
    columns = columns_for(operation.value, sources, target)
    inputs = tuple(zip(*dict.fromkeys(rows), strict=True))
    return Question(operation.value, columns, inputs, ends=ends)


def _words(t: Any, count: int, stream: Stream) -> tuple[int, ...]:
    """The ends, zero, one, and random words."""
    if 1 << t.width <= count:
        return tuple(range(1 << t.width))
    ends = [t.min_code, t.max_code, 0, 1, -1 if t.signed else 1, t.max_code - 1, t.min_code + 1]
    words = [word_of(code, t) for code in ends if t.min_code <= code <= t.max_code]
    words += [stream.bits(t.width) for _ in range(count)]
    return tuple(dict.fromkeys(words))


def _pairs(
    op: Operation, ta: Any, tb: Any, count: int, stream: Stream
) -> Iterator[tuple[int, int]]:
    """The ends of one with the ends of the other, random pairs, near ones; none that would trap."""
    if 1 << (ta.width + tb.width) <= count:
        pairs = list(itertools.product(range(1 << ta.width), range(1 << tb.width)))
    else:
        pairs = list(itertools.product(_words(ta, 0, stream)[:5], _words(tb, 0, stream)[:5]))
        if op.comparison:
            pairs += _near(ta, tb, count // 2, stream)
            count -= count // 2
        pairs += [(stream.bits(ta.width), stream.bits(tb.width)) for _ in range(count)]
    kind = op.assigned or op
    for a, b in pairs:
        divides = kind in (Operation.DIV, Operation.MOD)
        if not divides or traps(op, ta, tb, [(code_of(a, ta), code_of(b, tb))]) is None:
            yield a, b


def _near(ta: ApFixed, tb: ApFixed, count: int, stream: Stream) -> list[tuple[int, int]]:
    """Values of one that are those of the other, or next to them, or the same modulo a power."""
    found = []
    for k in range(count):
        a = code_of(stream.bits(ta.width) >> stream.between(0, ta.width - 1), ta)
        step = (0, 1, -1, 1 << tb.width)[k % 4]
        found.append(
            (word_of(a, ta), word_of(math.floor(a * ta.lsb_exact / tb.lsb_exact) + step, tb))
        )
    return found


def _counts(op: Operation, t: ApFixed, count: int, stream: Stream) -> Iterator[tuple[int, int]]:
    """Words, each with counts of a shift, or with numbers of bits."""
    low, high = count_bounds(op, t)
    counts: tuple[int, ...] = (0, 1, -1, t.width // 2, t.width, -t.width - 1)
    if op.indexed:
        counts = (0, t.width - 1, t.width // 2, stream.between(0, t.width - 1))
    for word in _words(t, count // len(counts), stream):
        for n in counts:
            if low <= n <= high:
                yield word, word_of(n, NUMBERS["int"])
