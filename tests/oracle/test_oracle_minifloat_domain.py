"""The domain of ``ap_float.h`` over types drawn by chance, and its description held to its word."""

import itertools
import random
import re
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import ApFixed, MiniFloat, Operation, reference
from harness.oracle import CompileError, HeaderRefuses, Oracle, kernels
from harness.oracle.domain import Domain, domain
from harness.oracle.headers import find_headers
from harness.oracle.kernels import OURS, VENDOR, Kernel

T = MiniFloat(3, 4, 0)
MIDDLING = MiniFloat(10, 6, 20)
SMALL = list(
    itertools.product(
        [ApFixed(12, 6), ApFixed(9, -1), ApFixed(8, 14), ApFixed(12, 0, False)],
        [T, MiniFloat(2, 3, -5)],
    )
)
NUMBERS = {"double": np.float64, "float": np.float32, "int": np.int64}


def _minifloat(rng: random.Random) -> MiniFloat:
    e0 = rng.choice([0, rng.randint(-20, 20), rng.choice([-1000, 100])])
    return MiniFloat(rng.choice([1, 2, 3, 7, 16, 23]), rng.choice([1, 2, 3, 4, 6, 11]), e0)


def _fixed(rng: random.Random) -> ApFixed:
    width = rng.choice([2, 5, 8, 9, 12, 31, 33, 40, 64, 70, 500])
    integer = rng.choice([rng.randint(-12, width + 12), rng.randint(0, width)])
    rounding, overflow = rng.choice(["TRN", "RND_CONV"]), rng.choice(["WRAP", "SAT", "SAT_ZERO"])
    return ApFixed(width, integer, rng.random() < 0.6, rounding, overflow)


def _pool() -> list[Domain]:
    rng = random.Random(11)
    drawn = [domain(_minifloat(rng), _fixed(rng), construct=k % 4 == 0) for k in range(20)]
    return drawn + [domain(_minifloat(rng), number) for number in NUMBERS for _ in range(2)]


POOL = _pool()


def _kernel(d: Domain) -> Kernel:
    if isinstance(d.source, ApFixed):
        return kernels.cast(d.source, d.type, construct=d.fixed != d.source)
    number = {"int": "std::int64_t"}.get(d.source, d.source)
    return kernels.from_number(number, d.type)


@pytest.fixture(scope="module", autouse=True)
def compiled(oracle: Oracle) -> Oracle:
    """The pool's kernels, compiled together."""
    wanted = [_kernel(d) for d in POOL]
    wanted += [kernels.from_number(n, MIDDLING, OURS) for n in kernels.NUMBERS[1:]]
    wanted += [kernels.cast(s, t) for s, t in SMALL]
    list(oracle.compile(wanted, jobs=2))
    return oracle


def _inputs(source: Any, rng: random.Random) -> np.ndarray:
    """Few significant bits and many, small and large, and the ends."""
    if isinstance(source, ApFixed):
        bits = source.width - source.signed
        codes = [0, source.min_code, source.max_code]
        for _ in range(600):
            size = rng.randint(0, bits)
            code = rng.getrandbits(size) >> (cut := rng.randint(0, size)) << cut
            codes.append(-code if source.signed and rng.random() < 0.5 else code)
        return np.array(codes, dtype=object if bits > 62 else np.int64)
    wide = [rng.getrandbits(rng.randint(0, 17)) * rng.choice([1, -1]) for _ in range(600)]
    if source == "int":
        return np.array([*wide, 1 << 40, -(1 << 63)])
    few = [x * 2.0 ** rng.randint(-18, 2) for x in wide]
    return np.array([*few, 0.0, -0.0, np.inf, -np.inf, 1e30, -1e-40], dtype=NUMBERS[source])


@pytest.mark.parametrize("d", POOL, ids=lambda d: f"{d.type}-{d.source}")
def test_any_domain_holds(d: Domain, compiled: Oracle) -> None:
    """Inside a domain the header is the reference; and it answers, or refuses, as predicted."""
    x = _inputs(d.source, random.Random(str(d)))
    inside = d.holds(x)
    assert inside.shape == x.shape
    assert d.refusal == compiled.refusal(_kernel(d))
    construct = d.fixed != d.source
    if d.refusal:
        with pytest.raises(HeaderRefuses, match="ap_float.h"):
            compiled.cast(x, d.source, d.type, construct=construct)
        return
    if isinstance(d.source, ApFixed):
        found = compiled.cast(x, d.source, d.type, construct=construct).tolist()
        expected = [reference.cast(int(c), d.source, d.type) for c in x]
    else:
        found = compiled.codes(x, d.type).tolist()
        expected = [reference.from_double(float(v), d.type) for v in x]
    for k in np.flatnonzero(inside):
        assert found[k] == expected[k], x[k]


def test_domains_are_sharp(compiled: Oracle) -> None:
    """Over all pairs of small types, no clause is idle: most of what it excludes is wrong."""
    wrong, excluded = dict.fromkeys(("minimum", "zero", "floor", "window"), 0), 0
    for source, t in SMALL:
        if compiled.refusal(kernels.cast(source, t)):
            continue
        codes = np.array(source.codes)
        clauses = domain(t, source).broken(codes)
        found = compiled.cast(codes, source, t)
        expected = [reference.cast(int(c), source, t) for c in codes]
        for clause, a, b in zip(clauses, found, expected, strict=True):
            if clause:
                excluded += 1
                wrong[clause] += int(a != b)
    assert all(wrong.values())
    assert sum(wrong.values()) > excluded / 2


