"""Accumulators: sums whose every step rounds and overflows in the accumulator's own type.

``accumulate`` and ``affine`` are defined by their steps, ``acc = accum_t(acc + term)``.  Where the
steps cannot be told apart from one exact sum (nothing is rounded, and what leaves the range either
wraps or provably does not happen) a matrix product computes it; else a compiled loop goes through
them, of two words where one is not enough, and of Python integers where two are not.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from numba import njit
from numba.extending import register_jitable

from harness.fixed import Array, Fixed, computed_elsewhere, record_cast
from harness.hls.layers import wide_sums
from harness.quantize.compiled import told_apart
from harness.quantize.fixed_codes import round_up, to_code, wrapped
from harness.quantize.plan import plan
from harness.types import ApFixed, ApInt, Overflow, result_type

__all__ = [
    "accumulate",
    "affine",
    "affine_path",
    "affine_steps",
    "bounds",
    "kept_bits",
    "loop_kind",
    "tell",
    "watched",
]

#: Where the lowest and highest code of each accumulator goes while somebody watches.
_watch: contextvars.ContextVar[list[tuple[int, int]] | None] = contextvars.ContextVar(
    "watch", default=None
)
#: Integers below this are exact in float64.
FLOAT64 = 1 << 53
#: Rows at a time, so that what is made of them stays in the cache.
ROWS = 512


@contextlib.contextmanager
def watched() -> Iterator[list[tuple[int, int]]]:
    """Collect the lowest and the highest code of every accumulator that is computed inside.

    Products, starts and partial sums count; sums go step by step, which takes its time.
    """
    found: list[tuple[int, int]] = []
    token = _watch.set(found)
    try:
        yield found
    finally:
        _watch.reset(token)


def tell(x: Fixed) -> None:
    """Tell whoever watches of what stands in an accumulator."""
    found = _watch.get()
    if found is not None and x.codes.size:
        found.append((int(x.codes.min()), int(x.codes.max())))


def accumulate(start: Fixed, terms: Fixed) -> Fixed:
    """``acc = start; acc += terms[..., k]`` for each ``k`` in order: the last value.

    ``start`` has the accumulator's type and a shape that broadcasts against ``terms`` less its
    last axis.
    """
    t = start.type
    total = result_type("+", t, terms.type)
    record_cast(total, t)
    shape = terms.shape[:-1]
    if _by_steps() or total.width > 63 or t.width > 63:
        first = start.moved(lambda held: np.broadcast_to(held, shape))
        if not _by_steps() and wide_sums.fits(t, terms.type, total):
            return wide_sums.accumulate(first, terms, total)
        return _stepped(first, (terms[..., k] for k in range(terms.shape[-1])))
    out = np.broadcast_to(start.codes, shape).reshape(-1).astype(np.int64)
    flat = np.ascontiguousarray(terms.codes.reshape(-1, terms.shape[-1]), np.int64)
    _accumulate(out, flat, total.frac - t.frac, total.frac - terms.type.frac, plan(t))
    return Fixed(out.reshape(shape), t)


def _by_steps() -> bool:
    """Whether every step counts: somebody watches, or computes it in our place."""
    return _watch.get() is not None or computed_elsewhere()


@njit(cache=True, nogil=True)
def _accumulate(acc: Any, terms: Any, acc_left: int, term_left: int, p: Any) -> None:
    for r in range(terms.shape[0]):
        value = acc[r]
        for k in range(terms.shape[1]):
            total = (value << acc_left) + (terms[r, k] << term_left)
            value = to_code(total, 0, np.int64(acc_left), p)
        acc[r] = value


def affine(x: Fixed, w: Fixed, b: Fixed, accum: ApFixed, order: Array | None = None) -> Fixed:
    """``acc[j] = b[j]; acc[j] += accum_t(x[i] * w[i, j])`` for each ``i`` in order.

    Args:
        x: (rows, inputs).
        w: (inputs, outputs).
        b: (outputs,).
        accum: the type of accumulator and products.
        order: for each output the order of the inputs, (outputs, inputs); by default ascending.

    Returns:
        (rows, outputs) of type ``accum``.
    """
    product = result_type("*", x.type, w.type)
    total = result_type("+", accum, accum)
    for source, target in ((product, accum), (b.type, accum), (total, accum)):
        record_cast(source, target)
    if _by_steps():
        return affine_steps(x, w, b, accum, order)
    path = affine_path(x.type, w, b, accum)
    if path == "wide":
        return affine_steps(x, w, b, accum, order)
    start = b.to(accum)
    if path == "two words":
        return wide_sums.affine(x, w, start, order)
    if path == "two words, exact":
        return wide_sums.exact(x, w, start)
    if path == "exact":
        return _exact_affine(x, w, b, accum, product)
    shift = product.frac - accum.frac
    p = plan(accum)
    codes, weights = np.ascontiguousarray(x.codes), np.ascontiguousarray(w.codes)
    if order is None:
        lines = np.zeros((0, 0), np.int64)
    else:
        lines = np.ascontiguousarray(order.T, np.int64)
        weights = np.ascontiguousarray(np.take_along_axis(weights, lines, 0))
    out = np.empty((codes.shape[0], weights.shape[1]), np.int64)
    if path == "steps":
        _steps_loop(codes, weights, start.codes, lines, out, shift, p)
        return Fixed(out, accum)
    q, word = loop_kind(product, accum)
    loop = (_wrap_loop if path == "wrap" else _sat_loop)(q, word)
    loop(codes, weights.astype(word), start.codes.astype(word), lines, out, shift, p)
    return Fixed(out, accum)


def affine_steps(x: Fixed, w: Fixed, b: Fixed, accum: ApFixed, order: Array | None = None) -> Fixed:
    """The definition of :func:`affine`, step by step in ``Fixed``, for any types."""
    rows, (n_in, n_out) = x.shape[0], w.shape
    start = b.to(accum).moved(lambda held: np.broadcast_to(held, (rows, n_out)))
    places = np.broadcast_to(np.arange(n_in), (n_out, n_in)) if order is None else order
    columns = np.arange(n_out)
    lines = (places[:, k] for k in range(n_in))
    return _stepped(start, ((x[:, i] * w[i, columns]).to(accum) for i in lines))


def _stepped(start: Fixed, terms: Iterable[Fixed]) -> Fixed:
    """The definition of every sum; whoever watches is told of each code."""
    acc, t, found = start, start.type, _watch.get()
    ends = [start.codes]
    for term in terms:
        acc = (acc + term).to(t)
        ends += [term.to(t).codes, acc.codes] if found is not None else []
    if found is not None and start.codes.size:
        found.append((min(int(e.min()) for e in ends), max(int(e.max()) for e in ends)))
    return acc


def affine_path(x: ApFixed, w: Fixed, b: Fixed, accum: ApFixed) -> str:
    """How :func:`affine` computes: ``exact``, ``wrap``, ``sat`` or ``steps``; where 64 bits are
    not enough ``two words, exact`` or ``two words``, and ``wide`` where those are not either.
    """
    product = result_type("*", x, w.type)
    if isinstance(accum, ApInt) and product.integer < 1:
        return "wide"  # a conversion of its own, or none at all
    wraps = accum.overflow is Overflow.WRAP and accum.n == 0
    left = accum.frac - product.frac

    def indifferent() -> bool:
        """Whether it does not matter when a sum is converted."""
        return wraps or _stays_inside(x, w, b.to(accum), accum, left)

    if max(product.width, accum.width + 1, w.type.width, b.type.width) > 63:
        total = result_type("+", accum, accum)
        if not wide_sums.fits(x, w.type, product, accum, total):
            return "wide"
        return "two words" + ", exact" * (left >= 0 and indifferent())
    if left >= 0 and _reach(x, w, accum, product) < FLOAT64 and indifferent():
        return "exact"
    if wraps:
        return "wrap"
    clips = accum.overflow in (Overflow.SAT, Overflow.SAT_SYM)
    return "sat" if clips and product.width + accum.frac - product.frac <= 62 else "steps"


def bounds(x: ApFixed, w: Fixed, b: Fixed) -> tuple[Array, Array]:
    """What no partial sum ``b + sum(x[i] * w[i])`` leaves, whatever the input and the order.

    Returns:
        Lower and upper bound of each output as Python integers over the product's LSB, rounded
        outward where the bias has finer bits.
    """
    weights = w.codes.astype(object)
    frac = x.frac + w.type.frac
    low = np.minimum(weights * x.min_code, weights * x.max_code)
    high = np.maximum(weights * x.min_code, weights * x.max_code)
    start = b.codes.astype(object)
    left = frac - b.type.frac
    floor = start << left if left >= 0 else start >> -left
    ceil = start << left if left >= 0 else -(-start >> -left)
    return floor + np.minimum(low, 0).sum(0), ceil + np.maximum(high, 0).sum(0)


def _stays_inside(x: ApFixed, w: Fixed, b: Fixed, accum: ApFixed, left: int) -> bool:
    """Whether no product and no partial sum can leave the accumulator, in any order."""
    for start in (b, Fixed(np.zeros_like(b.codes), b.type)):  # a product is a sum from zero
        lower, upper = bounds(x, w, start)
        inside = (upper << left <= accum.max_code) & (lower << left > accum.min_code)
        if not inside.all():
            return False
    return True


def _reach(x: ApFixed, w: Fixed, accum: ApFixed, product: ApFixed) -> int:
    """The largest magnitude any partial sum could have, over the accumulator's LSB."""
    weights = np.abs(w.codes).astype(np.float64).sum(0)  # an estimate from above suffices
    largest = float(weights.max(initial=0.0)) * max(-x.min_code, x.max_code)
    scale = 2.0 ** (accum.frac - product.frac)
    start = max(-accum.min_code, accum.max_code)
    return int(min((largest * (1 + 1e-9)) * scale + start, 2.0**80))


