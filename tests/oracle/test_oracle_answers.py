"""The C++ and the exact reference, held against each other directly."""

import itertools
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest

from harness import ApFixed, Operation, Rounding, reference
from harness.oracle import Oracle, kernels
from harness.quantize.plan import as_int64
from harness.verify.profiles import modes

GRID = [
    ApFixed(width, integer, signed, rounding, overflow, n)
    for signed, rounding, overflow in modes()
    for width, integer in ((1, 1), (4, 2))
    for n in ((0, 1, min(2, width)) if overflow.wraps and rounding is Rounding.RND else (0,))
]
SOURCE = ApFixed(9, 5)


@pytest.fixture(scope="module")
def compiled(oracle: Oracle) -> Oracle:
    """The oracle with the whole grid compiled, in groups."""
    wanted = [kernels.from_number("double", t) for t in GRID]
    wanted += [kernels.cast(SOURCE, t) for t in GRID]
    assert sum(len(group) for group in oracle.compile(wanted)) == len(set(wanted))
    return oracle


@pytest.mark.parametrize("t", GRID, ids=str)
def test_double_path(compiled: Oracle, t: ApFixed) -> None:
    """Around every half LSB, far beyond the range, the header gives the reference's code."""
    halves = np.arange(-140, 141) * 2.0 ** (-t.frac - 1)
    x = np.concatenate([halves, np.nextafter(halves, 9), np.nextafter(halves, -9)])
    expected = [as_int64(reference.from_double(float(v), t)) for v in x]
    assert compiled.codes(x, t).tolist() == expected


@pytest.mark.parametrize("t", GRID, ids=str)
def test_cast_path(compiled: Oracle, t: ApFixed) -> None:
    """Every code of a wider type converts as the reference says."""
    codes = np.array(SOURCE.codes)
    expected = [reference.cast(c, SOURCE, t) for c in SOURCE.codes]
    assert compiled.cast(codes, SOURCE, t).tolist() == expected


@pytest.mark.parametrize("x", [float("nan"), -float("nan"), float("inf"), -float("inf"), 5e-324])
def test_specials(compiled: Oracle, x: float, capfd: pytest.CaptureFixture[str]) -> None:
    """NaN, infinities and subnormals are read as the documented quirks say, in silence."""
    for t in GRID[:40]:
        assert int(compiled.codes(x, t)) == reference.from_double(x, t)
    assert capfd.readouterr().err == ""


PAIRS = [
    (ApFixed(8, 4), ApFixed(8, 4)),
    (ApFixed(6, 9, signed=False), ApFixed(5, -2)),
    (ApFixed(4, 4), ApFixed(1, 1)),
    (ApFixed(70, 30), ApFixed(66, 40, signed=False)),
    (ApFixed(90, 30), ApFixed(80, 70)),
]


