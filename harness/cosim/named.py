"""Sides of a comparison by the names that people give them on a command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.cosim.errors import SignatureError
from harness.cosim.function import cpp
from harness.cosim.hdl.function import rtl
from harness.cosim.sides import PythonSide, Side, as_side
from harness.cosim.signature import Signature
from harness.verify.subjects import load_function

__all__ = ["Options", "named_sides", "pairs", "parameters"]

CPP = (".cpp", ".cc", ".cxx", ".c++", ".h", ".hpp", ".hh", ".c")
RTL = (".v", ".sv", ".vhd", ".vhdl")
ALLOWED = (
    "fir.cpp:fir (C++), fir.v:fir (RTL), package.module:function (Python), "
    "or calls.json (recorded calls)"
)


@dataclass(frozen=True)
class Options:
    """What :func:`harness.cosim.cpp` and :func:`harness.cosim.rtl` are told.

    Attributes:
        both: of either: folders, macros, sizes, seconds.
        cpp: of C++ alone.
        rtl: of RTL alone.
    """

    both: Mapping[str, Any] = field(default_factory=dict)
    cpp: Mapping[str, Any] = field(default_factory=dict)
    rtl: Mapping[str, Any] = field(default_factory=dict)


def named_sides(
    texts: Sequence[str], options: Options, say: Callable[[str], object] | None = None
) -> list[Side]:
    """What the texts name: see :data:`ALLOWED`.

    Arguments of RTL have the types that the user says, else those that the other side has.

    Raises:
        SignatureError: if one names nothing of the kind.
        SubjectError: if there is no such Python function.
    """
    found: dict[int, Side] = {}
    known: Signature | None = None
    for place, text in sorted(enumerate(texts), key=lambda each: _is_rtl(each[1])):
        found[place] = _named_side(text, options, known, say)
        known = known or found[place].signature
    return [found[place] for place in range(len(texts))]


def _is_rtl(text: str) -> bool:
    return text.partition(":")[0].lower().endswith(RTL)


def _named_side(
    text: str, options: Options, known: Signature | None, say: Callable[[str], object] | None
) -> Side:
    if text.endswith(".json"):
        return as_side(text)
    files, _, top = text.partition(":")
    names = files.split(",")
    if not top or not files:
        raise SignatureError(f"cannot tell what {text!r} is; allowed: {ALLOWED}")
    if names[0].lower().endswith(CPP):
        return as_side(cpp(names, top, say=say, **options.both, **options.cpp))
    if _is_rtl(text):
        more = dict(options.rtl)
        types = {} if known is None else known.types
        more["types"] = {**types, **more.get("types", {})}
        return as_side(rtl(names, top, say=say, **options.both, **more))
    if "/" in files or Path(files).is_file():
        raise SignatureError(f"cannot tell what {text!r} is; allowed: {ALLOWED}")
    return PythonSide(_made(load_function(text)), text)


def _made(found: Callable[..., Any]) -> Callable[..., Any]:
    """A class is a function with state: one of its objects is called."""
    return found() if isinstance(found, type) else found


def parameters(given: Sequence[str]) -> dict[str, int | str]:
    """``--parameter`` options: what is an integer is one, all else a text."""
    found = pairs(given, "--parameter").items()
    return {name: int(v) if v.lstrip("-").isdigit() else v for name, v in found}


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
