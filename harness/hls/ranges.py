"""Which values can occur: exact intervals for all inputs, and types that provably never overflow.

An interval is a pair of bounds for each element, over one LSB.  Through a sum the bounds are those
of every partial sum in the kernel's order, after its roundings, and they are attained: some input
reaches each.  Layers that are monotone are computed at both ends; layers that work on single
elements are computed at every code between.  Of any other layer the output is taken to reach all
of its type, which is safe.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.fixed import Fixed
from harness.hls.layers.accumulate import watched
from harness.hls.layers.layer import Sum, TypedLayer
from harness.hls.model import Model, Step
from harness.types import ApFixed, Overflow

__all__ = ["Interval", "Reach", "ranges", "smallest_type", "suggest_types", "watched_steps"]

#: Codes times elements up to which a layer is computed at every code.
EVERY = 1 << 23
#: A type that holds, unrounded, whatever single elements become.
WIDE = ApFixed(64, 24)

Types = dict[str, dict[str, ApFixed]]


@dataclass(frozen=True)
class Interval:
    """Bounds of an array of values.

    Attributes:
        low: the lowest value of each element, both included.
        high: the highest one, of the same type and shape.
    """

    low: Fixed
    high: Fixed

    @classmethod
    def of(cls, t: ApFixed, shape: tuple[int, ...]) -> Interval:
        """All of a type."""
        ends = (np.full(shape, code, _dtype(t)) for code in (t.min_code, t.max_code))
        return cls(*(Fixed(end, t) for end in ends))

    @property
    def extremes(self) -> tuple[int, int]:
        """The lowest and the highest code of all elements."""
        return int(self.low.codes.min()), int(self.high.codes.max())

    def to(self, t: ApFixed) -> Interval:
        """What the values become in ``t``; all of ``t`` where one might overflow."""
        low, high = (_unlimited(end, t) for end in (self.low, self.high))
        inside = (low.codes >= t.min_code) & (high.codes <= t.max_code)
        if t.overflow is Overflow.SAT_SYM and t.signed:
            inside &= low.codes > t.min_code
        whole = Interval.of(t, self.low.shape)
        dtype = _dtype(t)
        return Interval(
            Fixed(np.where(inside, low.codes, whole.low.codes).astype(dtype), t),
            Fixed(np.where(inside, high.codes, whole.high.codes).astype(dtype), t),
        )


@dataclass(frozen=True)
class Reach:
    """What can occur in a layer.

    Attributes:
        name: the layer's name.
        accum: the accumulator's type, and the bounds of its partial sums and products over all
            outputs; ``None`` for a layer without.
        before: bounds of the outputs before they become ``result``; ``None`` if they are not known.
        result: bounds of the outputs.
    """

    name: str
    accum: tuple[ApFixed, Interval] | None
    before: Interval | None
    result: Interval

    @property
    def overflows(self) -> bool:
        """Whether accumulator or result may overflow (or are not known not to)."""
        if self.accum is not None and not _holds(*self.accum):
            return True
        return self.before is None or not _holds(self.result.low.type, self.before)


def ranges(model: Model) -> list[Reach]:
    """The reach of every layer, for all inputs of the model's input types."""
    known = {name: Interval.of(t, shape) for name, (t, shape) in model.inputs.items()}
    found = []
    for step in model.steps:
        reach = _reach(step.layer, [known[name] for name in step.inputs])
        known[step.output] = reach.result
        found.append(reach)
    return found


def suggest_types(model: Model, *data: Any) -> Types:
    """Accumulator and result types that never overflow, for every layer that is understood.

    Each keeps the fractional bits and the modes of the type it replaces; integer bits are the
    fewest possible, the layers before taken with their suggested types.

    Args:
        model: the model.
        data: a batch of each input.  Then the types are the smallest that do not overflow for
            these; without, they do not overflow for any input.

    Returns:
        For each layer by name ``{"accum": type, "result": type}``, as :meth:`Model.retyped` takes
        it; a layer that is not understood is left out, and keeps its types.
    """
    kept: set[str] = set()
    proven = _accepted(model, lambda: _proven(model, kept), kept)
    if not data:
        return proven
    batch = model.batch(*data)
    safe = model.retyped(proven)
    return _accepted(model, lambda: _observed(safe, batch, proven, kept), kept)


