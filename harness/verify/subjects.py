"""The user's own quantizer as a subject: found by name, and kept from taking the run down."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.verify.engine import SubjectError

__all__ = ["Implementation", "guarded", "load_function", "load_subject"]

Implementation = Callable[[Any, Any], Any]
"""A function from inputs and a type to codes (integers) or values (floats)."""


def load_subject(spelling: str) -> Implementation:
    """A quantizer by name, with whatever it raises turned into one line.

    Raises:
        SubjectError: if there is none.
    """
    return guarded(load_function(spelling), spelling)


def load_function(spelling: str) -> Callable[..., Any]:
    """The function that ``package.module:function`` names; the current folder is searched too.

    Raises:
        SubjectError: if there is none.
    """
    module_name, _, name = spelling.partition(":")
    if not module_name or not name:
        raise SubjectError(f"a function is spelled package.module:function, not {spelling!r}")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:  # the user's module may raise anything
        raise SubjectError(f"cannot load {spelling}: {_first_line(error)}") from error
    if not callable(found):
        raise SubjectError(f"{spelling} is not a function")
    function: Callable[..., Any] = found
    return function


def guarded(subject: Implementation, name: str) -> Implementation:
    """``subject`` with whatever it raises turned into one line that names it and the type."""

    def call(x: Any, t: Any) -> Any:
        try:
            return subject(x, t)
        except Exception as error:  # the user's function may raise anything
            raise SubjectError(f"{name} raised on {t}: {_first_line(error)}") from error

    return call


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
