"""What people pass as numbers is read exactly, or refused in one line."""

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness import (
    FORMATS,
    ApFixed,
    ApInt,
    Binary,
    IeeeFloat,
    MiniFloat,
    cast_codes,
    compute_codes,
    decode,
    decompose,
    from_bits,
    quantize,
    quantize_codes,
    quantize_fixed,
    quantize_minifloat,
    reference,
    to_bits,
)
from harness.testing import any_ap_types, any_float_types, values_for
from harness.types import read_number

T = ApFixed(8, 4)
SAT = ApFixed(8, 4, rounding="RND", overflow="SAT")
WIDE = ApFixed(80, 80)
EXTRA = st.sampled_from([Binary(), ApInt(5), ApInt(1), ApInt(70, signed=False)])


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([2**64 - 1, -1], [2**64 - 1, -1]),
        ([2**63, -1], [2**63, -1]),
        ([2**53 + 1, 0.5], [2**53 + 1, 0]),
        ([np.int64(2**53 + 1), np.float32(2.5)], [2**53 + 1, 2]),
        ([np.uint64(2**64 - 1), np.int64(-1)], [2**64 - 1, -1]),
        ([np.array([2**62 + 1]), np.array([1.5])], [[2**62 + 1], [1]]),
        ([2**70 + 1, "0x1.8p3", Fraction(7, 2), Decimal("2.5")], [2**70 + 1, 12, 3, 2]),
        ([[2**64 - 1], [-1.5]], [[2**64 - 1], [-2]]),
        (2**79 - 1, 2**79 - 1),
        ([True, 2**53 + 1, 0.5], [1, 2**53 + 1, 0]),
    ],
    ids=repr,
)
def test_nothing_is_rounded_on_the_way_in(x: Any, expected: Any) -> None:
    """NumPy would make float64 of these, and round."""
    assert np.asarray(quantize_codes(x, WIDE)).tolist() == expected


@given(data=st.data(), t=any_ap_types(max_width=90) | any_float_types() | EXTRA)
def test_rounded_once(data: st.DataObject, t: Any) -> None:
    """Fractions that no double has: the code is the reference's, which divides exactly."""
    near = Fraction(data.draw(values_for(t, finite=True), label="near"))
    denominator = data.draw(st.sampled_from([1, 3, 7, 10**30, 3 * 2**1100]), label="d")
    x = near + Fraction(data.draw(st.integers(-2, 2), label="n"), denominator)
    expected = reference.from_exact(x, t) % 2**t.width
    assert int(quantize_codes(x, t)) % 2**t.width == expected
    assert int(quantize_codes([x, 0], t)[0]) % 2**t.width == expected


@given(data=st.data(), t=any_ap_types() | any_float_types() | EXTRA)
def test_a_double_is_its_fraction(data: st.DataObject, t: Any) -> None:
    """What both can say has one code; -0.0 and subnormals are floats alone."""
    x = data.draw(values_for(t, finite=True), label="x")
    if abs(x) >= 2.0**-1022:
        assert quantize_codes(Fraction(x), t) == quantize_codes(x, t)
        assert quantize_codes(Decimal(x), t) == quantize_codes(x, t)
        assert quantize_codes(x.hex(), t) == quantize_codes(x, t)


