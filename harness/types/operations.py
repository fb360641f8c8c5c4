"""Operators between types: which C++ type an expression has.

The rules are those of ``ap_fixed_base::RType`` and ``ap_int_base::RType``: a sum, difference,
product, quotient or bitwise result holds every value the operands can produce, and its modes are
the defaults (``TRN``, ``WRAP``) because nothing is left to round.  Two integer types give an
integer type; an integer type beside a fixed-point one counts as ``ap_fixed<W,W>``.
"""

from __future__ import annotations

import enum
import functools
from typing import Any

import numpy as np

from harness.types.fixed import BOOL, MAX_WIDTH, ApFixed, ApInt, as_int, check_cast
from harness.types.floats import BinaryFloat, MiniFloat
from harness.types.formats import FLOAT64, FORMATS, as_number_type
from harness.types.inputs import as_array

__all__ = ["CLOSED", "Operation", "check_counts", "count_bounds", "result_type"]

CLOSED = {
    **dict.fromkeys(
        (
            "sqrt",
            "rsqrt",
            "recip",
            "divide",
            "log",
            "log2",
            "log10",
            "pow",
            "floor",
            "ceil",
            "round",
        ),
        "hls::{} is closed: no open header has it",
    ),
    **dict.fromkeys(
        ("exp", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh"),
        "hls::{} of the open header goes through double and the C library; the vendor's is closed",
    ),
    **dict.fromkeys(
        ("abs", "min", "max"),
        "hls::{} is in no open header; compare, and choose with harness.fixed.where",
    ),
}
"""Functions that people look for, and why they are not here."""


class Operation(enum.Enum):
    """An operator or a method of ``ap_fixed`` and ``ap_int``, by its C++ name."""

    ADD = "+"
    SUB = "-"
    MUL = "*"
    DIV = "/"
    MOD = "%"
    AND = "&"
    OR = "|"
    XOR = "^"
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    EQ = "=="
    NE = "!="
    CONCAT = "concat"
    NEG = "neg"
    NOT = "~"
    INC = "++"
    DEC = "--"
    AND_REDUCE = "and_reduce"
    OR_REDUCE = "or_reduce"
    XOR_REDUCE = "xor_reduce"
    TO_INT = "to_int"
    TO_UINT = "to_uint"
    TO_INT64 = "to_int64"
    TO_UINT64 = "to_uint64"
    TO_FLOAT = "to_float"
    TO_DOUBLE = "to_double"
    LSHIFT = "<<"
    RSHIFT = ">>"
    BIT = "[]"
    SET = "set"
    CLEAR = "clear"
    RANGE = "range"
    ADD_ASSIGN = "+="
    SUB_ASSIGN = "-="
    MUL_ASSIGN = "*="
    DIV_ASSIGN = "/="
    MOD_ASSIGN = "%="
    AND_ASSIGN = "&="
    OR_ASSIGN = "|="
    XOR_ASSIGN = "^="
    LSHIFT_ASSIGN = "<<="
    RSHIFT_ASSIGN = ">>="

    @classmethod
    def parse(cls, value: object) -> Operation:
        """The member for ``value``: a member, its symbol or its name.

        Raises:
            ValueError: for anything else; a function of a closed library is named as such.
        """
        if isinstance(value, cls):
            return value
        for member in cls:
            if value in (member.value, member.name):
                return member
        name = str(value).removeprefix("hls::")
        if name in CLOSED:
            raise ValueError(CLOSED[name].format(name))
        allowed = " ".join(member.value for member in cls)
        raise ValueError(f"unknown operation {value!r}; allowed: {allowed}")

    @property
    def assigned(self) -> Operation | None:
        """The operator of a compound assignment: ``+`` of ``+=``; ``None`` for others."""
        return Operation(self.value[:-1]) if self.name.endswith("_ASSIGN") else None

    @property
    def binary(self) -> bool:
        """Whether the right operand is a number of a type."""
        return (self.assigned or self) in _BINARY

    @property
    def comparison(self) -> bool:
        """Whether the result is a C++ ``bool`` that says how two values compare."""
        return self in _COMPARISONS

    @property
    def bitwise(self) -> bool:
        """Whether it is ``& | ^``."""
        return self in (Operation.AND, Operation.OR, Operation.XOR)

    @property
    def shift(self) -> bool:
        """Whether the right operand is a shift count."""
        return (self.assigned or self) in (Operation.LSHIFT, Operation.RSHIFT)

    @property
    def indexed(self) -> bool:
        """Whether the right operand is the number of a bit, 0 the lowest."""
        return self in (Operation.BIT, Operation.SET, Operation.CLEAR)

    @property
    def counted(self) -> bool:
        """Whether the right operand is a plain integer: a shift count or the number of a bit."""
        return self.shift or self.indexed


_COMPARISONS = (
    Operation.LT,
    Operation.LE,
    Operation.GT,
    Operation.GE,
    Operation.EQ,
    Operation.NE,
)
_BINARY = (
    Operation.ADD,
    Operation.SUB,
    Operation.MUL,
    Operation.DIV,
    Operation.MOD,
    Operation.AND,
    Operation.OR,
    Operation.XOR,
    *_COMPARISONS,
    Operation.CONCAT,
)
_REDUCTIONS = (Operation.AND_REDUCE, Operation.OR_REDUCE, Operation.XOR_REDUCE)
#: What the methods that leave the type give.
_NATIVE: dict[Operation, Any] = {
    Operation.TO_INT: ApInt(32),
    Operation.TO_UINT: ApInt(32, signed=False),
    Operation.TO_INT64: ApInt(64),
    Operation.TO_UINT64: ApInt(64, signed=False),
    Operation.TO_FLOAT: FORMATS["float32"],
    Operation.TO_DOUBLE: FLOAT64,
}


def result_type(op: Operation | str, a: Any, b: Any = None) -> Any:
    """The type of ``a op b``.

    Args:
        op: the operation.
        a: the type of the left operand, or its spelling.
        b: the type of the right operand of ``+ - * / % & | ^``, of a comparison, of ``concat`` and
            of their compound assignments; for ``range`` the numbers ``(hi, lo)`` of its ends; else
            left out: shift counts and bit numbers are plain integers.

    A shift and ``++ --`` keep the type of ``a``, modes included, and so does a compound assignment.
    A comparison, a bit and a reduction are ``ap_uint<1>``, ``range`` is ``ap_uint<|hi-lo|+1>`` (a
    C++ expression keeps it in ``ap_uint<W>`` until it is assigned).  ``to_double`` and ``to_float``
    give IEEE words.  A C++ ``int`` operand is ``ap_int<32>``.

    Minifloats multiply, and nothing is lost: by an ``ApFixed`` into a signed ``ApFixed``, by a
    minifloat into a wider minifloat.  Other floats have no arithmetic here.

    Raises:
        ValueError: for an operand too many or missing, for what C++ does not have, or a result
            wider than 1024 bits.
    """
    op, a = Operation.parse(op), as_number_type(a)
    b = as_number_type(b) if isinstance(b, str) else b
    if op is Operation.RANGE:
        return _slice(a, b)
    if op.binary != (b is not None):
        raise ValueError(f"operation {op.value} takes {'two types' if op.binary else 'one type'}")
    if isinstance(a, BinaryFloat) or isinstance(b, BinaryFloat):
        return _float_product(op, a, b)
    if op.assigned is not None:
        if op.binary:
            _check_assignment(op.assigned, a, b)
        return a
    if b is not None:
        return _binary(op, a, b)
    return _unary(op, a)


def count_bounds(op: Operation, t: ApFixed) -> tuple[int, int]:
    """The plain integers that a shift (a C++ ``int``) or a bit of ``t`` takes on its right."""
    return (0, t.width - 1) if op.indexed else (1 - (1 << 31), (1 << 31) - 1)


def check_counts(op: Operation, b: Any, t: Any) -> Any:
    """Shift counts or numbers of bits, as ``int64``; a Python integer if it is one for all.

    Raises:
        TypeError: if they are no integers.
        ValueError: if one is out of range.
    """
    counts = as_array(b)
    if counts.dtype.kind not in "iu":
        shown = type(b).__name__ if counts.ndim == 0 else counts.dtype
        raise TypeError(f"{op.value} takes integers on its right, not {shown}")
    low, high = count_bounds(op, t)
    if counts.size and not low <= int(counts.min()) <= int(counts.max()) <= high:
        wrong = int(counts.min()) if counts.min() < low else int(counts.max())
        raise ValueError(f"{op.value} of {t} takes {low} to {high} on its right, not {wrong}")
    return int(counts) if counts.ndim == 0 else counts.astype(np.int64)


def _check_assignment(op: Operation, a: ApFixed, b: ApFixed) -> None:
    """Refuse what ``a op= b`` does not compile to, or leaves undefined."""
    check_cast(b, a)
    if isinstance(a, ApInt) and not isinstance(b, ApInt) and op is not Operation.MOD:
        b = b.whole
    if op is Operation.CONCAT or op.comparison:
        raise ValueError(f"there is no {op.value}=")
    _binary(op, a, b)


def _unary(op: Operation, a: ApFixed) -> Any:
    integer = isinstance(a, ApInt)
    if op in _NATIVE:
        _check_native(a, _NATIVE[op], op)
        return _NATIVE[op]
    if op in _REDUCTIONS and not integer:
        raise ValueError(f"{op.value} takes an integer type, not {a}; take its range first")
    if op in _REDUCTIONS or op is Operation.BIT:
        return BOOL
    if op is Operation.NEG:
        # Of an ap_int it is 0 - a, the 0 an ap_uint<1>.
        return (
            ApInt(max(a.width, 1 + a.signed) + 1)
            if integer
            else ApFixed(a.width + 1, a.integer + 1)
        )
    if op is Operation.NOT:
        return a if integer else ApFixed(a.width, a.integer, a.signed)
    if op in (Operation.INC, Operation.DEC) and a.frac < 0:
        raise ValueError(f"{a} has no {op.value}: it adds an ap_ufixed<{a.frac + 1},1>")
    return a


def _check_native(a: ApFixed, target: Any, op: Operation) -> None:
    """Refuse what the header's own conversion leaves undefined, or gets wrong."""
    check_cast(a, target)
    if not isinstance(target, BinaryFloat):
        return
    if isinstance(a, ApInt) and a.width > 64:
        raise ValueError(f"{op.value} of {a} is wrong in the header: it takes the low 64 bits")
    if a.integer > target.emax or a.frac > -target.emin:
        raise ValueError(
            f"{op.value} of {a} is wrong in the header: it has no subnormals and no infinity; "
            f"allowed: values of 2**{target.emin} to 2**{target.emax}"
        )


@functools.lru_cache(maxsize=4096)  # layers ask for the same few types again and again
def _binary(op: Operation, a: ApFixed, b: ApFixed) -> ApFixed:
    integers = isinstance(a, ApInt) and isinstance(b, ApInt)
    if op.comparison:
        if max(a.width, b.width) + abs(a.frac - b.frac) >= MAX_WIDTH:
            raise ValueError(f"{a} {op.value} {b} needs more than {MAX_WIDTH} bits")
        return BOOL
    if op in (Operation.MOD, Operation.CONCAT) and not integers:
        remedy = "convert to ap_int" if op is Operation.MOD else "take the range of each first"
        raise ValueError(f"{op.value} takes integer types, not {a} and {b}; {remedy}")
    if op is Operation.CONCAT:
        return ApInt(a.width + b.width, signed=False)
    if op is Operation.MOD:
        return ApInt(min(a.width, b.width + (a.signed and not b.signed)), a.signed)
    signed = a.signed or b.signed
    if op is Operation.MUL:
        width, integer = a.width + b.width, a.integer + b.integer
    elif op is Operation.DIV:
        width = b.signed + a.width + max(b.frac, 0)
        integer = b.signed + a.integer + b.frac
    else:
        carry = not op.bitwise
        integer = carry + max(
            a.integer + (b.signed and not a.signed), b.integer + (a.signed and not b.signed)
        )
        width = integer + max(a.frac, b.frac)
        signed = signed or op is Operation.SUB
    return ApInt(width, signed) if integers else ApFixed(width, integer, signed)


def _slice(a: Any, ends: Any) -> ApInt:
    """The bits from ``lo`` to ``hi``; reversed if ``hi < lo``."""
    if not isinstance(a, ApFixed) or not isinstance(ends, tuple) or len(ends) != 2:
        raise ValueError("range takes a fixed-point or integer type and the numbers (hi, lo)")
    hi, lo = (as_int(name, end) for name, end in zip(("hi", "lo"), ends, strict=True))
    if not (0 <= hi < a.width and 0 <= lo < a.width):
        raise ValueError(f"{a} has bits 0 to {a.width - 1}, not {hi} to {lo}")
    return ApInt(abs(hi - lo) + 1, signed=False)


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
