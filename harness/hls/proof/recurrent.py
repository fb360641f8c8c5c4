"""Recurrent layers to draw."""

from __future__ import annotations

from typing import Any

from harness.fixed import Fixed
from harness.hls.layers.cells import ACTIVATIONS, GATES
from harness.hls.layers.recurrent import GRU, LSTM, Bidirectional, Direction
from harness.hls.proof.draw import Draw, family
from harness.types import ApFixed

__all__: list[str] = []


@family("lstm, static, last state")
def _lstm_static(draw: Draw) -> LSTM:
    return _lstm(draw)


@family("lstm, static, sequences")
def _lstm_sequences(draw: Draw) -> LSTM:
    return _lstm(draw, return_sequences=True)


@family("lstm, not static")
def _lstm_plain(draw: Draw) -> LSTM:
    return _lstm(draw, static=False, return_sequences=draw.integer(0, 1) == 1)


@family("lstm, resource")
def _lstm_resource(draw: Draw) -> LSTM:
    return _lstm(draw, strategy="resource", return_sequences=True)


@family("lstm, initial states")
def _lstm_from(draw: Draw) -> LSTM:
    return _lstm(draw, initial_states=True, return_sequences=draw.integer(0, 1) == 1)


@family("gru, static, last state")
def _gru_static(draw: Draw) -> GRU:
    return _gru(draw)


@family("gru, static, sequences")
def _gru_sequences(draw: Draw) -> GRU:
    return _gru(draw, return_sequences=True)


@family("gru, static, PyTorch's order")
def _gru_pytorch(draw: Draw) -> GRU:
    return _gru(draw, pytorch_order=True, return_sequences=True)


@family("gru, not static")
def _gru_plain(draw: Draw) -> GRU:
    return _gru(draw, static=False, return_sequences=draw.integer(0, 1) == 1)


@family("gru, not static, PyTorch's order")
def _gru_plain_pytorch(draw: Draw) -> GRU:
    return _gru(draw, static=False, pytorch_order=True, return_sequences=True)


@family("gru, resource")
def _gru_resource(draw: Draw) -> GRU:
    return _gru(draw, strategy="resource", return_sequences=True)


@family("gru, initial states")
def _gru_from(draw: Draw) -> GRU:
    return _gru(
        draw,
        initial_states=True,
        pytorch_order=draw.integer(0, 1) == 1,
        return_sequences=draw.integer(0, 1) == 1,
    )


@family("bidirectional, static")
def _bidirectional_static(draw: Draw) -> Bidirectional:
    return _bidirectional(draw, list(GATES), _types(draw), static=True)


@family("bidirectional, static, resource")
def _bidirectional_resource(draw: Draw) -> Bidirectional:
    types = _types(draw, _tight(draw))
    return _bidirectional(draw, list(GATES), types, static=True, strategy="resource")


@family("bidirectional, not static")
def _bidirectional_plain(draw: Draw) -> Bidirectional:
    types = _one_type(_state(draw))
    return _bidirectional(draw, list(GATES), types, static=False)


@family("bidirectional, GRUs, not static")
def _bidirectional_grus(draw: Draw) -> Bidirectional:
    return _bidirectional(draw, ["gru"], _types(draw), static=False)


def _lstm(draw: Draw, **more: Any) -> LSTM:
    types = _one_type(_tight(draw) if more.get("strategy") == "resource" else _state(draw))
    return LSTM(**_of(draw, 4, **more), **types, **_shared(draw), **more)


def _gru(draw: Draw, **more: Any) -> GRU:
    types = _types(draw, _tight(draw) if more.get("strategy") == "resource" else None)
    return GRU(**_of(draw, 3, **more), **types, **_shared(draw), **more)


def _bidirectional(
    draw: Draw, cells: list[str], types: dict[str, Any], **more: Any
) -> Bidirectional:
    inputs = draw.choice([1, 2, 3, 4, 5, 6, 8])

    def drawn() -> Direction:
        cell = draw.choice(cells)
        return Direction(cell, **_of(draw, GATES[cell], inputs, **more))

    forward, backward = drawn(), drawn()
    more |= {"return_sequences": draw.integer(0, 1) == 1, "pytorch_order": draw.integer(0, 1) == 1}
    return Bidirectional(forward, backward, **types, **_shared(draw), **more)


def _types(draw: Draw, accum: ApFixed | None = None) -> dict[str, Any]:
    return {"input": draw.type(), "accum": accum or draw.accumulator(), "result": draw.type()}


def _one_type(t: ApFixed) -> dict[str, Any]:
    """What the kernel of an LSTM wants to be one type."""
    return {"input": t, "accum": t, "result": t}


def _state(draw: Draw) -> ApFixed:
    return draw.choice([draw.accumulator, draw.type])()


def _tight(draw: Draw) -> ApFixed:
    """A type in which sums overflow, so that their order shows."""
    return draw.type(6, 20, integer=(1, 5))


def _shared(draw: Draw) -> dict[str, Any]:
    return {
        "length": draw.integer(1, 6),
        "table_type": draw.type(),
        "table_size": draw.choice([2, 16, 100, 1024, 1024, 4096]),
    }


def _of(
    draw: Draw,
    gates: int,
    inputs: int | None = None,
    *,
    strategy: str = "latency",
    initial_states: bool = False,
    **_: Any,
) -> dict[str, Any]:
    """The arguments of one direction."""
    states = draw.integer(1, 4)
    if strategy == "resource" and draw.integer(0, 2):
        states = 4  # has a divisor that reorders sums
    inputs = inputs or draw.choice([1, 2, 3, 4, 5, 6, 8])
    outputs = gates * states
    weight, bias = draw.type(), draw.type()
    found: dict[str, Any] = {}
    for key, t, shape in (
        ("weight", weight, (inputs, outputs)),
        ("recurrent_weight", weight if initial_states else draw.type(), (states, outputs)),
        ("bias", bias, (outputs,)),
        ("recurrent_bias", bias if initial_states else draw.type(), (outputs,)),
    ):
        found[key], found[f"{key}_type"] = _weights(draw, t, shape), t
    found["activation"] = draw.choice([*ACTIVATIONS, "tanh"])
    found["recurrent_activation"] = draw.choice([*ACTIVATIONS, "sigmoid"])
    if strategy == "resource":
        found["reuse_factor"] = _reuse(draw, inputs, outputs)
        found["recurrent_reuse_factor"] = _reuse(draw, states, outputs)
    return found


def _weights(draw: Draw, t: ApFixed, shape: tuple[int, ...]) -> Fixed:
    """Codes of all sizes, or small ones, with which gates are not all at the tables' ends."""
    codes = draw.codes(t, shape)
    if draw.integer(0, 1):
        codes.codes = codes.codes >> max(t.width // 2 - 1, 0)
    return codes


def _reuse(draw: Draw, n_in: int, n_out: int) -> int:
    """A factor that the kernels take; mostly, if there is one, a divisor that reorders sums."""
    divisors = [k for k in range(2, n_in) if n_in % k == 0]
    if divisors and draw.integer(0, 3):
        return draw.choice(divisors)
    return draw.choice([1, *(n_in * k for k in range(1, n_out + 1))])
