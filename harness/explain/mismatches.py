"""A difference that a verification found, told step by step where that can be done on paper."""

from __future__ import annotations

from harness import reference
from harness.explain import Account, account, account_of_cast, account_of_expression
from harness.oracle import Oracle
from harness.types import ApFixed, parse_type
from harness.verify.records import Mismatch

__all__ = ["account_of_mismatch"]


def account_of_mismatch(mismatch: Mismatch, oracle: Oracle) -> Account | None:
    """The steps of its input on the way into the type, and what the witnesses say.

    Args:
        mismatch: what was found.
        oracle: compiles the C++.

    Returns:
        The account; ``None`` for inputs that are no doubles, and for operators that no expression
        of :func:`account_of_expression` has.
    """
    try:
        return _told(mismatch.question.split(), mismatch.input.split(), oracle)
    except (ValueError, OverflowError, ZeroDivisionError):
        return None


def _told(question: list[str], given: list[str], oracle: Oracle) -> Account | None:
    match question, given:
        case [target], [value]:
            double = value if "n" in value else _hex(value)  # nan and inf are spelled so
            return account(double, parse_type(target), oracle)
        case [source, "->", target], ["code", code]:
            if isinstance(parse_type(source), ApFixed) and isinstance(parse_type(target), ApFixed):
                return account_of_cast(int(code, 0), source, target, oracle)
            return account(_value(code, source), parse_type(target), oracle)
        case [a, op, b], ["code", left, _, "code", right]:
            text = f"{a}({_value(left, a)}) {op} {b}({_value(right, b)})"
            return account_of_expression(text, oracle)
        case [op, "of", a], ["code", code]:
            return account_of_expression(f"{op}{a}({_value(code, a)})", oracle)
    return None


def _hex(text: str) -> str:
    """A double; ``ValueError`` for an integer that is none."""
    value = float.fromhex(text) if "x" in text else float(text)
    if "x" not in text and int(value) != int(text):
        raise ValueError(f"{text} is no double")
    return value.hex()


def _value(code: str, spelled: str) -> str:
    """The double that a code of a type stands for; ``ValueError`` if there is none."""
    exact = reference.decode(int(code, 0), parse_type(spelled))
    value = float(exact)
    if value != exact:
        raise ValueError(f"{exact} is no double")
    return value.hex()
