"""Compile kernels in groups to shared objects, and keep them on disk.

A group is a shared object with one table of kernels and an index that lists them.  Both are written
aside and renamed, the index last, so a reader sees a whole group or none, and two processes that
compile the same kernels merely do so twice.  Everything that could change the machine code is in
the name of the folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import platformdirs

from harness import children
from harness.oracle.errors import CompileError, OracleError
from harness.oracle.headers import Headers, kernel_directory
from harness.oracle.kernels import Kernel
from harness.oracle.layers import LayerKernel

__all__ = [
    "AnyKernel",
    "AnyKernelT",
    "Builder",
    "Compiler",
    "Slot",
    "cache_directory",
    "compile_shared",
    "find_compiler",
]

FLAGS = ("-std=c++17", "-O1", "-fPIC", "-shared", "-w", "-fvisibility=hidden")
#: Environment variable that moves the cache.
VARIABLE = "HARNESS_CACHE_DIR"
#: A compilation that is killed leaves its folder behind; it is swept after this many seconds.
STALE = 3600.0


@dataclass(frozen=True)
class Slot:
    """Where a compiled kernel is: a shared object, and an index into its table."""

    path: Path
    index: int


@dataclass(frozen=True)
class Compiler:
    """A C++ compiler: its command, and the version that it prints."""

    command: str
    version: str


def find_compiler() -> Compiler:
    """The compiler that ``CXX`` names, or g++.

    Raises:
        CompileError: if there is none.
    """
    command = os.environ.get("CXX") or "g++"
    path = shutil.which(command)
    if path is None:
        raise CompileError(f"no C++ compiler {command!r}; install g++ or set CXX")
    shown = children.run([path, "--version"], tempfile.gettempdir())
    if shown.returncode != 0 or not shown.stdout:
        raise CompileError(f"{command} --version failed; install g++ or set CXX")
    return Compiler(path, shown.stdout.splitlines()[0])


def cache_directory() -> Path:
    """Where compiled kernels are kept: ``HARNESS_CACHE_DIR``, or the user's cache folder."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else platformdirs.user_cache_path("hls-harness")


AnyKernel = Kernel | LayerKernel
AnyKernelT = TypeVar("AnyKernelT", Kernel, LayerKernel)


