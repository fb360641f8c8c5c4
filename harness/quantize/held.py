"""Codes as they are held while they are computed with: words of 64 bits, two words, or integers.

Up to 64 bits an array of codes is ``int64``, as everywhere.  Where two words hold a type it is an
array of :data:`WORDS`, of the same shape, which every function of NumPy that only moves elements
takes.  Wider types are Python integers in object arrays.  :func:`codes_of` and :func:`held` go from
one to the other; operations are computed in words where they fit, and else on Python integers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.quantize.plan import loses_integer_bits
from harness.types import ApFixed, Operation, Overflow, check_cast, not_a_code

__all__ = ["WORDS", "cast_held", "codes_of", "compute_held", "from_words", "held", "to_words"]

Array = np.ndarray[Any, Any]
#: Two words, the low one first, as the C++ kernels read them.
WORDS = np.dtype([("low", np.int64), ("high", np.int64)])
#: What the compiled core computes under the operation's own name.
_COMBINED = (
    Operation.ADD,
    Operation.SUB,
    Operation.MUL,
    Operation.AND,
    Operation.OR,
    Operation.XOR,
)


def _core() -> Any:
    """The compiled core, which is loaded when the first wide number is."""
    from harness.quantize import two_words

    return two_words


def _rules() -> Any:
    """How C++ reads operands of mixed signs; loaded with the core."""
    from harness.quantize import operators

    return operators


def held(codes: Any, t: ApFixed) -> Array:
    """Codes of a type of more than 64 bits as they are computed with; what is held already stays.

    Raises:
        ValueError: if two words do not hold one.
    """
    array = np.asarray(codes)
    if array.dtype == WORDS or (array.dtype == object and not _core().fits(t)):
        return array
    if not _core().fits(t):
        return array.astype(object)
    if array.dtype != object:
        return _in_two_words(array, unsigned=array.dtype == np.uint64)
    try:
        parts = [int(c).to_bytes(16, "little", signed=True) for c in array.ravel().tolist()]
    except OverflowError:
        low, high = array.min(), array.max()
        raise ValueError(not_a_code(int(low if low < t.min_code else high), t)) from None
    packed = b"".join(parts)
    return np.frombuffer(packed, WORDS).reshape(array.shape)


def codes_of(array: Array) -> Array:
    """What :func:`held` was made of: Python integers, which must not be written to."""
    low, high = (np.ascontiguousarray(array[name]) for name in ("low", "high"))
    out = np.empty(array.shape, object)
    out[...] = (high.astype(object) << 64) | low.view(np.uint64).astype(object)
    out.flags.writeable = False
    return out


def _pairs(array: Array) -> Array:
    """Codes of one or two words as flat ones: (n, 1) or (n, 2) ``int64``."""
    flat = np.ascontiguousarray(array).reshape(-1)
    if not flat.flags.writeable:  # a loop is compiled anew for arrays that are not
        flat = flat.copy()
    return flat.view(np.int64).reshape(flat.size, flat.itemsize // 8)


def to_words(array: Array, t: ApFixed) -> Array:
    """Codes, held, as C++ has them in memory: (n, words) ``int64``, the low word first."""
    if array.dtype != object:
        return _pairs(array)
    count = -(-t.width // 64)
    mask = (1 << 64 * count) - 1
    items = [(int(c) & mask).to_bytes(8 * count, "little") for c in array.ravel().tolist()]
    return np.frombuffer(b"".join(items), np.int64).reshape(-1, count)


def from_words(words: Array, t: ApFixed) -> Array:
    """The inverse of :func:`to_words`: codes, held, (n,)."""
    flat = np.ascontiguousarray(words, np.int64)
    if t.width <= 64:
        return flat.reshape(-1)
    if _core().fits(t):
        return flat.reshape(-1).view(WORDS)
    out = np.empty(len(flat), object)
    out[:] = [int.from_bytes(row.tobytes(), "little", signed=t.signed) for row in flat]
    return out


def cast_held(array: Array, source: ApFixed, target: ApFixed) -> Array | None:
    """The codes, held, in another type; ``None`` if two words are not enough.

    Raises:
        ValueError: for a conversion that C++ leaves undefined.
    """
    check_cast(source, target)
    if not (_core().fits(source) and _core().fits(target)):
        return None
    if loses_integer_bits(source, target):
        return None
    out = _empty(array.shape, target)
    drop = source.frac - target.frac
    p = _core().target_of(target)
    _core().cast_words(_pairs(array), int(not source.signed), _pairs(out), drop, p)
    return out


def compute_held(
    op: Operation, a: Array, ta: ApFixed, b: Any, tb: ApFixed | None, target: ApFixed
) -> Array | None:
    """The codes of ``a op b``, held, in the type of the result; ``None`` if they are not made so.

    Args:
        op: any operation.
        a: codes of ``ta``, held; ``b`` those of ``tb``, or ``(hi, lo)`` of a range.
        ta: the left operand's type.
        b: the right operand.
        tb: its type, if it has one.
        target: the type of the result.
    """
    if not all(_core().fits(t) for t in (ta, tb or ta, target)):
        return None
    if op is Operation.NEG:
        zero = np.zeros((), WORDS)
        return _combined(_core().SUB, (zero, ta, 0), (a, ta, 0), target)
    if op is Operation.RANGE:
        hi, lo = b
        return _slice(a, ta, hi, lo, target)
    if tb is None or not isinstance(b, np.ndarray):
        return None
    if op.comparison:
        return _compared(op, a, ta, b, tb)
    if op is Operation.DIV and _divides(ta, b, tb):
        return _combined(_core().DIV, (a, ta, 0), (b, tb, 0), target)
    if op not in _COMBINED:
        return None
    lefts = (0, 0) if op is Operation.MUL else (target.frac - ta.frac, target.frac - tb.frac)
    return _combined(getattr(_core(), op.name), (a, ta, lefts[0]), (b, tb, lefts[1]), target)


def _divides(ta: ApFixed, b: Array, tb: ApFixed) -> bool:
    """Whether a quotient is cut toward zero and nothing else, by whole numbers of up to 32 bits."""
    if tb.width > 32 or tb.frac != 0 or _rules().reads_as_unsigned(ta, tb):
        return False
    return bool((b != 0).all()) and not (ta.signed and tb.signed and bool((b == -1).any()))


def _combined(op: int, left: Any, right: Any, target: ApFixed) -> Array:
    (a, ta, a_left), (b, tb, b_left) = left, right
    a, b = _broadcast(a, b)
    out = _empty(a.shape, target)
    x, y = (_pairs(a), int(not ta.signed), a_left), (_pairs(b), int(not tb.signed), b_left)
    _core().combine_words(op, *x, *y, _pairs(out))
    return out


def _compared(op: Operation, a: Array, ta: ApFixed, b: Array, tb: ApFixed) -> Array | None:
    """Comparisons of the values; ``None`` where C++ compares otherwise."""
    lefts = max(tb.frac - ta.frac, 0), max(ta.frac - tb.frac, 0)
    symmetric = tb.signed and tb.overflow is Overflow.SAT_SYM and ta.frac > tb.frac
    if symmetric or any(_rules().unsigned_rules(op, ta, tb)):
        return None
    if any(t.width - t.signed + left >= 128 for t, left in zip((ta, tb), lefts, strict=True)):
        return None
    a, b = _broadcast(a, b)
    order: Array = np.empty(a.size, np.int64)
    x, y = (_pairs(a), int(not ta.signed), lefts[0]), (_pairs(b), int(not tb.signed), lefts[1])
    _core().compare_words(*x, *y, order)
    found = {
        Operation.LT: order < 0,
        Operation.LE: order <= 0,
        Operation.GT: order > 0,
        Operation.GE: order >= 0,
        Operation.EQ: order == 0,
        Operation.NE: order != 0,
    }[op]
    return np.asarray(found.astype(np.int64).reshape(a.shape))


def _slice(a: Array, ta: ApFixed, hi: int, lo: int, target: ApFixed) -> Array | None:
    """The bits from ``lo`` up to ``hi``; ``None`` for the reverse order."""
    if hi < lo:
        return None
    whole = ApFixed(ta.width, ta.width - lo, ta.signed)
    return cast_held(a, whole, ApFixed(target.width, target.width, signed=False))


def _broadcast(*arrays: Array) -> list[Array]:
    shape = np.broadcast_shapes(*(x.shape for x in arrays))
    return [x if x.shape == shape else np.broadcast_to(x, shape) for x in arrays]


def _empty(shape: tuple[int, ...], t: ApFixed) -> Array:
    return np.empty(shape, WORDS if t.width > 64 else np.int64)


def _in_two_words(array: Array, *, unsigned: bool) -> Array:
    out = np.empty(array.shape, WORDS)
    out["low"] = array.view(np.int64) if unsigned else array
    out["high"] = 0 if unsigned else array >> 63
    return out
