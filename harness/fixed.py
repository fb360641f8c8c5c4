"""``Fixed``: an array of ``ap_fixed`` or ``ap_int`` values that computes as C++ does.

Every operator has the type that C++ gives the expression, ``to`` is a C++ conversion or assignment,
and ``x += y`` is C++'s: it keeps the type of ``x``.
"""

from __future__ import annotations

import contextlib
import contextvars
import operator
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from harness.quantize import cast_codes, compute_codes, decode, quantize_codes
from harness.quantize.held import (
    WORDS,
    cast_held,
    codes_of,
    compute_held,
    from_words,
    held,
    to_words,
)
from harness.types import ApFixed, ApInt, Operation, result_type

__all__ = [
    "INT",
    "UNSIGNED",
    "Arithmetic",
    "Array",
    "Fixed",
    "computed_by",
    "computed_elsewhere",
    "concatenated",
    "recorded_casts",
    "stacked",
    "where",
]

Array = np.ndarray[Any, Any]
#: What C++ makes of an ``int`` and of an ``unsigned`` operand.
INT, UNSIGNED = ApInt(32), ApInt(32, signed=False)

Casts = set[tuple[ApFixed, ApFixed]]
_casts: contextvars.ContextVar[Casts | None] = contextvars.ContextVar("casts", default=None)


@contextlib.contextmanager
def recorded_casts() -> Iterator[Casts]:
    """Collect the type pairs of every conversion that is computed inside."""
    found: Casts = set()
    token = _casts.set(found)
    try:
        yield found
    finally:
        _casts.reset(token)


def record_cast(source: ApFixed, target: ApFixed) -> None:
    """Note a conversion that is computed by other means than :meth:`Fixed.to`."""
    found = _casts.get()
    if found is not None:
        found.add((source, target))


class Arithmetic(Protocol):
    """What computes in the place of the quantizers: on terms of a solver, for one.

    Codes are then objects that it makes itself, or integers; those of a comparison have one bit.
    """

    def cast(self, codes: Array, source: ApFixed, target: ApFixed) -> Array:
        """A conversion."""

    def compute(self, op: Operation, a: Array, ta: ApFixed, b: Any, tb: ApFixed | None) -> Array:
        """An operator."""

    def where(self, condition: Array, a: Array, b: Array, t: ApFixed) -> Array:
        """A choice between codes of one type."""


_arithmetic: contextvars.ContextVar[Arithmetic | None] = contextvars.ContextVar(
    "arithmetic", default=None
)


@contextlib.contextmanager
def computed_by(arithmetic: Arithmetic) -> Iterator[None]:
    """Let something else compute whatever ``Fixed`` computes inside."""
    token = _arithmetic.set(arithmetic)
    try:
        yield
    finally:
        _arithmetic.reset(token)


def computed_elsewhere() -> bool:
    """Whether codes are what :func:`computed_by` makes of them, which only it can look at."""
    return _arithmetic.get() is not None


def _operator(symbol: str, *, reverse: bool = False) -> Callable[[Fixed, Any], Fixed]:
    op = Operation.parse(symbol)

    def method(self: Fixed, other: Any) -> Fixed:
        return self._with(op, other, reverse=reverse)

    return method


def _comparison(symbol: str) -> Callable[[Fixed, Any], Any]:
    op = Operation.parse(symbol)

    def method(self: Fixed, other: Any) -> Any:
        if isinstance(other, (bool, str)) or other is None:
            return NotImplemented
        if computed_elsewhere():
            return self._with(op, other).held
        if isinstance(other, (float, np.floating)):
            return _COMPARE[symbol](self.to_double(), other)  # C++ compares these as doubles
        if self.type.width + (not self.type.signed) <= 64:
            if type(other) is int and other == 0:
                return _COMPARE[symbol](self.held, 0)  # which no conversion of C's changes
            if isinstance(other, Fixed) and other.type == self.type:
                return np.asarray(_COMPARE[symbol](self.held, other.held))
        return np.asarray(self._with(op, other).codes != 0)

    return method


#: How two doubles compare.
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


