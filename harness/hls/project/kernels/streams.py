"""What stands between streams: ``nnet_stream.h``."""

from __future__ import annotations

import math

from harness.hls.layers.activations import Linear
from harness.hls.layers.layer import TypedLayer
from harness.hls.layers.shape import Broadcast
from harness.hls.project.registry import Reader, kernel

__all__: list[str] = []


@kernel("clone_stream", "repack_stream")
def _copied(r: Reader) -> TypedLayer:
    """Each value, assigned to the type of the other stream."""
    size = math.prod(r.shapes[0])
    if r.count != size:
        raise r.broken(f"goes through {r.count} values, {r.call.arguments[0]} has {size}")
    return Linear(input=r.input, input_shape=r.shapes[0], result=r.result)


@kernel("broadcast_stream")
def _broadcast(r: Reader) -> TypedLayer:
    c = r.config
    shape, target = (
        tuple(c.integer(f"{way}_{axis}") for axis in ("height", "width", "chan"))
        for way in ("in", "out")
    )
    r.only("the input's shape", str(shape), str((1, 1, target[2])), str((*target[:2], 1)))
    return Broadcast(target, input=r.input, input_shape=shape, result=r.result)
