"""Whole arrays against the exact reference: every mode, blocks of tame and wild values mixed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from harness import ApFixed, Overflow, Rounding, cast_codes, compute_codes, quantize, quantize_codes
from harness import reference as exact
from harness.quantize import tensors
from harness.quantize.plan import FLOATS, float_misfit

SHAPES = [
    (1, 1),
    (1, -20),
    (2, 84),
    (4, 4),
    (6, -3),
    (5, 9),
    (12, 6),
    (23, 12),
    (24, 24),
    (25, 5),
    (40, 10),
    (52, 30),
    (53, 53),
    (54, 20),
    (63, 84),
    (64, -20),
    (64, 64),
]
SPECIALS = [
    *(0.0, -0.0, math.nan, -math.nan, math.inf, -math.inf, 5e-324, -5e-324, 1e-45, -1e-45),
    *(-1e-30, 1e-30, 2.0**-1022, 1.7e308, -1.7e308, 3.4e38, -3.4e38, 65504.0, 6e-8, -6e-8),
    *(0.49999997, -0.49999997, 8388609.0, -8388609.0, 2.0**52 + 0.5, 2.0**63, -(2.0**63)),
]


def modes(width: int) -> Iterator[tuple[bool, Rounding, Overflow, int]]:
    """Every signedness, rounding, overflow, and the N that take different paths."""
    for q, o, signed in itertools.product(Rounding, Overflow, (True, False)):
        if o is Overflow.WRAP_SM and not signed:
            continue
        for n in sorted({0, min(1, width), min(2, width), width}) if o.wraps else [0]:
            yield signed, q, o, n


def near(t: ApFixed) -> list[float]:
    """Doubles at and beside codes, ties and bounds of ``t``, and whole turns away from them."""
    turn = 1 << (t.width + 1)
    halves = {
        2 * centre + step + turns * turn
        for centre in (t.min_code, 0, t.max_code)
        for step in (-3, -2, -1, 0, 1, 2, 3)
        for turns in (-1, 0, 1)
    }
    out = []
    for half in sorted(halves):
        x = math.ldexp(half, -t.frac - 1)
        out += [x, math.nextafter(x, math.inf), math.nextafter(x, -math.inf)]
    return out


def nans(dtype: str) -> np.ndarray[Any, Any]:
    """A quiet NaN of each sign."""
    return np.copysign(np.array(np.nan, dtype), np.array([1.0, -1.0], dtype))


def inputs(t: ApFixed, dtype: str) -> np.ndarray[Any, Any]:
    """The values of :func:`near` and the specials, each in ``dtype``."""
    with np.errstate(over="ignore", under="ignore"):
        x = np.array([*SPECIALS, *near(t)]).astype(dtype)
    if dtype != "float64":  # beside a tie means beside it in this dtype
        around = np.array(near(t)[::3])
        with np.errstate(all="ignore"):
            y = around.astype(dtype)
            ends = np.array([np.inf, -np.inf], dtype)
            x = np.concatenate([x, *(np.nextafter(y, end) for end in ends)])
    finite = np.unique(x[np.isfinite(x)])
    signs = np.array([1.0, -1.0], dtype)
    return np.concatenate([finite, np.copysign(np.array(np.inf, dtype), signs), nans(dtype)])


def words(codes: list[int]) -> list[int]:
    """Codes as the int64 that carry them."""
    return [c - (1 << 64) if c >> 63 > 0 else c for c in codes]


def check(t: ApFixed, x: np.ndarray[Any, Any]) -> None:
    """Codes and, where the dtype holds the type, values of ``x`` are the reference's."""
    codes = [exact.from_double(float(v), t) for v in x]
    found = quantize_codes(x, t)
    wrong = [(v, g, c) for v, g, c in zip(x, found.tolist(), words(codes), strict=True) if g != c]
    assert wrong == [], f"{t}: (input, got, expected)"
    if float_misfit(t, FLOATS[x.dtype.name]) is None:
        values = quantize(x, t)
        assert values.dtype == x.dtype
        expected = np.array([math.ldexp(c, -t.frac) for c in codes]).astype(x.dtype)
        bits = f"u{x.itemsize}"
        assert np.array_equal(values.view(bits), expected.view(bits)), t


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: f"{s[0]},{s[1]}")
def test_every_mode(shape: tuple[int, int], dtype: str) -> None:
    """In every mode, codes and values beside ties, bounds and extremes are the reference's."""
    for signed, q, o, n in modes(shape[0]):
        t = ApFixed(*shape, signed, q, o, n)
        x = inputs(t, dtype)
        picked = x if (q, n) == (Rounding.RND_CONV, 0) else x[(int(q) + n) % 6 :: 6]
        check(t, picked)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "t",
    [
        ApFixed(8, 4, True, "RND", "WRAP"),
        ApFixed(8, 4, True, "RND_CONV", "WRAP_SM"),
        ApFixed(30, 40, False, "RND_ZERO", "SAT"),
        ApFixed(60, 20, True, "TRN_ZERO", "SAT_SYM"),
    ],
    ids=str,
)
def test_blocks_do_not_touch_each_other(t: ApFixed, dtype: str) -> None:
    """An element's code depends on it alone, wherever in a long array a wild value stands."""
    rng = np.random.default_rng(1)
    x = (rng.normal(size=5000) * 2.0**t.integer).astype(dtype)
    for place in (0, 1023, 1024, 2500, 4999):
        x[place] = [np.nan, np.inf, -np.inf, np.finfo(dtype).max, -np.finfo(dtype).tiny][place % 5]
    check(t, x)


