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

__all__ = ["describe", "one_thread", "optional", "version"]


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


def _cpu() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