def test_once_is_not_twice() -> None:
    """A hair above a tie, as text: the nearest double is the tie, and rounds another way."""
    assert quantize_codes(["-0.3", -0.3, "-0.5"], ApInt(8)).tolist() == [1, 1, 0]
    t = ApFixed(8, 4, rounding="RND_ZERO")
    text = "0.03125000000000000000000000000000001"
    assert quantize_codes(text, t) == quantize_codes(Decimal(text), t) == 1
    assert quantize_codes(float(text), t) == 0
    half = IeeeFloat(5, 10)
    above = Fraction(2049, 2048) + Fraction(1, 10**40)
    assert quantize_codes(above, half) == quantize_codes(1.0, half) + 1
    assert quantize_codes(float(above), half) == quantize_codes(1.0, half)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0b0.01", Fraction(1, 4)),
        ("-0B1.1p-3", Fraction(-3, 16)),
        ("0x1.8p3", 12),
        ("0xff", 255),
        ("0x.8", Fraction(1, 2)),
        ("0.1", Fraction(1, 10)),
        ("+1_000.5e-1", Fraction(2001, 20)),
        (".5", Fraction(1, 2)),
        ("5.", 5),
        ("1/3", Fraction(1, 3)),
        ("-1 / 3", Fraction(-1, 3)),
        (" 1e400 ", 10**400),
        ("-inf", -math.inf),
    ],
)
def test_text(text: str, value: Any) -> None:
    """Each spelling is the exact number."""
    assert read_number(text) == value


def test_signs_of_zero_and_nan() -> None:
    """Text and Decimal keep them."""
    half = FORMATS["float16"]
    for x in ("-0.0", "-0", Decimal("-0.0"), -0.0, np.longdouble(-0.0)):
        assert quantize_codes([x], half).tolist() == [0x8000]
    for x in ("nan", Decimal("NaN"), math.nan, np.longdouble("nan")):
        assert quantize_codes([x], half).tolist() == [half.nan_code]
    assert quantize_codes(["-inf", 1], half).tolist() == [0xFC00, 0x3C00]


def test_values_of_exact_numbers() -> None:
    """They come back as fractions; a scalar gives a scalar."""
    assert quantize(Fraction(1, 3), SAT) == Fraction(5, 16)
    found = quantize([["0.1"], [10**400]], SAT)
    assert found.tolist() == [[Fraction(1, 8)], [SAT.max_exact]]
    assert quantize(["inf", Fraction(1, 3)], "float16").tolist()[0] == math.inf
    assert quantize([2**64 - 1, -1], WIDE).tolist() == [2**64 - 1, -1]


def test_long_doubles() -> None:
    """64 bits of significand, none of them lost."""
    x = np.array([2**63 + 1, -(2**63) - 3], dtype=object).astype(np.longdouble)
    assert quantize_codes(x, WIDE).tolist() == [int(v) for v in x]
    assert quantize_codes(x, WIDE).tolist() != [int(float(v)) for v in x]


@pytest.mark.parametrize(
    "name",
    [n for n in FORMATS if hasattr(ml_dtypes, n)] + ["float8_e8m0fnu", "float8_e4m3b11fnuz"],
)
def test_floats_of_ml_dtypes(name: str) -> None:
    """Every number of a format is read as what it is, with no word about NaN and infinities."""
    dtype = np.dtype(getattr(ml_dtypes, name))
    bits = FORMATS[name].width if name in FORMATS else 8
    x = np.arange(2**bits, dtype=f"u{dtype.itemsize}").view(dtype)
    with np.errstate(invalid="ignore"):
        wide = x.astype(np.float64)
    t = ApFixed(40, 20, rounding="RND", overflow="SAT")
    assert np.array_equal(quantize_codes(x, t), quantize_codes(wide, t))
    assert np.array_equal(quantize_codes(x, "float32"), quantize_codes(wide, "float32"))


def test_integers_of_ml_dtypes() -> None:
    """They are inputs, and codes."""
    x = np.array([-8, 7, 3], dtype=ml_dtypes.int4)
    assert quantize_codes(x, SAT).tolist() == [-128, 112, 48]
    assert decode(x, T).tolist() == [-0.5, 0.4375, 0.1875]
    assert quantize_codes(np.array([15, 1], dtype=ml_dtypes.uint4), T).tolist() == [-16, 16]
    with pytest.raises(ValueError, match="quantize does not give int4 back"):
        quantize(x, ApFixed(3, 3))


