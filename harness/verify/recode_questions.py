"""Questions about codes that leave a float type, or come into one, for other types' codes.

The value of a source code is read without our kernels: by NumPy or ml_dtypes where they have the
type, else by the exact reference.  What that value is in the target, the vendor's ``ap_fixed.h``
says of doubles, and MPFR of floats, of values beyond the doubles too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from harness import reference
from harness.oracle import Oracle, kernels
from harness.oracle.kernels import Kernel
from harness.quantize import cast_codes, decode, quantize_codes
from harness.quantize.plan import as_int64
from harness.types import ApFixed, BinaryFloat, IeeeFloat
from harness.verify import cases
from harness.verify.float_cases import float_codes_for
from harness.verify.float_questions import family
from harness.verify.questions import (
    ALL,
    FEW,
    HAS_TORCH,
    Answer,
    CodeQuestion,
    Inputs,
    tensor_casts,
    unfold,
)
from harness.verify.witnesses import MPFR, decoded, exact_codes, number

__all__ = ["DOUBLE", "WIDE", "FloatToFixed", "Recode"]

Array = np.ndarray[Any, Any]
DOUBLE = IeeeFloat(11, 52)
#: Where ties of types beyond 64 bits come from.
WIDE = ApFixed(240, 120)


class _FromCodes(CodeQuestion):
    """What both questions have in common."""

    @property
    def key(self) -> str:
        """A text that no other question has."""
        return f"recode {self.label}"

    def exhausted(self, exhaustive_width: int) -> int:  # noqa: ARG002  # of the source, not the target
        """None of the target."""
        return 0

    def answers(self) -> list[Answer]:
        """The casts under test."""
        a, t = self.source, self.target
        found: list[Answer] = [("cast_codes", ALL, lambda i: cast_codes(i[0], a, t))]
        if max(a.width, t.width) <= 64 and HAS_TORCH:
            found.append(("tensor core", FEW, lambda i: tensor_casts(i[0], a, t)))
        return found

    def value(self, inputs: Inputs, k: int) -> Fraction | None:
        """The exact value that comes into the type; ``None`` for NaN and infinities."""
        found = reference.decode(unfold(inputs[0][k], self.source), self.source)
        return found if isinstance(found, Fraction) else None


@dataclass(frozen=True)
class FloatToFixed(_FromCodes):
    """Finite codes of a float type, whose values are doubles, in a fixed-point type."""

    source: BinaryFloat
    target: ApFixed
    witness = "ap_fixed.h, of doubles"

    @property
    def path(self) -> str:
        """The family of the source."""
        return family(self.source)

    @property
    def kernel(self) -> Kernel:
        """The C++ that answers."""
        return kernels.from_number("double", self.target)

    def inputs(self, size: int, rng: np.random.Generator, exhaustive_width: int) -> Inputs:
        """The source's codes nearest to what matters to the target; all of a small source."""
        if self.source.width <= exhaustive_width:
            codes = float_codes_for(self.source, size, rng, exhaustive_width)
        else:
            x = cases.doubles_for(self.target, size // 8, rng, min(exhaustive_width, 6))
            codes = np.unique(quantize_codes(x[np.isfinite(x)], self.source))
        return (codes[np.isfinite(decoded(codes, self.source))],)

    def ask(self, oracle: Oracle, inputs: Inputs) -> Any:
        """The codes of the C++."""
        return oracle.codes(decoded(inputs[0], self.source), self.target)


@dataclass(frozen=True)
class Recode(_FromCodes):
    """Codes of every class of a type, NaN and infinities among them, in a float type."""

    source: Any
    target: BinaryFloat
    kernel = None

    @property
    def path(self) -> str:
        """The family of the target."""
        return family(self.target)

    @property
    def witness(self) -> str:
        """The library and its version."""
        return f"{MPFR.name} {MPFR.version}"

    def inputs(self, size: int, rng: np.random.Generator, exhaustive_width: int) -> Inputs:
        """The source's codes to ask about: ties of the target, and the ends of every class."""
        a, t = self.source, self.target
        if isinstance(a, ApFixed):
            codes = {*_unfolded(cases.codes_for(a, a, size // 32, rng, exhaustive_width), a)}
            codes.update(_ties(a, t, rng))
        else:
            drawn = float_codes_for(a, size // 32, rng, exhaustive_width) if a.width <= 64 else ()
            codes = {*_unfolded(drawn, a), *_ends(a)}
            codes.update(reference.cast(c, WIDE, a) for c in _ties(WIDE, t, rng))
        kept = [c for c in sorted(codes) if t.nan_code is not None or not _is_nan(c, a)]
        if a.width > 64:
            return (np.array(kept, dtype=object),)
        return (np.array([as_int64(c) for c in kept]),)

    def ask(self, oracle: Oracle, inputs: Inputs) -> Any:  # noqa: ARG002  # needs no C++
        """The codes of MPFR."""
        codes, t = inputs[0], self.target
        if isinstance(self.source, BinaryFloat) and self.source.width <= 64 and MPFR.accepts(t):
            return MPFR.answers(decoded(codes, self.source), t)
        value = number if isinstance(self.source, BinaryFloat) else reference.decode
        return exact_codes([value(c, self.source) for c in _unfolded(codes, self.source)], t)

    def answers(self) -> list[Answer]:
        """The casts under test; to doubles, decoding too."""
        found = super().answers()
        if self.target == DOUBLE and self.source.width <= 64:
            found.append(("decode", ALL, lambda i: decode(i[0], self.source)))
        return found


def _unfolded(codes: Any, t: Any) -> list[int]:
    return [unfold(code, t) for code in codes]


def _is_nan(code: int, t: Any) -> bool:
    return math.isnan(reference.decode(code, t))


def _ends(t: BinaryFloat) -> list[int]:
    """In both signs: zero, the smallest codes, and those around the largest and the specials."""
    field = ((1 << t.exp_bits) - 1) << t.frac_bits
    near = {t.max_magnitude, field, 1 << t.frac_bits, (1 << (t.width - 1)) - 1}
    magnitudes = {0, *(m + d for m in near for d in (-2, -1, 0, 1, 2))}
    signs = (0, 1 << (t.width - 1))
    return [(m | s) ^ t.flip for m in magnitudes for s in signs if 0 <= m < 1 << (t.width - 1)]


def _ties(a: ApFixed, t: BinaryFloat, rng: np.random.Generator) -> list[int]:
    """Codes of a fixed-point type that lie halfway between values of a float type, and beside."""
    room = a.width - a.signed - t.precision - 2
    if room < 0:
        return []
    found = []
    for shift in rng.integers(0, room + 1, 60).tolist():
        half = 2 * int.from_bytes(rng.bytes(32), "little") % (1 << t.precision) + 1
        half |= 1 << t.precision
        found += [(half << shift) + step for step in (-1, 0, 1)]
    return [*found, *(-c for c in found if a.signed)]
