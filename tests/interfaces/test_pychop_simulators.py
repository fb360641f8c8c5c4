"""``Chop``, ``FaultChop``, ``Chopf`` and ``Chopi``: values against laws in fractions."""

import subprocess
import sys
from fractions import Fraction
from typing import Any

import gmpy2
import ml_dtypes
import numpy as np
import pytest
import torch

import harness.interfaces.pychop as pychop
from harness import IeeeFloat
from harness.interfaces.pychop import (
    Chop,
    Chopf,
    Chopi,
    Customs,
    FaultChop,
    LightChop,
    LightChop_,
    float_params,
)

Array = np.ndarray[Any, Any]
MODES = (1, 2, 3, 4, 7, 8, 9)


def neighbours(x: Fraction, sig_bits: int, emin: int) -> tuple[Fraction, Fraction, int]:
    """The two multiples of the last place around ``abs(x)``, and the lower one's significand."""
    exponent = emin
    while abs(x) >= Fraction(2) ** (exponent + 1):
        exponent += 1
    step = Fraction(2) ** (exponent - sig_bits)
    significand = abs(x) // step
    return significand * step, (significand + 1) * step, int(significand)


def expected(x: float, rmode: int, sig_bits: int, emin: int) -> float:
    """``x`` rounded by the law of a mode, as if exponents had no upper end."""
    exact = Fraction(x)
    low, high, significand = neighbours(exact, sig_bits, emin)
    if abs(exact) == low:
        return x
    upward = rmode == (2 if x > 0 else 3)
    nearer = abs(exact) - low > high - abs(exact)
    tie = abs(exact) - low == high - abs(exact)
    ties = {1: significand % 2 == 1, 7: False, 8: True}
    if rmode in ties:
        upward = ties[rmode] if tie else nearer
    if rmode == 9:
        upward = significand % 2 == 0
    return float(np.copysign(float(high if upward else low), x))


