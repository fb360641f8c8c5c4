"""What ``defines.h`` and ``parameters.h`` of an hls4ml project say: types and configurations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.fixed import Fixed
from harness.hls.project.source import ProjectError, Source, Statement, evaluate, split_arguments
from harness.types import ApFixed, ApInt

__all__ = ["Config", "Scope", "number", "read_scope"]

_NAME = r"[A-Za-z_]\w*"
_TYPEDEF = re.compile(rf"typedef (.+?) ({_NAME})")
_ALIAS_TYPE = re.compile(rf"using ({_NAME}) = (.+)")
_PACK = re.compile(r"nnet::array ?<(.+), ?([\d* ]+)>")
_USING = re.compile(rf"template ?<[^>]*> ?using ({_NAME}) = (.+)")
_MEMBER = re.compile(
    rf"(?:static |const |constexpr |inline )+(.+?) ?({_NAME})(?:\[.*\])?(?: ?= ?(.+))?"
)
_OUTSIDE = re.compile(rf"const (.+?) ({_NAME})::({_NAME})(?:\[.*?\])? ?= ?(.+)")
#: A struct, or a sublayer of one: its name, and what it derives from.
_STRUCT = re.compile(rf"(?:template ?<> ?)?struct ({_NAME}(?:::{_NAME}<\d+>)?)(?: ?: ?(.+))?")
#: Arrays of weights that a struct refers to, which is told outside of it.
_REFERENCE = re.compile(rf"static const {_NAME} \(&{_NAME}\)\[\d+\]")
_REFERRED = re.compile(rf"const ({_NAME}.*)::{_NAME} \(&\1::({_NAME})\)\[\d+\] ?= ?({_NAME})")
_TABLE = re.compile(rf"(?:static )?(?:const )?unsigned ({_NAME})\[.*?\] ?= ?\{{(.*)\}}")


@dataclass(frozen=True)
class Config:
    """A configuration struct.

    Attributes:
        name: its name.
        place: file and line.
        values: members as they are written.
        types: its typedefs.
        templates: its template aliases, without arguments.
        scope: where names are looked up.
        base: what it derives from, and has members of.
    """

    name: str
    place: str
    values: Mapping[str, str]
    types: Mapping[str, str]
    templates: Mapping[str, str]
    scope: Scope = field(repr=False, compare=False)
    base: str = ""

    def _from_base(self, member: str) -> Config | None:
        """The configuration that it has a member of, if it has none of its own."""
        own = member in self.values or member in self.types
        told = (self.name, member) in self.scope.outside
        return None if own or told else self.scope.configs.get(self.base)

    def text(self, member: str) -> str:
        """What a member is set to; ``ProjectError`` if there is none."""
        if base := self._from_base(member):
            return base.text(member)
        found = self.values.get(member)
        if found is None:
            _, found = self.scope.outside.get((self.name, member), ("", None))
        if found is None:
            raise ProjectError(f"{self.place}: {self.name} has no {member}")
        return found

    def integer(self, member: str, default: int | None = None) -> int:
        """A member's value; ``unsigned`` ones that are -1 are -1."""
        if default is not None and member not in self.values:
            return default
        try:
            return evaluate(self.text(member), self.integer)
        except ProjectError:
            raise
        except ValueError as error:
            raise ProjectError(f"{self.place}: {self.name}::{member}: {error}") from None

    def sides(self, *members: str) -> dict[str, Any]:
        """Members that are arguments of a layer by the same names."""
        return {member: self.integer(member) for member in members}

    def real(self, member: str) -> float:
        """A member that is a floating-point number."""
        try:
            return float(self.text(member).rstrip("f"))
        except ValueError:
            raise ProjectError(
                f"{self.place}: {self.name}::{member} is no number: {self.text(member)}"
            ) from None

    def constant(self, member: str) -> Fixed:
        """A member of an ``ap_fixed`` type, which is set outside of the struct."""
        type_name, _ = self.scope.outside.get((self.name, member), ("", ""))
        t = self.scope.type(type_name, f"{self.place}: {self.name}::{member}")
        return Fixed.of(self.real(member), t)

    def word(self, member: str) -> str:
        """The last word of an enumerator: ``nnet::latency`` is ``latency``."""
        return self.text(member).rpartition("::")[2]

    def alias(self, member: str) -> str:
        """The last word of a template alias: ``nnet::product::mult`` is ``mult``."""
        if member not in self.templates:
            raise ProjectError(f"{self.place}: {self.name} has no {member}")
        return self.templates[member].rpartition("::")[2]

    def type(self, member: str) -> ApFixed:
        """What a typedef names."""
        if base := self._from_base(member):
            return base.type(member)
        if member not in self.types:
            raise ProjectError(f"{self.place}: {self.name} has no {member}")
        return self.scope.type(self.types[member], f"{self.place}: {self.name}::{member}")

    def weight_type(self, member: str) -> ApFixed:
        """What a typedef names; of weights that are powers of two the type of their exponents."""
        found = self.scope.exponents.get(self.types.get(member, ""))
        return self.type(member) if found is None else found

    def inner(self, member: str) -> Config:
        """A configuration that a typedef names."""
        if member not in self.types:
            raise ProjectError(f"{self.place}: {self.name} has no {member}")
        return self.scope.config(self.types[member], self.place)

    def integers(self, member: str) -> tuple[int, ...]:
        """A table of integers."""
        name = self.text(member)
        if name not in self.scope.tables:
            raise ProjectError(f"{self.place}: {self.name}::{member}: there is no {name}")
        return self.scope.tables[name]


