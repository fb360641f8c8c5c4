"""``from_torch``: a torch model's typed model, layer by layer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from harness.hls.convert.graph import Call, calls_of
from harness.hls.convert.layout import Layout, turning
from harness.hls.convert.precision import Config, ConversionError, Precision, type_of_quantizer
from harness.hls.convert.registry import BUILDERS, Builder, Shape, Site
from harness.hls.convert.written import folded, model_of, types_of, written_model
from harness.hls.layers.activations import Linear
from harness.hls.layers.layer import TypedLayer
from harness.hls.layers.shape import Transpose
from harness.hls.model import Model, Step
from harness.hls.project import Project
from harness.types import ApFixed, Overflow

__all__ = ["from_torch"]


@dataclass
class _Walk:
    """The conversion under way: values by the name of the call that made them."""

    config: Config
    wanted: dict[str, set[ApFixed]]
    inputs: dict[str, tuple[ApFixed, Shape]]
    turned: bool
    steps: list[Step] = field(default_factory=list)
    values: dict[str, tuple[str, ApFixed, Shape]] = field(default_factory=dict)

    def embed(self, model: Model, name: str, reads: Sequence[str]) -> None:
        """Append a model, whose inputs are the values ``reads`` in the order of its own."""
        names = dict(zip(model.inputs, (self.values[r][0] for r in reads), strict=True))
        for step in model.steps:
            names[step.output] = step.layer.name
            inputs = tuple(names[read] for read in step.inputs)
            self.steps.append(Step(step.layer, inputs, step.layer.name))
        self.values[name] = (names[model.output], model.result, model.output_shape)

    def turn(self, value: str, name: str, *, last: bool) -> None:
        """Move the channels of a value last, or first, by a layer of its own."""
        _, t, shape = self.values[value]
        if len(shape) > 1:
            perm = turning(len(shape), last=last)
            self.add([Transpose(perm, input=t, input_shape=shape)], name, [value])
            self.values[value] = self.values[name]

    def add(self, layers: Sequence[TypedLayer], name: str, reads: Sequence[str]) -> None:
        """Append layers, the last one called ``name``, and note what they make."""
        sources = tuple(self.values[r][0] for r in reads)
        for k, layer in enumerate(layers):
            last = k == len(layers) - 1
            kind = type(layer).__name__.lower()
            layer.name = name if last else f"{name}_{kind}"
            self.steps.append(Step(layer, sources, layer.name))
            sources = (layer.name,)
        if layers:
            made = layers[-1]
            self.values[name] = (made.name, made.result, made.output_shape)
        else:
            self.values[name] = self.values[reads[0]]


def from_torch(
    model: nn.Module,
    config: Mapping[str, Any] | None = None,
    *,
    input_shape: Shape | Sequence[Shape] | None = None,
    project: Project | str | Path | None = None,
) -> Model:
    """The typed model of a torch model in evaluation.

    Types come from the quantizers of ``harness.nn`` where there are some, else from the
    configuration, which has the form of hls4ml's.  A result that neither decides has the type of
    the next layer's input quantizer; an accumulator that neither decides loses nothing and never
    overflows.  What hls4ml decides, ``auto``, is read from ``project``, or else from what hls4ml
    itself writes of the model.  With either, a batch normalisation that hls4ml folds into the layer
    before it is folded here too, and that layer says so in ``absorbed``.

    Shapes are channels last, as the kernels have them: a model of images reads (rows, height,
    width, channels).  A model of sequences, with recurrences, attention or layer norms and no
    convolutions, has its axes as torch has them.  A ``ChannelsLastConversion`` in the configuration
    says it otherwise: with ``full`` or ``off`` inputs are as torch has them, with ``internal``
    their channels are last; ``TransposeOutputs`` gives outputs as torch does.

    Args:
        model: modules that are supported (see :data:`BUILDERS`), and sums, products and the like
            between them.
        config: types, strategies and reuse factors by layer.
        input_shape: torch's shape of the input, without the batch, or a list of those of several;
            may be left out for a model that begins with a ``Linear``, or where the configuration
            has ``InputShape``.
        project: a project that hls4ml wrote of the model, or its folder: the model becomes what
            ``compare(model, project)`` can hold against it.

    Returns:
        The typed model, with an output for each tensor that the torch model returns.

    Raises:
        ConversionError: for what is not supported, lacks a type, or is given two.
    """
    settings = Config(config)
    names, calls, outputs = calls_of(model)
    shapes = _shapes(names, input_shape or settings.input_shape or _first_shape(calls))
    written = None if project is None else model_of(project)
    if written is None and (asked := settings.asks()):
        written = written_model(model, config or {}, shapes, asked)
    absorbed: dict[str, str] = {}
    if written is not None:
        settings.found = types_of(written, names)
        calls, absorbed = folded(calls, outputs, [s.layer.name for s in written.steps])
        settings.used.update(absorbed)
    layout = Layout.of(calls, settings)
    wanted = _wanted(calls)
    walk = _Walk(settings, wanted, {}, layout.turned)
    for name, shape in zip(names, shapes, strict=True):
        walk.inputs[name] = (_input_type(name, wanted, settings), layout.port(shape))
        walk.values[name] = (name, *walk.inputs[name])
        if layout.turns_inputs:
            walk.turn(name, f"transpose_input_for_{name}", last=layout.turned)
    for call in calls:
        _convert(call, walk)
    given = [absorbed.get(name, name) for name in outputs]
    if layout.turns_outputs:
        for name in dict.fromkeys(given):
            walk.turn(name, f"transpose_ouput_for_{name}", last=False)  # as hls4ml spells it
    settings.check_used()
    if not walk.steps:
        raise ConversionError("the model computes nothing")
    for step in walk.steps:
        step.layer.absorbed = tuple(n for n, taker in absorbed.items() if taker == step.layer.name)
    return Model(walk.inputs, walk.steps, [walk.values[name][0] for name in given])


def _convert(call: Call, walk: _Walk) -> None:
    """Append the layers of one call."""
    function = _function(call)
    types = Precision(call.name, call.what, walk.config)
    reads = [_read(name, k, call, walk) for k, name in enumerate(call.inputs)]
    found = [walk.values[name] for name in reads]
    site = Site(
        call.name,
        call.what,
        tuple(t for _, t, _ in found),
        tuple(shape for _, _, shape in found),
        types,
        _decided(call.name, types, walk.wanted[call.name]),
        walk.turned,
        call.axis,
    )
    try:
        layers = function(site)
    except ConversionError:
        raise
    except ValueError as error:
        raise ConversionError(f"{call.name}: {error}") from None
    if isinstance(layers, Model):
        walk.embed(layers, call.name, reads)
    else:
        walk.add(layers, call.name, reads)


def _function(call: Call) -> Builder:
    kinds = [call.what] if isinstance(call.what, str) else type(call.what).__mro__
    function = next((BUILDERS[kind] for kind in kinds if kind in BUILDERS), None)
    if function is None:
        named = {k if isinstance(k, str) else k.__name__ for k in BUILDERS}
        kind = call.what if isinstance(call.what, str) else type(call.what).__name__
        allowed = ", ".join(sorted(named))
        raise ConversionError(
            f"{call.name} is a {kind}, which is not supported; supported: {allowed}"
        )
    return function


def _decided(name: str, types: Precision, wanted: set[ApFixed]) -> ApFixed | None:
    """The type of an output: its own quantizer's, the layer's own entry's, the only reader's."""
    found = types.output() or types.own("result")
    if found is None and len(wanted) == 1:
        found = next(iter(wanted))
    return found or types.config.precision(name, "result")


def _read(name: str, place: int, call: Call, walk: _Walk) -> str:
    """The value that an input is, converted first if the module's quantizer would change it."""
    quantizer = _input_quantizer(call.what, place)
    if quantizer is None:
        return name
    wanted = type_of_quantizer(quantizer, f"{call.name}: input")
    _, t, shape = walk.values[name]
    if _within(t, wanted):
        return name
    made = f"{name}_as_{call.name}_{place}"
    walk.add([Linear(input=t, input_shape=shape, result=wanted)], made, [name])
    return made


