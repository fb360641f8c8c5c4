"""Which values can occur: exact intervals for all inputs, and types that provably never overflow.

An interval is a pair of bounds for each element, over one LSB; :mod:`harness.hls.layers.extents`
says how they pass a layer.  Of a layer that is not understood the output is taken to reach all of
its type, which is safe.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.fixed import Fixed
from harness.hls.layers.accumulate import watched
from harness.hls.layers.extents import extent_of
from harness.hls.layers.interval import Interval, saturates
from harness.hls.layers.layer import MAX_WIDTH, TypedLayer
from harness.hls.model import Model, Step
from harness.report.columns import aligned
from harness.report.notebook import table
from harness.types import ApFixed, ApInt, Overflow

__all__ = [
    "Interval",
    "Reach",
    "Reaches",
    "ranges",
    "smallest_type",
    "suggest_types",
    "watched_steps",
]

Types = dict[str, dict[str, ApFixed]]
#: Of the table that is printed.
COLUMNS = ("layer", "type of", "type", "lowest", "highest", "")
#: How often a layer's types are suggested anew: what one must hold depends on the others.
ROUNDS = 4


@dataclass(frozen=True)
class Reach:
    """What can occur in a layer.

    Attributes:
        name: the layer's name.
        sums: for each accumulator by the name of its type among the layer's arguments that type,
            and bounds of all that it should hold, over all outputs.
        before: bounds of the outputs before they become ``result``; ``None`` if they are not known.
        result: bounds of the outputs.
    """

    name: str
    sums: dict[str, tuple[ApFixed, Interval]]
    before: Interval | None
    result: Interval

    @property
    def accum(self) -> tuple[ApFixed, Interval] | None:
        """Type and bounds of the accumulator called ``accum``; ``None`` for a layer without."""
        return self.sums.get("accum")

    @property
    def places(self) -> list[tuple[str, ApFixed, Interval | None]]:
        """Every type by its name among the layer's arguments, and what it should hold, if known."""
        sums = [(name, t, held) for name, (t, held) in self.sums.items()]
        return [*sums, ("result", self.result.low.type, self.before)]

    @property
    def overflows(self) -> bool:
        """Whether a value may leave a type (or is not known not to) that does not mean to clip it.

        A result that saturates is meant to, an accumulator that does is not.
        """
        return any(not _clips(k, t) and not _holds(t, x) for k, t, x in self.places)

    @property
    def saturates(self) -> bool:
        """Whether a result may be clipped, by a type that is meant to."""
        return any(_clips(k, t) and not _holds(t, x) for k, t, x in self.places)

    def _repr_html_(self) -> str:
        """For notebooks."""
        return Reaches([self])._repr_html_()


class Reaches(list[Reach]):
    """The reaches of a model's layers in order; printed, a table of its types."""

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """For each type of a layer the layer, the argument, the type, the ends, and a judgement."""
        return [
            (reach.name, name, str(t), *_ends(held), _judged(name, t, held))
            for reach in self
            for name, t, held in reach.places
        ]

    def __str__(self) -> str:
        return "\n".join(aligned([COLUMNS, *self.rows], (0, 1, 2, 5)))

    def _repr_html_(self) -> str:
        """For notebooks."""
        return table("ranges", self.rows, (*COLUMNS[:-1], "for all inputs"))


def ranges(model: Model) -> Reaches:
    """The reach of every layer, for all inputs of the model's input types."""
    known = {name: Interval.of(t, shape) for name, (t, shape) in model.inputs.items()}
    found = Reaches()
    for step in model.steps:
        reach = _reach(step.layer, [known[name] for name in step.inputs])
        known[step.output] = reach.result
        found.append(reach)
    return found


def suggest_types(model: Model, *data: Any, widen_saturated: bool = False) -> Types:
    """Accumulator and result types that never overflow, for every layer that is understood.

    Each keeps the fractional bits and the modes of the type it replaces; integer bits are the
    fewest possible, the layers before taken with their suggested types.  A result whose type
    saturates (``AP_SAT``, ``AP_SAT_SYM``), as that of a trained quantizer does, clips on purpose,
    and is left as it is; an accumulator is not.

    Args:
        model: the model.
        data: a batch of each input.  Then the types are the smallest that do not overflow for
            these, as far as layers tell what they add up; without, they do not overflow for any
            input.
        widen_saturated: suggest types for results that saturate, too.

    Returns:
        For each layer by name the arguments that are its types, such as ``accum`` and ``result``,
        as :meth:`Model.retyped` takes them.  What is not understood, or what the layer or
        those after it do not take, such as more than 256 bits, is left out, and keeps its type;
        :func:`ranges` says what that means.
    """
    kept: set[str] = set()
    proven = _accepted(model, lambda: _proven(model, kept, widen_saturated), kept)
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
    if isinstance(like, ApInt):
        return ApInt(width, signed)
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


