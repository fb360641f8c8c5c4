"""Einsums: ``nnet_einsum.h``, ``nnet_einsum_dense.h``; their equations from their tables."""

from __future__ import annotations

import math
from dataclasses import dataclass
from string import ascii_letters

from harness.hls.layers.einsum import Einsum, EinsumDense, Recipe
from harness.hls.layers.layer import TypedLayer
from harness.hls.project.kernels.generated import logic_einsum_dense
from harness.hls.project.kernels.moves import order
from harness.hls.project.kernels.products import product, strategy
from harness.hls.project.registry import Reader, Shape, kernel
from harness.hls.project.scope import Config

__all__: list[str] = []


@dataclass(frozen=True)
class _Axes:
    """The axes of an operand that are longer than 1, in the order of the array.

    Attributes:
        shape: their sizes.
        groups: for each group, inplace, free and contracted, its axes.
    """

    shape: Shape
    groups: tuple[Shape, ...]

    def sizes(self, group: int) -> Shape:
        """The sizes of a group's axes."""
        return tuple(self.shape[k] for k in self.groups[group])


def _axes(r: Reader, c: Config, *sizes: int) -> _Axes:
    """The axes that a transposition brings into groups of these sizes."""
    shape, perm = order(r, c)
    kept = [k for k in range(len(shape)) if shape[k] > 1]
    left = [kept.index(k) for k in perm if k in kept]
    groups = []
    for size in sizes:
        taken: list[int] = []
        while left and math.prod(shape[kept[k]] for k in taken) < size:
            taken.append(left.pop(0))
        if math.prod(shape[kept[k]] for k in taken) != size:
            raise r.refused(f"the axes of {c.name} do not come in groups of {sizes}")
        groups.append(tuple(taken))
    return _Axes(tuple(shape[k] for k in kept), tuple(groups))


def _equation(r: Reader, first: _Axes, second: _Axes, out: Config) -> tuple[str, Shape, Shape]:
    """The equation, and of the products (inplace, free, free) the shape and the permutation."""
    letters = iter(ascii_letters)
    labels = [dict[int, str](), dict[int, str]()]
    for group in (0, 2):
        if first.sizes(group) != second.sizes(group):
            raise r.refused("the axes that both operands have differ")
        for a, b in zip(first.groups[group], second.groups[group], strict=True):
            labels[0][a] = labels[1][b] = next(letters)
    for k, axes in enumerate((first, second)):
        labels[k].update((a, next(letters)) for a in axes.groups[1])
    names = [labels[0][a] for g in (0, 1) for a in first.groups[g]]
    names += [labels[1][b] for b in second.groups[1]]
    sizes = (*first.sizes(0), *first.sizes(1), *second.sizes(1))
    full, perm = order(r, out)
    kept = [k for k in range(len(full)) if full[k] > 1]
    if tuple(full[k] for k in kept) != sizes or not sizes:
        raise r.refused(f"the axes of {out.name} are not those of the operands")
    places = [kept.index(k) for k in perm if k in kept]
    operands = ("".join(own[k] for k in range(len(own))) for own in labels)
    return f"{','.join(operands)}->{''.join(names[k] for k in places)}", sizes, tuple(places)


def _checked(r: Reader, found: Recipe, first: _Axes, second: _Axes) -> None:
    """Refuse where the typed layer would sum in another order."""
    wanted = tuple(tuple(k for g in axes.groups for k in g) for axes in (first, second))
    if found.perms != wanted:
        raise r.refused("its transpositions are not those that hls4ml makes")


def _weights(r: Reader, data: _Axes, out: Config, free: int) -> _Axes:
    """The axes of the weights, which lie as (inplace, contracted, free)."""
    shape, _ = order(r, out)
    before = len(data.groups[0]) + len(data.groups[1])
    alone = tuple(n for n in shape if n > 1)[before:]
    if math.prod(alone) != free:
        raise r.refused(f"the axes of {out.name} are not those of data and weights")
    ends = (len(data.groups[0]), len(data.groups[0]) + len(data.groups[2]))
    sizes = (*data.sizes(0), *data.sizes(2), *alone)
    places = range(len(sizes))
    groups = (places[: ends[0]], places[ends[1] :], places[ends[0] : ends[1]])
    return _Axes(sizes, tuple(map(tuple, groups)))


@kernel("einsum")
def _einsum(r: Reader) -> TypedLayer:
    c = r.config
    inplace, contract = c.integer("n_inplace"), c.integer("n_contract")
    first = _axes(r, c.inner("tpose_inp0_config"), inplace, c.integer("n_free0"), contract)
    second = _axes(r, c.inner("tpose_inp1_config"), inplace, c.integer("n_free1"), contract)
    equation, _, _ = _equation(r, first, second, c.inner("tpose_out_conf"))
    r.only("the number of inputs", len(r.inputs), 2)
    layer = Einsum(
        equation,
        input1=r.inputs[0],
        input2=r.inputs[1],
        input1_shape=first.shape,
        input2_shape=second.shape,
        accum=c.type("accum_t"),
        result=r.result,
        product=product(r, c),
    )
    _checked(r, layer.recipe, first, second)
    return layer


@kernel("einsum_dense")
def _einsum_dense(r: Reader) -> TypedLayer:
    c = r.config
    if "strategy" in c.values and c.word("strategy") == "distributed_arithmetic":
        return logic_einsum_dense(r)
    dense = c.inner("dense_conf")
    r.only("the strategy", strategy(r, dense), "latency")
    inplace, contract = c.integer("n_inplace"), c.integer("n_contract")
    free = c.integer("n_free_kernel")
    r.only("n_in of the dense layer", dense.integer("n_in"), contract)
    r.only("n_out of the dense layer", dense.integer("n_out"), free)
    data = _axes(r, c.inner("tpose_inp_conf"), inplace, c.integer("n_free_data"), contract)
    out = c.inner("tpose_out_conf")
    weight = _weights(r, data, out, free)
    equation, products, places = _equation(r, data, weight, out)
    layer = EinsumDense(
        equation,
        r.weight(0, weight.shape),
        r.weight(1, products).transpose(*places),
        input=r.input,
        input_shape=data.shape,
        weight_type=dense.weight_type("weight_t"),
        bias_type=dense.type("bias_t"),
        accum=dense.type("accum_t"),
        result=r.result,
        product=product(r, dense),
    )
    _checked(r, layer.recipe, data, weight)
    return layer
