"""Quantizers as ``torch.onnx.export`` writes them: operators of the standard, and no others.

Where ONNX has a pair for it, ``QuantizeLinear`` and ``DequantizeLinear``: integers of up to 8 bits,
affine, or fixed point that rounds to even and saturates.  (Those of 16 bits need an operator set
that a traced module cannot ask for.)  All else is arithmetic in float64 without an error, as
:mod:`harness.quantize.fixed_values` has it for the processor; that an element is NaN, a graph
cannot refuse.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from harness.quantize.plan import FLOATS, float_misfit, plan
from harness.types import (
    ApFixed,
    ApInt,
    Binary,
    BinaryFloat,
    FloatOverflow,
    FloatRounding,
    MiniFloat,
    NumberType,
    Overflow,
    Rounding,
)

__all__ = [
    "check_exported",
    "check_exported_affine",
    "exported",
    "exported_affine",
    "exported_fixed",
    "exported_minifloat",
]

#: Beyond these a scaled float32 could leave the range of float64, and a code its significand.
_MAX_SHIFT, _MAX_BITS = 800, 52
#: Integers below which the quotient of two float32, rounded to float64, is rounded once.
_NEAR = 2**26


class _Range(NamedTuple):
    """The codes of a fixed-point type, as tensors of float64."""

    lower: Tensor
    upper: Tensor
    modulus: Tensor
    signed: Tensor
    low_modulus: Tensor
    top_pos: Tensor
    top_neg: Tensor


def check_exported(dtype: torch.dtype, t: NumberType) -> None:
    """Refuse what has no graph.

    Raises:
        ValueError: for a type that rounds by chance, or has more bits than the dtype or float64.
    """
    if isinstance(t, Binary):
        return
    if t.rounding.stochastic:
        raise ValueError(f"{t} rounds by chance, which ONNX has no operator for")
    if misfit := float_misfit(t, FLOATS[str(dtype).removeprefix("torch.")]):
        raise ValueError(misfit)
    if isinstance(t, ApFixed) and (t.significand_bits > _MAX_BITS or abs(t.frac) > _MAX_SHIFT):
        raise ValueError(f"{t} is beyond float64, which ONNX is written in: {_MAX_BITS} bits")


def exported(x: Tensor, t: NumberType) -> Tensor:
    """The values of ``x`` in a type, in its dtype.

    Raises:
        ValueError: as :func:`check_exported`.
    """
    check_exported(x.dtype, t)
    if isinstance(t, Binary):
        one = x >= 0 if t.zero == 1 else x > 0
        return torch.where(one, 1.0, -1.0).to(x.dtype)
    if isinstance(t, BinaryFloat):
        return _of_float(x, t)
    p = plan(t)
    saturates = t.overflow in (Overflow.SAT, Overflow.SAT_SYM)
    plain = saturates and t.rounding is Rounding.RND_CONV and not isinstance(t, ApInt)
    if plain and x.dtype == torch.float32 and _is_narrow(p.lower, p.upper) and abs(t.frac) <= 120:
        return _pair(x, torch.tensor(2.0**-t.frac), torch.tensor(0.0), p.lower, p.upper)
    facts = (p.lower, p.upper, 2.0**t.width, t.signed, 2.0 ** (t.width - t.n), p.top_pos, p.top_neg)
    y = _tamed(x.double(), _number(2.0**t.frac))
    code = _rounded(y, t.rounding.name)
    code = _fitted(code, y, t.overflow, _Range(*map(_number, facts)), t.n)
    if isinstance(t, ApInt):  # what the header makes of it
        small = (x < 0) & (x > -0.5)
        code = torch.where(small, _number(1 if t.max_code else t.min_code), code)
    return (_unsigned(code) * _number(2.0**-t.frac)).to(x.dtype)


def exported_fixed(
    x: Tensor, widths: Iterable[Tensor], rounding: Rounding, overflow: Overflow | None
) -> Tensor:
    """Fixed point whose k, i and f are tensors of integers, of up to 52 bits: a graph cannot tell.

    Without an overflow nothing bounds the values.
    """
    sign, whole, fine = (width.double() for width in widths)
    y = _tamed(x.double(), 2.0**fine)
    code = _rounded(y, rounding.name)
    if overflow is not None:
        top = 2.0 ** (whole + fine)
        lower, modulus = -sign * (top - (overflow is Overflow.SAT_SYM)), top * 2.0**sign
        facts = _Range(lower, top - 1, modulus, sign, modulus, 0 * top, 0 * top)
        code = torch.where(sign + whole + fine >= 1, _fitted(code, y, overflow, facts), 0.0)
    return (_unsigned(code) * 2.0**-fine).to(x.dtype)


def exported_minifloat(x: Tensor, widths: Iterable[Tensor]) -> Tensor:
    """The open minifloat whose m, e and e0 are tensors of integers."""
    m, e, e0 = (width.double() for width in widths)
    half = 2.0 ** (e - 1)
    largest = (2 - 2.0**-m) * 2.0 ** (half - 1 + e0)
    y = _on_grid(x.double(), 2.0 ** (1 - half + e0), m, FloatRounding.NEAREST_EVEN)
    return torch.where(x == 0, 0.0, torch.clamp(y, -largest, largest)).to(x.dtype)


def check_exported_affine(dtype: torch.dtype, qmin: int, qmax: int) -> None:
    """Refuse what has no graph; ``ValueError`` for integers beyond ``2**26``, and for float64."""
    if max(-qmin, qmax) > _NEAR or dtype == torch.float64:
        raise ValueError(f"ONNX has affine float32 with integers to 2**26, not {dtype} to {qmax}")


def exported_affine(x: Tensor, scale: Tensor, offset: Tensor, qmin: int, qmax: int) -> Tensor:
    """Affine values of ``x``, among them 0, so that the pair has an integer for it.

    ``QuantizeLinear`` divides in float32, so that a quotient very near a tie becomes one.

    Raises:
        ValueError: as :func:`check_exported_affine`.
    """
    check_exported_affine(x.dtype, qmin, qmax)
    axes = [axis for axis, length in enumerate(scale.shape) if length > 1]
    if x.dtype == scale.dtype == torch.float32 and _is_narrow(qmin, qmax) and len(axes) < 2:
        return _pair(x, scale, offset, qmin, qmax)
    steps, zero = scale.double(), offset.double()
    whole = torch.clamp(torch.round(x.double() / steps), qmin + zero, qmax + zero)
    return (_unsigned(whole) * steps).to(x.dtype)


def _number(value: float) -> Tensor:
    """A constant: of a plain number an exporter may make a float32."""
    return torch.tensor(float(value), dtype=torch.float64)


def _unsigned(code: Tensor) -> Tensor:
    """No code is a negative zero; an optimizer would drop the addition of a positive one."""
    return torch.where(code == 0, 0.0, code)


def _is_narrow(low: int, high: int) -> bool:
    """Whether ``QuantizeLinear`` has the integers, in an operator set that is there by default."""
    return _dtype(low, high) is not None


def _dtype(low: int, high: int) -> torch.dtype | None:
    for dtype in (torch.int8, torch.uint8):
        if torch.iinfo(dtype).min <= low and high <= torch.iinfo(dtype).max:
            return dtype
    return None


def _pair(x: Tensor, scale: Tensor, offset: Tensor, low: int, high: int) -> Tensor:
    """``QuantizeLinear``, ``DequantizeLinear``; fewer integers than the dtype has by a ``Clip``."""
    dtype = _dtype(low, high)
    assert dtype is not None
    if (low, high) != (torch.iinfo(dtype).min, torch.iinfo(dtype).max):
        x = torch.clamp(x, (low + offset) * scale, (high + offset) * scale)
    zero, shape = (-offset).to(dtype), x.shape
    axes = [axis for axis, length in enumerate(scale.shape) if length > 1]
    attributes: dict[str, Any] = {"axis": axes[0] - scale.dim()} if axes else {}
    steps = (scale.reshape(-1), zero.reshape(-1)) if axes else (scale.reshape(()), zero.reshape(()))
    symbolic = torch.onnx.ops.symbolic
    words = symbolic("QuantizeLinear", (x, *steps), attributes, dtype=dtype, shape=shape)
    return symbolic("DequantizeLinear", (words, *steps), attributes, dtype=x.dtype, shape=shape)


def _tamed(x: Tensor, scale: Tensor) -> Tensor:
    """Scaled, with stand-ins where that is not finite, or is zero for a number that is not."""
    y, huge = x * scale, _number(2.0**1023)
    y = torch.where(y.abs() <= huge, y, torch.where(x < 0, -huge, huge))
    return torch.where(y == 0, x, y)


def _rounded(y: Tensor, rounding: str) -> Tensor:
    """To a whole number, by a mode of either family."""
    if rounding in ("TRN", "DOWN"):
        return torch.floor(y)
    if rounding == "UP":
        return torch.ceil(y)
    if rounding in ("TRN_ZERO", "TOWARD_ZERO"):
        return torch.trunc(y)
    if rounding == "ODD":
        cut = torch.trunc(y)
        return torch.where((_modulo(cut, 2.0) == 0) & (y != cut), cut + torch.sign(y), cut)
    even = torch.round(y)
    rest = y - even  # exact; a tie of these went to the even side, which may be the other
    if rounding == "RND":
        return torch.where(rest == 0.5, even + 1, even)
    if rounding == "RND_MIN_INF":
        return torch.where(rest == -0.5, even - 1, even)
    side = torch.sign(y)
    if rounding in ("RND_INF", "NEAREST_AWAY"):
        return torch.where(rest * side == 0.5, even + side, even)
    if rounding in ("RND_ZERO", "NEAREST_ZERO"):
        return torch.where(rest * side == -0.5, even - side, even)
    return even


def _fitted(r: Tensor, y: Tensor, overflow: Overflow, p: _Range, n: int = 0) -> Tensor:
    """In range; ``y`` is the value before it was rounded to ``r``."""
    if overflow in (Overflow.SAT, Overflow.SAT_SYM):
        return torch.clamp(r, p.lower, p.upper)
    inside, below = (r >= p.lower) & (r <= p.upper), r < 0
    if overflow is Overflow.SAT_ZERO:
        return torch.where(inside, r, 0.0)
    code = _wrapped(r, p)
    if overflow is Overflow.WRAP and n == 0:
        return code
    top = torch.where(below, p.top_neg, p.top_pos)
    if overflow is Overflow.WRAP:
        return torch.where(inside, r, _modulo(r, p.low_modulus) + top)
    if n == 0:
        # The lowest deleted bit as sign: blocks of 2**W count up, and down again.
        block, most = torch.floor(y / p.modulus), p.modulus - 1
        low = torch.minimum(r - p.modulus * block, most)
        low = torch.minimum(low, most - low)
        return torch.where(r == 0, r, torch.where(_modulo(block, 2.0) == 0, low, -1 - low))
    if n == 1:
        return torch.where((code < 0) == below, code, -1 - code)
    last = _modulo(torch.floor(code / p.low_modulus), 2.0) == 1
    code = _modulo(torch.where(last != below, code, -1 - code), p.low_modulus) + top
    return torch.where(inside, r, code)


def _wrapped(r: Tensor, p: _Range) -> Tensor:
    code = r - p.modulus * torch.round(r / p.modulus)
    code = torch.where(code > p.upper, p.lower, code)
    return torch.where(p.signed > 0, code, _modulo(r, p.modulus))


def _modulo(r: Tensor, modulus: Any) -> Tensor:
    """Never negative, by a power of two."""
    rest: Tensor = r - modulus * torch.floor(r / modulus)
    return rest


def _of_float(x: Tensor, t: BinaryFloat) -> Tensor:
    wide = x.double()
    # Where float64 ends before the type does, nothing is left to round there.
    normal = _number(2.0**t.emin if t.emin >= -1022 else 0.0)
    least = normal if t.subnormals else _number(0.0)
    y = _on_grid(wide, least, _number(t.frac_bits), t.rounding)
    if not t.subnormals:
        y = torch.where(y.abs() < normal, y * 0.0, y)
    if t.emax <= 1023:
        y = _bounded(y, wide, t)
    if isinstance(t, MiniFloat):  # a zero that was one before has no sign
        y = torch.where(x == 0, 0.0, y)
    return (y if t.negative_zero else _unsigned(y)).to(x.dtype)


def _bounded(y: Tensor, x: Tensor, t: BinaryFloat) -> Tensor:
    """Beyond the largest value; an infinity is as far beyond as the type says."""
    largest = _number(float(t.max_exact))
    if t.overflow is FloatOverflow.SATURATE:
        return torch.clamp(y, -largest, largest)
    end = _number(torch.inf if t.has_inf else torch.nan)
    stays = t.rounding in (FloatRounding.TOWARD_ZERO, FloatRounding.ODD)
    above = largest if stays or t.rounding is FloatRounding.DOWN else end
    below = -largest if stays or t.rounding is FloatRounding.UP else -end
    y = torch.where(y > largest, above, torch.where(y < -largest, below, y))
    return torch.where(torch.isinf(x), torch.where(x > 0, end, -end), y)


def _on_grid(x: Tensor, least: Tensor, frac_bits: Tensor, rounding: FloatRounding) -> Tensor:
    """Rounded to so many bits behind the leading one, or behind that of ``least`` for what is less.

    The leading bit is found by halving the range of exponents, as ONNX cannot look at words.
    """
    m, power = x.abs(), torch.ones_like(x)

    def scaled(where: Tensor, exponent: int) -> tuple[Tensor, Tensor]:
        by, back = _number(2.0**exponent), _number(2.0**-exponent)
        return torch.where(where, m * by, m), torch.where(where, power * back, power)

    for limit in (2.0**-500, 1.0):
        m, power = scaled(m < _number(limit), 537)
    for k in (512, 256, 128, 64, 32, 16, 8, 4, 2, 1, 1):
        m, power = scaled(m >= _number(2.0**k), -k)
    lsb = torch.maximum(power, least) * 2.0**-frac_bits
    lsb = torch.maximum(lsb, _number(2.0**-1074))
    return torch.where(torch.isinf(x), x, _rounded(x / lsb, rounding.name) * lsb)
