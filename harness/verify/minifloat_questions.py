"""Questions about minifloats, put to two C++ headers.

The vendor's ``ap_float.h`` is asked where it is valid, and our ``minifloat.h`` everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from harness import reference
from harness.oracle import Oracle, kernels
from harness.oracle.domain import NUMBERS, Domain, domain
from harness.oracle.kernels import VENDOR, Kernel
from harness.quantize import cast_codes, compute_codes
from harness.types import MiniFloat, Operation, result_type
from harness.verify import cases, snippets
from harness.verify.float_cases import float_codes_for, float_doubles_for
from harness.verify.float_questions import FloatQuestion
from harness.verify.questions import ALL, Answer, CodeQuestion, Inputs, unfold

__all__ = ["FloatCast", "FloatProduct", "MiniFloatNumber"]

Array = np.ndarray[Any, Any]
#: Numbers as the validity domain names them.
DOMAINS = {cpp: name for name, cpp in NUMBERS.items()}


@dataclass(frozen=True)
class MiniFloatNumber(FloatQuestion):
    """``MiniFloat(x)`` in C++, for a double, a float or a 64-bit integer."""

    header: str
    target: MiniFloat
    number: str = "double"
    path = "minifloat"

    @property
    def witness(self) -> str:
        """The header."""
        return _named(self.header)

    @property
    def domain(self) -> Domain | None:
        """Where the vendor's header is valid; ``None`` for ours, which is everywhere."""
        return domain(self.target, DOMAINS[self.number]) if self.header == VENDOR else None

    @property
    def kernel(self) -> Kernel:
        """The C++ that answers."""
        return kernels.from_number(self.number, self.target, self.header)

    @property
    def key(self) -> str:
        """A text that no other question has."""
        return self.kernel.cpp

    def exhausted(self, exhaustive_width: int) -> int:
        """Codes of which each is a case; only our header is asked about all, from doubles."""
        everywhere = self.header != VENDOR and self.number == "double"
        return super().exhausted(exhaustive_width) if everywhere else 0

    def inputs(self, size: int, rng: np.random.Generator, exhaustive_width: int) -> Inputs:
        """The values to ask about; for the vendor's header those of its validity domain."""
        x = float_doubles_for(self.target, size // 4, rng, exhaustive_width)
        if self.header == VENDOR:
            coarse = np.round(np.ldexp(x[np.abs(x) < 2.0**15], 16))  # what its source can hold
            x = np.concatenate([x, np.ldexp(coarse, -16)])
        if self.number == "float":
            with np.errstate(over="ignore", under="ignore"):
                x = x.astype(np.float32)
        elif self.number != "double":
            x = np.unique(np.rint(x[np.abs(x) < 2.0**62])).astype(np.int64)
        return (x if self.domain is None else x[self.domain.holds(x)],)

    def ask(self, oracle: Oracle, inputs: Inputs) -> Any:
        """The codes of the C++."""
        return oracle.codes(inputs[0], self.target, header=self.header)

    def answers(self) -> list[Answer]:
        """The quantizers under test; integers have codes, but no values."""
        whole = self.number.startswith("std")
        return [found for found in super().answers() if not (whole and found[0] == "quantize")]

    def exact(self, inputs: Inputs, k: int) -> int:
        """The exact reference's code for input ``k``."""
        x = inputs[0][k]
        if self.number in ("double", "float"):
            return reference.from_double(float(x), self.target)
        return reference.from_int(int(x), self.target)

    def show(self, inputs: Inputs, k: int) -> str:
        """Input ``k``, for people and for reproduction."""
        return str(inputs[0][k]) if self.number.startswith("std") else super().show(inputs, k)

    def snippet(self, inputs: Inputs, k: int) -> str:
        """A C++ program that prints the code."""
        return snippets.minifloat(self.header, self.number, inputs[0][k], self.target)


@dataclass(frozen=True)
class FloatCast(CodeQuestion):
    """``target(a)`` for ``a`` of type ``source``: into a minifloat, or out of one."""

    header: str
    source: Any
    target: Any
    construct: bool = False
    path = "minifloat"

    @property
    def witness(self) -> str:
        """The header."""
        return _named(self.header)

    @property
    def domain(self) -> Domain | None:
        """Where the vendor's header is valid; ``None`` for ours, and out of minifloats."""
        if self.header != VENDOR or isinstance(self.source, MiniFloat):
            return None
        return domain(self.target, self.source, construct=self.construct)

    @property
    def kernel(self) -> Kernel:
        """The C++ that answers."""
        return kernels.cast(self.source, self.target, self.header, construct=self.construct)

    @property
    def key(self) -> str:
        """A text that no other question has."""
        return self.kernel.cpp

    def exhausted(self, exhaustive_width: int) -> int:
        """Every code of a small minifloat is asked for its value."""
        small = isinstance(self.source, MiniFloat) and self.source.width <= exhaustive_width
        return 1 << self.source.width if small else 0

    def inputs(self, size: int, rng: np.random.Generator, exhaustive_width: int) -> Inputs:
        """The source's codes to ask about."""
        if isinstance(self.source, MiniFloat):
            return (_codes_of(self.source, size // 4, rng, exhaustive_width),)
        window = self.source if self.target.e > 8 else self.target.fixed
        codes = cases.codes_for(self.source, window, size // 4, rng, exhaustive_width + 4)
        return (codes if self.domain is None else codes[self.domain.holds(codes)],)

    def ask(self, oracle: Oracle, inputs: Inputs) -> Any:
        """The codes of the C++."""
        types = self.source, self.target
        return oracle.cast(inputs[0], *types, header=self.header, construct=self.construct)

    def answers(self) -> list[Answer]:
        """The casts under test."""
        return [("cast_codes", ALL, lambda i: cast_codes(i[0], self.source, self.target))]


@dataclass(frozen=True)
class FloatProduct:
    """``a * b`` with a minifloat, in the type that holds it."""

    cell = None
    header: str
    a: Any
    b: Any
    path = "minifloat"

    @property
    def target(self) -> Any:
        """The type of the result."""
        return result_type(Operation.MUL, self.a, self.b)

    @property
    def witness(self) -> str:
        """The header."""
        return _named(self.header)

    @property
    def label(self) -> str:
        """The types, for people."""
        return f"{self.a} * {self.b}"

    @property
    def kernel(self) -> Kernel:
        """The C++ that answers."""
        return kernels.compute(Operation.MUL, self.a, self.b, self.header)

    @property
    def key(self) -> str:
        """A text that no other question has."""
        return self.kernel.cpp

    def exhausted(self, exhaustive_width: int) -> int:  # noqa: ARG002  # pairs are not codes
        """Pairs are drawn."""
        return 0

    def inputs(self, size: int, rng: np.random.Generator, exhaustive_width: int) -> Inputs:
        """Pairs of codes."""
        count = 1000 if self.target.width > 64 else size // 4
        a, b = (_codes_of(t, count, rng, exhaustive_width) for t in (self.a, self.b))
        return rng.choice(a, count), rng.choice(b, count)

    def ask(self, oracle: Oracle, inputs: Inputs) -> Any:
        """The codes of the C++."""
        a, b = inputs
        return oracle.compute(Operation.MUL, a, self.a, b, self.b, header=self.header)

    def answers(self) -> list[Answer]:
        """The arithmetic under test."""
        name = "compute_codes"
        return [(name, ALL, lambda i: compute_codes("*", i[0], self.a, i[1], self.b))]

    def exact(self, inputs: Inputs, k: int) -> int:
        """The exact reference's code for input ``k``."""
        a, b = self._pair(inputs, k)
        return reference.compute(Operation.MUL, a, self.a, b, self.b)

    def value(self, inputs: Inputs, k: int) -> Fraction | None:
        """The exact result."""
        return Fraction(reference.decode(self.exact(inputs, k), self.target))

    def show(self, inputs: Inputs, k: int) -> str:
        """Input ``k``, for people and for reproduction."""
        a, b = self._pair(inputs, k)
        return f"code {a:#x} * code {b:#x}"

    def simple(self) -> Inputs | None:
        """Nothing simpler than what was drawn."""
        return None

    def snippet(self, inputs: Inputs, k: int) -> str:
        """A program that prints the code."""
        a, b = self._pair(inputs, k)
        return snippets.python_product(a, self.a, b, self.b)

    def _pair(self, inputs: Inputs, k: int) -> tuple[int, int]:
        return unfold(inputs[0][k], self.a), unfold(inputs[1][k], self.b)


def _named(header: str) -> str:
    return "hls4ml's ap_float.h, in its domain" if header == VENDOR else "minifloat.h, ours"


def _codes_of(t: Any, size: int, rng: np.random.Generator, exhaustive_width: int) -> Array:
    if isinstance(t, MiniFloat):
        return float_codes_for(t, size, rng, exhaustive_width)
    return cases.codes_for(t, t, size, rng, exhaustive_width)
