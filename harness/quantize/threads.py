"""Large arrays shared out to threads, whose kernels let go of the interpreter's lock."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

__all__ = ["share_out"]


def share_out(work: Callable[[slice], Any], size: int, threads: int) -> None:
    """Call ``work`` with slices that cover ``size`` elements, one for each thread, and wait."""
    each = -(-size // threads)
    parts = (slice(start, start + each) for start in range(0, size, each))
    list(_pool(threads).map(work, parts))


@functools.cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "quantize")


# A forked process has the pool, and none of its threads.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)
