"""Golden vectors replayed on the Python quantizers: no compiler, no cppyy, no torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.golden.codec import load
from harness.golden.emit import INDEX, read
from harness.golden.files import MANIFEST, SCHEMA_FILE, check_sums, read_sums
from harness.golden.locate import line_of
from harness.golden.record import (
    ACCUMULATORS,
    Case,
    Column,
    GoldenError,
    Group,
    Number,
    Truth,
    code_of,
    columns_for,
    digits,
    operands,
    word_of,
)
from harness.golden.words import READERS, inputs
from harness.golden.words import read as read_words
from harness.quantize import cast_codes, compute_codes, quantize_codes
from harness.types import Operation, result_type

__all__ = [
    "Difference",
    "Replayed",
    "answer",
    "committed",
    "differences",
    "replay",
    "replay_path",
    "replay_words",
]


@dataclass(frozen=True)
class Difference:
    """A vector that Python answers otherwise."""

    group: str
    operation: str
    types: str
    inputs: str
    got: str
    expected: str
    index: int
    line: int | None = None

    def at(self, name: str) -> str:
        """One line, with the line of the file that the vector stands on if it is a text."""
        path = Path(name)
        where = f"group {self.group}, vector {self.index + 1}"
        if self.line is not None:
            where = str(self.line)
        elif path.suffix in READERS:
            where = f"element {self.index}"
        elif path.is_file():
            place: list[str | int] = ["groups", int(self.group), "cases", self.index]
            where = str(line_of(path.read_text(encoding="utf-8"), place))
        return (
            f"{name}:{where}: {self.operation} {self.types}: {self.inputs} => got {self.got}, "
            f"expected {self.expected}"
        )


@dataclass(frozen=True)
class Replayed:
    """What became of a truth file."""

    groups: int
    vectors: int
    differences: tuple[Difference, ...]


def committed(directory: Path) -> dict[str, Truth]:
    """The truth files that ``SHA256SUMS`` lists, by name.

    Each is read first, because that tells the line of what is wrong, and then held to its sum.

    Raises:
        GoldenError: if one is missing, malformed or was changed.
    """
    names = [name for name in read_sums(directory) if name not in (MANIFEST, SCHEMA_FILE)]
    truths = {name: load(directory / name) for name in names}
    check_sums(directory)
    if not truths:
        raise GoldenError(directory, None, "has no truth file")
    return truths


def replay_path(path: Path) -> Iterator[tuple[str, Replayed]]:
    """Replay a truth file, a folder of them with its sums, or an emitted folder, by name.

    Raises:
        GoldenError: if it is none of these, malformed, or was changed.
    """
    if path.suffix in READERS:
        raise GoldenError(path, None, "holds words alone; name what is expected: --expect, --type")
    if path.is_file():
        yield str(path), replay(load(path).groups)
    elif (path / INDEX).is_file():
        yield str(path), replay(read(path))
    elif not path.exists():
        raise GoldenError(path, None, "is neither a truth file nor a folder of vectors")
    else:
        for name, truth in committed(path).items():
            yield str(path / name), replay(truth.groups)


def replay_words(
    paths: Sequence[Path],
    expect: Path,
    target: Any,
    sources: Sequence[Column | None],
    op: str = "",
    ends: tuple[int, ...] = (),
) -> Replayed:
    """Replay bare files: the inputs of each operand, and the words expected.

    Args:
        paths: a file for each input column, in order.
        expect: the file of the words expected.
        target: their type; ``None`` for that of the operator's result.
        sources: the type of each input; ``None`` for the numbers of an ``.npy``.
        op: an operator; without one the input is converted or cast.
        ends: the bits (hi, lo) of ``range``.

    Raises:
        GoldenError: if a file is malformed, or the files have different counts of words.
        ValueError: if the types do not suit the operation.
    """
    if len(paths) != len(sources):
        raise ValueError(f"{op or 'a cast'} takes {len(sources)} files of inputs, not {len(paths)}")
    read_all = [inputs(path, source) for path, source in zip(paths, sources, strict=True)]
    types = [t for t, _ in read_all]
    operation = op or ("convert" if isinstance(types[0], Number) else "cast")
    if op:
        second = types[1] if Operation.parse(op).binary else None
        result = result_type(op, types[0], ends or second)
        if target not in (None, result):
            raise ValueError(f"the result is {result}, not {target}; leave --type out")
        target = result
    expected = read_words(expect, target)
    for path, (_, given) in zip(paths, read_all, strict=True):
        if len(given.words) != len(expected.words):
            reason = f"has {len(expected.words)} words, {path} has {len(given.words)}"
            raise GoldenError(expect, None, reason)
    rows = zip(*(given.words for _, given in read_all), strict=True)
    cases = tuple(Case(row, word) for row, word in zip(rows, expected.words, strict=True))
    group = Group("0000", operation, columns_for(operation, types, target), "", cases, ends=ends)
    found = replay([group])
    if not expected.lines:
        return found
    lined = (replace(d, line=expected.lines[d.index]) for d in found.differences)
    return replace(found, differences=tuple(lined))


def replay(groups: Sequence[Group]) -> Replayed:
    """Every vector, answered by the quantizers and compared as words."""
    found = [d for group in groups for d in differences(group, answer(group))]
    return Replayed(len(groups), sum(len(group.cases) for group in groups), tuple(found))


def differences(group: Group, answers: Any) -> Iterator[Difference]:
    """The vectors of a group that somebody's codes differ from."""
    target = group.target
    codes = np.asarray(answers).tolist()
    if len(codes) != len(group.cases):
        raise GoldenError(group.id, None, f"{len(codes)} answers to {len(group.cases)} vectors")
    for k, (case, code) in enumerate(zip(group.cases, codes, strict=True)):
        got = word_of(code, target)
        if got != case.expected:
            sources = group.sources.items()
            words = zip(case.inputs, sources, strict=True)
            length = digits(target)
            yield Difference(
                group.id,
                group.operation,
                ", ".join(f"{name} {t}" for name, t in group.columns.items()),
                ", ".join(f"{word:0{digits(t)}x}" for word, (_, t) in words),
                f"{got:0{length}x}",
                f"{case.expected:0{length}x}",
                k,
            )


def answer(group: Group) -> Any:
    """The codes that the quantizers give for a group's inputs."""
    target, sources = group.target, group.sources
    if group.operation == "values":
        reason = "values without inputs; harness.hls.replay_vectors replays those of a model"
        raise GoldenError(f"group {group.id}", None, reason)
    arrays: Any = [group.codes(name) for name in sources]
    types: Any = list(sources.values())
    match group.operation:
        case "convert":
            return quantize_codes(arrays[0], target)
        case "cast":
            return cast_codes(arrays[0], types[0], target)
        case "sum" | "product":
            return _accumulated(group, arrays[0], types[0])
        case op:
            return compute_codes(op, *operands(op, arrays, types, group.ends))


def _accumulated(group: Group, addends: Any, t: Any) -> list[int]:
    op, target = f"{ACCUMULATORS[group.operation]}=", group.target
    state, found = np.array([code_of(group.start or 0, target)]), []
    for k in range(len(addends)):
        state = compute_codes(op, state, target, addends[k : k + 1], t)
        found.append(int(state[0]))
    return found
