"""The interface of calad0i's quantizers: its documented examples, with the import line changed."""

from typing import Any

import numpy as np
import pytest
import torch

import harness.interfaces.quantizers as q
from harness import ApFixed, MiniFloat, Overflow, Rounding, quantize
from harness.interfaces.quantizers import (
    BinaryQ,
    FixedQ,
    MinifloatQ,
    TernaryQ,
    binary_quantize,
    binary_quantize_np,
    float_quantize,
    float_quantize_np,
    get_fixed_quantizer,
    get_fixed_quantizer_np,
    ternary_quantize,
    ternary_quantize_np,
)
from harness.quantize import tensors

X = np.random.default_rng(0).standard_normal((50, 40)).astype(np.float32) * 8
X[0, :4] = [np.inf, -np.inf, 0.0, -0.0]
KINDS = [np.asarray, torch.from_numpy]


def test_documented_stateless_example() -> None:
    """The stateless example: in the released order, and with the documented names."""
    x, expected = X, quantize(X, ApFixed(8, 4, True, "RND", "SAT"))
    fixed_quantizer = get_fixed_quantizer_np("RND", "SAT")
    assert np.array_equal(fixed_quantizer(x, 1, 3, 4, False, 0), expected)
    widths = {"integer_bits": 3, "fractional_bits": 4}
    assert np.array_equal(fixed_quantizer(x, **widths), expected)
    named = fixed_quantizer(x, **widths, keep_negative=1, training=False, seed=0)
    assert np.array_equal(named, expected)
    small = quantize(x, MiniFloat(3, 4, 1))
    assert np.array_equal(float_quantize_np(x, 3, 4, 1), small)
    named = float_quantize(x, mantissa_bits=3, exponent_bits=4, exponent_zero=1)
    assert np.array_equal(named, small)
    assert set(np.unique(binary_quantize_np(x))) == {-1, 1}
    assert set(np.unique(ternary_quantize_np(x))) == {-1, 0, 1}


