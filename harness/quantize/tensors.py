"""The torch face of the quantizers; the only file here that imports torch.

CPU tensors share their memory with the NumPy kernels.  Tensors on other devices run the exact core
of ``harness.quantize.fixed_codes`` as tensor operations, where they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from harness.quantize import arithmetic, arrays
from harness.quantize import fixed_codes as core
from harness.quantize.plan import FLOATS, float_misfit, plan
from harness.types import ApFixed, Operation

__all__ = [
    "cast_codes",
    "compute",
    "decode",
    "device_codes",
    "from_array",
    "quantize",
    "quantize_codes",
]

_FLOATS = {getattr(torch, name): facts for name, facts in FLOATS.items()}
_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def quantize(x: torch.Tensor, t: ApFixed) -> torch.Tensor:
    """See :func:`harness.quantize.quantize`."""
    _check_input(x, t)
    _check_fits(t, x.dtype)
    if x.device.type != "cpu":
        return _scaled(device_codes(x, t), t, x.dtype)
    values = arrays.quantize(_numpy(x), t)
    return torch.from_numpy(values).to(x.dtype)


def quantize_codes(x: torch.Tensor, t: ApFixed) -> torch.Tensor:
    """See :func:`harness.quantize.quantize_codes`."""
    _check_input(x, t)
    if x.device.type != "cpu":
        return device_codes(x, t)
    return torch.from_numpy(arrays.quantize_codes(_numpy(x), t))


def decode(codes: torch.Tensor, t: ApFixed, dtype: torch.dtype | None = None) -> torch.Tensor:
    """See :func:`harness.quantize.decode`."""
    dtype = dtype or torch.float64
    if dtype not in _FLOATS:
        raise TypeError(f"cannot decode to {dtype}; allowed: {_names(_FLOATS)}")
    _check_fits(t, dtype)
    return _scaled(_check_codes(codes, t), t, dtype)


def cast_codes(codes: torch.Tensor, source: ApFixed, target: ApFixed) -> torch.Tensor:
    """See :func:`harness.quantize.cast_codes`."""
    _check_width(target)
    words = _check_codes(codes, source)
    drop = torch.tensor(source.frac - target.frac, device=words.device)
    return _to_code(words, int(not source.signed), drop, plan(target))


def compute(
    op: Operation, a: torch.Tensor, ta: ApFixed, b: Any, tb: ApFixed | None, target: ApFixed
) -> torch.Tensor:
    """See :func:`harness.quantize.compute_codes`."""
    _check_width(target)
    left = _check_codes(a, ta)
    if tb is None:
        return _compute_words(op, left, ta, None, None, 0 if b is None else b)
    left, right = _broadcast(left, _check_codes(torch.as_tensor(b), tb))
    if op is Operation.DIV and not bool((right != 0).all()):
        raise ZeroDivisionError("a divisor code is zero: the headers end the process")
    return _compute_words(op, left, ta, right, tb, 0)


# The shared core is typed for any array; here it is tensors in, tensors out.
_to_code: Callable[..., torch.Tensor] = core.to_code
_compute_words: Callable[..., torch.Tensor] = arithmetic.compute_words
_broadcast: Any = torch.broadcast_tensors  # torch leaves it untyped


def _names(dtypes: Any) -> str:
    return ", ".join(str(dtype).removeprefix("torch.") for dtype in dtypes)


def _check_width(t: ApFixed) -> None:
    if t.width > 64:
        raise ValueError(f"torch holds codes of at most 64 bits, {t} has {t.width}; use NumPy")


def _check_input(x: torch.Tensor, t: ApFixed) -> None:
    _check_width(t)
    if x.dtype not in _FLOATS and x.dtype not in (*_INTEGERS, torch.bool):
        raise TypeError(
            f"cannot quantize {x.dtype}; allowed: {_names(_FLOATS)} and {_names(_INTEGERS)}"
        )
    if x.requires_grad and torch.is_grad_enabled():
        raise ValueError("quantize has no gradient; use x.detach() or torch.no_grad()")


def _check_fits(t: ApFixed, dtype: torch.dtype) -> None:
    if dtype in _FLOATS:
        if wrong := float_misfit(t, _FLOATS[dtype]):
            raise ValueError(wrong)
    else:
        arrays.check_fits(t, torch.empty(0, dtype=dtype).numpy().dtype)


def _check_codes(codes: torch.Tensor, t: ApFixed) -> torch.Tensor:
    _check_width(t)
    if codes.dtype not in _INTEGERS:
        raise TypeError(f"codes must be {_names(_INTEGERS)}, not {codes.dtype}")
    words = codes.to(torch.int64)
    if words.numel() and not (t.width == 64 and not t.signed):
        low, high = int(words.min()), int(words.max())
        if low < t.min_code or high > t.max_code:
            wrong = low if low < t.min_code else high
            raise ValueError(f"{wrong} is not a code of {t}; allowed: {t.min_code} to {t.max_code}")
    return words


def _numpy(x: torch.Tensor) -> Any:
    """The tensor's memory as an array; bfloat16, which NumPy lacks, widens to float32."""
    x = x.detach().resolve_neg()
    return (x.to(torch.float32) if x.dtype is torch.bfloat16 else x).numpy()


def from_array(x: Any) -> torch.Tensor:
    """A CPU tensor with the memory of a NumPy array, or with a contiguous copy of it."""
    return torch.from_numpy(x if x.flags.c_contiguous else x.copy())


def device_codes(x: torch.Tensor, t: ApFixed) -> torch.Tensor:
    """Codes by tensor operations, on any device."""
    if x.dtype in _FLOATS:
        bits, exponent = core.split_double(x.detach().to(torch.float64).view(torch.int64))
        return _to_code(bits, 0, -exponent - t.frac, plan(t))
    drop = torch.tensor(-t.frac, device=x.device)
    return _to_code(x.to(torch.int64), int(x.dtype is torch.uint8), drop, plan(t))


def _scaled(codes: torch.Tensor, t: ApFixed, dtype: torch.dtype) -> torch.Tensor:
    """Codes of a type that fits ``dtype``, as values; exact."""
    if dtype in _INTEGERS or dtype is torch.bool:
        return (codes << -t.frac).to(dtype)
    # Two steps, because 2**-F alone may leave the range of a double where the value does not.
    half = -t.frac // 2
    return (codes.to(torch.float64) * 2.0**half * 2.0 ** (-t.frac - half)).to(dtype)
