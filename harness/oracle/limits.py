"""What the headers would answer by ending the process, predicted from the types alone.

``ap_private::get_bit`` asserts that a bit exists.  A conversion that rounds asks for the half bit,
``F2 - F - 1``, of the source; where the shift is longer than the source is wide there is no such
bit, and the process aborts, although the answer is defined (the sign, or zero).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.oracle.kernels import VENDOR, Kernel
from harness.types import (
    MAX_WIDTH,
    ApFixed,
    Binary,
    MiniFloat,
    Operation,
    Overflow,
    Rounding,
    result_type,
)

__all__ = ["cast_aborts", "refusal", "traps"]


def cast_aborts(source: ApFixed, target: ApFixed) -> bool:
    """Whether converting ``source`` to ``target`` reads a bit beyond the source's MSB."""
    rounds = target.rounding is not Rounding.TRN and not (
        target.rounding is Rounding.TRN_ZERO and not source.signed
    )
    return rounds and source.frac - target.frac > source.width


def refusal(kernel: Kernel) -> str | None:
    """Why the kernel must not run, whatever its inputs; ``None`` if it may."""
    for t in (*kernel.operands, kernel.result):
        if why := _no_cpp(t):
            return why
    if kernel.header == VENDOR:
        return _open_float_refuses(kernel)
    if kernel.header and any(isinstance(t, MiniFloat) and t.m == 0 for t in _types(kernel)):
        return "minifloat.h needs a mantissa bit"
    for source, target in _conversions(kernel):
        if cast_aborts(source, target):
            return (
                f"{source} to {target} shifts out more bits than the source has: the header reads "
                "a bit beyond the MSB and aborts"
            )
    return None


def _types(kernel: Kernel) -> tuple[Any, ...]:
    return (*kernel.operands, kernel.result)


def _no_cpp(t: Any) -> str | None:
    """Why there is no C++ for a type."""
    if isinstance(t, ApFixed):
        return f"{t} rounds by chance, which no header does" if t.rounding.stochastic else None
    if isinstance(t, MiniFloat | Binary):
        return None
    return f"no open C++ header has {t}"


def _open_float_refuses(kernel: Kernel) -> str | None:
    """What ``ap_float.h`` does not compile, or would end the process with."""
    for t in _types(kernel):
        if isinstance(t, MiniFloat):
            if t.m == 0:
                return f"ap_float.h needs a mantissa bit, {t} has none"
            if t.m + (1 << t.e) + 1 > MAX_WIDTH:
                return f"ap_float.h needs more than {MAX_WIDTH} bits for the value of {t}"
    if kernel.template == "assigned":
        source = kernel.operands[0]
        if source.width - source.signed < 1:
            return f"ap_float.h takes a magnitude of no bits from {source}"
        if source.frac - kernel.result.m > source.width - source.signed:
            return (
                f"ap_float.h rounds more bits away than {source} has: it reads a bit beyond "
                "the MSB and aborts"
            )
        if source.overflow is Overflow.WRAP_SM:
            return f"ap_float.h makes {source} unsigned; unsigned WRAP_SM ends the process"
    return None


def _conversions(kernel: Kernel) -> list[tuple[ApFixed, ApFixed]]:
    """The fixed-point conversions a kernel makes."""
    if any(not isinstance(t, ApFixed) for t in _types(kernel)):
        return []  # what the open ap_float converts is its own affair
    if kernel.template == "cast":
        return [(kernel.operands[0], kernel.result)]
    if kernel.template == "from_number" and kernel.arguments[0].startswith("std::"):
        signed = not kernel.arguments[0].startswith("std::u")
        return [(ApFixed(64, 64, signed), kernel.result)]
    if kernel.template in ("assign", "accumulate"):
        op = {"add": "+", "sub": "-", "mul": "*", "div": "/"}[kernel.arguments[0][-3:]]
        return [(result_type(op, *kernel.operands), kernel.result)]
    return []


def traps(op: Operation, a: ApFixed, b: ApFixed, pairs: Sequence[tuple[int, int]]) -> str | None:
    """Why dividing these codes would end the process; ``None`` if it would not."""
    if op is not Operation.DIV:
        return None
    if any(y == 0 for _, y in pairs):
        return "a divisor is zero: the headers end the process"
    if a.signed and b.signed and max(a.width + max(b.frac, 0), b.width) == 64:
        lowest = -(1 << 63)
        if any(x << max(b.frac, 0) == lowest and y == -1 for x, y in pairs):
            return "the most negative 64-bit dividend by code -1 traps in the processor"
    return None
