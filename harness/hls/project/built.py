"""Shared objects of projects: compiled once for the same sources, and kept beside the kernels.

A large project may take a compiler minutes to optimise; after a limit it is compiled without.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.oracle import CompileError
from harness.oracle.build import FLAGS, Compiler, cache_directory, compile_shared, find_compiler

__all__ = ["shared_object"]

#: Seconds that the compiler is given with optimisation, and then without.
LIMITS = {"-O1": 120, "-O0": 1200}
#: Projects that are kept: those used last.
KEPT = 100


def shared_object(options: Sequence[str], source: Path, folders: Sequence[Path], what: str) -> Path:
    """The shared object of a translation unit, from the cache or compiled.

    Args:
        options: of the compiler, beside those of every kernel.
        source: the translation unit, in a folder of its own, whose other files it includes.
        folders: where all else that it includes is.
        what: how errors call it.

    Raises:
        CompileError: for what the compiler refuses, or does not come back from.
    """
    folder = cache_directory() / "projects"
    compiler = find_compiler()
    name = _digest(compiler, options, source, folders)
    kept = folder / f"{name}.so"
    if _whole(kept):
        os.utime(kept)
        return kept
    built = source.with_name("project.so")
    _compile(compiler, options, source, built, what)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="building-", dir=folder) as scratch:
            aside = Path(shutil.copy(built, scratch))
            mark = Path(scratch, "sum")
            mark.write_text(hashlib.sha256(built.read_bytes()).hexdigest(), encoding="utf-8")
            mark.replace(kept.with_suffix(".sha256"))
            aside.replace(kept)
        _forget(folder)
    except OSError:
        return built  # a cache that cannot be written is no reason to stop
    return kept


def _compile(
    compiler: Compiler, options: Sequence[str], source: Path, built: Path, what: str
) -> None:
    plain = [flag for flag in FLAGS if flag not in LIMITS]
    for level, seconds in LIMITS.items():
        try:
            compile_shared(compiler, [*plain, level, *options], source, built, what, seconds)
            return
        except subprocess.TimeoutExpired:
            continue
    minutes = sum(LIMITS.values()) // 60
    raise CompileError(
        f"{what} did not compile in {minutes} minutes; verify parts of the model as projects of "
        "their own"
    )


def _digest(
    compiler: Compiler, options: Sequence[str], source: Path, folders: Sequence[Path]
) -> str:
    """A name for all that decides the machine code."""
    total = hashlib.sha256("\n".join([compiler.command, compiler.version, *FLAGS]).encode())
    here = str(source.parent)
    for text in (*options, *(p.read_text() for p in sorted(source.parent.glob("*.cpp")))):
        total.update(text.replace(here, ".").encode())
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".h", ".hpp", ".cpp") and path.is_file():
                total.update(str(path.relative_to(folder)).encode())
                total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:32]


def _whole(kept: Path) -> bool:
    """Whether a kept file is there as it was written."""
    try:
        wanted = kept.with_suffix(".sha256").read_text(encoding="utf-8")
        return hashlib.sha256(kept.read_bytes()).hexdigest() == wanted
    except OSError:
        return False


def _forget(folder: Path) -> None:
    """Remove what was not used for longest."""
    found = sorted(folder.glob("*.so"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in found[KEPT:]:
        path.unlink(missing_ok=True)
        path.with_suffix(".sha256").unlink(missing_ok=True)
