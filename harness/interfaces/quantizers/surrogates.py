"""The released rules of gradients: exact values forward, and backward another function's gradient.

fixed point
    x: passes within the range, and everywhere for modes that wrap; where ``WRAP_SM`` mirrors, with
    the opposite sign.  i and f: as :mod:`harness.nn.trainable` has it, but for modes that wrap the
    error is that of rounding alone.
minifloat
    x passes everywhere.  With d = x - q, the exponent E of x and s = ``2**(e - 1)``:
    m: ``ln2 (x - r)`` where r is rounded alone, and 0 where E is above the range.
    e: ``ln2**2 s d`` where E is outside the range; e0: ``ln2 d`` above it, ``-ln2 d`` below.
binary, ternary
    ``1 - tanh(x)**2``.

Widths are rounded to integers.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from harness.nn.straight_through import fake_quantize
from harness.nn.trainable import fixed_with_bits
from harness.quantize import quantize, quantize_fixed, quantize_minifloat
from harness.types import NumberType, Overflow

__all__ = ["fixed", "minifloat", "one_bit", "valued"]

LN2 = math.log(2)


def valued(value: Tensor, surrogate: Tensor) -> Tensor:
    """A tensor with this value, and the gradient of the surrogate, which has its shape."""
    result: Tensor = _Valued.apply(value, surrogate)  # type: ignore[no-untyped-call]
    return result


def fixed(
    x: Any, k: Any, i: Any, f: Any, rounding: Any, overflow: Overflow | None, seed: int | None
) -> Tensor:
    """``quantize_fixed`` with a gradient for ``x``, ``i`` and ``f``, each an array or a tensor."""
    x = torch.as_tensor(x)
    if overflow is None or not overflow.wraps:
        return fixed_with_bits(x, k, i, f, rounding, overflow, seed)
    signs, integers, fractions = (_whole(bits) for bits in (k, i, f))
    value = quantize_fixed(x.detach(), signs, integers, fractions, rounding, overflow, seed)
    rounded = fixed_with_bits(x, k, i, f, rounding, None, seed)
    if overflow is Overflow.WRAP:
        return valued(value, rounded)
    # Mirrored values differ from the rounded ones by no multiple of the range.
    span = torch.exp2((signs + integers).double())
    straight = torch.remainder(rounded.detach().double(), span) == torch.remainder(value, span)
    mirrored = -rounded - torch.exp2(-torch.as_tensor(f, dtype=x.dtype))
    return valued(value, torch.where(straight, rounded, mirrored))


def minifloat(x: Any, m: Any, e: Any, e0: Any) -> Tensor:
    """``quantize_minifloat`` with a gradient for all four, each an array or a tensor."""
    x, m, e, e0 = (torch.as_tensor(operand) for operand in (x, m, e, e0))
    whole = [_whole(bits) for bits in (m, e, e0)]
    value = quantize_minifloat(x.detach(), *whole)
    exact, (m_, e_, e0_) = x.detach().double(), (bits.double() for bits in whole)
    half = torch.exp2(e_ - 1)
    low, high = 1 - half + e0_, half - 1 + e0_
    exponent = torch.frexp(exact)[1].double() - 1
    used = torch.minimum(torch.maximum(exponent, low), high)
    step = torch.exp2(used - m_)
    of_m = LN2 * torch.where(exponent > high, 0, exact - torch.round(exact / step) * step)
    moved = LN2 * torch.where(exponent != used, exact - value, 0)
    rules = (of_m, LN2 * half * moved, torch.where(exponent > high, moved, -moved))
    surrogate = x.double() + sum(w * rule for w, rule in zip((m, e, e0), rules, strict=True))
    return valued(value, surrogate.to(value.dtype))


def one_bit(x: Tensor, t: NumberType, gradient: str) -> Tensor:
    """``quantize(x, t)`` of a binary or ternary type, with one of the two gradients."""
    if gradient == "straight_through":
        return fake_quantize(x, t)
    return valued(quantize(x.detach(), t), torch.tanh(x))


def _whole(bits: Any) -> Tensor:
    """Bit widths as the integers that are used."""
    return torch.round(torch.as_tensor(bits).detach().double()).to(torch.int64)


class _Valued(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, surrogate: Tensor) -> Tensor:  # noqa: ARG004
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[None, Any]:  # noqa: ARG004
        return None, gradients[0]
