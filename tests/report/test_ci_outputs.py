"""What a CI reads: JUnit XML, annotations, summaries; and tables on narrow screens."""

import io
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from harness.report.console import watched, wide_console
from harness.report.github import as_annotations, summary
from harness.report.junit import as_junit
from harness.report.outcome import Case, Kind, Outcome, Suite
from harness.report.tables import fitted

WRONG = Case(
    "ap_fixed<8,4>", "DIFFER", "100% | of\r\ncodes, say: all", Kind.FAILED, "a,b:c.json", 7
)
OUTCOME = Outcome(
    "harness verify",
    "DIFFER: mine on 3 of 5",
    False,
    (
        Suite("double", (Case("ap_fixed<4,2>", "AGREE", "2 codes"), WRONG)),
        Suite("cast", (Case("x", "NO WITNESS", "why", Kind.SKIPPED),)),
    ),
    "harness verify --seed 3",
)


def test_junit_counts_its_cases() -> None:
    """Tests, failures and skipped are counted, and the text of a failure is whole."""
    root = ET.fromstring(as_junit(OUTCOME))
    assert [(s.get("tests"), s.get("failures"), s.get("skipped")) for s in root] == [
        ("2", "1", "0"),
        ("1", "0", "1"),
    ]
    assert (root.get("tests"), root.get("failures")) == ("3", "1")
    assert root.find(".//failure").text.replace("\r", "") == WRONG.text.replace("\r", "")
    assert "harness verify --seed 3" in root[0].find("system-out").text


@given(st.text())
def test_junit_is_xml_whatever_the_text(text: str) -> None:
    """No text breaks the document."""
    case = Case(text, text, text, Kind.FAILED)
    found = ET.fromstring(as_junit(Outcome(text, text, False, (Suite(text, (case,)),), text)))
    assert len(found.findall(".//failure")) == 1


def test_annotations_are_escaped() -> None:
    """Percent, line ends, and in properties colons and commas are codes, as the runner wants."""
    (line,) = as_annotations(OUTCOME)
    assert line == (
        "::error file=a%2Cb%3Ac.json,line=7,title=harness verify%3A double::"
        "ap_fixed<8,4>: DIFFER: 100%25 | of%0D%0Acodes, say: all"
    )


@given(st.text(), st.text())
def test_an_annotation_is_one_line_that_can_be_read_back(name: str, text: str) -> None:
    """What a runner decodes is what was said, up to its length."""
    failed = Case(name, "", text[:200], Kind.FAILED)
    (line,) = as_annotations(Outcome("c", "s", False, (Suite("s", (failed,)),)))
    assert "\n" not in line
    assert "\r" not in line
    data = line.partition("::error ")[2].partition("::")[2]
    for code, letter in (("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        data = data.replace(code, letter)
    assert data == f"{name}: {text[:200]}"[:1000] or len(name) + len(text) > 1000


def test_annotations_are_few() -> None:
    """GitHub shows ten of a step; who agrees has none, and a verdict without a case has its own."""
    many = (Suite("s", tuple(Case(str(k), "", "", Kind.FAILED) for k in range(40))),)
    assert len(as_annotations(Outcome("c", "s", False, many))) == 10
    assert as_annotations(Outcome("c", "AGREE: all", True, many)) == []
    assert as_annotations(Outcome("c", "NOTHING: 5%", False, ())) == [
        "::error title=c::NOTHING: 5%25"
    ]


def test_summary_is_a_table() -> None:
    """The verdict, a row a suite, the failures, and the command; a bar does not end a cell."""
    lines = summary(OUTCOME).splitlines()
    assert lines[2] == "**DIFFER: mine on 3 of 5**"
    assert "| double | 2 | **1** | 0 |" in lines
    assert "| cast | 1 | 0 | 1 |" in lines
    assert "- double: `ap_fixed<8,4>`: DIFFER: 100% \\| of" in lines
    assert lines[-1] == "    harness verify --seed 3"


def table() -> Table:
    found = Table()
    found.add_column("a file of somebody's")
    for name in ("vectors", "differences", "seconds"):
        found.add_column(name, justify="right")
    found.add_row("golden/fixed/arithmetic_and_more.json", "1,234,567", "987,654", "12.25")
    found.add_row("b", "2", "3", "4")
    return found


@pytest.mark.parametrize("width", [30, 40, 50, 60, 80, 120])
def test_numbers_are_never_cut(width: int) -> None:
    """Whatever the width, every number is on one line, and no line is longer than the screen."""
    out = io.StringIO()
    console = Console(file=out, width=width)
    console.print(fitted(table(), console))
    text = out.getvalue()
    for number in ("1,234,567", "987,654", "12.25"):
        assert number in text
    assert max(map(len, text.splitlines())) <= width
    assert "arithmetic_and_more" in text or width < 100  # folded, not cut: no letter is lost
    assert "…" not in text


def test_a_pipe_is_as_wide_as_columns(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    """COLUMNS counts in a pipe, 120 else; forced colours make no terminal of it."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    assert wide_console().width == 60
    monkeypatch.delenv("COLUMNS")
    assert wide_console().width == 120
    forced = Console(file=io.StringIO(), force_terminal=True)
    assert forced.is_terminal
    assert not watched(forced)
