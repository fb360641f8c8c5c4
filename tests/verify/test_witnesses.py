"""The witnesses of floats agree with the reference, and the inputs reach every breakpoint."""

import itertools
import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from harness import FORMATS, FloatRounding, IeeeFloat, MiniFloat, VitisFloat, decode, reference
from harness.verify.float_cases import exhausted, float_codes_for, float_doubles_for
from harness.verify.witnesses import MPFR, WITNESSES, Witness

ODD_SIZES = [
    IeeeFloat(2, 1),
    IeeeFloat(3, 1),
    IeeeFloat(6, 9),
    IeeeFloat(11, 52),
    IeeeFloat(8, 55),
    IeeeFloat(15, 112),
]
VITIS = [
    VitisFloat(8, 4),
    VitisFloat(16, 5),
    VitisFloat(32, 8),
    VitisFloat(24, 6),
    VitisFloat(80, 16),
]


def variants() -> list[Any]:
    """Every format in every rounding; flushed; saturating."""
    found: list[Any] = [*VITIS]
    for t in (*FORMATS.values(), *ODD_SIZES):
        found += [t.with_modes(rounding=r) for r in FloatRounding if not r.stochastic]
        found += [t.with_modes(subnormals=False), t.with_modes(overflow="saturate")]
    return found


CASES = [(w, t) for w in WITNESSES for t in variants() if w.accepts(t)]


@pytest.mark.parametrize(("witness", "t"), CASES, ids=lambda v: getattr(v, "name", str(v)))
def test_witness_and_reference_agree(witness: Witness, t: Any) -> None:
    """A library's codes are the exact reference's."""
    rng = np.random.default_rng(0)
    x = float_doubles_for(t, 1200, rng, exhaustive_width=6)
    x = np.concatenate([x[:40], rng.choice(x, 160)])
    with np.errstate(over="ignore", under="ignore"):
        x = x.astype(witness.inputs).astype(np.float64)
    expected = [reference.from_double(float(v), t) for v in x]
    assert [int(c) % (1 << t.width) for c in witness.answers(x, t)] == expected


def test_every_format_has_a_witness() -> None:
    """All but the modes that no library has: odd sizes in saturating or tie-breaking modes."""
    assert {w.name for w, _ in CASES} == {w.name for w in WITNESSES}
    for t in (*FORMATS.values(), *VITIS):
        assert MPFR.accepts(t)
    names = {name for name in FORMATS if hasattr(ml_dtypes, name)}
    assert len(names) == 10


def test_ml_dtypes_rounds_doubles_twice() -> None:
    """Why ml_dtypes is asked from float32: from doubles it rounds to float32 first."""
    just_above_the_tie = np.nextafter(2.0**-10, 1.0)  # of 0 and the smallest float8_e4m3fn
    found = np.array([just_above_the_tie]).astype(ml_dtypes.float8_e4m3fn)
    assert float(found[0]) == 0.0
    t = FORMATS["float8_e4m3fn"]
    assert decode(reference.from_double(just_above_the_tie, t), t) == 2.0**-9


@pytest.mark.parametrize(
    "t",
    [MiniFloat(3, 4, 0), FORMATS["float8_e4m3fnuz"], FORMATS["float4_e2m1fn"], VitisFloat(8, 4)],
    ids=str,
)
def test_small_types_meet_every_breakpoint(t: Any) -> None:
    """Every value and every midpoint, exactly and one ulp to either side, in both signs."""
    inputs = set(float_doubles_for(t, 100, np.random.default_rng(0)).tolist())
    values = {reference.decode(c, t) for c in t.codes}
    numbers = sorted(float(v) for v in values if not isinstance(v, float))
    midpoints = [(a + b) / 2 for a, b in itertools.pairwise(numbers)]
    last = numbers[-1] + (numbers[-1] - numbers[-2]) / 2  # where overflow begins
    for x in (*numbers, *midpoints, last, -last):
        assert {x, math.nextafter(x, math.inf), math.nextafter(x, -math.inf)} <= inputs
    assert exhausted(t, 16) == 1 << t.width
    assert exhausted(t, 3) == 0
    assert exhausted(MiniFloat(3, 4, 1100), 16) == 0  # beyond the doubles


def test_inputs_are_a_function_of_the_seed() -> None:
    """The same seed gives the same inputs; NaN only where there is a code for it."""
    half, mini = FORMATS["float16"], MiniFloat(3, 4, 0)
    a, b, c = (float_doubles_for(half, 500, np.random.default_rng(s), 8) for s in (1, 1, 2))
    assert np.array_equal(a, b, equal_nan=True)
    assert not np.array_equal(a, c, equal_nan=True)
    assert np.isnan(a).any()
    assert not np.isnan(float_doubles_for(mini, 500, np.random.default_rng(0))).any()
    assert float_codes_for(mini, 5, np.random.default_rng(0), 8).tolist() == list(range(256))
    assert float_codes_for(half, 5, np.random.default_rng(0), 8).size == 5
