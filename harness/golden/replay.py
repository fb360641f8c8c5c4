"""Golden vectors replayed on the Python quantizers: no compiler, no cppyy, no torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.golden.codec import load
from harness.golden.emit import INDEX, read
from harness.golden.files import MANIFEST, SCHEMA_FILE, check_sums, read_sums
from harness.golden.locate import line_of
from harness.golden.record import ACCUMULATORS, GoldenError, Group, Truth, code_of, digits, word_of
from harness.quantize import cast_codes, compute_codes, quantize_codes
from harness.types import result_type

__all__ = ["Difference", "Replayed", "answer", "committed", "replay", "replay_path"]


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

    def at(self, name: str) -> str:
        """One line, with the line of the file that the vector stands on if it is a truth file."""
        path = Path(name)
        where = f"group {self.group}, vector {self.index + 1}"
        if path.is_file():
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
    if path.is_file():
        yield str(path), replay(load(path).groups)
    elif (path / INDEX).is_file():
        yield str(path), replay(read(path))
    elif not path.exists():
        raise GoldenError(path, None, "is neither a truth file nor a folder of vectors")
    else:
        for name, truth in committed(path).items():
            yield str(path / name), replay(truth.groups)


def replay(groups: Sequence[Group]) -> Replayed:
    """Every vector, answered by the quantizers and compared as words."""
    found = [difference for group in groups for difference in _differences(group)]
    return Replayed(len(groups), sum(len(group.cases) for group in groups), tuple(found))


def _differences(group: Group) -> Iterator[Difference]:
    target = group.target
    codes = np.asarray(answer(group)).tolist()
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
        reason = "values of a model: harness.hls.replay_vectors replays them"
        raise GoldenError(f"group {group.id}", None, reason)
    arrays: Any = [group.codes(name) for name in sources]
    types: Any = list(sources.values())
    match group.operation:
        case "convert":
            return quantize_codes(arrays[0], target)
        case "cast":
            return cast_codes(arrays[0], types[0], target)
        case "neg":
            return compute_codes("neg", arrays[0], types[0])
        case "<<" | ">>":
            return _shifted(group.operation, arrays, types[0])
        case "sum" | "product":
            return _accumulated(group, arrays[0], types[0])
        case op if op.endswith("="):
            return _assigned(op[:-1], arrays[0], types[0], arrays[1], types[1])
        case op:
            return compute_codes(op, arrays[0], types[0], arrays[1], types[1])


def _assigned(op: str, a: Any, ta: Any, b: Any, tb: Any) -> Any:
    return cast_codes(compute_codes(op, a, ta, b, tb), result_type(op, ta, tb), ta)


def _accumulated(group: Group, addends: Any, t: Any) -> list[int]:
    op, target = ACCUMULATORS[group.operation], group.target
    state, found = np.array([code_of(group.start or 0, target)]), []
    for k in range(len(addends)):
        state = _assigned(op, state, target, addends[k : k + 1], t)
        found.append(int(state[0]))
    return found


def _shifted(op: str, arrays: Any, t: Any) -> Any:
    out = np.empty(len(arrays[0]), dtype=object)
    for count in dict.fromkeys(arrays[1].tolist()):
        here = arrays[1] == count
        out[here] = compute_codes(op, arrays[0][here], t, count)
    return out
