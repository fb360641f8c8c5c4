"""Products of an input and a weight: ``nnet_mult.h``.

hls4ml takes another one than ``*`` where a type has one bit for -1 and 1, two bits for -1, 0 and 1,
or an exponent.  :func:`times` is what each computes.  Sums of them are those of ordinary products
of other numbers, which :func:`factors` finds, so that they cost what other sums do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.fixed import Array, Fixed, concatenated, record_cast, where
from harness.hls.layers.accumulate import accumulate, affine
from harness.hls.layers.layer import Sum, as_type
from harness.types import ApFixed, ApInt

__all__ = ["PRODUCTS", "Product", "factors", "times"]

PRODUCTS = (
    "mult",
    "weight_binary",
    "weight_ternary",
    "data_binary",
    "both_binary",
    "weight_exponential",
)
#: One bit: 0 stands for -1.
BIT = ApInt(1, signed=False)
#: -1, 0 and 1.
SIGN = ApInt(2)
#: Products at a time, so that they stay in the cache.
AT_ONCE = 1 << 18


class Product:
    """How a layer multiplies inputs by weights, and sums the products up.

    Args:
        owner: how errors call the layer.
        name: one of :data:`PRODUCTS`.
        x: the type of the input.
        w: the type of the weights: for ``weight_exponential`` that of the exponents.

    Attributes:
        name: the product.
        stored: the type of the weights' codes: for ``weight_exponential`` one bit wider than that
            of the exponents, for the lowest bit is the sign.

    Raises:
        ValueError: for an unknown product, and for types that it is not made for.
    """

    def __init__(self, owner: str, name: str, x: ApFixed | str, w: ApFixed | str) -> None:
        self.owner, self.name = owner, name
        self.x, self.w = as_type(x, "input"), as_type(w, "weight")
        if name not in PRODUCTS:
            raise ValueError(f"{owner}: unknown product {name!r}; allowed: {', '.join(PRODUCTS)}")
        wanted = {
            "weight_binary": [("weight", self.w, BIT)],
            "weight_ternary": [("weight", self.w, SIGN)],
            "data_binary": [("input", self.x, BIT)],
            "both_binary": [("input", self.x, BIT), ("weight", self.w, BIT)],
        }
        for what, t, only in wanted.get(name, ()):
            if t != only:
                raise ValueError(f"{owner}: {name} takes {what}s of type {only}, not {t}")
        powers = name == "weight_exponential"
        if powers and not (isinstance(self.w, ApInt) and self.w.signed):
            raise ValueError(f"{owner}: {name} takes exponents of a type ap_int, not {self.w}")
        self.stored = ApInt(self.w.width + 1) if powers else self.w

    @property
    def cpp(self) -> tuple[Any, str]:
        """The type of the weights, and the product, as the adapters take them."""
        powers = self.name == "weight_exponential"
        weight = f"harness::layers::exponent<{self.w.width}>" if powers else self.w
        return weight, f"nnet::product::{self.name}"

    @property
    def type(self) -> ApFixed:
        """The C++ type of a product."""
        none = np.empty(0, np.int64)
        return times(self.name, Fixed(none, self.x), Fixed(none, self.stored)).type

    @property
    def counts(self) -> bool:
        """Whether sums count equal bits: :meth:`concluded` makes of them what is meant."""
        return self.x == self.w == BIT

    def weights(self, values: Any) -> Any:
        """Weights as the layer keeps them: powers of two become codes, others stay what they are.

        Args:
            values: for ``weight_exponential`` floats ``2**e`` and ``-2**e``, or a ``Fixed`` of
                codes ``2 * e + sign``, whose sign is 1 for a positive weight.

        Raises:
            ValueError: for no power of two, and for one whose exponent the type does not hold.
        """
        if self.name != "weight_exponential" or isinstance(values, Fixed):
            return values
        numbers = np.asarray(values, np.float64)
        fraction, exponent = np.frexp(np.abs(numbers))
        exponent = exponent.astype(np.int64) - 1
        low, high = self.w.min_code, self.w.max_code
        wrong = numbers[(fraction != 0.5) | (exponent < low) | (exponent > high)]
        if wrong.size:
            raise ValueError(
                f"{self.owner}: the weight {wrong[0]:g} is no power of two from 2**{low} to "
                f"2**{high}, nor its negative"
            )
        return Fixed(2 * exponent + (numbers > 0), self.stored)

    def meant_of(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Two inputs as numbers, in float64; the second is the weight."""
        first = self.name in ("data_binary", "both_binary")
        second = self.name in ("weight_binary", "both_binary")
        return 2 * x - 1 if first else x, 2 * y - 1 if second else y

    def meant(self, x: Array, w: Fixed) -> tuple[Array, Array]:
        """Input and weights as numbers, in float64: where one bit says so, -1 and 1.

        Args:
            x: inputs as the types before have them, any shape.
            w: the weights' codes.
        """
        if self.name in ("data_binary", "both_binary"):
            x = 2 * x - 1
        match self.name:
            case "weight_binary" | "both_binary":
                return x, 2.0 * w.codes - 1
            case "weight_ternary":
                return x, np.where(w.codes == -2, 1.0, w.codes)
            case "weight_exponential":
                return x, np.where(w.codes & 1, 1, -1) * 2.0 ** (w.codes >> 1)
        return x, w.values()

    def sums(
        self, x: Fixed, w: Fixed, b: Fixed, accum: ApFixed, order: Array | None = None
    ) -> Fixed:
        """:func:`affine` with this product; arguments as it takes them."""
        if self.name == "mult":
            return affine(x, w, b, accum, order)
        found = factors(self.name, x, w)
        if found is None or (isinstance(accum, ApInt) and self.type.integer < 1):
            return self._by_definition(x, w, b, accum, order)
        record_cast(self.type, accum)
        if self.name == "both_binary" and order is not None:
            order = np.stack([2 * order, 2 * order + 1], axis=-1).reshape(len(order), -1)
        return affine(*found, b, accum, order)

    def _by_definition(
        self, x: Fixed, w: Fixed, b: Fixed, accum: ApFixed, order: Array | None
    ) -> Fixed:
        """Product by product, some rows at a time."""
        n_in, n_out = w.shape
        places = np.broadcast_to(np.arange(n_in), (n_out, n_in)) if order is None else order
        weights = w[places, np.arange(n_out)[:, None]]
        step, parts = max(AT_ONCE // max(w.size, 1), 1), []
        for k in range(0, max(len(x), 1), step):
            terms = times(self.name, x[k : k + step][:, places], weights).to(accum)
            parts.append(accumulate(b.to(accum), terms))
        return concatenated(parts)

    def concluded(self, sums: Fixed, n_in: int, result: ApFixed) -> Fixed:
        """``nnet::cast``: sums as a layer's output.

        Those that count equal bits become that count less the count of the others.

        Args:
            sums: in the accumulator's type.
            n_in: how many products the configuration of the matrix product says that there are.
            result: the type of the output.
        """
        if self.counts:
            twice = sums * 2 - Fixed.unsigned(n_in)
            sums = twice.to(ApInt(max((n_in - 1).bit_length(), 1) + 2))
        return sums.to(result)

    def sum(self, x: Fixed, w: Fixed, start: Fixed, accum: ApFixed, result: ApFixed) -> Sum | None:
        """What one output adds up, if that are products as they are everywhere else.

        Args:
            x: the inputs in the order they are taken, (terms,).
            w: the weights in the same order.
            start: what the accumulator starts from.
            accum: its type.
            result: the type of the output.
        """
        found = None if self.counts else factors(self.name, x, w)
        return None if found is None else Sum(*found, start, accum, result)


def times(product: str, a: Fixed, b: Fixed) -> Fixed:
    """What a product gives for each pair, in the C++ type of it."""
    if product == "mult":
        return a * b
    if product == "both_binary":
        return Fixed((a.codes == b.codes).astype(np.int64), a.type)
    if product == "weight_exponential":
        return _shifted(a, b)
    if product == "data_binary":
        a, b = b, a
    minus = -a
    codes, negated, by = a.to(minus.type).codes, minus.codes, b.codes
    if product != "weight_ternary":
        return Fixed(np.where(by == 0, negated, codes), minus.type)
    # Any code but 0 and -1 counts as 1.
    return Fixed(np.where(by == -1, negated, codes) * (by != 0), minus.type)


def _shifted(a: Fixed, w: Fixed) -> Fixed:
    """``a * 2**e`` with the sign, cut to the product's type on the way."""
    width = w.type.width - 1 + a.type.width
    t = ApFixed(2 * width, width)
    shape = np.broadcast_shapes(a.shape, w.shape)
    codes, powers = (np.array(np.broadcast_to(x, shape)) for x in (a.to(t).codes, w.codes))
    moved = Fixed(codes, t) << (powers >> 1)
    return where((powers & 1) == 1, moved, (-moved).to(t))


def factors(product: str, x: Fixed, w: Fixed) -> tuple[Fixed, Fixed] | None:
    """An input and weights whose ordinary products have the values of these.

    Args:
        product: the product.
        x: (..., terms).
        w: (terms, ...).

    Returns:
        ``None`` if there are none: a shift may lose bits.  For ``both_binary`` there are twice as
        many terms: ``x == w`` is ``x * w + (1 - x) * (1 - w)``, one of which is zero.
    """
    match product:
        case "weight_binary":
            return x, Fixed(2 * w.codes - 1, SIGN)
        case "weight_ternary":
            return x, Fixed(np.where(w.codes == -2, 1, w.codes), SIGN)
        case "data_binary":
            return Fixed(2 * x.codes - 1, SIGN), w
        case "both_binary":
            pairs = np.stack([x.codes, 1 - x.codes], axis=-1).reshape(*x.shape[:-1], -1)
            others = np.stack([w.codes, 1 - w.codes], axis=1).reshape(-1, *w.shape[1:])
            return Fixed(pairs, BIT), Fixed(others, BIT)
        case "weight_exponential":
            powers = _powers(x.type, w)
            return None if powers is None else (x, powers)
    return x, w


def _powers(x: ApFixed, w: Fixed) -> Fixed | None:
    """The weights ``2**e`` and ``-2**e``, if no shift loses a bit of any input."""
    width = w.type.width - 1 + x.width
    exponents = w.codes >> 1
    low, high = int(exponents.min(initial=0)), int(exponents.max(initial=0))
    # One bit more than an input has: for the negative of the lowest one, or an unsigned one's sign.
    lossless = x.frac - low <= width and x.integer + 1 + high <= width
    if not lossless or high - low > 60:
        return None
    codes = np.where(w.codes & 1, 1, -1) * (np.int64(1) << (exponents - low))
    return Fixed(codes, ApFixed(high - low + 2, high + 2))
