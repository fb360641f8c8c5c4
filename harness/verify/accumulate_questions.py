"""Accumulators in fixed point: one compound assignment after another."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from harness import reference
from harness.oracle import Oracle, kernels
from harness.oracle.kernels import Kernel
from harness.quantize import cast_codes, compute_codes
from harness.types import ApFixed, Operation, result_type
from harness.verify import cases, snippets
from harness.verify.fixed_questions import FixedQuestion
from harness.verify.questions import ALL, Answer, Inputs, unfold

__all__ = ["Accumulation"]


@dataclass(frozen=True)
class Accumulation(FixedQuestion):
    """``a op= b[0], a op= b[1], ...``: every step in the modes of the accumulator."""

    op: Operation
    target: ApFixed
    b: ApFixed
    path = "accumulate"

    @property
    def label(self) -> str:
        """The types, for people."""
        return f"{self.target} {self.op.value}= {self.b}"

    @property
    def kernel(self) -> Kernel:
        """The C++ that answers."""
        return kernels.accumulate(self.op, self.target, self.b)

    def inputs(self, size: int, rng: np.random.Generator, exhaustive_width: int) -> Inputs:
        """The start, then the addends."""
        b = cases.codes_for(self.b, self.target, size // 32, rng, exhaustive_width)
        start = int(rng.integers(self.target.min_code, self.target.max_code + 1))
        return start, rng.choice(b, size // 8)

    def ask(self, oracle: Oracle, inputs: Inputs) -> Any:
        """Every step of the C++."""
        return oracle.accumulate(self.op, inputs[0], self.target, inputs[1], self.b)

    def answers(self) -> list[Answer]:
        """The arithmetic under test, one step at a time: a step decides what the next one sees."""
        return [("compute_codes, cast_codes", ALL, self._accumulate)]

    def _accumulate(self, inputs: Inputs) -> Any:
        # All steps at once, each from where C++ was: a wrong step is found where it happens.
        _, addends, before = inputs
        full = compute_codes(self.op, before, self.target, addends, self.b)
        return cast_codes(full, result_type(self.op, self.target, self.b), self.target)

    def steps(self, inputs: Inputs, answers: Any) -> Inputs:
        """The inputs with the accumulator's code before each step, as the truth has it."""
        before = np.concatenate([np.array([inputs[0]], dtype=answers.dtype), answers[:-1]])
        return (*inputs, before[: answers.size])

    def exact(self, inputs: Inputs, k: int) -> int:
        """The exact reference's code for step ``k``."""
        before, b = self._before(inputs, k), unfold(inputs[1][k], self.b)
        return reference.assign(self.op, before, self.target, b, self.b)

    def value(self, inputs: Inputs, k: int) -> Fraction | None:
        """The exact result of step ``k``, before it is brought into the accumulator's type."""
        before, b = self._before(inputs, k), unfold(inputs[1][k], self.b)
        full = reference.compute(self.op, before, self.target, b, self.b)
        return Fraction(reference.decode(full, result_type(self.op, self.target, self.b)))

    def show(self, inputs: Inputs, k: int) -> str:
        """Step ``k``, for people and for reproduction."""
        return (
            f"code {self._before(inputs, k)} {self.op.value}= code {unfold(inputs[1][k], self.b)}"
        )

    def _before(self, inputs: Inputs, k: int) -> int:
        return unfold(inputs[2][k], self.target)

    def simple(self) -> Inputs | None:
        """Nothing simpler than what was drawn."""
        return None

    def snippet(self, inputs: Inputs, k: int) -> str:
        """A C++ program that prints the code."""
        b = unfold(inputs[1][k], self.b)
        return snippets.assign(self.op, self._before(inputs, k), self.target, b, self.b)
