"""Straight-line programs of typed values, as code generators write them for hls4ml.

A :class:`Program` is a list of typed names and the terms that are assigned to them.  A term says
what it does to whatever a :class:`Machine` computes with: codes, or linear forms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from harness.fixed import Array, Fixed, where
from harness.types import ApFixed, ApInt

__all__ = [
    "Binary",
    "Bit",
    "Cast",
    "Entry",
    "Input",
    "Let",
    "Machine",
    "Number",
    "Program",
    "Select",
    "Shift",
    "Term",
    "Unary",
    "Value",
]

#: The operators of two values: what Python calls them, and the adapters.
BINARY: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "+": (lambda a, b: a + b, "sum"),
    "-": (lambda a, b: a - b, "difference"),
    "*": (lambda a, b: a * b, "product"),
    "&": (lambda a, b: a & b, "both"),
    "|": (lambda a, b: a | b, "either"),
    "^": (lambda a, b: a ^ b, "one"),
    "<": (lambda a, b: a < b, "below"),
    "<=": (lambda a, b: a <= b, "up_to"),
    ">": (lambda a, b: a > b, "above"),
    ">=": (lambda a, b: a >= b, "from"),
    "==": (lambda a, b: a == b, "equal"),
    "!=": (lambda a, b: a != b, "unequal"),
}
UNARY: dict[str, tuple[Callable[[Any], Any], str]] = {
    "-": (lambda a: -a, "negated"),
    "~": (lambda a: ~a, "inverted"),
}


def _spelled(name: str, *arguments: Any) -> str:
    """A template of ``ap_types/layers/logic.h``."""
    return f"harness::terms::{name}<{', '.join(map(str, arguments))}>"


class Machine(Protocol):
    """What terms are computed with."""

    def input(self, place: int) -> Any:
        """An input."""

    def value(self, place: int) -> Any:
        """What was assigned to a name."""

    def number(self, value: float) -> Any:
        """A number: a C++ ``int`` or ``double``."""

    def cast(self, x: Any, t: ApFixed) -> Any:
        """Converted to a type."""

    def shift(self, x: Any, count: int) -> Any:
        """The same bits, the point ``count`` places to the right."""

    def select(self, condition: Any, a: Any, b: Any) -> Any:
        """``condition ? a : b``."""

    def bit(self, x: Any, place: int) -> Any:
        """One bit as a condition."""

    def entry(self, x: Any, table: Fixed) -> Any:
        """The entry of a table that the bits of ``x`` number."""


class Term:
    """An expression of C++."""

    def on(self, m: Machine) -> Any:
        """What it is on a machine."""
        raise NotImplementedError

    @property
    def cpp(self) -> str:
        """The C++ type that computes it; see ``ap_types/layers/logic.h``."""
        raise NotImplementedError


@dataclass(frozen=True)
class Input(Term):
    """``model_inp[place]``."""

    place: int

    def on(self, m: Machine) -> Any:
        """See :meth:`Term.on`."""
        return m.input(self.place)

    @property
    def cpp(self) -> str:
        """See :attr:`Term.cpp`."""
        return _spelled("input", self.place)


@dataclass(frozen=True)
class Value(Term):
    """A name, by its place among the program's lets."""

    place: int

    def on(self, m: Machine) -> Any:
        """See :meth:`Term.on`."""
        return m.value(self.place)

    @property
    def cpp(self) -> str:
        """See :attr:`Term.cpp`."""
        return _spelled("value", self.place)


@dataclass(frozen=True)
class Number(Term):
    """A literal: a C++ ``int`` if it is a Python ``int``, else a ``double``."""

    value: float

    def on(self, m: Machine) -> Any:
        """See :meth:`Term.on`."""
        return m.number(self.value)

    @property
    def cpp(self) -> str:
        """See :attr:`Term.cpp`."""
        if isinstance(self.value, int):
            return _spelled("integer", self.value)
        numerator, denominator = self.value.as_integer_ratio()
        left = 0  # a large number is a small one, shifted
        while numerator and numerator % 2 == 0:
            numerator, left = numerator // 2, left + 1
        return _spelled("real", numerator, left - denominator.bit_length() + 1)


@dataclass(frozen=True)
class Cast(Term):
    """``type(term)``."""

    type: ApFixed
    term: Term

    def on(self, m: Machine) -> Any:
        """See :meth:`Term.on`."""
        return m.cast(self.term.on(m), self.type)

    @property
    def cpp(self) -> str:
        """See :attr:`Term.cpp`."""
        return _spelled("cast", self.type.cpp_full, self.term.cpp)


@dataclass(frozen=True)
class Shift(Term):
    """``bit_shift<count>(term)``."""

    count: int
    term: Term

    def on(self, m: Machine) -> Any:
        """See :meth:`Term.on`."""
        return m.shift(self.term.on(m), self.count)

    @property
    def cpp(self) -> str:
        """See :attr:`Term.cpp`."""
        return _spelled("shifted", self.count, self.term.cpp)


@dataclass(frozen=True)
class Unary(Term):
    """``-term`` or ``~term``."""

    symbol: str
    term: Term

    def on(self, m: Machine) -> Any:
        """See :meth:`Term.on`."""
        return UNARY[self.symbol][0](self.term.on(m))

    @property
    def cpp(self) -> str:
        """See :attr:`Term.cpp`."""
        return _spelled(UNARY[self.symbol][1], self.term.cpp)


