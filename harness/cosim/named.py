"""Sides of a comparison by the names that people give them on a command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.cosim.errors import SignatureError
from harness.cosim.function import cpp
from harness.cosim.sides import PythonSide, Side, as_side
from harness.verify.subjects import load_function

__all__ = ["Options", "named_side", "pairs"]

CPP = (".cpp", ".cc", ".cxx", ".c++", ".h", ".hpp", ".hh", ".c")
ALLOWED = "fir.cpp:fir (C++), package.module:function (Python), or calls.json (recorded calls)"


@dataclass(frozen=True)
class Options:
    """What :func:`harness.cosim.cpp` is told of C++ sides."""

    include: Sequence[Path] = ()
    defines: Sequence[str] = ()
    std: str = "c++17"
    headers: Path | None = None
    sanitize: bool = False
    count: bool = False
    seconds: float = 60.0
    sizes: Mapping[str, int] = field(default_factory=dict)
    directions: Mapping[str, str] = field(default_factory=dict)


def named_side(text: str, options: Options, say: Callable[[str], object] | None = None) -> Side:
    """What ``text`` names: see :data:`ALLOWED`.

    Raises:
        SignatureError: if it names nothing of the kind.
        SubjectError: if there is no such Python function.
    """
    if text.endswith(".json"):
        return as_side(text)
    files, _, top = text.partition(":")
    names = files.split(",")
    if not top or not files:
        raise SignatureError(f"cannot tell what {text!r} is; allowed: {ALLOWED}")
    if names[0].lower().endswith(CPP):
        return as_side(cpp(names, top, say=say, **vars(options)))
    if "/" in files or (re.search(r"\.\w+$", files) and Path(files).is_file()):
        raise SignatureError(f"cannot tell what {text!r} is; allowed: {ALLOWED}")
    return PythonSide(_made(load_function(text)), text)


def _made(found: Callable[..., Any]) -> Callable[..., Any]:
    """A class is a function with state: one of its objects is called."""
    return found() if isinstance(found, type) else found


def pairs(given: Sequence[str], what: str) -> dict[str, str]:
    """``NAME=VALUE`` options as a dict.

    Raises:
        ValueError: for another form.
    """
    out = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise ValueError(f"{what} is spelled NAME=VALUE, not {text!r}")
        out[name] = value
    return out
