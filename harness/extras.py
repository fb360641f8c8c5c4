"""What is installed beside the core: whoever needs more says so in one line."""

from __future__ import annotations

import importlib.util
from importlib import import_module
from typing import Any

__all__ = ["Late", "MissingExtra", "has", "need"]


class MissingExtra(ImportError):
    """A package that is not installed, and the extra of this project that brings it."""


def has(module: str) -> bool:
    """Whether a module is installed; it is not imported."""
    return importlib.util.find_spec(module) is not None


def need(module: str, who: str, extra: str) -> Any:
    """The module.

    Args:
        module: its name.
        who: what needs it, in words.
        extra: of this project, which brings it.

    Raises:
        MissingExtra: if it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise  # it is there, and something of its own is not
        raise MissingExtra(
            f"{who} needs {module}; pip install 'hls-harness[{extra}]'", name=module
        ) from None


class Late:
    """A module that is imported when something of it is asked for.

    Args:
        module: its name.
        who: what needs it, in words.
        extra: of this project, which brings it.
    """

    def __init__(self, module: str, who: str, extra: str) -> None:
        self._facts = module, who, extra

    def __getattr__(self, name: str) -> Any:
        return getattr(need(*self._facts), name)