def test_documented_stateful_example() -> None:
    """The stateful example, for arrays and tensors."""
    fixed_q = FixedQ(8, 4, True, "RND_CONV", "SAT_SYM")
    mfloat_q = MinifloatQ(3, 4, 0)
    for kind in KINDS:
        assert type(fixed_q(kind(X))) is type(kind(X))
        expected = quantize(X, ApFixed(8, 4, True, "RND_CONV", "SAT_SYM"))
        assert np.array_equal(np.asarray(fixed_q(kind(X))), expected)
        assert np.array_equal(np.asarray(mfloat_q(kind(X))), quantize(X, MiniFloat(3, 4, 0)))
        assert np.array_equal(np.asarray(BinaryQ()(kind(X))), binary_quantize(X))
        assert np.array_equal(np.asarray(TernaryQ()(kind(X))), ternary_quantize(X))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (FixedQ(8, 4, 0, "RND"), "ap_ufixed<8,4,AP_RND>"),
        (
            FixedQ(width=8, integer=4, signed=1, rounding="S_RND_CONV", overflow="SAT"),
            "ap_fixed<8,4,AP_RND_CONV,AP_SAT>",
        ),
        (
            FixedQ(
                8,
                integer_bits=4,
                keep_negative=False,
                fixed_round_mode="S_RND",
                fixed_overflow_mode="SAT_SYM",
            ),
            "ap_ufixed<8,4,AP_RND,AP_SAT_SYM>",
        ),
        (MinifloatQ(significant=3, exponent=4, exponent_bias=1), "ap_float<3,4,1>"),
        (MinifloatQ(mantissa_bits=3, exponent_bits=4, exponent_zero=1), "ap_float<3,4,1>"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_names_of_stateful_arguments(made: Any, expected: str) -> None:
    """Released and documented names make one type, and chance is the hardware's rounding."""
    assert str(made.type) == expected
    assert np.array_equal(made(X), quantize(X, expected))


def test_every_documented_name_exists() -> None:
    """The names of the original are here, with and without ``_np``."""
    for name in (
        "get_fixed_quantizer",
        "float_quantize",
        "float_decompose",
        "binary_quantize",
        "ternary_quantize",
    ):
        assert callable(getattr(q, name))
        assert callable(getattr(q, f"{name}_np"))


@pytest.mark.parametrize("overflow", list(Overflow), ids=str)
@pytest.mark.parametrize("rounding", list(Rounding), ids=str)
def test_arrays_of_widths(rounding: Rounding, overflow: Overflow) -> None:
    """Each element is quantized to the type of its own bit widths, as one type would."""
    rng = np.random.default_rng(int(rounding) * 5 + int(overflow))
    k = np.ones(40, int) if overflow is Overflow.WRAP_SM else rng.integers(0, 2, 40)
    i, f = rng.integers(-2, 6, (50, 1)), rng.integers(-2, 7, 40)
    quantizer = get_fixed_quantizer(rounding.name, overflow.name)
    found = quantizer(X, k, i, f)
    assert found.dtype == np.float32
    for row, column in zip(*np.unravel_index(np.arange(0, 2000, 7), X.shape), strict=True):
        kif = bool(k[column]), max(int(i[row, 0]), -int(f[column])), int(f[column])
        t = ApFixed.from_kif(*kif, rounding=rounding, overflow=overflow) if sum(kif) > 0 else None
        expected = quantize(X[row, column], t) if t else 0
        assert found[row, column] == expected
    tensor = quantizer(torch.from_numpy(X), torch.from_numpy(k), torch.from_numpy(i), f)
    assert np.array_equal(tensor.numpy(), found)
    grouped = tensors._grouped(
        torch.from_numpy(X),
        (k, np.maximum(i, -f), f),
        lambda part, kif: tensors._fixed_or_zero(part, kif, rounding, overflow),
    )
    assert np.array_equal(grouped.numpy(), found)


def test_arrays_of_minifloat_widths() -> None:
    """Mantissa, exponent and offset that differ from element to element."""
    rng = np.random.default_rng(4)
    m, e, e0 = rng.integers(0, 8, (50, 1)), rng.integers(1, 6, 40), rng.integers(-4, 5, 40)
    found = float_quantize(X, m, e, e0)
    for row, column in zip(*np.unravel_index(np.arange(0, 2000, 3), X.shape), strict=True):
        t = MiniFloat(m[row, 0], e[column], e0[column])
        assert found[row, column] == quantize(X[row, column], t)
    assert np.array_equal(float_quantize(torch.from_numpy(X), m, torch.from_numpy(e), e0), found)


def test_widths_broadcast_and_whole_floats_are_integers() -> None:
    """Widths may stretch ``x``; 3.0 is 3; a width of another shape is an error."""
    quantizer = get_fixed_quantizer_np("RND", "SAT")
    assert quantizer(np.float32(1.3), 1, np.array([1, 2, 3]), 4).shape == (3,)
    assert isinstance(quantizer(0.3, True, 3.0, 4.0), np.float64)
    assert quantizer(np.array(0.3), 1, 3.0, 4).shape == ()
    assert get_fixed_quantizer("RND", "SAT")(torch.tensor(0.3), 1, 3.0, 4).shape == ()
    assert isinstance(float_quantize(0.3, 3.0, 4), np.float64)
    same = quantizer(X, i=3.0, f=np.float32(4), k=True)
    assert np.array_equal(same, quantizer(X, 1, 3, 4))
    assert quantizer(np.zeros((0, 3), np.float32), 1, np.array([1, 2, 3]), 4).shape == (0, 3)
    with pytest.raises(ValueError, match="shape"):
        quantizer(X, 1, np.zeros(7, int), 4)


def test_training_rounds_by_chance_and_does_not_wrap() -> None:
    """``S_RND`` draws while training and is ``RND`` otherwise; WRAP waits for inference."""
    for kind in KINDS:
        quantizer = get_fixed_quantizer("S_RND", "WRAP")
        x = kind(np.full(20_000, 100.03))
        drawn = np.asarray(quantizer(x, 1, 3, 4, True, 7))
        assert set(np.unique(drawn)) == {100.0, 100.0625}
        assert abs(drawn.mean() - 100.03) < 0.002
        assert np.array_equal(drawn, quantizer(x, 1, 3, 4, True, 7))
        assert not np.array_equal(drawn, quantizer(x, 1, 3, 4, True, 8))
        at_rest = quantize(np.float64(100.03), ApFixed(8, 4, True, "RND", "WRAP"))
        assert set(np.unique(np.asarray(quantizer(x, 1, 3, 4)))) == {at_rest}
    big = np.array([1e30, -3.3e38, np.inf, 0.3], np.float32)
    assert get_fixed_quantizer("RND")(big, 1, 3, 4, True).tolist() == [*big[:3].tolist(), 0.3125]


def test_zero_and_ties() -> None:
    """0 is 1 as in C++, or -1 as in the original; +-0.5 is 0."""
    assert binary_quantize(np.array([-1.0, 0.0, 2.0])).tolist() == [-1, 1, 1]
    assert binary_quantize(np.array([-1.0, 0.0, 2.0]), zero=-1).tolist() == [-1, -1, 1]
    assert ternary_quantize(np.array([0.5, -0.5, 0.51, -3.0])).tolist() == [0, 0, 1, -1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: f(X, 1, 2.5, 3), "i must be integers, not 2.5"),
        (lambda f: f(X, 1, [1, np.nan], 3), "i must be integers"),
        (lambda f: f(X, 1, np.array([1.5] * 40), 3), "i must be integers"),
        (lambda f: f(X, 1, "a", 3), "'a' spells no number"),
        (lambda f: f(X, 1, 3), "fractional_bits .* is missing"),
        (lambda f: f(X, 1, 3, 3, integer_bits=3), "same argument"),
        (lambda f: f(X, 2, 3, 3), "k must be 0 or 1, not 2"),
        (lambda f: f(X, 1, np.array([30] * 40), 30), "needs 60 bits of significand"),
        (lambda f: f(X, 1, 3, np.array([2000] * 40), True, 0), "needs 2003 bits|width|f must lie"),
        (lambda f: float_quantize(X, 3, 0, 0), "exponent bits e must be 1 to 11, not 0"),
        (lambda f: float_quantize(X, 3, np.array([0] * 40), 0), "exponent bits e must be 1 to 11"),
        (lambda f: float_quantize(X, np.array([60] * 40), 4), "mantissa bits m must be"),
        (lambda f: float_quantize([np.nan], 3, 4, 0), "x has NaN"),
        (lambda f: float_quantize([np.nan], np.array([3]), 4, 0), "x has NaN"),
        (lambda f: binary_quantize(np.array([np.nan])), "x has NaN"),
        (lambda f: get_fixed_quantizer("FOO"), "unknown rounding mode 'FOO'"),
        (lambda f: get_fixed_quantizer("RND", "CLIP"), "unknown overflow mode 'CLIP'"),
        (lambda f: FixedQ(8, 4, 0, "RND", "WRAP_SM"), "WRAP_SM needs a signed type"),
        (lambda f: FixedQ(8, 4, integer_bits=4), "same argument"),
        (lambda f: binary_quantize(X, gradient="sin"), "gradient is one of tanh, straight_through"),
    ],
)
def test_refused(call: Any, message: str) -> None:
    """One line says which argument is wrong."""
    with pytest.raises(ValueError, match=message) as caught:
        call(get_fixed_quantizer_np("RND", "SAT"))
    assert "\n" not in str(caught.value)


def test_gradients_pass() -> None:
    """A tensor that requires a gradient gets one, and the values are those without."""
    x = torch.ones(3, requires_grad=True)
    for call in (
        lambda v: float_quantize(v, 3, 4, 0),
        lambda v: get_fixed_quantizer("RND", "SAT")(v, 1, np.array([1, 2, 3]), 4),
    ):
        x.grad = None
        y = call(x)
        assert torch.equal(y, call(x.detach()))
        y.sum().backward()
        assert x.grad.tolist() == [1, 1, 1]
