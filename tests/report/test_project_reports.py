"""The reports on a project: each says what the record says, to people and to programs."""

import json
import re
from functools import cache
from html import escape
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from browser import browser, installed

from harness.hls import Dense, ReLU, Sequential, compare
from harness.hls.check import Findings, measure
from harness.hls.check.advice import advise, explained, remedy
from harness.hls.check.fidelity import Spread
from harness.hls.ideal import ideal_trace
from harness.hls.layers.softmax import Softmax
from harness.hls.project.verify import LayerRow, Verdict
from harness.report.project_facts import as_json
from harness.report.project_junit import as_junit
from harness.report.project_page import page

T = "ap_fixed<16,6>"
COMMAND = "harness verify-project 'my <project>' --rows 300 --seed 7"
VOID = {"meta", "link", "br", "path", "rect", "line"}


def model(accum="ap_fixed<40,20>", relu=T):
    """Three layers, of which the second wraps."""
    rng = np.random.default_rng(5)
    weight = {"weight_type": T, "bias_type": T}
    first = Dense(4 * rng.normal(size=(6, 8)), None, input=T, accum=accum, result=accum, **weight)
    out = {"accum": "ap_fixed<38,18>", "result": "ap_fixed<12,4,AP_RND,AP_SAT>"}
    last = {"input": out["result"], "result": T, "implementation": "stable"}
    return Sequential(
        first,
        ReLU(input=accum, result=relu, input_shape=(8,)),
        Dense(rng.normal(size=(8, 5)) / 8, None, input=relu, **out, **weight),
        Softmax(input_shape=(5,), **last),
    )


@cache
def findings(*, given=True, suggest=True, differs=False, walked=True, broken=()):
    """What is found of :func:`model`; the C++ is another typed model, with an accumulator cut."""
    typed = model()
    x = np.random.default_rng(6).normal(size=(300, 6)) * 4
    batch = typed.batch(x)
    other = typed.retyped({"dense": {"accum": "ap_fixed<26,6>"}}) if differs else typed
    walk = compare(typed, other, *batch)
    last = typed.trace(*batch)[typed.output], other.trace(*batch)[typed.output]
    seen = {layer.name: layer for layer in walk.layers} if walked else {}
    rows = []
    for step in typed.steps:
        layer = seen.get(step.layer.name)
        counts = (layer.codes, layer.differences) if layer else (None, None)
        rows.append(LayerRow(step.layer.name, step.layer.name.split("_")[0], step.layer, *counts))
    wrong = int((last[0].codes != last[1].codes).sum())
    cpp = Verdict("a <b> & c", 300, tuple(rows), 1500, wrong, walk if walked else None, ())

    def again(other):
        wanted = ideal_trace(typed, dict.fromkeys(typed.inputs, x))[typed.output]
        return measure(other, batch, [x], wanted if given else None, name="mine" * given)

    found = again(typed)
    change = remedy(typed, batch, found)
    found = explained(found, change)
    advice = advise(typed, batch, found, change, again) if suggest else None
    return Findings("a <b> & c", 300, broken, cpp, found, advice, ("what <was> left",))


CASES = {
    "loses": {},
    "differs": {"differs": True, "given": False, "suggest": False},
    "agrees": {"given": False, "suggest": False, "walked": False},
    "broken": {"broken": ("w2 has 144 numbers, 240 are read",)},
}


@pytest.fixture(params=CASES)
def found(request):
    return findings(**CASES[request.param])


