"""The quantizers' own kernels, as they stand in the source, against the law: what users run.

Codes to codes, and floats to codes and to values.  A float is taken by its exponent: each one at
which its bits lie across the type is a question of its own, and all below and all above are one
each, in which any number of that magnitude stands for the float.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from harness.prove.law import fixed
from harness.prove.machine import Raw, Row, Unsigned, as_word, merged
from harness.prove.reals import FORMATS, Real
from harness.prove.solve import Claim, Pair, possible
from harness.prove.source import Source, source_of
from harness.prove.terms import Integer, Truth, Word, all_of, choose
from harness.quantize.fixed_values import float_plan, wild_limit
from harness.quantize.plan import plan
from harness.quantize.two_words import fits, target_of
from harness.types import ApFixed

__all__ = ["by_rounding", "cast_claims", "double_claims", "float_claims", "kept"]

CODES = "harness.quantize.fixed_codes"
VALUES = "harness.quantize.fixed_values"
TWO_WORDS = "harness.quantize.two_words"
#: Of an exponent that far beyond a type's bits only sign and magnitude count.
BEYOND = 2
UNDEFINED = "what C leaves undefined"


def by_rounding(targets: Iterable[ApFixed]) -> dict[str, list[ApFixed]]:
    """Types of one shape that round alike: what one question is about."""
    found: dict[str, list[ApFixed]] = {}
    for t in targets:
        found.setdefault(t.rounding.cpp, []).append(t)
    return found


def cast_claims(
    source: ApFixed, targets: Sequence[ApFixed], *, kernels: Source | None = None
) -> Iterator[Claim]:
    """The compiled loops from codes to codes, one claim for each rounding mode.

    Args:
        source: the type of the codes.
        targets: types of up to 64 bits; or up to 128, if the source has more or they have.
        kernels: other source text for them.

    Raises:
        ValueError: for a type that no compiled loop serves.
    """
    wide = max(source.width, *(t.width for t in targets)) > 64
    if wide and not all(map(fits, (source, *targets))):
        raise ValueError(f"no compiled loop casts {source} to {targets[0]}")
    name = TWO_WORDS if wide else CODES
    module = kernels or source_of(name)
    call = _cast_two_words if wide else _cast_codes
    for rounding, group in by_rounding(targets).items():
        code = Word.named("code", source.width)
        duties: list[Truth] = []
        pairs = []
        for t in group:
            found = call(module, code, source, t, duties)
            law = fixed.cast(code, source, t).extended(found.width, t.signed)
            pairs.append(Pair(str(t), found, law))
        question = f"{source} -> {_shape(group[0])}, {rounding}"
        yield Claim(question, name, {"code": code}, [*pairs, *kept(duties)])


def _cast_codes(
    module: Source, code: Word, source: ApFixed, t: ApFixed, duties: list[Truth]
) -> Word:
    out = Row([None], "int64")
    unsigned = int(source.width == 64 and not source.signed)
    words = Row([code.extended(64, source.signed)])
    module.call("integers_to_codes", words, out, unsigned, source.frac, plan(t), duties=duties)
    return as_word(out.items[0])


def _cast_two_words(
    module: Source, code: Word, source: ApFixed, t: ApFixed, duties: list[Truth]
) -> Word:
    x, out = _halves(code, source), Row([None] * (1 + (t.width > 64)), "int64", _rows(t))
    drop = source.frac - t.frac
    module.call("cast_words", x, int(not source.signed), out, drop, target_of(t), duties=duties)
    low, *high = map(as_word, out.items)
    return high[0].above(low) if high else low


def _halves(code: Word, t: ApFixed) -> Row:
    """A code as the loops hold it: one word, or the low and the high one."""
    if t.width <= 64:
        return Row([code.extended(64, t.signed)], "int64", _rows(t))
    whole = code.extended(128, t.signed)
    return Row([whole.bits(63, 0), whole.bits(127, 64)], "int64", _rows(t))


def _rows(t: ApFixed) -> tuple[int, int]:
    return 1, 1 + (t.width > 64)


@dataclass(frozen=True)
class Floats:
    """Some floats of a format: those of one exponent, or all up to one, or from one on.

    Attributes:
        name: how a question calls them.
        units: signed, of ``2**-frac``.
        word: what they look like in memory.
        real: the same for the processor.
        inputs: what they are made of.
        given: what these obey.
    """

    name: str
    units: Integer
    frac: int
    word: Word
    real: Real
    inputs: dict[str, Word]
    given: tuple[Truth, ...] = ()


def float_claims(
    dtype: str, targets: Sequence[ApFixed], *, kernels: Source | None = None, few: bool = False
) -> Iterator[Claim]:
    """The float loops, to codes and to values: every finite float and both infinities.

    Args:
        dtype: ``float32`` or ``float64``, of what is quantized.
        targets: types of one shape.
        kernels: other source text for them.
        few: whether exponents are left out at which a float lies across the type as at others.

    Raises:
        ValueError: for a type that the loops do not take, as its values are not exact in the dtype.
    """
    made = float_plan(targets[0], dtype)
    if made is None:
        raise ValueError(f"the float loop does not take {targets[0]} from {dtype}")
    kind = np.dtype(type(made.one)).name
    module = kernels or source_of(VALUES)
    for floats in _floats(kind, FORMATS[dtype].bias, targets[0], few):
        for rounding, group in by_rounding(targets).items():
            duties: list[Truth] = []
            pairs = []
            for t in group:
                pairs += _float_pairs(module, floats, t, dtype, kind, duties)
            question = f"{dtype} {floats.name} -> {_shape(group[0])}, {rounding}"
            given = floats.given
            yield Claim(question, VALUES, floats.inputs, [*pairs, *kept(duties)], given)


def _float_pairs(
    module: Source, floats: Floats, t: ApFixed, dtype: str, kind: str, duties: list[Truth]
) -> list[Pair]:
    p = float_plan(t, dtype)
    assert p is not None, "all modes of a shape have a plan, or none"
    law = fixed.to_code(floats.units, floats.frac, t)
    code, value = (
        _written(module, floats, p, factor, kind, duties) for factor in (p.one, p.inverse)
    )
    codes = Pair(str(t), code.integer(duties.append), law.extended(64, t.signed))
    frac = max(value.frac, t.frac)
    exact = fixed.decoded(law, t) << (frac - t.frac)
    minus = value.negative if isinstance(value.negative, Truth) else Truth(value.negative)
    right = (value.at(frac) == exact) & ~(minus & (exact == 0))  # no code is -0.0
    return [codes, Pair(f"the value of {t}", right.word(), Word.of(1, 1))]


def _written(
    module: Source, floats: Floats, p: Any, factor: Any, kind: str, duties: list[Truth]
) -> Any:
    """What is written for a float: by the loop for tame ones, or where that stops by the other."""
    words, x, limit = Row([Unsigned(floats.word)]), Row([floats.real], kind), wild_limit(p)

    def written(given: tuple[Truth, ...]) -> Any:
        out = Row([None], kind)
        known: dict[str, Any] = {"duties": duties, "given": given}
        tame = (x, words, limit, out, factor, p)
        if p.rescue or module.call("quantize_tame", *tame, **known) < x.size:
            module.call("quantize_wild", x, out, factor, p, **known)
        return out.items[0]

    found = module.call("_is_wild", words, limit, given=floats.given)
    wild = found if isinstance(found, Truth) else Truth(found)
    ways = [way for way in (wild, ~wild) if possible([*floats.given, way])]
    if p.rescue or len(ways) == 1:
        return written(floats.given)
    return merged(wild, *(written((*floats.given, way)) for way in ways))


def _floats(kind: str, largest: int, t: ApFixed, few: bool) -> Iterator[Floats]:
    """All finite floats and the infinities, by exponent, for a type's bits; or a few of them."""
    form = FORMATS[kind]
    low = -t.frac - BEYOND
    high = min(t.width - t.frac + form.precision + BEYOND, largest + 1)
    if t.frac < 0:  # scaled, the smallest are subnormal, and rounded there
        normal = 1 - form.bias - t.frac
        for exponent in range(-form.bias, normal):
            yield _one(kind, exponent + form.bias)
        yield _many(kind, normal, low)
    else:
        yield _many(kind, None, low)
    # Between them every float has bits above the type, within it and below it.
    between = range(low + t.width + 5, high - t.width - 5) if few else range(0)
    for exponent in range(low, high):
        if exponent not in between:
            yield _one(kind, exponent + form.bias)
    # The loop scales by 2**F, which brings the largest to infinity.
    ends = sorted({high, min(max(form.bias + 1 - t.frac, high), largest + 1), largest + 1})
    for first, last in itertools.pairwise(ends):
        yield _many(kind, first, last)
    yield _one(kind, 2 * form.bias + 1)