def _exact_affine(x: Fixed, w: Fixed, b: Fixed, accum: ApFixed, product: ApFixed) -> Fixed:
    """By a matrix product in floating point, every partial sum of which is an exact integer."""
    scale = 2.0 ** (accum.frac - product.frac)
    start = b.to(accum).codes.astype(np.float64)
    weights = torch.from_numpy(w.codes.astype(np.float64) * scale)
    out = np.empty((x.shape[0], weights.shape[1]), np.int64)
    kept = kept_bits(accum)
    for k in range(0, x.shape[0], ROWS):
        part = torch.from_numpy(x.codes[k : k + ROWS].astype(np.float64))
        sums = (part @ weights).numpy()
        _finish(sums, start, out[k : k + ROWS], *kept)
    return Fixed(out, accum)


def kept_bits(accum: ApFixed) -> tuple[int, int]:
    """What :func:`_finish` keeps of a sum: the width of a sign, or none and a mask."""
    if accum.overflow is not Overflow.WRAP:
        return 64, -1  # it is in range
    return (accum.width, 0) if accum.signed else (0, accum.max_code)


@njit(cache=True, nogil=True)
def _finish(sums: Any, start: Any, out: Any, width: int, mask: int) -> None:
    """Add the start, and keep the low bits: sign-extended from ``width``, or masked if it is 0."""
    for r in range(sums.shape[0]):
        for j in range(sums.shape[1]):
            code = np.int64(sums[r, j] + start[j])
            out[r, j] = (code << (64 - width)) >> (64 - width) if width else code & mask


