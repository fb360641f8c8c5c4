"""Random layers and inputs: types with every mode, weights and codes that overflow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from harness.fixed import Fixed
from harness.hls.layers.layer import TypedLayer
from harness.oracle.layers import LayerKernel
from harness.quantize.codes import narrowed
from harness.quantize.wide import wrapped
from harness.types import ApFixed, Overflow, Rounding

__all__ = ["FAMILIES", "VARIANTS", "Draw", "family", "long_codes", "named"]

#: Widths of types if nothing is said, and of wide ones.
ORDINARY, WIDE = (2, 18), (65, 100)
T = TypeVar("T")
Drawer = Callable[["Draw"], TypedLayer]
Variant = Callable[[LayerKernel], LayerKernel]
#: How to draw a layer, by the name of its kernel as tables show it.
FAMILIES: dict[str, Drawer] = {}
#: The kernel that a layer's own stands for, where that is another one, by the same names.
VARIANTS: dict[str, Variant] = {}


def family(name: str, variant: Variant | None = None) -> Callable[[Drawer], Drawer]:
    """Enter a drawer into :data:`FAMILIES`, and which kernel its layers are held against."""

    def enter(draw: Drawer) -> Drawer:
        FAMILIES[name] = draw
        if variant is not None:
            VARIANTS[name] = variant
        return draw

    return enter


def named(parts: Sequence[str] | None) -> list[str]:
    """The names that contain one of ``parts``; all if there are none.

    Raises:
        ValueError: for a part that no name has.
    """
    for part in parts or ():
        if not any(part in name for name in FAMILIES):
            raise ValueError(f"no kernel is called {part!r}; there are: {'; '.join(FAMILIES)}")
    return [name for name in FAMILIES if not parts or any(part in name for part in parts)]


class Draw:
    """A source of random choices; equal seeds draw equal layers.

    Args:
        seed: integers that name the place in the run.
        wide: whether accumulators have more than 64 bits, and other types sometimes have.
    """

    def __init__(self, *seed: int, wide: bool = False) -> None:
        self.rng = np.random.default_rng(list(seed))
        self.wide = wide

    def integer(self, low: int, high: int) -> int:
        """One of ``low`` to ``high``, both included."""
        return int(self.rng.integers(low, high + 1))

    def choice(self, options: Sequence[T]) -> T:
        """One of several."""
        return options[self.integer(0, len(options) - 1)]

    def type(
        self,
        low: int = ORDINARY[0],
        high: int = ORDINARY[1],
        *,
        signed: bool | None = None,
        integer: tuple[int, int] | None = None,
        plain: bool = False,
    ) -> ApFixed:
        """A type of ``low`` to ``high`` bits in any mode, mostly with the point inside.

        Args:
            low: the smallest width.
            high: the largest width.
            signed: fix the sign.
            integer: fix the range of integer bits.
            plain: without modes, as types of values that are only stored have it.
        """
        if self.wide and (low, high) == ORDINARY and self.integer(0, 3) == 0:
            low, high, integer = *WIDE, integer or (8, 64)
        width = self.integer(low, high)
        bits = self.integer(*(integer or (-1 if width > 4 else 0, min(width + 1, 9))))
        if signed is None:
            signed = self.integer(0, 4) > 0
        if plain:
            return ApFixed(width, bits, signed)
        rounding = self.choice(list(Rounding))
        overflow = self.choice([o for o in Overflow if signed or o is not Overflow.WRAP_SM])
        n = self.integer(1, width) if overflow.wraps and self.integer(0, 3) == 0 else 0
        return ApFixed(width, bits, signed, rounding, overflow, n)

    def accumulator(self) -> ApFixed:
        """A type for sums: tight ones that overflow, default ones that truncate, and wide ones."""
        kind = self.integer(0, 3)
        if self.wide:
            return self.type(*WIDE, integer=(20, 60), plain=kind == 1)
        if kind == 0:
            return self.type(20, 40, integer=(6, 20))
        if kind == 1:
            return self.type(8, 24, plain=True)
        return self.type(6, 20)

    def codes(self, t: ApFixed, shape: tuple[int, ...]) -> Fixed:
        """Codes of a type: small ones, large ones, and its ends."""
        size = math.prod(shape)
        if t.width > 63:
            return long_codes(self.rng, t, shape)
        codes = self.rng.integers(t.min_code, t.max_code, size, np.int64, endpoint=True)
        small = codes >> self.integer(0, max(t.width - 2, 0))
        codes = np.where(self.rng.random(size) < 0.5, small, codes)
        ends = self.rng.choice(np.array([t.min_code, t.max_code, 0]), size)
        codes = np.where(self.rng.random(size) < 0.05, ends, codes)
        return Fixed(codes.reshape(shape), t)

    def inputs(self, layer: TypedLayer, rows: int) -> tuple[Fixed, ...]:
        """A batch for a layer: random rows; where the type is small, every code of it too."""
        batches = [
            Fixed(self._batch(t, rows, shape), t)
            for t, shape in zip(layer.input_types, layer.input_shapes, strict=True)
        ]
        for k, batch in enumerate(batches):
            low, high = layer.code_range(k)
            if (low, high) != (batch.type.min_code, batch.type.max_code):
                batch.codes = low + batch.codes % (high - low + 1)
        return tuple(batches)

    def _batch(self, t: ApFixed, rows: int, shape: tuple[int, ...]) -> Any:
        codes = self.codes(t, (rows, *shape)).codes
        if t.width <= 14 and codes.size >= 1 << t.width:
            codes.reshape(-1)[: 1 << t.width] = self.rng.permutation(np.array(t.codes))
        return codes


def long_codes(rng: np.random.Generator, t: ApFixed, shape: tuple[int, ...]) -> Fixed:
    """Codes of a type that no 64-bit integers can be drawn for: of every length, and its ends."""
    size = math.prod(shape)
    words = rng.integers(-1 << 63, 1 << 63, (size, t.width // 64 + 1), np.int64)
    drops = rng.integers(0, t.width + 1, size).tolist()
    ends = np.where(rng.random(size) < 0.9, -1, rng.integers(0, 3, size)).tolist()
    found = np.empty(size, object)
    for k, (row, drop, end) in enumerate(zip(words, drops, ends, strict=True)):
        code = wrapped(int.from_bytes(row.tobytes(), "little"), t) >> drop
        found[k] = code if end < 0 else (t.min_code, t.max_code, 0)[end]
    return Fixed((found if t.width > 64 else narrowed(found)).reshape(shape), t)
