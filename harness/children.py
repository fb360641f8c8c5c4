"""Child processes, each with its own children, that end when their parent wants to.

A compiler starts others, and a terminal sends its interrupt to all of them at once, or to none.
Here each child leads a process group, which is killed as one, and its temporary files are put where
the caller removes them.  Needs the standard library alone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

__all__ = ["held", "no_more", "run", "unwanted"]

_lock = threading.RLock()
_running: set[subprocess.Popen[str]] = set()
#: How many want no child to run.
_unwanted = 0


def run(
    command: Sequence[str],
    scratch: Path | str,
    *,
    environment: Mapping[str, str] | None = None,
    timeout: float | None = None,
    **options: Any,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as ``subprocess.run`` does, and take its output as text.

    Args:
        command: the program and its arguments.
        scratch: a folder that the caller removes; the command's temporary files go there.
        environment: variables beside our own.
        timeout: seconds.
        options: for ``subprocess.Popen``.

    Raises:
        KeyboardInterrupt: if it was stopped, or children are not wanted any more.
        subprocess.TimeoutExpired: after ``timeout``.
        OSError: if there is no such program.
    """
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    with _lock, held():  # so that what is started is known
        if _unwanted:
            raise KeyboardInterrupt
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(Path(scratch).resolve()), **(environment or {})},
            **pipes,
        )
        _running.add(process)
    with process:
        try:
            output, errors = process.communicate(timeout=timeout)
            stopped = process not in _running
        finally:
            _kill([process])
    if stopped:
        raise KeyboardInterrupt
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


def _kill(processes: list[subprocess.Popen[str]]) -> None:
    with _lock:
        for process in processes:
            if process in _running and process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            _running.discard(process)


def no_more() -> None:
    """Kill every child and its children, and start none from now on.

    Whoever runs one gets a ``KeyboardInterrupt``.
    """
    global _unwanted  # noqa: PLW0603  # it is the process that has children, not an object
    with _lock:
        _unwanted += 1
        _kill(list(_running))


@contextlib.contextmanager
def unwanted() -> Iterator[None]:
    """Kill every child, and start none inside."""
    global _unwanted  # noqa: PLW0603
    no_more()
    try:
        yield
    finally:
        _unwanted -= 1


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Put off an interrupt until the end of the block, which should take no time."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    noted: list[Any] = []
    previous = signal.signal(signal.SIGINT, lambda *facts: noted.append(facts))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
        if noted and callable(previous):
            previous(*noted[0])
