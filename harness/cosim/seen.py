"""What numbers went through a function: which ends they reached, and what assignments lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.cosim.signature import Signature
from harness.types import NumberType

__all__ = ["Lost", "Seen", "SeenNumbers"]


@dataclass(frozen=True)
class Lost:
    """What one assignment of a source lost.

    Attributes:
        place: ``file:line``.
        type: what is assigned to.
        count: how often it was.
        overflowed: how often the value was out of range, and wrapped or saturated.
        carried: how often only its rounding brought it there.
        rounded: how often bits were dropped.
        tied: how often these were half a step.
    """

    place: str
    type: str
    count: int
    overflowed: int
    carried: int
    rounded: int
    tied: int


@dataclass
class SeenNumbers:
    """The codes of one argument, or field of one.

    Attributes:
        type: of the numbers.
        direction: ``in`` or ``out``.
        count: how many there were.
        lowest: the smallest code.
        highest: the largest.
        zeros: how many were zero.
        negative: how many were below.
        at_min: how many were the type's smallest.
        at_max: ... and largest.
    """

    type: NumberType
    direction: str
    count: int = 0
    lowest: int | None = None
    highest: int | None = None
    zeros: int = 0
    negative: int = 0
    at_min: int = 0
    at_max: int = 0

    def note(self, codes: Any) -> None:
        """Count more of them."""
        codes = np.asarray(codes)
        if codes.size == 0:
            return
        low, high = int(codes.min()), int(codes.max())
        self.count += codes.size
        self.lowest = low if self.lowest is None else min(low, self.lowest)
        self.highest = high if self.highest is None else max(high, self.highest)
        self.zeros += int((codes == 0).sum())
        self.negative += int((codes < 0).sum())
        self.at_min += int((codes == self.type.min_code).sum())
        self.at_max += int((codes == self.type.max_code).sum())


@dataclass
class Seen:
    """By argument, those that go in first."""

    numbers: dict[tuple[str, str], SeenNumbers] = field(default_factory=dict)

    def note(
        self, signature: Signature, inputs: Mapping[str, Any], answers: Sequence[Sequence[Any]]
    ) -> None:
        """Count the codes of a batch; what comes out is the first side's that has codes."""
        for p in signature.inputs:
            for name, t, codes in p.numbers(inputs[p.name]):
                self._at(name, t, "in").note(codes)
        for place, p in enumerate(signature.outputs):
            given = next((a[place] for a in answers if _has_codes(a[place])), None)
            if given is not None:
                for name, t, codes in p.numbers(given):
                    self._at(name, t, "out").note(codes)

    def _at(self, name: str, t: NumberType, direction: str) -> SeenNumbers:
        return self.numbers.setdefault((direction, name), SeenNumbers(t, direction))


def _has_codes(answer: Any) -> bool:
    while hasattr(answer, "_fields"):
        answer = answer[0]
    return isinstance(answer, np.ndarray) and answer.dtype.kind in "iO"
