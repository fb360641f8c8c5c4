"""A C++ expression of one or two numbers, step by step: ``ap_fixed<8,4>(1.5) < ap_int<4>(-1)``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from harness import reference
from harness.explain.numbers import number
from harness.oracle import Oracle, OracleError
from harness.types import CLOSED, ApFixed, ApInt, Operation, parse_type, result_type

__all__ = ["Expression", "parse_cast", "parse_expression", "rows", "witness"]

_NUMBER = r"\s*([\w:]+\s*<[^<>]*>)\s*\(([^()]*)\)\s*"
_METHOD = re.compile(rf"{_NUMBER}\.\s*(\w+)\s*\(\s*\)\s*")
_RANGE = re.compile(rf"{_NUMBER}\(\s*(\d+)\s*,\s*(\d+)\s*\)\s*")
_BIT = re.compile(rf"{_NUMBER}\[\s*(\d+)\s*\]\s*")
_PREFIX = re.compile(rf"\s*(\+\+|--|-|~){_NUMBER}")
_BINARY = re.compile(rf"{_NUMBER}([-+*/%&|^<>=!]+)(?:{_NUMBER}|\s*(-?\d+)\s*)")
_CAST = re.compile(rf"\s*([\w:]+\s*<[^<>]*>)\s*\({_NUMBER}\)\s*")
_CALL = re.compile(r"\s*(?:hls::)?(\w+)\s*\(")
#: A C++ ``int``.
INT = ApInt(32)
ALLOWED = (
    "TYPE(VALUE) OP TYPE(VALUE), OP TYPE(VALUE), TYPE(VALUE).METHOD(), [BIT] or (HI, LO), "
    "TYPE(TYPE(VALUE))"
)


@dataclass(frozen=True)
class Expression:
    """An operation and its operands.

    Attributes:
        op: the operation.
        a: the left operand's code.
        ta: its type.
        b: the right one's code, a count, the number of a bit, ``(hi, lo)``, or ``None``.
        tb: its type, if it is a number of one.
    """

    op: Operation
    a: int
    ta: ApFixed
    b: Any = None
    tb: ApFixed | None = None

    @property
    def target(self) -> Any:
        """The type of the result."""
        return result_type(self.op, self.ta, self.b if self.op is Operation.RANGE else self.tb)

    @property
    def right(self) -> Any:
        """The right operand, as the reference takes it."""
        return 0 if self.b is None else self.b


def parse_expression(text: str) -> Expression:
    """Read an expression; a literal integer on its right is a C++ ``int``.

    Raises:
        ValueError: for what is no expression, or does not exist in C++.
    """
    if match := _METHOD.fullmatch(text):
        return Expression(Operation.parse(match[3]), *_operand(match[1], match[2]))
    if match := _RANGE.fullmatch(text):
        ends = int(match[3]), int(match[4])
        return Expression(Operation.RANGE, *_operand(match[1], match[2]), ends)
    if match := _BIT.fullmatch(text):
        return Expression(Operation.BIT, *_operand(match[1], match[2]), int(match[3]))
    if match := _PREFIX.fullmatch(text):
        op = Operation.NEG if match[1] == "-" else Operation.parse(match[1])
        return Expression(op, *_operand(match[2], match[3]))
    match = _BINARY.fullmatch(text)
    if match is None:
        if (called := _CALL.match(text)) and called[1] in CLOSED:
            Operation.parse(called[1])  # says why there is none
        raise ValueError(f"cannot read the expression {text!r}; allowed: {ALLOWED}")
    op, left = Operation.parse(match[3]), _operand(match[1], match[2])
    if match[4] is not None:
        return Expression(op, *left, *_operand(match[4], match[5]))
    literal = int(match[6])
    if op.counted:
        return Expression(op, *left, literal)
    if not INT.min_code <= literal <= INT.max_code:
        raise ValueError(f"{literal} is no C++ int; write ap_int<64>({literal})")
    return Expression(op, *left, literal, INT)


def parse_cast(text: str) -> tuple[int, ApFixed, ApFixed] | None:
    """The code, its type and the target of ``TARGET(TYPE(VALUE))``; ``None`` for anything else.

    Raises:
        ValueError: for types that are not fixed-point.
    """
    match = _CAST.fullmatch(text)
    if match is None:
        return None
    target = parse_type(match[1])
    if not isinstance(target, ApFixed):
        raise ValueError(f"{target}: only casts between fixed-point types are told here")
    return *_operand(match[2], match[3]), target


def _operand(spelled: str, text: str) -> tuple[int, ApFixed]:
    """The code and the type of ``TYPE(VALUE)``, constructed as C++ does."""
    t = parse_type(spelled)
    if not isinstance(t, ApFixed):
        raise ValueError(f"{t} has no operators here; allowed: fixed-point and integer types")
    text = text.strip()
    try:
        if re.fullmatch(r"[-+]?\d+", text):
            return reference.from_int(int(text), t), t
        x = float.fromhex(text) if "x" in text.lower() else float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number; allowed: 3, -0.25, 0x1.8p3") from None
    return reference.from_double(x, t), t


def rows(e: Expression) -> list[tuple[str, str]]:
    """What is printed: a name and a text for every step."""
    target = e.target
    found = [("left", _shown(e.a, e.ta))]
    if e.tb is not None:
        found.append(("right", _shown(e.b, e.tb)))
    elif e.b is not None:
        found.append(("right", str(e.b)))
    code = reference.compute(e.op, e.a, e.ta, e.right, e.tb)
    published = reference.compute(e.op, e.a, e.ta, e.right, e.tb, published=True)
    found.append(("result", f"{target}{' (a C++ bool)' if e.op.comparison else ''}"))
    if e.op.comparison:
        values = (number(Fraction(reference.decode(c, t))) for c, t in ((e.a, e.ta), (e.b, e.tb)))
        truth = "true" if published else "false"
        found.append(("values", f" {e.op.value} ".join(values) + f" is {truth}"))
        found.append(("code", f"{code} = {'true' if code else 'false'}"))
    else:
        if published != code:
            found.append(("definition", _shown(published, target)))
        found.append(("code", _shown(code, target)))
    if published != code:
        quirks = reference.operator_quirks(e.op, e.a, e.ta, e.right, e.tb)
        found += [("quirk", f"{name}: {reference.QUIRKS[name]}") for name in quirks]
    return found


def _shown(code: int, t: Any) -> str:
    value = reference.decode(code, t)
    shown = number(value) if isinstance(value, Fraction) else str(value)
    return f"{t}: code {code} = {shown}"


def witness(e: Expression, oracle: Oracle) -> tuple[str, str, bool]:
    """What the vendor's headers say; no answer is no difference."""
    expected = reference.compute(e.op, e.a, e.ta, e.right, e.tb)
    right = e.b if e.tb is None else [e.b]
    try:
        answer = int(oracle.compute(e.op, [e.a], e.ta, right, e.tb)[0])
    except OracleError as error:
        return "C++", f"no answer: {error}", True
    modulus = 1 << e.target.width
    agrees = answer % modulus == expected % modulus
    verdict = "the same" if agrees else f"DIFFERENT: {answer:#x}"
    return "C++", f"{verdict}   ({oracle.headers.label})", agrees
