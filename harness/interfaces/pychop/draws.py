"""Where chances come from: one stream for arrays, and one for the tensors of each device."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from harness.types import is_tensor

__all__ = ["Draws"]


class Draws:
    """Generators from one seed; each call goes on where the last one ended.

    Args:
        seed: an integer.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._generators: dict[str, Any] = {}

    def of(self, x: Any) -> Any:
        """The generator for the kind and device of ``x``."""
        place = str(x.device) if is_tensor(x) else "numpy"
        if place not in self._generators:
            if place == "numpy":
                self._generators[place] = np.random.default_rng(self.seed)
            else:
                torch = sys.modules["torch"]  # who holds a tensor has imported torch
                self._generators[place] = torch.Generator(place).manual_seed(self.seed)
        return self._generators[place]

    def uniform(self, x: Any) -> Any:
        """Numbers in [0, 1), float64, in the shape and at the place of ``x``."""
        generator = self.of(x)
        if not is_tensor(x):
            return generator.random(np.shape(x))
        torch = sys.modules["torch"]
        return torch.rand(x.shape, generator=generator, dtype=torch.float64, device=x.device)

    def below(self, count: int, x: Any) -> Any:
        """Integers from 0 to ``count - 1``, likewise."""
        generator = self.of(x)
        if not is_tensor(x):
            return generator.integers(count, size=np.shape(x))
        torch = sys.modules["torch"]
        return torch.randint(count, x.shape, generator=generator, device=x.device)
