"""Operators on codes, in the type that C++ gives the expression: what is computed by what.

Compound assignments, ``++``, ``--`` and conversions to native numbers are made of other operations
and casts.  The rest is computed in 64-bit words, or with Python integers where they are too narrow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from harness.quantize import arrays, wide, wide_operators
from harness.quantize.operators import compute_words, fits_words
from harness.types import ApFixed, ApInt, Operation, check_counts, result_type

__all__ = ["composed", "compute_numpy"]

Array = np.ndarray[Any, Any]
Compute = Callable[..., Any]
_STEPS = {Operation.INC: "+=", Operation.DEC: "-="}
_CONVERSIONS = (
    Operation.TO_INT,
    Operation.TO_UINT,
    Operation.TO_INT64,
    Operation.TO_UINT64,
    Operation.TO_FLOAT,
    Operation.TO_DOUBLE,
)


def composed(
    op: Operation, a: Any, ta: Any, b: Any, tb: Any, compute: Compute, cast: Compute
) -> Any:
    """Codes of an operation that is made of others; ``None`` if it is not.

    ``compute`` is :func:`harness.quantize.compute_codes`, ``cast`` is ``cast_codes``.
    """
    if op in _CONVERSIONS:
        return cast(a, ta, result_type(op, ta))
    if op in _STEPS:
        one = ApInt(1, signed=False) if isinstance(ta, ApInt) else ApFixed(ta.frac + 1, 1, False)
        return compute(_STEPS[op], a, ta, 1 << one.frac, one)
    if op.assigned is None:
        return None
    if op.shift:
        return compute(op.assigned, a, ta, b)
    if isinstance(ta, ApInt) and not isinstance(tb, ApInt):
        b, tb = cast(b, tb, tb.whole), tb.whole
    target = result_type(op.assigned, ta, tb)
    return cast(compute(op.assigned, a, ta, b, tb), target, ta)


def compute_numpy(op: Operation, a: Any, ta: Any, b: Any, tb: Any) -> Any:
    """Codes of ``a op b`` for arrays; the operands broadcast."""
    target = result_type(op, ta, b if op is Operation.RANGE else tb)
    left = arrays.check_codes(a, ta)
    right = b
    if tb is not None:
        right = arrays.check_codes(b, tb)
        if op in (Operation.DIV, Operation.MOD) and not np.all(right != 0):
            raise ZeroDivisionError("a divisor code is zero: the headers end the process")
    elif op.counted:
        right = check_counts(op, b, ta)
    if isinstance(right, np.ndarray):
        left, right = np.broadcast_arrays(left, right)
    if not fits_words(op, ta, tb, target):
        return _compute_wide(op, left, ta, right, tb, target)
    flat = np.ascontiguousarray(left).ravel()
    if isinstance(right, np.ndarray):
        right = np.ascontiguousarray(right).ravel()
    words = compute_words(op, flat, ta, right, tb, target)
    return arrays.like(words.reshape(left.shape), a)


def _compute_wide(op: Operation, a: Array, ta: Any, b: Any, tb: Any, target: Any) -> Any:
    left = arrays.exact(a, ta)
    if not isinstance(b, np.ndarray):
        out = wide.map_codes(lambda v: wide_operators.unary(op, v, ta, b), left)
    else:
        right = arrays.exact(b, tb) if tb is not None else b
        pairs = zip(left.ravel().tolist(), right.ravel().tolist(), strict=True)
        out = np.empty(left.shape, dtype=object)
        out.ravel()[:] = [
            wide_operators.unary(op, x, ta, y)
            if tb is None
            else wide_operators.binary(op, x, ta, y, tb, target)
            for x, y in pairs
        ]
    return out if target.width > 64 else arrays.narrowed(out)
