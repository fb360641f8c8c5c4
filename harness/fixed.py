"""``Fixed``: an array of ``ap_fixed`` values that computes as the C++ expression does.

Layers are written in it line by line after their kernels, a whole batch at a time: every operator
has the type C++ gives the expression, and ``to`` is a C++ conversion or assignment.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from harness.quantize import cast_codes, compute_codes, decode, quantize_codes
from harness.types import ApFixed, Operation, Overflow, Rounding, result_type

__all__ = ["INT", "UNSIGNED", "Array", "Fixed", "as_unsigned", "recorded_casts", "where"]

Array = np.ndarray[Any, Any]
#: What C++ makes of an ``int`` and of an ``unsigned`` operand.
INT, UNSIGNED = ApFixed(32, 32), ApFixed(32, 32, signed=False)

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


class Fixed:
    """Codes of one type.

    Args:
        codes: ``int64`` up to 64 bits, Python integers in an object array beyond; any shape.
        type: the type they are codes of.
    """

    __slots__ = ("codes", "type")

    def __init__(self, codes: Any, type: ApFixed) -> None:  # noqa: A002
        self.codes: Array = np.asarray(codes)
        self.type = type

    @classmethod
    def of(cls, values: Any, t: ApFixed) -> Fixed:
        """``t(x)`` for C++ doubles: the constructor's conversion."""
        return cls(quantize_codes(np.asarray(values, np.float64), t), t)

    @classmethod
    def unsigned(cls, value: int) -> Fixed:
        """A C++ ``unsigned`` constant."""
        return cls(np.int64(value), UNSIGNED)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return tuple(self.codes.shape)

    def to(self, t: ApFixed) -> Fixed:
        """Converted, or assigned, to ``t``, with its rounding and overflow."""
        if t == self.type:
            return self
        record_cast(self.type, t)
        return Fixed(cast_codes(self.codes, self.type, t), t)

    def to_int(self) -> Array:
        """C++ ``(int)x``: toward zero, in 32 bits that wrap."""
        whole = ApFixed(32, 32, rounding=Rounding.TRN_ZERO, overflow=Overflow.WRAP)
        return np.asarray(cast_codes(self.codes, self.type, whole))

    def values(self) -> Array:
        """The values, as float64; ``ValueError`` if the type has more bits than it."""
        return np.asarray(decode(self.codes, self.type))

    def __getitem__(self, key: Any) -> Fixed:
        return Fixed(self.codes[key], self.type)

    def __len__(self) -> int:
        return len(self.codes)

    def reshape(self, *shape: Any) -> Fixed:
        """The same codes in another shape."""
        return Fixed(self.codes.reshape(*shape), self.type)

    def transpose(self, *axes: int) -> Fixed:
        """The same codes with permuted axes."""
        return Fixed(self.codes.transpose(*axes), self.type)

    def _with(self, op: Operation, other: Any, *, reverse: bool = False) -> Fixed:
        other = other if isinstance(other, Fixed) else Fixed(np.int64(other), INT)
        a, b = (other, self) if reverse else (self, other)
        codes = compute_codes(op, a.codes, a.type, b.codes, b.type)
        return Fixed(codes, result_type(op, a.type, b.type))

    def __add__(self, other: Fixed | int) -> Fixed:
        return self._with(Operation.ADD, other)

    def __sub__(self, other: Fixed | int) -> Fixed:
        return self._with(Operation.SUB, other)

    def __mul__(self, other: Fixed | int) -> Fixed:
        return self._with(Operation.MUL, other)

    def __rmul__(self, other: int) -> Fixed:
        return self._with(Operation.MUL, other, reverse=True)

    def __truediv__(self, other: Fixed | int) -> Fixed:
        return self._with(Operation.DIV, other)

    def __neg__(self) -> Fixed:
        codes = compute_codes(Operation.NEG, self.codes, self.type)
        return Fixed(codes, result_type(Operation.NEG, self.type))

    def _aligned(self, other: Fixed | int) -> tuple[Array, Array, bool]:
        """The codes of both over one LSB, and whether C++ compares them as unsigned."""
        other = other if isinstance(other, Fixed) else Fixed(np.int64(other), INT)
        frac = max(self.type.frac, other.type.frac)
        right, t = _shifted(other, frac), other.type
        if t.frac < frac and t.signed and t.overflow is Overflow.SAT_SYM:
            # The header widens the right operand in its own modes, of which this one moves the
            # lowest code; the left operand gets an integer bit more, and keeps it.
            right = right + (right == t.min_code << (frac - t.frac))
        return _shifted(self, frac), right, as_unsigned(self.type, t)

    def __lt__(self, other: Fixed | int) -> Array:
        a, b, unsigned = self._aligned(other)
        if unsigned:  # a negative value is above every other
            return np.asarray((a >= 0) & ((a < b) | (b < 0)), bool)
        return np.asarray(a < b, bool)

    def __gt__(self, other: Fixed | int) -> Array:
        a, b, unsigned = self._aligned(other)
        if unsigned:
            return np.asarray((b >= 0) & ((a > b) | (a < 0)), bool)
        return np.asarray(a > b, bool)

    def __le__(self, other: Fixed | int) -> Array:
        return ~(self > other)

    def __ge__(self, other: Fixed | int) -> Array:
        return ~(self < other)

    def __repr__(self) -> str:
        return f"Fixed({self.codes!r}, {self.type})"


def as_unsigned(a: ApFixed, b: ApFixed) -> bool:
    """Whether ``a < b`` takes the bits of both as unsigned, so that negative values are large.

    The headers bring both to one LSB and compare as C does: a signed and an unsigned number of 32
    bits or more as unsigned, if the signed one is not the wider.
    """
    if a.signed == b.signed:
        return False
    width_a, width_b = a.width, b.width
    if a.frac > b.frac:
        width_b += a.frac - b.frac
    elif a.frac < b.frac:
        width_a += b.frac - a.frac + 1  # the left operand gets a bit that the right one does not
    if max(width_a, width_b) < 32:
        return False
    return width_b >= width_a if a.signed else width_a >= width_b


def _shifted(x: Fixed, frac: int) -> Array:
    """Codes over ``2**-frac``, as ``int64`` if they fit."""
    left = frac - x.type.frac
    if x.type.width + (not x.type.signed) + left <= 64:
        return np.left_shift(x.codes, left) if left else x.codes
    unfold = (1 << 64) if x.type.width == 64 and not x.type.signed else 0
    flat = [(int(c) % unfold if unfold else int(c)) << left for c in x.codes.ravel()]
    out = np.empty(len(flat), object)
    out[:] = flat
    return out.reshape(x.shape)


def where(condition: Array, a: Fixed, b: Fixed) -> Fixed:
    """``condition ? a : b``; both must have one type."""
    if a.type != b.type:
        raise TypeError(f"the branches have types {a.type} and {b.type}")
    return Fixed(np.where(condition, a.codes, b.codes), a.type)


def stacked(parts: Sequence[Fixed], axis: int) -> Fixed:
    """Arrays of one type, joined along a new axis."""
    return Fixed(np.stack([p.codes for p in parts], axis), parts[0].type)
