"""Values on steps of a scale, without an error of the floats in between.

``q = clamp(round(x / scale) - offset, qmin, qmax)`` of the exact quotient, ties to even, and
``(q + offset) * scale`` of the exact product, rounded once, to the dtype of ``x``.

The arithmetic is float64's.  With numbers of 24 bits at most and integers below ``NEAR`` one
division and one multiplication are enough: such a quotient, rounded to 53 bits, is a tie only if it
is one exactly, and the product is exact.  Else the quotient's remainder decides, which is exact by
``fmod``, and the product is rounded to odd before it is rounded to the dtype.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
import torch
from torch import Tensor

from harness.nn.straight_through import fake_quantize, is_traced
from harness.types import FORMATS

__all__ = ["codes", "narrowed", "on_steps"]

_HALVES = {torch.float16: FORMATS["float16"], torch.bfloat16: FORMATS["bfloat16"]}
_NARROW = (torch.float32, *_HALVES)
#: Integers, offset included, below which float64 needs no remainder.
NEAR = 2**27
#: ... and below which the quotients and the parts of the products are exact.
FAR = 2**45


def on_steps(x: Tensor, scale: Tensor, offset: Tensor, qmin: int, qmax: int) -> Tensor:
    """The values, in the shape and dtype of ``x``; ``scale`` and ``offset`` broadcast against it.

    Args:
        x: a tensor of float16, bfloat16, float32 or float64.
        scale: positive; of one of these dtypes, float64 only with such an ``x``.
        offset: integers.
        qmin: the lowest integer.
        qmax: the highest.

    Raises:
        TypeError: for other dtypes.
        ValueError: for integers beyond ``FAR``; not seen while ``torch.compile`` traces.
    """
    near = _is_near(x, scale, offset, qmin, qmax)
    # A traced graph has operations of torch alone: what a kernel answers would be a constant in it.
    here = x.device.type == "cpu" and not is_traced()
    if near and here and scale.numel() == offset.numel() == 1:
        return _fused(x, float(scale), float(offset), qmin, qmax)
    whole, scale = _whole(x, scale, offset, qmin, qmax, near), scale.double()
    product = whole * scale if near or x.dtype == torch.float64 else _to_odd(whole, scale)
    # A zero has no sign: there is one integer 0.
    return narrowed(product + 0.0, x.dtype)


def codes(x: Tensor, scale: Tensor, offset: Tensor, qmin: int, qmax: int) -> Tensor:
    """The integers ``q`` themselves, as float64 in the shape of ``x``; as :func:`on_steps`."""
    near = _is_near(x, scale, offset, qmin, qmax)
    return _whole(x, scale, offset, qmin, qmax, near) - offset.double() + 0.0


def _is_near(x: Tensor, scale: Tensor, offset: Tensor, qmin: int, qmax: int) -> bool:
    """Whether float64 needs no remainder; raises what :func:`on_steps` does."""
    if x.dtype not in (torch.float64, *_NARROW):
        raise TypeError(f"float16, bfloat16, float32 and float64 have steps, {x.dtype} has not")
    if scale.dtype not in (x.dtype, *_NARROW):
        raise TypeError(f"a scale of {scale.dtype} is not for tensors of {x.dtype}")
    if torch.compiler.is_compiling():  # which knows no values
        return False
    reach = float(offset.abs().max()) + max(abs(qmin), abs(qmax))
    if reach > FAR:
        raise ValueError(f"integers up to {reach} are beyond 2**45")
    return reach <= NEAR and x.dtype in _NARROW


def _whole(x: Tensor, scale: Tensor, offset: Tensor, qmin: int, qmax: int, near: bool) -> Tensor:
    """``q + offset``, in float64."""
    wide, scale, offset = x.double(), scale.double(), offset.double()
    ends = (qmin + offset, qmax + offset)
    whole = torch.round(wide / scale) if near else _nearest(wide, scale, *ends)
    return torch.clamp(whole, *ends)


def _nearest(x: Tensor, scale: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """``round(x / scale)`` if it is from ``low`` to ``high``, or something beyond the same end."""
    largest = torch.finfo(x.dtype).max
    bounds = (
        ((end + more) * scale).clamp(-largest, largest) for end, more in ((low, -2), (high, 2))
    )
    x = torch.clamp(x, *bounds)
    rest = torch.fmod(x, scale)
    whole = torch.round((x - rest) / scale)  # an integer, up to an error far below 1/2
    rest = rest.abs()
    other = scale - rest
    away = (rest > other) | ((rest == other) & (torch.fmod(whole, 2) != 0))
    return whole + torch.copysign(away.to(x.dtype), x)


def _to_odd(whole: Tensor, scale: Tensor) -> Tensor:
    """``whole * scale`` for a scale of 24 bits, rounded to odd: it can be rounded once more."""
    small = torch.fmod(whole, 2.0**20)
    first, second = (whole - small) * scale, small * scale  # both exact
    total = first + second
    lost = second - (total - first)
    even = total.view(torch.int64) & 1 == 0
    beside = torch.nextafter(total, torch.copysign(torch.full_like(total, math.inf), lost))
    return torch.where((lost != 0) & even, beside, total)


def narrowed(x: Tensor, dtype: torch.dtype) -> Tensor:
    """A float64 tensor in another dtype, rounded once.

    What torch has for half precision rounds to float32 on its way.
    """
    if dtype in _HALVES:
        x = fake_quantize(x, _HALVES[dtype])
    return x.to(dtype)


def _fused(x: Tensor, scale: float, offset: float, qmin: int, qmax: int) -> Tensor:
    """One pass over memory, for numbers that are near."""
    halves = x.dtype in _HALVES
    given = x.double() if halves else x
    given = given.contiguous()
    out = torch.empty_like(given)
    _kernel(given.view(-1).numpy(), out.view(-1).numpy(), scale, offset, float(qmin), float(qmax))
    return narrowed(out, x.dtype) if halves else out


@numba.njit(cache=True, error_model="numpy")
def _kernel(x: Any, out: Any, scale: float, offset: float, qmin: float, qmax: float) -> None:
    low, high = qmin + offset, qmax + offset
    for k in range(x.size):
        whole = np.rint(np.float64(x[k]) / scale)
        # Comparisons keep NaN, as clamp does.
        whole = low if whole < low else whole
        whole = high if whole > high else whole
        out[k] = whole * scale + 0.0
