"""What is special about a case of an operator: bits lost or cut, and the quirk that shows."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from harness import reference
from harness.golden.flags import conversion_flags
from harness.reference.comparisons import comparison_quirks
from harness.types import ApFixed, ApInt, BinaryFloat, Operation, result_type

__all__ = ["operation_flags"]

_STEPS = {Operation.INC: 1, Operation.DEC: -1}
_CONVERSIONS = (
    *(Operation.TO_INT, Operation.TO_UINT, Operation.TO_INT64, Operation.TO_UINT64),
    *(Operation.TO_FLOAT, Operation.TO_DOUBLE),
)


def operation_flags(op: Operation, given: tuple[Any, ...], target: Any, code: int) -> list[str]:
    """The flags of one case.

    Args:
        op: the operator.
        given: what ``compute`` takes after it.
        target: the type of the result.
        code: what the reference says.
    """
    a, ta, *rest = given
    if op.shift:
        left = rest[0] if (op.assigned or op) is Operation.LSHIFT else -rest[0]
        return ["bits-lost"] if Fraction(a) * Fraction(2) ** left != code else []
    if op.assigned is not None:
        b, tb = rest
        return _assigned(op.assigned, a, ta, b, tb, code)
    if op in _STEPS or op in _CONVERSIONS:
        value = reference.decode(a, ta) + _STEPS.get(op, 0)
        return conversion_flags(value, None, None, target, code, ta)
    if isinstance(target, BinaryFloat):
        full = reference.decode(a, ta) * reference.decode(*rest)
        return conversion_flags(full, None, None, target, code)
    if code != reference.compute(op, *given, published=True):
        return [f"quirk:{name}" for name in _quirks(op, *given)]
    if op is Operation.DIV:
        exact = reference.decode(a, ta) / reference.decode(*rest)
        return ["cut"] if exact != reference.decode(code, target) else []
    return []


def _assigned(op: Operation, a: int, ta: ApFixed, b: int, tb: ApFixed, code: int) -> list[str]:
    found = []
    if isinstance(ta, ApInt) and not isinstance(tb, ApInt):
        whole = tb.whole
        cut = reference.cast(b, tb, whole)
        if op is Operation.MOD:  # which two such operands do not have otherwise
            moved = reference.decode(cut, whole) != reference.decode(b, tb)
        else:
            moved = code != reference.assign(op, a, ta, b, tb, published=True)
        found = ["quirk:ap-int-assign-fixed"] if moved else []
        b, tb = cut, whole
    full, t = reference.compute(op, a, ta, b, tb), result_type(op, ta, tb)
    if full != reference.compute(op, a, ta, b, tb, published=True):
        found += [f"quirk:{name}" for name in _quirks(op, a, ta, b, tb)]
    return [*found, *conversion_flags(reference.decode(full, t), None, None, ta, code, t)]


def _quirks(op: Operation, a: int, ta: Any, b: Any = None, tb: Any = None) -> list[str]:
    """The quirks that move a result, which differs from the definition's."""
    if op.comparison:
        return comparison_quirks(op, a, ta, b, tb)
    if op is Operation.XOR_REDUCE:
        return ["ap-int-xor-reduce"]
    if op is Operation.MOD and not ta.signed and b < 0:
        return ["ap-int-remainder"]
    integers = isinstance(ta, ApInt) and isinstance(tb, ApInt)
    return ["ap-int-division" if integers else "division-of-minimum"]
