"""Truth files, written and read: one case a line, and nothing believed unchecked."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

from harness.golden.locate import line_of
from harness.golden.record import (
    OPERATIONS,
    SCHEMA,
    Case,
    Column,
    GoldenError,
    Group,
    Truth,
    digits,
    parse_column,
    spell,
)
from harness.types import result_type

__all__ = ["dumps", "load", "loads", "parse_word"]

_HEX = re.compile(r"[0-9a-f]+")
_TEXTS = ("family", "operation", "path", "generator", "compiler")
_TABLES = ("headers", "witnesses", "flags")
_NUMBERS = ("schema", "seed", "count")


def dumps(truth: Truth) -> str:
    """The text of a truth file: every byte is decided by its content."""
    header = {
        "schema": SCHEMA,
        "family": truth.family,
        "operation": truth.operation,
        "path": truth.path,
        "generator": truth.generator,
        "seed": truth.seed,
        "count": truth.count,
        "compiler": truth.compiler,
        "headers": truth.headers,
        "witnesses": truth.witnesses,
        "flags": truth.flags,
    }
    text = json.dumps(header, indent=2).removesuffix("\n}")
    return f'{text},\n  "groups": [\n' + ",\n".join(map(_group, truth.groups)) + "\n  ]\n}\n"


def _group(group: Group) -> str:
    facts: dict[str, Any] = {
        "id": group.id,
        "operation": group.operation,
        "columns": {name: spell(t) for name, t in group.columns.items()},
        "witness": group.witness,
    }
    if group.note:
        facts["note"] = group.note
    if group.shape:
        facts["shape"] = list(group.shape)
    if group.ends:
        facts["ends"] = list(group.ends)
    if group.start is not None:
        facts["start"] = f"{group.start:0{digits(group.target)}x}"
    facts |= {"count": len(group.cases), "sha256": group.digest}
    rows = ",\n".join("      " + json.dumps(row) for row in group.rows)
    return "    " + json.dumps(facts).removesuffix("}") + ', "cases": [\n' + rows + "\n    ]}"


def load(path: Path | str) -> Truth:
    """The truth file at ``path``.

    Raises:
        GoldenError: if it is missing, no truth file, truncated or tampered with: which line, why.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise GoldenError(path, None, f"cannot be read: {reason}") from None
    return loads(text, path)


def loads(text: str, path: Path | str = "<text>") -> Truth:
    """The truth file that ``text`` is; errors name ``path``."""
    try:
        document = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise GoldenError(path, error.lineno, f"is no JSON: {error.msg}") from None
    except (RecursionError, ValueError) as error:
        raise GoldenError(path, None, f"is no truth file: {error}") from None
    try:
        return _truth(document)
    except _Wrong as wrong:
        raise GoldenError(path, line_of(text, wrong.place), wrong.reason) from None


class _Wrong(Exception):
    """Something in the document: where, as keys and indices, and why."""

    def __init__(self, place: list[str | int], reason: str) -> None:
        super().__init__(reason)
        self.place, self.reason = place, reason


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"a name is given twice: {max(names, key=names.count)}")
    return found


def _fields(
    document: Any, place: list[str | int], needed: tuple[str, ...], more: tuple[str, ...] = ()
) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise _Wrong(place, f"must be an object with {', '.join(needed)}")
    for name in needed:
        if name not in document:
            raise _Wrong(place, f"lacks {name!r}")
    for name in document:
        if name not in needed and name not in more:
            raise _Wrong([*place, name], f"unknown field {name!r}")
    return document


def _typed(fields: dict[str, Any], name: str, kind: type, place: list[str | int]) -> Any:
    value = fields[name]
    if type(value) is not kind:
        raise _Wrong([*place, name], f"{name} must be {_KINDS[kind]}, not {_short(value)}")
    return value


_KINDS = {str: "text", int: "an integer", dict: "an object", list: "an array"}


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 40 else text[:37] + "..."


def _truth(document: Any) -> Truth:
    fields = _fields(document, [], (*_NUMBERS, *_TEXTS, *_TABLES, "groups"))
    if fields["schema"] != SCHEMA:
        shown = _short(fields["schema"])
        raise _Wrong(["schema"], f"schema version {shown} is unknown; this is version {SCHEMA}")
    facts = {name: _typed(fields, name, str, []) for name in _TEXTS}
    seed, count = (_typed(fields, name, int, []) for name in ("seed", "count"))
    tables = {name: _typed(fields, name, dict, []) for name in _TABLES}
    for name, table in tables.items():
        for key, value in table.items():
            if not isinstance(value, str):
                raise _Wrong([name, key], f"{key} must be text, not {_short(value)}")
    documents = _typed(fields, "groups", list, [])
    groups = tuple(_read_group(d, k, tables["flags"]) for k, d in enumerate(documents))
    truth = Truth(groups=groups, seed=seed, **facts, **tables)
    if not truth.count:
        raise _Wrong(["groups"], "there are no cases")
    if truth.count != count:
        raise _Wrong(["count"], f"count is {count}, there are {truth.count} cases")
    return truth


