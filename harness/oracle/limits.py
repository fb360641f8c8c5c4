"""What the headers would answer by ending the process, predicted from the types alone.

``ap_private::get_bit`` asserts that a bit exists.  A conversion that rounds asks for the half bit,
``F2 - F - 1``, of the source; where the shift is longer than the source is wide there is no such
bit, and the process aborts, although the answer is defined (the sign, or zero).
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.oracle.kernels import Kernel
from harness.types import ApFixed, Operation, Rounding, result_type

__all__ = ["cast_aborts", "refusal", "traps"]


def cast_aborts(source: ApFixed, target: ApFixed) -> bool:
    """Whether converting ``source`` to ``target`` reads a bit beyond the source's MSB."""
    rounds = target.rounding is not Rounding.TRN and not (
        target.rounding is Rounding.TRN_ZERO and not source.signed
    )
    return rounds and source.frac - target.frac > source.width


def refusal(kernel: Kernel) -> str | None:
    """Why the kernel must not run, whatever its inputs; ``None`` if it may."""
    for source, target in _conversions(kernel):
        if cast_aborts(source, target):
            return (
                f"{source} to {target} shifts out more bits than the source has: the header reads "
                "a bit beyond the MSB and aborts"
            )
    return None


def _conversions(kernel: Kernel) -> list[tuple[ApFixed, ApFixed]]:
    """The fixed-point conversions a kernel makes."""
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
