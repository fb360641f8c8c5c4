"""torch.einsum of two tensors."""

from __future__ import annotations

import re

import numpy as np

from harness.fixed import Fixed
from harness.hls.convert.functions import Contraction
from harness.hls.convert.registry import Site, builder
from harness.hls.layers.einsum import Einsum, recipe
from harness.hls.layers.layer import ShapeError, TypedLayer
from harness.types import ApFixed

__all__: list[str] = []


@builder(Contraction)
def _einsum(s: Site) -> list[TypedLayer]:
    equation = s.module.equation
    if s.turned:
        if "." in equation:
            raise s.refused(f"has {equation!r} with channels first; allowed: letters for all axes")
        terms = re.split(",|->", equation)
        terms = [term[1:] + term[:1] for term in terms]  # channels last here
        equation = f"{terms[0]},{terms[1]}->{terms[2]}"
    try:
        steps = recipe(equation, *s.shapes)
    except (ShapeError, ValueError) as error:
        raise s.refused(str(error)) from None
    zeros = [Fixed(np.zeros(1, np.int64), t) for t in s.inputs]
    exact = (zeros[0] * zeros[1]).type
    more = (steps.contract - 1).bit_length()
    accum = s.types.own("accum") or ApFixed(exact.width + more, exact.integer + more, exact.signed)
    layer = Einsum(
        equation,
        input1=s.inputs[0],
        input2=s.inputs[1],
        input1_shape=s.shapes[0],
        input2_shape=s.shapes[1],
        accum=accum,
        result=s.result or accum,
    )
    return [layer]
