"""Bit widths that are trained: a surrogate gradient for each, element by element.

The forward value is bit for bit that of the type with the widths rounded to integers.  The rules,
with q the quantized value and d = x - q its error, say how both would move if a width were a real
number:

fixed point
    f: ``ln2 d`` within the range, where the error halves with each bit.
    i: 0 within, and everywhere for modes that wrap.
    Beyond, both follow the bound, whatever a saturating mode makes of what lies there: ``2**i -
    2**-f`` above moves by ``ln2 2**i`` and ``ln2 2**-f``, and ``-2**i`` below by ``-ln2 2**i`` and
    0; ``SAT_SYM`` has the opposite of the upper one below.  A type without bits has 0 alone, and
    so its widths come back.
minifloat
    m: ``ln2 d`` within the range; beyond, as the bound moves, ``ln2 2**-m L`` with the sign of x,
    where L is the largest power of two.
    e: ``ln2 q s`` beyond, ``ln2 d s`` among the subnormals, where ``s = ln2 2**(e - 1)`` is how far
    the ends of the exponents move apart.
    e0: ``ln2 q`` beyond, ``-ln2 d`` among the subnormals: all exponents move.

The gradient of x is straight through within the range and 0 beyond it, or passes where a mode
wraps.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from harness.nn.state import KeepsFacts
from harness.quantize import quantize_fixed, quantize_minifloat
from harness.types import Overflow, Rounding, StochasticRounding, parse_rounding

__all__ = ["TrainableFixed", "TrainableMiniFloat", "fixed_with_bits", "minifloat_with_bits"]

LN2 = math.log(2)


def fixed_with_bits(
    x: Tensor,
    k: Any,
    i: Any,
    f: Any,
    rounding: Rounding | StochasticRounding | str = "RND_CONV",
    overflow: Overflow | str | None = "SAT",
    rng: Any = None,
) -> Tensor:
    """``quantize_fixed`` with a gradient for ``x``, and surrogates for ``i`` and ``f`` if tensors.

    Args:
        x: a float tensor.
        k: 1 to keep the sign, else 0; like ``i`` and ``f`` it broadcasts against ``x``.
        i: integer bits without the sign; rounded to integers.
        f: fractional bits; rounded to integers.
        rounding: a mode.
        overflow: a mode; ``None`` for none.
        rng: for rounding by chance.
    """
    i, f = (torch.as_tensor(width) for width in (i, f))
    over = None if overflow is None else Overflow.parse(overflow)
    modes = (parse_rounding(rounding), over, rng)
    y: Tensor = _Fixed.apply(x, torch.as_tensor(k), i, f, *modes)  # type: ignore[no-untyped-call]
    return y


def minifloat_with_bits(x: Tensor, m: Any, e: Any, e0: Any) -> Tensor:
    """``quantize_minifloat`` with a gradient for ``x``, and surrogates for widths."""
    bits = [torch.as_tensor(width) for width in (m, e, e0)]
    y: Tensor = _MiniFloat.apply(x, *bits)  # type: ignore[no-untyped-call]
    return y


def _whole(bits: Tensor) -> Any:
    """Bit widths as the integers that are used: a Python one, or a tensor."""
    whole = torch.round(bits.detach().double()).to(torch.int64)
    return int(whole) if whole.dim() == 0 else whole


def _numpy(whole: Any) -> Any:
    return whole.cpu().numpy() if isinstance(whole, Tensor) else whole


class _Fixed(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, k: Tensor, i: Tensor, f: Tensor, rounding: Any, overflow: Any, rng: Any
    ) -> Tensor:
        ctx.bits, ctx.shapes = tuple(_whole(bits) for bits in (k, i, f)), (i.shape, f.shape)
        k, i, f = (_numpy(bits) for bits in ctx.bits)
        y: Tensor = quantize_fixed(x.detach(), k, i, f, rounding, overflow, rng)
        ctx.save_for_backward(x, y)
        ctx.overflow = overflow
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
        (gradient,), (x, y), (k, i, f) = gradients, ctx.saved_tensors, ctx.bits
        saturates = ctx.overflow is not None and not ctx.overflow.wraps
        symmetric = ctx.overflow is Overflow.SAT_SYM
        of_bound_i, of_bound_f = (2.0 ** torch.as_tensor(w, dtype=torch.float64) for w in (i, -f))
        bits = torch.as_tensor(k + i + f >= 1)
        high = torch.where(bits, of_bound_i - of_bound_f, 0)
        low = torch.where(bits, -k * (high if symmetric else of_bound_i), 0)
        above, below = (x > high) & saturates, (x < low) & saturates
        inside = ~(above | below)
        side = (above.to(y.dtype) - below.to(y.dtype) * k) * gradient
        of_i = side * of_bound_i * LN2
        of_f = torch.where(inside, gradient * (x - y), 0) * LN2
        of_f = of_f + (side if symmetric else side.masked_fill(below, 0)) * of_bound_f * LN2
        shape_i, shape_f = ctx.shapes
        widths = (of_i.sum_to_size(shape_i), of_f.sum_to_size(shape_f))
        return torch.where(inside, gradient, 0), None, *widths, None, None, None


class _MiniFloat(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, m: Tensor, e: Tensor, e0: Tensor) -> Tensor:
        ctx.bits = tuple(_whole(bits) for bits in (m, e, e0))
        y: Tensor = quantize_minifloat(x.detach(), *(_numpy(bits) for bits in ctx.bits))
        ctx.save_for_backward(x, y)
        ctx.shapes = m.shape, e.shape, e0.shape
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
        (gradient,), (x, y), (m, e, e0) = gradients, ctx.saved_tensors, ctx.bits
        half = 2.0 ** (e - 1)
        power = 2.0 ** (half - 1 + e0)
        largest = (2 - 2.0**-m) * power
        inside = x.abs() <= largest
        subnormal = x.abs() < 2.0 ** (1 - half + e0)
        error, apart = x - y, LN2 * half
        of_m = torch.where(inside, error, torch.sign(x) * (2.0**-m * power))
        ends = torch.where(inside, torch.where(subnormal, error, 0), y)
        moved = torch.where(inside, torch.where(subnormal, -error, 0), y)
        rules = (of_m, ends * apart, moved)
        found = [
            (gradient * rule * LN2).sum_to_size(shape)
            for rule, shape in zip(rules, ctx.shapes, strict=True)
        ]
        return torch.where(inside, gradient, 0), *found


class TrainableFixed(KeepsFacts):
    """Fixed point whose integer and fractional bits are parameters.

    Args:
        shape: of the bit widths; it broadcasts against what is quantized.
        integer_bits: to start from, without the sign.
        fractional_bits: to start from.
        keep_negative: whether there is a sign.
        rounding: a mode of the hardware.
        overflow: a mode.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (),
        integer_bits: float = 2.0,
        fractional_bits: float = 6.0,
        keep_negative: bool = True,
        rounding: Rounding | str = "RND_CONV",
        overflow: Overflow | str = "SAT",
    ) -> None:
        super().__init__()
        self.integer_bits = nn.Parameter(torch.full(shape, float(integer_bits)))
        self.fractional_bits = nn.Parameter(torch.full(shape, float(fractional_bits)))
        self.keep_negative = bool(keep_negative)
        self.rounding, self.overflow = Rounding.parse(rounding), Overflow.parse(overflow)

    def forward(self, x: Tensor) -> Tensor:
        """The values in the types of now."""
        bits = self.integer_bits, self.fractional_bits
        return fixed_with_bits(x, self.keep_negative, *bits, self.rounding, self.overflow)

    def facts(self) -> dict[str, Any]:
        """The sign and the modes."""
        modes = {"rounding": self.rounding.name, "overflow": self.overflow.name}
        return {"keep_negative": self.keep_negative, **modes}

    def restore(self, facts: dict[str, Any]) -> None:
        """The inverse."""
        rounding, overflow = Rounding.parse(facts["rounding"]), Overflow.parse(facts["overflow"])
        self.keep_negative = bool(facts["keep_negative"])
        self.rounding, self.overflow = rounding, overflow

    @property
    def bits(self) -> Tensor:
        """The whole width, sign included, with a gradient: what a budget of bits sums."""
        return torch.relu(self.integer_bits + self.fractional_bits) + self.keep_negative


class TrainableMiniFloat(nn.Module):
    """The open minifloat whose mantissa and exponent bits and bias are parameters."""

    def __init__(
        self, shape: tuple[int, ...] = (), m: float = 4.0, e: float = 4.0, e0: float = 0.0
    ) -> None:
        super().__init__()
        self.m = nn.Parameter(torch.full(shape, float(m)))
        self.e = nn.Parameter(torch.full(shape, float(e)))
        self.e0 = nn.Parameter(torch.full(shape, float(e0)))

    def forward(self, x: Tensor) -> Tensor:
        """The values in the types of now."""
        return minifloat_with_bits(x, self.m, self.e, self.e0)

    @property
    def bits(self) -> Tensor:
        """The whole width, sign included, with a gradient."""
        return self.m + self.e + 1
