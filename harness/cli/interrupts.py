"""Ctrl-C: the first one ends the command, at once and with nothing left behind."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

from harness import children

__all__ = ["STATUS", "interruptible"]

#: The exit status of a command that was interrupted, as shells have it.
STATUS = 130
#: What does not end within this many seconds after the interrupt, such as a cycle of imports or a
#: library's own clean-up, is left where it is.
PATIENCE = 1.5
_came, _said = threading.Event(), threading.Event()


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Kill the children at the first interrupt, and make sure that this process ends as well."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # interrupts are ignored, or somebody else's
        return
    signal.signal(signal.SIGINT, _interrupted)
    try:
        yield
    finally:
        if _came.is_set():  # whatever else has come of it
            _say()
            atexit._run_exitfuncs()  # temporary folders go; torch and cling take seconds to end
            os._exit(STATUS)
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupted(*_: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # one is enough; the rest is clean-up
    _came.set()
    children.no_more()
    guard = threading.Timer(PATIENCE, _end)
    guard.daemon = True
    guard.start()
    raise KeyboardInterrupt


def _say() -> None:
    if not _said.is_set():
        _said.set()
        sys.stderr.write("harness: interrupted\n")
        sys.stderr.flush()


def _end() -> None:
    """End this process without waiting for anyone."""
    _say()
    os._exit(STATUS)
