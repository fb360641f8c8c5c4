"""The integer loops of floating point, proven from their own source."""

import inspect
import random

import numpy as np
import pytest

from harness.prove import Outcome
from harness.prove.evaluate import holds, value
from harness.prove.minifloats import (
    FLOAT_CODES,
    float_cast_claims,
    float_modes,
    float_word_claims,
)
from harness.prove.plan import float_cast, legal
from harness.prove.solve import Claim, decide
from harness.prove.source import Source, source_of
from harness.quantize import cast_codes
from harness.types import FORMATS, ApFixed, IeeeFloat, MiniFloat

E4M3, E5M2 = FORMATS["float8_e4m3fn"], FORMATS["float8_e5m2"]
FNUZ, HALF = FORMATS["float8_e4m3fnuz"], FORMATS["float16"]
FLUSHED = IeeeFloat(3, 2, subnormals=False, overflow="saturate", specials="none")
CASTS = [
    (HALF, float_modes(E4M3)[::3]),
    (E5M2, float_modes(FNUZ)),
    (FNUZ, float_modes(FLUSHED)),
    (FORMATS["bfloat16"], (E4M3,)),
    (E4M3, legal(ApFixed(6, 3), 2)[::15]),
    (MiniFloat(2, 3, 1), legal(ApFixed(6, 3, signed=False), 1)[::15]),
    (ApFixed(16, 6), float_modes(E5M2)[1::3]),
    (ApFixed(64, 10, signed=False), (HALF,)),
    (ApFixed(9, 3), (MiniFloat(2, 3, 1),)),
]


@pytest.mark.parametrize(("source", "targets"), CASTS, ids=[f"{s} {t[0]}" for s, t in CASTS])
def test_every_code(source: object, targets: tuple[object, ...]) -> None:
    """Codes of float types in other types, and the other way, also of a hundred binades."""
    claims = [*float_cast_claims(source, targets)]  # type: ignore[arg-type]
    assert len(claims) == len(targets)
    assert {decide(claim).outcome for claim in claims} == {Outcome.PROVEN}


def test_every_double() -> None:
    """Of any exponent, subnormals and infinities; the type has no NaN, so none is asked."""
    claims = [*float_word_claims([FLUSHED])]
    assert {decide(claim).outcome for claim in claims} == {Outcome.PROVEN}


@pytest.mark.parametrize(("source", "targets"), CASTS, ids=[f"{s} {t[0]}" for s, t in CASTS])
def test_terms_are_what_is_compiled(source: object, targets: tuple[object, ...]) -> None:
    rng = random.Random(str(source))
    targets = targets[:2]
    for claim, t in zip(float_cast_claims(source, targets), targets, strict=True):  # type: ignore[arg-type]
        code = claim.inputs["code"]
        for _ in range(3):
            word = rng.getrandbits(code.width)
            if not holds(claim.given[0], [(code, word)]):
                continue
            low = getattr(source, "min_code", 0) if isinstance(source, ApFixed) else 0
            number = low + (word - low) % (1 << code.width)
            compiled = cast_codes(np.array([number], np.uint64 if low == 0 else None), source, t)  # type: ignore[arg-type]
            assert value(claim.pairs[0].subject, [(code, word)]) == int(compiled[0]) % 2**64


FAULTS = [
    ("return guard & (sticky | odd)", "return guard", HALF, E4M3),
    ("place = select(place < p.emin, p.emin, place)", "place = place + 0", HALF, E4M3),
    ("magnitude = magnitude * (bits != 0)", "magnitude = magnitude * 1", E4M3, E5M2),
    ("return magnitude < 0, code == p.sign", "return magnitude < 0, code == p.top", FNUZ, E5M2),
    ("field = select(field < -2, -2, field)", "field = select(field < 0, 0, field)", HALF, FLUSHED),
    ("significand = significand * normal", "significand = significand * 1", FLUSHED, E4M3),
]


@pytest.mark.parametrize(
    ("before", "after", "source", "target"), FAULTS, ids=[f[0] for f in FAULTS]
)
def test_a_planted_fault_is_refuted(
    before: str, after: str, source: IeeeFloat, target: IeeeFloat
) -> None:
    text = inspect.getsource(source_of(FLOAT_CODES).module)
    assert text.count(before) == 1
    kernels = Source(FLOAT_CODES, text.replace(before, after))
    (claim,) = float_cast_claims(source, [target], kernels=kernels)
    assert decide(claim).outcome is Outcome.REFUTED


def test_a_code_without_a_value_is_not_asked() -> None:
    """NaN in a type that has none: the loop writes something, which users never see."""
    (claim,) = float_cast_claims(E5M2, [FLUSHED])
    free = Claim(claim.question, claim.subject, claim.inputs, claim.pairs)
    assert decide(claim).outcome is Outcome.PROVEN
    found = decide(free)
    assert found.outcome is Outcome.REFUTED
    assert found.inputs["code"] & 0x7F > 0x7C


def test_types_are_drawn_of_every_kind() -> None:
    drawn = [float_cast(random.Random(seed)) for seed in range(200)]
    sources = {s if isinstance(s, str) else type(s).__name__ for s, _ in drawn}
    assert sources == {"float64", "ApFixed", "IeeeFloat"}
    floats = [targets[0] for _, targets in drawn if isinstance(targets[0], IeeeFloat)]
    assert {t.specials for t in floats} == {"ieee", "fn", "fnuz", "none"}
    assert {t.subnormals for t in floats} == {True, False}