def smallest_type(low: int, high: int, like: ApFixed) -> ApFixed:
    """The fewest bits for codes ``low`` to ``high`` at the LSB of ``like``, with its modes.

    It is signed if ``like`` is or ``low`` is negative.
    """
    signed = like.signed or low < 0
    if like.overflow is Overflow.SAT_SYM and low < 0:
        low -= 1  # the lowest code is not used
    width = max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0, 1 - signed) + signed
    return ApFixed(
        width, width - like.frac, signed, like.rounding, like.overflow, min(like.n, width)
    )


class _RefusedError(Exception):
    """A layer that cannot take other input types: the values it reads."""

    def __init__(self, reads: tuple[str, ...], why: ValueError) -> None:
        super().__init__(reads)
        self.reads, self.why = set(reads), why


def _given(step: Step, types: Sequence[ApFixed]) -> TypedLayer:
    try:
        return step.layer.given(*types)
    except ValueError as error:
        raise _RefusedError(step.inputs, error) from None


def _accepted(model: Model, suggest: Callable[[], Types], kept: set[str]) -> Types:
    """Suggestions that every layer takes; a value that one would refuse is ``kept`` as it is."""
    while True:
        try:
            types = suggest()
            known = {name: t for name, (t, _) in model.inputs.items()}
            for step in model.steps:
                layer = _given(step, [known[name] for name in step.inputs])
                known[step.output] = layer.retyped(**types.get(layer.name, {})).result
            return types
        except _RefusedError as refused:
            reads = refused.reads
            while reads and reads <= kept:  # a layer that only moves values has its input's type
                reads = {name for s in model.steps if s.output in reads for name in s.inputs}
            if not reads:
                raise refused.why from None
            kept |= reads


def _proven(model: Model, kept: set[str]) -> Types:
    """Types that hold every value, layer after layer; results in ``kept`` stay as they are."""
    known = {name: Interval.of(t, shape) for name, (t, shape) in model.inputs.items()}
    found: Types = {}
    for step in model.steps:
        inputs = [known[name] for name in step.inputs]
        layer = _given(step, [x.low.type for x in inputs])
        reach = _reach(layer, inputs)
        types = {}
        if reach.accum is not None:
            types["accum"] = smallest_type(*reach.accum[1].extremes, like=reach.accum[0])
            reach = _reach(layer.retyped(**types), inputs)
        free = layer.takes("result") and step.output not in kept
        if reach.before is not None and free:
            ends = (_unlimited(e, layer.result) for e in (reach.before.low, reach.before.high))
            types["result"] = smallest_type(*Interval(*ends).extremes, like=layer.result)
            reach = _reach(layer.retyped(**types), inputs)
        if types:
            found[layer.name] = types
        known[step.output] = reach.result
    return found


def _observed(model: Model, batch: tuple[Fixed, ...], proven: Types, kept: set[str]) -> Types:
    """The smallest types for what occurs in a model that never overflows."""
    found: Types = {}
    for step, out, ends in watched_steps(model, batch):
        layer = step.layer
        types: dict[str, ApFixed] = {}
        if "accum" in proven.get(layer.name, {}) and ends is not None:
            types["accum"] = smallest_type(*ends, like=proven[layer.name]["accum"])
        if "result" in proven.get(layer.name, {}) and step.output not in kept:
            low, high = int(out.codes.min(initial=0)), int(out.codes.max(initial=0))
            types["result"] = smallest_type(low, high, like=layer.result)
        if types:
            found[layer.name] = types
    return found


def watched_steps(
    model: Model, batch: tuple[Fixed, ...]
) -> Iterator[tuple[Step, Fixed, tuple[int, int] | None]]:
    """Each step of a model, its output, and the lowest and highest code of its accumulators."""
    values = dict(zip(model.inputs, batch, strict=True))
    for step in model.steps:
        with watched() as sums:
            out = step.layer.run(*(values[name] for name in step.inputs))
        values[step.output] = out
        ends = (min(low for low, _ in sums), max(high for _, high in sums)) if sums else None
        yield step, out, ends


def _reach(layer: TypedLayer, inputs: list[Interval]) -> Reach:
    accum, before = None, None
    if layer.affine:
        accum, before = _summed(layer, inputs[0])
    elif layer.monotone:
        before = _at_the_ends(layer, inputs)
    elif layer.elementwise:
        before = _at_every_code(layer, inputs[0])
    if before is None:
        return Reach(layer.name, accum, None, Interval.of(layer.result, layer.output_shape))
    return Reach(layer.name, accum, before, before.to(layer.result))