def _one(kind: str, field: int) -> Floats:
    """The floats of one exponent field; of the last one the infinities alone."""
    form = FORMATS[kind]
    sign, fraction = Word.named("sign", 1), Word.named("fraction", form.precision - 1)
    infinite = field == 2 * form.bias + 1
    bits = Word.of(0, fraction.width) if infinite else fraction
    negative = sign == 1
    real = Real.from_parts(negative, bits, field, kind)
    word = sign.above(Word.of(field, form.exp_bits)).above(bits)
    units, frac = real.units, real.frac
    if infinite:  # to the header one is a number beyond all others
        one = Integer.of(1)
        units, frac = choose(negative, -one, one), -1024
    inputs = {"sign": sign} if infinite else {"sign": sign, "fraction": fraction}
    name = "infinities" if infinite else f"2**{field - form.bias}"
    return Floats(name, units, frac, word, real, inputs)


def _many(kind: str, low: int | None, high: int) -> Floats:
    """All floats below ``2**high``, from ``2**low`` on if that is given, and other numbers."""
    form = FORMATS[kind]
    frac = form.finest if low is None else form.precision - 1 - low
    sign, magnitude = Word.named("sign", 1), Word.named("magnitude", high + frac)
    field, fraction = Word.named("field", form.exp_bits), Word.named("fraction", form.precision - 1)
    least = Fraction(0) if low is None else Fraction(2) ** low
    negative = sign == 1
    real = Real.within(negative, magnitude, frac, least, kind)
    exponent = field.integer(signed=False)
    given = [exponent < high + form.bias]
    if low is not None:
        given.append(exponent >= low + form.bias)
        given.append(~magnitude.less(1 << (form.precision - 1), signed=False))
    else:
        given.append((magnitude == 0) == ((field == 0) & (fraction == 0)))
    name = f"below 2**{high}" if low is None else f"from 2**{low} on"
    inputs = {"sign": sign, "magnitude": magnitude, "field": field, "fraction": fraction}
    word = sign.above(field).above(fraction)
    return Floats(name, real.units, frac, word, real, inputs, tuple(given))