def samples(seed: int, sig_bits: int, emin: int, emax: int) -> Array:
    """Values of a format, ties between them, the doubles beside these, and random ones."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(0, 4 << sig_bits, 300) / (2 << sig_bits)
    at = steps * 2.0 ** rng.integers(emin, emax, 300)
    x = np.concatenate([at, np.nextafter(at, 9e9), np.nextafter(at, 0), rng.normal(size=100)])
    x = np.concatenate([x, 2.0**emin * rng.random(100)])
    return x * rng.choice([-1, 1], x.size)


class TestChop:
    """Bits, names, roundings."""

    @pytest.mark.parametrize("rmode", MODES)
    @pytest.mark.parametrize("bits", [(4, 3), (5, 2), (5, 10), (2, 1)])
    def test_law(self, bits: tuple[int, int], rmode: int) -> None:
        """Every value is the neighbour that the law names, in arrays and tensors."""
        exp_bits, sig_bits = bits
        emax = (1 << (exp_bits - 1)) - 1
        x = samples(rmode, sig_bits, 1 - emax, emax)
        x = x[np.abs(x) < 2.0**emax]
        found = Chop(exp_bits, sig_bits, rmode)(x)
        assert found.tolist() == [expected(v, rmode, sig_bits, 1 - emax) for v in x.tolist()]
        of_tensor = Chop(exp_bits, sig_bits, rmode)(torch.from_numpy(x))
        assert of_tensor.tolist() == found.tolist()

    @pytest.mark.parametrize(
        ("name", "dtype"),
        [
            ("h", np.float16),
            ("half", np.float16),
            ("s", np.float32),
            ("q52", ml_dtypes.float8_e5m2),
            ("q43", ml_dtypes.float8_e4m3),
            ("fp8-e4m3", ml_dtypes.float8_e4m3),
        ],
    )
    def test_names(self, name: str, dtype: Any) -> None:
        """The formats that others implement, overflow and subnormals included."""
        top = float(ml_dtypes.finfo(dtype).max)
        x = samples(0, 10, -20, 4)
        x = np.concatenate([x, top * np.linspace(0.9, 1.2, 100), [np.inf, -np.inf, 0.0, -0.0]])
        if dtype is not np.float32:  # ml_dtypes rounds doubles by way of float32
            x = x.astype(np.float32).astype(np.float64)
        with np.errstate(over="ignore"):
            truth = x.astype(dtype).astype(np.float64)
        for chop in (Chop(name), FaultChop(name)):
            np.testing.assert_array_equal(chop(x), truth)
            np.testing.assert_array_equal(np.signbit(chop(x)), np.signbit(truth))
        assert np.isnan(Chop(name)(np.array([np.nan]))).all()

    def test_bfloat16(self) -> None:
        """By name it flushes subnormals, unless told; by bits it has them."""
        x = np.array([1.003, 2.0**-126, 2.0**-127, 2.0**-130])
        truth = x.astype(ml_dtypes.bfloat16).astype(np.float64)
        assert Chop(8, 7)(x).tolist() == Chop("b", subnormal=True)(x).tolist() == truth.tolist()
        assert FaultChop("b")(x).tolist() == Chop("b")(x).tolist() == [*truth[:2], 0, 0]

    def test_no_subnormals(self) -> None:
        """Rounded first, then flushed: what reaches the smallest normal stays."""
        x = np.array([2.0**-14 * (1 - 2.0**-13), 2.0**-14 * (1 - 2.0**-10), -(2.0**-15)])
        assert Chop(5, 10, subnormal=False)(x).tolist() == [2.0**-14, 0, 0]

    def test_other_names_and_attributes(self) -> None:
        """What else the simulators are called, and what they tell."""
        assert LightChop is Chop is LightChop_
        assert pychop.Chop_ is FaultChop
        half = Chop(5, 10, rmode="plus_inf", subnormal=False, chunk_size=5, random_state=7)
        assert (half.u, half.t, half.emax, half.subnormal, half.chunk_size) == (
            2**-11,
            11,
            15,
            0,
            5,
        )
        assert repr(half) == f"Chop({IeeeFloat(5, 10, subnormals=False, rounding='UP')})"
        x = np.array([1.0001])
        assert half(x) == half.quantize(x) == Chop(5, 10, 2)(x)

    def test_customs(self) -> None:
        """By largest exponent and precision, or by bits: the same format."""
        x = samples(3, 10, -16, 14)
        by_exponent = FaultChop(customs=Customs(emax=15, t=11), rmode=3)(x)
        by_bits = FaultChop(customs=Customs(exp_bits=5, sig_bits=10), rmode=3)(x)
        assert by_exponent.tolist() == by_bits.tolist() == Chop(5, 10, 3)(x).tolist()
        assert Chop(customs=Customs(exp_bits=5, sig_bits=10))(x).tolist() == Chop("h")(x).tolist()

    @pytest.mark.parametrize("kind", ["numpy", "torch"])
    @pytest.mark.parametrize(("rmode", "share"), [(5, 0.25), (6, 0.5), (10, 0.5), ("cadna", 0.5)])
    def test_by_chance(self, kind: str, rmode: Any, share: float) -> None:
        """Neighbours alone, in the right shares; exact values stay, draws go on, seeds repeat."""
        low, step, count = 1.5, 2.0**-10, 4000
        x: Any = np.full(count, low + step / 4)
        exact: Any = np.array([1.5, -0.75, 0.0, np.inf])
        if kind == "torch":
            x, exact = torch.from_numpy(x), torch.from_numpy(exact)
        chop = Chop(5, 10, rmode, random_state=3)
        first, second = chop(x), chop(x)
        assert set(first.tolist()) == {low, low + step}
        up = int((first > low).sum())
        # Five standard deviations of a binomial count.
        assert abs(up - share * count) < 5 * (share * (1 - share) * count) ** 0.5
        assert first.tolist() != second.tolist()
        assert first.tolist() == Chop(5, 10, rmode, random_state=3)(x).tolist()
        assert chop(exact).tolist() == exact.tolist()

    def test_refusals(self) -> None:
        """One line each, with what is allowed."""
        cases: list[tuple[Any, tuple[Any, ...], dict[str, Any], str]] = [
            (Chop, ("x",), {}, "allowed: q43"),
            (Chop, (5,), {}, "sig_bits or t"),
            (Chop, (), {}, "or customs="),
            (Chop, ("h", 10), {}, "by keyword"),
            (Chop, (5, 10, 0), {}, "1 NEAREST_EVEN"),
            (FaultChop, ("h",), {"randfunc": np.random.uniform}, "random_state="),
            (FaultChop, ("h",), {"p": 2}, "probability"),
            (FaultChop, ("h",), {"flip": True, "explim": 0}, "explim=True"),
            (FaultChop, ("h",), {"rmode": 9, "round_small": True}, "no rounding 9"),
            (FaultChop, (), {"customs": Customs(emax=14, t=11)}, r"2\*\*k - 1"),
            (FaultChop, (), {"customs": Customs(emax=15)}, "sig_bits or t"),
            (pychop.backend, ("jax",), {}, "allowed: auto, numpy, torch"),
        ]
        for function, args, kwargs, message in cases:
            with pytest.raises(ValueError, match=message) as error:
                function(*args, **kwargs)
            assert "\n" not in str(error.value)
        with pytest.raises(ValueError, match="float64"):
            Chop(5, 10)(np.array([1, 2]))
        with pytest.raises(ValueError, match="float64"):
            Chop(11, 52)(np.float32([1]))

    def test_backend(self) -> None:
        """What comes in comes out, whatever is chosen."""
        pychop.backend("torch", 1)
        assert pychop.get_backend() == "torch"
        assert isinstance(Chop(5, 10)(np.ones(2)), np.ndarray)
        pychop.backend("auto")
        x = torch.ones(2, dtype=torch.float32, requires_grad=True)
        assert Chop(5, 10)(x).dtype == torch.float32
        assert not Chop(5, 10)(x).requires_grad

    @pytest.mark.parametrize(
        "chop",
        [
            Chop("q52"),
            Chop("q52", rmode=5),
            FaultChop("q52", explim=False),
            FaultChop("q52", flip=True),
            FaultChop("q52", False, 2, round_small=True),
            Chopf(4, 4),
            Chopf(4, 4, 2),
            Chopf(4, 4, 6),
            Chopi(),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("width", [16, 32, 64])
    def test_dtypes(self, chop: Any, width: int) -> None:
        """Shape and dtype are those of what is rounded, and so is the layout of NaN."""
        x = np.linspace(-3, 3, 24, dtype=f"f{width // 8}").reshape(2, 3, 4)
        if not isinstance(chop, Chopi):
            x[0, 0, 0] = np.nan
        for given in (x, torch.from_numpy(x), torch.from_numpy(x).transpose(0, 2)):
            found = chop(given)
            assert (found.dtype, found.shape) == (given.dtype, given.shape)
            assert np.array_equal(np.isnan(np.asarray(found)), np.isnan(np.asarray(given)))

    def test_import_is_light(self) -> None:
        """Importing the interface loads no torch, and rounding an array needs none."""
        code = (
            "import sys, numpy; import harness.interfaces.pychop as p; x = numpy.ones(2);"
            "p.Chop(5, 10)(x); p.Chopf()(x); p.Chopi()(x); p.mx_quantize(x);"
            "assert 'torch' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", code], check=True)


class TestFaultChop:
    """What it has beyond ``Chop``."""

    @pytest.mark.parametrize(
        ("rmode", "mpfr"),
        [
            (1, gmpy2.RoundToNearest),
            (2, gmpy2.RoundUp),
            (3, gmpy2.RoundDown),
            (4, gmpy2.RoundToZero),
        ],
    )
    def test_without_limits(self, rmode: int, mpfr: int) -> None:
        """As MPFR rounds to 11 bits, from the smallest double to infinity."""
        rng = np.random.default_rng(1)
        x = rng.normal(size=300) * 2.0 ** rng.integers(-1074, 1023, 300)
        x = np.concatenate([x, [5e-324, 1.7976931348623157e308, -1.7e308, 0.0]])
        with gmpy2.context(precision=11, round=mpfr):
            rounded = [gmpy2.mpfr(gmpy2.mpfr(v, 53), 11) for v in x.tolist()]
        # What is beyond the largest double is infinite; MPFR's exponents go on.
        truth = [
            float(v)
            if abs(v) < gmpy2.mpfr(2) ** 1024
            else float(np.copysign(np.inf, gmpy2.sign(v)))
            for v in rounded
        ]
        found = FaultChop("h", rmode=rmode, explim=False)(x)
        assert found.tolist() == truth
        tensor = FaultChop("h", rmode=rmode, explim=False)(torch.from_numpy(x))
        assert tensor.tolist() == truth

    @pytest.mark.parametrize("kind", ["numpy", "torch"])
    def test_flip(self, kind: str) -> None:
        """One stored bit of the significand of what is hit; zeros and infinities are not."""
        x: Any = np.array([1.5, -0.001, 3.0, 6e-8] * 200 + [0.0, 1e9], dtype=np.float32)
        x = torch.from_numpy(x) if kind == "torch" else x
        right = np.asarray(FaultChop("h")(x)).astype(np.float16).view(np.uint16)
        wrong = np.asarray(FaultChop("h", flip=True, p=1)(x)).astype(np.float16).view(np.uint16)
        changed = right ^ wrong
        assert set(changed[:800].tolist()) == {1 << k for k in range(10)}
        assert changed[800:].tolist() == [0, 0]
        assert np.array_equal(FaultChop("h", flip=True, p=0)(x), FaultChop("h")(x))
        half = np.asarray(FaultChop("h", flip=True, p=0.5)(x)).astype(np.float16).view(np.uint16)
        assert 300 < int((half != right).sum()) < 500

    def test_round_small(self) -> None:
        """On request the smallest magnitude or zero, by the rounding; a second rounding of it."""
        least = 2.0**-6  # the smallest normal of q43; the smallest subnormal is 2**-9
        x = np.array([0.4, 0.5, 0.6, -0.4, -0.6]) * least
        of = {
            1: [0, least, least, 0, -least],
            2: [least, least, least, 0, 0],
            3: [0, 0, 0, -least, -least],
            4: [0, 0, 0, 0, 0],
        }
        for rmode, truth in of.items():
            chop = FaultChop("q43", False, rmode, round_small=True)
            assert chop(x).tolist() == chop(torch.from_numpy(x)).tolist() == truth
            assert FaultChop("q43", False, rmode)(x).tolist() == [0] * 5
        # 0.52 last places are 0.5 in four bits, a tie, that goes to zero; rounded once they are 1.
        y = np.array([0.52, 0.55]) * 2.0**-9
        assert FaultChop("q43", round_small=True)(y).tolist() == [0, 2.0**-9]
        assert FaultChop("q43")(y).tolist() == [2.0**-9] * 2


class TestMath:
    """Operations in a format."""

    @pytest.mark.parametrize("kind", ["numpy", "torch"])
    def test_once_rounded(self, kind: str) -> None:
        """Sums and products of halves, computed in float64, are those of the exact results."""
        rng = np.random.default_rng(2)
        a, b = (rng.normal(size=200) for _ in range(2))
        half = Chop("h")
        x, y = (half(v).tolist() for v in (a, b))
        given = (torch.from_numpy(a), torch.from_numpy(b)) if kind == "torch" else (a, b)
        for name, exact in {
            "add": [Fraction(p) + Fraction(q) for p, q in zip(x, y, strict=True)],
            "multiply": [Fraction(p) * Fraction(q) for p, q in zip(x, y, strict=True)],
            "divide": [Fraction(p) / Fraction(q) for p, q in zip(x, y, strict=True)],
        }.items():
            found = getattr(half, name)(*given).tolist()
            truth = [
                float(pychop.Chop("h")(float(v))) if Fraction(float(v)) == v else _half(v)
                for v in exact
            ]
            assert found == truth
            assert getattr(pychop, name)(*given, half).tolist() == found

    def test_reductions_and_options(self) -> None:
        """Other arguments go to the function as they are."""
        chop = Chop(4, 3)
        x = np.array([[1.03, 2.2], [3.1, 4.9]])
        rounded = np.array([[1.0, 2.25], [3.0, 5.0]])
        assert chop.sum(x, axis=0).tolist() == chop(rounded.sum(axis=0)).tolist()
        assert pychop.sum(x, chop, axis=0).tolist() == chop.sum(x, axis=0).tolist()
        assert pychop.cumsum(x, chop=chop, axis=1).tolist() == chop(rounded.cumsum(1)).tolist()
        assert chop.clip(x, 1, 3).tolist() == chop(rounded.clip(1, 3)).tolist()
        assert Chopf(4, 2).exp(np.array([0.3])).tolist() == [1.25]

    def test_domains(self) -> None:
        """What is undefined is refused, after rounding."""
        with pytest.raises(ValueError, match="positive"):
            Chop(5, 10).log(np.array([1e-9]))
        with pytest.raises(ValueError, match="no zero"):
            Chop(5, 10).divide(torch.ones(1), torch.zeros(1))
        with pytest.raises(AttributeError, match="no foo"):
            Chop(5, 10).foo  # noqa: B018
        with pytest.raises(AttributeError, match="torch has no cbrt"):
            Chop(5, 10).cbrt(torch.ones(1))
        with pytest.raises(TypeError, match="2 operands and a chop"):
            pychop.add(1.0, Chop(5, 10))


def _half(x: Fraction) -> float:
    """The nearest half of a number that no double is, ties to even."""
    low, high, significand = neighbours(x, 10, -14)
    middle = (low + high) / 2
    up = abs(x) > middle or (abs(x) == middle and significand % 2 == 1)
    return float(np.copysign(float(high if up else low), float(x)))


class TestChopf:
    """Fixed point."""

    @pytest.mark.parametrize("rmode", [1, 2, 3, 4, 7, 8])
    @pytest.mark.parametrize("bits", [(4, 4), (1, 3), (8, 0)])
    def test_law(self, bits: tuple[int, int], rmode: int) -> None:
        """Every half step over the range and beyond, and what lies beside."""
        ibits, fbits = bits
        low, high, unit = -(2.0 ** (ibits - 1)), 2.0 ** (ibits - 1) - 2.0**-fbits, 2.0**-fbits
        x = np.arange(low - 2 * unit, high + 2 * unit, unit / 2)
        x = np.concatenate(
            [x, np.nextafter(x, 9e9), np.nextafter(x, -9e9), [1e300, -np.inf, np.inf]]
        )
        found = Chopf(ibits, fbits, rmode)(x).tolist()
        for value, got in zip(x.tolist(), found, strict=True):
            if np.isinf(value):
                assert got == (high if value > 0 else low)
                continue
            rounded = (
                expected(value, rmode, 1074, -1074) if value == 0 else _fixed(value, fbits, rmode)
            )
            assert got == min(max(rounded, low), high), value
        assert Chopf(ibits, fbits, rmode)(torch.from_numpy(x)).tolist() == found

    @pytest.mark.parametrize(("rmode", "share"), [(5, 0.25), (6, 0.5), ("stoc_equal", 0.5)])
    def test_by_chance(self, rmode: Any, share: float) -> None:
        """Neighbours in the right shares, in arrays and tensors."""
        for x in (np.full(4000, 0.0625 * 1.25), torch.full((4000,), 0.0625 * 1.25)):
            found = Chopf(4, 4, rmode)(x)
            assert set(found.tolist()) == {0.0625, 0.125}
            assert (
                abs(int((found > 0.1).sum()) - share * 4000)
                < 5 * (share * (1 - share) * 4000) ** 0.5
            )

    def test_wide(self) -> None:
        """A type wider than the dtype rounds what it holds, and refuses what it does not."""
        for x in (np.float32([1 / 3, -1000.3, 2.0**-17]), torch.tensor([1 / 3, -1000.3, 2.0**-17])):
            found = Chopf(16, 16)(x)
            assert found.dtype == x.dtype
            assert found.tolist() == [_fixed(float(v), 16, 1) for v in x]
            with pytest.raises(ValueError, match="float32 does not hold"):
                Chopf(16, 16)(1e6 * x)

    def test_rest(self) -> None:
        """NaN stays, names work, and what does not exist is refused."""
        assert np.isnan(Chopf()(np.array([np.nan, 1.0]))).tolist() == [True, False]
        x = np.array([0.09])
        assert Chopf(4, 4, "plus_inf")(x) == Chopf(4, 4, 2).quantize(x) == 0.125
        info = Chopf(4, 4).get_format_info()
        assert (info["format"], info["total_bits"], info["range"]) == ("Q4.4", 8, (-8.0, 7.9375))
        assert pychop.FPRound_ is Chopf
        for rmode in (0, 9, "odd"):
            with pytest.raises(ValueError, match="1 nearest, 2 up"):
                Chopf(4, 4, rmode)


def _fixed(x: float, fbits: int, rmode: int) -> float:
    y = Fraction(x) * 2**fbits
    down = y.__floor__()
    tie = y - down == Fraction(1, 2)
    away = down + 1 if x > 0 else down
    laws = {
        1: round(y),
        2: y.__ceil__(),
        3: down,
        4: int(y),
        7: int(y) if tie else round(y),
        8: away if tie else round(y),
    }
    return float(Fraction(laws[rmode]) / 2**fbits)


class TestChopi:
    """Integers at a scale."""

    @pytest.mark.parametrize("symmetric", [True, False])
    @pytest.mark.parametrize("bits", [4, 8, 16])
    def test_law(self, bits: int, symmetric: bool) -> None:
        """The integers of the exact quotient by the scale, ties to even."""
        rng = np.random.default_rng(bits)
        x = np.round(rng.normal(size=200) * 64) / 64  # with ties
        chop = Chopi(bits, symmetric)
        q = chop.quantize(x)
        low, high = (
            (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if symmetric else (0, 2 ** (bits - 1) - 1)
        )
        scale = (x.max() - x.min()) / (high - low)
        zero = 0 if symmetric else round(low - x.min() / scale)
        assert (chop.scale, chop.zero_point) == (scale, zero)
        truth = [round(Fraction(v) / Fraction(scale) + zero) for v in x.tolist()]
        assert q.tolist() == [min(max(n, low), high) for n in truth]
        assert chop.dequantize(q).tolist() == [(n - zero) * scale for n in q.tolist()]
        assert q.dtype == {4: np.int64, 8: np.int8, 16: np.int16}[bits]

    def test_ties_are_exact(self) -> None:
        """A quotient that float64 rounds onto a tie is not one."""
        chop = Chopi(8, True)
        chop.scale, chop.zero_point = np.float64(1 / 3), np.int64(0)
        x = np.array([0.5 / 3, np.nextafter(0.5 / 3, 1), 2.5 / 3, np.nextafter(2.5 / 3, 0)])
        truth = [round(Fraction(v) / Fraction(1 / 3)) for v in x.tolist()]
        assert chop.quantize(x).tolist() == truth

    def test_channels(self) -> None:
        """A scale for each index of an axis; one value's channel has the smallest scale."""
        x = torch.tensor([[1.0, -1.0], [100.0, 50.0], [7.0, 7.0]])
        chop = Chopi(8, per_channel=True, axis=0)
        values = chop(x)
        assert chop.scale.ravel().tolist() == [2 / 127, 50 / 127, 1e-5 / 127]
        assert values.dtype == torch.float32
        assert torch.all((values[:2] - x[:2]).abs() <= torch.tensor(chop.scale[:2]) / 2 + 1e-6)

    def test_calibration(self) -> None:
        """Arrays calibrate once, tensors each time."""
        chop = Chopi(8)
        assert not chop.is_calibrated
        with pytest.raises(ValueError, match="no scale yet"):
            chop.dequantize(np.array([1]))
        chop(np.array([0.0, 1.0]))
        scale = chop.scale
        chop(np.array([0.0, 5.0]))
        assert chop.scale == scale
        chop(torch.tensor([0.0, 5.0]))
        assert chop.scale == 5 / 127

    def test_refusals(self) -> None:
        """Bits, kinds and values."""
        for bits in (1, 33, 8.0):
            with pytest.raises(ValueError, match="from 2 to 32"):
                Chopi(bits)  # type: ignore[arg-type]
        for x in (np.array([1, 2]), [1.0], torch.tensor([1])):
            with pytest.raises(TypeError, match="floats are quantized"):
                Chopi()(x)
        for values in ([], [np.nan], [np.inf, 1.0]):
            with pytest.raises(ValueError, match="calibrate with"):
                Chopi()(np.array(values))


