"""The ends of a type: exact fractions, and the same as floats for those who compute with floats."""

from __future__ import annotations

import contextlib
from fractions import Fraction

__all__ = ["Ends", "FloatEnds", "exact_float"]


def exact_float(t: object, name: str) -> float:
    """The property ``name`` of a type as a float, from the fraction ``name_exact``.

    Raises:
        ValueError: if no double is that number; the line names the property that is.
    """
    exact: Fraction = getattr(t, f"{name}_exact")
    with contextlib.suppress(OverflowError):
        number = float(exact)
        if number == exact:
            return number
    raise ValueError(f"{t}'s {name} has no exact float; {name}_exact is a Fraction")


class Ends:
    """``min`` and ``max`` of a type that has ``min_exact`` and ``max_exact``."""

    @property
    def min_exact(self) -> Fraction:
        """The lowest value, exactly."""
        raise NotImplementedError

    @property
    def max_exact(self) -> Fraction:
        """The highest value, exactly."""
        raise NotImplementedError

    @property
    def min(self) -> float:
        """The lowest value as a float; ``ValueError`` names ``min_exact`` if no double is it."""
        return exact_float(self, "min")

    @property
    def max(self) -> float:
        """The highest value as a float; ``ValueError`` names ``max_exact`` if no double is it."""
        return exact_float(self, "max")

    def _repr_html_(self) -> str:
        """For notebooks."""
        from harness.report.notebook import type_html

        return type_html(self)


class FloatEnds(Ends):
    """... and ``smallest`` of a float, which has ``smallest_exact``."""

    @property
    def smallest_exact(self) -> Fraction:
        """The smallest positive value, exactly."""
        raise NotImplementedError

    @property
    def smallest(self) -> float:
        """The same as a float; ``ValueError`` names ``smallest_exact`` if no double is it."""
        return exact_float(self, "smallest")
