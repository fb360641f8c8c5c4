"""The maker of mutants: what it edits, what it leaves, and what a run remembers."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.mutants.__main__ import all_mutants, explanations, report
from scripts.mutants.checks import AREAS, area_of
from scripts.mutants.edits import mutants_of
from scripts.mutants.hdl_edits import hdl_mutants_of
from scripts.mutants.journal import Journal, Result

ROOT = Path(__file__).resolve().parents[2]

SOURCE = '''
"""A text with 1 and 2."""
from typing import Any
LOW = -3
Kind = int | None


def f(a: int | str, b: Any = 0) -> "x + y":
    """Not 1."""
    assert a > 1
    if isinstance(a, int | str) and b:
        raise ValueError(f"{a + 1} is wrong")
    c = (a
         << 2) if not b else min(a, 7)
    c += a not in (b, 0.5)
    return c
'''
EDITS = [
    ("LOW", "sign", "-", ""),
    ("LOW", "constant", "3", "4"),
    ("f", "constant", "0", "1"),
    ("f", "condition", "isinstance(a, int | str) and b", "not (isinstance(a, int | str) and b)"),
    ("f", "boolean", "and", "or"),
    ("f", "operator", "<<", ">>"),
    ("f", "constant", "2", "3"),
    ("f", "sign", "not ", ""),
    ("f", "function", "min", "max"),
    ("f", "constant", "7", "8"),
    ("f", "operator", "+=", "-="),
    ("f", "comparison", "not in", "in"),
    ("f", "constant", "0.5", "1.0"),
]


def test_what_is_edited_and_what_is_not() -> None:
    """Numbers, operators and conditions; no annotation, message, assertion or documentation."""
    found = [(m.operator, m.before, m.after) for m in mutants_of("f.py", SOURCE) if m.line > 3]
    found = [edit for edit in found if edit != ("operator", "|", "&")]  # an alias of types
    assert found == [edit[1:] for edit in EDITS]


def test_every_mutant_is_a_program_of_its_own() -> None:
    """Each edit compiles, changes the text in one place, and has a name that no other has."""
    mutants = all_mutants()
    assert len({m.key for m in mutants}) == len(mutants) > 4000
    sources = {m.path: (ROOT / m.path).read_text() for m in mutants}
    for mutant in mutants[::17]:
        source = sources[mutant.path]
        changed = mutant.apply(source)
        assert changed != source
        assert source.splitlines()[mutant.line - 1][mutant.column - 1 :].startswith(
            mutant.before.splitlines()[0]
        )
        if mutant.path.endswith(".py"):
            compile(changed, mutant.path, "exec")


def test_a_name_outlives_moved_lines_but_not_a_changed_function() -> None:
    """What is known of a function holds as long as its text does."""
    names = [m.key for m in mutants_of("f.py", SOURCE)]
    assert [m.key for m in mutants_of("f.py", "\n\n" + SOURCE)] == names
    changed = SOURCE.replace("return c", "return -c")
    assert {m.key for m in mutants_of("f.py", changed)} & set(names) == {
        m.key for m in mutants_of("f.py", SOURCE) if m.scope == "<module>"
    }
    assert [m.key for m in mutants_of("g.py", SOURCE)] != names


def test_tokens_of_the_hardware_are_edited() -> None:
    """Operators and numbers of the design; not its defaults, ranges' colons or comments."""
    lines = "  parameter int W = 8,\n  wire [W-1:0] y = a && !b;  // a && b\n"
    found = {(m.before, m.after) for m in hdl_mutants_of("d.sv", lines)}
    assert found == {("-", " + "), ("1", "2"), ("0", "1"), ("&&", "||"), ("!", "")}
    lines = "    SRC_W : positive := 16;\n    if k /= 0 and not a then  -- not b\n"
    found = {(m.before, m.after) for m in hdl_mutants_of("d.vhd", lines)}
    assert found == {("/=", "="), ("0", "1"), ("and", "or"), ("not ", "")}


def test_a_journal_forgets_nothing_but_a_line_cut_short(tmp_path: Path) -> None:
    """Killed while it wrote, a run goes on; a survivor is tried again when its checks change."""
    file = tmp_path / "journal.jsonl"
    journal = Journal(file)
    journal.write(Result("a", "killed", "test_a", 1.0, "old"))
    journal.write(Result("b", "survived", "", 2.0, "old"))
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:20])
    again = Journal(file)
    assert file.read_bytes() == whole
    assert again.known("a", "new") == journal.results["a"]
    assert again.known("b", "old") == journal.results["b"]
    assert again.known("b", "new") is None
    assert again.known("c", "old") is None


