"""Any two of them: the law of a cast, RTL, and functions in Python, equal for all inputs or not."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from harness.prove.kernels import kept
from harness.prove.law import fixed
from harness.prove.machine import as_word
from harness.prove.record import Certificate
from harness.prove.rtl import Module, Ports, rtl_claim
from harness.prove.solve import SECONDS, Claim, Pair, decide
from harness.prove.source import Source, Untranslatable
from harness.prove.terms import Truth, Word
from harness.types import ApFixed, as_fixed_type, check_cast

__all__ = ["equivalent"]

Side = Callable[[Any], Any] | Module


def equivalent(
    subject: Side,
    source: ApFixed | str,
    target: ApFixed | str,
    truth: Side | None = None,
    *,
    seconds: float = SECONDS,
) -> Certificate:
    """Whether two casts give the same code for every code of the source.

    Args:
        subject: a function of one code in Python, or a module that :func:`read_rtl` read.
        source: the type of the input.
        target: the type of the result.
        truth: another one, which is right; by default the law of the types.
        seconds: that the solver may take.

    A function is carried out from its source as Numba compiles it: integers are ``int64`` and wrap.
    It is defined by ``def`` at the level of a module, and calls others there.  What a compiler
    leaves undefined, such as a shift by 64 or more, refutes it.

    Raises:
        Untranslatable: for Python that is more than integers, choices and loops of known length.
        RtlError: for a module of other ports.
        ValueError: for types of more than 64 bits, and a cast that the headers leave undefined.
    """
    source, target = as_fixed_type(source), as_fixed_type(target)
    check_cast(source, target)
    if max(source.width, target.width) > 64:
        raise ValueError("functions of codes take and give at most 64 bits")
    code = Word.named("code", source.width)
    duties: list[Truth] = []
    given: list[Truth] = []
    words = []
    for side in (subject, truth):
        if side is None:
            word = fixed.cast(code, source, target)
        elif isinstance(side, Module):
            claim = rtl_claim(side, source, target, ports=Ports())
            (port,) = (w for w in claim.inputs.values() if w.width == source.width)
            given += [*claim.given, port == code]
            word = claim.pairs[0].subject
        else:
            word = _carried_out(side, code.extended(64, source.signed), duties)
        words.append(word.extended(64, target.signed))
    pairs = [Pair(str(target), *words), *kept(duties)]
    question = f"{source} to {target}"
    return decide(Claim(question, _name(subject), {"code": code}, pairs, given), seconds)


def _carried_out(function: Callable[[Any], Any], code: Word, duties: list[Truth]) -> Word:
    plain = inspect.unwrap(getattr(function, "py_func", function))
    name = getattr(plain, "__name__", "")
    source = Source(getattr(plain, "__module__", "") or "builtins")
    if name not in source.functions:
        raise Untranslatable(f"{_name(function)} is not defined by def at the level of a module")
    return as_word(source.call(name, code, duties=duties))


def _name(side: Side) -> str:
    if isinstance(side, Module):
        return side.name
    return str(getattr(side, "__qualname__", side))
