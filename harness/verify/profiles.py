"""Which questions a run asks: a bounded, seeded pool of types that reaches every mode and shape."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from harness.oracle.limits import cast_aborts
from harness.types import MAX_WIDTH, ApFixed, ApInt, Operation, Overflow, Rounding, result_type
from harness.verify.accumulate_questions import Accumulation
from harness.verify.fixed_questions import Cast, FromNumber
from harness.verify.float_profiles import float_questions, out_of_floats
from harness.verify.operator_questions import Operator
from harness.verify.questions import Question

__all__ = ["PROFILES", "Profile", "modes", "questions_for", "type_pool"]

Generator = np.random.Generator


@dataclass(frozen=True)
class Profile:
    """How much a run asks.

    Attributes:
        shapes: types per combination of signedness, rounding and overflow.
        doubles: inputs per type on the double path.
        exhaustive_width: up to this width every breakpoint is visited.
        pairs: operand pairs per arithmetic operator.
        small_types: up to this width, every type of every mode and N as well.
        minifloats: drawn minifloats, and as many Vitis floats, beside the usual ones.
    """

    shapes: int
    doubles: int
    exhaustive_width: int
    pairs: int
    small_types: int = 0
    minifloats: int = 0


PROFILES = {
    "quick": Profile(shapes=6, doubles=32_000, exhaustive_width=9, pairs=16, minifloats=4),
    "full": Profile(shapes=18, doubles=160_000, exhaustive_width=13, pairs=64, minifloats=24),
    "exhaustive": Profile(
        shapes=24, doubles=320_000, exhaustive_width=16, pairs=128, small_types=4, minifloats=64
    ),
}
"""How much is tried, under the names that ``--profile`` takes."""


def modes() -> Iterator[tuple[bool, Rounding, Overflow]]:
    """Every (signed, rounding, overflow) that a type may have."""
    for signed, rounding, overflow in itertools.product((True, False), Rounding, Overflow):
        if signed or overflow is not Overflow.WRAP_SM:
            yield signed, rounding, overflow


def type_pool(profile: Profile, rng: Generator) -> list[ApFixed]:
    """Distinct types: every mode in many shapes, N > 0, and some beyond 64 bits."""
    pool: dict[ApFixed, None] = {}
    for count, (signed, rounding, overflow) in enumerate(modes()):
        for shape in range(profile.shapes):
            width, integer = _shape(shape, count + shape, rng)
            pool[ApFixed(width, integer, signed, rounding, overflow)] = None
        if overflow.wraps:
            for saturated in range(3):
                width, integer = _shape(saturated + 1, count + saturated, rng)
                n = (1, int(rng.integers(1, width + 1)), width)[saturated]
                pool[ApFixed(width, integer, signed, rounding, overflow, n)] = None
        if count % 7 == 0:
            width = int(rng.integers(65, 200)) if count else MAX_WIDTH
            integer = int(rng.integers(-20, width + 20))
            pool[ApFixed(width, integer, signed, rounding, overflow)] = None
    for t in _small_types(profile.small_types):
        pool[t] = None
    return list(pool)


def _shape(shape: int, style: int, rng: Generator) -> tuple[int, int]:
    """Width and integer bits: six classes of width, four of the binary point."""
    low, high = [(1, 4), (5, 9), (10, 24), (23, 26), (27, 53), (54, 64)][shape % 6]
    width = int(rng.integers(low, high + 1))
    integer = [
        lambda: int(rng.integers(0, width + 1)),
        lambda: -int(rng.integers(1, 30)),
        lambda: width + int(rng.integers(1, 30)),
        lambda: int(rng.integers(0, width + 1)),
    ][style % 4]()
    return width, integer


def _small_types(up_to: int) -> Iterator[ApFixed]:
    for width in range(1, up_to + 1):
        for signed, rounding, overflow in modes():
            for n in range(width + 1 if overflow.wraps else 1):
                for integer in (-1, width // 2, width + 1):
                    yield ApFixed(width, integer, signed, rounding, overflow, n)


def questions_for(profile: Profile, rng: Generator) -> list[Question]:
    """Everything a run of ``profile`` asks, in the order it is asked."""
    pool = type_pool(profile, rng)
    asked: list[Question] = [FromNumber("double", t) for t in pool]
    asked += [FromNumber("float", t) for t in pool[::6] if t.width <= 64]
    one_each = {(t.signed, t.rounding, t.overflow): t for t in pool if t.width <= 64}
    for k, t in enumerate(one_each.values()):
        asked.append(FromNumber("std::uint64_t" if k % 3 == 0 else "std::int64_t", t))
    asked += [Cast(_source(t, rng), t) for t in pool[::2]]
    asked += _about_integers(profile, rng)
    for op in Operation:
        share = 1 if op in _MOST_USED else 4
        asked += [_operator(op, k, rng) for k in range(max(profile.pairs // share, 3))]
    for k, (signed, rounding, overflow) in enumerate(modes()):
        width, integer = _shape(k % 3 + 1, 0, rng)
        op = (Operation.ADD, Operation.SUB, Operation.ADD, Operation.MUL)[k % 4]
        accumulator = ApFixed(width, integer, signed, rounding, overflow)
        asked.append(_accumulation(op, accumulator, rng))
    asked += float_questions(profile.minifloats, rng)
    return [*asked, *_saturated_wide(), *out_of_floats(one_each.values())]


def _saturated_wide() -> Iterator[Question]:
    """Casts into types beyond 64 bits of which some bits saturate, or all."""
    for signed, rounding, overflow in modes():
        if overflow.wraps:
            k = int(rounding)
            n = (1, 2, 20 + k, 80)[k % 4]
            target = ApFixed(80, 40 - k, signed, rounding, overflow, n)
            yield Cast(ApFixed(90, 45), target)
            yield FromNumber("double", target)


def _source(target: ApFixed, rng: Generator) -> ApFixed:
    """A type whose values, cast to ``target``, lose bits at both ends."""
    signed = bool(rng.random() < 0.7)
    if target.width > 64:
        width = int(rng.integers(max(2, target.width - 40), min(target.width + 60, MAX_WIDTH)))
        return ApFixed(width, width - target.frac - int(rng.integers(-2, 9)), signed)
    drop = int(rng.integers(-3, 12))
    excess = int(rng.integers(-2, 6))
    width = min(max(target.width + drop + excess, int(rng.integers(1, 9))), 64)
    if rng.random() < 0.04:
        drop = width + int(rng.integers(0, 3))  # around the longest shift the header survives
    return ApFixed(width, width - target.frac - drop, signed)


def _plain(rng: Generator, widest: int, lowest: int = -4) -> ApFixed:
    width = int(rng.integers(1, widest + 1))
    return ApFixed(width, int(rng.integers(lowest, width + 5)), bool(rng.random() < 0.65))


#: Operators that every model has: more pairs of types are asked about.
_MOST_USED = (
    Operation.ADD,
    Operation.SUB,
    Operation.MUL,
    Operation.DIV,
    Operation.LT,
    Operation.EQ,
)


def _about_integers(profile: Profile, rng: Generator) -> Iterator[Question]:
    """Every small integer type from doubles, and some of each size from everything else."""
    widths = [
        *range(1, profile.exhaustive_width),
        *rng.integers(10, 65, 4 * profile.shapes).tolist(),
    ]
    for k, width in enumerate((*widths, 64, 65, int(rng.integers(66, 300)))):
        t = ApInt(width, bool(k % 2) or (width < profile.exhaustive_width and rng.random() < 0.5))
        yield FromNumber("double", t)
        if k % 3 == 0:
            yield FromNumber("float", t)
            yield FromNumber("std::int64_t", t)
        yield Cast(_integer(rng, 64) if k % 4 == 0 else _plain(rng, 40, lowest=0), t)


def _integer(rng: Generator, widest: int) -> ApInt:
    return ApInt(int(rng.integers(1, widest + 1)), bool(rng.random() < 0.6))


def _operator(op: Operation, k: int, rng: Generator) -> Operator:
    """A question about an operator: of two fixed-point types, of two integers, of one each."""
    while True:
        # One result in eight is wider than 64 bits; comparisons change at 32.
        widest = 60 if rng.random() < 0.125 else 40 if op.comparison else 30
        kinds = ((_plain, _plain), (_integer, _integer), (_plain, _integer), (_integer, _plain))
        a, b = (make(rng, widest) for make in kinds[k % 4])
        ends = None
        if op is Operation.RANGE:
            ends = (int(rng.integers(a.width)), int(rng.integers(a.width)))
        elif op.comparison and k % 3 == 0:  # of one width, where C has rules of its own
            b = _of_width(b, a.width)
        try:
            target = result_type(op, a, ends or (b if op.binary else None))
        except ValueError:
            k += 1  # no such operator of these kinds
            continue
        if target.width <= 128:
            return Operator(op, a, b if op.binary else None, ends)


def _of_width(t: ApFixed, width: int) -> ApFixed:
    if isinstance(t, ApInt):
        return ApInt(width, t.signed)
    return ApFixed(width, t.integer, t.signed)


def _accumulation(op: Operation, target: ApFixed, rng: Generator) -> Accumulation:
    while True:
        b = ApFixed(
            int(rng.integers(2, 16)), target.integer - int(rng.integers(-1, 4)), target.signed
        )
        full = result_type(op, target, b)
        if full.width <= 64 and not cast_aborts(full, target):
            return Accumulation(op, target, b)
