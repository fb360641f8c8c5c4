"""Fast quantizers for NumPy and torch: what goes in as an array comes out as the same kind.

Values and codes are those of the C++ types, bit for bit.  Inputs may be arrays or
tensors of any shape and strides; Python numbers and lists are taken as NumPy takes them.
"""

from __future__ import annotations

import operator
import sys
from typing import Any

from harness.quantize.stochastic import check_rounding
from harness.types import BinaryFloat, NumberType, Operation, result_type

__all__ = ["cast_codes", "compute_codes", "decode", "decompose", "quantize", "quantize_codes"]


def quantize(x: Any, t: NumberType, rng: Any = None) -> Any:
    """The values of ``x`` in type ``t``, in the shape, dtype and device of ``x``.

    Args:
        x: float16, bfloat16 (torch), float32, float64, bool or integers.
        t: the target; every value of it must be exact in the dtype of ``x``.
        rng: for a type that rounds by chance, and only then: a ``numpy.random.Generator`` for
            arrays, a ``torch.Generator`` for tensors.

    Raises:
        TypeError: for any other dtype, or another kind of generator.
        ValueError: if the dtype of ``x`` cannot hold every value of ``t``; the message names one
            that can.  Also for NaN, if ``t`` is a float without NaN, or binary.
    """
    return _face(x).quantize(x, t, rng)


def quantize_codes(x: Any, t: NumberType, rng: Any = None) -> Any:
    """The codes of ``x`` in type ``t``: ``int64`` up to 64 bits, Python integers beyond.

    An unsigned 64-bit code is the ``int64`` with the same bits.  In fixed point NaN and infinities
    count as +-2**1024 and more, as the header has it.  ``rng`` is as in :func:`quantize`.

    Raises:
        TypeError: for a dtype that is neither float nor integer.
        ValueError: for a tensor and a type of more than 64 bits, or NaN as in :func:`quantize`.
    """
    return _face(x).quantize_codes(x, t, rng)


def decompose(x: Any, t: BinaryFloat) -> tuple[Any, Any]:
    """Mantissa and exponent of ``x`` in ``t``: ``quantize(x, t) == mantissa * 2.0**exponent``.

    The mantissa, in the dtype of ``x``, has a magnitude below 2, and from 1 but for subnormals,
    whose exponent is the smallest one; the exponent is ``int64``.

    Raises:
        TypeError, ValueError: as :func:`quantize` does, or for a result that is not finite.
    """
    if not isinstance(t, BinaryFloat):
        raise TypeError(f"decompose takes a float type, not {t}")
    if t.width > 64:
        raise ValueError(f"decompose takes a type of at most 64 bits, {t} has {t.width}")
    mantissa, exponent = _face(x).decompose(x, t)
    return mantissa, exponent


def decode(codes: Any, t: NumberType, dtype: Any = None) -> Any:
    """The values of ``codes``: float64, or ``dtype``; with NumPy ``object`` gives ``Fraction``.

    Raises:
        TypeError: if ``codes`` are not integers, or ``dtype`` is not a float.
        ValueError: if ``dtype`` cannot hold every value of ``t``, or an element is not a code.
    """
    return _face(codes).decode(codes, t, dtype)


def cast_codes(codes: Any, source: NumberType, target: NumberType) -> Any:
    """The codes in ``target`` of the values that have ``codes`` in ``source``.

    Between two ``ap_fixed`` this is the C++ conversion.  Raises as :func:`decode` does, and
    ``ValueError`` for infinities and NaN that ``target`` does not have.
    """
    check_rounding(target, None)
    return _face(codes).cast_codes(codes, source, target)


def compute_codes(
    op: Operation | str, a: Any, a_type: NumberType, b: Any = None, b_type: NumberType | None = None
) -> Any:
    """The codes of ``a op b`` in ``result_type(op, a_type, b_type)``; the operands broadcast.

    Args:
        op: ``+ - * /``, ``neg``, ``<<`` or ``>>``; with a minifloat ``*`` alone.
        a: codes of ``a_type``.
        a_type: the left operand's type.
        b: codes of ``b_type``, or for a shift the count, an integer that reverses if negative.
        b_type: the right operand's type, for ``+ - * /``.

    Raises:
        ZeroDivisionError: for a divisor of zero.
        TypeError, ValueError: as :func:`decode` does, or for a missing operand.
    """
    op = Operation.parse(op)
    target = result_type(op, a_type, b_type)
    if (b is None) != (op is Operation.NEG):
        raise ValueError(
            f"operation {op.value} takes {'one operand' if b is not None else 'two operands'}"
        )
    if op.shift:
        if isinstance(b, bool) or not hasattr(b, "__index__"):
            raise TypeError(f"a shift count must be an int, not {type(b).__name__}")
        b = operator.index(b)
    if _is_tensor(a):
        return _tensors().compute(op, a, a_type, b, b_type, target)
    from harness.quantize import arithmetic

    return arithmetic.compute_numpy(op, a, a_type, b, b_type)


def _is_tensor(x: Any) -> bool:
    torch = sys.modules.get("torch")  # who holds a tensor has imported torch
    return torch is not None and isinstance(x, torch.Tensor)


def _tensors() -> Any:
    from harness.quantize import tensors

    return tensors


def _face(x: Any) -> Any:
    """The module that serves the kind of ``x``."""
    if _is_tensor(x):
        return _tensors()
    from harness.quantize import arrays

    return arrays
