"""``harness prove``: what it says, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli import app

CAST = """module cast (input wire signed [15:0] a, output wire [7:0] y);
  wire signed [16:0] r = {a[15], a} + 17'sd32;
  wire signed [10:0] v = r >>> 6;
  assign y = v > 127 ? 8'h7f : v < -128 ? 8'h80 : v[7:0];
endmodule
"""
TYPES = ("--from", "ap_fixed<16,6>", "--to", "ap_fixed<8,4,AP_RND,AP_SAT>")


def harness(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["prove", *arguments])
    if isinstance(result.exception, Exception) and not isinstance(result.exception, SystemExit):
        return 2, str(result.exception)
    return result.exit_code, result.stdout


@pytest.fixture
def cast(tmp_path: Path) -> Path:
    path = tmp_path / "cast.sv"
    path.write_text(CAST, encoding="utf-8")
    return path


def test_a_module_is_proven(cast: Path) -> None:
    status, said = harness("--rtl", str(cast), "--top", "cast", *TYPES)
    assert status == 0
    assert "PROVEN: cast: ap_fixed<16,6> -> ap_fixed<8,4,AP_RND,AP_SAT>" in said
    assert "all 2**16 codes" in said


def test_a_module_is_refuted_and_explained(cast: Path) -> None:
    """The input is shown with what the module gives, what is right, and why."""
    cast.write_text(CAST.replace("sd32", "sd31"), encoding="utf-8")
    status, said = harness("--rtl", str(cast), "--top", "cast", *TYPES)
    assert status == 1
    lines = dict(line.strip().split(None, 1) for line in said.splitlines() if len(line.split()) > 1)
    assert "REFUTED" in said
    got, right = (part.split()[-1] for part in lines["y"].split(", "))
    assert int(right, 16) - int(got, 16) == 1
    assert lines["code"].endswith(f"= {right}")
    assert "AP_RND" in lines["rounding"]


def test_a_cast_with_certificates(tmp_path: Path) -> None:
    """Kernels and RTL; the questions are written under the hashes that the certificates name."""
    file, folder = tmp_path / "c.json", tmp_path / "smt"
    options = ("--certificates", str(file), "--export", str(folder))
    status, said = harness(*TYPES, *options)
    assert status == 0
    assert "PROVEN for all inputs" in said
    facts = json.loads(file.read_text(encoding="utf-8"))
    assert facts["outcome"] == "proven"
    subjects = {c["subject"] for c in facts["certificates"]}
    assert subjects == {"harness.quantize.fixed_codes", "ap_quantize.sv"}
    hashes = {c["query_sha256"][:16] for c in facts["certificates"]}
    assert {path.stem for path in folder.iterdir()} == hashes


def test_json_alone() -> None:
    status, said = harness(*TYPES, "--json")
    assert status == 0
    assert json.loads(said)["outcome"] == "proven"


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("--from", "ap_fixed<8,4>"), "name its target"),
        (("--header", "--to", "ap_fixed<8,4>"), "or of a profile, without types"),
        (("--top", "cast"), "of --rtl, which is not given"),
        (("--rtl", "cast.sv", "--top", "cast"), "needs --top NAME, --from TYPE and --to TYPE"),
        (("--rtl", "none.sv", "--top", "cast", *TYPES), "there is no file none.sv"),
        (("--profile", "all"), "allowed: quick, full"),
        (("--to", "ap_int<8>"), "no compiled loop takes floats into"),
        (("--to", "ap_fixed<8>"), "ap_fixed<8>"),
        (("--rtl", "x.sv", "--top", "x", "--hold", "rst", *TYPES), "NAME=VALUE"),
        (("--rtl", "x.sv", "--top", "x", "--hold", "rst=low", *TYPES), "a value is a number"),
    ],
)
def test_bad_usage_is_one_line(arguments: tuple[str, ...], wrong: str) -> None:
    status, said = harness(*arguments)
    assert status == 2
    assert wrong in said
    assert "\n" not in said


def test_without_a_solver() -> None:
    """A missing extra is one line that names it, from the command and from Python."""
    code = (
        "import sys; sys.modules['bitwuzla'] = None\n"
        "import harness.cli; sys.argv = ['harness', 'prove', '--to', 'ap_fixed<8,4>']\n"
        "harness.cli.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert (
        done.stderr == "harness: harness.prove needs bitwuzla; pip install 'hls-harness[prove]'\n"
    )


def test_a_profile_of_the_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without types it is asked alone; what is not read is left open, with the reason."""
    checker = tmp_path / "esbmc"
    checker.write_text("#!/bin/sh\necho 'error: no such header'\n", encoding="utf-8")
    checker.chmod(0o755)
    monkeypatch.setenv("HARNESS_ESBMC", str(checker))
    status, said = harness("--header", "--jobs", "1")
    assert status == 1
    assert "UNDECIDED: 0 of" in said
    assert "does not read the program: error: no such header" in " ".join(said.split())
    assert "operators of both, by ESBMC" in said
    assert "ap_quantize" not in said
    monkeypatch.setenv("HARNESS_ESBMC", str(tmp_path / "none"))
    assert harness("--header", "--jobs", "1") == (
        2,
        "no esbmc; put it on the path, or name it with HARNESS_ESBMC",
    )
