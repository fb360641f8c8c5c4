"""What compiled code computes: 64-bit integers that wrap, truths, and arrays of one element.

The types are those that Numba gives to the kernels' expressions: ``int64`` unless it says
``uint64``, and ``bool``.  What is known beforehand stays a Python number, all else is a term.  What
the processor leaves undefined becomes a duty, that it never happens, which is proven too.

Where the same lines run as operations on NumPy's arrays, and are not compiled, terms stand for
elements of these, and what is known is a number of Python, which does not wrap.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from bitwuzla import Kind

from harness.prove import reals
from harness.prove.reals import Real
from harness.prove.terms import Truth, Word, choose

__all__ = [
    "BITS",
    "Raw",
    "Row",
    "Unsigned",
    "as_word",
    "binary",
    "compared",
    "known",
    "merged",
    "narrowed",
    "stored",
    "truth_of",
    "unary",
    "wrapped",
]

BITS = 64
Duty = Callable[[Truth], None]


class Unsigned:
    """An integer without a sign, of 32 or 64 bits."""

    def __init__(self, word: Word) -> None:
        self.word = word


class Raw:
    """A double of which nothing is known but its word."""

    def __init__(self, word: Word) -> None:
        self.word = word


class Row:
    """An array of one element, or of one row of a few.

    Args:
        items: what it holds, which other arrays may share.
        kind: the dtype of what is written into it; anything as it is, if empty.
        shape: as NumPy has it.
    """

    def __init__(
        self, items: list[Any], kind: str = "", shape: tuple[int, ...] | None = None
    ) -> None:
        self.items, self.kind = items, kind
        self.shape = shape or (len(items),)
        self.size = 1

    def place(self, index: Any) -> int:
        """Where an index points: a place of an array of one axis; a row, or a row and a column."""
        first = (0, index) if len(self.shape) == 1 else (index, 0)
        row, column = index if isinstance(index, tuple) else first
        if row != 0:
            raise IndexError(f"an array of one row has no row {row}")
        return int(column)

    def row(self, index: int) -> Row:
        """The one row of an array of two axes: its memory."""
        self.place(index)
        return Row(self.items, self.kind, self.shape[1:])

    def fill(self, values: Any, duty: Duty) -> None:
        """Write all of it."""
        for place, value in zip(range(len(self.items)), values, strict=True):
            self.items[place] = stored(int(value), self.kind, duty)

    def view(self, dtype: Any) -> Row:
        """The same memory read as another dtype: the words of floats that were never computed."""
        return Row(self.items, np.dtype(dtype).name, self.shape)

    def read(self, place: int) -> Any:
        """An element; of a float read as an integer, its word."""
        item = self.items[place]
        return item.word if isinstance(item, Raw) and self.kind == "int64" else item

    def astype(self, dtype: Any) -> Row:
        """A new array, of which nothing is known: the kernels write before they read."""
        return Row([None] * len(self.items), np.dtype(dtype).name, self.shape)


def known(*values: Any) -> bool:
    """Whether all of it is of Python, and nothing a term."""
    return not any(isinstance(v, Word | Truth | Real | Unsigned | Raw | Row) for v in values)


def stored(value: Any, kind: str, duty: Duty) -> Any:
    """What an array of a dtype keeps of a value."""
    if isinstance(value, Raw):
        return value
    floating = isinstance(value, (Real, np.floating))
    if kind == "int64" and floating:
        return reals.as_real(value, _kind_of(value)).integer(duty)
    if kind.startswith("float") and floating:
        return reals.as_real(value, kind)
    if kind == "int32":
        return narrowed(value, 32)
    if kind.startswith("float"):
        raise TypeError("a kernel writes no integers into an array of floats")
    return value


def _kind_of(value: Any) -> str:
    return value.kind if isinstance(value, Real) else str(value.dtype.name)


def narrowed(value: Any, bits: int) -> Any:
    """The signed integer of so many bits that has the low ones of this."""
    if isinstance(value, int):
        low = value & (1 << bits) - 1
        return low - (1 << bits) if low >> (bits - 1) else low
    return as_word(value).bits(bits - 1, 0).extended(BITS, signed=True)


def wrapped(value: int) -> int:
    """The ``int64`` with the low 64 bits."""
    return int(narrowed(value, BITS))


def as_word(value: Any) -> Word:
    """Any integer or truth as a word of 64 bits."""
    if isinstance(value, Word):
        return value
    if isinstance(value, Unsigned):
        return value.word.extended(BITS, signed=False)
    if isinstance(value, np.unsignedinteger):
        return Word.of(int(value), BITS)
    if isinstance(value, Truth):
        return value.word().extended(BITS, signed=False)
    if isinstance(value, int):
        if wrapped(value) != value:
            raise ValueError(f"no int64 is {value}")
        return Word.of(value, BITS)
    raise TypeError(f"{type(value).__name__} is no integer of a kernel")


def truth_of(value: Any) -> Truth | bool:
    """Whether a condition holds."""
    if isinstance(value, (bool, Truth)):
        return value
    return value != 0 if isinstance(value, int) else as_word(value) != 0


def merged(condition: Truth, a: Any, b: Any) -> Any:
    """``a`` where the condition holds, else ``b``: numbers, truths, or tuples of them."""
    if a is b or (isinstance(a, int) and isinstance(b, int) and (type(a), a) == (type(b), b)):
        return a
    if isinstance(a, tuple) and isinstance(b, tuple):
        return tuple(merged(condition, x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, (bool, Truth)) and isinstance(b, (bool, Truth)):
        return choose(condition, *(Truth(x) if isinstance(x, bool) else x for x in (a, b)))
    if a is None or b is None:
        return None  # never written on one way, so whoever reads it is refused
    if _is_real(a) or _is_real(b):
        return reals.chosen(condition, a, b)
    if _is_unsigned(a) and _is_unsigned(b):
        return Unsigned(choose(condition, as_word(a), as_word(b)))
    if _is_unsigned(a) or _is_unsigned(b):
        raise TypeError("int64 and uint64 do not mix in one variable")
    return choose(condition, as_word(a), as_word(b))


def _is_real(value: Any) -> bool:
    return isinstance(value, (Real, np.floating))


def _is_unsigned(value: Any) -> bool:
    return isinstance(value, (Unsigned, np.unsignedinteger))


def unary(op: ast.unaryop, value: Any, *, compiled: bool = True) -> Any:
    """``-a``, ``~a``, ``not a``; see :func:`binary`."""
    if isinstance(op, ast.Not):
        truth = truth_of(value)
        return not truth if isinstance(truth, bool) else ~truth
    if isinstance(op, ast.Invert) and isinstance(value, Truth) and not compiled:
        return ~value
    if isinstance(value, (bool, Truth)):
        raise TypeError("a kernel does not negate truths")
    if isinstance(value, Real):
        return value.negated()
    if isinstance(value, np.floating):
        return -value
    if isinstance(value, int):
        found = -value if isinstance(op, ast.USub) else ~value
        return wrapped(found) if compiled else found
    word = as_word(value)
    word = -word if isinstance(op, ast.USub) else ~word
    return Unsigned(word) if isinstance(value, Unsigned) else word


_KNOWN: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.FloorDiv: operator.floordiv,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}


def binary(op: ast.operator, a: Any, b: Any, duty: Duty, *, compiled: bool = True) -> Any:
    """An operator of two integers or truths; of numbers of Python if the code is not compiled."""
    kind = type(op)
    truths = isinstance(a, (bool, Truth)) and isinstance(b, (bool, Truth))
    if truths and kind in (ast.BitAnd, ast.BitOr, ast.BitXor):
        return _KNOWN[kind](a, b)
    if isinstance(a, int) and isinstance(b, int):
        if not compiled:
            return _KNOWN[kind](a, b)
        if kind in (ast.LShift, ast.RShift) and not 0 <= b < BITS:
            raise ValueError(f"a kernel shifts by {b}")
        return wrapped(_KNOWN[kind](a, b))
    if truths and not compiled:
        raise TypeError("NumPy adds and multiplies truths in its own way")
    if _is_real(a) or _is_real(b):
        if isinstance(a, np.floating) and isinstance(b, np.floating):
            with np.errstate(all="ignore"):
                return _KNOWN[kind](a, b)
        return reals.binary(op, a, b, duty)
    unsigned = _is_unsigned(a) or _is_unsigned(b)
    if unsigned and not (_is_unsigned(a) and _is_unsigned(b)):
        raise TypeError("int64 and uint64 make float64, which a kernel does not mean")
    found = _terms(kind, as_word(a), as_word(b), unsigned, duty)
    return Unsigned(found) if unsigned else found


def _terms(kind: type[ast.operator], x: Word, y: Word, unsigned: bool, duty: Duty) -> Word:
    if kind in (ast.LShift, ast.RShift):
        duty(y.less(BITS, signed=False))  # a processor's longer shift gives anything
        return x << y if kind is ast.LShift else x.shifted_right(y, signed=not unsigned)
    if kind is ast.FloorDiv:
        duty(y != 0)
        if not unsigned:  # the kernels divide what is not negative
            duty(~x.less(0, signed=True) & ~y.less(0, signed=True))
        return x.divided(y)
    if kind is ast.Mult:
        return _product(x, y)
    found: Word = _KNOWN[kind](x, y)
    return found


def _product(x: Word, y: Word) -> Word:
    """The low 64 bits of a product: of words that were extended, in as many bits as it can have.

    It is the same number, and a solver finds no way from a product of one width to another's.
    """
    a, b = _not_extended(x), _not_extended(y)
    width = a.width + b.width
    if width > BITS:
        return x * y
    found = a.extended(width, signed=True) * b.extended(width, signed=True)
    return found.extended(BITS, signed=True)


def _not_extended(x: Word) -> Word:
    """A word whose sign, repeated, makes it."""
    kind = x.term.kind()
    if kind not in (Kind.BV_SIGN_EXTEND, Kind.BV_ZERO_EXTEND):
        return x
    inner = Word(x.term.children()[0])
    return inner if kind == Kind.BV_SIGN_EXTEND else inner.extended(inner.width + 1, signed=False)


def compared(op: ast.cmpop, a: Any, b: Any) -> Truth | bool:
    """A comparison of two integers or truths."""
    if isinstance(a, int) and isinstance(b, int):
        return bool(_COMPARE[type(op)](a, b))
    if _is_real(a) or _is_real(b):
        if isinstance(a, np.floating) and isinstance(b, np.floating):
            return bool(_COMPARE[type(op)](a, b))
        return reals.compared(op, a, b)
    x, y = as_word(a), as_word(b)
    if isinstance(op, (ast.Eq, ast.NotEq)):
        return x == y if isinstance(op, ast.Eq) else x != y
    unsigned = _is_unsigned(a) or _is_unsigned(b)
    if unsigned and not (_is_unsigned(a) and _is_unsigned(b)):
        raise TypeError("a kernel does not compare int64 with uint64")
    if isinstance(op, (ast.Gt, ast.LtE)):
        x, y = y, x
    less = x.less(y, signed=not unsigned)
    return less if isinstance(op, (ast.Lt, ast.Gt)) else ~less


_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