def _described(text: str, x: Fraction) -> bool:
    """What the words of ``describe()`` say of ``x``."""
    if x == 0:
        return text.endswith("; and 0")
    x, two = abs(x), Fraction(2)
    lsb, top = map(int, re.match(r"multiples of 2\*\*(\S+), \|x\| < 2\*\*([-\d]+)", text).groups())
    said = x % two**lsb == 0 and x < two**top
    if found := re.search(r", of 2\*\*(\S+) below 2\*\*([-\d]+)", text):
        said &= x >= two ** int(found[2]) or x % two ** int(found[1]) == 0
    if found := re.search(r"at most (\d+) significant bits up to 2\*\*([-\d]+)", text):
        odd = x.numerator // (x.numerator & -x.numerator)
        said &= x >= two ** int(found[2]) or odd.bit_length() <= int(found[1])
    if found := re.search(r"none but 0 below 2\*\*([-\d]+)", text):
        said &= x >= two ** int(found[1])
    return said


def test_the_description_is_the_domain() -> None:
    """The one line says of every code what ``holds`` says, for any type and source."""
    rng = random.Random(3)
    for _ in range(400):
        t = MiniFloat(2, rng.randint(1, 6), rng.choice([0, rng.randint(-20, 20)]))
        width = rng.randint(2, 8)
        source = ApFixed(width, rng.randint(-8, width + 8), rng.random() < 0.5)
        d = domain(t, source)
        said = [_described(d.describe(), c * Fraction(source.lsb_exact)) for c in source.codes]
        assert d.holds(np.array(source.codes)).tolist() == said


def test_a_tail_beyond_doubles_is_seen(oracle: Oracle) -> None:
    """17/16 and a bit 2**-60: the constructor drops the bit, and with it the way a tie goes."""
    source, code = ApFixed(64, 4), (17 << 56) + 1
    assert domain(T, source, construct=True).broken(np.array([code]))[0] == "source"
    found = oracle.cast(np.array([code]), source, T, construct=True)
    assert found[0] != reference.cast(code, source, T)


def test_a_domain_takes_every_array() -> None:
    """Scalars, shapes, huge doubles, NaN, and words of 64 unsigned bits."""
    assert domain(T, "double").holds(1.0).tolist() == [True]
    assert not domain(T, "double").holds([[1e308, -np.inf], [np.nan, 5e-324]]).any()
    unsigned = domain(T, ApFixed(64, 20, signed=False))
    for top in (np.array([-1]), np.array([2**64 - 1], dtype=np.uint64), np.array([2**64 - 1])):
        assert unsigned.broken(top).tolist() == ["counter"]
    assert domain(T, ApFixed(64, 20)).broken(np.array([-(2**63)])).tolist() == ["minimum"]
    assert "magnitude of no bits" in str(domain(T, ApFixed(1, 1)).refusal)


@pytest.mark.parametrize("number", [np.float32, np.int64, np.uint64], ids=lambda n: n.__name__)
def test_our_header_takes_every_number(number: Any, oracle: Oracle) -> None:
    """Floats and integers of 64 bits, to the last one, where doubles are too narrow."""
    t = MIDDLING
    if number is np.float32:
        x = np.array([1e-45, -1e-45, 3.4e38, np.inf, -0.0, 2049.0, 2051.0, 1e9], np.float32)
        expected = [reference.from_double(float(v), t) for v in x]
    else:
        info = np.iinfo(number)
        tie = (2049 << 42) + np.arange(-2, 3)
        x = np.array([info.min, info.max, 0, 1, *tie.tolist()], dtype=number)
        expected = [reference.from_int(int(v), t) for v in x]
    assert oracle.codes(x, t, header=OURS).tolist() == expected


def test_a_folder_without_ap_float(tmp_path: Path, oracle: Oracle) -> None:
    """A vendor's own folder has no ``ap_float.h``: it is named; ours answers over those headers."""
    own = tmp_path / "include"
    shutil.copytree(find_headers().directory, own)
    (own / VENDOR).unlink()
    found = Oracle(own, cache=False)
    assert found.headers.pinned
    with pytest.raises(HeaderRefuses, match="has no ap_float.h"):
        found.codes([1.3], T)
    assert found.codes([1.3], T, header=OURS).tolist() == oracle.codes([1.3], T).tolist()
    found.close()


def test_fixed_kernels_never_see_ap_float() -> None:
    """Its global ``abs`` and ``operator*`` stay out of the fixed-point kernels' objects."""
    fixed, times = ApFixed(8, 4), Operation.MUL
    assert kernels.compute(times, fixed, fixed).source == "fixed_kernels.h"
    assert kernels.compute(times, T, fixed).source == "minifloat_kernels.h"
    assert kernels.cast(fixed, fixed).source == "fixed_kernels.h"
    assert kernels.cast(T, T.fixed).source == "minifloat_kernels.h"


def test_one_bad_kernel_stops_no_other() -> None:
    """Of kernels over two headers all but the refused one are compiled, wherever it stands."""
    own = Oracle(cache=False)
    good = [kernels.from_number("float", t) for t in (ApFixed(8, 4), T)]
    bad = Kernel("no_such_template", (), (), T)
    with pytest.raises(CompileError, match="no_such_template"):
        own.builder.compile([bad, *good])
    assert own.builder.missing([bad, *good]) == [bad]
    own.close()
