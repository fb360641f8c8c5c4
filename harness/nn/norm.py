"""Quantized normalizations, their statistics and normalized values quantized by name."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.nn.base import ExplicitModule

__all__ = ["QuantizedLayerNorm", "QuantizedRMSNorm"]


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
