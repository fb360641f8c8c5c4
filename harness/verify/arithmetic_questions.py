"""Arithmetic in fixed point: results of operators, and accumulators."""

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

__all__ = ["Accumulation", "Arithmetic"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Arithmetic(FixedQuestion):
    """``a op b`` in the type C++ gives it; for ``neg`` and shifts ``b`` is ``None``."""

    op: Operation
    a: ApFixed
    b: ApFixed | None = None
    count: int = 0
    path = "arithmetic"

    @property
    def target(self) -> ApFixed:
        """The type of the result."""
        target: ApFixed = result_type(self.op, self.a, self.b)
        return target

    @property
    def label(self) -> str:
        """The types, for people."""
        if self.op is Operation.NEG:
            return f"-({self.a})"
        return f"{self.a} {self.op.value} {self.b or self.count}"

    @property
    def kernel(self) -> Kernel:
        """The C++ that answers."""
        return kernels.compute(self.op, self.a, self.b)

    def inputs(self, size: int, rng: np.random.Generator, exhaustive_width: int) -> Inputs:
        """Pairs of codes, without those that end the process."""
        a = cases.codes_for(self.a, self.target, size // 8, rng, exhaustive_width)
        if self.b is None:
            return a, None
        b = cases.codes_for(self.b, self.target, size // 8, rng, exhaustive_width)
        if self.op is Operation.DIV:
            b = b[b != 0]
        count = max(a.size, b.size)
        a, b = rng.permutation(np.resize(a, count)), rng.permutation(np.resize(b, count))
        ends = _ends(self.a, self.b, self.op)
        head = _column([x for x, _ in ends], a), _column([y for _, y in ends], b)
        return np.concatenate([head[0], a]), np.concatenate([head[1], b])

    def ask(self, oracle: Oracle, inputs: Inputs) -> Any:
        """The codes of the C++."""
        second = self.count if self.op.shift else inputs[1]
        return oracle.compute(self.op, inputs[0], self.a, second, self.b)

    def answers(self) -> list[Answer]:
        """The arithmetic under test."""
        return [("compute_codes", ALL, self._compute)]

    def _compute(self, inputs: Inputs) -> Any:
        second = self.count if self.op.shift else inputs[1]
        return compute_codes(self.op, inputs[0], self.a, second, self.b)

    def exact(self, inputs: Inputs, k: int) -> int:
        """The exact reference's code for input ``k``."""
        a = unfold(inputs[0][k], self.a)
        b = self.count if self.b is None else unfold(inputs[1][k], self.b)
        return reference.compute(self.op, a, self.a, b, self.b)

    def value(self, inputs: Inputs, k: int) -> Fraction | None:
        """The exact result."""
        return Fraction(reference.decode(self.exact(inputs, k), self.target))

    def show(self, inputs: Inputs, k: int) -> str:
        """Input ``k``, for people and for reproduction."""
        a = f"code {unfold(inputs[0][k], self.a)}"
        return a if self.b is None else f"{a} {self.op.value} code {unfold(inputs[1][k], self.b)}"

    def simple(self) -> Inputs | None:
        """Nothing simpler than what was drawn."""
        return None

    def snippet(self, inputs: Inputs, k: int) -> str:
        """A C++ program that prints the code."""
        b = self.count if self.b is None else unfold(inputs[1][k], self.b)
        return snippets.compute(self.op, unfold(inputs[0][k], self.a), self.a, b, self.b)


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


def _ends(a: ApFixed, b: ApFixed, op: Operation) -> list[tuple[int, int]]:
    """Every pair of the ends of both types that does not end the process."""
    from harness.oracle.limits import traps

    lefts, rights = ({t.min_code, -1 if t.signed else 1, t.max_code} for t in (a, b))
    return [(x, y) for x in sorted(lefts) for y in sorted(rights) if not traps(op, a, b, [(x, y)])]


def _column(items: list[int], like: Array) -> Array:
    """Python integers as an array that joins ``like``."""
    out = np.empty(len(items), dtype=like.dtype)
    wide = like.dtype == object
    out[:] = [c if wide or c < 1 << 63 else c - (1 << 64) for c in items]
    return out
