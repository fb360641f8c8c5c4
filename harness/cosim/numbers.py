"""Values and codes, exactly: a number that a type has not is refused, never rounded."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from harness.quantize import decode, quantize_codes
from harness.quantize.held import WORDS, codes_of, from_words, to_words
from harness.types import ApFixed, NumberType, as_array, exact_number, plain, shown

__all__ = ["codes_of_values", "codes_of_words", "same_values", "values_of_codes", "words_of_codes"]

Array = np.ndarray[Any, Any]


def codes_of_values(given: Any, t: NumberType) -> Array:
    """The codes whose values are ``given``: ``int64``, Python integers beyond 64 bits.

    Raises:
        ValueError: names the first number that ``t`` has not.
        TypeError: for what is no number.
    """
    given = _numpy(given)
    array = plain(as_array(given))
    if isinstance(t, ApFixed) and t.width < 63 and array.dtype.kind in "biuf":
        codes, lost = _scaled(array, t)
    else:
        codes = np.asarray(quantize_codes(array, t))
        lost = ~same_values(array, codes, t)
    if lost.any():
        first = array[lost].flat[0]
        raise ValueError(
            f"{shown(getattr(first, 'item', lambda: first)())} is no value of {t}; "
            f"round it first: harness.quantize(x, {str(t)!r})"
        )
    return codes


def _numpy(given: Any) -> Any:
    """A tensor as an array; other things as they are."""
    detach = getattr(given, "detach", None)
    return given if detach is None else detach().cpu().numpy()


def _scaled(array: Array, t: ApFixed) -> tuple[Array, Array]:
    """The codes of numbers of up to 64 bits, and which have none."""
    if array.dtype.kind in "biu" and t.frac >= 0:
        if t.frac:
            lost = (array < int(t.min_code >> t.frac)) | (array > int(t.max_code >> t.frac))
            return np.where(lost, 0, array).astype(np.int64) << t.frac, lost
        return array.astype(np.int64), (array < t.min_code) | (array > t.max_code)
    with np.errstate(all="ignore"):
        scaled = np.ldexp(array.astype(np.float64), t.frac)
        codes = scaled.astype(np.int64)
        within = (scaled >= t.min_code) & (scaled <= t.max_code)
    return codes, ~(within & (codes == scaled))


def same_values(values: Array, codes: Array, t: NumberType) -> Array:
    """Where numbers are the values of codes, exactly; NaN is NaN's."""
    if values.dtype != object and t.significand_bits <= 53 and values.dtype.kind == "f":
        found = np.asarray(decode(codes, t, np.float64))
        return np.asarray((found == values) | (np.isnan(found) & np.isnan(values)))
    exact = [exact_number(v) for v in np.ravel(decode(codes, t, object)).tolist()]
    pairs = zip(np.ravel(values).tolist(), exact, strict=True)
    same = [exact_number(a) == b or (math.isnan(a) and math.isnan(b)) for a, b in pairs]
    return np.array(same, bool).reshape(np.shape(values))


def values_of_codes(codes: Any, t: NumberType) -> Array:
    """The values of codes: integers of an integer type, else float64; ``Fraction`` beyond that."""
    if isinstance(t, ApFixed) and t.frac == 0 and t.width <= 64:
        return np.asarray(codes) if t.signed or t.width < 64 else np.asarray(codes).view(np.uint64)
    wide = t.significand_bits > 53
    return np.asarray(decode(codes, t, object if wide else np.float64))


def words_of_codes(codes: Array, t: Any) -> Array:
    """Codes of more than 64 bits as words, the low one first, on a last axis of their own."""
    objects = np.asarray(codes, object)
    return to_words(objects, t).reshape(*objects.shape, -1)


def codes_of_words(words: Array, t: Any) -> Array:
    """The inverse of :func:`words_of_codes`."""
    found = from_words(words.reshape(-1, words.shape[-1]), t)
    codes = codes_of(found) if found.dtype == WORDS else found
    return codes.reshape(words.shape[:-1])
