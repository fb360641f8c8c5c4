"""Layers that move values, to draw."""

from __future__ import annotations

from harness.hls.layers.embedding import Embedding
from harness.hls.layers.shape import Transpose
from harness.hls.proof.draw import Draw, family
from harness.types import ApFixed

__all__: list[str] = []


@family("transpose")
def _transpose(draw: Draw) -> Transpose:
    shape = tuple(draw.integer(1, 5) for _ in range(draw.integer(1, 5)))
    perm = draw.rng.permutation(len(shape)).tolist()
    result = draw.type() if draw.integer(0, 2) else None
    return Transpose(perm, input=draw.type(), input_shape=shape, result=result)


@family("embedding")
def _embedding(draw: Draw) -> Embedding:
    t = draw.type()
    index = draw.type(2, 16, plain=True)
    vocabulary = draw.integer(1, 20)
    return Embedding(
        draw.codes(t, (vocabulary, draw.integer(1, 6))),
        input=index if draw.integer(0, 1) else ApFixed(index.width, index.width, index.signed),
        input_shape=tuple(draw.integer(1, 4) for _ in range(draw.integer(1, 2))),
        embeddings_type=t,
        result=draw.type(),
    )
