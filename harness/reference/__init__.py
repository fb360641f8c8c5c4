"""The exact reference: the published definition, one scalar at a time, on exact numbers."""

from __future__ import annotations

import math
import numbers
import operator
import struct
from fractions import Fraction
from typing import Any

from harness.reference import fixed, floats
from harness.reference.arithmetic import accumulate, assign, compute, operator_quirks
from harness.reference.fixed import QUIRKS, as_header_reads, cast_quirks, quirks
from harness.types import ApFixed, ApInt, Binary, as_number_type, exact_number, not_a_code, shown

__all__ = [
    "QUIRKS",
    "accumulate",
    "as_header_reads",
    "assign",
    "cast",
    "cast_quirks",
    "compute",
    "decode",
    "from_double",
    "from_exact",
    "from_float",
    "from_int",
    "neighbours",
    "operator_quirks",
    "quirks",
]


def from_double(x: float, t: Any, *, published: bool = False) -> int:
    """The code of ``x`` in a type of any family.

    With ``published=True`` a fixed-point code is the definition's, without the headers' quirks.

    Raises:
        ValueError: for a value that the type, or the definition, has no code for, and for a number
            that is no double.
    """
    t = as_number_type(t)
    if not isinstance(x, float):
        x = _double(x)
    if isinstance(t, ApFixed):
        return fixed.from_double(x, t, published=published)
    if isinstance(t, Binary):
        if math.isnan(x):
            raise ValueError(f"{t} has no NaN")
        return _sign(x, t)
    return floats.from_double(x, t)


def from_float(x: float, t: Any, *, published: bool = False) -> int:
    """The code of a C++ ``float``: that of its value as a double, unless its type is an integer.

    The arguments, and what is raised, are those of :func:`from_double`; ``x`` is a number that a
    ``float`` holds.
    """
    t, x = as_number_type(t), _double(x)
    if not _is_float(x):
        raise ValueError(f"{shown(x)} is no C++ float; from_double(x, t) takes it")
    if isinstance(t, ApFixed):
        return fixed.from_float(x, t, published=published)
    return from_double(x, t)


def from_int(x: int, t: Any, *, published: bool = False) -> int:
    """The code of an integer of any width."""
    return _to_code(Fraction(x), as_number_type(t), published)


def from_exact(x: Any, t: Any, *, published: bool = False) -> int:
    """The code of any number, rounded once: an integer, ``Fraction``, ``Decimal`` or text.

    A float is a double, and text as :func:`harness.types.read_number` has it.  What the headers do
    to values whatever they were, such as ``ap-int-small-negative``, is done here too.
    """
    number = exact_number(x)
    if isinstance(number, float):
        return from_double(number, t, published=published)
    t = as_number_type(t)
    if isinstance(t, ApInt) and not published and -1 < 2 * number < 0:
        return fixed.wrap(1, t)
    return _to_code(Fraction(number), t, published)


def cast(code: int, source: Any, t: Any, *, published: bool = False) -> int:
    """The code in ``t`` of the value that has ``code`` in ``source``; the sign of a zero is kept.

    Raises:
        ValueError: if ``source`` has no such code, or ``t`` no such value.
    """
    code, source, t = operator.index(code), as_number_type(source), as_number_type(t)
    if isinstance(source, ApFixed) and isinstance(t, ApFixed):
        return fixed.cast(code, source, t, published=published)
    value = decode(code, source)
    if not isinstance(value, Fraction):
        if isinstance(t, ApFixed):
            raise ValueError(f"{value} has no code in {t}")
        return from_double(value, t)
    if isinstance(source, ApFixed | Binary) or isinstance(t, ApFixed | Binary):
        return _to_code(value, t, published)
    return floats.to_code(value, t, floats.unpack(code, source)[0])


def decode(code: int, t: Any) -> Fraction | float:
    """The exact value of ``code``; a float for NaN and infinities.  ``ValueError`` if none."""
    code, t = operator.index(code), as_number_type(t)
    if isinstance(t, ApFixed):
        return fixed.decode(code, t)
    if isinstance(t, Binary):
        if code not in (0, 1):
            raise ValueError(not_a_code(code, t))
        return Fraction(2 * code - 1)
    return floats.decode(code, t)


def neighbours(value: Fraction, t: Any) -> tuple[int, int]:
    """The codes on either side of ``value``, equal if it is one, for a type that rounds by chance.

    A neighbour beyond the range is brought in by the type's overflow.
    """
    t = as_number_type(t)
    if not isinstance(t, ApFixed):
        return floats.neighbours(value, t)
    exact, y = t.with_modes(rounding="TRN"), value / t.lsb_exact
    low, high = (fixed.to_code(n * t.lsb_exact, exact) for n in (math.floor(y), math.ceil(y)))
    return low, high


def _double(x: Any) -> float:
    """A number that is a double, as one."""
    try:
        double = float(x)
    except (OverflowError, TypeError, ValueError):
        double = math.nan
    nan = isinstance(x, numbers.Real) and not isinstance(x, numbers.Rational) and math.isnan(x)
    if double == x or nan:
        return double
    raise ValueError(f"{shown(x)} is no double; from_exact(x, t) takes it as it is")


def _is_float(x: float) -> bool:
    """Whether a double is one that a C++ ``float`` holds."""
    try:
        (narrow,) = struct.unpack("<f", struct.pack("<f", x))
    except OverflowError:
        return False
    return math.isnan(x) or narrow == x


def _to_code(value: Fraction, t: Any, published: bool) -> int:
    if isinstance(t, ApFixed):
        return fixed.to_code(value, t, published=published)
    if isinstance(t, Binary):
        return _sign(value, t)
    return floats.to_code(value, t)


def _sign(value: float | Fraction, t: Binary) -> int:
    return int(value > 0 or (value == 0 and t.zero == 1))
