"""``ap_int`` as the vendor's header has it: every code of small widths, and each departure."""

import numpy as np
import pytest

from harness import ApFixed, ApInt, cast_codes, compute_codes, quantize, quantize_codes, reference
from harness.oracle import HeaderRefuses, Oracle, kernels
from harness.types import BOOL

INTEGERS = [ApInt(width, signed) for width in (1, 8, 64, 80) for signed in (True, False)]
SOURCES = [
    ApFixed(8, 4),
    ApFixed(8, 4, signed=False),
    ApFixed(7, 0),
    ApFixed(8, 1, rounding="RND", overflow="SAT"),
    ApFixed(6, 9),
    ApInt(9),
    ApFixed(70, 0),
]
X = np.concatenate(
    [
        np.arange(-80, 81) / 16,
        [-0.3, -1e-300, -0.0, 5e-324, -5e-324, 300.7, -7.999, 1e30, -1e30, 2.0**70 + 2.0**20],
        [np.nan, -np.nan, np.inf, -np.inf],
    ]
)


def words(codes: "np.ndarray | list[int]", t: ApInt) -> list[int]:
    """Codes as unsigned words, so that a folded 64-bit one is the same."""
    items = codes.tolist() if isinstance(codes, np.ndarray) else codes
    return [int(c) % (1 << t.width) for c in items]


@pytest.fixture(scope="module")
def compiled(oracle: Oracle) -> Oracle:
    """The oracle with every kernel of these tests compiled, in groups."""
    wanted = [
        kernels.from_number(n, t) for n in ("double", "float", "std::int64_t") for t in INTEGERS
    ]
    wanted += [kernels.cast(s, t) for s in SOURCES for t in INTEGERS]
    wanted += [kernels.cast(t, s) for s in SOURCES for t in INTEGERS]
    for _ in oracle.compile(wanted):
        pass
    return oracle


