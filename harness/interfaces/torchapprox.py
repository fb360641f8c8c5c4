"""The quantizers of torchapprox's interface: min-max and PACT, to integers at a scale.

``forward`` gives values, ``quantize`` integers; ``scale_factor`` is what a value is multiplied
with.  Integers are symmetric, from ``-int_max`` to ``int_max``.  What is mended: PACT's gradient
for alpha counts what is clipped below with the opposite sign, alpha stays positive, and a tensor of
zeros has a finite scale.  The arithmetic is float64's, whatever the dtype: for tensors of up to 24
bits of significand it finds the integer of the exact quotient, and the value is rounded once.
"""

from __future__ import annotations

from harness.extras import need

need("torch", "harness.interfaces.torchapprox", "torch")

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from harness.nn.state import KeepsFacts
from harness.nn.steps import narrowed

__all__ = ["ApproxQuantizer", "MinMaxQuant", "PACTQuant"]

#: What keeps a scale finite: the smallest range, and PACT's smallest alpha.
TINY = 1e-8


class ApproxQuantizer(KeepsFacts):
    """The interface of both quantizers.

    Args:
        bitwidth: of the integers, sign included, 2 to 24.

    Raises:
        ValueError: for another bit width.
    """

    def __init__(self, bitwidth: int = 8) -> None:
        super().__init__()
        self.bitwidth = bitwidth

    @property
    def bitwidth(self) -> int:
        """The configured bit width."""
        return self._bitwidth

    @bitwidth.setter
    def bitwidth(self, bits: int) -> None:
        if isinstance(bits, bool) or not isinstance(bits, int) or not 2 <= bits <= 24:
            raise ValueError(f"bitwidth must be an integer from 2 to 24, not {bits!r}")
        self._bitwidth = bits

    @property
    def int_max(self) -> int:
        """The highest integer."""
        return (1 << (self.bitwidth - 1)) - 1

    @property
    def scale_factor(self) -> float:
        """What a float is multiplied with to reach the range of integers."""
        return self.int_max / float(self.limit.detach())

    def facts(self) -> dict[str, Any]:
        """The bit width."""
        return {"bitwidth": self.bitwidth}

    def restore(self, facts: dict[str, Any]) -> None:
        """The inverse."""
        self.bitwidth = facts["bitwidth"]

    def quantize(self, x: Tensor) -> Tensor:
        """Integers, as floats, with a straight-through gradient.

        Raises:
            ValueError: if the dtype of ``x`` does not hold them.
        """
        if self.int_max > 2 / torch.finfo(x.dtype).eps:
            raise ValueError(f"{x.dtype} does not hold every integer up to {self.int_max}")
        self.observe(x)
        limit = self.limit.detach()
        integers: Tensor = _Integers.apply(x, limit, self.int_max)  # type: ignore[no-untyped-call]
        return integers

    @property
    @abstractmethod
    def limit(self) -> Tensor:
        """The magnitude that becomes ``int_max``; what lies beyond is clipped to it."""

    def forward(self, x: Tensor) -> Tensor:
        """The values that the integers stand for."""
        self.observe(x)
        limit = self.limit
        values: Tensor = _Values.apply(x, limit, self.int_max)  # type: ignore[no-untyped-call]
        return values

    def observe(self, x: Tensor) -> None:
        """Take in a tensor that is to be quantized."""


def _integers(x: Tensor, limit: Tensor, int_max: int) -> Tensor:
    """``round(clamp(x, -limit, limit) * int_max / limit)``, in float64."""
    x, limit = x.double(), limit.double()
    return torch.round(x.clamp(-limit, limit) * int_max / limit)


class _Integers(torch.autograd.Function):
    """The integers, in the dtype of ``x``."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, limit: Tensor, int_max: int) -> Tensor:
        ctx.save_for_backward(x, limit)
        ctx.int_max = int_max
        return _integers(x, limit, int_max).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None, None]:
        (gradient,), (x, limit) = gradients, ctx.saved_tensors
        slope = (ctx.int_max / limit).to(x.dtype)
        return torch.where(x.abs() <= limit, gradient, 0) * slope, None, None


class _Values(torch.autograd.Function):
    """The values of these integers; the limit's gradient is 1 above it, -1 below its opposite."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, limit: Tensor, int_max: int) -> Tensor:
        ctx.save_for_backward(x, limit)
        return narrowed(_integers(x, limit, int_max) * limit.double() / int_max, x.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, Tensor, None]:
        (gradient,), (x, limit) = gradients, ctx.saved_tensors
        inside = x.abs() <= limit
        clipped = torch.where(inside, 0, gradient) * torch.sign(x)
        to_limit = clipped.to(limit.dtype).sum().reshape(limit.shape)
        return torch.where(inside, gradient, 0), to_limit, None


class MinMaxQuant(ApproxQuantizer):
    """Integers over the range observed in training: its largest magnitude becomes ``int_max``."""

    Quant = _Integers
    minmax: Tensor

    def __init__(self, bitwidth: int = 8) -> None:
        super().__init__(bitwidth)
        self.register_buffer("minmax", torch.zeros(2))

    @property
    def limit(self) -> Tensor:
        """The largest magnitude observed."""
        return self.minmax.abs().max().clamp(min=TINY)

    def observe(self, x: Tensor) -> None:
        """In training, widen the range to hold ``x``."""
        if self.training and x.numel():
            low, high = torch.aminmax(x.detach().float())
            self.minmax[0] = torch.minimum(self.minmax[0], low)
            self.minmax[1] = torch.maximum(self.minmax[1], high)


class PACTQuant(ApproxQuantizer):
    """Integers up to a learned clipping value alpha, on both sides of 0."""

    Quant = _Integers

    def __init__(self, bitwidth: int = 8, alpha: float = 10.0) -> None:
        super().__init__(bitwidth)
        if not alpha > 0:
            raise ValueError(f"alpha must be positive, not {alpha}")
        self.alpha = nn.Parameter(torch.tensor(float(alpha)))

    @property
    def limit(self) -> Tensor:
        """Alpha, kept positive; its gradient passes even where an optimizer stepped below."""
        kept = self.alpha.detach().clamp(min=TINY)
        return kept + (self.alpha - self.alpha.detach())
