"""Recurrent layers: ``nnet_recurrent.h``.

Every call of hls4ml's kernels begins a sequence anew, the static ones too (they are told to reset
their states first), so no row depends on the one before.  There is no kernel for a simple RNN, none
that goes through a sequence backwards alone, and a GRU's reset gate comes after the product with
the states (``reset_after``), whatever hls4ml's configuration says.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.fixed import Fixed, concatenated
from harness.hls.layers.cells import Cell, Direction, Parameters
from harness.hls.layers.interval import Extent, Interval
from harness.hls.layers.layer import Shape, ShapeError, TypedLayer, TypeMismatch, as_type
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed

__all__ = ["GRU", "LSTM", "Bidirectional", "Direction"]

PARAMETERS = Parameters._fields


class _Recurrent(TypedLayer):
    """A sequence through one direction or two."""

    source = "layers/recurrent.h"
    stateful = True

    def __init__(
        self,
        directions: dict[str, Direction],
        *,
        input: ApFixed | str,  # noqa: A002
        length: int,
        accum: ApFixed | str,
        table_type: ApFixed | str,
        table_size: int,
        result: ApFixed | str,
        return_sequences: bool,
        initial_states: bool,
        static: bool,
        strategy: str,
        pytorch_order: bool,
    ) -> None:
        name = type(self).__name__
        input, accum, result = (  # noqa: A001
            as_type(t, n) for t, n in ((input, "input"), (accum, "accum"), (result, "result"))
        )
        sizes = [direction.sizes(name) for direction in directions.values()]
        if len({n_in for n_in, _, _ in sizes}) > 1:
            raise ShapeError(f"{name}: the directions take {[n for n, _, _ in sizes]} inputs")
        states = sum(n for _, _, n in sizes)
        starts = sizes[0][1] - 2 if initial_states else 0
        super().__init__(
            [input, *[result] * starts],
            [(length, sizes[0][0]), *[(states,)] * starts],
            result,
            (length, states) if return_sequences else (states,),
        )
        self.input_names = ("input", *["result"] * starts)
        self._tied = {"result"} if starts else set()
        single = len(directions) == 1
        if any(d.cell == "lstm" for d in directions.values()) and (single or not static):
            where = "lstm_stack" if single else "LSTM without static"
            _check_one_type(name, where, input, accum, result)
            self._tied = {"accum", "result"}
        self.accum = accum
        self.return_sequences, self.static = return_sequences, static
        self.cells = {
            prefix: Cell(
                name,
                direction,
                input=input,
                accum=accum,
                result=result,
                table_type=table_type,
                table_size=table_size,
                strategy=strategy,
                pytorch_order=pytorch_order,
            )
            for prefix, direction in directions.items()
        }
        for prefix, direction in directions.items():
            products = dict(zip(PARAMETERS, self.cells[prefix].products, strict=False))
            for key, shape in zip(PARAMETERS, _shapes(*direction.sizes(name)), strict=True):
                values, t = getattr(direction, key), getattr(direction, f"{key}_type")
                if key in products:
                    values, t = products[key].weights(values), products[key].stored
                values = np.zeros(shape) if values is None else values
                self.parameter(prefix + key, values, t, shape)

    def _given(self, prefix: str) -> Parameters:
        return Parameters(*(self.fixed(prefix + key) for key in PARAMETERS))

    def _run(self, prefix: str, x: Fixed, *start: Fixed) -> Fixed:
        return self.cells[prefix].run(x, self._given(prefix), start)

    def takes(self, name: str) -> bool:
        """See :meth:`TypedLayer.takes`: types that the kernel has alike are no choice."""
        return super().takes(name) and name not in self._tied

    def extent(self, *inputs: Interval) -> Extent:
        """See :meth:`TypedLayer.extent`: of every gate and state, in all steps alike."""
        x, *start = inputs
        length = x.shape[0]
        every = Interval.hull(*(x[k] for k in range(length)))
        found = [
            cell.extent(every, self._given(prefix), start, length)
            for prefix, cell in self.cells.items()
        ]
        held, before = (Interval.hull(*ends) for ends in zip(*found, strict=True))
        return Extent({"accum": (self.accum, held)}, before.spread(self.output_shape))

    def constants(self) -> tuple[Fixed, ...]:
        """Of every direction weights, as the kernel wants them, and biases."""
        found = (cell.constants(self._given(prefix)) for prefix, cell in self.cells.items())
        return tuple(x for each in found for x in each)

    def kernel(self) -> LayerKernel:
        """The layer's stack of the kernels."""
        directions = [cell.cpp(self._given(prefix)) for prefix, cell in self.cells.items()]
        length = self.input_shapes[0][0]
        arguments: tuple[Any, ...] = (self.input_types[0], self.result, *directions, length)
        arguments += (length if self.return_sequences else 1,)
        if len(self.input_types) > 1:
            return LayerKernel(self.source, "recurrent_from", arguments)
        name = "recurrent" if len(directions) == 1 else "bidirectional"
        return LayerKernel(self.source, name, (*arguments, self.static))


