"""Generated logic: what da4ml writes for hls4ml's distributed arithmetic, and for single layers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from harness.fixed import Array, Fixed, record_cast, recorded_casts
from harness.hls.layers.casts import cast_interval
from harness.hls.layers.interval import Extent, Interval, bounded
from harness.hls.layers.layer import Shape, ShapeError, Sum, TypedLayer, as_type
from harness.hls.layers.linear import Linear, NotLinearError, linear
from harness.hls.layers.shape import permutation, permuted
from harness.hls.layers.terms import Program
from harness.hls.layers.windows import Axis, Windows, image_shape
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed

__all__ = ["Logic", "LogicConv", "LogicEinsumDense"]


class _Programmed(TypedLayer):
    """A layer whose products a program computes.

    A program that provably is a matrix product is computed as one; any other statement by
    statement.

    Attributes:
        programs: the programs.
    """

    source = "layers/logic.h"
    programs: tuple[Program, ...]

    @cached_property
    def matrices(self) -> tuple[Linear, ...]:
        """The matrix product that each program is.

        Raises:
            NotLinearError: if one is none, or if one of its types does not hold every value.
        """
        return tuple(linear(program, self.input_types[0]) for program in self.programs)

    @property
    def loses(self) -> str | None:
        """Why a program is no matrix product; ``None`` if all are."""
        try:
            self.matrices  # noqa: B018
        except NotLinearError as error:
            return str(error)
        return None

    @property
    def made(self) -> ApFixed:
        """The type of what the programs write."""
        return self.result

    def computed(self, place: int, x: Fixed) -> Fixed:
        """A program on (rows, inputs): (rows, outputs)."""
        if self.loses is not None:
            return self.programs[place].run(x, self.made)
        for source, target in self._casts:
            record_cast(source, target)
        return self.matrices[place].run(x, self.made)

    @cached_property
    def _casts(self) -> set[tuple[ApFixed, ApFixed]]:
        """The conversions of the statements, which no matrix product has."""
        with recorded_casts() as casts:
            for program in self.programs:
                zeros = np.zeros((1, program.inputs), np.int64)
                program.run(Fixed(zeros, self.input_types[0]), self.made)
        return casts


class Logic(_Programmed):
    """A program on all elements: ``dense_da_N`` and ``da_comblogic_N``.

    Args:
        program: the program.
        input: the type of the input.
        result: the type of the output.
        input_shape: the shape of the input; by default flat.
        output_shape: that of the output; by default flat.
    """

    def __init__(
        self,
        program: Program,
        *,
        input: ApFixed | str,  # noqa: A002
        result: ApFixed | str,
        input_shape: Shape | None = None,
        output_shape: Shape | None = None,
    ) -> None:
        sizes = program.inputs, len(program.outputs)
        super().__init__([input], [input_shape or sizes[:1]], result, output_shape or sizes[1:])
        if self.sizes != sizes:
            raise ShapeError(f"{self.name}: shapes of {self.sizes} elements, the program's {sizes}")
        self.program, self.programs = program, (program,)

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        x = inputs[0].reshape(-1, self.program.inputs)
        return self.computed(0, x).reshape(-1, *self.output_shape)

    def summed(self, inputs: Sequence[Fixed], index: tuple[int, ...]) -> Sum | None:
        """See :meth:`TypedLayer.summed`."""
        if self.loses is not None:
            return None
        place = int(np.ravel_multi_index(index, self.output_shape))
        return self.matrices[0].summed(inputs[0].reshape(-1), place, self.result)

    def extent(self, *inputs: Interval) -> Extent | None:
        """See :meth:`TypedLayer.extent`."""
        if self.loses is not None:
            return None
        x = inputs[0].reshape((self.program.inputs,))
        return Extent({}, _reached(self.matrices[0], x).reshape(self.output_shape))

    def kernel(self) -> LayerKernel:
        """``logic``."""
        arguments = (self.input_types[0], self.result, self.program.cpp)
        return LayerKernel(self.source, "logic", arguments)


class LogicConv(_Programmed):
    """A program on every window of an image: ``conv1d_cl`` and ``conv2d_cl`` of a ``dense_da_N``.

    Zeros stand in the padding.

    Args:
        program: takes a window, channels innermost, and gives the filters.
        axes: the image's, one or two, without the channels.
        input: the type of the input.
        input_shape: (*sizes, channels).
        result: the type of the output.
        n_partitions: in how many parts the kernel computes; changes no result.

    Source:
        hls4ml ``nnet_da_wrappers.h``.
    """

    def __init__(
        self,
        program: Program,
        axes: Sequence[Axis],
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        result: ApFixed | str,
        n_partitions: int = 1,
    ) -> None:
        *sizes, channels = image_shape("LogicConv", input_shape, len(axes))
        self_windows = Windows("LogicConv", axes, channels)
        shape = (*self_windows.out, len(program.outputs))
        super().__init__([input], [input_shape], result, shape)
        self.windows = self_windows
        wanted = self.windows.places.shape[1] * channels
        if sizes != [axis.size for axis in axes] or program.inputs != wanted:
            raise ShapeError(
                f"{self.name}: a window of {input_shape} has {wanted} elements, the program takes "
                f"{program.inputs}"
            )
        self.program, self.programs = program, (program,)
        self.n_partitions = self.windows.in_partitions(n_partitions)

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""

        def some(x: Fixed) -> Fixed:
            seen = self.windows.of(x).reshape(-1, self.program.inputs)
            return self.computed(0, seen)

        return self.windows.in_parts(inputs[0], some).reshape(-1, *self.output_shape)

    def summed(self, inputs: Sequence[Fixed], index: tuple[int, ...]) -> Sum | None:
        """See :meth:`TypedLayer.summed`."""
        if self.loses is not None:
            return None
        pixel = int(np.ravel_multi_index(index[:-1], self.windows.out))
        seen = self.windows.of(inputs[0][None])[0, pixel].reshape(-1)
        return self.matrices[0].summed(seen, index[-1], self.result)

    def kernel(self) -> LayerKernel:
        """``logic_conv``."""
        channels = self.windows.channels
        sizes = (self.n_partitions, channels, self.output_shape[-1])
        arguments = (self.input_types[0], self.result, self.program.cpp, *sizes)
        return LayerKernel(self.source, "logic_conv", (*arguments, *self.windows.cpp))


class LogicEinsumDense(_Programmed):
    """Programs between transpositions, and a bias: ``einsum_dense`` of an ``einsum_N_da_...``.

    ``accum = accum_t(program(x)); result = result_t(accum_t(accum + b))``.

    Args:
        programs: one for each place along the axes that input and weights share; all take the
            contracted axes, and give those that only the weights have.
        bias: (programs, places of the input's own axes, outputs of a program).
        perm: the axes of the input as shared, its own, contracted.
        perm_out: those axes of the products (shared, input's own, weights' own) in the order of
            the output.
        product_shape: the sizes of the products' axes.
        input: the type of the input.
        input_shape: its shape.
        bias_type: the type of the bias.
        accum: the type of the programs' outputs.
        result: the type of the output.

    Source:
        hls4ml ``nnet::einsum_dense``, of strategy ``distributed_arithmetic``.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        bias: Any,
        *,
        perm: Shape,
        perm_out: Shape,
        product_shape: Shape,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        bias_type: ApFixed | str,
        accum: ApFixed | str,
        result: ApFixed | str,
    ) -> None:
        shape = tuple(product_shape[k] for k in perm_out)
        super().__init__([input], [input_shape], result, shape)
        self.programs = tuple(programs)
        sizes = {(program.inputs, len(program.outputs)) for program in self.programs}
        if len(sizes) != 1:
            raise ShapeError(f"{self.name}: the programs have sizes {sorted(sizes)}, not one")
        self.contract, self.outputs = sizes.pop()
        self.places = self.sizes[0] // (len(self.programs) * self.contract)
        products = (len(self.programs), self.places, self.outputs)
        if np.prod(products) != self.sizes[-1] or (
            len(self.programs) * self.places * self.contract != self.sizes[0]
        ):
            raise ShapeError(
                f"{self.name}: {len(self.programs)} programs of {self.contract} inputs and "
                f"{self.outputs} outputs do not fit {self.input_shapes[0]} and {self.output_shape}"
            )
        self.perm, self.perm_out, self.product_shape = perm, perm_out, product_shape
        self.accum = as_type(accum, "accum")
        self.parameter("bias", bias, bias_type, products)

    @property
    def made(self) -> ApFixed:
        """See :attr:`_Programmed.made`."""
        return self.accum

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        rows = len(inputs[0])
        shape = (rows, len(self.programs), self.places)
        x = permuted(inputs[0], self.perm).reshape(*shape, self.contract)
        made: list[Array] = []
        for i in range(len(self.programs)):
            flat = self.computed(i, x[:, i].reshape(-1, self.contract))
            made.append(flat.codes.reshape(rows, self.places, self.outputs))
        sums = (Fixed(np.stack(made, 1), self.accum) + self.fixed("bias")).to(self.accum)
        out = sums.to(self.result).reshape(rows, *self.product_shape)
        return permuted(out, self.perm_out).reshape(rows, *self.output_shape)

    def constants(self) -> tuple[Fixed, ...]:
        """The bias."""
        return (self.fixed("bias"),)

    def kernel(self) -> LayerKernel:
        """``logic_einsum_dense``."""
        arguments = (
            self.input_types[0],
            self.parameter_types["bias"],
            self.accum,
            self.result,
            self.places,
            permutation(self.input_shapes[0], self.perm),
            permutation(self.product_shape, self.perm_out),
            *(program.cpp for program in self.programs),
        )
        return LayerKernel(self.source, "logic_einsum_dense", arguments)


def _reached(m: Linear, x: Interval) -> Interval:
    """Bounds of the outputs of a matrix product."""
    taken = cast_interval(x, m.casts).to(m.input)
    low, high = (end.codes.astype(object)[:, None] for end in (taken.low, taken.high))
    w, product = m.weight.codes.astype(object), m.input.frac + m.weight.type.frac
    left, start = m.accum.frac - product, m.bias.to(m.accum).codes.astype(object)
    bottom, top = (f(low * w, high * w).sum(0) << left for f in (np.minimum, np.maximum))
    return bounded(bottom + start, top + start, m.accum.frac)
