"""The accumulators of :mod:`harness.hls.layers.accumulate` in two words.

An exact sum is made of matrix products in floating point: factors are cut into limbs of so few bits
that every sum of products of two limbs is a whole number that a double holds.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from numba import njit

from harness.fixed import Array, Fixed
from harness.quantize import two_words
from harness.quantize.two_words import (
    WideTarget,
    added,
    clipped,
    converted,
    loaded,
    multiplied,
    product,
    rounded,
    shifted_left,
    shifted_right,
    stored,
    target_of,
    wrapped,
)
from harness.types import ApFixed, Overflow, result_type

__all__ = ["accumulate", "affine", "exact", "fits"]

#: Bits of whole numbers that are exact in float64, and rows at a time.
FLOAT64, ROWS = 53, 512

#: How an accumulator treats what leaves its range: it wraps at the end, clips, or goes by its mode.
WRAPS, CLIPS, STEPS = range(3)


def fits(*types: ApFixed) -> bool:
    """Whether two words hold every type."""
    return all(map(two_words.fits, types))


def affine(x: Fixed, w: Fixed, start: Fixed, order: Array | None) -> Fixed:
    """:func:`harness.hls.layers.accumulate.affine`, whose bias is converted already."""
    accum, made = start.type, result_type("*", x.type, w.type)
    rows, (_, n_out) = x.shape[0], w.shape
    weights = w if order is None else w.moved(lambda held: np.take_along_axis(held, order.T, 0))
    lines = np.zeros((0, 0), np.int64) if order is None else np.ascontiguousarray(order.T, np.int64)
    out = np.empty((rows, n_out, start.words.shape[1]), np.int64)
    narrow = max(x.type.width - x.type.signed, w.type.width - w.type.signed) < 64
    _affine(
        _rows(x),
        int(not x.type.signed),
        _rows(weights),
        int(not w.type.signed),
        start.words,
        int(not accum.signed),
        lines,
        out,
        made.frac - accum.frac,
        _manner(accum),
        narrow,
        target_of(accum),
    )
    return Fixed.of_words(out, accum, (rows, n_out))


def exact(x: Fixed, w: Fixed, start: Fixed) -> Fixed:
    """:func:`affine` where nothing is rounded, and what leaves the range wraps or never does."""
    accum, made = start.type, result_type("*", x.type, w.type)
    left, (n_in, n_out) = accum.frac - made.frac, w.shape
    bits = _limbs(x.type.width, w.type.width, FLOAT64 - n_in.bit_length())
    weights = [(torch.from_numpy(limb), place) for limb, place in _cut(w, bits[1])]
    out = np.empty((len(x), n_out, start.words.shape[1]), np.int64)
    for k in range(0, len(x), ROWS):
        part = out[k : k + ROWS]
        sums = np.zeros((*part.shape[:2], 2), np.int64)
        for limb, place in _cut(x[k : k + ROWS], bits[0]):
            rows = torch.from_numpy(limb)
            for weight, other in weights:
                _collect((rows @ weight).numpy(), place + other + left, sums)
        _finish(sums, start.words, int(not accum.signed), part, target_of(accum))
    return Fixed.of_words(out, accum, (len(x), n_out))


@functools.cache
def _limbs(x: int, w: int, room: int) -> tuple[int, int]:
    """Bits of the limbs of both factors that make the fewest products; together ``room``."""
    return min(
        ((a, room - a) for a in range(1, room)), key=lambda ab: -(-x // ab[0]) * -(-w // ab[1])
    )


def _cut(x: Fixed, bits: int) -> list[tuple[Array, int]]:
    """Limbs as float64 in the shape of ``x``, and the place of each one's lowest bit."""
    places = range(0, x.type.width, bits)
    out = np.empty((len(places), x.size))
    _limbs_of(x.words, int(not x.type.signed), bits, out)
    return [(limb.reshape(x.shape), place) for limb, place in zip(out, places, strict=True)]


def accumulate(start: Fixed, terms: Fixed, total: ApFixed) -> Fixed:
    """:func:`harness.hls.layers.accumulate.accumulate`, whose start has the shape of the sums."""
    t = start.type
    out = np.array(start.words, np.int64)
    flat = _rows(terms.reshape(-1, terms.shape[-1]))
    lefts = total.frac - t.frac, total.frac - terms.type.frac
    signs = int(not t.signed), int(not terms.type.signed)
    _accumulate(out, flat, *signs, *lefts, target_of(t))
    return Fixed.of_words(out, t, start.shape)


def _rows(x: Fixed) -> Array:
    """The words of a matrix: (rows, columns, words)."""
    return x.words.reshape(*x.shape, -1)


def _manner(t: ApFixed) -> int:
    if t.overflow is Overflow.WRAP and t.n == 0:
        return WRAPS
    return CLIPS if t.overflow in (Overflow.SAT, Overflow.SAT_SYM) else STEPS


