"""What should I change?  Types and table sizes that lose less, found by running the typed model.

Each round takes the layer that loses most, tries what could be too small in it, keeps the smallest
change after which it flips no more decisions than after any other, and measures the whole model
again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.fixed import Fixed
from harness.hls.check.fidelity import INPUTS, WEIGHTS, Fidelity, LayerLoss, Loss
from harness.hls.ideal import ideal
from harness.hls.layers.layer import TypedLayer
from harness.hls.layers.lookup import TableActivation
from harness.hls.layers.norm import LayerNorm
from harness.hls.layers.softmax import Softmax
from harness.hls.model import Model, Step
from harness.hls.ranges import suggest_types
from harness.types import ApFixed

__all__ = ["Advice", "Change", "advise", "explained", "remedy"]

Array = np.ndarray[Any, Any]
Types = dict[str, dict[str, Any]]
#: Layers that are mended one after the other.
ROUNDS = 6
#: A change mends a layer that flips nothing if it takes away this share of its error.
MENDED = 0.75
TABLE_SIZES = (2048, 4096, 8192, 16384)
#: Fractional bits that are given to a type that is too coarse.
FINER = (2, 4, 6)
#: Types that hls4ml decides, whatever a configuration says.
FIRM = ("distance_type",)
#: What people call arguments.
_WORDS = {"accum": "accumulator"}


@dataclass(frozen=True)
class Change:
    """One layer's change.

    Attributes:
        layer: the layer that loses.
        why: what is too small in it.
        types: arguments of layers by name, as :meth:`harness.hls.Model.retyped` takes them.
        config: the same as a part of hls4ml's configuration, by the layer's name.
    """

    layer: str
    why: str
    types: Types
    config: dict[str, Any]


@dataclass(frozen=True)
class Advice:
    """Changes, and what they bring.

    Attributes:
        changes: in the order in which they were found.
        before, after: what the model keeps, without and with them.
    """

    changes: tuple[Change, ...]
    before: Fidelity
    after: Fidelity

    @property
    def config(self) -> dict[str, Any]:
        """What to put into hls4ml's configuration."""
        layers: dict[str, Any] = {}
        for change in self.changes:
            for name, entry in change.config.items():
                mine = layers.setdefault(name, {})
                for key, value in entry.items():
                    old = mine.get(key)
                    mine[key] = {**old, **value} if isinstance(old, dict) else value
        return {"LayerName": layers} if layers else {}


def remedy(model: Model, batch: Sequence[Fixed], found: Fidelity) -> Change | None:
    """The change that mends the layer that loses most; ``None`` if nothing does, or needs to.

    Args:
        model: the typed model.
        batch: codes of the inputs.
        found: what is lost.
    """
    loss = found.layer(found.culprit)
    return None if found.keeps or loss is None else _mended(model, batch, loss)


def explained(found: Fidelity, change: Change | None, weights: str = "") -> Fidelity:
    """The same with the reason why its culprit loses, in words.

    Args:
        found: what is lost.
        change: its :func:`remedy`.
        weights: what is known of the weights, if they are to blame.
    """
    if found.keeps or found.culprit in (WEIGHTS, INPUTS):
        return found if found.keeps else replace(found, why=_before_layers(found, weights))
    loss = found.layer(found.culprit)
    assert loss is not None
    return replace(found, why=change.why if change is not None else _symptoms(loss))


def advise(
    model: Model,
    batch: Sequence[Fixed],
    found: Fidelity,
    change: Change | None,
    again: Callable[[Model], Fidelity],
) -> Advice:
    """Changes after which less is lost.

    Args:
        model: the typed model.
        batch: codes of the inputs.
        found: what is lost now.
        change: its :func:`remedy`.
        again: measures another model against the same reference.
    """
    changes: list[Change] = []
    now, best, kept = found, found, 0
    while change is not None and change.types:
        model = model.retyped(change.types)
        now = again(model)
        changes.append(change)
        if _cost(now) < _cost(best):  # else it may be that a worse one shows, to be mended next
            best, kept = now, len(changes)
        change = remedy(model, batch, now) if len(changes) < ROUNDS else None
    return Advice(tuple(changes[:kept]), found, best)


def _cost(found: Fidelity) -> tuple[int, float]:
    return found.loss.flips, found.loss.rms_error


def _mended(model: Model, batch: Sequence[Fixed], loss: LayerLoss) -> Change | None:
    """The smallest change after which a layer flips no more than after any other.

    If none flips less than now, the smallest that takes most of its error away, or else the one
    that leaves least; ``None`` if nothing helps.
    """
    step = model.step(loss.name)
    assert step is not None
    values = model.trace(*batch)
    meant = ideal(step.layer, *(values[name].values() for name in step.inputs))
    tried: list[tuple[Change, Loss]] = []
    for change in _candidates(model, step, batch, loss):
        try:
            other = model.retyped(change.types)
        except ValueError:  # types that the layer, or one after it, does not take
            continue
        layer = other.layer(loss.name)
        assert layer is not None
        inputs = other.layer_inputs(loss.name, *batch)
        left = Loss.between(layer.run(*inputs).values(), meant)
        if not left.flips and _enough(left, loss.error):
            return change  # nothing flips less, and those that follow are larger
        if (left.flips, left.rms_error) < (loss.error.flips, loss.error.rms_error):
            tried.append((change, left))
    fewest = min((left.flips for _, left in tried), default=0)
    tried = [(change, left) for change, left in tried if left.flips == fewest]
    least = min(tried, key=lambda each: each[1].rms_error, default=(None, loss.error))
    return next((change for change, left in tried if _enough(left, loss.error)), least[0])