class Fixed:
    """Codes of one type, with the operators of C++.

    An integer operand is a C++ ``int`` of 32 bits; a number of another size is a ``Fixed`` of its
    own, such as ``Fixed.of(5, "ap_uint<3>")``.  The headers give ``5 / x`` the type of ``x / 5``,
    and it wraps there.  A ``float`` is compared with as a double, and
    refused elsewhere, as C++ has no such operator.  Comparisons give arrays of ``bool``.

    Args:
        codes: ``int64`` up to 64 bits, Python integers in an object array beyond; any shape.
        type: the type they are codes of, or its spelling.

    Attributes:
        held: the codes as they are computed with: ``int64``, two words each for more than 64 bits
            (:mod:`harness.quantize.held`), or Python integers for more than these hold.
        type: their type.
    """

    __slots__ = ("held", "type")
    __hash__ = None  # type: ignore[assignment]  # == gives an array, as NumPy's does
    #: NumPy leaves ``array * fixed`` to us.
    __array_ufunc__ = None

    def __init__(self, codes: Any, type: ApFixed | str) -> None:  # noqa: A002
        self.type: ApFixed = ApFixed.parse(type) if isinstance(type, str) else type
        self.codes = codes

    @classmethod
    def of(cls, values: Any, t: ApFixed | str) -> Fixed:
        """``t(x)`` for C++ numbers, or exact ones, as :func:`quantize_codes` reads them."""
        t = ApFixed.parse(t) if isinstance(t, str) else t
        return cls(quantize_codes(values, t), t)

    @classmethod
    def of_words(cls, words: Array, t: ApFixed, shape: tuple[int, ...]) -> Fixed:
        """Codes from :attr:`words`, or as many in another shape."""
        return cls(from_words(words.reshape(-1, -(-t.width // 64)), t).reshape(shape), t)

    @classmethod
    def unsigned(cls, value: int) -> Fixed:
        """A C++ ``unsigned`` constant."""
        return cls(np.int64(value), UNSIGNED)

    @property
    def codes(self) -> Array:
        """The codes: ``int64``, or Python integers that must not be written to."""
        return codes_of(self.held) if self.held.dtype == WORDS else self.held

    @codes.setter
    def codes(self, codes: Any) -> None:
        array = np.asarray(codes)
        if computed_elsewhere():
            self.held: Array = codes_of(array) if array.dtype == WORDS else array
        else:
            self.held = array if self.type.width <= 64 else held(array, self.type)

    @property
    def words(self) -> Array:
        """The codes as C++ has them in memory, (size, words of each) ``int64``, low ones first."""
        return to_words(self.held, self.type)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return tuple(self.held.shape)

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return int(self.held.ndim)

    @property
    def size(self) -> int:
        """How many elements it has."""
        return int(self.held.size)

    def to(self, t: ApFixed | str) -> Fixed:
        """Converted, or assigned, to ``t``, with its rounding and overflow."""
        t = ApFixed.parse(t) if isinstance(t, str) else t
        if t == self.type:
            return self
        record_cast(self.type, t)
        return self.cast(t)

    def cast(self, t: ApFixed) -> Fixed:
        """:meth:`to`, of which nobody is told."""
        if (elsewhere := _arithmetic.get()) is not None:
            return Fixed(elsewhere.cast(self.held, self.type, t), t)
        if max(self.type.width, t.width) > 64:
            found = cast_held(self.held, self.type, t)
            if found is not None:
                return Fixed(found, t)
        return Fixed(cast_codes(self.codes, self.type, t), t)

    def to_int(self) -> Array:
        """C++ ``(int)x``: toward zero, in 32 bits that wrap."""
        return self.cast(result_type(Operation.TO_INT, self.type)).codes

    def to_double(self) -> Array:
        """C++ ``x.to_double()``: the nearest float64, ties to even."""
        words = np.asarray(compute_codes(Operation.TO_DOUBLE, self.codes, self.type), np.int64)
        return words.view(np.float64)

    def values(self) -> Array:
        """The values, as float64; ``ValueError`` if the type has more bits than it."""
        return np.asarray(decode(self.codes, self.type))

    def fractions(self) -> Array:
        """The values, exactly, as an object array of ``Fraction``."""
        return np.asarray(decode(self.codes, self.type, object))

    def __getitem__(self, key: Any) -> Fixed:
        return Fixed(self.held[key], self.type)

    def __len__(self) -> int:
        return len(self.held)

    def moved(self, f: Callable[[Array], Array]) -> Fixed:
        """The codes where a function of NumPy moves them, which must not look at them."""
        return Fixed(f(self.held), self.type)

    def reshape(self, *shape: Any) -> Fixed:
        """The same codes in another shape."""
        return Fixed(self.held.reshape(*shape), self.type)

    def transpose(self, *axes: int) -> Fixed:
        """The same codes with permuted axes."""
        return Fixed(self.held.transpose(*axes), self.type)

    def bits(self, hi: int, lo: int) -> Fixed:
        """C++ ``x(hi, lo)``: the bits from ``lo`` to ``hi``, reversed if ``hi < lo``."""
        t = result_type(Operation.RANGE, self.type, (hi, lo))
        found = None
        if self.type.width > 64:
            found = compute_held(Operation.RANGE, self.held, self.type, (hi, lo), None, t)
        if found is None:
            found = compute_codes(Operation.RANGE, self.codes, self.type, (hi, lo))
        return Fixed(found, t)

    def bit(self, place: Any) -> Fixed:
        """C++ ``x[place]``, 0 the lowest bit; an array of places has one for each element."""
        return self._counted(Operation.BIT, place)

    def concat(self, low: Fixed) -> Fixed:
        """C++ ``(x, low)`` of two integer types."""
        return self._with(Operation.CONCAT, low)

    def _with(self, op: Operation, other: Any, *, reverse: bool = False) -> Fixed:
        other = _as_operand(other)
        if reverse:
            t = result_type(op, self.type, other.type)
            return Fixed.to(other._with(op, self), t)
        a, b = self, other
        t = result_type(op, a.type, b.type)
        if (elsewhere := _arithmetic.get()) is not None:
            return Fixed(elsewhere.compute(op, a.held, a.type, b.held, b.type), t)
        if max(a.type.width, b.type.width, t.width) > 64:
            found = compute_held(op, a.held, a.type, b.held, b.type, t)
            if found is not None:
                return Fixed(found, t)
        return Fixed(compute_codes(op, a.codes, a.type, b.codes, b.type), t)

    def _counted(self, op: Operation, count: Any) -> Fixed:
        if isinstance(count, Fixed):
            count = count.to_int()
        codes = compute_codes(op, self.codes, self.type, count)
        return Fixed(codes, result_type(op, self.type))

    def _unary(self, op: Operation) -> Fixed:
        t = result_type(op, self.type)
        if (elsewhere := _arithmetic.get()) is not None:
            return Fixed(elsewhere.compute(op, self.held, self.type, None, None), t)
        if t.width > 64:
            found = compute_held(op, self.held, self.type, None, None, t)
            if found is not None:
                return Fixed(found, t)
        return Fixed(compute_codes(op, self.codes, self.type), t)

    __add__, __radd__, __iadd__ = _operator("+"), _operator("+", reverse=True), _operator("+=")
    __sub__, __rsub__, __isub__ = _operator("-"), _operator("-", reverse=True), _operator("-=")
    __mul__, __rmul__, __imul__ = _operator("*"), _operator("*", reverse=True), _operator("*=")
    __truediv__, __rtruediv__ = _operator("/"), _operator("/", reverse=True)
    __itruediv__ = _operator("/=")
    __mod__, __rmod__, __imod__ = _operator("%"), _operator("%", reverse=True), _operator("%=")
    __and__, __rand__, __iand__ = _operator("&"), _operator("&", reverse=True), _operator("&=")
    __or__, __ror__, __ior__ = _operator("|"), _operator("|", reverse=True), _operator("|=")
    __xor__, __rxor__, __ixor__ = _operator("^"), _operator("^", reverse=True), _operator("^=")
    __lt__, __le__ = _comparison("<"), _comparison("<=")
    __gt__, __ge__ = _comparison(">"), _comparison(">=")
    __eq__, __ne__ = _comparison("=="), _comparison("!=")

    def __lshift__(self, count: Any) -> Fixed:
        return self._counted(Operation.LSHIFT, count)

    def __rshift__(self, count: Any) -> Fixed:
        return self._counted(Operation.RSHIFT, count)

    def __neg__(self) -> Fixed:
        return self._unary(Operation.NEG)

    def __invert__(self) -> Fixed:
        return self._unary(Operation.NOT)

    def __bool__(self) -> bool:
        return bool(self.codes != 0)

    def __repr__(self) -> str:
        t = self.type
        exact = t.significand_bits <= 53 and abs(t.frac) < 1000 and abs(t.integer) < 1000
        shown = self.values() if exact else self.codes
        text = np.array2string(np.asarray(shown), separator=", ", prefix="Fixed(")
        return f"Fixed({text}, {'' if exact else 'codes of '}{t})"

    def _repr_html_(self) -> str:
        from harness.report.notebook import array_html

        return array_html(self)


def _as_operand(other: Any) -> Fixed:
    """An operand of an operator: a C++ ``int`` if it is a plain integer."""
    if isinstance(other, Fixed):
        return other
    if isinstance(other, (float, np.floating, Fraction)):
        raise TypeError(f"C++ has no operator with the double {other}; use Fixed.of(x, t)")
    codes = np.asarray(other)
    if codes.dtype.kind not in "iu" or isinstance(other, bool):
        raise TypeError(f"an operand is a Fixed or an int, not {type(other).__name__}")
    return Fixed(codes, INT)


def where(condition: Array, a: Fixed, b: Fixed) -> Fixed:
    """``condition ? a : b``; both must have one type."""
    if a.type != b.type:
        raise TypeError(f"the branches have types {a.type} and {b.type}")
    if (elsewhere := _arithmetic.get()) is not None:
        return Fixed(elsewhere.where(condition, a.held, b.held, a.type), a.type)
    return Fixed(np.where(condition, a.held, b.held), a.type)


def stacked(parts: Sequence[Fixed], axis: int) -> Fixed:
    """Arrays of one type, joined along a new axis."""
    return Fixed(np.stack([p.held for p in parts], axis), parts[0].type)


def concatenated(parts: Sequence[Fixed], axis: int = 0) -> Fixed:
    """Arrays of one type, joined along an axis that they have."""
    return Fixed(np.concatenate([p.held for p in parts], axis), parts[0].type)
