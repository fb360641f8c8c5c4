"""The functions that hls4ml generates for a project: ``firmware/nnet_utils/nnet_code_gen.h``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np

from harness.fixed import Array, Fixed
from harness.hls.layers.terms import (
    BINARY,
    Binary,
    Bit,
    Cast,
    Entry,
    Input,
    Let,
    Number,
    Program,
    Select,
    Shift,
    Term,
    Unary,
    Value,
)
from harness.hls.project.source import BrokenProject, ProjectError, blanked
from harness.types import ApFixed

__all__ = ["FILE", "Generated"]

FILE = "firmware/nnet_utils/nnet_code_gen.h"
_FUNCTION = re.compile(
    r"template ?<\s*typename (\w+), typename (\w+)>\s*void (\w+)\(([^)]*)\)\s*\{", re.DOTALL
)
_PARAMETER = re.compile(r"(\w+) ?(?:\*(\w+)|(\w+)\[(\d+)\])")
_WINDOWS = re.compile(r"class (fill_buffer_\w+) .*?\{(.*?)\n\};", re.DOTALL)
_WRAPPER = re.compile(
    r"struct (\w+) \{\s*static void dense\(\w+ (\w+)\[\d+\], \w+ (\w+)\[\d+\][^)]*\)\s*"
    r"\{\s*(\w+)\((\w+), (\w+)\);"
)
_PART = re.compile(r"partition == +(\d+)")
_SEEN = re.compile(r"(\S+)\[(\d+)\]\[(\d+)\] *= *(?:data\[ *(\d+)\]|(\w+)) *;")
_TYPE = r"ap_u?(?:fixed|int)\s*<[^<>]*>"
_LET = re.compile(rf"({_TYPE}) (\w+) = (.+)", re.DOTALL)
_TABLE = re.compile(rf"static const ({_TYPE}) (\w+)\[\] = \{{(.*)\}}", re.DOTALL)
_ASSIGNED = re.compile(r"(\w+)\[(\d+)\] = (.+)", re.DOTALL)
_CALL = re.compile(
    r"(\w+)\(&(\w+)\[\((\d+) \* (\d+) \+ (\w+)\) \* (\d+)\], "
    r"&(\w+)\[\((\d+) \* (\d+) \+ (\w+)\) \* (\d+)\]\)"
)
_TOKEN = re.compile(
    rf"\s*(?:(?P<type>{_TYPE})|bit_shift\s*<\s*(?P<shift>-?\d+)\s*>"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<symbol>[<>=!]=|[-+*&|^<>~?:()\[\].]))"
)
#: The operators from those that bind least to those that bind most.
_LEVELS = (("|",), ("^",), ("&",), ("==", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*",))


class Generated:
    """The file, read when it is asked for.

    Args:
        root: the project.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / FILE

    @cached_property
    def _text(self) -> str:
        """What it says, without comments and directives; nothing if there is none."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise ProjectError(f"cannot read {FILE}: {error}") from None
        return blanked(text)

    @cached_property
    def _functions(self) -> dict[str, re.Match[str]]:
        return {match[3]: match for match in _FUNCTION.finditer(self._text)}

    def __contains__(self, name: str) -> bool:
        return name in self._functions

    def error(self, offset: int, why: str) -> ProjectError:
        """An error at a place of the file."""
        return ProjectError(f"{FILE}:{self._text.count(chr(10), 0, offset) + 1}: {why}")

    def program(self, name: str, inputs: int) -> Program:
        """What a function computes.

        Args:
            name: the function.
            inputs: how many elements it is given.

        Raises:
            ProjectError: with the line, for what is missing or not understood.
            BrokenProject: if it reads more.
        """
        head = self._head(name)
        (source, count), (target, wanted) = self._parameters(head)
        if count is not None and count > inputs:
            raise BrokenProject(f"{FILE}: {name} reads {count} elements of an array of {inputs}")
        if count not in (None, inputs):
            raise self.error(head.start(3), f"{name} takes {count} elements, it is given {inputs}")
        reader = _Body(source, inputs)
        outputs: dict[int, Term] = {}
        for text, offset in self._statements(head):
            try:
                found = reader.read(text)
            except ValueError as error:
                raise self.error(offset, f"{name}: {error}") from None
            if found is None:
                continue
            array, place, term = found
            if array != target or place in outputs:
                raise self.error(offset, f"{name}: {array}[{place}] is assigned where it cannot be")
            outputs[place] = term
        size = len(outputs) if wanted is None else wanted
        if missing := sorted(set(range(size)) - set(outputs)):
            raise self.error(head.start(3), f"{name} does not write {target}[{missing[0]}]")
        if len(outputs) > size:
            raise self.error(head.start(3), f"{name} writes beyond {target}[{size}]")
        return Program(inputs, tuple(reader.lets), tuple(outputs[k] for k in range(size)))

    def wrapped(self, name: str) -> str:
        """The function that a class calls in the place of a matrix product."""
        found = next((m for m in _WRAPPER.finditer(self._text) if m[1] == name), None)
        if found is None or (found[2], found[3]) != (found[5], found[6]):
            raise ProjectError(f"{FILE} has no class {name} that calls a function")
        return found[4]

    def windows(self, name: str, pixels: int, parts: int, size: int) -> Array:
        """The element of the image that each place of each window sees, -1 for a zero.

        Args:
            name: the class.
            pixels: windows in a part.
            parts: how many there are.
            size: elements of a window.

        Returns:
            (parts * pixels, size).

        Raises:
            ProjectError: if it does not say so of every place.
        """
        found = next((m for m in _WINDOWS.finditer(self._text) if m[1] == name), None)
        if found is None:
            raise ProjectError(f"{FILE} has no class {name}")
        seen = np.full((parts, pixels, size), -2, np.int64)
        heads = [*_PART.finditer(found[2])]
        for k, head in enumerate(heads):
            end = heads[k + 1].start() if k + 1 < len(heads) else len(found[2])
            for m in _SEEN.finditer(found[2], head.end(), end):
                place = (int(head[1]), int(m[2]), int(m[3]))
                inside = all(n < bound for n, bound in zip(place, seen.shape, strict=True))
                if m[1] != "buffer" or m[5] not in (None, "0") or not inside:
                    error = self.error(found.start(2) + m.start(), f"{name}: {m[0]} cannot be")
                    raise error if inside else BrokenProject(f"{error}: it has {pixels} windows")
                seen[place] = -1 if m[4] is None else int(m[4])
        if (seen == -2).any():
            raise self.error(found.start(), f"{name} does not fill every window")
        return seen.reshape(-1, size)

    def called(self, name: str, places: int, inputs: int, outputs: int) -> list[str]:
        """The functions that an einsum's kernel calls, one for each place along the shared axes.

        Args:
            name: the kernel.
            places: the size of the input's own axes.
            inputs: what each of them takes.
            outputs: what each of them gives.

        Raises:
            ProjectError: if it calls them with other elements.
        """
        head = self._head(name)
        found: list[str] = []
        for text, offset in self._statements(head):
            match = _CALL.fullmatch(text)
            row = f"{len(found)} * {places} + l0"
            source, target, _ = (p.split("[")[0].split()[-1] for p in head[4].split(","))
            wanted = f"&{source}[({row}) * {inputs}], &{target}[({row}) * {outputs}]"
            if match is None or text != f"{match[1]}({wanted})":
                raise self.error(offset, f"{name}: {text} is not understood; wanted: f({wanted})")
            found.append(match[1])
        return found

    def _head(self, name: str) -> re.Match[str]:
        if name not in self._functions:
            raise ProjectError(f"{FILE} has no function {name}")
        return self._functions[name]

    def _parameters(self, head: re.Match[str]) -> Iterator[tuple[str, int | None]]:
        """Name and size of what a function reads and writes; no size for a pointer."""
        listed = [_PARAMETER.fullmatch(text.strip()) for text in head[4].split(",")]
        types = [m[1] for m in listed if m]
        if types != [head[1], head[2]] or len(listed) != 2:
            raise self.error(head.start(), f"{head[3]}({head[4].strip()}) is not understood")
        return ((m[2] or m[3], int(m[4]) if m[4] else None) for m in listed if m)

    def _statements(self, head: re.Match[str]) -> Iterator[tuple[str, int]]:
        """The statements of a function, each with its offset."""
        start, depth = head.end(), 1
        for k in re.finditer(r"[{};]", self._text[start:]):
            at = head.end() + k.start()
            depth += (k[0] == "{") - (k[0] == "}")
            if depth == 0:
                if self._text[start:at].strip():
                    raise self.error(start, f"{head[3]}: a statement without its ;")
                return
            if k[0] == ";" and depth == 1:
                text = self._text[start:at]
                yield " ".join(text.split()), start + len(text) - len(text.lstrip())
                start = at + 1
        raise self.error(head.start(3), f"{head[3]} is not ended; is the file complete?")


class _Body:
    """The statements of a function, read in order.

    Attributes:
        lets: its names so far.
    """

    def __init__(self, source: str, inputs: int) -> None:
        self.lets: list[Let] = []
        self._source, self._inputs = source, inputs
        self._places: dict[str, int] = {}
        self._tables: dict[str, Fixed] = {}

    def read(self, text: str) -> tuple[str, int, Term] | None:
        """What a statement assigns to an array: its name, the place, the term."""
        if match := _LET.fullmatch(text):
            term = self._term(match[3])
            if match[2] in self._places:
                raise ValueError(f"{match[2]} is declared twice")
            self._places[match[2]] = len(self.lets)
            self.lets.append(Let(match[2], ApFixed.parse(match[1]), term))
        elif match := _TABLE.fullmatch(text):
            numbers = [float(number) for number in match[3].split(",")]
            self._tables[match[2]] = Fixed.of(np.array(numbers), ApFixed.parse(match[1]))
        elif match := _ASSIGNED.fullmatch(text):
            return match[1], int(match[2]), self._term(match[3])
        else:
            raise ValueError(f"not understood: {text}")
        return None

    def _term(self, text: str) -> Term:
        self._tokens, at = [], 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise ValueError(f"not understood: {text[at:]}")
            self._tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            at = match.end()
        self._tokens.reverse()
        term = self._chosen()
        if self._tokens:
            raise ValueError(f"not understood: {text}")
        return term

    def _next(self) -> tuple[str, str]:
        return self._tokens.pop() if self._tokens else ("end", "the end")

    def _is(self, *symbols: str) -> bool:
        """Whether one of some symbols comes next."""
        return bool(self._tokens) and self._tokens[-1][1] in symbols

    def _expect(self, *symbols: str) -> None:
        for symbol in symbols:
            found = self._next()[1]
            if found != symbol:
                raise ValueError(f"{found} where {symbol} is wanted")

    def _chosen(self) -> Term:
        condition = self._level(0)
        if not self._is("?"):
            return condition
        self._next()
        yes = self._chosen()
        self._expect(":")
        return Select(condition, yes, self._chosen())

    def _level(self, k: int) -> Term:
        """Operators that bind at least so much."""
        if k == len(_LEVELS):
            return self._unary()
        term = self._level(k + 1)
        while self._is(*_LEVELS[k]):
            symbol = self._next()[1]
            assert symbol in BINARY
            term = Binary(symbol, term, self._level(k + 1))
        return term

    def _unary(self) -> Term:
        if not self._is("-", "~"):
            return self._primary()
        symbol = self._next()[1]
        term = self._unary()
        return (
            Number(-term.value)
            if symbol == "-" and isinstance(term, Number)
            else Unary(symbol, term)
        )

    def _primary(self) -> Term:
        kind, text = self._next()
        if kind == "number":
            return Number(int(text) if text.isdecimal() else float(text))
        if kind in ("type", "shift"):
            self._expect("(")
            term = self._chosen()
            self._expect(")")
            if kind == "type":
                return Cast(ApFixed.parse(text), term)
            if not isinstance(term, (Value, Input, Cast, Shift)):
                raise ValueError("bit_shift takes a name or a conversion")
            return Shift(int(text), term)
        if text == "(":
            term = self._chosen()
            self._expect(")")
            return term
        if kind == "name":
            return self._named(text)
        raise ValueError(f"{text} is not understood")

    def _named(self, name: str) -> Term:
        if name in self._tables:
            self._expect("[")
            term = self._named(self._next()[1])
            self._expect(".", "range", "(", ")", "]")
            return self._entry(self._tables[name], term)
        if name == self._source:
            place = self._index()
            if place >= self._inputs:
                raise ValueError(f"{name}[{place}] is beyond its {self._inputs} elements")
            return Input(place)
        if name not in self._places:
            raise ValueError(f"{name} is not declared")
        value = Value(self._places[name])
        if not self._is("["):
            return value
        place, t = self._index(), self.lets[value.place].type
        if place >= t.width:
            raise ValueError(f"{name}[{place}] is no bit of {t}")
        return Bit(place, value)

    def _index(self) -> int:
        self._expect("[")
        kind, text = self._next()
        self._expect("]")
        if kind != "number" or not text.isdecimal():
            raise ValueError(f"[{text}] is no place")
        return int(text)

    def _entry(self, table: Fixed, term: Term) -> Entry:
        if not isinstance(term, Value):
            raise ValueError("a table is indexed by the bits of a name")
        t = self.lets[term.place].type
        if len(table) < 1 << t.width:
            raise ValueError(f"a table of {len(table)} entries is indexed by {t}")
        return Entry(table.type, tuple(table.codes.tolist()), term)
