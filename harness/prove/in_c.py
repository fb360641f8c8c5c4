"""Terms as C: statements that compute a word from another, for a tool that reads programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bitwuzla import Kind

from harness.prove.terms import Word, operands_first

__all__ = ["as_c"]


def as_c(word: Word, inputs: dict[str, str], prefix: str) -> tuple[list[str], str]:
    """The statements that compute a word, and the name that it ends in.

    Words are ``unsigned _BitInt``, which wrap at their width and are not promoted.

    Args:
        word: made of the operations of words and integers.
        inputs: the C expression of each input, by its name.
        prefix: what the names of variables begin with.

    Raises:
        ValueError: for a term that has no C here.
    """
    lines: list[str] = []
    names: dict[Any, str] = {}
    for term in operands_first([word.term]):
        names[term] = f"{prefix}{len(names)}"
        kind = "bool" if term.sort().is_bool() else _type(term)
        lines.append(f"const {kind} {names[term]} = {_expression(term, names, inputs)};")
    return lines, names[word.term]


def _type(term: Any) -> str:
    return f"unsigned _BitInt({term.sort().bv_size()})"


def _expression(term: Any, names: dict[Any, str], inputs: dict[str, str]) -> str:
    if term.is_value():
        return _constant(term)
    if term.is_const():
        return f"({_type(term)}){inputs[term.symbol()]}"
    parts = [names[child] for child in term.children()]
    kind = term.kind()
    if kind in _JOINED:
        return f" {_JOINED[kind]} ".join(parts)
    return _OTHERS[kind](term, *parts) if kind in _OTHERS else _refused(term)


def _constant(term: Any) -> str:
    if term.sort().is_bool():
        return "true" if term.is_true() else "false"
    width, value, words = term.sort().bv_size(), int(term.value(10)), []
    while True:
        words.append(f"{value & (1 << 64) - 1:#x}ull")
        value >>= 64
        if not value:
            break
    kind = _type(term)
    shifted = (f"(({kind}){w} << {64 * k})" if k else f"({kind}){w}" for k, w in enumerate(words))
    return " | ".join(shifted) if width > 64 else next(iter(shifted))


def _signed(term: Any, place: int, name: str) -> str:
    """An operand read with its sign; one bit has no signed type."""
    width = term.children()[place].sort().bv_size()
    if width == 1:
        return f"({name} ? -1 : 0)"
    return f"(signed _BitInt({width})){name}"


def _extended(term: Any, name: str) -> str:
    width = term.sort().bv_size()
    return f"({_type(term)})(signed _BitInt({width})){_signed(term, 0, name)}"


def _extracted(term: Any, name: str) -> str:
    return f"({_type(term)})({name} >> {term.indices()[1]})"


def _beside(term: Any, *names: str) -> str:
    kind, found = _type(term), ""
    for name, child in zip(names, term.children(), strict=True):
        width = child.sort().bv_size()
        found = f"({kind})(({found}) << {width} | ({kind}){name})" if found else f"({kind}){name}"
    return found


def _less(term: Any, a: str, b: str) -> str:
    return f"{_signed(term, 0, a)} < {_signed(term, 1, b)}"


def _divided(symbol: str) -> Callable[..., str]:
    """A signed quotient or remainder; it is taken in a bit more than either operand needs."""

    def written(term: Any, a: str, b: str) -> str:
        signed = f"{_signed(term, 0, a)} {symbol} {_signed(term, 1, b)}"
        return f"({_type(term)})({signed})"

    return written


def _refused(term: Any) -> str:
    raise ValueError(f"no C is written for {term.kind()}")


_JOINED = {
    Kind.BV_ADD: "+",
    Kind.BV_SUB: "-",
    Kind.BV_MUL: "*",
    Kind.BV_AND: "&",
    Kind.BV_OR: "|",
    Kind.BV_XOR: "^",
    Kind.BV_ULT: "<",
    Kind.AND: "&&",
    Kind.OR: "||",
    Kind.XOR: "!=",
    Kind.EQUAL: "==",
}
_OTHERS: dict[Any, Callable[..., str]] = {
    Kind.BV_NOT: lambda _, a: f"~{a}",
    Kind.BV_NEG: lambda _, a: f"-{a}",
    Kind.NOT: lambda _, a: f"!{a}",
    Kind.ITE: lambda _, c, a, b: f"{c} ? {a} : {b}",
    Kind.BV_ZERO_EXTEND: lambda term, a: f"({_type(term)}){a}",
    Kind.BV_SIGN_EXTEND: _extended,
    Kind.BV_EXTRACT: _extracted,
    Kind.BV_CONCAT: _beside,
    Kind.BV_SLT: _less,
    Kind.BV_SDIV: _divided("/"),
    Kind.BV_SREM: _divided("%"),
}
