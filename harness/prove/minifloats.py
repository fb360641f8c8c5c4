"""The integer loops of floating point, as they stand in the source, against the law.

They are behind the casts of codes from and into float types, and behind floats into types that have
no faster loop.  A code is one word, of any exponent: the solver needs no cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from harness.prove.kernels import kept
from harness.prove.law import casts
from harness.prove.machine import Row, as_word
from harness.prove.solve import Claim, Pair
from harness.prove.source import Source, source_of
from harness.prove.terms import Truth, Word
from harness.quantize.plan import packing, plan
from harness.types import FLOAT64, ApFixed, BinaryFloat, FloatRounding, IeeeFloat

__all__ = ["FLOAT_CODES", "PRECISION", "float_cast_claims", "float_modes", "float_word_claims"]

FLOAT_CODES = "harness.quantize.float_codes"
#: Of longer significands a solver does not find in a minute what a double becomes in them.
PRECISION = 12


def float_modes(t: IeeeFloat) -> tuple[IeeeFloat, ...]:
    """A type with every rounding that is no chance."""
    return tuple(replace(t, rounding=r) for r in FloatRounding if not r.stochastic)


def float_cast_claims(
    source: ApFixed | BinaryFloat,
    targets: Sequence[ApFixed | BinaryFloat],
    *,
    kernels: Source | None = None,
) -> Iterator[Claim]:
    """Codes to codes, where one side is a float type: every code that has one.

    Args:
        source: the type of the codes.
        targets: types of up to 64 bits, of which one at least is a float type if this is none.
        kernels: other source text for the loops.
    """
    code = Word.named("code", source.width)
    yield from _claims(code, source, targets, kernels)


def float_word_claims(
    targets: Sequence[BinaryFloat], *, kernels: Source | None = None
) -> Iterator[Claim]:
    """Doubles to codes, by integers: every double that has a code.

    Args:
        targets: float types; of more than :data:`PRECISION` bits the solver finds no end.
        kernels: other source text for the loop.
    """
    yield from _claims(Word.named("word", 64), FLOAT64, targets, kernels, doubles=True)


def _claims(
    code: Word,
    source: Any,
    targets: Sequence[Any],
    kernels: Source | None,
    *,
    doubles: bool = False,
) -> Iterator[Claim]:
    module = kernels or source_of(FLOAT_CODES)
    for t in targets:
        duties: list[Truth] = []
        out = Row([None], "int64")
        signed = isinstance(source, ApFixed) and source.signed
        x = Row([code.extended(64, signed)])
        name, *facts = _loop(source, t, doubles)
        given = [casts.defined(code, source, t)]
        module.call(name, x, out, *facts, duties=duties, given=given)
        law = casts.cast(code, source, t).extended(64, isinstance(t, ApFixed) and t.signed)
        pairs = [Pair(str(t), as_word(out.items[0]), law), *kept(duties)]
        by = "double" if doubles else str(source)
        yield Claim(f"{by} -> {t}", FLOAT_CODES, {"code": code}, pairs, given)


def _loop(source: Any, t: Any, doubles: bool) -> tuple[Any, ...]:
    """The function that casts codes, and what it is told of the types."""
    if doubles:
        return "doubles_to_codes", packing(t)
    if isinstance(source, ApFixed):
        unsigned = int(source.width == 64 and not source.signed)
        return "integers_to_codes", unsigned, -source.frac, packing(t)
    if isinstance(t, ApFixed):
        return "floats_to_fixed", packing(source), plan(t)
    return "floats_to_floats", packing(source), packing(t)
