"""The documentation is run: what a page shows below a command or a line is what comes.

``>>>`` lines are doctests.  The commands of the ``console`` blocks of a page and its other Python
blocks are one shell session, in their order; ``...`` stands for what is left out.  Blocks of no
language are from runs that take too long for a test.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
#: A test that `harness init` writes, which a page lists.
LISTED = (ROOT / "harness/cosim/example/test_fir.py.txt").read_text("utf-8")
#: What a session needs that the reader has of their own.
MINE = """import numpy as np
def quantizer(x, t):
    step = t.lsb
    y = np.clip(np.nan_to_num(x), t.min, t.max) / step
    return np.round(y) * step
"""


@dataclass
class Step:
    """A command, and what the page shows below it."""

    command: str
    shown: str = ""
    lines: list[str] = field(default_factory=list)


def named(path: Path) -> str:
    """A page as tests are called."""
    return str(path.relative_to(ROOT))


def session(text: str) -> list[Step]:
    """The commands of a page; a Python block is one that shows nothing."""
    found = []
    for language, block in BLOCK.findall(text):
        if language == "python" and not block.startswith(">>>"):
            if block in LISTED:
                continue
            found.append(Step(f"python - <<'END'\n{block}END", "..."))
        elif language == "console":
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                lines = part.splitlines()
                more = 1
                while more < len(lines) and lines[more].startswith("> "):
                    more += 1
                command = "\n".join([lines[0], *(line[2:] for line in lines[1:more])])
                found.append(Step(command, "\n".join(lines[more:])))
    return found


def words(text: str) -> str:
    """Text without the spaces that end lines, and the versions of what is beside us."""
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_python_lines(page: Path) -> None:
    """Every >>> line gives what is shown below it."""
    blocks = [block for _, block in BLOCK.findall(page.read_text("utf-8")) if ">>>" in block]
    shown = [block for block in blocks if "MissingExtra" not in block]  # told by tests/test_core.py
    text = "\n".join(shown)
    examples = doctest.DocTestParser().get_doctest(text, {}, named(page), str(page), 0)
    assert doctest.DocTestRunner().run(examples).failed == 0


SESSIONS = [page for page in PAGES if session(page.read_text("utf-8"))]


@pytest.mark.parametrize("page", SESSIONS, ids=named)
def test_sessions(page: Path, tmp_path: Path) -> None:
    """Every command gives what is shown below it, in one folder, one after the other."""
    if page.name == "ci.md":
        pytest.skip("tests/test_ci_page.py runs it")
    steps = session(page.read_text("utf-8"))
    (tmp_path / "mine.py").write_text(MINE)
    script = [f'export PATH="{Path(sys.executable).parent}:$PATH" COLUMNS=150']
    if page.name == "README.md":
        script.append("harness init filter > /dev/null && cp filter/* .")
    for k, step in enumerate(steps):
        script.append(f"echo; echo '<<< {k}'\n{step.command}")
    done = subprocess.run(
        ["bash", "-s"],
        input="\n".join(script),
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if not k.startswith("PYTEST")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    found = re.split(r"^<<< \d+$", done.stdout, flags=re.MULTILINE)[1:]
    checker = doctest.OutputChecker()
    for step, got in zip(steps, found, strict=True):
        assert "Traceback" not in got, f"{step.command}\n{got}"
        want = words(step.shown)
        same = not want or checker.check_output(f"{want}\n", f"{words(got)}\n", doctest.ELLIPSIS)
        assert same, f"{step.command}\nshown:\n{want}\ngot:\n{words(got)}"
