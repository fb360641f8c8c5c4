"""Bare files of words: ``.mem``, ``.hex``, ``.coe``, ``.mif`` and ``.npy``, read strictly.

A file holds the raw bits of values of one type and nothing else, so that the type has to be named.
Every error names the file, the line, the word, and what is allowed.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from typing import Any

import numpy as np

from harness.golden.files import read_bytes
from harness.golden.record import NUMBERS, Column, GoldenError, Number, digits, word_of

__all__ = ["READERS", "Words", "inputs", "numbers", "parse", "read"]

_BY_DTYPE = {"f2": "float", "f4": "float", "f8": "double"}
_DIGITS = {2: "01", 8: "0-7", 10: "0-9", 16: "0-9a-fA-F"}
#: Characters of the longest number: 1024 binary digits, and as many _.
_LONGEST = 2048
_NAMES = {2: "binary", 8: "octal", 10: "decimal", 16: "hexadecimal"}


@dataclass(frozen=True)
class Words:
    """The words of a file, and the line of each; no lines if it is no text."""

    words: list[int]
    lines: list[int]


def read(path: Path, t: Column) -> Words:
    """The words of type ``t`` in a bare file.

    Args:
        path: a file whose name ends in one of :data:`READERS`.
        t: the type; a number of C++ counts as its bits.

    Raises:
        GoldenError: if it is missing, malformed or truncated, or a word is none of ``t``.
    """
    if path.suffix not in READERS:
        allowed = " ".join(READERS)
        raise GoldenError(path, None, f"is no file of bare words; allowed: {allowed}")
    return parse(path, read_bytes(path), t)


def parse(path: Path, data: bytes, t: Column) -> Words:
    """The same of the content of a file."""
    found = READERS[path.suffix](path, data, t)
    if not found.words:
        raise GoldenError(path, None, f"holds no words of {t}")
    return found


def numbers(name: str, array: Any) -> tuple[Number, list[int]]:
    """The C++ number that the elements of an array are, and the bits of each, in C order.

    float16 and float32 count as ``float``, float64 as ``double``, integers as 64-bit ones.

    Raises:
        ValueError: for a dtype that no C++ number has.
    """
    kind, spelled = array.dtype.kind, _BY_DTYPE.get(array.dtype.str[1:])
    if spelled is None and kind in "iub":
        spelled = "std::uint64_t" if kind == "u" else "std::int64_t"
    if spelled is None:
        raise ValueError(f"{name} is {array.dtype}; allowed: floats up to 64 bits, integers")
    number = NUMBERS[spelled]
    return number, [word_of(x, number) for x in array.ravel().tolist()]


def inputs(path: Path, source: Column | None) -> tuple[Column, Words]:
    """A bare file of inputs: words of ``source``, or the numbers of an ``.npy`` without one.

    Raises:
        GoldenError: if it cannot be read so.
        ValueError: for numbers that C++ does not have.
    """
    if source is not None:
        return source, read(path, source)
    if path.suffix != ".npy":
        reason = "name the type of its words with --source; an .npy of numbers needs none"
        raise GoldenError(path, None, reason)
    number, words = numbers(path.name, _array(path, read_bytes(path)))
    return number, Words(words, [])


class _Text:
    """A text without its comments, and where in it a reader is."""

    def __init__(self, path: Path, data: bytes, comment: str) -> None:
        try:
            text = data.decode("ascii").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise GoldenError(path, line, "is no ASCII text") from None
        self.path = path
        self.text = re.sub(comment, _blank, text, flags=re.MULTILINE | re.DOTALL)
        self.line = 1

    def wrong(self, reason: str) -> GoldenError:
        """An error on the line read last."""
        return GoldenError(self.path, self.line, reason)

    def tokens(self, pattern: str = r"\S+") -> Iterator[str]:
        """What matches, one after the other; ``line`` follows."""
        for number, line in enumerate(self.text.split("\n"), 1):
            for match in re.finditer(pattern, line):
                self.line = number
                yield match[0]

    def number(self, text: str, radix: int, what: str) -> int:
        """A number in a radix; signed if decimal."""
        sign, allowed = "-?" if radix == 10 else "", _DIGITS[radix]
        if len(text) > _LONGEST or not re.fullmatch(f"{sign}[{allowed}][{allowed}_]*", text):
            unknown = ", and no X or Z" if re.search("[xXzZ?]", text) else ""
            raise self.wrong(
                f"{text[:40]!r} is no {what}; allowed: {_NAMES[radix]} digits{unknown}"
            )
        return int(text.replace("_", ""), radix)

    def word(self, text: str, radix: int, t: Column) -> int:
        """A word of ``t``."""
        number = self.number(text, radix, f"word of {t}")
        if not -(1 << t.width - 1) <= number < 1 << t.width:
            most = f"at most {digits(t)} hexadecimal digits, " if radix == 16 else ""
            raise self.wrong(f"{text[:40]} is too wide for {t}; allowed: {most}{t.width} bits")
        return number & ((1 << t.width) - 1)


def _blank(comment: re.Match[str]) -> str:
    """Nothing but the ends of lines, so that lines keep their numbers."""
    return "\n" * comment[0].count("\n") or " "


def _mem(path: Path, data: bytes, t: Column) -> Words:
    """What ``$readmemh`` reads: hexadecimal words, comments, addresses that leave no hole."""
    text = _Text(path, data, r"//[^\n]*|/\*.*?\*/")
    words: list[int] = []
    lines, token, longest = [], "", 0
    for token in text.tokens():
        if token.startswith("@"):
            address = text.number(token[1:], 16, "address")
            if address != len(words):
                raise text.wrong(f"address {token[1:]} does not follow: {len(words):x} is next")
        elif token.startswith(":"):
            raise text.wrong("Intel HEX records are not read; allowed: a hexadecimal word a line")
        else:
            words.append(text.word(token, 16, t))
            lines.append(text.line)
            longest = max(longest, len(token) - token.count("_"))
    if data[-1:] not in (b"\n", b"") and len(token) - token.count("_") < longest:
        raise text.wrong(
            f"the last word, {token}, is shorter than others and has no end: truncated?"
        )
    return Words(words, lines)


_RADIX = {"HEX": 16, "BIN": 2, "OCT": 8, "DEC": 10, "UNS": 10}


def _coe(path: Path, data: bytes, t: Column) -> Words:
    """Xilinx memory coefficients."""
    # A line that begins with ; is a comment, but for a lone one, which may be the end.
    text = _Text(path, data, r"^[ \t]*;[^\n]*\S[^\n]*")
    tokens = dropwhile(";".__eq__, text.tokens(r"[;,=]|[^\s;,=]+"))
    radix_text = _assigned(text, tokens, "memory_initialization_radix")
    if radix_text not in ("2", "10", "16"):
        raise text.wrong(f"radix {radix_text} is unknown; allowed: 2, 10, 16")
    if next(tokens, "") != ";":
        raise text.wrong("the radix must end with ;")
    token = _assigned(text, tokens, "memory_initialization_vector")
    words: list[int] = []
    lines = []
    while token != ";":
        if not token:
            raise text.wrong("the vector has no ; at its end: truncated?")
        if token != ",":
            words.append(text.word(token, int(radix_text), t))
            lines.append(text.line)
        token = next(tokens, "")
    _end(text, tokens, ";")
    return Words(words, lines)


def _assigned(text: _Text, tokens: Iterator[str], name: str) -> str:
    """Take ``name =`` and what follows it."""
    found = next(tokens, ""), next(tokens, "")
    if (found[0].lower(), found[1]) != (name, "="):
        raise text.wrong(f"must be {name}=, not {' '.join(found)[:40]!r}")
    return next(tokens, "")


def _end(text: _Text, tokens: Iterator[str], what: str) -> None:
    for token in tokens:
        raise text.wrong(f"{token[:40]!r} stands after {what}, which is the end")


_RADIX = {"HEX": 16, "BIN": 2, "OCT": 8, "DEC": 10, "UNS": 10}


def _mif(path: Path, data: bytes, t: Column) -> Words:
    """Intel memory initialization: a word for every address below ``DEPTH``, each once."""
    text = _Text(path, data, r"--[^\n]*|%.*?%")
    tokens = text.tokens(r"\.\.|[;=:\[\]]|[^\s;=:\[\].]+")
    depth, address_radix, radix = _mif_header(text, tokens, t)
    found: dict[int, tuple[int, int]] = {}
    for address_range, spelled in _mif_lines(text, tokens):
        ends = [text.number(end, address_radix, "address") for end in address_range]
        words = [text.word(word, radix, t) for word in spelled]
        last = ends[-1] if len(ends) > 1 else ends[0] + len(words) - 1
        if not words or not 0 <= ends[0] <= last < depth:
            raise text.wrong(
                f"{ends[0]} to {last} are no addresses of words below the DEPTH {depth}"
            )
        for k, address in enumerate(range(ends[0], last + 1)):
            if address in found:
                raise text.wrong(f"address {address} has a word already")
            found[address] = words[k % len(words)], text.line
    for address in range(depth):
        if address not in found:
            raise text.wrong(f"the DEPTH is {depth}, and address {address} has no word")
    return Words([found[k][0] for k in range(depth)], [found[k][1] for k in range(depth)])


def _mif_header(text: _Text, tokens: Iterator[str], t: Column) -> tuple[int, int, int]:
    """``DEPTH`` and the radices of addresses and words."""
    facts = {"DEPTH": "", "WIDTH": str(t.width), "ADDRESS_RADIX": "HEX", "DATA_RADIX": "HEX"}
    while (name := next(tokens, "").upper()) != "CONTENT":
        if name not in facts or next(tokens, "") != "=":
            raise text.wrong(f"must be one of {', '.join(facts)}, or CONTENT, not {name[:40]!r}")
        facts[name] = next(tokens, "").upper()
        if next(tokens, "") != ";":
            raise text.wrong(f"{name} must end with ;")
        if name.endswith("RADIX") and facts[name] not in _RADIX:
            allowed = ", ".join(_RADIX)
            raise text.wrong(f"{name} {facts[name][:40]} is unknown; allowed: {allowed}")
        if name == "WIDTH" and text.number(facts[name], 10, name) != t.width:
            raise text.wrong(f"the WIDTH is {facts[name]}, and {t} has {t.width} bits")
    if next(tokens, "").upper() != "BEGIN":
        raise text.wrong("CONTENT must be followed by BEGIN")
    depth = text.number(facts["DEPTH"], 10, "DEPTH")
    return depth, _RADIX[facts["ADDRESS_RADIX"]], _RADIX[facts["DATA_RADIX"]]


def _mif_lines(text: _Text, tokens: Iterator[str]) -> Iterator[tuple[list[str], list[str]]]:
    """An address or the two ends of a range, and the words there; up to ``END``."""
    while (token := next(tokens, "")).upper() != "END":
        line = [token]
        while line[-1] not in (";", ""):
            line.append(next(tokens, ""))
        if not line[-1]:
            raise text.wrong("there is no END: truncated?")
        match line:
            case ["[", low, "..", high, "]", ":", *words, ";"]:
                yield [low, high], words
            case [address, ":", *words, ";"]:
                yield [address], words
            case _:
                shown = " ".join(line)[:40]
                raise text.wrong(f"{shown!r} is no line of the form 'address : word;'")
    if next(tokens, "") != ";":
        raise text.wrong("END must end with ;")
    _end(text, tokens, "END")


def _npy(path: Path, data: bytes, t: Column) -> Words:
    """NumPy integers: codes if signed, words if unsigned, by limbs of 64 bits beyond 64 bits."""
    array = _array(path, data)
    kind, limbs = array.dtype.kind, (t.width + 63) // 64
    if kind not in "iu":
        raise GoldenError(path, None, f"holds {array.dtype}, no words of {t}; allowed: integers")
    if limbs > 1 and kind == "u" and array.dtype.itemsize == 8 and array.shape[-1:] == (limbs,):
        rows = array.reshape(-1, limbs).tolist()
        numbers = [sum(limb << 64 * k for k, limb in enumerate(row)) for row in rows]
    else:
        numbers = array.ravel().tolist()
    low, high = 0, (1 << t.width) - 1
    if kind == "i" and t.signed:
        low, high = -(1 << t.width - 1), high >> 1
    for k, number in enumerate(numbers):
        if not low <= number <= high:
            raise GoldenError(
                path, None, f"element {k}, {number}, is no word of {t}; allowed: {low} to {high}"
            )
    return Words([number & ((1 << t.width) - 1) for number in numbers], [])


def _array(path: Path, data: bytes) -> Any:
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise GoldenError(path, None, f"is no .npy of numbers: {error}") from None
    if not isinstance(array, np.ndarray):
        raise GoldenError(path, None, "is an .npz, no .npy")
    if array.size == 0:
        raise GoldenError(path, None, "is empty")
    return array


#: Who reads which files.
READERS: dict[str, Callable[[Path, bytes, Column], Words]] = {
    ".mem": _mem,
    ".hex": _mem,
    ".coe": _coe,
    ".mif": _mif,
    ".npy": _npy,
}
