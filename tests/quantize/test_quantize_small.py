"""Every path of the quantizers on types so small that all their breakpoints are few.

The same numbers go through the float kernels, the exact cores, the tensor operations, the Python
integers that serve wide types, and the types of each element; the exact reference says what is
right.  As plain Python (``NUMBA_DISABLE_JIT=1``) the file takes seconds, so ``make mutants`` holds
the kernels to it.
"""

import itertools
import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from harness import (
    ApFixed,
    ApInt,
    Binary,
    FloatRounding,
    IeeeFloat,
    MiniFloat,
    Overflow,
    Rounding,
    VitisFloat,
    cast_codes,
    decode,
    quantize,
    quantize_codes,
    quantize_fixed,
    quantize_minifloat,
    reference,
)
from harness.quantize import fixed_codes, float_codes, tensors, wide
from harness.quantize.plan import FLOATS, float_misfit, packing, plan

ROUNDINGS = [mode for mode in Rounding if not mode.stochastic]
FLOAT_ROUNDINGS = [mode for mode in FloatRounding if not mode.stochastic]
FULL = ApFixed(64, 66, False, "TRN", "SAT")
EXPONENTS = (-1074, -1023, -1000, -990, -950, 0, 940, 948, 1000, 1023)
OUT = ApFixed(4, 3, rounding="RND_CONV", overflow="SAT_ZERO")


def fixed_types(rounding: Rounding) -> list[ApFixed]:
    """Three and four bits: every overflow, signed and not, every class of N, three LSBs."""
    found = []
    for count, (overflow, signed) in enumerate(itertools.product(Overflow, (True, False))):
        if overflow is Overflow.WRAP_SM and not signed:
            continue
        for n in range(4 if overflow.wraps else 1):
            integer = (1, 5, 3)[(count + n) % 3]
            found.append(ApFixed(3, integer, signed, rounding, overflow, n))
    return [*found, ApFixed(1, 1, True, rounding, "SAT_SYM"), ApFixed(1, 0, False, rounding)]


def float_types(rounding: FloatRounding) -> list[Any]:
    """Six bits: every encoding of the specials, every overflow, with subnormals and without."""
    found: list[Any] = []
    for specials, overflow, subnormals in itertools.product(
        ("ieee", "fn", "fnuz", "none"), ("inf", "saturate"), (True, False)
    ):
        if specials == "none" and overflow == "inf":
            continue
        t = IeeeFloat(3, 2, specials=specials, subnormals=subnormals)
        found.append(t.with_modes(rounding=rounding, overflow=overflow))
    if rounding is FloatRounding.NEAREST_EVEN:
        found += [MiniFloat(2, 3, -1), MiniFloat(0, 2, 3), MiniFloat(2, 3, -8), VitisFloat(8, 4)]
    return found


def fixed_inputs(t: ApFixed) -> np.ndarray:
    """Every quarter of an LSB over two and a half turns of the range, and what is far away."""
    quarters = np.arange(-80.0, 81.0) / 4
    far = np.array([0.0, 2.0**60, 1.6e38, 1e300, 8e307, 5e-324, 2.0**-70, math.inf])
    return np.concatenate([np.ldexp(quarters, -t.frac), far, -far, [math.nan]])


def float_inputs(t: Any) -> np.ndarray:
    """Every quarter between neighbours, past both ends, and the specials the type knows."""
    values = {reference.decode(c, t) for c in range(1 << t.width)}
    finite = sorted(float(v) for v in values if not isinstance(v, float) and v >= 0)
    top, smallest = finite[-1], 2.0 ** (t.emin - t.frac_bits)
    grid = [
        a + (b - a) * q / 4 for a, b in itertools.pairwise([*finite, 2 * top]) for q in range(4)
    ]
    step = 2.0 ** (t.emax - t.frac_bits)
    grid += [top + step * q / 4 for q in range(9)] + [smallest * q / 4 for q in range(9)]
    grid += [5e-324, 2.0**-1022, 1e300, math.inf]
    x = np.array(sorted({*grid, *(-g for g in grid)}))
    return np.concatenate([x, [0.0, -0.0], [math.nan] * (t.nan_code is not None)])


def words(codes: Any, t: Any) -> list[int]:
    """Codes as their bits."""
    return [int(c) % (1 << t.width) for c in (codes if isinstance(codes, list) else codes.tolist())]


