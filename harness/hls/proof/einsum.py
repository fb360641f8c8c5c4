"""Einsums to draw."""

from __future__ import annotations

from harness.hls.layers.einsum import Einsum, EinsumDense
from harness.hls.proof.draw import Draw, family

__all__: list[str] = []

LETTERS = "abcdefghi"


@family("einsum")
def _einsum(draw: Draw) -> Einsum:
    equation, shape1, shape2, _ = _drawn(draw)
    return Einsum(
        equation,
        input1=draw.type(),
        input2=draw.type(),
        input1_shape=shape1,
        input2_shape=shape2,
        accum=draw.accumulator(),
        result=draw.type(),
    )


@family("einsum_dense")
def _einsum_dense(draw: Draw) -> EinsumDense:
    equation, shape1, shape2, out = _drawn(draw)
    weight, bias = draw.type(), draw.type()
    cut = draw.integer(0, len(out))
    some = tuple(n if draw.integer(0, 2) else 1 for n in out[cut:])
    return EinsumDense(
        equation,
        draw.codes(weight, shape2),
        draw.codes(bias, some) if draw.integer(0, 3) else None,
        input=draw.type(),
        input_shape=shape1,
        weight_type=weight,
        bias_type=bias,
        accum=draw.accumulator(),
        result=draw.type(),
    )


def _drawn(draw: Draw) -> tuple[str, tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """An equation of axes of every kind in any order, sometimes with dots, and its shapes."""
    counts = [*(draw.integer(0, 2) for _ in range(3)), draw.integer(0, 3)]
    if not counts[0] + counts[1] + counts[3]:
        counts[0] = 1
    if not counts[0] + counts[2] + counts[3]:
        counts[0] = 1
    letters = iter(LETTERS)
    inplace, free1, free2, contract = ([next(letters) for _ in range(n)] for n in counts)
    size = {label: draw.integer(1, 4) for label in LETTERS}
    terms = [inplace + free1 + contract, inplace + free2 + contract, inplace + free1 + free2]
    terms = [[term[k] for k in draw.rng.permutation(len(term))] for term in terms]
    shapes = [tuple(size[label] for label in term) for term in terms]
    text = ["".join(term) for term in terms]
    dots = draw.choice(free1 + free2 + inplace) if terms[2] and draw.integer(0, 2) == 0 else "-"
    text = [term.replace(dots, "...") for term in text]
    return f"{text[0]},{text[1]}->{text[2]}", shapes[0], shapes[1], shapes[2]
