"""A process that runs kernels which might end it.  Needs the standard library alone.

Run as a script it serves requests on its standard input: a header of five integers (length of the
path, slot, bytes of a, bytes of b, bytes of the result), the element count, the path, a, b.  It
answers with the bytes of the result.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable
from typing import IO, Any

__all__ = ["Worker"]

HEADER = struct.Struct("<6q")
#: A kernel that has not answered after this many seconds is taken for hung.
PATIENCE = 300.0


class Worker:
    """The parent's end.  A process is started when needed, and again after it ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._messages: IO[bytes] | None = None
        self._end: Callable[[], object] = bool

    def call(self, path: str, slot: int, a: bytes, b: bytes, size: int, n: int) -> bytes:
        """The result of a kernel; ``RuntimeError`` with the reason if it ended the process."""
        process = self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        encoded = path.encode()
        header = HEADER.pack(len(encoded), slot, len(a), len(b), size, n)
        timer = threading.Timer(PATIENCE, process.kill)
        timer.start()
        try:
            for part in (header, encoded, a, b):
                process.stdin.write(part)
            process.stdin.flush()
            result = process.stdout.read(size)
        except OSError:
            result = b""
        finally:
            timer.cancel()
        if len(result) != size:
            raise RuntimeError(self._reason(process))
        return result

    def close(self) -> None:
        """End the process."""
        self._end()
        self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._messages = tempfile.TemporaryFile()  # noqa: SIM115  # closed in close()
            self._process = subprocess.Popen(
                [sys.executable, "-I", __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._messages,
                start_new_session=True,  # an interrupt is its parent's, who ends it
            )
            self._end = weakref.finalize(self, _end, self._process, self._messages)
        return self._process

    def _reason(self, process: subprocess.Popen[bytes]) -> str:
        code = process.wait()
        assert self._messages is not None
        self._messages.seek(0)
        lines = self._messages.read().decode(errors="replace").strip().splitlines()
        self.close()
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return f"{how}: {lines[-1]}" if lines else how


def _end(process: subprocess.Popen[bytes], messages: IO[bytes]) -> None:
    process.kill()
    process.communicate()
    messages.close()


def _serve() -> None:
    # What a kernel prints must not get among the answers.
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    tables: dict[str, Any] = {}
    while header := source.read(HEADER.size):
        path_size, slot, a_size, b_size, size, n = HEADER.unpack(header)
        path = source.read(path_size).decode()
        a, b = source.read(a_size), source.read(b_size)
        if path not in tables:
            pointers = ctypes.c_void_p * (1 << 16)
            tables[path] = pointers.in_dll(ctypes.CDLL(path), "harness_table")
        out = ctypes.create_string_buffer(size)
        pointer = ctypes.c_void_p
        kernel = ctypes.CFUNCTYPE(None, pointer, pointer, pointer, ctypes.c_size_t)
        kernel(tables[path][slot])(a, b, ctypes.addressof(out), n)
        sink.write(out.raw)
        sink.flush()


if __name__ == "__main__":
    _serve()
