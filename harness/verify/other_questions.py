"""Questions about binary, ternary, and rounding by chance."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from harness import reference
from harness.oracle import Oracle, kernels
from harness.oracle.kernels import Kernel
from harness.quantize import cast_codes, decode, quantize_codes
from harness.types import ApFixed, Binary, BinaryFloat
from harness.verify import cases
from harness.verify.fixed_questions import FromNumber
from harness.verify.float_cases import float_doubles_for
from harness.verify.float_questions import FloatQuestion
from harness.verify.questions import ALL, Answer, CodeQuestion, Inputs, fits

__all__ = ["Chance", "Signs", "Ternary"]

#: Draws that are looked up in the exact reference, one by one.
CHANCES = 1500


@dataclass(frozen=True)
class Signs(CodeQuestion):
    """The sign of a fixed-point number, as hls4ml's ``binary_tanh`` has it.

    Where the target sends 0 the other way, the C++ is not asked about 0.
    """

    source: ApFixed
    target: Binary
    path = "binary"
    witness = "hls4ml's binary_tanh"

    @property
    def kernel(self) -> Kernel:
        """The C++ that answers."""
        return kernels.activation("binary_tanh", self.source)

    @property
    def key(self) -> str:
        """A text that no other question has."""
        return f"{self.kernel.cpp} {self.target}"

    def exhausted(self, exhaustive_width: int) -> int:  # noqa: ARG002  # there are two
        """Both codes."""
        return 2

    def inputs(self, size: int, rng: np.random.Generator, exhaustive_width: int) -> Inputs:
        """The source's codes to ask about."""
        codes = cases.codes_for(self.source, self.source, size // 8, rng, exhaustive_width)
        return (codes if self.target.zero == 1 else codes[codes != 0],)

    def ask(self, oracle: Oracle, inputs: Inputs) -> Any:
        """The codes of the C++."""
        return oracle.activate("binary_tanh", inputs[0], self.source)

    def answers(self) -> list[Answer]:
        """The casts and quantizers under test."""
        t, source = self.target, self.source
        found: list[Answer] = [("cast_codes", ALL, lambda i: cast_codes(i[0], source, t))]
        if fits(source, np.float64):
            name = "quantize_codes"
            found.append((name, ALL, lambda i: quantize_codes(decode(i[0], source), t)))
        return found


@dataclass(frozen=True)
class Ternary(FromNumber):
    """``TERNARY`` is a fixed-point type, and its witness are the vendor's headers."""

    path = "ternary"
    witness = "ap_fixed.h"

    @property
    def key(self) -> str:
        """A text that no other question has."""
        return f"ternary {super().key}"

    def exhausted(self, exhaustive_width: int) -> int:  # noqa: ARG002  # there are three
        """All three, and all breakpoints between them."""
        return 3


@dataclass(frozen=True)
class Chance(FloatQuestion):
    """Rounding by chance: one of the two neighbours, and what the type has does not move."""

    target: Any
    path = "by chance"
    witness = "the exact reference: both neighbours"

    @property
    def key(self) -> str:
        """A text that no other question has."""
        return f"by chance {self.target}"

    def exhausted(self, exhaustive_width: int) -> int:  # noqa: ARG002
        """None: the inputs are a sample."""
        return 0

    def inputs(self, size: int, rng: np.random.Generator, exhaustive_width: int) -> Inputs:
        """Finite values within the range, and the draws for them: each a code."""
        t = self.target
        if isinstance(t, BinaryFloat):
            x = float_doubles_for(t, size // 16, rng, min(exhaustive_width, 8))
        else:
            x = cases.doubles_for(t, size // 16, rng, min(exhaustive_width, 8))
        x = rng.permutation(x[np.abs(x) <= float(t.max_exact)])[:CHANCES] + 0.0  # no sign of a zero
        return x, quantize_codes(x, t, rng)

    def ask(self, oracle: Oracle, inputs: Inputs) -> Any:  # noqa: ARG002  # needs no C++
        """The draw where it is a neighbour, else the neighbour it should have been."""
        x, drawn = inputs
        found = []
        for value, code in zip(x.tolist(), drawn.tolist(), strict=True):
            allowed = reference.neighbours(Fraction(value), self.target)
            found.append(code if code in allowed else allowed[0])
        return np.array(found, dtype=np.int64)

    def answers(self) -> list[Answer]:
        """The draws themselves."""
        return [("quantize_codes, rng", ALL, lambda inputs: inputs[1])]

    def exact(self, inputs: Inputs, k: int) -> int:
        """A neighbour: the draw, if it is one."""
        return int(self.ask(None, tuple(column[k : k + 1] for column in inputs))[0])  # type: ignore[arg-type]  # asks no C++