def test_bfloat16_arrays_come_back() -> None:
    """As torch's tensors do: values in the same dtype, or a refusal."""
    x = np.array([[1.53, -9.0], [0.1, 3.0]], dtype=ml_dtypes.bfloat16)
    found = quantize(x, SAT)
    assert found.dtype == x.dtype
    expected = quantize(torch.tensor(x.astype("f4")).bfloat16(), SAT)
    assert found.astype("f4").tolist() == expected.float().tolist()
    assert decode([24], T, ml_dtypes.bfloat16).dtype == ml_dtypes.bfloat16
    mantissa, exponent = decompose(x, MiniFloat(3, 4))
    assert mantissa.dtype == x.dtype
    assert (mantissa.astype("f8") * 2.0**exponent).tolist() == [[1.5, -9.0], [0.1015625, 3.0]]
    with pytest.raises(ValueError, match="bfloat16 has 8"):
        quantize(x, ApFixed(16, 8))


MASKED = np.ma.array([1, 2], mask=[False, True])


@pytest.mark.parametrize("x", [MASKED, [MASKED, MASKED], [[np.ma.masked, 1]]], ids=["a", "b", "c"])
@pytest.mark.parametrize(
    "call",
    [
        lambda x: quantize(x, T),
        lambda x: quantize_codes(x, T),
        lambda x: decode(x, T),
        lambda x: cast_codes(x, T, T),
        lambda x: compute_codes("neg", x, T),
        lambda x: compute_codes("+", [1, 2], T, x, T),
        lambda x: compute_codes("+", torch.tensor([1, 2]), T, x, T),
        lambda x: decompose(x, MiniFloat(3, 4)),
        lambda x: quantize_fixed(x, 1, 3, 4),
        lambda x: quantize_fixed([0.5, 0.5], 1, x, 4),
        lambda x: quantize_minifloat(x, 3, 4),
        lambda x: to_bits(x, T),
        lambda x: from_bits(x, T),
    ],
)
def test_masked_arrays(x: Any, call: Callable[[Any], Any]) -> None:
    """NumPy drops the mask of what it computes with; nobody here does."""
    with pytest.raises(TypeError, match="^a masked array is not read"):
        call(x)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([[1], [1, 2]], "differ in length"),
        ("0b2", "'0b2' spells no number"),
        ("", "'' spells no number"),
        ("1/0", "divides by zero"),
        ("1e999999999", "an exponent beyond"),
        (Decimal("1e-999999999"), "an exponent beyond"),
        ("9" * 5000, "more than 4000 digits"),
        (Decimal("sNaN"), "signaling"),
        (None, "cannot read None"),
        ({1: 2}, "cannot read {1: 2}"),
        ([object], "cannot read <class 'object'>"),
        (np.array([1j]), "cannot read dtype complex128"),
        (np.timedelta64(3, "s"), "cannot read dtype timedelta64"),
        ([1, b"2"], "cannot read"),
    ],
    ids=lambda x: repr(x)[:20],
)
def test_what_is_refused(x: Any, message: str) -> None:
    """In one line."""
    for function in (quantize, quantize_codes):
        with pytest.raises((TypeError, ValueError), match=message) as caught:
            function(x, T)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 200


def test_refusals_beside_them() -> None:
    """Chance takes floats; a width is small; float64 holds no integer beyond 2**53 for sure."""
    with pytest.raises(TypeError, match="rounds by chance, which takes floats"):
        quantize("0.1", T.with_modes(rounding="S_RND"), np.random.default_rng(0))
    for x in (np.array([2**53 + 1]), torch.tensor([2**53 + 1]), 2**53 + 1):
        with pytest.raises(ValueError, match=r"integers from 2\*\*53"):
            quantize_fixed(x, 1, 60, 0)
    with pytest.raises(ValueError, match=r"i must be below 2\*\*31"):
        quantize_fixed([0.5], 1, np.array([2**64 - 1], np.uint64), 0)
    for x in (Fraction(1, 3), 2**53 + 1, 10**400, "0.5", None):
        with pytest.raises(ValueError, match="is no double; from_exact"):
            reference.from_double(x, T)
