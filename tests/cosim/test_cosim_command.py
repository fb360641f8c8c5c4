"""``harness cosim``, ``harness init`` and the pytest plugin, as people use them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import harness

KINDS = Path(__file__).with_name("kinds.cpp")
EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "cosim"


def run(*arguments, cwd=EXAMPLES):
    return subprocess.CompletedProcess(arguments, *harness(*arguments, cwd=cwd))


def test_one_side_is_described():
    done = run("cosim", "fir.cpp:fir")
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "fir")
    assert "  in window: ap_fixed<12, 2>[8]" in done.stdout


def test_agreement_is_0_and_a_difference_1(tmp_path):
    done = run("cosim", "fir.cpp:fir", "models:fir", "--examples", 200)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("AGREE: fir.cpp:fir and models:fir, ")
    done = run("cosim", "average.cpp:average", "models:AverageFloat", "--json", "--out", tmp_path)
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)
    assert found["verdict"] == "DIFFER"
    assert len(found["difference"]["answers"]) == 2
    assert {p.name for p in tmp_path.iterdir()} == {"main_a.cpp", "calls_a.json"}
    done = run("cosim", tmp_path / "calls_a.json", "average.cpp:average")
    assert done.returncode == 0, done.stdout


def test_calls_are_recorded(tmp_path):
    path = tmp_path / "calls.json"
    assert run("cosim", "fir.cpp:fir", "--record", path, "--examples", 50).returncode == 0
    done = run("cosim", path, "models:fir")
    assert (done.returncode, done.stdout.split(",")[1].split("\n")[0]) == (0, " 50 calls")


@pytest.mark.skipif(shutil.which("verilator") is None, reason="verilator is not installed")
def test_rtl_has_the_types_of_the_other_side(example, tmp_path):
    done = run("cosim", "fir.v:fir", "fir.cpp:fir", "--examples", 200, cwd=example)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("AGREE: fir.v:fir and fir.cpp:fir, ")
    wrong = tmp_path / "wrong.v"
    wrong.write_text((example / "fir.v").read_text().replace("21'sd16", "21'sd15"))
    done = run("cosim", "fir.cpp:fir", f"{wrong}:fir", "--out", tmp_path / "why", cwd=example)
    assert done.returncode == 1, done.stderr
    assert "1 step apart" in done.stdout
    names = {p.name for p in (tmp_path / "why").iterdir()}
    assert names == {"main_a.cpp", "calls_a.json", "waves_b.vcd", "tb_b.sv", "calls_b.json"}
    assert "$enddefinitions" in (tmp_path / "why" / "waves_b.vcd").read_text()


@pytest.mark.skipif(shutil.which("verilator") is None, reason="verilator is not installed")
def test_a_parameter_that_is_a_number_is_one(tmp_path):
    path = tmp_path / "more.v"
    path.write_text(
        "module more #(parameter N = 1) (input signed [7:0] x, output signed [7:0] y);\n"
        "  assign y = x + N;\n"
        "endmodule\n"
    )
    (tmp_path / "more.cpp").write_text(
        '#include "ap_int.h"\nvoid more(ap_int<8> x, ap_int<8>& y) { y = x + N; }\n'
    )
    arguments = ("cosim", "more.v:more", "more.cpp:more", "--parameter", "N=-5")
    for macro, status in (("N=-5", 0), ("N=5", 1)):
        done = run(*arguments, "-D", macro, cwd=tmp_path)
        assert done.returncode == status, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fir.cpp"], "cannot tell what 'fir.cpp' is; allowed: fir.cpp:fir"),
        (["none.cpp:f"], "there is no file none.cpp"),
        (["fir.cpp:nothing"], "fir.cpp has no function nothing; it has fir"),
        (["fir.cpp:fir", "models:none"], "cannot load models:none"),
        (["fir.cpp:fir", "--size", "x"], "--size is spelled NAME=VALUE, not 'x'"),
        (["fir.cpp:fir", "--size", "x=-1"], "a size is a positive integer"),
        (["fir.cpp:fir", "cordic.cpp:cordic"], "fir.cpp:fir has in window"),
        (["models:fir", "--record", "x.json"], "does not say what types it takes"),
    ],
)
def test_bad_usage_is_2_and_one_line(arguments, message):
    done = run("cosim", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    folder = tmp_path_factory.mktemp("new") / "filter"
    done = run("init", folder)
    assert done.returncode == 0
    return folder


def suite(folder, *arguments):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=environment
    )


def test_the_example_passes_at_once_and_is_not_overwritten(example):
    done = suite(example)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert ("skipped" in done.stdout) == (shutil.which("verilator") is None)
    assert "warning" not in done.stdout
    again = run("init", example)
    assert again.returncode == 2
    assert "fir.cpp is there already; name a new folder" in again.stderr


def test_a_fault_of_one_mode_fails_with_the_report(example, tmp_path):
    for file in example.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_text(file.read_text())
    source = tmp_path / "fir.cpp"
    source.write_text(source.read_text().replace("AP_RND,", "AP_TRN,"))
    done = suite(tmp_path, "-m", "bit_exact", "--hls-examples", "300", "--strict-markers")
    assert done.returncode == 1
    assert "DIFFER: fir and fir.cpp:fir" in done.stdout
    assert "1 step apart" in done.stdout
    done = suite(tmp_path, "--hls-headers", "nowhere")
    assert "there is no folder nowhere" in done.stdout
