"""Quantizers with gradients, and quantized layers, as multiples of torch without quantizing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from harness.bench.clock import interleave, median_ratio
from harness.bench.machine import version
from harness.report.timing import Bar

__all__ = ["CALLS", "PEERS", "Figure", "measure"]

#: Elements of the tensor that is quantized forward and backward.
SIZE = 1 << 22
#: Features of a linear layer, its outputs, and rows of its batch: a large one, and an FPGA's.
Size = tuple[int, int, int]
LARGE, SMALL = (1024, 1024, 256), (64, 32, 16)
TYPE, WIDE = "ap_fixed<8,4,AP_RND_CONV,AP_SAT>", "ap_fixed<16,8,AP_RND_CONV,AP_SAT>"
#: Beside what other libraries' layers of an FPGA's size are timed.
PEERS = "our QuantizedLinear(64, 32) on 16 rows"
Call = Callable[[], Any]


@dataclass(frozen=True)
class Figure:
    """A subject's time as a multiple of its baseline's; ``None`` if it is not installed."""

    name: str
    baseline: str
    ratio: float | None
    version: str | None = None


def _backward(torch: Any, function: Callable[[Any], Any]) -> Call:
    x = torch.randn(SIZE, generator=torch.Generator().manual_seed(0)).requires_grad_()
    gradient = torch.ones_like(x)

    def call() -> None:
        x.grad = None
        function(x).backward(gradient)

    return call


def _clone(torch: Any) -> Call:
    return _backward(torch, torch.clone)


def _fixed(torch: Any) -> Call:
    from harness.nn import FixedQuantizer

    return _backward(torch, FixedQuantizer(TYPE))


def _affine(torch: Any) -> Call:
    from harness.nn.affine import AffineQuantizer

    quantizer = AffineQuantizer((), 8, trainable=False)
    quantizer.set_encodings(2.0**-4)
    return _backward(torch, quantizer)


def _fake_quantize(torch: Any) -> Call:
    function = torch.fake_quantize_per_tensor_affine
    return _backward(torch, lambda x: function(x, 2.0**-4, 0, -128, 127))


def _forward(torch: Any, layer: Any, size: Size) -> Call:
    x = torch.randn(size[2], size[0], generator=torch.Generator().manual_seed(1))

    def call() -> Any:
        with torch.no_grad():
            return layer(x)

    return call


def _linear(torch: Any, size: Size = LARGE) -> Call:
    return _forward(torch, torch.nn.Linear(*size[:2]), size)


def _quantized_linear(torch: Any, size: Size = LARGE) -> Call:
    from harness.nn import FixedQuantizer
    from harness.nn.registry import QUANTIZED

    layer: Any = QUANTIZED[torch.nn.Linear](*size[:2])
    layer.input_quantizers[0] = FixedQuantizer(TYPE)
    layer.param_quantizers["weight"] = FixedQuantizer(TYPE)
    layer.output_quantizers[0] = FixedQuantizer(WIDE)
    return _forward(torch, layer, size)


def _aimet(torch: Any, size: Size = LARGE) -> Call:
    try:
        nn = import_module("aimet_torch.v2.nn")
        quantization = import_module("aimet_torch.v2.quantization")
    except RuntimeError as error:  # a torchvision that was built for another torch
        raise ImportError("aimet_torch") from error
    layer, make = nn.QuantizedLinear(*size[:2]), quantization.affine.QuantizeDequantize
    layer.input_quantizers[0] = make((), bitwidth=8, symmetric=True)
    layer.param_quantizers["weight"] = make((), bitwidth=8, symmetric=True)
    layer.output_quantizers[0] = make((), bitwidth=16, symmetric=True)
    call = _forward(torch, layer, size)
    with layer.compute_encodings():
        call()
    return call


def _brevitas(torch: Any, size: Size = LARGE) -> Call:
    layers, quant = import_module("brevitas.nn"), import_module("brevitas.quant")
    layer = layers.QuantLinear(
        *size[:2],
        bias=True,
        weight_quant=quant.Int8WeightPerTensorFloat,
        input_quant=quant.Int8ActPerTensorFloat,
        output_quant=quant.Int8ActPerTensorFloat,
    )
    call = _forward(torch, layer, size)
    call()  # it calibrates in training, and quantizes afterwards
    layer.eval()
    return call


def _pychop(torch: Any, size: Size = LARGE) -> Call:
    layers = import_module("pychop.tch.layers")
    chop = layers.ChopSTE(exp_bits=5, sig_bits=10, rmode=1)
    return _forward(torch, layers.QuantizedLinear(*size[:2], chop=chop).eval(), size)


#: By baseline: what is timed right after it, and whose version is reported.
CALLS: dict[str, tuple[Callable[[Any], Call], dict[str, tuple[Callable[[Any], Call], str]]]] = {
    "clone, forward and backward": (
        _clone,
        {
            "FixedQuantizer": (_fixed, ""),
            "AffineQuantizer": (_affine, ""),
            "torch fake_quantize": (_fake_quantize, "torch"),
        },
    ),
    "Linear(1024, 1024) on 256 rows": (
        _linear,
        {
            "QuantizedLinear, 3 quantizers": (_quantized_linear, ""),
            "AIMET QuantizedLinear": (_aimet, "aimet-torch"),
            "brevitas QuantLinear": (_brevitas, "brevitas"),
            "pychop QuantizedLinear": (_pychop, "pychop"),
        },
    ),
    PEERS: (
        partial(_quantized_linear, size=SMALL),
        {
            "AIMET QuantizedLinear": (partial(_aimet, size=SMALL), "aimet-torch"),
            "brevitas QuantLinear": (partial(_brevitas, size=SMALL), "brevitas"),
            "pychop QuantizedLinear": (partial(_pychop, size=SMALL), "pychop"),
        },
    ),
}


def measure(torch: Any, repeats: int, bar: Bar) -> list[Figure]:
    """Every subject right after its baseline, ``repeats`` times; the figure is the median ratio."""
    figures = []
    for baseline, (make, subjects) in CALLS.items():
        reference = make(torch)
        reference()
        for name, (prepare, distribution) in subjects.items():
            bar.begin(name)
            try:
                subject = prepare(torch)
                subject()
            except ImportError:
                figures.append(Figure(name, baseline, None))
                bar.done()
                continue
            seconds = interleave((reference, subject), repeats, bar.beat)
            known = version(distribution) if distribution else None
            figures.append(Figure(name, baseline, median_ratio(seconds, 1, 0), known))
            bar.done()
    return figures
