"""Functions that are generated: casts of each element, and da4ml's logic."""

from __future__ import annotations

import math

import numpy as np

from harness.fixed import Array
from harness.hls.layers.casts import ElementCast
from harness.hls.layers.layer import TypedLayer
from harness.hls.layers.logic import Logic, LogicConv, LogicEinsumDense
from harness.hls.layers.terms import Cast, Input, Number, Program
from harness.hls.layers.windows import Axis, Windows
from harness.hls.project.kernels.moves import order
from harness.hls.project.registry import Reader, kernel
from harness.hls.project.scope import Config
from harness.types import ApFixed

__all__ = [
    "from_code",
    "logic_conv_of_stream",
    "logic_dense_of_stream",
    "logic_einsum_dense",
    "shown",
]

#: What the classes are called that stand for a generated function in a convolution of streams.
WRAPPER = "dense_da_wrapper_"


def from_code(r: Reader) -> TypedLayer:
    """A call of a function that was generated: ``q_*``, ``dense_da_N``, ``da_comblogic_N``."""
    program = r.project.generated.program(r.call.kernel, math.prod(r.shapes[0]))
    given = {"input": r.input, "result": r.result}
    shape = r.project.writes(r.call)[r.call.layer].shape
    types = _casts(program)
    if types is not None:
        same = math.prod(shape) == program.inputs
        return ElementCast(types, input_shape=shape if same else r.shapes[0], **given)
    if math.prod(shape) != len(program.outputs):
        shape = (len(program.outputs),)
    return Logic(program, input_shape=r.shapes[0], output_shape=shape, **given)


def _casts(program: Program) -> list[ApFixed | None] | None:
    """The type of each element, if that is all that a program does."""
    types: list[ApFixed | None] = []
    for k, term in enumerate(program.outputs):
        if isinstance(term, Cast) and term.term == Input(k):
            types.append(term.type)
        elif term == Number(0):
            types.append(None)
    alone = not program.lets and len(types) == len(program.outputs) == program.inputs
    return types if alone else None


@kernel("conv1d_cl", "conv2d_cl")
def _conv(r: Reader) -> TypedLayer:
    """A convolution whose configuration, which stands first, names the generated functions."""
    c = r.project.scope.config(r.call.types[0], r.call.place)
    r.only("the strategy", c.word("strategy"), "distributed_arithmetic")
    names = ["width"] if r.call.kernel == "conv1d_cl" else ["height", "width"]
    channels = c.integer("n_chan")
    window = tuple(c.integer(f"filt_{name}") for name in names)
    program = _named(r, c, "dense_da", math.prod(window) * channels)
    pixels, parts = c.integer("n_pixels"), c.integer("n_partitions")
    seen = r.project.generated.windows(c.alias("fill_buffer"), pixels, parts, program.inputs)
    layer = LogicConv(
        program,
        _axes(r, c, names, seen, channels),
        input=r.input,
        input_shape=(*(c.integer(f"in_{name}") for name in names), channels),
        result=r.result,
        n_partitions=parts,
    )
    if not np.array_equal(shown(layer.windows), seen):
        raise r.refused(f"{c.alias('fill_buffer')} does not slide a window over the image")
    for k, name in enumerate(names):
        r.only(f"out_{name}", c.integer(f"out_{name}"), layer.output_shape[k])
    return layer


def shown(windows: Windows) -> Array:
    """The element that each place of each window sees, channels innermost, -1 for padding."""
    pixels, channels = windows.places[..., None], windows.channels
    seen = np.where(pixels < 0, -1, pixels * channels + np.arange(channels))
    return np.asarray(seen.reshape(len(pixels), -1))


