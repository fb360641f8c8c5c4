"""A value of any type in any other: rounded once, as the type that takes it says."""

from __future__ import annotations

from typing import Any

from harness.prove.law import fixed, floats
from harness.prove.terms import Integer, Truth, Word, choose
from harness.types import ApFixed, Binary, BinaryFloat

__all__ = ["cast", "defined"]


def cast(code: Word, source: Any, t: Any, *, published: bool = False) -> Word:
    """The code in ``t`` of the value that has ``code`` in ``source``.

    It means something where :func:`defined` holds; ``published`` is as in
    :func:`harness.prove.law.fixed.cast`.

    Raises:
        ValueError: for what the headers leave undefined, or if ``t`` rounds by chance.
    """
    if isinstance(source, BinaryFloat):
        return _from_float(code, source, t, published)
    if isinstance(source, ApFixed):
        if isinstance(t, ApFixed):
            return fixed.cast(code, source, t, published=published)
        units, frac = fixed.decoded(code, source), source.frac
    else:
        units, frac = choose(code == 1, Integer.of(1), Integer.of(-1)), 0
    if isinstance(t, Binary):
        return _sign(units, t)
    if isinstance(t, BinaryFloat):
        return floats.to_code(units, frac, t)
    return fixed.to_code(units, frac, t, published=published)


def defined(code: Word, source: Any, t: Any) -> Truth:
    """Whether the type has a code for it: not for NaN where there is none, or an infinity."""
    if not isinstance(source, BinaryFloat):
        return Truth(True)
    x = floats.unpack(code, source)
    if isinstance(t, ApFixed):
        return ~(x.nan | x.infinite)
    has_nan = isinstance(t, BinaryFloat) and t.nan_code is not None
    return Truth(True) if has_nan else ~x.nan


def _from_float(code: Word, source: BinaryFloat, t: Any, published: bool) -> Word:
    if isinstance(t, BinaryFloat):
        return floats.converted(code, source, t)
    x = floats.unpack(code, source)
    if isinstance(t, ApFixed):
        return fixed.to_code(x.units, x.frac, t, published=published)
    return _sign(x.units, t)


def _sign(units: Integer, t: Binary) -> Word:
    """1 for what is positive, 0 for what is negative, and for 0 what the type says."""
    return (units >= 0 if t.zero == 1 else units > 0).word()
