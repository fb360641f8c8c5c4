"""One question to the solver: are two things equal for every input, and what shows that it asked.

A proof is that no input tells subject and law apart.  A solver says the same of a question that
nobody could answer otherwise, because its premises exclude one another, so each proof comes with
the opposite: one input at which a fault is planted in the law, and must be seen.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bitwuzla import Bitwuzla, Option, Options, Result, version

from harness.prove.record import Certificate, Outcome, VacuousError
from harness.prove.smtlib import smtlib
from harness.prove.terms import MANAGER, Truth, Word, all_of, any_of, choose

__all__ = ["Claim", "Pair", "decide", "possible"]

#: Seconds that a question may take, if nobody says otherwise.
SECONDS = 60.0


@dataclass(frozen=True)
class Pair:
    """Two words of one width that are claimed to be equal.

    Attributes:
        name: what the words are of, such as a type or an output.
        subject: what is held against the law.
        law: what is right.
    """

    name: str
    subject: Word
    law: Word


@dataclass(frozen=True)
class Claim:
    """For all inputs, where the premises hold, all pairs are equal.

    Attributes:
        question: what is asked, in a line.
        subject: whose answer it is that is held against the law.
        inputs: by name.
        pairs: what is equal.
        given: what the inputs are known to obey.
    """

    question: str
    subject: str
    inputs: Mapping[str, Word]
    pairs: Sequence[Pair]
    given: Sequence[Truth] = field(default=())


def decide(claim: Claim, seconds: float = SECONDS, *, keep: bool = False) -> Certificate:
    """Prove the claim, or find an input that refutes it.

    Args:
        claim: what is to hold.
        seconds: the time that the solver may take; what is not decided by then is undecided.
        keep: whether the certificate has the question as SMT-LIB text.

    Raises:
        VacuousError: if no input shows a fault that was planted.
    """
    started = time.perf_counter()
    different = [pair.subject != pair.law for pair in claim.pairs]
    query = smtlib((*claim.given, any_of(different)))
    solver = _solver(seconds, claim.given)
    outcome = _first(solver, different, started + seconds)
    found: dict[str, int] = {}
    differs, codes, planted = "", None, None
    if outcome is Outcome.REFUTED:
        found = {name: _value(solver, word) for name, word in claim.inputs.items()}
        answers = (
            (p.name, (_value(solver, p.subject), _value(solver, p.law))) for p in claim.pairs
        )
        differs, codes = next((name, two) for name, two in answers if two[0] != two[1])
    elif outcome is Outcome.PROVEN:
        planted = _planted(claim, seconds)
        outcome = Outcome.UNDECIDED if planted is None else outcome
    return Certificate(
        question=claim.question,
        subject=claim.subject,
        outcome=outcome,
        claims=len(claim.pairs),
        inputs=found,
        differs=differs,
        codes=codes,
        planted=planted or {},
        solver=f"bitwuzla {version()}",
        query_sha256=hashlib.sha256(query.encode()).hexdigest(),
        seconds=time.perf_counter() - started,
        query=query if keep else "",
    )


def _first(solver: Any, different: Sequence[Truth], end: float) -> Outcome:
    """Whether one of them can hold, asked one by one: what is learnt of one serves the next."""
    outcome = Outcome.PROVEN
    for truth in different:
        if time.perf_counter() > end:
            return Outcome.UNDECIDED
        found = _OUTCOMES[solver.check_sat(truth.term)]
        if found is Outcome.REFUTED:
            return found
        if found is Outcome.UNDECIDED:
            outcome = found
    return outcome


def possible(given: Sequence[Truth]) -> bool:
    """Whether some input meets all of it, for all that a solver finds in a moment."""
    return bool(_solver(1.0, given).check_sat() is not Result.UNSAT)


def _planted(claim: Claim, seconds: float) -> dict[str, int] | None:
    """An input at which the first pair's law was made wrong, and seen; ``None`` if out of time."""
    point = _point(claim, seconds)
    if point is None:
        return None
    here = all_of(word == point[name] for name, word in claim.inputs.items())
    first = claim.pairs[0]
    law = choose(here, first.law ^ 1, first.law)
    result = _solver(seconds, (*claim.given, here, first.subject != law)).check_sat()
    if result is Result.UNSAT:
        raise VacuousError(f"{claim.question}: a planted fault is not seen at {point}")
    return point if result is Result.SAT else None


def _point(claim: Claim, seconds: float) -> dict[str, int] | None:
    """Some input that the premises allow; ``None`` if none was found in time."""
    if not claim.given:
        seed = hashlib.sha256(claim.question.encode()).digest()
        drawn = int.from_bytes(seed, "big")
        return {name: drawn % (1 << word.width) for name, word in claim.inputs.items()}
    solver = _solver(seconds, claim.given)
    result = solver.check_sat()
    if result is Result.UNSAT:
        raise VacuousError(f"{claim.question}: no input meets the premises")
    if result is not Result.SAT:
        return None
    return {name: _value(solver, word) for name, word in claim.inputs.items()}


_OUTCOMES = {
    Result.UNSAT: Outcome.PROVEN,
    Result.SAT: Outcome.REFUTED,
    Result.UNKNOWN: Outcome.UNDECIDED,
}


def _solver(seconds: float, given: Sequence[Truth]) -> Any:
    """A solver that has so many seconds, and takes all of it for true."""
    options = Options()
    options.set(Option.PRODUCE_MODELS, True)
    options.set(Option.TIME_LIMIT_PER, max(1, round(1000 * seconds)))
    solver = Bitwuzla(MANAGER, options)
    for truth in given:
        solver.assert_formula(truth.term)
    return solver


def _value(solver: Any, word: Word) -> int:
    return int(solver.get_value(word.term).value(10))
