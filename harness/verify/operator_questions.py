"""Operators of ``ap_fixed`` and ``ap_int``: each in the type that C++ gives the expression."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from harness import reference
from harness.oracle import Oracle, kernels
from harness.oracle.kernels import Kernel
from harness.oracle.limits import traps
from harness.quantize import compute_codes
from harness.quantize.operators import fits_words
from harness.types import ApFixed, ApInt, Operation, count_bounds, result_type
from harness.verify import cases, snippets
from harness.verify.fixed_questions import FixedQuestion
from harness.verify.questions import ALL, FEW, HAS_TORCH, Answer, Inputs, unfold

__all__ = ["KINDS", "Operator"]

Array = np.ndarray[Any, Any]
#: What the operands of a question are: the columns of its report.
KINDS = ("ap_fixed", "ap_int", "mixed")
#: Codes of one operand that each code of the other meets.
NEAR = (-1, 0, 1)


@dataclass(frozen=True)
class Operator(FixedQuestion):
    """``a op b``; shift counts and numbers of bits differ from element to element.

    Attributes:
        op: the operation.
        a: the type of the left operand.
        b: the type of the right operand, if it has one.
        ends: the ``(hi, lo)`` of ``range``.
    """

    op: Operation
    a: ApFixed
    b: ApFixed | None = None
    ends: tuple[int, int] | None = None
    path = "arithmetic"

    @property
    def cell(self) -> tuple[str, str]:
        """Where a report counts it: the operator, and the kinds of its operands."""
        integers = {isinstance(t, ApInt) for t in (self.a, self.b or self.a)}
        kind = KINDS[2] if len(integers) > 1 else KINDS[integers.pop()]
        return self.op.value, kind

    @property
    def target(self) -> Any:
        """The type of the result."""
        return result_type(self.op, self.a, self.ends or self.b)

    @property
    def label(self) -> str:
        """The types, for people."""
        if self.b is not None:
            return f"{self.a} {self.op.value} {self.b}"
        return f"{self.op.value} of {self.a}" + (f" {self.ends}" if self.ends else "")

    @property
    def key(self) -> str:
        """The C++ that names the question, and the bits it takes."""
        return f"{self.kernel.cpp} {self.ends or ''}"

    @property
    def kernel(self) -> Kernel:
        """The C++ that answers."""
        return kernels.compute(self.op, self.a, self.ends or self.b)

    def inputs(self, size: int, rng: np.random.Generator, exhaustive_width: int) -> Inputs:
        """Pairs of codes, or codes and counts, without those that end the process."""
        t = self.target if isinstance(self.target, ApFixed) else self.a
        a = cases.codes_for(self.a, t, size // 8, rng, exhaustive_width)
        if self.op.counted:
            return a, self._counts(a.size, rng)
        if self.b is None:
            return a, None
        b = cases.codes_for(self.b, t, size // 8, rng, exhaustive_width)
        count = max(a.size, b.size)
        a, b = rng.permutation(np.resize(a, count)), rng.permutation(np.resize(b, count))
        pairs = [*_ends(self.a, self.b), *self._neighbours(a[: count // 8])]
        pairs += [(unfold(x, self.a), unfold(y, self.b)) for x, y in zip(a, b, strict=True)]
        kept = [pair for pair in pairs if not traps(self.op, self.a, self.b, [pair])]
        return _column([x for x, _ in kept], self.a), _column([y for _, y in kept], self.b)

    def _counts(self, size: int, rng: np.random.Generator) -> Array:
        """Every count that moves a bit, some that move all out, and some beyond any width."""
        low, high = count_bounds(self.op, self.a)
        near = max(low, -self.a.width - 2), min(high, self.a.width + 2)
        counts = rng.integers(near[0], near[1] + 1, size)
        return np.where(rng.random(size) < 0.02, rng.choice([low, high], size), counts)

    def _neighbours(self, codes: Array) -> list[tuple[int, int]]:
        """Each code beside those of the same value, of the same bits, and next to them."""
        assert self.b is not None
        if not self.op.comparison:
            return []
        drop = self.a.frac - self.b.frac
        found = []
        for x in (unfold(c, self.a) for c in codes):
            value = x >> drop if drop >= 0 else x << -drop
            bits = x % (1 << self.b.width)
            for y in (value, bits, bits - (1 << self.b.width)):
                found += [(x, y + d) for d in NEAR]
        return [(x, y) for x, y in found if self.b.min_code <= y <= self.b.max_code]

    def ask(self, oracle: Oracle, inputs: Inputs) -> Any:
        """The codes of the C++."""
        return oracle.compute(self.op, inputs[0], self.a, self.ends or inputs[1], self.b)

    def answers(self) -> list[Answer]:
        """The operators under test, of arrays and of tensors."""
        found: list[Answer] = [("compute_codes", ALL, self._compute)]
        if HAS_TORCH and fits_words(self.op.assigned or self.op, self.a, self.b, self._widest()):
            found.append(("compute_codes of tensors", FEW, self._compute_tensors))
        return found

    def _widest(self) -> Any:
        """What the result is before a compound assignment converts it."""
        if self.op.assigned is None or self.b is None:
            return self.target
        b = self.b
        if isinstance(self.a, ApInt) and not isinstance(b, ApInt):
            b = b.whole
        return result_type(self.op.assigned, self.a, b)

    def _compute(self, inputs: Inputs) -> Any:
        return compute_codes(self.op, inputs[0], self.a, self.ends or inputs[1], self.b)

    def _compute_tensors(self, inputs: Inputs) -> Any:
        from harness.quantize.tensors import from_array

        a, b = (None if i is None else from_array(i) for i in inputs)
        return compute_codes(self.op, a, self.a, self.ends or b, self.b).numpy()

    def exact(self, inputs: Inputs, k: int) -> int:
        """The exact reference's code for input ``k``."""
        a = unfold(inputs[0][k], self.a)
        return reference.compute(self.op, a, self.a, self._right(inputs, k), self.b)

    def _right(self, inputs: Inputs, k: int) -> Any:
        if self.ends is not None or inputs[1] is None:
            return self.ends
        return unfold(inputs[1][k], self.b) if self.b is not None else int(inputs[1][k])

    def value(self, inputs: Inputs, k: int) -> Fraction | None:
        """The exact result."""
        return Fraction(reference.decode(self.exact(inputs, k), self.target))

    def show(self, inputs: Inputs, k: int) -> str:
        """Input ``k``, for people and for reproduction."""
        a, right = f"code {unfold(inputs[0][k], self.a)}", self._right(inputs, k)
        if right is None:
            return a
        return f"{a} {self.op.value} {'' if self.b is None else 'code '}{right}"

    def simple(self) -> Inputs | None:
        """Nothing simpler than what was drawn."""
        return None

    def snippet(self, inputs: Inputs, k: int) -> str:
        """A C++ program that prints the code."""
        a = unfold(inputs[0][k], self.a)
        return snippets.compute(self.op, a, self.a, self._right(inputs, k), self.b)


def _ends(a: ApFixed, b: ApFixed) -> list[tuple[int, int]]:
    """Every pair of the ends of both types."""
    lefts, rights = ({t.min_code, -1 if t.signed else 1, t.max_code} for t in (a, b))
    return [(x, y) for x in sorted(lefts) for y in sorted(rights)]


def _column(items: list[int], t: ApFixed) -> Array:
    """Codes as an array of the dtype that the type's codes have."""
    out = np.empty(len(items), object if t.width > 64 else np.int64)
    out[:] = items if t.width > 64 else [c if c < 1 << 63 else c - (1 << 64) for c in items]
    return out
