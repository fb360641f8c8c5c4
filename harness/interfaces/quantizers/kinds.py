"""Which library an array is of, and the two names that an argument may have."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["as_numpy", "either", "on_any_kind", "seed_of", "wants_gradient"]


def on_any_kind(
    function: Callable[..., Any], x: Any, *widths: Any, outputs: int = 1, by_torch: bool = False
) -> Any:
    """``function(x, *widths)``, which knows NumPy and torch, for an ``x`` of any served kind.

    Args:
        function: takes arrays or tensors that broadcast, and gives their common shape.
        x: NumPy, torch, jax, a ``keras.Variable``, a number or a list.
        widths: the like; ``x`` alone decides what comes out.
        outputs: how many arrays it gives.
        by_torch: whether jax arrays go through torch forward too, as what is drawn by chance must.

    Raises:
        TypeError: for a tensor of TensorFlow.
    """
    x, *widths = map(_plain, (x, *widths))  # type: ignore[assignment]
    if not _is_jax(x):
        return function(x, *(as_numpy(w) if _is_jax(w) else w for w in widths))
    from harness.interfaces.quantizers import jax_arrays

    return jax_arrays.through(function, x, *widths, outputs=outputs, by_torch=by_torch)


def as_numpy(x: Any) -> Any:
    """Tensors and jax arrays as NumPy arrays; anything else as it is."""
    x = _plain(x)
    return np.asarray(x) if _is_jax(x) or _is_tensor(x) else x


def wants_gradient(*operands: Any) -> bool:
    """Whether one is a tensor that requires a gradient, and gradients are recorded."""
    return any(
        _is_tensor(x) and x.requires_grad and sys.modules["torch"].is_grad_enabled()
        for x in operands
    )


def either(name: str, value: Any, other_name: str, other: Any, default: Any = None) -> Any:
    """An argument that has two names.

    Raises:
        ValueError: if both are given, or neither and there is no default.
    """
    if value is not None and other is not None:
        raise ValueError(f"{name} and {other_name} are the same argument; give one")
    for found in (value, other, default):
        if found is not None:
            return found
    raise ValueError(f"{name} (or {other_name}=) is missing")


def seed_of(source: Any) -> int:
    """An integer to seed draws by: from one, a generator of NumPy, torch or keras, or fresh.

    An integer, and not the generator, so that a backward pass can draw what the forward drew.

    Raises:
        TypeError: for any other source, or a generator of keras that jax traces.
    """
    if source is None:
        return int(np.random.default_rng().integers(1 << 62))
    if isinstance(source, int | np.integer):
        return int(source)
    if isinstance(source, np.random.Generator):
        return int(source.integers(1 << 62))
    torch: Any = sys.modules.get("torch")
    if torch is not None and isinstance(source, torch.Generator):
        return int(torch.randint(1 << 62, (), generator=source, device=source.device))
    if not callable(getattr(source, "next", None)):
        raise TypeError(
            f"a seed is an integer or a generator of NumPy, torch or keras, not {source!r}"
        )
    key = _plain(source.next())
    if type(key).__module__.startswith("jax") and _is_tracer(key):
        raise TypeError("inside jax.jit a seed must be an integer, not a generator")
    return int.from_bytes(as_numpy(key).astype("<u4").tobytes()[:7], "little")


def _plain(x: Any) -> Any:
    """``x``, or what a ``keras.Variable`` holds."""
    kind = type(x).__module__.partition(".")[0]
    if kind == "tensorflow":
        raise TypeError("tensors of TensorFlow are not served; NumPy, torch and jax arrays are")
    return x.value if kind == "keras" and hasattr(x, "value") else x


def _is_tensor(x: Any) -> bool:
    torch: Any = sys.modules.get("torch")  # who holds a tensor has imported torch
    return torch is not None and isinstance(x, torch.Tensor)


def _is_jax(x: Any) -> bool:
    jax: Any = sys.modules.get("jax")
    return jax is not None and isinstance(x, jax.Array)


def _is_tracer(x: Any) -> bool:
    return isinstance(x, sys.modules["jax"].core.Tracer)
