"""What networks of an FPGA's size ask for: small tensors, a training step; and the other end."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import harness
from harness.bench.clock import interleave
from harness.bench.typed import SIZES, Figure
from harness.report.timing import Bar
from harness.types import ApFixed

__all__ = ["STEPS", "measure"]

TYPE = ApFixed.parse("ap_fixed<8,4,AP_RND_CONV,AP_SAT>")
WEIGHT = "ap_fixed<8,2,AP_RND_CONV,AP_SAT>"
#: Elements of a small tensor, and calls that are timed as one.
SMALL, CALLS = 1000, 200
#: Rows of a training step, and elements of a large tensor.
ROWS, LARGE = 64, 4_000_000
STEPS = 6


def measure(torch: Any, repeats: int, bar: Bar) -> list[Figure]:
    """Microseconds of small calls, each beside one of torch's or NumPy's; and ratios."""
    figures = []
    for figure in _figures(torch, repeats, bar):
        bar.done()
        figures.append(figure)
    return figures


def _figures(torch: Any, repeats: int, bar: Bar) -> Iterator[Figure]:
    from harness.nn import FixedQuantizer

    x = np.random.default_rng(0).normal(0, 4, SMALL).astype(np.float32)
    bar.begin("quantize, 1,000 elements")
    ours, copy = _each(lambda: harness.quantize(x, TYPE), x.copy, repeats, bar)
    yield Figure("overhead", f"quantize, {SMALL:,} float32", "less a copy", ours - copy, "us")

    quantizer, tensor = FixedQuantizer(TYPE), torch.from_numpy(x).requires_grad_()
    gradient = torch.ones_like(tensor)

    def fake() -> Any:
        return torch.fake_quantize_per_tensor_affine(tensor, 2.0**-4, 0, -128, 127)

    def backward(call: Callable[[], Any]) -> Callable[[], None]:
        def both() -> None:
            tensor.grad = None
            call().backward(gradient)

        return both

    bar.begin("FixedQuantizer")
    ours, theirs = _each(lambda: quantizer(tensor), fake, repeats, bar)
    note, beside = f"{theirs:.1f} us", "torch fake_quantize"
    yield Figure("forward", f"FixedQuantizer, {SMALL:,} elements", beside, ours, "us", note)
    bar.begin("FixedQuantizer, with backward")
    ours, theirs = _each(backward(lambda: quantizer(tensor)), backward(fake), repeats, bar)
    note = f"{theirs:.1f} us"
    yield Figure("both", "... forward and backward", beside, ours, "us", note)

    bar.begin("a training step")
    ours, theirs = _each(_step(torch, True), _step(torch, False), repeats, bar, 10)
    name = f"training step, {'-'.join(map(str, SIZES))}, {ROWS} rows"
    note = f"{ours:.0f} us"
    yield Figure("step", name, "the same in floats", ours / theirs, "x as long", note)

    large = np.random.default_rng(1).normal(0, 4, LARGE).astype(np.float32)
    codes = harness.quantize_codes(large, TYPE)
    bar.begin("codes")
    ours, copy = _each(lambda: harness.quantize_codes(large, TYPE), codes.copy, repeats, bar, 1)
    yield Figure("codes", f"quantize_codes, {LARGE:,}", "a copy of them", ours / copy, "x as long")

    bar.begin("two threads")
    wide, out = torch.from_numpy(large), np.empty_like(large)
    copies, before = [], torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)  # which costs more than what is timed
            ours, copy = _each(
                lambda: harness.quantize(wide, TYPE), lambda: np.copyto(out, large), repeats, bar, 1
            )
            copies.append(ours / copy)
    finally:
        torch.set_num_threads(before)
    note = " and ".join(f"{ratio:.2f}" for ratio in copies) + " copies"
    speed = copies[0] / copies[1]
    yield Figure("threads", f"quantize, {LARGE:,}, torch", "one thread", speed, "x as fast", note)


def _each(
    ours: Callable[[], Any],
    theirs: Callable[[], Any],
    repeats: int,
    bar: Bar,
    calls: int = CALLS,
) -> tuple[float, float]:
    """Median microseconds of one call of each, ``calls`` of them timed as one, side by side."""

    def many(call: Callable[[], Any]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(calls):
                call()

        return run

    ours(), theirs()  # compiled, and its tables made
    seconds = interleave((many(ours), many(theirs)), repeats, bar.beat)
    first, second = np.median(seconds, axis=0) / calls * 1e6
    return float(first), float(second)


def _step(torch: Any, quantized: bool) -> Callable[[], None]:
    """A step of Adam on cross entropy; quantized are weights, biases and what layers give."""
    from harness.nn.model import prepare

    nn, generator = torch.nn, torch.Generator().manual_seed(0)
    pairs = itertools.pairwise(SIZES)
    model = nn.Sequential(*[m for a, b in pairs for m in (nn.Linear(a, b), nn.ReLU())][:-1])
    if quantized:
        types = {"weight": WEIGHT, "bias": WEIGHT, "output": TYPE.cpp}
        model = prepare(model, {"default": types})
    x = torch.randn(ROWS, SIZES[0], generator=generator)
    y = torch.randint(0, SIZES[-1], (ROWS,), generator=generator)
    optimizer = torch.optim.Adam(model.parameters())

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    return step
