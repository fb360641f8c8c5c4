"""Files that are there whole or not at all, and the folder of the committed vectors."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from harness.golden.record import GoldenError

__all__ = [
    "MANIFEST",
    "SCHEMA_FILE",
    "SUMS",
    "check_digest",
    "check_sums",
    "golden_directory",
    "read_bytes",
    "read_sums",
    "sha256",
    "to_write",
    "write_aside",
]

SUMS, MANIFEST, SCHEMA_FILE = "SHA256SUMS", "MANIFEST.json", "schema.json"


def golden_directory() -> Path:
    """The committed vectors: inside the installed package, or beside it in a checkout.

    Raises:
        GoldenError: if they are in neither place.
    """
    package = Path(__file__).resolve().parent.parent
    for candidate in (package / "_golden", package.parent / "golden"):
        if (candidate / "rtl").is_dir():
            return candidate
    raise GoldenError(package, None, "the package is incomplete: golden/ is missing; reinstall it")


def to_write(directory: Path | None) -> Path:
    """Where truth files may be written: the folder named, else the committed ones of a checkout.

    Raises:
        GoldenError: if that is inside an installed package, which is not the user's to change.
    """
    own = golden_directory()
    chosen = (directory or own).resolve()
    if own.name != "_golden" or not chosen.is_relative_to(own.parent):
        return directory or own
    remedy = "name a folder: harness golden write DIR"
    raise GoldenError(chosen, None, f"belongs to the installed package; {remedy}")


def write_aside(path: Path, content: str | bytes) -> None:
    """Write a file under another name and rename it, so that nobody ever sees half of it."""
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def sha256(data: bytes) -> str:
    """The digest, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read_sums(directory: Path) -> dict[str, str]:
    """The digests that ``SHA256SUMS`` lists, by file name.

    Raises:
        GoldenError: if it is missing, empty, or a line of it is no sum.
    """
    path = directory / SUMS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise GoldenError(path, None, "cannot be read; `make golden` writes it") from None
    sums = {}
    for k, line in enumerate(lines):
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name:
            raise GoldenError(path, k + 1, "is no line of the form 'sha256  file'")
        sums[name] = digest
    if not sums:
        raise GoldenError(path, None, "lists nothing")
    return sums


def check_sums(directory: Path) -> None:
    """Hold every file that ``SHA256SUMS`` lists against its digest.

    Raises:
        GoldenError: for the first one that is missing or was changed.
    """
    for name, digest in read_sums(directory).items():
        check_digest(directory / name, read_bytes(directory / name), digest, SUMS)


def read_bytes(path: Path) -> bytes:
    """The content of a file; ``GoldenError`` if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise GoldenError(path, None, f"cannot be read: {error.strerror}") from None


def check_digest(path: Path, data: bytes, digest: str, listed_by: str) -> None:
    """``GoldenError`` unless ``data`` has the digest that a list has for the file."""
    if sha256(data) != digest:
        raise GoldenError(path, None, f"is not the file that {listed_by} lists")
