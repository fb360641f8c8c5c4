"""The committed truth files: what they cover, and that nothing wrong with one goes unnoticed."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from harness.golden import GoldenError, Truth, dumps, golden_directory, load, loads, replay
from harness.golden.files import MANIFEST, SUMS, check_sums
from harness.golden.flags import FLAGS
from harness.golden.plan import FILES, modes
from harness.golden.record import OPERATIONS
from harness.golden.replay import committed
from harness.oracle.domain import CLAUSES
from harness.reference import QUIRKS
from harness.types import FORMATS, TERNARY, FloatRounding, Overflow

GOLDEN = golden_directory()
OVERFLOWS = {
    Overflow.SAT: {"saturate-max"},
    Overflow.SAT_ZERO: {"zeroed"},
    Overflow.SAT_SYM: {"saturate-max"},
    Overflow.WRAP: {"wrap", "wrap-n"},
    Overflow.WRAP_SM: {"wrap-sm", "wrap-sm-n"},
}
NAMES = [file.name for file in FILES] + ["divergences.json"]


@pytest.mark.parametrize("name", NAMES)
def test_python_reproduces_every_vector(name: str, truths: dict[str, Truth]) -> None:
    """The quantizers answer every vector of every file as it says."""
    found = replay(truths[name].groups)
    assert found.vectors == truths[name].count > 0
    assert found.differences == ()


@pytest.mark.parametrize("name", NAMES)
def test_files_follow_the_schema(name: str) -> None:
    """Each file is valid by the committed JSON Schema, and says what it must."""
    schema = json.loads((GOLDEN / "schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    document = json.loads((GOLDEN / name).read_text())
    for group in document["groups"]:
        group["cases"] = group["cases"][:20]  # each row has the same schema, and there are many
    jsonschema.validate(document, schema)
    if document["compiler"] != "none":
        assert document["headers"]


@pytest.mark.parametrize("name", NAMES)
def test_text_is_decided_by_content(name: str, truths: dict[str, Truth]) -> None:
    """Reading and writing gives the same bytes; the digest is over all that a case means."""
    text = (GOLDEN / name).read_text()
    assert dumps(truths[name]) == text
    assert loads(text) == truths[name]


def test_every_mode_and_class_of_n(truths: dict[str, Truth]) -> None:
    """Both paths reach every rounding, overflow, signedness and class of N: a tie, an overflow."""
    for name in ("fixed/double.json", "fixed/cast.json"):
        for signed, rounding, overflow, n_class in modes():
            flags = set()
            for group in truths[name].groups:
                t = group.target
                classes = (t.n == 0, t.n == 1, 1 <= t.n < t.width, t.n == t.width)
                here = (t.signed, t.rounding, t.overflow) == (signed, rounding, overflow)
                if here and classes[n_class]:
                    flags |= {flag for case in group.cases for flag in case.flags}
            assert "tie" in flags, (name, signed, rounding, overflow, n_class)
            assert flags & OVERFLOWS[overflow], (name, signed, rounding, overflow, n_class)


def test_shapes_that_matter(truths: dict[str, Truth]) -> None:
    """One bit, 64 bits and one beyond, a negative binary point and one past the width."""
    for name in ("fixed/double.json", "fixed/cast.json"):
        types = [group.target for group in truths[name].groups]
        assert {1, 65} <= {t.width for t in types}
        assert {rounding for t in types if t.width == 65 for rounding in [t.rounding]} == {
            rounding for _, rounding, _, _ in modes()
        }
        assert any(53 < t.width <= 64 for t in types)
        assert any(t.integer < 0 for t in types)
        assert any(t.integer > t.width for t in types)
        assert TERNARY in types


def test_every_flag_quirk_and_clause_occurs(truths: dict[str, Truth]) -> None:
    """No flag is dead, and each header quirk and each clause of ap_float.h's domain is there."""
    used = {f for t in truths.values() for g in t.groups for c in g.cases for f in c.flags}
    assert set(FLAGS) <= used
    assert {f"quirk:{name}" for name in QUIRKS} <= used
    assert {f"ap_float.h:{clause}" for clause in CLAUSES} <= used
    for truth in truths.values():
        here = {f for g in truth.groups for c in g.cases for f in c.flags}
        assert set(truth.flags) == here
        assert all(truth.flags.values())


