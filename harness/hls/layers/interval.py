"""``Interval``: bounds of arrays of values, and the arithmetic of what lies between them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.fixed import Array, Fixed
from harness.types import ApFixed, Overflow

__all__ = ["Extent", "Interval", "added", "bounded", "saturates", "unlimited"]


@dataclass(frozen=True)
class Interval:
    """Bounds of an array of values.

    Attributes:
        low: the lowest value of each element, both included.
        high: the highest one, of the same type and shape.
    """

    low: Fixed
    high: Fixed

    @classmethod
    def of(cls, t: ApFixed, shape: tuple[int, ...]) -> Interval:
        """All of a type."""
        return cls(*(Fixed(np.full(shape, _word(c, t)), t) for c in (t.min_code, t.max_code)))

    @classmethod
    def at(cls, x: Fixed) -> Interval:
        """Nothing but these values."""
        return cls(x, x)

    @classmethod
    def among(cls, x: Fixed) -> Interval:
        """Scalar bounds of what is one of these values."""
        return cls(x, x).whole

    @classmethod
    def hull(cls, *parts: Interval) -> Interval:
        """What is in one of the parts, which broadcast."""
        types = [part.low.type for part in parts]
        frac, bits = max(t.frac for t in types), max(t.integer for t in types)
        t = ApFixed(frac + bits + 1, bits + 1)
        lows, highs = ([getattr(p, side).to(t).codes for p in parts] for side in ("low", "high"))
        return cls(_joined(np.minimum, lows, t), _joined(np.maximum, highs, t))

    @classmethod
    def joined(cls, parts: Sequence[Interval]) -> Interval:
        """Parts one after the other along the first axis."""
        t = cls.hull(*(part.whole for part in parts)).low.type
        lows, highs = ([getattr(p, side).to(t).codes for p in parts] for side in ("low", "high"))
        return cls(Fixed(np.concatenate(lows), t), Fixed(np.concatenate(highs), t))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of both bounds."""
        return self.low.shape

    @property
    def extremes(self) -> tuple[int, int]:
        """The lowest and the highest code of all elements."""
        return int(self.low.codes.min()), int(self.high.codes.max())

    @property
    def whole(self) -> Interval:
        """Scalar bounds of all elements."""
        t = self.low.type
        wide = ApFixed(t.width + 1, t.integer + 1)  # in which codes are ordered as values are
        low, high = (end.to(wide).codes for end in (self.low, self.high))
        return Interval(Fixed(low.min(), wide), Fixed(high.max(), wide))

    def __getitem__(self, key: Any) -> Interval:
        return self.each(lambda end: end[key])

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Interval) -> Interval:
        return Interval(self.low - other.high, self.high - other.low)

    def __mul__(self, other: Interval) -> Interval:
        products = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        codes, t = [p.codes for p in products], products[0].type
        return Interval(_joined(np.minimum, codes, t), _joined(np.maximum, codes, t))

    def each(self, f: Callable[[Fixed], Fixed]) -> Interval:
        """Both bounds through a function that never falls."""
        return Interval(f(self.low), f(self.high))

    def reshape(self, shape: tuple[int, ...]) -> Interval:
        """The same bounds in another shape."""
        return self.each(lambda end: end.reshape(shape))

    def spread(self, shape: tuple[int, ...]) -> Interval:
        """Broadcast to a shape."""
        return self.each(lambda end: Fixed(np.broadcast_to(end.codes, shape), end.type))

    def rounded(self, t: ApFixed) -> Interval:
        """What the values become by the rounding of ``t`` alone."""
        return self.each(lambda end: unlimited(end, t))

    def outward(self, frac: int) -> tuple[Fixed, Fixed]:
        """Over another LSB the neighbours below the low bounds, and above the high ones."""
        t = self.low.type
        width = t.width + max(frac - t.frac, 0) + 2
        floor = ApFixed(width, width - frac)
        return self.low.to(floor), -((-self.high).to(floor))

    def between(self, low: int, high: int) -> bool:
        """Whether every value is one of ``low`` to ``high``."""
        ends = self.whole
        lsb = ends.low.type.lsb_exact
        return bool(low <= int(ends.low.codes) * lsb and int(ends.high.codes) * lsb <= high)

    def same(self, other: Interval) -> bool:
        """Whether both are of one type and have the same bounds."""
        ends = ((self.low, other.low), (self.high, other.high))
        return all(a.type == b.type and np.array_equal(a.codes, b.codes) for a, b in ends)

    def to(self, t: ApFixed) -> Interval:
        """What the values become in ``t``; all of it where one might overflow and not saturate."""
        if self.low.type == t:
            return self
        inner = self.rounded(t)
        low, high = (end.codes.astype(object) for end in (inner.low, inner.high))
        if saturates(t):  # a symmetric type's lowest code may stay where it comes from
            low = np.clip(low, t.min_code, t.max_code)
            high = np.clip(high, t.min_code + _symmetric(t), t.max_code)
        else:
            inside = (low >= t.min_code) & (high <= t.max_code)
            low, high = np.where(inside, low, t.min_code), np.where(inside, high, t.max_code)
        return Interval(*(Fixed(_words(end, t), t) for end in (low, high)))

    def within(self, t: ApFixed) -> bool:
        """Whether ``t`` holds every value, after its rounding."""
        if self.low.type == t:
            return True
        low, high = self.rounded(t).extremes
        return low >= t.min_code + _symmetric(t) and high <= t.max_code

    def _repr_html_(self) -> str:
        """For notebooks."""
        from harness.report.notebook import bounds_html

        return bounds_html(self)