def _read_group(document: Any, k: int, flags: dict[str, str]) -> Group:
    place: list[str | int] = ["groups", k]
    needed = ("id", "operation", "columns", "witness", "count", "sha256", "cases")
    fields = _fields(document, place, needed, ("start", "note", "shape", "ends"))
    if fields["id"] != f"{k:04d}":
        raise _Wrong([*place, "id"], f"id must be {k:04d}, not {_short(fields['id'])}")
    operation = fields["operation"]
    if operation not in OPERATIONS:
        allowed = " ".join(OPERATIONS)
        raise _Wrong(
            [*place, "operation"], f"unknown operation {_short(operation)}; allowed: {allowed}"
        )
    columns = _columns(_typed(fields, "columns", dict, place), operation, [*place, "columns"])
    rows = _typed(fields, "cases", list, place)
    cases = tuple(_cases(rows, columns, len(OPERATIONS[operation][1]), flags, place))
    start = None
    if ("start" in fields) != (operation in ("sum", "product")):
        raise _Wrong(place, "accumulators have a start, and nothing else has")
    if "start" in fields:
        try:
            start = parse_word(fields["start"], columns["expected"])
        except ValueError as error:
            raise _Wrong([*place, "start"], str(error)) from None
    note = _typed(fields, "note", str, place) if "note" in fields else ""
    group = Group(
        fields["id"],
        operation,
        columns,
        _typed(fields, "witness", str, place),
        cases,
        start,
        note,
        _shape(fields, len(cases), place),
        _ends(fields, operation, columns, place),
    )
    if fields["count"] != len(cases):
        count = _short(fields["count"])
        raise _Wrong([*place, "count"], f"count is {count}, there are {len(cases)} cases")
    if fields["sha256"] != group.digest:
        raise _Wrong(place, f"group {group.id} was changed: its SHA-256 is {group.digest}")
    return group


def _shape(fields: dict[str, Any], count: int, place: list[str | int]) -> tuple[int, ...]:
    if "shape" not in fields:
        return ()
    shape = _typed(fields, "shape", list, place)
    if not all(type(n) is int and n > 0 for n in shape) or math.prod(shape) != count:
        raise _Wrong([*place, "shape"], f"{_short(shape)} is no shape of {count} cases")
    return tuple(shape)


def _ends(
    fields: dict[str, Any], operation: str, columns: dict[str, Column], place: list[str | int]
) -> tuple[int, ...]:
    if ("ends" in fields) != (operation == "range"):
        raise _Wrong(place, "a range has ends, and nothing else has")
    if operation != "range":
        return ()
    ends = _typed(fields, "ends", list, place)
    try:
        target = result_type("range", columns["a"], tuple(ends))
    except ValueError as error:
        raise _Wrong([*place, "ends"], str(error)) from None
    if target != columns["expected"]:
        raise _Wrong([*place, "ends"], f"{_short(ends)} are not {columns['expected'].width} bits")
    return tuple(ends)


def _columns(spelled: dict[str, Any], operation: str, place: list[str | int]) -> dict[str, Column]:
    needed = (*OPERATIONS[operation][1], "expected")
    if tuple(spelled)[: len(needed)] != needed:
        raise _Wrong(place, f"the columns of {operation} are {', '.join(needed)}")
    columns = {}
    for name, text in spelled.items():
        try:
            columns[name] = parse_column(text)
        except ValueError as error:
            raise _Wrong([*place, name], str(error)) from None
        if spell(columns[name]) != text:
            raise _Wrong([*place, name], f"{text} is written {spell(columns[name])} in full")
    return columns


def _cases(
    rows: list[Any],
    columns: dict[str, Column],
    inputs: int,
    flags: dict[str, str],
    place: list[str | int],
) -> list[Case]:
    types, found = list(columns.values()), []
    for k, row in enumerate(rows):
        try:
            found.append(_case(row, types, inputs, flags))
        except ValueError as error:
            raise _Wrong([*place, "cases", k], str(error)) from None
    return found


def _case(row: Any, types: list[Column], inputs: int, flags: dict[str, str]) -> Case:
    width = len(types)
    if not isinstance(row, list) or not width <= len(row) <= width + 1:
        raise ValueError(f"a case is {width} words and flags, not {_short(row)}")
    words = [parse_word(word, t) for word, t in zip(row, types, strict=False)]
    marks: list[str] = []
    if len(row) > width:
        marks = row[width].split() if isinstance(row[width], str) else []
        unknown = [mark for mark in marks if mark not in flags]
        if unknown or not marks:
            shown = unknown[0] if marks else _short(row[width])
            raise ValueError(f"the file does not explain the flag {shown}")
    return Case(tuple(words[:inputs]), words[inputs], tuple(marks), tuple(words[inputs + 1 :]))


def parse_word(text: Any, t: Column) -> int:
    """The word that zero-padded lower-case hexadecimal digits spell; ``ValueError`` if none."""
    length = digits(t)
    if not (isinstance(text, str) and len(text) == length and _HEX.fullmatch(text)):
        raise ValueError(f"{_short(text)} is no word of {length} lower-case hexadecimal digits")
    word = int(text, 16)
    if word >> t.width:
        raise ValueError(f"{text} has more than {t.width} bits")
    return word
