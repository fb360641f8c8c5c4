"""The interface of calad0i's quantizers: released gradients, mantissas, jax arrays."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from harness.interfaces.quantizers import (
    binary_quantize,
    float_decompose,
    float_decompose_np,
    float_quantize,
    get_fixed_quantizer,
    get_fixed_quantizer_np,
    ternary_quantize,
)

LN2 = math.log(2)
RNG = np.random.default_rng(3)
X = RNG.standard_normal(400).astype(np.float32) * 6
M, E, E0 = (RNG.integers(low, high, 400) for low, high in ((1, 9), (1, 4), (-3, 4)))
I, F = RNG.integers(-2, 4, 400), RNG.integers(2, 7, 400)  # noqa: E741


def leaves(*arrays: Any) -> list[torch.Tensor]:
    return [torch.tensor(a, dtype=torch.float32, requires_grad=True) for a in arrays]


def gradients(y: torch.Tensor, *operands: torch.Tensor) -> list[np.ndarray[Any, Any]]:
    found = torch.autograd.grad(y.sum(), operands, allow_unused=True)
    return [np.zeros(y.shape) if g is None else g.numpy() for g in found]


@pytest.mark.parametrize("rounding", ["TRN", "RND", "RND_CONV", "TRN_ZERO"])
def test_wrapped_values_have_the_error_of_rounding(rounding: str) -> None:
    """``WRAP``: x passes, i has nothing, f has ln2 times what rounding alone took away."""
    x, i, f = leaves(X, I, F)
    y = get_fixed_quantizer(rounding)(x, 1, i, f)
    rounded = get_fixed_quantizer_np(rounding)(X.astype(float), 1, 20, F)
    assert np.array_equal(y.detach().numpy(), get_fixed_quantizer_np(rounding)(X, 1, I, F))
    assert (y.detach().numpy() != rounded).any()
    of_x, of_i, of_f = gradients(y, x, i, f)
    assert (of_x == 1).all()
    assert (of_i == 0).all()
    np.testing.assert_allclose(of_f, LN2 * (X - rounded), rtol=1e-5, atol=1e-7)


def test_mirrored_values_have_the_opposite_sign() -> None:
    """``WRAP_SM`` at two bits, value by value: 0, 1, then mirrored 1, 0, -1, -2, then on."""
    (x,) = leaves([0.1, 1.2, 2.1, 3.0, 4.2, 5.0, 6.2, 7.1])
    y = get_fixed_quantizer("RND", "WRAP_SM")(x, 1, 1, 0)
    value, (slope,) = y.tolist(), gradients(y, x)
    assert value == [0, 1, 1, 0, -1, -2, -2, -1]
    assert slope.tolist() == [1, 1, -1, -1, -1, -1, 1, 1]


@pytest.mark.parametrize("overflow", ["SAT", "SAT_SYM"])
def test_bounds_move(overflow: str) -> None:
    """Beyond the range x has nothing, and the widths have the derivative of the bound."""
    (x,), (i, f) = leaves([100.0, -100.0, 0.3]), leaves([2] * 3, [3] * 3)
    y = get_fixed_quantizer("RND", overflow)(x, 1, i, f)
    of_x, of_i, of_f = gradients(y, x, i, f)
    low = -1 / 8 if overflow == "SAT_SYM" else 0
    assert of_x.tolist() == [0, 0, 1]
    np.testing.assert_allclose(of_i, [4 * LN2, -4 * LN2, 0], rtol=1e-6)
    np.testing.assert_allclose(of_f, [LN2 / 8, LN2 * low, LN2 * (0.3 - 0.25)], rtol=1e-5)


def test_a_type_has_its_sign_at_least() -> None:
    """Integer bits below -f count as -f, and get the gradient still."""
    quantizer = get_fixed_quantizer("TRN", "SAT")
    assert quantizer(np.array([-3.0, -0.1, 0.0, 3.0]), 1, -5, 2).tolist() == [-0.25, -0.25, 0, 0]
    assert quantizer(np.array([-3.0, 3.0]), 0, -5, 2).tolist() == [0, 0]
    unsigned = quantizer(np.array([-3.0]), np.uint8(1), np.array([-5]), np.uint8(2))
    assert unsigned.tolist() == [-0.25]
    x, i = leaves([-3.0], [-5.0])
    of_x, of_i = gradients(quantizer(x, 1, i, 2), x, i)
    assert of_x.tolist() == [0]
    assert of_i[0] == pytest.approx(-LN2 / 4)


def floor_log2(x: Fraction) -> int:
    """The exponent of a positive number, by comparison."""
    n = 0
    while Fraction(2) ** (n + 1) <= x:
        n += 1
    while Fraction(2) ** n > x:
        n -= 1
    return n


def test_minifloat_gradients() -> None:
    """Element by element in ``Fraction``, by the rule of the module's docstring."""
    operands = leaves(X, M, E, E0)
    found = gradients(float_quantize(*operands), *operands)
    value = float_quantize(X, M, E, E0)
    seen = set()
    for j, (x, q, m, e, e0) in enumerate(zip(X, value, M, E, E0, strict=True)):
        exact, half = Fraction(float(x)), 2 ** (int(e) - 1)
        exponent = floor_log2(abs(exact))
        low, high = 1 - half + int(e0), half - 1 + int(e0)
        step = Fraction(2) ** (min(max(exponent, low), high) - int(m))
        error, off = exact - round(exact / step) * step, exact - Fraction(float(q))
        side = "above" if exponent > high else "below" if exponent < low else "inside"
        seen.add(side)
        expected = [
            1.0,
            0.0 if side == "above" else LN2 * float(error),
            0.0 if side == "inside" else LN2**2 * half * float(off),
            {"above": 1, "below": -1, "inside": 0}[side] * LN2 * float(off),
        ]
        np.testing.assert_allclose([g[j] for g in found], expected, rtol=1e-5, atol=1e-9)
    assert seen == {"above", "below", "inside"}


