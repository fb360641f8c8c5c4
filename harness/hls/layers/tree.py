"""Balanced trees: ``reduce`` of ``nnet_common.h``."""

from __future__ import annotations

from collections.abc import Callable

from harness.fixed import Fixed, concatenated, where

__all__ = ["larger", "reduced"]


def reduced(x: Fixed, op: Callable[[Fixed, Fixed], Fixed]) -> Fixed:
    """The last axis as a balanced tree makes one of it: neighbours first.

    The kernel parts at the largest power of two below the length, which pairs the same neighbours.

    Args:
        x: (..., count), at least one.
        op: makes one of two, of one type with both.
    """
    while (n := x.shape[-1]) > 1:
        pairs = op(x[..., 0 : n - 1 : 2], x[..., 1:n:2])
        x = concatenated([pairs, x[..., n - 1 :]], -1) if n % 2 else pairs
    return x[..., 0]


def larger(a: Fixed, b: Fixed) -> Fixed:
    """``a >= b ? a : b``, hls4ml ``nnet::Op_max``."""
    return where(a >= b, a, b)
