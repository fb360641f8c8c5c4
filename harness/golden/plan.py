"""Which questions the committed truth files ask: every mode, every class of shape, every family."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from harness.golden.answer import Question
from harness.golden.inputs import codes_for, numbers_for
from harness.golden.operators import operator
from harness.golden.plan_operators import arithmetic, assignments, bits, comparisons, witnessed
from harness.golden.record import NUMBERS, columns_for, word_of
from harness.golden.stream import Stream
from harness.types import (
    FORMATS,
    TERNARY,
    ApFixed,
    ApInt,
    Binary,
    FloatRounding,
    IeeeFloat,
    MiniFloat,
    Overflow,
    Rounding,
    VitisFloat,
)
from harness.verify.profiles import modes as plain_modes

__all__ = ["FILES", "File", "casts", "conversion", "modes"]

#: Ranges of widths: one bit, few, bytes, words, beyond a float, beyond a double, beyond 64 bits.
_WIDTHS = ((1, 1), (2, 4), (5, 9), (10, 24), (25, 53), (54, 64), (65, 65))

#: Integer types: one bit, few, beyond an int, a double, and 64 bits.
INTEGERS = (
    *(ApInt(1), ApInt(1, False), ApInt(4), ApInt(7, False), ApInt(8), ApInt(16, False)),
    *(ApInt(33), ApInt(53, False), ApInt(64), ApInt(64, False), ApInt(65), ApInt(70, False)),
)


@dataclass(frozen=True)
class File:
    """A truth file to be written: what it is about, and its questions."""

    name: str
    family: str
    operation: str
    path: str
    questions: Callable[[Stream], Iterable[Question]]


def modes() -> Iterator[tuple[bool, Rounding, Overflow, int]]:
    """Every (signed, rounding, overflow) and class of N: none, one, some, all bits."""
    for signed, rounding, overflow in plain_modes():
        for n_class in range(4 if overflow.wraps else 1):
            yield signed, rounding, overflow, n_class


def _fixed_types(stream: Stream) -> list[ApFixed]:
    """Every mode once, the shapes in turn; then each shape in every rounding."""
    found: dict[ApFixed, None] = {}
    for k, (signed, rounding, overflow, n_class) in enumerate(modes()):
        width = stream.between(*_WIDTHS[k % len(_WIDTHS)])
        if n_class == 2 and width < 3:
            width = stream.between(*_WIDTHS[2])
        n = (0, 1, max(1, width // 2), width)[n_class]
        integer = _integer(k // len(_WIDTHS), width, stream)
        found[ApFixed(width, integer, signed, rounding, overflow, n)] = None
    for k, (rounding, bounds) in enumerate(itertools.product(Rounding, _WIDTHS)):
        width = stream.between(*bounds)
        overflow = (Overflow.SAT, Overflow.WRAP, Overflow.SAT_SYM)[k % 3]
        found[ApFixed(width, _integer(k, width, stream), k % 2 == 0, rounding, overflow)] = None
    return list(found)


def _integer(style: int, width: int, stream: Stream) -> int:
    """Integer bits: within the width, negative, or more than it has."""
    return (
        stream.between(0, width),
        -stream.between(1, 12),
        stream.between(0, width),
        width + stream.between(1, 12),
    )[style % 4]


def conversion(number: str, t: Any, count: int, stream: Stream) -> Question:
    """About ``count`` C++ numbers on their way into ``t``."""
    source = NUMBERS[number]
    words = numbers_for(source, t, count, stream)
    return Question("convert", columns_for("convert", [source], t), (tuple(words),))


def cast(source: Any, t: Any, count: int, stream: Stream) -> Question:
    """About ``count`` codes of ``source`` on their way into ``t``."""
    words = codes_for(source, t, count, stream)
    return Question("cast", columns_for("cast", [source], t), (tuple(words),))


def _doubles(stream: Stream) -> Iterator[Question]:
    for t in [*_fixed_types(stream), TERNARY, *_quirky(), *INTEGERS]:
        yield conversion("double", t, 110, stream)


def _quirky() -> list[ApFixed]:
    """Types whose header quirks a draw could miss: one bit, unrounded bits, subnormals."""
    return [
        ApFixed(1, 1, True, "TRN", "SAT_SYM"),
        ApFixed(4, 4, True, "RND", "WRAP_SM"),
        ApFixed(8, -1015, True, "RND_CONV", "SAT"),
    ]


def _numbers(*names: str) -> Callable[[Stream], Iterator[Question]]:
    def questions(stream: Stream) -> Iterator[Question]:
        for k, t in enumerate(_fixed_types(stream)[::3]):
            if t.width <= 64:
                question = conversion(names[k % len(names)], t, 60, stream)
                if witnessed(question):
                    yield question
        for number, t in itertools.product(names, INTEGERS):
            yield conversion(number, t, 60, stream)
        if "float" in names:  # whose NaN and infinities these have bits of
            for t in (ApInt(106, False), ApInt(130)):
                yield conversion("float", t, 60, stream)

    return questions


def casts(stream: Stream) -> Iterator[Question]:
    """From a source that rounds and overflows into every type; at times from one that does not."""
    for k, t in enumerate([*_fixed_types(stream), TERNARY, *_quirky()]):
        frac, integer = t.frac + stream.between(1, 6), t.integer + stream.between(1, 4)
        if k % 16 == 5:  # far finer than the target: its bound lies within the source's lowest bits
            frac += 12
        yield cast(_source(frac, integer, k % 4 != 1), t, 800, stream)
        if k % 8 == 7:  # nothing to round, or nothing to lose at all
            frac, integer = t.frac - stream.between(0, 3), t.integer + stream.between(-2, 3)
            yield cast(_source(frac, integer, k % 3 != 1), t, 400, stream)
    for source, t in _far():
        yield cast(source, t, 200, stream)
    for k, t in enumerate(INTEGERS):
        frac, integer = stream.between(1, 6), t.integer + stream.between(0, 4)
        yield cast(_source(frac, integer, k % 4 != 1), t, 400, stream)
        # Negative values of no integer bits are the quirk ap-int-no-integer-bits.
        yield cast(ApFixed(stream.between(3, 20), 0), t, 100, stream)
        yield cast(ApInt(t.width + stream.between(0, 5), not t.signed), t, 100, stream)
        rounding, overflow = list(Rounding)[k % len(Rounding)], ("SAT", "WRAP", "SAT_SYM")[k % 3]
        fixed = ApFixed(max(t.width - 1, 2), t.width - 2, k % 2 == 0, rounding, overflow)
        yield cast(t, fixed, 100, stream)


def _far() -> Iterator[tuple[ApFixed, ApFixed]]:
    """Shifts of all the source's bits out to the right, and past the target to the left."""
    for rounding in Rounding:
        yield ApFixed(5, -4), ApFixed(6, 2, rounding=rounding, overflow="SAT")
        yield ApFixed(5, -4, False), ApFixed(6, 2, rounding=rounding, overflow="WRAP")
    yield ApFixed(5, -9), ApFixed(6, 2)
    yield ApFixed(5, -9, False), ApFixed(6, 2, rounding="TRN_ZERO")
    for overflow in Overflow:
        yield ApFixed(5, 40), ApFixed(6, 2, overflow=overflow)
        if overflow.wraps:
            yield ApFixed(5, 40), ApFixed(6, 2, overflow=overflow, n=3)


