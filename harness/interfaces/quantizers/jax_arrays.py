"""jax arrays through functions that know NumPy and torch, under ``jit``, ``grad`` and ``vmap``.

Forward, the function gets NumPy arrays; backward, tensors that require a gradient, and torch says
what it is.  While jax traces, both are callbacks on the host.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["through"]


def through(
    function: Callable[..., Any],
    *operands: Any,
    outputs: int = 1,
    by_torch: bool = False,
) -> Any:
    """``function(*operands)`` as jax arrays of the common shape and of the first one's dtype.

    Args:
        function: as :func:`harness.interfaces.quantizers.kinds.on_any_kind` takes it.
        operands: jax arrays, the first one of floats, or anything that the function takes.
        outputs: how many it gives; if several, none has a gradient.
        by_torch: whether tensors are what it gets forward too.

    Raises:
        TypeError: for a first operand whose dtype is no float.
    """
    jax = importlib.import_module("jax")
    jnp, dtype = jax.numpy, operands[0].dtype
    if not jnp.issubdtype(dtype, jnp.floating):
        raise TypeError(f"x has dtype {dtype}; give it one of floats")
    shape = np.broadcast_shapes(*map(np.shape, operands))
    places = [k for k, operand in enumerate(operands) if isinstance(operand, jax.Array)]
    outline = jax.ShapeDtypeStruct(shape, dtype)

    def filled(members: Any) -> list[Any]:
        merged = list(operands)
        for place, member in zip(places, members, strict=True):
            merged[place] = member
        return merged

    def forward(*members: Any) -> Any:
        arrays = [_tensor(m) if by_torch else np.array(m) for m in members]
        found = function(*filled(arrays))
        parts = found if outputs > 1 else (found,)
        parts = tuple(np.broadcast_to(_array(part, dtype), np.shape(members[0])) for part in parts)
        return parts if outputs > 1 else parts[0]

    def backward(gradient: Any, *members: Any) -> Any:
        torch = importlib.import_module("torch")
        leaves = [_tensor(member).requires_grad_() for member in members]
        found = function(*filled(leaves))
        parts = torch.autograd.grad(found, leaves, _tensor(gradient), allow_unused=True)
        return tuple(
            np.zeros(np.shape(m), dtype) if part is None else _array(part, dtype)
            for part, m in zip(parts, members, strict=True)
        )

    @jax.custom_vjp  # type: ignore[untyped-decorator]
    def call(*members: Any) -> Any:
        return _on_host(jax, forward, outline, members)

    call.defvjp(
        lambda *members: (call(*members), members),
        lambda members, g: _on_host(jax, backward, (outline,) * len(members), (g, *members)),
    )
    arrays = [jnp.broadcast_to(operands[k].astype(dtype), shape) for k in places]
    if outputs > 1:
        arrays = [jax.lax.stop_gradient(array) for array in arrays]
        return _on_host(jax, forward, (outline,) * outputs, arrays)
    return call(*arrays)


def _on_host(jax: Any, function: Callable[..., Any], outline: Any, members: Any) -> Any:
    """At once where the arrays are there, else when the traced program runs."""
    if any(isinstance(member, jax.core.Tracer) for member in members):
        return jax.pure_callback(function, outline, *members, vmap_method="broadcast_all")
    return jax.tree.map(jax.numpy.asarray, function(*members))


def _tensor(x: Any) -> Any:
    """A tensor with the values of an array; torch knows bfloat16, but not NumPy's."""
    torch, array = importlib.import_module("torch"), np.array(x)
    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.astype(np.float32)).bfloat16()
    return torch.from_numpy(array)


def _array(x: Any, dtype: Any) -> Any:
    """The inverse, in a dtype that holds the values."""
    if isinstance(x, np.ndarray | np.generic):
        return np.asarray(x).astype(dtype)
    return x.detach().double().numpy().astype(dtype)
