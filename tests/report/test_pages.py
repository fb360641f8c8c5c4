"""The pages of verify, bench and explain: self-contained, true, and looked at in a browser."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from browser import browser, installed

from harness.bench.targets import TARGETS
from harness.explain import account, account_of_cast
from harness.explain.mismatches import account_of_mismatch
from harness.oracle import Oracle
from harness.report import accounts, bench_page, outcome_page, verdict_page, verdicts
from harness.report.outcome import Case, Kind, Outcome, Suite
from harness.types import ApFixed, Overflow, Rounding
from harness.verify import verify
from harness.verify.records import Mismatch, Tally, Unwitnessed, Verdict

T = ApFixed(8, 4, rounding="RND", overflow="SAT")
OUTCOME = Outcome(
    "harness golden <replay>",
    "DIFFER: 1 of 3",
    False,
    (
        Suite(
            "files", (Case("a", "AGREE", "2 codes"), Case("<b>", "DIFFER", "x\n<y>", Kind.FAILED))
        ),
        Suite("rest", (Case("c", "SKIPPED", "no ghdl", Kind.SKIPPED),)),
    ),
    "harness golden replay",
)
VOID = {"meta", "link", "br", "path", "rect", "line", "circle"}


def verdict(*, wrong: bool) -> Verdict:
    """Every mode on two paths, operators, a family, and if wanted a difference."""
    tallies = [
        Tally(path, ApFixed(8, 4, signed, r, o), 1000 * (k + 1) ** 2, 0)
        for k, path in enumerate(("double", "cast"))
        for signed in (True, False)
        for r in Rounding
        for o in Overflow
        if not r.stochastic and (signed or o is not Overflow.WRAP_SM)
    ]
    cells = [(op, kind) for op in ("+", "<", ">>=") for kind in ("ap_fixed", "ap_int")]
    tallies += [Tally("arithmetic", ApFixed(9, 4), 77, 0, cell=cell) for cell in cells]
    tallies += [Tally("ap_int", ApFixed(4, 4), 40, 0, "ap_int.h <b>", 16)]
    mismatches = []
    if wrong:
        tallies[0] = Tally("double", tallies[0].type, 1000, 7)
        mismatches = [
            Mismatch("double", "mine:<q>", str(T), "0x1.0p+3", 126, 127, 127, "AP_SAT", 7, "x<y>"),
            Mismatch("cast", "mine", f"{ApFixed(9, 4)} -> {T}", "code 3", 1, 2, 2, "R", 1, "p"),
            Mismatch("arithmetic", "mine", f"{T} + {T}", "code 3 + code 5", 1, 8, 8, "R", 1, "p"),
        ]
    open_ = (Unwitnessed("a -> b", "a to b shifts out more bits", 3),)
    return Verdict(tuple(tallies), tuple(mismatches), open_, subject="mine:<q>", profile="quick")


class Page(HTMLParser):
    """Elements are closed; the cells of heat maps by caption; links and words."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.tags, self.links, self.cells, self.words = [], set(), [], [], []
        self.feed(text)
        assert not self.open, "an element is not closed"

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        facts = dict(attrs)
        self.links += [v for k, v in attrs if k in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "td" and "aria-label" in facts:
            self.cells.append((facts["class"], facts["aria-label"]))

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def pages(oracle: Oracle) -> dict[str, str]:
    """A page of each kind, and of each verdict."""
    good, bad = verdict(wrong=False), verdict(wrong=True)
    earlier = [(f"run <{k}>", json.loads(verdicts.as_json(v))) for k, v in enumerate((good, bad))]
    told = [(m, account_of_mismatch(m, oracle)) for m in bad.mismatches]
    return {
        "agree": verdict_page.page(good, (), earlier, "harness verify"),
        "differ": verdict_page.page(bad, told, (), "harness verify --subject 'mine:<q>'"),
        "bench": bench_page.page(figures(), [("before", figures(2.0))], "harness bench"),
        "explain": accounts.page(account(3.14159, T, oracle), "harness explain"),
        "cases": outcome_page.page(OUTCOME),
    }


def figures(slower: float = 1.0) -> dict:
    """What a benchmark returns, small."""
    modes = {r.name: {o.name: slower + r.value for o in Overflow} for r in Rounding}
    target = TARGETS["median"]
    judged = {
        "target": {
            "what": target.what,
            "limit": target.limit,
            "unit": target.unit,
            "at_most": target.at_most,
        },
        "value": slower,
        "note": "NumPy <x>",
        "met": slower < target.limit,
    }
    return {
        "machine": {"cpu": "a <cpu>", "cores": 2, "python": "3", "numpy": "2"},
        "setting": {"size": 1000, "repeats": 3},
        "quantize": {"NumPy": modes},
        "quantize_floats": {"NumPy": {"ieee<4,3>": 1.5}},
        "peers": [
            {"name": "a", "mode": "m", "copies": 12.0, "ours": 3.0, "differing": 4},
            {"name": "b", "mode": "m", "copies": None, "ours": None, "differing": None},
        ],
        "layers": [{"name": "Linear", "baseline": "torch", "ratio": 1.25}],
        "small": [{"name": "s", "baseline": "b", "note": "n", "value": 2.0, "unit": "us"}],
        "targets": [judged],
        "seconds": 1.0,
    }


def test_pages_need_nothing(oracle: Oracle) -> None:
    """No script, no link but to data and inside, every element closed, text escaped."""
    for name, text in pages(oracle).items():
        found = Page(text)
        assert not found.tags & {"script", "iframe", "img", "object"}, name
        assert all(link.startswith(("data:", "#")) for link in found.links)
        assert "default-src 'none'" in text
        assert "<q>" not in text
        assert "<cpu>" not in text


def test_every_cell_is_on_the_page(oracle: Oracle) -> None:
    """A heat map has each mode of each path with its count, and what differs is marked."""
    for wrong in (False, True):
        found = Page(verdict_page.page(verdict(wrong=wrong)))
        cells = [label for kind, label in found.cells if kind != "void"]
        assert len(cells) == 2 * (7 * 5 + 7 * 4) + 6
        assert sum(kind == "bad" for kind, _ in found.cells) == wrong
        assert "RND, SAT: 1 type, 4,000 codes, all agree" in cells
    assert "RND, SAT: 1 type, 1,000 codes, 7 differ" in " ".join(cells)


def test_differences_come_with_their_steps(oracle: Oracle) -> None:
    """A double, a cast and an operator are told step by step; the code is the one of C++."""
    told = [account_of_mismatch(m, oracle) for m in verdict(wrong=True).mismatches]
    assert all(each is not None and each.agrees for each in told)
    assert dict(told[0].rows)["code"] == "127 = 0x7f"
    text = pages(oracle)["differ"]
    assert text.count('<article class="card long stack difference"') == 3
    assert 'data-step="rounding"' in text


def test_what_cannot_be_told_is_left_out(oracle: Oracle) -> None:
    """No account of inputs that are no doubles, and of operators without an expression."""
    wide = Mismatch("integer", "s", str(T), str(2**63 - 1), 0, 1, 1, "r", 1, "")
    odd = Mismatch(
        "arithmetic", "s", f"range of {T} (3, 1)", "code 3 range (3, 1)", 0, 1, 1, "", 1, ""
    )
    assert account_of_mismatch(wide, oracle) is None
    assert account_of_mismatch(odd, oracle) is None


def test_a_real_verdict_has_a_page(oracle: Oracle) -> None:
    """What verify returns for a faulty function is told with the input that was found."""
    found = verify(
        lambda x, t: oracle.codes(x, t) + (x == 1.5), oracle.codes, [T], lambda t: [1.5, 2]
    )
    (mismatch,) = found.mismatches
    text = verdict_page.page(found, [(mismatch, account_of_mismatch(mismatch, oracle))])
    assert "0x1.8000000000000p+0" in text
    assert ">24 = 0x18<" in text


@pytest.mark.skipif(installed() is None, reason="no browser: apt-get install chromium")
def test_the_pages_in_a_browser(tmp_path: Path, oracle: Oracle) -> None:
    """Light and dark, wide and on a phone, on paper: nothing asked for, nothing too wide."""
    shots = {}
    with browser(tmp_path / "profile") as tab:
        for name, text in pages(oracle).items():
            file = tmp_path / f"{name}.html"
            file.write_text(text, encoding="utf-8")
            for dark, width in ((False, 1200), (True, 1200), (False, 400), (True, 400)):
                tab.open(file, dark=dark, width=width)
                assert tab.value("document.documentElement.scrollWidth") <= width, name
                assert tab.value("document.querySelector('#verdict').innerText")
                assert (tab.asked, tab.complaints) == ([], [])
                shade = "dark" if dark else "light"
                shots[name, dark, width] = tab.photograph(tmp_path / f"{name}_{shade}_{width}.png")
                assert tab.value(READABLE) >= 4.5, (name, dark)
            assert tab.printed().startswith(b"%PDF")
        tab.open(tmp_path / "differ.html", dark=False, width=1200)
        assert tab.value("document.querySelectorAll('.heat td.bad').length") == 1
        assert tab.value("document.querySelectorAll('.heat caption').length") >= 5
    assert len(set(shots.values())) == len(shots)


#: The least contrast of a heat map's text and its ground, drawn on a canvas; 21 if there is none.
READABLE = """(() => {
  const paint = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const light = color => {
    paint.fillStyle = color; paint.fillRect(0, 0, 1, 1);
    const parts = [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const ratios = [...document.querySelectorAll('.heat td.cell, .heat td.bad')].map(cell => {
    const style = getComputedStyle(cell);
    const [a, b] = [light(style.color), light(style.backgroundColor)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  });
  return Math.min(21, ...ratios);
})()"""


def test_pages_name_their_verdict(oracle: Oracle) -> None:
    """The title of the window begins with it."""
    titles = {k: re.search("<title>(.*?)</title>", v)[1] for k, v in pages(oracle).items()}
    assert titles["agree"].startswith("AGREE: ")
    assert titles["differ"].startswith("DIFFER: ")
    assert titles["bench"] == "harness bench: ALL MET"
    assert titles["explain"].startswith("AGREE: ")
    assert titles["cases"] == "DIFFER: harness golden &lt;replay&gt;"


def test_the_page_of_cases() -> None:
    """Every case with its verdict; what failed with all of its text; how many became what."""
    text = outcome_page.page(OUTCOME)
    words = " ".join(" ".join(Page(text).words).split())
    assert "passed 1 failed 1 skipped 1" in words
    assert "files: <b> DIFFER: x <y>" in words
    assert "a AGREE 2 codes <b> DIFFER x" in words
    assert "c SKIPPED no ghdl" in words
    many = Suite("m", tuple(Case(f"case{k}", "DIFFER", "t", Kind.FAILED) for k in range(1200)))
    text = outcome_page.page(Outcome("c", "DIFFER: all", False, (many,)))
    assert "and 1,150 more<" in text
    assert "and 200 more cases<" in text


def test_a_drawing_has_every_step(oracle: Oracle) -> None:
    """Each name and text, whole though broken into lines; well-formed; nothing from elsewhere."""
    told = account_of_cast(20, "ap_ufixed<8,-3>", "ap_ufixed<1,0,AP_RND_CONV,AP_SAT_ZERO>", oracle)
    text = accounts.drawing(told)
    root = ElementTree.fromstring(text)
    written = [each.text or "" for each in root.iter() if each.tag.endswith("text")]
    assert written[0] == told.title
    assert "".join(written[1:]) == "".join(name + step for name, step in told.rows)
    assert len(written) > 1 + 2 * len(told.rows)
    assert "href" not in text
    width = float(root.get("width"))
    assert all(float(each.get("x")) < width for each in root.iter() if each.get("x"))
