"""The torch face of the quantizers; the only file here that imports torch.

CPU tensors share their memory with the NumPy kernels.  Tensors on other devices run the exact core
of ``harness.quantize.fixed_codes`` as tensor operations, where they are.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from harness.quantize import (
    arrays,
    elementwise,
    fixed_codes,
    float_codes,
    stochastic,
    wide,
)
from harness.quantize.loops import Loop
from harness.quantize.operators import compute_words, fits_words
from harness.quantize.plan import FLOATS, as_int64, float_misfit, loses_integer_bits, packing, plan
from harness.quantize.threads import share_out
from harness.types import (
    ApFixed,
    ApInt,
    Binary,
    BinaryFloat,
    MiniFloat,
    NumberType,
    Operation,
    check_counts,
    is_tensor,
    not_a_code,
    result_type,
)

__all__ = [
    "PLAIN",
    "cast_codes",
    "compute",
    "decode",
    "decompose",
    "device_cast",
    "device_codes",
    "from_array",
    "loop_for",
    "quantize",
    "quantize_codes",
    "quantize_fixed",
    "quantize_minifloat",
    "write_values",
]

#: Elements that are worth a second thread.
MANY = 1 << 19
#: Tensors whose memory is what it seems.
PLAIN = (torch.Tensor, torch.nn.Parameter)
_FLOATS = {getattr(torch, name): facts for name, facts in FLOATS.items()}
_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def quantize(x: torch.Tensor, t: NumberType, rng: Any = None) -> torch.Tensor:
    """See :func:`harness.quantize.quantize`."""
    loop = loop_for(t, x.dtype) if rng is None and x.is_cpu and type(x) in PLAIN else None
    if loop is not None:
        _check_gradient(x)
        out = torch.empty_like(x, memory_format=torch.contiguous_format)
        write_values(x, loop, out)
        return out
    _check_input(x, t)
    _check_fits(t, x.dtype)
    if stochastic.check_rounding(t, rng):
        return quantize(_drawn(x, t, rng), stochastic.deterministic(t)).to(x.dtype)
    if x.device.type != "cpu":
        return _values(device_codes(x, t), t, x.dtype)
    values = arrays.quantize(_numpy(x), t)
    return torch.from_numpy(values).to(x.dtype)


@functools.lru_cache(maxsize=4096)
def loop_for(t: NumberType, dtype: torch.dtype) -> Loop | None:
    """See :func:`harness.quantize.arrays.loop_for`; ``ValueError`` for a type that does not fit."""
    if dtype not in (torch.float32, torch.float64) or t.width > 64:
        return None
    loop = arrays.loop_for(t, np.dtype(str(dtype).removeprefix("torch.")))
    if loop is not None:
        _check_fits(t, dtype)
    return loop


def write_values(x: torch.Tensor, loop: Loop, out: torch.Tensor) -> None:
    """The values of a CPU tensor, into a contiguous one; many are shared out to torch's threads.

    Both may require gradients, which know nothing of it.
    """
    source, target = x.numpy(force=True), out.numpy(force=True)
    target = target if target.ndim == 1 else target.reshape(-1)
    threads = 1 if target.size < MANY else torch.get_num_threads()
    if threads == 1:
        arrays.run_loop(source, loop, out=target)
        return
    flat = source.reshape(-1)
    share_out(lambda p: arrays.run_loop(flat[p], loop, out=target[p]), target.size, threads)


def quantize_codes(x: torch.Tensor, t: NumberType, rng: Any = None) -> torch.Tensor:
    """See :func:`harness.quantize.quantize_codes`."""
    _check_input(x, t)
    if stochastic.check_rounding(t, rng):
        return quantize_codes(_drawn(x, t, rng), stochastic.deterministic(t))
    if x.device.type != "cpu":
        return device_codes(x, t)
    return torch.from_numpy(arrays.quantize_codes(_numpy(x), t))


def decompose(x: torch.Tensor, t: BinaryFloat) -> tuple[torch.Tensor, torch.Tensor]:
    """See :func:`harness.quantize.decompose`."""
    _check_input(x, t)
    mantissa, exponent = arrays.decompose(_numpy(x.cpu()), t)
    return (
        torch.from_numpy(mantissa).to(x.device, x.dtype),
        torch.from_numpy(exponent).to(x.device),
    )


def decode(codes: torch.Tensor, t: NumberType, dtype: torch.dtype | None = None) -> torch.Tensor:
    """See :func:`harness.quantize.decode`."""
    dtype = dtype or torch.float64
    if dtype not in _FLOATS:
        raise TypeError(f"cannot decode to {dtype}; allowed: {_names(_FLOATS)}")
    _check_fits(t, dtype)
    return _values(_check_codes(codes, t), t, dtype)


def cast_codes(codes: torch.Tensor, source: NumberType, target: NumberType) -> torch.Tensor:
    """See :func:`harness.quantize.cast_codes`."""
    _check_width(target)
    words = _check_codes(codes, source)
    if words.device.type != "cpu":
        return device_cast(words, source, target)
    return torch.from_numpy(arrays.cast_codes(words.numpy(), source, target))


def quantize_fixed(
    x: torch.Tensor, k: Any, i: Any, f: Any, rounding: Any, overflow: Any, rng: Any
) -> torch.Tensor:
    """See :func:`harness.quantize.quantize_fixed`.

    On the CPU the kernel of the NumPy face; elsewhere each distinct type in turn, where it is.
    """
    if rounding.stochastic or overflow is None or x.device.type == "cpu":
        source = np.random.default_rng(_seed_of(rng)) if rounding.stochastic else None
        return _through_arrays(elementwise.quantize_fixed, x, k, i, f, rounding, overflow, source)
    return _grouped(x, (k, i, f), lambda part, kif: _fixed_or_zero(part, kif, rounding, overflow))


def quantize_minifloat(x: torch.Tensor, m: Any, e: Any, e0: Any) -> torch.Tensor:
    """See :func:`harness.quantize.quantize_minifloat`."""
    if x.device.type == "cpu":
        return _through_arrays(elementwise.quantize_minifloat, x, m, e, e0)
    return _grouped(x, (m, e, e0), lambda part, facts: quantize(part, MiniFloat(*facts)))


def compute(op: Operation, a: torch.Tensor, ta: Any, b: Any, tb: Any) -> torch.Tensor:
    """See :func:`harness.quantize.compute_codes`."""
    target = result_type(op, ta, b if op is Operation.RANGE else tb)
    _check_width(target)
    if not fits_words(op, ta, tb, target):
        raise ValueError(f"{ta} {op.value} {tb} needs more than 64 bits; use NumPy")
    left, right = _check_codes(a, ta), b
    if tb is not None:
        if not is_tensor(b):
            b = torch.as_tensor(arrays.check_codes(b, tb), device=a.device)
        left, right = _broadcast(left, _check_codes(b, tb))
        if op in (Operation.DIV, Operation.MOD) and not bool((right != 0).all()):
            raise ZeroDivisionError("a divisor code is zero: the headers end the process")
    elif op.counted:
        counts = check_counts(op, _plain(b), ta)
        right = counts
        if not isinstance(counts, int):
            left, right = _broadcast(left, torch.as_tensor(counts, device=left.device))
    return _compute_words(op, left, ta, right, tb, target)


# The shared cores are typed for any array; here they are tensors in, tensors out.
_to_code: Callable[..., torch.Tensor] = fixed_codes.to_code
_pack: Callable[..., torch.Tensor] = float_codes.pack
_double_to_code: Callable[..., torch.Tensor] = float_codes.double_to_code
_to_fixed: Callable[..., torch.Tensor] = float_codes.to_fixed
_sign_code: Callable[..., torch.Tensor] = float_codes.sign_code
_to_float: Callable[..., torch.Tensor] = float_codes.to_float
_compute_words: Callable[..., torch.Tensor] = compute_words
_broadcast: Any = torch.broadcast_tensors  # torch leaves it untyped


def _seed_of(rng: Any) -> int:
    """An integer that decides what is drawn; from torch's own stream if none is given."""
    if rng is not None and not isinstance(rng, torch.Generator):
        return operator.index(rng)
    device = rng.device if rng is not None else "cpu"
    return int(torch.randint(1 << 62, (), generator=rng, device=device))


