"""``harness conformance``: its table, files and exit statuses, and its page in a browser."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from browser import browser, installed
from command import harness

from harness.conformance.levels import Level
from harness.conformance.records import Cell, Conformance, Count, Counterexample, Judgement
from harness.report.conformance import sentence
from harness.report.conformance_page import page

MINE = """
import os
import numpy as np
from harness import quantize_codes

def crashes(x, t):
    os.abort()

def mine(x, t):
    print("noise that nobody wants in a JSON document")
    if not hasattr(x, "dtype"):
        raise TypeError("floats, please")
    codes = quantize_codes(x, t)
    return codes + (np.abs(x) == 0.375)
"""


def conformance(*arguments: str, cwd: Path, **environment: str) -> tuple[int, str, str]:
    """Run the command in a process of its own."""
    return harness("conformance", *arguments, cwd=cwd, **environment)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[int, str, str]]:
    """The control, and a function of the user's own that is wrong at one input."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "own.py").write_text(MINE)
    files = ["--json", "--html", "page.html", "--junit", "junit.xml"]
    return folder, conformance(
        "harness", "--subject", "own:mine", "--subject", "own:crashes", *files, cwd=folder
    )


def test_json(run: tuple[Path, tuple[int, str, str]]) -> None:
    """Every count and every counterexample, whatever the functions print or do to themselves."""
    status, out, _ = run[1]
    document = json.loads(out)
    assert status == 1
    assert document["agrees"] is False
    ours, mine, crashed = document["libraries"]
    assert ours["total"] == {"answered": document["cases"], "differ": 0, "raised": 0}
    assert document["cases"] > 250_000
    assert mine["total"]["differ"] > 50
    assert crashed["total"] == {"answered": 0, "differ": 0, "raised": 0}
    assert crashed["raised"] == {"it ended: signal 6": 1}
    assert mine["raised"].keys() == {"TypeError: floats, please"}
    assert {abs(float(e["value"])) for e in mine["counterexamples"]} == {0.375}
    assert {c["level"] for c in ours["counts"]} == set(document["levels"])
    assert sum(c["answered"] for c in mine["counts"]) == mine["total"]["answered"]


def test_files(run: tuple[Path, tuple[int, str, str]]) -> None:
    """JUnit has a case a level; the page is whole."""
    root = ET.parse(run[0] / "junit.xml").getroot()
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["harness", "own:mine", "own:crashes"]
    assert suites["harness"].get("failures") == "0"
    assert int(suites["own:mine"].get("failures", "0")) >= 1
    text = (run[0] / "page.html").read_text()
    assert "<script" not in text
    assert text.count("data-library=") == 3


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["tensorflow"], "no adapter is called 'tensorflow'; allowed: harness, quantizers, "),
        (["--subject", "nowhere:f"], "cannot load nowhere:f"),
        (["--vectors", "v", "--json"], "--vectors asks no library"),
        (["--html", "."], "is a folder"),
    ],
)
def test_usage_is_one_line(arguments: list[str], text: str, tmp_path: Path) -> None:
    """Status 2, before anything is compiled."""
    status, out, error = conformance(*arguments, cwd=tmp_path)
    assert (status, out) == (2, "")
    assert text in error
    assert error.count("\n") == 1


def test_narrow(tmp_path: Path) -> None:
    """At 60 columns no number is cut, and no line is longer."""
    status, out, _ = conformance("harness", "ml_dtypes", cwd=tmp_path, COLUMNS="60")
    assert status == 1
    assert max(map(len, out.splitlines())) <= 60
    assert re.search(r"\b[\d,]{7}\b", out)
    assert "DIFFER: 1 of 2 libraries" in out


def found() -> Conformance:
    """A run by hand: one that agrees, one that does not, one that is missing."""
    agrees = {Cell("fixed", "double", "RND/SAT", level): Count(1200) for level in Level}
    differs = {**agrees, Cell("fixed", "double", "TRN/WRAP", Level.TIES): Count(50, 7, 1)}
    example = Counterexample(
        Level.TIES,
        "AP_TRN: floor(y)",
        "double",
        "ap_fixed<8,3>",
        "0x1p-6",
        "<&>",
        "1.0",
        0,
        "0.0",
        7,
    )
    return Conformance(
        judgements=(
            Judgement("first", "first", "1.0", "first()", "all", agrees),
            Judgement(
                "second",
                "second",
                "2.0",
                "second()",
                "all",
                differs,
                (example,),
                {"ValueError: no": 1},
                {"has none": 3},
            ),
            Judgement("third", "third", None, "third()", "all", {}),
        ),
        cases=9000,
        types=3,
        truth=("pinned headers",),
        notes=("not asked: much",),
        seed=0,
        seconds=1.0,
    )


def test_the_sentence() -> None:
    """Who agrees, and of how many."""
    assert sentence(found()).startswith("DIFFER: 1 of 2 libraries somewhere; 9,000 vectors")


@pytest.mark.skipif(installed() is None, reason="no browser: apt-get install chromium")
def test_the_page_in_a_browser(tmp_path: Path) -> None:
    """Light and dark, wide and narrow: nothing asked for, nothing too wide, what differs is red."""
    file = tmp_path / "page.html"
    file.write_text(page(found(), "harness conformance"), encoding="utf-8")
    with browser(tmp_path / "profile") as tab:
        for dark, width in ((False, 1280), (True, 1280), (False, 390)):
            tab.open(file, dark=dark, width=width)
            assert tab.value("document.documentElement.scrollWidth") <= width
            assert (tab.asked, tab.complaints) == ([], [])
            bad = "[...document.querySelectorAll('td.bad')].map(cell => cell.innerText)"
            assert tab.value(bad) == ["7", "7"]
            assert "<&>" in tab.value("document.body.innerText")
            assert "pip install third" in tab.value("document.body.innerText")
            shot = tab.photograph(tmp_path / f"{dark}{width}.png")
            assert shot.startswith(b"\x89PNG")
