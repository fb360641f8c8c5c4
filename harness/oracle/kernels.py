"""The questions that can be put to the headers, each one C++ template instantiation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.types import (
    FLOAT64,
    FORMATS,
    TERNARY,
    ApFixed,
    ApInt,
    Binary,
    MiniFloat,
    NumberType,
    Operation,
    result_type,
)

__all__ = [
    "ACTIVATIONS",
    "NATIVE",
    "OURS",
    "STRUCTS",
    "VENDOR",
    "Kernel",
    "accumulate",
    "activation",
    "assign",
    "cast",
    "compute",
    "from_number",
]

#: C++ numbers a value is constructed from.
NUMBERS = ("double", "float", "std::int64_t", "std::uint64_t")
#: The headers that have a minifloat.
VENDOR, OURS = "ap_float.h", "minifloat.h"
#: Functions of hls4ml, by the type they answer in.
ACTIVATIONS: dict[str, Any] = {"binary_tanh": Binary(), "ternary_tanh": TERNARY}
#: IEEE words that C++ has a type for.
NATIVE: dict[Any, str] = {FORMATS["float32"]: "float", FLOAT64: "double"}
#: Our C++ structs of the operators.
STRUCTS = {
    Operation.ADD: "add",
    Operation.SUB: "sub",
    Operation.MUL: "mul",
    Operation.DIV: "div",
    Operation.MOD: "mod",
    Operation.AND: "bit_and",
    Operation.OR: "bit_or",
    Operation.XOR: "bit_xor",
    Operation.LT: "lt",
    Operation.LE: "le",
    Operation.GT: "gt",
    Operation.GE: "ge",
    Operation.EQ: "eq",
    Operation.NE: "ne",
    Operation.CONCAT: "concat",
    Operation.NEG: "neg",
    Operation.NOT: "bit_not",
    Operation.INC: "inc",
    Operation.DEC: "dec",
    Operation.LSHIFT: "shift_left",
    Operation.RSHIFT: "shift_right",
    Operation.LSHIFT_ASSIGN: "assign_left",
    Operation.RSHIFT_ASSIGN: "assign_right",
    Operation.BIT: "bit",
}


@dataclass(frozen=True)
class Kernel:
    """One instantiation of a template of our kernel headers.

    Attributes:
        template: the template's name.
        arguments: its leading arguments, as C++.
        operands: the types it reads, in order.
        result: the type it writes.
        header: whose minifloat is meant; empty if there is none.
    """

    template: str
    arguments: tuple[str, ...]
    operands: tuple[Any, ...]
    result: Any
    header: str = ""

    @property
    def cpp(self) -> str:
        """The expression that names it in C++; also its identity in the cache."""
        types = [self._spelled(t) for t in self.operands]
        if self.template not in ("assign", "accumulate", *ACTIVATIONS):
            types.append(self._spelled(self.result))
        return f"&harness::{self.template}<{', '.join([*self.arguments, *types])}>"

    @property
    def source(self) -> str:
        """The kernel header that has the template."""
        if self.template in ACTIVATIONS:
            return "activation_kernels.h"
        return "minifloat_kernels.h" if self.header else "fixed_kernels.h"

    @property
    def narrow(self) -> bool:
        """Whether every value fits one 64-bit word."""
        return all(t.width <= 64 for t in (*self.operands, self.result))

    @property
    def warns(self) -> bool:
        """Whether the headers print a warning for each element.

        They do of widths that differ, of a range whose bits come in reverse order, and of doubles
        from 1 to 2 into an ``ap_int``, which they take for NaN there: a bias cut to 8 bits.
        """
        bits = self.template in ("assign", "accumulate") and "::bit_" in self.arguments[0]
        number = self.template == "from_number" and isinstance(self.result, ApInt)
        return bits or number or self.template == "slice"

    def _spelled(self, t: Any) -> str:
        if isinstance(t, MiniFloat):
            family = "ap_float" if self.header == VENDOR else "harness::minifloat"
            return f"{family}<{t.m}, {t.e}, {t.e0}>"
        return NATIVE.get(t) or str(t.cpp_full)


def from_number(number: str, t: NumberType, header: str = VENDOR) -> Kernel:
    """``t(x)`` for ``x`` of a C++ type in :data:`NUMBERS`; a minifloat is that of ``header``."""
    return Kernel("from_number", (number,), (), t, _header(header, t))


def cast(
    source: NumberType, target: NumberType, header: str = VENDOR, *, construct: bool = False
) -> Kernel:
    """``target(a)`` for ``a`` of type ``source``.

    Into a minifloat it is an assignment, unless ``construct``: the vendor's constructor is another
    conversion.  Out of one it is ``to_ap_fixed()``.
    """
    if isinstance(source, MiniFloat):
        return Kernel("to_fixed", (), (source,), target, header)
    if isinstance(target, MiniFloat) and not construct:
        return Kernel("assigned", (), (source,), target, header)
    return Kernel("cast", (), (source,), target, _header(header, target))


def compute(op: Operation, a: NumberType, b: Any = None, header: str = VENDOR) -> Kernel:
    """``a op b`` for any operation; ``b`` is as in :func:`harness.types.result_type`."""
    target = result_type(op, a, b)
    if op is Operation.RANGE:
        return Kernel("slice", (), (a,), target)
    if isinstance(a, MiniFloat) or isinstance(b, MiniFloat):
        return Kernel("product", (), (a, b), target, header)
    if op.assigned is not None and op.binary:
        return assign(op.assigned, a, b)
    if op.binary:
        return Kernel("binary", (_struct(op),), (a, b), target)
    return Kernel("counted" if op.counted else "unary", (_struct(op),), (a,), target)


def assign(op: Operation, a: Any, b: Any) -> Kernel:
    """``a op= b``."""
    result_type(f"{op.value}=", a, b)  # refuses what C++ does not have, or is too wide
    return Kernel("assign", (_struct(op),), (a, b), a)


def accumulate(op: Operation, a: ApFixed, b: ApFixed) -> Kernel:
    """``a op= b[0], a op= b[1], ...``: every step."""
    return Kernel("accumulate", assign(op, a, b).arguments, (a, b), a)


def _struct(op: Operation) -> str:
    return f"harness::{STRUCTS.get(op, op.value)}"


def activation(name: str, source: ApFixed) -> Kernel:
    """A function in :data:`ACTIVATIONS` of a fixed-point number."""
    return Kernel(name, (), (source,), ACTIVATIONS[name])


def _header(header: str, *types: Any) -> str:
    return header if any(isinstance(t, MiniFloat) for t in types) else ""
