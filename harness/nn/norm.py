"""Quantized normalizations, and the mixin of all modules that compute step by step.

A torch module computes in one kernel, whose inner results no quantizer reaches.
:class:`ExplicitModule` leaves it so until one of the inner points is quantized, and then runs the
module's ``explicit``, which says the same in single operations and names each result.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from harness.nn.base import QuantizedModule

__all__ = ["ExplicitModule", "QuantizedLayerNorm", "QuantizedRMSNorm"]


class ExplicitModule(QuantizedModule):
    """A mixin: the parent's own forward, or ``explicit`` where something inside is quantized."""

    def explicit(self, *args: Any, **kwargs: Any) -> Any:
        """What the parent computes, up to the order of operations, with its points quantized."""
        raise NotImplementedError

    def is_explicit(self) -> bool:
        """Whether the next forward is ``explicit``: a point has a quantizer."""
        return any(point is not None for point in self.intermediate_quantizers.values())

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The parent's forward or ``explicit``, on quantized inputs and parameters."""
        replaced = self.kernel is not None and not self._observing()
        if replaced or not self.is_explicit():
            return super().forward(*args, **kwargs)
        args, kwargs = self._quantized_inputs(args, kwargs)
        with self._quantized_parameters():
            result = self.explicit(*args, **kwargs)
        return self._quantized_outputs(result)


class QuantizedLayerNorm(ExplicitModule, nn.LayerNorm):
    """``LayerNorm``: m = mean x, s = mean (x - m)², r = 1 / √(s + ε), n = (x - m) r, y = n w + b.

    The points are m, s, r and n.  The inner results are float32 at least, as the parent's.
    """

    points = ("mean", "variance", "inverse_deviation", "normalized")

    def explicit(self, input: Tensor) -> Tensor:  # noqa: A002 - as the parent calls it
        """``input``, of shape (*, normalized_shape), normalized over its last dimensions."""
        x, last = _widened(input, self.normalized_shape)
        x = x - self.point("mean", x.mean(last, keepdim=True))
        variance = self.point("variance", x.square().mean(last, keepdim=True))
        x = x * self.point("inverse_deviation", torch.rsqrt(variance + self.eps))
        return _scaled(self.point("normalized", x), self.weight, self.bias).to(input.dtype)


class QuantizedRMSNorm(ExplicitModule, nn.RMSNorm):
    """``RMSNorm``: s = mean x², n = x / √(s + ε), y = n w; the points are s and n."""

    points = ("mean_square", "normalized")

    def explicit(self, input: Tensor) -> Tensor:  # noqa: A002 - as the parent calls it
        """``input``, of shape (*, normalized_shape), normalized over its last dimensions."""
        x, last = _widened(input, self.normalized_shape)
        eps = torch.finfo(x.dtype).eps if self.eps is None else self.eps
        square = self.point("mean_square", x.square().mean(last, keepdim=True))
        x = x * torch.rsqrt(square + eps)
        return _scaled(self.point("normalized", x), self.weight, None).to(input.dtype)


def _widened(x: Tensor, shape: tuple[int, ...]) -> tuple[Tensor, list[int]]:
    """``x`` as float32 at least, and its last dimensions, which must have the shape.

    Raises:
        RuntimeError: if they have another.
    """
    if tuple(x.shape[-len(shape) :]) != tuple(shape):
        raise RuntimeError(f"the input's last dimensions are {tuple(shape)}, not {tuple(x.shape)}")
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return wide, list(range(-len(shape), 0))


def _scaled(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    x = x if weight is None else x * weight
    return x if bias is None else x + bias
