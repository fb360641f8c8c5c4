"""Run a verification: compile what is missing, ask as answers become possible, sum up."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np

from harness.extras import need
from harness.oracle import Oracle, OracleError
from harness.oracle.kernels import Kernel
from harness.types import ApFixed, BinaryFloat, NumberType, as_array, as_number_type
from harness.verify import cases
from harness.verify.engine import SubjectError, differing, examine, simplest
from harness.verify.fixed_questions import FixedQuestion, FromNumber
from harness.verify.float_cases import float_doubles_for
from harness.verify.float_profiles import questions_about
from harness.verify.float_questions import Plain, Witnessed
from harness.verify.minifloat_questions import FloatCast, MiniFloatNumber
from harness.verify.other_questions import Chance
from harness.verify.profiles import PROFILES, Profile, questions_for
from harness.verify.questions import HAS_TORCH, Answer, Question
from harness.verify.records import Domain, Mismatch, Tally, Verdict
from harness.verify.subjects import Implementation, guarded

__all__ = ["Progress", "default_cases", "run", "verify"]

#: Told how many questions are answered of how many, and how many codes were compared.
Progress = Callable[[int, int, int], None]
#: The numbers that a type asked for by name is constructed from.
NUMBERS = ("double", "float", "std::int64_t")
#: Kernels that cling compiles in this process, as a second compiler's opinion.
WITNESSES = 6


def verify(
    subject: Implementation,
    truth: Implementation,
    types: Iterable[NumberType | str],
    cases: Callable[[Any], Any] | None = None,
    *,
    seed: int = 0,
) -> Verdict:
    """Hold one implementation against another.

    Args:
        subject: a function from a float64 array and a type to codes or values.
        truth: another; for example ``Oracle().codes``.
        types: the types to try, or their spellings.
        cases: the inputs for a type; by default breakpoints, bounds and random values, seeded.
        seed: of the default inputs.

    Returns:
        The verdict; at most one mismatch per type, the simplest.

    Raises:
        SubjectError: if an implementation raises, or returns another shape or dtype.
    """
    started = time.perf_counter()
    inputs_for = cases or default_cases(seed)
    subject, truth = guarded(subject, "the subject"), guarded(truth, "the truth")
    tallies, mismatches = [], []
    for t in _types(types):
        x = as_array(inputs_for(t))
        expected = np.asarray(truth(x, t))
        if expected.dtype.kind not in "iuO" or expected.shape != x.shape:
            raise SubjectError(f"the truth must return codes in the shape of its input, on {t}")
        expected = expected.view(np.int64) if expected.dtype == np.uint64 else expected
        wrong, got = differing(subject(x, t), expected, t)
        tallies.append(Tally("double", t, x.size, wrong.size))
        if wrong.size:
            mismatches.append(_plain_mismatch(t, x.ravel(), expected.ravel(), got.ravel(), wrong))
    seconds = time.perf_counter() - started
    return Verdict(tuple(tallies), tuple(mismatches), seed=seed, seconds=seconds)


def _types(types: Iterable[NumberType | str]) -> list[NumberType]:
    """Types, some of them spelled; a text alone is one type, not its letters."""
    return [as_number_type(t) for t in ([types] if isinstance(types, str) else types)]


def default_cases(seed: int) -> Callable[[Any], Any]:
    """What :func:`verify` asks about a type: breakpoints, bounds and random values, by seed."""

    def inputs(t: NumberType) -> Any:
        rng = np.random.default_rng(seed)
        if isinstance(t, BinaryFloat):
            return float_doubles_for(t, 4000, rng, exhaustive_width=10)
        as_fixed = t if isinstance(t, ApFixed) else ApFixed(4, 2)
        x = cases.doubles_for(as_fixed, 4000, rng)
        return x if isinstance(t, ApFixed) else x[~np.isnan(x)]

    return inputs


def _plain_mismatch(t: NumberType, x: Any, expected: Any, got: Any, wrong: Any) -> Mismatch:
    if not isinstance(t, ApFixed):
        return simplest(Plain(t), "subject", (x,), got, expected, wrong)
    number = {"f": "double", "u": "std::uint64_t"}.get(x.dtype.kind, "std::int64_t")
    question = FromNumber(number, t)
    return simplest(question, "subject", (x,), got, expected, wrong)


def run(
    profile: str | Profile = "quick",
    *,
    oracle: Oracle,
    seed: int = 0,
    types: Sequence[NumberType | str] = (),
    subject: Implementation | None = None,
    subject_name: str = "harness.quantize",
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Ask everything a profile asks, with the vendor's C++ as the truth.

    Args:
        profile: a name in ``PROFILES``, or a profile.
        oracle: the C++.
        seed: decides types and inputs.
        types: ask about these only, types or their spellings, from numbers, instead of the pool.
        subject: the user's own quantizer, asked on the double path instead of ours; without
            ``types``, about fixed point alone.
        subject_name: what the report calls the subject.
        jobs: compilers to run at once; by default one per core.
        progress: told after every question.

    Raises:
        MissingExtra: if a witness of floats is not installed.
        OracleError: if there is no truth to be had.
        SubjectError: if the subject is no quantizer.
    """
    for module in ("gmpy2", "ml_dtypes"):  # witnesses, which would be missed in silence
        need(module, "harness verify", "verify")
    started, when = time.perf_counter(), f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    chosen = PROFILES[profile] if isinstance(profile, str) else profile
    rng = np.random.default_rng(seed)
    if types:
        asked = [question for t in _types(types) for question in _about(t, rng)]
    else:
        asked = questions_for(chosen, rng)
    if subject is not None:
        # A stranger's quantizer knows fixed point; other types are asked about by name.
        asked = [q for q in asked if _is_from_double(q) and (types or isinstance(q, FromNumber))]
    findings = []
    checks = 0
    for question in _in_order(asked, oracle, jobs):
        inputs = question.inputs(chosen.doubles, rng_of(seed, question), chosen.exhaustive_width)
        answers = _answers(question, subject, subject_name)
        finding = examine(question, oracle, inputs, answers, chosen.exhaustive_width)
        findings.append(finding)
        checks += finding.tally.checks
        if progress is not None:
            progress(len(findings), len(asked), checks)
    notes = (*_provenance(oracle), _second_opinion(asked, oracle, seed))
    return Verdict(
        tallies=tuple(f.tally for f in findings),
        mismatches=tuple(m for f in findings for m in f.mismatches),
        domains=_domains(asked, oracle),
        unwitnessed=tuple(f.unwitnessed for f in findings if f.unwitnessed is not None),
        subject=subject_name,
        truth=oracle.headers.label,
        profile=profile if isinstance(profile, str) else "custom",
        seed=seed,
        seconds=time.perf_counter() - started,
        notes=notes,
        when=when,
    )


