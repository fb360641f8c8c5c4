"""Which questions about the other families a run asks; seeded, and bounded as the rest is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from harness.oracle.kernels import OURS, VENDOR
from harness.oracle.limits import refusal
from harness.types import (
    FORMATS,
    TERNARY,
    ApFixed,
    Binary,
    BinaryFloat,
    FloatRounding,
    IeeeFloat,
    MiniFloat,
    VitisFloat,
    result_type,
)
from harness.verify.float_questions import Witnessed
from harness.verify.minifloat_questions import FloatCast, FloatProduct, MiniFloatNumber
from harness.verify.other_questions import Chance, Signs, Ternary
from harness.verify.questions import Question
from harness.verify.recode_questions import DOUBLE, WIDE, FloatToFixed, Recode
from harness.verify.witnesses import WITNESSES

__all__ = [
    "MINIFLOATS",
    "VITIS",
    "float_questions",
    "out_of_floats",
    "questions_about",
    "variants",
]

Generator = np.random.Generator
#: Every run asks about these: the usual one, the ends of the limits, and offsets both ways.
MINIFLOATS = (
    MiniFloat(3, 4, 0),
    MiniFloat(2, 5, -3),
    MiniFloat(1, 1, 0),
    MiniFloat(4, 3, 6),
    MiniFloat(10, 6, 0),
    MiniFloat(52, 11, 0),
)
VITIS = (VitisFloat(8, 4), VitisFloat(16, 5), VitisFloat(32, 8), VitisFloat(80, 16))
#: Sizes between the named ones, and the ends.
ODD_SIZES = (
    IeeeFloat(2, 1),
    IeeeFloat(3, 1),
    IeeeFloat(6, 9),
    IeeeFloat(11, 52),
    IeeeFloat(15, 112),
)
#: What leaves for fixed point: values of every code are normal doubles, or zero.
LEAVING: tuple[BinaryFloat, ...] = (
    FORMATS["float32"],
    FORMATS["bfloat16"],
    MiniFloat(10, 6, 0),
    FORMATS["float8_e5m2"],
    VITIS[2],
    FORMATS["float16"],
    MINIFLOATS[0],
)
BY_CHANCE: tuple[Any, ...] = (
    ApFixed(8, 4, rounding="S_RND", overflow="SAT"),
    ApFixed(12, 3, rounding="S_RND_CONV", overflow="SAT_SYM"),
    FORMATS["float8_e4m3fn"].with_modes(rounding="STOCHASTIC"),
    FORMATS["bfloat16"].with_modes(rounding="STOCHASTIC_EQUAL"),
)


def float_questions(minifloats: int, rng: Generator) -> list[Question]:
    """Everything a run asks about the other families; ``minifloats`` types beside the usual."""
    asked: list[Question] = []
    for t in (*MINIFLOATS, *_drawn_minifloats(minifloats, rng)):
        asked += questions_about(t, rng)
    for t in MINIFLOATS[:2]:
        asked += _other_ways_in(t)
    for base in (*FORMATS.values(), *ODD_SIZES):
        for variant in variants(base):
            asked += _witnessed(variant)
    for vitis in (*VITIS, *_drawn_vitis(minifloats, rng)):
        asked += _witnessed(vitis)
    for source in (ApFixed(12, 4), ApFixed(9, 3, signed=False), ApFixed(64, 20)):
        asked += [Signs(source, Binary(zero)) for zero in (1, -1)]
    asked += [Ternary("double", TERNARY), *(Chance(t) for t in BY_CHANCE)]
    return [*asked, *_recoded()]


def _recoded() -> Iterator[Question]:
    """Codes of every format as doubles and in another; ties of every rounding beyond doubles."""
    formats = list(FORMATS.values())
    modes = [rounding for rounding in FloatRounding if not rounding.stochastic]
    for k, source in enumerate(formats):
        yield Recode(source, DOUBLE)
        yield Recode(source, formats[(5 * k + 3) % len(formats)].with_modes(rounding=modes[k % 7]))
    quad = IeeeFloat(15, 112)
    for rounding in modes:
        yield Recode(WIDE, quad.with_modes(rounding=rounding))
        yield Recode(quad, DOUBLE.with_modes(rounding=rounding))
        yield Recode(ApFixed(64, 20), FORMATS["float32"].with_modes(rounding=rounding))
    for wide in (WIDE, quad, ApFixed(64, 40, signed=False)):
        yield Recode(wide, VITIS[-1])
        yield Recode(wide, VITIS[2])


def out_of_floats(targets: Iterable[ApFixed]) -> Iterator[Question]:
    """A float type's codes in each of the fixed-point ``targets``."""
    for k, t in enumerate(targets):
        yield FloatToFixed(LEAVING[k % len(LEAVING)], t)


