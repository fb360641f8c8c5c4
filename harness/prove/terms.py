"""Terms of bit vectors: integers that never overflow, machine words that wrap, and truths.

The law of a type is written in :class:`Integer`, whose operations widen until every result fits, so
that a formula in it says what the same formula says of whole numbers.  What is held against the law
is written in :class:`Word`, a register of so many bits.  Both are names for terms of the solver.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from bitwuzla import Kind, TermManager

__all__ = ["MANAGER", "Integer", "Truth", "Word", "all_of", "any_of", "choose", "operands_first"]

#: Terms of different managers do not mix, so there is one.
MANAGER = TermManager()
_Choice = TypeVar("_Choice", "Integer", "Truth", "Word")


def make(kind: Any, *terms: Any, indices: tuple[int, ...] = ()) -> Any:
    """A term of the solver."""
    return MANAGER.mk_term(kind, list(terms), list(indices))


def constant(value: int, width: int) -> Any:
    """The low bits of ``value``."""
    return MANAGER.mk_bv_value(MANAGER.mk_bv_sort(width), value & ((1 << width) - 1))


class Truth:
    """A condition on the inputs."""

    __slots__ = ("term",)
    __hash__ = None  # type: ignore[assignment]  # == makes a term

    def __init__(self, term: Any) -> None:
        self.term = MANAGER.mk_true() if term is True else term
        self.term = MANAGER.mk_false() if term is False else self.term

    def __bool__(self) -> bool:
        raise TypeError("a term is true for some inputs and not for others")

    def __and__(self, other: Truth | bool) -> Truth:
        return Truth(make(Kind.AND, self.term, _truth(other)))

    def __or__(self, other: Truth | bool) -> Truth:
        return Truth(make(Kind.OR, self.term, _truth(other)))

    def __xor__(self, other: Truth | bool) -> Truth:
        return Truth(make(Kind.XOR, self.term, _truth(other)))

    def __invert__(self) -> Truth:
        return Truth(make(Kind.NOT, self.term))

    def __eq__(self, other: object) -> Truth:  # type: ignore[override]
        return ~(self != other)

    def __ne__(self, other: object) -> Truth:  # type: ignore[override]
        return Truth(make(Kind.XOR, self.term, _truth(other)))

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def word(self) -> Word:
        """One bit: 1 where it holds."""
        return Word(make(Kind.ITE, self.term, constant(1, 1), constant(0, 1)))


class Word:
    """A register: arithmetic wraps, and a comparison is told how to read it."""

    __slots__ = ("term", "width")
    __hash__ = None  # type: ignore[assignment]  # == makes a term

    def __init__(self, term: Any) -> None:
        self.term = term
        self.width: int = term.sort().bv_size()

    @classmethod
    def named(cls, name: str, width: int) -> Word:
        """A new input."""
        return cls(MANAGER.mk_const(MANAGER.mk_bv_sort(width), name))

    @classmethod
    def of(cls, value: int, width: int) -> Word:
        """A constant: the low bits of ``value``."""
        return cls(constant(value, width))

    def __bool__(self) -> bool:
        raise TypeError("a term is zero for some inputs and not for others")

    def __add__(self, other: Word | int) -> Word:
        return self._with(Kind.BV_ADD, other)

    def __sub__(self, other: Word | int) -> Word:
        return self._with(Kind.BV_SUB, other)

    def __mul__(self, other: Word | int) -> Word:
        return self._with(Kind.BV_MUL, other)

    def __and__(self, other: Word | int) -> Word:
        return self._with(Kind.BV_AND, other)

    def __or__(self, other: Word | int) -> Word:
        return self._with(Kind.BV_OR, other)

    def __xor__(self, other: Word | int) -> Word:
        return self._with(Kind.BV_XOR, other)

    def __lshift__(self, other: Word | int) -> Word:
        return self._with(Kind.BV_SHL, other)

    def __neg__(self) -> Word:
        return Word(make(Kind.BV_NEG, self.term))

    def __invert__(self) -> Word:
        return Word(make(Kind.BV_NOT, self.term))

    def __eq__(self, other: object) -> Truth:  # type: ignore[override]
        return Truth(make(Kind.EQUAL, self.term, self._other(other)))

    def __ne__(self, other: object) -> Truth:  # type: ignore[override]
        return ~(self == other)

    def shifted_right(self, count: Word | int, signed: bool) -> Word:
        """Sign bits or zeros come in."""
        return self._with(Kind.BV_ASHR if signed else Kind.BV_SHR, count)

    def less(self, other: Word | int, signed: bool) -> Truth:
        """Whether it is below ``other``, both read as signed or unsigned."""
        kind = Kind.BV_SLT if signed else Kind.BV_ULT
        return Truth(make(kind, self.term, self._other(other)))

    def divided(self, other: Word | int) -> Word:
        """The quotient of unsigned words."""
        return self._with(Kind.BV_UDIV, other)

    def bits(self, high: int, low: int) -> Word:
        """The bits from ``low`` to ``high``, both among them."""
        return Word(make(Kind.BV_EXTRACT, self.term, indices=(high, low)))

    def above(self, low: Word) -> Word:
        """It and ``low`` side by side."""
        return Word(make(Kind.BV_CONCAT, self.term, low.term))

    def extended(self, width: int, signed: bool) -> Word:
        """Its sign, or zeros, up to ``width``."""
        if width == self.width:
            return self
        kind = Kind.BV_SIGN_EXTEND if signed else Kind.BV_ZERO_EXTEND
        return Word(make(kind, self.term, indices=(width - self.width,)))

    def integer(self, signed: bool) -> Integer:
        """What it stands for."""
        return Integer(self if signed else self.extended(self.width + 1, False))

    def _with(self, kind: Any, other: Word | int) -> Word:
        return Word(make(kind, self.term, self._other(other)))

    def _other(self, other: Any) -> Any:
        if isinstance(other, int):
            return constant(other, self.width)
        if _as(Word, other).width != self.width:
            raise ValueError(f"words of {self.width} and {other.width} bits do not mix")
        return other.term


class Integer:
    """A whole number of any size: no operation overflows."""

    __slots__ = ("word",)
    __hash__ = None  # type: ignore[assignment]  # == makes a term

    def __init__(self, word: Word) -> None:
        self.word = word

    @classmethod
    def of(cls, value: int) -> Integer:
        """A constant."""
        return cls(Word.of(value, value.bit_length() + 1))

    @property
    def width(self) -> int:
        """The bits that it is kept in, its sign among them."""
        return self.word.width

    def __add__(self, other: Integer | int) -> Integer:
        a, b = self._beside(other, 1)
        return Integer(a + b)

    def __sub__(self, other: Integer | int) -> Integer:
        a, b = self._beside(other, 1)
        return Integer(a - b)

    def __mul__(self, other: Integer | int) -> Integer:
        other = _integer(other)
        width = self.width + other.width
        return Integer(self._in(width) * other._in(width))

    def __neg__(self) -> Integer:
        return Integer(-self._in(self.width + 1))

    def __lshift__(self, count: int) -> Integer:
        return Integer(self.word.above(Word.of(0, count))) if count else self

    def __rshift__(self, count: int) -> Integer:
        """The floor of the number over ``2**count``."""
        top = self.width - 1
        return Integer(self.word.bits(top, min(count, top)))

    def low(self, count: int) -> Integer:
        """The number modulo ``2**count``, never negative."""
        if count == 0:
            return Integer.of(0)
        return self.code(count).integer(signed=False)

    def quotient(self, other: Integer) -> Integer:
        """The number over another that is not zero, cut toward zero."""
        a, b = self._beside(other, 1)
        return Integer(Word(make(Kind.BV_SDIV, a.term, b.term)))

    def remainder(self, other: Integer) -> Integer:
        """What that leaves, with the sign of the number."""
        a, b = self._beside(other, 1)
        return Integer(Word(make(Kind.BV_SREM, a.term, b.term)))

    def code(self, width: int) -> Word:
        """Its low bits."""
        return self._in(max(width, self.width)).bits(width - 1, 0)

    def bit(self, place: int) -> Truth:
        """One bit of it in two's complement, which has no end."""
        place = min(place, self.width - 1)
        return self.word.bits(place, place) == 1

    def __lt__(self, other: Integer | int) -> Truth:
        a, b = self._beside(other)
        return a.less(b, signed=True)

    def __gt__(self, other: Integer | int) -> Truth:
        return _integer(other) < self

    def __le__(self, other: Integer | int) -> Truth:
        return ~(self > other)

    def __ge__(self, other: Integer | int) -> Truth:
        return ~(self < other)

    def __eq__(self, other: object) -> Truth:  # type: ignore[override]
        a, b = self._beside(other)
        return a == b

    def __ne__(self, other: object) -> Truth:  # type: ignore[override]
        return ~(self == other)

    def _in(self, width: int) -> Word:
        return self.word.extended(width, signed=True)

    def _beside(self, other: Any, more: int = 0) -> tuple[Word, Word]:
        """Both in as many bits as the wider has, and some."""
        other = _integer(other)
        width = max(self.width, other.width) + more
        return self._in(width), other._in(width)


