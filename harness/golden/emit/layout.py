"""What a format is: how words become files, and how they are read back, strictly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.golden.codec import parse_word
from harness.golden.emit.names import columns_of
from harness.golden.record import Column, GoldenError, Group, digits
from harness.golden.words import parse

__all__ = ["Files", "Format", "Lines", "Stored", "no_extras", "per_column"]

Files = dict[str, bytes]


@dataclass(frozen=True)
class Stored:
    """A group as an index describes it, with the files that hold its words."""

    stem: str
    columns: dict[str, Column]
    count: int
    directory: Path
    files: Files
    sample: int = 1

    def data(self, name: str) -> bytes:
        """The bytes of a file."""
        if name not in self.files:
            raise GoldenError(self.directory / name, None, "is not in the index")
        return self.files[name]

    def lines(self, name: str) -> Lines:
        """The lines of a file."""
        return Lines(self.directory / name, self.data(name))


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        about: what it is for, in a few words.
        write: the files of a group; ``ValueError`` for what the format cannot hold.
        read: the words of each column, from those files.
        extras: files about all groups together.
    """

    about: str
    write: Callable[[Group, str], Files]
    read: Callable[[Stored], list[list[int]]]
    extras: Callable[[Sequence[Group]], Files]


def no_extras(groups: Sequence[Group]) -> Files:  # noqa: ARG001  # one of a kind
    """No files about all groups."""
    return {}


class Lines:
    """The lines of a text file, taken one after the other; every error names the line."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path, self._next = path, 0
        try:
            text = data.decode("ascii")
        except UnicodeDecodeError:
            raise GoldenError(path, None, "is no ASCII text") from None
        if text and not text.endswith("\n"):
            raise GoldenError(path, text.count("\n") + 1, "the last line has no end: truncated?")
        self._lines = text.split("\n")[:-1]

    def wrong(self, reason: str) -> GoldenError:
        """An error at the line taken last."""
        return GoldenError(self.path, max(self._next, 1), reason)

    def take(self, what: str) -> str:
        """The next line, which is to be ``what``."""
        if self._next == len(self._lines):
            raise GoldenError(self.path, self._next + 1, f"{what} is missing: truncated?")
        self._next += 1
        return self._lines[self._next - 1]

    def expect(self, text: str) -> None:
        """Take a line that must be ``text``."""
        line = self.take(repr(text))
        if line != text:
            raise self.wrong(f"must be {text!r}, not {line[:40]!r}")

    def until(self, text: str) -> None:
        """Skip to the line that is ``text``, and past it."""
        while self.take(repr(text)) != text:
            pass

    def match(self, pattern: str, what: str) -> re.Match[str]:
        """Take a line that must match."""
        line = self.take(what)
        found = re.fullmatch(pattern, line)
        if found is None:
            raise self.wrong(f"{line[:40]!r} is not {what}")
        return found

    def word(self, text: str, t: Column) -> int:
        """A word on the line taken last."""
        try:
            return parse_word(text, t)
        except ValueError as error:
            raise self.wrong(str(error)) from None

    def rows(self, count: int, types: Sequence[Column], separator: str) -> list[list[int]]:
        """The words of each column, from that many lines with a word of each; and no more."""
        found: list[list[int]] = [[] for _ in types]
        for _ in range(count):
            words = self.take("a case").split(separator)
            if len(words) != len(types):
                raise self.wrong(f"a case has {len(types)} words, not {len(words)}")
            for column, word, t in zip(found, words, types, strict=True):
                column.append(self.word(word, t))
        self.end()
        return found

    def end(self) -> None:
        """There must be no more lines."""
        if self._next != len(self._lines):
            raise GoldenError(self.path, self._next + 1, "there is more than the index says")


def per_column(
    extension: str,
    write: Callable[[list[str], Column], Iterator[str]],
    about: str,
) -> Format:
    """A format with a file for each column, as lines of words of fixed length."""

    def write_all(group: Group, stem: str) -> Files:
        files, names = {}, columns_of(group.columns)
        for name, t in group.columns.items():
            words = [f"{word:0{digits(t)}x}" for word in group.words(name)]
            text = "".join(f"{line}\n" for line in write(words, t))
            files[f"{stem}.{names[name]}.{extension}"] = text.encode()
        return files

    def read_all(stored: Stored) -> list[list[int]]:
        found, names = [], columns_of(stored.columns)
        for name, t in stored.columns.items():
            file = f"{stored.stem}.{names[name]}.{extension}"
            path = stored.directory / file
            found.append(parse(path, stored.data(file), t).words)
            if (count := len(found[-1])) != stored.count:
                raise GoldenError(path, None, f"has {count} words, the index says {stored.count}")
        return found

    return Format(about, write_all, read_all, no_extras)
