"""Levels: how hard a case is, by hand-picked cases; every case is of one level."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from harness import ApFixed, quantize
from harness.conformance.levels import Level, level_of
from harness.conformance.sheets import Sheet, golden, mode_of
from harness.golden.record import NUMBERS, Case, word_of
from harness.types import parse_type

DOUBLE = NUMBERS["double"]
FIXED, SYMMETRIC, UNSIGNED = "ap_fixed<4,2>", "ap_fixed<4,2,AP_TRN,AP_SAT_SYM>", "ap_ufixed<4,2>"
FLOAT, NO_SUBNORMALS = "float4_e2m1fn", "ieee<3,2,ftz>"


@pytest.fixture(scope="module")
def sheets() -> list[Sheet]:
    """The committed vectors."""
    return list(golden())


@pytest.mark.parametrize(
    ("spelling", "x", "level"),
    [
        (FIXED, 0.25, Level.VALUES),
        (FIXED, -0.0, Level.VALUES),
        (FIXED, -2.0, Level.VALUES),
        (FIXED, 0.3, Level.BETWEEN),
        (FIXED, 5e-324, Level.BETWEEN),
        (FIXED, 0.125, Level.TIES),
        (FIXED, 1.75, Level.VALUES),
        (FIXED, 1.875, Level.EDGES),
        (FIXED, 1.99, Level.EDGES),
        (FIXED, 2.0, Level.BEYOND),
        (FIXED, -2.0625, Level.EDGES),
        (FIXED, -2.25, Level.BEYOND),
        (FIXED, 1e308, Level.BEYOND),
        (FIXED, float("inf"), Level.SPECIALS),
        (FIXED, float("nan"), Level.SPECIALS),
        (SYMMETRIC, -1.75, Level.VALUES),
        (SYMMETRIC, -2.0, Level.EDGES),
        (UNSIGNED, -0.125, Level.EDGES),
        (UNSIGNED, -0.25, Level.BEYOND),
        (FLOAT, 0.5, Level.VALUES),
        (FLOAT, 0.25, Level.TIES),
        (FLOAT, 0.3, Level.BETWEEN),
        (FLOAT, 5.0, Level.TIES),
        (FLOAT, 6.0, Level.VALUES),
        (FLOAT, -6.5, Level.EDGES),
        (FLOAT, 8.0, Level.BEYOND),
    ],
)
def test_the_level_of_a_number(spelling: str, x: float, level: Level) -> None:
    """By where it lies among the type's values."""
    assert level_of(Case((word_of(x, DOUBLE),), 0), DOUBLE, parse_type(spelling)) is level


def test_a_quirk_is_a_level_of_its_own_but_nan_is_special() -> None:
    """A library that follows the documents differs there, and nowhere else."""
    case = Case((word_of(0.3, DOUBLE),), 0, ("quirk:subnormal",))
    assert level_of(case, DOUBLE, parse_type(FIXED)) is Level.QUIRKS
    case = Case((word_of(float("nan"), DOUBLE),), 0, ("quirk:non-finite",))
    assert level_of(case, DOUBLE, parse_type(FIXED)) is Level.SPECIALS


def test_values_are_those_that_the_type_keeps(sheets: list[Sheet]) -> None:
    """Held against the quantizer: at the level of values it changes nothing, elsewhere always."""
    asked: Counter[Level] = Counter()
    for sheet in sheets:
        t = sheet.group.target
        if sheet.path == "cast" or not isinstance(t, ApFixed) or t.significand_bits > 53:
            continue
        x = sheet.x.astype(np.float64)
        kept = quantize(x, t) == x
        for level, same in zip(sheet.levels, kept.tolist(), strict=True):
            if level not in (Level.QUIRKS, Level.SPECIALS):
                assert same == (level is Level.VALUES), (t, level)
                asked[level] += 1
    assert min(asked[level] for level in list(Level)[:5]) > 300


def test_ties_are_those_that_golden_calls_so(sheets: list[Sheet]) -> None:
    """The flag ``tie`` and the level agree inside the range; two predicates, written apart."""
    ties = 0
    for sheet in sheets:
        if sheet.family != "fixed":
            continue
        for case, level in zip(sheet.group.cases, sheet.levels, strict=True):
            if "subnormal-input" in case.flags:
                continue  # whose tie is that of what the header reads
            if level in (Level.VALUES, Level.BETWEEN, Level.TIES):
                assert ("tie" in case.flags) == (level is Level.TIES)
                ties += level is Level.TIES
    assert ties > 1000


def test_a_sheet_knows_its_family_path_and_mode(sheets: list[Sheet]) -> None:
    """All families, all paths, every mode of ap_fixed."""
    assert {sheet.family for sheet in sheets} == {"fixed", "minifloat", "ieee", "vitis", "binary"}
    assert {sheet.path for sheet in sheets} == {"double", "float", "cast"}
    modes = {mode_of(sheet.group.target) for sheet in sheets if sheet.family == "fixed"}
    assert len({mode for mode in modes if "N>0" not in mode}) == 35
    assert mode_of(ApFixed(8, 3, overflow="WRAP", n=2)) == "TRN/WRAP N>0"
    assert Fraction(1, 8) == ApFixed(4, 1).lsb_exact