def _through_arrays(function: Any, x: torch.Tensor, *arguments: Any) -> torch.Tensor:
    """A function of the NumPy face on a tensor, whose other arguments may be tensors too."""
    _check_gradient(x)
    found = np.asarray(function(_numpy(x.cpu()), *map(_plain, arguments)))
    return torch.from_numpy(found).to(x.device, x.dtype)


def _grouped(x: torch.Tensor, facts: Any, one: Callable[[Any, Any], torch.Tensor]) -> torch.Tensor:
    """Each distinct type on its elements."""
    columns = [torch.as_tensor(elementwise.as_widths("width", _plain(f))) for f in facts]
    x, *columns = _broadcast(x, *(column.to(x.device) for column in columns))
    rows = torch.stack([column.ravel() for column in columns])
    out = torch.empty_like(x, memory_format=torch.contiguous_format)
    for row in torch.unique(rows, dim=1).T.tolist():
        here = (rows == torch.tensor(row, device=x.device)[:, None]).all(0).reshape(x.shape)
        out[here] = one(x[here], row)
    return out


def _fixed_or_zero(x: torch.Tensor, kif: Any, rounding: Any, overflow: Any) -> torch.Tensor:
    if sum(kif) < 1:
        return torch.zeros_like(x)
    return quantize(x, ApFixed.from_kif(*kif, rounding=rounding, overflow=overflow))


