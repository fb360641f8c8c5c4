"""Fast quantizers for NumPy and torch: what goes in as an array comes out as the same kind.

Values and codes are those of the C++ types, bit for bit.  Inputs may be arrays or
tensors of any shape and strides; Python numbers and lists are taken as NumPy takes them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.quantize.stochastic import check_rounding
from harness.quantize.words import from_bits, from_hex, to_bits, to_hex
from harness.types import (
    ApFixed,
    BinaryFloat,
    MiniFloat,
    NumberType,
    Operation,
    Overflow,
    Rounding,
    StochasticRounding,
    as_array,
    as_number_type,
    is_tensor,
    parse_rounding,
    result_type,
)

__all__ = [
    "cast_codes",
    "compute_codes",
    "decode",
    "decompose",
    "from_bits",
    "from_hex",
    "quantize",
    "quantize_codes",
    "quantize_fixed",
    "quantize_minifloat",
    "to_bits",
    "to_hex",
]


def quantize(x: Any, t: NumberType | str, rng: Any = None) -> Any:
    """The values of ``x`` in type ``t``, in the shape, dtype and device of ``x``.

    Args:
        x: float16, bfloat16, float32, float64, bool or integers.  Of exact numbers, as
            :func:`quantize_codes` takes them, the values are ``Fraction``.
        t: the target, or its spelling; every value of it must be exact in the dtype of ``x``.
        rng: for a type that rounds by chance, and only then: a ``numpy.random.Generator`` for
            arrays, a ``torch.Generator`` for tensors.

    Raises:
        TypeError: for any other dtype, or another kind of generator.
        ValueError: if the dtype of ``x`` cannot hold every value of ``t``; the message names one
            that can.  Also for NaN, if ``t`` is a float without NaN, or binary.
    """
    t = as_number_type(t)
    return _face(x).quantize(x, t, rng)


def quantize_codes(x: Any, t: NumberType | str, rng: Any = None) -> Any:
    """The codes of ``x`` in type ``t``: ``int64`` up to 64 bits, Python integers beyond.

    An unsigned 64-bit code is the ``int64`` with the same bits.  In fixed point NaN and infinities
    count as +-2**1024 and more, as the header has it.  ``rng`` is as in :func:`quantize`.

    Exact numbers are rounded once: Python integers of any size, ``Fraction``, ``Decimal``,
    ``numpy.longdouble``, and text such as ``"0.1"``, ``"0b0.01"``, ``"0x1.8p3"`` and ``"1/3"``;
    lists may mix them, and arrays of ml_dtypes are taken too.

    Raises:
        TypeError: for what is no real number, and masked arrays.
        ValueError: for a tensor and a type of more than 64 bits, or NaN as in :func:`quantize`.
    """
    t = as_number_type(t)
    return _face(x).quantize_codes(x, t, rng)


def quantize_fixed(
    x: Any,
    k: Any,
    i: Any,
    f: Any,
    rounding: Rounding | StochasticRounding | str = "TRN",
    overflow: Overflow | str | None = "WRAP",
    rng: Any = None,
) -> Any:
    """The values of ``x``, each in ``ApFixed.from_kif(k, i, f, ...)`` of its own.

    Args:
        x: floats, or integers, which become float64.
        k: 1 to keep the sign, 0 for unsigned; like ``i`` and ``f`` an integer, or an array of them
            that broadcasts against ``x``.
        i: integer bits without the sign.
        f: fractional bits.  Where k + i + f is below 1 the result is 0.
        rounding: a mode of the hardware, or ``S_RND`` or ``S_RND_CONV`` to round by chance.
        overflow: a mode; ``None`` for rounding alone, without a range.
        rng: for rounding by chance: a generator, an integer to seed one, or ``None``.

    Returns:
        The dtype of ``x``, in the common shape.

    Raises:
        TypeError: for a dtype that is no float.
        ValueError: for widths that are not integers, a type that does not exist, or one that the
            dtype of ``x`` cannot hold.
    """
    x, mode = _as_floats(x), parse_rounding(rounding)
    over = None if overflow is None else Overflow.parse(overflow)
    one_type = all(isinstance(bits, int) for bits in (k, i, f)) and k in (0, 1) and k + i + f > 0
    if one_type and over is not None and not mode.stochastic:
        t = ApFixed.from_kif(bool(k), i, f, rounding=mode, overflow=over)
        return _face(x).quantize(x, t)
    return _elementwise(x).quantize_fixed(x, k, i, f, mode, over, rng)


def quantize_minifloat(x: Any, m: Any, e: Any, e0: Any = 0) -> Any:
    """The values of ``x``, each in ``MiniFloat(m, e, e0)`` of its own.

    ``m``, ``e`` and ``e0`` are integers, or arrays of them that broadcast against ``x``.  Returns
    and raises as :func:`quantize_fixed` does, and ``ValueError`` for NaN.
    """
    x = _as_floats(x)
    if all(isinstance(b, int) for b in (m, e, e0)):
        return _face(x).quantize(x, MiniFloat(m, e, e0))
    return _elementwise(x).quantize_minifloat(x, m, e, e0)


def decompose(x: Any, t: BinaryFloat | str) -> tuple[Any, Any]:
    """Mantissa and exponent of ``x`` in ``t``: ``quantize(x, t) == mantissa * 2.0**exponent``.

    The mantissa, in the dtype of ``x``, has a magnitude below 2, and from 1 but for subnormals,
    whose exponent is the smallest one; the exponent is ``int64``.

    Raises:
        TypeError, ValueError: as :func:`quantize` does, or for a result that is not finite.
    """
    found = as_number_type(t)
    if not isinstance(found, BinaryFloat):
        raise TypeError(f"decompose takes a float type, not {found}")
    if found.width > 64:
        raise ValueError(f"decompose takes a type of at most 64 bits, {found} has {found.width}")
    mantissa, exponent = _face(x).decompose(x, found)
    return mantissa, exponent


def decode(codes: Any, t: NumberType | str, dtype: Any = None) -> Any:
    """The values of ``codes``: float64, or ``dtype``; with NumPy ``object`` gives ``Fraction``.

    Raises:
        TypeError: if ``codes`` are not integers, or ``dtype`` is not a float.
        ValueError: if ``dtype`` cannot hold every value of ``t``, or an element is not a code.
    """
    t = as_number_type(t)
    return _face(codes).decode(codes, t, dtype)


def cast_codes(codes: Any, source: NumberType | str, target: NumberType | str) -> Any:
    """The codes in ``target`` of the values that have ``codes`` in ``source``.

    Between two ``ap_fixed`` this is the C++ conversion.  Raises as :func:`decode` does, and
    ``ValueError`` for infinities and NaN that ``target`` does not have.
    """
    source, target = as_number_type(source), as_number_type(target)
    check_rounding(target, None)
    return _face(codes).cast_codes(codes, source, target)


def compute_codes(
    op: Operation | str,
    a: Any,
    a_type: NumberType | str,
    b: Any = None,
    b_type: NumberType | str | None = None,
) -> Any:
    """The codes of ``a op b`` in ``result_type(op, a_type, b_type)``; the operands broadcast.

    Args:
        op: any :class:`Operation`, by its C++ symbol or name; with a minifloat ``*`` alone.
        a: codes of ``a_type``.
        a_type: the left operand's type.
        b: codes of ``b_type``; or shift counts (one reverses if negative) or numbers of bits, one
            for all or one for each element; or for ``range`` the ends ``(hi, lo)``.
        b_type: the right operand's type, if it is a number of one.

    Raises:
        ZeroDivisionError: for a divisor of zero.
        TypeError, ValueError: as :func:`decode` does, or for a missing operand.
    """
    from harness.quantize import arithmetic

    op, a_type = Operation.parse(op), as_number_type(a_type)
    b_type = None if b_type is None else as_number_type(b_type)
    ranged = op is Operation.RANGE
    result_type(op, a_type, b if ranged else b_type)
    if (b is None) == (op.binary or op.counted or ranged):
        raise ValueError(
            f"operation {op.value} takes {'one operand' if b is not None else 'two operands'}"
        )
    found = arithmetic.composed(op, a, a_type, b, b_type, compute_codes, cast_codes)
    if found is not None:
        return found
    if is_tensor(a):
        return _tensors().compute(op, a, a_type, b, b_type)
    return arithmetic.compute_numpy(op, a, a_type, b, b_type)


def _as_floats(x: Any) -> Any:
    """``x``, with integers as float64; ``ValueError`` for one that is no float64."""
    if is_tensor(x):
        if x.is_floating_point():
            return x
        doubles = x.double()
        exact = bool((doubles.abs() < 2.0**53).all())
    else:
        array = as_array(x)
        if array.dtype.kind not in "biu":
            return x
        doubles = array.astype("f8")
        exact = bool((abs(doubles) < 2.0**53).all())
        doubles = doubles if isinstance(x, np.ndarray) else doubles[()]
    if not exact:
        raise ValueError("integers from 2**53 on are not taken here: float64 lacks some")
    return doubles


def _elementwise(x: Any) -> Any:
    """What serves per-element types for the kind of ``x``."""
    if is_tensor(x):
        return _tensors()
    from harness.quantize import elementwise

    return elementwise


def _tensors() -> Any:
    from harness.quantize import tensors

    return tensors


def _face(x: Any) -> Any:
    """The module that serves the kind of ``x``."""
    if is_tensor(x):
        return _tensors()
    from harness.quantize import arrays

    return arrays
