"""The compiled loops of accumulators, from their source, against the sum that steps define.

A layer is carried out on terms step by step; what runs is one of these loops, or a matrix product.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from harness.fixed import Array, Fixed, computed_by
from harness.hls.layers.accumulate import affine_path, affine_steps, kept_bits, loop_kind
from harness.hls.proof.draw import Draw
from harness.prove.kernels import kept
from harness.prove.layers.carried import Law
from harness.prove.machine import Row, as_word
from harness.prove.solve import Claim, Pair
from harness.prove.source import Source, source_of
from harness.prove.terms import Truth, Word
from harness.quantize.plan import plan
from harness.types import ApFixed, result_type

__all__ = ["SUMS", "drawn_sum", "sum_claim"]

SUMS = "harness.hls.layers.accumulate"
#: How a sum is computed, where one 64-bit word is enough.
PATHS = ("exact", "wrap", "sat", "steps")


def drawn_sum(seed: int, *, loops: Source | None = None) -> Claim:
    """A sum of two to four products, in an accumulator of any mode; its weights are drawn too.

    Args:
        seed: equal seeds draw equal sums.
        loops: other source text for the loops.
    """
    for attempt in itertools.count():
        draw = Draw(seed, attempt)
        x, weight, bias = (draw.type(2, 8, plain=True) for _ in range(3))
        accum = draw.choice([draw.accumulator(), draw.type(4, 12)])
        w = draw.codes(weight, (draw.integer(2, 4), 1))
        claim = sum_claim(x, w, draw.codes(bias, (1,)), accum, loops=loops)
        if claim is not None:
            return claim
    raise AssertionError


def sum_claim(
    x: ApFixed, w: Fixed, b: Fixed, accum: ApFixed, *, loops: Source | None = None
) -> Claim | None:
    """``affine`` of one row of any inputs: the loop that it takes gives what its steps give.

    Args:
        x: the type of the inputs.
        w: the weights, (inputs, outputs).
        b: the biases, (outputs,).
        accum: the type of products and accumulator.
        loops: other source text for them.

    Returns:
        ``None`` where one word is not enough.
    """
    path = affine_path(x, w, b, accum)
    if path not in PATHS:
        return None
    module = loops or source_of(SUMS)
    inputs = {f"x[{k}]": Word.named(f"x[{k}]", x.width) for k in range(len(w))}
    codes = [word.extended(64, x.signed) for word in inputs.values()]
    duties: list[Truth] = []
    found = _computed(module, path, codes, x, w, b, accum, duties)
    row = np.empty((1, len(w)), object)
    row[0] = list(inputs.values())
    with computed_by(Law()):
        steps = affine_steps(Fixed(row, x), w, b, accum).held[0]
    pairs = [
        Pair(f"{accum}, output {j}", as_word(mine), law.extended(64, accum.signed))
        for j, (mine, law) in enumerate(zip(found, steps, strict=True))
    ]
    question = f"{len(w)} inputs {x} by {w.type}, in {accum}, {path}"
    return Claim(question, SUMS, inputs, [*pairs, *kept(duties)])


def _computed(
    module: Source,
    path: str,
    codes: list[Word],
    x: ApFixed,
    w: Fixed,
    b: Fixed,
    accum: ApFixed,
    duties: list[Truth],
) -> list[Any]:
    """What the loop of a path writes."""
    product = result_type("*", x, w.type)
    start, shift = b.to(accum).codes, product.frac - accum.frac
    out = Row([None] * w.shape[1], "int64", (1, w.shape[1]))
    if path == "exact":
        sums = Row(_product(codes, w.codes, -shift, duties), "", out.shape)
        module.call("_finish", sums, start, out, *kept_bits(accum), duties=duties)
        return out.items
    given = Row(codes, "int64", (1, len(codes)))
    lines: Array = np.zeros((0, 0), np.int64)
    p = plan(accum)
    if path == "steps":
        arguments = (given, w.codes, start, lines, out, shift, p)
        module.call("_steps_loop", *arguments, duties=duties)
        return out.items
    q, word = loop_kind(product, accum)
    loop = module.call(f"_{path}_loop", q, word)
    arguments = (given, w.codes.astype(word), start.astype(word), lines, out, shift, p)
    module.call(loop, *arguments, duties=duties)
    return out.items


def _product(codes: list[Word], weights: Array, left: int, duties: list[Truth]) -> list[Word]:
    """A row of the matrix product, which is of floats: whole numbers that these hold."""
    found = []
    for j in range(weights.shape[1]):
        total = Word.of(0, 64)
        for code, weight in zip(codes, weights[:, j].tolist(), strict=True):
            total = total + code * (weight << left)
            duties.append(total.less(1 << 53, signed=True) & ~total.less(-(1 << 53), signed=True))
        found.append(total)
    return found
