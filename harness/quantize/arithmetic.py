"""Arithmetic on codes: ``+ - * /``, negation and shifts, in the type C++ gives the expression.

Results of at most 64 bits are computed with wrapping 64-bit integers, which are exact because the
result type holds every result; the same expressions serve NumPy arrays and torch tensors.  Wider
results go through Python integers.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from harness.quantize import arrays, wide
from harness.quantize.fixed_codes import select, udiv
from harness.quantize.float_codes import pack, unpack
from harness.quantize.plan import as_int64, packing
from harness.types import ApFixed, BinaryFloat, MiniFloat, Operation, result_type

__all__ = ["compute_numpy", "compute_words", "division_wraps"]


def division_wraps(a: ApFixed, b: ApFixed) -> int | None:
    """The dividend that wraps when divided by the code -1, or ``None``.

    The header divides in as many bits as the wider operand has.  There the most negative dividend
    has no opposite, so its quotient by the code -1 comes out negative.  With exactly 64 bits the
    division traps instead, and with a mixed or unsigned pair there is a bit to spare.
    """
    width = a.width + max(b.frac, 0)
    if not (a.signed and b.signed) or width < b.width or width == 64:
        return None
    return -(1 << (width - 1))


def compute_numpy(op: Operation, a: Any, ta: Any, b: Any, tb: Any) -> Any:
    """Codes of ``a op b`` for arrays; the operands broadcast."""
    target = result_type(op, ta, tb)
    left = arrays.check_codes(a, ta)
    right = arrays.check_codes(b, tb) if tb is not None else None
    count = 0 if right is not None or b is None else b
    if right is not None:
        left, right = np.broadcast_arrays(left, right)
        if op is Operation.DIV and not np.all(right != 0):
            raise ZeroDivisionError("a divisor code is zero: the headers end the process")
    if max(t.width for t in (ta, tb or ta, target)) > 64:
        return _compute_wide(op, left, ta, right, tb, count, target)
    flat = np.ascontiguousarray(left).ravel()
    other = None if right is None else np.ascontiguousarray(right).ravel()
    return arrays.like(compute_words(op, flat, ta, other, tb, count).reshape(left.shape), a)


def compute_words(op: Operation, a: Any, ta: Any, b: Any, tb: Any, count: int) -> Any:
    """The same on checked ``int64`` words (NumPy, one dimension and more, or torch)."""
    target = result_type(op, ta, tb)
    if op.shift:
        return _shift(a, count if op is Operation.LSHIFT else -count, ta)
    if op is Operation.NEG:
        return -a
    assert tb is not None
    if isinstance(ta, BinaryFloat) or isinstance(tb, BinaryFloat):
        return _product(a, ta, b, tb, target)
    if op is Operation.MUL:
        return a * b
    if op is Operation.DIV:
        return _divide(a, ta, b, tb)
    left, right = a << (target.frac - ta.frac), b << (target.frac - tb.frac)
    return left + right if op is Operation.ADD else left - right


def _product(a: Any, ta: Any, b: Any, tb: Any, target: Any) -> Any:
    """A product with minifloats: significands multiply and exponents add, nothing is lost."""
    (left, left_exponent), (right, right_exponent) = _exact(a, ta), _exact(b, tb)
    bits, exponent = left * right, left_exponent + right_exponent
    if isinstance(target, ApFixed):
        return bits << (exponent + target.frac)
    negative = (bits < 0) * 1
    return pack(negative, select(negative != 0, -bits, bits), exponent, packing(target))


def _exact(codes: Any, t: Any) -> tuple[Any, Any]:
    """Signed significands and exponents."""
    if isinstance(t, ApFixed):
        return codes, -t.frac
    negative, bits, exponent = unpack(codes, packing(t))
    return select(negative != 0, -bits, bits), exponent


def _shift(a: Any, left: int, t: ApFixed) -> Any:
    """Bits move, none is rounded and none saturates: what leaves the width is lost."""
    if left <= 0:
        if not t.signed and t.width == 64 and left < 0:
            a = (a >> 1) & ((1 << 63) - 1)
            left += 1
        return a >> min(-left, 63)
    if left >= t.width:
        return a * 0
    if t.signed:
        return (a << (left + 64 - t.width)) >> (64 - t.width)
    return (a << left) & as_int64((1 << t.width) - 1)


def _divide(a: Any, ta: ApFixed, b: Any, tb: ApFixed) -> Any:
    dividend = a << max(tb.frac, 0)
    negative_a, negative_b = (dividend < 0) & ta.signed, (b < 0) & tb.signed
    quotient = udiv(select(negative_a, -dividend, dividend), select(negative_b, -b, b))
    opposite = negative_a ^ negative_b
    wrapping = division_wraps(ta, tb)
    if wrapping is not None:
        opposite = opposite | ((dividend == wrapping) & (b == -1))
    return select(opposite, -quotient, quotient)


def _compute_wide(
    op: Operation,
    a: Any,
    ta: Any,
    b: Any,
    tb: Any,
    count: int,
    target: Any,
) -> Any:
    left = arrays.exact(a, ta)
    if tb is None:
        out = wide.map_codes(lambda v: _wide_unary(op, v, count, target), left)
    else:
        right = arrays.exact(b, tb)
        out = np.empty(left.shape, dtype=object)
        out.ravel()[:] = [
            _wide_binary(op, x, ta, y, tb, target)
            for x, y in zip(left.ravel(), right.ravel(), strict=True)
        ]
    return out if target.width > 64 else arrays.narrowed(out)


def _wide_unary(op: Operation, v: int, count: int, t: ApFixed) -> int:
    if op is Operation.NEG:
        return -v
    left = count if op is Operation.LSHIFT else -count
    shifted = v << left if left > 0 else v >> -left
    bits = shifted & ((1 << t.width) - 1)
    return bits - (1 << t.width) if bits > t.max_code else bits


def _wide_binary(op: Operation, x: int, tx: Any, y: int, ty: Any, t: Any) -> Any:
    if isinstance(tx, MiniFloat) or isinstance(ty, MiniFloat):
        return int(Fraction(wide.value(x, tx)) * Fraction(wide.value(y, ty)) / t.lsb)
    if op is Operation.MUL:
        return x * y
    if op is Operation.DIV:
        dividend = x << max(ty.frac, 0)
        quotient = abs(dividend) // abs(y)
        wraps = dividend == division_wraps(tx, ty) and y == -1
        return -quotient if wraps or (dividend < 0) != (y < 0) else quotient
    x, y = x << (t.frac - tx.frac), y << (t.frac - ty.frac)
    return x + y if op is Operation.ADD else x - y
