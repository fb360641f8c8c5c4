"""Float quantizers against the exact reference, in every family, mode and way of being asked."""

import itertools
import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch

from harness import (
    FORMATS,
    ApFixed,
    Binary,
    FloatRounding,
    IeeeFloat,
    MiniFloat,
    VitisFloat,
    cast_codes,
    compute_codes,
    decode,
    decompose,
    quantize,
    quantize_codes,
    reference,
    result_type,
)
from harness.quantize import tensors
from harness.quantize.plan import FLOATS, float_misfit

MINIFLOATS = [
    MiniFloat(3, 4, 0),
    MiniFloat(2, 3, -5),
    MiniFloat(0, 4, 3),
    MiniFloat(1, 1, 0),
    MiniFloat(10, 6, 20),
    MiniFloat(4, 11, 900),
    MiniFloat(10, 4, -118),
    MiniFloat(52, 11, 0),
]
VITIS = [
    VitisFloat(8, 4),
    VitisFloat(16, 5),
    VitisFloat(32, 8),
    VitisFloat(64, 11),
    VitisFloat(80, 16),
]
SHAPES = [
    *FORMATS.values(),
    IeeeFloat(3, 1),
    IeeeFloat(6, 9),
    IeeeFloat(11, 52),
    IeeeFloat(11, 52, specials="none"),
    IeeeFloat(8, 55),
    IeeeFloat(15, 112),
]


def all_types() -> list[Any]:
    """Every family; every deterministic rounding, overflow and subnormals of the IEEE-style."""
    found: list[Any] = [*MINIFLOATS, *VITIS]
    for t, rounding, subnormals in itertools.product(SHAPES, FloatRounding, (True, False)):
        for overflow in ("inf", "saturate"):
            if rounding.stochastic or (overflow == "inf" and t.specials == "none"):
                continue
            found.append(t.with_modes(rounding=rounding, subnormals=subnormals, overflow=overflow))
    return found


def breakpoints(t: Any, count: int = 400) -> np.ndarray:
    """Codes, midpoints, thresholds and the ends of the doubles, each with both its neighbours."""
    rng = np.random.default_rng(1)
    codes = t.codes if t.width <= 8 else rng.integers(0, 1 << min(t.width, 62), 100).tolist()
    values = {reference.decode(int(c), t) for c in codes}
    finite = sorted(float(v) for v in values if not isinstance(v, float) and abs(v) < 2**1000)
    around = np.array(finite)
    top = min(float(min(t.max_exact, 2**1000)), 1e300)
    beyond = top * np.array([1.0, 1.01, 1.03, 1.0625, 1.1, 2.0, 1e3])
    centres = np.concatenate([around, (around[1:] + around[:-1]) / 2, beyond, -beyond])
    near = np.concatenate([centres, np.nextafter(centres, 9e307), np.nextafter(centres, -9e307)])
    specials = [0.0, -0.0, np.inf, -np.inf, 5e-324, -5e-324, 1.7e308, -1e300, 1e-300]
    if t.nan_code is not None:
        specials.append(np.nan)
    return np.concatenate([specials, near if near.size < count else rng.choice(near, count)])


def unsigned(codes: Any, t: Any) -> list[int]:
    """Codes as the bits they are."""
    return [int(c) % (1 << t.width) for c in np.ravel(codes)]


@pytest.mark.parametrize("t", all_types(), ids=str)
def test_codes_and_values(t: Any) -> None:
    """Codes are the reference's; values are the decoded codes, also of float32 inputs."""
    x = breakpoints(t, 60 if t.width > 8 else 400)
    expected = [reference.from_double(float(v), t) for v in x]
    assert unsigned(quantize_codes(x, t), t) == expected
    for dtype in (np.float64, np.float32):
        with np.errstate(over="ignore", under="ignore"):
            y = x.astype(dtype)
        if float_misfit(t, FLOATS[np.dtype(dtype).name]) is not None:
            with pytest.raises(ValueError, match="use "):
                quantize(y, t)
            continue
        found = quantize(y, t)
        decoded = decode(quantize_codes(y, t), t, dtype)
        assert found.dtype == dtype
        assert found.tobytes() == decoded.tobytes() or same(found, decoded)


