"""Ctrl-C: the first one ends the command, at once and with nothing left behind.

Importing this module, which the package does before anything else, makes the command ``harness``
listen; in other programs it does nothing.  Needs the standard library alone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
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
    if signal.getsignal(signal.SIGINT) not in (signal.default_int_handler, _while_importing):
        yield  # interrupts are ignored, or somebody else's
        return
    signal.signal(signal.SIGINT, _interrupted)
    try:
        yield
    finally:
        if _came.is_set():  # whatever else has come of it
            _say()
            # Temporary folders go.  What torch and cling do at exit takes seconds, and cling does
            # not survive it in the middle of its work.
            weakref.finalize._exitfunc()  # type: ignore[attr-defined]
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


def _while_importing(*_: Any) -> None:
    """There is nothing to clean up yet."""
    _end()


def _is_command() -> bool:
    """Whether this process is ``harness`` or ``python -m harness``."""
    program, *_ = *sys.argv[:1], ""
    if program == "-m":  # what Python has there while it imports the package
        return sys.orig_argv[sys.orig_argv.index("-m") + 1] == "harness"
    return Path(program).name == "harness"


if (
    _is_command()
    and threading.current_thread() is threading.main_thread()
    and signal.getsignal(signal.SIGINT) is signal.default_int_handler
):
    signal.signal(signal.SIGINT, _while_importing)