def choose(condition: Truth | bool, a: _Choice, b: _Choice) -> _Choice:
    """``a`` where the condition holds, else ``b``."""
    if isinstance(condition, bool):
        return a if condition else b
    if isinstance(a, Integer):
        x, y = a._beside(b)
        return Integer(choose(condition, x, y))
    return type(a)(make(Kind.ITE, condition.term, a.term, b.term))


def all_of(conditions: Iterable[Truth | bool]) -> Truth:
    """Whether every condition holds."""
    found = Truth(True)
    for condition in conditions:
        found = found & condition
    return found


def any_of(conditions: Iterable[Truth | bool]) -> Truth:
    """Whether a condition holds."""
    found = Truth(False)
    for condition in conditions:
        found = found | condition
    return found


def operands_first(terms: Iterable[Any]) -> Iterator[Any]:
    """The solver's terms that these are made of, and these, each once, after its operands.

    The order depends on the terms alone, and not on what else the process has met.
    """
    met = set()
    for root in terms:
        waiting = [root]
        while waiting:
            term = waiting[-1]
            missing = [child for child in term.children() if child not in met]
            if missing:
                waiting += missing[::-1]
                continue
            waiting.pop()
            if term not in met:
                met.add(term)
                yield term


def _truth(value: object) -> Any:
    return Truth(value).term if isinstance(value, bool) else _as(Truth, value).term


def _integer(value: Integer | int) -> Integer:
    return Integer.of(value) if isinstance(value, int) else _as(Integer, value)


def _as(kind: type[Any], value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"a term of {kind.__name__} does not mix with {type(value).__name__}")
    return value
