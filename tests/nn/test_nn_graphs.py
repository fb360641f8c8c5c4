"""Quantizers in graphs: ``torch.compile``, ``torch.export``, and ONNX beside onnxruntime."""

import logging
import warnings
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn
from torch.onnx.errors import OnnxExporterError

import harness
from harness.interfaces.aimet.quantization.affine import QuantizeDequantize
from harness.nn import QuantizedModule, straight_through
from harness.nn.affine import AffineQuantizer
from harness.nn.exported import exported
from harness.nn.quantizers import BinaryQuantizer, FixedQuantizer, FloatQuantizer, TernaryQuantizer
from harness.nn.trainable import TrainableFixed, TrainableMiniFloat
from harness.types import (
    ApFixed,
    ApInt,
    Binary,
    FloatRounding,
    IeeeFloat,
    MiniFloat,
    Overflow,
    Rounding,
    VitisFloat,
)

onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


def values(dtype=torch.float32):
    """Ties, bounds, ordinary numbers, and both ends of float32."""
    rng = np.random.default_rng(7)
    ties = np.arange(-600, 600) / 64
    spread = 2.0 ** rng.uniform(-140, 125, 400) * rng.choice([-1, 1], 400)
    ends = [0.0, -0.0, 2.0**-149, -(2.0**-149), 3e38, -3e38, np.inf, -np.inf]
    found = np.concatenate([ties, rng.normal(0, 8, 400), spread, ends]).astype(np.float32)
    return torch.from_numpy(found).to(dtype)


def bits(x):
    """To compare zeros with their signs."""
    return x.view({torch.float32: torch.int32, torch.float64: torch.int64}[x.dtype])


def affine(shape=(), bitwidth=8, low=-1.0, high=1.5, **facts):
    """With a range."""
    q = AffineQuantizer(shape, bitwidth, **facts)
    q.set_range(torch.full(shape, low), high + torch.arange(q.scale.numel()).reshape(shape) / 8)
    return q


QUANTIZERS = {
    "fixed": lambda: FixedQuantizer("ap_fixed<8,3,AP_RND_CONV,AP_SAT>"),
    "wraps": lambda: FixedQuantizer("ap_fixed<8,3,AP_RND,AP_WRAP_SM>"),
    "wide": lambda: FixedQuantizer("ap_fixed<32,16>"),
    "float": lambda: FloatQuantizer("ieee<4,3>"),
    "minifloat": lambda: FloatQuantizer("ap_float<3,4,0>"),
    "binary": BinaryQuantizer,
    "ternary": TernaryQuantizer,
    "affine": affine,
    "asymmetric": lambda: affine(symmetric=False),
    "channels": lambda: affine((16,)),
    "blocks": lambda: affine((4,), block_size=(4,)),
    "trainable fixed": TrainableFixed,
    "trainable fixed, channels": lambda: TrainableFixed((16,), overflow="SAT_SYM"),
    "trainable minifloat": TrainableMiniFloat,
}


@pytest.mark.parametrize("name", QUANTIZERS)
def test_one_graph(name):
    """A compiled quantizer has no breaks, the same bits and the same gradients, of widths too."""
    torch.manual_seed(1)
    quantizer, x = QUANTIZERS[name](), torch.randn(5, 16) * 3
    torch._dynamo.reset()
    compiled = torch.compile(quantizer, fullgraph=True, backend="aot_eager")
    found = []
    for call in (quantizer, compiled):
        quantizer.zero_grad()
        given = x.clone().requires_grad_()
        y = call(given)
        y.square().sum().backward()
        found.append([y.detach(), given.grad, *(p.grad for p in quantizer.parameters())])
    assert len(found[0]) == 2 + sum(1 for _ in quantizer.parameters())
    for eager, traced in zip(*found, strict=True):
        if eager is None or traced is None:
            assert eager is traced
        else:
            torch.testing.assert_close(traced, eager, rtol=1e-6, atol=0)
    assert torch.equal(bits(found[0][0]), bits(found[1][0]))


