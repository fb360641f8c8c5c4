"""Is it my model?  Where types, tables and accumulators move a model away from what it means.

The layers take their types one after the other: the first ``k`` compute in them, those after in
float64.  What an output loses between two such models is lost by the layer between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.fixed import Fixed
from harness.hls.ideal import ideal_trace
from harness.hls.layers.layer import TypedLayer
from harness.hls.layers.shape import Reshape
from harness.hls.model import Model, Step

__all__ = [
    "DEFAULT",
    "INPUTS",
    "SAME",
    "WEIGHTS",
    "Fidelity",
    "LayerLoss",
    "Limits",
    "Loss",
    "Spread",
    "measure",
]

Array = np.ndarray[Any, Any]
#: What is lost before any layer computes: by the weights' types, and by those of the inputs.
WEIGHTS, INPUTS = "the weights", "the inputs"
#: Weights that a type rounds move a layer by less than this share of its values.
SAME = 0.05
#: An error that is no more than this share of what it is compared with is float64's own.
NOISE = 1e-9
#: Bars of a histogram, at most.
BINS = 32


@dataclass(frozen=True)
class Limits:
    """What may be lost.

    Attributes:
        flips: the share of rows whose decision may differ.
        error: the largest rms error of the outputs; ``None`` for half of the reference's own rms.
    """

    flips: float = 0.01
    error: float | None = None

    def bound(self, reference: Array) -> float:
        """The largest rms error, beside this reference."""
        return 0.5 * rms(reference) if self.error is None else self.error


DEFAULT = Limits()


@dataclass(frozen=True)
class Loss:
    """How far outputs are from those of a reference.

    Attributes:
        flips: rows in which the largest of several outputs is another; 0 for a single output.
        max_error: the largest absolute error.
        rms_error: the root of the mean square error.
    """

    flips: int
    max_error: float
    rms_error: float

    @classmethod
    def between(cls, got: Array, wanted: Array) -> Loss:
        """Of outputs, (rows, ...) both; decisions are taken along the last axis."""
        error = np.abs(got - wanted)
        flipped = np.zeros(len(got), bool)
        if got.ndim > 1 and got.shape[-1] > 1:
            moved = got.argmax(-1) != wanted.argmax(-1)
            flipped = moved.reshape(len(got), -1).any(1)
        return cls(int(flipped.sum()), float(error.max(initial=0)), rms(error))

    def beyond(self, limits: Limits, reference: Array) -> bool:
        """Whether it is more than may be lost."""
        flips = self.flips > limits.flips * len(reference)
        return flips or self.rms_error > limits.bound(reference) + NOISE


@dataclass(frozen=True)
class Spread:
    """Where values lie: a layer's outputs, and what they are in float64, in the same bins.

    Attributes:
        low, high: the lowest and the highest output; 0 if there are none.
        meant_low, meant_high: the same in float64.
        start, end: where the first bin begins, and the last one ends.
        counts: how many outputs are in each bin; all are of one width.
        meant_counts: how many are in each in float64.
    """

    low: float
    high: float
    meant_low: float
    meant_high: float
    start: float
    end: float
    counts: tuple[int, ...]
    meant_counts: tuple[int, ...]

    @classmethod
    def of(cls, got: Array, meant: Array, lsb: float) -> Spread:
        """Of outputs with this LSB; where they are few, a bin is one value, in its middle."""
        if not got.size:
            return cls(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, (), ())
        low, high = float(got.min()), float(got.max())
        meant_low, meant_high = float(meant.min()), float(meant.max())
        bottom, top = min(low, meant_low), max(high, meant_high)
        first, last = round(bottom / lsb), round(top / lsb)
        if last - first < BINS:
            bins, start, end = last - first + 1, (first - 0.5) * lsb, (last + 0.5) * lsb
        else:
            bins, start, end = BINS, bottom, top
        if end - start <= 2 * bins * np.spacing(max(abs(start), abs(end))):
            bins = 1  # of values that float64 hardly tells apart
        counts, theirs = (
            tuple(np.histogram(x, bins, (start, end))[0].tolist()) for x in (got, meant)
        )
        return cls(low, high, meant_low, meant_high, start, end, counts, theirs)


@dataclass(frozen=True)
class LayerLoss:
    """What a layer loses of what it means, of the same inputs.

    Attributes:
        name: the layer.
        layer: the typed layer.
        error: its outputs against the layer in float64.
        signal: the rms of its outputs in float64.
        wrapped, saturated: shares of the outputs that are beyond the result's type.
        lost: the share of those that are not 0 of which nothing is left.
        distinct: how many different outputs there are.
        total: the model's outputs with this layer and those before it in their types.
        reference: its outputs against the reference's values of this layer, if there are some.
        spread: where its outputs lie, and where they do in float64.
    """

    name: str
    layer: TypedLayer
    error: Loss
    signal: float
    wrapped: float
    saturated: float
    lost: float
    distinct: int
    total: Loss
    reference: Loss | None
    spread: Spread


@dataclass(frozen=True)
class Fidelity:
    """What a typed model keeps of a reference.

    Attributes:
        reference: what it was held against.
        given: whether that came from outside; else it is the model itself in float64.
        rows: how many rows.
        limits: what may be lost.
        bound: the largest rms error that may be.
        loss: that of the outputs.
        before: with all layers in float64: what is lost by the weights; then by the inputs too.
        layers: the layers in order.
        left: what was not compared, and why.
        culprit: the layer that loses most, or :data:`WEIGHTS` or :data:`INPUTS`; empty if the
            loss is within the limits.
        why: what it loses, in words.
    """

    reference: str
    given: bool
    rows: int
    limits: Limits
    bound: float
    loss: Loss
    before: tuple[Loss, Loss]
    layers: tuple[LayerLoss, ...]
    left: tuple[str, ...]
    culprit: str
    why: str = ""

    @property
    def keeps(self) -> bool:
        """Whether the loss is within the limits."""
        return not self.culprit

    @property
    def reason(self) -> str:
        """What loses it, why, and how much, in one line; empty if nothing does."""
        if self.keeps:
            return ""
        flips = f"{self.loss.flips:,} of {self.rows:,} decisions flip"
        error = f"rms error {self.loss.rms_error:.3g}, {self.bound:.3g} is allowed"
        return f"{self.culprit}: {self.why}; {flips if self.loss.flips else error}"

    def blames(self, name: str) -> bool:
        """Whether a layer is what loses a reference that came from outside."""
        return self.given and name == self.culprit

    def layer(self, name: str) -> LayerLoss | None:
        """What a layer loses, by name."""
        return next((found for found in self.layers if found.name == name), None)


def measure(
    model: Model,
    batch: Sequence[Fixed],
    values: Sequence[Array],
    wanted: Array | None = None,
    *,
    limits: Limits = DEFAULT,
    name: str = "",
    layers: Mapping[str, Array] | None = None,
    left: Sequence[str] = (),
) -> Fidelity:
    """Hold a typed model against a reference, and find the layer that loses it.

    Args:
        model: the typed model.
        batch: a batch of codes.
        values: the same inputs before their conversion, float64.
        wanted: the reference's outputs, in the model's shape; by default the model in float64.
        limits: what may be lost.
        name: how reports call the reference.
        layers: the reference's values of layers by name.
        left: what of the reference is not compared.
    """
    typed = model.trace(*batch)
    trace = ideal_trace(model, dict(zip(model.inputs, values, strict=True)))
    meant = trace[model.output]
    given = wanted is not None
    wanted = meant if wanted is None else wanted
    decoded = {key: typed[key].values() for key in model.inputs}
    mixed = ideal_trace(model, decoded)
    before = Loss.between(meant, wanted), Loss.between(mixed[model.output], wanted)
    found = []
    for step in model.steps:
        alone = mixed[step.output]  # in float64, of what the layers before compute in their types
        decoded[step.output] = typed[step.output].values()
        if isinstance(step.layer, Reshape):
            continue
        mixed = ideal_trace(model, decoded)
        total = Loss.between(mixed[model.output], wanted)
        theirs = (layers or {}).get(step.layer.name)
        found.append(_of_layer(step, typed[step.output], alone, total, theirs))
    loss = found[-1].total
    culprit = ""
    if loss.beyond(limits, wanted):
        culprit = _culprit(before, found, by_flips=loss.flips > limits.flips * len(wanted))
    return Fidelity(
        name or "the same model in float64",
        given,
        len(wanted),
        limits,
        limits.bound(wanted),
        loss,
        before,
        tuple(found),
        tuple(left),
        culprit,
        _changed(model, trace, layers or {}) if culprit == WEIGHTS else "",
    )


def _changed(model: Model, trace: Mapping[str, Array], layers: Mapping[str, Array]) -> str:
    """The first layer that is another in the reference, though both compute in float64."""
    for step in model.steps:
        wanted = layers.get(step.layer.name)
        if wanted is not None and rms(trace[step.output] - wanted) > SAME * rms(wanted):
            return f"those of {step.layer.name} are not the model's"
    return ""


def _of_layer(
    step: Step, got: Fixed, meant: Array, total: Loss, reference: Array | None
) -> LayerLoss:
    t, values = got.type, got.values()
    half = float(t.lsb_exact) / 2
    outside = (meant > float(t.max_exact) + half) | (meant < float(t.min_exact) - half)
    share = float(outside.mean()) if outside.size else 0.0
    some = meant != 0
    return LayerLoss(
        step.layer.name,
        step.layer,
        Loss.between(values, meant),
        rms(meant),
        share if t.overflow.wraps else 0.0,
        0.0 if t.overflow.wraps else share,
        float((values[some] == 0).mean()) if some.any() else 0.0,
        len(np.unique(got.codes)),
        total,
        None if reference is None else Loss.between(values, reference),
        Spread.of(values, meant, float(t.lsb_exact)),
    )


def _culprit(before: tuple[Loss, Loss], layers: Sequence[LayerLoss], *, by_flips: bool) -> str:
    """Where most is lost: the largest step of what is lost so far."""
    names = [WEIGHTS, INPUTS, *(found.name for found in layers)]
    losses = [*before, *(found.total for found in layers)]
    so_far = [loss.flips if by_flips else loss.rms_error for loss in losses]
    steps = np.diff([0.0, *so_far])
    return names[int(steps.argmax())]


def rms(x: Array) -> float:
    """The root of the mean square; 0 of nothing."""
    return float(np.sqrt(np.mean(np.square(x)))) if x.size else 0.0
