"""hls4ml's layer kernels as the oracle runs them: one C++ template instantiation each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

__all__ = ["LayerKernel"]

_WIDTH = re.compile(r"\bap_u?(?:fixed|int)<(\d+)")


@dataclass(frozen=True)
class LayerKernel:
    """An adapter of ``ap_types/layers/``, with all its template arguments.

    Attributes:
        source: the header that has the adapter.
        template: its name.
        arguments: the template arguments: types with a ``cpp_full``, integers, or C++ text.
    """

    source: str
    template: str
    arguments: tuple[Any, ...]

    @property
    def cpp(self) -> str:
        """The expression that names it in C++; also its identity in the cache."""
        spelled = ", ".join(_spelled(argument) for argument in self.arguments)
        return f"&harness::layers::{self.template}<{spelled}>"

    @property
    def warns(self) -> bool:
        """Whether the headers may warn: they do of wide numbers below a symmetric range."""
        return any(int(width) > 64 for width in _WIDTH.findall(self.cpp))


def _spelled(argument: Any) -> str:
    if isinstance(argument, bool):
        return "true" if argument else "false"
    return str(getattr(argument, "cpp_full", argument))
