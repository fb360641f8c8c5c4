"""Softmax in its four implementations: ``nnet_activation.h``."""

from __future__ import annotations

import math

import numpy as np

from harness.fixed import Fixed, stacked, where
from harness.hls.layers.accumulate import accumulate
from harness.hls.layers.elementwise import constant, number
from harness.hls.layers.interval import Extent, Interval, added
from harness.hls.layers.layer import Shape, ShapeError, TypedLayer, as_type
from harness.hls.layers.tables import (
    activation_table,
    check_int,
    check_size,
    check_slices,
    exp_table,
    invert_table,
    sliced,
    whole,
    whole_type,
    within,
)
from harness.hls.layers.tree import larger, reduced
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed, result_type

__all__ = ["Softmax"]

IMPLEMENTATIONS = ("latency", "stable", "legacy", "argmax")
#: What hls4ml takes for accumulator and tables if nothing is said.
DEFAULT = "ap_fixed<18,8,AP_RND,AP_SAT>"
TABLE_SIZE = 1024
#: In the place of types that an implementation does not use; hls4ml writes it too.
UNUSED = ApFixed(1, 0)


class Softmax(TypedLayer):
    """``exp(x) / sum(exp(x))`` along an axis, by tables.

    ``latency`` and ``stable`` look ``exp`` up by the top bits of their argument (the input; or its
    distance from the largest input, in ``inp_norm_type``), sum as a balanced tree in ``accum``, and
    look one over the sum up by its top bits.  ``legacy`` looks up differences of inputs, for each
    output anew.  ``argmax`` is 1 for the first of the largest inputs, else 0.

    Args:
        input: the type of the input.
        input_shape: its shape, and the output's.
        result: the type of the output.
        axis: along which the outputs sum to 1, of the shape without the batch.
        implementation: ``latency``, ``stable``, ``legacy`` or ``argmax``.
        accum: the type of the exponentials and their sum.
        exp_table_type, inv_table_type: the types of the tables' entries.
        inv_inp_type: the type of the sum whose top bits find the entry of one over it.
        inp_norm_type: the type of the distance from the largest input; by default the input's
            without its sign.
        table_type: the type of the tables and sums of ``legacy``; hls4ml has ``ap_fixed<18,8>``.
        exp_table_size, inv_table_size: powers of two, for ``legacy`` any number; by default 1024,
            or as many as hls4ml has for types of fewer bits.
        exp_scale: what the argument of ``exp`` is multiplied with, a C++ ``float``.

    Raises:
        ValueError: for tables that are not numbered by the top bits of their type: the kernel would
            read bits, or entries, that there are not.

    Source:
        hls4ml ``nnet::softmax``, ``nnet::softmax_multidim``.
    """

    source = "layers/softmax.h"

    def __init__(
        self,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        result: ApFixed | str,
        axis: int = -1,
        implementation: str = "stable",
        accum: ApFixed | str = DEFAULT,
        exp_table_type: ApFixed | str = DEFAULT,
        inv_table_type: ApFixed | str = DEFAULT,
        inv_inp_type: ApFixed | str = DEFAULT,
        inp_norm_type: ApFixed | str | None = None,
        table_type: ApFixed | str = "ap_fixed<18,8>",
        exp_table_size: int | None = None,
        inv_table_size: int | None = None,
        exp_scale: float = 1.0,
    ) -> None:
        super().__init__([input], [input_shape], result, tuple(input_shape))
        rank = len(self.output_shape)
        if not -rank <= axis < rank:
            raise ShapeError(f"{self.name}: axis {axis} is none of {-rank} to {rank - 1}")
        if implementation not in IMPLEMENTATIONS:
            raise ValueError(
                f"{self.name}: unknown implementation {implementation!r}; "
                f"allowed: {', '.join(IMPLEMENTATIONS)}"
            )
        self.axis, self.implementation = axis % rank, implementation
        self.accum = as_type(accum, "accum")
        self.exp_table_type = as_type(exp_table_type, "exp_table_type")
        self.inv_table_type = as_type(inv_table_type, "inv_table_type")
        self.inv_inp_type = as_type(inv_inp_type, "inv_inp_type")
        self.table_type = as_type(table_type, "table_type")
        self.inp_norm_type = self._inp_norm(inp_norm_type)
        with np.errstate(over="ignore"):
            self.exp_scale = float(np.float32(exp_scale))
        if not math.isfinite(self.exp_scale):
            raise ValueError(f"{self.name}: exp_scale {exp_scale} is no finite float")
        size = min(TABLE_SIZE, 1 << min(self.input_types[0].width, self.inv_table_type.width))
        self.inv_table_size = size if inv_table_size is None else inv_table_size
        if exp_table_size is None:
            exp_table_size = min(self.inv_table_size, 1 << self._exp_index.width)
        self.exp_table_size = exp_table_size
        self._check_tables()

    def _inp_norm(self, given: ApFixed | str | None) -> ApFixed:
        """The type of distances; of inputs of one signed bit hls4ml would write one of no bits."""
        t = self.input_types[0]
        if given is not None:
            return as_type(given, "inp_norm_type")
        if self.implementation != "stable":
            return UNUSED
        if t.width == t.signed:
            raise ValueError(f"{self.name}: {t} has no bits beside the sign; give inp_norm_type")
        return ApFixed(t.width - t.signed, t.integer - t.signed, signed=False)

    @property
    def _exp_index(self) -> ApFixed:
        """The type whose bits find an exponential."""
        return self.inp_norm_type if self.implementation == "stable" else self.input_types[0]

    def _check_tables(self) -> None:
        if self.implementation == "legacy":
            t = self.input_types[0]
            check_size(self.exp_table_size, f"{self.name}: exp_table_size")
            check_size(self.inv_table_size, f"{self.name}: inv_table_size")
            check_int(whole_type(result_type("-", t, t)), self.name)
            check_int(whole_type(self.table_type), self.name)
        elif self.implementation != "argmax":
            check_slices(self._exp_index, self.exp_table_size, f"{self.name}: exp_table_size")
            check_slices(self.inv_inp_type, self.inv_table_size, f"{self.name}: inv_table_size")

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        axis = self.axis + 1
        x = inputs[0].moved(lambda held: np.moveaxis(held, axis, -1))
        out: Fixed = getattr(self, f"_{self.implementation}")(x)
        return out.moved(lambda held: np.moveaxis(held, -1, axis))

    def _latency(self, x: Fixed) -> Fixed:
        return self._normalized(x)

    def _stable(self, x: Fixed) -> Fixed:
        largest = reduced(x, larger)
        return self._normalized((_column(largest) - x).to(self.inp_norm_type))

    def _normalized(self, x: Fixed) -> Fixed:
        """Exponentials over their sum, from what finds them in the table."""
        size, negative = self.exp_table_size, self.implementation == "stable"
        table = exp_table(x.type, size, self.exp_table_type, self.exp_scale, negative)
        exponentials = table.to(self.accum)[sliced(x, size)]
        total = reduced(exponentials, lambda a, b: (a + b).to(self.accum)).to(self.inv_inp_type)
        inverses = invert_table(total.type, self.inv_table_size, self.inv_table_type)
        inverse = inverses[sliced(total, self.inv_table_size)]
        return (exponentials * _column(inverse)).to(self.result)

    def _legacy(self, x: Fixed) -> Fixed:
        exps = activation_table("exp_legacy", self.exp_table_size, self.table_type)
        inverses = activation_table("invert_legacy", self.inv_table_size, self.table_type)
        size, outputs = self.exp_table_size, x.shape[-1]
        one, zero = number(1, self.table_type), number(0, self.table_type)
        sums = []
        for k in range(outputs):
            terms = exps[within(whole(x - x[..., k : k + 1], size, 16), size // 2, size)]
            terms.held[..., k] = one.held
            sums.append(accumulate(zero, terms))
        places = whole(stacked(sums, -1), self.inv_table_size, 64)
        return inverses.to(self.result)[within(places, 0, self.inv_table_size)]

    def _argmax(self, x: Fixed) -> Fixed:
        largest = _column(reduced(x, larger))
        first = np.argmax(x.held == largest.held, axis=-1)
        chosen = np.arange(x.shape[-1]) == first[..., None]
        return where(chosen, number(1, self.result), number(0, self.result))

    def extent(self, *inputs: Interval) -> Extent:
        """See :meth:`TypedLayer.extent`: sums and products of any entries of the tables.

        What numbers an entry (``inv_inp_type``, ``inp_norm_type``) is no accumulator.
        """
        del inputs
        if self.implementation == "argmax":
            return Extent({}, Interval.hull(constant(0), constant(1)).spread(self.output_shape))
        legacy, size = self.implementation == "legacy", self.inv_table_size
        if legacy:
            name, t = "table_type", self.table_type
            entries = Interval.among(activation_table("exp_legacy", self.exp_table_size, t))
            entries = Interval.hull(entries, constant(1))
            before = Interval.among(activation_table("invert_legacy", size, t))
        else:
            name, t, index = "accum", self.accum, self._exp_index
            negative = self.implementation == "stable"
            table = exp_table(
                index, self.exp_table_size, self.exp_table_type, self.exp_scale, negative
            )
            entries = Interval.among(table).rounded(t)
            inverses = Interval.among(invert_table(self.inv_inp_type, size, self.inv_table_type))
            before = entries.to(t) * inverses
        terms = entries.spread((self.output_shape[self.axis],))
        held = Interval.hull(entries, added(constant(0), terms, t)[0])
        return Extent({name: (t, held)}, before.spread(self.output_shape))

    def kernel(self) -> LayerKernel:
        """``softmax``."""
        shape, axis, implementation = self.output_shape, self.axis, self.implementation
        types = [self.accum, self.exp_table_type, self.inv_table_type, self.inv_inp_type]
        norm, table, scale = self.inp_norm_type, UNUSED, np.frexp(np.float32(self.exp_scale))
        sizes = [self.exp_table_size, self.inv_table_size]
        if implementation in ("legacy", "argmax"):
            types, norm, scale = [UNUSED] * 4, UNUSED, np.frexp(np.float32(1.0))
            table = self.table_type
        if implementation == "argmax":
            table, sizes = UNUSED, [2, 2]
        arguments = [
            f"nnet::softmax_implementation::{implementation}",
            *(t.cpp_full for t in (*types, norm if implementation == "stable" else UNUSED, table)),
            *sizes,
            int(scale[0] * (1 << 24)),
            int(scale[1]) - 24,
            shape[axis],
            math.prod(shape[:axis]),
            math.prod(shape[axis + 1 :]),
        ]
        config = f"harness::layers::softmax_config<{', '.join(map(str, arguments))}>"
        return LayerKernel(self.source, "softmax", (self.input_types[0], self.result, config))


def _column(x: Fixed) -> Fixed:
    return x[..., None]