@pytest.mark.parametrize("t", INTEGERS, ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_from_floats(compiled: Oracle, t: ApInt, dtype: type) -> None:
    """Cut toward zero and wrapped, and +1 for what lies between -0.5 and 0."""
    with np.errstate(over="ignore"):
        x = X.astype(dtype)
    expected = words([reference.from_double(float(v), t) for v in x], t)
    assert words(compiled.codes(x, t), t) == expected
    assert words(quantize_codes(x, t), t) == expected


@pytest.mark.parametrize("t", INTEGERS, ids=str)
def test_from_numbers_and_types(compiled: Oracle, t: ApInt) -> None:
    """From 64-bit integers and from every source type, and out into it again."""
    whole = np.array([-1, 5, 300, -(2**63), 2**63 - 1])
    expected = words([reference.from_int(int(v), t) for v in whole], t)
    assert words(compiled.codes(whole, t), t) == words(quantize_codes(whole, t), t) == expected
    for source in SOURCES:
        codes = _some(source)
        expected = words([reference.cast(int(c), source, t) for c in codes], t)
        assert words(compiled.cast(codes, source, t), t) == expected
        assert words(cast_codes(codes, source, t), t) == expected
        back = _some(t)
        found = [reference.cast(int(c), t, source) for c in back]
        assert (
            compiled.cast(back, t, source).tolist() == cast_codes(back, t, source).tolist() == found
        )


def _some(t: ApFixed) -> np.ndarray:
    """Every code of a narrow type; the ends and the middle of a wide one."""
    if t.width <= 9:
        return np.array(t.codes)
    codes = {t.min_code, t.min_code + 1, 0, 1, 5, t.max_code // 3, t.max_code}
    return np.array(sorted(codes | ({-1, -5} if t.signed else set())), object)


@pytest.mark.parametrize(
    ("t", "x", "code"),
    [
        (ApInt(8), -3.7, -3),
        (ApInt(8), -0.3, 1),
        (ApInt(8, signed=False), -0.3, 1),
        (ApInt(80), -0.3, 1),
        (ApInt(1), -0.3, -1),
        (ApInt(8), -0.5, 0),
        (ApInt(8), np.nan, 0),
        (ApInt(8), 300.7, 44),
    ],
)
def test_known_values(oracle: Oracle, t: ApInt, x: float, code: int) -> None:
    """What people fell into: reference, quantizer and C++ say the same."""
    assert reference.from_double(x, t) == code
    assert int(quantize_codes(x, t)) == int(oracle.codes(x, t)) == code


#: Floats: 1.5, the largest, the infinities, a quiet NaN and two signalling ones.
WORDS = [0x3FC00000, 0x7F7FFFFF, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFA00001, 0x7F800001]


@pytest.mark.parametrize("t", [ApInt(105), ApInt(106, signed=False), ApInt(129)], ids=str)
def test_floats_into_wide_integers(oracle: Oracle, t: ApInt) -> None:
    """They are not widened: NaN shows from 106 bits on, an infinity from 129, as 2**128."""
    x = np.array(WORDS, np.uint32).view(np.float32)
    found = words(oracle.codes(x, t), t)
    assert found == words(quantize_codes(x, t), t)
    quiet = slice(0, 5)
    assert found[quiet] == words([reference.from_float(float(v), t) for v in x[quiet]], t)
    infinity = 1 << 128 if t.width > 128 else 0
    assert found[2:4] == [infinity, infinity]
    assert found[6] - infinity == (1 << 105 if t.width > 105 else 0)
    assert words(quantize_codes(x[:5].astype(np.float64), t), t)[2:] == [0, 0, 0]


def test_values_follow_the_codes() -> None:
    """``quantize`` gives the values of those codes."""
    x = np.array([-0.3, 2.7, -3.7], np.float32)
    assert quantize(x, ApInt(8)).tolist() == [1.0, 2.0, -3.0]
    assert quantize(x, ApInt(1)).tolist() == [-1.0, 0.0, -1.0]


@pytest.mark.parametrize(
    ("op", "a", "ta", "b", "tb", "code"),
    [
        ("/", 200, ApInt(8, signed=False), -3, ApInt(4), 0),
        ("/", -100, ApInt(16), 7, ApInt(20, signed=False), -28102),
        ("/", -128, ApInt(8), -1, ApInt(8), 128),
        ("/", -100, ApInt(8), 7, ApInt(32, signed=False), 58),
        ("%", -100, ApInt(8), 7, ApInt(8, signed=False), -2),
        ("%", 200, ApInt(8, signed=False), -3, ApInt(4), -200 % 16),
        ("neg", -1, ApInt(1), None, None, 1),
        ("xor_reduce", -1, ApInt(7), None, None, 0),
        ("xor_reduce", -1, ApInt(65), None, None, 1),
        ("+=", 5, ApInt(8), -44, ApFixed(8, 4), 3),
        ("<", -1, ApFixed(32, 32), 5, ApFixed(32, 32, signed=False), 0),
        ("==", 0xFFFFFFFF, ApFixed(32, 32, signed=False), -1, ApFixed(8, 8), 1),
        ("==", 0xFFFFFFFF, ApInt(32, signed=False), -1, ApInt(32), 0),
        (">", -17, ApFixed(13, 8), -4, ApFixed(3, 0, overflow="SAT_SYM"), 0),
    ],
)
def test_known_results(
    oracle: Oracle, op: str, a: int, ta: ApFixed, b: int | None, tb: ApFixed | None, code: int
) -> None:
    """Quotients, remainders and comparisons that are not those of the values."""
    assert reference.compute(op, a, ta, b, tb) == code
    right = None if b is None else [b]
    assert compute_codes(op, [a], ta, right, tb).tolist() == [code]
    assert oracle.compute(op, [a], ta, right, tb).tolist() == [code]


def test_undefined_conversions_are_refused(oracle: Oracle) -> None:
    """With fewer than 0 integer bits the header reads what it never wrote."""
    source, t = ApFixed(8, -1), ApInt(8)
    for refused in (
        lambda: cast_codes([1], source, t),
        lambda: reference.cast(1, source, t),
        lambda: compute_codes("to_int", [1], source),
        lambda: compute_codes("+=", [1], t, [1], source),
    ):
        with pytest.raises(ValueError, match="reads memory that it never wrote"):
            refused()
    with pytest.raises(HeaderRefuses, match="never wrote"):
        oracle.cast([1], source, t)


def test_a_divisor_below_one_is_refused(oracle: Oracle) -> None:
    """``ap_int /= ap_fixed`` cuts the divisor to an integer first, which may be 0."""
    with pytest.raises(HeaderRefuses, match="a division by zero"):
        oracle.compute("/=", [5], ApInt(8), [8], ApFixed(8, 4))
    with pytest.raises(ZeroDivisionError):
        compute_codes("/=", [5], ApInt(8), [8], ApFixed(8, 4))


def test_accumulators_of_integers(oracle: Oracle, capfd: pytest.CaptureFixture[str]) -> None:
    """What could divide by zero is refused; the headers' warnings of widths are not heard."""
    t = ApInt(8)
    for op in "/%":
        with pytest.raises(ValueError, match=f"accumulate takes .*, not {op}"):
            oracle.accumulate(op, 5, t, [0], t)
    assert oracle.accumulate("^", 5, t, [3, 1], ApInt(4)).tolist() == [6, 7]
    assert capfd.readouterr().err == ""


def test_long_division(oracle: Oracle) -> None:
    """Where the header's long division errs it is not asked; the quotient is exact."""
    a, b = ApFixed(102, 44), ApFixed(124, 3)
    x, y = (1 << 101) - 1, (1 << 123) - 1
    with pytest.raises(HeaderRefuses, match="long division errs"):
        oracle.compute("/", [x], a, [y], b)
    assert compute_codes("/", [x], a, [y], b).tolist() == [(x << 121) // y]


@pytest.mark.parametrize("op", ["/", "%", "<", ">=", "==", "&", "concat"])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        (ApInt(4), ApInt(4)),
        (ApInt(4, signed=False), ApInt(4)),
        (ApInt(4), ApInt(5, signed=False)),
        (ApInt(5, signed=False), ApInt(3)),
        (ApInt(1), ApInt(1, signed=False)),
    ],
    ids=str,
)
def test_every_pair_of_codes(oracle: Oracle, op: str, a: ApInt, b: ApInt) -> None:
    """Small integer types, exhaustively."""
    pairs = [(x, y) for x in a.codes for y in b.codes if y or op not in "/%"]
    x, y = (np.array(column) for column in zip(*pairs, strict=True))
    expected = [reference.compute(op, pair[0], a, pair[1], b) for pair in pairs]
    assert oracle.compute(op, x, a, y, b).tolist() == expected
    assert compute_codes(op, x, a, y, b).tolist() == expected


def test_a_comparison_is_a_bool(oracle: Oracle) -> None:
    """Its codes are 0 and 1, of ``ap_uint<1>``."""
    assert ApInt(1, signed=False) == BOOL
    assert oracle.compute("<", [1, 3], ApInt(8), [2, 2], ApInt(8)).tolist() == [1, 0]
