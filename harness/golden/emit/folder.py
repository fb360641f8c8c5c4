"""A folder of emitted vectors: an index that says what every file holds, and the files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.golden.emit.benches import RTL
from harness.golden.emit.languages import CPP, SV, VHDL
from harness.golden.emit.layout import Files, Format, Stored
from harness.golden.emit.memories import COE, MEM, MIF
from harness.golden.emit.names import stem_of
from harness.golden.emit.tables import CSV, DAT, NPZ
from harness.golden.files import check_digest, read_bytes, sha256, write_aside
from harness.golden.record import (
    OPERATIONS,
    Case,
    GoldenError,
    Group,
    digits,
    parse_column,
    sample_of,
    spell,
)

__all__ = ["FORMATS", "INDEX", "Emitted", "emit", "read"]

INDEX = "index.json"
FORMATS = {
    "mem": MEM,
    "coe": COE,
    "mif": MIF,
    "dat": DAT,
    "sv": SV,
    "vhdl": VHDL,
    "cpp": CPP,
    "npz": NPZ,
    "csv": CSV,
    "rtl": RTL,
}
#: Formats whose files are named by place alone, as the testbenches count them.
_BY_PLACE = (RTL,)


@dataclass(frozen=True)
class Emitted:
    """A folder that was written: its files, and how many vectors they have."""

    files: int
    groups: int
    vectors: int


def emit(groups: Sequence[Group], name: str, stem: str, directory: Path) -> Emitted:
    """Write groups to ``directory`` in the format ``name``, the index last.

    A file's name begins with ``stem``, as every language takes it, and the group's id.

    Raises:
        ValueError: for an unknown format, no groups, or words that the format cannot hold; then
            nothing is written.
        GoldenError: if the folder holds something else.
    """
    if name not in FORMATS:
        raise ValueError(f"unknown format {name!r}; allowed: {', '.join(FORMATS)}")
    if not groups or not all(group.cases for group in groups):
        raise ValueError("there are no vectors to emit")
    form, stem = FORMATS[name], stem_of(stem)
    files: Files = {}
    entries = []
    for k, group in enumerate(groups):
        here = f"{k:04d}" if form in _BY_PLACE else f"{stem}_{group.id}"
        try:
            written = form.write(group, here)
        except ValueError as error:
            raise ValueError(f"group {group.id}: {error}") from None
        files |= written
        entries.append(_entry(group, here, written))
    extras = form.extras(groups)
    index = {
        "format": name,
        "vectors": sum(len(group.cases) for group in groups),
        "extras": {file: sha256(data) for file, data in extras.items()},
        "groups": entries,
    }
    _clear(directory)
    for file, data in {**files, **extras}.items():
        write_aside(directory / file, data)
    write_aside(directory / INDEX, json.dumps(index, indent=1) + "\n")
    return Emitted(len(files) + len(extras), len(groups), int(str(index["vectors"])))


def _entry(group: Group, stem: str, files: dict[str, bytes]) -> dict[str, Any]:
    entry = {
        "id": group.id,
        "operation": group.operation,
        "columns": {name: spell(t) for name, t in group.columns.items()},
        "stem": stem,
        "count": len(group.cases),
        "files": {name: sha256(data) for name, data in files.items()},
    }
    if group.shape:
        entry["shape"] = list(group.shape)
    if group.ends:
        entry["ends"] = list(group.ends)
    if group.start is not None:
        entry["start"] = f"{group.start:0{digits(group.target)}x}"
    return entry


def _clear(directory: Path) -> None:
    """Take away what an index lists, the index first; refuse a folder of something else."""
    if not directory.exists():
        return
    if not directory.is_dir():
        raise GoldenError(directory, None, "is no folder")
    if not any(directory.iterdir()):
        return
    if not (directory / INDEX).is_file():
        raise GoldenError(directory, None, "holds something else; name an empty or a new folder")
    index = _index(directory)
    names = list(index["extras"]) + [file for entry in index["groups"] for file in entry["files"]]
    (directory / INDEX).unlink()
    for name in names:
        (directory / name).unlink(missing_ok=True)


def _index(directory: Path) -> dict[str, Any]:
    path = directory / INDEX
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        facts = [index["format"], index["vectors"], dict(index["extras"]), list(index["groups"])]
        for entry in index["groups"]:
            facts += [entry["id"], entry["stem"], int(entry["count"]), dict(entry["files"])]
            facts += [OPERATIONS[entry["operation"]], dict(entry["columns"])]
            for name in entry["files"]:
                if Path(name).is_absolute() or ".." in Path(name).parts:
                    raise ValueError(f"{name} lies outside the folder")
    except OSError as error:
        raise GoldenError(path, None, f"cannot be read: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise GoldenError(path, error.lineno, f"is no JSON: {error.msg}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise GoldenError(path, None, f"is no index of vectors: {error}") from None
    if index["format"] not in FORMATS:
        raise GoldenError(path, None, f"the format {index['format']!r} is unknown")
    result: dict[str, Any] = index
    return result


def read(directory: Path) -> tuple[Group, ...]:
    """The groups in a folder that :func:`emit` wrote, without their flags.

    Raises:
        GoldenError: if a file is missing, malformed, short, long, or not the one that was written.
    """
    index = _index(directory)
    form = FORMATS[index["format"]]
    groups = tuple(_read_group(entry, form, directory) for entry in index["groups"])
    extras = {name: read_bytes(directory / name) for name in index["extras"]}
    _hold(extras, index["extras"], directory)
    if sum(len(group.cases) for group in groups) != index["vectors"]:
        raise GoldenError(directory / INDEX, None, "the count of vectors is not that of its groups")
    return groups


def _read_group(entry: dict[str, Any], form: Format, directory: Path) -> Group:
    try:
        columns = {name: parse_column(text) for name, text in entry["columns"].items()}
        start = int(entry["start"], 16) if "start" in entry else None
    except (ValueError, TypeError) as error:
        raise GoldenError(directory / INDEX, None, str(error)) from None
    files = {name: read_bytes(directory / name) for name in entry["files"]}
    # The content first: it tells the line of what is wrong, which a digest cannot.
    count, shape = int(entry["count"]), tuple(entry.get("shape", ()))
    stored = Stored(entry["stem"], columns, count, directory, files, sample_of(shape))
    words = form.read(stored)
    _hold(files, entry["files"], directory)
    inputs = len(OPERATIONS[entry["operation"]][1])
    cases = tuple(
        Case(row[:inputs], row[inputs], (), row[inputs + 1 :]) for row in zip(*words, strict=True)
    )
    return Group(
        entry["id"],
        entry["operation"],
        columns,
        "",
        cases,
        start,
        shape=shape,
        ends=tuple(entry.get("ends", ())),
    )


def _hold(files: Files, sums: dict[str, str], directory: Path) -> None:
    for name, data in files.items():
        check_digest(directory / name, data, sums[name], INDEX)