def _source(frac: int, integer: int, signed: bool) -> ApFixed:
    return ApFixed(max(frac + integer, 1), integer, signed)


def _assignments(stream: Stream) -> Iterator[Question]:
    for k, t in enumerate(_fixed_types(stream)):
        if t.width > 64 or abs(t.frac) > 40:
            continue
        op = ("+=", "-=", "*=", "/=")[k % 4]
        operand = ApFixed(stream.between(2, 16), stream.between(-2, 10), k % 3 != 0)
        question = operator(op, t, operand, 20, stream)
        if witnessed(question):
            yield question
    yield from assignments(stream)


def _accumulations(stream: Stream) -> Iterator[Question]:
    for k, t in enumerate(_fixed_types(stream)):
        if t.width > 64 or t.width < 2 or abs(t.frac) > 40:
            continue
        addend = ApFixed(t.width + 2, t.integer + stream.between(-1, 1), k % 3 != 0)
        operation = "product" if k % 5 == 0 else "sum"
        words = [stream.bits(addend.width) for _ in range(40)]
        columns = columns_for(operation, [addend], t)
        start = word_of(stream.choice((0, 1, t.max_code)), t)
        question = Question(operation, columns, (tuple(words),), start)
        if witnessed(question):
            yield question


MINIFLOATS = (
    MiniFloat(3, 4, 0),
    MiniFloat(2, 3, 1),
    MiniFloat(4, 3, -2),
    MiniFloat(7, 4, 0),
    MiniFloat(1, 2, 0),
    MiniFloat(10, 5, -3),
    MiniFloat(23, 8, 0),
    MiniFloat(5, 4, 9),
    MiniFloat(0, 3, 0),
)