class Parsed(HTMLParser):
    """The text of each element that has a name: a verdict, a question, a layer's columns."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts, self.links = [], set(), {}, []
        self.feed(text)
        assert not self.open, "an element is not closed"

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        self.tags.add(tag)
        self.links += [v for k, v in attrs if k in ("href", "src")]
        if tag in VOID:
            return
        layer = facts.get("data-layer") or next((n[0] for _, n in self.open[::-1] if n), None)
        name = None
        if "data-layer" in facts:
            name = (layer, "row")
        elif "data-column" in facts:
            name = (layer, facts["data-column"])
        elif facts.get("data-question"):
            name = ("question", facts["data-question"])
        elif "data-types" in facts:
            name = (facts["data-types"], "types")
        elif "id" in facts:
            name = ("id", facts["id"])
        self.open.append((tag, name))

    def handle_startendtag(self, tag, attrs):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        for _, name in self.open:
            if name:
                self.texts[name] = self.texts.get(name, "") + data


def test_the_cases_are_what_they_are_called():
    """One of each verdict, so that every branch of the reports is looked at."""
    verdicts = {name: findings(**facts).verdict for name, facts in CASES.items()}
    assert verdicts == {
        "loses": "LOSES",
        "differs": "DIFFER",
        "agrees": "AGREE",
        "broken": "BROKEN",
    }
    assert findings(**CASES["loses"]).advice.changes


def test_the_page_says_what_the_record_says(found):
    """Verdict, questions, and each layer's numbers and types, as they are in the record."""
    seen = Parsed(page(found, COMMAND)).texts
    assert seen["id", "verdict"] == found.verdict
    assert seen["id", "command"] == COMMAND
    for answer in json.loads(as_json(found))["questions"].items():
        assert answer[1]["verdict"] in seen["question", answer[0]]
        assert answer[1]["text"] in seen["question", answer[0]]
    for row in found.cpp.layers:
        loss = found.model.layer(row.name)
        cells = {name: text for (layer, name), text in seen.items() if layer == row.name}
        if row.codes is not None:
            assert int(cells["codes compared"].replace(",", "")) == row.codes
            assert int(cells["differ"].replace(",", "")) == row.differences
        assert int(cells["flips so far"].replace(",", "")) == loss.total.flips
        error, signal = map(float, cells["rms error"].split(" of "))
        assert error == pytest.approx(loss.error.rms_error, rel=0.06)
        assert signal == pytest.approx(loss.signal, rel=0.06)
        assert f"result {row.layer.result}" in cells["types"]
        ends = f"from {loss.spread.low:.6g} to {loss.spread.high:.6g}"
        assert ends in cells["values"]


def test_the_page_shows_the_first_difference():
    """Both codes, the accumulator, and the C++ file, letter for letter."""
    found = findings(**CASES["differs"])
    first = found.cpp.walk.first
    text = page(found)
    seen = Parsed(text).texts
    assert seen["id", "reproducer"] == first.cpp
    for code in (first.got, first.expected):
        assert f"code {int(code.codes)} of {escape(str(code.type))}" in text
    assert "&lt;- here" in text
    assert "accum: <code>" in text


def test_the_page_has_the_patch():
    """What is pasted is the advice's configuration."""
    found = findings(**CASES["loses"])
    assert json.loads(Parsed(page(found)).texts["id", "patch"]) == found.advice.config


def test_the_page_needs_nothing_else(found):
    """No script, and every link leads to the page's own data."""
    parsed = Parsed(page(found, COMMAND))
    assert not parsed.tags & {"script", "iframe", "img", "object"}
    assert all(link.startswith("data:") for link in parsed.links)
    # Of what is text nothing is taken for a tag.
    assert not re.search(r"<(?![/!a-z])", page(found))
    assert "@import" not in page(found)
    assert "url(" not in page(found)


def test_bars_end_where_values_and_types_do():
    """On the axis of powers of two a type's box is as wide as its bits; red is beyond it."""
    found = findings(**CASES["loses"])
    text = page(found)
    row = re.search(r'data-layer="relu".*?</tr>', text, re.DOTALL)[0]
    box = float(re.search(r'width="([\d.]+)" height="20" rx="2" class="box"', row)[1])
    first = re.search(r'data-layer="dense".*?</tr>', text, re.DOTALL)[0]
    wide = float(re.search(r'width="([\d.]+)" height="20" rx="2" class="box"', first)[1])
    assert wide / box == pytest.approx(39 / 15, rel=0.01)  # bits below the sign
    assert 'class="beyond"' in row
    assert 'class="outside"' in row
    assert 'class="beyond"' not in first


def test_a_project_that_did_not_run_has_a_page():
    """What is wrong is said; there is no table of nothing."""
    found = Findings("p", 0, ("w2 has 144 numbers", "x is read before it is written"))
    text = page(found)
    assert Parsed(text).texts["id", "verdict"] == "BROKEN"
    assert "<li>x is read before it is written</li>" in text
    assert "<table" not in text
    assert json.loads(as_json(found))["layers"] == []
    assert ET.fromstring(as_junit(found)).get("failures") == "1"


def test_json_has_the_record(found):
    """Numbers are numbers, codes integers, and the whole is one strict document."""
    facts = json.loads(as_json(found, COMMAND), parse_constant=pytest.fail)
    assert (facts["schema"], facts["verdict"], facts["agrees"]) == (1, found.verdict, found.agrees)
    assert (facts["rows"], facts["command"]) == (300, COMMAND)
    assert facts["model"]["loss"]["flips"] == found.model.loss.flips
    assert facts["model"]["loss"]["rms_error"] == found.model.loss.rms_error
    for row, layer in zip(found.cpp.layers, facts["layers"], strict=True):
        loss = found.model.layer(row.name)
        assert (layer["codes"], layer["differences"]) == (row.codes, row.differences)
        assert layer["types"]["result"] == str(row.layer.result)
        assert layer["loss"]["spread"]["counts"] == list(loss.spread.counts)
        assert sum(layer["loss"]["spread"]["counts"]) == 300 * int(np.prod(row.layer.output_shape))
    first = found.cpp.walk.first if found.cpp.walk else None
    if first is not None:
        told = facts["cpp"]["first_difference"]
        assert told["got"]["code"] == int(first.got.codes)
        assert told["inputs"][0]["codes"] == first.inputs[0].codes.tolist()
    if found.advice is not None:
        assert facts["advice"]["config"] == found.advice.config


