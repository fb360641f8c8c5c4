"""docs/ci.md is true: its commands run, its table is what the commands take."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import typer
import yaml

from harness.cli import app

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "ci.md").read_text(encoding="utf-8")


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command of the page, by this interpreter."""
    line = re.sub(r"^harness ", f"{shlex.quote(sys.executable)} -m harness ", line)
    return subprocess.run(line, shell=True, cwd=folder, capture_output=True, text=True, check=False)


def test_the_workflow(tmp_path: Path) -> None:
    """It is YAML, its harness commands end with 0, and what they write is where it is uploaded."""
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    steps = yaml.safe_load(text)["jobs"]["harness"]["steps"]
    lines = [step["run"] for step in steps if step.get("run", "").startswith("harness ")]
    assert len(lines) == 2
    for line in lines:
        done = run(line, tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), line
    uploaded = next(s["with"]["path"] for s in steps if "upload" in s.get("uses", ""))
    assert sorted(path.name for path in (tmp_path / uploaded).iterdir()) == [
        "golden.xml",
        "verify.html",
        "verify.xml",
    ]


def test_the_other_commands(tmp_path: Path) -> None:
    """In their order, in one folder."""
    lines = re.findall(r"^\$ (harness .*)$", PAGE, re.MULTILINE)
    assert len(lines) == 5
    for line in lines:
        done = run(line, tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), line
    assert {"report.html", "slide.html", "slide.svg"} < {path.name for path in tmp_path.iterdir()}


def test_the_table() -> None:
    """A command has an option exactly if the table says so, and every one that has any is in it."""
    group = typer.main.get_command(app)
    commands = {**group.commands}
    golden = commands.pop("golden")
    commands |= {f"golden {name}": command for name, command in golden.commands.items()}
    rows = dict(re.findall(r"^\| `([a-z -]+)` (\|.*)$", PAGE, re.MULTILINE))
    for name, command in commands.items():
        taken = {option for parameter in command.params for option in parameter.opts}
        wanted = {option for option in ("--json", "--junit", "--html") if option in taken}
        cells = [cell.strip() for cell in rows[name].split("|")[1:4]] if name in rows else [""] * 3
        told = {
            option
            for option, cell in zip(("--json", "--junit", "--html"), cells, strict=True)
            if cell
        }
        assert told == wanted, name
    assert set(rows) <= set(commands)
