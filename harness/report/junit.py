"""What a command found as JUnit XML."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from harness.report.outcome import Case, Kind, Outcome, Suite

__all__ = ["as_junit"]

#: What XML 1.0 has no way to write.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(outcome: Outcome) -> str:
    """The document: a failure for each case that failed, with its text.

    Args:
        outcome: what was found.
    """
    root = ET.Element("testsuites", name=_text(outcome.command))
    for suite in outcome.suites:
        root.append(_suite(suite))
    if outcome.again and len(root):
        # The first suite tells how to run it again, where readers of the format look.
        ET.SubElement(root[0], "system-out").text = _text(f"{outcome.sentence}\n{outcome.again}")
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key, 0)) for suite in root)))
    ET.indent(root)
    declared = '<?xml version="1.0" encoding="UTF-8"?>'
    return f"{declared}\n{ET.tostring(root, encoding='unicode')}\n"


def _suite(suite: Suite) -> ET.Element:
    counts = {"failures": suite.count(Kind.FAILED), "skipped": suite.count(Kind.SKIPPED)}
    element = ET.Element(
        "testsuite", name=_text(suite.name), tests=str(len(suite.cases)), errors="0"
    )
    for key, count in counts.items():
        element.set(key, str(count))
    for case in suite.cases:
        element.append(_case(case, suite.name.replace(": ", ".")))
    return element


def _case(case: Case, classname: str) -> ET.Element:
    element = ET.Element("testcase", name=_text(case.name), classname=_text(classname))
    if case.kind is Kind.FAILED:
        failure = ET.SubElement(element, "failure", message=_text(case.message))
        failure.set("type", _text(case.verdict))
        failure.text = _text(case.text)
    elif case.kind is Kind.SKIPPED:
        ET.SubElement(element, "skipped", message=_text(case.message))
    elif case.text:
        told = f"{case.verdict}: {case.text}" if case.verdict else case.text
        ET.SubElement(element, "system-out").text = _text(told)
    return element


def _text(text: str) -> str:
    return _FORBIDDEN.sub("?", text)
