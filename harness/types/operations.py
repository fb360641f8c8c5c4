"""Arithmetic between types: which C++ type an expression has.

The rules are those of ``ap_fixed_base::RType``: a result holds every value the operands can
produce, and its modes are the defaults (``TRN``, ``WRAP``) because nothing is left to round.
"""

from __future__ import annotations

import enum
from typing import Any

from harness.types.fixed import ApFixed
from harness.types.floats import BinaryFloat, MiniFloat

__all__ = ["Operation", "result_type"]


class Operation(enum.Enum):
    """An arithmetic operator of ``ap_fixed``, by its C++ symbol."""

    ADD = "+"
    SUB = "-"
    MUL = "*"
    DIV = "/"
    NEG = "neg"
    LSHIFT = "<<"
    RSHIFT = ">>"

    @classmethod
    def parse(cls, value: object) -> Operation:
        """Return the member for ``value``: a member, its symbol or its name."""
        if isinstance(value, cls):
            return value
        for member in cls:
            if value in (member.value, member.name):
                return member
        allowed = " ".join(member.value for member in cls)
        raise ValueError(f"unknown operation {value!r}; allowed: {allowed}")

    @property
    def binary(self) -> bool:
        """Whether the right operand is a fixed-point value."""
        return self in (Operation.ADD, Operation.SUB, Operation.MUL, Operation.DIV)

    @property
    def shift(self) -> bool:
        """Whether the right operand is a shift count."""
        return self in (Operation.LSHIFT, Operation.RSHIFT)


def result_type(op: Operation | str, a: Any, b: Any = None) -> Any:
    """The type of ``a op b``.

    Minifloats multiply, and nothing is lost: by an ``ApFixed`` into a signed ``ApFixed``, by a
    minifloat into a wider minifloat.  Other floats have no arithmetic here.

    ``b`` is needed by ``+ - * /`` and refused by ``neg``, ``<<`` and ``>>``: a shift keeps the
    type of its left operand, modes included, and its count is a plain integer.  The result of a
    compound assignment ``a op= b`` is ``a`` itself.  A C++ ``int`` operand is ``ap_fixed<32,32>``.

    Raises:
        ValueError: for an operand too many or missing, or a result wider than 1024 bits.
    """
    op = Operation.parse(op)
    if op.binary != (b is not None):
        raise ValueError(f"operation {op.value} takes {'two types' if op.binary else 'one type'}")
    if isinstance(a, BinaryFloat) or isinstance(b, BinaryFloat):
        return _float_product(op, a, b)
    if op.shift:
        return a
    if op is Operation.NEG:
        return ApFixed(a.width + 1, a.integer + 1)
    assert b is not None
    if op is Operation.MUL:
        return ApFixed(a.width + b.width, a.integer + b.integer, a.signed or b.signed)
    if op is Operation.DIV:
        width = b.signed + a.width + max(b.frac, 0)
        return ApFixed(width, b.signed + a.integer + b.frac, a.signed or b.signed)
    integer = 1 + max(
        a.integer + (b.signed and not a.signed), b.integer + (a.signed and not b.signed)
    )
    signed = a.signed or b.signed or op is Operation.SUB
    return ApFixed(integer + max(a.frac, b.frac), integer, signed)


def _float_product(op: Operation, a: Any, b: Any) -> ApFixed | MiniFloat:
    """The type of a product with a minifloat: exact, and symmetric in its operands."""
    if op is not Operation.MUL or not all(isinstance(t, (MiniFloat, ApFixed)) for t in (a, b)):
        raise ValueError(f"{a} {op.value} {b} does not exist; floats: minifloats have * alone")
    if isinstance(a, ApFixed):
        a, b = b, a
    if isinstance(b, MiniFloat):
        return MiniFloat(a.m + b.m + 1, max(a.e, b.e) + 1, a.e0 + b.e0)
    half = 1 << (a.e - 1)
    unsigned = not b.signed
    return ApFixed(a.m + 2 * half - 1 + b.width + unsigned, half + a.e0 + b.integer + unsigned)