ALLOWED = {
    "testsuites": {"name", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped"},
    "testcase": {"name", "classname"},
    "failure": {"message", "type"},
    "skipped": {"message"},
    "system-out": set(),
}


def test_junit_has_a_case_a_layer_and_a_question(found):
    """It has the common shape, its counts are true, and it fails exactly if something was found."""
    root = ET.fromstring(as_junit(found, COMMAND))
    for element in root.iter():
        assert set(element.attrib) <= ALLOWED[element.tag]
    for suite in [*root, root]:
        cases = suite.findall(".//testcase")
        assert int(suite.get("tests")) == len(cases)
        assert int(suite.get("failures")) == len(suite.findall(".//failure"))
    assert [len(suite.findall("testcase")) for suite in root] == [3, len(found.cpp.layers)]
    assert (int(root.get("failures")) == 0) == found.agrees
    assert all(case.get("name") and case.get("classname") for case in root.iter("testcase"))
    if found.verdict == "LOSES":
        (failed,) = (c for c in root[1] if c.find("failure") is not None)
        assert failed.get("name").startswith(found.model.culprit)
        assert found.model.why in failed.find("failure").text
    if found.verdict == "AGREE":
        assert all("--layers" in case.find("skipped").get("message") for case in root[1])


def test_junit_has_no_character_that_xml_has_not():
    """A control character in a message does not break the document."""
    root = ET.fromstring(as_junit(Findings("p", 0, ("a\x00b\x1b[0m",))))
    assert "a?b?[0m" in root.find(".//failure").text


@pytest.mark.parametrize(
    "values", [[0.0], [1.0, 1.0], np.arange(-40, 40), [2.0**60, 2.0**60 + 256]]
)
def test_spreads_count_every_value(values):
    """Each output is in one bin; a bin is one value where values are few."""
    got = np.asarray(values, float)
    spread = Spread.of(got, got, 1.0)
    assert sum(spread.counts) == sum(spread.meant_counts) == got.size
    assert len(spread.counts) <= 32
    assert (spread.low, spread.high) == (got.min(), got.max())
    if got.max() - got.min() < 2:
        assert spread.counts == (got.size,)
        assert spread.end - spread.start == 1.0
    assert Spread.of(got[:0], got[:0], 1.0).counts == ()


@pytest.mark.skipif(installed() is None, reason="no browser: apt-get install chromium")
def test_the_page_in_a_browser(tmp_path):
    """Light, dark, on a phone and on paper: no complaint, no request, nothing too wide."""
    shots = {}
    with browser(tmp_path / "profile") as tab:
        for name, facts in CASES.items():
            file = tmp_path / f"{name}.html"
            file.write_text(page(findings(**facts), COMMAND), encoding="utf-8")
            for dark, width in ((False, 1280), (True, 1280), (False, 390), (True, 800)):
                tab.open(file, dark=dark, width=width)
                assert tab.value("document.documentElement.scrollWidth") <= width
                assert tab.value("document.querySelector('#verdict').innerText")
                assert (tab.asked, tab.complaints) == ([], [])
                shots[name, dark, width] = tab.photograph(tmp_path / f"{name}{dark}{width}.png")
                ground = tab.value("getComputedStyle(document.body).backgroundColor")
                assert (max(map(int, re.findall(r"\d+", ground))) < 64) == dark
            assert tab.printed().startswith(b"%PDF")
    assert all(shot.startswith(b"\x89PNG") and len(shot) > 10_000 for shot in shots.values())
    assert len(set(shots.values())) == len(shots)


@pytest.mark.skipif(installed() is None, reason="no browser: apt-get install chromium")
def test_a_page_that_asks_for_something_is_seen(tmp_path):
    """The check above could fail: of a bad page it sees the request, the error and the width."""
    file = tmp_path / "bad.html"
    file.write_text(
        "<body><div style='width:3000px'>x</div><img src='http://127.0.0.1:9/x.png'>"
        "<script>console.error('bad')</script></body>"
    )
    with browser(tmp_path / "profile") as tab:
        tab.open(file, dark=False, width=800)
        assert tab.asked == ["http://127.0.0.1:9/x.png"]
        assert any("bad" in text for text in tab.complaints)
        assert tab.value("document.documentElement.scrollWidth") > 800