@dataclass(frozen=True)
class Extent:
    """What can stand in a layer before its types limit it.

    Attributes:
        sums: for each accumulator by the name of its type among the layer's arguments that type,
            and bounds of all that it should hold.
        before: bounds of the outputs before they become ``result``.
    """

    sums: dict[str, tuple[ApFixed, Interval]]
    before: Interval


def added(start: Interval, terms: Interval, accum: ApFixed) -> tuple[Interval, Interval]:
    """Bounds of ``acc = start; acc += terms[..., k]`` in order, each sum rounded as ``accum``.

    Args:
        start: what the sums start from, rounded already.
        terms: (..., count).
        accum: the type whose rounding each sum gets; nothing overflows.

    Returns:
        Scalar bounds of everything that stands in the accumulator, but for the terms, and bounds
        of the last sums, (...).
    """
    types = (start.low.type, terms.low.type)
    count = terms.shape[-1]
    width = max(t.integer + 1 for t in types) + count.bit_length() + 1 + accum.frac
    wide = ApFixed(max(width, 2), max(width, 2) - accum.frac, rounding=accum.rounding)
    acc = start.spread(terms.shape[:-1]).each(lambda end: end.to(wide))
    held = [acc.whole]
    for k in range(count):
        acc = (acc + terms[..., k]).each(lambda end: end.to(wide))
        held.append(acc.whole)
    return Interval.hull(*held), acc


def bounded(low: Any, high: Any, frac: int) -> Interval:
    """Arrays of Python integers over an LSB as bounds, of a type that holds them."""
    ends = [np.asarray(end, object) for end in (low, high)]
    largest = max((abs(v) for end in ends for v in end.ravel().tolist()), default=0)
    width = max(int(largest).bit_length() + 2, 2)
    t = ApFixed(width, width - frac)
    return Interval(*(Fixed(_words(end, t), t) for end in ends))


def saturates(t: ApFixed) -> bool:
    """Whether a type keeps to its ends what is beyond them."""
    return t.overflow in (Overflow.SAT, Overflow.SAT_SYM)


def unlimited(x: Fixed, t: ApFixed) -> Fixed:
    """``x`` rounded as ``t`` does, in a type that holds every result."""
    width = x.type.width + max(t.frac - x.type.frac, 0) + 2
    return x.to(ApFixed(width, width - t.frac, rounding=t.rounding))


def _joined(f: Callable[[Any, Any], Any], codes: Sequence[Array], t: ApFixed) -> Fixed:
    return Fixed(functools.reduce(f, codes), t)


def _symmetric(t: ApFixed) -> bool:
    """Whether no conversion gives the lowest code."""
    return t.overflow is Overflow.SAT_SYM and t.signed


def _words(codes: Any, t: ApFixed) -> Array:
    """Codes as arrays hold them: 64 bits fill a word, signed or not."""
    array: Array = np.asarray(codes, object)
    if t.width > 64:
        return array
    if t.width == 64 and not t.signed:
        return array.astype(np.uint64).view(np.int64)
    return array.astype(np.int64)


def _word(code: int, t: ApFixed) -> Any:
    return _words(np.array(code, object), t)[()]
