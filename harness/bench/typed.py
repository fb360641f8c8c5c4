"""Typed layers beside the C++ they are the twins of."""

from __future__ import annotations

import contextlib
import ctypes
import io
import itertools
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from harness.bench.clock import interleave, stopwatch
from harness.bench.machine import version
from harness.report.timing import Bar

__all__ = ["STEPS", "Figure", "measure"]

#: The sizes of the model of dense layers.
SIZES = (16, 64, 32, 32, 5)
#: Kernels behind the mean cost of compiling one.
KERNELS = 32


@dataclass(frozen=True)
class Figure:
    """One measurement.

    Attributes:
        target: the target it is held against.
        name: what is measured.
        baseline: what it is held against.
        value: the figure.
        unit: its unit.
        note: what else was found.
    """

    target: str
    name: str
    baseline: str
    value: float
    unit: str
    note: str = ""


@dataclass(frozen=True)
class Task:
    """A model whose project is predicted with.

    Attributes:
        target: the target of its figure.
        name: what it is.
        net: makes it, of ``torch.nn``.
        shape: of its input, channels last.
        turned: whether torch has the channels first.
        rows: of the batch, for some seconds of C++.
    """

    target: str
    name: str
    net: Callable[[Any], Any]
    shape: tuple[int, ...]
    turned: bool
    rows: int


def _mlp(nn: Any) -> Any:
    pairs = itertools.pairwise(SIZES)
    layers = [m for a, b in pairs for m in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def _cnn(nn: Any) -> Any:
    first = nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2)
    return nn.Sequential(*first, nn.Conv2d(8, 8, 3), nn.ReLU(), nn.AvgPool2d(4))