def test_every_family(truths: dict[str, Truth]) -> None:
    """Fixed point, minifloats, the IEEE family in every format and rounding, Vitis, binary."""
    ieee = {g.target for g in truths["ieee/double.json"].groups}
    assert set(FORMATS.values()) <= ieee
    assert {t.rounding for t in ieee} == {mode for mode in FloatRounding if not mode.stochastic}
    assert {t.subnormals for t in ieee} == {True, False}
    kinds = {type(g.target).__name__ for t in truths.values() for g in t.groups}
    assert kinds == {"ApFixed", "ApInt", "MiniFloat", "IeeeFloat", "VitisFloat", "Binary"}
    operations = {g.operation for t in truths.values() for g in t.groups}
    assert operations == {*OPERATIONS} - {"values"}


def test_the_tie_of_e4m3fn_at_464(truths: dict[str, Truth]) -> None:
    """Between 448 and what would be 480, the tie is even, and stays."""
    (word,) = {
        case.expected
        for group in truths["ieee/double.json"].groups
        for case in group.cases
        if group.target == FORMATS["float8_e4m3fn"] and case.inputs == (0x407D000000000000,)
    }
    assert word == 0x7E


def test_divergences_diverge(truths: dict[str, Truth]) -> None:
    """Each of them has the word that somebody else answers, and it is another one."""
    truth = truths["divergences.json"]
    for group in truth.groups:
        assert group.note
        assert all(case.others and set(case.others) != {case.expected} for case in group.cases)
    assert set(truth.witnesses) >= {"ml_dtypes", "apytypes", "quantizers"}


def test_manifest_and_size(truths: dict[str, Truth]) -> None:
    """The manifest counts what is there, sha256sum agrees, and it all stays under 20 MB."""
    document = json.loads((GOLDEN / MANIFEST).read_text())
    assert {entry["file"] for entry in document["files"]} == set(NAMES)
    assert document["vectors"] == sum(truth.count for truth in truths.values())
    check_sums(GOLDEN)
    if shutil.which("sha256sum"):
        subprocess.run(["sha256sum", "--quiet", "-c", SUMS], cwd=GOLDEN, check=True)
    assert sum(path.stat().st_size for path in GOLDEN.rglob("*") if path.is_file()) < 20e6


def test_nothing_of_a_machine_or_a_clock() -> None:
    """No path, host or date stands in a file."""
    for path in [*(GOLDEN / name for name in NAMES), GOLDEN / MANIFEST, GOLDEN / SUMS]:
        text = path.read_text()
        assert not re.search(r"/(home|usr|tmp|root|work)/|20\d\d-\d\d", text), path


