"""Conversions into fixed point: from C++ numbers and from other fixed-point types."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from harness import reference
from harness.oracle import Oracle, kernels
from harness.oracle.kernels import Kernel
from harness.quantize import cast_codes, quantize, quantize_codes
from harness.types import ApFixed, ApInt
from harness.verify import cases, snippets
from harness.verify.questions import (
    ALL,
    FEW,
    HAS_TORCH,
    Answer,
    CodeQuestion,
    Inputs,
    fits,
    tensor_codes,
    unfold,
)

__all__ = ["Cast", "FixedQuestion", "FromNumber"]


class FixedQuestion:
    """What the questions about fixed point have in common."""

    kernel: Any
    target: Any

    @property
    def cell(self) -> tuple[str, str] | None:
        """The modes of the target say where a report counts it."""
        return None

    @property
    def witness(self) -> str:
        """The integers' header; the vendor's fixed-point headers need no name."""
        return "ap_int.h" if self.path == "ap_int" else ""

    @property
    def key(self) -> str:
        """The C++ that names the question."""
        return str(self.kernel.cpp)

    @property
    def path(self) -> str:
        """The family of integer types; questions about fixed point have paths of their own."""
        return "ap_int"

    def exhausted(self, exhaustive_width: int) -> int:
        """Every code of a narrow integer type; of fixed point the matrix of a path tells."""
        narrow = self.path == "ap_int" and self.target.width <= exhaustive_width
        return 1 << self.target.width if narrow else 0


@dataclass(frozen=True)
class FromNumber(FixedQuestion):
    """``t(x)`` for a C++ number: ``double``, ``float``, ``std::int64_t`` or ``std::uint64_t``."""

    number: str
    target: ApFixed

    @property
    def path(self) -> str:
        """The name of the path."""
        if isinstance(self.target, ApInt):
            return "ap_int"
        return "integer" if self.whole else self.number

    @property
    def whole(self) -> bool:
        """Whether the number is an integer."""
        return self.number.startswith("std::")

    @property
    def label(self) -> str:
        """The types, for people."""
        return str(self.target)

    @property
    def kernel(self) -> Kernel:
        """The C++ that answers."""
        return kernels.from_number(self.number, self.target)

    def inputs(self, size: int, rng: np.random.Generator, exhaustive_width: int) -> Inputs:
        """The values to ask about."""
        t = self.target
        if self.whole:
            return (cases.integers_for(t, size // 4, rng, "uint" in self.number),)
        size = min(size, 2000) if t.width > 64 else size
        x = cases.doubles_for(t, size, rng, exhaustive_width)
        if self.number == "float":
            with np.errstate(over="ignore"):
                return (x.astype(np.float32),)
        return (x,)

    def ask(self, oracle: Oracle, inputs: Inputs) -> Any:
        """The codes of the C++."""
        return oracle.codes(inputs[0], self.target)

    def answers(self) -> list[Answer]:
        """The quantizers under test."""
        t = self.target
        found: list[Answer] = [("quantize_codes", ALL, lambda i: quantize_codes(i[0], t))]
        dtype = {"double": np.float64, "float": np.float32}.get(self.number)
        if dtype is not None and fits(t, dtype):
            found.append(("quantize", ALL, lambda i: quantize(i[0], t)))
        if t.width <= 64 and HAS_TORCH:
            found.append(("tensor core", FEW, lambda i: tensor_codes(i[0], t)))
        return found

    def exact(self, inputs: Inputs, k: int) -> int:
        """The exact reference's code for input ``k``."""
        x = inputs[0][k]
        if self.whole:
            return reference.from_int(int(x), self.target)
        make = reference.from_float if self.number == "float" else reference.from_double
        return make(float(x), self.target)

    def value(self, inputs: Inputs, k: int) -> Fraction | None:
        """The exact value that comes into the type; ``None`` for NaN and infinities."""
        x = inputs[0][k]
        return Fraction(x.item()) if np.isfinite(x) else None

    def show(self, inputs: Inputs, k: int) -> str:
        """Input ``k``, for people and for reproduction."""
        x = inputs[0][k]
        return str(int(x)) if self.whole else float(x).hex()

    def simple(self) -> Inputs:
        """Inputs that are easy to think about, to shrink to."""
        x = np.ldexp(np.arange(-256.0, 257.0), -self.target.frac - 2)
        edges = np.array([float(self.target.min_code), float(self.target.max_code)])
        with np.errstate(over="ignore"):  # the ends of the widest types are beyond the doubles
            far = np.add.outer(np.ldexp(edges, 2), np.arange(-9.0, 10.0)).ravel()
            x = np.concatenate([x, np.ldexp(far, -self.target.frac - 2)])
        if self.whole:
            return (np.arange(0, 256, dtype="u8" if "uint" in self.number else "i8"),)
        return (x.astype(np.float32) if self.number == "float" else x,)

    def snippet(self, inputs: Inputs, k: int) -> str:
        """A C++ program that prints the code."""
        return snippets.from_number(self.number, inputs[0][k], self.target)


@dataclass(frozen=True)
class Cast(CodeQuestion, FixedQuestion):
    """``target(a)`` for ``a`` of type ``source``."""

    source: ApFixed
    target: ApFixed

    @property
    def path(self) -> str:
        """The name of the path."""
        return "ap_int" if isinstance(self.target, ApInt) else "cast"

    @property
    def kernel(self) -> Kernel:
        """The C++ that answers."""
        return kernels.cast(self.source, self.target)

    def inputs(self, size: int, rng: np.random.Generator, exhaustive_width: int) -> Inputs:
        """The source's codes to ask about."""
        return (cases.codes_for(self.source, self.target, size // 4, rng, exhaustive_width + 4),)

    def ask(self, oracle: Oracle, inputs: Inputs) -> Any:
        """The codes of the C++."""
        return oracle.cast(inputs[0], self.source, self.target)

    def answers(self) -> list[Answer]:
        """The quantizers under test."""
        return [("cast_codes", ALL, lambda i: cast_codes(i[0], self.source, self.target))]

    def simple(self) -> Inputs:
        """Inputs that are easy to think about, to shrink to."""
        low, high = max(self.source.min_code, -128), min(self.source.max_code, 127)
        return (np.arange(low, high + 1, dtype=np.int64),)

    def snippet(self, inputs: Inputs, k: int) -> str:
        """A C++ program that prints the code."""
        return snippets.cast(unfold(inputs[0][k], self.source), self.source, self.target)
