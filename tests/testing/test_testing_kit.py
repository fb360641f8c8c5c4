"""The kit for other people's suites, used as they would use it: the project's property suite."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import (
    FORMATS,
    ApFixed,
    Binary,
    MiniFloat,
    cast_codes,
    quantize,
    quantize_codes,
    reference,
)
from harness.oracle import Oracle, kernels
from harness.testing import (
    any_ap_types,
    any_float_types,
    ap_types,
    assert_bit_exact,
    codes,
    float_types,
    type_pool_of,
    values_for,
)

POOL = type_pool_of(seed=11, size=40, max_width=64)
SOURCES = tuple(ApFixed(w, i, s) for w, i, s in ((12, 5, True), (40, 9, True), (20, 20, False)))


@pytest.fixture(scope="module")
def compiled(oracle: Oracle) -> Oracle:
    """The oracle with the pool compiled in groups."""
    wanted = [kernels.from_number("double", t) for t in POOL]
    for _ in oracle.compile(wanted):
        pass
    return oracle


@given(data=st.data(), t=ap_types(pool=POOL))
def test_quantizer_is_the_header(compiled: Oracle, data: st.DataObject, t: ApFixed) -> None:
    """Whatever value is drawn, the quantizer gives the header's code."""
    x = data.draw(values_for(t), label="x")
    assert quantize_codes(x, t) == compiled.codes(x, t)


@given(data=st.data(), t=any_ap_types(max_width=100))
def test_quantizer_is_the_reference(data: st.DataObject, t: ApFixed) -> None:
    """For any type at all the quantizer gives the reference's code."""
    x = data.draw(values_for(t), label="x")
    code = int(quantize_codes(x, t))
    assert code % (1 << t.width) == reference.from_double(x, t) % (1 << t.width)


@given(data=st.data(), source=st.sampled_from(SOURCES), t=any_ap_types())
def test_cast_is_the_reference(data: st.DataObject, source: ApFixed, t: ApFixed) -> None:
    """Any code of one type converts to another as the reference says."""
    code = data.draw(codes(source), label="code")
    expected = reference.cast(code, source, t) % (1 << t.width)
    assert int(cast_codes(code, source, t)) % (1 << t.width) == expected


@given(data=st.data(), t=any_ap_types(max_width=52))
def test_idempotent(data: st.DataObject, t: ApFixed) -> None:
    """A value of the type is left as it is, except that SAT_SYM has no minimum."""
    x = float(reference.decode(data.draw(codes(t), label="code"), t))
    if t.overflow.name == "SAT_SYM" and x == t.min_exact and t.width > 1 and t.signed:
        assert quantize(x, t) == -t.max_exact
    else:
        assert quantize(x, t) == x


def test_pools_are_bounded_and_seeded() -> None:
    """A pool has the size asked for; another seed is another pool."""
    assert len(type_pool_of(seed=1, size=10)) == 10
    assert type_pool_of(seed=1, size=10) == type_pool_of(seed=1, size=10)
    assert type_pool_of(seed=1, size=10) != type_pool_of(seed=2, size=10)
    assert all(t.width <= 16 for t in type_pool_of(seed=1, size=10, max_width=16))
    with pytest.raises(ValueError, match="size must be at least 1"):
        type_pool_of(size=0)


def test_assert_bit_exact_passes_and_fails() -> None:
    """It is silent for an exact quantizer and shows the difference of a faulty one."""
    t = ApFixed(8, 4, rounding="RND", overflow="SAT")
    assert_bit_exact(quantize, t)
    with pytest.raises(AssertionError, match="rule: AP_SAT") as caught:
        assert_bit_exact(lambda x, t: quantize_codes(x, t.with_modes(overflow="WRAP")), t, [100.0])
    assert "#include" in str(caught.value)
    with pytest.raises(AssertionError, match="nothing was compared"):
        assert_bit_exact(quantize, t, np.zeros(0))


STRANGER = """
from hypothesis import given, strategies as st
from harness import quantize
from harness.testing import ap_types, assert_bit_exact, load_profile

load_profile()

def mine(x, t):
    return quantize(x, t) if FAULT is None else quantize(x, t.with_modes(rounding=FAULT))

@given(t=ap_types(size=6, max_width=20))
def test_mine(t):
    assert_bit_exact(mine, t)
"""


@pytest.mark.parametrize(("fault", "status"), [("None", 0), ("'TRN_ZERO'", 1)])
def test_in_a_strangers_suite(tmp_path: Path, fault: str, status: int) -> None:
    """In a suite of its own, a right quantizer passes and a wrong one fails."""
    (tmp_path / "test_mine.py").write_text(STRANGER.replace("FAULT", fault))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout


@given(t=any_float_types(), data=st.data())
def test_any_float_and_its_values(t: Any, data: st.DataObject) -> None:
    """Any float type, a value near its breakpoints: quantizer and reference agree on the code."""
    x = data.draw(values_for(t))
    assert int(quantize_codes(x, t)) % (1 << t.width) == reference.from_double(x, t)
    code = data.draw(codes(t))
    assert 0 <= code <= t.max_code


@given(t=float_types(), data=st.data())
def test_pooled_floats_have_a_truth(t: Any, data: st.DataObject) -> None:
    """The pool's types can be asserted about, without a truth being named."""
    x = [data.draw(values_for(t, finite=True)) for _ in range(3)]
    assert_bit_exact(quantize_codes, t, x)


@given(x=values_for(Binary()))
def test_values_for_binary(x: float) -> None:
    """Zeros, and any number but NaN."""
    assert int(quantize_codes(x, Binary())) == (x >= 0)


def test_assertion_fails_on_a_wrong_float() -> None:
    """A quantizer that truncates is caught, with the law it breaks."""
    t = FORMATS["float8_e4m3fn"]
    with pytest.raises(AssertionError, match="rule: overflow, inf: beyond 448"):
        assert_bit_exact(lambda x, t: quantize_codes(x, t.with_modes(rounding=4)), t)
    with pytest.raises(AssertionError, match="MiniFloat|ap_float<3,4,0>"):
        assert_bit_exact(lambda x, t: np.nan_to_num(x), MiniFloat(3, 4, 0))