def same(path: str, got: Any, expected: Iterable[int], x: Any, t: Any) -> None:
    """Codes agree, or the message tells the path and the first input that differs."""
    if t.width < 64:  # in 64 bits an unsigned code may be a negative word
        assert all(t.min_code <= c <= t.max_code for c in np.asarray(got).tolist()), f"{path} {t}"
    found, wanted = words(got, t), words(list(expected), t)
    wrong = [(v, a, b) for v, a, b in zip(x, found, wanted, strict=True) if a != b]
    assert not wrong, f"{path} {t}: {wrong[0]}"


def values_of(codes: Iterable[int], t: Any) -> list[float]:
    """Exact values as floats, which hold those of small types."""
    return [float(reference.decode(c, t)) for c in codes]


def same_values(path: str, got: Any, codes: Iterable[int], x: Any, t: Any) -> None:
    """Values agree, NaN with NaN; no code of fixed point is a negative zero."""
    for v, a, b in zip(x, np.asarray(got).tolist(), values_of(codes, t), strict=True):
        assert a == b or (math.isnan(a) and math.isnan(b)), f"{path} {t}: {v}: {a}, not {b}"
        if isinstance(t, ApFixed):
            assert a != 0 or math.copysign(1.0, a) > 0, f"{path} {t}: {v}: {a}"


@pytest.mark.parametrize("rounding", ROUNDINGS, ids=lambda mode: mode.name)
def test_doubles_in_fixed_point(rounding: Rounding) -> None:
    """Every path from floats gives the reference's codes, and values."""
    for t in fixed_types(rounding):
        x = fixed_inputs(t)
        codes = [reference.from_double(v, t) for v in x.tolist()]
        same("float kernel", quantize_codes(x, t), codes, x, t)
        same_values("float kernel", quantize(x, t), codes, x, t)
        same("tensors", tensors.device_codes(torch.from_numpy(x), t), codes, x, t)
        same("integers", [wide.double_to_code(v, t) for v in x.tolist()], codes, x, t)
        core = np.empty(x.size, np.int64)
        with np.errstate(over="ignore"):
            fixed_codes.doubles_to_codes(x, core, plan(t))
        same("exact core", core, codes, x, t)
        with np.errstate(over="ignore"):
            narrow = x.astype(np.float32)
        codes = [reference.from_double(v, t) for v in narrow.tolist()]
        same("float32 kernel", quantize_codes(narrow, t), codes, narrow, t)
        same_values("float32 kernel", quantize(narrow, t), codes, narrow, t)
        # Finite, and infinite when scaled, in a block where nothing else is.
        for large in (np.array([8e307, -8e307]), np.array([1.6e38, -1.6e38], np.float32)):
            codes = [reference.from_double(v, t) for v in large.tolist()]
            same("a block of its own", quantize_codes(large, t), codes, large, t)
            same_values("a block of its own", quantize(large, t), codes, large, t)


@pytest.mark.parametrize("rounding", ROUNDINGS, ids=lambda mode: mode.name)
@pytest.mark.parametrize(("width", "dtype"), [(25, np.float32), (54, np.float64)])
def test_types_as_wide_as_the_dtype(rounding: Rounding, width: int, dtype: Any) -> None:
    """Where a code has every bit of the dtype, what lies between has one more: it is not lost."""
    for overflow, n in itertools.product(Overflow, (0, 1, 3)):
        if n and not overflow.wraps:
            continue
        t = ApFixed(width, 3, True, rounding, overflow, n)
        codes = np.array([1, 2, 3, 2**20 + 1, t.max_code - 1, t.max_code, t.max_code + 1])
        steps = np.concatenate([codes, codes + 2 ** (width - 1), 3 * 2 ** (width - 2) + codes])
        x = np.ldexp(np.concatenate([steps, -steps]).astype(dtype), -t.frac).astype(dtype)
        expected = [reference.from_double(v, t) for v in x.tolist()]
        same("as wide", quantize_codes(x, t), expected, x, t)
        same_values("as wide", quantize(x, t), expected, x, t)


