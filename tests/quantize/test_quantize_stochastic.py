"""Rounding by chance: only neighbours, nothing representable moves, the mean is unbiased."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from harness import (
    FORMATS,
    ApFixed,
    IeeeFloat,
    cast_codes,
    decode,
    quantize,
    quantize_codes,
    reference,
)
from harness.quantize import tensors

TYPES = [
    ApFixed(8, 4, rounding="S_RND", overflow="SAT"),
    ApFixed(8, 4, rounding="S_RND_CONV", overflow="SAT"),
    ApFixed(8, 6, signed=False, rounding="S_RND", overflow="SAT"),
    FORMATS["float8_e4m3fn"].with_modes(rounding="STOCHASTIC"),
    FORMATS["float16"].with_modes(rounding="STOCHASTIC_EQUAL"),
    IeeeFloat(4, 2, subnormals=False, rounding=5),
]


def generators(seed: int) -> list[Any]:
    """One of each kind."""
    return [np.random.default_rng(seed), torch.Generator().manual_seed(seed)]


def as_kind(x: np.ndarray, rng: Any) -> Any:
    """``x`` as what the generator is for."""
    return x if isinstance(rng, np.random.Generator) else torch.from_numpy(x)


@pytest.mark.parametrize("t", TYPES, ids=str)
def test_only_the_two_neighbours_appear(t: Any) -> None:
    """Each draw is the code below or above, and both appear."""
    values = np.array([0.3, 1.03, 3.7, 0.04, 7.3, 1e-3])
    values = values if not t.signed and isinstance(t, ApFixed) else np.append(values, -values)
    for rng in generators(1):
        for x in values.tolist():
            codes = quantize_codes(as_kind(np.full(3000, x), rng), t, rng)
            found = {int(c) for c in np.unique(np.asarray(codes))}
            if isinstance(t, ApFixed):
                y = Fraction(x) / t.lsb_exact
                allowed = {math.floor(y), math.ceil(y)}
            else:
                allowed = set(reference.neighbours(Fraction(x), t))
            assert found <= allowed
            assert found == allowed or abs(x) < 0.01


@pytest.mark.parametrize("t", TYPES, ids=str)
def test_representable_values_never_move(t: Any) -> None:
    """Every value of the type is its own result, whatever is drawn."""
    codes = np.array([c for c in t.codes if is_number(c, t)][:: max(t.width - 7, 1) * 5])
    values = decode(codes, t)
    for seed in range(20):
        for rng in generators(seed):
            found = np.asarray(quantize(as_kind(values, rng), t, rng))
            assert (found == values).all()


def is_number(code: int, t: Any) -> bool:
    return not isinstance(reference.decode(code, t), float)


@pytest.mark.parametrize("t", [t for t in TYPES if "EQUAL" not in str(t)], ids=str)
def test_mean_is_unbiased(t: Any) -> None:
    """The mean of n draws is the value, within 5 standard errors.

    By Hoeffding's bound a correct quantizer exceeds 5 standard deviations of a fair coin, the
    widest there is, with probability at most 2 exp(-12.5) = 8e-6 a test; seeds are fixed.
    """
    n = 40_000
    for x in (0.3, 1.03, 3.7, 7.01):
        for rng in generators(7):
            values = np.asarray(quantize(as_kind(np.full(n, x), rng), t, rng))
            gap = np.ptp(values)
            assert gap > 0
            assert abs(values.mean() - x) <= 5 * gap / 2 / math.sqrt(n)


def test_equal_odds() -> None:
    """``STOCHASTIC_EQUAL`` takes either neighbour half the time, however near one is."""
    t = IeeeFloat(5, 10, rounding="STOCHASTIC_EQUAL")
    x = np.full(40_000, 1.0 + 2.0**-13)
    values = quantize(x, t, np.random.default_rng(3))
    assert abs((values > 1.0).mean() - 0.5) <= 2.5 / math.sqrt(x.size)


def test_seeded_and_reproducible() -> None:
    """The same seed draws the same; another does not."""
    x = np.linspace(-3, 3, 1000).astype(np.float32)
    t = TYPES[0]
    for kind in (0, 1):
        a, b, c = (
            np.asarray(quantize(as_kind(x, generators(s)[kind]), t, generators(s)[kind]))
            for s in (5, 5, 6)
        )
        assert (a == b).all()
        assert (a != c).any()
        assert a.dtype == np.float32


@pytest.mark.parametrize("overflow", ["WRAP", "SAT", "SAT_ZERO", "SAT_SYM", "WRAP_SM"])
def test_overflow_comes_after_the_draw(overflow: str) -> None:
    """Between the largest value and the next step, the draw decides whether it overflows."""
    t = ApFixed(4, 4, rounding="S_RND", overflow=overflow)
    codes = quantize_codes(np.full(500, 7.5), t, np.random.default_rng(0))
    outside = reference.from_double(8.0, ApFixed(4, 4, overflow=overflow))
    assert set(codes.tolist()) == {7, outside}


def test_float_overflow_by_chance() -> None:
    """Beyond the largest float the draw is between it and infinity."""
    t = FORMATS["float8_e5m2"].with_modes(rounding="STOCHASTIC")
    x = np.array([60000.0] * 500 + [-60000.0] * 500 + [np.inf, -np.inf, 1e300])
    values = quantize(x, t, np.random.default_rng(0))
    assert set(values[:500].tolist()) == {57344.0, math.inf}
    assert set(values[500:1000].tolist()) == {-57344.0, -math.inf}
    assert values[1000:].tolist() == [math.inf, -math.inf, math.inf]


def test_shapes_are_kept() -> None:
    """Scalars stay scalars, no dimension is made up, and empties are empty."""
    t, rng = TYPES[0], np.random.default_rng(0)
    assert isinstance(quantize(0.3, t, rng), np.float64)
    assert isinstance(quantize_codes(np.float32(0.3), t, rng), np.int64)
    assert quantize(np.array(0.3), t, rng).shape == ()
    assert quantize(torch.tensor(0.3), t, torch.Generator()).shape == ()
    assert quantize(np.zeros((0, 3)), t, rng).shape == (0, 3)
    assert quantize(np.ones((4, 6))[::2, ::3].T, t, rng).shape == (2, 2)


def test_off_unless_asked_for() -> None:
    """A generator without such a type, or such a type without a generator, is an error."""
    rng = np.random.default_rng(0)
    x = np.ones(2)
    with pytest.raises(ValueError, match="needs rng=, a generator"):
        quantize(x, TYPES[0])
    with pytest.raises(ValueError, match="needs rng="):
        quantize_codes(torch.ones(2), TYPES[3])
    with pytest.raises(ValueError, match="rng is for a type that rounds by chance"):
        quantize(x, ApFixed(8, 4), rng)
    with pytest.raises(ValueError, match="needs rng="):
        cast_codes([1], ApFixed(8, 4), TYPES[0])
    with pytest.raises(TypeError, match=r"numpy\.random\.Generator, not Generator"):
        quantize(x, TYPES[0], torch.Generator())
    with pytest.raises(TypeError, match=r"torch\.Generator, not int"):
        quantize(torch.ones(2), TYPES[0], 3)
    with pytest.raises(ValueError, match="at most 900"):
        quantize_codes(x, ApFixed(8, -2000, rounding="S_RND"), rng)
    state = rng.bit_generator.state
    quantize(x, ApFixed(8, 4, rounding="RND"))
    assert rng.bit_generator.state == state


def test_tensor_draws_are_those_of_the_device_core() -> None:
    """What is drawn goes through the same core on any device."""
    t = TYPES[0]
    x = torch.linspace(-9, 9, 500, dtype=torch.float64)
    drawn = tensors._drawn(x, t, torch.Generator().manual_seed(2))
    codes = quantize_codes(x, t, torch.Generator().manual_seed(2))
    exact = ApFixed(8, 4, rounding="TRN", overflow="SAT")
    assert tensors.device_codes(drawn, exact).tolist() == codes.tolist()
