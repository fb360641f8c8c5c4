"""Run compiled kernels in this process; the only file that imports cppyy."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from harness.oracle.errors import OracleError
from harness.oracle.headers import Headers, kernel_directory

__all__ = ["jit_table", "muted", "open_table", "run"]

_counter = itertools.count()


@functools.cache
def _cppyy() -> Any:
    try:
        import cppyy
    except ImportError as error:
        raise OracleError(
            f"cppyy cannot be loaded ({error}); pip install 'hls-harness[verify]'"
        ) from None
    cppyy.add_include_path(str(kernel_directory()))
    cppyy.include("dispatch.h")
    # A kernel holds no Python object, so other threads may go on.
    cppyy.gbl.harness.run.__release_gil__ = True
    return cppyy


@functools.cache
def open_table(path: str) -> int:
    """The address of the kernel table in a shared object."""
    bound = _cppyy().gbl.harness
    table = int(bound.open_table(path))
    if table == 0:
        raise OracleError(f"cannot load {path}: {bound.open_error()}; run again with --no-cache")
    return table


def run(table: int, slot: int, a: int, b: int, out: int, n: int) -> None:
    """Run one kernel of a table on memory given by address."""
    _cppyy().gbl.harness.run(table, slot, a, b, out, n)


@functools.cache
def _cling(headers: Headers) -> Any:
    cppyy = _cppyy()
    cppyy.add_include_path(str(headers.directory))
    cppyy.include("fixed_kernels.h")
    return cppyy


def jit_table(headers: Headers, names: Sequence[str]) -> int:
    """The address of a table that cling compiles here and now.

    The names must have been compiled before, elsewhere: a source that fails corrupts cling.
    """
    space = f"harness_jit_{next(_counter)}"
    rows = ", ".join(f"k{k}" for k in range(len(names)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # clang's opinion of the vendor's style
        cppyy = _cling(headers)
        for k, name in enumerate(names):  # one at a time: in between an interrupt is heard
            cppyy.cppdef(f"namespace {space} {{ const harness::kernel k{k} = {name}; }}")
        cppyy.cppdef(
            f"namespace {space} {{ const harness::kernel table[] = {{{rows}}}; "
            "std::uintptr_t address() { return reinterpret_cast<std::uintptr_t>(table); } }"
        )
    return int(getattr(cppyy.gbl, space).address())


@contextlib.contextmanager
def muted() -> Iterator[None]:
    """Silence standard error of C++ code: the headers print a warning for every NaN."""
    sys.stderr.flush()
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)
