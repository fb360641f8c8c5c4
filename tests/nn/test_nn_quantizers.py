"""Quantizer modules: forward is the exact quantizer, backward the stated rule, state is kept."""

import copy
import io
import pickle
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness import FORMATS, TERNARY, ApFixed, Binary, IeeeFloat, MiniFloat, VitisFloat, quantize
from harness.nn import (
    BinaryQuantizer,
    FixedQuantizer,
    FloatQuantizer,
    NotInitializedError,
    Quantizer,
    TernaryQuantizer,
    fake_quantize,
    straight_through,
)
from harness.nn.affine import AffineQuantizer, affine
from harness.nn.observers import MinMax, MovingAverage
from harness.nn.straight_through import bounds_of
from harness.quantize import tensors
from harness.testing import ap_types

T = ApFixed(8, 4, rounding="RND_CONV", overflow="SAT")
TYPES = [
    T,
    ApFixed(6, 3, False, "TRN", "SAT_SYM"),
    ApFixed(9, 2, rounding="RND_INF", overflow="WRAP"),
    MiniFloat(3, 4, 0),
    FORMATS["bfloat16"],
    FORMATS["float8_e4m3fn"].with_modes(overflow="saturate"),
    VitisFloat(16, 5),
    Binary(),
    TERNARY,
]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("t", TYPES, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("few", [0, straight_through.SMALL])
def test_forward_is_quantize_backward_the_rule(
    t: object, dtype: torch.dtype, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bit for bit, in training too; the gradient passes between the bounds, both included."""
    monkeypatch.setattr(straight_through, "SMALL", few)
    edges = [float(t.min_exact), float(t.max_exact), 0.0, -0.0, 0.5, -0.5, 1.0, -1.0]
    x = torch.cat([torch.randn(500) * 6, torch.tensor(edges)]).to(dtype)
    x = torch.cat([x, torch.nextafter(x, x * 2), torch.nextafter(x, x * 0)]).requires_grad_()
    y = fake_quantize(x, t)
    assert torch.equal(y, quantize(x.detach(), t))
    weight = torch.randn_like(y)
    (y * weight).sum().backward()
    bounds = bounds_of(t)
    inside = torch.ones_like(x) if bounds is None else (x >= bounds[0]) & (x <= bounds[1])
    assert torch.equal(x.grad, weight * inside)


@pytest.mark.parametrize("t", TYPES, ids=str)
def test_any_layout(t: object) -> None:
    """Transposed, strided, empty and single elements, whose gradients come in the same layout."""
    base = torch.randn(6, 8) * 6
    for view in (base.T, base[:, ::3], base[1:1], base[2, 3], base.expand(2, 6, 8)):
        x = view.detach().requires_grad_()
        y = fake_quantize(x, t)
        assert torch.equal(y, quantize(view.contiguous(), t))
        (gradient,) = torch.autograd.grad(y.sum(), x)
        bounds = bounds_of(t) or (-torch.inf, torch.inf)
        assert torch.equal(gradient, ((view >= bounds[0]) & (view <= bounds[1])).float())


def test_many_are_shared_out_to_threads() -> None:
    """Whatever the number of threads, and where its parts end."""
    x = torch.randn(tensors.MANY + 12_345) * 6
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        found = [quantize(x, t) for t in TYPES[:3]], [fake_quantize(x, t) for t in TYPES[:3]]
    finally:
        torch.set_num_threads(before)
    for threaded in found:
        for t, y in zip(TYPES[:3], threaded, strict=True):
            assert torch.equal(y, quantize(x, t))


def test_threads_of_a_forked_process() -> None:
    """It has none of its parent's, and makes its own."""
    code = """
import os, signal, torch, harness
torch.set_num_threads(2)
x, t = torch.randn(1 << 20), "ap_fixed<8,4>"
y = harness.quantize(x, t)
child = os.fork()
if child == 0:
    signal.alarm(60)
    torch.set_num_threads(2)
    os._exit(0 if torch.equal(harness.quantize(x, t), y) else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False)
    assert done.returncode == 0


@given(t=ap_types(size=40), data=st.data())
def test_any_type(t: ApFixed, data: st.DataObject) -> None:
    """For any fixed-point type that a double holds."""
    if t.significand_bits > 53 or abs(t.frac) > 900 or t.width > 64:
        return
    values = data.draw(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
    x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    y = fake_quantize(x, t)
    assert torch.equal(y, quantize(x.detach(), t))
    y.sum().backward()
    assert bool(torch.isin(x.grad, torch.tensor([0.0, 1.0], dtype=x.dtype)).all())


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")  # torch's own
def test_transforms() -> None:
    """grad, vmap and both, jvp, double backward, and the compiler, which keeps one graph."""
    x = torch.tensor([[1.03, 9.0], [2.0, -3.3]])

    def loss(v: torch.Tensor) -> torch.Tensor:
        return (fake_quantize(v, T) ** 2).sum()

    q, inside = quantize(x, T), torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    assert torch.equal(torch.func.grad(loss)(x), 2 * q * inside)
    assert torch.equal(torch.func.vmap(lambda v: fake_quantize(v, T))(x), q)
    assert torch.equal(torch.func.vmap(torch.func.grad(loss))(x), 2 * q * inside)
    value, tangent = torch.func.jvp(lambda v: fake_quantize(v, T), (x,), (torch.ones_like(x),))
    assert torch.equal(value, q)
    assert torch.equal(tangent, inside)
    leaf = x.clone().requires_grad_()
    (first,) = torch.autograd.grad((fake_quantize(leaf, T) ** 3).sum(), leaf, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), leaf)
    assert torch.equal(second, 6 * q * inside)


@pytest.mark.filterwarnings("ignore")
def test_compiled() -> None:
    """torch.compile takes a quantizer into its graph, and the results are the same bits."""
    quantizer = FixedQuantizer(T)
    compiled = torch.compile(lambda v: quantizer(v * 2) + 1, fullgraph=True)
    x = torch.randn(100, requires_grad=True)
    y = compiled(x)
    assert torch.equal(y.detach(), quantize(2 * x.detach(), T) + 1)
    y.sum().backward()
    assert torch.equal(x.grad, 2 * ((2 * x >= -8) & (2 * x <= 7.9375)).float())


@pytest.mark.filterwarnings("ignore")
def test_affine_transforms() -> None:
    """Compiled, differentiated by torch.func, and over a batch: the same bits, the same rules."""
    quantizer = AffineQuantizer((3, 1), 6, symmetric=False)
    x = torch.randn(5, 3, 8) * 2
    with quantizer.compute_encodings():
        quantizer(x[0])
    expected = torch.stack([quantizer(each) for each in x])
    assert torch.equal(torch.func.vmap(quantizer, in_dims=0)(x), expected)
    assert torch.equal(torch.func.vmap(quantizer, in_dims=1)(x.transpose(0, 1)), expected)
    gradient = torch.func.grad(lambda v: quantizer(v).sum())(x[0])
    inside = (x[0] >= quantizer.min) & (x[0] <= quantizer.max)
    assert torch.equal(gradient, inside.float())
    for each in (quantizer, QUANTIZERS["tensor"]()):
        with each.compute_encodings():
            each(x[0])
        leaf = x[0].clone().requires_grad_()
        y = torch.compile(each, fullgraph=True)(leaf)
        assert torch.equal(y, each(x[0]))
        y.sum().backward()
        assert set(leaf.grad.unique().tolist()) <= {0.0, 1.0}


def test_autocast() -> None:
    """Half precision is quantized if it holds the type, and refused if it does not."""
    x = torch.randn(8, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = x @ x
        assert torch.equal(fake_quantize(y, T), quantize(y, T))
        assert torch.equal(fake_quantize(y, ApFixed(30, 10)), y)  # on its grid already
        with pytest.raises(ValueError, match="bfloat16 does not hold"):
            fake_quantize(y, ApFixed(16, 3, overflow="SAT"))


QUANTIZERS: dict[str, Callable[[], Quantizer]] = {
    "fixed": lambda: FixedQuantizer(T),
    "spelled": lambda: FixedQuantizer("ap_fixed<8,4,AP_RND,AP_SAT>"),
    "calibrated": lambda: FixedQuantizer(width=6),
    "minifloat": lambda: FloatQuantizer(MiniFloat(3, 4, 0)),
    "ieee": lambda: FloatQuantizer(IeeeFloat(5, 10, rounding="TOWARD_ZERO")),
    "vitis": lambda: FloatQuantizer(VitisFloat(16, 5)),
    "binary": lambda: BinaryQuantizer(zero=-1),
    "ternary": TernaryQuantizer,
    "tensor": lambda: AffineQuantizer((), 8),
    "channel": lambda: AffineQuantizer((4, 1), 4, symmetric=False),
    "block": lambda: AffineQuantizer((4, 2), 4, block_size=(1, 8)),
    "integers": lambda: AffineQuantizer((1,), qmin=-5, qmax=9),
}


def calibrated(name: str, x: torch.Tensor) -> Quantizer:
    """A quantizer that has encodings."""
    quantizer = QUANTIZERS[name]()
    with quantizer.compute_encodings():
        assert quantizer(x) is x or torch.equal(quantizer(x), x)
    return quantizer


@pytest.mark.parametrize("name", QUANTIZERS)
def test_state(name: str) -> None:
    """State dict, torch.save, pickle and deepcopy: format and encodings come back, bit for bit."""
    x = torch.randn(4, 16) * 3
    quantizer = calibrated(name, x)
    expected = quantizer(x)
    file = io.BytesIO()
    torch.save(quantizer.state_dict(), file)
    file.seek(0)
    fresh = QUANTIZERS[name]()
    fresh.load_state_dict(torch.load(file, weights_only=True))
    for again in (fresh, copy.deepcopy(quantizer), pickle.loads(pickle.dumps(quantizer))):
        assert torch.equal(again(x), expected)
        assert repr(again) == repr(quantizer)
    other = BinaryQuantizer() if name != "binary" else TernaryQuantizer()
    with pytest.raises((ValueError, RuntimeError)):
        other.load_state_dict(quantizer.state_dict())


@pytest.mark.parametrize("name", QUANTIZERS)
def test_what_passes_through(name: str) -> None:
    """Integers, booleans and what is no tensor; and everything while observing."""
    quantizer = QUANTIZERS[name]()
    for value in (torch.arange(3), torch.tensor([True]), None, "text", 3):
        assert quantizer(value) is value


def test_uninitialized() -> None:
    """A quantizer that waits for data says so, by the place it has in the model."""
    for quantizer in (FixedQuantizer(width=8), AffineQuantizer((), 8)):
        quantizer.where = "encoder.0.input_quantizers.0"
        with pytest.raises(NotInitializedError, match=r"encoder\.0\.input.*compute_encodings"):
            quantizer(torch.ones(1))


def test_an_exception_leaves_all_as_it_was() -> None:
    """Encodings of before, and no observing any more."""
    quantizer = calibrated("tensor", torch.randn(100))
    before = copy.deepcopy(quantizer.state_dict())

    def fail() -> None:
        with quantizer.compute_encodings():
            quantizer(torch.randn(5) * 1000)
            raise KeyError("data")

    with pytest.raises(KeyError):
        fail()
    assert torch.equal(quantizer.scale, before["scale"])
    assert quantizer(torch.ones(3) * 0.3).unique().numel() == 1


def test_frozen_stays_frozen() -> None:
    """Neither observes nor settles, until it is let."""
    quantizer = calibrated("tensor", torch.randn(100))
    scale = quantizer.scale.clone()
    quantizer.freeze()
    again = copy.deepcopy(quantizer)
    with again.compute_encodings():
        assert not torch.equal(again(torch.ones(3) * 50), torch.ones(3) * 50)
    assert torch.equal(again.scale, scale)
    again.unfreeze()
    with again.compute_encodings():
        again(torch.ones(3) * 50)
    assert not torch.equal(again.scale, scale)


@pytest.mark.parametrize("frac", [-3, 0, 4, 12])
def test_affine_of_a_power_of_two_is_fixed_point(frac: int) -> None:
    """Scale 2**-f and offset 0: ApFixed with RND_CONV and SAT, bit for bit, gradients too."""
    t = ApFixed(8, 8 - frac, rounding="RND_CONV", overflow="SAT")
    quantizer = AffineQuantizer((), 8)
    quantizer.set_encodings(2.0**-frac)
    x = torch.randn(4000) * 200 * 2.0**-frac
    x = torch.cat([x, (torch.arange(-300, 300) / 2) * 2.0**-frac])
    a, b = x.clone().requires_grad_(), x.clone().requires_grad_()
    ya, yb = quantizer(a), fake_quantize(b, t)
    assert torch.equal(ya, yb)
    ya.sum().backward()
    yb.sum().backward()
    assert torch.equal(a.grad, b.grad)


@pytest.mark.parametrize("shape", [(), (3, 1)])
def test_affine_gradients_of_scale_and_offset(shape: tuple[int, ...]) -> None:
    """As stated: y / s beyond, (y - x) / s within; s beyond for the offset, 0 within."""
    x = torch.randn(3, 50, dtype=torch.float64) * 4
    scale = torch.full(shape, 0.37, dtype=torch.float64, requires_grad=True)
    offset = torch.full(shape, 2.0, dtype=torch.float64, requires_grad=True)
    y = affine(x, scale, offset, -8, 7)
    weight = torch.randn_like(y)
    (y * weight).sum().backward()
    low, high = (-8 + 2) * 0.37, (7 + 2) * 0.37
    inside = (x >= low) & (x <= high)
    slope = torch.where(inside, (y - x) / 0.37, y / 0.37)
    assert torch.allclose(scale.grad, (weight * slope).sum_to_size(shape))
    assert torch.allclose(offset.grad, (weight * ~inside * 0.37).sum_to_size(shape))


def test_affine_kinds_agree() -> None:
    """The fused kernel and the tensor expression give the same bits."""
    x = torch.randn(1000) * 3
    scale, offset = torch.tensor(0.031), torch.tensor(3.0)
    fused = affine(x, scale, offset, -8, 7)
    rows = affine(x.reshape(10, 100), scale.expand(10, 1), offset.expand(10, 1), -8, 7)
    assert torch.equal(fused, rows.flatten())
    assert bool(torch.isnan(affine(torch.tensor([float("nan")]), scale, offset, -8, 7)).all())


#: Bits of significand, and the exponent of the smallest normal number.
DTYPES = {
    torch.bfloat16: (8, -126),
    torch.float16: (11, -14),
    torch.float32: (24, -126),
    torch.float64: (53, -1022),
}


def rounded(value: Fraction, dtype: torch.dtype) -> Fraction:
    """The nearest number of a dtype, ties to even, if it has no largest."""
    bits, least = DTYPES[dtype]
    exponent = max(least, value.numerator.bit_length() - value.denominator.bit_length() - 1)
    while abs(value) >= Fraction(2) ** (exponent + 1):
        exponent += 1
    unit = Fraction(2) ** (exponent - bits + 1)
    return round(value / unit) * unit


def assert_exact(x: torch.Tensor, y: torch.Tensor, scale: float, offset: int, ends: Any) -> None:
    """Each element by the law, in rational numbers."""
    assert y.dtype == x.dtype
    low, high = ends
    step, values = Fraction(scale), {}
    for value, found in zip(x.flatten().tolist(), y.flatten().tolist(), strict=True):
        q = min(max(round(Fraction(value) / step) - offset, low), high)
        if q not in values:
            values[q] = rounded((q + offset) * step, x.dtype)
        assert Fraction(found) == values[q], value


HALVES = {
    dtype: torch.arange(-(2**15), 2**15).to(torch.int16).view(dtype)
    for dtype in DTYPES
    if dtype.itemsize == 2
}


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("stored", [True, False], ids=["scale in the dtype", "in float32"])
@pytest.mark.parametrize(
    ("scale", "offset", "ends", "rows"),
    [(6 / 255, 0, (0, 255), 1), (0.0372, -100, (0, 255), 2), (2e-4, -9, (0, 65535), 1)],
)
def test_affine_of_half_precision(
    dtype: torch.dtype, stored: bool, scale: float, offset: int, ends: tuple[int, int], rows: int
) -> None:
    """Every number of either dtype within a range, per tensor and per channel."""
    x = HALVES[dtype]
    x = x[(x.abs() <= 12) & (x.abs() >= 2**-12)]
    x = x[: len(x) // 2 * 2].reshape(rows, -1)
    each = torch.tensor(scale).to(dtype if stored else torch.float32)
    y = affine(x, each.expand(rows, 1) if rows > 1 else each, torch.tensor(offset), *ends)
    assert_exact(x, y, float(each), offset, ends)


def test_affine_of_half_precision_by_its_step() -> None:
    """1.1171875 of bfloat16 is 47.4 steps; bfloat16's own quotient is 47.5, and made 48 of it."""
    scale = torch.tensor(6 / 255, dtype=torch.bfloat16)
    y = affine(torch.tensor([1.1171875], dtype=torch.bfloat16), scale, torch.tensor(0), 0, 255)
    assert round(float(y) / float(scale)) == 47
    beyond = torch.tensor([float("inf"), -float("inf"), 7e4], dtype=torch.bfloat16)
    for way in (
        affine(beyond, scale, torch.tensor(0), 0, 255),
        affine(beyond.double(), scale.double(), torch.tensor(0), 0, 255),
    ):
        assert way.tolist() == pytest.approx([255 * float(scale), 0, 255 * float(scale)], rel=2**-8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bits", [8, 24, 32])
def test_affine_beside_ties(dtype: torch.dtype, bits: int) -> None:
    """The numbers about a tie, where a rounded quotient is a tie and the exact one is not."""
    scale = torch.tensor(0.3, dtype=dtype)
    half = 1 << (bits - 1)
    ties = torch.randint(-half, half, (300,)).double() + 0.5
    x = (ties * float(scale)).to(dtype)
    towards = torch.tensor(float("inf"), dtype=dtype)
    x = torch.cat([torch.nextafter(x, -towards), x, torch.nextafter(x, towards)])
    for each in (scale, scale.expand(len(x))):
        y = affine(x, each, torch.tensor(3), -half, half - 1)
        assert_exact(x, y, float(scale), 3, (-half, half - 1))


def test_affine_gradients_of_half_precision() -> None:
    """Are sums in float32: more than the largest float16, and more terms than bfloat16 counts."""
    for dtype in HALVES:
        scale, offset = (torch.tensor(value, requires_grad=True) for value in (0.5, 2.0))
        x = torch.full((2000,), 100.0, dtype=dtype, requires_grad=True)
        affine(x, scale, offset, -8, 7).sum().backward()
        assert (float(scale.grad), float(offset.grad)) == (2000 * 9.0, 2000 * 0.5)
        assert x.grad.dtype == dtype
        assert not x.grad.any()


def test_affine_refusals() -> None:
    """What the arithmetic does not hold is an error, not a value."""
    one, none = torch.tensor(1.0), torch.tensor(0.0)
    with pytest.raises(TypeError, match="float64 is not for tensors of torch.float32"):
        affine(torch.ones(3), one.double(), none, 0, 3)
    with pytest.raises(TypeError, match="float8_e5m2 has not"):
        affine(torch.ones(3).to(torch.float8_e5m2), one, none, 0, 3)
    with pytest.raises(ValueError, match="beyond 2"):
        affine(torch.ones(3), one, torch.tensor(2.0**46), 0, 3)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: AffineQuantizer(()), "takes a bitwidth"),
        (lambda: AffineQuantizer((), 8, qmin=0, qmax=3), "takes a bitwidth"),
        (lambda: AffineQuantizer((), qmin=3), "takes a bitwidth"),
        (lambda: AffineQuantizer((), qmin=3, qmax=3), "qmin must be below"),
        (lambda: AffineQuantizer((), 0), "1 to 32"),
        (lambda: AffineQuantizer((4,), 8, block_size=(1, 2)), "a size for each axis"),
        (FixedQuantizer, "a type, or the width"),
        (lambda: FixedQuantizer(T, width=3), "a type, or the width"),
        (lambda: FixedQuantizer("int9"), "cannot read a type"),
        (lambda: AffineQuantizer((), 8).set_encodings(0.0), "positive"),
        (lambda: AffineQuantizer((), 8).set_range(0, float("inf")), "no encoding holds"),
        (lambda: AffineQuantizer((2, 2), 8, block_size=(1, 2))(torch.ones(3, 4)), "does not split"),
        (lambda: calibrated("channel", torch.ones(5, 3)), "do not broadcast"),
        (lambda: calibrated("channel", torch.ones(4, 3))(torch.ones(5, 3)), "do not broadcast"),
        (lambda: calibrated("tensor", torch.ones(0)), "empty"),
    ],
)
def test_refusals(make: Callable[[], object], reason: str) -> None:
    """Bad facts and shapes are errors that say what is allowed."""
    with pytest.raises(ValueError, match=reason):
        make()


