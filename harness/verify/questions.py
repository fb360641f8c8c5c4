"""Questions: one way into one type, with its inputs, its truth and everyone who can answer.

A question knows how to put itself to the truth, to the subjects under test and to the exact
reference; what to compare is then the same for every path and every family of types.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from harness import reference
from harness.oracle import Oracle
from harness.oracle.kernels import Kernel
from harness.quantize import quantize, quantize_codes
from harness.verify import snippets

__all__ = [
    "ALL",
    "FEW",
    "HAS_TORCH",
    "Answer",
    "CodeQuestion",
    "Inputs",
    "Question",
    "fits",
    "tensor_casts",
    "tensor_codes",
    "unfold",
]

#: The arrays of one question: parallel, except where a question says otherwise.
Inputs = tuple[Any, ...]
#: A subject's name, how many inputs it is given (``None`` for all), and what computes its answer.
Answer = tuple[str, int | None, Callable[[Inputs], Any]]

ALL = None
#: Whether the core that serves tensors on other devices can be checked.
HAS_TORCH = importlib.util.find_spec("torch") is not None
#: How many inputs the tensor core is given: its price is the call, not the element.
FEW = 384


class Question(Protocol):
    """What can be asked: the same for every path and every family of types."""

    @property
    def path(self) -> str:
        """The name of the path, or of the family of types."""

    @property
    def target(self) -> Any:
        """The type of the answer."""

    @property
    def label(self) -> str:
        """The types, for people."""

    @property
    def key(self) -> str:
        """A text that no other question has; decides the inputs."""

    @property
    def kernel(self) -> Kernel | None:
        """The C++ that answers; ``None`` where something else is the truth."""

    @property
    def witness(self) -> str:
        """Who says what is right; empty for the vendor's fixed-point headers."""

    @property
    def cell(self) -> tuple[str, str] | None:
        """Row and column of the report; ``None`` for those of the target's modes."""

    def exhausted(self, exhaustive_width: int) -> int:
        """Codes of the target of which each is a case, with the midpoints beside it."""

    def inputs(self, size: int, rng: np.random.Generator, exhaustive_width: int) -> Inputs:
        """The values or codes to ask about."""

    def ask(self, oracle: Oracle, inputs: Inputs) -> Any:
        """The codes of the truth."""

    def answers(self) -> list[Answer]:
        """Those under test."""

    def exact(self, inputs: Inputs, k: int) -> int:
        """The exact reference's code for input ``k``."""

    def value(self, inputs: Inputs, k: int) -> Fraction | None:
        """The exact value that comes into the type; ``None`` for NaN and infinities."""

    def show(self, inputs: Inputs, k: int) -> str:
        """Input ``k``, for people and for reproduction."""

    def simple(self) -> Inputs | None:
        """Inputs that are easy to think about, to shrink to; ``None`` if there are none."""

    def snippet(self, inputs: Inputs, k: int) -> str:
        """A program that prints the code."""


class CodeQuestion:
    """What questions about conversions from codes have in common."""

    cell = None
    source: Any
    target: Any

    @property
    def label(self) -> str:
        """The types, for people."""
        return f"{self.source} -> {self.target}"

    def exact(self, inputs: Inputs, k: int) -> int:
        """The exact reference's code for input ``k``."""
        return reference.cast(unfold(inputs[0][k], self.source), self.source, self.target)

    def value(self, inputs: Inputs, k: int) -> Fraction | None:
        """The exact value that comes into the type."""
        return Fraction(reference.decode(unfold(inputs[0][k], self.source), self.source))

    def show(self, inputs: Inputs, k: int) -> str:
        """Input ``k``, for people and for reproduction."""
        return f"code {unfold(inputs[0][k], self.source)}"

    def simple(self) -> Inputs | None:
        """Nothing simpler than what was drawn."""
        return None

    def snippet(self, inputs: Inputs, k: int) -> str:
        """A program that prints the code."""
        return snippets.python_cast(unfold(inputs[0][k], self.source), self.source, self.target)


def fits(t: Any, dtype: Any) -> bool:
    """Whether a dtype holds every value of a type."""
    try:
        quantize(np.zeros(0, dtype), t)
    except ValueError:
        return False
    return True


def tensor_codes(x: Any, t: Any) -> Any:
    """The core that serves CUDA tensors, run on the CPU."""
    from harness.quantize import tensors

    if x.dtype == np.uint64:
        return quantize_codes(x, t)  # torch has no unsigned 64-bit arithmetic
    return tensors.device_codes(tensors.from_array(x), t).numpy()


def tensor_casts(codes: Any, source: Any, t: Any) -> Any:
    """The cast that serves CUDA tensors, run on the CPU."""
    from harness.quantize import tensors

    return tensors.device_cast(tensors.from_array(codes), source, t).numpy()


def unfold(code: Any, t: Any) -> int:
    """A code as a Python integer; an unsigned 64-bit one travels as ``int64``."""
    return int(code) % (1 << 64) if t.width == 64 and not t.signed else int(code)
