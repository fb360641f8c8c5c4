"""Where the figures were measured."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from collections.abc import Iterator
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["describe", "one_thread", "optional", "settle_allocator", "version"]


def describe() -> dict[str, Any]:
    """The processor, its cores (those this process may use), and the versions that matter."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "numba", "torch")},
    }


def version(distribution: str) -> str | None:
    """The version of an installed distribution; ``None`` if it is not."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def optional(module: str) -> Any:
    """A module, or ``None`` if it cannot be imported."""
    try:
        return import_module(module)
    except ImportError:
        return None


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Hold torch, if there is one, to a single thread."""
    torch = optional("torch")
    if torch is None:
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def settle_allocator() -> None:
    """Make the C library keep freed arrays, as it does in a process that has run for a while.

    It maps large blocks anew each time, with a page fault for every 4 KiB, until a block of almost
    32 MiB has been freed; then it reuses them.  The first libraries timed would seem up to four
    times slower than the last ones.
    """
    np.empty(31 << 20, np.uint8)


def _cpu() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
