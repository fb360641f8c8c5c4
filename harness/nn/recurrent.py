"""Quantized recurrent networks and cells, their gates, products and states quantized by name.

Without a quantized parameter or point they are torch's own.  With one, they run a loop of single
operations over layers, directions and time steps.  A point has one quantizer, which all of these
share; the initial states are inputs, and input quantizers are theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from harness.nn.base import ExplicitModule

__all__ = [
    "QuantizedGRU",
    "QuantizedGRUCell",
    "QuantizedLSTM",
    "QuantizedLSTMCell",
    "QuantizedRNN",
    "QuantizedRNNCell",
]

_States = tuple[Tensor, ...]


class _Weights(NamedTuple):
    """The parameters of one layer in one direction; the gates lie along the first dimension."""

    input: Tensor
    hidden: Tensor
    input_bias: Tensor | None
    hidden_bias: Tensor | None
    projection: Tensor | None


class _Recurrence(ExplicitModule):
    """A step from states to states, and what networks and cells share.

    Attributes:
        states: how many states there are; the first one is the output.
    """

    states = 1

    def step(self, x: Tensor, states: _States, weights: _Weights) -> _States:
        """The next states, (N, H) each, of an input that is projected already, (N, gates · H)."""
        raise NotImplementedError

    def is_explicit(self) -> bool:
        """Whether a parameter or a point has a quantizer."""
        quantizers = (*self.intermediate_quantizers.values(), *self.param_quantizers.values())
        return any(quantizer is not None for quantizer in quantizers)

    def _projected(self, x: Tensor, weights: _Weights) -> Tensor:
        x = functional.linear(x, weights.input, weights.input_bias)
        return self.point("input_projection", x)

    def _hidden(self, h: Tensor, weights: _Weights) -> Tensor:
        h = functional.linear(h, weights.hidden, weights.hidden_bias)
        return self.point("hidden_projection", h)

    def _weights(self, suffix: str) -> _Weights:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        return _Weights(*(getattr(self, name + suffix, None) for name in names))  # type: ignore[arg-type]

    def _given(self, hx: Any) -> _States:
        states = (hx,) if isinstance(hx, Tensor) else tuple(hx)
        if len(states) != self.states:
            raise ValueError(f"{type(self).__name__} has {self.states} states, not {len(states)}")
        return states

    def _told(self, states: Iterable[Tensor]) -> Any:
        """States as torch returns them: one, or a tuple."""
        told = tuple(states)
        return told if self.states > 1 else told[0]


class _RNN(_Recurrence):
    """h' = f(W x + b + V h + d), with f tanh or the rectifier."""

    nonlinearity: str
    points = ("input_projection", "hidden_projection", "hidden")

    def step(self, x: Tensor, states: _States, weights: _Weights) -> _States:
        """The next hidden state."""
        total = x + self._hidden(states[0], weights)
        h = torch.relu(total) if self.nonlinearity == "relu" else torch.tanh(total)
        return (self.point("hidden", h),)


class _LSTM(_Recurrence):
    """The gates i, f, g, o; c' = f c + i g, h' = P (o tanh c'), where P is the projection, if any.

    ``gates`` is what goes into the gates' activations, ``input_gate`` and so on what comes out;
    ``output_product`` is o tanh c', and ``hidden`` is h'.
    """

    states = 2
    points = (
        "input_projection",
        "hidden_projection",
        "gates",
        "input_gate",
        "forget_gate",
        "cell_gate",
        "output_gate",
        "forget_product",
        "input_product",
        "cell",
        "cell_activation",
        "output_product",
        "hidden",
    )

    def step(self, x: Tensor, states: _States, weights: _Weights) -> _States:
        """The next hidden state and cell."""
        h, c = states
        gates = self.point("gates", x + self._hidden(h, weights))
        i, f, g, o = gates.chunk(4, -1)
        i = self.point("input_gate", torch.sigmoid(i))
        f = self.point("forget_gate", torch.sigmoid(f))
        g = self.point("cell_gate", torch.tanh(g))
        o = self.point("output_gate", torch.sigmoid(o))
        kept = self.point("forget_product", f * c)
        c = self.point("cell", kept + self.point("input_product", i * g))
        h = self.point("output_product", o * self.point("cell_activation", torch.tanh(c)))
        if weights.projection is not None:
            h = functional.linear(h, weights.projection)
        return self.point("hidden", h), c


