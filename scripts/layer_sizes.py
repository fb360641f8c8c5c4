"""Write docs/layer_sizes.md and .svg: up to which size layers are proven for all inputs: it is run.

.venv/bin/python scripts/layer_sizes.py      (needs ESBMC, and takes about an hour)
"""

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from harness.fixed import Fixed
from harness.hls import (
    Add,
    AveragePooling1D,
    Conv1D,
    Dense,
    MaxPooling1D,
    Multiply,
    ReLU,
    Sigmoid,
    TypedLayer,
)
from harness.oracle import Oracle
from harness.prove import Outcome
from harness.prove.checker import find_esbmc
from harness.prove.layers import LayerQuestion, input_count, prove_layer, prove_output
from harness.types import ApFixed

DOCS = Path(__file__).resolve().parent.parent / "docs"
#: Seconds that one question, or the inputs of one layer, may take.
SECONDS = 120
BYTE, WEIGHT = ApFixed(8, 3), ApFixed(6, 2)
SIZES = (1, 2, 4, 8, 16, 32, 64)


def codes(t: ApFixed, *shape: int) -> Fixed:
    """Random codes, the same in every run."""
    rng = np.random.default_rng(shape)
    return Fixed(rng.integers(t.min_code, t.max_code, shape, np.int64, endpoint=True), t)


def dense(n: int, accum: str) -> Dense:
    """``n`` inputs, two outputs."""
    types = {"input": BYTE, "weight_type": WEIGHT, "bias_type": WEIGHT, "accum": accum}
    result = "ap_fixed<8,4,AP_RND,AP_SAT>"
    return Dense(codes(WEIGHT, n, 2), codes(WEIGHT, 2), result=result, **types)


def conv(n: int) -> Conv1D:
    """A window of ``n`` pixels of one channel."""
    types = {"weight_type": WEIGHT, "bias_type": WEIGHT, "accum": "ap_fixed<12,6>"}
    return Conv1D(
        codes(WEIGHT, n, 1, 1),
        codes(WEIGHT, 1),
        input=BYTE,
        input_shape=(n + 1, 1),
        result="ap_fixed<8,4,AP_RND,AP_SAT>",
        **types,
    )


def pool(n: int, kind: type[MaxPooling1D | AveragePooling1D]) -> TypedLayer:
    """A window of ``n`` numbers."""
    types = {"input": BYTE, "accum": "ap_fixed<16,8>", "result": "ap_fixed<8,3>"}
    return kind(input_shape=(n, 1), pool_width=n, **types)


def merge(kind: type[TypedLayer], width: int) -> TypedLayer:
    """Two numbers of a width."""
    t = ApFixed(width, 3)
    return kind(input1=t, input2=t, input1_shape=(1,), result="ap_fixed<8,4,AP_RND,AP_SAT>")


def relu(width: int) -> ReLU:
    """One number of a width."""
    result = "ap_fixed<8,4,AP_RND,AP_SAT>"
    return ReLU(input=ApFixed(width, 6), input_shape=(1,), result=result)


def sigmoid(width: int) -> Sigmoid:
    """One number of a width, and hls4ml's table of 1,024 values."""
    return Sigmoid(input=ApFixed(width, 6), input_shape=(1,), result="ap_fixed<16,6>")


def few(n: int) -> Dense:
    """``n`` inputs of six bits."""
    return dense(n, "ap_fixed<12,6>").retyped(input=ApFixed(6, 3))