def _within(t: ApFixed, wider: ApFixed) -> bool:
    """Whether every value of ``t`` is one of ``wider``, and stays itself."""
    lowest = (
        wider.min_exact + (wider.overflow is Overflow.SAT_SYM and wider.signed) * wider.lsb_exact
    )
    return t == wider or (
        t.frac <= wider.frac and t.min_exact >= lowest and t.max_exact <= wider.max_exact
    )


def _input_quantizer(what: Any, place: int) -> Any:
    quantizers = getattr(what, "input_quantizers", ())
    return quantizers[place] if place < len(quantizers) else None


def _wanted(calls: Sequence[Call]) -> dict[str, set[ApFixed]]:
    """The types that the readers of each value quantize it to; empty if one takes it as it is."""
    found: dict[str, set[ApFixed]] = defaultdict(set)
    plain = set()
    for call in calls:
        for k, name in enumerate(call.inputs):
            quantizer = _input_quantizer(call.what, k)
            if quantizer is None:
                plain.add(name)
            else:
                found[name].add(type_of_quantizer(quantizer, f"{call.name}: input"))
    for name in plain:
        found[name] = set()
    return found


def _input_type(name: str, wanted: dict[str, set[ApFixed]], config: Config) -> ApFixed:
    if len(wanted[name]) == 1:
        return next(iter(wanted[name]))
    spellings = (name, "input_1", "input")  # torch's name, hls4ml's, ours
    config.used.update(spellings)
    spelled = next((s for s in spellings if config.given(s, "result")), name)
    found = config.precision(spelled, "result")
    if found is None:
        raise ConversionError(
            "the input has no type: give the first module an input quantizer, or "
            "config['LayerName']['input']['Precision']['result']"
        )
    return found


def _shapes(names: Sequence[str], given: Any) -> list[Shape]:
    """The shape of each input."""
    several = len(given) > 0 and not isinstance(given[0], int)
    shapes = [tuple(shape) for shape in given] if several else [tuple(given)]
    if len(shapes) != len(names):
        raise ConversionError(
            f"the model has {len(names)} inputs ({', '.join(names)}), input_shape has {len(shapes)}"
        )
    return shapes


def _first_shape(calls: Sequence[Call]) -> Shape:
    for call in calls:
        if isinstance(call.what, nn.Linear):
            return (call.what.in_features,)
        if not isinstance(call.what, nn.Identity | nn.Dropout):
            break
    raise ConversionError("input_shape is needed: the model does not begin with a Linear")
