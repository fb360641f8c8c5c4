"""Names that stand for nothing: what to say instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["instead"]


def instead(name: str, known: Iterable[str]) -> str:
    """The names that there are, and the one that was perhaps meant: ``a, b; nearest: a``."""
    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(name, names, 1)
    return (", ".join(names) or "none") + (f"; nearest: {near[0]}" if near else "")
