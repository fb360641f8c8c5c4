"""Recurrent layers: ``nnet_recurrent.h``."""

from __future__ import annotations

from typing import Any

from harness.hls.layers.layer import TypedLayer
from harness.hls.layers.recurrent import GRU, LSTM, Bidirectional, Direction
from harness.hls.project.kernels.products import product, strategy
from harness.hls.project.registry import Reader, kernel
from harness.hls.project.scope import Config
from harness.types import ApFixed

__all__: list[str] = []


@kernel("lstm_stack", "gru_stack")
def _single(r: Reader) -> TypedLayer:
    c, cell = r.config, r.call.kernel.removesuffix("_stack")
    initial = len(r.inputs) > 1
    table_type, table_size = _table(r, [c], cell)
    return (LSTM if cell == "lstm" else GRU)(
        **_direction(r, c, 0, c.integer("n_state")),
        input=r.input,
        length=c.integer("n_sequence"),
        accum=c.type("accum_t"),
        table_type=table_type,
        table_size=table_size,
        result=r.result,
        return_sequences=_sequences(r),
        initial_states=initial,
        static=bool(c.integer("use_static")) and not initial,
        strategy=_strategy(r, c),
        pytorch_order=bool(c.integer("pytorch_order")),
    )


@kernel("bidirectional_stack")
def _bidirectional(r: Reader) -> TypedLayer:
    c = r.config
    sides = [c.inner("FORWARD_CONFIG"), c.inner("BACKWARD_CONFIG")]
    classes = [c.alias("RNNfunc_forward"), c.alias("RNNfunc_backward")]
    static = "_static" if classes[0].endswith("_static") else ""
    cells = [name.partition("_")[0] for name in classes]
    for name in classes:
        r.only("the class", name, f"lstm_class{static}", f"gru_class{static}")
    for what in ("strategy", "pytorch_order"):
        first, second = (
            _strategy(r, side) if what == "strategy" else side.integer(what) for side in sides
        )
        r.only(f"the second direction's {what}", second, first)
    r.only("the second direction's accum_t", str(sides[1].type("accum_t")), str(_accum(sides[0])))
    table_type, table_size = _table(r, sides, *cells)
    directions = [
        Direction(cell, **_direction(r, side, 4 * k, side.integer("n_state")))
        for k, (cell, side) in enumerate(zip(cells, sides, strict=True))
    ]
    return Bidirectional(
        *directions,
        input=r.input,
        length=c.integer("n_sequence"),
        accum=_accum(sides[0]),
        table_type=table_type,
        table_size=table_size,
        result=r.result,
        return_sequences=_sequences(r),
        static=bool(static),
        strategy=_strategy(r, sides[0]),
        pytorch_order=bool(sides[0].integer("pytorch_order")),
    )


def _direction(r: Reader, c: Config, first: int, states: int) -> dict[str, Any]:
    """The weights of a direction, which begin at a place among the call's, and their types."""
    found: dict[str, Any] = {}
    how = _strategy(r, c)
    sides = (("", c.inner("mult_config1")), ("recurrent_", c.inner("mult_config2")))
    r.only("the recurrent matrix' n_in", sides[1][1].integer("n_in"), states)
    for k, (prefix, matrix) in enumerate(sides):
        n_in, n_out = matrix.integer("n_in"), matrix.integer("n_out")
        lying = r.weight(first + k, (n_in, n_out) if how == "latency" else (n_out, n_in))
        found[f"{prefix}weight"] = lying if how == "latency" else lying.transpose(1, 0)
        found[f"{prefix}bias"] = r.weight(first + 2 + k, (n_out,))
        for name in ("weight", "bias"):
            t = matrix.weight_type(f"{name}_t")
            again = c.weight_type(f"{prefix}{name}_t")
            r.only(f"the type of {prefix}{name}", str(t), str(again))
            found[f"{prefix}{name}_type"] = t
        r.only("the accumulator of a matrix", str(_accum(matrix)), str(_accum(c)))
        found[f"{prefix}reuse_factor"] = matrix.integer("reuse_factor")
        found[f"{prefix}product"] = product(r, matrix)
    found["activation"] = c.alias("activation")
    found["recurrent_activation"] = c.alias("activation_recr")
    return found


def _strategy(r: Reader, c: Config) -> str:
    first, second = (strategy(r, c.inner(f"mult_config{k + 1}"), k) for k in (0, 1))
    r.only("the recurrent matrix' strategy", second, first)
    return first


def _accum(c: Config) -> ApFixed:
    return c.type("accum_t")


def _table(r: Reader, configs: list[Config], *cells: str) -> tuple[ApFixed, int]:
    """The type and the size of the activations' tables, which must be the same for all."""
    found = [
        (a.type("table_t"), a.integer("table_size"))
        for c, cell in zip(configs, cells, strict=True)
        for a in (c.inner(f"ACT_CONFIG_{cell.upper()}"), c.inner("ACT_CONFIG_T"))
    ]
    for t, size in found:
        r.only("a second table of", f"{size} {t}", f"{found[0][1]} {found[0][0]}")
    return found[0]


def _sequences(r: Reader) -> bool:
    """Whether the output is every state."""
    length, out = r.config.integer("n_sequence"), r.config.integer("n_sequence_out")
    r.only("n_sequence_out", out, 1, length)
    return out != 1
