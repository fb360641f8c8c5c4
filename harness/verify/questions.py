"""Questions: one way into one type, with its inputs, its C++ kernel and everyone who can answer.

A question knows how to put itself to the oracle, to the subjects under test and to the exact
reference; what to compare is then the same for every path.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from harness import reference
from harness.oracle import Oracle, kernels
from harness.oracle.kernels import Kernel
from harness.quantize import cast_codes, compute_codes, quantize, quantize_codes
from harness.types import ApFixed, Operation, result_type
from harness.verify import cases, snippets

__all__ = ["Accumulation", "Answer", "Arithmetic", "Cast", "FromNumber", "Inputs", "Question"]

Array = np.ndarray[Any, Any]
#: The arrays of one question: parallel, except where a question says otherwise.
Inputs = tuple[Any, ...]
#: A subject's name, how many inputs it is given (``None`` for all), and what computes its answer.
Answer = tuple[str, int | None, Callable[[Inputs], Any]]

ALL = None
#: Whether the core that serves tensors on other devices can be checked.
HAS_TORCH = importlib.util.find_spec("torch") is not None
#: How many inputs the tensor core is given: its price is the call, not the element.
FEW = 384


@dataclass(frozen=True)
class FromNumber:
    """``t(x)`` for a C++ number: ``double``, ``float``, ``std::int64_t`` or ``std::uint64_t``."""

    number: str
    target: ApFixed

    @property
    def path(self) -> str:
        """The name of the path."""
        return "integer" if self.number.startswith("std::") else self.number

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
        if self.path == "integer":
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
        if dtype is not None and _fits(t, dtype):
            found.append(("quantize", ALL, lambda i: quantize(i[0], t)))
        if t.width <= 64 and HAS_TORCH:
            found.append(("tensor core", FEW, lambda i: _tensor_codes(i[0], t)))
        return found

    def exact(self, inputs: Inputs, k: int) -> int:
        """The exact reference's code for input ``k``."""
        x = inputs[0][k]
        if self.path == "integer":
            return reference.from_int(int(x), self.target)
        return reference.from_double(float(x), self.target)

    def value(self, inputs: Inputs, k: int) -> Fraction | None:
        """The exact value that comes into the type; ``None`` for NaN and infinities."""
        x = inputs[0][k]
        return Fraction(x.item()) if np.isfinite(x) else None

    def show(self, inputs: Inputs, k: int) -> str:
        """Input ``k``, for people and for reproduction."""
        x = inputs[0][k]
        return str(int(x)) if self.path == "integer" else float(x).hex()

    def simple(self) -> Inputs:
        """Inputs that are easy to think about, to shrink to."""
        x = np.ldexp(np.arange(-256.0, 257.0), -self.target.frac - 2)
        edges = np.array([float(self.target.min_code), float(self.target.max_code)])
        far = np.add.outer(np.ldexp(edges, 2), np.arange(-9.0, 10.0)).ravel()
        x = np.concatenate([x, np.ldexp(far, -self.target.frac - 2)])
        if self.path == "integer":
            return (np.arange(0, 256, dtype="u8" if "uint" in self.number else "i8"),)
        return (x.astype(np.float32) if self.number == "float" else x,)

    def snippet(self, inputs: Inputs, k: int) -> str:
        """A C++ program that prints the code."""
        return snippets.from_number(self.number, inputs[0][k], self.target)