def _axes(r: Reader, c: Config, names: list[str], seen: Array, channels: int) -> list[Axis]:
    """The axes; padding and dilation, which no configuration tells, from what the windows see."""
    axes = []
    out, window, size = (
        [c.integer(f"{way}_{name}") for name in names] for way in ("out", "filt", "in")
    )
    if math.prod(out + window) * channels != seen.size:
        wanted = math.prod(out + window) * channels
        raise r.refused(f"{seen.size} places of windows, {wanted} are wanted")
    pixels = seen.reshape(*out, *window, channels)[..., 0] // channels  # of padding -1 as well
    for k, name in enumerate(names):
        stride, behind = c.integer(f"stride_{name}"), math.prod(size[k + 1 :])
        where = np.where(pixels < 0, -1, pixels // behind % size[k])
        apart = np.moveaxis(where, (k, k + len(names)), (0, 1)).reshape(out[k], window[k], -1)
        both = (apart[:, 1:] >= 0) & (apart[:, :-1] >= 0)
        steps = np.maximum(np.diff(apart, axis=1)[both], 1)
        dilation = int(np.bincount(steps).argmax()) if steps.size else 1
        inside = np.argwhere(apart >= 0)
        before = dilation * (window[k] - 1) + 1
        if len(inside):
            i, j, other = inside[0]
            before = max(int(i * stride + j * dilation - apart[i, j, other]), 0)
        reach = (out[k] - 1) * stride + dilation * (window[k] - 1) + 1
        after = max(reach - size[k] - before, 0)
        axes.append(Axis(size[k], window[k], stride, before, after, dilation))
    return axes


def logic_dense_of_stream(r: Reader) -> TypedLayer:
    """A dense layer of a stream whose configuration names a generated function."""
    c = r.config
    program = _named(r, c, "dense_da", c.integer("n_in"))
    r.only("n_out", c.integer("n_out"), len(program.outputs))
    shape = r.shape(0, program.inputs)
    return Logic(
        program,
        input=r.input,
        input_shape=shape,
        result=r.result,
        output_shape=(len(program.outputs),),
    )


def logic_conv_of_stream(r: Reader, *names: str) -> TypedLayer | None:
    """A convolution of a stream whose matrix product is a generated function; ``None`` for others.

    Args:
        r: the call, which pads nothing.
        names: of the axes.
    """
    c = r.config
    called = c.inner("mult_config").alias("kernel")
    if not called.startswith(WRAPPER):
        return None
    channels = c.integer("n_chan")
    axes = [
        Axis(c.integer(f"in_{n}"), c.integer(f"filt_{n}"), c.integer(f"stride_{n}")) for n in names
    ]
    size = math.prod(axis.window for axis in axes) * channels
    program = r.project.generated.program(r.project.generated.wrapped(called), size)
    layer = LogicConv(
        program,
        axes,
        input=r.input,
        input_shape=(*(axis.size for axis in axes), channels),
        result=r.result,
    )
    members = (*(f"out_{n}" for n in names), "n_filt")
    for member, found in zip(members, layer.output_shape, strict=True):
        r.only(member, c.integer(member), found)
    return layer


def logic_einsum_dense(r: Reader) -> TypedLayer:
    """An einsum whose configuration names a generated kernel."""
    c = r.config
    inplace, places = c.integer("n_inplace"), c.integer("n_free_data")
    contract, made = c.integer("n_contract"), c.integer("n_free_kernel")
    generated = r.project.generated
    called = generated.called(_function(c, "da_kernel"), places, contract, made)
    r.only("the number of functions that the kernel calls", len(called), inplace)
    shape, perm = order(r, c.inner("tpose_inp_conf"))
    products, perm_out = order(r, c.inner("tpose_out_conf"))
    return LogicEinsumDense(
        [generated.program(name, contract) for name in called],
        r.weight(0, (inplace, places, made)),
        perm=perm,
        perm_out=perm_out,
        product_shape=products,
        input=r.input,
        input_shape=shape,
        bias_type=c.type("bias_t"),
        accum=c.type("accum_t"),
        result=r.result,
    )


def _named(r: Reader, c: Config, member: str, inputs: int) -> Program:
    """The program that a configuration names."""
    return r.project.generated.program(_function(c, member), inputs)


def _function(c: Config, member: str) -> str:
    """The function that a member is: ``nnet::dense_da_3<a, b>`` is ``dense_da_3``."""
    return c.text(member).partition("<")[0].rpartition("::")[2].strip()