def _summed(layer: TypedLayer, x: Interval) -> tuple[tuple[ApFixed, Interval], Interval]:
    """Bounds of an accumulator over all outputs, and of the outputs before their conversion."""
    lows, highs, bottoms, tops = [], [], [], []
    for index in itertools.product(*map(range, layer.output_shape)):
        low, high = (layer.summed((end,), index) for end in (x.low, x.high))
        assert low is not None
        assert high is not None
        accum = low.accum
        bottom, top = _partial_sums(low, high)
        lows.append(bottom[-1])
        highs.append(top[-1])
        bottoms.append(min(bottom))
        tops.append(max(top))
    shape = layer.output_shape
    sums = Interval(_codes(lows, accum.frac, shape), _codes(highs, accum.frac, shape))
    extent = Interval(_codes(bottoms, accum.frac, shape), _codes(tops, accum.frac, shape))
    fits = _holds(accum, extent)
    return (accum, extent), sums if fits else Interval.of(accum, shape)


def _partial_sums(low: Sum, high: Sum) -> tuple[list[int], list[int]]:
    """Bounds of the start, of every product, and of every partial sum, the last one at the end."""
    first, second = low.x * low.w, high.x * high.w
    terms = [_unlimited(p, low.accum).codes.astype(object) for p in (first, second)]
    start = int(_unlimited(low.start, low.accum).codes)
    found = []
    for term, outer in ((np.minimum(*terms), min), (np.maximum(*terms), max)):
        sums = start + np.cumsum(term) if term.size else np.zeros(0, object)
        alone = outer(term.tolist(), default=start)
        found.append([start, alone, *sums.tolist()] if term.size else [start])
    return found[0], found[1]


def _at_the_ends(layer: TypedLayer, inputs: list[Interval]) -> Interval:
    """A layer that never falls when an input rises."""
    free = layer.retyped(result=WIDE) if layer.takes("result") else layer
    ends = []
    for side in ("low", "high"):
        rows = [getattr(x, side) for x in inputs]
        ends.append(free.compute(*(Fixed(r.codes[None], r.type) for r in rows))[0])
    return Interval(*ends)


def _at_every_code(layer: TypedLayer, x: Interval) -> Interval | None:
    """A layer of single elements; ``None`` if there are too many codes."""
    low, high = x.extremes
    if (high - low + 1) * x.low.codes.size > EVERY:
        return None
    free = layer.retyped(result=WIDE) if layer.takes("result") else layer
    every = np.arange(low, high + 1, dtype=np.int64)
    codes = np.broadcast_to(every.reshape(-1, *[1] * x.low.codes.ndim), (every.size, *x.low.shape))
    out = free.compute(Fixed(np.ascontiguousarray(codes), x.low.type))
    possible = (codes >= x.low.codes) & (codes <= x.high.codes)
    bottom = np.where(possible, out.codes, np.iinfo(np.int64).max).min(0)
    top = np.where(possible, out.codes, np.iinfo(np.int64).min).max(0)
    return Interval(Fixed(bottom, out.type), Fixed(top, out.type))


def _unlimited(x: Fixed, t: ApFixed) -> Fixed:
    """``x`` rounded as ``t`` does, in a type that holds every result."""
    width = x.type.width + max(t.frac - x.type.frac, 0) + 2
    return x.to(ApFixed(width, width - t.frac, rounding=t.rounding))


def _holds(t: ApFixed, x: Interval) -> bool:
    """Whether ``t`` holds every value, after its rounding."""
    low, high = (_unlimited(end, t).codes for end in (x.low, x.high))
    symmetric = t.overflow is Overflow.SAT_SYM and t.signed
    return bool(low.min() >= t.min_code + symmetric and high.max() <= t.max_code)


def _codes(values: list[int], frac: int, shape: tuple[int, ...]) -> Fixed:
    """Integers over an LSB, as codes of a type that holds them."""
    width = max(max(abs(v) for v in values).bit_length() + 2, 2)
    t = ApFixed(width, width - frac)
    return Fixed(np.array(values, _dtype(t)).reshape(shape), t)


def _dtype(t: ApFixed) -> Any:
    return np.int64 if t.width <= 64 else object
