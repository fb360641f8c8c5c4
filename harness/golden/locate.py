"""The line of a JSON text that a value stands on, for errors."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

__all__ = ["line_of"]

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def line_of(text: str, place: Sequence[str | int]) -> int:
    """The line, from 1, of the value that keys and indices lead to; as far as they lead."""
    at = _skip(text, 0)
    for step in place:
        found = _member(text, at, step)
        if found is None:
            break
        at = found
    return text.count("\n", 0, at) + 1


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()


def _member(text: str, at: int, step: str | int) -> int | None:
    """Where a member of the object or array at ``at`` begins."""
    in_object = text[at] == "{"
    at, k = _skip(text, at + 1), 0
    while text[at] not in "]}":
        name: str | int = k
        if in_object:
            name, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)  # past the colon
        if name == step:
            return at
        _, at = _DECODER.raw_decode(text, at)
        at, k = _skip(text, at), k + 1
        if text[at] == ",":
            at = _skip(text, at + 1)
    return None
