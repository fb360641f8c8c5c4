"""Softmax to draw."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.hls.layers.softmax import Softmax
from harness.hls.proof.draw import Draw, family
from harness.types import ApFixed, Overflow, Rounding

__all__: list[str] = []

DEFAULT = ApFixed(18, 8, rounding=Rounding.RND, overflow=Overflow.SAT)


def _shape(draw: Draw) -> dict[str, Any]:
    rank = draw.choice([1, 1, 2, 3])
    shape = [draw.integer(1, 4) for _ in range(rank)]
    axis = draw.integer(-rank, rank - 1)
    shape[axis] = draw.integer(2, 9) if draw.integer(0, 7) else 1
    return {"input_shape": tuple(shape), "axis": axis}


def _type(draw: Draw) -> ApFixed:
    """The default, types of any mode, and wide ones."""
    return draw.choice([DEFAULT, draw.type(), draw.type(18, 40, integer=(2, 16))])


def _size(draw: Draw, index: ApFixed) -> int:
    """All bits of a type, one, or some."""
    most = min(index.width, 12)
    return 1 << draw.choice([most, most, 1, draw.integer(1, most)])


def _any_types(draw: Draw) -> dict[str, ApFixed]:
    """Types of all modes, in most of which something overflows."""
    return {
        "input": draw.choice([draw.type(), draw.type(8, 18, signed=True), draw.type(20, 48)]),
        "result": draw.type(),
        "inp_norm_type": draw.choice([draw.type(8, 18, signed=False), draw.type(20, 48)]),
        "inv_inp_type": _type(draw),
        "exp_table_type": _type(draw),
        "inv_table_type": _type(draw),
        "accum": draw.choice([DEFAULT, draw.accumulator()]),
    }


def _fitting_types(draw: Draw) -> dict[str, ApFixed]:
    """Types as a designer takes them, in which sums reach the middle of their table."""
    return {
        "input": draw.type(8, 18, integer=(2, 5), signed=True),
        "result": draw.type(8, 18, integer=(1, 2)),
        "inp_norm_type": draw.type(8, 16, integer=(2, 4), signed=False),
        "inv_inp_type": draw.type(8, 18, integer=(3, 6)),
        "exp_table_type": draw.type(10, 20, integer=(2, 5)),
        "inv_table_type": draw.type(10, 20, integer=(1, 5)),
        # Tight ones too: only sums that overflow tell in which order they were made.
        "accum": draw.type(8, 24, integer=draw.choice([(2, 8), (1, 3)])),
    }


def _tabled(draw: Draw, implementation: str) -> Softmax:
    types: dict[str, Any] = _fitting_types(draw) if draw.integer(0, 2) else _any_types(draw)
    if implementation != "stable":
        types["inp_norm_type"] = None
    index = types["inp_norm_type"] or types["input"]
    scale = draw.choice([1.0, 1.0, 0.5, float(np.float32(draw.rng.normal()))])
    return Softmax(
        **types,
        **_shape(draw),
        implementation=implementation,
        exp_table_size=_size(draw, index),
        inv_table_size=_size(draw, types["inv_inp_type"]),
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
    t = draw.type(6, 24, plain=True, integer=(1, 6))
    kind = draw.choice(["latency", "stable"])
    result = draw.choice([draw.type(), draw.type(8, 20, integer=(1, 2))])
    return Softmax(input=t, result=result, **_shape(draw), implementation=kind)


@family("softmax, legacy")
def _legacy(draw: Draw) -> Softmax:
    return Softmax(
        input=draw.choice([draw.type(), draw.type(8, 18), draw.type(20, 48, integer=(2, 40))]),
        result=draw.choice([draw.type(), draw.type(8, 18, integer=(1, 2))]),
        **_shape(draw),
        implementation="legacy",
        table_type=draw.choice([ApFixed(18, 8), draw.type(), draw.type(14, 40, integer=(7, 12))]),
        exp_table_size=draw.choice([1024, draw.integer(1, 3000)]),
        inv_table_size=draw.choice([1024, draw.integer(1, 3000)]),
    )


@family("softmax, argmax")
def _argmax(draw: Draw) -> Softmax:
    t = draw.choice([draw.type(), draw.type(1, 4), draw.type(20, 63)])
    return Softmax(input=t, result=draw.type(), **_shape(draw), implementation="argmax")