def questions_about(t: Any, rng: Generator) -> list[Question]:
    """What can be asked about one type that is not fixed point."""
    if isinstance(t, Binary):
        return [Signs(ApFixed(12, 4), t)]
    if isinstance(t, MiniFloat):
        return list(_about_minifloat(t, rng))
    if t.rounding.stochastic:
        return [Chance(t)]
    return list(_witnessed(t))


def _about_minifloat(t: MiniFloat, rng: Generator) -> Iterator[Question]:
    """Into it, out of it and products, by the headers that can."""
    source, factor = _source(t, rng), _factor(rng)
    for header in (VENDOR, OURS):
        found: list[Any] = [MiniFloatNumber(header, t), FloatCast(header, source, t)]
        if _exists(lambda: t.fixed):
            found.append(FloatCast(header, t, t.fixed))
        for other in (factor, MiniFloat(2, 3, 1)):
            if _exists(lambda other=other: result_type("*", t, other)):
                found.append(FloatProduct(header, t, other))
        yield from (question for question in found if refusal(question.kernel) is None)


def _other_ways_in(t: MiniFloat) -> Iterator[Question]:
    """Floats, integers and the constructor, which is no assignment in the vendor's header."""
    for header in (VENDOR, OURS):
        yield MiniFloatNumber(header, t, "float")
        yield MiniFloatNumber(header, t, "std::int64_t")
        yield FloatCast(header, ApFixed(18, 9), t, construct=True)


def _exists(make: Any) -> bool:
    """Whether a type exists; the headers end at 1024 bits, minifloats at 52 and 11."""
    try:
        make()
    except ValueError:
        return False
    return True


def _source(t: MiniFloat, rng: Generator) -> ApFixed:
    """A fixed-point type that reaches over some of the minifloat's window."""
    signed = bool(rng.random() < 0.7)
    width = int(rng.integers(10, 33))
    if t.emax > 60:  # a window that no source spans
        return ApFixed(width, int(rng.integers(0, width)), signed)
    integer = int(rng.integers(1, max(2, min(t.emax + 3, 24)))) if t.emax > 0 else t.emax + 2
    return ApFixed(width, integer, signed)


def _factor(rng: Generator) -> ApFixed:
    width = int(rng.integers(2, 17))
    return ApFixed(width, int(rng.integers(-2, width + 3)), bool(rng.random() < 0.7))


def _drawn_minifloats(count: int, rng: Generator) -> list[MiniFloat]:
    return [
        MiniFloat(*(int(rng.integers(*ends)) for ends in ((1, 12), (1, 7), (-12, 13))))
        for _ in range(count)
    ]


def _drawn_vitis(count: int, rng: Generator) -> list[VitisFloat]:
    exponents = rng.integers(4, 12, count).tolist()
    return [VitisFloat(e + int(rng.integers(4, 54)), e) for e in exponents]


def variants(base: IeeeFloat) -> Iterator[IeeeFloat]:
    """A format in every deterministic rounding, and once flushed and once saturating."""
    for rounding in FloatRounding:
        if not rounding.stochastic:
            yield base.with_modes(rounding=rounding)
    yield base.with_modes(subnormals=False)
    if base.specials != "none":
        yield base.with_modes(overflow="saturate")


def _witnessed(t: BinaryFloat) -> Iterator[Question]:
    """A question for each witness that knows the type."""
    for witness in WITNESSES:
        if witness.accepts(t):
            yield Witnessed(witness, t, witness.inputs)
