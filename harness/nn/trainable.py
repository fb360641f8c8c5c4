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

from harness.nn.exported import exported_fixed, exported_minifloat
from harness.nn.state import KeepsFacts
from harness.nn.straight_through import is_traced
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
    widths = [torch.as_tensor(width, device=x.device) for width in (k, i, f)]
    over = None if overflow is None else Overflow.parse(overflow)
    mode = parse_rounding(rounding)
    if is_traced():
        if isinstance(mode, StochasticRounding):
            raise ValueError(f"{mode.name} is by chance, which no graph can keep apart")
        if torch.onnx.is_in_onnx_export():
            return exported_fixed(x, map(_whole, widths), mode, over)
        compiled: Tensor = _fixed_operator(x, *widths, mode.name, "" if over is None else over.name)
        return compiled
    y: Tensor = _Fixed.apply(x, *widths, mode, over, rng)  # type: ignore[no-untyped-call]
    return y


def minifloat_with_bits(x: Tensor, m: Any, e: Any, e0: Any) -> Tensor:
    """``quantize_minifloat`` with a gradient for ``x``, and surrogates for widths."""
    bits = [torch.as_tensor(width, device=x.device) for width in (m, e, e0)]
    traced = is_traced()
    if traced and torch.onnx.is_in_onnx_export():
        return exported_minifloat(x, map(_whole, bits))
    compute: Any = _minifloat_operator if traced else _MiniFloat.apply
    y: Tensor = compute(x, *bits)
    return y


def _whole(bits: Tensor) -> Tensor:
    """Bit widths as the integers that are used."""
    return torch.round(bits.detach().double()).to(torch.int64)


def _plain(bits: Tensor) -> Any:
    """... as a Python integer, or an array."""
    whole = _whole(bits)
    return int(whole) if whole.dim() == 0 else whole.cpu().numpy()


def _fixed_gradients(
    gradient: Tensor, x: Tensor, widths: tuple[Tensor, ...], modes: Any, y: Tensor | None = None
) -> tuple[Tensor, None, Tensor, Tensor]:
    """Of x, k, i and f; ``y`` is what came out, where that is by chance."""
    k, i, f = widths
    rounding, overflow = modes
    y = fixed_with_bits(x, k, i, f, rounding, overflow) if y is None else y
    k, i, f = map(_whole, widths)
    saturates = overflow is not None and not overflow.wraps
    symmetric = overflow is Overflow.SAT_SYM
    of_bound_i, of_bound_f = 2.0 ** i.double(), 2.0 ** (-f).double()
    bits = k + i + f >= 1
    high = torch.where(bits, of_bound_i - of_bound_f, 0)
    low = torch.where(bits, -k * (high if symmetric else of_bound_i), 0)
    above, below = (x > high) & saturates, (x < low) & saturates
    inside = ~(above | below)
    side = (above.to(y.dtype) - below.to(y.dtype) * k) * gradient
    of_i = side * of_bound_i * LN2
    of_f = torch.where(inside, gradient * (x - y), 0) * LN2
    of_f = of_f + (side if symmetric else side.masked_fill(below, 0)) * of_bound_f * LN2
    _, shape_i, shape_f = (width.shape for width in widths)
    widths_to = (of_i.sum_to_size(shape_i), of_f.sum_to_size(shape_f))
    return torch.where(inside, gradient, 0), None, *widths_to


def _minifloat_gradients(
    gradient: Tensor, x: Tensor, widths: tuple[Tensor, ...]
) -> tuple[Tensor, ...]:
    """Of x, m, e and e0."""
    y = minifloat_with_bits(x, *widths)
    m, e, e0 = (_whole(width).double() for width in widths)
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
        (gradient * rule * LN2).sum_to_size(width.shape)
        for rule, width in zip(rules, widths, strict=True)
    ]
    return torch.where(inside, gradient, 0), *found


class _Fixed(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, k: Tensor, i: Tensor, f: Tensor, rounding: Any, overflow: Any, rng: Any
    ) -> Tensor:
        y: Tensor = quantize_fixed(
            x.detach(), _plain(k), _plain(i), _plain(f), rounding, overflow, rng
        )
        # What can be computed again is not kept: a ReLU in place may follow.
        ctx.modes = rounding, overflow
        ctx.save_for_backward(x, k, i, f, *([y] if rounding.stochastic else []))
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
        x, *widths = ctx.saved_tensors
        drawn = widths[3] if ctx.modes[0].stochastic else None
        found = _fixed_gradients(gradients[0], x, tuple(widths[:3]), ctx.modes, drawn)
        return *found, None, None, None


class _MiniFloat(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, m: Tensor, e: Tensor, e0: Tensor) -> Tensor:
        y: Tensor = quantize_minifloat(x.detach(), *map(_plain, (m, e, e0)))
        ctx.save_for_backward(x, m, e, e0)
        return y

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
        x, *widths = ctx.saved_tensors
        return _minifloat_gradients(gradients[0], x, tuple(widths))


@torch.library.custom_op("harness::quantize_fixed", mutates_args=())
def _fixed_operator(
    x: Tensor, k: Tensor, i: Tensor, f: Tensor, rounding: str, overflow: str
) -> Tensor:
    """What ``torch.compile`` sees, modes by their names."""
    over = Overflow[overflow] if overflow else None
    mode = Rounding[rounding]
    y: Tensor = quantize_fixed(x.detach(), _plain(k), _plain(i), _plain(f), mode, over)
    return y


@torch.library.custom_op("harness::quantize_minifloat", mutates_args=())
def _minifloat_operator(x: Tensor, m: Tensor, e: Tensor, e0: Tensor) -> Tensor:
    """Likewise."""
    y: Tensor = quantize_minifloat(x.detach(), *map(_plain, (m, e, e0)))
    return y


@_fixed_operator.register_fake
@_minifloat_operator.register_fake
def _(x: Tensor, *widths: Any) -> Tensor:
    shape = torch.broadcast_shapes(x.shape, *(width.shape for width in widths[:3]))  # type: ignore[no-untyped-call]
    return x.new_empty(shape)


def _remember_fixed(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG001
    *tensors, rounding, overflow = inputs
    ctx.save_for_backward(*tensors)
    ctx.modes = Rounding[rounding], Overflow[overflow] if overflow else None


def _remember_minifloat(
    ctx: Any,
    inputs: tuple[Any, ...],
    output: Tensor,  # noqa: ARG001
) -> None:
    ctx.save_for_backward(*inputs)


def _pass_back_fixed(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    x, *widths = ctx.saved_tensors
    return *_fixed_gradients(gradient, x, tuple(widths), ctx.modes), None, None


def _pass_back_minifloat(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    x, *widths = ctx.saved_tensors
    return _minifloat_gradients(gradient, x, tuple(widths))


_fixed_operator.register_autograd(_pass_back_fixed, setup_context=_remember_fixed)
_minifloat_operator.register_autograd(_pass_back_minifloat, setup_context=_remember_minifloat)


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
