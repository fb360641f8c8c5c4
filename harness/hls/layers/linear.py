"""Is a program a matrix product?  Linear forms of its inputs, as far as no type loses anything.

Distributed arithmetic writes ``x @ w + b`` as shifts and additions, each in a type that is meant to
hold what is assigned to it.  Where every type provably does, the program *is* a matrix product, and
its matrix can be read off it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NoReturn

import numpy as np

from harness.fixed import Array, Fixed
from harness.hls.layers.accumulate import affine, bounds
from harness.hls.layers.casts import cast_columns
from harness.hls.layers.layer import MAX_WIDTH, Sum
from harness.hls.layers.terms import Program
from harness.quantize.plan import plan
from harness.types import ApFixed

__all__ = ["Linear", "NotLinearError", "linear"]

#: Integers below this are exact in float64, and so are the sums of two.
EXACT = 1 << 52
#: No number here is a multiple of 2 to this power.
WIDEST = 1 << 9


class NotLinearError(ValueError):
    """Why a program is no matrix product."""


@dataclass(frozen=True)
class Linear:
    """``weight`` and ``bias`` of a program that is ``x @ weight + bias``, without any loss.

    Attributes:
        casts: the type that each input becomes before anything else; ``None`` if it is not read.
        input: a type that holds every input after that.
        weight: (inputs, outputs).
        bias: (outputs,).
        accum: a type that holds every partial sum.
    """

    casts: tuple[ApFixed | None, ...]
    input: ApFixed
    weight: Fixed
    bias: Fixed
    accum: ApFixed

    def run(self, x: Fixed, result: ApFixed) -> Fixed:
        """(rows, outputs) of type ``result``, of ``x`` (rows, inputs)."""
        return affine(self.taken(x), self.weight, self.bias, self.accum).to(result)

    def taken(self, x: Fixed) -> Fixed:
        """The inputs after their casts."""
        return cast_columns(x, range(len(self.casts)), self.casts, self.input)

    def summed(self, x: Fixed, place: int, result: ApFixed) -> Sum:
        """What is added up to an output of the row ``x``, (inputs,)."""
        taken, weight = self.taken(x[None])[0], self.weight[:, place]
        kept = np.flatnonzero(weight.codes)
        return Sum(taken[kept], weight[kept], self.bias[place], self.accum, result)


def linear(program: Program, t: ApFixed) -> Linear:
    """The matrix of a program for inputs of type ``t``.

    Raises:
        NotLinearError: if it is none, or if a type does not hold what is assigned to it.
    """
    m = _Forms(program, t)
    try:
        made = [m.form(term) for term in program.on(m, m.values)]
    except TypeError:  # an operator that forms do not have
        _nonlinear()
    casts = tuple(m.casts)
    weight = np.stack([form.weights for form in made], 1)
    kept = [c for c in casts if c is not None] or [t]
    frac, integer = max(c.frac for c in kept), max(c.integer + (not c.signed) for c in kept)
    taken = ApFixed(integer + frac, integer)
    w, b = _codes(weight), _codes(np.array([form.offset for form in made]))
    held = [int(abs(end).max(initial=0)) for end in bounds(taken, w, b)]
    product = taken.frac + w.type.frac
    finest = max(product, b.type.frac)
    width = (max(held) << (finest - product)).bit_length() + 2
    if max(width, taken.width) > MAX_WIDTH - 2:
        raise NotLinearError("its sums have more than 62 bits")
    return Linear(casts, taken, w, b, ApFixed(width, width - finest))


@dataclass(frozen=True, eq=False)
class _Form:
    """``x @ weights + offset``, a multiple of ``2**-frac``.

    The numbers are float64, and exact: all are multiples of a power of two below :data:`EXACT`.
    """

    weights: Array
    offset: float
    frac: int

    def __add__(self, other: _Form) -> _Form:
        frac = max(self.frac, other.frac)
        return _Form(self.weights + other.weights, self.offset + other.offset, frac)

    def __neg__(self) -> _Form:
        return _Form(-self.weights, -self.offset, self.frac)

    def __sub__(self, other: _Form) -> _Form:
        return self + -other


@dataclass(frozen=True)
class _Raw:
    """An input before its first conversion."""

    place: int


class _Forms:
    """A machine whose values are linear forms of the inputs."""

    def __init__(self, program: Program, t: ApFixed) -> None:
        self._names = [let.name for let in program.lets]
        self._t = t
        self.casts: list[ApFixed | None] = [None] * program.inputs
        self._low = np.zeros(program.inputs)
        self._high = np.zeros(program.inputs)
        self.values: list[_Form] = []

    def form(self, x: Any) -> _Form:
        """A form, of what is an input without a conversion, or a number, too."""
        if isinstance(x, _Raw):
            return self.cast(x, self._t)
        if isinstance(x, _Form):
            return x
        if isinstance(x, bool) or not isinstance(x, (int, float)):
            _nonlinear()
        return _Form(np.zeros(len(self.casts)), float(x), _finest(x))

    def input(self, place: int) -> _Raw:
        return _Raw(place)

    def value(self, place: int) -> _Form:
        return self.values[place]

    def number(self, value: float) -> float:
        return value

    def cast(self, x: Any, t: ApFixed) -> _Form:
        if isinstance(x, _Raw):
            return self._taken(x.place, t)
        form = self.form(x)
        low, high = self._range(form)
        lower, upper = (Fraction(code) * t.lsb_exact for code in (plan(t).lower, t.max_code))
        if form.frac > t.frac or low < lower or high > upper:
            name = self._names[len(self.values)] if len(self.values) < len(self._names) else ""
            raise NotLinearError(
                f"{t} does not hold {name or 'an output'}, which goes from {float(low):g} to "
                f"{float(high):g} in steps of {2.0**-form.frac:g}"
            )
        return form

    def _taken(self, place: int, t: ApFixed) -> _Form:
        if self.casts[place] not in (None, t):
            raise NotLinearError(f"input {place} is converted to {self.casts[place]} and to {t}")
        self.casts[place] = t
        self._low[place], self._high[place] = float(t.min_exact), float(t.max_exact)
        weights = np.zeros(len(self.casts))
        weights[place] = 1.0
        return _Form(weights, 0.0, t.frac)

    def _range(self, form: _Form) -> tuple[Fraction, Fraction]:
        """The lowest and the highest value."""
        ends = form.weights * self._low, form.weights * self._high
        most = np.maximum(np.abs(ends[0]), np.abs(ends[1])).sum() + abs(form.offset)
        if not most * 2.0**form.frac < EXACT:
            raise NotLinearError("its sums have more than 52 bits")
        low, high = np.minimum(*ends).sum(), np.maximum(*ends).sum()
        return Fraction(float(low + form.offset)), Fraction(float(high + form.offset))

    def shift(self, x: Any, count: int) -> _Form:
        form, scale = self.form(x), 2.0**count
        return _Form(form.weights * scale, form.offset * scale, form.frac - count)

    def select(self, condition: Any, a: Any, b: Any) -> NoReturn:
        del condition, a, b
        _nonlinear()

    def bit(self, x: Any, place: int) -> NoReturn:
        del x, place
        _nonlinear()

    def entry(self, x: Any, table: Fixed) -> NoReturn:
        del x, table
        _nonlinear()


def _nonlinear() -> NoReturn:
    raise NotLinearError("it does more than shift and add")


def _finest(value: float) -> int:
    """The fractional bits of a number, negative for a multiple of 2; few for a zero."""
    numerator, denominator = value.as_integer_ratio()
    if numerator == 0:
        return -WIDEST
    return denominator.bit_length() - (numerator & -numerator).bit_length()


def _codes(values: Array) -> Fixed:
    """Multiples of a power of two, as codes of the least type that holds them."""
    listed = values.ravel().tolist()
    frac = max(*map(_finest, listed), 0)
    codes = [int(Fraction(value) * Fraction(2) ** frac) for value in listed]
    width = max((abs(c).bit_length() for c in codes), default=0) + 1
    if width > MAX_WIDTH - 2:
        raise NotLinearError("its weights have more than 62 bits")
    t = ApFixed(width, width - frac)
    return Fixed(np.array(codes, np.int64).reshape(values.shape), t)