@pytest.mark.parametrize("rounding", ROUNDINGS, ids=lambda mode: mode.name)
def test_casts_into_fixed_point(rounding: Rounding) -> None:
    """From fixed point, signed and not, with bits dropped, kept and added; and from integers."""
    for count, t in enumerate(fixed_types(rounding)):
        drops = [(2, 1, 0, -2)[count % 4]]
        if t.overflow is Overflow.WRAP_SM and t.n == 0:
            drops = [2, 1, 0, -1, -2, -3, -4]  # the lowest deleted bit is each one, or none
        for drop, signed in itertools.product(drops, (True, False)):
            source = ApFixed(7, 7 - t.frac - drop, signed)
            every_cast(source, t)
        every_cast(ApFixed(5, 0), t)
        for integer in (66, 67, 68):  # to the left by 63 to 65 bits of a word
            far = ApFixed(64, 64, t.signed, rounding, t.overflow, t.n)
            every_cast(ApFixed(3, integer), far)
        every_cast(Binary(), t)
        small = np.arange(-80, 81)
        wanted = [reference.from_int(c, t) for c in small.tolist()]
        for dtype in (torch.int8, torch.int64):
            found = tensors.device_codes(torch.from_numpy(small).to(dtype), t)
            same("integer tensor", found, wanted, small, t)
        found = tensors.device_codes(torch.from_numpy(small[80:]).to(torch.uint8), t)
        same("unsigned tensor", found, wanted[80:], small[80:], t)
        whole = ApFixed(64, 64, signed=False)
        big = np.arange(40, dtype=np.uint64) * np.uint64(3 << 58) + np.arange(40, dtype=np.uint64)
        t62 = ApFixed(t.width, 62 + t.integer, t.signed, rounding, t.overflow, t.n)
        wanted = [reference.from_int(c, t62) for c in big.tolist()]
        same("unsigned", quantize_codes(big, t62), wanted, big, t62)
        check_cast(big.view(np.int64), whole, t62, wanted)
        words64, signed = big.view(np.int64), ApFixed(64, 64)
        for target in (t62, ApFixed(64, 63, t.signed, rounding, t.overflow, t.n), FULL):
            wanted = [reference.cast(c, signed, target) for c in words64.tolist()]
            check_cast(words64, signed, target, wanted)


@pytest.mark.parametrize(
    "t", [ApFixed(3, 1200), ApFixed(3, 950, False), ApFixed(4, -1000), ApFixed(3, -1100)], ids=str
)
def test_points_beyond_a_double(t: ApFixed) -> None:
    """A point so far away that its power of two is no double, or nearly none."""
    x = np.array([0.0, *(s * m * 2.0**e for s in (1, -1) for m in (1, 1.75) for e in EXPONENTS)])
    codes = [reference.from_double(v, t) for v in x.tolist()]
    same("float kernel", quantize_codes(x, t), codes, x, t)
    same("tensors", tensors.device_codes(torch.from_numpy(x), t), codes, x, t)
    same("integers", [wide.double_to_code(v, t) for v in x.tolist()], codes, x, t)


@pytest.mark.parametrize(
    "t",
    [Binary(), Binary(zero=-1), ApFixed(4, 2), ApFixed(3, 5, False), ApInt(4), IeeeFloat(3, 2)],
    ids=str,
)
def test_decoded(t: Any) -> None:
    """Every code as its value, in each float dtype, and exactly."""
    low, high = (0, (1 << t.width) - 1) if not isinstance(t, ApFixed) else (t.min_code, t.max_code)
    codes = np.arange(low, high + 1)
    for dtype in ("float16", "float32", "float64"):
        same_values(dtype, decode(codes, t, dtype), codes.tolist(), codes, t)
        found = decode(torch.from_numpy(codes), t, getattr(torch, dtype))
        same_values(f"tensor, {dtype}", found, codes.tolist(), codes, t)
    exact = [float(v) for v in decode(codes, t, object)]
    same_values("exact", exact, codes.tolist(), codes, t)


