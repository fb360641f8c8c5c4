"""The committed vectors as a whole: generated, written with their manifest, and checked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import harness
from harness.children import held
from harness.golden import divergences as known
from harness.golden.answer import Question, answered, kernels_of
from harness.golden.codec import dumps
from harness.golden.files import MANIFEST, SCHEMA_FILE, SUMS, golden_directory, sha256, write_aside
from harness.golden.flags import explain
from harness.golden.plan import FILES, File
from harness.golden.record import SCHEMA, Group, Truth
from harness.golden.stream import Stream
from harness.oracle import Oracle
from harness.oracle.headers import kernel_directory
from harness.report.update import Update
from harness.verify.witnesses import MPFR

__all__ = ["Checked", "check", "generate", "manifest", "truth_of", "write"]

SEED = 0
#: The headers that some families need beyond those of fixed point.
_MORE = {
    "minifloat": ("ap_float.h", "minifloat.h"),
    "binary": (
        "hls_stream.h",
        "../nnet_utils/nnet_activation.h",
        "../nnet_utils/nnet_common.h",
        "../nnet_utils/nnet_helpers.h",
    ),
}
_MORE["divergences"] = (*_MORE["minifloat"], *_MORE["binary"])
_BY_MPFR = ("ieee", "vitis")


def truth_of(file: File, groups: Iterable[Group], oracle: Oracle, seed: int = SEED) -> Truth:
    """The truth file of these groups, with where everything in it comes from."""
    groups = tuple(groups)
    used = {flag for group in groups for case in group.cases for flag in case.flags}
    by_mpfr = {file.family} & {*_BY_MPFR, "divergences"}
    witnesses = {MPFR.name: MPFR.version} if by_mpfr else {}
    if file.family == "divergences":
        witnesses |= known.versions()
    return Truth(
        family=file.family,
        operation=file.operation,
        path=file.path,
        seed=seed,
        generator=f"hls-harness {harness.__version__}",
        compiler="none" if file.family in _BY_MPFR else oracle.compiler,
        headers={} if file.family in _BY_MPFR else _headers(oracle, file.family),
        witnesses=witnesses,
        flags=explain(used, known.FLAGS),
        groups=groups,
    )


def _headers(oracle: Oracle, family: str) -> dict[str, str]:
    optional = {name for names in _MORE.values() for name in names}
    needed = _MORE.get(family, ())
    sums = oracle.headers.sums | {
        "minifloat.h": sha256((kernel_directory() / "minifloat.h").read_bytes())
    }
    return {name: sums[name] for name in sorted(sums) if name not in optional or name in needed}


def generate(oracle: Oracle, progress: Update = lambda *_: None) -> dict[str, Truth]:
    """Every truth file, by name.

    Raises:
        Disagreement: if a witness and the reference differ.
    """
    asked = {file: list(file.questions(Stream(SEED, file.name))) for file in FILES}
    wanted = [k for questions in asked.values() for q in questions for k in kernels_of(q)]
    done = 0
    for group in oracle.compile(wanted):
        done += len(group)
        progress(done, len(set(wanted)), "compiling")
    truths = {}
    for k, (file, questions) in enumerate(asked.items()):
        progress(k, len(FILES), "asking the witnesses")
        truths[file.name] = truth_of(file, _answers(questions, oracle), oracle)
    file = File("divergences.json", "divergences", "conversion", "any", lambda _: ())
    found = known.divergences(Stream(SEED, file.name), oracle)
    truths[file.name] = truth_of(file, found, oracle)
    return truths


def _answers(questions: list[Question], oracle: Oracle) -> Iterable[Group]:
    return (answered(question, k, oracle) for k, question in enumerate(questions))


def manifest(truths: dict[str, Truth], texts: dict[str, str]) -> str:
    """The text of ``MANIFEST.json``: what each file has, and how often each flag is raised."""
    flags = Counter(
        flag
        for truth in truths.values()
        for group in truth.groups
        for case in group.cases
        for flag in case.flags
    )
    files = [
        {
            "file": name,
            "family": truth.family,
            "operation": truth.operation,
            "path": truth.path,
            "groups": len(truth.groups),
            "vectors": truth.count,
            "bytes": len(texts[name]),
            "sha256": sha256(texts[name].encode()),
        }
        for name, truth in sorted(truths.items())
    ]
    document = {
        "schema": SCHEMA,
        "generator": f"hls-harness {harness.__version__}",
        "vectors": sum(truth.count for truth in truths.values()),
        "groups": sum(len(truth.groups) for truth in truths.values()),
        "flags": dict(sorted(flags.items())),
        "files": files,
    }
    return json.dumps(document, indent=2) + "\n"


def write(directory: Path, truths: dict[str, Truth]) -> None:
    """Write truth files, schema and manifest and, last, the sums of it all."""
    if not (directory / SCHEMA_FILE).is_file():
        schema = (golden_directory() / SCHEMA_FILE).read_text(encoding="utf-8")
        write_aside(directory / SCHEMA_FILE, schema)
    texts = {name: dumps(truth) for name, truth in truths.items()}
    texts[MANIFEST] = manifest(truths, texts)
    with held():  # all of them, or none
        for name, text in texts.items():
            write_aside(directory / name, text)
        write_aside(directory / SUMS, _sums(texts, directory))


def _sums(texts: dict[str, str], directory: Path) -> str:
    data = {name: text.encode() for name, text in texts.items()}
    data[SCHEMA_FILE] = (directory / SCHEMA_FILE).read_bytes()
    return "".join(f"{sha256(content)}  {name}\n" for name, content in sorted(data.items()))


@dataclass(frozen=True)
class Checked:
    """What a check found: notes if it was made with other tools, differences if it failed."""

    files: int
    vectors: int
    size: int
    notes: tuple[str, ...]
    differences: tuple[str, ...]


def check(directory: Path, truths: dict[str, Truth]) -> Checked:
    """Hold the files of ``directory`` against newly generated ones: every byte.

    The compiler and the versions of witnesses are taken over from the files, and noted: vectors
    that another compiler confirms are the better for it.
    """
    notes, differences, texts = [], [], {}
    for name, fresh in truths.items():
        path = directory / name
        try:
            committed = path.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text in UTF-8"
            differences.append(f"{path}: cannot be read: {why}")
            continue
        truth, made_by = _as_made(fresh, committed)
        texts[name] = dumps(truth)
        if made_by:
            notes.append(f"{name}: written with {made_by}")
        if texts[name] != committed:
            differences.append(_first_difference(path, committed, texts[name]))
    if not differences:
        texts[MANIFEST] = manifest(truths, texts)
        texts[SUMS] = _sums(texts, directory)
        for name in (MANIFEST, SUMS):
            path = directory / name
            text = path.read_bytes().decode(errors="replace") if path.is_file() else ""
            if text != texts[name]:
                differences.append(_first_difference(path, text, texts[name]))
    listed = {*truths, MANIFEST, SCHEMA_FILE}
    for path in sorted(directory.rglob("*.json")):
        if str(path.relative_to(directory)) not in listed:
            differences.append(f"{path}: is no truth file of this version")
    return Checked(
        len(truths),
        sum(truth.count for truth in truths.values()),
        sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()),
        tuple(notes),
        tuple(differences),
    )


def _as_made(fresh: Truth, committed: str) -> tuple[Truth, str]:
    """``fresh`` as if made with the tools that a committed text names, and what these were."""
    try:
        header: dict[str, Any] = json.loads(committed)
        compiler, witnesses = str(header["compiler"]), dict(header["witnesses"])
    except (ValueError, KeyError, TypeError):
        return fresh, ""
    if (compiler, witnesses) == (fresh.compiler, fresh.witnesses):
        return fresh, ""
    shown = [compiler, *(f"{name} {version}" for name, version in witnesses.items())]
    return replace(fresh, compiler=compiler, witnesses=witnesses), ", ".join(shown)


def _first_difference(path: Path, committed: str, fresh: str) -> str:
    pairs = zip_longest(committed.splitlines(), fresh.splitlines(), fillvalue="<end of file>")
    for k, (old, new) in enumerate(pairs):
        if old != new:
            return f"{path}:{k + 1}: has {old.strip()[:80]}, regenerated {new.strip()[:80]}"
    return f"{path}: differs in its line ends"
