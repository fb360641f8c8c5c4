"""How work that takes long tells how far it is, without knowing who listens."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Update"]

#: Tells how far it is: steps done, of how many, and a word about it.
Update = Callable[[int, int, str], None]
