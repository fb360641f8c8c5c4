"""Casts of each element and generated logic to draw."""

from __future__ import annotations

import math
from fractions import Fraction

from harness.fixed import Fixed
from harness.hls.layers.casts import ElementCast
from harness.hls.layers.logic import Logic, LogicConv, LogicEinsumDense
from harness.hls.layers.terms import (
    Binary,
    Bit,
    Cast,
    Entry,
    Input,
    Let,
    Number,
    Program,
    Select,
    Shift,
    Term,
    Unary,
    Value,
)
from harness.hls.layers.windows import Axis
from harness.hls.proof.draw import Draw, family
from harness.types import ApFixed

__all__: list[str] = []


@family("casts of each element")
def _element_cast(draw: Draw) -> ElementCast:
    shape = tuple(draw.integer(1, 4) for _ in range(draw.integer(1, 3)))
    # As HGQ has it, all types have the same modes, or each its own.
    modes = draw.type()
    types: list[ApFixed | None] = []
    for _ in range(math.prod(shape)):
        t = draw.type(1, 12)
        if draw.integer(0, 1):
            t = ApFixed(t.width, t.integer, True, modes.rounding, modes.overflow)
        types.append(t if draw.integer(0, 4) else None)
    return ElementCast(types, input=draw.type(), input_shape=shape, result=draw.type())


@family("generated logic, shifts and additions")
def _adders(draw: Draw) -> Logic:
    return _logic(draw, _Adders(draw, draw.integer(1, 6)).program(draw.integer(1, 4)))


@family("generated logic, every operation")
def _anything(draw: Draw) -> Logic:
    return _logic(draw, _Anything(draw, draw.integer(1, 4)).program(draw.integer(1, 3)))


@family("conv1d, distributed arithmetic")
def _conv1d(draw: Draw) -> LogicConv:
    return _conv(draw, 1)


@family("conv2d, distributed arithmetic")
def _conv2d(draw: Draw) -> LogicConv:
    return _conv(draw, 2)


@family("einsum_dense, distributed arithmetic")
def _einsum_dense(draw: Draw) -> LogicEinsumDense:
    shared, own, contract, made = (draw.integer(1, 3) for _ in range(4))
    shape, products = [shared, own, contract], (shared, own, made)
    order, order_out = (tuple(map(int, draw.rng.permutation(3))) for _ in range(2))
    bias = draw.type()
    where = sorted(range(3), key=order.__getitem__)  # the place of each axis in the input
    return LogicEinsumDense(
        [_Adders(draw, contract).program(made) for _ in range(shared)],
        draw.codes(bias, products),
        perm=order,
        perm_out=order_out,
        product_shape=products,
        input=draw.type(),
        input_shape=tuple(shape[k] for k in where),
        bias_type=bias,
        accum=draw.accumulator(),
        result=draw.type(),
    )


def _logic(draw: Draw, program: Program) -> Logic:
    return Logic(program, input=draw.type(), result=draw.type())


def _conv(draw: Draw, rank: int) -> LogicConv:
    axes = []
    for _ in range(rank):
        size, window = draw.integer(1, 5), draw.integer(1, 3)
        before, after = (draw.integer(0, window - 1) for _ in range(2))
        size = max(size, window - before - after)
        axes.append(Axis(size, window, draw.integer(1, 2), before, after))
    channels = draw.integer(1, 2)
    inputs = math.prod(axis.window for axis in axes) * channels
    return LogicConv(
        _Adders(draw, inputs).program(draw.integer(1, 3)),
        axes,
        input=draw.type(),
        input_shape=(*(axis.size for axis in axes), channels),
        result=draw.type(),
        n_partitions=draw.choice([1, axes[-1].out]),
    )


class _Adders:
    """A program as da4ml writes it: types are those that hold all, or now and then any."""

    def __init__(self, draw: Draw, inputs: int) -> None:
        self.draw, self.inputs = draw, inputs
        self.lets: list[Let] = []
        self.loses = draw.integer(0, 2) == 0
        for k in range(inputs):
            t = draw.type() if draw.integer(0, 1) else draw.type(2, 9, plain=True)
            self.let(t, Input(k) if draw.integer(0, 5) else Number(0))

    def let(self, t: ApFixed, term: Term) -> None:
        """One more name."""
        self.lets.append(Let(f"v{len(self.lets)}", t, term))

    def name(self) -> Value:
        """Any of the names."""
        return Value(self.draw.integer(0, len(self.lets) - 1))

    def type(self, value: Value) -> ApFixed:
        """The type of a name."""
        return self.lets[value.place].type

    def shifted(self, value: Value) -> tuple[Term, ApFixed]:
        """A name, mostly shifted, and its type."""
        count, t = self.draw.integer(-4, 4), self.type(value)
        return (Shift(count, value) if count else value), ApFixed(
            t.width, t.integer + count, t.signed
        )

    def step(self) -> None:
        """A sum or a difference of two names, in a type that holds it."""
        a, b = self.name(), self.name()
        (right, t2), t1 = self.shifted(b), self.type(a)
        frac, integer = max(t1.frac, t2.frac), max(t1.integer, t2.integer) + 2
        t = ApFixed(frac + integer, integer)
        if t.width > 30:
            return
        if self.loses and self.draw.integer(0, 1):
            t = self.draw.type(2, 14)
        self.let(t, Binary(self.draw.choice("+-"), a, right))

    def output(self) -> Term:
        """What is assigned to an output."""
        if self.draw.integer(0, 7) == 0:
            return Number(0)
        value = self.name()
        term, t = self.shifted(value)
        return Cast(
            ApFixed(t.width + 1, t.integer + 1),
            Unary("-", term) if self.draw.integer(0, 1) else term,
        )

    def program(self, outputs: int) -> Program:
        """The program of some steps."""
        for _ in range(self.draw.integer(0, 3 * self.inputs)):
            self.step()
        return Program(self.inputs, tuple(self.lets), tuple(self.output() for _ in range(outputs)))


class _Anything(_Adders):
    """A program of every kind of term that da4ml writes."""

    def step(self) -> None:
        """One of them."""
        kind, a, b = self.draw.integer(0, 8), self.name(), self.name()
        t = self.draw.type(2, 12, plain=True)
        match kind:
            case 0 | 1:
                super().step()
            case 2:
                self.let(t, Select(Binary(">", a, Number(0)), Cast(t, a), Cast(t, Number(0))))
            case 3:
                bit = Bit(self.draw.integer(0, self.type(a).width - 1), a)
                self.let(t, Select(bit, Cast(t, a), Cast(t, Unary("-", b))))
            case 4:
                number = float(Fraction(self.draw.integer(1, 31), 8))
                self.let(t, Binary("-", a, Cast(ApFixed(8, 4, False), Number(number))))
            case 5:
                self.let(t, Binary("*", a, b) if self.draw.integer(0, 1) else Unary("~", a))
            case 6:
                self.let(t, Binary(self.draw.choice("&|^"), Cast(t, a), Cast(t, b)))
            case 7:
                equal = Binary("==", a, Cast(self.type(a), Number(-0.5)))
                self.let(
                    ApFixed(1, 1, False),
                    equal if self.draw.integer(0, 1) else Binary("!=", a, Number(0)),
                )
            case 8:
                small = ApFixed(self.draw.integer(1, 4), 2, bool(self.draw.integer(0, 1)))
                self.let(small, a)
                table: Fixed = self.draw.codes(t, (1 << small.width,))
                self.let(t, Entry(t, tuple(table.codes.tolist()), Value(len(self.lets) - 1)))
