"""A layer of few inputs is proven by its every input: both sides as they run, and nothing trusted.

No output is taken to depend on some inputs alone: what is counted through is the whole of them.
"""

from __future__ import annotations

import hashlib
import math
import platform
import time
from collections.abc import Callable

import numpy as np

from harness.fixed import Array, Fixed
from harness.hls.layers.layer import TypedLayer
from harness.hls.twin import Twin
from harness.oracle import Oracle
from harness.prove.record import Certificate, Outcome, VacuousError
from harness.quantize import to_bits

__all__ = ["TooManyError", "input_count", "prove_layer"]

#: Inputs beyond which counting is no way to go, some hours at a million a second.
MOST = 1 << 32
#: Numbers that a block holds, of all its rows together.
BLOCK = 1 << 18


class TooManyError(ValueError):
    """A layer that can be given more inputs than anybody counts through."""


def input_count(layer: TypedLayer) -> int:
    """How many different inputs a layer can be given."""
    return math.prod(codes.stop - codes.start for codes in _places(layer))  # len has an end


def prove_layer(
    layer: TypedLayer,
    oracle: Oracle,
    *,
    twin: Twin | None = None,
    most: int = MOST,
    update: Callable[[int, int], object] = lambda *_: None,
) -> Certificate:
    """Whether a layer and hls4ml's kernel give the same codes for every input there is.

    Args:
        layer: the layer, with its parameters.
        oracle: compiles and runs the kernel.
        twin: another kernel that must compute the same; by default the layer's own.
        most: inputs beyond which it is refused.
        update: told how many inputs are done, and of how many.

    Raises:
        TooManyError: for a layer that can be given more inputs.
        HeaderRefuses: if the kernel would end the process.
        VacuousError: if a planted fault is not seen.
    """
    started, total = time.perf_counter(), input_count(layer)
    if total > most:
        raise TooManyError(
            f"{layer.name} can be given {_power(total)} inputs; at most {_power(most)} are run"
        )
    twin = twin or Twin(layer, oracle)
    text = f"{twin.kernel.cpp}\n{layer.name}({layer.extra_repr()})\n"
    digest = hashlib.sha256(text.encode())
    for constant in layer.constants():
        digest.update(constant.words.tobytes())
    planted = int.from_bytes(digest.digest(), "big") % total
    found: tuple[int, int, int, int] | None = None
    rows = max(BLOCK // sum(layer.sizes), 1)
    for start in range(0, total, rows):
        update(start, total)
        inputs = _inputs(layer, start, min(start + rows, total))
        mine, theirs = layer.run(*inputs), twin.run(*inputs)
        found = _difference(mine, theirs, start)
        if found is not None:
            break
        if start <= planted < start + rows:
            _planted(layer, mine, theirs, start, planted)
    outcome = Outcome.PROVEN if found is None else Outcome.REFUTED
    return Certificate(
        question=f"{layer.extra_repr()}, {_power(total)} inputs",
        subject=layer.name,
        outcome=outcome,
        claims=total * layer.sizes[-1],
        inputs={} if found is None else _named(layer, found[0]),
        differs="" if found is None else _place(found[1], layer.output_shape, "output"),
        codes=None if found is None else found[2:],
        planted={} if found is not None else _named(layer, planted),
        solver=f"every input run, {platform.machine()}",
        query_sha256=digest.hexdigest(),
        seconds=time.perf_counter() - started,
        query=text,
    )


def _places(layer: TypedLayer) -> list[range]:
    """The codes that each number of the input may have, one after the other."""
    found = []
    for k, shape in enumerate(layer.input_shapes):
        low, high = layer.code_range(k)
        found += [range(low, high + 1)] * math.prod(shape)
    return found


def _inputs(layer: TypedLayer, start: int, stop: int) -> list[Fixed]:
    """The inputs of some numbers: the last place of the last input counts fastest."""
    rest = np.arange(start, stop, dtype=np.int64)
    columns = []
    for codes in reversed(_places(layer)):
        rest, digit = np.divmod(rest, len(codes))
        columns.append(digit + codes[0])
    columns.reverse()
    inputs = []
    for t, shape in zip(layer.input_types, layer.input_shapes, strict=True):
        some, columns = columns[: math.prod(shape)], columns[math.prod(shape) :]
        inputs.append(Fixed(np.stack(some, axis=1).reshape(-1, *shape), t))
    return inputs


def _difference(mine: Fixed, theirs: Fixed, start: int) -> tuple[int, int, int, int] | None:
    """The first input that two outputs differ at, the place, and both words there."""
    wrong = np.argwhere(_flat(mine.codes) != _flat(theirs.codes))
    if not wrong.size:
        return None
    row, place = (int(k) for k in wrong[0])
    words = (int(to_bits(_flat(x.codes)[row, place], x.type)[()]) for x in (mine, theirs))
    return (start + row, place, *words)  # type: ignore[return-value]


def _flat(codes: Array) -> Array:
    return codes.reshape(len(codes), -1)


def _planted(layer: TypedLayer, mine: Fixed, theirs: Fixed, start: int, at: int) -> None:
    """One bit of one answer is turned, and must be seen."""
    codes = _flat(mine.codes).copy()
    codes[at - start, -1] ^= 1
    seen = _difference(Fixed(codes.reshape(mine.shape), mine.type), theirs, start)
    if seen is None or seen[:2] != (at, layer.sizes[-1] - 1):
        raise VacuousError(f"{layer.name}: a planted fault is not seen at input {at}")


def _named(layer: TypedLayer, number: int) -> dict[str, int]:
    """The words of an input, by name and place."""
    found = {}
    for name, x in zip(layer.input_names, _inputs(layer, number, number + 1), strict=True):
        for place, word in enumerate(to_bits(x.codes.ravel(), x.type).tolist()):
            found[_place(place, x.shape[1:], name)] = word
    return found


def _place(place: int, shape: tuple[int, ...], name: str) -> str:
    return f"{name}[{', '.join(map(str, np.unravel_index(place, shape)))}]"


def _power(count: int) -> str:
    exact = count & (count - 1) == 0
    return f"2**{count.bit_length() - 1}" if exact else f"{count:,}"
