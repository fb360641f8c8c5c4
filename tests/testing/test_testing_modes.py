"""The modes that strategies are asked for, finite inputs, and profiles that are no one else's."""

import math
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from harness import (
    FORMATS,
    ApFixed,
    FloatRounding,
    IeeeFloat,
    MiniFloat,
    Overflow,
    Rounding,
    VitisFloat,
    quantize,
    quantize_codes,
)
from harness.testing import (
    any_ap_types,
    any_float_types,
    ap_types,
    assert_bit_exact,
    float_types,
    load_profile,
    type_pool_of,
)

SAT = ("SAT", "SAT_SYM")


def members(strategy: Any) -> set[Any]:
    """What a ``sampled_from`` draws from."""
    return set(
        strategy.wrapped_strategy.elements
        if hasattr(strategy, "wrapped_strategy")
        else strategy.elements
    )


@pytest.mark.parametrize(
    "rounding", ["RND_CONV", "AP_RND_CONV", Rounding.RND_CONV, ["RND_CONV"], {Rounding.RND_CONV}]
)
def test_one_mode(rounding: Any) -> None:
    """A name, a member, or a collection of one: a full pool, in all overflows."""
    pool = members(ap_types(rounding=rounding, size=30))
    assert len(pool) == 30
    assert {t.rounding for t in pool} == {Rounding.RND_CONV}
    assert {t.overflow for t in pool} == set(Overflow)


def test_several_modes() -> None:
    """Both kinds at once; the order of names does not matter, and the pool is the seed's."""
    pool = members(ap_types(rounding=["TRN", "RND"], overflow=SAT, size=40))
    assert {(t.rounding.name, t.overflow.name) for t in pool} == {
        (r, o) for r in ("TRN", "RND") for o in SAT
    }
    assert pool == members(ap_types(rounding=("RND", "TRN"), overflow=SAT[::-1], size=40))
    assert pool != members(ap_types(rounding=("RND", "TRN"), overflow=SAT, size=40, seed=1))
    only = type_pool_of(size=12, overflow="WRAP_SM", rounding="TRN")
    assert len(only) == 12
    assert all(t.signed for t in only)


def test_no_modes_are_all_modes() -> None:
    """Naming all of them is naming none."""
    assert type_pool_of(3, 50) == type_pool_of(3, 50, rounding=Rounding, overflow=list(Overflow))


def test_own_pool() -> None:
    """Your own types are restricted likewise; none left is said."""
    own = ["ap_fixed<8,4,AP_RND,AP_SAT>", "ap_fixed<8,4>"]
    assert members(ap_types(pool=own, overflow="SAT")) == {ApFixed.parse(own[0])}
    with pytest.raises(ValueError, match=r"^the pool has no type with RND_INF and SAT or SAT_SYM$"):
        ap_types(pool=own, rounding="RND_INF", overflow=SAT)


@given(t=any_ap_types(90, rounding={"RND", "RND_INF"}, overflow="WRAP"))
def test_any_type(t: ApFixed) -> None:
    """Whatever the shape, the modes are those."""
    assert t.rounding in (Rounding.RND, Rounding.RND_INF)
    assert t.overflow is Overflow.WRAP


def test_floats() -> None:
    """Floats know their own modes."""
    saturating = members(float_types(rounding="nearest", overflow="SATURATE"))
    assert any(isinstance(t, MiniFloat) for t in saturating)
    assert {(t.rounding.name, t.overflow.value) for t in saturating} == {
        ("NEAREST_EVEN", "saturate")
    }
    up = members(float_types(rounding=FloatRounding.UP))
    assert up == {t.with_modes(rounding="UP") for t in FORMATS.values()}


@given(data=st.data())
def test_any_float(data: st.DataObject) -> None:
    """Of all families that have the modes, and of no other."""
    t = data.draw(any_float_types(rounding=["UP", "DOWN"], overflow="inf"))
    assert (t.rounding.name in ("UP", "DOWN"), t.overflow.value) == (True, "inf")
    t = data.draw(any_float_types(rounding="NEAREST_EVEN"))
    assert t.rounding is FloatRounding.NEAREST_EVEN
    t = data.draw(any_float_types(stochastic=True, rounding="STOCHASTIC", overflow="saturate"))
    assert (t.rounding.name, t.overflow.value) == ("STOCHASTIC", "saturate")


def test_any_float_families() -> None:
    """Each is still drawn, where its modes allow."""
    for family in (MiniFloat, VitisFloat, IeeeFloat):
        found = find(any_float_types(), lambda t, family=family: isinstance(t, family))
        assert isinstance(found, family)
    with pytest.raises(
        ValueError, match="unknown rounding 'STOCHASTIC'; allowed: NEAREST_EVEN, UP"
    ):
        any_float_types(rounding="STOCHASTIC")


ALLOWED = "RND, RND_ZERO, RND_MIN_INF, RND_INF, RND_CONV, TRN, TRN_ZERO"


