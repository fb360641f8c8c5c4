"""Einsums: ``nnet_einsum.h`` and ``nnet_einsum_dense.h``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.fixed import INT, Array, Fixed, concatenated
from harness.hls.layers.accumulate import accumulate
from harness.hls.layers.layer import Shape, ShapeError, Sum, TypedLayer, as_type, no_fractions
from harness.hls.layers.products import Product, times
from harness.hls.layers.shape import permutation, permuted
from harness.oracle.layers import LayerKernel
from harness.types import ApFixed

__all__ = ["Einsum", "EinsumDense", "Recipe", "recipe"]

#: Products at a time, so that they stay in the cache.
PRODUCTS = 1 << 18


@dataclass(frozen=True)
class Recipe:
    """An einsum as transpositions around matrix products.

    Attributes:
        perms: of each operand: its axes as (inplace, free, contract).
        inplace: the size of what both operands and the output have.
        free: of each operand: the size of what only it and the output have.
        contract: the size of what is summed over.
        product_shape: the axes of the products, (inplace, free of the first, of the second).
        perm_out: those axes in the order of the output.
    """

    perms: tuple[Shape, Shape]
    inplace: int
    free: tuple[int, int]
    contract: int
    product_shape: Shape
    perm_out: Shape

    @property
    def output_shape(self) -> Shape:
        """The shape of the output; () if everything is summed over."""
        return tuple(self.product_shape[k] for k in self.perm_out)

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """As the kernels take them: inplace, both free ones, contract."""
        return self.inplace, *self.free, self.contract

    def operand(self, place: int, x: Fixed) -> Fixed:
        """A batch of an operand as (rows, inplace, free, contract)."""
        shape = (len(x), self.inplace, self.free[place], self.contract)
        return permuted(x, self.perms[place]).reshape(shape)

    def output(self, products: Fixed) -> Fixed:
        """A batch of (rows, inplace, free, free) in the order of the output."""
        return permuted(products.reshape(len(products), *self.product_shape), self.perm_out)

    def place(self, index: Shape) -> tuple[int, int, int]:
        """Where an element of the output is among (inplace, free, free)."""
        where = [0] * len(self.perm_out)
        for axis, k in zip(self.perm_out, index, strict=False):
            where[axis] = k
        flat = int(np.ravel_multi_index(where, self.product_shape)) if where else 0
        i, first, second = np.unravel_index(flat, (self.inplace, *self.free))
        return int(i), int(first), int(second)


def recipe(equation: str, shape1: Shape, shape2: Shape) -> Recipe:
    """What hls4ml makes of an einsum.

    The sums go over the contracted axes in the order in which the *second* operand has them.

    Args:
        equation: as NumPy takes it, ``ij,jk->ik``, of axes without the batch; ``...`` may stand for
            axes of one operand or the same axes of both.
        shape1: the shape of the first operand.
        shape2: the shape of the second one.

    Raises:
        ValueError: for an equation that hls4ml does not take; names the reason.
        ShapeError: for shapes that do not fit it.
    """
    in1, in2, out = _labels(equation, shape1, shape2)
    size = dict(zip(in1, shape1, strict=True))
    for label, n in zip(in2, shape2, strict=True):
        if size.setdefault(label, n) != n:
            raise ShapeError(f"einsum {equation}: {label} has sizes {size[label]} and {n}")
    both = [label for label in in2 if label in in1]
    inplace = [label for label in both if label in out]
    contract = [label for label in both if label not in out]
    free1 = [label for label in in1 if label in out and label not in both]
    free2 = [label for label in in2 if label in out and label not in both]
    alone = [label for label in (*in1, *in2) if label not in both and label not in out]
    if alone:
        raise ValueError(
            f"einsum {equation}: {alone[0]} is summed over in one operand only, which hls4ml "
            "refuses; sum before"
        )
    product = [*inplace, *free1, *free2]

    def count(labels: list[str]) -> int:
        return math.prod(size[label] for label in labels)

    return Recipe(
        (
            tuple(in1.index(label) for label in (*inplace, *free1, *contract)),
            tuple(in2.index(label) for label in (*inplace, *free2, *contract)),
        ),
        count(inplace),
        (count(free1), count(free2)),
        count(contract),
        tuple(size[label] for label in product),
        tuple(product.index(label) for label in out),
    )


def _labels(equation: str, shape1: Shape, shape2: Shape) -> tuple[list[str], list[str], list[str]]:
    """A label for every axis of both operands and of the output."""
    sides = [side.strip() for side in equation.split("->")]
    operands = [operand.strip() for operand in sides[0].split(",")]
    if len(sides) != 2 or len(operands) != 2:
        raise ValueError(f"einsum {equation!r} must be of two operands: 'ij,jk->ik'")
    terms = [*operands, sides[1]]
    for term in terms:
        letters = term.replace("...", "", 1)
        if letters and not (letters.isascii() and letters.isalpha()):
            raise ValueError(f"einsum {equation}: axes are letters or one '...', not {term!r}")
        if len(set(letters)) != len(letters):
            raise ValueError(f"einsum {equation}: {term} has a letter twice")
    dots = ["..." in term for term in terms]
    if dots[2] != (dots[0] or dots[1]):
        raise ValueError(f"einsum {equation}: '...' must be in an operand and in the output")
    counts = []
    for term, shape in zip(operands, (shape1, shape2), strict=True):
        left = len(shape) - len(term.replace("...", "", 1))
        if left < 0 or (left and "..." not in term):
            raise ShapeError(f"einsum {equation}: {term} does not fit shape {tuple(shape)}")
        counts += [left] if "..." in term else []
    if len(set(counts)) > 1:
        raise ShapeError(f"einsum {equation}: '...' stands for {counts[0]} and {counts[1]} axes")
    more = [f"...{k}" for k in range(counts[0] if counts else 0)]
    labels = [_expanded(term, more) for term in terms]
    for label in labels[2]:
        if label not in labels[0] and label not in labels[1]:
            raise ValueError(f"einsum {equation}: no operand has {label}")
    return labels[0], labels[1], labels[2]


def _expanded(term: str, more: list[str]) -> list[str]:
    before, dots, after = term.partition("...")
    return [*before, *(more if dots else ()), *after]


class Einsum(TypedLayer):
    """An einsum of two inputs; ``accum = accum_t(accum + a * b)`` term by term.

    A product is added as it is and only the sum is converted, unlike in a dense layer.

    Args:
        equation: see :func:`recipe`.
        input1, input2: the types of the inputs.
        input1_shape, input2_shape: their shapes.
        accum: the type of the accumulator.
        result: the type of the output; its shape is (1,) if everything is summed over.
        product: how the inputs are multiplied, see :class:`Dense`; the second is the weight.

    Source:
        hls4ml ``nnet::einsum``.
    """

    source = "layers/einsum.h"
    input_names = ("input1", "input2")
    bilinear = told = True

    def __init__(
        self,
        equation: str,
        *,
        input1: ApFixed | str,
        input2: ApFixed | str,
        input1_shape: Shape,
        input2_shape: Shape,
        accum: ApFixed | str,
        result: ApFixed | str,
        product: str = "mult",
    ) -> None:
        steps = recipe(equation, input1_shape, input2_shape)
        shapes = [input1_shape, input2_shape]
        super().__init__([input1, input2], shapes, result, steps.output_shape or (1,))
        self.equation, self.recipe = equation, steps
        self.accum = as_type(accum, "accum")
        self.product = Product(self.name, product, input1, input2)
        no_fractions(self.name, self.accum, self.product.type)

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        a, b = (self.recipe.operand(k, x) for k, x in enumerate(inputs))
        zero = Fixed(np.int64(0), INT).to(self.accum)
        step = max(PRODUCTS // math.prod(self.recipe.sizes), 1)
        parts = []
        for k in range(0, max(len(a), 1), step):
            rows = slice(k, k + step)
            terms = times(self.product.name, a[rows, :, :, None, :], b[rows, :, None, :, :])
            parts.append(accumulate(zero, terms).to(self.result))
        made = self.recipe.output(concatenated(parts))
        return made.reshape(-1, *self.output_shape)

    def summed(self, inputs: Sequence[Fixed], index: tuple[int, ...]) -> Sum | None:
        """See :meth:`TypedLayer.summed`."""
        if self.product.name != "mult":
            return None
        i, first, second = self.recipe.place(index)
        a, b = (self.recipe.operand(k, x[None])[0, i] for k, x in enumerate(inputs))
        zero = Fixed(np.int64(0), INT)
        return Sum(a[first], b[second], zero, self.accum, self.result, exact=True)

    def kernel(self) -> LayerKernel:
        """``einsum``."""
        steps = self.recipe
        orders = [
            *map(permutation, self.input_shapes, steps.perms),
            permutation(steps.product_shape, steps.perm_out),
        ]
        product = self.product.cpp[1]
        arguments = (*self.input_types, self.accum, self.result, *steps.sizes, *orders, product)
        return LayerKernel(self.source, "einsum", arguments)


class EinsumDense(TypedLayer):
    """An einsum of an input and weights, plus a bias; in the accumulator as a dense layer.

    hls4ml has it with the latency strategy, and with distributed arithmetic, which generates
    code: see :class:`harness.hls.LogicEinsumDense`.

    Args:
        equation: see :func:`recipe`; the input is the first operand, the weight the second.
        weight: floats or ``Fixed``, of the shape that the equation says.
        bias: what broadcasts to the output's shape; zeros if ``None``.
        input: the type of the input.
        input_shape: its shape.
        weight_type, bias_type: the types of the parameters.
        accum: the type of products and accumulator.
        result: the type of the output; its shape is (1,) if everything is summed over.
        product: see :class:`Dense`.

    Source:
        hls4ml ``nnet::einsum_dense``.
    """

    source = "layers/einsum.h"
    affine = told = True

    def __init__(
        self,
        equation: str,
        weight: Any,
        bias: Any = None,
        *,
        input: ApFixed | str,  # noqa: A002
        input_shape: Shape,
        weight_type: ApFixed | str,
        bias_type: ApFixed | str,
        accum: ApFixed | str,
        result: ApFixed | str,
        product: str = "mult",
    ) -> None:
        shape = tuple(np.shape(getattr(weight, "codes", weight)))
        steps = recipe(equation, input_shape, shape)
        super().__init__([input], [input_shape], result, steps.output_shape or (1,))
        self.equation, self.recipe = equation, steps
        self.accum = as_type(accum, "accum")
        self.product = Product("EinsumDense", product, input, weight_type)
        self.parameter("weight", self.product.weights(weight), self.product.stored, shape)
        bias = np.zeros(1) if bias is None else bias
        bias_shape = tuple(np.shape(getattr(bias, "codes", bias)))
        fits = zip(reversed(bias_shape), reversed(self.output_shape), strict=False)
        if len(bias_shape) > len(self.output_shape) or any(n not in (1, m) for n, m in fits):
            raise ShapeError(
                f"EinsumDense: a bias of shape {bias_shape} does not broadcast to the output's "
                f"shape {self.output_shape}"
            )
        self.parameter("bias", bias, bias_type, bias_shape)

    def constants(self) -> tuple[Fixed, ...]:
        """Weights (inplace, contract, free) and biases (inplace, free of the input, free)."""
        steps = self.recipe
        weight = steps.operand(1, self.fixed("weight")[None])[0].transpose(0, 2, 1)
        bias = self.fixed("bias")
        spread = bias.moved(lambda held: np.broadcast_to(held, self.output_shape))
        axes = np.argsort(np.array(steps.perm_out, int))
        back = spread.reshape(steps.output_shape).transpose(*axes)
        return weight, back.reshape(steps.inplace, *steps.free)

    def compute(self, *inputs: Fixed) -> Fixed:
        """See :meth:`TypedLayer.compute`."""
        weight, bias = self.constants()
        x = self.recipe.operand(0, inputs[0])
        rows, steps = len(x), self.recipe
        zero = Fixed(np.zeros((), np.int64), self.result)
        out = np.empty((rows, steps.inplace, *steps.free), zero.held.dtype)
        for i in range(steps.inplace):
            for places in _alike(bias[i]):
                flat = x[:, i, places].reshape(-1, steps.contract)
                sums = self.product.sums(flat, weight[i], bias[i, places[0]], self.accum)
                made = self.product.concluded(sums, steps.contract, self.result)
                out[:, i, places] = made.held.reshape(rows, len(places), steps.free[1])
        return steps.output(Fixed(out, self.result)).reshape(rows, *self.output_shape)

    def summed(self, inputs: Sequence[Fixed], index: tuple[int, ...]) -> Sum | None:
        """See :meth:`TypedLayer.summed`."""
        weight, bias = self.constants()
        i, first, second = self.recipe.place(index)
        x = self.recipe.operand(0, inputs[0][None])[0, i, first]
        start = bias[i, first, second]
        return self.product.sum(x, weight[i, :, second], start, self.accum, self.result)

    def kernel(self) -> LayerKernel:
        """``einsum_dense``."""
        steps = self.recipe
        weight, product = self.product.cpp
        arguments = (
            self.input_types[0],
            weight,
            self.parameter_types["bias"],
            self.accum,
            self.result,
            *steps.sizes,
            permutation(self.input_shapes[0], steps.perms[0]),
            permutation(steps.product_shape, steps.perm_out),
            product,
        )
        return LayerKernel(self.source, "einsum_dense", arguments)


def _alike(bias: Fixed) -> list[Array]:
    """The places along the first axis, together where the biases are the same."""
    _, groups = np.unique(bias.words.reshape(len(bias), -1), axis=0, return_inverse=True)
    groups = np.ravel(groups)
    return [np.flatnonzero(groups == k) for k in range(int(groups.max()) + 1)]
