"""Draw layers, run them and their twins, and count the codes that differ."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from harness.hls.layers.layer import TypedLayer
from harness.hls.proof.draw import FAMILIES, VARIANTS, Draw
from harness.hls.twin import Twin
from harness.oracle import Oracle
from harness.report.update import Update

__all__ = ["Proof", "number_of", "prove", "twin_of"]

#: Draws of a configuration before giving up on one the headers can run.
PATIENCE = 50
#: One in so many configurations has types of more than 64 bits.
WIDE = 4


@dataclass(frozen=True)
class Proof:
    """What was found of one kernel.

    Attributes:
        kernel: its name in the table.
        configurations: how many layers were drawn.
        codes: how many output codes were compared.
        differences: how many of them differ.
        first: the first layer that differs, to reproduce.
    """

    kernel: str
    configurations: int
    codes: int
    differences: int
    first: TypedLayer | None = None


def prove(
    oracle: Oracle,
    kernels: Iterable[str] | None = None,
    *,
    configurations: int = 8,
    values: int = 4000,
    seed: int = 0,
    jobs: int | None = None,
    progress: Update = lambda *_: None,
) -> list[Proof]:
    """Hold layers against their twins.

    Args:
        oracle: compiles and runs the twins.
        kernels: names in :data:`FAMILIES`; all by default.
        configurations: layers to draw of each.
        values: about how many input codes each gets.
        seed: decides layers and inputs.
        jobs: compilers to run at once; as many as there are cores by default.
        progress: called with what is done, what there is, and what it is about.

    Raises:
        KeyError: for an unknown kernel.
    """
    names = list(FAMILIES) if kernels is None else list(kernels)
    twins = {name: _drawn(name, oracle, configurations, seed) for name in names}
    wanted = [twin.kernel for each in twins.values() for twin in each]
    total, done = len(set(wanted)), 0
    for group in oracle.compile(wanted, jobs):
        done += len(group)
        progress(done, total, "compiling kernels")
    found = []
    for k, name in enumerate(names):
        progress(k, len(names), f"comparing {name}")
        found.append(_compared(name, twins[name], values, seed))
    return found


def _drawn(name: str, oracle: Oracle, count: int, seed: int) -> list[Twin]:
    """The twins of ``count`` layers that the headers can run."""
    twins = []
    for k in range(count):
        for attempt in range(1, PATIENCE + 1):  # 0 would draw as the inputs do
            draw = Draw(seed, number_of(name), k, attempt, wide=k % WIDE == WIDE - 1)
            try:
                twin = twin_of(name, FAMILIES[name](draw), oracle)
            except ValueError:
                if not draw.wide:
                    raise
                continue  # a layer that takes no such type
            if twin.refusal() is None:
                twins.append(twin)
                break
    return twins


def twin_of(name: str, layer: TypedLayer, oracle: Oracle) -> Twin:
    """The twin of a layer that was drawn for a kernel: its own, or the one that it stands for."""
    kernel = layer.kernel()
    return Twin(layer, oracle, VARIANTS[name](kernel) if name in VARIANTS else kernel)


def _compared(name: str, twins: list[Twin], values: int, seed: int) -> Proof:
    codes = differences = 0
    first = None
    for k, twin in enumerate(twins):
        rows = max(values // max(sum(twin.layer.sizes[:-1]), 1), 20)
        inputs = Draw(seed, number_of(name), k).inputs(twin.layer, rows)
        mine, theirs = twin.layer.run(*inputs), twin.run(*inputs)
        wrong = int(np.count_nonzero(mine.codes != theirs.codes))
        codes, differences = codes + mine.codes.size, differences + wrong
        if wrong and first is None:
            first = twin.layer
    return Proof(name, len(twins), codes, differences, first)


def number_of(name: str) -> int:
    """A number for a name, the same in every process."""
    return zlib.crc32(name.encode())
