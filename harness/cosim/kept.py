"""Programs that are kept between runs, by the contents of all the files that they were made of."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.cosim.errors import CosimError
from harness.oracle.build import VARIABLE, cache_directory

__all__ = ["index_of", "keep", "known", "sha256_of"]

#: Seconds after which nobody asks for a program that was replaced.
STALE = 86_400.0


def sha256_of(path: Path) -> str:
    """The checksum of a file's contents."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def index_of(question: str) -> Path:
    """Where what is known of a program is kept, by all else that decides how it is made.

    Raises:
        CosimError: if the cache cannot be written.
    """
    folder = cache_directory() / "cosim"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CosimError(
            f"cannot write the cache {folder}: {error.strerror}; set {VARIABLE}"
        ) from None
    return folder / f"{hashlib.sha256(question.encode()).hexdigest()[:32]}.json"


def known(index: Path) -> tuple[Path, dict[str, Any]] | None:
    """A program and its facts, if every file that it was made of is what it was."""
    try:
        facts = json.loads(index.read_text(encoding="utf-8"))
        path = index.parent / facts["program"]
        if any(sha256_of(Path(name)) != digest for name, digest in facts["files"].items()):
            return None
        return (path, facts) if sha256_of(path) == facts["sha256"] else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def keep(index: Path, program: Path, files: Iterable[str], facts: dict[str, Any]) -> Path:
    """Move a program, which lies in a folder of its own, to where :func:`known` finds it.

    Args:
        index: what it is found by.
        program: the executable.
        files: every file that it was made of.
        facts: what is to be known of it, as JSON keeps it.
    """
    digest = sha256_of(program)
    name = f"{index.stem}-{digest[:16]}"
    made_of = {f: sha256_of(Path(f)) for f in files}
    aside = program.with_name("index.json")
    noted = {"program": name, "sha256": digest, "files": made_of, **facts}
    aside.write_text(json.dumps(noted), encoding="utf-8")
    program.replace(index.parent / name)
    aside.replace(index)
    _sweep(index, name)
    return index.parent / name


def _sweep(index: Path, name: str) -> None:
    """Remove what a source was before, and what a killed compilation left, after a day.

    Not at once: a function that was made before the edit may be called yet.
    """
    before = [p for p in index.parent.glob(f"{index.stem}-*") if p.name != name]
    for path in (*before, *index.parent.glob("building-*")):
        with contextlib.suppress(OSError):  # another process may be quicker
            if time.time() - path.stat().st_mtime > STALE:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
