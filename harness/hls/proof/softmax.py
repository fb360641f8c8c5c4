"""Softmax to draw."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.hls.proof.draw import Draw, family
from harness.hls.softmax import Softmax
from harness.types import ApFixed, Overflow, Rounding

__all__: list[str] = []

DEFAULT = ApFixed(18, 8, rounding=Rounding.RND, overflow=Overflow.SAT)


def _shape(draw: Draw) -> dict[str, Any]:
    rank = draw.choice([1, 1, 2, 3])
    shape = tuple(draw.integer(1, 9 if rank == 1 else 4) for _ in range(rank))
    return {"input_shape": shape, "axis": draw.integer(-rank, rank - 1)}


def _type(draw: Draw) -> ApFixed:
    """The default, types of any mode, and wide ones."""
    return draw.choice([DEFAULT, draw.type(), draw.type(18, 40, integer=(2, 16))])


def _size(draw: Draw, index: ApFixed) -> int:
    """All bits of a type, one, or some."""
    most = min(index.width, 12)
    return 1 << draw.choice([most, 1, draw.integer(1, most)])


def _tabled(draw: Draw, implementation: str) -> Softmax:
    t = draw.choice([draw.type(), draw.type(8, 18, signed=True), draw.type(20, 48)])
    norm = draw.choice([draw.type(8, 18, signed=False), draw.type(), draw.type(20, 48)])
    inp = _type(draw)
    # Where everything is positive and nothing overflows, sums reach the middle of the table.
    exps, accum = _type(draw), draw.choice([DEFAULT, draw.accumulator()])
    scale = draw.choice([1.0, 1.0, 0.5, float(np.float32(draw.rng.normal()))])
    return Softmax(
        input=t,
        result=draw.type(),
        **_shape(draw),
        implementation=implementation,
        accum=accum,
        exp_table_type=exps,
        inv_table_type=_type(draw),
        inv_inp_type=inp,
        inp_norm_type=norm if implementation == "stable" else None,
        exp_table_size=_size(draw, norm if implementation == "stable" else t),
        inv_table_size=_size(draw, inp),
        exp_scale=scale,
    )


@family("softmax, latency")
def _latency(draw: Draw) -> Softmax:
    return _tabled(draw, "latency")


@family("softmax, stable")
def _stable(draw: Draw) -> Softmax:
    return _tabled(draw, "stable")


@family("softmax, hls4ml's defaults")
def _defaults(draw: Draw) -> Softmax:
    t = draw.type(4, 24, plain=True, integer=(1, 8))
    kind = draw.choice(["latency", "stable"])
    return Softmax(input=t, result=draw.type(), **_shape(draw), implementation=kind)


@family("softmax, legacy")
def _legacy(draw: Draw) -> Softmax:
    return Softmax(
        input=draw.choice([draw.type(), draw.type(), draw.type(20, 48, integer=(2, 40))]),
        result=draw.type(),
        **_shape(draw),
        implementation="legacy",
        table_type=draw.choice([ApFixed(18, 8), draw.type(), draw.type(14, 40, integer=(5, 12))]),
        exp_table_size=draw.choice([1024, draw.integer(1, 3000)]),
        inv_table_size=draw.choice([1024, draw.integer(1, 3000)]),
    )


@family("softmax, argmax")
def _argmax(draw: Draw) -> Softmax:
    t = draw.choice([draw.type(), draw.type(1, 4), draw.type(20, 63)])
    return Softmax(input=t, result=draw.type(), **_shape(draw), implementation="argmax")