def test_float_params() -> None:
    """As NumPy and ml_dtypes tell the same formats; by name, by alias, and all of them."""
    for name, info in (("fp16", np.finfo(np.float16)), ("s", np.finfo(np.float32))):
        u, xmins, xmin, xmax, p, emins, emin, emax = float_params(name)
        assert (xmins, xmin, xmax) == (info.smallest_subnormal, info.smallest_normal, info.max)
        assert (u, p) == (info.eps / 2, info.nmant + 1)
        assert (emin, emax) == (info.minexp, info.maxexp - 1)
        assert emins == emin - info.nmant
    assert float_params("bf16") == float_params("bfloat16")
    mx = float_params("mxfp8_e4m3")
    assert (mx["family"], mx["xmax"], mx["xmins"]) == ("mx", 448.0 * 2.0**127, 2.0 ** (-9 - 127))
    assert float_params("mxint8")["xmins"] == 2.0 ** (-6 - 127)
    bfp = float_params("bfp8")
    assert (bfp["block_size"], bfp["scale_bits"], bfp["xmax"]) == (32, 8, 127 / 128 * 2.0**127)
    table = float_params()
    assert {"fp16", "bfp8", "flexpoint16", "mxint8"} <= set(table[""])
    assert len({len(column) for column in table.values()}) == 1
    with pytest.raises(ValueError, match="no double holds the range of q"):
        float_params("q")
    with pytest.raises(ValueError, match="allowed: q43"):
        float_params("nothing")
