"""Values in other places: ``nnet_transpose.h``, ``nnet_embed.h``, concatenation."""

from __future__ import annotations

import math

from harness.hls.embedding import Embedding
from harness.hls.layer import TypedLayer
from harness.hls.merge import Concatenate
from harness.hls.project.build import Reader, Shape, kernel
from harness.hls.project.parse import Config
from harness.hls.shape import Transpose

__all__ = ["order"]


@kernel("transpose")
def _transpose(r: Reader) -> TypedLayer:
    shape, perm = order(r, r.config)
    return Transpose(perm, input=r.input, input_shape=shape, result=r.result)


def order(r: Reader, c: Config) -> tuple[Shape, Shape]:
    """The shape that a transposition reads, and its permutation.

    The kernel computes with other tables, which hls4ml derives from these two.
    """
    shape, perm = c.integers("from_shape"), c.integers("perm")
    fits = sorted(perm) == list(range(len(shape))) and c.integer("dims") == len(shape)
    if fits:
        strides = tuple(math.prod(shape[k + 1 :]) for k in perm)
        fits = c.integers("perm_strides") == strides
        fits = fits and c.integers("to_shape") == tuple(shape[k] for k in perm)
    if not fits or c.integer("N") != math.prod(shape):
        raise r.refused(f"the tables of {c.name} do not tell one transposition")
    return shape, perm


@kernel("embedding")
def _embedding(r: Reader) -> TypedLayer:
    c = r.config
    return Embedding(
        r.weight(0, (c.integer("vocab_size"), c.integer("n_out"))),
        input=r.input,
        input_shape=r.shape(0, c.integer("n_in")),
        embeddings_type=c.type("embeddings_t"),
        result=r.result,
    )


@kernel("concatenate1d", "concatenate2d", "concatenate3d")
def _concatenate(r: Reader) -> TypedLayer:
    c = r.config
    rank = int(r.call.kernel[-2])
    first, second = (
        tuple(c.integer(f"n_elem{which}_{k}") for k in range(rank)) for which in (1, 2)
    )
    axis = c.integer("axis")
    # hls4ml counts the batch; what the kernel does not know is the first axis to it.
    last, middle = axis in (rank, -1), rank == 3 and axis in (2, -2)
    r.only("the number of inputs", len(r.inputs), 2)
    return Concatenate(
        rank - 1 if last or rank == 1 else 1 if middle else 0,
        input1=r.inputs[0],
        input2=r.inputs[1],
        input1_shape=first,
        input2_shape=second,
        result=r.result,
    )
