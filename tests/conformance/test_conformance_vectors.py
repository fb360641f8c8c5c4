"""The package of vectors: whole, signed, replayed by ours, and checked without us."""

import hashlib
import json
import math
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from harness import ApFixed, reference
from harness.conformance import check, sheets
from harness.conformance.levels import Level
from harness.conformance.vectors import facts_of, package, write
from harness.golden import load
from harness.golden.record import NUMBERS, word_of
from harness.golden.replay import replay
from harness.oracle import Oracle
from harness.types import FORMATS, MiniFloat, VitisFloat

#: A stranger's quantizer: Python alone, one rounding, one overflow.
STRANGER = """
import math

def right(values, t):
    if t["kind"] != "fixed" or (t["rounding"], t["overflow"]) != ("RND_CONV", "SAT"):
        raise NotImplementedError
    scale = 2.0 ** (t["width"] - t["integer"])
    high = 2 ** (t["width"] - t["signed"]) - 1
    low = -high - 1 if t["signed"] else 0
    def one(x):
        y = math.copysign(1e9, x) if not abs(x) < 1e30 else max(min(x * scale, 1e9), -1e9)
        return max(min(round(y), high), low)
    return [one(x) for x in values]

def as_values(values, t):
    return [code / 2.0 ** (t["width"] - t["integer"]) for code in right(values, t)]

def wrong(values, t):
    codes = right(values, t)
    return [c + (abs(x) * 2.0 ** (t["width"] - t["integer"]) % 1 == 0.5 and abs(x) < 1)
            for c, x in zip(codes, values)]

def few(values, t):
    return [0]

def nothing(values, t):
    raise NotImplementedError

def broken(values, t):
    return 1 / 0
"""


@pytest.fixture(scope="module")
def folder(oracle: Oracle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of a few types: the mode that the stranger has, floats, and another mode."""
    few = pytest.MonkeyPatch()
    few.setattr(sheets, "SHAPES", ())
    few.setattr(sheets, "MORE_SHAPES", (ApFixed(8, 3), ApFixed(5, 8, signed=False)))
    formats = [FORMATS["float8_e4m3fn"], FORMATS["float4_e2m1fn"], MiniFloat(3, 4, 0)]
    few.setattr(sheets, "_float_types", lambda: formats)
    directory = tmp_path_factory.mktemp("package")
    write(directory, package(sheets.fresh(oracle, 0), oracle, 0))
    few.undo()
    (directory / "stranger.py").write_text(STRANGER)
    return directory


def run(folder: Path, name: str, *files: str) -> tuple[int, str, str]:
    """The checker, by a Python that does not see this project."""
    command = [sys.executable, "-S", "check.py", f"stranger:{name}", *files]
    done = subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_files_are_signed_and_as_the_schema_says(folder: Path) -> None:
    """Every file but the sums themselves; a truth file is one of golden's."""
    sums = dict(line.split("  ")[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert set(sums) == files - {"SHA256SUMS", "stranger.py"}
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    schema = json.loads((folder / "schema.json").read_text())
    for path in folder.glob("*/*.json"):
        jsonschema.validate(json.loads(path.read_text()), schema)


def test_ours_replays_them(folder: Path) -> None:
    """The format is golden's, so its readers read it; each level is there, as the first flag."""
    truths = [load(path) for path in sorted(folder.glob("*/*.json"))]
    found = [replay(truth.groups) for truth in truths]
    assert sum(each.vectors for each in found) > 5_000
    assert not any(each.differences for each in found)
    cases = [case for truth in truths for group in truth.groups for case in group.cases]
    first = {case.flags[0] for case in cases}
    assert first == {f"level:{level}" for level in Level if level is not Level.QUIRKS}


@pytest.mark.parametrize("name", ["right", "as_values"])
def test_a_stranger_is_right(folder: Path, name: str) -> None:
    """Codes or values, without this project; infinities are the largest numbers, NaN is not."""
    status, out, _ = run(folder, name, "fixed/cast.json")
    assert status == 0
    assert "ties" in out
    assert " 0 differ" in out.replace("       0 differ", " 0 differ")
    status, out, _ = run(folder, name)
    wrong = [line for line in out.splitlines() if " asked" in line and " 0 differ" not in line]
    assert [line.split()[0] for line in wrong] in ([], ["specials"])


def test_a_wrong_tie_is_found(folder: Path) -> None:
    """Exit status 1, and the input, the answer, the value expected."""
    status, out, _ = run(folder, "wrong", "fixed/double.json")
    assert status == 1
    (line,) = (line for line in out.splitlines() if line.startswith("ties"))
    assert "ap_fixed<8,3,AP_RND_CONV,AP_SAT,0>(" in line


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("few", "1 answers to "),
        ("nothing", "nothing was asked"),
        ("broken", "raised on ap_fixed<8,3,"),
    ],
)
def test_nothing_to_judge_is_status_2(folder: Path, name: str, text: str) -> None:
    """One line, no traceback."""
    status, out, error = run(folder, name)
    assert status == 2
    assert text in out + error
    assert "Traceback" not in error


def test_usage_is_status_2(folder: Path) -> None:
    """Without a function, and with a file that is not there."""
    command = [sys.executable, "check.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.split()[0]) == (2, "usage:")
    status, _, error = run(folder, "right", "nowhere.json")
    assert (status, error.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    "t",
    [
        *(t for t in FORMATS.values() if t.width <= 16),
        MiniFloat(3, 4, 0),
        MiniFloat(2, 3, 1),
        MiniFloat(0, 3, 0),
        VitisFloat(12, 4),
        ApFixed(7, 9),
        ApFixed(7, -2, signed=False),
    ],
    ids=str,
)
def test_the_checker_decodes_as_the_reference(t: object) -> None:
    """Every code: two decoders, written apart."""
    facts = facts_of(t)
    for code in t.codes:
        word = word_of(code, t)
        flushed = facts.get("subnormals") is False and not (word >> facts["frac_bits"]) & (
            (1 << facts["exp_bits"]) - 1
        )
        if not flushed:  # no conversion gives such a code
            got, expected = check.decode(word, facts), reference.decode(code, t)
            assert got == expected or (math.isnan(got) and math.isnan(expected)), word


@pytest.mark.parametrize("source", ["double", "float"])
def test_the_checker_reads_numbers(source: str) -> None:
    """Bits of C++ numbers, exactly."""
    for x in (0.0, -1.5, 2.0**-149, float("inf")):
        assert check.number(word_of(x, NUMBERS[source]), source, {}) == x
