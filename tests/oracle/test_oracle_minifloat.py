"""Minifloats in C++: our header is the reference everywhere, the vendor's in its domain."""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from harness import (
    ApFixed,
    Binary,
    IeeeFloat,
    MiniFloat,
    Operation,
    VitisFloat,
    compute_codes,
    reference,
)
from harness.oracle import HeaderRefuses, Oracle, kernels
from harness.oracle.domain import CLAUSES, domain
from harness.oracle.kernels import OURS, VENDOR, Kernel
from harness.types import TERNARY

T = MiniFloat(3, 4, 0)
TYPES = [
    T,
    MiniFloat(2, 3, -5),
    MiniFloat(1, 1, 0),
    MiniFloat(0, 3, 1),
    MiniFloat(10, 6, 20),
    MiniFloat(52, 11, 0),
]
#: Sources of one type each side of every clause.
SOURCES = [
    ApFixed(12, 6),
    ApFixed(9, -1),
    ApFixed(10, 1, signed=False),
    ApFixed(8, 14),
    ApFixed(40, 8),
    ApFixed(12, 0, signed=False),
]


#: Sources of our header, which has no other bounds.
FIXED = [
    ApFixed(8, 4),
    ApFixed(5, 20),
    ApFixed(12, -7, False),
    ApFixed(64, 30, False),
    ApFixed(100, 50),
]
FACTORS = [ApFixed(6, 3), ApFixed(6, -1, signed=False)]
TARGETS = [T, MiniFloat(2, 3, -5), MiniFloat(4, 6, 0)]
WIDE = (MiniFloat(3, 6, 0), ApFixed(8, 4))


def everything() -> Iterator[Kernel]:
    """Most kernels of this file; compiled together they cost less."""
    for t in TARGETS:
        yield from (kernels.from_number(n, t) for n in kernels.NUMBERS[:3])
        yield from (kernels.cast(s, t) for s in SOURCES)
    yield from (kernels.cast(s, T, construct=True) for s in SOURCES[:3])
    yield from (kernels.from_number("double", t, OURS) for t in TYPES)
    for s, construct in itertools.product(FIXED, (False, True)):
        yield kernels.cast(s, T, OURS, construct=construct)
    for header in (VENDOR, OURS):
        yield kernels.cast(T, T.fixed, header)
        for a, b in [*((T, factor) for factor in FACTORS), WIDE]:
            yield kernels.compute(Operation.MUL, a, b, header)
            yield kernels.compute(Operation.MUL, b, a, header)
    yield kernels.compute(Operation.MUL, T, MiniFloat(2, 3, 1), OURS)


@pytest.fixture(scope="module", autouse=True)
def compiled(oracle: Oracle) -> Oracle:
    """The oracle with all of them."""
    list(oracle.compile(everything(), jobs=2))
    return oracle


def doubles(t: MiniFloat) -> np.ndarray:
    """Values, midpoints and ends, each with both its neighbours."""
    rng = np.random.default_rng(0)
    codes = t.codes if t.width <= 9 else rng.integers(0, 1 << min(t.width, 62), 150).tolist()
    values = np.array(sorted({float(reference.decode(int(c), t)) for c in codes}))
    top = float(t.max_exact)
    ends = [top, -top, top * 1.01, top * 1.04, 0.0, -0.0, 5e-324, -5e-324, 1e-300, np.inf, -np.inf]
    centres = np.concatenate([values, (values[1:] + values[:-1]) / 2, ends])
    with np.errstate(all="ignore"):
        return np.concatenate(
            [centres, np.nextafter(centres, 9e307), np.nextafter(centres, -9e307)]
        )


@pytest.mark.parametrize("t", TYPES, ids=str)
def test_our_header_takes_every_double(t: MiniFloat, compiled: Oracle) -> None:
    """Ties, subnormals, zeros, infinities: the reference's code, bit for bit."""
    x = doubles(t)
    expected = [reference.from_double(float(v), t) for v in x]
    found = compiled.codes(x, t, header=OURS)
    assert [int(c) % (1 << t.width) for c in found] == expected


@pytest.mark.parametrize(
    "source",
    FIXED,
    ids=str,
)
def test_our_header_takes_every_fixed_point(source: ApFixed, oracle: Oracle) -> None:
    """Any width and point, the most negative code included; by constructor and assignment."""
    rng = np.random.default_rng(1)
    low, high = source.min_code, source.max_code
    codes = [int.from_bytes(rng.bytes(13), "little") % (high - low + 1) + low for _ in range(200)]
    codes += [c >> s for c, s in zip(codes, range(200), strict=True)] + [low, high, 0]
    dtype = object if source.width > 64 else np.uint64 if high >> 63 else np.int64
    array = np.array(codes, dtype=dtype)
    expected = [reference.cast(c, source, T) for c in codes]
    for construct in (False, True):
        found = oracle.cast(array, source, T, header=OURS, construct=construct)
        assert found.tolist() == expected


