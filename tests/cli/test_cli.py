"""The command: exit status, one-line errors, no traceback."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command import harness

T = "ap_fixed<8,4,AP_RND,AP_SAT>"


def test_verify_one_type() -> None:
    """Agreement is exit status 0 and a sentence that says so."""
    status, out, _ = harness("verify", "--type", T)
    assert status == 0
    assert "AGREE: harness.quantize and every witness" in out


def test_verify_json() -> None:
    """With --json standard output is a JSON document."""
    status, out, _ = harness("verify", "--type", "fixed<6,2,RND_CONV>", "--json")
    assert status == 0
    document = json.loads(out)
    assert document["agrees"] is True
    assert document["types"] == 1
    assert document["checks"] > 10_000


def test_verify_a_faulty_subject(tmp_path: Path) -> None:
    """A difference is exit status 1, the simplest input, and a C++ program."""
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "def q(x, t):\n"
        "    with np.errstate(all='ignore'):\n"
        "        y = np.nan_to_num(np.floor(x * 16 + 0.5))\n"
        "    return np.clip(y, -128, 126) / 16\n"
    )
    status, out, _ = harness("verify", "--type", T, "--subject", "mine:q", cwd=tmp_path)
    assert status == 1
    assert "DIFFER: mine:q" in out
    assert "got code 126 (7.875), expected code 127 (7.9375)" in out
    assert "#include" in out


def test_explain() -> None:
    """Every step is shown, and what the C++ said."""
    status, out, _ = harness("explain", T, "3.14159")
    assert status == 0
    for text in ("AP_RND", "[0011.0010]", "guard", "50 = 0x32", "3.125", "the same"):
        assert text in out


@pytest.mark.parametrize(
    ("t", "value", "shown"),
    [
        ("ap_float<3,4,0>", "3.1416", ["[1.100] 1", "0x0d = 0 0001 101", "minifloat.h  the same"]),
        ("ap_float<3,4,0>", "40000", ["DIFFERENT: 0xbf, outside its domain (source)", "-> 240"]),
        ("float8_e4m3fn", "-0.0137", ["0x87 = 1 0000 111", "MPFR", "it would round twice"]),
        ("ap_float<32,8>", "1e-40", ["flushed to 0", "MPFR"]),
        ("ieee<5,10>", "inf", ["0x7c00", "value", "NumPy casts"]),
        ("ieee<5,2,STOCHASTIC>", "1.3", ["1.25", "1.5", "0.2 for the second"]),
        ("ap_fixed<8,4,S_RND>", "-0.3", ["-0.3125", "-0.25", "0.2 for the second"]),
        ("binary", "0", ["by the sign; 0 is 1"]),
    ],
)
def test_explain_other_families(t: str, value: str, shown: list[str]) -> None:
    """Floats show their fields and their witnesses, chance its neighbours, a bit its sign."""
    status, out, err = harness("explain", t, value)
    assert (status, err) == (0, "")
    for text in shown:
        assert text in out


@pytest.mark.parametrize("value", ["nan", "-inf", "0x1.8p+70", "-1e-300", "1e308", "-0.0"])
@pytest.mark.parametrize("t", ["ap_fixed<80,-3,AP_RND,AP_WRAP_SM>", "ap_ufixed<1,9,AP_TRN,AP_SAT>"])
def test_explain_takes_every_double(value: str, t: str) -> None:
    """No double and no type is too strange to be explained, and the C++ agrees."""
    status, out, err = harness("explain", t, "--", value)
    assert (status, err) == (0, "")
    assert "the same" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "--profile", "slow"], "allowed: quick, full, exhaustive"),
        (["verify", "--type", "ap_fixed<8>"], "needs width and integer bits"),
        (["verify", "--type", "ap_fixed<8,4,AP_ROUND>"], "allowed: RND, RND_ZERO"),
        (["verify", "--type", "ap_ufixed<8,4,AP_TRN,AP_WRAP_SM>"], "WRAP_SM needs a signed type"),
        (["verify", "--type", "ap_fixed<0,4>"], "width must be 1 to 1024"),
        (["verify", "--type", "ap_fixed<4,4,AP_TRN,AP_WRAP,5>"], "n must be 0 to the width"),
        (["verify", "--subject", "nowhere:f"], "cannot load nowhere:f"),
        (["verify", "--headers", "/nonexistent"], "lacks the header"),
        (["explain", "ap_fixed<8,4>", "three"], "is no double"),
        (["explain", "ap_fixed<8,4>", "1e400"], "it is beyond every double"),
        (["explain", "ap_fixed<8,4>", "1e-400"], "the nearest is 0.0"),
        (["explain", "ap_fixed<8,4>", "1/3"], "the nearest is 0.333"),
        (["explain", "ap_float<3,4,0>", "nan"], "has no NaN"),
        (["explain", "ap_fixed<8,4,S_RND>", "nan"], "does not round by chance"),
        (["explain", "ap_float<3,4>", "1"], "significand bits w - e must be 4 to 64"),
        (["verify", "--type", "ap_float<60,4,0>"], "mantissa bits m must be 0 to 52"),
        (["verify", "--type", "ieee<5,10,SIDEWAYS>"], "unknown rounding 'SIDEWAYS'"),
        (["verify", "--seed", "-1"], "seed"),
        (["verify", "--nonsense"], "nonsense"),
        (["nonsense"], "nonsense"),
    ],
)
def test_bad_usage(arguments: list[str], message: str) -> None:
    """Bad usage is exit status 2 and says what is allowed, without a traceback."""
    status, out, err = harness(*arguments)
    assert status == 2
    assert message in err
    assert "Traceback" not in out + err


def test_bad_usage_is_one_line() -> None:
    """Our own errors are exactly one line."""
    _, _, err = harness("verify", "--type", "nonsense")
    assert err.startswith("harness: cannot read a type from 'nonsense'")
    assert err.count("\n") == 1


def test_missing_compiler() -> None:
    """Without a compiler there is no truth, and the error says what to install."""
    status, _, err = harness("verify", CXX="no-such-compiler")
    assert status == 2
    assert "install g++" in err


def test_two_runs_at_once(tmp_path: Path) -> None:
    """Two runs that share a new cache both end in agreement."""
    environment = {**os.environ, "HARNESS_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "harness", "verify", "--type", T]
    pair = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        for _ in range(2)
    ]
    assert [p.communicate()[0].count(b"AGREE") for p in pair] == [1, 1]
    assert [p.returncode for p in pair] == [0, 0]


def test_verify_layers() -> None:
    """Random layers of a kernel, a table, and the verdict."""
    status, out, err = harness("verify-layers", "--kernel", "dense_lat", "--configurations", "2")
    assert (status, err) == (0, "")
    assert "dense_latency" in out
    assert "AGREE: 2 kernels, 4 layers, " in out
    status, out, err = harness("verify-layers", "--kernel", "nothing")
    assert status == 2
    assert err.startswith("harness: no kernel is called 'nothing'; there are: ")
    assert err.count("\n") == 1


def test_layers_without_torch(tmp_path: Path) -> None:
    """What to install, in one line."""
    absent = "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n"
    (tmp_path / "torch.py").write_text(absent)
    for command in (["verify-layers"], ["verify-project", str(tmp_path)]):
        done = subprocess.run(
            [sys.executable, "-m", "harness", *command],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
        )
        assert done.returncode == 2
        assert done.stderr == "harness: harness.hls needs torch; pip install 'hls-harness[torch]'\n"


def test_version() -> None:
    """The version, the hash of the headers and the compiler, a line each."""
    status, out, _ = harness("--version")
    lines = out.splitlines()
    assert status == 0
    assert lines[0].startswith("harness 0.")
    assert re.fullmatch(r"pinned headers, sha256 [0-9a-f]{16}", lines[1])
    assert "g++" in lines[2]


def test_version_without_a_compiler() -> None:
    """What is missing is told in its place."""
    status, out, _ = harness("--version", CXX="no-such-compiler")
    assert status == 0
    assert "no C++ compiler 'no-such-compiler'" in out.splitlines()[2]


def test_a_command_begins_lightly() -> None:
    """What is at the top of the command compiles nothing and knows no other library."""
    program = (
        "import sys, harness.cli\n"
        "heavy = ('numba', 'torch', 'cppyy', 'harness.verify', 'harness.oracle')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_help_at_every_width(width: int) -> None:
    """No line is too long, and no name of an option is cut."""
    program = (
        "import shutil, sys\n"
        "from harness.cli import app\n"
        "import typer\n"
        "root = typer.main.get_command(app)\n"
        "todo = [('harness', root)]\n"
        "for name, command in todo:\n"
        "    todo += [(f'{name} {k}', c) for k, c in getattr(command, 'commands', {}).items()]\n"
        "    try:\n"
        "        command.main(['--help'], prog_name=name)\n"
        "    except SystemExit:\n"
        "        pass\n"
        "    options = [o for p in command.params for o in p.opts if o.startswith('--')]\n"
        "    print('options:', *options)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "COLUMNS": str(width), "PYTHONUTF8": "1"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    pages = re.split(r"^options:(.*)$", done.stdout, flags=re.MULTILINE)
    assert len(pages) > 30
    for page, options in zip(pages[::2], pages[1::2], strict=False):
        assert "\N{HORIZONTAL ELLIPSIS}" not in page
        assert {option for option in options.split() if option not in page} == set()
        assert max(map(len, page.splitlines())) <= width
