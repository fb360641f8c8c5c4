"""Dense layers to draw."""

from __future__ import annotations

from typing import Any

from harness.hls.layers.dense import Dense
from harness.hls.proof.draw import Draw, family

__all__ = ["dense"]


@family("dense_latency")
def _latency(draw: Draw) -> Dense:
    return dense(draw, draw.integer(1, 12), draw.integer(1, 8))


@family("dense_resource, reuse <= inputs")
def _resource(draw: Draw) -> Dense:
    n_in = draw.integer(1, 12)
    reuse = draw.choice([k for k in range(1, n_in + 1) if n_in % k == 0])
    return dense(draw, n_in, draw.integer(1, 8), strategy="resource", reuse_factor=reuse)


@family("dense_resource, reuse > inputs")
def _much_reused(draw: Draw) -> Dense:
    n_in, n_out = draw.integer(1, 8), draw.integer(2, 8)
    reuse = draw.integer(n_in + 1, n_in * n_out)
    return dense(draw, n_in, n_out, strategy="resource", reuse_factor=reuse)


def dense(draw: Draw, n_in: int, n_out: int, **more: Any) -> Dense:
    """A dense layer of random types and weights."""
    weight, bias = draw.type(), draw.type()
    return Dense(
        draw.codes(weight, (n_in, n_out)),
        draw.codes(bias, (n_out,)),
        input=draw.type(),
        weight_type=weight,
        bias_type=bias,
        accum=draw.accumulator(),
        result=draw.type(),
        **more,
    )
