"""The cells of recurrent layers: one direction's arithmetic, as ``nnet_recurrent.h`` has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

import numpy as np

from harness.fixed import INT, Array, Fixed, record_cast, stacked
from harness.hls.layers.activations import ReLU
from harness.hls.layers.dense import STRATEGIES, resource_order
from harness.hls.layers.elementwise import constant
from harness.hls.layers.interval import Interval, added
from harness.hls.layers.layer import ShapeError, TypedLayer, as_type
from harness.hls.layers.lookup import Sigmoid, TableActivation, Tanh
from harness.hls.layers.products import Product, factors
from harness.types import ApFixed, result_type

__all__ = ["ACTIVATIONS", "Cell", "Direction", "Parameters"]

#: What ``nnet_recr_activations.h`` has; no other activation compiles.
ACTIVATIONS = ("relu", "sigmoid", "tanh")
#: Gates of a cell, by its name.
GATES = {"lstm": 4, "gru": 3}
#: The ``int`` 1 in fewer bits: what is computed with it has the same values, and fits 64 bits.
ONE = Fixed(np.int64(1), ApFixed(2, 2))


@dataclass(frozen=True)
class Direction:
    """What one direction of a recurrent layer is made of.

    Attributes:
        cell: ``lstm`` or ``gru``.
        weight: (inputs, gates * states), floats or ``Fixed``; an LSTM's gates are i, f, c, o, a
            GRU's z, r, h (or r, z, h in PyTorch's order).
        recurrent_weight: (states, gates * states).
        bias, recurrent_bias: (gates * states,); zeros if ``None``.
        weight_type, recurrent_weight_type, bias_type, recurrent_bias_type: the types of these.
        activation: of candidate and cell state: ``tanh``, ``sigmoid`` or ``relu``.
        recurrent_activation: of the other gates.
        reuse_factor, recurrent_reuse_factor: of the two matrices, for the resource strategy.
        product, recurrent_product: of the two matrices, see :class:`Dense`.
    """

    cell: str
    weight: Any
    recurrent_weight: Any
    bias: Any = None
    recurrent_bias: Any = None
    _: KW_ONLY
    weight_type: ApFixed | str
    recurrent_weight_type: ApFixed | str
    bias_type: ApFixed | str
    recurrent_bias_type: ApFixed | str
    activation: str = "tanh"
    recurrent_activation: str = "sigmoid"
    reuse_factor: int = 1
    recurrent_reuse_factor: int = 1
    product: str = "mult"
    recurrent_product: str = "mult"

    def sizes(self, name: str) -> tuple[int, int, int]:
        """Inputs, gates and states.

        Args:
            name: how errors call the layer.

        Raises:
            ShapeError: if the weights do not fit together.
            ValueError: for an unknown cell.
        """
        if self.cell not in GATES:
            raise ValueError(f"{name}: unknown cell {self.cell!r}; allowed: {', '.join(GATES)}")
        gates = GATES[self.cell]
        w, wr = (np.shape(getattr(v, "codes", v)) for v in (self.weight, self.recurrent_weight))
        if len(w) != 2 or len(wr) != 2 or wr[1] != gates * wr[0] or w[1] != wr[1]:
            raise ShapeError(
                f"{name}: weights of shapes {w} and {wr} do not fit; allowed: (inputs, "
                f"{gates} * states) and (states, {gates} * states)"
            )
        return w[0], gates, wr[0]


class Parameters(NamedTuple):
    """The parameters of a cell, in the order of the kernels' arguments."""

    weight: Fixed
    recurrent_weight: Fixed
    bias: Fixed
    recurrent_bias: Fixed


