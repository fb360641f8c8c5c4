"""What was found of an hls4ml project as JUnit XML: a test case a question and a layer."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from harness.hls.check import Findings
from harness.hls.project.verify import LayerRow
from harness.report.questions import Answer, answers

__all__ = ["as_junit"]

#: What XML 1.0 has no way to write.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(findings: Findings, command: str = "") -> str:
    """The document: there is a failure exactly if something was found, with the reason.

    Args:
        findings: what was found.
        command: the command line that finds it again; may be left out.
    """
    root = ET.Element("testsuites", name="harness verify-project")
    _suite(root, f"{findings.name}: questions", [_asked(answer) for answer in answers(findings)])
    if findings.cpp is not None:
        _suite(root, f"{findings.name}: layers", [_of(x, findings) for x in findings.cpp.layers])
    if command:
        # The first suite tells how to run it again, where readers of the format look.
        ET.SubElement(root[0], "system-out").text = _text(f"{findings.summary}\n{command}")
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key, 0)) for suite in root)))
    ET.indent(root)
    declared = '<?xml version="1.0" encoding="UTF-8"?>'
    return f"{declared}\n{ET.tostring(root, encoding='unicode')}\n"


def _suite(root: ET.Element, name: str, cases: list[ET.Element]) -> None:
    suite = ET.SubElement(root, "testsuite", name=_text(name), tests=str(len(cases)), errors="0")
    for key, kind in (("failures", "failure"), ("skipped", "skipped")):
        suite.set(key, str(sum(case.find(kind) is not None for case in cases)))
    for case in cases:
        case.set("classname", _text(name.replace(": ", ".")))
        suite.append(case)


def _asked(answer: Answer) -> ET.Element:
    case = ET.Element("testcase", name=answer.question)
    if answer.mood == "bad":
        _told(case, "failure", answer.verdict, answer.text)
    elif answer.verdict in ("NOT ASKED", "NOT RUN"):
        _told(case, "skipped", answer.verdict, answer.text)
    else:
        ET.SubElement(case, "system-out").text = _text(f"{answer.verdict}: {answer.text}")
    return case


def _of(row: LayerRow, findings: Findings) -> ET.Element:
    """A layer fails if its codes differ, or if it is what loses the model."""
    case = ET.Element("testcase", name=_text(f"{row.name} ({row.kernel})"))
    model, walk = findings.model, None if findings.cpp is None else findings.cpp.walk
    if row.differences:
        first = None if walk is None else walk.first
        more = f"\n{first}" if first is not None and first.layer.name == row.name else ""
        _told(case, "failure", "DIFFER", f"{row.differences:,} of {row.codes:,} codes differ{more}")
    elif model is not None and model.blames(row.name):
        _told(case, "failure", "LOSES", model.reason)
    elif row.codes is None:
        _told(case, "skipped", "NOT COMPARED", "its codes are not compared; give --layers")
    return case


def _told(case: ET.Element, kind: str, verdict: str, text: str) -> None:
    message = f"{verdict}: {text.splitlines()[0]}"
    inner = ET.SubElement(case, kind, message=_text(message))
    if kind == "failure":
        inner.set("type", verdict)
        inner.text = _text(text)


def _text(text: str) -> str:
    return _FORBIDDEN.sub("?", text)