Layers = Iterator[TypedLayer]
#: By a model checker, output by output; the axis is the bits of all inputs.
CHECKED: dict[str, Callable[[], Layers]] = {
    "dense, 12 bits that truncate and wrap": lambda: (dense(n, "ap_fixed<12,6>") for n in SIZES),
    "dense, 12 bits that round and saturate": lambda: (
        dense(n, "ap_fixed<12,6,AP_RND,AP_SAT>") for n in SIZES
    ),
    "dense, 24 bits, exact": lambda: (dense(n, "ap_fixed<24,10>") for n in SIZES),
    "conv1d, 12 bits that truncate and wrap": lambda: (conv(n) for n in SIZES),
    "max pooling": lambda: (pool(n, MaxPooling1D) for n in SIZES[1:]),
    "average pooling": lambda: (pool(n, AveragePooling1D) for n in SIZES[1:]),
    "add": lambda: (merge(Add, width) for width in (8, 16, 32, 60)),
    "multiply": lambda: (merge(Multiply, width) for width in (4, 8, 12, 16, 32)),
    "relu": lambda: (relu(width) for width in (8, 16, 32, 64)),
}
#: By running every input.
RUN: dict[str, Callable[[], Layers]] = {
    "sigmoid, every input run": lambda: (sigmoid(width) for width in (8, 12, 16, 20, 24, 28)),
    "dense, every input run": lambda: (few(n) for n in (1, 2, 3, 4)),
}


@dataclass(frozen=True)
class Point:
    """One layer: the bits of its inputs, and the seconds to the proof; none if there is none."""

    bits: int
    seconds: float | None


def measured(layers: Layers, prove: Callable[[TypedLayer], Outcome]) -> list[Point]:
    """Layers in the order of their sizes, up to the first that is not proven in time."""
    found = []
    for layer in layers:
        started = time.perf_counter()
        outcome = prove(layer)
        seconds = time.perf_counter() - started
        if outcome is Outcome.REFUTED:
            raise SystemExit(f"{layer} is refuted")
        proven = outcome is Outcome.PROVEN
        found.append(Point(input_count(layer).bit_length() - 1, seconds if proven else None))
        print(f"  {found[-1]}", flush=True)
        if not proven or seconds > SECONDS:
            break
    return found


def plot(curves: dict[str, list[Point]]) -> None:
    """Seconds over the bits of the inputs."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    marks = itertools.cycle("osD^v<>pX*P")
    for name, points in curves.items():
        done = [p for p in points if p.seconds is not None]
        axes.plot(
            [p.bits for p in done],
            [p.seconds for p in done],
            marker=next(marks),
            linestyle="--" if name in RUN else "-",
            label=name,
        )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("bits of all inputs: n means 2**n of them")
    axes.set_ylabel("seconds to the proof, its planted fault with it")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(DOCS / "layer_sizes.svg", metadata={"Date": None})


def table(curves: dict[str, list[Point]]) -> str:
    """A row a layer."""
    rows = ["| layer | bits of all inputs: seconds | not in time |", "|---|---|---|"]
    for name, points in curves.items():
        done = ", ".join(f"{p.bits}: {p.seconds:.1f}" for p in points if p.seconds is not None)
        left = ", ".join(str(p.bits) for p in points if p.seconds is None)
        rows.append(f"| {name} | {done} | {left} |")
    return "\n".join(rows)


def main() -> None:
    """Run all of it and write the page."""
    checker = find_esbmc()
    curves = {}
    with contextlib.closing(Oracle()) as oracle:

        def check(layer: TypedLayer) -> Outcome:
            question = LayerQuestion(layer)
            return prove_output(question, 0, oracle, seconds=SECONDS, checker=checker).outcome

        for name, layers in CHECKED.items():
            print(name, flush=True)
            curves[name] = measured(layers(), check)
        for name, layers in RUN.items():
            print(name, flush=True)
            curves[name] = measured(layers(), lambda layer: prove_layer(layer, oracle).outcome)
    plot(curves)
    head = f"""# Up to which size layers are proven for all inputs

Written by `scripts/layer_sizes.py`: hls4ml's kernel equals the typed layer for all inputs, by
{checker.version} for the first output, or by running every input.  Inputs of dense, convolution and
pooling have 8 bits each.  A question has {SECONDS} seconds; the planted fault counts.

![seconds over bits](layer_sizes.svg)

"""
    (DOCS / "layer_sizes.md").write_text(head + table(curves) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
