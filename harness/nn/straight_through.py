"""Quantization that a gradient passes: the values of ``harness.quantize``, and a rule for backward.

The forward value is bit for bit ``quantize(x, t)``.  The rule, straight through: where the type
saturates, the gradient of an element is passed if it lies between the lowest and the highest value
that it saturates to, both included, and is 0 beyond; where it wraps or overflows to infinity
nothing is masked.  Binary passes what lies within [-1, 1].
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from harness.nn.exported import check_exported, exported
from harness.quantize import quantize
from harness.quantize.loops import Loop
from harness.quantize.tensors import PLAIN, loop_for, write_values
from harness.types import (
    ApFixed,
    BinaryFloat,
    FloatOverflow,
    NumberType,
    Overflow,
    as_number_type,
)

__all__ = ["bounds_of", "fake_quantize", "is_traced", "masked"]

#: Elements of which the overhead of a call is most of it.
SMALL = 1 << 17
# What torch's own calls of these names cost is more than the rest of a small quantization.
_transformed = torch._C._are_functorch_transforms_active
_is_jit_tracing: Callable[[], bool] = torch._C._is_tracing
_hardtanh: Callable[..., Tensor] = torch._C._nn.hardtanh
#: Bits of significand, the hidden one included, of dtypes that may be too narrow for a type.
_SIGNIFICANDS = {torch.float32: 24, torch.float16: 11, torch.bfloat16: 8}


def fake_quantize(x: Tensor, t: NumberType | str, rng: Any = None) -> Tensor:
    """``quantize(x, t)``, with the straight-through gradient.

    Works under ``torch.func.grad``, ``vmap``, ``jvp``, double backward, ``torch.compile`` as one
    graph, ``torch.export`` and ``torch.onnx.export``; a type that rounds by chance is refused in
    graphs.

    Args:
        x: a float tensor.
        t: the type, or its spelling.
        rng: a ``torch.Generator`` for a type that rounds by chance.

    Where the dtype of ``x`` does not hold every value of ``t``, the values are computed in float64,
    and those that come out must be exact in the dtype.

    Raises:
        TypeError, ValueError: as ``quantize`` does, or for a value that the dtype does not hold.
    """
    if isinstance(t, str):
        t = as_number_type(t)
    if is_traced():
        if torch.onnx.is_in_onnx_export():
            return exported(x, t)
        if rng is not None:
            raise ValueError(f"{t} rounds by chance, which no graph can keep apart")
        compiled: Tensor = _operator(x, str(t))
        return compiled
    if rng is None and x.numel() <= SMALL and type(x) in PLAIN and not _transformed():
        return _small(x, t)
    result: Tensor = _Quantize.apply(x, t, rng)  # type: ignore[no-untyped-call]
    return result


def is_traced() -> bool:
    """Whether what happens is written down, by ``torch.compile``, an export or ``torch.jit``."""
    return torch.compiler.is_compiling() or _is_jit_tracing()


def _small(x: Tensor, t: NumberType) -> Tensor:
    """The same for few numbers, of which a node of Python's costs more than its work.

    The node of torch's ``hardtanh`` has the rule for backward, and keeps ``x`` alone: its values,
    which nothing has seen, are replaced.
    """
    loop, bounds = _facts(t, x.dtype)
    loop = loop if x.is_cpu else None
    if x.requires_grad and torch.is_grad_enabled():
        y = x.clone() if bounds is None else _hardtanh(x, *bounds)
    elif loop is None:
        return _exact(x, t)
    else:
        y = torch.empty_like(x, memory_format=torch.contiguous_format)
    if loop is not None and y.is_contiguous():
        write_values(x, loop, y)
    else:
        y.detach().copy_(_exact(x, t))
    return y


@functools.lru_cache(maxsize=4096)
def _facts(t: NumberType, dtype: torch.dtype) -> tuple[Loop | None, tuple[float, float] | None]:
    """The loop of a type, and the bounds of its gradient as torch's ``hardtanh`` takes them."""
    bounds = bounds_of(t)
    return loop_for(t, dtype), None if bounds is None else _opened(bounds, dtype)


