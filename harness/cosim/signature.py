"""What a function takes and gives: names, types, shapes and directions of its arguments.

The same record describes a C++ function and an RTL module, so that either can be held against the
other, or against Python.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from keyword import iskeyword
from typing import Any

import numpy as np

from harness.cosim.errors import SignatureError
from harness.cosim.numbers import (
    codes_of_values,
    codes_of_words,
    values_of_codes,
    words_of_codes,
)
from harness.quantize.codes import check_codes
from harness.types import NumberType, parse_type, shown

__all__ = ["RESULT", "Port", "Signature", "some"]

Array = np.ndarray[Any, Any]
#: How what a function returns is called among its outputs.
RESULT = "result"


@dataclass(frozen=True)
class Port:
    """One argument, or a field of one that is a struct.

    Attributes:
        name: its name in the source; ``result`` for what is returned.
        cpp: its type there, without the dimensions.
        type: of its numbers; ``None`` for a struct.
        shape: its dimensions, the outermost first; () for a scalar.
        direction: ``in``, ``out`` or ``inout``.
        stream: whether it is a stream of such values, which adds a leading axis.
        length: how many values a call puts into the stream; ``None`` if nobody has said.
        fields: of a struct.
        pointer: how C++ declares it: ``*`` for a pointer to one value.
    """

    name: str
    cpp: str
    type: NumberType | None
    shape: tuple[int, ...] = ()
    direction: str = "in"
    stream: bool = False
    length: int | None = None
    fields: tuple[Port, ...] = ()
    pointer: bool = False

    @property
    def goes_in(self) -> bool:
        """Whether callers give it."""
        return self.direction != "out"

    @property
    def comes_out(self) -> bool:
        """Whether callers get it."""
        return self.direction != "in"

    @property
    def words(self) -> int:
        """64-bit words of one element."""
        if self.type is None:
            return sum(f.words * f.count for f in self.fields)
        return -(-self.type.width // 64)

    @property
    def count(self) -> int:
        """How many elements the dimensions make."""
        return int(np.prod(self.shape, dtype=np.int64))

    @cached_property
    def record(self) -> Any:
        """What NumPy calls the namedtuple of a struct's fields."""
        return _record(self.cpp, [f.name for f in self.fields])

    def dtype(self, capacity: int) -> Any:
        """How one call's worth of it lies in a row, as a NumPy dtype."""
        if self.stream:
            room = (capacity, *self.shape)
            return np.dtype([("count", "<i8"), ("items", self._element(), room)])
        return np.dtype((self._element(), self.shape)) if self.shape else self._element()

    def _element(self) -> Any:
        if self.type is None:
            return np.dtype([(f.name, f.dtype(0)) for f in self.fields])
        return np.dtype("<i8") if self.words == 1 else np.dtype(("<i8", (self.words,)))

    def facts(self) -> dict[str, Any]:
        """As JSON keeps it."""
        kept = {f.name: getattr(self, f.name) for f in fields(self)}
        inner = [f.facts() for f in self.fields]
        return {**kept, "type": self.type and str(self.type), "fields": inner}

    @classmethod
    def from_facts(cls, kept: Mapping[str, Any]) -> Port:
        """The inverse of :meth:`facts`."""
        return cls(
            **{
                **kept,
                "type": kept["type"] and parse_type(kept["type"]),
                "shape": tuple(kept["shape"]),
                "fields": tuple(map(cls.from_facts, kept["fields"])),
            }
        )

    def __str__(self) -> str:
        dimensions = "".join(f"[{n}]" for n in self.shape)
        kind = f"stream of {self.cpp}{dimensions}" if self.stream else f"{self.cpp}{dimensions}"
        return f"{self.direction} {self.name}: {kind}"

    # What callers give ------------------------------------------------------------------------

    def codes(self, given: Any, *, rows: bool, coded: bool) -> Any:
        """Codes of what a caller gives, in shape; a dict of them for a struct.

        Args:
            given: values, or codes if ``coded``.
            rows: whether it has a leading axis of calls.
            coded: see ``given``.

        Raises:
            SignatureError: for another shape, or a number that the type has not.
        """
        if self.type is None:
            return self._fields_of(given, rows, coded)
        try:
            found = check_codes(given, self.type) if coded else codes_of_values(given, self.type)
        except (TypeError, ValueError) as error:
            raise SignatureError(f"{self.name}: {error}") from None
        return self._shaped(found, rows)

    def _shaped(self, found: Array, rows: bool) -> Array:
        free = int(rows) + int(self.stream)
        if found.shape[free:] == self.shape and found.ndim == free + len(self.shape):
            return found
        if self.shape == (1,) and found.shape == ((len(found),) if free else ()):
            return found.reshape((*found.shape, 1))
        wanted = [*(["calls"] if rows else []), *(["values"] if self.stream else [])]
        shape = ", ".join([*wanted, *map(str, self.shape)])
        raise SignatureError(
            f"{self.name} has the shape {_tuple(shape)}, and {found.shape} was given"
        )

    def _fields_of(self, given: Any, rows: bool, coded: bool) -> dict[str, Any]:
        if hasattr(given, "_asdict"):
            given = given._asdict()
        names = [f.name for f in self.fields]
        if not isinstance(given, Mapping) or set(given) != set(names):
            raise SignatureError(
                f"{self.name} is a struct: give a dict of {', '.join(names)}, not {shown(given)}"
            )
        return {
            f.name: self.field(f).codes(given[f.name], rows=rows, coded=coded) for f in self.fields
        }

    def numbers(self, codes: Any, name: str = "") -> Iterator[tuple[str, NumberType, Any]]:
        """Each number of it: its name, with those of the structs that it is in, type and codes."""
        name = name or self.name
        if self.type is not None:
            yield name, self.type, codes
        for f in self.fields:
            inner = codes[f.name] if isinstance(codes, Mapping) else getattr(codes, f.name)
            yield from f.numbers(inner, f"{name}.{f.name}")

    def field(self, f: Port) -> Port:
        """A field as an argument of its own."""
        name = f"{self.name}.{f.name}"
        return replace(f, shape=self.shape + f.shape, name=name, stream=self.stream)

    def fill(self, block: Array, codes: Any) -> None:
        """Write codes, with a leading axis of calls, into their place in rows."""
        if self.stream:
            count = some(codes).shape[1]
            block["count"] = count
            block = block["items"][:, :count]
        self._fill(block, codes)

    def _fill(self, block: Array, codes: Any) -> None:
        if self.type is None:
            for f in self.fields:
                f._fill(block[f.name], codes[f.name])
        elif self.words == 1:
            block[...] = np.asarray(codes).astype(np.int64, copy=False)
        else:
            block[...] = words_of_codes(codes, self.type)

    # What callers get -------------------------------------------------------------------------

    def taken(self, block: Array, *, coded: bool) -> Any:
        """What rows hold of it, with a leading axis of calls: values, or codes if ``coded``.

        Of a stream whose calls gave different numbers of values it is a list, a call an element.
        """
        if not self.stream:
            return self._taken(block, coded)
        counts = block["count"]
        items = block["items"]
        if len(counts) == 0 or (counts == counts[0]).all():
            return self._taken(items[:, : int(counts[0]) if len(counts) else 0], coded)
        return [self._taken(items[k, : int(n)], coded) for k, n in enumerate(counts)]

    def _taken(self, block: Array, coded: bool) -> Any:
        if self.type is None:
            return self.record(*(f._taken(block[f.name], coded) for f in self.fields))
        codes = block.astype(np.int64) if self.words == 1 else codes_of_words(block, self.type)
        return codes if coded else values_of_codes(codes, self.type)