def _gru(nn: Any) -> Any:
    class Recurrent(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.relu = nn.GRU(6, 16, batch_first=True), nn.ReLU()

        def forward(self, x: Any) -> Any:
            return self.relu(self.cell(x)[0])

    return Recurrent()


MLP = Task("predict", f"MLP {'-'.join(map(str, SIZES))}", _mlp, SIZES[:1], False, 100_000)
CNN = Task("images", "CNN 14x14x3, 2 convolutions", _cnn, (14, 14, 3), True, 2_000)
GRU = Task("steps", "GRU 12 steps, 6 to 16", _gru, (12, 6), False, 5_000)
#: Every model with the ways of its arrays.
PREDICTIONS = tuple((task, way) for task in (MLP, CNN, GRU) for way in ("io_parallel", "io_stream"))


#: Predictions, and two more figures.
STEPS = len(PREDICTIONS) + 2


def measure(torch: Any, repeats: int, bar: Bar) -> list[Figure]:
    """Every figure; those that need hls4ml's converters only where these can be imported."""

    def predicting(task: Task, io_type: str) -> tuple[str, Callable[[], Figure]]:
        return task.name, lambda: _prediction(torch, task, io_type, repeats, bar.beat)

    steps: list[tuple[str, Callable[[], Figure]]] = [
        *(predicting(task, io_type) for task, io_type in PREDICTIONS),
        ("saturating sums", lambda: _saturating(repeats, bar.beat)),
        ("compiling kernels", _compiling),
    ]
    figures = []
    for name, step in steps:
        bar.begin(name)
        with contextlib.suppress(ImportError):
            figures.append(step())
        bar.done()
    return figures


def _prediction(
    torch: Any, task: Task, io_type: str, repeats: int, beat: Callable[[], None]
) -> Figure:
    """A typed model beside ``predict`` of the project that it is the model of."""
    from harness.hls import Project

    hls4ml = import_module("hls4ml")
    torch.manual_seed(0)
    net = task.net(torch.nn).eval()
    *rest, channels = task.shape
    shape = (channels, *rest) if task.turned else task.shape  # as torch has it
    x = np.random.default_rng(0).normal(size=(task.rows, *task.shape)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        turned = "internal" if task.turned else "off"
        config = hls4ml.utils.config_from_pytorch_model(
            net, shape, granularity="name", channels_last_conversion=turned
        )
        theirs = hls4ml.converters.convert_from_pytorch_model(
            net, hls_config=config, output_dir=folder, backend="Vivado", io_type=io_type
        )
        theirs.compile()
        model = Project.read(folder).model()
        model(x)  # compiled, and in the cache
        seconds, predicted = stopwatch(lambda: theirs.predict(x))
        mine = float(np.median(interleave((lambda: model(x),), repeats, beat)))
        made = model(x).numpy().astype(np.float32)
        differ = int(np.count_nonzero(made.reshape(predicted.shape) != predicted))
    note = f"{mine * 1e3:.0f} ms for {seconds:.1f} s, {differ} of {predicted.size:,} values differ"
    baseline = f"hls4ml {version('hls4ml')} predict, {io_type}, {task.rows:,} rows"
    return Figure(task.target, f"typed {task.name}", baseline, seconds / mine, "x as fast", note)


def _saturating(repeats: int, beat: Callable[[], None]) -> Figure:
    """A dense layer whose every step may saturate, beside its kernel under -O2."""
    from harness.fixed import Fixed
    from harness.hls import Dense
    from harness.hls.twin import words

    t = "ap_fixed<16,6>"
    rng = np.random.default_rng(0)
    layer = Dense(
        rng.normal(size=(64, 64)),
        rng.normal(size=64),
        input=t,
        weight_type=t,
        bias_type=t,
        accum="ap_fixed<16,6,AP_RND,AP_SAT>",
        result=t,
    )
    x = Fixed.of(rng.normal(size=(2000, 64)) * 4, layer.input_types[0])
    constants, out = words(layer.constants()), np.empty((2000, 64), np.int64)
    with tempfile.TemporaryDirectory() as folder:
        kernel = _compiled(layer.kernel(), Path(folder))
        sources = x.codes.ctypes.data, constants.ctypes.data, out.ctypes.data

        def twin() -> None:
            kernel(*sources, len(x))

        mine = layer.run(x)
        twin()
        differ = int(np.count_nonzero(mine.codes != out))
        seconds = interleave((twin, lambda: layer.run(x)), repeats, beat)
    ratio = float(np.median(seconds[:, 0] / seconds[:, 1]))
    note = f"{differ} of {out.size:,} codes differ"
    return Figure(
        "sums", "saturating sums, 64 to 64", "the kernel, g++ -O2", ratio, "x as fast", note
    )


def _compiled(kernel: Any, folder: Path) -> Any:
    """A kernel as a C function, compiled with -O2."""
    from harness.oracle.build import FLAGS, compile_shared, find_compiler, group_source
    from harness.oracle.headers import find_headers, kernel_directory

    source, built = folder / "kernel.cpp", folder / "kernel.so"
    source.write_text(group_source([kernel.cpp], kernel.source), encoding="utf-8")
    include = [f"-I{find_headers().directory}", f"-I{kernel_directory()}"]
    flags = ["-O2" if flag.startswith("-O") else flag for flag in FLAGS]
    compile_shared(find_compiler(), [*flags, *include], source, built, kernel.template)
    table = (ctypes.c_void_p * 1).in_dll(ctypes.CDLL(str(built)), "harness_table")
    pointer = ctypes.c_void_p
    return ctypes.CFUNCTYPE(None, pointer, pointer, pointer, ctypes.c_size_t)(table[0] or 0)


def _compiling() -> Figure:
    """The mean cost of kernels that nobody has compiled, one compiler at a time."""
    from harness.hls.proof import FAMILIES, Draw
    from harness.oracle import Oracle

    kernels: dict[Any, None] = {}
    for k, draw in enumerate(itertools.cycle(FAMILIES.values())):
        layer = draw(Draw(1, k))
        kernels[layer.kernel()] = None
        if len(kernels) == KERNELS:
            break
    with contextlib.closing(Oracle(cache=False)) as oracle:
        start = time.perf_counter()
        for _ in oracle.compile(kernels, jobs=1):
            pass
        seconds = (time.perf_counter() - start) / KERNELS
    note = f"{KERNELS} kernels of all kinds, nothing cached"
    return Figure("twin", "compiling a twin", "", seconds, "s", note)
