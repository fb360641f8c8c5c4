"""Normalisations and merges: ``nnet_batchnorm.h``, ``nnet_layernorm.h``, ``nnet_merge.h``."""

from __future__ import annotations

from typing import Any

from harness.fixed import Fixed
from harness.hls.layers.batchnorm import BatchNorm, BatchNormBinaryTanh, BatchNormTernaryTanh
from harness.hls.layers.layer import TypedLayer
from harness.hls.layers.merge import Add, Average, Dot, Maximum, Merge, Minimum, Multiply, Subtract
from harness.hls.layers.norm import LayerNorm
from harness.hls.project.kernels.products import product
from harness.hls.project.registry import Reader, Shape, kernel

__all__: list[str] = []


@kernel("normalize")
def _batchnorm(r: Reader) -> TypedLayer:
    c = r.config
    shape = r.shape(0, c.integer("n_in"))
    return BatchNorm(
        _channels(r, 0, shape),
        _channels(r, 1, shape),
        input=r.input,
        input_shape=shape,
        scale_type=c.weight_type("scale_t"),
        bias_type=c.type("bias_t"),
        result=r.result,
        product=product(r, c),
    )


@kernel("normalize_binary_tanh")
def _binary_tanh(r: Reader) -> TypedLayer:
    shape = r.shape(0, r.config.integer("n_in"))
    return BatchNormBinaryTanh(_channels(r, 0, shape), input=r.input, input_shape=shape)


@kernel("normalize_ternary_tanh")
def _ternary_tanh(r: Reader) -> TypedLayer:
    shape = r.shape(0, r.config.integer("n_in"))
    thresholds = (_channels(r, k, shape) for k in range(2))
    return BatchNormTernaryTanh(*thresholds, input=r.input, input_shape=shape)


@kernel("layernormalize")
def _layernorm(r: Reader) -> TypedLayer:
    c = r.config
    r.only("the product", c.alias("product"), "mult")
    size, steps = c.integer("n_in"), c.integer("seq_len")
    r.only("the remainder of n_in by seq_len", size % max(steps, 1), 0)
    channels = size // max(steps, 1)
    return LayerNorm(
        r.weight(0, (channels,)),
        r.weight(1, (channels,)),
        input=r.input,
        input_shape=(steps, channels),
        scale_type=c.type("scale_t"),
        bias_type=c.type("bias_t"),
        accum=c.type("accum_t"),
        result=r.result,
        table_type=c.type("table_t"),
        table_size=c.integer("table_size"),
        epsilon_power_of_10=c.integer("epsilon_power_of_10"),
        table_range_power2=c.integer("table_range_power2"),
    )


def _channels(r: Reader, index: int, shape: Shape) -> Fixed:
    """Weights of every element, or with ``n_filt`` of every channel."""
    n_filt = r.config.integer("n_filt")
    return r.weight(index, shape if n_filt == -1 else (n_filt,))


_MERGES: dict[str, type[Merge]] = {
    "add": Add,
    "subtract": Subtract,
    "multiply": Multiply,
    "average": Average,
    "maximum": Maximum,
    "minimum": Minimum,
}


@kernel(*_MERGES)
def _merge(r: Reader) -> TypedLayer:
    first, second = r.config.integer("n_elem1"), r.config.integer("n_elem2")
    r.only("n_elem", r.config.integer("n_elem"), max(first, second))
    return _MERGES[r.call.kernel](
        **_two(r), input1_shape=r.shape(0, first), input2_shape=r.shape(1, second)
    )


@kernel("dot1d")
def _dot(r: Reader) -> TypedLayer:
    c = r.config
    return Dot(c.integer("n_in"), **_two(r), accum=c.type("accum_t"), product=product(r, c))


def _two(r: Reader) -> dict[str, Any]:
    """The types of a layer of two inputs."""
    r.only("the number of inputs", len(r.inputs), 2)
    return {"input1": r.inputs[0], "input2": r.inputs[1], "result": r.result}
