"""Golden vectors replayed on a user's own module, called as a function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.cosim.errors import SignatureError
from harness.cosim.function import Function
from harness.golden.record import Group
from harness.golden.replay import Difference, differences

__all__ = ["DesignReplay", "replay_on"]


@dataclass(frozen=True)
class DesignReplay:
    """What became of the vectors.

    Attributes:
        asked: the groups that suit the module, by the name of their file.
        vectors: how many cases they have.
        left: cases of other types or operations, which were not asked.
        differences: cases that the module answers otherwise, with the name of their file.
    """

    asked: tuple[tuple[str, Group], ...]
    vectors: int
    left: int
    differences: tuple[tuple[str, Difference], ...]


def replay_on(
    function: Function, groups: Mapping[str, Sequence[Group]], operation: str = "cast"
) -> DesignReplay:
    """Ask a module every vector of its types.

    Args:
        function: with as many scalar inputs as the operation, in its order, and an output.
        groups: the groups of each file.
        operation: what the module does.

    Raises:
        SignatureError: if its ports are others, or no vectors are of its types.
        RunError: if a call does not end, or its output is unknown.
    """
    inputs, outputs = function.signature.inputs, function.signature.outputs
    if len(outputs) != 1 or any(p.shape or p.stream for p in (*inputs, *outputs)):
        raise SignatureError(
            f"{function.signature.name} is no operation on numbers, with one output: "
            f"{_listed((*inputs, *outputs))}"
        )
    types = [p.type for p in (*inputs, *outputs)]
    every = [(name, group) for name, each in groups.items() for group in each]
    same = [(n, g) for n, g in every if g.operation == operation]
    asked = [(n, g) for n, g in same if [*g.sources.values(), g.target] == types]
    if not asked:
        raise SignatureError(_none(function, operation, [g for _, g in same], types))
    found = []
    for name, group in asked:
        answers = function.codes.batch(*(np.asarray(group.codes(c)) for c in group.sources))
        found += [(name, d) for d in differences(group, answers)]
    count = sum(len(g.cases) for _, g in asked)
    total = sum(len(g.cases) for _, g in every)
    return DesignReplay(tuple(asked), count, total - count, tuple(found))


def _none(function: Function, operation: str, groups: Sequence[Group], types: Sequence[Any]) -> str:
    """Why there is nothing to ask, and what there would be for ports of these widths."""
    widths = [t.width for t in types]
    near = [g for g in groups if [t.width for t in (*g.sources.values(), g.target)] == widths]
    ports = _listed((*function.signature.inputs, *function.signature.outputs))
    if near:
        shown = "; ".join(", ".join(map(str, g.columns.values())) for g in near[:3])
        return f"no vector of {operation} is of {ports}; of these widths there are: {shown}"
    source = f" --source '{types[0]}'" if operation == "cast" else f" --op '{operation}'"
    return (
        f"no vector of {operation} is of {ports}; make some: "
        f"harness golden make --type '{types[-1]}'{source} --out mine.json; --vectors mine.json"
    )


def _listed(ports: Iterable[Any]) -> str:
    return ", ".join(f"{p.name} {p.type}" for p in ports)