@pytest.mark.parametrize("op", ["+", "-", "*", "/"])
@pytest.mark.parametrize(("a", "b"), PAIRS, ids=str)
def test_arithmetic(oracle: Oracle, op: str, a: ApFixed, b: ApFixed) -> None:
    """Sums, differences, products and quotients of the ends and the middle are the reference's."""
    lefts = [a.min_code, a.max_code, 0, 1 if a.max_code else 0, a.max_code // 3]
    rights = [c for c in (b.min_code, b.max_code, -1 if b.signed else 3, b.max_code // 5) if c]
    pairs = list(itertools.product(lefts, rights))
    xs = np.array([x for x, _ in pairs], dtype=object)
    ys = np.array([y for _, y in pairs], dtype=object)
    expected = [reference.compute(op, x, a, y, b) for x, y in pairs]
    assert oracle.compute(op, xs, a, ys, b).tolist() == expected


@pytest.mark.parametrize("count", [0, 1, 5, 8, 40, -3, -9])
@pytest.mark.parametrize("op", ["<<", ">>"])
def test_shifts(oracle: Oracle, op: str, count: int) -> None:
    """A shift keeps the type, loses bits, and reverses with a negative count."""
    for t in (ApFixed(8, 4, rounding="RND", overflow="SAT"), ApFixed(8, 4, signed=False)):
        expected = [reference.compute(op, c, t, count) for c in t.codes]
        assert oracle.compute(op, np.array(t.codes), t, count).tolist() == expected


def test_negation(oracle: Oracle) -> None:
    """Unary minus holds the opposite of the minimum."""
    t = ApFixed(8, 4)
    assert oracle.compute("neg", [-128, 127], t).tolist() == [128, -127]


def test_accumulation(oracle: Oracle) -> None:
    """An accumulator wraps at every step: 3 x 3.6875 in <8,4> ends at -4.9375."""
    t = ApFixed(8, 4)
    steps = oracle.accumulate("+", 0, t, [59, 59, 59], t)
    assert steps.tolist() == reference.accumulate("+", 0, t, [59, 59, 59], t)
    assert steps[-1] / 16 == -4.9375
    saturating = t.with_modes(overflow="SAT")
    assert oracle.assign("+", [118], saturating, [59], t).tolist() == [127]


@pytest.mark.parametrize("width", [65, 100, 127, 128, 129, 1024])
def test_wide_types(oracle: Oracle, width: int) -> None:
    """Beyond 64 bits codes are Python integers, and the same."""
    t = ApFixed(width, width // 2, rounding="RND_CONV", overflow="SAT_SYM")
    x = np.array([0.0, -0.0, 1.5, -1e300, 1e300, -(2.0**-60), 3.0**30, np.inf])
    assert oracle.codes(x, t).tolist() == [reference.from_double(v, t) for v in x.tolist()]
    codes = np.array([t.min_code, t.max_code, -1, 0, 12345], dtype=object)
    narrow = ApFixed(40, 20, overflow="SAT")
    expected = [reference.cast(c, t, narrow) for c in codes]
    assert oracle.cast(codes, t, narrow).tolist() == expected


def test_cling_agrees(oracle: Oracle) -> None:
    """What cling compiles in this process gives the codes that the C++ compiler's code gives."""
    t = ApFixed(7, 3, rounding="RND_INF", overflow="WRAP_SM")
    jit = oracle.jit([kernels.from_number("double", t)])
    x = np.linspace(-40, 40, 1001)
    expected = [reference.from_double(v, t) for v in x.tolist()]
    assert jit.codes(x, t).tolist() == expected
    assert oracle.codes(x, t).tolist() == expected


def test_shapes_and_numbers(oracle: Oracle) -> None:
    """Shape is kept for every kind of number; what C++ cannot construct from is refused."""
    t = ApFixed(8, 8, overflow="SAT")
    assert oracle.codes(np.zeros((2, 0, 3)), t).shape == (2, 0, 3)
    assert oracle.codes(np.array([[300, -5]], dtype=np.int16), t).tolist() == [[127, -5]]
    assert oracle.codes(np.array([2**63], dtype=np.uint64), t).tolist() == [127]
    assert oracle.codes(np.float16(1.5), t) == 1
    with pytest.raises(TypeError, match="allowed: floats and integers"):
        oracle.codes(np.array([1j]), t)


def test_exact_numbers_and_cpp(oracle: Oracle) -> None:
    """Numbers that no constructor takes exactly are refused, as are masked arrays; others asked."""
    t = ApFixed(8, 8, overflow="SAT")
    assert oracle.codes([2**64 - 1, 3], t).tolist() == [127, 3]
    assert oracle.codes(np.array([-1, 2**63 - 1], dtype=object), t).tolist() == [-1, 127]
    assert oracle.codes(np.array([1.5], dtype=ml_dtypes.bfloat16), t).tolist() == [1]
    refused = ([2**64 - 1, -1], [2**53 + 1, 0.5], Fraction(1, 3), "0.1", 10**400, np.longdouble(1))
    for x in refused:
        with pytest.raises(TypeError, match="no C\\+\\+ constructor takes these numbers exactly"):
            oracle.codes(x, t)
    masked = np.ma.array([1, 2], mask=[False, True])
    for call in (
        lambda: oracle.codes(masked, t),
        lambda: oracle.cast(masked, t, t),
        lambda: oracle.compute("+", masked, t, [1, 2], t),
        lambda: oracle.compute("+", [1, 2], t, masked, t),
    ):
        with pytest.raises(TypeError, match="a masked array is not read"):
            call()


def test_operations_are_checked(oracle: Oracle) -> None:
    """Operands of different shapes, floats for codes and codes out of range are refused."""
    t = ApFixed(8, 4)
    with pytest.raises(ValueError, match="differ in shape"):
        oracle.compute(Operation.ADD, [1, 2], t, [1], t)
    with pytest.raises(TypeError, match="codes must be integers"):
        oracle.cast([1.5], t, t)
    with pytest.raises(ValueError, match="200 is not a code"):
        oracle.cast([200], t, t)