@pytest.mark.parametrize("t", [ApInt(1), ApInt(3), ApInt(3, False), ApInt(1, False)], ids=str)
def test_integers(t: ApInt) -> None:
    """Into an integer type: from floats, whose small negatives become +1, and from fixed point."""
    for dtype in (np.float64, np.float32):
        x = fixed_inputs(t)
        with np.errstate(over="ignore"):
            x = np.concatenate([x, np.nextafter([-0.5, -0.5, 1.0], [0.0, -1.0, 0.0])]).astype(dtype)
        codes = [reference.from_double(v, t) for v in x.tolist()]
        assert codes.count(1 if t.max_code else -1) > 5
        same("float kernel", quantize_codes(x, t), codes, x, t)
        same_values("float kernel", quantize(x, t), codes, x, t)
        same("tensors", tensors.device_codes(torch.from_numpy(x), t), codes, x, t)
        same("integers", [wide.double_to_code(v, t) for v in x.tolist()], codes, x, t)
    for integer, signed in itertools.product((0, 1, 3, 6), (True, False)):
        source = ApFixed(5, integer, signed)
        every_cast(source, t)


def every_cast(source: Any, t: Any) -> None:
    """Every code of a source, by each path."""
    codes = every(source, t)
    check_cast(codes, source, t, [reference.cast(c, source, t) for c in codes.tolist()])


def check_cast(codes: Any, source: Any, t: Any, wanted: list[int]) -> None:
    """A cast by each path."""
    with np.errstate(over="ignore"):
        same("cast", cast_codes(codes, source, t), wanted, codes, t)
    found = tensors.device_cast(torch.from_numpy(codes), source, t)
    same("tensor cast", found, wanted, codes, t)
    exact = [
        int(c) % (1 << 64) if source.width == 64 and not source.signed else int(c) for c in codes
    ]
    same("integer cast", [wide.recode(c, source, t) for c in exact], wanted, codes, t)


@pytest.mark.parametrize("rounding", FLOAT_ROUNDINGS, ids=lambda mode: mode.name)
def test_doubles_in_floats(rounding: FloatRounding) -> None:
    """Every path from floats gives the reference's codes, and values."""
    for t in float_types(rounding):
        x = float_inputs(t)
        codes = [reference.from_double(v, t) for v in x.tolist()]
        same("float kernel", quantize_codes(x, t), codes, x, t)
        same_values("float kernel", quantize(x, t), codes, x, t)
        same("tensors", tensors.device_codes(torch.from_numpy(x), t), codes, x, t)
        same("integers", [wide.double_to_code(v, t) for v in x.tolist()], codes, x, t)
        core = np.empty(x.size, np.int64)
        with np.errstate(over="ignore"):
            assert float_codes.doubles_to_codes(x.view(np.int64), core, packing(t))
        same("exact core", core, codes, x, t)
        with np.errstate(over="ignore"):
            narrow = x.astype(np.float32)
        codes = [reference.from_double(v, t) for v in narrow.tolist()]
        same("float32 kernel", quantize_codes(narrow, t), codes, narrow, t)


def beside(x: np.ndarray) -> list[Fraction]:
    """The finite numbers, and what is no double, a little below and above each of them."""
    finite = [Fraction(v) for v in x.tolist() if math.isfinite(v) and 2.0**-60 < abs(v) < 2.0**60]
    return [v * (1 + Fraction(sign, 3 << 20)) for v in finite for sign in (-1, 0, 1)]


@pytest.mark.parametrize(
    "t",
    [
        *(ApFixed(3, 5, overflow="SAT", rounding=mode) for mode in ROUNDINGS),
        *(ApFixed(3, 1, False, mode) for mode in ROUNDINGS),
        *(IeeeFloat(3, 2).with_modes(rounding=mode) for mode in FLOAT_ROUNDINGS),
        ApInt(4),
        MiniFloat(2, 3, -1),
    ],
    ids=str,
)
def test_fractions(t: Any) -> None:
    """Every breakpoint, and beside it numbers that no double holds; doubles among them."""
    x = beside(fixed_inputs(t) if isinstance(t, ApFixed) else float_inputs(t))
    wanted = [reference.from_exact(v, t) for v in x]
    exact = t.with_modes(rounding="TRN") if isinstance(t, ApFixed) else t
    assert all(reference.from_exact(v, exact) == reference.from_double(float(v), exact) for v in x)
    same("fractions", quantize_codes(np.array(x, object), t).tolist(), wanted, x, t)
    doubles = [-0.3, 2.0**-1030, 1.5]
    found = [reference.from_exact(v, t) for v in doubles]
    assert found == [reference.from_double(v, t) for v in doubles]


