"""What commands write beside their result, each in a process of its own."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from command import harness

T = "ap_fixed<8,4,AP_RND,AP_SAT>"
MINE = (
    "import numpy as np\n"
    "def q(x, t):\n"
    "    with np.errstate(all='ignore'):\n"
    "        y = np.nan_to_num(np.floor(x * 16 + 0.5))\n"
    "    return np.clip(y, -128, 126) / 16\n"
)


def test_verify_in_a_github_action(tmp_path: Path) -> None:
    """A difference is JSON, a failed case, an annotation, a summary and a page with its steps."""
    (tmp_path / "mine.py").write_text(MINE)
    page = tmp_path / "summary.md"
    arguments = ("verify", "--type", T, "--subject", "mine:q", "--json")
    arguments += ("--junit", "out/x.xml", "--html", "out/x.html")
    status, out, err = harness(
        *arguments, cwd=tmp_path, GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(page)
    )
    assert status == 1
    assert json.loads(out)["agrees"] is False
    root = ET.parse(tmp_path / "out" / "x.xml").getroot()
    assert root.get("failures") == "1"
    assert "got code 126 (7.875), expected code 127 (7.9375)" in root.find(".//failure").text
    (line,) = err.splitlines()
    assert line.startswith(f"::error title=harness verify%3A double::{T}: DIFFER")
    assert "**DIFFER: mine:q on" in page.read_text()
    html = (tmp_path / "out" / "x.html").read_text()
    assert 'data-step="rounding"' in html
    assert "AP_SAT: clamp to [min, max]" in html
    assert str(tmp_path) not in html + out + err + page.read_text()


def test_verify_with_history(tmp_path: Path) -> None:
    """Earlier JSON is on the page; what is none is refused before anything is compiled."""
    status, out, err = harness("verify", "--type", T, "--json", cwd=tmp_path, FORCE_COLOR="1")
    assert (status, err) == (0, "")
    (tmp_path / "first.json").write_text(out)
    when = json.loads(out)["when"]
    arguments = ("verify", "--type", T, "--html", "x.html", "--history")
    assert harness(*arguments, "first.json", cwd=tmp_path)[0] == 0
    assert (tmp_path / "x.html").read_text().count(when) >= 2
    (tmp_path / "other.json").write_text("{}")
    status, _, err = harness(*arguments, "other.json", cwd=tmp_path)
    assert (status, err.count("\n")) == (2, 1)
    assert err.startswith("harness: --history other.json: not what --json")
    status, _, err = harness("verify", "--history", "first.json", cwd=tmp_path)
    assert (status, err.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    "command",
    [
        ("verify", "--junit", "."),
        ("verify", "--html", "."),
        ("verify-layers", "--junit", "."),
        ("explain", "ap_int<4>", "1", "--html", "."),
        ("bench", "--html", "."),
        ("golden", "replay", "--junit", "."),
        ("golden", "check", "--junit", "."),
        ("golden", "rtl", "--html", "."),
        ("explain", "ap_int<4>", "1", "--svg", "."),
        ("prove", "--html", "."),
        ("cosim", "a", "b", "--html", "."),
    ],
)
def test_a_folder_is_no_file(command: tuple[str, ...], tmp_path: Path) -> None:
    """Said at once, in one line, with status 2."""
    assert harness(*command, cwd=tmp_path) == (
        2,
        "",
        "harness: . is a folder; wanted: a file to write\n",
    )


def test_explain_outputs(tmp_path: Path) -> None:
    """The steps as JSON and on a page."""
    arguments = ("explain", T, "3.14159", "--json", "--html", "x.html", "--svg", "x.svg")
    status, out, err = harness(*arguments, cwd=tmp_path)
    assert (status, err) == (0, "")
    steps = {step["name"]: step["text"] for step in json.loads(out)["steps"]}
    assert steps["code"] == "50 = 0x32"
    assert "50 = 0x32" in (tmp_path / "x.html").read_text()
    assert ">50 = 0x32<" in (tmp_path / "x.svg").read_text()


def test_verify_layers_outputs(tmp_path: Path) -> None:
    """A case a kernel, and JSON."""
    arguments = ("verify-layers", "--kernel", "relu", "--configurations", "1", "--json")
    status, out, err = harness(*arguments, "--junit", "x.xml", "--html", "x.html", cwd=tmp_path)
    assert (status, err) == (0, "")
    assert "relu" in (tmp_path / "x.html").read_text()
    kernels = [each["kernel"] for each in json.loads(out)["kernels"]]
    root = ET.parse(tmp_path / "x.xml").getroot()
    assert [case.get("name") for case in root.iter("testcase")] == kernels != []