def some(codes: Any) -> Any:
    """The codes of one number of an argument: all have the same leading axes."""
    while isinstance(codes, Mapping):
        codes = next(iter(codes.values()), ())
    return codes


def _record(name: str, fields: Sequence[str]) -> Any:
    """A namedtuple with C++ names; one that is a word of Python's has an underscore behind it."""
    words = [re.sub(r"\W+", "_", word).strip("_") for word in (name, *fields)]
    kept = [f"{word}_" if iskeyword(word) else word for word in words]
    return namedtuple(kept[0], kept[1:], rename=True)


def _tuple(shape: str) -> str:
    return f"({shape},)" if shape and "," not in shape else f"({shape})"


@dataclass(frozen=True)
class Signature:
    """A function's name, its arguments in order, and whether calls leave something behind.

    Attributes:
        name: of the function or module.
        ports: its arguments; what it returns comes last, as ``result``.
        stateful: whether it has ``static`` state, so that a run is a sequence of calls.
    """

    name: str
    ports: tuple[Port, ...]
    stateful: bool = False

    @cached_property
    def inputs(self) -> tuple[Port, ...]:
        """What callers give, in order."""
        return tuple(p for p in self.ports if p.goes_in)

    @cached_property
    def outputs(self) -> tuple[Port, ...]:
        """What callers get: what is returned first, then the arguments in order."""
        out = [p for p in self.ports if p.comes_out]
        return tuple(sorted(out, key=lambda p: p.name != RESULT))

    @cached_property
    def record(self) -> Any:
        """The namedtuple of several outputs."""
        return _record(self.name, [p.name for p in self.outputs])

    @property
    def types(self) -> dict[str, str]:
        """Types with dimensions by name, as ``rtl(types=...)`` takes them; not of structs."""
        return {
            p.name: f"{p.type}{''.join(f'[{n}]' for n in p.shape)}"
            for p in self.ports
            if p.type is not None
        }

    def bound(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a call by name.

        Raises:
            SignatureError: if one is missing, unknown or given twice.
        """
        names = [p.name for p in self.inputs]
        given = dict(zip(names, args, strict=False))
        wrong = next((k for k in kwargs if k not in names), None)
        if len(args) > len(names) or wrong is not None:
            what = f"no input {wrong!r}" if wrong else f"{len(names)} inputs, not {len(args)}"
            raise SignatureError(f"{self.name} has {what}; it takes {', '.join(names) or 'none'}")
        if twice := next((k for k in kwargs if k in given), None):
            raise SignatureError(f"{self.name} was given {twice} twice")
        given |= kwargs
        if missing := [name for name in names if name not in given]:
            raise SignatureError(f"{self.name} also takes {', '.join(missing)}")
        return given

    def result(self, found: Sequence[Any]) -> Any:
        """Outputs in their order as callers get them: one alone, several as a namedtuple."""
        return found[0] if len(found) == 1 else self.record(*found) if found else None

    def facts(self) -> dict[str, Any]:
        """As JSON keeps it."""
        ports = [p.facts() for p in self.ports]
        return {"name": self.name, "ports": ports, "stateful": self.stateful}

    @classmethod
    def from_facts(cls, kept: Mapping[str, Any]) -> Signature:
        """The inverse of :meth:`facts`."""
        return cls(kept["name"], tuple(map(Port.from_facts, kept["ports"])), kept["stateful"])

    def __str__(self) -> str:
        state = " (with static state)" if self.stateful else ""
        return "\n".join([f"{self.name}{state}", *(f"  {p}" for p in self.ports)])