class Builder:
    """Compiles kernels over one set of headers, and remembers where they are."""

    def __init__(self, headers: Headers, cache: bool = True) -> None:
        self.headers = headers
        self.compiler = find_compiler()
        self._kernels = kernel_directory()
        self._forget: Callable[[], object] | None = None
        if cache:
            self.folder = cache_directory() / self._identity()
        else:
            self.folder = Path(tempfile.mkdtemp(prefix="hls-harness-"))
            self._forget = weakref.finalize(self, shutil.rmtree, self.folder, True)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._sweep()
        except OSError as error:
            raise OracleError(
                f"cannot write the cache {self.folder}: {error.strerror}; "
                f"set {VARIABLE} or use --no-cache"
            ) from None
        self._versions: dict[str, str] = {}
        self._slots: dict[str, Slot] = {}
        self._seen: set[str] = set()
        self._read_indexes()

    def _identity(self) -> str:
        """A name for everything that decides the machine code, but for our own headers."""
        parts = [self.headers.digest, self.compiler.command, self.compiler.version, *FLAGS]
        parts += self.headers.layers.values()
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]

    def _sweep(self) -> None:
        for folder in self.folder.glob("building-*"):
            if time.time() - folder.stat().st_mtime > STALE:
                shutil.rmtree(folder, ignore_errors=True)

    def _read_indexes(self) -> None:
        for index in self.folder.glob("*.json"):
            if index.name not in self._seen:
                self._seen.add(index.name)
                self._read_index(index)

    def _read_index(self, index: Path) -> None:
        """Take up a group; a damaged one is as good as none, and is compiled again."""
        try:
            group = json.loads(index.read_text(encoding="utf-8"))
            path = index.with_suffix(".so")
            if hashlib.sha256(path.read_bytes()).hexdigest() != group["sha256"]:
                return
        except (OSError, ValueError, KeyError):
            return
        for number, key in enumerate(group["kernels"]):
            self._slots.setdefault(key, Slot(path, number))

    def close(self) -> None:
        """Remove what was not to be kept."""
        if self._forget is not None:
            self._forget()

    def slot(self, kernel: AnyKernel) -> Slot | None:
        """Where ``kernel`` is, if it has been compiled."""
        return self._slots.get(self._key(kernel))

    def _key(self, kernel: AnyKernel) -> str:
        """A kernel's name and the version of the header that has it."""
        if kernel.source not in self._versions:
            texts = _included(self._kernels / kernel.source, {})
            joined = b"".join(text for _, text in sorted(texts.items()))
            self._versions[kernel.source] = hashlib.sha256(joined).hexdigest()[:16]
        return f"{self._versions[kernel.source]} {kernel.cpp}"

    def missing(self, kernels: Iterable[AnyKernelT]) -> list[AnyKernelT]:
        """Those that have not been compiled, each once."""
        self._read_indexes()
        return [k for k in dict.fromkeys(kernels) if self._key(k) not in self._slots]

    def compile(self, kernels: Sequence[AnyKernel]) -> None:
        """Compile ``kernels`` as one group for each header they need.

        Raises:
            CompileError: names the kernel that the compiler refused; the others are compiled.
        """
        try:
            for header in dict.fromkeys(kernel.source for kernel in kernels):
                self._compile_group([k for k in kernels if k.source == header], header)
        except CompileError:
            if len(kernels) == 1:
                raise
            refused = []
            middle = len(kernels) // 2
            for half in (kernels[:middle], kernels[middle:]):
                try:
                    self.compile(half)
                except CompileError as error:
                    refused.append(error)
            if refused:
                raise refused[0] from None

    def _compile_group(self, kernels: Sequence[AnyKernel], header: str) -> None:
        names, keys = [k.cpp for k in kernels], [self._key(k) for k in kernels]
        stem = hashlib.sha256("\n".join(keys).encode()).hexdigest()[:32]
        with tempfile.TemporaryDirectory(prefix="building-", dir=self.folder) as scratch:
            source, built = Path(scratch, "group.cpp"), Path(scratch, "group.so")
            source.write_text(group_source(names, header), encoding="utf-8")
            self._run_compiler(source, built, names)
            digest = hashlib.sha256(built.read_bytes()).hexdigest()
            index = Path(scratch, "group.json")
            index.write_text(json.dumps({"sha256": digest, "kernels": keys}), encoding="utf-8")
            built.replace(self.folder / f"{stem}.so")
            index.replace(self.folder / f"{stem}.json")
        self._seen.add(f"{stem}.json")
        for number, key in enumerate(keys):
            self._slots[key] = Slot(self.folder / f"{stem}.so", number)

    def _run_compiler(self, source: Path, built: Path, names: list[str]) -> None:
        # The kernels of hls4ml's Vitis backend lie apart, and include those that it shares.
        folders = (self.headers.directory, self._kernels, self.headers.directory / "../nnet_utils")
        options = [*FLAGS, *(f"-I{folder}" for folder in folders)]
        compile_shared(self.compiler, options, source, built, names[0].removeprefix("&"))


def compile_shared(
    compiler: Compiler,
    options: Sequence[str],
    source: Path,
    built: Path,
    what: str,
    seconds: float | None = None,
) -> None:
    """Compile a shared object.

    Raises:
        CompileError: says what was refused, and the first reason.
        subprocess.TimeoutExpired: after so many seconds, if they are limited.
    """
    command = [compiler.command, *options, str(source), "-o", str(built)]
    done = children.run(command, built.parent, timeout=seconds)
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if "error" in line]
        why = (errors or done.stderr.splitlines() or ["no message"])[0]
        raise CompileError(f"the compiler refused {what}: {why.strip()}")


def _included(path: Path, found: dict[str, bytes]) -> dict[str, bytes]:
    """The text of one of our headers and of those of ours that it includes, by name."""
    text = path.read_bytes()
    found[path.name] = text
    for name in re.findall(rb'^#include "([^"]+)"', text, re.MULTILINE):
        inner = path.parent / name.decode()
        if inner.name not in found and inner.is_file():
            _included(inner, found)
    return found


def group_source(names: Sequence[str], header: str) -> str:
    """The translation unit of a group: the table of kernels of one header, nothing else."""
    rows = "".join(f"    {name},\n" for name in names)
    return (
        f'#include "{header}"\n'
        'extern "C" __attribute__((visibility("default")))\n'
        f"const harness::kernel harness_table[] = {{\n{rows}}};\n"
    )