def double_claims(targets: Sequence[ApFixed], *, kernels: Source | None = None) -> Iterator[Claim]:
    """The integer loop from doubles to codes, as types take that have no exact float loop.

    Args:
        targets: types of one shape, up to 64 bits.
        kernels: other source text for it.
    """
    module = kernels or source_of(CODES)
    for floats in _doubles(targets[0]):
        for rounding, group in by_rounding(targets).items():
            duties: list[Truth] = []
            pairs = []
            for t in group:
                out = Row([None], "int64")
                x, given = Row([Raw(floats.word)]), floats.given
                module.call("doubles_to_codes", x, out, plan(t), duties=duties, given=given)
                law = fixed.to_code(floats.units, floats.frac, t).extended(64, t.signed)
                pairs.append(Pair(str(t), as_word(out.items[0]), law))
            question = f"double {floats.name} -> {_shape(group[0])}, {rounding}"
            given = floats.given
            yield Claim(question, CODES, floats.inputs, [*pairs, *kept(duties)], given)


def _doubles(t: ApFixed) -> Iterator[Floats]:
    """All doubles; beyond the finite ones the header reads on as if there were more exponents."""
    bias = FORMATS["float64"].bias
    low = max(-t.frac - BEYOND, 1 - bias)
    high = min(t.width - t.frac + 53 + BEYOND, bias + 1)
    yield _many("float64", None, low)
    for exponent in range(low, high):
        yield _one("float64", exponent + bias)
    yield _many("float64", high, bias + 2)


def _shape(t: ApFixed) -> str:
    """A type without its modes."""
    return str(ApFixed(t.width, t.integer, t.signed))


def kept(duties: Sequence[Truth]) -> list[Pair]:
    """That nothing is asked which C leaves undefined, or which :class:`Real` does not follow."""
    return [Pair(UNDEFINED, all_of(duties).word(), Word.of(1, 1))] if duties else []