@pytest.mark.parametrize("header", [VENDOR, OURS])
def test_value_of_every_code(header: str, oracle: Oracle) -> None:
    """``to_ap_fixed`` gives the exact value of every code, in the expected type."""
    codes = np.arange(1 << T.width)
    expected = [reference.cast(int(c), T, T.fixed) for c in codes]
    assert oracle.cast(codes, T, T.fixed, header=header).tolist() == expected


@pytest.mark.parametrize("factor", FACTORS, ids=str)
@pytest.mark.parametrize("header", [VENDOR, OURS])
def test_product_of_all_pairs(header: str, factor: ApFixed, oracle: Oracle) -> None:
    """Products with fixed point are exact in both headers and both orders, for all codes."""
    a = np.repeat(np.arange(256), 64)
    b = np.tile(np.arange(factor.min_code, factor.max_code + 1), 256)
    expected = compute_codes("*", a, T, b, factor)
    for k in range(0, a.size, 997):
        assert expected[k] == reference.compute("*", int(a[k]), T, int(b[k]), factor)
    assert (oracle.compute("*", a, T, b, factor, header=header) == expected).all()
    assert (oracle.compute("*", b, factor, a, T, header=header) == expected).all()


def test_product_of_two_minifloats(oracle: Oracle) -> None:
    """All pairs of two small types, exactly, in the type that holds them."""
    other = MiniFloat(2, 3, 1)
    a, b = np.repeat(np.arange(256), 64), np.tile(np.arange(64), 256)
    found = oracle.compute("*", a, T, b, other, header=OURS)
    assert (found == compute_codes("*", a, T, b, other)).all()
    for k in range(0, a.size, 997):
        assert found[k] == reference.compute("*", int(a[k]), T, int(b[k]), other)


def test_wide_products_in_the_worker(oracle: Oracle) -> None:
    """A product of more than 64 bits runs in the other process."""
    t, factor = WIDE
    a, b = np.array([0, 100, 1023, 512]), np.array([-128, 127, 5, -1])
    expected = [
        reference.compute("*", int(x), t, int(y), factor) for x, y in zip(a, b, strict=True)
    ]
    for header in (VENDOR, OURS):
        assert oracle.compute("*", a, t, b, factor, header=header).tolist() == expected


def all_sources() -> list[Any]:
    return ["double", "float", "int", *SOURCES]


def inputs_of(source: Any) -> np.ndarray:
    """Values in and out of every clause."""
    rng = np.random.default_rng(2)
    if isinstance(source, ApFixed):
        if source.width <= 12:
            return np.arange(source.min_code, source.max_code + 1)
        drawn = rng.integers(source.min_code, source.max_code, 3000) >> rng.integers(0, 39, 3000)
        return np.unique([*drawn, 0, source.min_code, source.max_code, (1 << 32) - 1, 1 << 32])
    if source == "int":
        return np.concatenate([np.arange(-300, 300), [32767, 32768, 40000, -32768, 1 << 40]])
    whole = rng.integers(-(2**31), 2**31, 3000) >> rng.integers(0, 31, 3000)
    x = np.concatenate([whole * 2.0**-16, rng.normal(0, 100, 500), [0.0, 2.0**15, 40000.0, 1e-6]])
    return x.astype(np.float32) if source == "float" else x


@pytest.mark.parametrize("t", TARGETS, ids=str)
@pytest.mark.parametrize("source", all_sources(), ids=str)
def test_inside_the_domain_the_vendor_is_right(source: Any, t: MiniFloat, compiled: Oracle) -> None:
    """Wherever the domain holds, ``ap_float.h`` gives the reference's code."""
    x = inputs_of(source)
    if isinstance(source, ApFixed):
        if compiled.refusal(kernels.cast(source, t)):
            assert "ap_float.h" in str(compiled.refusal(kernels.cast(source, t)))
            return
        found = compiled.cast(x, source, t)
        expected = np.array([reference.cast(int(c), source, t) for c in x])
    else:
        found = compiled.codes(x, t)
        expected = np.array([reference.from_double(float(v), t) for v in x])
    inside = domain(t, source).holds(x)
    assert (found[inside] == expected[inside]).all()
    assert (found != expected).any() == (found != expected)[~inside].any()


def test_constructor_goes_through_32_16(compiled: Oracle) -> None:
    """The constructor has a domain of its own: that of ``ap_fixed<32,16>``."""
    for source in SOURCES[:3]:
        x = inputs_of(source)
        inside = domain(T, source, construct=True).holds(x)
        expected = np.array([reference.cast(int(c), source, T) for c in x])
        found = compiled.cast(x, source, T, construct=True)
        assert inside.any()
        assert (found[inside] == expected[inside]).all()