@pytest.mark.parametrize(
    ("strategy", "modes", "message"),
    [
        (ap_types, {"rounding": "NEAREST"}, f"unknown rounding 'NEAREST'; allowed: {ALLOWED}"),
        (any_ap_types, {"rounding": "S_RND"}, f"unknown rounding 'S_RND'; allowed: {ALLOWED}"),
        (ap_types, {"rounding": []}, f"rounding names no mode; allowed: {ALLOWED}"),
        (
            any_ap_types,
            {"overflow": ["SAT", "RND"]},
            "unknown overflow 'RND'; allowed: SAT, SAT_ZERO, SAT_SYM, WRAP, WRAP_SM",
        ),
        (ap_types, {"overflow": 7}, "unknown overflow 7; allowed: SAT, SAT_ZERO, SAT_SYM, WRAP, "),
        (float_types, {"overflow": "WRAP"}, "unknown overflow 'WRAP'; allowed: INF, SATURATE"),
        (float_types, {"rounding": "STOCHASTIC"}, "unknown rounding 'STOCHASTIC'; allowed: NEAR"),
    ],
)
def test_no_such_mode(strategy: Any, modes: dict[str, Any], message: str) -> None:
    """Said at once, not at the first draw, in one line that lists what there is."""
    with pytest.raises(ValueError, match="allowed") as caught:
        strategy(**modes)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def refusing(x: Any, t: Any) -> Any:
    """A right quantizer that has never heard of NaN and infinities."""
    codes = quantize_codes(x, t)
    return np.where(np.isfinite(x), codes, codes ^ 1)


@pytest.mark.parametrize("t", ["ap_fixed<8,4,AP_RND,AP_SAT>", "float8_e5m2", "ap_float<3,4,0>"])
def test_finite_alone(t: str) -> None:
    """What is made of NaN and infinities is asked, unless only finite inputs are."""
    with pytest.raises(AssertionError, match=r"nan|inf"):
        assert_bit_exact(refusing, t)
    assert_bit_exact(refusing, t, finite=True)


def test_finite_inputs_of_ones_own() -> None:
    """NaN among them is left out; nothing but NaN is nothing; numbers that differ still do."""
    t = ApFixed(8, 4, overflow="SAT")

    def truth(x: Any, t: Any) -> Any:
        assert all(math.isfinite(v) for v in x.ravel())
        return quantize_codes(x, t)

    assert_bit_exact(refusing, t, [0.5, math.nan, -math.inf], finite=True)
    with pytest.raises(AssertionError, match="nothing was compared"):
        assert_bit_exact(refusing, t, [math.nan], finite=True)
    with pytest.raises(AssertionError, match="AP_SAT"):
        assert_bit_exact(lambda x, t: quantize(x, t.with_modes(overflow="WRAP")), t, finite=True)
    for x in (
        [[0.5, math.nan], [math.inf, 1.0]],
        [Fraction(1, 3), math.nan, 2**70],
        np.array([0.5, math.nan], ml_dtypes.bfloat16),
        [1, 2, 3],
    ):
        assert_bit_exact(quantize_codes, t, x, truth=truth, finite=True)
    asked = []
    assert_bit_exact(lambda x, t: asked.append(x) or quantize(x, t), t, finite=True)
    assert np.isfinite(asked[0]).all()
    assert np.abs(asked[0]).max() > 1e300


SUITE = """
import os
from hypothesis import settings
settings.register_profile("default", max_examples=7)
settings.register_profile("nightly", max_examples=8)
settings.register_profile("ci", max_examples=9)
from harness.testing import load_profile
print(load_profile(), *(settings.get_profile(n).max_examples for n in ("default", "nightly", "ci")))
print(settings.default.max_examples, settings.default.derandomize, settings.default.deadline)
"""


@pytest.mark.parametrize(
    ("asked", "name", "now"),
    [
        (None, "hls-harness", "100 True None"),
        ("default", "hls-harness", "100 True None"),
        ("nightly", "hls-harness-nightly", "5000 False None"),
        ("hls-harness-nightly", "hls-harness-nightly", "5000 False None"),
    ],
)
@pytest.mark.parametrize("ci", [False, True])
def test_profiles_of_their_own(asked: str | None, name: str, now: str, ci: bool) -> None:
    """A suite's own ``default``, ``nightly`` and ``ci`` are left alone, in a CI too."""
    known = {k: v for k, v in os.environ.items() if k not in ("CI", "HARNESS_HYPOTHESIS")}
    known |= {"CI": "true"} if ci else {}
    known |= {"HARNESS_HYPOTHESIS": asked} if asked else {}
    command = [sys.executable, "-c", SUITE]
    done = subprocess.run(command, env=known, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"{name} 7 8 9", now]


def test_unknown_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says which there are."""
    monkeypatch.setenv("HARNESS_HYPOTHESIS", "ci")
    with pytest.raises(ValueError, match="allowed: default, nightly, hls-harness, hls-harness-nig"):
        load_profile()


def test_pytests_option_overrides(tmp_path: Path) -> None:
    """``--hypothesis-profile`` knows our names, and comes after."""
    (tmp_path / "conftest.py").write_text(
        "from harness.testing import load_profile\nload_profile()"
    )
    (tmp_path / "test_it.py").write_text(
        "from hypothesis import settings\n"
        "def test_it():\n    assert settings.default.max_examples == 5000\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    option = ["--hypothesis-profile", "hls-harness-nightly"]
    for more, status in (([], 1), (option, 0)):
        done = subprocess.run(
            [*command, *more], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stdout


def test_this_suite() -> None:
    """It runs by our own profile."""
    assert settings.default.deadline is None
    assert find(st.integers(), lambda n: n > 3) == 4
