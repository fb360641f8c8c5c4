"""Observers: batches equal their concatenation where that is exact; results are the best."""

from fractions import Fraction

import pytest
import torch

from harness import FORMATS, ApFixed, quantize
from harness.interfaces.torchapprox import MinMaxQuant, PACTQuant
from harness.nn.histograms import Histogram, MeanSquaredError, Percentile, SignalToNoise
from harness.nn.observers import MinMax, MovingAverage, Observer

T = ApFixed(6, 1, rounding="RND_CONV", overflow="SAT")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("shape", [(), (3, 1)])
@pytest.mark.parametrize("kind", [MinMax, Histogram, Percentile, MeanSquaredError, SignalToNoise])
def test_batches_equal_their_concatenation(kind: type[Observer], shape: tuple[int, ...]) -> None:
    """Exactly, whatever the order and the scales of the batches."""
    batches = [torch.randn(3, 400) * scale for scale in (0.1, 5.0, 0.003, 1.0)]
    one, many, backward = kind(shape), kind(shape), kind(shape)
    one.observe(torch.cat(batches, 1))
    for batch in batches:
        many.observe(batch)
    for batch in reversed(batches):
        backward.observe(batch)
    for other in (many, backward):
        for end, same in zip(one.range(15), other.range(15), strict=True):
            assert end.shape == shape
            assert torch.equal(end, same)
        assert one.fixed(T) == other.fixed(T)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
@pytest.mark.parametrize(
    "kind", [MinMax, MovingAverage, Histogram, Percentile, MeanSquaredError, SignalToNoise]
)
def test_a_scalar_has_a_range(kind: type[Observer], shape: tuple[int, ...]) -> None:
    """A tensor without axes, as a loss is, counts as one number; one encoding is for it, too."""
    scalar, vector = kind(shape), kind(shape)
    scalar.observe(torch.tensor(1.25))
    vector.observe(torch.full((1,) * max(len(shape), 1), 1.25))
    for end, same in zip(scalar.range(255), vector.range(255), strict=True):
        assert end.shape == shape
        assert torch.equal(end, same)
    assert scalar.fixed(T) == vector.fixed(T)
    with pytest.raises(ValueError, match="do not broadcast"):
        kind((2,)).observe(torch.tensor(1.25))


def test_moving_average() -> None:
    """The law, for two batches."""
    observer = MovingAverage(momentum=0.25)
    observer.observe(torch.tensor([-1.0, 2.0]))
    observer.observe(torch.tensor([-3.0, 10.0]))
    low, high = observer.range()
    assert (float(low), float(high)) == (-1.5, 4.0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_moving_average_of_half_precision(dtype: torch.dtype) -> None:
    """Is taken in float32: the average of 1 and 1 + eps is no number of the batches' dtype."""
    observer, eps = MovingAverage(momentum=0.25), torch.finfo(dtype).eps
    for value in (1.0, 1 + eps):
        observer.observe(torch.tensor([0.0, value], dtype=dtype))
    assert float(observer.range()[1]) == 1 + eps / 4


def test_percentile_leaves_outliers_out() -> None:
    """The range holds the percentage on each side, to a step."""
    x = torch.cat([torch.linspace(-1, 1, 10_001), torch.tensor([100.0, -100.0])])
    observer = Percentile(percentile=99)
    observer.observe(x)
    low, high = observer.range()
    step = 2.0**observer.exponent
    assert abs(float(high) - 0.98) < 2 * step
    assert abs(float(low) + 0.98) < 2 * step


def test_least_error_is_the_best_of_all_types() -> None:
    """The calibrated type is the one that brute force finds, on values at steps."""
    x = torch.round(torch.randn(5000) * 256) / 256 + 1 / 512
    observer = MeanSquaredError()
    observer.observe(x)
    found = observer.fixed(T)
    errors = {}
    for integer in range(-6, 12):
        t = ApFixed(6, integer, rounding="RND_CONV", overflow="SAT")
        errors[integer] = float(((quantize(x.double(), t) - x.double()) ** 2).mean())
    assert found.integer == min(errors, key=errors.__getitem__)


def test_values_without_a_range() -> None:
    """NaN and infinities have no place in a histogram."""
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="finite"):
            Histogram().observe(torch.tensor([1.0, value]))
    with pytest.raises(ValueError, match="percentile must be"):
        Percentile(percentile=30)


def test_zeros() -> None:
    """A tensor of zeros has a range and a type."""
    for kind in (MinMax, Histogram, MeanSquaredError):
        observer = kind()
        observer.observe(torch.zeros(5))
        assert observer.fixed(T).width == 6


def test_pact() -> None:
    """Alpha's gradient is right for both signs, alpha stays positive, integers are integers."""
    quantizer = PACTQuant(4, alpha=2.0)
    x = torch.tensor([3.0, -3.0, -4.0, 0.5, 2.0, -2.0], requires_grad=True)
    y = quantizer(x)
    assert y.tolist() == pytest.approx([2.0, -2.0, -2.0, 2 / 3.5, 2.0, -2.0])
    y.backward(torch.tensor([1.0, 10.0, 100.0, 1e3, 1e4, 1e5]))
    assert float(quantizer.alpha.grad) == 1.0 - 10.0 - 100.0
    assert x.grad.tolist() == [0.0, 0.0, 0.0, 1e3, 1e4, 1e5]
    assert quantizer.quantize(x.detach()).tolist() == [7, -7, -7, 2, 7, -7]
    with torch.no_grad():
        quantizer.alpha.fill_(-1.0)
    assert quantizer.scale_factor > 0
    quantizer.alpha.grad = None
    quantizer(x.detach()[:1]).sum().backward()
    assert torch.isfinite(quantizer(x)).all()
    assert float(quantizer.alpha.grad) != 0  # a way back


def test_minmax() -> None:
    """The range widens in training alone; zeros are finite; integers are symmetric."""
    quantizer = MinMaxQuant(8)
    assert quantizer(torch.zeros(3)).tolist() == [0, 0, 0]
    x = torch.tensor([0.5, -2.0, 1.0], requires_grad=True)
    assert quantizer.quantize(x).tolist() == [32, -127, 64]
    assert quantizer.scale_factor == 127 / 2
    quantizer(x).sum().backward()
    assert x.grad.tolist() == [1, 1, 1]
    quantizer.eval()
    assert quantizer.quantize(torch.tensor([4.0])).tolist() == [127]
    for bits in (1, 25, 2.0, True):
        with pytest.raises(ValueError, match="from 2 to 24"):
            MinMaxQuant(bits)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("bits", [8, 11])
def test_integers_of_any_dtype(dtype: torch.dtype, bits: int) -> None:
    """Those of the exact quotient; a dtype that does not hold them is refused."""
    quantizer = PACTQuant(bits, alpha=0.7)
    limit, largest = Fraction(float(quantizer.alpha.detach())), quantizer.int_max
    x = (torch.rand(3000) * 2 - 1).to(dtype)
    kept = [min(max(Fraction(value), -limit), limit) for value in x.tolist()]
    expected = [round(value * largest / limit) for value in kept]
    values = torch.tensor([float(q * limit / largest) for q in expected], dtype=torch.float64)
    y = quantizer(x)
    assert y.dtype == dtype
    assert torch.equal(y, quantize(values, FORMATS[str(dtype).removeprefix("torch.")]).to(dtype))
    if largest > 2 / torch.finfo(dtype).eps:
        with pytest.raises(ValueError, match="bfloat16 does not hold every integer up to 1023"):
            quantizer.quantize(x)
    else:
        assert quantizer.quantize(x).tolist() == expected