@pytest.mark.parametrize(
    ("clause", "source", "t", "outside", "inside"),
    [
        ("source", "double", T, 40000.0, 32767.0),
        ("source", "double", MiniFloat(3, 4, -12), 2.0**-17, 2.0**-16),
        ("source", "double", T, 1.0625 + 2.0**-20, 1.0625 + 2.0**-16),
        ("minimum", ApFixed(12, 6), T, -2048, -2032),
        ("counter", ApFixed(40, 8), MiniFloat(4, 6, 0), 3 << 32, 3 << 30),
        ("zero", "double", MiniFloat(4, 6, 0), 0.0, 2.0**-16),
        ("floor", "double", T, 3.125 + 2.0**-16, 3.125 + 2.0**-15),
        ("window", ApFixed(9, -1), MiniFloat(2, 3, 0), 192, 0),
    ],
)
def test_just_outside_the_vendor_is_wrong(
    clause: str, source: Any, t: MiniFloat, outside: Any, inside: Any, oracle: Oracle
) -> None:
    """Each clause is sharp: an input that breaks it alone differs, its neighbour does not."""
    d = domain(t, source)
    assert d.broken(np.array([outside]))[0] == clause
    pair = np.array([outside, inside])
    if isinstance(source, ApFixed):
        found = oracle.cast(pair, source, t)
        expected = [reference.cast(int(c), source, t) for c in pair]
    else:
        found = oracle.codes(pair, t)
        expected = [reference.from_double(float(v), t) for v in pair]
    assert found[0] != expected[0]
    if d.holds(np.array([inside]))[0]:
        assert found[1] == expected[1]
    else:
        assert clause == "window"  # there even 0 is outside, by its own clause


def test_every_clause_is_tested() -> None:
    """A clause without an input just outside it would be a claim without a proof."""
    parameters = test_just_outside_the_vendor_is_wrong.pytestmark[0].args[1]
    assert {clause for clause, *_ in parameters} == set(CLAUSES)


@pytest.mark.parametrize("source", [ApFixed(12, 4), ApFixed(9, 12), ApFixed(64, 20)], ids=str)
def test_binary_is_hls4mls(source: ApFixed, oracle: Oracle) -> None:
    """hls4ml's ``binary_tanh`` sends 0 to 1."""
    codes = np.array([source.min_code, -1, 0, 1, source.max_code])
    assert oracle.activate("binary_tanh", codes, source).tolist() == [0, 0, 1, 1, 1]
    assert [reference.cast(int(c), source, Binary()) for c in codes] == [0, 0, 1, 1, 1]


def test_ternary_is_symmetric(oracle: Oracle) -> None:
    """``ap_fixed<2,2,AP_RND_CONV,AP_SAT_SYM>`` sends both +-0.5 to 0."""
    x = np.array([-1.5, -0.75, -0.5, 0.0, 0.5, 0.75, 9.0])
    assert oracle.codes(x, TERNARY).tolist() == [-1, -1, 0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda o: o.codes([1.0], IeeeFloat(5, 10)), "no open C\\+\\+ header has ieee<5,10>"),
        (lambda o: o.codes([1.0], VitisFloat(32, 8)), "no open C\\+\\+ header has ap_float<32,8>"),
        (lambda o: o.codes([1.0], ApFixed(8, 4, rounding="S_RND")), "rounds by chance"),
        (lambda o: o.codes([1.0], MiniFloat(0, 4)), "needs a mantissa bit"),
        (lambda o: o.cast([0], MiniFloat(3, 10), T.fixed), "take 1028 bits, the headers have 1024"),
        (lambda o: o.cast([0], T, ApFixed(8, 4)), "becomes ap_fixed<20,9>, not ap_fixed<8,4>"),
        (lambda o: o.cast([0], T, MiniFloat(2, 3)), "becomes ap_fixed<20,9>, not ap_float<2,3,0>"),
        (lambda o: o.compute("*", [0], T, [0], T), "multiplies by fixed point alone"),
        (lambda o: o.compute("*", [0], MiniFloat(3, 9), [0], ApFixed(508, 4)), "to multiply"),
        (lambda o: o.cast([0], ApFixed(8, 1023, False), T), "needs more than 1024 bits"),
        (lambda o: o.cast([0], ApFixed(1, 1), T), "magnitude of no bits"),
        (lambda o: o.cast([0], ApFixed(8, -30), T), "reads a bit beyond the MSB"),
        (lambda o: o.cast([0], ApFixed(8, 4, overflow="WRAP_SM"), T), "WRAP_SM ends the process"),
    ],
)
def test_what_the_headers_cannot_answer(ask: Any, message: str, oracle: Oracle) -> None:
    """Refused in Python, in one line, before it reaches the compiler or ends the process."""
    with pytest.raises(HeaderRefuses, match=message) as caught:
        ask(oracle)
    assert "\n" not in str(caught.value)


def test_bad_arguments(oracle: Oracle) -> None:
    """Headers and sources that do not exist are named."""
    with pytest.raises(ValueError, match="allowed: ap_float.h, minifloat.h"):
        oracle.codes([1.0], T, header="float.h")
    with pytest.raises(ValueError, match="allowed: double, float, int or an ApFixed"):
        domain(T, "half")
    with pytest.raises(ValueError, match="256 is not a code"):
        oracle.cast([256], T, T.fixed)
    with pytest.raises(ValueError, match="cling is given fixed point alone"):
        oracle.jit([kernels.from_number("double", T)])