@pytest.mark.parametrize(
    "t",
    [
        ApFixed(8, 4, True, "RND", "SAT"),
        ApFixed(11, -13, True, "RND_CONV", "WRAP_SM"),
        ApFixed(7, 12, False, "RND_MIN_INF", "WRAP", 3),
        ApFixed(48, 20, True, "RND_INF", "SAT_ZERO"),
    ],
    ids=str,
)
def test_halves(t: ApFixed) -> None:
    """Every third float16 pattern, and quiet NaNs of both signs, have the reference's codes."""
    x = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    check(t, np.concatenate([x[np.isfinite(x)][::3], nans("float16")]))


INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]


@pytest.mark.parametrize("dtype", [*INTEGERS, ">i2", ">u4", ">u8"])
def test_integers_in_every_mode(dtype: str) -> None:
    """The ends and middle of every integer dtype have the reference's codes and values."""
    info = np.iinfo(dtype)
    low, high = int(info.min), int(info.max)
    middle = high // 2
    listed = [low, low + 1, 0, 1, 2, 3, 5, 6, 7, 10, middle, middle + 1, middle + 2, high - 1, high]
    x = np.array(listed, dtype)
    for width, integer in [(1, 1), (3, 5), (5, 2), (7, 7), (8, 8), (15, 17), (64, 64), (64, 20)]:
        for signed, q, o, n in modes(width):
            t = ApFixed(width, integer, signed, q, o, n)
            codes = [exact.from_int(v, t) for v in listed]
            assert quantize_codes(x, t).tolist() == words(codes), t
            if t.frac <= 0 and t.min_exact >= low and t.max_exact <= high:
                values = quantize(x, t)
                assert values.dtype == x.dtype
                assert values.tolist() == [c << -t.frac for c in codes], t


WIDE = [(65, 1), (100, -20), (128, 84), (1024, 500), (70, 1090)]


@pytest.mark.parametrize("shape", WIDE, ids=lambda s: f"{s[0]},{s[1]}")
def test_wide_in_every_mode(shape: tuple[int, int]) -> None:
    """Beyond 64 bits every mode gives the reference's code as a Python integer."""
    for signed, q, o, n in modes(shape[0]):
        t = ApFixed(*shape, signed, q, o, n)
        listed = [*SPECIALS, 1.5, -2.5, 2.0**300, -(2.0**-60), 3 * 2.0**1020]
        found = quantize_codes(np.array(listed), t)
        assert found.tolist() == [exact.from_double(x, t) for x in listed], t


def some_codes(t: ApFixed, rng: np.random.Generator) -> list[int]:
    """The ends, the middle and random codes of ``t``."""
    fixed = [t.min_code, t.min_code + 1, 0, min(1, t.max_code), t.max_code - 1, t.max_code]
    if t.signed:
        fixed.append(-1)
    spread = t.max_code - t.min_code + 1
    drawn = [t.min_code + int.from_bytes(rng.bytes(160), "little") % spread for _ in range(6)]
    return [*fixed, *drawn]


PAIRS = [
    (ApFixed.parse(a), ApFixed.parse(b))
    for a, b in [
        ("ap_fixed<4,4>", "ap_fixed<4,4>"),
        ("ap_fixed<8,4>", "ap_ufixed<6,9>"),
        ("ap_ufixed<5,-3>", "ap_fixed<7,2>"),
        ("ap_ufixed<64,64>", "ap_ufixed<64,64>"),
        ("ap_fixed<64,20>", "ap_fixed<64,40>"),
        ("ap_ufixed<64,64>", "ap_fixed<1,1>"),
        ("ap_fixed<32,32>", "ap_fixed<31,31>"),
        ("ap_fixed<60,10>", "ap_fixed<4,0>"),
        ("ap_fixed<63,63>", "ap_fixed<2,-5>"),
        ("ap_fixed<1,1>", "ap_fixed<1,1>"),
        ("ap_fixed<100,-5>", "ap_ufixed<90,80>"),
        ("ap_fixed<3,70>", "ap_ufixed<64,-10>"),
    ]
]


