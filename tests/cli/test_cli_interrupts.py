"""Ctrl-C, for real: a process, a signal, and what is left of it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

#: A hang, not a speed, fails the test.
LIMIT = 120


def environments(folder: Path) -> list[str]:
    """The processes that were given this folder for their temporary files."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if str(folder).encode() in entry.read_bytes():
                found.append(entry.parent.name)
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
@pytest.mark.parametrize("group", [False, True], ids=["alone", "group"])
@pytest.mark.parametrize("command", ["verify", "verify-layers"])
def test_the_first_interrupt_ends_it(tmp_path: Path, command: str, group: bool) -> None:
    """While compilers run: status 130, one line, no process and no file left."""
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", command, "--no-cache"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    try:
        deadline = time.monotonic() + LIMIT
        while not list(tmp_path.rglob("group.cpp")):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "no compiler was started"
            time.sleep(0.05)
        (os.killpg if group else os.kill)(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=LIMIT)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "harness: interrupted"
    assert list(tmp_path.iterdir()) == []
    assert environments(tmp_path) == []


def test_an_interrupt_while_it_imports() -> None:
    """From the first module on, before NumPy is there: the same status and line, no traceback."""
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "harness", "--version"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    assert process.stderr is not None
    lines = iter(process.stderr.readline, "")
    assert any("harness.interrupts" in line for line in lines)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=LIMIT)
    assert process.returncode == 130
    said = [line for line in errors.splitlines() if not line.startswith("import time:")]
    assert said == ["harness: interrupted"]


def test_other_programs_keep_their_interrupt() -> None:
    """Importing the package elsewhere changes nothing."""
    program = "import signal, harness; print(signal.getsignal(signal.SIGINT))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert "default_int_handler" in done.stdout