class _Single(_Recurrent):
    """One direction, forwards."""

    cell = ""

    def __init__(
        self,
        weight: Any,
        recurrent_weight: Any,
        bias: Any = None,
        recurrent_bias: Any = None,
        *,
        input: ApFixed | str,  # noqa: A002
        length: int,
        weight_type: ApFixed | str,
        recurrent_weight_type: ApFixed | str,
        bias_type: ApFixed | str,
        recurrent_bias_type: ApFixed | str,
        accum: ApFixed | str,
        table_type: ApFixed | str,
        result: ApFixed | str,
        table_size: int = 1024,
        activation: str = "tanh",
        recurrent_activation: str = "sigmoid",
        return_sequences: bool = False,
        initial_states: bool = False,
        static: bool = True,
        strategy: str = "latency",
        reuse_factor: int = 1,
        recurrent_reuse_factor: int = 1,
        product: str = "mult",
        recurrent_product: str = "mult",
        pytorch_order: bool = False,
    ) -> None:
        direction = Direction(
            self.cell,
            weight,
            recurrent_weight,
            bias,
            recurrent_bias,
            weight_type=weight_type,
            recurrent_weight_type=recurrent_weight_type,
            bias_type=bias_type,
            recurrent_bias_type=recurrent_bias_type,
            activation=activation,
            recurrent_activation=recurrent_activation,
            reuse_factor=reuse_factor,
            recurrent_reuse_factor=recurrent_reuse_factor,
            product=product,
            recurrent_product=recurrent_product,
        )
        super().__init__(
            {"": direction},
            input=input,
            length=length,
            accum=accum,
            table_type=table_type,
            table_size=table_size,
            result=result,
            return_sequences=return_sequences,
            initial_states=initial_states,
            static=static,
            strategy=strategy,
            pytorch_order=pytorch_order,
        )
        types = self.parameter_types
        for key in ("weight", "bias") if initial_states else ():
            one, other = types[key], types[f"recurrent_{key}"]
            if one != other:
                raise TypeMismatch(
                    f"{self.name}: with initial states hls4ml's kernel compiles only where {key} "
                    f"and recurrent {key} have one type, not {one} and {other}"
                )

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        states = self._run("", *inputs)
        return states if self.return_sequences else states[:, -1]


class LSTM(_Single):
    """A long short-term memory; its gates are i, f, c, o, in Keras as in PyTorch.

    Input, accumulator and result must have one type: ``lstm_stack`` contains a call that compiles
    with no others, even where it is never made.

    Args:
        weight: (inputs, 4 * states), floats or ``Fixed``: Keras' layout, PyTorch's transposed.
        recurrent_weight: (states, 4 * states).
        bias, recurrent_bias: (4 * states,); zeros if ``None``.
        input: the type of the input.
        length: how many steps the sequence has; the input is (length, inputs).
        weight_type, recurrent_weight_type, bias_type, recurrent_bias_type: the types of the
            parameters.
        accum: the type of sums, and of activated gates.
        table_type, table_size: of the activations' tables.
        result: the type of the states, and so of the output.
        activation: of candidate and cell state: ``tanh``, ``sigmoid`` or ``relu``.
        recurrent_activation: of the other gates.
        return_sequences: whether the output is every state, (length, states), or the last.
        initial_states: whether states to begin with are further inputs, (states,) of type
            ``result``: output and cell state.  By default they are zeros.
        static: whether the kernel is the one that keeps its states; the values are the same.
        strategy: ``latency`` or ``resource``.
        reuse_factor, recurrent_reuse_factor: of the two matrices, for ``resource``: a divisor of
            the matrix' inputs, or a multiple of them up to the number of its weights.
        product, recurrent_product: of the two matrices, see :class:`Dense`.
        pytorch_order: changes nothing, for both have one order.

    Raises:
        TypeMismatch: for types with which hls4ml's kernel does not compile.

    Source:
        hls4ml ``nnet::lstm_stack``.
    """

    cell = "lstm"