def _minifloat_conversions(stream: Stream) -> Iterator[Question]:
    for k, t in enumerate(MINIFLOATS):
        yield conversion("double", t, 200, stream)
        yield conversion(("float", "std::int64_t")[k % 2], t, 80, stream)


def _minifloat_casts(stream: Stream) -> Iterator[Question]:
    for k, t in enumerate(MINIFLOATS):
        yield cast(ApFixed(12 + k, (4, 6, 2, 12)[k % 4], k % 3 != 2), t, 300, stream)
        if t.e < 8:
            yield cast(t, t.fixed, 256, stream)


def _minifloat_products(stream: Stream) -> Iterator[Question]:
    for t in MINIFLOATS[:5]:
        yield operator("*", t, ApFixed(8, 3), 60, stream)
        yield operator("*", t, MINIFLOATS[0], 60, stream)


def _ieee(stream: Stream) -> Iterator[Question]:
    formats: dict[IeeeFloat, None] = dict.fromkeys(FORMATS.values())
    for name in ("float16", "bfloat16", "float8_e5m2", "float8_e4m3fn", "float32"):
        base = FORMATS[name]
        for rounding in FloatRounding:
            if not rounding.stochastic:
                formats[base.with_modes(rounding=rounding)] = None
        formats[base.with_modes(subnormals=False)] = None
        formats[base.with_modes(overflow="saturate")] = None
    for t in formats:
        yield conversion("double", t, 160, stream)
    for name in ("float16", "float8_e4m3fn"):
        yield conversion("float", FORMATS[name], 160, stream)


def _vitis(stream: Stream) -> Iterator[Question]:
    for width, exponent in ((16, 5), (32, 8), (24, 6), (12, 4), (64, 11)):
        yield conversion("double", VitisFloat(width, exponent), 160, stream)


def _binary_signs(stream: Stream) -> Iterator[Question]:
    for source in (ApFixed(8, 4), ApFixed(16, 6), ApFixed(10, -2), ApFixed(7, 9)):
        yield cast(source, Binary(), 300, stream)


#: Every truth file, by its name under ``golden/``.
FILES = (
    File("fixed/double.json", "fixed", "conversion", "double", _doubles),
    File("fixed/float.json", "fixed", "conversion", "float", _numbers("float")),
    File(
        "fixed/integer.json",
        "fixed",
        "conversion",
        "integer",
        _numbers("std::int64_t", "std::uint64_t"),
    ),
    File("fixed/cast.json", "fixed", "cast", "cast", casts),
    File("fixed/arithmetic.json", "fixed", "arithmetic", "arithmetic", arithmetic),
    File("fixed/comparison.json", "fixed", "comparison", "arithmetic", comparisons),
    File("fixed/bits.json", "fixed", "bits", "arithmetic", bits),
    File("fixed/assignment.json", "fixed", "compound assignment", "arithmetic", _assignments),
    File("fixed/accumulation.json", "fixed", "accumulation", "accumulate", _accumulations),
    File("minifloat/double.json", "minifloat", "conversion", "double", _minifloat_conversions),
    File("minifloat/cast.json", "minifloat", "cast", "cast", _minifloat_casts),
    File("minifloat/product.json", "minifloat", "product", "arithmetic", _minifloat_products),
    File("ieee/double.json", "ieee", "conversion", "double", _ieee),
    File("vitis/double.json", "vitis", "conversion", "double", _vitis),
    File("binary/cast.json", "binary", "cast", "cast", _binary_signs),
)