class _GRU(_Recurrence):
    """The gates r and z, n = tanh(W x + b + r (V h + d)), h' = (1 - z) n + z h.

    ``hidden_new`` is V h + d, the last third of ``hidden_projection``; ``reset_product`` is r
    times that; ``new_product`` and ``update_product`` are the two terms of h'.
    """

    points = (
        "input_projection",
        "hidden_projection",
        "reset_gate",
        "update_gate",
        "hidden_new",
        "reset_product",
        "new_gate",
        "new_product",
        "update_product",
        "hidden",
    )

    def step(self, x: Tensor, states: _States, weights: _Weights) -> _States:
        """The next hidden state."""
        (h,) = states
        r, z, n = x.chunk(3, -1)
        hidden_r, hidden_z, hidden_n = self._hidden(h, weights).chunk(3, -1)
        r = self.point("reset_gate", torch.sigmoid(r + hidden_r))
        z = self.point("update_gate", torch.sigmoid(z + hidden_z))
        reset = self.point("reset_product", r * self.point("hidden_new", hidden_n))
        n = self.point("new_gate", torch.tanh(n + reset))
        new = self.point("new_product", (1 - z) * n)
        return (self.point("hidden", new + self.point("update_product", z * h)),)


class _Network(_Recurrence):
    """Layers and directions of a recurrence over sequences, packed or not."""

    num_layers: int
    hidden_size: int
    proj_size: int
    bias: bool
    batch_first: bool
    bidirectional: bool
    dropout: float
    training: bool

    def explicit(self, input: Any, hx: Any = None) -> Any:  # noqa: A002 - as the parent calls it
        """The outputs and the last states, of the shapes that torch returns.

        Args:
            input: (L, N, F), (N, L, F) with ``batch_first``, (L, F), or a ``PackedSequence``.
            hx: the initial states, (layers · directions, N, H) each; zeros if ``None``.

        Raises:
            ValueError, RuntimeError: for other shapes.
        """
        if isinstance(input, PackedSequence):
            return self._packed(input, hx)
        if input.dim() not in (2, 3):
            raise ValueError(f"{type(self).__name__} takes 2-D or 3-D inputs, not {input.dim()}-D")
        batched, batch = input.dim() == 3, 0 if self.batch_first else 1
        x = input if batched else input.unsqueeze(batch)
        states = self._initial(x, x.size(batch)) if hx is None else self._given(hx)
        if not batched and hx is not None:
            states = tuple(state.unsqueeze(1) for state in states)
        self._check(x, states, None)
        x = x.transpose(0, 1) if self.batch_first else x
        if not x.size(0):
            raise RuntimeError(f"{type(self).__name__} takes no sequences of length 0")
        y, states = self._layers(x.flatten(0, 1), [x.size(1)] * x.size(0), states)
        y = y.reshape(*x.shape[:2], -1)
        y = y.transpose(0, 1) if self.batch_first else y
        if batched:
            return y, self._told(states)
        return y.squeeze(batch), self._told(state.squeeze(1) for state in states)

    def _packed(self, sequence: PackedSequence, hx: Any) -> Any:
        x, sizes, order, back = sequence
        states = self._initial(x, int(sizes[0])) if hx is None else self._given(hx)
        if hx is not None and order is not None:
            states = tuple(state.index_select(1, order) for state in states)
        self._check(x, states, sizes)
        y, states = self._layers(x, sizes.tolist(), states)
        if back is not None:
            states = tuple(state.index_select(1, back) for state in states)
        return PackedSequence(y, sizes, order, back), self._told(states)

    def _initial(self, x: Tensor, batch: int) -> _States:
        count = self.num_layers * (1 + self.bidirectional)
        widths = (self.proj_size or self.hidden_size, self.hidden_size)[: self.states]
        return tuple(x.new_zeros(count, batch, width) for width in widths)

    def _check(self, x: Tensor, states: _States, sizes: Tensor | None) -> None:
        module: Any = self
        module.check_forward_args(x, self._told(states), sizes)

    def _layers(self, x: Tensor, sizes: list[int], states: _States) -> tuple[Tensor, _States]:
        """All layers over a sequence whose time steps lie one after the other, (sum of sizes, F).

        Time step t has ``sizes[t]`` rows, which are the first ones of the batch.
        """
        ends: list[_States] = []
        for layer in range(self.num_layers):
            ways = []
            for reverse in (False, True)[: 1 + self.bidirectional]:
                start = tuple(state[len(ends)] for state in states)
                weights = self._weights(f"_l{layer}_reverse" if reverse else f"_l{layer}")
                y, end = self._sweep(x, sizes, start, weights, reverse)
                ways.append(y)
                ends.append(end)
            x = torch.cat(ways, -1)
            if layer + 1 < self.num_layers:
                x = functional.dropout(x, self.dropout, self.training)
        return x, tuple(torch.stack(state) for state in zip(*ends, strict=True))

    def _sweep(
        self, x: Tensor, sizes: list[int], states: _States, weights: _Weights, reverse: bool
    ) -> tuple[Tensor, _States]:
        """One layer in one direction: its outputs in the order of time, and the states at its end.

        Rows that a time step has not keep their states: forward those are at their end, and
        backward they have not begun.
        """
        outputs = []
        inputs = torch.split(self._projected(x, weights), sizes)
        for step in reversed(inputs) if reverse else inputs:
            rows = len(step)
            after = self.step(step, tuple(state[:rows] for state in states), weights)
            outputs.append(after[0])
            states = tuple(
                torch.cat((new, old[rows:])) if rows < len(old) else new
                for new, old in zip(after, states, strict=True)
            )
        return torch.cat(outputs[::-1] if reverse else outputs), states


