"""A type for each element: what hls4ml generates of a quantizer that HGQ trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit

from harness.fixed import INT, Fixed, record_cast
from harness.hls.layers.interval import Extent, Interval
from harness.hls.layers.layer import Shape, ShapeError, TypedLayer, as_type
from harness.oracle.layers import LayerKernel
from harness.quantize.fixed_codes import to_code
from harness.quantize.plan import Plan, plan
from harness.types import ApFixed, ApInt, check_cast

__all__ = ["ElementCast", "cast_columns"]

Types = Sequence[ApFixed | None]
#: The same record, for compiled code, which mypy cannot know the integers of.
_PLAN: Any = Plan


class ElementCast(TypedLayer):
    """``result[k] = result_t(t[k](x[k]))``: every element through a type of its own.

    An element without a type, which training gave no bits, is 0.

    Args:
        types: the type of each element in C order, or ``None``.
        input: the type of the input.
        input_shape: its shape, and the output's.
        result: the type of the output.

    Source:
        What hls4ml writes into ``nnet_code_gen.h`` for a ``FixedPointQuantizer``.
    """

    source = "layers/logic.h"
    elementwise = True

    def __init__(
        self,
        types: Sequence[ApFixed | str | None],
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        result: ApFixed | str,
    ) -> None:
        super().__init__([input], [input_shape], result, tuple(input_shape))
        self.types = tuple(t if t is None else as_type(t, "element") for t in types)
        if len(self.types) != self.sizes[0]:
            raise ShapeError(
                f"{self.name}: {len(self.types)} types for {self.sizes[0]} elements of shape "
                f"{self.input_shapes[0]}"
            )

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        x = inputs[0].reshape(-1, len(self.types))
        made = cast_columns(x, range(len(self.types)), self.types, self.result)
        return made.reshape(-1, *self.output_shape)

    def extent(self, *inputs: Interval) -> Extent:
        """See :meth:`TypedLayer.extent`."""
        x = inputs[0].reshape((len(self.types),))
        return Extent({}, cast_interval(x, self.types).reshape(self.output_shape))

    def kernel(self) -> LayerKernel:
        """``element_cast``."""
        types = (t or "harness::layers::no_bits" for t in self.types)
        return LayerKernel(self.source, "element_cast", (self.input_types[0], self.result, *types))


def cast_columns(x: Fixed, places: Sequence[int], types: Types, result: ApFixed) -> Fixed:
    """``result(types[k](x[:, places[k]]))`` for each ``k``; 0 where there is no type.

    Args:
        x: (rows, columns).
        places: of each output the column it is made of.
        types: as many.
        result: the type of all outputs.
    """
    pairs = {(x.type, t) for t in types if t is not None} | {(t or INT, result) for t in types}
    for source, target in sorted(pairs):
        check_cast(source, target)
        if source != target:
            record_cast(source, target)
    out = np.zeros((len(x), len(types)), np.int64 if result.width <= 64 else object)
    if any(t.width > 64 or isinstance(t, ApInt) for pair in pairs for t in pair if t != INT):
        for t in {t for t in types if t is not None}:
            columns = [k for k, other in enumerate(types) if other == t]
            seen = x[:, [places[k] for k in columns]]
            out[:, columns] = seen.to(t).to(result).codes
        return Fixed(out, result)
    if out.size:
        kept = [k for k, t in enumerate(types) if t is not None]
        plans = [plan(t) for t in types if t is not None]
        _columns(
            np.ascontiguousarray(x.codes, np.int64),
            np.array([(k, places[k]) for k in kept], np.int64).reshape(-1, 2),
            np.array(plans, np.int64).reshape(-1, len(Plan._fields)),
            np.array([_unfolded(x.type), x.type.frac], np.int64),
            plan(result),
            out,
        )
    return Fixed(out, result)


def cast_interval(x: Interval, types: Types) -> Interval:
    """Bounds of ``types[k](x[k])``, 0 where there is no type; of (elements,)."""
    zero = Interval.at(Fixed(np.zeros(1, np.int64), INT))
    return Interval.joined([zero if t is None else x[k : k + 1].to(t) for k, t in enumerate(types)])


def _unfolded(t: ApFixed) -> int:
    """Whether codes are to be read as unsigned: below 64 bits they never need to be."""
    return int(t.width == 64 and not t.signed)


@njit(cache=True, nogil=True)
def _columns(x: Any, places: Any, plans: Any, source: Any, result: Any, out: Any) -> None:
    unsigned, frac = source
    for r in range(x.shape[0]):
        for k in range(places.shape[0]):
            f = plans[k]
            p = _PLAN(f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8], f[9], f[10], f[11])
            code = to_code(x[r, places[k, 1]], unsigned, frac - p.frac, p)
            wide = (p.width == 64) & (p.signed == 0)
            out[r, places[k, 0]] = to_code(code, wide * 1, p.frac - result.frac, result)