def loop_kind(product: ApFixed, accum: ApFixed) -> tuple[int, Any]:
    """The rounding of products, -1 if they are not rounded, and the words that are computed with.

    These have 32 bits where that is enough for a product, and for the sum of two numbers of the
    accumulator; twice as many are computed at once as of 64 bits.
    """
    shift = product.frac - accum.frac
    width = product.width - min(shift, 0) + (not product.signed)
    narrow = max(width, accum.width + 1) <= 32 and shift < 32
    return plan(accum).q if shift > 0 else -1, np.int32 if narrow else np.int64


@register_jitable
def _rounded(q: int, value: Any, shift: Any, last: int) -> Any:
    """A product brought to the accumulator's LSB.

    Args:
        q: the rounding; -1 if that is a shift to the left.
        value: the product.
        shift: by how many bits to the right.
        last: the number of the highest bit of the words that are computed with.
    """
    if q < 0:
        return value << min(-shift, last)
    # Masked, so that the compiler sees that no shift is longer.
    guard = (value >> (min(shift - 1, last) & last)) & 1
    rest = (1 << (shift - 1)) - 1 if shift <= last else -1
    floor = value >> (min(shift, last) & last)
    return floor + round_up(q, guard, ((value & rest) != 0) * 1, (value < 0) * 1, floor & 1)


@functools.cache
def _wrap_loop(q: int, word: Any) -> Any:
    """What leaves the range wraps, and wrapping once at the end is the same."""
    last = np.iinfo(word).bits - 1

    @njit(cache=True, nogil=True)
    @told_apart(q, word.__name__)
    def wrap(x: Any, w: Any, start: Any, lines: Any, out: Any, shift: int, p: Any) -> None:
        row = np.empty_like(start)
        for r in range(x.shape[0]):
            row[:] = start
            for k in range(w.shape[0]):
                for j in range(w.shape[1]):
                    value = word(x[r, k] if lines.size == 0 else x[r, lines[k, j]])
                    row[j] += word(_rounded(q, word(value * w[k, j]), shift, last))
            for j in range(w.shape[1]):
                out[r, j] = wrapped(np.int64(row[j]), p)

    return wrap


@functools.cache
def _sat_loop(q: int, word: Any) -> Any:
    """What leaves the range saturates, products and sums alike."""
    last = np.iinfo(word).bits - 1

    @njit(cache=True, nogil=True)
    @told_apart(q, word.__name__)
    def saturate(x: Any, w: Any, start: Any, lines: Any, out: Any, shift: int, p: Any) -> None:
        row = np.empty_like(start)
        lower, upper = word(p.lower), word(p.upper)
        for r in range(x.shape[0]):
            row[:] = start
            for k in range(w.shape[0]):
                for j in range(w.shape[1]):
                    value = word(x[r, k] if lines.size == 0 else x[r, lines[k, j]])
                    term = word(_rounded(q, word(value * w[k, j]), shift, last))
                    total = word(row[j] + min(max(term, lower), upper))
                    row[j] = min(max(total, lower), upper)
            for j in range(w.shape[1]):
                out[r, j] = row[j]

    return saturate


@njit(cache=True, nogil=True)
def _steps_loop(x: Any, w: Any, start: Any, lines: Any, out: Any, shift: int, p: Any) -> None:
    """Any other mode."""
    for r in range(x.shape[0]):
        row = out[r]
        row[:] = start
        for k in range(w.shape[0]):
            for j in range(w.shape[1]):
                value = x[r, k] if lines.size == 0 else x[r, lines[k, j]]
                term = to_code(value * w[k, j], 0, np.int64(shift), p)
                row[j] = to_code(row[j] + term, 0, np.int64(0), p)
