"""Which questions the truth files ask about operators: every one, on every kind of operands."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from harness.golden.answer import Question, kernel_of
from harness.golden.operators import operator
from harness.golden.stream import Stream
from harness.oracle.limits import refusal
from harness.types import ApFixed, ApInt, Operation

__all__ = ["arithmetic", "assignments", "bits", "comparisons", "witnessed"]

#: Integers: narrow and wide, one sign and two, where the quirks of division are and are not.
_INTEGERS = (
    (ApInt(8), ApInt(4)),
    (ApInt(8, False), ApInt(4)),
    (ApInt(16), ApInt(20, False)),
    (ApInt(5, False), ApInt(7, False)),
    (ApInt(8), ApInt(8)),
    (ApInt(1), ApInt(1, False)),
    (ApInt(32, False), ApInt(32)),
    (ApInt(64), ApInt(33, False)),
    (ApInt(70), ApInt(12, False)),
)
_MIXED = (
    (ApInt(8), ApFixed(8, 4)),
    (ApFixed(8, 4, rounding="RND", overflow="SAT"), ApInt(32)),
    (ApInt(6, False), ApFixed(10, -2)),
    (ApFixed(16, 20), ApInt(12, False)),
)
_FIXED = (
    (ApFixed(8, 4), ApFixed(6, -2, False)),
    (ApFixed(16, 6, overflow="SAT"), ApFixed(16, 6, rounding="RND")),
    (ApFixed(32, 20), ApFixed(33, 1, False)),
    (ApFixed(64, 40), ApFixed(5, 9)),
    (ApFixed(65, 30), ApFixed(12, 5, False)),
)
_COMPARED = (
    (ApFixed(32, 32), ApFixed(32, 32, False)),
    (ApFixed(32, 32, False), ApFixed(8, 8)),
    (ApFixed(40, 8, False), ApFixed(24, 8)),
    (ApFixed(8, 3), ApFixed(6, 3, overflow="SAT_SYM")),
    (ApInt(8), ApInt(64, False)),
    (ApInt(65), ApInt(65, False)),
    (ApInt(40, False), ApFixed(2, 1)),
)


def witnessed(question: Question) -> bool:
    """Whether the headers answer it."""
    kernel = kernel_of(question)
    return kernel is not None and refusal(kernel) is None


def _asked(
    ops: Any, pairs: tuple[tuple[Any, Any], ...], count: int, stream: Stream
) -> Iterator[Question]:
    """Each operator on each pair of types, or each first one, that has it."""
    for op, (ta, tb) in itertools.product(ops, pairs):
        ends = (ta.width - 1, ta.width // 2) if op is Operation.RANGE else ()
        try:
            question = operator(op.value, ta, tb if op.binary else None, count, stream, ends)
        except ValueError:  # C++ does not have it either
            continue
        if witnessed(question):
            yield question


def _those(choose: Callable[[Operation], bool]) -> list[Operation]:
    return [op for op in Operation if choose(op)]


_NARROW = (*_INTEGERS[:6], *_MIXED, *_FIXED[:3])


def arithmetic(stream: Stream) -> Iterator[Question]:
    """``+ - * / %``, negation, shifts, steps, and the numbers of C++ that values become."""
    shapes = [(8, 4), (6, -2), (5, 9), (16, 6), (1, 1), (32, 20), (33, 1), (64, 40)]
    signs = list(itertools.product((True, False), repeat=2))
    for op, (k, (sa, sb)) in itertools.product("+-*/", enumerate(signs * 2)):
        (wa, ia), (wb, ib) = shapes[k % 8], shapes[(3 * k + 1) % 8]
        yield operator(op, ApFixed(wa, ia, sa), ApFixed(wb, ib, sb), 40, stream)
    # The most negative dividend by the code -1, which is the quirk division-of-minimum.
    yield operator("/", ApFixed(8, 4), ApFixed(8, 8), 60, stream)
    yield operator("/", ApFixed(64, 64), ApFixed(4, 4), 24, stream)
    for wide in (ApFixed(65, 30), ApFixed(65, 70, False)):
        for op in "+-*/":
            yield operator(op, wide, ApFixed(12, 5), 24, stream)
    for width, integer in (*shapes, (65, 3)):
        t = ApFixed(width, integer, width % 3 != 0)
        yield operator("neg", t, None, 24, stream)
        for op in ("<<", ">>"):
            yield operator(op, t, None, 24, stream)
    yield from _asked(map(Operation, "+-*/%"), (*_INTEGERS, *_MIXED), 40, stream)
    singles = (Operation.NEG, Operation.INC, Operation.DEC, Operation.LSHIFT, Operation.RSHIFT)
    natives = _those(lambda op: op.value.startswith("to_"))
    yield from _asked((*singles, *natives), (*_INTEGERS[:6], _INTEGERS[8]), 30, stream)
    odd = (ApFixed(8, 0), ApFixed(9, 4, False, "RND", "SAT"), ApFixed(1, 1, overflow="SAT_SYM"))
    fixed = (*_FIXED, *((t, None) for t in odd))
    yield from _asked((Operation.INC, Operation.DEC, *natives), fixed, 30, stream)


def comparisons(stream: Stream) -> Iterator[Question]:
    """``< <= > >= == !=``, near values among them."""
    pairs = (*_FIXED, *_INTEGERS, *_MIXED, *_COMPARED)
    yield from _asked(_those(lambda op: op.comparison), pairs, 40, stream)


def bits(stream: Stream) -> Iterator[Question]:
    """``& | ^ ~``, concatenation, reductions, and bits by number and range."""
    few = (*_INTEGERS[:6], _INTEGERS[8], *_MIXED[:3], *_FIXED)
    yield from _asked(_those(lambda op: op.bitwise or op is Operation.CONCAT), few, 30, stream)
    singles = _those(lambda op: op.value.endswith("_reduce") or op.indexed)
    yield from _asked((Operation.NOT, Operation.RANGE, *singles), few, 30, stream)


def assignments(stream: Stream) -> Iterator[Question]:
    """``op=`` with every operator, on integers and mixed pairs; the new ones on fixed point."""
    compound = _those(lambda op: op.assigned is not None)
    yield from _asked(compound, _NARROW, 24, stream)