def test_every_explanation_is_of_a_mutant() -> None:
    """What is committed explains mutants that there are."""
    assert all(explanations(all_mutants()).values())


def test_a_stale_explanation_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An explanation of what is gone, or one without a reason, ends the run."""
    file = tmp_path / "equivalent.toml"
    monkeypatch.setattr("scripts.mutants.__main__.EQUIVALENT", file)
    mutants = mutants_of("f.py", SOURCE)
    file.write_text('[0123456789ab]\nwhat = "gone"\nreason = "none"\n')
    with pytest.raises(SystemExit, match="is no mutant any more"):
        explanations(mutants)
    file.write_text(f'[{mutants[0].key}]\nwhat = "x"\nreason = " "\n')
    with pytest.raises(SystemExit, match="has no reason"):
        explanations(mutants)


def test_an_explanation_that_a_check_refutes_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """What is said to change nothing and is seen to is left over, as a survivor without reason."""
    text = (ROOT / "harness/fixed.py").read_text()
    seen, same, left = mutants_of("harness/fixed.py", text)[:3]
    outcomes = {seen: "killed", same: "survived", left: "survived"}
    results = {m.key: Result(m.key, o, "tests/a.py::test_b", 0.1, "") for m, o in outcomes.items()}
    assert report([seen, same, left], results, {seen.key: "it is idle", same.key: "it is too"}) == 2
    said = capsys.readouterr().out
    assert "equivalent.toml says it changes nothing, tests/a.py::test_b sees it" in said
    assert f"\n{left}\n" in said


def test_every_check_is_a_file() -> None:
    """The table names files that there are."""
    for area in AREAS:
        assert all((ROOT / path).is_file() for path in area.files)
        if area.simulator is None:
            assert all((ROOT / check.split("::")[0]).is_file() for check in area.checks)
    assert area_of("harness/quantize/wide.py").checks


TOY = """
def steps(n):
    k = 0
    while k < n:
        k = k + 1
    return 0 * n + k
"""
CHECK = "from toy import steps\n\n\ndef test_steps():\n    assert steps(3) == 3\n"
RUN = """
import sys
from pathlib import Path
import numba, pytest
from scripts.mutants import checks, run
from scripts.mutants.edits import mutants_of

root = Path(sys.argv[1])
run._preload = lambda: None
run.STALL = 5.0
run.area_of = lambda path: checks.Area(("toy.py",), 1, (str(root / "test_toy.py"),), True)
mutants = mutants_of("toy.py", (root / "toy.py").read_text())
runner = run.Runner(root, 2, seconds=4)
for mutant, result in runner.run(mutants):
    print(mutant.before, mutant.after, result.outcome, result.by.split("::")[-1], sep="|")
runner.close()
"""


def test_a_check_that_fails_anyway_is_no_kill(tmp_path: Path) -> None:
    """What fails without a mutant too ends the run."""
    (tmp_path / "toy.py").write_text(TOY)
    (tmp_path / "test_toy.py").write_text(CHECK.replace("== 3", "== 4"))
    command = [sys.executable, "-c", RUN, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "toy.py: without a mutant fails" in done.stderr
    assert "killed" not in done.stdout


def test_a_run_kills_what_is_seen_and_what_hangs(tmp_path: Path) -> None:
    """A wrong result is killed by its check, a loop without end by the clock; the file stays."""
    (tmp_path / "toy.py").write_text(TOY)
    (tmp_path / "test_toy.py").write_text(CHECK)
    command = [sys.executable, "-c", RUN, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "<|<=|killed|test_steps" in done.stdout
    assert "+|-|hung|" in done.stdout
    assert (tmp_path / "toy.py").read_text() == TOY


def test_a_run_kills_what_stands_still(tmp_path: Path) -> None:
    """As after a crash whose report waits for a lock that is gone."""
    toy = "import time\n\n\ndef steps(n):\n    if n > 3:\n        time.sleep(900)\n    return n\n"
    (tmp_path / "toy.py").write_text(toy)
    (tmp_path / "test_toy.py").write_text(CHECK)
    command = [sys.executable, "-c", RUN, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ">|>=|hung|hung" in done.stdout
