"""The C++ compiler's own ``float`` and ``_Float16``: what they make of doubles."""

from __future__ import annotations

import ctypes
import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from harness import children
from harness.oracle.build import find_compiler
from harness.oracle.errors import CompileError
from harness.oracle.headers import kernel_directory

__all__ = ["has_float16", "native_float", "native_float16"]

#: As the C function numbers them: to nearest even, up, down, toward zero.
MODES = ("NEAREST_EVEN", "UP", "DOWN", "TOWARD_ZERO")
FLAGS = ("-std=c++17", "-O1", "-frounding-math", "-fPIC", "-shared", "-fvisibility=hidden", "-w")


@functools.cache
def has_float16() -> bool:
    """Whether the compiler has ``_Float16`` in C++."""
    return hasattr(_library(), "to_float16")


def native_float(x: Any, mode: str) -> Any:
    """IEEE words of ``static_cast<float>(x)`` in one of :data:`MODES`, as ``int64``."""
    x = np.ascontiguousarray(x, np.float64)
    out = np.empty(x.size, np.int64)
    _library().to_float(MODES.index(mode), *_memory(x, out))
    return out


def native_float16(x: Any) -> Any:
    """IEEE words of ``static_cast<_Float16>(x)``, as ``int64``."""
    x = np.ascontiguousarray(x, np.float64)
    out = np.empty(x.size, np.int64)
    _library().to_float16(*_memory(x, out))
    return out


def _memory(x: Any, out: Any) -> tuple[Any, Any, Any]:
    return (
        x.ctypes.data_as(ctypes.c_void_p),
        out.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_size_t(x.size),
    )


@functools.cache
def _library() -> Any:
    """The functions, compiled here and now: it takes a moment.  With ``_Float16`` if there is one.

    Raises:
        CompileError: if the compiler refuses.
    """
    command = find_compiler().command
    source = str(kernel_directory() / "native_kernels.h")
    with tempfile.TemporaryDirectory(prefix="hls-harness-") as scratch:
        built = str(Path(scratch, "native.so"))
        for more in (["-DHARNESS_FLOAT16"], []):
            arguments = [command, *FLAGS, *more, "-x", "c++", source, "-o", built]
            done = children.run(arguments, scratch)
            if done.returncode == 0:
                return ctypes.CDLL(built)  # stays mapped when the file is gone
    why = (done.stderr.strip().splitlines() or ["no message"])[0]
    raise CompileError(f"the compiler refused native_kernels.h: {why}")
