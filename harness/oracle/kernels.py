"""The questions that can be put to the headers, each one C++ template instantiation."""

from __future__ import annotations

from dataclasses import dataclass

from harness.types import ApFixed, Operation, result_type

__all__ = ["Kernel", "accumulate", "assign", "cast", "compute", "from_number"]

#: C++ numbers a fixed-point value is constructed from.
NUMBERS = ("double", "float", "std::int64_t", "std::uint64_t")
_OPS = {
    Operation.ADD: "harness::add",
    Operation.SUB: "harness::sub",
    Operation.MUL: "harness::mul",
    Operation.DIV: "harness::div",
}


@dataclass(frozen=True)
class Kernel:
    """One instantiation of a template of ``fixed_kernels.h``.

    Attributes:
        template: the template's name.
        arguments: its leading arguments, as C++.
        operands: the fixed-point types it reads, in order.
        result: the type it writes.
    """

    template: str
    arguments: tuple[str, ...]
    operands: tuple[ApFixed, ...]
    result: ApFixed

    @property
    def cpp(self) -> str:
        """The expression that names it in C++; also its identity in the cache."""
        types = [full_cpp(t) for t in self.operands]
        if self.template not in ("assign", "accumulate", "shift"):
            types.append(full_cpp(self.result))
        return f"&harness::{self.template}<{', '.join([*self.arguments, *types])}>"

    @property
    def narrow(self) -> bool:
        """Whether every value fits one 64-bit word."""
        return max(t.width for t in (*self.operands, self.result)) <= 64


def full_cpp(t: ApFixed) -> str:
    """A type with every template argument written out, so that equal types have equal text."""
    family = "ap_fixed" if t.signed else "ap_ufixed"
    return f"{family}<{t.width}, {t.integer}, {t.rounding.cpp}, {t.overflow.cpp}, {t.n}>"


def from_number(number: str, t: ApFixed) -> Kernel:
    """``t(x)`` for ``x`` of a C++ type in :data:`NUMBERS`."""
    return Kernel("from_number", (number,), (), t)


def cast(source: ApFixed, target: ApFixed) -> Kernel:
    """``target(a)`` for ``a`` of type ``source``."""
    return Kernel("cast", (), (source,), target)


def compute(op: Operation, a: ApFixed, b: ApFixed | None = None) -> Kernel:
    """``a op b``, ``-a``, ``a << count`` or ``a >> count``."""
    target = result_type(op, a, b)
    if op is Operation.NEG:
        return Kernel("negate", (), (a,), target)
    if op.shift:
        return Kernel("shift", ("true" if op is Operation.LSHIFT else "false",), (a,), target)
    assert b is not None
    return Kernel("binary", (_OPS[op],), (a, b), target)


def assign(op: Operation, a: ApFixed, b: ApFixed) -> Kernel:
    """``a op= b``."""
    result_type(op, a, b)  # refuses what is no binary operation, or is too wide
    return Kernel("assign", (_OPS[op],), (a, b), a)


def accumulate(op: Operation, a: ApFixed, b: ApFixed) -> Kernel:
    """``a op= b[0], a op= b[1], ...``: every step."""
    result_type(op, a, b)
    return Kernel("accumulate", (_OPS[op],), (a, b), a)