def _exact(x: Tensor, t: NumberType, rng: Any = None) -> Tensor:
    """The values of ``x``, by way of float64 if its dtype does not hold all that there are."""
    x = x.detach()
    if not isinstance(t, ApFixed) or t.significand_bits <= _SIGNIFICANDS.get(x.dtype, 64):
        return quantize(x, t, rng)  # type: ignore[no-any-return]
    wide = quantize(x.double(), t, rng)
    narrow: Tensor = wide.to(x.dtype)
    if not torch.equal(narrow.double(), wide):
        raise ValueError(f"{x.dtype} does not hold every value that came out of {t}")
    return narrow


@torch.library.custom_op("harness::quantize", mutates_args=())
def _operator(x: Tensor, t: str) -> Tensor:
    """What ``torch.compile`` sees: one operator, the type by its spelling."""
    return _exact(x, as_number_type(t))


@_operator.register_fake
def _(x: Tensor, t: str) -> Tensor:
    if torch.onnx.is_in_onnx_export():  # which comes here when it failed before: say why
        check_exported(x.dtype, as_number_type(t))
    return torch.empty_like(x)


def _remember(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG001
    x, spelled = inputs
    ctx.bounds = bounds_of(as_number_type(spelled))
    ctx.save_for_backward(x)


def _pass_back(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
    return masked(gradient, ctx.saved_tensors[0], ctx.bounds), None


_operator.register_autograd(_pass_back, setup_context=_remember)


def bounds_of(t: NumberType) -> tuple[float, float] | None:
    """The values between which a gradient passes; ``None`` if it passes everywhere."""
    if isinstance(t, ApFixed):
        if t.overflow.wraps:
            return None
        # A symmetric saturation never gives the lowest code, but where there is no other negative.
        symmetric = t.overflow is Overflow.SAT_SYM and t.signed and t.width > 1
        return float(-t.max_exact if symmetric else t.min_exact), float(t.max_exact)
    if isinstance(t, BinaryFloat) and t.overflow is not FloatOverflow.SATURATE:
        return None
    return float(t.min_exact), float(t.max_exact)


def masked(gradient: Tensor, x: Tensor, bounds: tuple[float, float] | None) -> Tensor:
    """``gradient`` where ``x`` lies within the bounds, else 0: one pass, and differentiable."""
    if bounds is None:
        return gradient
    low, high = _opened(bounds, x.dtype)
    return torch.ops.aten.hardtanh_backward(gradient, x, low, high)  # type: ignore[no-any-return]


@functools.lru_cache(maxsize=4096)
def _opened(bounds: tuple[float, float], dtype: torch.dtype) -> tuple[float, float]:
    """What torch has leaves its own bounds out, so they are moved outward by one step."""
    low, high = bounds
    return _beyond(low, dtype, -1), _beyond(high, dtype, 1)


def _beyond(bound: float, dtype: torch.dtype, side: int) -> float:
    """The next number of ``dtype`` beyond ``bound``."""
    start = torch.tensor(bound, dtype=dtype)
    if float(start) * side > bound * side:  # rounded outward already
        return float(start)
    return float(torch.nextafter(start, torch.tensor(side * math.inf, dtype=dtype)))


class _Quantize(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor, t: NumberType, rng: Any) -> Tensor:
        return _exact(x, t, rng)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004
        x, ctx.t, _ = inputs
        ctx.bounds = bounds_of(ctx.t)
        if ctx.bounds is not None:
            ctx.save_for_backward(x)
            ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        x = ctx.saved_tensors[0] if ctx.bounds is not None else gradient
        return masked(gradient, x, ctx.bounds), None, None

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Tensor:
        tangent = tangents[0]
        x = ctx.saved_tensors[0] if ctx.bounds is not None else tangent
        return masked(tangent, x, ctx.bounds).clone()

    @staticmethod
    def vmap(
        info: Any,  # noqa: ARG004
        in_dims: tuple[Any, ...],
        x: Tensor,
        t: NumberType,
        rng: Any,
    ) -> tuple[Tensor, Any]:
        # Element by element: a batch is a tensor like others.
        return fake_quantize(x, t, rng), in_dims[0]