def _about(t: NumberType, rng: np.random.Generator) -> Sequence[Question]:
    """What is asked about a type that was asked for by name."""
    if not isinstance(t, ApFixed):
        return questions_about(t, rng)
    return [Chance(t)] if t.rounding.stochastic else [FromNumber(n, t) for n in NUMBERS]


def _is_from_double(question: Question) -> bool:
    """Whether a user's quantizer of doubles can answer."""
    if isinstance(question, FromNumber):
        return question.number == "double"
    return isinstance(question, Witnessed | MiniFloatNumber)


def _domains(asked: Sequence[Question], oracle: Oracle) -> tuple[Domain, ...]:
    """Where the vendor's ap_float.h was asked, and where it is no truth."""
    minis = [q for q in asked if isinstance(q, MiniFloatNumber | FloatCast)]
    valid = [q.domain for q in minis if oracle.refusal(q.kernel) is None]
    return tuple(Domain(d.type, str(d.source), d.describe()) for d in valid if d is not None)


def rng_of(seed: int, question: Question) -> np.random.Generator:
    """A generator of one question's own, so that its inputs do not depend on the order."""
    return np.random.default_rng([seed, *question.key.encode()])


def _answers(question: Question, subject: Implementation | None, name: str) -> list[Answer] | None:
    if subject is None:
        return None
    t = question.target
    return [(name, None, lambda inputs: subject(inputs[0], t))]


def _in_order(asked: Sequence[Question], oracle: Oracle, jobs: int | None) -> Iterator[Question]:
    """The questions, each as soon as its kernel is compiled; the others while compilers work."""
    waiting: dict[str, list[Question]] = {}
    wanted: list[Kernel] = []
    ready: list[Question] = []
    for question in asked:
        kernel = question.kernel
        if kernel is None or oracle.refusal(kernel) is not None:
            ready.append(question)
            continue
        wanted.append(kernel)
        waiting.setdefault(kernel.cpp, []).append(question)
    with contextlib.closing(oracle.compile(wanted, jobs)) as groups:
        for count, group in enumerate(groups):
            for kernel in group:
                yield from waiting.pop(kernel.cpp)
            if count == 1:
                yield from ready
                ready = []
    yield from ready


def _provenance(oracle: Oracle) -> tuple[str, ...]:
    notes = [f"compiled by {oracle.compiler}"]
    if not HAS_TORCH:
        notes.append("torch is not installed: its quantizers were not checked")
    return tuple(notes)


def _second_opinion(asked: Sequence[Question], oracle: Oracle, seed: int) -> str:
    """Compile a few kernels with cling, here and now, and compare with the C++ compiler's.

    Raises:
        OracleError: if the two compilers make different codes of the same headers.
    """
    kernels: dict[Any, Any] = {q: q.kernel for q in asked if isinstance(q, FixedQuestion)}
    fit = [q for q, k in kernels.items() if k.narrow and oracle.refusal(k) is None]
    if not fit or not oracle.headers.pinned:
        return "no kernel was compiled by cling in this process"
    rng = np.random.default_rng(seed)
    chosen = [fit[k] for k in rng.choice(len(fit), min(WITNESSES, len(fit)), replace=False)]
    jit = oracle.jit([kernels[q] for q in chosen])
    for question in chosen:
        inputs = question.inputs(2000, rng_of(seed, question), 8)
        if not np.array_equal(question.ask(jit, inputs), question.ask(oracle, inputs)):
            raise OracleError(f"cling and {oracle.compiler} differ on {question.label}")
    return f"the same codes from cling, JIT-compiled in this process; kernels: {len(chosen)}"