def test_wrong_family() -> None:
    """A quantizer takes its own family."""
    with pytest.raises(TypeError, match="FixedQuantizer takes no"):
        FixedQuantizer(MiniFloat(3, 4, 0))
    with pytest.raises(TypeError, match="FloatQuantizer takes no"):
        FloatQuantizer(T)


def test_rounding_by_chance() -> None:
    """A generator makes it, and the same generator again the same values."""
    t = ApFixed(8, 4, rounding="S_RND", overflow="SAT")
    x = torch.full((200,), 0.03)
    values = [FixedQuantizer(t, rng=torch.Generator().manual_seed(seed))(x) for seed in (1, 1, 2)]
    assert torch.equal(values[0], values[1])
    assert not torch.equal(values[0], values[2])
    assert set(values[0].tolist()) == {0.0, 0.0625}


@pytest.mark.parametrize("observer", [MinMax, MovingAverage])
def test_calibrated_type_holds_what_was_seen(observer: type[MinMax]) -> None:
    """Nothing seen overflows, and with one integer bit less something would."""
    for scale in (0.01, 1.0, 3.9999, 4.0, 77.0):
        quantizer = FixedQuantizer(width=10, observer=observer())
        x = torch.rand(500) * 2 * scale - scale
        x[0], x[1] = scale, -scale
        with quantizer.compute_encodings():
            quantizer(x)
        t = quantizer.format
        half = float(t.lsb_exact) / 2
        assert float(t.min_exact) - half <= -scale
        assert scale < float(t.max_exact) + half
        less = ApFixed(t.width, t.integer - 1, t.signed, t.rounding, t.overflow)
        half = float(less.lsb_exact) / 2
        assert not (float(less.min_exact) - half <= -scale and scale < float(less.max_exact) + half)
