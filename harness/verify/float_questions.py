"""Questions about floats that a library answers: MPFR, NumPy, ml_dtypes, the C++ compiler."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from harness import reference
from harness.oracle import Oracle
from harness.quantize import quantize, quantize_codes
from harness.types import BinaryFloat, MiniFloat, VitisFloat
from harness.verify import snippets
from harness.verify.float_cases import exhausted, float_doubles_for
from harness.verify.questions import ALL, FEW, HAS_TORCH, Answer, Inputs, fits, tensor_codes
from harness.verify.witnesses import MPFR, Witness

__all__ = ["FloatQuestion", "Plain", "Witnessed", "family"]

#: Types of up to so many bits are exhausted, wherever a witness takes whole arrays.
WHOLE = 16


class FloatQuestion:
    """What questions about conversions from doubles have in common."""

    cell = None
    target: Any
    kernel: Any = None

    @property
    def label(self) -> str:
        """The type, for people."""
        return str(self.target)

    def exhausted(self, exhaustive_width: int) -> int:
        """Codes of the target of which each is a case, with the midpoints beside it."""
        return exhausted(self.target, exhaustive_width)

    def answers(self) -> list[Answer]:
        """The quantizers under test."""
        t = self.target
        found: list[Answer] = [("quantize_codes", ALL, lambda i: quantize_codes(i[0], t))]
        if fits(t, np.float64):
            found.append(("quantize", ALL, lambda i: quantize(i[0], t)))
        if t.width <= 64 and HAS_TORCH:
            found.append(("tensor core", FEW, lambda i: tensor_codes(i[0], t)))
        return found

    def exact(self, inputs: Inputs, k: int) -> int:
        """The exact reference's code for input ``k``."""
        return reference.from_double(float(inputs[0][k]), self.target)

    def value(self, inputs: Inputs, k: int) -> Fraction | None:
        """The exact value that comes into the type; ``None`` for NaN and infinities."""
        x = inputs[0][k]
        return Fraction(x.item()) if np.isfinite(x) else None

    def show(self, inputs: Inputs, k: int) -> str:
        """Input ``k``, for people and for reproduction."""
        return float(inputs[0][k]).hex()

    def simple(self) -> Inputs | None:
        """Nothing simpler than what was drawn."""
        return None

    def snippet(self, inputs: Inputs, k: int) -> str:
        """A program that prints the code."""
        return snippets.python(f"float.fromhex({self.show(inputs, k)!r})", self.target)


@dataclass(frozen=True)
class Plain(FloatQuestion):
    """A type's codes of doubles, whoever is right: what two implementations were held to."""

    target: Any
    path = "double"
    witness = ""

    @property
    def key(self) -> str:
        """A text that no other question has."""
        return f"plain {self.target}"

    def inputs(self, size: int, rng: np.random.Generator, exhaustive_width: int) -> Inputs:
        """The values to ask about."""
        return (float_doubles_for(self.target, size, rng, exhaustive_width),)

    def ask(self, oracle: Oracle, inputs: Inputs) -> Any:  # noqa: ARG002  # needs no C++
        """The exact reference's codes."""
        return np.array([self.exact(inputs, k) for k in range(inputs[0].size)])


@dataclass(frozen=True)
class Witnessed(FloatQuestion):
    """A float type's codes of doubles, or of floats, as another library has them."""

    by: Witness
    target: BinaryFloat
    dtype: str = "float64"

    @property
    def path(self) -> str:
        """The family."""
        return family(self.target)

    @property
    def witness(self) -> str:
        """The library and its version."""
        return f"{self.by.name} {self.by.version}"

    @property
    def key(self) -> str:
        """A text that no other question has."""
        return f"{self.by.name} {self.target} {self.dtype}"

    def exhausted(self, exhaustive_width: int) -> int:
        """Codes of which each is a case: a library that takes whole arrays is asked about more."""
        return super().exhausted(exhaustive_width if self.by is MPFR else WHOLE)

    def inputs(self, size: int, rng: np.random.Generator, exhaustive_width: int) -> Inputs:
        """The values to ask about."""
        if self.by is not MPFR:
            exhaustive_width = WHOLE
        x = float_doubles_for(self.target, size // 8, rng, exhaustive_width)
        with np.errstate(over="ignore", under="ignore"):
            return (x.astype(self.dtype),)

    def ask(self, oracle: Oracle, inputs: Inputs) -> Any:  # noqa: ARG002  # needs no C++
        """The codes of the library."""
        return self.by.answers(inputs[0].astype(np.float64), self.target)


def family(t: Any) -> str:
    """The family of a float type."""
    if isinstance(t, MiniFloat):
        return "minifloat"
    return "vitis" if isinstance(t, VitisFloat) else "ieee"
