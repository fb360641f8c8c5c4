"""Where the open ``ap_float.h`` converts as its format says: its validity domain.

The header takes a fixed-point magnitude and shifts it to where its leading bit is the hidden one.
Each clause is a step that loses something:

``source``    numbers pass through ``ap_fixed<32,16>``, which floors and wraps
``minimum``   the most negative code has no magnitude in one bit less, and becomes 0
``counter``   the position of the leading bit is counted in six signed bits
``zero``      0 counts as a leading bit in the lowest place, so it needs an exponent so low
``floor``     bits shifted out to the right are cut before the rounding that should see them
``window``    bits shifted out to the left are lost
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.types import ApFixed, MiniFloat

__all__ = ["CLAUSES", "Domain", "domain"]

Array = np.ndarray[Any, Any]
CLAUSES = ("source", "minimum", "counter", "zero", "floor", "window")
#: What the constructor makes of every source.
THROUGH = ApFixed(32, 16)
COUNTER = 32


@dataclass(frozen=True)
class Domain:
    """The values of a source that ``ap_float.h`` converts to ``type`` rightly.

    Attributes:
        type: the minifloat.
        source: what is converted: a fixed-point type, or the name of a C++ number.
        fixed: the fixed-point type that the header works on.
    """

    type: MiniFloat
    source: ApFixed | str
    fixed: ApFixed

    def holds(self, x: Any) -> Array:
        """Which elements are inside: doubles for a C++ number, else codes of the source."""
        inside: Array = self.broken(x) == ""
        return inside

    def broken(self, x: Any) -> Array:
        """The first clause that each element breaks; empty where the header is right."""
        codes, exact = self._codes(np.atleast_1d(np.asarray(x)))
        found = np.array([self._clause(int(c)) for c in codes.ravel()], dtype="<U7")
        return np.where(exact, found.reshape(codes.shape), "source")

    def describe(self) -> str:
        """The domain in one line."""
        t, frac = self.type, self.fixed.frac
        whole = self.fixed.integer - self.fixed.signed
        top = min(self.fixed.width - self.fixed.signed, COUNTER) - frac
        if whole < 1 and t.emin < 0:
            top = min(top, t.emin + whole)
        if t.emax < 0:
            top = min(top, t.emax + whole)
        parts = [f"multiples of 2**{-frac}, |x| < 2**{top}"]
        if t.emin > 0:
            parts.append(f"of 2**{t.emin - frac} below 2**{t.emin}")
        if top > 1 and t.emax > 0:
            parts.append(f"at most {max(frac + 1, 0)} significant bits up to 2**{t.emax + 1}")
        zero = "and 0" if self._clause(0) == "" else "not 0"
        return f"{', '.join(parts)}; {zero}"

    def _codes(self, x: Array) -> tuple[Array, Array]:
        """Codes of ``fixed``, and where they are exactly the source."""
        if self.source == self.fixed:
            return x, np.ones(x.shape, bool)
        frac = self.source.frac if isinstance(self.source, ApFixed) else 0
        with np.errstate(over="ignore"):
            y = np.ldexp(np.nan_to_num(x.astype(np.float64), nan=np.inf), self.fixed.frac - frac)
        exact = (y == np.rint(y)) & (y >= self.fixed.min_code) & (y <= self.fixed.max_code)
        return np.where(exact, y, 0.0).astype(np.int64), exact

    def _clause(self, code: int) -> str:
        t, fixed = self.type, self.fixed
        magnitude, width = abs(code), fixed.width - fixed.signed
        if magnitude >> width:
            return "minimum"
        if magnitude >> COUNTER:
            return "counter"
        if magnitude == 0:
            return "" if fixed.frac + t.e0 >= 1 << (t.e - 1) else "zero"
        lead = magnitude.bit_length() - 1 - fixed.frac
        shift = min(max(lead, t.emin), t.emax)
        if shift < 0:
            return "window" if magnitude << -shift >> width else ""
        if lead > t.emax:  # saturates, unless the shift leaves less than 2
            return "" if magnitude >> shift >= max(1, 1 << max(fixed.frac + 1, 0)) else "floor"
        return "floor" if magnitude % (1 << shift) else ""


def domain(t: MiniFloat, source: ApFixed | str, *, construct: bool = False) -> Domain:
    """The validity domain of ``ap_float.h`` for one type and source.

    Args:
        t: the minifloat.
        source: an ``ApFixed``, or ``"double"``, ``"float"`` or ``"int"``.
        construct: by the constructor, not by assignment; numbers have no other way.

    Raises:
        ValueError: for another source.
    """
    if isinstance(source, ApFixed):
        return Domain(t, source, THROUGH if construct else source)
    if source not in ("double", "float", "int"):
        raise ValueError(f"unknown source {source!r}; allowed: double, float, int or an ApFixed")
    return Domain(t, source, THROUGH)
