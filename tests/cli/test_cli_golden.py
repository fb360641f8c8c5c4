"""``harness golden``: exit status 0 for agreement, 1 for a difference, 2 for bad usage."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from command import harness

from harness.cli.golden import make
from harness.golden import GoldenError, dumps, golden_directory, load, loads
from harness.golden.files import to_write

GOLDEN = golden_directory()
T = "ap_fixed<8,4,AP_RND_CONV,AP_SAT>"


def spoiled(path: Path) -> str:
    """A truth file with one bit of one expected word flipped, its digests made right again."""
    truth = load(path)
    group = truth.groups[0]
    case = replace(group.cases[7], expected=group.cases[7].expected ^ 1)
    cases = (*group.cases[:7], case, *group.cases[8:])
    return dumps(replace(truth, groups=(replace(group, cases=cases), *truth.groups[1:])))


def test_replay() -> None:
    """All committed vectors, file by file."""
    status, out, _ = harness("golden", "replay")
    assert status == 0
    count = sum(load(path).count for path in GOLDEN.rglob("*/*.json"))
    count += load(GOLDEN / "divergences.json").count
    assert f"AGREE: harness.quantize reproduces all {count:,} vectors" in out


def test_replay_finds_a_flipped_bit(tmp_path: Path) -> None:
    """A file that somebody changed and signed anew is a difference, on its line."""
    path = tmp_path / "double.json"
    path.write_text(spoiled(GOLDEN / "vitis/double.json"))
    status, out, _ = harness("golden", "replay", "double.json", cwd=tmp_path)
    assert status == 1
    lines = path.read_text().splitlines()
    number = int(out[out.index("double.json:") + 12 :].split(":")[0])
    assert lines[number - 1].lstrip().startswith('["')
    assert "DIFFER: 1 of 1,0" in out
    arguments = ("golden", "replay", "double.json", "--json", "--junit", "x.xml")
    status, out, err = harness(*arguments, cwd=tmp_path, GITHUB_ACTIONS="true")
    assert (status, json.loads(out)["differences"]) == (1, 1)
    assert err.startswith(f"::error file=double.json,line={number},title=")
    assert ElementTree.parse(tmp_path / "x.xml").getroot().get("failures") == "1"


@pytest.mark.parametrize("change", ["flipped", "truncated", "gone"])
def test_replay_refuses(change: str, tmp_path: Path) -> None:
    """A file changed, cut off or taken away is no agreement: one line, no traceback."""
    shutil.copytree(GOLDEN, tmp_path / "golden")
    path = tmp_path / "golden" / "binary" / "cast.json"
    text = path.read_text()
    path.write_text(
        text.replace('["03", "1"]', '["03", "0"]') if change == "flipped" else text[:-50]
    )
    if change == "gone":
        path.unlink()
    status, out, err = harness("golden", "replay", "golden", cwd=tmp_path)
    assert (status, out) == (2, "")
    assert err.startswith("harness: golden/binary/cast.json")
    assert err.count("\n") == 1


def test_make_emit_and_back(tmp_path: Path) -> None:
    """Vectors to order, in a format, read back and replayed."""
    make = ("golden", "make", "--type", T, "--source", "ap_fixed<12,6>", "--count", "200")
    status, out, _ = harness(*make, "--out", "mine.json", cwd=tmp_path)
    assert (status, out) == (
        0,
        "wrote 200 vectors to mine.json; ap_fixed.h and the exact reference agree\n",
    )
    emit = ("golden", "emit", "mine.json", "--format", "mem", "--out", "words")
    assert harness(*emit, cwd=tmp_path)[0] == 0
    status, out, _ = harness("golden", "replay", "words", "mine.json", cwd=tmp_path)
    assert status == 0
    assert "all 400 vectors" in out
    words = (tmp_path / "words" / "fixed_mine_0000.expected.mem").read_text()
    assert len(words) == 600  # two digits and a line feed each


def test_weights(tmp_path: Path) -> None:
    """The user's own tensors become codes."""
    np.savez(tmp_path / "weights.npz", kernel=np.array([[0.1, -8.5], [7.99, 0.03125]]))
    make = ("golden", "make", "--type", T, "--from", "weights.npz", "--out", "codes.json")
    assert harness(*make, cwd=tmp_path)[0] == 0
    (group,) = loads((tmp_path / "codes.json").read_text()).groups
    assert group.words("expected") == [0x02, 0x80, 0x7F, 0x00]
    emit = ("golden", "emit", "codes.json", "--format", "coe", "--out", "coe")
    assert harness(*emit, cwd=tmp_path)[0] == 0
    text = (tmp_path / "coe" / "fixed_codes_0000.expected.coe").read_text()
    assert text.split("\n")[2:] == ["02,", "80,", "7f,", "00;", ""]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("emit", "none.json", "--format", "mem", "--out", "x"), "none.json: cannot be read"),
        (("emit", "{vitis}", "--format", "hex", "--out", "x"), "allowed: mem, coe"),
        (("emit", "{vitis}", "--format", "mem", "--out", "x", "--group", "0099"), "no group 0099"),
        (("emit", "{vitis}", "--format", "rtl", "--out", "x"), "casts between fixed-point"),
        (("emit", "{vitis}", "--format", "dat", "--out", "x"), "cannot hold inf"),
        (("replay", "none"), "neither a truth file nor a folder"),
        (("make", "--type", "foo", "--out", "x"), "cannot read a type"),
        (("make", "--type", T, "--from", "none.npz", "--out", "x"), "none.npz: cannot be read"),
        (
            ("make", "--type", T, "--from", "a.npz", "--source", T, "--out", "x"),
            "which need no --source",
        ),
        (("make", "--type", "float16", "--source", T, "--out", "x"), "nobody can witness"),
        (("rtl", "--simulator", "vcs"), "allowed: icarus, verilator, ghdl, cocotb"),
        (("rtl", "--vectors", "{vitis}"), "casts between fixed-point types"),
    ],
)
def test_bad_use(arguments: tuple[str, ...], reason: str, tmp_path: Path) -> None:
    """Bad use is one line that says what is allowed, and leaves nothing behind."""
    known = [a.format(vitis=GOLDEN / "vitis/double.json") for a in arguments]
    status, _, err = harness("golden", *known, cwd=tmp_path)
    assert status == 2
    assert reason in err
    assert err.startswith("harness: ")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_installed(tmp_path: Path) -> None:
    """Without simulators: named ones are an error that says what to install, others a skip."""
    for program in ("g++", "python3"):
        found = shutil.which(program)
        assert found is not None
        (tmp_path / program).symlink_to(found)
    status, _, err = harness("golden", "rtl", "--simulator", "ghdl", PATH=str(tmp_path))
    assert status == 2
    assert "ghdl needs ghdl; to install it: apt-get install ghdl" in err
    status, out, err = harness("golden", "rtl", PATH=str(tmp_path))
    assert status == 2
    assert out.count("SKIPPED") == 4
    assert "nothing was simulated" in err