def same(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal numbers with equal signs of zero; NaN as NaN, whose sign is not a code."""
    numbers = ~np.isnan(a)
    return bool(
        (np.isnan(a) == np.isnan(b)).all()
        and (a[numbers] == b[numbers]).all()
        and (np.signbit(a[numbers]) == np.signbit(b[numbers])).all()
    )


@pytest.mark.parametrize("t", [t for t in all_types() if t.width <= 64][::4], ids=str)
def test_tensor_core(t: Any) -> None:
    """The core that serves other devices, on the CPU, gives the codes and values of the arrays."""
    x = breakpoints(t, 100)
    codes = quantize_codes(x, t)
    assert tensors.device_codes(torch.from_numpy(x), t).tolist() == codes.tolist()
    try:
        values = decode(codes, t)
    except ValueError:
        return
    assert same(decode(torch.from_numpy(codes), t).numpy(), values)
    assert same(quantize(torch.from_numpy(x), t).numpy(), values)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_tensor_dtypes(dtype: str) -> None:
    """Tensors keep their dtype; bfloat16, which NumPy lacks, too."""
    t = MiniFloat(3, 4, 0)
    x = torch.tensor([0.3, -5.2, 1e3, -1e-7]).to(getattr(torch, dtype))
    found = quantize(x, t)
    assert found.dtype == x.dtype
    assert found.tolist() == [0.3125, -5.0, 240.0, -0.0]


@pytest.mark.parametrize(
    "t", [MiniFloat(3, 4, 0), FORMATS["float8_e4m3fn"], VitisFloat(16, 5)], ids=str
)
def test_shapes_strides_and_kinds(t: Any) -> None:
    """Any shape, stride, byte order; scalars, lists and integers; empties."""
    x = np.arange(-12.0, 12.0).reshape(4, 6) / 7
    expected = quantize(x, t)
    assert np.array_equal(quantize(x.T, t), expected.T)
    assert np.array_equal(quantize(x[::-1, ::2], t), expected[::-1, ::2])
    assert np.array_equal(quantize(x.astype(">f8"), t), expected)
    assert quantize(x.tolist(), t).tolist() == expected.tolist()
    assert isinstance(quantize(0.3, t), np.floating)
    assert quantize_codes(np.array([], np.float32), t).size == 0
    integers = quantize_codes(np.array([3, -5, 1000]), t)
    assert integers.tolist() == quantize_codes(np.array([3.0, -5.0, 1000.0]), t).tolist()
    assert quantize_codes(np.array([2**63], np.uint64), t).tolist() == (
        quantize_codes(np.array([2.0**63]), t).tolist()
    )


FAMILIES: list[Any] = [
    MiniFloat(3, 4, 0),
    MiniFloat(52, 11, 0),
    MiniFloat(10, 6, 20),
    IeeeFloat(5, 2),
    FORMATS["float8_e4m3fn"],
    FORMATS["float8_e4m3fnuz"],
    FORMATS["float4_e2m1fn"],
    VitisFloat(80, 16),
    VitisFloat(16, 5),
    VitisFloat(24, 16),  # beyond the exponents of a double
    Binary(),
    Binary(-1),
    ApFixed(8, 4, rounding="RND_CONV", overflow="SAT"),
    ApFixed(64, 30, signed=False),
    ApFixed(64, -3, rounding="RND_INF", overflow="WRAP_SM"),
    ApFixed(100, 50, rounding="RND_ZERO"),
]


@pytest.mark.parametrize("source", FAMILIES, ids=str)
def test_casts(source: Any) -> None:
    """Codes of every family in every other, by arrays and by tensors."""
    rng = np.random.default_rng(2)
    low, high = source.min_code, source.max_code
    drawn = [low + int.from_bytes(rng.bytes(14), "little") % (high - low + 1) for _ in range(60)]
    drawn += [low, high, *range(low, low + min(8, high - low))]
    for target in FAMILIES:
        kept, expected = [], []
        for code in drawn:
            try:
                expected.append(reference.cast(code, source, target) % (1 << target.width))
            except ValueError:
                continue
            kept.append(code)
        codes = np.array(kept, dtype=object if source.width > 64 else None)
        if source.width == 64 and not source.signed:
            codes = np.array(kept, dtype=np.uint64)
        assert unsigned(cast_codes(codes, source, target), target) == expected
        if max(source.width, target.width) <= 64:
            words = torch.from_numpy(codes.astype(np.int64, casting="unsafe"))
            found = tensors.device_cast(words, source, target)
            assert unsigned(found, target) == expected


def test_casts_of_what_the_target_lacks() -> None:
    """NaN and infinities are refused by fixed point, NaN by floats without one."""
    half = FORMATS["float16"]
    for code, target in [(0x7C00, ApFixed(8, 4)), (0x7E00, MiniFloat(3, 4)), (0x7E00, Binary())]:
        with pytest.raises(ValueError, match="have NaN or infinity"):
            cast_codes([code], half, target)
        with pytest.raises(ValueError, match="have NaN or infinity"):
            tensors.device_cast(torch.tensor([code]), half, target)
    wide = VitisFloat(80, 16)
    nan = np.array([wide.nan_code], dtype=object)
    with pytest.raises(ValueError, match="have NaN or infinity"):
        cast_codes(nan, wide, ApFixed(8, 4))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (MiniFloat(3, 4, 0), ApFixed(8, 4)),
        (MiniFloat(3, 4, 0), ApFixed(8, 4, signed=False)),
        (ApFixed(5, 9), MiniFloat(2, 3, -5)),
        (MiniFloat(3, 4, 0), MiniFloat(2, 3, 1)),
        (MiniFloat(10, 6, 20), MiniFloat(20, 5, -3)),
        (MiniFloat(3, 7, 0), ApFixed(8, 4)),
        (MiniFloat(5, 5, 3), ApFixed(64, 20, signed=False)),
    ],
    ids=str,
)
def test_products(a: Any, b: Any) -> None:
    """A product is exact, in the type of the product; beyond 64 bits too."""
    rng = np.random.default_rng(3)
    t = result_type("*", a, b)
    pairs = [
        (
            type_.min_code + int.from_bytes(rng.bytes(9), "little") % (1 << type_.width)
            for type_ in (a, b)
        )
        for _ in range(150)
    ]
    left, right = ([*column] for column in zip(*(tuple(p) for p in pairs), strict=True))
    expected = [
        reference.compute("*", x, a, y, b) % (1 << t.width)
        for x, y in zip(left, right, strict=True)
    ]
    second = np.array(right, dtype=np.uint64 if not b.signed else np.int64)
    assert unsigned(compute_codes("*", np.array(left), a, second, b), t) == expected
    for value, code in zip(
        decode(expected, t, object) if not t.signed else [], expected, strict=False
    ):
        assert reference.decode(code, t) == value
    if t.width <= 64 and b.width < 64:
        found = compute_codes("*", torch.tensor(left), a, torch.tensor(right), b)
        assert unsigned(found, t) == expected


@pytest.mark.parametrize("t", [MiniFloat(3, 4, 0), MiniFloat(0, 3), FORMATS["float16"]], ids=str)
def test_decompose(t: Any) -> None:
    """Mantissa times two to the exponent is the value; normal mantissas are in [1, 2)."""
    x = np.array([0.3, -5.0, 0.0, 200.0, -1e-4, 1e-9, 1.0])
    mantissa, exponent = decompose(x, t)
    assert (mantissa * 2.0**exponent == quantize(x, t)).all()
    assert exponent.dtype == np.int64
    assert (np.abs(mantissa) < 2).all()
    assert ((np.abs(mantissa) >= 1) | (exponent == t.emin)).all()
    m, e = decompose(torch.from_numpy(x).float(), t)
    assert m.tolist() == mantissa.tolist()
    assert e.tolist() == exponent.tolist()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: quantize(np.array([1.0, np.nan]), MiniFloat(3, 4)), "x has NaN, ap_float<3,4,0>"),
        (lambda: quantize_codes(np.array([np.nan]), MiniFloat(52, 11)), "x has NaN"),
        (lambda: quantize_codes(np.array([np.nan]), FORMATS["float4_e2m1fn"]), "x has NaN"),
        (lambda: quantize(np.array([np.nan], np.float32), Binary()), "x has NaN, binary has none"),
        (lambda: quantize(torch.tensor([np.nan]), MiniFloat(3, 4)), "x has NaN"),
        (lambda: quantize(np.float16(1), FORMATS["bfloat16"]), "use float32"),
        (lambda: quantize(np.float32(1), VitisFloat(40, 8)), "needs 32 bits of significand"),
        (lambda: quantize(np.float32(1), MiniFloat(3, 9)), "use float64"),
        (lambda: quantize(1.0, VitisFloat(80, 16)), "use quantize_codes"),
        (lambda: quantize(1.0, IeeeFloat(15, 10)), "use quantize_codes"),
        (lambda: quantize(np.array([1]), MiniFloat(3, 4)), "has fractions, int64 has none"),
        (lambda: quantize(np.array([1], np.uint8), Binary()), "exceeds the range of uint8"),
        (lambda: quantize(np.zeros(1, ml_dtypes.int4), ApFixed(3, 3)), "does not give int4 back"),
        (lambda: quantize_codes(torch.ones(1), VitisFloat(80, 16)), "at most 64 bits"),
        (lambda: decode([256], MiniFloat(3, 4)), "256 is not a code of ap_float<3,4,0>"),
        (lambda: decode([-1], FORMATS["float16"]), "-1 is not a code"),
        (lambda: decompose(1.0, VitisFloat(80, 16)), "at most 64 bits"),
        (lambda: decompose(np.inf, FORMATS["float16"]), "have no mantissa"),
        (lambda: compute_codes("+", [1], MiniFloat(3, 4), [1], MiniFloat(3, 4)), "\\* alone"),
    ],
)
def test_refused(call: Any, message: str) -> None:
    """Nothing rounds silently: one line says what is wrong and what to do."""
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_refused_kinds() -> None:
    """What is no float type, or no float, is a TypeError."""
    for call in (
        lambda: decompose(1.0, ApFixed(8, 4)),
        lambda: decompose(np.array([1]), MiniFloat(3, 4)),
        lambda: quantize(np.array([1j]), MiniFloat(3, 4)),
        lambda: quantize_codes([1.0], None),
        lambda: decode([1], 8),
        lambda: cast_codes([1], 8, MiniFloat(3, 4)),
    ):
        with pytest.raises(TypeError):
            call()


def test_binary_and_its_zero() -> None:
    """Zero, of either sign, is 1 as in C++, or -1 where that is asked for."""
    x = np.array([-2.0, -0.0, 0.0, 1e-45, np.inf, -np.inf], np.float32)
    assert quantize(x, Binary()).tolist() == [-1, 1, 1, 1, 1, -1]
    assert quantize(x, Binary(-1)).tolist() == [-1, -1, -1, 1, 1, -1]
    assert quantize_codes(torch.from_numpy(x), Binary()).tolist() == [0, 1, 1, 1, 1, 0]
    assert quantize(np.array([-3, 0, 4], np.int8), Binary()).tolist() == [-1, 1, 1]
    x = np.array([-0.5, -0.0, 0.0, 0.5, 2.0])
    for t, codes in ((Binary(), [0, 1, 1, 1, 1]), (Binary(-1), [0, 0, 0, 1, 1])):
        assert tensors.device_codes(torch.from_numpy(x), t).tolist() == codes
    assert decode([0, 1], Binary()).tolist() == [-1.0, 1.0]


def test_random_bits_of_every_double() -> None:
    """Doubles of random bits, in a few types of each kernel: fast path and core agree."""
    rng = np.random.default_rng(5)
    x = np.frombuffer(rng.bytes(8 * 20_000), np.float64)
    x = x[~np.isnan(x)]
    for t in (MiniFloat(3, 4, 0), FORMATS["float8_e4m3fn"].with_modes(rounding="ODD"), VITIS[1]):
        core = tensors.device_codes(torch.from_numpy(x.copy()), t).numpy()
        assert (quantize_codes(x, t) == core).all()
        assert math.isfinite(float(t.max_exact))