class _Cell(_Recurrence):
    """One time step of a recurrence."""

    hidden_size: int

    def explicit(self, input: Tensor, hx: Any = None) -> Any:  # noqa: A002 - the parent's name
        """The next states of an input (N, F) or (F,) and states (N, H) or (H,), zeros if ``None``.

        Raises:
            ValueError: for other numbers of dimensions.
        """
        if input.dim() not in (1, 2):
            raise ValueError(f"{type(self).__name__} takes 1-D or 2-D inputs, not {input.dim()}-D")
        if hx is None:
            states = (input.new_zeros(*input.shape[:-1], self.hidden_size),) * self.states
        else:
            states = self._given(hx)
        if any(state.dim() != input.dim() for state in states):
            raise ValueError(f"{type(self).__name__} takes states of as many dimensions as inputs")
        weights = self._weights("")
        return self._told(self.step(self._projected(input, weights), states, weights))


class QuantizedRNN(_RNN, _Network, nn.RNN):
    """``RNN``; inputs and outputs are the sequence and h."""

    inputs = outputs = 2


class QuantizedLSTM(_LSTM, _Network, nn.LSTM):
    """``LSTM``; inputs and outputs are the sequence, h and c."""

    inputs = outputs = 3


class QuantizedGRU(_GRU, _Network, nn.GRU):
    """``GRU``; inputs and outputs are the sequence and h."""

    inputs = outputs = 2


class QuantizedRNNCell(_RNN, _Cell, nn.RNNCell):
    """``RNNCell``; inputs are x and h, the output is h."""

    inputs = 2


class QuantizedLSTMCell(_LSTM, _Cell, nn.LSTMCell):
    """``LSTMCell``; inputs are x, h and c, outputs h and c."""

    inputs, outputs = 3, 2


class QuantizedGRUCell(_GRU, _Cell, nn.GRUCell):
    """``GRUCell``; inputs are x and h, the output is h."""

    inputs = 2