def _plain(x: Any) -> Any:
    return x.cpu().numpy() if isinstance(x, torch.Tensor) else x


def _names(dtypes: Any) -> str:
    return ", ".join(str(dtype).removeprefix("torch.") for dtype in dtypes)


def _check_width(t: NumberType) -> None:
    if t.width > 64:
        raise ValueError(f"torch holds codes of at most 64 bits, {t} has {t.width}; use NumPy")


def _check_input(x: torch.Tensor, t: NumberType) -> None:
    _check_width(t)
    if x.dtype not in _FLOATS and x.dtype not in (*_INTEGERS, torch.bool):
        raise TypeError(
            f"cannot quantize {x.dtype}; allowed: {_names(_FLOATS)} and {_names(_INTEGERS)}"
        )
    _check_gradient(x)


def _check_gradient(x: torch.Tensor) -> None:
    if x.requires_grad and torch.is_grad_enabled():
        raise ValueError("quantize has no gradient; use x.detach() or torch.no_grad()")


def _check_fits(t: NumberType, dtype: torch.dtype) -> None:
    if dtype in _FLOATS:
        _check_float_fits(t, dtype)
    else:
        arrays.check_fits(t, torch.empty(0, dtype=dtype).numpy().dtype)


@functools.lru_cache(maxsize=4096)
def _check_float_fits(t: NumberType, dtype: torch.dtype) -> None:
    if wrong := float_misfit(t, _FLOATS[dtype]):
        raise ValueError(wrong)


def _check_codes(codes: torch.Tensor, t: NumberType) -> torch.Tensor:
    _check_width(t)
    if codes.dtype not in _INTEGERS:
        raise TypeError(f"codes must be {_names(_INTEGERS)}, not {codes.dtype}")
    words = codes.to(torch.int64)
    if words.numel() and not (t.width == 64 and not t.signed):
        low, high = int(words.min()), int(words.max())
        if low < t.min_code or high > t.max_code:
            raise ValueError(not_a_code(low if low < t.min_code else high, t))
    return words


def _numpy(x: torch.Tensor) -> Any:
    """The tensor's memory as an array; bfloat16, which NumPy lacks, widens to float32."""
    return (x.to(torch.float32) if x.dtype is torch.bfloat16 else x).numpy(force=True)


def from_array(x: Any) -> torch.Tensor:
    """A CPU tensor with the memory of a NumPy array, or with a contiguous copy of it."""
    return torch.from_numpy(x if x.flags.c_contiguous else x.copy())