class Cell:
    """One direction: types, sizes, activations, and how a sequence goes through.

    Args:
        name: how errors call the layer.
        direction: sizes, activations and reuse factors.
        input: the type of the input.
        accum, result: the types of sums and activated gates, and of the states.
        table_type, table_size: of the activations' tables.
        strategy: ``latency`` or ``resource``.
        pytorch_order: whether a GRU's gates are r, z, h.
    """

    def __init__(
        self,
        name: str,
        direction: Direction,
        *,
        input: ApFixed,  # noqa: A002
        accum: ApFixed,
        result: ApFixed,
        table_type: ApFixed | str,
        table_size: int,
        strategy: str,
        pytorch_order: bool,
    ) -> None:
        self.kind = direction.cell
        self.inputs, self.gates, self.states = direction.sizes(name)
        self.accum, self.result = accum, result
        self.products = (
            Product(name, direction.product, input, direction.weight_type),
            Product(name, direction.recurrent_product, result, direction.recurrent_weight_type),
        )
        new = result_type("*", accum, result_type("-", INT, accum))
        #: The C++ type of a GRU's new state before its conversion.
        self._mixed = result_type("+", new, result_type("*", result, accum))
        self.pytorch_order = pytorch_order
        outputs = self.gates * self.states
        self.reuse = self.orders = None
        if strategy not in STRATEGIES:
            raise ValueError(
                f"{name}: unknown strategy {strategy!r}; allowed: {', '.join(STRATEGIES)}"
            )
        if strategy == "resource":
            self.reuse = direction.reuse_factor, direction.recurrent_reuse_factor
            sizes = zip((self.inputs, self.states), self.reuse, strict=True)
            self.orders = [_order(name, n, outputs, reuse) for n, reuse in sizes]
        self.names = direction.activation, direction.recurrent_activation
        for activation in self.names:
            if activation not in ACTIVATIONS:
                raise ValueError(
                    f"{name}: the kernels have no activation {activation!r}; "
                    f"allowed: {', '.join(ACTIVATIONS)}"
                )
        self.table_type, self.table_size = as_type(table_type, "table"), table_size
        table = {"table_type": self.table_type, "table_size": table_size}
        wide = (self.gates - 1) * self.states
        try:
            self.recurrent_activation = _activation(self.names[1], accum, accum, wide, table)
            self.activation = _activation(self.names[0], accum, accum, self.states, table)
            self.state_activation = _activation(self.names[0], result, accum, self.states, table)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None

    def run(self, x: Fixed, p: Parameters, start: Sequence[Fixed]) -> Fixed:
        """The output state after every step.

        Args:
            x: (rows, length, inputs).
            p: the parameters.
            start: the states before the first step, (rows, states) each; empty for zeros.

        Returns:
            (rows, length, states) of type ``result``.
        """
        rows, length, n = x.shape
        # What the inputs add does not depend on the states.
        given = self._products(0, x.reshape(rows * length, n), p.weight, p.bias)
        given = given.reshape(rows, length, self.gates * self.states)
        if start:
            states = tuple(start)
        else:
            zero = Fixed(np.zeros((rows, self.states), np.int64), INT).to(self.result)
            states = (zero,) * (self.gates - 2)
        outputs = []
        for k in range(length):
            step = self._lstm if self.kind == "lstm" else self._gru
            states = step(given[:, k], p, *states)
            outputs.append(states[0])
        return stacked(outputs, 1)

    def _products(self, which: int, x: Fixed, w: Fixed, b: Fixed) -> Fixed:
        product, order = self.products[which], None if self.orders is None else self.orders[which]
        return product.concluded(product.sums(x, w, b, self.accum, order), len(w), self.accum)

    def _lstm(self, given: Fixed, p: Parameters, h: Fixed, s: Fixed) -> tuple[Fixed, ...]:
        n = self.states
        recurrent = self._products(1, h, p.recurrent_weight, p.recurrent_bias)
        sums = (given + recurrent).to(self.accum)
        gates = self.recurrent_activation.compute(sums[:, np.r_[: 2 * n, 3 * n : 4 * n]])
        i, f, o = gates[:, :n], gates[:, n : 2 * n], gates[:, 2 * n :]
        candidate = self.activation.compute(sums[:, 2 * n : 3 * n])
        s = (candidate * i + s * f).to(self.result)
        h = (o * self.state_activation.compute(s)).to(self.result)
        return h, s

    def _gru(self, given: Fixed, p: Parameters, h: Fixed) -> tuple[Fixed, ...]:
        n = self.states
        recurrent = self._products(1, h, p.recurrent_weight, p.recurrent_bias)
        sums = (given[:, : 2 * n] + recurrent[:, : 2 * n]).to(self.accum)
        gates = self.recurrent_activation.compute(sums)
        update, reset = gates[:, :n], gates[:, n:]
        if self.pytorch_order:
            update, reset = reset, update
        kept = (reset * recurrent[:, 2 * n :]).to(self.accum)
        candidate = self.activation.compute((given[:, 2 * n :] + kept).to(self.accum))
        mixed = candidate * (ONE - update) + h * update
        record_cast(self._mixed, self.result)
        return (mixed.cast(self.result),)

    def extent(
        self, x: Interval, p: Parameters, start: Sequence[Interval], length: int
    ) -> tuple[Interval, Interval]:
        """Bounds of all that stands in ``accum``, and of the states before their conversion.

        Args:
            x: bounds of the inputs of every step, (inputs,).
            p: the parameters.
            start: bounds of the states before the first step, (states,) each; empty for zeros.
            length: how many steps there are.

        Returns:
            Scalar bounds.
        """
        held: list[Interval] = []
        given = self._sums(0, x, p.weight, p.bias, held)
        states = list(start) or [constant(0).spread((self.states,))] * (self.gates - 2)
        reached: list[Interval] = []
        for _ in range(length):
            step = self._lstm_extent if self.kind == "lstm" else self._gru_extent
            made = step(given, p, held, *states)
            reached += [state.whole for state in made]
            before, states = states, [state.to(self.result) for state in made]
            if all(a.same(b) for a, b in zip(states, before, strict=True)):
                break
        return Interval.hull(*held), Interval.hull(*reached)

    def _sums(self, which: int, x: Interval, w: Fixed, b: Fixed, held: list[Interval]) -> Interval:
        product = self.products[which]
        found = None if product.counts else factors(product.name, x.low, w)
        if found is None or len(found[1]) != len(w):
            held.append(Interval.of(self.accum, (len(b),)).whole)
            return Interval.of(self.accum, (len(b),))
        ends = (factors(product.name, end, w) for end in (x.low, x.high))
        x = Interval(*(end[0] for end in ends if end is not None))
        terms = (x * Interval.at(found[1].transpose())).rounded(self.accum)
        if self.orders is not None:
            terms = terms[np.arange(len(b))[:, None], self.orders[which]]
        total, sums = added(Interval.at(b).rounded(self.accum), terms, self.accum)
        held += [terms.whole, total]
        inside = held[-1].within(self.accum) and held[-2].within(self.accum)
        return sums if inside else Interval.of(self.accum, sums.shape)

    def _kept(self, x: Interval, held: list[Interval]) -> Interval:
        """What becomes of values in the accumulator's type."""
        held.append(x.rounded(self.accum).whole)
        return x.to(self.accum)

    def _activated(self, activation: TypedLayer, x: Interval, held: list[Interval]) -> Interval:
        if isinstance(activation, TableActivation):
            return self._kept(Interval.among(activation.table).spread(x.shape), held)
        return self._kept(Interval.hull(x, constant(0)), held)

    def _lstm_extent(
        self, given: Interval, p: Parameters, held: list[Interval], h: Interval, s: Interval
    ) -> tuple[Interval, ...]:
        n = self.states
        recurrent = self._sums(1, h, p.recurrent_weight, p.recurrent_bias, held)
        sums = self._kept(given + recurrent, held)
        gates = self._activated(self.recurrent_activation, sums, held)
        candidate = self._activated(self.activation, sums[2 * n : 3 * n], held)
        s = (candidate * gates[:n] + s * gates[n : 2 * n]).rounded(self.result)
        shown = self._activated(self.state_activation, s.to(self.result), held)
        return (gates[3 * n :] * shown).rounded(self.result), s

    def _gru_extent(
        self, given: Interval, p: Parameters, held: list[Interval], h: Interval
    ) -> tuple[Interval, ...]:
        n = self.states
        recurrent = self._sums(1, h, p.recurrent_weight, p.recurrent_bias, held)
        sums = self._kept(given[: 2 * n] + recurrent[: 2 * n], held)
        gates = self._activated(self.recurrent_activation, sums, held)
        update, reset = gates[:n], gates[n:]
        if self.pytorch_order:
            update, reset = reset, update
        kept = self._kept(reset * recurrent[2 * n :], held)
        candidate = self._activated(self.activation, self._kept(given[2 * n :] + kept, held), held)
        if update.between(0, 1):  # then the new state is between the two
            return (Interval.hull(candidate, h).rounded(self.result),)
        return ((candidate * (Interval.at(ONE) - update) + h * update).rounded(self.result),)

    def constants(self, p: Parameters) -> tuple[Fixed, ...]:
        """The parameters as the kernels want them: weights transposed for the resource strategy."""
        if self.reuse is None:
            return p
        return p.weight.transpose(), p.recurrent_weight.transpose(), p.bias, p.recurrent_bias

    def cpp(self, p: Parameters) -> str:
        """The C++ type that tells a kernel what the cell is."""
        (weight, product), (recurrent, recurrent_product) = (each.cpp for each in self.products)
        arguments = [
            getattr(weight, "cpp_full", weight),
            getattr(recurrent, "cpp_full", recurrent),
            p.bias.type.cpp_full,
            p.recurrent_bias.type.cpp_full,
            self.accum.cpp_full,
            self.table_type.cpp_full,
            self.table_size,
            *(f"nnet::activation::{name}" for name in self.names),
            self.gates,
            self.inputs,
            self.states,
            *(self.reuse or (0, 0)),
            str(self.pytorch_order).lower(),
            product,
            recurrent_product,
        ]
        return f"harness::layers::cell<{', '.join(map(str, arguments))}>"


def _order(name: str, n_in: int, n_out: int, reuse: int) -> Array:
    """The order of the products in a resource kernel; the one for other factors is never used."""
    if reuse < 1 or (reuse % n_in if reuse > n_in else n_in % reuse) or reuse > n_in * n_out:
        raise ValueError(
            f"{name}: reuse factor {reuse} does not fit {n_in} inputs and {n_out} outputs; "
            "allowed: a divisor of the inputs, or a multiple of them up to inputs times outputs"
        )
    return resource_order(n_in, n_out, reuse)


def _activation(
    name: str, source: ApFixed, target: ApFixed, size: int, table: dict[str, Any]
) -> TypedLayer:
    types: dict[str, Any] = {"input": source, "input_shape": (size,), "result": target}
    if name == "relu":
        return ReLU(**types)
    return {"sigmoid": Sigmoid, "tanh": Tanh}[name](**types, **table)
