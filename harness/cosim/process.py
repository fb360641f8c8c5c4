"""A running program: rows through shared memory, and what is said of one that died."""

from __future__ import annotations

import contextlib
import mmap
import os
import re
import select
import signal
import struct
import subprocess
import tempfile
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from harness import children
from harness.cosim.errors import CosimError, RunError

__all__ = ["Page", "Runner"]

#: Of the program's own clock; beyond it we do not trust that clock any more.
GRACE = 5.0
#: What is kept of what a program prints.
PRINTED = 1 << 16
PAGE = 4096
#: Before the stack: size, rows, in, out, microseconds, call, running, fresh, left, depth.
_HEAD = struct.Struct("<10Q")
_STACK = 64
_CAPACITIES = _HEAD.size + 8 * _STACK
_COMPLAINT = _CAPACITIES + 8 * 64
_SIGNALS = {
    signal.SIGFPE: "divides by zero, or the like (SIGFPE)",
    signal.SIGSEGV: "reads or writes where it has no memory (SIGSEGV)",
    signal.SIGALRM: "did not come back",
    signal.SIGABRT: "aborts",
}


@dataclass(frozen=True)
class Page:
    """What the program notes on the first page of the shared memory."""

    call: int
    running: bool
    left: int
    stack: tuple[int, ...]
    complaint: str

    @classmethod
    def read(cls, memory: mmap.mmap) -> Page:
        """The page as it is now."""
        head = _HEAD.unpack_from(memory, 0)
        stack = struct.unpack_from(f"<{min(head[9], _STACK)}Q", memory, _HEAD.size)
        text = memory[_COMPLAINT : _COMPLAINT + 1024].split(b"\0")[0].decode(errors="replace")
        return cls(head[5], bool(head[6]), head[8], stack, text)


