"""Activations to draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.fixed import Fixed
from harness.hls.layers.activations import (
    LeakyReLU,
    Linear,
    PReLU,
    ReLU,
    ReLU1,
    ReLU6,
    ReLUMax,
    ThresholdedReLU,
)
from harness.hls.layers.hard import BinaryTanh, HardSigmoid, HardTanh, TernaryTanh
from harness.hls.layers.layer import TypedLayer
from harness.hls.layers.lookup import ELU, SELU, Sigmoid, Softplus, Softsign, Tanh, UnaryLUT
from harness.hls.proof.draw import Draw, family
from harness.types import ApFixed

__all__ = ["plain", "tabled"]


def plain(draw: Draw) -> dict[str, Any]:
    """Input, shape and result."""
    shape = tuple(draw.integer(1, 5) for _ in range(draw.integer(1, 3)))
    return {"input": _input(draw), "input_shape": shape, "result": draw.type()}


def _input(draw: Draw) -> ApFixed:
    """Mostly ordinary types; now and then one whose values leave an ``int``, or are all small."""
    kind = draw.integer(0, 7)
    if kind == 0:
        return draw.type(16, 63, integer=(-4, 45))
    if kind == 1:
        return draw.type(2, 20, integer=(-6, 26))
    return draw.type()


def tabled(draw: Draw) -> dict[str, Any]:
    """Those, and a table."""
    table = draw.choice([ApFixed(18, 8), draw.type(), draw.type(12, 40, integer=(1, 9))])
    size = draw.choice([1024, 1 << draw.integer(0, 12), draw.integer(1, 3000)])
    given = {**plain(draw), "table_type": table, "table_size": size}
    if draw.integer(0, 1):  # what a designer takes: the middle of the table is reached, and shows
        given["input"] = draw.type(8, 18, integer=(3, 6))
        given["result"] = draw.type(8, 18, integer=(1, 4))
        given["table_type"] = draw.choice([table, draw.type(10, 24, integer=(1, 4))])
    return given


_PLAIN: dict[str, type[Any]] = {
    "linear": Linear,
    "relu": ReLU,
    "relu6": ReLU6,
    "relu1": ReLU1,
    "ternary_tanh": TernaryTanh,
}
_TABLED: dict[str, type[Any]] = {
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "softplus": Softplus,
    "softsign": Softsign,
    "selu": SELU,
}


def _enter(name: str, kind: type[Any], given: Callable[[Draw], dict[str, Any]]) -> None:
    @family(name)
    def _(draw: Draw) -> TypedLayer:
        layer: TypedLayer = kind(**given(draw))
        return layer


for _name, _kind in _PLAIN.items():
    _enter(_name, _kind, plain)
for _name, _kind in _TABLED.items():
    _enter(_name, _kind, tabled)


@family("relu_max")
def _relu_max(draw: Draw) -> TypedLayer:
    bound = draw.choice([draw.integer(0, 20), draw.integer(-5, 300), (1 << 31) - 1])
    return ReLUMax(bound, **plain(draw))


@family("binary_tanh")
def _binary_tanh(draw: Draw) -> TypedLayer:
    given = plain(draw)
    bit = ApFixed(1, 1, signed=False)
    given["result"] = draw.choice([bit, draw.type(), draw.type(1, 3)])
    return BinaryTanh(**given)


@family("leaky_relu")
def _leaky_relu(draw: Draw) -> TypedLayer:
    return LeakyReLU(**_with_number(draw, "alpha"))


@family("thresholded_relu")
def _thresholded_relu(draw: Draw) -> TypedLayer:
    return ThresholdedReLU(**_with_number(draw, "theta"))


@family("prelu")
def _prelu(draw: Draw) -> TypedLayer:
    given, t = plain(draw), draw.type()
    return PReLU(draw.codes(t, given["input_shape"]), param_type=t, **given)


@family("elu")
def _elu(draw: Draw) -> TypedLayer:
    given = tabled(draw)
    if draw.integer(0, 2) == 0:
        return ELU(**given)
    t = draw.type()
    return ELU(draw.codes(t, ()), param_type=t, **given)


@family("unary_lut")
def _unary_lut(draw: Draw) -> TypedLayer:
    given = plain(draw)
    given["input"] = draw.type(1, 12)
    t = draw.type()
    size = (1 << given["input"].width) + draw.choice([0, 0, draw.integer(1, 9)])
    return UnaryLUT(draw.codes(t, (size,)), table_type=t, **given)


@family("hard_sigmoid")
def _hard_sigmoid(draw: Draw) -> TypedLayer:
    return HardSigmoid(**_line(draw))


@family("hard_tanh")
def _hard_tanh(draw: Draw) -> TypedLayer:
    return HardTanh(**_line(draw))


def _with_number(draw: Draw, name: str) -> dict[str, Any]:
    t = draw.type()
    lowest = Fixed(t.min_code, t)
    number = lowest if draw.integer(0, 3) == 0 else draw.codes(t, ())
    return {**plain(draw), name: number, "param_type": t}


def _line(draw: Draw) -> dict[str, Any]:
    given = plain(draw)
    if draw.integer(0, 1):
        return given
    slope = draw.choice([draw.type(), draw.type(8, 16, integer=(-1, 1))])
    shift = draw.type(3, 16, integer=(0, 2))
    numbers = {"slope": draw.codes(slope, ()), "shift": draw.codes(shift, ())}
    return {**given, **numbers, "slope_type": slope, "shift_type": shift}
