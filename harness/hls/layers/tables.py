"""The lookup tables of hls4ml's activations, softmax and layer norm, entry by entry.

The C++ initialisers mix ``float`` and ``double``; here each step has the same type.  Their
functions of the C library are called where Python calls them (``expf``, ``tanhf``): NumPy's own
differ in the last place.  Tables are computed once and must not be written to.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from harness.fixed import INT, UNSIGNED, Array, Fixed
from harness.types import ApFixed, result_type

__all__ = [
    "ACTIVATIONS",
    "MAX_SIZE",
    "activation_table",
    "check_int",
    "check_size",
    "check_slices",
    "edge_powers",
    "edge_table",
    "exp_table",
    "index_values",
    "invert_sqr_table",
    "invert_table",
    "multiple",
    "multiple_steps",
    "sliced",
    "whole",
    "whole_steps",
    "whole_type",
    "within",
]

#: Entries are numbered in ``float``, which counts no further.
MAX_SIZE = 1 << 24
#: Exponents of normal floats: what the header turns into a ``float`` must keep within them.
FLOAT_EXPONENTS = (-126, 127)
f32 = np.float32


@functools.cache
def _libm() -> Any:
    try:
        return ctypes.CDLL("libm.so.6")
    except OSError:
        return ctypes.CDLL(ctypes.util.find_library("m"))


def _of_floats(name: str) -> Callable[[Array], Array]:
    """A function of the C library, on ``float`` and giving ``float``."""

    def apply(x: Array) -> Array:
        function = getattr(_libm(), name)
        function.restype, function.argtypes = ctypes.c_float, [ctypes.c_float]
        return np.fromiter(map(function, x.tolist()), f32, len(x))

    return apply


_exp, _tanh = _of_floats("expf"), _of_floats("tanhf")


def _double(x: Array) -> Array:
    return x.astype(np.float64)


def _sigmoid(x: Array) -> Array:
    return (1.0 / _double(f32(1) + _exp(-x))).astype(f32)


def _softplus(x: Array) -> Array:
    shifted = _double(_exp(x)) + 1.0
    return np.array([math.log(v) for v in shifted.tolist()]).astype(f32)


def _softsign(x: Array) -> Array:
    return (_double(x) / (_double(np.abs(x)) + 1.0)).astype(f32)


def _elu(x: Array) -> Array:
    return (_double(_exp(x)) - 1.0).astype(f32)


def _selu(x: Array) -> Array:
    scaled = 1.6732632423543772848170429916717 * (_double(_exp(x)) - 1.0)
    return (1.0507009873554804934193349852946 * scaled).astype(f32)


def _reciprocal(x: Array) -> Array:
    """One over ``x`` as a double; 0 for 0."""
    return np.divide(1.0, _double(x), out=np.zeros(len(x)), where=x > 0)


def _centred(reach: float) -> Callable[[int], Array]:
    """From ``-reach`` on, up to but not including ``reach``."""

    def places(size: int) -> Array:
        k = np.arange(size, dtype=np.float64)
        return (2 * reach * (k - size / 2.0) / size).astype(f32)

    return places


def _from_zero(end: float) -> Callable[[int], Array]:
    """From 0 on, up or down to but not including ``end``."""

    def places(size: int) -> Array:
        return (end * np.arange(size, dtype=np.float64) / size).astype(f32)

    return places


#: Of each table the places of its entries, and the function of them.
ACTIVATIONS: dict[str, tuple[Callable[[int], Array], Callable[[Array], Array]]] = {
    "sigmoid": (_centred(8.0), _sigmoid),
    "tanh": (_centred(4.0), _tanh),
    "softplus": (_centred(8.0), _softplus),
    "softsign": (_centred(8.0), _softsign),
    "elu": (_from_zero(-8.0), _elu),
    "selu": (_from_zero(-8.0), _selu),
    "exp_legacy": (_centred(8.0), _exp),
    "invert_legacy": (_from_zero(64.0), _reciprocal),
}


def check_size(size: int, name: str) -> int:
    """A table's size.

    Raises:
        ValueError: for one that no table has.
    """
    if not 1 <= size <= MAX_SIZE:
        raise ValueError(f"{name}: a table has 1 to {MAX_SIZE} entries, not {size}")
    return size


@functools.lru_cache(maxsize=64)
def activation_table(name: str, size: int, t: ApFixed) -> Fixed:
    """A table of :data:`ACTIVATIONS`, in its type: (size,).

    Source:
        hls4ml ``nnet::init_<name>_table`` (``init_exp_table_legacy``,
        ``init_invert_table_legacy``).
    """
    places, function = ACTIVATIONS[name]
    return _kept(function(places(size)), t)


@functools.lru_cache(maxsize=64)
def exp_table(index: ApFixed, size: int, t: ApFixed, scale: float, negative: bool) -> Fixed:
    """What softmax has for ``exp``: (size,).

    Args:
        index: the type whose top bits number the entries.
        size: a power of two.
        t: the type of the entries.
        scale: what the exponent is multiplied with, a ``float``.
        negative: whether the exponent changes its sign then.

    Source:
        hls4ml ``nnet::init_exp_table``.
    """
    x = index_values(index, size) * f32(scale)
    with np.errstate(over="ignore"):
        return _kept(_exp(-x if negative else x), t)


@functools.lru_cache(maxsize=64)
def invert_table(index: ApFixed, size: int, t: ApFixed) -> Fixed:
    """What softmax has for ``1 / x``: (size,); the first entry is that of infinity.

    Args:
        index: the type whose top bits number the entries.
        size: a power of two.
        t: the type of the entries.

    Source:
        hls4ml ``nnet::init_invert_table``.
    """
    with np.errstate(divide="ignore"):
        return _kept(f32(1) / index_values(index, size), t)


@functools.lru_cache(maxsize=64)
def invert_sqr_table(size: int, t: ApFixed, epsilon_power_of_10: int, range_power2: int) -> Fixed:
    """What layer norm has for ``1 / sqrt(x)``: (size,).

    Args:
        size: how many entries.
        t: their type.
        epsilon_power_of_10: the first is of ``10 ** -epsilon_power_of_10``.
        range_power2: they reach about ``2 ** -range_power2`` further.

    Source:
        hls4ml ``nnet::init_invert_sqr_table``.
    """
    first, reach = f32(10.0**-epsilon_power_of_10), f32(2.0**-range_power2)
    places = first + (reach / f32(size)) * np.arange(size).astype(f32)
    return _kept(1.0 / _double(np.sqrt(places)), t)


@functools.lru_cache(maxsize=64)
def edge_powers(distance: ApFixed) -> Fixed:
    """``exp(-x**2)`` in the type of the square, by the bits of the distance: (2**width,).

    Source:
        hls4ml ``hls::exp``.
    """
    words = np.arange(1 << distance.width, dtype=np.int64)
    negative = (words >> (distance.width - 1) != 0) & distance.signed
    x = Fixed(np.where(negative, words - words.size, words), distance)
    square = -x * x
    return Fixed.of([math.exp(v) for v in square.to_double().tolist()], square.type)


@functools.lru_cache(maxsize=64)
def edge_table(distance: ApFixed, t: ApFixed) -> Fixed:
    """What GarNet has for ``exp(-x**2)``, in its type: (2**width,).

    The first entry, of 1, is what as many bits below the point hold of it.

    Source:
        hls4ml ``garnet_utils::initialize_edge_weights_table``.
    """
    table = edge_powers(distance).to(t)
    first = Fixed.of(1.0, f"ap_ufixed<{t.width},0,AP_TRN,AP_SAT>").to(t)
    codes = table.codes.copy()
    codes[0] = first.codes.item()
    found = Fixed(codes, t)
    found.held.flags.writeable = False
    return found


def index_values(index: ApFixed, size: int) -> Array:
    """The value of each entry's number, as the top bits of ``index`` and zeros below: floats."""
    check_slices(index, size, "softmax")
    k = np.arange(size, dtype=np.int64)
    if index.signed:
        k = np.where(k < size // 2, k, k - size)
    bits = size.bit_length() - 1
    return np.ldexp(k.astype(np.float64), index.integer - bits).astype(f32)


def sliced(x: Fixed, size: int) -> Array:
    """The top bits of ``x``: the number of its entry in a table of ``size``, a power of two.

    Source:
        hls4ml ``nnet::softmax_idx_from_real_val``.
    """
    bits = size.bit_length() - 1
    if x.type.width > 64:
        return x.bits(x.type.width - 1, x.type.width - bits).codes
    return np.asarray((x.codes >> (x.type.width - bits)) & (size - 1))


def check_slices(index: ApFixed, size: int, name: str) -> None:
    """See that the top bits of a type number a table.

    Raises:
        ValueError: if there are not as many bits, or the numbers stand for values beyond those of
            normal floats, which the header converts wrongly.
    """
    check_size(size, name)
    bits = size.bit_length() - 1
    if size < 2 or size != 1 << bits or bits > index.width:
        raise ValueError(
            f"{name}: the top bits of {index} do not number a table of {size} entries; "
            f"allowed: powers of two, 2 to 2**{index.width}"
        )
    low, high = FLOAT_EXPONENTS
    if index.integer - bits < low or index.integer > high:
        raise ValueError(f"{name}: {index} has values that no normal float has")


def _kept(values: Array, t: ApFixed) -> Fixed:
    """Values, converted as the constructor of ``double`` does."""
    table = Fixed.of(values, t)
    table.held.flags.writeable = False
    return table


def whole(x: Fixed, size: int, divisor: int) -> Array:
    """``(int)(x * size / divisor)`` with an unsigned ``size``: where in a table ``x`` is.

    Source:
        hls4ml's activations, all of them.
    """
    bits = abs(divisor).bit_length() - 1
    if abs(divisor) != 1 << bits:
        return whole_steps(x, size, divisor)
    found = _toward_zero(x, size if divisor > 0 else -size, bits)
    return whole_steps(x, size, divisor) if found is None else found


def whole_steps(x: Fixed, size: int, divisor: int) -> Array:
    """The definition of :func:`whole`, for any types."""
    return (x * Fixed.unsigned(size) / divisor).to_int().astype(np.int32)


def multiple(x: Fixed, size: int, factor: int) -> Array:
    """``(int)(x * size * factor)`` with an unsigned ``size`` and an ``int``: as :func:`whole`.

    Source:
        hls4ml ``nnet::layernorm_1d``.
    """
    found = _toward_zero(x, size * factor, 0)
    return multiple_steps(x, size, factor) if found is None else found


def multiple_steps(x: Fixed, size: int, factor: int) -> Array:
    """The definition of :func:`multiple`, for any types."""
    return (x * Fixed.unsigned(size) * factor).to_int().astype(np.int32)


def _toward_zero(x: Fixed, factor: int, bits: int) -> Array | None:
    """``(int)(x * factor / 2**bits)``; ``None`` if that takes more than 64-bit arithmetic.

    A quotient drops bits toward zero, and so does the conversion: dropping all at once is the same,
    unless the type has no bits below the point.
    """
    if x.type.frac < 0 or x.type.width + abs(factor).bit_length() > 62:
        return None
    codes = x.codes if factor > 0 else -x.codes
    magnitude = (np.abs(codes) * abs(factor)) >> min(x.type.frac + bits, 63)
    return np.where(codes < 0, -magnitude, magnitude).astype(np.int32)


def within(index: Array, offset: int, size: int) -> Array:
    """``index + offset`` as an ``int`` that wraps, then 0 if negative and at most ``size - 1``."""
    moved = (index.astype(np.int64) + offset).astype(np.int32)
    return np.clip(moved, 0, size - 1)


def check_int(t: ApFixed, name: str) -> None:
    """See that the header converts a type to ``int``.

    Raises:
        ValueError: for a type without integer bits, of whose negative values the header makes -1,
            or leaves the number uninitialised.
    """
    if t.integer < 1:
        raise ValueError(f"{name}: the header makes no int of {t}; it must have an integer bit")


def whole_type(t: ApFixed) -> ApFixed:
    """The type that :func:`whole` converts to ``int``."""
    quotient: ApFixed = result_type("/", result_type("*", t, UNSIGNED), INT)
    return quotient
