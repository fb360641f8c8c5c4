"""HGQ2's quantizer layer: ``Quantizer`` with the place ``kif``, on the Keras backend there is."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

import numpy as np

from harness.conformance.subject import floats, need
from harness.types import ApFixed, MiniFloat, Overflow, Rounding

os.environ.setdefault("KERAS_BACKEND", "torch")  # read when keras is imported

import keras
from hgq.quantizer.internal import (
    FixedPointQuantizerKIF,
    FloatPointQuantizer,
)

__all__ = ["quantize"]

ROUNDINGS = (Rounding.RND, Rounding.TRN, Rounding.RND_CONV)
OVERFLOWS = (Overflow.WRAP, Overflow.SAT, Overflow.SAT_SYM)


def quantize(x: Any, t: Any) -> Any:
    """Values of ``x``; Keras computes in float32."""
    values = floats(x, t, "float32")
    need(isinstance(t, ApFixed | MiniFloat), "has ap_fixed and minifloats")
    if isinstance(t, ApFixed):
        need(t.rounding in ROUNDINGS, "rounds by RND, TRN and RND_CONV")
        need(t.overflow in OVERFLOWS and t.n == 0, "overflows by WRAP, SAT and SAT_SYM, without N")
    return np.asarray(keras.ops.convert_to_numpy(_layer(t)(values)))


@lru_cache(maxsize=256)
def _layer(t: Any) -> Any:
    one: Any = {"homogeneous_axis": (0,)}  # the same bits for every element
    if isinstance(t, MiniFloat):
        return FloatPointQuantizer(t.m, t.e, t.e0, **one)
    k, i, f = t.kif
    free = {"ic": None, "fc": None}  # without training's bounds, which would clip the bits
    return FixedPointQuantizerKIF(k, i, f, t.rounding.name, t.overflow.name, **free, **one)
