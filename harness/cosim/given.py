"""What people name: files, folders and macros, in the forms that they like."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.cosim.errors import SignatureError

__all__ = ["Macros", "Names", "files_of", "folder_of", "folders_of", "macros_of"]

#: A file or folder, and one or several of them.
Name = str | os.PathLike[str]
Names = Name | Sequence[Name]
#: ``["N=8"]`` or ``{"N": 8}``.
Macros = Sequence[str] | Mapping[str, object]


def files_of(given: Names, who: str) -> tuple[Path, ...]:
    """The sources that ``who`` is given, absolute.

    Raises:
        SignatureError: if there are none, or one is not there.
    """
    named = [given] if isinstance(given, str | os.PathLike) else list(given)
    if not named:
        raise SignatureError(f"{who} needs a source")
    return tuple(_there(name, "file") for name in named)


def folders_of(given: Sequence[Name]) -> tuple[Path, ...]:
    """Folders, absolute; raises as :func:`folder_of` does."""
    return tuple(folder_of(name) for name in given)


def folder_of(name: Name) -> Path:
    """A folder, absolute.

    Raises:
        SignatureError: if it is not there.
    """
    return _there(name, "folder")


def macros_of(given: Macros) -> tuple[str, ...]:
    """Macros as a compiler takes them: ``NAME`` or ``NAME=VALUE``."""
    if isinstance(given, Mapping):
        return tuple(k if v is None or v is True else f"{k}={v}" for k, v in given.items())
    return tuple(given)


def _there(name: Name, kind: str) -> Path:
    path = Path(name).expanduser()
    if not (path.is_dir() if kind == "folder" else path.is_file()):
        raise SignatureError(f"there is no {kind} {path}")
    return path.resolve()