@njit(cache=True, nogil=True)
def _limbs_of(words: Any, unsigned: int, bits: int, out: Any) -> None:
    """(limbs, n) of (n, words); the last limb has the sign."""
    mask = (np.int64(1) << bits) - 1
    for k in range(len(words)):
        low, high = loaded(words, k, unsigned)
        for i in range(len(out) - 1):
            out[i, k] = low & mask
            low, high = shifted_right(low, high, bits)
        out[-1, k] = low


@njit(cache=True, nogil=True)
def _collect(sums: Any, left: int, out: Any) -> None:
    """Add whole numbers, shifted, to (rows, outputs, words)."""
    for r in range(sums.shape[0]):
        for j in range(sums.shape[1]):
            whole = np.int64(sums[r, j])
            low, high = shifted_left(whole, whole >> 63, left)
            out[r, j, 0], out[r, j, 1] = added(out[r, j, 0], out[r, j, 1], low, high)


@njit(cache=True, nogil=True)
def _finish(sums: Any, start: Any, unsigned: int, out: Any, p: WideTarget) -> None:
    """Add the starts, and keep the low bits."""
    for r in range(sums.shape[0]):
        for j in range(sums.shape[1]):
            low, high = loaded(start, j, unsigned)
            low, high = added(low, high, sums[r, j, 0], sums[r, j, 1])
            low, high = wrapped(low, high, p)
            stored(out[r], j, low, high)


@njit(cache=True, nogil=True)
def _affine(
    x: Any,
    x_unsigned: int,
    w: Any,
    w_unsigned: int,
    start: Any,
    unsigned: int,
    lines: Any,
    out: Any,
    drop: int,
    manner: int,
    narrow: bool,
    p: WideTarget,
) -> None:
    """Each row through the weights.

    Args:
        x: (rows, inputs, words).
        x_unsigned: whether a single word has no sign; also of ``w``, and of ``start``.
        w: (inputs, outputs, words).
        w_unsigned: see ``x_unsigned``.
        start: (outputs, words).
        unsigned: see ``x_unsigned``.
        lines: the input that each weight is for, (inputs, outputs), or nothing.
        out: (rows, outputs, words).
        drop: how many bits a product has more behind the point than the accumulator.
        manner: what happens to sums that leave the range.
        narrow: whether each factor is a signed word.
        p: the accumulator.
    """
    low_sums, high_sums = np.empty(w.shape[1], np.int64), np.empty(w.shape[1], np.int64)
    for r in range(x.shape[0]):
        for j in range(w.shape[1]):
            low_sums[j], high_sums[j] = loaded(start, j, unsigned)
        for k in range(w.shape[0]):
            for j in range(w.shape[1]):
                place = k if lines.size == 0 else lines[k, j]
                if narrow:
                    low, high = product(x[r, place, 0], w[k, j, 0])
                else:
                    x_low, x_high = loaded(x[r], place, x_unsigned)
                    w_low, w_high = loaded(w[k], j, w_unsigned)
                    low, high = multiplied(x_low, x_high, w_low, w_high)
                if manner == WRAPS:
                    # What leaves the range wraps, and wrapping once at the end is the same.
                    if drop > 0:
                        low, high = rounded(low, high, drop, p.q)
                    else:
                        low, high = shifted_left(low, high, -drop)
                    low_sums[j], high_sums[j] = added(low_sums[j], high_sums[j], low, high)
                    continue
                low, high = converted(low, high, drop, p)
                low, high = added(low_sums[j], high_sums[j], low, high)
                if manner == CLIPS:
                    low_sums[j], high_sums[j] = clipped(low, high, p)
                else:
                    low_sums[j], high_sums[j] = converted(low, high, 0, p)
        for j in range(w.shape[1]):
            low, high = low_sums[j], high_sums[j]
            if manner == WRAPS:
                low, high = wrapped(low, high, p)
            stored(out[r], j, low, high)


@njit(cache=True, nogil=True)
def _accumulate(
    acc: Any,
    terms: Any,
    unsigned: int,
    term_unsigned: int,
    acc_left: int,
    term_left: int,
    p: WideTarget,
) -> None:
    """Add up (rows, terms, words) to the starts in ``acc``, (rows, words)."""
    for r in range(terms.shape[0]):
        low, high = loaded(acc, r, unsigned)
        for k in range(terms.shape[1]):
            term_low, term_high = loaded(terms[r], k, term_unsigned)
            term_low, term_high = shifted_left(term_low, term_high, term_left)
            low, high = shifted_left(low, high, acc_left)
            low, high = added(low, high, term_low, term_high)
            low, high = converted(low, high, acc_left, p)
        stored(acc, r, low, high)