def test_what_is_written_as_json(tmp_path: Path) -> None:
    """``make`` and ``emit`` tell programs what they wrote."""
    status, out, _ = harness(
        *("golden", "make", "--type", T, "--out", "x.json", "--count", "9", "--json"), cwd=tmp_path
    )
    assert (status, json.loads(out)["file"]) == (0, "x.json")
    assert json.loads(out)["vectors"] == load(tmp_path / "x.json").count
    status, out, _ = harness(
        *("golden", "emit", "x.json", "--format", "csv", "--out", "o", "--json"), cwd=tmp_path
    )
    assert status == 0
    assert len(list((tmp_path / "o").iterdir())) == 2, "the file, and the index of it"
    assert json.loads(out) == {
        "files": 1,
        "groups": 1,
        "vectors": load(tmp_path / "x.json").count,
        "folder": "o",
        "format": "csv",
    }


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with this one as a wheel installs it, no checkout beside it."""
    packages = tmp_path_factory.mktemp("lib") / "site-packages"
    ours = packages / "harness"
    no_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(GOLDEN.parent / "harness", ours, ignore=no_caches)
    shutil.copytree(GOLDEN.parent / "ap_types", ours / "_ap_types", ignore=no_caches)
    shutil.copytree(GOLDEN, ours / "_golden", ignore=no_caches)
    return packages


@pytest.mark.parametrize("directory", [[], ["."], ["./more"]])
def test_an_installed_package_is_not_written_to(directory: list[str], installed: Path) -> None:
    """Without a folder, or with one inside the package, a line refuses it; nothing changes."""
    inside = installed / "harness" / "_golden"
    before = {path: path.stat().st_mtime_ns for path in inside.rglob("*")}
    command = [sys.executable, "-m", "harness", "golden", "write", *directory]
    environment = os.environ | {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=inside, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert (
        "belongs to the installed package; name a folder: harness golden write DIR" in done.stderr
    )
    assert {path: path.stat().st_mtime_ns for path in inside.rglob("*")} == before


def test_where_vectors_are_written(tmp_path: Path) -> None:
    """In a checkout the committed ones; else the folder that was named."""
    assert to_write(None) == GOLDEN
    assert to_write(tmp_path) == tmp_path


def test_operators_to_order(tmp_path: Path) -> None:
    """Vectors of an operator, in the type that C++ gives it; a missing type is named."""
    command = ("golden", "make", "--type", "ap_fixed<8,4>", "--out", "f.json")
    status, out, _ = harness(*command, "--op", "+", "--with", "ap_fixed<6,3>", cwd=tmp_path)
    assert status == 0
    assert re.fullmatch(r"wrote \d+ vectors to f.json; ap_fixed.h and the exact .* agree\n", out)
    truth = load(tmp_path / "f.json")
    assert truth.groups[0].target.cpp == "ap_fixed<9,5>"
    assert 900 < truth.count <= 1000
    status, out, err = harness(*command, "--op", "+", cwd=tmp_path)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "+ takes two numbers; name the type of the right one with --with" in err


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"op": "<<", "right": "ap_int<4>"}, "--with is for an operator of two numbers"),
        ({"right": "ap_int<4>"}, "--with is for an operator of two numbers"),
        ({"op": "range"}, "--bits HI:LO and --op range need each other"),
        ({"op": "neg", "bits": "7:4"}, "--bits HI:LO and --op range need each other"),
        ({"op": "range", "bits": "seven"}, "--bits must be HI:LO, such as 7:4, not 'seven'"),
        ({"op": "neg", "source": "double"}, "leave --source and --from out"),
        ({"op": "sqrt"}, "hls::sqrt is closed"),
    ],
)
def test_orders_refused(options: dict[str, str], reason: str, tmp_path: Path) -> None:
    """What is missing or too much is named, before a compiler is asked."""
    with pytest.raises(ValueError, match=reason):
        make("ap_fixed<8,4>", tmp_path / "f.json", **options)  # type: ignore[arg-type]


def test_bare_words(tmp_path: Path) -> None:
    """Files of words alone: made vectors of, replayed, refused by line."""
    (tmp_path / "in.mem").write_text("0147\n8000\n0001\n7fff\n")
    (tmp_path / "out.coe").write_text(
        "memory_initialization_radix=16;\nmemory_initialization_vector=\n05,\n80,\n00,\n7f;\n"
    )
    replay = ("golden", "replay", "in.mem", "--source", "ap_fixed<16,6>")
    t = "ap_fixed<8,4,AP_RND,AP_SAT>"
    status, out, _ = harness(*replay, "--expect", "out.coe", "--type", t, cwd=tmp_path)
    assert status == 0
    assert "AGREE: harness.quantize reproduces all 4 vectors" in out
    text = (tmp_path / "out.coe").read_text()
    (tmp_path / "out.coe").write_text(text.replace("80,", "81,"))
    status, out, _ = harness(*replay, "--expect", "out.coe", "--type", t, cwd=tmp_path)
    assert status == 1
    assert f"out.coe:4: cast a ap_fixed<16,6>, expected {t}: 8000 => got 80, expected 81" in out
    status, out, err = harness("golden", "replay", "in.mem", cwd=tmp_path)
    assert (status, out) == (2, "")
    assert err == "harness: in.mem: holds words alone; name what is expected: --expect, --type\n"
    make("ap_fixed<16,6>", tmp_path / "w.json", from_=tmp_path / "in.mem")
    words = [case.expected for case in load(tmp_path / "w.json").groups[0].cases]
    assert words == [0x147, 0x8000, 1, 0x7FFF]
    with pytest.raises(GoldenError, match="in.mem:1: 0147 is too wide for ap_fixed<8,4,AP_RND"):
        make(t, tmp_path / "w.json", from_=tmp_path / "in.mem")
