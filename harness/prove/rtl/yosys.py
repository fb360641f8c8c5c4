"""Yosys in a process of its own: commands go in, files come out, and an error is one line.

An error ends the process that has Yosys in it, and a loop in its input may never end, so it never
runs in ours.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness import children

__all__ = ["RtlError", "run"]

#: Seconds that Yosys may take, if nobody says otherwise.
SECONDS = 120.0
PROGRAM = """
from pyosys import libyosys
design = libyosys.Design()
for command in open("commands", encoding="utf-8"):
    libyosys.run_pass(command.rstrip(), design)
"""
_ERROR = re.compile(r"^(?:(\S+:\d+)(?:[.:][\d.:-]+)?: )?ERROR: ?(.*)$", re.M)


class RtlError(ValueError):
    """A design that cannot be read, or is no cast between the types that were named."""


def run(
    commands: Iterable[str],
    scratch: Path,
    *,
    quiet: bool = False,
    seconds: float = SECONDS,
    names: Mapping[str, str] | None = None,
) -> None:
    """Carry out commands in a folder, in which they find and leave their files.

    Args:
        commands: one a line, as a script of Yosys has them.
        scratch: the folder, which the caller removes.
        quiet: whether to write no log, which takes time; it is written if there is an error.
        seconds: the time that it may take.
        names: of the files in messages, for what the user calls them.

    Raises:
        RtlError: with the first error that it tells, as ``FILE:LINE: what``.
    """
    commands = list(commands)
    lines = [f"tee -q {command}" if quiet else command for command in commands]
    (scratch / "commands").write_text("\n".join(lines), encoding="utf-8")
    try:
        done = children.run([sys.executable, "-c", PROGRAM], scratch, cwd=scratch, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise RtlError(f"yosys was not done after {seconds:g} s") from None
    if done.returncode == 0:
        return
    if quiet:
        run(commands, scratch, seconds=seconds, names=names)
    raise RtlError(_told(done.stdout, done.stderr, done.returncode, names or {}))


def _told(output: str, errors: str, status: int, names: Mapping[str, str]) -> str:
    """What went wrong, in a line and in the user's names."""
    if "No module named 'pyosys'" in errors:
        return "pyosys is not installed; to install it: pip install 'hls-harness[prove]'"
    found = _ERROR.findall(output + errors)
    where, what = found[-1] if found else ("", f"yosys ended with status {status}")
    if "'check -assert'" in what:  # the problems come before
        what = _problem(output) or what
    text = f"{where}: {what}" if where else what
    text = re.sub(r"`([^']*)'", lambda quoted: quoted[1].replace("\\", ""), text)
    text = re.sub(r"\$\w+\$(\S+?:\d+)\$\d+", r"\1", text)
    for name, known in names.items():
        text = text.replace(name, known)
    return text


def _problem(output: str) -> str:
    """The first problem that a check found, with where it is."""
    checked = output.rpartition("Executing CHECK pass")[2].splitlines()
    for line, after in zip(checked, [*checked[1:], ""], strict=True):
        if line.startswith("Warning: "):
            detail = re.sub(r"^cell .* source: ", "", after.strip())
            return f"{line[9:].rstrip(' :')}: {detail}" if detail else line[9:]
    return ""
