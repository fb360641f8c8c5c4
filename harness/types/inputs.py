"""What people pass as numbers, read without rounding.

``numpy.asarray`` rounds silently: a list of ``2**64 - 1`` and -1 becomes float64, and so do
integers beyond 2**53 beside a float.  Here a list is an array if that is exact; else its elements
stay Python numbers in an object array: ``int``, ``Fraction``, and ``float`` for what was one.
"""

from __future__ import annotations

import numbers
import operator
import re
import sys
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from harness.types.texts import shown

__all__ = ["as_array", "exact_number", "is_tensor", "plain", "read_number"]

Array = np.ndarray[Any, Any]
#: From here on a float64 beside integers may be one of them, rounded.
LARGE = 2.0**53
#: Decimal and binary exponents in text; what is beyond would fill the memory.
MAX_EXPONENT = 100_000
MAX_DIGITS = 4000
ALLOWED = "3.25, 0x1.8p3, 0b0.01, 1/3, inf, nan"

_POINTED = re.compile(r"(0[xX]|0[bB])([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?(?:[pP]([+-]?\d+))?")
_DECIMAL = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+))?")
_RATIO = re.compile(r"(\d+)\s*/\s*(\d+)")


def as_array(x: Any) -> Array:
    """``x`` as an array of numbers, none of them rounded.

    Returns:
        What NumPy makes of ``x`` where that is exact, as bool, integers or floats of up to 64
        bits, or a dtype of ml_dtypes.  Else an object array of ``int``, ``Fraction`` and ``float``,
        for Python integers of any size, ``Fraction``, ``Decimal``, text as :func:`read_number`
        takes it, ``numpy.longdouble``, and lists that mix them.

    Raises:
        TypeError: for a masked array, or elements that are no real numbers.
        ValueError: for rows that differ in length, and text that spells no number.
    """
    if _masked(x):
        raise TypeError("a masked array is not read; use x.filled(...) or x.compressed()")
    array = x if isinstance(x, np.ndarray) else _gathered(x)
    kind = array.dtype.kind
    if kind in "biu" or (kind == "f" and array.dtype.itemsize <= 8) or _extension(array.dtype):
        return array
    if kind not in "OUf":
        raise TypeError(f"cannot read dtype {array.dtype} as numbers; allowed: floats and integers")
    out = np.empty(array.shape, dtype=object)
    out.ravel()[:] = [exact_number(element) for element in _elements(array)]
    return out


def is_tensor(x: Any) -> bool:
    """Whether ``x`` is a torch tensor."""
    torch = sys.modules.get("torch")  # who holds a tensor has imported torch
    return torch is not None and isinstance(x, torch.Tensor)


def plain(array: Array) -> Array:
    """An array of a dtype of ml_dtypes widened to NumPy's own, exactly; others as they are."""
    if not _extension(array.dtype):
        return array
    name = array.dtype.name
    # float32 has every value of the formats of up to 16 bits, int8 those of up to 4.
    wider = np.float32 if "float" in name else np.int8 if name[0] == "i" else np.uint8
    with np.errstate(invalid="ignore"):  # a signalling NaN is no reason for a warning
        return array.astype(wider)


def exact_number(x: Any) -> int | float | Fraction:
    """A scalar as the Python number that it is; zeros keep their sign as floats.

    Raises:
        TypeError: for what is no real number.
        ValueError: for text that spells none.
    """
    if isinstance(x, str):
        return read_number(x)
    if isinstance(x, float | bool | np.bool_ | np.float16 | np.float32):
        return int(x) if isinstance(x, bool | np.bool_) else float(x)
    if isinstance(x, np.longdouble | Decimal):
        return _finite_or_float(x)
    if isinstance(x, numbers.Rational) and not isinstance(x, int):
        return Fraction(int(x.numerator), int(x.denominator))
    try:
        return operator.index(x)
    except TypeError:
        raise TypeError(
            f"cannot read {shown(x)} as a number; "
            "allowed: floats, integers, Fraction, Decimal, text"
        ) from None