@pytest.mark.parametrize("rounding", FLOAT_ROUNDINGS, ids=lambda mode: mode.name)
def test_casts_of_floats(rounding: FloatRounding) -> None:
    """Into floats from fixed point and from floats, out of floats, and what every code is."""
    sources = [ApFixed(8, 4), ApFixed(7, 5, signed=False), IeeeFloat(4, 4), MiniFloat(3, 3, 0)]
    for count, t in enumerate(float_types(rounding)):
        source = sources[count % 4]
        every_cast(source, t)
        every_cast(t, OUT)
        for other in (IeeeFloat(4, 1, specials="fn"), IeeeFloat(2, 4), Binary(), Binary(zero=-1)):
            every_cast(t, other)
        codes = np.arange(1 << t.width)
        same_values("decode", decode(codes, t), codes.tolist(), codes, t)
        same_values("tensor decode", decode(torch.from_numpy(codes), t), codes.tolist(), codes, t)
        exact = [float(wide.value(c, t)) for c in codes.tolist()]
        same_values("integer decode", exact, codes.tolist(), codes, t)


def every(source: Any, target: Any) -> np.ndarray:
    """The codes of a source that have a code in a target."""
    codes = range(source.min_code, source.max_code + 1)
    kept = []
    for code in codes:
        value = reference.decode(code, source)
        lost = isinstance(value, float) and (
            isinstance(target, ApFixed)
            or (math.isnan(value) and getattr(target, "nan_code", None) is None)
        )
        if not lost:
            kept.append(code)
    return np.array(kept)


@pytest.mark.parametrize("rounding", ROUNDINGS, ids=lambda mode: mode.name)
def test_a_type_for_each_element(rounding: Rounding) -> None:
    """Arrays of widths give each element the values of its own type."""
    for overflow in Overflow:
        x, k, i, f, wanted = [], [], [], [], []
        for kept, width in itertools.product((1, 0), (1, 3, 4)):
            if overflow is Overflow.WRAP_SM and not kept:
                continue
            t = ApFixed.from_kif(kept, width - kept - 1, 1, rounding=rounding, overflow=overflow)
            inputs = fixed_inputs(t)[40:-3]
            x += inputs.tolist()
            k, i, f = (
                [*c, *[b] * inputs.size]
                for c, b in zip((k, i, f), (kept, width - kept - 1, 1), strict=True)
            )
            wanted += values_of([reference.from_double(v, t) for v in inputs.tolist()], t)
        with np.errstate(over="ignore"):
            got = quantize_fixed(
                np.array(x), np.array(k), np.array(i), np.array(f), rounding, overflow
            )
        assert got.tolist() == wanted


def test_a_minifloat_for_each_element() -> None:
    """The same of minifloats."""
    x, facts, wanted = [], [], []
    for t in (MiniFloat(2, 3, -1), MiniFloat(0, 2, 3), MiniFloat(3, 2, 0)):
        inputs = float_inputs(t)
        x += inputs.tolist()
        facts += [(t.m, t.e, t.e0)] * inputs.size
        wanted += values_of([reference.from_double(v, t) for v in inputs.tolist()], t)
    with np.errstate(over="ignore"):
        got = quantize_minifloat(np.array(x), *np.array(facts).T)
    assert got.tolist() == wanted


@pytest.mark.parametrize("name", FLOATS)
def test_a_dtype_ends_where_it_does(name: str) -> None:
    """The widest, the largest and the finest type that a dtype holds, and the next one."""
    facts = FLOATS[name]
    fits = [
        ApFixed(facts.precision, 4, signed=False),
        ApFixed(4, facts.emax + 1),
        ApFixed(2, 2 + facts.emin),
    ]
    misfits = [
        ApFixed(facts.precision + 1, 4, signed=False),
        ApFixed(4, facts.emax + 2),
        ApFixed(2, 1 + facts.emin),
    ]
    assert all(float_misfit(t, facts) is None for t in fits)
    assert all(float_misfit(t, facts) for t in misfits)
    if name != "bfloat16":  # which NumPy lacks
        found = np.finfo(name)
        assert (facts.precision, facts.emax) == (found.nmant + 1, found.maxexp - 1)
        assert facts.emin == found.minexp - found.nmant
    else:
        assert torch.finfo(torch.bfloat16).max < 2.0**128 == 2.0 ** (facts.emax + 1)
        assert facts.precision == 1 - int(np.log2(torch.finfo(torch.bfloat16).eps))
