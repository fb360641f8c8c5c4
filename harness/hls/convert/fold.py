"""Batch normalisations folded into the layers before them, exactly or not at all."""

from __future__ import annotations

from harness.hls.convert.layers import lossless
from harness.hls.convert.precision import ConversionError
from harness.hls.layers.batchnorm import BatchNorm
from harness.hls.layers.layer import TypedLayer
from harness.hls.model import Model, Step
from harness.hls.ranges import Reach, ranges
from harness.types import result_type

__all__ = ["fold_batch_norms"]


def fold_batch_norms(model: Model) -> Model:
    """The model with each batch normalisation inside the weighted layer that it follows.

    The folded weights and biases are the exact products and sums, in types that hold them, so
    every output code is the same as before, for all inputs.

    Raises:
        ConversionError: for one that cannot be folded exactly: where the layer before it rounds or
            overflows, has other readers, or has no weights.
    """
    makers = {step.output: step for step in model.steps}
    reaches = {reach.name: reach for reach in ranges(model)}
    folded: dict[str, Step] = {}  # by the output of the batch normalisation
    gone = set()
    for step in model.steps:
        if not isinstance(step.layer, BatchNorm):
            continue
        maker = makers.get(step.inputs[0])
        if maker is None or not maker.layer.affine:
            raise ConversionError(f"{step.layer.name} follows no layer with weights")
        readers = sum(step.inputs[0] in other.inputs for other in model.steps)
        if readers > 1 or maker.output in model.outputs:
            raise ConversionError(f"{step.layer.name}: {maker.layer.name} has other readers")
        if why := _loses(maker.layer, reaches[maker.layer.name]):
            raise ConversionError(f"{step.layer.name} is not folded: {maker.layer.name} {why}")
        layer = _folded(maker.layer, step.layer)
        folded[step.output] = Step(layer, maker.inputs, step.output)
        gone.add(maker.output)
    steps = [folded.get(s.output, s) for s in model.steps if s.output not in gone]
    return Model(model.inputs, steps, model.outputs)


def _loses(layer: TypedLayer, reach: Reach) -> str | None:
    """What a layer does to its exact sums; ``None`` if it keeps them."""
    types = layer.parameter_types
    accum = vars(layer)["accum"]
    product = result_type("*", layer.input_types[0], types["weight"])
    if accum.frac < max(product.frac, types["bias"].frac):
        return f"rounds in its accumulator {accum}"
    if layer.result.frac < accum.frac:
        return f"rounds its result to {layer.result}"
    return "may overflow" if reach.overflows or reach.saturates else None


def _folded(layer: TypedLayer, norm: BatchNorm) -> TypedLayer:
    """A layer that computes both."""
    weight, bias = layer.fixed("weight"), layer.fixed("bias")
    channels = weight.shape[-1]
    scale, shift = norm.fixed("scale").reshape(-1), norm.fixed("bias").reshape(-1)
    if scale.shape != (channels,):
        raise ConversionError(f"{norm.name} has {scale.shape[0]} scales for {channels} outputs")
    new_weight, new_bias = weight * scale, bias * scale + shift
    accum = lossless(layer.input_types[0], new_weight, new_bias)
    made = layer.retyped(
        weight=new_weight,
        bias=new_bias,
        weight_type=new_weight.type,
        bias_type=new_bias.type,
        accum=accum,
        result=norm.result,
    )
    made.name = norm.name
    return made