def read_number(text: str) -> float | Fraction:
    """The exact number that ``text`` spells.

    Decimal (``-0.1``, ``1e-3``), hexadecimal and binary with a point and a power of two
    (``0x1.8p3``, ``0b0.01``), a fraction (``1/3``), ``inf`` and ``nan``.  Infinities, NaN and -0.0
    are floats.

    Raises:
        ValueError: for other text, and for more than 4000 digits or exponents beyond 100,000.
    """
    body = text.strip()
    negative = body[:1] == "-"
    body = body[1:] if body[:1] in ("-", "+") else body
    if len(body) > MAX_DIGITS:
        raise ValueError(f"{shown(text)} has more than {MAX_DIGITS} digits")
    if body.lower() in ("inf", "infinity", "nan"):
        value: float | Fraction = float(body)
    else:
        value = _magnitude(text, re.sub(r"(?<=\w)_(?=\w)", "", body))
    return -float(value) if negative and not value else -value if negative else value


def _magnitude(text: str, body: str) -> Fraction:
    if match := _RATIO.fullmatch(body):
        if int(match[2]) == 0:
            raise ValueError(f"{shown(text)} divides by zero")
        return Fraction(int(match[1]), int(match[2]))
    if match := _DECIMAL.fullmatch(body):
        _check_exponent(text, match[1])
        return Fraction(body)
    if match := _POINTED.fullmatch(body):
        prefix, whole, part, exponent = match.groups()
        base, bits = (16, 4) if prefix in ("0x", "0X") else (2, 1)
        digits = whole + (part or "")
        if digits and (base == 16 or set(digits) <= set("01")):
            _check_exponent(text, exponent)
            power = int(exponent or 0) - bits * len(part or "")
            return int(digits, base) * Fraction(2) ** power
    raise ValueError(f"{shown(text)} spells no number; allowed: {ALLOWED}")


def _check_exponent(text: str, exponent: str | None) -> None:
    if exponent is not None and abs(int(exponent)) > MAX_EXPONENT:
        raise ValueError(f"{shown(text)} has an exponent beyond +-{MAX_EXPONENT}")


def _finite_or_float(x: Any) -> float | Fraction:
    """A Decimal or a long double: exact if finite, else the float of its kind; -0.0 is a float."""
    finite = x.is_finite() if isinstance(x, Decimal) else np.isfinite(x)
    if not finite or x == 0:
        return float(x)
    if isinstance(x, Decimal) and abs(x.adjusted()) > MAX_EXPONENT:
        raise ValueError(f"{shown(x)} has an exponent beyond +-{MAX_EXPONENT}")
    return Fraction(*x.as_integer_ratio())


def _masked(x: Any) -> bool:
    """Whether ``x`` is a masked array, or a list that has one: NumPy would drop the mask."""
    if isinstance(x, list | tuple):
        return any(map(_masked, x))
    return isinstance(x, np.ma.MaskedArray)


def _gathered(x: Any) -> Array:
    """A scalar, list or the like as an array; of objects if anything else would round."""
    try:
        array = np.asarray(x)
    except ValueError:
        raise ValueError(f"{shown(x)} is no array: its rows differ in length") from None
    if array.dtype == np.float64:
        large = np.abs(array) >= LARGE
        if not large.any():
            return array
        objects = np.asarray(x, dtype=object)
        same = zip(_elements(objects[large]), array[large].tolist(), strict=True)
        return array if all(exact_number(a) == b for a, b in same) else objects
    rounds = array.dtype.kind in "OU" or array.dtype.type is np.longdouble
    return np.asarray(x, dtype=object) if rounds else array


def _elements(array: Array) -> list[Any]:
    """The elements as they are; ``tolist`` would round long doubles."""
    return list(array.flat)


def _extension(dtype: np.dtype[Any]) -> bool:
    """Whether a dtype is one of ml_dtypes, which need not be there."""
    return dtype.type.__module__.partition(".")[0] == "ml_dtypes" and "complex" not in dtype.name