def test_replaying_needs_little() -> None:
    """No torch, cppyy, oracle, reference or MPFR is imported, and none is missed."""
    program = (
        "import sys\n"
        "for name in ('torch', 'cppyy', 'gmpy2', 'ml_dtypes'): sys.modules[name] = None\n"
        "from harness.golden import golden_directory, committed, replay\n"
        "truths = committed(golden_directory())\n"
        "assert not replay(truths['binary/cast.json'].groups).differences\n"
        "assert not {'harness.oracle', 'harness.reference'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def _line(text: str, start: str) -> int:
    lines = text.split("\n")
    return next(k for k, line in enumerate(lines) if line.lstrip().startswith(start)) + 1


WORD = '["03", "1"]'
#: What to put in place of what, once, and what the error says.
FAULTS = {
    "schema version": ('"schema": 1', '"schema": 2', "version 2 is unknown"),
    "no seed": ('  "seed": 0,\n', "", "lacks 'seed'"),
    "count": ('"count": 984', '"count": 7', "count is 7"),
    "a name twice": ('"seed"', '"path"', "given twice: path"),
    "unknown field": ('"seed": 0', '"seed": 0, "x": 1', "unknown field 'x'"),
    "number for text": ('"path": "cast"', '"path": 3', "path must be text"),
    "operation": ('"0000", "operation": "cast"', '"0000", "operation": "cost"', '"cost"; allowed'),
    "type": ('"a": "ap_fixed<8,4,', '"a": "ap_fixed<8,x,', "not an integer"),
    "no such type": ('"a": "ap_fixed<8,4,', '"a": "ap_fixed<0,4,', "width must be 1 to 1024"),
    "type not in full": ("ap_fixed<8,4,AP_TRN,AP_WRAP,0>", "ap_fixed<8,4>", "in full"),
    "a flipped bit": (WORD, '["03", "0"]', "group 0000 was changed"),
    "a case less": (f"      {WORD},\n", "", "count is"),
    "no hexadecimal": ('["03"', '["0g"', '"0g" is no word'),
    "too short": ('["03"', '["3"', "no word of 2 lower-case"),
    "too many bits": ('"1"]', '"2"]', "more than 1 bits"),
    "upper case": ('["0a"', '["0A"', "lower-case"),
    "unknown flag": ('"zero"]', '"hero"]', "does not explain the flag hero"),
    "a word less": (WORD, '["03"]', "a case is 2 words"),
    "not an array": (WORD, "null", "a case is 2 words"),
    "id": ('"id": "0001"', '"id": "0003"', "id must be 0001"),
    "cut off": ('"id": "0003"', "\x1a", "is no JSON"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_with_a_file(fault: str, tmp_path: Path) -> None:
    """A malformed, truncated or tampered file is refused with the file, the line and the reason."""
    text = (GOLDEN / "binary/cast.json").read_text()
    old, new, reason = FAULTS[fault]
    assert old in text
    path = tmp_path / "cast.json"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(GoldenError, match=re.escape(reason)) as caught:
        load(path)
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}:") or caught.value.line is None
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "start"),
    [
        ('["03", "1"]', '["zz", "1"]', '["zz"'),
        ('"seed": 0', '"seed": "0"', '"seed"'),
        ('"id": "0002", "operation": "cast"', '"id": "0002", "operation": ""', '{"id": "0002"'),
        ('["03", "1"]', '["03", "0"]', '{"id": "0000"'),
    ],
)
def test_the_line_of_a_fault(old: str, new: str, start: str) -> None:
    """The line that an error names is the line of the fault; of a changed group, its first."""
    text = (GOLDEN / "binary/cast.json").read_text().replace(old, new, 1)
    with pytest.raises(GoldenError) as caught:
        loads(text)
    assert caught.value.line == _line(text, start)


@pytest.mark.parametrize("text", ["", "null", "[1, 2]", "{}", "[" * 100_000, '"\\ud800"'])
def test_what_is_no_truth_file(text: str) -> None:
    """Anything else that may stand in a file is refused in one line."""
    with pytest.raises(GoldenError) as caught:
        loads(text)
    assert "\n" not in str(caught.value)


def test_missing_files(tmp_path: Path) -> None:
    """A folder without sums, a file that is listed and gone, a file changed beside its digest."""
    with pytest.raises(GoldenError, match="cannot be read"):
        load(tmp_path / "none.json")
    with pytest.raises(GoldenError, match=SUMS):
        committed(tmp_path)
    copy = tmp_path / "golden"
    shutil.copytree(GOLDEN, copy)
    about = copy / "vitis/double.json"
    text = about.read_text()
    about.write_text(text.replace('"generator": "', '"generator": "another ', 1))
    with pytest.raises(GoldenError, match="is not the file"):
        committed(copy)
    about.unlink()
    with pytest.raises(GoldenError, match="vitis/double.json: cannot be read"):
        committed(copy)


def test_a_wrong_word_is_found(truths: dict[str, Truth]) -> None:
    """With the digest made right again, the replay itself finds one flipped bit, and its line."""
    for name, truth in truths.items():
        group = truth.groups[-1]
        case = replace(group.cases[0], expected=group.cases[0].expected ^ 1)
        spoiled = replace(group, cases=(case, *group.cases[1:]))
        again = loads(dumps(replace(truth, groups=(*truth.groups[:-1], spoiled))))
        (found, *more) = replay(again.groups).differences
        assert (found.group, found.index) == (group.id, 0), name
        # An accumulator goes on from its own state, so that nothing else is wrong.
        assert not more