@dataclass(frozen=True)
class Scope:
    """What ``defines.h`` and ``parameters.h`` declare.

    Attributes:
        types: typedefs, to types or to what is none of ours; of arrays that pass through streams
            to the types of their elements.
        packs: how many elements those arrays have.
        configs: the configuration structs.
        tables: arrays of integers.
        outside: members of structs that are set outside of them: type and value.
        weights: the weights whose headers are included, in order.
        exponents: of structs of a sign and an exponent the type of the exponent.
    """

    types: dict[str, ApFixed | str] = field(default_factory=dict)
    packs: dict[str, int] = field(default_factory=dict)
    configs: dict[str, Config] = field(default_factory=dict)
    tables: dict[str, tuple[int, ...]] = field(default_factory=dict)
    outside: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    weights: list[str] = field(default_factory=list)
    exponents: dict[str, ApFixed] = field(default_factory=dict)

    def type(self, text: str, what: str) -> ApFixed:
        """The type that a name or a spelling stands for; ``ProjectError`` if it is none of ours."""
        found = self.types.get(text, None) or _type(text)
        if isinstance(found, ApFixed):
            return found
        raise ProjectError(
            f"{what} is {found if found == text else f'{text} = {found}'}; "
            "supported: ap_fixed, ap_ufixed, ap_int, ap_uint"
        )

    def config(self, name: str, place: str) -> Config:
        """A struct by name."""
        if name not in self.configs:
            raise ProjectError(f"{place}: parameters.h has no struct {name}")
        return self.configs[name]


def read_scope(root: Path) -> Scope:
    """``firmware/defines.h`` and ``firmware/parameters.h`` of a project."""
    scope = Scope()
    for name in ("defines.h", "parameters.h"):
        source = Source(root / "firmware" / name, root)
        for statement in source.statements:
            _declare(scope, statement, source)
        scope.weights.extend(re.findall(r'^#include "weights/(\w+)\.h"', source.text, re.MULTILINE))
    return scope


def _declare(scope: Scope, s: Statement, source: Source) -> None:
    place = f"{source.name}:{s.line}"
    if s.body is not None:
        if match := re.fullmatch(rf"typedef struct ({_NAME})", s.text):
            scope.types[match[1]] = "a struct"
            members = [member.text.rpartition(" ") for member in s.body]
            if [name for _, _, name in members] == ["sign", "weight"]:
                sign, exponent = (_type(text) for text, _, _ in members)
                if sign == ApInt(1, signed=False) and isinstance(exponent, ApInt):
                    scope.exponents[match[1]] = exponent
        elif match := _STRUCT.fullmatch(s.text):
            scope.configs[match[1]] = _config(match[1], match[2] or "", s, source, scope)
        else:
            raise source.error(s.line, f"not understood: {s.text} {{")
    elif match := _TYPEDEF.fullmatch(s.text):
        element = match[1]
        if pack := _PACK.fullmatch(element):
            element = pack[1]
            scope.packs[match[2]] = number(pack[2], place)
        scope.types[match[2]] = _type(element, scope.types)
    elif match := _ALIAS_TYPE.fullmatch(s.text):
        scope.types[match[1]] = _type(match[2], scope.types)
    elif match := _TABLE.fullmatch(s.text):
        scope.tables[match[1]] = tuple(number(n, place) for n in split_arguments(match[2]))
    elif match := _REFERRED.fullmatch(s.text):
        scope.outside[match[1], match[2]] = ("", match[3])
    elif match := _OUTSIDE.fullmatch(s.text):
        scope.outside[match[2], match[3]] = (match[1], match[4])
    elif not re.fullmatch(_NAME, s.text):  # the name behind a typedef's struct
        raise source.error(s.line, f"not understood: {s.text}")


def _type(text: str, known: Mapping[str, ApFixed | str] | None = None) -> ApFixed | str:
    """A type; its text if it is none of ours."""
    text = text.strip()
    if known and text in known:
        return known[text]
    try:
        return ApFixed.parse(text)
    except ValueError:
        return text


def _config(name: str, base: str, s: Statement, source: Source, scope: Scope) -> Config:
    values: dict[str, str] = {}
    types: dict[str, str] = {}
    templates: dict[str, str] = {}
    for member in s.body or ():
        if member.body == () or _REFERENCE.fullmatch(member.text):
            pass  # what is told outside: weights, and the sublayers of a stack
        elif match := _TYPEDEF.fullmatch(member.text):
            types[match[2]] = match[1]
        elif match := _USING.fullmatch(member.text):
            templates[match[1]] = match[2].partition("<")[0].strip()
        elif match := _MEMBER.fullmatch(member.text):
            if match[3] is not None:
                values[match[2]] = match[3]
        else:
            raise source.error(member.line, f"not understood in {name}: {member.text}")
    return Config(name, f"{source.name}:{s.line}", values, types, templates, scope, base)


def number(text: str, place: str) -> int:
    """An integer constant expression without names."""

    def unknown(name: str) -> int:
        raise ValueError(f"{name} is not known here")

    try:
        return evaluate(text, unknown)
    except ValueError as error:
        raise ProjectError(f"{place}: {error}") from None