@dataclass(frozen=True)
class Cast:
    """``target(a)`` for ``a`` of type ``source``."""

    source: ApFixed
    target: ApFixed
    path = "cast"

    @property
    def label(self) -> str:
        """The types, for people."""
        return f"{self.source} -> {self.target}"

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

    def exact(self, inputs: Inputs, k: int) -> int:
        """The exact reference's code for input ``k``."""
        return reference.cast(_unfold(inputs[0][k], self.source), self.source, self.target)

    def value(self, inputs: Inputs, k: int) -> Fraction | None:
        """The exact value that comes into the type."""
        return Fraction(reference.decode(_unfold(inputs[0][k], self.source), self.source))

    def show(self, inputs: Inputs, k: int) -> str:
        """Input ``k``, for people and for reproduction."""
        return f"code {_unfold(inputs[0][k], self.source)}"

    def simple(self) -> Inputs:
        """Inputs that are easy to think about, to shrink to."""
        low, high = max(self.source.min_code, -128), min(self.source.max_code, 127)
        return (np.arange(low, high + 1, dtype=np.int64),)

    def snippet(self, inputs: Inputs, k: int) -> str:
        """A C++ program that prints the code."""
        return snippets.cast(_unfold(inputs[0][k], self.source), self.source, self.target)


@dataclass(frozen=True)
class Arithmetic:
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
        a = _unfold(inputs[0][k], self.a)
        b = self.count if self.b is None else _unfold(inputs[1][k], self.b)
        return reference.compute(self.op, a, self.a, b, self.b)

    def value(self, inputs: Inputs, k: int) -> Fraction | None:
        """The exact result."""
        return Fraction(reference.decode(self.exact(inputs, k), self.target))

    def show(self, inputs: Inputs, k: int) -> str:
        """Input ``k``, for people and for reproduction."""
        a = f"code {_unfold(inputs[0][k], self.a)}"
        return a if self.b is None else f"{a} {self.op.value} code {_unfold(inputs[1][k], self.b)}"

    def simple(self) -> Inputs | None:
        """Nothing simpler than what was drawn."""
        return None

    def snippet(self, inputs: Inputs, k: int) -> str:
        """A C++ program that prints the code."""
        b = self.count if self.b is None else _unfold(inputs[1][k], self.b)
        return snippets.compute(self.op, _unfold(inputs[0][k], self.a), self.a, b, self.b)


@dataclass(frozen=True)
class Accumulation:
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
        before, b = self._before(inputs, k), _unfold(inputs[1][k], self.b)
        return reference.assign(self.op, before, self.target, b, self.b)

    def value(self, inputs: Inputs, k: int) -> Fraction | None:
        """The exact result of step ``k``, before it is brought into the accumulator's type."""
        before, b = self._before(inputs, k), _unfold(inputs[1][k], self.b)
        full = reference.compute(self.op, before, self.target, b, self.b)
        return Fraction(reference.decode(full, result_type(self.op, self.target, self.b)))

    def show(self, inputs: Inputs, k: int) -> str:
        """Step ``k``, for people and for reproduction."""
        return (
            f"code {self._before(inputs, k)} {self.op.value}= code {_unfold(inputs[1][k], self.b)}"
        )

    def _before(self, inputs: Inputs, k: int) -> int:
        return _unfold(inputs[2][k], self.target)

    def simple(self) -> Inputs | None:
        """Nothing simpler than what was drawn."""
        return None

    def snippet(self, inputs: Inputs, k: int) -> str:
        """A C++ program that prints the code."""
        b = _unfold(inputs[1][k], self.b)
        return snippets.assign(self.op, self._before(inputs, k), self.target, b, self.b)


Question = FromNumber | Cast | Arithmetic | Accumulation


def _fits(t: ApFixed, dtype: Any) -> bool:
    try:
        quantize(np.zeros(0, dtype), t)
    except ValueError:
        return False
    return True


def _tensor_codes(x: Any, t: ApFixed) -> Any:
    """The core that serves CUDA tensors, run on the CPU."""
    from harness.quantize import tensors

    if x.dtype == np.uint64:
        return quantize_codes(x, t)  # torch has no unsigned 64-bit arithmetic
    return tensors.device_codes(tensors.from_array(x), t).numpy()


def _unfold(code: Any, t: ApFixed) -> int:
    """A code as a Python integer; an unsigned 64-bit one travels as ``int64``."""
    return int(code) % (1 << 64) if t.width == 64 and not t.signed else int(code)


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