@pytest.mark.parametrize("function", [binary_quantize, ternary_quantize])
def test_one_bit_gradients(function: Any) -> None:
    """``1 - tanh(x)**2`` as released, or straight through from -1 to 1."""
    (x,) = leaves(X)
    y = function(x)
    assert np.array_equal(y.detach().numpy(), function(X))
    np.testing.assert_allclose(gradients(y, x)[0], 1 - np.tanh(X.astype(float)) ** 2, atol=1e-6)
    plain = gradients(function(x, gradient="straight_through"), x)[0]
    assert np.array_equal(plain, (X >= -1) & (X <= 1))


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_decompose(kind: Any) -> None:
    """Mantissa times power is the value; 1 <= |mantissa| < 2 above the smallest exponent."""
    x = kind(np.concatenate([X, [0.0]]).astype(np.float32))
    widths = [np.append(w, w[0]) for w in (M, E, E0)]
    mantissa, exponent = (np.asarray(part) for part in float_decompose(x, *widths))
    value = np.asarray(float_quantize(x, *widths))
    assert mantissa.dtype == exponent.dtype == np.float32
    for q, part, power, e, e0 in zip(value, mantissa, exponent, *widths[1:], strict=True):
        assert Fraction(float(part)) * Fraction(2) ** int(power) == Fraction(float(q))
        lowest = 1 - 2 ** (int(e) - 1) + int(e0)
        assert power >= lowest
        assert abs(part) < 2
        assert abs(part) >= 1 or power == lowest
    assert isinstance(float_decompose_np(x, *widths)[0], np.ndarray)
    assert float_decompose(0.75, 3, 4) == (1.5, -1.0)


def test_numpy_names_give_numpy() -> None:
    """``_np`` functions take a tensor and give an array."""
    found = get_fixed_quantizer_np("RND", "SAT")(torch.from_numpy(X), 1, 3, 4)
    assert isinstance(found, np.ndarray)
    assert np.array_equal(found, get_fixed_quantizer_np("RND", "SAT")(X, 1, 3, 4))


