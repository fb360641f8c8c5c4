"""What golden vectors are: groups of cases that share their types, in truth files."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.types import ApFixed, NumberType, Operation, parse_type

__all__ = [
    "ACCUMULATORS",
    "NUMBERS",
    "OPERATIONS",
    "SCHEMA",
    "Case",
    "Column",
    "GoldenError",
    "Group",
    "Number",
    "Truth",
    "code_of",
    "columns_for",
    "digits",
    "operands",
    "parse_column",
    "sample_of",
    "spell",
    "word_of",
]

#: The version of the file format.
SCHEMA = 1


class GoldenError(ValueError):
    """A file of golden vectors that cannot be trusted: which, where and why, in one line."""

    def __init__(self, path: Path | str, line: int | None, reason: str) -> None:
        super().__init__(f"{path}{'' if line is None else f':{line}'}: {reason}")
        self.path, self.line, self.reason = path, line, reason


@dataclass(frozen=True)
class Number:
    """A C++ number that a conversion starts from; a word of it is its bits."""

    cpp: str
    width: int
    signed: bool = True

    def __str__(self) -> str:
        return self.cpp


NUMBERS = {
    number.cpp: number
    for number in (
        Number("double", 64),
        Number("float", 32),
        Number("std::int64_t", 64),
        Number("std::uint64_t", 64, signed=False),
        Number("int", 32),
    )
}

Column = NumberType | Number


def _about(op: Operation) -> str:
    """What an operator gives, as C++ writes it."""
    if op.assigned is not None:
        return f"a after a {op.value} b"
    if op.shift:
        return f"a {op.value} b, bits are lost"
    if op.binary:
        return (
            "(a, b), the bits of a above those of b"
            if op is Operation.CONCAT
            else (f"a {op.value} b")
        )
    written = {
        Operation.NEG: "-a",
        Operation.NOT: "~a",
        Operation.INC: "++a",
        Operation.DEC: "--a",
        Operation.BIT: "a[b]",
        Operation.SET: "a after a.set(b)",
        Operation.CLEAR: "a after a.clear(b)",
        Operation.RANGE: "a(hi, lo), whose ends are those of the group",
    }
    return written.get(op, f"a.{op.value}()")


#: What each operation is, and the columns of its inputs.
OPERATIONS = {
    "convert": ("expected(x), for a C++ number x", ("x",)),
    "cast": ("expected(a), for a value a of another type", ("a",)),
    **{
        op.value: (_about(op), ("a", "b") if op.binary or op.counted else ("a",))
        for op in Operation
    },
    "sum": ("an accumulator from `start` on, after each accumulator += b", ("b",)),
    "product": ("an accumulator from `start` on, after each accumulator *= b", ("b",)),
    "values": ("a tensor, named in the note, in C order", ()),
}


#: The operator of each step of an accumulator.
ACCUMULATORS = {"sum": "+", "product": "*"}


@dataclass(frozen=True)
class Case:
    """One vector: words of the input columns, the word expected, and what is special about it.

    ``others`` are words that somebody else is known to answer.
    """

    inputs: tuple[int, ...]
    expected: int
    flags: tuple[str, ...] = ()
    others: tuple[int, ...] = ()

    @property
    def words(self) -> tuple[int, ...]:
        """Every word, in the order of the columns."""
        return (*self.inputs, self.expected, *self.others)


@dataclass(frozen=True)
class Group:
    """Cases of one operation on the same types.

    Attributes:
        id: its place in the file, four digits.
        operation: one of :data:`OPERATIONS`.
        columns: the type of each column by name: inputs, ``expected``, then who else answers.
        witness: who said what is expected, beside the exact reference.
        cases: the vectors.
        start: the word an accumulator starts from.
        note: what is to be known about the group.
        shape: of the tensor that the cases are the elements of, in C order, its samples first.
        ends: the numbers (hi, lo) of the bits that ``range`` takes.
    """

    id: str
    operation: str
    columns: dict[str, Column]
    witness: str
    cases: tuple[Case, ...]
    start: int | None = None
    note: str = ""
    shape: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()

    @property
    def sample(self) -> int:
        """How many cases make one sample."""
        return sample_of(self.shape)

    @property
    def target(self) -> Any:
        """The type of ``expected``."""
        return self.columns["expected"]

    @property
    def sources(self) -> dict[str, Column]:
        """The input columns."""
        return {name: self.columns[name] for name in OPERATIONS[self.operation][1]}

    def words(self, column: str) -> list[int]:
        """The words of one column."""
        k = list(self.columns).index(column)
        return [case.words[k] for case in self.cases]

    def codes(self, column: str) -> Any:
        """The words of one column as what the quantizers take: floats, integers or codes."""
        return values(self.words(column), self.columns[column])

    @property
    def rows(self) -> Iterator[list[str]]:
        """The cases as a file has them: a hexadecimal word a column, then flags, if any."""
        lengths = [digits(t) for t in self.columns.values()]
        for case in self.cases:
            words = [f"{w:0{n}x}" for w, n in zip(case.words, lengths, strict=True)]
            yield [*words, " ".join(case.flags)] if case.flags else words

    @property
    def digest(self) -> str:
        """SHA-256 over everything that a case means."""
        columns = {name: spell(t) for name, t in self.columns.items()}
        facts: list[Any] = [self.operation, columns, self.start]
        facts += [list(extra) for extra in (self.shape, self.ends) if extra]
        text = json.dumps([facts, list(self.rows)], separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Truth:
    """One truth file.

    Attributes:
        family: the family of types: ``fixed``, ``minifloat``, ...
        operation: what the groups do.
        path: the way into the type: ``double``, ``cast``, ``arithmetic``, ...
        seed: what the inputs were drawn from.
        generator: the version of this project that wrote it.
        compiler: the C++ compiler that answered.
        headers: SHA-256 of each header that was used.
        witnesses: the versions of who else was asked.
        flags: what each flag in the file means.
        groups: the vectors.
    """

    family: str
    operation: str
    path: str
    seed: int
    generator: str
    compiler: str
    headers: dict[str, str]
    witnesses: dict[str, str]
    flags: dict[str, str]
    groups: tuple[Group, ...]

    @property
    def count(self) -> int:
        """How many cases there are."""
        return sum(len(group.cases) for group in self.groups)


def sample_of(shape: Sequence[int]) -> int:
    """Elements of a sample: the first axis counts the samples."""
    return math.prod(shape[1:])


def spell(t: Column) -> str:
    """The full spelling of a column's type, every argument of ``ap_fixed`` written out."""
    return t.cpp_full if isinstance(t, ApFixed) else str(t)