def _proven(model: Model, kept: set[str], widen_saturated: bool) -> Types:
    """Types that hold every value, layer after layer; results in ``kept`` stay as they are."""
    known = {name: Interval.of(t, shape) for name, (t, shape) in model.inputs.items()}
    found: Types = {}
    for step in model.steps:
        inputs = [known[name] for name in step.inputs]
        layer = _given(step, [x.low.type for x in inputs])
        fixed = {"result"} if step.output in kept else set()
        layer, types = _suited(layer, inputs, fixed, widen_saturated)
        known[step.output] = _reach(layer, inputs).result
        if types:
            found[layer.name] = types
    return found


def _suited(
    layer: TypedLayer, inputs: list[Interval], fixed: set[str], widen_saturated: bool
) -> tuple[TypedLayer, dict[str, ApFixed]]:
    """A layer with types that hold every value, and these; those of some names stay as they are."""
    free = {
        name: t
        for name, t, held in _reach(layer, inputs).places
        if held is not None
        and layer.takes(name)
        and name not in fixed
        and (widen_saturated or not _clips(name, t))
    }
    for most in (64, MAX_WIDTH):  # few need more than a word, and it takes longer
        made, types = _fitted(layer, inputs, free, most)
        if len(types) == len(free):
            break
    return made, types


def _fitted(
    layer: TypedLayer, inputs: list[Interval], free: dict[str, ApFixed], most: int
) -> tuple[TypedLayer, dict[str, ApFixed]]:
    """A layer with the types of ``free`` that ``most`` bits are enough for, and these types."""
    # What overflows may reach anything: of the widest types it is known what they must hold.
    wanted = {name: _widest(t, most) for name, t in free.items()}
    made, types = _retyped(layer, wanted)
    for _ in range(ROUNDS):
        before = wanted
        held = {name: x for name, _, x in _reach(made, inputs).places if x is not None}
        wanted = {
            name: smallest_type(*ends, like=t)
            for name, t in free.items()
            if max(map(int.bit_length, ends := held[name].rounded(t).extremes)) < most
        }
        if wanted == before:
            break
        made, types = _retyped(layer, wanted)
    return made, types


def _widest(t: ApFixed, most: int) -> ApFixed:
    """As many integer bits as there can be."""
    if isinstance(t, ApInt):
        return ApInt(most)
    return t if t.frac >= most else ApFixed(most, most - t.frac, True, t.rounding)


def _retyped(
    layer: TypedLayer, wanted: dict[str, ApFixed]
) -> tuple[TypedLayer, dict[str, ApFixed]]:
    """The layer with those of the types that it takes, and these."""
    taken: dict[str, ApFixed] = {}
    made = layer
    for name, t in wanted.items():
        with contextlib.suppress(ValueError):
            made = layer.retyped(**taken, **{name: t})
            taken[name] = t
    return made, taken


def _observed(model: Model, batch: tuple[Fixed, ...], proven: Types, kept: set[str]) -> Types:
    """The smallest types for what occurs in a model that never overflows."""
    found: Types = {}
    for step, out, ends in watched_steps(model, batch):
        layer = step.layer
        types = dict(proven.get(layer.name, {}))
        if "accum" in types and layer.told and ends is not None:
            types["accum"] = smallest_type(*ends, like=types["accum"])
        if step.output in kept:
            types.pop("result", None)
        elif "result" in types and not layer.stateful:
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
    extent = extent_of(layer, inputs)
    if extent is None:
        return Reach(layer.name, {}, None, Interval.of(layer.result, layer.output_shape))
    return Reach(layer.name, extent.sums, extent.before, extent.before.to(layer.result))


def _ends(x: Interval | None) -> tuple[str, str]:
    """The lowest and the highest value in decimals."""
    if x is None or not x.low.codes.size:
        return "?", "?"
    low, high = (f"{code * float(x.low.type.lsb_exact):.6g}" for code in x.extremes)
    return low, high


def _judged(name: str, t: ApFixed, x: Interval | None) -> str:
    """Whether a type holds all values, and which one would."""
    if _holds(t, x):
        return "holds all"
    if x is None:
        return "not known"
    verb = "clips" if _clips(name, t) else "may overflow"
    ends = x.rounded(t).extremes
    if max(map(int.bit_length, ends)) >= MAX_WIDTH:
        return verb
    return f"{verb}; {smallest_type(*ends, like=t)} holds all"


def _clips(name: str, t: ApFixed) -> bool:
    """Whether a type is that of a result which saturates, and so clips what is beyond it."""
    return name.endswith("result") and saturates(t)


def _holds(t: ApFixed, x: Interval | None) -> bool:
    return x is not None and x.within(t)