@dataclass(frozen=True)
class Binary(Term):
    """Two terms and an operator of :data:`BINARY`."""

    symbol: str
    left: Term
    right: Term

    def on(self, m: Machine) -> Any:
        """See :meth:`Term.on`."""
        return BINARY[self.symbol][0](self.left.on(m), self.right.on(m))

    @property
    def cpp(self) -> str:
        """See :attr:`Term.cpp`."""
        return _spelled(BINARY[self.symbol][1], self.left.cpp, self.right.cpp)


@dataclass(frozen=True)
class Select(Term):
    """``condition ? yes : no``, both of one type."""

    condition: Term
    yes: Term
    no: Term

    def on(self, m: Machine) -> Any:
        """See :meth:`Term.on`."""
        return m.select(self.condition.on(m), self.yes.on(m), self.no.on(m))

    @property
    def cpp(self) -> str:
        """See :attr:`Term.cpp`."""
        return _spelled("chosen", self.condition.cpp, self.yes.cpp, self.no.cpp)


@dataclass(frozen=True)
class Bit(Term):
    """``term[place]``, bit 0 the lowest."""

    place: int
    term: Term

    def on(self, m: Machine) -> Any:
        """See :meth:`Term.on`."""
        return m.bit(self.term.on(m), self.place)

    @property
    def cpp(self) -> str:
        """See :attr:`Term.cpp`."""
        return _spelled("bit", self.place, self.term.cpp)


@dataclass(frozen=True)
class Entry(Term):
    """``table[term.range()]``.

    Attributes:
        type: the type of the entries.
        codes: their codes, one for each code of the term's type.
    """

    type: ApFixed
    codes: tuple[int, ...]
    term: Term

    def on(self, m: Machine) -> Any:
        """See :meth:`Term.on`."""
        return m.entry(self.term.on(m), Fixed(np.array(self.codes), self.type))

    @property
    def cpp(self) -> str:
        """See :attr:`Term.cpp`."""
        return _spelled("entry", self.type.cpp_full, self.term.cpp, *self.codes)


@dataclass(frozen=True)
class Let:
    """``type name = term``."""

    name: str
    type: ApFixed
    term: Term


@dataclass(frozen=True)
class Program:
    """What a generated function computes.

    Attributes:
        inputs: how many elements it reads.
        lets: its names in order.
        outputs: what is assigned to each element that it writes.
    """

    inputs: int
    lets: tuple[Let, ...]
    outputs: tuple[Term, ...]

    def on(self, m: Machine, values: list[Any]) -> Iterator[Any]:
        """The outputs on a machine, before they become the result's type.

        Args:
            m: the machine.
            values: where its names are, empty to begin with.
        """
        for let in self.lets:
            values.append(m.cast(let.term.on(m), let.type))
        return (term.on(m) for term in self.outputs)

    def run(self, x: Fixed, result: ApFixed) -> Fixed:
        """Step by step: (rows, outputs) of type ``result``, of ``x``, (rows, inputs)."""
        machine = _Codes(x)
        made = [machine.cast(y, result).codes for y in self.on(machine, machine.values)]
        return Fixed(np.stack(made, 1), result)

    @cached_property
    def cpp(self) -> str:
        """The C++ type that computes it."""
        lets = (_spelled("let", let.type.cpp_full, let.term.cpp) for let in self.lets)
        outputs = (term.cpp for term in self.outputs)
        parts = _spelled("lets", *lets), _spelled("outs", *outputs)
        return _spelled("program", self.inputs, *parts)


class _Codes:
    """Values are codes with their types, as C++ computes."""

    def __init__(self, x: Fixed) -> None:
        self._columns = np.ascontiguousarray(x.codes.T)
        self._type = x.type
        self.values: list[Fixed] = []

    def input(self, place: int) -> Fixed:
        return Fixed(self._columns[place], self._type)

    def value(self, place: int) -> Fixed:
        return self.values[place]

    def number(self, value: float) -> float:
        return value

    def cast(self, x: Any, t: ApFixed) -> Fixed:
        if isinstance(x, Fixed):
            return x.to(t)
        if isinstance(x, np.ndarray):  # conditions
            return Fixed(x.astype(np.int64), ApInt(1, signed=False)).to(t)
        return Fixed(np.full(self._columns.shape[1], Fixed.of(x, t).codes), t)

    def shift(self, x: Fixed, count: int) -> Fixed:
        t = x.type  # the headers' overload for integers forgets where their point is
        integer = count if isinstance(t, ApInt) else t.integer + count
        return Fixed(x.codes, ApFixed(t.width, integer, t.signed))

    def select(self, condition: Array, a: Fixed, b: Fixed) -> Fixed:
        return where(condition, a, b)

    def bit(self, x: Fixed, place: int) -> Array:
        return np.asarray((x.codes >> place) & 1 != 0)

    def entry(self, x: Fixed, table: Fixed) -> Fixed:
        return table[(x.codes & ((1 << x.type.width) - 1)).astype(np.int64)]