@pytest.mark.parametrize("name", QUANTIZERS)
@pytest.mark.parametrize("few", [0, straight_through.SMALL])
def test_what_follows_may_be_in_place(name, few, monkeypatch):
    """A ReLU that writes into the result does not disturb the gradients."""
    monkeypatch.setattr(straight_through, "SMALL", few)
    quantizer, found = QUANTIZERS[name](), []
    for relu in (nn.ReLU(), nn.ReLU(inplace=True)):
        quantizer.zero_grad()
        x = torch.randn(5, 16, generator=torch.Generator().manual_seed(6)).requires_grad_()
        relu(quantizer(x)).square().sum().backward()
        found.append([x.grad, *(p.grad for p in quantizer.parameters() if p.grad is not None)])
    for ours, theirs in zip(*found, strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("name", QUANTIZERS)
def test_exported_program(name):
    """``torch.export`` takes every quantizer, and its program has the same bits."""
    quantizer, x = QUANTIZERS[name](), torch.randn(5, 16) * 3
    program = torch.export.export(quantizer, (x,))
    assert torch.equal(bits(program.module()(x)), bits(quantizer(x)))


def test_what_does_not_fit_is_refused_in_a_graph_too():
    """The check of values that a narrow dtype may not hold runs where the graph does."""
    quantizer = FixedQuantizer("ap_fixed<40,20,AP_TRN,AP_SAT>")
    compiled = torch.compile(quantizer, fullgraph=True, backend="aot_eager")
    assert compiled(torch.tensor([0.5])) == 0.5
    with pytest.raises(ValueError, match="does not hold every value"):
        compiled(torch.tensor([1e9]))


@pytest.mark.filterwarnings("ignore")  # torch's, about tracing
@pytest.mark.parametrize("name", QUANTIZERS)
def test_traced(name):
    """``torch.jit.trace`` writes down the operator, not the values that it saw."""
    quantizer, x = QUANTIZERS[name](), torch.randn(5, 16) * 3
    traced = torch.jit.trace(quantizer, (torch.zeros(5, 16),))
    assert torch.equal(bits(traced(x)), bits(quantizer(x)))


def test_torch_fx_is_told():
    """A tracer that goes through a quantizer would leave it out."""
    model = nn.Sequential(FixedQuantizer("ap_fixed<8,3>"))
    with pytest.raises(TypeError, match="trace it as a leaf module"):
        torch.fx.symbolic_trace(model)


def modes(t):
    """A shape in every mode that it has."""
    for rounding in Rounding:
        for overflow in Overflow:
            if overflow is Overflow.WRAP_SM and not t.signed:
                continue
            for n in (0, 1, 3) if overflow.wraps and t.width > 3 else (0,):
                yield t.with_modes(rounding=rounding, overflow=overflow, n=n)


FIXED = [ApFixed(8, 3), ApFixed(8, 3, signed=False), ApFixed(1, 1), ApFixed(12, 16), ApFixed(6, -2)]
FLOATS = [
    IeeeFloat(exp_bits, sig_bits, subnormals, None, specials)
    for exp_bits, sig_bits in ((4, 3), (2, 1), (5, 10))
    for subnormals in (True, False)
    for specials in ("ieee", "fn", "fnuz", "none")
]
ROUNDINGS = [rounding for rounding in FloatRounding if not rounding.stochastic]


@pytest.mark.parametrize("shape", FIXED, ids=str)
def test_the_arithmetic_of_onnx_is_that_of_the_type(shape):
    """In float64, where it stands for itself, every mode gives the bits of ``quantize``."""
    x = values(torch.float64)
    for t in modes(shape):
        assert torch.equal(bits(exported(x, t)), bits(harness.quantize(x, t))), t


@pytest.mark.parametrize(
    "t", [*FLOATS, MiniFloat(3, 4), VitisFloat(12, 6), ApInt(5), Binary()], ids=str
)
def test_the_arithmetic_of_onnx_is_that_of_floats(t):
    """Every rounding, and what lies beyond the largest value."""
    x = values(torch.float64)
    rounded = [t.with_modes(rounding=r) for r in ROUNDINGS] if isinstance(t, IeeeFloat) else [t]
    for each in rounded:
        found, right = exported(x, each), harness.quantize(x, each)
        same = (bits(found) == bits(right)) | (found.isnan() & right.isnan())
        assert bool(same.all()), (each, x[~same][:3])


def in_onnx(module, x):
    """What onnxruntime makes of ``x``, and the operators of the graph."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch's exporter about itself
            program = torch.onnx.export(module.eval(), (x,), dynamo=True, verbose=False)
    finally:
        logging.disable(logging.NOTSET)
    model = program.model_proto
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (y,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    return torch.from_numpy(y), [node.op_type for node in model.graph.node]


PAIR = ["QuantizeLinear", "DequantizeLinear"]


@pytest.mark.parametrize(
    ("name", "operators"),
    [
        ("fixed", PAIR),
        ("ternary", ["Clip", *PAIR]),
        ("wraps", None),
        ("float", None),
        ("minifloat", None),
        ("binary", None),
        ("trainable minifloat", None),
        ("trainable fixed", None),
        ("trainable fixed, channels", None),
    ],
)
def test_onnx_has_the_bits(name, operators):
    """onnxruntime computes what the quantizer does, from operators of the standard."""
    quantizer, x = QUANTIZERS[name](), values()
    x = x[torch.isfinite(x)][: x.numel() // 16 * 16 - 16].reshape(-1, 16)
    found, used = in_onnx(quantizer, x)
    assert torch.equal(bits(found), bits(quantizer(x).detach()))
    assert operators is None or used == operators
    assert not any(name.startswith("harness") for name in used)


@pytest.mark.parametrize("name", ["affine", "asymmetric", "channels", "blocks"])
def test_affine_onnx_departs_at_ties_alone(name):
    """The pair divides in float32: it differs where that makes a tie of what is almost one."""
    quantizer = QUANTIZERS[name]()
    x = (torch.rand(4096, 16, generator=torch.Generator().manual_seed(3)) * 6 - 2).float()
    found, used = in_onnx(quantizer, x)
    assert [op for op in used if op != "Reshape"] == PAIR
    right = quantizer(x).detach()
    scale = quantizer.scale.detach().repeat_interleave(4) if name == "blocks" else quantizer.scale
    scale = scale.detach().expand(16)
    rows, columns = (found != right).nonzero().T
    assert rows.numel() <= 3
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        quotient = Fraction(float(x[row, column])) / Fraction(float(scale[column]))
        assert abs(quotient % 1 - Fraction(1, 2)) < Fraction(1, 2**16)


def test_the_interface_of_aimet():
    """Its quantizers are in programs and in ONNX too, as tensors without their encoding."""
    quantizer = QuantizeDequantize((16,), bitwidth=8, symmetric=True)
    ends = torch.linspace(1, 2, 16)
    quantizer.load_state_dict({"min": -ends, "max": ends})
    x = torch.randn(50, 16, generator=torch.Generator().manual_seed(4))
    right = quantizer(x).dequantize().as_subclass(torch.Tensor).detach()
    assert torch.equal(torch.export.export(quantizer, (x,)).module()(x), right)
    found, used = in_onnx(quantizer, x)
    assert torch.equal(found, right)
    assert used == PAIR


def test_a_quantized_model_in_onnx():
    """Weights, activations and results: the model as it is, next to onnxruntime's float sums."""
    torch.manual_seed(2)
    conv, dense = (QuantizedModule.from_module(m) for m in (nn.Conv2d(1, 3, 3), nn.Linear(12, 4)))
    for layer in (conv, dense):
        layer.param_quantizers["weight"] = FixedQuantizer("ap_fixed<6,1,AP_RND_CONV,AP_SAT>")
        layer.param_quantizers["bias"] = FixedQuantizer("ap_fixed<6,1,AP_RND_CONV,AP_SAT>")
        layer.input_quantizers[0] = FixedQuantizer("ap_fixed<8,3,AP_RND_CONV,AP_SAT>")
        layer.output_quantizers[0] = FixedQuantizer("ap_fixed<8,4,AP_TRN,AP_WRAP>")
    model = nn.Sequential(conv, nn.ReLU(), nn.Flatten(), dense)
    x = torch.randn(7, 1, 4, 4)
    found, used = in_onnx(model, x)
    assert torch.equal(found, model(x).detach())  # few bits: every sum of products is exact
    assert used.count("QuantizeLinear") == used.count("DequantizeLinear") == 6


@pytest.mark.parametrize(
    ("quantizer", "message"),
    [
        (FixedQuantizer("ap_fixed<32,16>"), "needs 31 bits of significand, float32 has 24"),
        (FixedQuantizer(ApFixed(8, 3, rounding="S_RND"), rng=torch.Generator()), "by chance"),
        (affine(bitwidth=32), "integers to 2\\*\\*26"),
    ],
    ids=["wide", "chance", "integers"],
)
def test_what_onnx_has_not(quantizer, message):
    """A graph that would round silently is not written."""
    with pytest.raises(OnnxExporterError, match=message):
        in_onnx(quantizer, torch.randn(4))
