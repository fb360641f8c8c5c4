"""Layers to draw whose products are not ``*``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from harness.fixed import Fixed
from harness.hls.layers.batchnorm import BatchNorm
from harness.hls.layers.conv import Conv1D, Conv2D
from harness.hls.layers.dense import Dense
from harness.hls.layers.depthwise import DepthwiseConv1D, DepthwiseConv2D
from harness.hls.layers.einsum import Einsum, EinsumDense
from harness.hls.layers.merge import Dot
from harness.hls.layers.products import BIT, PRODUCTS, SIGN, Product
from harness.hls.layers.recurrent import GRU
from harness.hls.proof.conv import geometry
from harness.hls.proof.draw import Draw, family
from harness.types import ApFixed, ApInt

__all__: list[str] = []

OTHERS = PRODUCTS[1:]
WEIGHTS = tuple(p for p in OTHERS if p.startswith("weight"))


@family("dense, products")
def _dense(draw: Draw) -> Dense:
    n_in, n_out = draw.integer(1, 12), draw.integer(1, 6)
    given = _given(draw, draw.choice(OTHERS), (n_in, n_out), (n_out,))
    if draw.integer(0, 1):
        divisors = [k for k in range(1, n_in + 1) if n_in % k == 0]
        given |= {"strategy": "resource", "reuse_factor": draw.choice(divisors)}
    return Dense(**given)


@family("conv, products")
def _convolution(draw: Draw) -> Conv1D | Conv2D:
    window = tuple(draw.integer(1, 3) for _ in range(draw.integer(1, 2)))
    return (Conv1D, Conv2D)[len(window) - 1](**_conv(draw, window))


@family("depthwise_conv, products")
def _depthwise_convolution(draw: Draw) -> DepthwiseConv1D | DepthwiseConv2D:
    window = tuple(draw.integer(1, 3) for _ in range(draw.integer(1, 2)))
    return (DepthwiseConv1D, DepthwiseConv2D)[len(window) - 1](**_depthwise(draw, window))


@family("einsum_dense, products")
def _einsum_dense(draw: Draw) -> EinsumDense:
    i, j, k = (draw.integer(1, 5) for _ in range(3))
    given = _given(draw, draw.choice(OTHERS), (j, k), (k,))
    return EinsumDense("ij,jk->ik", input_shape=(i, j), **given)


@family("gru, products")
def _gru(draw: Draw) -> GRU:
    inputs, states = draw.integer(1, 6), draw.integer(1, 4)
    product, recurrent = draw.choice(OTHERS), draw.choice(WEIGHTS)
    given = _given(draw, product, (inputs, 3 * states), (3 * states,))
    again = _given(draw, recurrent, (states, 3 * states), (3 * states,))
    again = {f"recurrent_{k}": again[k] for k in ("weight", "weight_type", "bias", "bias_type")}
    return GRU(
        **given,
        **again,
        recurrent_product=recurrent,
        length=draw.integer(1, 5),
        table_type=draw.type(),
        return_sequences=True,
    )


@family("normalize, products")
def _normalize(draw: Draw) -> BatchNorm:
    shape = (draw.integer(1, 4), draw.integer(1, 4))
    given = _given(draw, draw.choice(OTHERS), shape[1:], shape[1:])
    given["scale"], given["scale_type"] = given.pop("weight"), given.pop("weight_type")
    del given["accum"]
    return BatchNorm(input_shape=shape, **given)


@family("dot1d, products")
def _dot(draw: Draw) -> Dot:
    return Dot(draw.integer(1, 8), **_inputs(draw, ["weight_binary", "weight_ternary"]))


@family("einsum, products")
def _einsum(draw: Draw) -> Einsum:
    i, j, k = (draw.integer(1, 5) for _ in range(3))
    given = _inputs(draw, ["weight_binary", "weight_ternary", "data_binary", "both_binary"])
    while True:  # what the headers define is drawn soon
        try:
            return Einsum("ij,jk->ik", input1_shape=(i, j), input2_shape=(j, k), **given)
        except ValueError:
            given = _inputs(draw, ["weight_binary", "weight_ternary"])


def _types(draw: Draw, product: str) -> tuple[ApFixed, ApFixed]:
    """The types of input and weight."""
    weights = {"weight_ternary": SIGN, "weight_exponential": ApInt(draw.integer(2, 5))}
    weight = weights.get(product, draw.type())
    if product in ("weight_binary", "both_binary"):
        weight = BIT
    data = BIT if product in ("data_binary", "both_binary") else draw.type()
    return data, weight


def _inputs(draw: Draw, products: list[str]) -> dict[str, Any]:
    product = draw.choice(products)
    data, weight = _types(draw, product)
    return {
        "input1": data,
        "input2": weight,
        "accum": draw.accumulator(),
        "result": draw.type(),
        "product": product,
    }


def _given(
    draw: Draw, product: str, shape: tuple[int, ...], outputs: tuple[int, ...]
) -> dict[str, Any]:
    data, weight = _types(draw, product)
    bias = draw.type()
    stored = Product("", product, data, weight).stored
    codes = draw.codes(stored, shape)
    if product == "weight_exponential" and draw.integer(0, 1):
        # Small exponents, with which no shift loses a bit.
        codes = Fixed(np.clip(codes.codes, -4, 3), stored)
    return {
        "weight": codes,
        "bias": draw.codes(bias, outputs),
        "input": data,
        "weight_type": weight,
        "bias_type": bias,
        "accum": draw.accumulator(),
        "result": draw.type(),
        "product": product,
    }


def _conv(draw: Draw, window: tuple[int, ...]) -> dict[str, Any]:
    channels, filters = draw.integer(1, 4), draw.integer(1, 4)
    shape = geometry(draw, window, channels)
    strategy, terms = draw.choice(["latency", "resource"]), math.prod(window) * channels
    product = draw.choice(OTHERS)
    if math.prod(window) == 1 and strategy == "latency":
        product = draw.choice(WEIGHTS)  # the others take no padding there
    reuse = draw.choice([k for k in range(1, terms + 1) if terms % k == 0])
    return {
        **shape,
        **_given(draw, product, (*window, channels, filters), (filters,)),
        "strategy": strategy,
        "reuse_factor": reuse if strategy == "resource" else 1,
    }


def _depthwise(draw: Draw, window: tuple[int, ...]) -> dict[str, Any]:
    channels = draw.integer(1, 4)
    given = _given(draw, draw.choice(OTHERS), (*window, channels, 1), (channels,))
    return {**geometry(draw, window, channels), **given}
