"""Batch normalisation: ``nnet_batchnorm.h``."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.fixed import Fixed
from harness.hls.layers.layer import Shape, ShapeError, TypedLayer
from harness.hls.layers.products import Product, times
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed, ApInt

__all__ = ["BatchNorm", "BatchNormBinaryTanh", "BatchNormTernaryTanh"]


class _PerChannel(TypedLayer):
    """A layer with parameters of every element, or of every channel."""

    source = "layers/batchnorm.h"

    def _shape(self, values: Any) -> Shape:
        """The shape of the parameters.

        Raises:
            ShapeError: if it is neither the input's nor one number per channel.
        """
        shape = tuple(np.shape(getattr(values, "codes", values)))
        if shape == self.input_shapes[0]:
            return shape
        if len(shape) != 1 or not shape[0] or self.sizes[0] % shape[0]:
            raise ShapeError(
                f"{self.name}: parameters of shape {shape} do not fit inputs of shape "
                f"{self.input_shapes[0]}; allowed: that shape, or one number per channel"
            )
        return shape

    def _spread(self, name: str) -> Fixed:
        """A parameter, one number for each element."""
        flat = self.fixed(name).reshape(-1)
        return flat[np.arange(self.sizes[0]) % len(flat)].reshape(self.input_shapes[0])

    def _filters(self, name: str) -> int:
        """What the kernel calls ``n_filt``: -1 for parameters of every element."""
        shape = self.fixed(name).shape
        return -1 if shape == self.input_shapes[0] else shape[0]


class BatchNorm(_PerChannel):
    """``result = x * scale + bias``, exact up to the conversion of the result.

    Args:
        scale: one number per element, of the input's shape, or one per channel.  Of fewer channels
            than the last axis has, element ``k`` takes number ``k % n_filt``.
        bias: of the same shape; zeros if ``None``.
        input: the type of the input.
        input_shape: its shape.
        scale_type, bias_type: the types of the parameters.
        result: the type of the output.
        product: how an input is multiplied by its scale, see :class:`Dense`.

    Source:
        hls4ml ``nnet::normalize``.
    """

    corners = True

    def __init__(
        self,
        scale: Any,
        bias: Any = None,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        scale_type: ApFixed | str,
        bias_type: ApFixed | str,
        result: ApFixed | str,
        product: str = "mult",
    ) -> None:
        super().__init__([input], [input_shape], result, input_shape)
        shape = self._shape(scale)
        self.product = Product(self.name, product, input, scale_type)
        self.corners = product != "weight_exponential"  # which may wrap
        self.parameter("scale", self.product.weights(scale), self.product.stored, shape)
        self.parameter("bias", np.zeros(shape) if bias is None else bias, bias_type, shape)

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        scaled = times(self.product.name, inputs[0], self._spread("scale"))
        return (scaled + self._spread("bias")).to(self.result)

    def constants(self) -> tuple[Fixed, ...]:
        """Scales and biases."""
        return self.fixed("scale"), self.fixed("bias")

    def kernel(self) -> LayerKernel:
        """``batchnorm``."""
        scale, product = self.product.cpp
        arguments = (
            self.input_types[0],
            scale,
            self.parameter_types["bias"],
            self.result,
            self.sizes[0],
            self._filters("scale"),
            product,
        )
        return LayerKernel(self.source, "batchnorm", arguments)


class BatchNormBinaryTanh(_PerChannel):
    """``result = x >= threshold``, one bit: batch normalisation and binary tanh in one.

    Args:
        threshold: one number per element, of the input's shape, or one per channel.
        input: the type of the input and of the thresholds.
        input_shape: its shape.

    Source:
        hls4ml ``nnet::normalize_binary_tanh``.
    """

    monotone = True

    def __init__(
        self,
        threshold: Any,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
    ) -> None:
        super().__init__([input], [input_shape], ApInt(1, signed=False), input_shape)
        shape = self._shape(threshold)
        self.parameter("threshold", threshold, self.input_types[0], shape)

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        above = inputs[0] >= self._spread("threshold")
        return Fixed(above.astype(np.int64), self.result)

    def constants(self) -> tuple[Fixed, ...]:
        """The thresholds."""
        return (self.fixed("threshold"),)

    def kernel(self) -> LayerKernel:
        """``batchnorm_binary_tanh``."""
        arguments = (self.input_types[0], self.sizes[0], self._filters("threshold"))
        return LayerKernel(self.source, "batchnorm_binary_tanh", arguments)


class BatchNormTernaryTanh(_PerChannel):
    """1 above the upper threshold, else -1 up to the lower one, else 0; two bits.

    Args:
        threshold_hi: the upper thresholds: one per element, of the input's shape, or per channel.
        threshold_lo: the lower ones, of the same shape.
        input: the type of the input and of the thresholds.
        input_shape: its shape.

    Source:
        hls4ml ``nnet::normalize_ternary_tanh``.
    """

    monotone = True

    def __init__(
        self,
        threshold_hi: Any,
        threshold_lo: Any,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
    ) -> None:
        super().__init__([input], [input_shape], ApInt(2), input_shape)
        shape = self._shape(threshold_hi)
        self.parameter("threshold_hi", threshold_hi, self.input_types[0], shape)
        self.parameter("threshold_lo", threshold_lo, self.input_types[0], shape)

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        above = inputs[0] > self._spread("threshold_hi")
        below = inputs[0] <= self._spread("threshold_lo")
        return Fixed(np.where(above, 1, np.where(below, -1, 0)), self.result)

    def constants(self) -> tuple[Fixed, ...]:
        """Upper and lower thresholds."""
        return self.fixed("threshold_hi"), self.fixed("threshold_lo")

    def kernel(self) -> LayerKernel:
        """``batchnorm_ternary_tanh``."""
        arguments = (self.input_types[0], self.sizes[0], self._filters("threshold_hi"))
        return LayerKernel(self.source, "batchnorm_ternary_tanh", arguments)
