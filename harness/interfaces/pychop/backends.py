"""pychop's choice of a library: here what comes in decides, so there is nothing to choose."""

from __future__ import annotations

__all__ = ["backend", "get_backend"]

_ALLOWED = ("auto", "numpy", "torch")
_chosen = ["auto"]


def backend(lib: str = "auto", verbose: int = 0) -> None:  # noqa: ARG001 - nothing is printed
    """Note a library's name; arrays come out of arrays and tensors of tensors in any case.

    Raises:
        ValueError: for a library that is not served.
    """
    if lib not in _ALLOWED:
        raise ValueError(f"{lib} is not served; allowed: {', '.join(_ALLOWED)}")
    _chosen[0] = lib


def get_backend() -> str:
    """The name that was noted last."""
    return _chosen[0]