def device_codes(x: torch.Tensor, t: NumberType) -> torch.Tensor:
    """Codes by tensor operations, on any device."""
    if x.dtype in _FLOATS:
        doubles = x.detach().to(torch.float64)
        lacks_nan = isinstance(t, Binary) or (isinstance(t, BinaryFloat) and t.nan_code is None)
        if lacks_nan and bool(doubles.isnan().any()):
            raise ValueError(f"x has NaN, {t} has none")
        if isinstance(t, Binary):
            return _is_one(doubles, t)
        words = doubles.view(torch.int64)
        if isinstance(t, BinaryFloat):
            return _double_to_code(words, packing(t))
        bits, exponent = fixed_codes.split_double(words)
        codes = _to_code(bits, 0, -exponent - t.frac, plan(t))
        if isinstance(t, ApInt):  # the header makes +1 of what is between -0.5 and 0
            small = (doubles < 0) & (doubles > -0.5)
            codes = torch.where(small, wide.wrapped(1, t), codes)
        return codes
    return _from_words(x.to(torch.int64), int(x.dtype is torch.uint8), 0, t)


def device_cast(words: torch.Tensor, source: NumberType, target: NumberType) -> torch.Tensor:
    """Codes of one type in another by tensor operations, on any device."""
    arrays.check_conversion(source, target)
    if isinstance(source, ApFixed):
        codes = _from_words(words, int(not source.signed), source.frac, target)
        if loses_integer_bits(source, target):
            codes = torch.where(
                words < 0, as_int64(-1 if target.signed else target.max_code), codes
            )
        return codes
    if isinstance(source, Binary):
        return _from_words(2 * words - 1, 0, 0, target)
    p = packing(source)
    infinite, nan = float_codes.specials(words, p)
    if isinstance(target, BinaryFloat):
        if target.nan_code is None:
            arrays.refuse(nan, source, target)
        return _to_float(words, p, packing(target))
    if isinstance(target, Binary):
        arrays.refuse(nan, source, target)
        return _sign_code(words, int(target.zero == 1), p)
    arrays.refuse(nan | infinite, source, target)
    return _to_fixed(words, p, plan(target))


def _from_words(words: torch.Tensor, unsigned: int, frac: int, t: NumberType) -> torch.Tensor:
    """Codes of ``words * 2**-frac``."""
    if isinstance(t, Binary):
        negative = (words < 0) & (unsigned == 0)
        return torch.where(words == 0, t.zero == 1, ~negative).to(torch.int64)
    if isinstance(t, ApFixed):
        drop = torch.tensor(frac - t.frac, device=words.device)
        return _to_code(words, unsigned, drop, plan(t))
    negative = (words < 0) * (1 - unsigned)
    exponent = torch.tensor(-frac, device=words.device)
    return _pack(negative, torch.where(negative != 0, -words, words), exponent, packing(t))


def _drawn(x: torch.Tensor, t: NumberType, rng: Any) -> torch.Tensor:
    """A neighbour of each element in ``t``, by chance, as float64."""
    if not isinstance(rng, torch.Generator):
        raise TypeError(f"rng must be a torch.Generator, not {type(rng).__name__}")
    doubles = x.detach().to(torch.float64).contiguous()
    u = torch.rand(x.shape, generator=rng, dtype=torch.float64, device=x.device)
    drawn: torch.Tensor = stochastic.drawn(doubles, u, t, torch)
    return drawn


def _is_one(x: torch.Tensor, t: Binary) -> torch.Tensor:
    return (x >= 0 if t.zero == 1 else x > 0).to(torch.int64)


def _values(codes: torch.Tensor, t: NumberType, dtype: torch.dtype) -> torch.Tensor:
    """Codes of a type that fits ``dtype``, as values; exact."""
    if isinstance(t, Binary):
        return (2 * codes - 1).to(dtype)
    if isinstance(t, BinaryFloat):
        return _float_values(codes, t).to(dtype)
    if dtype in _INTEGERS or dtype is torch.bool:
        return (codes << -t.frac).to(dtype)
    # Two steps, because 2**-F alone may leave the range of a double where the value does not.
    half = -t.frac // 2
    return (codes.to(torch.float64) * 2.0**half * 2.0 ** (-t.frac - half)).to(dtype)


def _float_values(codes: torch.Tensor, t: BinaryFloat) -> torch.Tensor:
    p = packing(t)
    negative, significand, exponent = float_codes.unpack(codes, p)
    infinite, nan = float_codes.specials(codes, p)
    exponent = exponent.clamp(-2000, 2000)  # beyond are specials, and zeros
    values = stochastic.scaled(significand.to(torch.float64), exponent, torch)
    values = torch.where(nan, torch.nan, torch.where(infinite, torch.inf, values))
    return torch.where(negative != 0, -values, values)