class GRU(_Single):
    """A gated recurrent unit; its reset gate is applied after the product with the states.

    Input, accumulator and result may have any types.

    Args:
        weight: (inputs, 3 * states), floats or ``Fixed``; the gates are z, r, h as Keras has them,
            or r, z, h as PyTorch has them.
        recurrent_weight: (states, 3 * states).
        bias, recurrent_bias: (3 * states,); zeros if ``None``.
        pytorch_order: whether the gates are r, z, h.

    The other arguments are those of :class:`LSTM`; it has one initial state.

    Raises:
        TypeMismatch: for types with which hls4ml's kernel does not compile.

    Source:
        hls4ml ``nnet::gru_stack``.
    """

    cell = "gru"


class Bidirectional(_Recurrent):
    """Two directions, the second of which goes through the sequence backwards; joined.

    Args:
        forward, backward: the directions, of any cells and numbers of states.
        input: the type of the input.
        length: how many steps the sequence has; the input is (length, inputs).
        accum: the type of sums, and of activated gates.
        table_type, table_size: of the activations' tables.
        result: the type of the states, and so of the output.
        return_sequences: whether the output is every state, (length, both states) with step ``k``
            of both where the input has it; or the last of both, (both states,).
        static: whether the kernels are those that keep their states; the values are the same, but
            without it an LSTM needs one type for input, accumulator and result.
        strategy: ``latency`` or ``resource``.
        pytorch_order: whether the gates of GRUs are r, z, h.

    Raises:
        TypeMismatch: for types with which hls4ml's kernel does not compile.

    Source:
        hls4ml ``nnet::bidirectional_stack``.
    """

    def __init__(
        self,
        forward: Direction,
        backward: Direction,
        *,
        input: ApFixed | str,  # noqa: A002
        length: int,
        accum: ApFixed | str,
        table_type: ApFixed | str,
        result: ApFixed | str,
        table_size: int = 1024,
        return_sequences: bool = False,
        static: bool = True,
        strategy: str = "latency",
        pytorch_order: bool = False,
    ) -> None:
        super().__init__(
            {"forward_": forward, "backward_": backward},
            input=input,
            length=length,
            accum=accum,
            table_type=table_type,
            table_size=table_size,
            result=result,
            return_sequences=return_sequences,
            initial_states=False,
            static=static,
            strategy=strategy,
            pytorch_order=pytorch_order,
        )

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        x = inputs[0]
        forward, backward = self._run("forward_", x), self._run("backward_", x[:, ::-1])
        if self.return_sequences:
            parts = forward, backward[:, ::-1]
        else:
            parts = forward[:, -1], backward[:, -1]
        return concatenated(parts, -1)


def _shapes(inputs: int, gates: int, states: int) -> tuple[Shape, ...]:
    """The shapes of :class:`Parameters`."""
    outputs = gates * states
    return (inputs, outputs), (states, outputs), (outputs,), (outputs,)


def _check_one_type(name: str, where: str, *types: ApFixed) -> None:
    """Refuse an LSTM that hands arrays of one type to a kernel that takes another."""
    if len(set(types)) > 1:
        found = ", ".join(map(str, types))
        raise TypeMismatch(
            f"{name}: hls4ml's {where} compiles only where input, accum and result have one type, "
            f"not {found}"
        )
