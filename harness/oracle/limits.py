"""What the headers would answer by ending the process, predicted from the types alone.

``ap_private::get_bit`` asserts that a bit exists.  A conversion that rounds asks for the half bit,
``F2 - F - 1``, of the source; where the shift is longer than the source is wide there is no such
bit, and the process aborts, although the answer is defined (the sign, or zero).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.oracle.kernels import NATIVE, STRUCTS, VENDOR, Kernel
from harness.types import (
    MAX_WIDTH,
    ApFixed,
    ApInt,
    Binary,
    MiniFloat,
    Operation,
    Overflow,
    Rounding,
    check_cast,
    result_type,
)

__all__ = ["cast_aborts", "refusal", "traps"]


def cast_aborts(source: ApFixed, target: ApFixed) -> bool:
    """Whether converting ``source`` to ``target`` reads a bit beyond the source's MSB."""
    if isinstance(target, ApInt):
        return False  # it takes the integer bits, and looks at the others as they are
    rounds = target.rounding is not Rounding.TRN and not (
        target.rounding is Rounding.TRN_ZERO and not source.signed
    )
    return rounds and source.frac - target.frac > source.width


def refusal(kernel: Kernel) -> str | None:
    """Why the kernel must not run, whatever its inputs; ``None`` if it may."""
    for t in (*kernel.operands, kernel.result):
        if why := _no_cpp(t):
            return why
    if kernel.template == "to_fixed" and (why := _not_its_value(kernel.operands[0], kernel.result)):
        return why
    if kernel.header == VENDOR:
        return _open_float_refuses(kernel)
    for source, target in _conversions(kernel):
        try:
            check_cast(source, target)
        except ValueError as error:
            return str(error)
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
    if isinstance(t, MiniFloat | Binary) or t in NATIVE:
        return None
    return f"no open C++ header has {t}"


def _not_its_value(source: MiniFloat, target: Any) -> str | None:
    """Why ``to_ap_fixed()`` of a minifloat is no ``target``."""
    width = source.m + (1 << source.e) + 1
    if width > MAX_WIDTH:
        return f"the values of {source} take {width} bits, the headers have {MAX_WIDTH}"
    return None if target == source.fixed else f"{source} becomes {source.fixed}, not {target}"


def _open_float_refuses(kernel: Kernel) -> str | None:
    """What ``ap_float.h`` does not compile, or would end the process with."""
    for t in _types(kernel):
        if isinstance(t, MiniFloat) and t.m == 0:
            return f"ap_float.h needs a mantissa bit, {t} has none"
    if kernel.template == "product":
        a, b = kernel.operands
        if isinstance(kernel.result, MiniFloat):
            return f"ap_float.h multiplies by fixed point alone, not {a} by {b}"
        # It aligns the product in two more bits, and negates that in one more.
        if kernel.result.width + 3 > MAX_WIDTH:
            return f"ap_float.h needs more than {MAX_WIDTH} bits to multiply {a} by {b}"
    if kernel.template == "assigned":
        return _assignment_refuses(kernel.operands[0], kernel.result)
    return None


def _assignment_refuses(source: ApFixed, target: MiniFloat) -> str | None:
    """What ``ap_float.h`` cannot take the magnitude of, shift, and round."""
    integer, width = source.integer - source.signed, source.width - source.signed
    if width < 1:
        return f"ap_float.h takes a magnitude of no bits from {source}"
    if source.frac - target.m > width:
        return (
            f"ap_float.h rounds more bits away than {source} has: it reads a bit beyond "
            "the MSB and aborts"
        )
    # The leading bit is removed by subtracting a 32-bit 1 from the shifted magnitude.
    if 1 + max(integer + 1, 32) + max(source.frac, 0) > MAX_WIDTH:
        return f"ap_float.h needs more than {MAX_WIDTH} bits to convert {source}"
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
    if kernel.template in ("assign", "accumulate") and not isinstance(kernel.result, ApInt):
        op = next(op for op, name in STRUCTS.items() if kernel.arguments == (f"harness::{name}",))
        return [(result_type(op, *kernel.operands), kernel.result)]
    return []


def traps(op: Operation, a: ApFixed, b: ApFixed, pairs: Sequence[tuple[int, int]]) -> str | None:
    """Why dividing these codes would end the process, or is wrong; ``None`` if neither."""
    kind = op.assigned or op
    if kind not in (Operation.DIV, Operation.MOD):
        return None
    if any(y == 0 for _, y in pairs):
        return "a divisor is zero: the headers end the process"
    integers = isinstance(a, ApInt) and (isinstance(b, ApInt) or op is not kind)
    if integers and not isinstance(b, ApInt):
        if any(abs(y) < 1 << max(b.frac, 0) for _, y in pairs):
            return (
                f"{a} /= {b} cuts its divisor toward zero first: one below 1 is a division by "
                "zero, and the headers end the process"
            )
        return None
    left = 0 if integers else max(b.frac, 0)
    width = max(a.width + left, b.width)
    if width >= 64 and any(division_errs(x << left, y, width + 1) for x, y in pairs):
        return "the headers' long division errs on these codes: it never corrects a digit"
    return None


def division_errs(dividend: int, divisor: int, width: int) -> bool:
    """Whether the headers' division in more than 64 bits estimates a digit too high.

    It is Knuth's algorithm D on digits of 32 bits, whose sixth step, adding the divisor back where
    the estimate was one too high, goes wrong.

    Args:
        dividend: of either sign.
        divisor: of either sign, not zero.
        width: bits that both are taken in, if they are read as unsigned.
    """
    as_signed = abs(dividend), abs(divisor)
    as_unsigned = dividend % (1 << width), divisor % (1 << width)
    return any(_guesses_high(u, v) for u, v in (as_signed, as_unsigned))


def _guesses_high(dividend: int, divisor: int) -> bool:
    """The same for unsigned numbers: the trial digits, beside the true ones."""
    base = 1 << 32
    if dividend < max(divisor, 1 << 64) or divisor < base:
        return False  # divided otherwise
    count = -(-divisor.bit_length() // 32)
    shift = 32 * count - divisor.bit_length()
    u, v = dividend << shift, divisor << shift
    top, second = v >> 32 * (count - 1), v >> 32 * (count - 2) & (base - 1)
    rest = 0
    for place in reversed(range(-(-u.bit_length() // 32))):
        rest = rest << 32 | u >> 32 * place & (base - 1)
        third = rest >> 32 * (count - 2) & (base - 1)
        guess, left = divmod(rest >> 32 * (count - 1), top)
        for _ in range(2):
            if left < base and (guess == base or guess * second > base * left + third):
                guess, left = guess - 1, left + top
        digit, rest = divmod(rest, v)
        if guess != digit:
            return True
    return False
