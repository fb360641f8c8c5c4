"""The vendor's headers themselves, for all inputs, where the model checker ESBMC is installed.

A program converts any input by the header, or computes with any two, and asserts the law, type by
type and operator by operator; ESBMC reads it, and the header unmodified.  What it proves is of its
reading of C++, so a refutation is run by the compiler too: the header must depart from the law
there, or the tool has misread it.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from harness.oracle import Oracle
from harness.oracle.limits import cast_aborts
from harness.prove.checker import OUT_OF_TIME, PROVEN, Checker, CheckerError, answer, find_esbmc
from harness.prove.evaluate import value
from harness.prove.in_c import as_c
from harness.prove.law import fixed, operators
from harness.prove.plan import HEADER_OPERATORS, Task
from harness.prove.record import Certificate, Outcome, VacuousError
from harness.prove.terms import Word, all_of, choose
from harness.quantize import from_bits, to_bits
from harness.types import ApFixed, ApInt, Operation, check_cast, result_type

__all__ = ["answered", "prove_header", "prove_operators"]

#: What the words of :mod:`ap_types/esbmc/header.h` hold.
WIDEST = 64
_DIVISIONS = (Operation.DIV, Operation.MOD)


@dataclass(frozen=True)
class _Equality:
    """What the header makes, and what it should.

    Attributes:
        name: that tells it from the others.
        made: C++ that makes ``y`` of the operands.
        law: the word that it should have.
        defined: whether there is such a word.
        compiled: the word that g++ makes of these words.
    """

    name: str
    made: str
    law: Word
    defined: Word
    compiled: Callable[[Oracle, dict[str, int]], int]


@dataclass(frozen=True)
class _Asked:
    """A program's question.

    Attributes:
        question: for people.
        types: of the operands, by name.
        words: any word of each.
        equalities: what holds of all of them.
    """

    question: str
    types: dict[str, ApFixed]
    words: dict[str, Word]
    equalities: tuple[_Equality, ...]


def prove_header(
    source: ApFixed,
    targets: Sequence[ApFixed],
    oracle: Oracle,
    *,
    seconds: float = 300.0,
    published: bool = False,
    checker: Checker | None = None,
) -> Certificate:
    """Whether the header's conversion gives the code of the law, for all codes of the source.

    Args:
        source: a type of up to 64 bits, which may be an integer.
        targets: likewise.
        oracle: compiles the header, where ESBMC refutes it.
        seconds: that ESBMC may take.
        published: whether the law is the definition, without the header's quirks.
        checker: as :func:`find_esbmc` finds it.

    Raises:
        CheckerError: if ESBMC is missing or does not read the program; and if what it says of the
            header is not what the compiler makes of it.
        ValueError: for wider types, and casts that the headers leave undefined.
    """
    return _decided(_casts(source, targets, published), oracle, seconds, checker)


def prove_operators(
    ops: Iterable[Operation | str],
    ta: ApFixed,
    tb: ApFixed,
    oracle: Oracle,
    *,
    seconds: float = 300.0,
    published: bool = False,
    checker: Checker | None = None,
) -> Certificate:
    """The same of operators of two numbers, for all pairs of codes that they are defined for.

    Args:
        ops: those of two numbers that give a number of up to 64 bits.
        ta: the type of the left operand, fixed point or an integer.
        tb: that of the right one.
        oracle: as in :func:`prove_header`.
        seconds: likewise.
        published: likewise.
        checker: likewise.

    Raises:
        CheckerError: likewise.
        ValueError: for wider types, operators of other numbers, and what C++ does not have.
    """
    asked = _operators([Operation.parse(op) for op in ops], ta, tb, published)
    return _decided(asked, oracle, seconds, checker)


def answered(task: Task, seconds: float) -> tuple[Certificate, ...]:
    """What ESBMC says to every question of a task of :func:`harness.prove.plan.header_tasks`.

    What it does not read, or misreads, is undecided, and says so.

    Raises:
        CheckerError: if it is missing.
    """
    checker, found = find_esbmc(), []
    with contextlib.closing(Oracle()) as oracle:
        for source, targets in task.asked:
            assert isinstance(source, ApFixed)
            for asked in _of_task(task.subject, source, targets):
                try:
                    found.append(_decided(asked, oracle, seconds, checker))
                except CheckerError as error:
                    found.append(_unread(asked, checker, error))
    return tuple(found)


def _of_task(subject: str, source: ApFixed, targets: Sequence[ApFixed]) -> Iterator[_Asked]:
    """The questions about a pair of types; quotients, which take longer, are one of their own.

    Nothing is asked of a cast on which the header ends the process.
    """
    if subject != HEADER_OPERATORS:
        if safe := [t for t in targets if not cast_aborts(source, t)]:
            yield _casts(source, safe)
        return
    (other,) = targets
    ops = [op for op in Operation if _is_asked(op, source, other)]
    for chosen in (_DIVISIONS, [op for op in ops if op not in _DIVISIONS]):
        if asked := [op for op in ops if op in chosen]:
            yield _operators(asked, source, other)


def _is_asked(op: Operation, ta: ApFixed, tb: ApFixed) -> bool:
    """Whether C++ has the operator, and it can be asked about."""
    try:
        _operator(op, _any_words(a=ta, b=tb), ta, tb, published=False)
    except ValueError:
        return False
    return True


def _unread(asked: _Asked, checker: Checker, error: CheckerError) -> Certificate:
    program = _program(asked)
    return Certificate(
        question=asked.question,
        subject="the vendor's header",
        outcome=Outcome.UNDECIDED,
        claims=len(asked.equalities),
        inputs={},
        differs=str(error),
        codes=None,
        planted={},
        solver=checker.version,
        query_sha256=hashlib.sha256(program.encode()).hexdigest(),
        seconds=0.0,
        query=program,
    )


def _casts(source: ApFixed, targets: Sequence[ApFixed], published: bool = False) -> _Asked:
    for t in targets:
        check_cast(source, t)
    _check_widths([source, *targets])
    words = _any_words(code=source)
    found = tuple(_cast(words["code"], source, t, published) for t in targets)
    question = f"{source} to {targets[0]}" + _more(len(targets) - 1)
    return _Asked(question, {"code": source}, words, found)


def _operators(
    ops: Sequence[Operation], ta: ApFixed, tb: ApFixed, published: bool = False
) -> _Asked:
    words = _any_words(a=ta, b=tb)
    found = tuple(_operator(op, words, ta, tb, published) for op in ops)
    question = f"{ta} {' '.join(op.value for op in ops)} {tb}"
    return _Asked(question, {"a": ta, "b": tb}, words, found)


def _any_words(**types: ApFixed) -> dict[str, Word]:
    return {name: Word.named(name, t.width) for name, t in types.items()}


def _cast(code: Word, source: ApFixed, t: ApFixed, published: bool) -> _Equality:
    def compiled(oracle: Oracle, words: dict[str, int]) -> int:
        made = oracle.cast(int(from_bits(words["code"], source)), source, t)
        return int(to_bits(made, t)[()])

    law = fixed.cast(code, source, t, published=published)
    return _Equality(str(t), f"const {t.cpp_full} y = code;", law, Word.of(1, 1), compiled)


def _operator(
    op: Operation, words: dict[str, Word], ta: ApFixed, tb: ApFixed, published: bool
) -> _Equality:
    if not op.binary or op.assigned is not None or op is Operation.CONCAT:
        raise ValueError(f"{op.value} is no operator of two numbers that the header is asked about")
    target = result_type(op, ta, tb)
    # Comparisons bring both to one LSB, the left one with a bit more.
    common = max(ta.frac, tb.frac) + max(ta.integer, tb.integer) + 1
    _check_widths([ta, tb, target, ApInt(max(common, 1))])

    def compiled(oracle: Oracle, words: dict[str, int]) -> int:
        x, y = (int(from_bits(words[name], t)) for name, t in (("a", ta), ("b", tb)))
        return int(to_bits(oracle.compute(op, [x], ta, [y], tb), target)[0])

    a, b = words["a"], words["b"]
    law = operators.compute(op, a, ta, b, tb, published=published)
    defined = operators.defined(op, b, ta, tb, published=published).word()
    kind = "const ap_uint<1>" if op.comparison else "const auto"
    return _Equality(op.value, f"{kind} y = a {op.value} b;", law, defined, compiled)


def _check_widths(types: Iterable[ApFixed]) -> None:
    if max(t.width for t in types) > WIDEST:
        raise ValueError(f"the header is proven for types of up to {WIDEST} bits")


def _more(others: int) -> str:
    return f" and {others} like it" if others else ""


def _decided(asked: _Asked, oracle: Oracle, seconds: float, checker: Checker | None) -> Certificate:
    """What ESBMC says, and the compiler where it refutes."""
    checker, started = checker or find_esbmc(), time.perf_counter()
    program, names = _program(asked), [e.name for e in asked.equalities]
    differs, words = answer(checker, program, names, seconds)
    outcome = {PROVEN: Outcome.PROVEN, OUT_OF_TIME: Outcome.UNDECIDED}.get(differs, Outcome.REFUTED)
    planted: dict[str, int] = {}
    codes = None
    if outcome is Outcome.PROVEN:
        planted = _planted(checker, asked, seconds)
        outcome = outcome if planted else Outcome.UNDECIDED
    elif outcome is Outcome.REFUTED:
        words = {name: words[name] % (1 << t.width) for name, t in asked.types.items()}
        codes = _confirmed(checker, asked, asked.equalities[names.index(differs)], words, oracle)
    return Certificate(
        question=asked.question,
        subject="the vendor's header",
        outcome=outcome,
        claims=len(names),
        inputs=words,
        differs=differs if words else "",
        codes=codes,
        planted=planted,
        solver=checker.version,
        query_sha256=hashlib.sha256(program.encode()).hexdigest(),
        seconds=time.perf_counter() - started,
        query=program,
    )


def _confirmed(
    checker: Checker, asked: _Asked, equality: _Equality, words: dict[str, int], oracle: Oracle
) -> tuple[int, int]:
    """The words of the compiler's header and of the law, which differ.

    Raises:
        CheckerError: if they do not.
    """
    law = value(equality.law, [(asked.words[name], words[name]) for name in asked.types])
    made = equality.compiled(oracle, words)
    if made == law:
        at = ", ".join(f"{name} {words[name]:#x}" for name in asked.types)
        raise CheckerError(
            f"{checker.version} misreads the header: {asked.question}: {equality.name} at {at} is "
            f"{law:#x} by the compiler, as it should be"
        )
    return made, law


def _planted(checker: Checker, asked: _Asked, seconds: float) -> dict[str, int]:
    """An input at which the law was made wrong, and which was found; none if out of time."""
    first = asked.equalities[0]
    digest = hashlib.sha256(f"{asked.question} {first.name}".encode()).digest()
    # An odd word is defined for as a divisor too.
    point = {
        name: (digest[k] | 1) % (1 << t.width) for k, (name, t) in enumerate(asked.types.items())
    }
    here = all_of(asked.words[name] == point[name] for name in point)
    wrong = replace(first, law=choose(here, first.law ^ 1, first.law))
    program = _program(replace(asked, equalities=(wrong,)))
    found, words = answer(checker, program, [first.name], seconds)
    if found == OUT_OF_TIME:
        return {}
    seen = {name: words.get(name, 0) % (1 << t.width) for name, t in asked.types.items()}
    if found == PROVEN or seen != point:
        raise VacuousError(f"{asked.question}: {checker.version} does not see a planted fault")
    return point


def _program(asked: _Asked) -> str:
    lines = ['#include "header.h"', "int main() {"]
    for name, t in asked.types.items():
        lines.append(f"const unsigned long long {name}_word = nondet_word();")
        lines.append(f"const {t.cpp_full} {name} = of_word<{t.cpp_full}>({name}_word);")
    words = {name: f"{name}_word" for name in asked.types}
    for k, equality in enumerate(asked.equalities):
        guard, holds = as_c(equality.defined, words, f"d{k}_")
        law, name = as_c(equality.law, words, f"t{k}_")
        lines += ["{", *guard, f"if ({holds}) {{", equality.made, *law]
        lines.append(
            f'__ESBMC_assert(word_of(y) == (unsigned long long){name}, "{equality.name}");'
        )
        lines += ["}", "}"]
    return "\n".join([*lines, "return 0;", "}", ""])