def parse_column(text: str) -> Column:
    """The type that ``text`` spells; ``ValueError`` if none."""
    return NUMBERS[text] if text in NUMBERS else parse_type(text)


def columns_for(operation: str, sources: list[Column], target: Any) -> dict[str, Column]:
    """The columns of an operation on these types."""
    names = OPERATIONS[operation][1]
    return {**dict(zip(names, sources, strict=True)), "expected": target}


def operands(
    operation: str, values: Sequence[Any], types: Sequence[Any], ends: tuple[int, ...] = ()
) -> tuple[Any, ...]:
    """What every ``compute`` takes after the operation: codes and types, a count, or two ends.

    Args:
        operation: an operator.
        values: the codes of each input column, or the counts.
        types: the types of these columns.
        ends: those of ``range``.
    """
    op = Operation.parse(operation)
    if op.binary:
        return values[0], types[0], values[1], types[1]
    if op is Operation.RANGE:
        return values[0], types[0], ends
    return values[0], types[0], *values[1:]


def digits(t: Column) -> int:
    """Hexadecimal digits of a word."""
    return (t.width + 3) // 4


def word_of(code: Any, t: Column) -> int:
    """The bits of a code, or of a Python number."""
    if isinstance(code, float):
        letter, bits = ("d", "Q") if t.width == 64 else ("f", "I")
        (word,) = struct.unpack(f"<{bits}", struct.pack(f"<{letter}", code))
        return int(word)
    return int(code) & ((1 << t.width) - 1)


def code_of(word: int, t: Column) -> Any:
    """The inverse: a Python float for a floating-point number, else an integer."""
    if isinstance(t, Number) and t.cpp in ("double", "float"):
        letter, bits = ("d", "Q") if t.width == 64 else ("f", "I")
        return struct.unpack(f"<{letter}", struct.pack(f"<{bits}", word))[0]
    return word - (1 << t.width) if t.signed and word >> (t.width - 1) else word


def values(words: list[int], t: Column) -> Any:
    """Words as an array: of floats or integers for a C++ number, else of codes."""
    if t.width > 64:
        out = np.empty(len(words), dtype=object)
        out[:] = [code_of(w, t) for w in words]
        return out
    if not isinstance(t, Number) and t.width < 64:
        return np.array([code_of(w, t) for w in words], dtype=np.int64)
    unsigned = np.array(words, dtype=f"u{t.width // 8}")
    if t.width == 32:
        return unsigned.view("f4" if str(t) == "float" else "i4")
    kind = {"double": "f8", "std::uint64_t": "u8"}.get(str(t), "i8")
    return unsigned.view(kind)
