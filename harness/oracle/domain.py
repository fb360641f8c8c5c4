"""Where the open ``ap_float.h`` converts as its format says: its validity domain.

The header takes a fixed-point magnitude and shifts it to where its leading bit is the hidden one.
Each clause is a step that loses something:

``source``    numbers pass through ``ap_fixed<32,16>``, which floors and wraps
``minimum``   the most negative code has no magnitude in one bit less, and becomes 0
``counter``   the position of the leading bit is counted in six signed bits
``zero``      0 counts as a leading bit in the lowest place, so it needs an exponent so low
``floor``     bits shifted out to the right are cut before the rounding that should see them
``window``    bits shifted out to the left are lost

Inside the domain no step loses anything, and the header is right.  Outside it is often wrong, and
sometimes right by luck: what was lost did not matter, or the result saturates all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.oracle import kernels, limits
from harness.types import ApFixed, MiniFloat, as_fixed_type, as_number_type

__all__ = ["CLAUSES", "NUMBERS", "Domain", "domain"]

Array = np.ndarray[Any, Any]
CLAUSES = ("source", "minimum", "counter", "zero", "floor", "window")
#: What the constructor makes of every source.
THROUGH = ApFixed(32, 16)
#: Magnitudes the counter of the leading bit can tell apart have so many bits.
COUNTER = 32
#: C++ numbers by the names that sources have here.
NUMBERS = {"double": "double", "float": "float", "int": "std::int64_t"}


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

    @property
    def refusal(self) -> str | None:
        """Why the header cannot convert the source at all; ``None`` if it can."""
        if isinstance(self.source, ApFixed):
            construct = self.fixed != self.source
            return limits.refusal(kernels.cast(self.source, self.type, construct=construct))
        return limits.refusal(kernels.from_number(NUMBERS[self.source], self.type))

    def holds(self, x: Any) -> Array:
        """Which elements are inside: doubles or integers for a C++ number, else codes."""
        inside: Array = self.broken(x) == ""
        return inside

    def broken(self, x: Any) -> Array:
        """The first clause that each element breaks; empty inside.  An array of ``x``'s shape."""
        magnitudes, exact = self._magnitudes(np.atleast_1d(np.asarray(x)))
        return np.where(exact, self._clauses(magnitudes), "source")

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
        if t.emin > 0 and frac >= 0:
            parts.append(f"of 2**{t.emin - frac} below 2**{t.emin}")
        if top > 1 and t.emax > 0:
            if frac >= 0:
                parts.append(f"at most {frac + 1} significant bits up to 2**{t.emax + 1}")
            else:
                parts.append(f"none but 0 below 2**{t.emax - frac}")
        zero = "and 0" if self.holds(0)[0] else "not 0"
        return f"{', '.join(parts)}; {zero}"

    def _magnitudes(self, x: Array) -> tuple[Array, Array]:
        """Magnitudes of the codes of ``fixed``, and where these are exactly the source."""
        if self.source == self.fixed:
            return _magnitudes_of(x, self.fixed), np.ones(x.shape, bool)
        if isinstance(self.source, ApFixed):
            codes, exact = _moved(x.astype(object), self.fixed.frac - self.source.frac)
        else:
            with np.errstate(over="ignore"):
                codes = np.ldexp(np.nan_to_num(x.astype(np.float64), nan=np.inf), self.fixed.frac)
            exact = codes == np.rint(codes)
        exact &= ((codes >= self.fixed.min_code) & (codes <= self.fixed.max_code)).astype(bool)
        return np.abs(np.where(exact, codes, 0).astype(np.int64)), exact

    def _clauses(self, magnitudes: Array) -> Array:
        """The first clause that each magnitude breaks; ``source`` and signs aside."""
        t, frac, width = self.type, self.fixed.frac, self.fixed.width - self.fixed.signed
        minimum = (magnitudes > (1 << width) - 1).astype(bool)
        counter = (magnitudes > (1 << COUNTER) - 1).astype(bool)
        small = np.where(minimum | counter, 0, magnitudes).astype(np.int64)
        bits = np.frexp(small.astype(np.float64))[1].astype(np.int64)
        lead = bits - 1 - frac
        shift = np.clip(lead, t.emin, t.emax)
        # A shift to the left loses what leaves the width, one to the right what it passes.
        window = (shift < 0) & (bits - shift > width)
        floor = (small & ((1 << np.clip(shift, 0, COUNTER)) - 1)) != 0
        # Beyond the largest nothing matters, unless the shift leaves less than 2.
        beyond = (lead > t.emax) & (t.emax >= 0)
        floor = np.where(beyond, bits - 1 - t.emax < max(frac + 1, 0), floor)
        zero = frac + t.e0 >= 1 << (t.e - 1)
        conditions = [minimum, counter, small == 0, window, floor]
        return np.select(
            conditions, ["minimum", "counter", "" if zero else "zero", "window", "floor"], ""
        )


def _magnitudes_of(codes: Array, t: ApFixed) -> Array:
    """Absolute values: ``uint64``, or Python integers where they have more bits."""
    if codes.dtype.kind == "O" or t.width > 64:
        magnitudes: Array = np.abs(codes.astype(object))
        return magnitudes
    if codes.dtype.kind == "u" or not t.signed:
        return codes.astype(np.uint64)  # a word of 64 bits may come as a negative int64
    return np.abs(codes.astype(np.int64)).view(np.uint64)  # of the most negative one too


def _moved(codes: Array, left: int) -> tuple[Array, Array]:
    """Python integers times ``2**left``, floored, and where that is exact."""
    if left >= 0:
        return codes << left, np.ones(codes.shape, bool)
    return codes >> -left, (codes & ((1 << -left) - 1) == 0).astype(bool)


def domain(t: MiniFloat | str, source: ApFixed | str, *, construct: bool = False) -> Domain:
    """The validity domain of ``ap_float.h`` for one type and source.

    Args:
        t: the minifloat.
        source: an ``ApFixed``, its spelling, or ``"double"``, ``"float"`` or ``"int"``.
        construct: by the constructor, not by assignment; numbers have no other way.

    Raises:
        ValueError: for another source.
    """
    found = as_number_type(t)
    if not isinstance(found, MiniFloat):
        raise TypeError(f"{found} is no minifloat")
    if source in ("double", "float", "int"):
        return Domain(found, source, THROUGH)
    try:
        fixed = as_fixed_type(source)
    except (TypeError, ValueError):
        raise ValueError(
            f"unknown source {source!r}; allowed: double, float, int or an ApFixed"
        ) from None
    return Domain(found, fixed, THROUGH if construct else fixed)