def carried(codes: list[int], t: ApFixed) -> np.ndarray[Any, Any]:
    """Codes in the array that carries them."""
    if t.width > 64:
        return np.array(codes, dtype=object)
    return np.array(words(codes), dtype=np.int64)


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=[f"{a}~{b}" for a, b in PAIRS])
@pytest.mark.parametrize("op", ["+", "-", "*", "/"])
def test_pairs(op: str, a: ApFixed, b: ApFixed) -> None:
    """Every pair of ends and random codes computes as the reference does, at any width."""
    rng = np.random.default_rng(2)
    left = some_codes(a, rng)
    right = [c for c in some_codes(b, rng) if c or op != "/"]
    found = compute_codes(op, carried(left, a)[:, None], a, carried(right, b), b)
    expected = [[exact.compute(op, x, a, y, b) for y in right] for x in left]
    assert found.tolist() == [words(r) if found.dtype != object else r for r in expected]


@pytest.mark.parametrize("t", sorted({t for pair in PAIRS for t in pair}), ids=str)
def test_unary(t: ApFixed) -> None:
    """Negation and shifts by every count around the width are the reference's."""
    codes = some_codes(t, np.random.default_rng(3))
    x = carried(codes, t)
    plain = compute_codes("neg", x, t)
    expected = [exact.compute("neg", c, t) for c in codes]
    assert plain.tolist() == (expected if plain.dtype == object else words(expected))
    for count in (0, 1, 2, t.width - 1, t.width, t.width + 1, 63, 64, 65, 200):
        for op, by in itertools.product(("<<", ">>"), (count, -count)):
            found = compute_codes(op, x, t, by)
            wanted = [exact.compute(op, c, t, by) for c in codes]
            assert found.tolist() == (wanted if t.width > 64 else words(wanted)), (op, by)


CASTS = [(5, 4), (1, 17), (32, 16), (4, 21), (64, 64), (64, -20), (63, 84), (90, 40), (1024, 500)]


@pytest.mark.parametrize("shape", CASTS, ids=lambda s: f"{s[0]},{s[1]}")
def test_casts_in_every_mode(shape: tuple[int, int]) -> None:
    """Codes of signed and unsigned sources, wide ones too, convert as the reference says."""
    rng = np.random.default_rng(4)
    sources = [ApFixed(*s, signed) for s in CASTS for signed in (True, False)]
    for k, (signed, q, o, n) in enumerate(modes(shape[0])):
        target = ApFixed(*shape, signed, q, o, n)
        for source in sources[k % 6 :: 6]:
            codes = some_codes(source, rng)
            found = cast_codes(carried(codes, source), source, target).tolist()
            wanted = [exact.cast(c, source, target) for c in codes]
            assert found == (wanted if target.width > 64 else words(wanted)), (source, target)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: f"{s[0]},{s[1]}")
def test_tensor_core_in_every_mode(shape: tuple[int, int]) -> None:
    """The core for other devices gives the codes of the NumPy kernels, in every mode."""
    for signed, q, o, n in modes(shape[0]):
        t = ApFixed(*shape, signed, q, o, n)
        x = inputs(t, "float64")
        assert (
            tensors.device_codes(torch.from_numpy(x), t).tolist() == quantize_codes(x, t).tolist()
        )


@pytest.mark.parametrize("rounding", list(Rounding), ids=str)
@pytest.mark.parametrize("target", [(64, 64), (8, 64), (2, 65), (32, 1)], ids=str)
def test_top_bit_of_an_unsigned_source(target: tuple[int, int], rounding: Rounding) -> None:
    """Above the top bit of an unsigned 64-bit code are zeros, whatever WRAP_SM looks for there."""
    source, t = ApFixed(64, 64, signed=False), ApFixed(*target, True, rounding, "WRAP_SM")
    listed = [2**63 - 1, 2**63, 2**63 + 1, 2**63 + 2**62, 2**64 - 16, 2**64 - 1]
    expected = [exact.cast(c, source, t) for c in listed]
    assert cast_codes(carried(listed, source), source, t).tolist() == expected
    assert cast_codes(torch.tensor(words(listed)), source, t).tolist() == expected
    assert quantize_codes(np.array(listed, np.uint64), t).tolist() == expected


def test_fractions_of_values() -> None:
    """A quantized value is exactly its code times the LSB, in a hand-computed example."""
    # 2.71875 = 43.5 / 16: a tie, to even it is 44 / 16
    value = quantize(np.array([2.71875]), ApFixed(8, 4, rounding="RND_CONV"))[0]
    assert Fraction(float(value)) == Fraction(44, 16)