class Runner:
    """Starts a program when it is needed, and again after it ended.

    Args:
        program: the executable.
        seconds: that a batch of calls may take.
        own: the user's files, by which a crash is told.
        name: of the function, in messages.
        count: whether it was compiled to count what assignments lose.
    """

    def __init__(
        self, program: Path, seconds: float, own: tuple[Path, ...], name: str, count: bool = False
    ) -> None:
        self.program, self.seconds, self.own, self.name = program, seconds, own, name
        self._counts: dict[tuple[int, str], list[int]] | None = {} if count else None
        self.printed = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._memory: mmap.mmap | None = None
        self._file: IO[bytes]
        self._output: IO[bytes]
        self._replies: IO[bytes]
        self._end: Callable[[], object] = bool

    def run(
        self,
        rows: int,
        size_in: int,
        size_out: int,
        capacities: dict[int, int],
        fill: Callable[[memoryview], None],
        take: Callable[[memoryview], Any],
    ) -> Any:
        """Make calls.

        Args:
            rows: how many.
            size_in: bytes of all rows that go in.
            size_out: ... and come out.
            capacities: values that each stream has room for, by the number of the argument.
            fill: writes the rows into memory.
            take: reads what came out, before the memory is used again.

        Raises:
            RunError: if one did not return, or did what hardware could not.
        """
        self._start()
        memory = self._room(PAGE + size_in + size_out)
        for place, capacity in capacities.items():
            struct.pack_into("<Q", memory, _CAPACITIES + 8 * place, capacity)
        with memoryview(memory) as view:
            fill(view[PAGE : PAGE + size_in])
        limit = int(self.seconds * 1e6)
        ends = (PAGE, PAGE + size_in)
        _HEAD.pack_into(memory, 0, len(memory), rows, *ends, limit, 0, 0, 0, 0, 0)
        memory[_COMPLAINT] = 0
        self._ask(b"r")
        page = Page.read(memory)
        empty = "is read while empty" in self.printed
        if page.complaint or empty:
            what = page.complaint or "reads a stream while it is empty"
            self._stop()  # its statics are no longer those of a run that can be
            call = page.call if page.complaint or rows == 1 else None
            raise RunError(f"{self.name} {what}{_in_call(call, rows)}", call, None, self.printed)
        with memoryview(memory) as view:
            return take(view[PAGE + size_in : PAGE + size_in + size_out])

    def reset(self) -> None:
        """Begin again as new: static state is what it was at first."""
        self._collect()
        if self._process is not None and self._memory is not None:
            _HEAD.pack_into(self._memory, 0, len(self._memory), *([0] * 9))
            self._ask(b"z")

    def counts(self) -> list[tuple[str, str, list[int]]]:
        """What assignments lost since the last time: place, type, and the five counts.

        Only a program that was compiled to count has any; a call that ended it lost its own.
        """
        self._collect()
        found, self._counts = self._counts or {}, None if self._counts is None else {}
        lines = self._lines([place for place, _ in found])
        return [
            (line, text, counted)
            for line, ((_, text), counted) in zip(lines, found.items(), strict=True)
        ]

    def _collect(self) -> None:
        """Take what a running program has counted, which would end with it."""
        if self._process is None or self._counts is None:
            return
        said = self.printed
        self._ask(b"c")
        for row in (line.split(" ", 7) for line in self.printed.splitlines()):
            if row[0] == "harness-count" and len(row) == 8:
                own = self._counts.setdefault((int(row[1], 16), row[7]), [0] * 5)
                own[:] = map(sum, zip(own, map(int, row[2:7]), strict=True))
        self.printed = said

    def close(self) -> None:
        """End the program."""
        self._stop()

    def _start(self) -> None:
        if self._process is not None:
            return
        self._file, self._output = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        self._file.truncate(PAGE)
        self._memory = mmap.mmap(self._file.fileno(), PAGE)
        heard, told = os.pipe()
        self._replies = os.fdopen(heard, "rb", buffering=0)
        try:
            self._process = subprocess.Popen(
                [str(self.program), str(self._file.fileno()), str(told)],
                stdin=subprocess.PIPE,
                stdout=self._output,
                stderr=self._output,
                pass_fds=(self._file.fileno(), told),
                env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0"},
                start_new_session=True,
            )
        except OSError as error:
            raise CosimError(f"cannot start {self.program}: {error.strerror}") from None
        finally:
            os.close(told)
        parts = (self._process, self._memory, self._file, self._output, self._replies)
        self._end = weakref.finalize(self, _end, *parts)

    def _room(self, size: int) -> mmap.mmap:
        assert self._memory is not None
        if len(self._memory) < size:
            self._file.truncate(size)
            self._memory.resize(size)
        return self._memory

    def _ask(self, what: bytes) -> None:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        answer = b""
        try:
            process.stdin.write(what)
            process.stdin.flush()
            ready, _, _ = select.select([self._replies], [], [], self.seconds + GRACE)
            answer = self._replies.read(1) if ready else b""
        except OSError:
            answer = b""
        except BaseException:
            self._stop()  # an interrupt: the answer would be taken for the next one's
            raise
        self.printed = self._printed()
        if answer != what:
            raise self._death(process)

    def _printed(self) -> str:
        """What was printed since the last call, which is then forgotten."""
        size = self._output.seek(0, os.SEEK_END)
        if size == 0:
            return ""
        self._output.seek(max(0, size - PRINTED))
        text = self._output.read().decode(errors="replace")
        self._output.seek(0)
        self._output.truncate()
        return text

    def _stop(self) -> None:
        self._end()
        self._process = self._memory = None

    def _death(self, process: subprocess.Popen[bytes]) -> RunError:
        memory = self._memory
        assert memory is not None
        try:
            status: int | None = process.wait(1.0)
        except subprocess.TimeoutExpired:
            status = None
        printed = self.printed + self._printed()
        page = Page.read(memory)
        rows = _HEAD.unpack_from(memory, 0)[1]
        self._stop()
        where = self._line(page, printed)
        call = page.call if page.running else None
        what = self._how(status, page, printed)
        place = f", at {where}" if where else ""
        return RunError(f"{self.name} {what}{place}{_in_call(call, rows)}", call, where, printed)

    def _how(self, status: int | None, page: Page, printed: str) -> str:
        if found := re.search(r"ERROR: AddressSanitizer: ([\w-]+)", printed):
            access = re.search(r"^(READ|WRITE) of size (\d+)", printed, re.M)
            more = f", a {access[1].lower()} of {access[2]} bytes" if access else ""
            return f"goes out of bounds ({found[1]}{more})"
        if found := re.search(r"runtime error: (.*)", printed):
            return f"is undefined: {found[1]}"
        if found := re.search(r"Assertion [`'](.*)' failed", printed):
            return f"fails its assertion {found[1]}"
        if page.left:
            return f"calls exit({page.left - 1})"
        if status is None or status == -signal.SIGALRM:
            return f"did not come back within {self.seconds:g} s"
        if found := re.search(r"terminate called after throwing an instance of '(.*)'", printed):
            what = re.search(r"what\(\):\s*(.*)", printed)
            return f"throws {found[1]}{': ' + what[1] if what else ''}"
        if status < 0:
            name = signal.Signals(-status).name
            return _SIGNALS.get(signal.Signals(-status), f"is ended by {name}")
        return f"ends its process with status {status}"

    def _line(self, page: Page, printed: str) -> str | None:
        """The innermost line of the user's own that the program was in."""
        own = {str(f) for f in self.own}
        for match in re.finditer(r"(/[^\s:]+):(\d+)", printed):
            if os.path.realpath(match[1]) in own:
                return f"{os.path.realpath(match[1])}:{match[2]}"
        return next((line for line in self._lines(page.stack) if line), None)

    def _lines(self, places: Sequence[int]) -> list[str]:
        """For addresses that are returned to, ``file:line`` of the user's own; '' for others'."""
        if not places:
            return []
        own = {str(f) for f in self.own}
        addresses = [hex(place - 1) for place in places]
        command = ["addr2line", "-a", "-i", "-e", str(self.program), *addresses]
        try:
            text = children.run(command, tempfile.gettempdir()).stdout
        except OSError:  # there is no addr2line
            return ["" for _ in places]
        lines: list[str] = []
        for line in text.splitlines():
            if line.startswith("0x"):
                lines.append("")
                continue
            name, _, number = line.partition(" ")[0].rpartition(":")
            path = os.path.realpath(name)
            if not lines[-1] and path in own:
                lines[-1] = f"{path}:{number}"
        return lines


def _in_call(call: int | None, rows: int) -> str:
    return f", in call {call} of {rows}" if call is not None and rows > 1 else ""


def _end(process: subprocess.Popen[bytes], memory: mmap.mmap, *files: IO[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.communicate()
    memory.close()
    for file in files:
        file.close()
