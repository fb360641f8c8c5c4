"""Inputs of a function, drawn by the types of its arguments so that Hypothesis can shrink them.

A call is drawn as bytes.  Each argument has one that says how the others are read: each as a code
on which arithmetic goes wrong, or as many of them as a code has.  Zero bytes are zeros, and few
small bytes are small numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from harness.cosim.errors import SignatureError
from harness.cosim.numbers import codes_of_values
from harness.cosim.signature import Port, Signature
from harness.types import ApFixed, BinaryFloat, NumberType

__all__ = ["Drawing", "every_call", "flat_inputs", "input_bits", "leaves", "nested_inputs"]

Array = np.ndarray[Any, Any]
#: The name of a number that goes in, its type, and the shape that a call has of it.
Leaf = tuple[str, Any, tuple[int, ...]]
#: Elements of an argument that are drawn; a larger one repeats them.
DRAWN = 512


def leaves(port: Port, name: str = "", lead: tuple[int, ...] = ()) -> Iterator[Leaf]:
    """The numbers of an argument; those of a struct each.

    Raises:
        SignatureError: for a stream of unknown length.
    """
    name = name or port.name
    shape = (*lead, *port.shape)
    if port.stream:
        if port.length is None:
            raise SignatureError(
                f"{name} is a stream: say how many values a call reads, sizes={{{name!r}: N}}"
            )
        shape = (port.length, *shape)
    if port.type is not None:
        yield name, port.type, shape
    for f in port.fields:
        yield from leaves(f, f"{name}.{f.name}", shape)


def _all(signature: Signature) -> list[Leaf]:
    return [leaf for p in signature.inputs for leaf in leaves(p)]


def input_bits(signature: Signature) -> int:
    """Bits of all that goes into a call."""
    return sum(t.width * _count(shape) for _, t, shape in _all(signature))


def flat_inputs(signature: Signature, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Codes by the name of each number, from codes by argument."""
    found = (p.numbers(inputs[p.name]) for p in signature.inputs)
    return {name: codes for each in found for name, _, codes in each}


def nested_inputs(signature: Signature, flat: Mapping[str, Array]) -> dict[str, Any]:
    """The inverse of :func:`flat_inputs`."""
    return {p.name: _of_flat(p, p.name, flat) for p in signature.inputs}


def _of_flat(port: Port, name: str, flat: Mapping[str, Array]) -> Any:
    if port.type is not None:
        return flat[name]
    return {f.name: _of_flat(f, f"{name}.{f.name}", flat) for f in port.fields}


class Drawing:
    """How calls of a function are drawn, and read.

    Args:
        signature: of the function.

    Raises:
        SignatureError: for a stream of unknown length.
    """

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self._leaves = _all(signature)
        self._pools = [_pool(t) for _, t, _ in self._leaves]
        self._sizes = [
            1 + min(_count(shape), DRAWN) * -(-t.width // 8) for _, t, shape in self._leaves
        ]

    def calls(self, most: int) -> st.SearchStrategy[list[bytes]]:
        """Lists of calls, as bytes.

        Those without state have no call twice: Hypothesis likes to repeat what it has drawn.
        """
        call = st.binary(min_size=self.size, max_size=self.size)
        repeats = self._signature.stateful or not self.size
        return st.lists(call, min_size=1, max_size=most, unique=not repeats)

    @property
    def size(self) -> int:
        """Bytes of a call."""
        return sum(self._sizes)

    def batch(self, calls: Sequence[bytes]) -> dict[str, Any]:
        """Codes by argument, with a leading axis of calls; dicts of them for structs."""
        table = np.frombuffer(b"".join(calls), np.uint8).reshape(len(calls), self.size)
        flat, start = {}, 0
        for (name, t, shape), pool, size in zip(
            self._leaves, self._pools, self._sizes, strict=True
        ):
            own = table[:, start : start + size]
            start += size
            flat[name] = _read(own, t, shape, pool)
        return nested_inputs(self._signature, flat)


def _read(table: Array, t: NumberType, shape: tuple[int, ...], pool: Array) -> Array:
    """Codes of one number of every call, from its bytes."""
    calls, count = len(table), _count(shape)
    few, size = min(count, DRAWN), -(-t.width // 8)
    body = table[:, 1:].reshape(calls, few, size)
    picked = pool[body[:, :, -1] % len(pool)]
    dense = table[:, 0] % 4 != 0
    codes = np.where((dense & (table[:, 0] > 0))[:, None], _of_bytes(body, t), picked)
    if few < count:
        codes = np.resize(codes.T, (count, calls)).T if few else codes
    return np.ascontiguousarray(codes).reshape(calls, *shape)


def every_call(signature: Signature) -> dict[str, Any]:
    """Every input there is as one batch, the simplest first."""
    found = _all(signature)
    pools = [
        np.arange(t.min_code, t.max_code + 1) for _, t, shape in found for _ in range(_count(shape))
    ]
    if not pools:  # there is one call, of nothing
        return {}
    grids = np.meshgrid(*pools, indexing="ij")
    columns = np.stack([g.ravel() for g in grids], axis=1)
    order = np.lexsort([*(columns < 0).T, np.abs(columns).sum(axis=1)])
    columns, flat, start = columns[order], {}, 0
    for name, t, shape in found:
        own = columns[:, start : start + _count(shape)]
        start += _count(shape)
        flat[name] = own.astype(_dtype(t)).reshape(len(columns), *shape)
    return nested_inputs(signature, flat)


def _count(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))


def _dtype(t: NumberType) -> Any:
    return np.dtype(object) if t.width > 64 else np.dtype(np.int64)


def _pool(t: NumberType) -> Array:
    """Codes at the ends, around zero, at one and at the halves of steps that others have."""
    low, high = t.min_code, t.max_code
    if isinstance(t, BinaryFloat):
        simple = [0.0, 1.0, -1.0, 0.5, 1.5, 3.0, -2.5]
        found = [int(codes_of_values(np.array([v]), t)[0]) for v in simple if _has(v, t)]
        found += [low, high, low + 1, high - 1]
    else:
        one = 1 << t.frac if isinstance(t, ApFixed) and 0 <= t.frac < t.width else 1
        found = [0, 1, -1, high, low, high - 1, low + 1, one, -one, one >> 1, one + (one >> 1)]
        found += [high >> 1, low // 2, one - 1]
    kept = [c for c in dict.fromkeys(found) if low <= c <= high]
    unsigned = t.width == 64 and low == 0
    return np.array([_folded(c) if unsigned else c for c in kept], _dtype(t))


def _has(value: float, t: NumberType) -> bool:
    try:
        codes_of_values(np.array([value]), t)
    except ValueError:
        return False
    return True


def _folded(code: int) -> int:
    """An unsigned code of 64 bits as the ``int64`` of its bits."""
    return code - (1 << 64) if code >> 63 else code


def _of_bytes(body: Array, t: NumberType) -> Array:
    """Codes from bytes, the high ones first; small numbers from small bytes, of either sign."""
    signed = t.min_code < 0 and not isinstance(t, BinaryFloat)
    words = np.zeros(body.shape[:-1], object if t.width > 63 else np.int64)
    for place in range(body.shape[-1]):
        words = (words << 8) | body[..., place].astype(words.dtype)
    words &= (1 << t.width) - 1
    if signed:
        words = (words >> 1) ^ -(words & 1)
    elif t.min_code < 0:  # a float whose codes are signed
        words = np.where(words > t.max_code, words - (1 << t.width), words)
    elif t.width == 64:
        words = np.where(words >> 63, words - (1 << 64), words)
    return words.astype(_dtype(t))