def _enough(left: Loss, now: Loss) -> bool:
    """Whether less is flipped at no more error, or most of the error is gone."""
    share = 1 if left.flips < now.flips else 1 - MENDED
    return left.rms_error <= share * now.rms_error


def _candidates(
    model: Model, step: Step, batch: Sequence[Fixed], loss: LayerLoss
) -> Iterator[Change]:
    """What could be too small in a layer, the smallest change first."""
    layer = step.layer
    if isinstance(layer, Softmax):
        yield from _softmax(model, step, batch)
    if isinstance(layer, TableActivation):
        for size in TABLE_SIZES:
            yield _change(layer, {"table_size": size}, _table_words(layer, loss))
    if isinstance(layer, LayerNorm):
        reach = 2.0**-layer.table_range_power2
        words = f"its table of 1/sqrt reaches variances up to {reach:g}"
        yield Change(loss.name, words, {}, {})
    wanted = suggest_types(model, *batch, widen_saturated=True).get(layer.name, {})
    wider = {k: t for k, t in wanted.items() if t.integer > getattr(layer, k).integer}
    for name, t in wider.items():
        yield _change(layer, {name: t}, _overflow_words(name, getattr(layer, name), t, loss))
    if len(wider) > 1:
        yield _change(layer, wider, f"its {' and '.join(wider)} types overflow")
    for more in FINER:
        for name, t in _types(layer).items():
            if t.width + more <= 64:
                fine = ApFixed(t.width + more, t.integer, t.signed, t.rounding, t.overflow, t.n)
                yield _change(layer, {**wider, name: fine}, _coarse_words(name, t, loss))


def _types(layer: TypedLayer) -> dict[str, ApFixed]:
    """The types of a layer that a configuration decides, by argument."""
    known = {k: t for k, t in vars(layer).items() if isinstance(t, ApFixed) and layer.takes(k)}
    return {k: t for k, t in known.items() if k not in FIRM}


def _softmax(model: Model, step: Step, batch: Sequence[Fixed]) -> Iterator[Change]:
    """Tables that are indexed by more of what matters: of a narrower input, and larger ones."""
    layer = step.layer
    assert isinstance(layer, Softmax)
    if layer.implementation not in ("stable", "latency"):
        return
    maker = next((s for s in model.steps if s.output == step.inputs[0]), None)
    x = model.layer_inputs(step.layer.name, *batch)[0]
    largest = float(np.abs(x.values()).max(initial=1.0))
    integer = max(math.frexp(largest)[1] + 1, 2)
    index = layer.inp_norm_type if layer.implementation == "stable" else x.type
    bits = int(math.log2(layer.exp_table_size))
    words = f"its table is indexed by {bits} of {index.width} bits"
    if bits >= index.width:
        words = f"its table has {layer.exp_table_size} entries"
    for size in (layer.exp_table_size, *(s for s in TABLE_SIZES if s > layer.exp_table_size)):
        width = int(math.log2(size)) + 1
        narrow = ApFixed(width, min(integer, width), True, "RND", "SAT")
        yield _softmax_change(layer, maker, narrow, size, words)


def _softmax_change(
    layer: Softmax, maker: Step | None, narrow: ApFixed, size: int, words: str
) -> Change:
    types: Types = {}
    config: dict[str, Any] = {}
    if maker is not None and maker.layer.takes("result"):
        types[maker.layer.name] = {"result": narrow}
        config[maker.layer.name] = {"Precision": {"result": narrow.hls4ml}}
        distance = ApFixed(narrow.width - 1, narrow.integer - 1, signed=False)
        norm = {"inp_norm_type": distance} if layer.implementation == "stable" else {}
        types[layer.name] = {**norm, "exp_table_size": size}
    else:
        types[layer.name] = {"exp_table_size": size}
    if size != layer.exp_table_size:
        types[layer.name]["inv_table_size"] = size
        config[layer.name] = {"TableSize": size}
    return Change(layer.name, words, types, config)


def _change(layer: TypedLayer, changes: dict[str, Any], why: str) -> Change:
    precision = {
        name.removesuffix("_type"): t.hls4ml for name, t in changes.items() if hasattr(t, "hls4ml")
    }
    entry: dict[str, Any] = {"Precision": precision} if precision else {}
    if "table_size" in changes:
        entry["TableSize"] = changes["table_size"]
    return Change(layer.name, why, {layer.name: changes}, {layer.name: entry})


def _table_words(layer: TableActivation, loss: LayerLoss) -> str:
    return f"its table has {layer.table_size} entries, and {loss.distinct} outputs are different"


def _overflow_words(name: str, old: ApFixed, new: ApFixed, loss: LayerLoss) -> str:
    share = f": {loss.wrapped + loss.saturated:.0%} of the outputs" if name == "result" else ""
    verb = "wraps" if old.overflow.wraps else "saturates"
    return f"its {_WORDS.get(name, name)} {old} {verb}{share}; {new} holds all"


def _coarse_words(name: str, t: ApFixed, loss: LayerLoss) -> str:
    lost = f", {loss.lost:.0%} of the outputs become 0" if loss.lost > 0.01 else ""
    return f"its {_WORDS.get(name, name)} {t} is too coarse{lost}"


def _symptoms(loss: LayerLoss) -> str:
    parts = [
        f"{share:.0%} of its outputs {word}"
        for share, word in (
            (loss.wrapped, "wrap"),
            (loss.saturated, "saturate"),
            (loss.lost, "become 0"),
        )
        if share > 0.001
    ]
    return ", ".join([*parts, f"rms error {loss.error.rms_error:.3g} of {loss.signal:.3g}"])


def _before_layers(found: Fidelity, weights: str) -> str:
    if found.culprit == INPUTS:
        return "the type of the inputs does not hold them"
    known = found.why or weights
    return known or "with these weights the model in float64 is another than the reference already"