def test_a_generator_draws_once() -> None:
    """The forward of a wrapped, drawn value and its gradient are of one draw."""
    quantizer = get_fixed_quantizer("S_RND", "SAT")
    x, f = leaves(X, np.full(400, 3))
    for seed in (5, np.random.default_rng(5), torch.Generator().manual_seed(5), None):
        y = quantizer(x, 1, 6, f, True, seed)
        error = (x - y).detach().numpy()
        assert (np.abs(error) < 1 / 8).all()
        assert (np.abs(error) > 1 / 16).any()
        np.testing.assert_allclose(gradients(y, f)[0], LN2 * error, rtol=1e-5, atol=1e-7)
    with pytest.raises(TypeError, match="a seed is an integer or a generator"):
        quantizer(X, 1, 6, 3, True, "five")


def test_round_has_no_range() -> None:
    """What HGQ2 calls: rounding alone, by chance only if asked."""
    quantizer = get_fixed_quantizer("S_RND_CONV", "SAT")
    assert (quantizer.round_mode, quantizer.overflow_mode) == ("RND_CONV", "SAT")
    assert quantizer.stochastic
    assert quantizer.round(np.array([1e6 + 0.3, -0.3]), 2).tolist() == [1e6 + 0.25, -0.25]
    drawn = quantizer.round(np.full(1000, 0.3), 2, True, 1)
    assert set(drawn.tolist()) == {0.25, 0.5}


class TestJax:
    """jax arrays in and out: NumPy's values, torch's gradients, under every transformation."""

    def test_values_and_gradients(self) -> None:
        jax = pytest.importorskip("jax", reason="jax is not installed: pip install jax")
        jnp = jax.numpy
        quantizer = get_fixed_quantizer("RND", "SAT")
        x, i, f = (jnp.asarray(a, jnp.float32) for a in (X, I, F))
        expected = quantizer(X, 1, I, F)
        for call in (quantizer, jax.jit(quantizer, static_argnums=1)):
            y = call(x, 1, i, f)
            assert isinstance(y, jax.Array)
            assert np.array_equal(np.asarray(y), expected)

        def total(x: Any, i: Any, f: Any) -> Any:
            return quantizer(x, 1, i, f).sum()

        ours = leaves(X, I, F)
        wanted = gradients(quantizer(ours[0], 1, *ours[1:]), *ours)
        for differentiated in (jax.grad(total, (0, 1, 2)), jax.jit(jax.grad(total, (0, 1, 2)))):
            for got, want in zip(differentiated(x, i, f), wanted, strict=True):
                assert np.array_equal(np.asarray(got), want)
        rows = jax.vmap(lambda row: quantizer(row, 1, 2, 3))(x.reshape(20, 20))
        assert np.array_equal(np.asarray(rows).ravel(), quantizer(X, 1, 2, 3))

    def test_others(self) -> None:
        jax = pytest.importorskip("jax", reason="jax is not installed: pip install jax")
        x = jax.numpy.asarray(X)
        half = x.astype(jax.numpy.bfloat16)
        y = get_fixed_quantizer("TRN", "SAT")(half, 1, 3, 2)
        assert y.dtype == half.dtype
        plain = np.asarray(half).astype(np.float32)
        expected = get_fixed_quantizer("TRN", "SAT")(plain, 1, 3, 2)
        assert np.array_equal(np.asarray(y).astype(np.float32), expected)
        mantissa, exponent = jax.jit(lambda x: float_decompose(x, 3, 4))(x)
        assert np.array_equal(np.asarray(mantissa * 2.0**exponent), float_quantize(X, 3, 4))
        assert isinstance(float_decompose_np(x, 3, 4)[0], np.ndarray)
        of_x = jax.grad(lambda x: binary_quantize(x).sum())(x)
        np.testing.assert_allclose(np.asarray(of_x), 1 - np.tanh(X) ** 2, atol=1e-6)
        with pytest.raises(TypeError, match="give it one of floats"):
            binary_quantize(jax.numpy.arange(3))
