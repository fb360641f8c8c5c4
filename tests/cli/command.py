"""Run the command in a process of its own, forked from one that has imported what it imports.

Importing takes longer than most commands.  Whoever asks for signals, or for an interpreter that has
imported nothing, starts ``python -m harness`` itself.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn


def harness(
    *arguments: object, cwd: Path | None = None, **environment: str
) -> tuple[int, str, str]:
    """The exit status of the command, and what it wrote on standard output and on standard error.

    Args:
        arguments: of the command line.
        cwd: where it runs; here, if not said.
        environment: variables beside those of this process.
    """
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    with tempfile.TemporaryDirectory(prefix="command-") as folder:
        files = [str(Path(folder, name)) for name in ("out", "err")]
        request = {
            "argv": ["harness", *map(str, arguments)],
            "cwd": str(cwd or Path.cwd()),
            "environ": {**os.environ, **environment},
            "files": files,
        }
        server.stdin.write(json.dumps(request).encode() + b"\n")
        server.stdin.flush()
        status = int(server.stdout.readline())
        out, err = (Path(file).read_text(encoding="utf-8") for file in files)
    return status, out, err


@functools.cache
def _server() -> subprocess.Popen[bytes]:
    """The process that forks, one for all tests of this process."""
    started = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    atexit.register(started.kill)
    return started


def serve() -> None:
    """Fork a child for each line of standard input, and answer with its exit status."""
    requests = os.fdopen(0, "rb", buffering=0)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    for line in iter(requests.readline, b""):
        child = os.fork()
        if child == 0:
            answers.close()
            become(json.loads(line))
        _, status = os.waitpid(child, 0)
        answers.write(b"%d\n" % os.waitstatus_to_exitcode(status))


def become(request: dict) -> NoReturn:
    """Be the command that was asked for, to its end."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environ"])
    sys.argv = request["argv"]
    del sys.path[0]  # an installed command finds no module in this folder, nor where it runs
    modes = (os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT)
    for number, (path, mode) in enumerate(zip((os.devnull, *request["files"]), modes, strict=True)):
        opened = os.open(path, mode, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    status = 0
    try:
        harness_cli.main()
    except SystemExit as left:
        status = left.code
    # What ends with the process is done; to free the imported modules one by one takes a second.
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status or 0)


if __name__ == "__main__":
    # What most commands import; none of it starts a thread, or keeps what the environment says.
    import cppyy  # noqa: F401
    import numpy.ma  # noqa: F401

    import harness.explain
    import harness.golden.emit
    import harness.golden.made
    import harness.golden.replay
    import harness.quantize.tensors
    import harness.report.verdict_page
    import harness.verify  # noqa: F401
    from harness import cli as harness_cli

    serve()
