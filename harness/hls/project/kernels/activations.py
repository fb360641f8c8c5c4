"""Activations: ``nnet_activation.h``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.hls.layers.activations import (
    LeakyReLU,
    Linear,
    PReLU,
    ReLU,
    ReLU1,
    ReLU6,
    ThresholdedReLU,
)
from harness.hls.layers.elementwise import Activation
from harness.hls.layers.hard import BinaryTanh, HardSigmoid, HardTanh, TernaryTanh
from harness.hls.layers.layer import TypedLayer
from harness.hls.layers.lookup import (
    ELU,
    SELU,
    Sigmoid,
    Softplus,
    Softsign,
    TableActivation,
    Tanh,
    UnaryLUT,
)
from harness.hls.layers.softmax import Softmax
from harness.hls.layers.streamed import StreamedSELU, StreamedTernaryTanh
from harness.hls.project.registry import Reader, Shape, kernel

__all__: list[str] = []

_PLAIN: dict[str, type[Activation]] = {
    "linear": Linear,
    "relu": ReLU,
    "relu1": ReLU1,
    "relu6": ReLU6,
    "ternary_tanh": TernaryTanh,
}
_TABLES: dict[str, type[TableActivation]] = {
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "softplus": Softplus,
    "softsign": Softsign,
    "selu": SELU,
}


#: Those that compute otherwise with streams.
_STREAMED: dict[str, type[Activation]] = {"ternary_tanh": StreamedTernaryTanh, "selu": StreamedSELU}


@kernel(*_PLAIN)
def _plain(r: Reader) -> TypedLayer:
    return _kind(r, _PLAIN)(**_common(r))


@kernel("binary_tanh")
def _binary_tanh(r: Reader) -> TypedLayer:
    return BinaryTanh(**_common(r))


@kernel(*_TABLES)
def _table(r: Reader) -> TypedLayer:
    return _kind(r, _TABLES)(**_common(r), **_looked_up(r))


def _kind(r: Reader, kinds: Mapping[str, type[Activation]]) -> type[Activation]:
    name = r.call.kernel
    return _STREAMED[name] if r.stream and name in _STREAMED else kinds[name]


@kernel("elu")
def _elu(r: Reader) -> TypedLayer:
    return ELU(r.number(0), **_common(r), **_looked_up(r), param_type=r.argument_type(1))


@kernel("leaky_relu")
def _leaky_relu(r: Reader) -> TypedLayer:
    return LeakyReLU(r.number(0), **_common(r), param_type=r.argument_type(1))


@kernel("thresholded_relu")
def _thresholded_relu(r: Reader) -> TypedLayer:
    return ThresholdedReLU(r.number(0), **_common(r), param_type=r.argument_type(1))


@kernel("prelu")
def _prelu(r: Reader) -> TypedLayer:
    given = _common(r)
    alpha = r.weight(0, given["input_shape"])
    return PReLU(alpha, **given, param_type=r.argument_type(1))


@kernel("hard_sigmoid", "hard_tanh")
def _hard(r: Reader) -> TypedLayer:
    slope, shift = r.config.constant("slope"), r.config.constant("shift")
    return {"hard_sigmoid": HardSigmoid, "hard_tanh": HardTanh}[r.call.kernel](
        slope, shift, **_common(r), slope_type=slope.type, shift_type=shift.type
    )


@kernel("unary_lut")
def _unary_lut(r: Reader) -> TypedLayer:
    table = r.weight(0, (r.config.integer("table_size"),))
    return UnaryLUT(table, **_common(r), table_type=r.config.type("table_t"))


@kernel("softmax", "softmax_multidim")
def _softmax(r: Reader) -> TypedLayer:
    c = r.config
    size = r.pack if r.stream else c.integer("n_slice")
    shape: Shape = (size,)
    sizes = {name: c.integer(name) for name in ("exp_table_size", "inv_table_size")}
    if r.stream:  # the kernel goes through every pack
        r.only("the remainder of n_in by the pack", c.integer("n_in") % size, 0)
        shape = (c.integer("n_in") // size, size)
        if c.word("implementation") == "legacy":  # the size that nnet::activ_config has
            sizes = dict.fromkeys(sizes, c.integer("table_size", 1024))
    elif r.call.kernel == "softmax":
        r.only("n_in", c.integer("n_in"), size)  # the kernel goes through one slice
    else:
        shape = (c.integer("n_outer"), size, c.integer("n_inner"))
    return Softmax(
        input=r.input,
        input_shape=shape,
        result=r.result,
        axis=1 if len(shape) > 1 else 0,
        implementation=c.word("implementation"),
        accum=c.type("accum_t"),
        exp_table_type=c.type("exp_table_t"),
        inv_table_type=c.type("inv_table_t"),
        inv_inp_type=c.type("inv_inp_t"),
        inp_norm_type=c.type("inp_norm_t"),
        # What the struct inherits from nnet::activ_config.
        table_type=c.type("table_t") if "table_t" in c.types else "ap_fixed<18,8>",
        **sizes,
        exp_scale=c.real("exp_scale"),
    )


def _common(r: Reader) -> dict[str, Any]:
    shape = r.shape(0, r.config.integer("n_in"))
    return {"input": r.input, "input_shape": shape, "result": r.result}


def _looked_up(r: Reader) -> dict[str, Any]:
    c = r.config
    return {"table_type": c.type("table_t"), "table_size": c.integer("table_size")}
